package duck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/klauspost/compress/zstd"

	"github.com/signallake/signallake/lake"
	stored "github.com/signallake/signallake/lake/column"
)

// inFile says which column of a file a column of events is; -1: it stands in the path.
var inFile = func() (of [hotColumns]int) {
	n := 0
	for i, c := range lake.Columns() {
		of[i] = n
		if c.Partition {
			of[i] = -1
		} else {
			n++
		}
	}
	return of
}()

// fileReader decodes row groups, one after the other, for one thread of a statement.
type fileReader struct {
	decoder *zstd.Decoder
	texts   arena
	columns [hotColumns]fileColumn

	path    string // of the file at hand
	key     lake.Partition
	service hotText // of the key
	left    int     // rows of the group at hand
}

// fileColumn is where a column of the group at hand stands.
type fileColumn struct {
	reader *stored.Reader
	page   *stored.Page
	row    int // of the page: what is before has been read
	value  int // of the page
	words  []hotText
	known  bool // words is the chunk's dictionary
}

func newFileReader(o *ownFiles) (*fileReader, error) {
	decoder, err := stored.NewDecoder()
	if err != nil {
		return nil, err
	}
	r := &fileReader{decoder: decoder, texts: arena{slabs: &o.slabs}}
	schema := o.footers.Schema()
	for i, at := range inFile {
		if at >= 0 {
			r.columns[i].reader = stored.NewReader(&schema.Columns[at], decoder, r.texts.take)
		}
	}
	return r, nil
}

// open begins a row group: the chunks of the projected columns are read.
func (r *fileReader) open(l *fileList, g fileGroup, projection []int) error {
	f := l.files[g.file]
	group := &l.footers[g.file].Groups[g.group]
	r.path, r.key = l.set.layout.Path(f), f.Partition
	r.left = group.Rows
	if wants(projection, hotService) {
		var err error
		if r.service, err = r.keep(f.Partition.Service); err != nil {
			return err
		}
	}
	source := l.set.chunksOf(f, r.path)
	for i, at := range inFile {
		if at < 0 || !wants(projection, i) {
			continue
		}
		chunk, err := source.read(group.Chunks[at])
		if err != nil {
			return errors.Join(fmt.Errorf("read %s: column %s: %w", r.path, lake.Columns()[i].Name, err), source.close())
		}
		c := &r.columns[i]
		c.page, c.known = nil, false
		c.reader.Open(chunk, group.Rows)
	}
	return source.close()
}

// keep is a text as a value of DuckDB.
func (r *fileReader) keep(s string) (hotText, error) {
	if len(s) <= inlineText {
		return inlined(s), nil
	}
	to, err := r.texts.take(len(s))
	if err != nil {
		return hotText{}, err
	}
	copy(to, s)
	return textAt(to), nil
}

// textAt is a text as a value of DuckDB: what does not fit in it has to stay where it is.
func textAt(b []byte) hotText {
	if len(b) <= inlineText {
		return inlined(unsafe.String(unsafe.SliceData(b), len(b)))
	}
	return hotText{uint64(len(b)) | uint64(binary.LittleEndian.Uint32(b))<<32, uint64(uintptr(unsafe.Pointer(&b[0])))}
}

// fill writes the next rows of a column into a vector.
func (r *fileReader) fill(column int, data unsafe.Pointer, valid *[maskWords]uint64, rows int) error {
	switch column {
	case hotDate:
		fillWith((*[blockRows]int32)(data)[:rows], int32(r.key.Date))
		return nil
	case hotStatus:
		fillWith((*[blockRows]int32)(data)[:rows], r.key.Status)
		return nil
	case hotService:
		fillWith((*[blockRows]hotText)(data)[:rows], r.service)
		return nil
	}
	c := &r.columns[column]
	for at := 0; at < rows; {
		if c.page == nil || c.row == c.page.Rows {
			page, err := c.reader.Next()
			if err != nil {
				return err
			}
			if page == nil {
				return errors.New("it ends before its rows do")
			}
			c.page, c.row, c.value = page, 0, 0
		}
		n := min(rows-at, c.page.Rows-c.row)
		if hotWidths[column] == textBytes {
			c.texts((*[blockRows]hotText)(data)[at:at+n], valid, at)
		} else {
			c.numbers((*[blockRows]uint64)(data)[at:at+n], valid, at)
		}
		c.row += n
		at += n
	}
	return nil
}

func fillWith[T any](to []T, v T) {
	for i := range to {
		to[i] = v
	}
}

// numbers writes values of eight bytes, the first of them as row at of the vector.
func (c *fileColumn) numbers(to []uint64, valid *[maskWords]uint64, at int) {
	p := c.page
	present := p.Present
	if present == nil {
		if p.Int64s != nil {
			copy(to, unsafe.Slice((*uint64)(unsafe.Pointer(&p.Int64s[c.value])), len(to)))
		} else {
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), 8*len(to)), p.Plain[8*c.value:8*(c.value+len(to))])
		}
		c.value += len(to)
		return
	}
	for i := range to {
		if present[c.row+i] == 0 {
			valid[(at+i)/64] &^= 1 << ((at + i) % 64)
			continue
		}
		if p.Int64s != nil {
			to[i] = uint64(p.Int64s[c.value])
		} else {
			to[i] = binary.LittleEndian.Uint64(p.Plain[8*c.value:])
		}
		c.value++
	}
}

// texts writes texts, the first of them as row at of the vector.
func (c *fileColumn) texts(to []hotText, valid *[maskWords]uint64, at int) {
	p := c.page
	if p.Numbers != nil && !c.known {
		c.readWords()
	}
	for i := range to {
		if p.Present != nil && p.Present[c.row+i] == 0 {
			to[i] = hotText{}
			valid[(at+i)/64] &^= 1 << ((at + i) % 64)
			continue
		}
		if p.Numbers != nil {
			to[i] = c.words[p.Numbers[c.value]]
		} else {
			to[i] = textAt(p.Text[p.Ends[c.value]:p.Ends[c.value+1]])
		}
		c.value++
	}
}

// readWords makes values of the chunk's dictionary.
func (c *fileColumn) readWords() {
	d := c.reader.Dictionary()
	c.words, c.known = c.words[:0], true
	for ends := d.Ends; len(ends) > 0; ends = ends[2:] {
		c.words = append(c.words, textAt(d.Text[ends[0]:ends[1]]))
	}
}

// rest gives back what the statement's texts lay in.
func (r *fileReader) rest() error {
	r.left = 0
	for i := range r.columns {
		r.columns[i].page, r.columns[i].known = nil, false
	}
	return r.texts.release()
}
