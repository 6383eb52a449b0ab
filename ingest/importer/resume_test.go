package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mixed is a text of n lines of which every seventh is refused and every eleventh is blank, and how many of each there are.
func mixed(n int) (text string, accepted, rejected, blank int) {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		switch {
		case i%11 == 0:
			b.WriteString("\n")
			blank++
		case i%7 == 0 || (i > n/2 && i < n/2+200): // a stretch without a single good line, longer than a chunk
			fmt.Fprintf(&b, `{"timestamp":"never","message":"%d"}`+"\n", i)
			rejected++
		default:
			b.WriteString(line(fmt.Sprint(i)))
			accepted++
		}
	}
	return b.String(), accepted, rejected, blank
}

// TestBreakAnywhere breaks the lake at each of its steps, before and after it has stored what it was given: however often an import is
// started again, each line is there once.
func TestBreakAnywhere(t *testing.T) {
	text, accepted, rejected, blank := mixed(3000)
	for name, content := range map[string]string{"plain": text, "gzip": gzipOf(t, text)} {
		path := temp(t, "app.log", content)
		for _, stored := range []bool{false, true} {
			steps := 0
			for at := 1; ; at++ {
				s := newSink()
				s.breakAt, s.stored = at, stored
				results, err := (&job{Config: testConfig(s).withDefaults(), chunk: 4 << 10}).run(t.Context(), []string{path})
				if err == nil {
					break // it has fewer steps
				}
				if !errors.Is(err, errBroken) || results[0].State != Failed {
					t.Fatalf("%s: break at %d: %v, %s", name, at, err, results[0].State)
				}
				steps = at
				r := imports(t, testConfig(s), path)[0]
				if r.State != Grown && r.State != Imported && r.State != Already {
					t.Fatalf("%s: break at %d: resumed: %s, %v", name, at, r.State, r.Err)
				}
				checkOnce(t, s, accepted, rejected)
				if got := r.Total(); got != int64(accepted+rejected) {
					t.Errorf("%s: break at %d: %d lines in all, want %d", name, at, got, accepted+rejected)
				}
				wantResult(t, imports(t, testConfig(s), path)[0], Already, 0, 0)
				if t.Failed() {
					t.Fatalf("%s, stored %v: break at step %d", name, stored, at)
				}
			}
			if steps < 8 {
				t.Errorf("%s: only %d steps could break: the text is too short for this test", name, steps)
			}
		}
	}
	s := newSink()
	r := imports(t, testConfig(s), temp(t, "app.log", text))[0]
	wantResult(t, r, Imported, int64(accepted), int64(rejected))
	if r.Blank != int64(blank) || r.Bytes != int64(len(text)) {
		t.Errorf("%d blank lines and %d bytes, want %d and %d", r.Blank, r.Bytes, blank, len(text))
	}
}

// checkOnce checks that each event and each dead letter is there once, in order.
func checkOnce(t *testing.T, s *memSink, accepted, rejected int) {
	t.Helper()
	last := 0
	for _, m := range s.messages(t) {
		var n int
		if fmt.Sscan(m, &n); n <= last {
			t.Errorf("event %d comes after event %d", n, last)
		}
		last = n
	}
	if len(s.lines) != accepted {
		t.Errorf("%d events, want %d", len(s.lines), accepted)
	}
	line := int64(0)
	for _, d := range s.letters {
		if d.Line <= line {
			t.Errorf("the dead letter of line %d comes after that of line %d", d.Line, line)
		}
		if line = d.Line; !strings.Contains(string(d.Text), fmt.Sprintf(`"%d"`, d.Line)) {
			t.Errorf("the dead letter of line %d is %s", d.Line, d.Text)
		}
	}
	if len(s.letters) != rejected {
		t.Errorf("%d dead letters, want %d", len(s.letters), rejected)
	}
}

// TestIdentity imports a file, does something to it, and imports again.
func TestIdentity(t *testing.T) {
	long := lines(0, 200) // well above the bytes that identify
	for _, c := range []struct {
		name  string
		first string
		after func(t *testing.T, path string) (again string) // answers the path to import next
		state State
		added int64
	}{
		{"the same", long, func(t *testing.T, path string) string { return path }, Already, 0},
		{"under another name", long, func(t *testing.T, path string) string {
			rename(t, path, path+".1")
			return path + ".1"
		}, Already, 0},
		{"compressed since", long, func(t *testing.T, path string) string {
			write(t, path+".1.gz", gzipOf(t, long))
			return path + ".1.gz"
		}, Already, 0},
		{"compressed in pieces, and grown", long, func(t *testing.T, path string) string {
			write(t, path+".1.gz", gzipOf(t, long[:5000], long[5000:], lines(200, 203)))
			return path + ".1.gz"
		}, Grown, 3},
		{"by zstd", long, func(t *testing.T, path string) string {
			write(t, path+".zst", zstdOf(t, long[:5000], long[5000:]))
			return path + ".zst"
		}, Already, 0},
		{"grown", long, func(t *testing.T, path string) string { add(t, path, lines(200, 205)); return path }, Grown, 5},
		{"grown beyond the head", lines(0, 2), func(t *testing.T, path string) string { add(t, path, lines(2, 300)); return path }, Grown, 298},
		{"another with the same head", long, func(t *testing.T, path string) string {
			write(t, path, long[:5000]+long[5000:5000+strings.IndexByte(long[5000:], '\n')+1]+lines(300, 500))
			return path
		}, Imported, 200 + int64(strings.Count(long[:5000], "\n")) + 1},
		{"shorter", long, func(t *testing.T, path string) string { write(t, path, lines(0, 100)); return path }, Imported, 100},
		{"another", long, func(t *testing.T, path string) string { write(t, path, lines(7, 300)); return path }, Imported, 293},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSink()
			path := temp(t, "app.log", c.first)
			wantResult(t, imports(t, testConfig(s), path)[0], Imported, int64(strings.Count(c.first, "\n")), 0)
			path = c.after(t, path)
			wantResult(t, imports(t, testConfig(s), path)[0], c.state, c.added, 0)
			wantResult(t, imports(t, testConfig(s), path)[0], Already, 0, 0)
		})
	}
}

// TestAgain imports a file once more when it is told to, and an interrupted one of these goes on too.
func TestAgain(t *testing.T) {
	text, accepted, rejected, _ := mixed(3000)
	path := temp(t, "app.log", text)
	s := newSink()
	c := testConfig(s)
	imports(t, c, path)
	c.Again = true
	wantResult(t, imports(t, c, path)[0], Imported, int64(accepted), int64(rejected))
	s.breakAt = s.step + 3
	if _, err := (&job{Config: c.withDefaults(), chunk: 4 << 10}).run(t.Context(), []string{path}); !errors.Is(err, errBroken) {
		t.Fatalf("import with a broken lake: %v", err)
	}
	c.Again = false
	if r := imports(t, c, path)[0]; r.State != Grown {
		t.Errorf("the import after a broken one: %s, want %s", r.State, Grown)
	}
	if len(s.lines) != 3*accepted || len(s.letters) != 3*rejected {
		t.Errorf("%d events and %d dead letters, want 3 times %d and %d", len(s.lines), len(s.letters), accepted, rejected)
	}
}

// TestUnfinishedLine imports a file whose last line has no end yet; what makes it whole later is told apart.
func TestUnfinishedLine(t *testing.T) {
	whole := line("1")
	s := newSink()
	path := temp(t, "app.log", whole+line("2")[:len(line("2"))-1])
	wantResult(t, imports(t, testConfig(s), path)[0], Imported, 2, 0)
	add(t, path, "\n"+line("3"))
	wantResult(t, imports(t, testConfig(s), path)[0], Grown, 1, 0)
	s.wants(t, "1", "2", "3")

	s = newSink()
	path = temp(t, "app.log", whole+"garbage whose")
	wantResult(t, imports(t, testConfig(s), path)[0], Imported, 1, 1)
	add(t, path, " end comes later\n"+line("3"))
	wantResult(t, imports(t, testConfig(s), path)[0], Grown, 1, 1)
	s.wants(t, "1", "3")
	wantResult(t, imports(t, testConfig(s), path)[0], Already, 0, 0)
}

// TestSeveral imports several paths of which some are bad: the others are not kept from coming in.
func TestSeveral(t *testing.T) {
	dir := t.TempDir()
	names := map[string]string{"a.log": lines(0, 3), "binary": "\x7fELF\x02\x01\x01\x00", "b.log": lines(3, 5), "empty.log": ""}
	for name, text := range names {
		write(t, filepath.Join(dir, name), text)
	}
	var paths []string
	for _, name := range []string{"a.log", "binary", "missing.log", ".", "empty.log", "b.log"} {
		paths = append(paths, filepath.Join(dir, name))
	}
	s := newSink()
	results := imports(t, testConfig(s), paths...)
	for i, want := range []State{Imported, Failed, Failed, Failed, Empty, Imported} {
		if results[i].State != want {
			t.Errorf("%s: %s (%v), want %s", paths[i], results[i].State, results[i].Err, want)
		}
	}
	for i, want := range map[int]string{1: "program", 2: "no such file", 3: "folder"} {
		if !strings.Contains(results[i].Err.Error(), want) {
			t.Errorf("%s: %q does not say %q", paths[i], results[i].Err, want)
		}
	}
	s.wants(t, numbers(0, 5)...)
	if os.Getuid() != 0 {
		if err := os.Chmod(paths[0], 0); err != nil {
			t.Fatal(err)
		}
		if r := imports(t, testConfig(s), paths[0])[0]; r.State != Failed || !strings.Contains(r.Err.Error(), "sudo") {
			t.Errorf("a file that may not be read: %s, %v", r.State, r.Err)
		}
	}
}
