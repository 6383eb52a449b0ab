package column

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
)

// bounds are a smallest and a largest value as statistics have them: PLAIN, text without its length. nil: there is none.
type bounds struct{ min, max []byte }

// merge widens b by others of the same kind.
func (b *bounds) merge(k Kind, o bounds) {
	if o.min == nil {
		return
	}
	if b.min == nil || k.compare(o.min, b.min) < 0 {
		b.min = o.min
	}
	if b.max == nil || k.compare(o.max, b.max) > 0 {
		b.max = o.max
	}
}

// compare orders two values as the format does.
func (k Kind) compare(a, b []byte) int {
	switch k {
	case Text:
		return bytes.Compare(a, b)
	case Double:
		return cmp.Compare(math.Float64frombits(binary.LittleEndian.Uint64(a)), math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case Int32, Int16, Date:
		return cmp.Compare(int32(binary.LittleEndian.Uint32(a)), int32(binary.LittleEndian.Uint32(b)))
	}
	return cmp.Compare(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
}

// int64Bounds are those of at least one value.
func (w *Writer) int64Bounds(values []int64) bounds {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return bounds{w.keep8(uint64(low)), w.keep8(uint64(high))}
}

func (w *Writer) int32Bounds(values []int32) bounds {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	n := len(w.bounds)
	w.bounds = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(w.bounds, uint32(low)), uint32(high))
	return bounds{w.bounds[n : n+4 : n+4], w.bounds[n+4 : n+8 : n+8]}
}

// doubleBounds leaves NaN aside; without anything else there are none. A zero's sign is unknown to many writers, so that the format wants the
// bounds to hold both.
func (w *Writer) doubleBounds(values []float64) bounds {
	low, high := math.Inf(1), math.Inf(-1)
	some := false
	for _, v := range values {
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
		some = some || v == v
	}
	if !some {
		return bounds{}
	}
	if low == 0 {
		low = math.Copysign(0, -1)
	}
	if high == 0 {
		high = 0
	}
	return bounds{w.keep8(math.Float64bits(low)), w.keep8(math.Float64bits(high))}
}

// textBounds are those of at least one value, which follow each other in data.
func (w *Writer) textBounds(data []byte, lengths []int32) bounds {
	low := data[:lengths[0]]
	high := low
	rest := data[lengths[0]:]
	for _, n := range lengths[1:] {
		v := rest[:n]
		rest = rest[n:]
		if bytes.Compare(v, low) < 0 {
			low = v
		} else if bytes.Compare(v, high) > 0 {
			high = v
		}
	}
	return bounds{keep(w, low), keep(w, high)}
}

// keep copies a bound to where the footer finds it. Its result is never nil.
func keep[T string | []byte](w *Writer, v T) []byte {
	n := len(w.bounds)
	w.bounds = append(w.bounds, v...)
	if len(v) == 0 {
		return []byte{}
	}
	return w.bounds[n:len(w.bounds):len(w.bounds)]
}

func (w *Writer) keep8(v uint64) []byte {
	n := len(w.bounds)
	w.bounds = binary.LittleEndian.AppendUint64(w.bounds, v)
	return w.bounds[n : n+8 : n+8]
}
