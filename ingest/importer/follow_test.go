package importer

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// following is an import that runs beside the test.
type following struct {
	t      *testing.T
	sink   *memSink
	path   string
	cancel func()
	done   chan []*Result

	mu   sync.Mutex
	told []string
	news chan struct{} // closed when something is told
}

func follow(t *testing.T, s *memSink, path string) *following {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &following{t: t, sink: s, path: path, cancel: cancel, done: make(chan []*Result, 1), news: make(chan struct{})}
	c := testConfig(s)
	c.Follow = true
	c.Tell = func(text string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.told = append(f.told, text)
		close(f.news)
		f.news = make(chan struct{})
	}
	go func() {
		results, err := (&job{Config: c.withDefaults(), chunk: 4 << 10}).run(ctx, []string{path})
		if err != nil {
			t.Errorf("follow %s: %v", path, err)
		}
		f.done <- results
	}()
	t.Cleanup(cancel)
	return f
}

// has waits until the events of lines(0, n) are there.
func (f *following) has(n int) {
	f.t.Helper()
	f.sink.waitEvents(f.t, n)
}

// hears waits until something is told.
func (f *following) hears(text string) {
	f.t.Helper()
	limit := time.After(waitLimit)
	for {
		f.mu.Lock()
		told, news := strings.Join(f.told, "\n"), f.news
		f.mu.Unlock()
		if strings.Contains(told, text) {
			return
		}
		select {
		case <-news:
		case <-limit:
			f.t.Fatalf("waited for %q; it says:\n%s", text, told)
		}
	}
}

// stops ends the following and checks that it took lines(0, n), each once and in order.
func (f *following) stops(n int) *Result {
	f.t.Helper()
	f.cancel()
	var r *Result
	select {
	case results := <-f.done:
		r = results[0]
	case <-time.After(waitLimit):
		f.t.Fatal("it does not end")
	}
	if r.State != Stopped {
		f.t.Errorf("%s (%v), want %s", r.State, r.Err, Stopped)
	}
	f.sink.wants(f.t, numbers(0, n)...)
	return r
}

func TestFollow(t *testing.T) {
	path := temp(t, "app.log", lines(0, 3))
	f := follow(t, newSink(), path)
	f.has(3)
	add(t, path, lines(3, 4))
	f.has(4)
	whole := line("4")
	add(t, path, whole[:20])
	add(t, path, whole[20:]+lines(5, 300))
	f.has(300)
	r := f.stops(300)
	wantResult(t, r, Stopped, 300, 0)

	again := follow(t, f.sink, path) // goes on where it was
	add(t, path, lines(300, 302))
	again.has(302)
	wantResult(t, again.stops(302), Stopped, 2, 0)
}

// TestFollowUnfinished waits for the end of a line, and takes it as it is once the file is rotated.
func TestFollowUnfinished(t *testing.T) {
	whole := line("1")
	path := temp(t, "app.log", line("0")+whole[:20])
	f := follow(t, newSink(), path)
	f.has(1)
	add(t, path, whole[20:]+"half a li")
	f.has(2)
	rename(t, path, path+".1")
	write(t, path, lines(2, 3))
	f.has(3)
	wantResult(t, f.stops(3), Stopped, 3, 1)
	if got := string(f.sink.letters[0].Text); got != "half a li" {
		t.Errorf("the dead letter is %q", got)
	}
}

// TestFollowRename rotates by rename and create, as logrotate does, with writers that keep the old file open for a while.
func TestFollowRename(t *testing.T) {
	path := temp(t, "app.log", lines(0, 2))
	f := follow(t, newSink(), path)
	f.has(2)
	rename(t, path, path+".1")
	add(t, path+".1", lines(2, 4)) // the writer has not noticed
	f.has(4)
	write(t, path, lines(4, 6))
	f.has(6)
	add(t, path, lines(6, 7))
	f.has(7)
	add(t, path+".1", lines(7, 8)) // the writer was very slow
	f.has(8)
	rename(t, path+".1", path+".2")
	rename(t, path, path+".1")
	write(t, path, lines(8, 200))
	f.has(200)
	wantResult(t, f.stops(200), Stopped, 200, 0)
}

// TestFollowCopyTruncate rotates by copy and truncate; what was written in between stands in the copy alone.
func TestFollowCopyTruncate(t *testing.T) {
	for _, c := range []struct {
		name  string
		after string // what the truncated file holds when it is looked at next
	}{{"short", lines(102, 103)}, {"longer than before", lines(102, 400)}} {
		t.Run(c.name, func(t *testing.T) {
			path := temp(t, "app.log", lines(0, 100))
			f := follow(t, newSink(), path)
			f.has(100)
			write(t, path+".1", lines(0, 102))
			write(t, path, c.after) // truncates the same file
			n := 102 + strings.Count(c.after, "\n")
			f.has(n)
			add(t, path, lines(n, n+1))
			f.has(n + 1)
			f.stops(n + 1)
		})
	}
}

// TestFollowDeletion follows a path that is not there yet, that goes away, and that comes back.
func TestFollowDeletion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	f := follow(t, newSink(), path)
	f.hears("waiting for it")
	write(t, path, "")
	add(t, path, lines(0, 2))
	f.has(2)
	writer, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.WriteString(lines(2, 3)); err != nil { // a file without a name has readers and writers still
		t.Fatal(err)
	}
	f.has(3)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, lines(3, 5))
	f.has(5)
	f.stops(5)
}

// TestRotatedUnseen rotates while nobody follows.
func TestRotatedUnseen(t *testing.T) {
	for _, c := range []struct {
		name   string
		rotate func(t *testing.T, path string)
		events int
		tells  string
	}{
		{"by rename", func(t *testing.T, path string) {
			add(t, path, lines(100, 110))
			rename(t, path, path+".1")
		}, 110, ""},
		{"by rename and gzip", func(t *testing.T, path string) {
			write(t, path+".1.gz", gzipOf(t, lines(0, 110)))
			remove(t, path)
		}, 110, ""},
		{"with a date", func(t *testing.T, path string) {
			write(t, path+"-20261121.zst", zstdOf(t, lines(0, 110)))
			remove(t, path)
		}, 110, ""},
		{"with a date before the ending", func(t *testing.T, path string) {
			add(t, path, lines(100, 110))
			rename(t, path, strings.TrimSuffix(path, ".log")+"-2026-11-21.log")
		}, 110, ""},
		{"several times", func(t *testing.T, path string) {
			write(t, path+".3.gz", gzipOf(t, lines(0, 110)))
			write(t, path+".2.gz", gzipOf(t, lines(110, 120)))
			write(t, path+".1", lines(120, 130))
			age(t, path+".3.gz", 3)
			age(t, path+".2.gz", 2)
			age(t, path+".1", 1)
			remove(t, path)
		}, 130, ""},
		{"while it is being compressed", func(t *testing.T, path string) {
			add(t, path, lines(100, 110))
			rename(t, path, path+".1")
			write(t, path+".1.gz", gzipOf(t, lines(0, 110))[:100])
		}, 110, ""},
		{"beside files of others", func(t *testing.T, path string) {
			add(t, path, lines(100, 110))
			rename(t, path, path+".1")
			age(t, path+".1", 1)
			write(t, path+".offsets", lines(900, 910))
			write(t, path+"-debug", lines(900, 910))
			write(t, strings.TrimSuffix(path, ".log")+"-worker.log", lines(900, 910))
		}, 110, ""},
		{"into nothing", func(t *testing.T, path string) { remove(t, path) }, 100, "gone after its line 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := temp(t, "app.log", lines(0, 100))
			s := newSink()
			f := follow(t, s, path)
			f.has(100)
			f.stops(100)
			c.rotate(t, path)
			write(t, path, lines(c.events, c.events+5))
			f = follow(t, s, path)
			f.has(c.events + 5)
			f.stops(c.events + 5)
			if c.tells != "" {
				f.hears(c.tells)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// age makes a file n hours old.
func age(t *testing.T, path string, n int) {
	t.Helper()
	at := time.Now().Add(-time.Duration(n) * time.Hour)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestFollowSeveral follows two files and a pipe at once.
func TestFollowSeveral(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log")
	write(t, a, lines(0, 2))
	write(t, b, lines(2, 4))
	s := newSink()
	c := testConfig(s)
	c.Follow, c.Stdin = true, &Stdin{Reader: strings.NewReader(lines(4, 6))}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan []*Result)
	go func() {
		results, err := Run(ctx, c, []string{a, "-", b})
		if err != nil {
			t.Error(err)
		}
		done <- results
	}()
	s.waitEvents(t, 6)
	add(t, a, lines(6, 7))
	s.waitEvents(t, 7)
	add(t, b, lines(7, 8))
	s.waitEvents(t, 8)
	cancel()
	for i, r := range <-done {
		if want := []int64{3, 2, 3}[i]; r.Accepted != want {
			t.Errorf("%s: %d accepted, want %d", r.Name, r.Accepted, want)
		}
	}
}

// TestClaims imports a file that another import is at.
func TestClaims(t *testing.T) {
	path := temp(t, "app.log", lines(0, 2))
	s := newSink()
	c := testConfig(s)
	c.Claims = &Claims{}
	c.Follow = true
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		Run(ctx, c, []string{path})
		close(done)
	}()
	s.waitEvents(t, 2)
	second := c
	second.Follow = false
	if r := imports(t, second, path)[0]; r.State != Failed || !strings.Contains(r.Err.Error(), "another import") {
		t.Errorf("while it is followed: %s, %v", r.State, r.Err)
	}
	cancel()
	<-done
	wantResult(t, imports(t, second, path)[0], Already, 0, 0)
}
