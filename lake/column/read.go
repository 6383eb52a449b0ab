package column

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// Page is the values of some rows of a column, by the kind of the column. Values stand without gaps: a row without one has none here. All of it but Text is
// good until the next call of the Reader.
type Page struct {
	Rows    int
	Present []uint8 // 1 for a row that has a value, 0 for NULL; nil: all have one

	Int64s []int64
	Int32s []int32
	Plain  []byte // doubles, eight bytes each, the lowest first

	// A text is Text[Ends[i]:Ends[i+1]], or that of the dictionary with the number that stands in Numbers.
	Text    []byte
	Ends    []uint32
	Numbers []int32 // nil: the page has no use for the dictionary
}

// Dictionary is the values that a chunk's pages give by their numbers.
type Dictionary struct {
	Text []byte
	Ends []uint32 // value i is Text[Ends[2*i]:Ends[2*i+1]]
}

// Memory answers n bytes that live as long as the texts that are read into them are used.
type Memory func(n int) ([]byte, error)

// Reader reads the chunks of a column, one after the other, of files that a Writer wrote. It keeps its buffers, and is for one goroutine. Every page is held
// against its checksum before it is looked into. Bytes with the right checksum that are no page of a Writer's may still make the decoders of the format panic:
// who reads what is not trusted recovers.
type Reader struct {
	column  *Column
	memory  Memory
	decoder *zstd.Decoder

	pages      []byte // what is left of the chunk
	rows       int    // left of the chunk
	page       Page
	dictionary Dictionary

	body, levels []byte
	int64s       []int64
	int32s       []int32
	ends         []uint32
}

// NewReader makes a reader of a column. A decoder may serve several readers of a goroutine; it must be of NewDecoder.
func NewReader(c *Column, decoder *zstd.Decoder, memory Memory) *Reader {
	return &Reader{column: c, decoder: decoder, memory: memory}
}

// NewDecoder is a decoder for readers. It is for one goroutine.
func NewDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.IgnoreChecksum(true))
}

// Open begins a chunk of so many rows, by its bytes as they stand in the file. They stay the caller's, and are not changed.
func (r *Reader) Open(chunk []byte, rows int) {
	r.pages, r.rows, r.dictionary.Text, r.dictionary.Ends = chunk, rows, nil, r.dictionary.Ends[:0]
}

// Next reads the next page, which is good until the call after it; nil when the chunk has no more.
func (r *Reader) Next() (*Page, error) {
	if r.rows == 0 {
		return nil, nil
	}
	if err := r.next(); err != nil {
		return nil, fmt.Errorf("column %s: %w", r.column.Name, err)
	}
	return &r.page, nil
}

// Dictionary is that of the chunk, known after the first page was read.
func (r *Reader) Dictionary() *Dictionary { return &r.dictionary }

func (r *Reader) next() error {
	for {
		h, n, err := parseHeader(r.pages)
		if err != nil {
			return err
		}
		r.pages = r.pages[n:]
		if h.stored > len(r.pages) {
			return fmt.Errorf("a page of %d bytes, where %d are left", h.stored, len(r.pages))
		}
		data := r.pages[:h.stored:h.stored]
		r.pages = r.pages[h.stored:]
		if sum := crc32.ChecksumIEEE(data); sum != h.sum {
			return fmt.Errorf("a page has the checksum %08x, its header says %08x: the file is damaged", sum, h.sum)
		}
		switch h.kind {
		case format.DictionaryPage:
			if err := r.readDictionary(&h, data); err != nil {
				return err
			}
		case format.DataPageV2:
			return r.readPage(&h, data)
		default:
			return fmt.Errorf("a page of kind %v", h.kind)
		}
	}
}

// uncompressed is the values of a page. Texts go where they can stay.
func (r *Reader) uncompressed(h *header, data []byte, texts bool) ([]byte, error) {
	size := h.size - h.levels
	const most = 1 << 30
	if size < 0 || size > most {
		return nil, fmt.Errorf("a page of %d bytes", size)
	}
	compressed := h.compressed
	if !compressed && !texts {
		if size != len(data) {
			return nil, fmt.Errorf("a page of %d bytes, its header says %d", len(data), size)
		}
		return data, nil
	}
	var to []byte
	if texts {
		var err error
		if to, err = r.memory(size); err != nil {
			return nil, err
		}
	} else {
		r.body = slices.Grow(r.body[:0], size)
		to = r.body[:size]
	}
	if !compressed {
		if size != len(data) {
			return nil, fmt.Errorf("a page of %d bytes, its header says %d", len(data), size)
		}
		copy(to, data)
		return to, nil
	}
	out, err := r.decoder.DecodeAll(data, to[:0:size])
	if err != nil {
		return nil, err
	}
	if len(out) != size {
		return nil, fmt.Errorf("a page of %d bytes, its header says %d", len(out), size)
	}
	return out, nil
}

func (r *Reader) readDictionary(h *header, data []byte) error {
	if r.column.Kind != Text || h.encoding != format.Plain || h.levels != 0 {
		return errors.New("a dictionary that no writer of ours makes")
	}
	text, err := r.uncompressed(h, data, true)
	if err != nil {
		return err
	}
	d := Dictionary{Text: text, Ends: slices.Grow(r.dictionary.Ends[:0], min(2*h.values, len(text)/2))}
	for at := 0; at < len(text); {
		if len(text)-at < 4 {
			return errors.New("a dictionary that ends within a value")
		}
		n := int(binary.LittleEndian.Uint32(text[at:]))
		at += 4
		if n > len(text)-at {
			return errors.New("a dictionary that ends within a value")
		}
		d.Ends = append(d.Ends, uint32(at), uint32(at+n))
		at += n
	}
	if len(d.Ends) != 2*h.values {
		return fmt.Errorf("a dictionary of %d values, its header says %d", len(d.Ends)/2, h.values)
	}
	r.dictionary = d
	return nil
}

func (r *Reader) readPage(h *header, data []byte) error {
	n := h.values - h.nulls
	switch {
	case h.rows != h.values || h.rows < 1 || h.rows > r.rows || h.repeats != 0 || h.levels > len(data):
		return fmt.Errorf("a page of %d rows and %d values, where %d rows are left", h.rows, h.values, r.rows)
	case h.nulls > 0 && !r.column.Nullable:
		return errors.New("NULL in a column that has none")
	case !r.column.Kind.encodedAs(h.encoding):
		return fmt.Errorf("a page with the encoding %v", h.encoding)
	}
	r.rows -= h.rows
	r.page = Page{Rows: h.rows}
	if h.nulls > 0 {
		levels, err := (&rle.Encoding{BitWidth: 1}).DecodeLevels(r.levels[:0], data[:h.levels])
		if r.levels = levels; err != nil {
			return err
		}
		if len(levels) < h.rows || bytes.Count(levels[:h.rows], []byte{1}) != n || bytes.Count(levels[:h.rows], []byte{0}) != h.nulls {
			return fmt.Errorf("a page of %d values and %d NULLs that has others", n, h.nulls)
		}
		r.page.Present = levels[:h.rows]
	}
	if n == 0 {
		return nil
	}
	body, err := r.uncompressed(h, data[h.levels:], h.encoding == format.DeltaLengthByteArray)
	if err != nil {
		return err
	}
	got, err := r.decode(h.encoding, body, n)
	if err == nil && got != n {
		err = fmt.Errorf("a page of %d values, its header says %d", got, n)
	}
	return err
}

// decode reads at most so many values, and answers how many there are.
func (r *Reader) decode(e format.Encoding, body []byte, most int) (n int, err error) {
	p := &r.page
	switch {
	case e == format.Plain:
		p.Plain = body
		return len(body) / 8, nil
	case e == format.RLEDictionary:
		r.int32s, err = new(rle.DictionaryEncoding).DecodeInt32(r.int32s, body)
		p.Numbers = r.int32s[:min(most, len(r.int32s))] // they come in eights
		return len(p.Numbers), err
	case e == format.DeltaLengthByteArray:
		p.Text, r.ends, err = new(delta.LengthByteArrayEncoding).DecodeByteArray(body[:0], body, r.ends)
		p.Ends = r.ends
		return len(p.Ends) - 1, err
	case r.column.Kind == Int64 || r.column.Kind == Timestamp:
		r.int64s, err = new(delta.BinaryPackedEncoding).DecodeInt64(r.int64s, body)
		p.Int64s = r.int64s
		return len(p.Int64s), err
	}
	r.int32s, err = new(delta.BinaryPackedEncoding).DecodeInt32(r.int32s, body)
	p.Int32s = r.int32s
	return len(p.Int32s), err
}
