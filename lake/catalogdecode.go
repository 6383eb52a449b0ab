package lake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// changeDecoder reads change lines. Lines in the canonical form go through a scanner that knows the order of the keys; anything else goes
// to encoding/json, with the same result: never wrong, only slower. Services are interned and column sizes come from slabs, because opening
// a lake of 60,000 files is mostly this.
type changeDecoder struct {
	services map[string]string
	slab     []int64
	columns  []int64 // of the line at hand
}

// slabColumns is the size of one slab: 64 KiB, some 500 entries.
const slabColumns = 8192

var errNotCanonical = errors.New("not in canonical form")

func (d *changeDecoder) decode(line []byte, c *catalogChange) error {
	if d.fast(line, c) {
		return nil
	}
	*c = catalogChange{}
	return decodeChangeJSON(line, c)
}

// fast reads a canonical line and says whether it was one.
func (d *changeDecoder) fast(line []byte, c *catalogChange) bool {
	op := opCount
	for i, prefix := range opPrefixes {
		if len(line) > len(prefix) && string(line[:len(prefix)]) == prefix {
			op = changeOp(i)
			line = line[len(prefix):]
			break
		}
	}
	if op == opCount {
		return false
	}
	c.op = op
	s := lineScanner{rest: line}
	d.entry(&s, &c.entry)
	if op == opGone || op == opGoneRollup {
		version := s.number(`,"v":`, 0, math.MaxInt64)
		c.goneV = uint64(version)
		c.goneT = Micros(s.number(`,"at":`, math.MinInt64, math.MaxInt64))
	}
	s.literal("}")
	return !s.failed && len(s.rest) == 0
}

func (d *changeDecoder) entry(s *lineScanner, f *FileEntry) {
	const low, high = math.MinInt64, math.MaxInt64
	f.Partition.Date = Date(s.number(`{"d":`, math.MinInt32, math.MaxInt32))
	f.Partition.Service = d.intern(s.text(`,"s":`))
	f.Partition.Status = int32(s.number(`,"c":`, math.MinInt32, math.MaxInt32))
	f.Name = string(s.text(`,"n":`))
	f.Rows = s.number(`,"r":`, low, high)
	f.Bytes = s.number(`,"b":`, low, high)
	f.CRC32C = uint32(s.number(`,"x":`, 0, math.MaxUint32))
	f.MinTS = Micros(s.number(`,"t":[`, low, high))
	f.MaxTS = Micros(s.number(`,`, low, high))
	f.MinSeq = Seq(s.number(`],"q":[`, low, high))
	f.MaxSeq = Seq(s.number(`,`, low, high))
	f.FooterBytes = s.number(`],"f":`, low, high)
	s.literal(`,"k":[`)
	d.columns = d.columns[:0]
	for separator := ""; !s.failed && !s.at(']'); separator = "," {
		d.columns = append(d.columns, s.number(separator, low, high))
	}
	s.literal("]}")
	f.ColumnBytes = d.keep(d.columns)
}

// keep copies columns into a slab.
func (d *changeDecoder) keep(columns []int64) []int64 {
	n := len(columns)
	if n == 0 {
		return nil
	}
	if n > cap(d.slab)-len(d.slab) {
		d.slab = make([]int64, 0, max(n, slabColumns))
	}
	start := len(d.slab)
	d.slab = append(d.slab, columns...)
	return d.slab[start : start+n : start+n]
}

func (d *changeDecoder) intern(b []byte) string {
	if s, ok := d.services[string(b)]; ok {
		return s
	}
	s := string(b)
	d.services[s] = s
	return s
}

// lineScanner walks over one line. After a surprise it has failed and answers zeros.
type lineScanner struct {
	rest   []byte
	failed bool
}

func (s *lineScanner) at(c byte) bool { return len(s.rest) > 0 && s.rest[0] == c }

func (s *lineScanner) literal(want string) {
	if s.failed || len(s.rest) < len(want) || string(s.rest[:len(want)]) != want {
		s.failed = true
		return
	}
	s.rest = s.rest[len(want):]
}

// number reads key and an integer in [low, high] as strconv writes it: no sign but minus, no leading zero, no fraction, no exponent.
func (s *lineScanner) number(key string, low, high int64) int64 {
	s.literal(key)
	if s.failed {
		return 0
	}
	i, negative := 0, s.at('-')
	if negative {
		i = 1
	}
	start, n := i, int64(0)
	// 18 digits cannot overflow; longer numbers are rare and go to the standard decoder.
	for ; i < len(s.rest) && i-start < 18 && s.rest[i]-'0' <= 9; i++ {
		n = n*10 + int64(s.rest[i]-'0')
	}
	digits := i - start
	if digits == 0 || i == len(s.rest) || s.rest[i]-'0' <= 9 || (s.rest[start] == '0' && (digits > 1 || negative)) {
		s.failed = true
		return 0
	}
	if negative {
		n = -n
	}
	if n < low || n > high {
		s.failed = true
		return 0
	}
	s.rest = s.rest[i:]
	return n
}

// text reads key and a string without escapes, in ASCII. The bytes alias the line.
func (s *lineScanner) text(key string) []byte {
	s.literal(key)
	s.literal(`"`)
	if s.failed {
		return nil
	}
	for i, c := range s.rest {
		if c == '"' {
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			return text
		}
		if c < ' ' || c >= utf8.RuneSelf || c == '\\' {
			break
		}
	}
	s.failed = true
	return nil
}

// entryJSON is an entry for encoding/json.
type entryJSON struct {
	Date    Date     `json:"d"`
	Service string   `json:"s"`
	Status  int32    `json:"c"`
	Name    string   `json:"n"`
	Rows    int64    `json:"r"`
	Bytes   int64    `json:"b"`
	CRC32C  uint32   `json:"x"`
	TS      []Micros `json:"t"`
	Seqs    []Seq    `json:"q"`
	Footer  int64    `json:"f"`
	Columns []int64  `json:"k"`
}

// changeJSON is a change line for encoding/json: exactly one of the pointers is set.
type changeJSON struct {
	Add          *entryJSON `json:"add"`
	AddRollup    *entryJSON `json:"add_rollup"`
	Remove       *entryJSON `json:"remove"`
	RemoveRollup *entryJSON `json:"remove_rollup"`
	Gone         *entryJSON `json:"gone"`
	GoneRollup   *entryJSON `json:"gone_rollup"`
	Version      uint64     `json:"v"`
	At           Micros     `json:"at"`
}

func decodeChangeJSON(line []byte, c *catalogChange) error {
	var in changeJSON
	if err := json.Unmarshal(line, &in); err != nil {
		return err
	}
	found := 0
	for op, e := range [opCount]*entryJSON{in.Add, in.AddRollup, in.Remove, in.RemoveRollup, in.Gone, in.GoneRollup} {
		if e == nil {
			continue
		}
		found++
		if len(e.TS) != 2 || len(e.Seqs) != 2 {
			return fmt.Errorf("%.80q: want two timestamps and two seqs: %w", line, errNotCanonical)
		}
		c.op = changeOp(op)
		c.entry = FileEntry{
			Partition: Partition{Date: e.Date, Service: e.Service, Status: e.Status}, Name: e.Name, Rows: e.Rows, Bytes: e.Bytes,
			CRC32C: e.CRC32C, MinTS: e.TS[0], MaxTS: e.TS[1], MinSeq: e.Seqs[0], MaxSeq: e.Seqs[1], FooterBytes: e.Footer,
		}
		if len(e.Columns) > 0 {
			c.entry.ColumnBytes = e.Columns
		}
	}
	if found != 1 {
		return fmt.Errorf("%.80q: want one change a line, found %d: %w", bytes.TrimSpace(line), found, errNotCanonical)
	}
	if c.op == opGone || c.op == opGoneRollup {
		c.goneV, c.goneT = in.Version, in.At
	}
	return nil
}
