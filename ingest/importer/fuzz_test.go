package importer

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// dribble gives its bytes in pieces, whose sizes repeat; a size of 0 is a pause.
type dribble struct {
	data  []byte
	sizes []byte
	turn  int
}

func (d *dribble) read(_ context.Context, p []byte) (int, error) {
	if len(d.data) == 0 {
		return 0, io.EOF
	}
	n := len(d.data)
	if len(d.sizes) > 0 {
		n = int(d.sizes[d.turn%len(d.sizes)])
		d.turn++
		if n == 0 && d.turn <= 4*len(d.sizes) {
			return 0, errPause
		}
	}
	n = copy(p[:min(len(p), max(n, 1))], d.data)
	d.data = d.data[n:]
	return n, nil
}

// FuzzCutter: however an input comes, in whatever pieces and with lines of whatever length, its chunks are the input, whole lines in order under
// their right numbers; of a line that is too long they hold the start.
func FuzzCutter(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), []byte{1, 0, 2}, uint8(3), uint16(0))
	f.Add([]byte("\n\n\n"), []byte{}, uint8(1), uint16(0))
	f.Add([]byte("x\r\n"), []byte{255}, uint8(200), uint16(70))
	f.Fuzz(func(t *testing.T, text, sizes []byte, size uint8, long uint16) {
		const longest = longText + 1<<10 // instead of maxLine, so that such lines are cheap
		if long > 0 {
			text = append(append(bytes.Clone(text), bytes.Repeat([]byte{'y'}, int(long)*1000)...), text...)
		}
		c := newCutter(&dribble{data: text, sizes: sizes}, nil, 0, 0, nil)
		c.chunk, c.marked = 1+int(size), true
		k := &chunk{data: make([]byte, 0, longest), done: make(chan struct{}, 1)}
		var at, lines int64
		for {
			err := c.next(context.Background(), k)
			if err == io.EOF {
				break
			}
			whole := text[at:min(k.end, int64(len(text)))]
			switch {
			case err != nil:
				t.Fatal(err)
			case k.start != at || k.first != lines+1 || k.end <= k.start || k.end > int64(len(text)):
				t.Fatalf("a chunk of %d to %d from line %d on, behind %d bytes and %d lines", k.start, k.end, k.first, at, lines)
			case !bytes.HasPrefix(whole, k.data), k.kind == wholeLines && len(whole) != len(k.data):
				t.Fatalf("the bytes %d to %d came as %q", k.start, k.end, k.data)
			case whole[len(whole)-1] != '\n' && k.end < int64(len(text)):
				t.Fatalf("a chunk ends in the line at %d", k.end)
			case k.tail != sum(text[max(0, k.end-tailBytes):k.end]):
				t.Fatalf("the sum before %d is that of something else", k.end)
			}
			at, lines = k.end, lines+k.lines
		}
		want := int64(bytes.Count(text, []byte{'\n'}))
		if len(text) > 0 && text[len(text)-1] != '\n' {
			want++
		}
		if at != int64(len(text)) || lines != want {
			t.Fatalf("%d bytes and %d lines came of %d and %d", at, lines, len(text), want)
		}
	})
}

// FuzzRecall: notes of any form are read or passed over, and a mark that was written comes back.
func FuzzRecall(f *testing.F) {
	f.Add([]byte(`{"import":{"head":"00112233445566778899aabbccddeeff","head_len":3,"nth":1,"offset":9,"accepted":-1}}`))
	f.Add([]byte(`{"import":null}`))
	f.Add([]byte(`{"import":{"head":7}}`))
	f.Add([]byte(`{"key":"x"}`))
	f.Fuzz(func(t *testing.T, note []byte) {
		s := newSink()
		whole := mark{Head: sum([]byte("abc")), HeadLen: 3, Nth: 1, Path: "p", Offset: 5, Accepted: 2}
		known, err := whole.note()
		if err != nil {
			t.Fatal(err)
		}
		s.notes = [][]byte{note, known}
		m, err := recall(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.candidates([]byte("abcdef"), "p"); len(got) == 0 || got[0].Offset != 5 {
			t.Fatalf("%q hides a mark: %+v", note, got)
		}
	})
}
