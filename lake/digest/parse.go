package digest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/signallake/signallake/lake/rollup"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Trailer is the end of a digest: how much stands before it.
type Trailer struct {
	Values int64 // bytes
	Index  int64 // bytes, between the values and the trailer
	check  uint32
}

// Bytes is the length of the whole digest.
func (t Trailer) Bytes() int64 { return t.Values + t.Index + TrailerBytes }

// appendTrailer ends a digest whose index was just written. The checksum covers the index and what the trailer says.
func appendTrailer(dst, index []byte, values int64) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(values))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(index)))
	dst = binary.LittleEndian.AppendUint32(dst, formatNumber)
	sum := crc32.Update(crc32.Checksum(index, castagnoli), castagnoli, dst[start:])
	dst = binary.LittleEndian.AppendUint32(dst, sum)
	return append(dst, magic...)
}

// ParseTrailer reads the last TrailerBytes of b. Errors: ErrNone, ErrNewer, and lengths that no digest has.
func ParseTrailer(b []byte) (Trailer, error) {
	if len(b) < TrailerBytes || string(b[len(b)-len(magic):]) != magic {
		return Trailer{}, ErrNone
	}
	b = b[len(b)-TrailerBytes:]
	values, index := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	switch format := binary.LittleEndian.Uint32(b[16:]); {
	case format > formatNumber:
		return Trailer{}, fmt.Errorf("%w: format %d", ErrNewer, format)
	case format == 0:
		return Trailer{}, errors.New("digest: format 0")
	case index > maxIndexBytes || values > math.MaxInt64/2:
		return Trailer{}, fmt.Errorf("digest: an index of %d bytes and %d bytes of values", index, values)
	}
	return Trailer{Values: int64(values), Index: int64(index), check: binary.LittleEndian.Uint32(b[20:])}, nil
}

// Parse reads an index; b is the index and the trailer, and is kept. Every number in it is checked against the others.
func Parse(b []byte) (*Digest, error) {
	t, err := ParseTrailer(b)
	if err != nil {
		return nil, err
	}
	if int64(len(b)) != t.Index+TrailerBytes {
		return nil, fmt.Errorf("digest: %d bytes, its trailer says %d", len(b), t.Index+TrailerBytes)
	}
	index := b[:t.Index]
	sum := crc32.Update(crc32.Checksum(index, castagnoli), castagnoli, b[t.Index:t.Index+20])
	if sum != t.check {
		return nil, fmt.Errorf("digest: CRC32C %08x, its trailer says %08x", sum, t.check)
	}
	p := parser{rest: index, digest: &Digest{values: t.Values, size: t.Bytes()}}
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	return p.digest, nil
}

var errShort = errors.New("it ends early")

type parser struct {
	rest   []byte
	digest *Digest
}

// number reads a number of at most limit.
func (p *parser) number(limit int64) (int64, error) {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 {
		return 0, errShort
	}
	if v > uint64(limit) {
		return 0, fmt.Errorf("the number %d where at most %d can be", v, limit)
	}
	p.rest = p.rest[n:]
	return int64(v), nil
}

func (p *parser) take(n int64) ([]byte, error) {
	if n > int64(len(p.rest)) {
		return nil, errShort
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b, nil
}

func (p *parser) parse() error {
	d := p.digest
	events, err := p.number(math.MaxInt32) // as many as a conversion can name
	if err != nil {
		return err
	}
	d.Events = events
	head, err := p.take(2)
	if err != nil {
		return err
	}
	d.unit = unit(head[0])
	d.EndpointsDropped, d.RegionsDropped = head[1]&flagEndpointsDropped != 0, head[1]&flagRegionsDropped != 0
	if d.unit >= units || head[1]&^byte(knownFlags) != 0 {
		return fmt.Errorf("unit %d, flags %d", head[0], head[1])
	}
	lengths, err := p.endpoints()
	if err != nil {
		return fmt.Errorf("endpoints: %w", err)
	}
	if err := p.regions(); err != nil {
		return fmt.Errorf("regions: %w", err)
	}
	left := d.Events
	for i := range d.Hours {
		if d.Hours[i], err = p.number(left); err != nil {
			return fmt.Errorf("hours: %w", err)
		}
		left -= d.Hours[i]
	}
	if left != 0 {
		return fmt.Errorf("hours: %d events are in none", left)
	}
	if err := p.checksums(); err != nil {
		return err
	}
	return p.cells(lengths)
}

// endpoints reads their names and counts, and how long the cells of each are.
func (p *parser) endpoints() ([]int64, error) {
	d := p.digest
	n, err := p.number(maxNames)
	if err != nil {
		return nil, err
	}
	if n > int64(len(p.rest)) || d.EndpointsDropped && n > 1 {
		return nil, fmt.Errorf("%d of them", n)
	}
	d.Endpoints = make([]Endpoint, n)
	lengths := make([]int64, n)
	left := d.Events
	for i := range d.Endpoints {
		if d.Endpoints[i].Count, err = p.count(left); err != nil {
			return nil, err
		}
		left -= d.Endpoints[i].Events
		if lengths[i], err = p.number(maxIndexBytes); err != nil {
			return nil, err
		}
	}
	if left != 0 {
		return nil, fmt.Errorf("%d events have none", left)
	}
	return lengths, unique(n, func(i int64) string { return d.Endpoints[i].Name })
}

func (p *parser) regions() error {
	d := p.digest
	n, err := p.number(maxNames)
	if err != nil {
		return err
	}
	if n > int64(len(p.rest)) || d.RegionsDropped && n > 0 {
		return fmt.Errorf("%d of them", n)
	}
	d.Regions = make([]Count, n)
	left := d.Events
	for i := range d.Regions {
		if d.Regions[i], err = p.count(left); err != nil {
			return err
		}
		left -= d.Regions[i].Events
	}
	if left != 0 && !d.RegionsDropped {
		return fmt.Errorf("%d events have none", left)
	}
	return unique(n, func(i int64) string { return d.Regions[i].Name })
}

// count reads a name and its events, of which there is at least one.
func (p *parser) count(left int64) (Count, error) {
	n, err := p.number(int64(len(p.rest)))
	if err != nil {
		return Count{}, err
	}
	name, err := p.take(n)
	if err != nil {
		return Count{}, err
	}
	events, err := p.number(left)
	if err == nil && events == 0 {
		err = fmt.Errorf("%q has no event", name)
	}
	return Count{Name: string(name), Events: events}, err
}

// unique checks that names ascend.
func unique(n int64, name func(i int64) string) error {
	for i := int64(1); i < n; i++ {
		if name(i-1) >= name(i) {
			return fmt.Errorf("%q before %q", name(i-1), name(i))
		}
	}
	return nil
}

func (p *parser) checksums() error {
	n := (p.digest.values + BlockBytes - 1) / BlockBytes
	if n > int64(len(p.rest))/4 {
		return errShort
	}
	b, err := p.take(4 * n)
	if err != nil {
		return err
	}
	p.digest.blocks = make([]uint32, n)
	for i := range p.digest.blocks {
		p.digest.blocks[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return nil
}

// cells checks the cells of each endpoint, and that their values take the room that the trailer says.
func (p *parser) cells(lengths []int64) error {
	d := p.digest
	var bits int64
	for i := range d.Endpoints {
		e := &d.Endpoints[i]
		b, err := p.take(lengths[i])
		if err != nil {
			return fmt.Errorf("cells of %q: %w", e.Name, err)
		}
		e.cells = b
		inner := parser{rest: b, digest: d}
		n, err := inner.endpoint(e)
		if err != nil {
			return fmt.Errorf("cells of %q: %w", e.Name, err)
		}
		bits += n
	}
	if len(p.rest) > 0 {
		return fmt.Errorf("%d bytes behind the last cell", len(p.rest))
	}
	if (bits+7)/8 != d.values {
		return fmt.Errorf("its cells have %d bytes of values, its trailer says %d", (bits+7)/8, d.values)
	}
	return nil
}

// endpoint checks one endpoint's cells and counts its latencies. Events are at most 2^31, so that bits cannot overflow.
func (p *parser) endpoint(e *Endpoint) (bits int64, err error) {
	u, bucket := p.digest.unit, int64(0)
	for first := true; len(p.rest) > 0; first = false {
		step, err := p.number(rollup.MaxBucket - bucket)
		if err != nil {
			return 0, err
		}
		if step == 0 && !first {
			return 0, fmt.Errorf("bucket %d twice", bucket)
		}
		bucket += step
		double, err := p.number(2*(e.Events-e.Latencies) + 1)
		if err != nil {
			return 0, err
		}
		c := cell{bucket: int(bucket), count: double >> 1, raw: double&1 != 0}
		if c.count == 0 || !c.raw && !u.packing(c.bucket).ok {
			return 0, fmt.Errorf("bucket %d: count %d, plain %t", c.bucket, c.count, c.raw)
		}
		e.Latencies += c.count
		bits += c.bits(u)
	}
	return bits, nil
}
