package ingest

import (
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/signallake/signallake/lake"
)

// collector keeps what is buried.
type collector struct{ letters []lake.DeadLetter }

func (c *collector) bury(letters []lake.DeadLetter, _ bool) error {
	for _, d := range letters {
		d.Text = bytes.Clone(d.Text)
		c.letters = append(c.letters, d)
	}
	return nil
}

// lines counts the refused lines that the letters hold.
func (c *collector) lines() (n int) {
	for _, d := range c.letters {
		shared := 1
		if i := strings.LastIndex(d.Reason, "; "); i >= 0 {
			if _, err := fmt.Sscanf(d.Reason[i:], "; %d refused lines share this letter", &shared); err != nil {
				shared = 1
			}
		}
		n += shared
	}
	return n
}

// FuzzBatch holds the decoder to its promises: no panic; what is accepted is exactly N canonical lines; each refused line is kept once, and all
// of them in a small multiple of the body's size; an array that is JSON is never called undecodable, and nothing of one that is not JSON is
// taken.
func FuzzBatch(f *testing.F) {
	one, bad := event("e1", `,"a":{"b":[1,2.50]}`), event("e2", `,"latency_ms":"x"`)
	for _, seed := range []string{
		"", "[]", "[" + one + "]", "[" + one + "," + bad + ",1]", one + "\n" + bad + "\r\n\n" + one, one + one, one[:30], "[" + one, "[" + one + ",]", "\ufeff" + one,
		"{\n" + one[1:], "hello", "\x1f\x8b", "[[[[", "{}{}{}", "{\"a\":\"\\", "[1,\"a]\",{}]", one + "," + one, "[" + one + "]\n[" + one + "]",
		strings.Repeat("{}\n", 400), "[" + strings.Repeat("1,", 400) + "1]", `{"streams":[]}`, `{"index":{}}` + "\n" + one,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, kept := testDecoder(), &collector{}
		d.keeper = kept
		err := d.batch(context.Background(), body)
		if err == nil {
			err = d.flush()
		}
		if n := bytes.Count(d.lines, []byte{'\n'}); n != d.accepted || len(d.given) != n {
			t.Fatalf("%d lines for %d accepted events", n, d.accepted)
		}
		for line := range bytes.Lines(d.lines) {
			var e lake.Event
			if err := new(lake.Scanner).Scan(line, &e); err != nil || e.ServiceName == "" {
				t.Fatalf("stored %q: %v", line, err)
			}
		}
		switch {
		case err == nil && d.accepted+d.rejected == 0:
			t.Fatalf("%q was taken and is gone", body)
		case err == nil && kept.lines() != d.rejected:
			t.Fatalf("%d lines are kept of %d that were refused", kept.lines(), d.rejected)
		case err != nil && (len(kept.letters) != 0 || !errors.As(err, new(*undecodable))):
			t.Fatalf("%v, after %d letters", err, len(kept.letters))
		case min(d.rejected, maxListed) != len(d.listed):
			t.Fatalf("%d rejected, %d listed", d.rejected, len(d.listed))
		}
		if took := zoneBytes(kept.letters); took > freeLetters+(lettersPerByte+6)*len(body)+1024 {
			t.Fatalf("%d bytes took %d in the dead zone", len(body), took)
		}
		checkArray(t, d, body, err)
	})
}

// checkArray compares what became of an array with what encoding/json has to say.
func checkArray(t *testing.T, d *decoder, body []byte, err error) {
	array := bytes.TrimLeft(trimBOM(body), " \t\r\n")
	if len(array) == 0 || array[0] != '[' {
		return
	}
	var elements []json.RawMessage
	switch jsonErr := json.Unmarshal(array, &elements); {
	case jsonErr == nil && len(elements) > 0 && (err != nil || d.accepted+d.rejected != len(elements)):
		t.Fatalf("%q: %v, %d accepted and %d rejected of %d", body, err, d.accepted, d.rejected, len(elements))
	case jsonErr != nil && err == nil && !deeperThan(array, 9_000):
		t.Fatalf("%q was taken: %v", body, jsonErr)
	}
}

// FuzzLines makes a body of good, bad and blank lines, so that it is known what must become of each: the good ones are stored once and in
// order, the bad ones are reported under their numbers and kept byte for byte, and together they are all lines that there are.
func FuzzLines(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, false)
	f.Add([]byte{8, 8, 0x10, 0x21, 0x32, 0x43, 0x58}, true)
	f.Add(bytes.Repeat([]byte{1, 2, 5}, 300), true)
	f.Add(append(bytes.Repeat([]byte{5}, 500), 0), false)
	pieces := []string{"", `{"latency_ms":1}`, `{"service_name":"a","timestamp":7}`, "hello", `{"timestamp":`, "{}", "[1,2]", "42", "", "\"{\""}
	f.Fuzz(func(t *testing.T, program []byte, lastNewline bool) {
		var body strings.Builder
		var ids, refused []string
		var numbers []int
		ends := []string{"\n", "\r\n", " \n", "\t\r\n"}
		for i, op := range program {
			no, line := i+1, ""
			switch kind := int(op & 15); {
			case kind == 0:
				id := fmt.Sprint("e", no)
				ids = append(ids, id)
				line = event(id, "")
			case kind < len(pieces) && pieces[kind] != "":
				line = pieces[kind]
				refused, numbers = append(refused, line), append(numbers, no)
			}
			body.WriteString(line)
			if lastNewline || i < len(program)-1 {
				body.WriteString(ends[op>>4&3])
			}
		}
		text := body.String()
		if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "[") {
			return // an array, for FuzzBatch
		}
		d, kept := testDecoder(), &collector{}
		d.keeper = kept
		if err := d.batch(context.Background(), []byte(text)); err != nil {
			if d.accepted > 0 || slices.Contains(refused, "{}") || len(kept.letters) > 0 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if err := d.flush(); err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for _, id := range ids {
			want.WriteString(stored(t, event(id, "")))
		}
		got, _ := keptTexts(kept.letters)
		if d.accepted != len(ids) || string(d.lines) != want.String() || d.rejected != len(refused) || !slices.Equal(got, refused) {
			t.Fatalf("%q: stored %q, kept %q", text, d.lines, got)
		}
		for i, e := range d.listed {
			if e.Line != numbers[i] {
				t.Fatalf("%q: refused line %d is reported as %d", text, numbers[i], e.Line)
			}
		}
	})
}

// FuzzUnpack: whatever a body claims, decompressing it costs no more than the limit, and what is compressed comes back as it was. The standard
// library is the second opinion.
func FuzzUnpack(f *testing.F) {
	const limit = 256 << 10
	x := testExchange(f, limit, "")
	said := [][]coding{nil, {gzipped}, {zstandard}, {gzipped, zstandard}, {zstandard, gzipped}, {gzipped, gzipped}}
	gz, zs := pack(f, gzipped, "hello hello"), pack(f, zstandard, "hello hello")
	for i, seed := range []string{"hello", gz, zs, gz + gz, zs + zs, gz[:10], pack(f, zstandard, gz), pack(f, gzipped, strings.Repeat("\x00", 2*limit)), pack(f, zstandard, strings.Repeat("\x00", 2*limit))} {
		f.Add(uint8(i), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, how uint8, body []byte) {
		codings := said[int(how)%len(said)]
		wk := &work{body: bytes.Clone(body)}
		_, err := x.s.unpackers.unpack(x, wk, codings)
		var unfit *undecodable
		switch {
		case err == nil && len(wk.body) > max(limit, len(body)), cap(wk.packed) > limit+2*zstdBlock+1<<10 && err != nil:
			t.Fatalf("%d bytes became %d, in room for %d", len(body), len(wk.body), cap(wk.packed))
		case errors.As(err, &unfit) && (unfit.reason == "" || !utf8.ValidString(unfit.reason) || len(unfit.reason) > 300):
			t.Fatalf("refused as %q", unfit.reason)
		case err != nil && unfit == nil && !errors.Is(err, errTooBig):
			t.Fatal(err)
		}
		if _, again := sniffCoding(wk.body); how == 1 && len(body) > 0 && !again {
			secondOpinion(t, body, wk.body, err, limit)
		}
		if _, packed := sniffCoding(body); len(body) < limit && !packed {
			for _, c := range []coding{gzipped, zstandard} {
				if got, err := unpackOnce(x, pack(t, c, string(body)), c); err != nil || got != string(body) {
					t.Fatalf("%v: %d bytes came back as %d: %v", c, len(body), len(got), err)
				}
			}
		}
	})
}

// secondOpinion holds what came of gzip against the standard library. That one takes a header that is cut off for the end.
func secondOpinion(t *testing.T, body, got []byte, err error, limit int64) {
	z, stdErr := stdgzip.NewReader(bytes.NewReader(body))
	var want []byte
	if stdErr == nil {
		want, stdErr = io.ReadAll(io.LimitReader(z, limit+1))
	}
	switch {
	case err == nil && (stdErr != nil || !bytes.Equal(got, want)):
		t.Fatalf("%x: %d bytes, the standard library has %d and %v", body, len(got), len(want), stdErr)
	case err != nil && stdErr == nil && int64(len(want)) <= limit && !strings.Contains(err.Error(), "cut off"):
		t.Fatalf("%x: %v, the standard library has %d bytes", body, err, len(want))
	}
}

// FuzzForeign: every body that is not JSON gets a reason that can be read, whatever its sender says of it.
func FuzzForeign(f *testing.F) {
	for _, seed := range []string{
		"--x\r\n", "%7B%7D", "a=%7B&b=c", "\x0a\x9a\x01", "\x93\xa3tag", "<34>1 -", `h - - [21/Nov/2026:06:33:10 +0000] "GET /`, "a=b c=d", "{\x00\"\x00", "\x78\x9c", "BZh9",
		`{"streams":[]}`, `{"event":1}`, `{"@timestamp":1,"app":"a"}`, `{"index":{}}`, "caf\xe9",
	} {
		f.Add("text/plain; charset=latin1", []byte(seed))
		f.Add("application/x-www-form-urlencoded", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		d := testDecoder()
		d.contentType = contentType(header)
		err := d.one(body)
		switch {
		case err == nil:
			if d.accepted != 1 || d.rejected != 0 {
				t.Fatalf("%q is taken, and %d events came of it", body, d.accepted)
			}
			return
		case err.Error() == "" || d.accepted != 0 || strings.ContainsRune(err.Error(), 0):
			t.Fatalf("%q: %q", body, err)
		}
		if what := foreign(body, foreignTypes[d.contentType.name]); len(what) > 300 || !utf8.ValidString(what) {
			t.Fatalf("%q is called %q", body, what)
		}
	})
}

// FuzzPost sends whatever there is through the whole server: the answer is one that is documented, in JSON, and its numbers are those of what
// was stored and kept.
func FuzzPost(f *testing.F) {
	one := event("e1", "")
	for _, encoding := range []string{"", "gzip", "zstd", "gzip, zstd", "br"} {
		for _, body := range []string{one, one + "\n{}\nhello", "[" + one + ",1]", "{}", "hello", pack(f, gzipped, one), pack(f, zstandard, one+"\n"+one)} {
			f.Add(true, encoding, "application/json", []byte(body))
			f.Add(false, encoding, "", []byte(body))
		}
	}
	log := &fakeLog{}
	s, err := New(Config{Log: log, MaxBodyBytes: 64 << 10, Now: func() time.Time { return testNow }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, batch bool, encoding, contentType string, body []byte) {
		path := map[bool]string{false: "/ingest", true: "/ingest/batch"}[batch]
		r, w := httptest.NewRequest("POST", "http://localhost"+path, bytes.NewReader(body)), httptest.NewRecorder()
		r.Header["Content-Encoding"], r.Header["Content-Type"] = []string{encoding}, []string{contentType}
		s.ServeHTTP(w, r)
		var a struct {
			Error, Reason string
			Accepted      int
			Total         int `json:"rejected_total"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || !slices.Contains([]int{200, 400, 413, 415, 422}, w.Code) || (w.Code == 200) == (a.Error != "") {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		got := 0
		for _, b := range log.take() {
			got += b.N
		}
		kept := collector{letters: log.takeLetters()}
		switch {
		case got != a.Accepted || (got > 0) != (w.Code == 200):
			t.Fatalf("%d events are stored: %d %s", got, w.Code, w.Body)
		case batch && (w.Code == 200 || w.Code == 422) && kept.lines() != a.Total:
			t.Fatalf("%d lines are kept: %d %s", kept.lines(), w.Code, w.Body)
		case w.Code == 422 && kept.lines() == 0, w.Code == 400 && len(kept.letters) != 1 && !strings.Contains(a.Reason, "is empty"):
			t.Fatalf("%d letters: %d %s", len(kept.letters), w.Code, w.Body)
		}
	})
}
