package lake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
)

// TestWorkersShareTheLog: several goroutines that take turns see every event once, and leave no file open.
func TestWorkersShareTheLog(t *testing.T) {
	l, err := Open(context.Background(), Config{Dir: t.TempDir(), ConvertAge: -1, SegmentBytes: 6 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer closeLake(t, l)
	for i := range 70 { // 18 MB: some batches are larger than what is read at once
		mustAppend(t, l, 1+i*997%30_000)
	}
	if err := l.Seal(); err != nil {
		t.Fatal(err)
	}
	segments := nextRun(l.raw.segments(), 0, l.raw.committed(), 1<<40)
	source := &runLines{layout: l.layout, segments: segments}
	var mu sync.Mutex
	seen, files := make([]int, l.raw.committed()), map[*sharedFile]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var buffer []byte
			for {
				s, err := source.next()
				if err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					return
				}
				n := 0
				if err := s.each(&buffer, func(lines []byte) error { n += bytes.Count(lines, []byte{'\n'}); return nil }); err != nil || n != s.n {
					t.Errorf("%d lines of %d: %v", n, s.n, err)
				}
				mu.Lock()
				files[s.data] = true
				for i := range s.n {
					seen[int(s.first)+i]++
				}
				mu.Unlock()
				s.done()
			}
		})
	}
	wg.Wait()
	for seq := 1; seq < len(seen); seq++ {
		if seen[seq] != 1 {
			t.Fatalf("event %d was handed out %d times", seq, seen[seq])
		}
	}
	if len(files) < 3 || len(files) != len(segments) {
		t.Errorf("%d segments, %d files", len(segments), len(files))
	}
	for f := range files {
		if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s is still open: %v", f.Name(), err)
		}
	}
	source = &runLines{layout: l.layout, segments: segments}
	s, err := source.next()
	if err != nil {
		t.Fatal(err)
	}
	source.close()
	if _, err := source.next(); err != io.EOF {
		t.Errorf("after its end: %v", err)
	}
	if err := s.each(new([]byte), func([]byte) error { return nil }); err != nil {
		t.Errorf("a share that was taken before: %v", err)
	}
	s.done()
}
