package ingest

import (
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// pack compresses text with the standard library's gzip or with zstd.
func pack(t testing.TB, c coding, text string) string {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser = stdgzip.NewWriter(&buf)
	if c == zstandard {
		z, err := zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// testExchange is a request with a body, on a server of its own that takes bodies up to limit.
func testExchange(t testing.TB, limit int64, body string) *exchange {
	t.Helper()
	s, err := New(Config{Log: &fakeLog{}, MaxBodyBytes: limit})
	if err != nil {
		t.Fatal(err)
	}
	return &exchange{s: s, r: httptest.NewRequest("POST", "/ingest", strings.NewReader(body)), lease: s.memory.lease()}
}

// unpackOnce is what comes of a body.
func unpackOnce(x *exchange, body string, codings ...coding) (string, error) {
	wk := &work{body: []byte(body)}
	_, err := x.s.unpackers.unpack(x, wk, codings)
	return string(wk.body), err
}

func TestUnpack(t *testing.T) {
	const text = "hello hello hello"
	x := testExchange(t, 1<<20, "")
	gz, zs := pack(t, gzipped, text), pack(t, zstandard, text)
	skip := "\x53\x2a\x4d\x18\x03\x00\x00\x00abc"
	for _, c := range []struct {
		what, body string
		codings    []coding
		want       string
	}{
		{"gzip", gz, []coding{gzipped}, text},
		{"zstd", zs, []coding{zstandard}, text},
		{"gzip that nobody told of", gz, nil, text},
		{"zstd that nobody told of", zs, nil, text},
		{"plain text", text, nil, text},
		{"nothing", "", []coding{gzipped}, ""},
		{"nothing in gzip", pack(t, gzipped, ""), []coding{gzipped}, ""},
		{"nothing in zstd", pack(t, zstandard, ""), []coding{zstandard}, ""},
		{"gzip members in a row", gz + gz + gz, []coding{gzipped}, text + text + text},
		{"zstd frames in a row", zs + skip + zs, []coding{zstandard}, text + text},
		{"a zstd frame of somebody's own first", skip + zs, []coding{zstandard}, text},
		{"zstd in gzip, both told", pack(t, gzipped, zs), []coding{zstandard, gzipped}, text},
		{"gzip in gzip, one told", pack(t, gzipped, gz), []coding{gzipped}, text},
		{"gzip in zstd, none told", pack(t, zstandard, gz), nil, text},
		{"three layers end at two", pack(t, gzipped, pack(t, gzipped, gz)), nil, gz},
	} {
		if got, err := unpackOnce(x, c.body, c.codings...); err != nil || got != c.want {
			t.Errorf("%s: %q %v", c.what, got, err)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	x := testExchange(t, 1<<20, "")
	text := strings.Repeat("hello ", 100)
	gz, zs := pack(t, gzipped, text), pack(t, zstandard, text)
	damaged := func(s string, at int) string { return s[:at] + string(s[at]^0x40) + s[at+1:] }
	for _, c := range []struct {
		what, body string
		coding     coding
		want       string
	}{
		{"JSON", `{"timestamp":"2026`, gzipped, `Content-Encoding says gzip, and the body starts with "{\"timestamp\":\"20": that is JSON, send it without Content-Encoding`},
		{"JSON behind a mark", "\ufeff [1]", zstandard, `the bytes ef bb bf 20 5b 31 5d: that is JSON`},
		{"text", "hello", zstandard, `Content-Encoding says zstd, and the body starts with "hello": that is not compressed`},
		{"the other one", zs, gzipped, `the bytes 28 b5 2f fd`},
		{"the other one's name", gz, zstandard, "that is gzip, send it with Content-Encoding: gzip"},
		{"a gzip method of the future", "\x1f\x8b\x09", gzipped, "that is not compressed"},
		{"one byte", "\x1f", gzipped, "the gzip data is cut off after 1 bytes"},
		{"cut off", gz[:len(gz)-3], gzipped, fmt.Sprintf("the gzip data is cut off after %d bytes", len(gz)-3)},
		{"cut off in the second member's name", gz + "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x00abc", gzipped, "the gzip data is cut off after"},
		{"zstd cut off", zs[:len(zs)-3], zstandard, fmt.Sprintf("the zstd data is cut off after %d bytes", len(zs)-3)},
		{"text behind", gz + "hello world", gzipped, fmt.Sprintf("behind the gzip data, at about byte %d, stands something else", len(gz)+10)},
		{"text behind zstd", zs + "hello world", zstandard, "behind the zstd data stands something else"},
		{"a byte behind zstd", zs + "h", zstandard, "zstd data"},
		{"a wrong checksum", damaged(gz, len(gz)-6), gzipped, "the gzip data is damaged: its checksum does not fit"},
		{"a wrong zstd checksum", damaged(zs, len(zs)-1), zstandard, "the zstd data is damaged: its checksum does not fit"},
		{"a wrong byte", damaged(gz, 12), gzipped, "the gzip data is damaged"},
		{"a wide window", "\x28\xb5\x2f\xfd\x00\x98\x01\x00\x00", zstandard, "a window over 8 MiB"},
		{"a dictionary", "\x28\xb5\x2f\xfd\x21\x07\x01\x09\x00\x00a", zstandard, "with a dictionary"},
	} {
		_, err := unpackOnce(x, c.body, c.coding)
		if u := (*undecodable)(nil); !errors.As(err, &u) || !strings.Contains(u.reason, c.want) {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
	}
}

// Each beginning of packed data is refused, wherever it ends: nothing that was cut off passes for the whole.
func TestUnpackRefusesEveryPrefix(t *testing.T) {
	x := testExchange(t, 1<<20, "")
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for range 60 {
		fmt.Fprintf(&text, "%d,", r.IntN(1000))
	}
	for _, c := range []coding{gzipped, zstandard} {
		one := pack(t, c, text.String())
		for n := 1; n < 2*len(one); n++ {
			if n == len(one) {
				continue
			}
			if got, err := unpackOnce(x, (one + one)[:n], c); err == nil {
				t.Errorf("%v cut off at %d of %d passes as %d bytes", c, n, 2*len(one), len(got))
			}
		}
	}
}

// A few kilobytes that become a gigabyte cost the limit and no more, in every form.
func TestBombs(t *testing.T) {
	const limit = 1 << 20
	zeros := strings.Repeat("\x00", 64<<20)
	gz, zs := pack(t, gzipped, zeros), pack(t, zstandard, zeros)
	for what, body := range map[string]string{
		"gzip": gz, "zstd": zs, "gzip in gzip": pack(t, gzipped, gz), "zstd in gzip": pack(t, gzipped, zs),
		"many members":                       strings.Repeat(pack(t, gzipped, zeros[:limit/2]), 5),
		"many frames":                        strings.Repeat(pack(t, zstandard, zeros[:limit/2]), 5),
		"a zstd frame that tells its length": "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x70\x01\x00\x00", // 1.9 GB
	} {
		x := testExchange(t, limit, "")
		wk := &work{body: []byte(body)}
		begun, err := x.s.unpackers.unpack(x, wk, nil)
		if !errors.Is(err, errTooBig) || !begun {
			t.Errorf("%s: %v", what, err)
		}
		if took := cap(wk.packed); took > limit+2*zstdBlock+1<<10 {
			t.Errorf("%s: %d bytes were made room for, at a limit of %d", what, took, limit)
		}
	}
}

// At the limit a body is taken, one byte above it is not.
func TestUnpackLimitIsExact(t *testing.T) {
	const limit = 300_000
	x := testExchange(t, limit, "")
	for _, c := range []coding{gzipped, zstandard} {
		if got, err := unpackOnce(x, pack(t, c, strings.Repeat("a", limit)), c); err != nil || len(got) != limit {
			t.Errorf("%v at the limit: %d bytes, %v", c, len(got), err)
		}
		if _, err := unpackOnce(x, pack(t, c, strings.Repeat("a", limit+1)), c); !errors.Is(err, errTooBig) {
			t.Errorf("%v one above: %v", c, err)
		}
	}
}

// A zstd stream of many small blocks, one of a few large ones, and one that tells its length go through the decoder in different ways, one after
// the other.
func TestUnpackEveryShapeOfZstd(t *testing.T) {
	x := testExchange(t, 1<<20, "")
	var shapes []string
	text := strings.Repeat(event("e", "")+"\n", 5000)
	for _, every := range []int{1, 100, 5000} {
		var buf bytes.Buffer
		w, err := zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.SplitAfter(text, "\n") {
			if _, err := io.WriteString(w, line); err != nil {
				t.Fatal(err)
			}
			if i%every == 0 {
				err = errors.Join(err, w.Flush())
			}
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		shapes = append(shapes, buf.String(), string(w.EncodeAll([]byte(text), nil)))
	}
	for i := range 20 {
		if got, err := unpackOnce(x, shapes[i%len(shapes)], zstandard); err != nil || got != text {
			t.Errorf("shape %d: %d bytes, %v", i%len(shapes), len(got), err)
		}
	}
}

// A decoder that met damage is as good as new for the next body.
func TestUnpackersForget(t *testing.T) {
	x := testExchange(t, 1<<20, "")
	for range 3 * maxUnpackers {
		for _, c := range []coding{gzipped, zstandard} {
			whole := pack(t, c, "hello")
			_, _ = unpackOnce(x, whole[:len(whole)-2], c)
			if got, err := unpackOnce(x, whole, c); err != nil || got != "hello" {
				t.Fatalf("%v: %q %v", c, got, err)
			}
		}
	}
}

// Where all decoders are at work, a request waits for one, and its end ends the wait.
func TestUnpackersAreBounded(t *testing.T) {
	u := newUnpackers(1 << 20)
	for range cap(u.free) {
		if _, err := u.take(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := u.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What the usual programs write is read.
func TestUnpackWhatProgramsWrite(t *testing.T) {
	x := testExchange(t, 8<<20, "")
	text := strings.Repeat(event("e", "")+"\n", 30_000)
	for _, c := range []struct{ line, coding string }{
		{"gzip -1", "gzip"}, {"gzip -9", "gzip"}, {"zstd -1", "zstd"}, {"zstd -19", "zstd"}, {"zstd --no-check", "zstd"}, {"zstd -T2 -B64K", "zstd"}, {"zstd -19 --long=23", "zstd"},
	} {
		args := strings.Fields(c.line)
		if _, err := exec.LookPath(args[0]); err != nil {
			t.Logf("no %s here", args[0])
			continue
		}
		cmd := exec.Command(args[0], append(args[1:], "-c")...)
		cmd.Stdin = strings.NewReader(text)
		packed, err := cmd.Output()
		if err != nil {
			t.Fatal(c.line, err)
		}
		if got, err := unpackOnce(x, string(packed)); err != nil || got != text {
			t.Errorf("%s: %d bytes, %v", c.line, len(got), err)
		}
	}
}
