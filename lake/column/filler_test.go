package column

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// allKinds has a column of each kind, plain, nullable and as a list.
func allKinds() Schema {
	s := Schema{Name: "odd", CreatedBy: "signallake version 1(build )", Metadata: []KeyValue{{"a", "1"}, {"b", "two"}}}
	for _, k := range []Kind{Int64, Int32, Int16, Date, Timestamp, Double, Text} {
		name := fmt.Sprint("c", int(k))
		s.Columns = append(s.Columns, Column{Name: name, Kind: k}, Column{Name: name + "n", Kind: k, Nullable: true})
	}
	for _, k := range []Kind{Int16, Int32, Date, Double} {
		s.Columns = append(s.Columns, Column{Name: fmt.Sprint("l", int(k)), Kind: k, List: true})
	}
	s.Columns = append(s.Columns, Column{Name: "x", Kind: Text, NoBounds: true}, Column{Name: "xn", Kind: Text, Nullable: true, NoBounds: true})
	return s
}

// table is what was given, as a reader should see it: for each column and row its values, nil for NULL.
type table struct {
	columns [][]cell
}

type cell []parquet.Value

// filler makes random groups of odd values.
type filler struct {
	r    *rand.Rand
	w    *Writer
	t    *table
	huge bool // texts of more than a page
}

func (f *filler) group(rows int) {
	f.w.Group(rows)
	for i := range f.w.schema.Columns {
		c := &f.w.schema.Columns[i]
		if c.List {
			f.list(i, c, rows)
			continue
		}
		var present []uint8
		n := rows
		if c.Nullable && f.r.IntN(4) > 0 {
			odds := f.r.IntN(5) // 0: all NULL, 4: none
			n, present = 0, make([]uint8, rows)
			for k := range present {
				if f.r.IntN(4) < odds {
					present[k] = 1
					n++
				}
			}
		}
		f.plain(i, c, n, rows, present)
	}
}

func (f *filler) plain(i int, c *Column, n, rows int, present []uint8) {
	var values []parquet.Value
	switch c.Kind {
	case Int64, Timestamp:
		v := integers[int64](f.r, n)
		values = valuesOf(v, parquet.Int64Value)
		f.w.Int64s(v, present)
	case Int32, Int16, Date:
		v := integers[int32](f.r, n)
		values = valuesOf(v, parquet.Int32Value)
		f.w.Int32s(v, present)
	case Double:
		v := f.doubles(n)
		values = valuesOf(v, parquet.DoubleValue)
		f.w.Doubles(v, present)
	case Text:
		if f.r.IntN(3) == 0 {
			values = f.digits(n, present)
		} else {
			values = f.text(n, present)
		}
	}
	f.add(i, values, present, rows)
}

func (f *filler) add(i int, values []parquet.Value, present []uint8, rows int) {
	for row := range rows {
		if present != nil && present[row] == 0 {
			f.t.columns[i] = append(f.t.columns[i], nil)
			continue
		}
		f.t.columns[i] = append(f.t.columns[i], cell(values[:1]))
		values = values[1:]
	}
}

// text gives a column as a dictionary, as bytes, or as bytes in several calls.
func (f *filler) text(n int, present []uint8) []parquet.Value {
	var words []string
	for range 1 + f.r.IntN(40) {
		length := f.r.IntN(20)
		if f.huge && f.r.IntN(10) == 0 {
			length = f.r.IntN(PageBytes + 1000)
		}
		words = append(words, strings.Repeat(string(rune('a'+f.r.IntN(26))), length)+fmt.Sprint(len(words)))
	}
	var texts []string
	var numbers, lengths []int32
	var data []byte
	for range n {
		k := f.r.IntN(len(words))
		texts, numbers, lengths, data = append(texts, words[k]), append(numbers, int32(k)), append(lengths, int32(len(words[k]))), append(data, words[k]...)
	}
	if f.r.IntN(2) == 0 {
		used := map[int32]int32{}
		var dictionary []string
		for k, v := range numbers {
			if _, ok := used[v]; !ok {
				used[v] = int32(len(dictionary))
				dictionary = append(dictionary, words[v])
			}
			numbers[k] = used[v]
		}
		f.w.Numbers(dictionary, numbers, present)
	} else if rows := rowsOf(n, present); rows > 2 && f.r.IntN(2) == 0 {
		first := n / 2
		var rest []uint8
		if present != nil {
			cut := rows / 2
			first, rest, present = bytes.Count(present[:cut], []byte{1}), present[cut:], present[:cut]
		}
		size := 0
		for _, l := range lengths[:first] {
			size += int(l)
		}
		f.w.Texts(data[:size], lengths[:first], present)
		f.w.Texts(data[size:], lengths[first:], rest)
	} else {
		f.w.Texts(data, lengths, present)
	}
	return valuesOf(texts, func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) })
}

// digits gives a column of UUIDs or of hex digits.
func (f *filler) digits(n int, present []uint8) []parquet.Value {
	width := 4 * (1 + f.r.IntN(MostDigits/8))
	uuid := f.r.IntN(2) == 0
	if uuid {
		width = 16
	}
	packed := make([]byte, n*width)
	for i := range packed {
		packed[i] = byte(f.r.Uint32()) | byte(f.r.IntN(2)*255) // f is the odd digit of UUIDs' code
	}
	if uuid && f.r.IntN(3) > 0 { // of neighbours in time
		at, step := f.r.Uint64()>>16, f.r.Uint64()>>(24+f.r.IntN(40))
		for v := packed; len(v) > 0; v = v[width:] {
			at += step * f.r.Uint64N(3)
			binary.BigEndian.PutUint64(v, at<<16|uint64(f.r.Uint32()&0xffff))
		}
	}
	var texts []string
	for v := packed; len(v) > 0; v = v[width:] {
		text := hex.EncodeToString(v[:width])
		if uuid {
			text = text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
		}
		texts = append(texts, text)
	}
	if uuid {
		f.w.UUIDs(packed, present)
	} else {
		f.w.Hex(packed, width, present)
	}
	return valuesOf(texts, func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) })
}

func (f *filler) list(i int, c *Column, rows int) {
	lengths := make([]int32, rows)
	n := 0
	long := f.r.IntN(3) * f.r.IntN(30)
	for k := range lengths {
		lengths[k] = int32(f.r.IntN(long + 1))
		n += int(lengths[k])
	}
	var values []parquet.Value
	switch c.Kind {
	case Int16:
		v := integers[int16](f.r, n)
		values = valuesOf(v, func(v int16) parquet.Value { return parquet.Int32Value(int32(v)) })
		f.w.Int16Lists(v, lengths)
	case Double:
		v := f.doubles(n)
		values = valuesOf(v, parquet.DoubleValue)
		f.w.DoubleLists(v, lengths)
	default:
		v := integers[int32](f.r, n)
		values = valuesOf(v, parquet.Int32Value)
		f.w.Int32Lists(v, lengths)
	}
	for _, l := range lengths {
		f.t.columns[i] = append(f.t.columns[i], cell(values[:l]))
		values = values[l:]
	}
}

func integers[T int16 | int32 | int64](r *rand.Rand, n int) []T {
	out := make([]T, n)
	shift, step := r.IntN(64), T(r.IntN(1000))
	sorted := r.IntN(2) == 0
	for i := range out {
		out[i] = T(int64(r.Uint64()) >> shift)
		if sorted {
			out[i] = step * T(i)
		}
	}
	return out
}

func (f *filler) doubles(n int) []float64 {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(f.r.IntN(1_000_000)) / 1000
		if f.r.IntN(8) == 0 {
			out[i] = odd[f.r.IntN(len(odd))]
		}
	}
	return out
}

func valuesOf[T any](v []T, value func(T) parquet.Value) []parquet.Value {
	out := make([]parquet.Value, len(v))
	for i := range v {
		out[i] = value(v[i])
	}
	return out
}
