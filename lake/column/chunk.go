package column

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// chunk is the column of the group at hand whose turn it is.
type chunk struct {
	*Column
	meta   *format.ColumnMetaData
	index  *chunkIndex
	nulls  int64
	bounds bounds
}

// page is a data page on its way into the file.
type page struct {
	rows    int
	values  int // one a row, or of a list one an element and one an empty row
	nulls   int // of them: NULLs, empty rows
	repeats []byte
	levels  []byte // definition levels; both encoded
	body    []byte // the values, encoded
	dense   bool   // body does not shrink, so that it is no use to try
	frame   []byte // body as a zstd frame, if it came as one; body is nil then, and has size bytes
	size    int
	bounds  bounds
}

// next is the chunk whose turn it is, which takes so many rows; nil when it does not, or the file has failed.
func (w *Writer) next(rows int, list bool, kinds ...Kind) *chunk {
	if w.err == nil && len(w.open) == 0 {
		w.fail("values before a group is begun")
	}
	if w.err != nil {
		return nil
	}
	c := &w.schema.Columns[w.at]
	switch {
	case !slices.Contains(kinds, c.Kind) || list != c.List:
		w.fail("column %s is given values of another type", c.Name)
		return nil
	case rows < 1 || w.given+rows > int(w.group().NumRows):
		w.fail("column %s is given %d rows after %d, the group has %d", c.Name, rows, w.given, w.group().NumRows)
		return nil
	case w.given == 0:
		w.begin(c)
	}
	return &w.chunk
}

// begin begins the chunk of the column at w.at.
func (w *Writer) begin(c *Column) {
	group := w.group()
	group.Columns = grow(group.Columns)
	chunk := &group.Columns[w.at]
	encodings, stats := chunk.MetaData.Encoding[:0], chunk.MetaData.EncodingStats[:0]
	*chunk = format.ColumnChunk{MetaData: format.ColumnMetaData{
		Type: c.Kind.physical(), Encoding: encodings, PathInSchema: w.paths[w.at], Codec: format.Zstd, EncodingStats: stats,
	}}
	w.indexes = grow(w.indexes)
	index := &w.indexes[len(w.indexes)-1]
	index.reset(w.open[w.turn], w.at)
	w.chunk.Column, w.chunk.meta, w.chunk.index = c, &chunk.MetaData, index
	w.chunk.nulls, w.chunk.bounds = 0, bounds{}
}

// end counts rows, and ends the chunk when it has all.
func (w *Writer) end(rows int) {
	group := w.group()
	if w.given += rows; w.given < int(group.NumRows) {
		return
	}
	c := &w.chunk
	c.meta.Statistics = format.Statistics{NullCount: c.nulls, MinValue: c.bounds.min, MaxValue: c.bounds.max}
	group.TotalByteSize += c.meta.TotalUncompressedSize
	group.TotalCompressedSize += c.meta.TotalCompressedSize
	w.given = 0
	if w.turn++; w.turn == len(w.open) {
		w.turn = 0
		w.at++
	}
	if w.at == len(w.schema.Columns) {
		w.at, w.open = 0, w.open[:0]
	}
}

// dictionaryPage writes the chunk's first page.
func (w *Writer) dictionaryPage(c *chunk, body []byte, values int) {
	c.meta.DictionaryPageOffset = w.offset()
	c.meta.Encoding = append(c.meta.Encoding, format.Plain)
	frame := w.compress(body)
	w.pageHeader = format.PageHeader{
		Type: format.DictionaryPage, UncompressedPageSize: int32(len(body)), CompressedPageSize: int32(len(frame)), CRC: crc(frame),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(values), Encoding: format.Plain}),
	}
	w.put(c, format.DictionaryPage, format.Plain, len(body), frame)
}

// dataPage writes a page of values.
func (w *Writer) dataPage(c *chunk, encoding format.Encoding, p *page) {
	data, compressed := p.frame, true
	switch {
	case data != nil:
	case p.dense || len(p.body) <= smallPage:
		data, compressed, p.size = p.body, false, len(p.body)
	default:
		data, p.size = w.compress(p.body), len(p.body)
		if len(data) >= len(p.body) {
			data, compressed = p.body, false
		}
	}
	levels := len(p.repeats) + len(p.levels)
	at := w.offset()
	if c.meta.NumValues == 0 {
		c.meta.DataPageOffset = at
		c.meta.Encoding = append(c.meta.Encoding, encoding)
		if c.Nullable || c.List {
			c.meta.Encoding = append(c.meta.Encoding, format.RLE)
		}
	}
	w.pageHeader = format.PageHeader{
		Type: format.DataPageV2, UncompressedPageSize: int32(levels + p.size), CompressedPageSize: int32(levels + len(data)),
		CRC: crc(p.repeats, p.levels, data),
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues: int32(p.values), NumNulls: int32(p.nulls), NumRows: int32(p.rows), Encoding: encoding,
			DefinitionLevelsByteLength: int32(len(p.levels)), RepetitionLevelsByteLength: int32(len(p.repeats)), IsCompressed: thrift.New(compressed),
		}),
	}
	w.put(c, format.DataPageV2, encoding, levels+p.size, p.repeats, p.levels, data)
	c.index.add(p, at, w.offset(), int64(w.given))
	c.meta.NumValues += int64(p.values)
	c.nulls += int64(p.nulls)
	c.bounds.merge(c.Kind, p.bounds)
	w.end(p.rows)
}

// put writes a page's header and bytes and counts them.
func (w *Writer) put(c *chunk, t format.PageType, encoding format.Encoding, size int, parts ...[]byte) {
	header := w.encode(&w.pageHeader)
	from := len(w.out)
	w.out = append(w.out, header...)
	for _, part := range parts {
		w.out = append(w.out, part...)
	}
	c.meta.TotalUncompressedSize += int64(len(header) + size)
	c.meta.TotalCompressedSize += int64(len(w.out) - from)
	if n := len(c.meta.EncodingStats); n > 0 && c.meta.EncodingStats[n-1].PageType == t {
		c.meta.EncodingStats[n-1].Count++
	} else {
		c.meta.EncodingStats = append(c.meta.EncodingStats, format.PageEncodingStats{PageType: t, Encoding: encoding, Count: 1})
	}
	w.flush(flushBytes)
}

// levels are a nullable column's definition levels, encoded: present says of each row whether it has a value, nil that all have.
func (w *Writer) levels(c *chunk, rows int, present []uint8) (encoded []byte, nulls int) {
	if !c.Nullable {
		return nil, 0
	}
	if present != nil {
		nulls = rows - bytes.Count(present, []byte{1})
	}
	if nulls == 0 { // one run
		w.scratch.levels = append(binary.AppendUvarint(w.scratch.levels[:0], uint64(rows)<<1), 1)
		return w.scratch.levels, 0
	}
	var err error
	w.scratch.levels, err = (&rle.Encoding{BitWidth: 1}).EncodeLevels(w.scratch.levels, present)
	w.check(err)
	return w.scratch.levels, nulls
}

// agree checks that a call's values are as many as its rows have.
func (w *Writer) agree(c *chunk, rows int, present []uint8, values int) bool {
	want := rows
	switch {
	case present != nil && !c.Nullable:
		w.fail("column %s is required and is given levels", c.Name)
	case present != nil:
		want = bytes.Count(present, []byte{1})
	}
	if w.err == nil && want != values {
		w.fail("column %s is given %d values for %d", c.Name, values, want)
	}
	return w.err == nil
}
