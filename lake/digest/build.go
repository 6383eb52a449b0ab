package digest

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake/rollup"
)

const microsPerHour = 3600 * 1_000_000

// Builder gathers the events of one file, then of the next. It keeps its scratch, 32 bytes for each latency of the largest file, and is for one
// goroutine.
type Builder struct {
	events    int64
	endpoints []int64 // events by number
	regions   []int64
	hours     [24]int64
	entries   []entry
	inexact   int64 // latencies that are no whole microseconds
	fine      int64 // of those, whole nanoseconds

	sorted []entry
	starts []int
	cells  [][]byte // by endpoint
	values bitWriter
}

// entry is one latency. key is the number of its endpoint, and then what it is sorted by: the bucket, and below it placeBits for the endpoint's place.
type entry struct {
	ms     float64
	key    uint32
	bucket uint16
}

const placeBits = 11 // for maxNames

// Reset begins a file.
func (b *Builder) Reset() {
	b.events, b.hours, b.inexact, b.fine = 0, [24]int64{}, 0, 0
	b.endpoints, b.regions, b.entries = b.endpoints[:0], b.regions[:0], b.entries[:0]
}

// Columns are some events, side by side: the slices have the same length.
type Columns struct {
	Timestamps []int64   // microseconds since 1970
	Latencies  []float64 // milliseconds, not negative; NaN is none
	Endpoints  []uint32  // numbers of names, which are small: there is a counter for each up to the largest
	Regions    []uint32
}

// Add takes events.
func (b *Builder) Add(c Columns) {
	b.events += int64(len(c.Timestamps))
	b.countHours(c.Timestamps)
	b.endpoints = countNumbers(b.endpoints, c.Endpoints)
	b.regions = countNumbers(b.regions, c.Regions)
	b.entries = slices.Grow(b.entries, len(c.Latencies))
	for i, ms := range c.Latencies {
		if ms != ms {
			continue
		}
		b.entries = append(b.entries, entry{ms: ms, key: c.Endpoints[i], bucket: uint16(rollup.BucketOf(ms))})
		if _, ok := microseconds.number(ms); !ok {
			b.inexact++
			if _, ok := nanoseconds.number(ms); ok {
				b.fine++
			}
		}
	}
}

// countHours counts events by the hour of their day. Nearly all are of the day of the first one.
func (b *Builder) countHours(timestamps []int64) {
	if len(timestamps) == 0 {
		return
	}
	day := floor(timestamps[0], 24*microsPerHour) * (24 * microsPerHour)
	for _, ts := range timestamps {
		if since := uint64(ts) - uint64(day); since < 24*microsPerHour {
			b.hours[since/microsPerHour]++
		} else {
			b.hours[(floor(ts, microsPerHour)%24+24)%24]++
		}
	}
}

// floor is a/b rounded down, b being positive.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func countNumbers(counts []int64, numbers []uint32) []int64 {
	for _, n := range numbers {
		if int(n) >= len(counts) {
			counts = append(counts, make([]int64, int(n)+1-len(counts))...)
		}
		counts[n]++
	}
	return counts
}

// number is ms in whole units; false when that would lose a bit of it.
func (u unit) number(ms float64) (int64, bool) {
	const most = 1 << 53 // above, neighbouring numbers are not told apart
	factor := 1000.0
	if u == nanoseconds {
		factor = 1_000_000
	}
	n := ms*factor + 0.5
	if !(n < most) {
		return 0, false
	}
	whole := int64(n)
	return whole, math.Float64bits(u.value(whole)) == math.Float64bits(ms)
}

// Append appends the digest of the events since Reset and ends them. endpoint and region name the numbers; two numbers may have the same name.
func (b *Builder) Append(dst []byte, endpoint, region func(number int) string) []byte {
	var flags byte
	endpoints, places := nameCounts(b.endpoints, endpoint)
	if tooMany(endpoints, b.events) {
		flags |= flagEndpointsDropped
		endpoints = []Count{{Events: b.events}}
		clear(places)
	}
	regions, _ := nameCounts(b.regions, region)
	if tooMany(regions, b.events) {
		flags |= flagRegionsDropped
		regions = nil
	}
	b.sort(places, len(endpoints))
	u := microseconds
	if b.fine > int64(len(b.entries))/16 {
		u = nanoseconds
	}
	b.pack(u, len(endpoints))
	dst = append(dst, b.values.bytes...)
	start := len(dst)
	dst = binary.AppendUvarint(dst, uint64(b.events))
	dst = append(dst, byte(u), flags)
	dst = binary.AppendUvarint(dst, uint64(len(endpoints)))
	for i, e := range endpoints {
		dst = appendCount(dst, e)
		dst = binary.AppendUvarint(dst, uint64(len(b.cells[i])))
	}
	dst = binary.AppendUvarint(dst, uint64(len(regions)))
	for _, r := range regions {
		dst = appendCount(dst, r)
	}
	for _, n := range b.hours {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	for block := range slices.Chunk(b.values.bytes, BlockBytes) {
		dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(block, castagnoli))
	}
	for _, c := range b.cells[:len(endpoints)] {
		dst = append(dst, c...)
	}
	return appendTrailer(dst, dst[start:], int64(len(b.values.bytes)))
}

// tooMany tells whether names would take more than about a byte an event.
func tooMany(names []Count, events int64) bool {
	var text int64
	for i := range names {
		text += int64(len(names[i].Name))
	}
	return len(names) > maxNames || text > maxNameBytes+events
}

func appendCount(dst []byte, c Count) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.Name)))
	dst = append(dst, c.Name...)
	return binary.AppendUvarint(dst, uint64(c.Events))
}

// nameCounts makes counts by number counts by name, ascending, and says where each number went.
func nameCounts(counts []int64, name func(number int) string) ([]Count, []int32) {
	var out []Count
	for number, events := range counts {
		if events > 0 {
			out = append(out, Count{name(number), events})
		}
	}
	slices.SortFunc(out, func(x, y Count) int { return strings.Compare(x.Name, y.Name) })
	merged := out[:0]
	for _, c := range out {
		if n := len(merged); n > 0 && merged[n-1].Name == c.Name {
			merged[n-1].Events += c.Events
			continue
		}
		merged = append(merged, c)
	}
	places := make([]int32, len(counts))
	for number, events := range counts {
		if events > 0 {
			place, _ := slices.BinarySearchFunc(merged, name(number), func(c Count, name string) int { return strings.Compare(c.Name, name) })
			places[number] = int32(place)
		}
	}
	return merged, places
}

// sort orders the entries by bucket and endpoint, with a counting sort for each.
func (b *Builder) sort(places []int32, endpoints int) {
	b.sorted = slices.Grow(b.sorted[:0], len(b.entries))[:len(b.entries)]
	for i := range b.entries {
		e := &b.entries[i]
		e.key = uint32(e.bucket)<<placeBits | uint32(places[e.key])
	}
	if endpoints > 1 {
		b.scatter(0, endpoints, 1<<placeBits-1)
	}
	b.scatter(placeBits, rollup.MaxBucket+1, math.MaxUint32)
}

// scatter is a stable counting sort of the entries by the bits of their keys from shift on under a mask, which are below keys.
func (b *Builder) scatter(shift, keys int, mask uint32) {
	b.starts = slices.Grow(b.starts[:0], keys)[:keys]
	starts, entries, sorted := b.starts, b.entries, b.sorted
	clear(starts)
	for i := range entries {
		starts[entries[i].key>>shift&mask]++
	}
	sum := 0
	for i, n := range starts {
		starts[i] = sum
		sum += n
	}
	for i := range entries {
		k := entries[i].key >> shift & mask
		sorted[starts[k]] = entries[i]
		starts[k]++
	}
	b.entries, b.sorted = sorted, entries
}

// pack writes the values of the ordered entries, and the cells of each endpoint.
func (b *Builder) pack(u unit, endpoints int) {
	for len(b.cells) < endpoints {
		b.cells = append(b.cells, nil)
	}
	for i := range b.cells {
		b.cells[i] = b.cells[i][:0]
	}
	last := make([]uint16, endpoints)
	b.values.reset()
	for rest := b.entries; len(rest) > 0; {
		key, bucket, endpoint := rest[0].key, rest[0].bucket, rest[0].key&(1<<placeBits-1)
		n := 1
		for n < len(rest) && rest[n].key == key {
			n++
		}
		count := uint64(n) << 1
		if !b.packCell(u, rest[:n]) {
			count |= 1
			for i := range rest[:n] {
				b.values.write(math.Float64bits(rest[i].ms), 64)
			}
		}
		c := binary.AppendUvarint(b.cells[endpoint], uint64(bucket-last[endpoint]))
		b.cells[endpoint] = binary.AppendUvarint(c, count)
		last[endpoint] = bucket
		rest = rest[n:]
	}
	b.values.flush()
}

// packCell writes the values of one cell as numbers of the unit; it writes nothing and answers false when one of them cannot be.
func (b *Builder) packCell(u unit, cell []entry) bool {
	p := u.packing(int(cell[0].bucket))
	if !p.ok {
		return false
	}
	if u != microseconds || b.inexact > 0 { // else all of them can
		for i := range cell {
			n, ok := u.number(cell[i].ms)
			if n -= p.base; !ok || n < 0 || n >= 1<<p.width {
				return false
			}
		}
	}
	if p.width > 0 {
		for i := range cell {
			n, _ := u.number(cell[i].ms)
			b.values.write(uint64(n-p.base), p.width)
		}
	}
	return true
}

// bitWriter writes numbers of any width, least bits first.
type bitWriter struct {
	bytes []byte
	acc   uint64
	used  int // bits of acc
}

func (w *bitWriter) reset() { w.bytes, w.acc, w.used = w.bytes[:0], 0, 0 }

func (w *bitWriter) write(v uint64, width int) {
	w.acc |= v << w.used
	if w.used += width; w.used < 64 {
		return
	}
	w.bytes = binary.LittleEndian.AppendUint64(w.bytes, w.acc)
	w.used -= 64
	w.acc = v >> (width - w.used)
}

// flush writes the rest, filled up to whole bytes.
func (w *bitWriter) flush() {
	for ; w.used > 0; w.used -= 8 {
		w.bytes = append(w.bytes, byte(w.acc))
		w.acc >>= 8
	}
	w.acc, w.used = 0, 0
}
