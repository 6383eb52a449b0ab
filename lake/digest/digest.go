// Package digest sums up the events of one Parquet file so that exact questions need not read it: how many events there are by endpoint, by region
// and by hour of the day, and every latency to its last bit, ordered by bucket. The file carries its digest between its last column and its
// footer, where other readers pass over it; about a byte and a half an event.
//
// A file holds one day, one service and one status code, so digests answer counts by any of these, and quantiles over any set of files and
// endpoints: the counts of buckets say which bucket holds a rank, and only that bucket's values are read (Selection). The numbers are DuckDB's
// quantile_cont, bit for bit.
//
// A digest is three parts, one after the other, and is found from its end:
//
//	values   every latency, bit-packed, by bucket and within a bucket by endpoint
//	index    the counts; what a value's bits are and where they lie follows from them
//	trailer  TrailerBytes: lengths, checksum, format number, magic
//
// The index, its numbers as unsigned LEB128:
//
//	events, unit (1 byte), flags (1 byte)
//	number of endpoints; of each: length of the name, name, events, bytes of its cells
//	number of regions; of each: length of the name, name, events
//	24 numbers of events by hour
//	a CRC32C (4 bytes, little endian) for each BlockBytes of values, the last block may be shorter
//	the cells of each endpoint: by bucket, ascending, what the bucket's number is above the one before (the first: its number), and twice the
//	  number of its latencies, plus 1 where they are kept as plain doubles
//
// It refuses whatever is not exactly that: a digest that cannot be trusted is an error, never a number.
package digest

import (
	"encoding/binary"
	"errors"

	"github.com/signallake/signallake/lake/rollup"
)

const (
	// TrailerBytes is the length of the end of a digest, which says how long the rest is.
	TrailerBytes = 32
	// BlockBytes is how much of the values one checksum covers: little enough to read a bucket alone, and the checksums are a thousandth.
	BlockBytes = 4096
	// maxNames is how many endpoints or regions are told apart. A file with more (ids in paths, say) has counts and latencies as a whole only: its
	// questions by endpoint read the column.
	maxNames = 2048
	// maxNameBytes is how long the names may be together, and as many bytes more as there are events.
	maxNameBytes = 4096
	// maxIndexBytes bounds what a trailer can make a reader read and allocate.
	maxIndexBytes = 64 << 20

	formatNumber = 1
	magic        = "SLdigest"

	flagEndpointsDropped = 1 << 0 // one endpoint without a name stands for all
	flagRegionsDropped   = 1 << 1
	knownFlags           = flagEndpointsDropped | flagRegionsDropped
)

var (
	// ErrNone says that the bytes do not end in a digest: a file of an older release.
	ErrNone = errors.New("there is no digest")
	// ErrNewer says that a newer release made the digest.
	ErrNewer = errors.New("the digest is of a newer release")
)

// Digest is a file's parsed index. It never changes and may be shared.
type Digest struct {
	Events    int64
	Endpoints []Endpoint // a name is there once; empty of a file without events
	Regions   []Count    // a name is there once
	Hours     [24]int64  // events by hour of the day

	EndpointsDropped bool // there are too many: Endpoints is one without a name
	RegionsDropped   bool // there are too many: Regions is empty

	unit   unit
	values int64    // bytes
	blocks []uint32 // checksums
	size   int64    // of the whole digest
}

// Count is a name and its events. "" is an event without one: the lake does not tell these apart.
type Count struct {
	Name   string
	Events int64
}

// Endpoint is a path of the service.
type Endpoint struct {
	Count
	Latencies int64 // events that have one
	cells     []byte
}

// Bytes is the length of the whole digest in the file.
func (d *Digest) Bytes() int64 { return d.size }

// IndexBytes is what reading the digest without its values fetches.
func (d *Digest) IndexBytes() int64 { return d.size - d.values }

// unit is what the packed values count.
type unit uint8

const (
	microseconds unit = iota
	nanoseconds       // of files whose latencies are finer; 10 bits more for each
	units
)

// maxPacked is the most bits a packed value has, so that eight bytes hold one wherever it begins.
const maxPacked = 56

// packing is how the values of a bucket are kept when they are whole numbers of the unit: as what they are above base, in width bits.
type packing struct {
	base  int64
	width int
	ok    bool // false: plain doubles
}

func (u unit) packing(bucket int) packing {
	low, width := rollup.BucketRange(int16(bucket))
	if u == microseconds {
		return packing{base: int64(low), width: width, ok: width <= maxPacked}
	}
	// A latency is rounded to whole microseconds for its bucket, so a bucket begins half a microsecond early; 1,024 is the next power of two.
	width += 10
	return packing{base: int64(low)*1000 - 500, width: width, ok: width <= maxPacked}
}

// value is the latency in milliseconds that a number of units stands for.
func (u unit) value(n int64) float64 {
	if u == microseconds {
		return float64(n) / 1000
	}
	return float64(n) / 1_000_000
}

// cell is the latencies of one endpoint in one bucket.
type cell struct {
	bucket int
	count  int64
	raw    bool
}

// bits is the length of the cell's values.
func (c cell) bits(u unit) int64 {
	if c.raw {
		return c.count * 64
	}
	return c.count * int64(u.packing(c.bucket).width)
}

// cellReader goes over the cells of an endpoint that Parse has checked.
type cellReader struct {
	rest []byte
	cell
}

func (e *Endpoint) reader() cellReader { return cellReader{rest: e.cells} }

func (r *cellReader) next() bool {
	b := r.rest
	if len(b) >= 2 && b[0] < 0x80 && b[1] < 0x80 { // nearly all
		r.bucket += int(b[0])
		r.count, r.raw = int64(b[1]>>1), b[1]&1 != 0
		r.rest = b[2:]
		return true
	}
	step, n := binary.Uvarint(b)
	if n <= 0 {
		return false
	}
	count, m := binary.Uvarint(b[n:])
	if m <= 0 {
		return false
	}
	r.bucket += int(step)
	r.count, r.raw = int64(count>>1), count&1 != 0
	r.rest = b[n+m:]
	return true
}
