package importer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"
)

func utf16Of(text string, mark bool) string {
	var b bytes.Buffer
	if mark {
		b.WriteString("\xff\xfe")
	}
	for _, u := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// TestTexts imports texts that are packed and written in many ways, as a file and through a pipe.
func TestTexts(t *testing.T) {
	three := lines(0, 3)
	for _, c := range []struct {
		name, text string
		events     int
		rejected   []string // what the reasons say
		blank      int64
		err        string // of an input that is no text
	}{
		{"plain", three, 3, nil, 0, ""},
		{"no last line end", strings.TrimSuffix(three, "\n"), 3, nil, 0, ""},
		{"CRLF", strings.ReplaceAll(three, "\n", "\r\n"), 3, nil, 0, ""},
		{"a byte order mark", "\ufeff" + three, 3, nil, 0, ""},
		{"blank lines", "\n" + three + "  \t\r\n\n", 3, nil, 3, ""},
		{"gzip", gzipOf(t, three), 3, nil, 0, ""},
		{"gzip with several members", gzipOf(t, lines(0, 1), lines(1, 2), "", lines(2, 3)), 3, nil, 0, ""},
		{"a line across members", gzipOf(t, three[:50], three[50:]), 3, nil, 0, ""},
		{"zstd", zstdOf(t, three), 3, nil, 0, ""},
		{"zstd with several frames", zstdOf(t, three[:50], three[50:]), 3, nil, 0, ""},
		{"a hole before the text", strings.Repeat("\x00", 3000) + three, 3, nil, 0, ""},
		{"NUL bytes in a line", three + "{\"a\x00b\":1}\n", 3, []string{"NUL"}, 0, ""},
		{"a refused line", three + "garbage\n", 3, []string{""}, 0, ""},
		{"a line that is too long", lines(0, 1) + line(strings.Repeat("x", maxLine)) + lines(1, 3), 3, []string{"longer than 1048576"}, 0, ""},
		{"only a line that is too long", lines(0, 1) + strings.Repeat("x", 3*maxLine), 1, []string{"longer than 1048576"}, 0, ""},
		{"a line that is just not too long", lines(0, 1) + longest() + lines(1, 3), 3, []string{""}, 0, ""},
		{"nothing", "", 0, nil, 0, "empty"},
		{"nothing, compressed", gzipOf(t, ""), 0, nil, 0, "empty"},
		{"blank lines alone", "\n\n \n", 0, nil, 0, "empty"},
		{"UTF-16", utf16Of(three, true), 0, nil, 0, "iconv -f UTF-16"},
		{"UTF-16 without its mark", utf16Of(three, false), 0, nil, 0, "iconv -f UTF-16"},
		{"xz", "\xfd7zXZ\x00\x00\x04", 0, nil, 0, "xz -dc"},
		{"zip", "PK\x03\x04\x14\x00", 0, nil, 0, "unzip -p"},
		{"a tar archive, compressed", gzipOf(t, "app.log"+strings.Repeat("\x00", 250)+"ustar  \x00"), 0, nil, 0, "tar -xOf"},
		{"binary", "\x01\x02\x03\x04" + three[:20], 0, nil, 0, "not text"},
		{"text of no known form", "Dear log,\ntoday nothing happened.\n", 0, nil, 0, "--format"},
		{"gzip that is cut off", gzipOf(t, three)[:20], 0, nil, 0, "read gzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := func(s *memSink, r *Result) {
				t.Helper()
				if c.err != "" {
					if r.Err == nil || !strings.Contains(r.Err.Error(), c.err) || r.Lines != 0 {
						t.Errorf("%s, %d lines, %v; want an error that says %q", r.State, r.Lines, r.Err, c.err)
					}
					return
				}
				wantResult(t, r, Imported, int64(c.events), int64(len(c.rejected)))
				s.wants(t, numbers(0, c.events)...)
				if r.Blank != c.blank {
					t.Errorf("%d blank lines, want %d", r.Blank, c.blank)
				}
				for i, d := range s.letters {
					if !strings.Contains(d.Reason, c.rejected[i]) || d.Line == 0 || len(d.Text) == 0 || d.Origin == "" || d.Source == "" {
						t.Errorf("dead letter %+v, want one that says %q", d, c.rejected[i])
					}
				}
			}
			s := newSink()
			check(s, imports(t, testConfig(s), temp(t, "some.name", c.text))[0])
			s = newSink()
			config := testConfig(s)
			config.Stdin = &Stdin{Reader: strings.NewReader(c.text)}
			check(s, imports(t, config, "-")[0])
		})
	}
}

// longest is a line of as many bytes as are parsed. The contract refuses it for its message, not the importer for its length.
func longest() string {
	empty := len(line("")) - 1
	return line(strings.Repeat("x", maxLine-empty))
}

// TestDamagedArchive imports what stands before the damage, and says that there is more.
func TestDamagedArchive(t *testing.T) {
	var random strings.Builder // so that it does not compress to nothing
	for i := range 20000 {
		random.WriteString(line(fmt.Sprintf("%d %x", i, i*7919*104729)))
	}
	packed := gzipOf(t, random.String())
	path := temp(t, "app.log.gz", packed[:len(packed)/2])
	s := newSink()
	r := imports(t, testConfig(s), path)[0]
	if r.State != Failed || r.Accepted < 100 || r.Rejected != 0 || len(s.lines) != int(r.Accepted) {
		t.Errorf("%s, %d accepted, %d rejected, %v; want a failure behind the part that can be read", r.State, r.Accepted, r.Rejected, r.Err)
	}
	write(t, path, packed)
	if r = imports(t, testConfig(s), path)[0]; r.State != Grown || len(s.lines) != 20000 {
		t.Errorf("with the whole archive: %s, %d events; want the rest", r.State, len(s.lines))
	}
}

// TestPipe writes to a pipe line by line: each is there before the next one is written, whatever is to come.
func TestPipe(t *testing.T) {
	s := newSink()
	c := testConfig(s)
	r, w := io.Pipe()
	c.Stdin = &Stdin{Reader: r}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan *Result)
	go func() {
		results, err := Run(ctx, c, []string{"-"})
		if err != nil {
			t.Error(err)
		}
		done <- results[0]
	}()
	say := func(text string) {
		t.Helper()
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	say("{") // not yet anything that could be told apart from a packed stream
	say(line("0")[1:])
	s.waitEvents(t, 1)
	for i := 1; i < 10; i++ {
		say(line(fmt.Sprint(i)))
		s.waitEvents(t, i+1)
	}
	say(line("10") + `{"timestamp":"2026-11-20T10:00:00Z","message":"half`)
	s.waitEvents(t, 11)
	cancel() // as Ctrl+C does; what was read counts
	result := <-done
	wantResult(t, result, Stopped, 11, 1)
	s.wants(t, numbers(0, 11)...)
	if len(s.notes[0]) != 0 {
		t.Errorf("a pipe left the note %s: it cannot be found again", s.notes[0])
	}
	if again := imports(t, c, "-")[0]; again.State != Failed {
		t.Errorf("a second import of the same pipe: %s, want %s", again.State, Failed)
	}
}

// TestLateFormat pipes in lines that say nothing before those that do.
func TestLateFormat(t *testing.T) {
	s := newSink()
	c := testConfig(s)
	r, w := io.Pipe()
	c.Stdin = &Stdin{Reader: r}
	go func() {
		for _, text := range []string{"starting up\n", line("0"), line("1"), line("2"), line("3")} {
			io.WriteString(w, text)
		}
		w.Close()
	}()
	wantResult(t, imports(t, c, "-")[0], Imported, 4, 1)
}

func TestServiceOf(t *testing.T) {
	for path, want := range map[string]string{
		"access.log": "access", "/var/log/nginx/access.log.1.gz": "access", "access.log-20261120.gz": "access", "access-2026-11-20.log": "access",
		"app_2.jsonl": "app", "Check Out.LOG": "check-out", "-": "stdin", "": "stdin", "...log": "log", "x.log.2026-11-20T10:00:00.zst": "x",
		"v1.2.log": "v1", "20261120.log": "20261120", "ünï.log": "n",
	} {
		if got := ServiceOf(path); got != want {
			t.Errorf("ServiceOf(%q) is %q, want %q", path, got, want)
		}
	}
}
