package column

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// footerOf parses the footer of a file.
func footerOf(s *Schema, file []byte, sum Summary) (*Footer, error) {
	return ParseFooter(file[sum.Bytes-sum.FooterBytes+4:sum.Bytes-8], s, sum.Bytes)
}

// checkReader reads every column with Readers, one for each column through all groups.
func checkReader(t *testing.T, s *Schema, file []byte, sum Summary, want *table) {
	t.Helper()
	footer, err := footerOf(s, file, sum)
	if err != nil {
		t.Fatal(err)
	}
	if footer.Rows != sum.Rows {
		t.Fatalf("a footer of %d rows, want %d", footer.Rows, sum.Rows)
	}
	for i := range s.Columns {
		if s.Columns[i].List {
			continue
		}
		r := readerOf(t, &s.Columns[i])
		at := 0
		for g := range footer.Groups {
			group := &footer.Groups[g]
			rows := want.columns[i][at : at+group.Rows]
			if err := readAs(r, file, group, i, rows); err != nil {
				t.Fatalf("group %d, column %s: %v", g, s.Columns[i].Name, err)
			}
			at += group.Rows
		}
	}
}

func readerOf(t *testing.T, c *Column) *Reader {
	t.Helper()
	decoder, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(decoder.Close)
	return NewReader(c, decoder, func(n int) ([]byte, error) { return make([]byte, n), nil })
}

// readAs reads a chunk and holds it to rows.
func readAs(r *Reader, file []byte, group *Group, column int, rows []cell) error {
	c := group.Chunks[column]
	r.Open(file[c.Offset:c.Offset+c.Bytes], group.Rows)
	for {
		page, err := r.Next()
		if err != nil {
			return err
		}
		if page == nil {
			break
		}
		if page.Rows > len(rows) {
			return fmt.Errorf("%d rows too many", page.Rows-len(rows))
		}
		value := 0
		for i, w := range rows[:page.Rows] {
			if page.Present != nil && page.Present[i] == 0 {
				if len(w) > 0 {
					return fmt.Errorf("row %d is NULL, want %v", i, w)
				}
				continue
			}
			if len(w) == 0 || !bytes.Equal(valueOf(r, page, value).Bytes(), w[0].Bytes()) {
				return fmt.Errorf("row %d of the page is %v, want %v", i, valueOf(r, page, value), w)
			}
			value++
		}
		rows = rows[page.Rows:]
	}
	if len(rows) > 0 {
		return fmt.Errorf("%d rows are missing", len(rows))
	}
	return nil
}

// valueOf is a value of a page as parquet-go has it.
func valueOf(r *Reader, p *Page, i int) parquet.Value {
	switch {
	case p.Int64s != nil:
		return parquet.Int64Value(p.Int64s[i])
	case p.Int32s != nil:
		return parquet.Int32Value(p.Int32s[i])
	case p.Plain != nil:
		return parquet.Int64Value(int64(binary.LittleEndian.Uint64(p.Plain[8*i:])))
	case p.Numbers != nil:
		d := r.Dictionary()
		return parquet.ByteArrayValue(d.Text[d.Ends[2*p.Numbers[i]]:d.Ends[2*p.Numbers[i]+1]])
	}
	return parquet.ByteArrayValue(p.Text[p.Ends[i]:p.Ends[i+1]])
}

// TestReaderNoticesDamage turns a bit of every byte of small chunks in turn: a page has a checksum, and what its header says has to fit. No value that was not written may
// come out. Only a bit that no reader needs, as that of a page's size when it is not compressed twice over, may pass, and then the values are right.
func TestReaderNoticesDamage(t *testing.T) {
	s := allKinds()
	w := NewWriter(s)
	f := filler{r: rand.New(rand.NewPCG(5, 1)), w: w, t: &table{columns: make([][]cell, len(s.Columns))}}
	var out bytes.Buffer
	w.Reset(&out)
	f.group(40)
	sum, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	file := out.Bytes()
	footer, err := footerOf(&s, file, sum)
	if err != nil {
		t.Fatal(err)
	}
	noticed, all := 0, 0
	for i := range s.Columns {
		if s.Columns[i].List {
			continue
		}
		r := readerOf(t, &s.Columns[i])
		c := footer.Groups[0].Chunks[i]
		for at := c.Offset; at < c.Offset+c.Bytes; at++ {
			bit := byte(1) << f.r.IntN(8)
			file[at] ^= bit
			_, err := readSafely(r, file, &footer.Groups[0], i, f.t.columns[i])
			file[at] ^= bit
			all++
			var wrong wrongValues
			if errors.As(err, &wrong) {
				t.Errorf("column %s, byte %d, bit %b: %v", s.Columns[i].Name, at-c.Offset, bit, err)
			} else if err != nil {
				noticed++
			}
		}
	}
	if noticed < all*9/10 {
		t.Errorf("%d of %d bits were noticed", noticed, all)
	}
}

// wrongValues is that a reader gave what was not written.
type wrongValues struct{ error }

// readSafely is readAs with a panic of a decoder as an error, as those who call a Reader have it.
func readSafely(r *Reader, file []byte, group *Group, column int, rows []cell) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	c := group.Chunks[column]
	r.Open(file[c.Offset:c.Offset+c.Bytes], group.Rows)
	for {
		page, err := r.Next()
		if err != nil || page == nil {
			return n, err
		}
		value := 0
		for i := range page.Rows {
			present := page.Present == nil || page.Present[i] == 1
			if n+i >= len(rows) || present != (len(rows[n+i]) > 0) || present && !bytes.Equal(valueOf(r, page, value).Bytes(), rows[n+i][0].Bytes()) {
				return n, wrongValues{fmt.Errorf("row %d is not what was written", n+i)}
			}
			if present {
				value++
			}
		}
		n += page.Rows
	}
}

// TestForeignFilesAreTold: what another writer made has to be read by another reader, and what is no footer at all is an error of its own.
func TestForeignFilesAreTold(t *testing.T) {
	ours := Schema{Name: "events", CreatedBy: "signallake version 1(build )", Columns: []Column{{Name: "n", Kind: Int64}, {Name: "s", Kind: Text, Nullable: true}}}
	write := func(s Schema) ([]byte, Summary) {
		w := NewWriter(s)
		var out bytes.Buffer
		w.Reset(&out)
		w.Group(2)
		for i := range s.Columns {
			if s.Columns[i].Kind == Text {
				w.Texts([]byte("ab"), []int32{1, 1}, nil)
			} else {
				w.Int64s([]int64{1, 2}, nil)
			}
		}
		sum, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		return out.Bytes(), sum
	}
	file, sum := write(ours)
	if _, err := footerOf(&ours, file, sum); err != nil {
		t.Fatal(err)
	}
	other := ours
	other.CreatedBy = "another version 1(build )"
	renamed := ours
	renamed.Columns = []Column{{Name: "n", Kind: Int64}, {Name: "t", Kind: Text, Nullable: true}}
	required := ours
	required.Columns = []Column{{Name: "n", Kind: Int64}, {Name: "s", Kind: Text}}
	for _, s := range []Schema{other, renamed, required} {
		file, sum := write(s)
		if _, err := footerOf(&ours, file, sum); !errors.Is(err, ErrForeign) {
			t.Errorf("a file of %v by %s: %v", s.Columns, s.CreatedBy, err)
		}
	}
	type row struct {
		N int64   `parquet:"n,delta"`
		S *string `parquet:"s,optional"`
	}
	var out bytes.Buffer
	if err := parquet.Write(&out, []row{{N: 1}}); err != nil {
		t.Fatal(err)
	}
	n := int64(out.Len())
	length := int64(binary.LittleEndian.Uint32(out.Bytes()[n-8:]))
	if _, err := ParseFooter(out.Bytes()[n-8-length:n-8], &ours, n); !errors.Is(err, ErrForeign) {
		t.Errorf("a file of parquet-go: %v", err)
	}
	if _, err := ParseFooter([]byte("no footer"), &ours, 100); err == nil || errors.Is(err, ErrForeign) {
		t.Errorf("no footer: %v", err)
	}
	if _, err := footerOf(&ours, file, sum); err != nil {
		t.Error(err)
	}
	if _, err := ParseFooter(file[sum.Bytes-sum.FooterBytes+4:sum.Bytes-8], &ours, 20); err == nil || errors.Is(err, ErrForeign) {
		t.Errorf("chunks beyond the file's end: %v", err)
	}
}
