package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// lettersOf are n letters that name the batch.
func lettersOf(name string, n int) []DeadLetter {
	letters := make([]DeadLetter, n)
	for i := range letters {
		letters[i] = DeadLetter{At: Micros(i + 1), Source: "test", Origin: name, Line: int64(i + 1), Field: "latency_ms", Reason: "is \"bad\"",
			Text: []byte(fmt.Sprintf("{\"%s\":%d,\n", name, i))}
	}
	return letters
}

func mustBury(t testing.TB, l *Lake, letters []DeadLetter) []DeadLetter {
	t.Helper()
	if err := l.Bury(context.Background(), letters); err != nil {
		t.Fatal(err)
	}
	return letters
}

func readDead(t testing.TB, l *Lake, since int64) []DeadLetter {
	t.Helper()
	var got []DeadLetter
	if err := l.DeadLetters(since, func(d *DeadLetter) error { got = append(got, *d); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func wantLetters(t testing.TB, what string, got, want []DeadLetter) {
	t.Helper()
	show := func(list []DeadLetter) string {
		var b strings.Builder
		for i := range list {
			b.Write(append(list[i].AppendJSON(nil), '\n'))
		}
		return b.String()
	}
	if show(got) != show(want) {
		t.Fatalf("%s: got\n%.3000s\nwant\n%.3000s", what, show(got), show(want))
	}
}

func TestDeadLettersStay(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	all := slices.Concat(mustBury(t, l, lettersOf("a", 3)), mustBury(t, l, lettersOf("b", 2)))
	wantLetters(t, "at once", readDead(t, l, 0), all)
	wantLetters(t, "since", readDead(t, l, 4), all[3:])
	follower := openFollower(t, dir)
	wantLetters(t, "in another process", readDead(t, follower, 0), all)
	closeLake(t, l)
	l = openOwner(t, dir)
	all = append(all, mustBury(t, l, lettersOf("c", 1))...)
	wantLetters(t, "after a restart", readDead(t, l, 0), all)
	wantLetters(t, "in another process, later", readDead(t, follower, 0), all)
	for i, d := range all {
		if d.ID != int64(i+1) {
			t.Fatalf("letter %d has the ID %d", i, d.ID)
		}
	}
	if s := l.DeadStatus(); s.Kept != 6 || s.Bytes == 0 || s != follower.DeadStatus() || s != l.Status().Dead {
		t.Fatalf("%+v, a follower says %+v", s, follower.DeadStatus())
	}
}

func TestReasonKind(t *testing.T) {
	same := func(a, b string) {
		t.Helper()
		if ReasonKind(a) != ReasonKind(b) {
			t.Errorf("%q and %q are two kinds: %q, %q", a, b, ReasonKind(a), ReasonKind(b))
		}
	}
	same(`must be a number, got "fast"`, `must be a number, got "very \"slow"`)
	same("1970-01-01T00:00:00Z is before the window, which begins 1996-11-28", "1971-02-01T00:00:00Z is before the window, which begins 1996-11-29")
	same("invalid character 'a' looking for beginning of value", `invalid character '"' looking for beginning of value`)
	same(`invalid character '\'' looking for beginning of value`, "invalid character ' ' looking for beginning of value")
	for reason, want := range map[string]string{
		"must be RFC 3339 such as 2026-11-21T13:00:00Z or an epoch number, got 7": "must be RFC … such as … or an epoch number",
		"is 70000 bytes long, the limit is 65536":                                 "is … bytes long, the limit is …",
		"has 7 8 9, which is wrong (event 3 of 7)":                                "has …, which is wrong (event … of …)",
		`holds "a" and "b" twice`:                                                 "holds … twice",
		"invalid character 'x' after value":                                       "invalid character … after value",
		"the sender's clock is off":                                               "the sender's clock is off",
		"ends in '":                                                               "ends in '",
	} {
		if got := ReasonKind(reason); got != want {
			t.Errorf("%q is of the kind %q, want %q", reason, got, want)
		}
	}
	if ReasonKind("must be a number") == ReasonKind("must be a string") {
		t.Error("two kinds are one")
	}
}

// What is in a letter comes back byte for byte, or cut at its bound and marked.
func TestDeadLetterBounds(t *testing.T) {
	l := openOwner(t, t.TempDir())
	try := func(name string, text []byte, want int, cut bool) {
		t.Helper()
		d := mustBury(t, l, []DeadLetter{{Reason: "bad", Text: text}})[0]
		got := readDead(t, l, d.ID)[0]
		if string(got.Text) != string(text[:want]) || got.Cut != cut || got.At == 0 {
			t.Errorf("%s: got %d bytes, cut %v, at %d; want %d, %v", name, len(got.Text), got.Cut, got.At, want, cut)
		}
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	try("nothing", nil, 0, false)
	try("every byte", all, 256, false)
	try("every ASCII character", all[:128], 128, false)
	try("odd characters", []byte("\u2028\ufeff\U0010ffff\ufffd\u009b\x7f\"\\\n{}"), 21, false)
	try("at the bound", make([]byte, maxDeadText), maxDeadText, false)
	try("above", make([]byte, maxDeadText+1), maxDeadText, true)
	wide := []byte("x" + strings.Repeat("€", maxDeadText/3+9))
	try("a character over the bound", wide, 1+(maxDeadText-1)/3*3, true)
	try("no character at the bound", []byte(strings.Repeat("\x80", maxDeadText+5)), maxDeadText, true)

	long := strings.Repeat("ü", maxDeadReason)
	mustBury(t, l, []DeadLetter{{Source: long, Field: long, Reason: long, Origin: long[:maxDeadOrigin], Text: []byte("last")}})
	list := readDead(t, l, 0)
	if d := list[len(list)-1]; len(d.Source) != maxDeadName || len(d.Field) != maxDeadName || len(d.Reason) != maxDeadReason || d.Origin != long[:maxDeadOrigin] || d.Cut {
		t.Errorf("got %d, %d, %d, %d bytes", len(d.Source), len(d.Field), len(d.Reason), len(d.Origin))
	}
	if err := l.Bury(t.Context(), []DeadLetter{{Origin: long}}); err == nil || !strings.Contains(err.Error(), "origin") {
		t.Errorf("a long origin: %v", err)
	}
	if err := l.Bury(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// A full zone gives up its oldest files, counts what went, and goes on counting after a restart; IDs are never given twice.
func TestDeadLettersAreBounded(t *testing.T) {
	dir := t.TempDir()
	const limit = 20_000
	open := func() *Lake {
		l, err := Open(t.Context(), Config{Dir: dir, DeadLimit: limit, ConvertAge: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	var all []DeadLetter
	follower := openFollower(t, dir)
	for round := range 3 {
		l := open()
		for i := range 100 {
			all = append(all, mustBury(t, l, lettersOf(fmt.Sprintf("%d-%d", round, i), 1+i%3))...)
			if s := l.DeadStatus(); s.Bytes > limit || s.Kept+s.Dropped != int64(len(all)) {
				t.Fatalf("after %d letters: %+v", len(all), s)
			}
		}
		s := l.DeadStatus()
		if s.Dropped == 0 || s.Bytes < limit*3/4 || s != follower.DeadStatus() {
			t.Fatalf("round %d: %+v, a follower says %+v", round, s, follower.DeadStatus())
		}
		if on := diskUsage(t, l.layout.Dead()); on != s.Bytes {
			t.Fatalf("%d bytes lie there, counted %d", on, s.Bytes)
		}
		for _, reader := range []*Lake{l, follower} {
			wantLetters(t, "the newest", readDead(t, reader, 0), all[s.Dropped:])
		}
		closeLake(t, l)
	}
	for i, d := range all {
		if d.ID != int64(i+1) {
			t.Fatalf("letter %d has the ID %d", i, d.ID)
		}
	}
	l := open()
	huge := mustBury(t, l, []DeadLetter{{At: 1, Text: make([]byte, limit)}})
	wantLetters(t, "one that is larger than the zone", readDead(t, l, 0), huge)
}

func diskUsage(t testing.TB, dir string) (n int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

func TestDiscardDead(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	follower := openFollower(t, dir)
	all := slices.Concat(mustBury(t, l, lettersOf("a", 5)), mustBury(t, l, lettersOf("b", 5)))
	discard := func(l *Lake, want int64, pick func(*DeadLetter) bool) {
		t.Helper()
		n, err := l.DiscardDead(t.Context(), pick)
		if err != nil || n != want {
			t.Fatalf("discarded %d, %v; want %d", n, err, want)
		}
		all = slices.DeleteFunc(all, func(d DeadLetter) bool { return pick(&d) })
		for _, reader := range []*Lake{l, follower} {
			wantLetters(t, "what stays", readDead(t, reader, 0), all)
			if s := reader.DeadStatus(); s.Kept != int64(len(all)) || s.Dropped != 0 {
				t.Fatalf("%+v", s)
			}
		}
	}
	discard(l, 5, func(d *DeadLetter) bool { return d.Line%2 == 0 || d.ID == 6 })
	discard(l, 0, func(d *DeadLetter) bool { return d.ID == 6 })
	closeLake(t, l)
	l = openOwner(t, dir)
	all = append(all, mustBury(t, l, lettersOf("c", 2))...)
	discard(l, 1, func(d *DeadLetter) bool { return d.ID == 11 })
	discard(l, 6, func(d *DeadLetter) bool { return true })
	if names, _ := listDead(l.layout); len(names) != 1 {
		t.Fatalf("the discarded letters' files are still there: %v", names)
	}
	closeLake(t, l)
	l = openOwner(t, dir)
	if all = mustBury(t, l, lettersOf("d", 1)); all[0].ID <= 12 {
		t.Fatalf("the ID %d was given twice", all[0].ID)
	}
	wantLetters(t, "later", readDead(t, l, 0), all)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.DiscardDead(ctx, func(*DeadLetter) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := follower.DiscardDead(t.Context(), func(*DeadLetter) bool { return true }); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	if err := follower.Bury(t.Context(), lettersOf("x", 1)); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	closeLake(t, l)
	if err := l.Bury(t.Context(), lettersOf("x", 1)); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// FuzzDeadLetter holds the line's reader against encoding/json, and both against what was written.
func FuzzDeadLetter(f *testing.F) {
	f.Add("import a.log", "id", int64(3), "latency_ms", "is \"bad\"", []byte("{\"a\":\"\\u00e9\\n\x00\u2028\"}"), false)
	f.Add("", "", int64(-1), "", "", []byte("\xff"), true)
	f.Fuzz(func(t *testing.T, source, origin string, no int64, field, reason string, text []byte, isCut bool) {
		d, err := DeadLetter{ID: 7, At: 5, Source: source, Origin: origin, Line: no, Field: field, Reason: reason, Text: text, Cut: isCut}.bounded()
		if err != nil {
			return
		}
		line, _ := appendLetters(nil, append(d.appendRest(nil), '\n'), 7)
		if !soundLine(line) || bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Fatalf("not a line: %q", line)
		}
		got, err := parseLetter(line)
		if err != nil || string(got.Text) != string(d.Text) || got.Line != no || got.Cut != d.Cut || string(got.AppendJSON(nil)) != string(d.AppendJSON(nil)) {
			t.Fatalf("%q: got %+v, %v", line, got, err)
		}
		var fast, slow deadLine
		if err := json.Unmarshal(line, &slow); err != nil {
			t.Fatal(err)
		}
		if utf8.Valid(d.Text) != fast.scan(line) {
			t.Fatalf("%q: read at once: %v", line, !utf8.Valid(d.Text))
		}
		if utf8.Valid(d.Text) && fmt.Sprint(fast) != fmt.Sprint(slow) {
			t.Fatalf("%q:\n%+v\n%+v", line, fast, slow)
		}
	})
}

// FuzzDeadBooks reads any bytes as a file of the zone: nothing breaks, and what is sound in them is listed.
func FuzzDeadBooks(f *testing.F) {
	line, _ := appendLetters(nil, append((&DeadLetter{Reason: "bad", Text: []byte("x")}).appendRest(nil), '\n'), 2)
	for _, r := range []deadRecord{
		{Dead: &deadHeader{1, 5, 3, deadDrop{2, 1}}}, {Drop: &deadDrop{9, 3}}, {State: "discarded", IDs: [][2]int64{{9, 3}, {-4, 1 << 62}}}, {State: "x", IDs: [][2]int64{{2, 2}}},
	} {
		record, err := appendDeadRecord(nil, r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(bytes.Clone(line), record...))
		f.Add(append(record, line...))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, file []byte) {
		layout := Layout{Root: dir}
		if err := errors.Join(os.RemoveAll(layout.Dead()), os.MkdirAll(layout.Dead(), 0o755)); err != nil {
			t.Fatal(err)
		}
		rewrite(t, layout.DeadFile(1), append(file, line...))
		z, err := openDeadZone(layout, OSDisk{}, time.Now, 1<<20, func(error) {})
		if errors.Is(err, ErrNewer) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer z.close()
		letters := lettersOf("new", 2)
		if err := z.bury(t.Context(), letters); err != nil {
			t.Fatal(err)
		}
		last := int64(0)
		if err := z.list(0, func(d *DeadLetter) error { last = d.ID; return nil }); err != nil || last != letters[1].ID {
			t.Fatalf("the newest letter is %d, want %d, %v", last, letters[1].ID, err)
		}
	})
}
