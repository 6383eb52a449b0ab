package column

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/format"
)

// header is what a Reader needs of a page's header. It is read by hand: a column of a small file is one page, and the general decoder takes as long for its
// header as the values do.
type header struct {
	kind         format.PageType
	encoding     format.Encoding
	size, stored int // bytes behind the header: of all parts when not compressed, and as they stand in the file
	sum          uint32
	values       int // of a dictionary too
	nulls, rows  int
	levels       int // bytes of definition levels
	repeats      int
	compressed   bool
}

var errHeader = errors.New("its header is broken")

// parseHeader reads a header, and answers how many bytes it takes.
func parseHeader(b []byte) (h header, n int, err error) {
	c := compact{b: b}
	h.compressed = true // where nothing is said
	last := 0
	for kind := c.field(&last); kind != 0; kind = c.field(&last) {
		switch {
		case last == 1 && kind == compactInt32:
			h.kind = format.PageType(c.int())
		case last == 2 && kind == compactInt32:
			h.size = c.int()
		case last == 3 && kind == compactInt32:
			h.stored = c.int()
		case last == 4 && kind == compactInt32:
			h.sum = uint32(c.int())
		case (last == 7 || last == 8) && kind == compactStruct:
			h.body(&c, last == 8)
		default:
			c.skip(kind, 0)
		}
	}
	if c.failed || h.size < 0 || h.stored < 0 || h.values < 0 || h.nulls < 0 || h.rows < 0 || h.levels < 0 || h.nulls > h.values {
		return h, 0, errHeader
	}
	return h, c.at, nil
}

// body reads the part about a dictionary or about a data page of version 2.
func (h *header) body(c *compact, data bool) {
	last := 0
	for kind := c.field(&last); kind != 0; kind = c.field(&last) {
		switch {
		case last == 1 && kind == compactInt32:
			h.values = c.int()
		case last == 2 && kind == compactInt32 && !data:
			h.encoding = format.Encoding(c.int())
		case last == 2 && kind == compactInt32:
			h.nulls = c.int()
		case last == 3 && kind == compactInt32 && data:
			h.rows = c.int()
		case last == 4 && kind == compactInt32:
			h.encoding = format.Encoding(c.int())
		case last == 5 && kind == compactInt32:
			h.levels = c.int()
		case last == 6 && kind == compactInt32:
			h.repeats = c.int()
		case last == 7 && data && (kind == compactTrue || kind == compactFalse):
			h.compressed = kind == compactTrue
		default:
			c.skip(kind, 0)
		}
	}
}

// The types of thrift's compact protocol. A boolean field's value is its type.
const (
	compactTrue = 1 + iota
	compactFalse
	compactInt8
	compactInt16
	compactInt32
	compactInt64
	compactDouble
	compactBinary
	compactList
	compactSet
	compactMap
	compactStruct
)

// compact reads thrift's compact protocol. After failed everything is zero.
type compact struct {
	b      []byte
	at     int
	failed bool
}

func (c *compact) byte() byte {
	if c.at >= len(c.b) {
		c.failed = true
	}
	if c.failed {
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *compact) uvarint() uint64 {
	v, n := binary.Uvarint(c.b[min(c.at, len(c.b)):])
	if c.failed = c.failed || n <= 0; c.failed {
		return 0
	}
	c.at += n
	return v
}

func (c *compact) int() int {
	v := c.uvarint()
	return int(v>>1) ^ -int(v&1)
}

// field reads the beginning of a struct's next field; 0: the struct ends. last is the number of the field before it, then of this one.
func (c *compact) field(last *int) (kind byte) {
	b := c.byte()
	switch {
	case b&15 == 0:
		return 0
	case b>>4 == 0:
		*last = c.int()
	default:
		*last += int(b >> 4)
	}
	if c.failed {
		return 0
	}
	return b & 15
}

// skip passes over a value that nobody needs.
func (c *compact) skip(kind byte, depth int) {
	const deepest = 8
	if depth > deepest {
		c.failed = true
	}
	if c.failed {
		return
	}
	switch kind {
	case compactTrue, compactFalse:
	case compactInt8:
		c.byte()
	case compactInt16, compactInt32, compactInt64:
		c.uvarint()
	case compactDouble:
		c.pass(8)
	case compactBinary:
		c.pass(c.uvarint())
	case compactStruct:
		last := 0
		for kind := c.field(&last); kind != 0; kind = c.field(&last) {
			c.skip(kind, depth+1)
		}
	default: // lists and maps: no header of ours has one
		c.failed = true
	}
}

func (c *compact) pass(n uint64) {
	if c.failed = c.failed || n > uint64(len(c.b)-c.at); !c.failed {
		c.at += int(n)
	}
}
