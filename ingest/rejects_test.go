package ingest

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// wantLetters compares exactly what was buried: line, field, and the first 60 bytes of the text.
func (b *bench) wantLetters(what string, want ...string) []lake.DeadLetter {
	b.t.Helper()
	got := b.log.takeLetters()
	var show []string
	for _, d := range got {
		show = append(show, fmt.Sprintf("%d %s %s", d.Line, d.Field, cut(string(d.Text), 60)))
		if d.Source != "api 127.0.0.1" || d.At != lake.MicrosOf(testNow) || d.Origin != "request mine" || d.Reason == "" {
			b.t.Errorf("%s: kept as %+v", what, d)
		}
	}
	if strings.Join(show, "\n") != strings.Join(want, "\n") {
		b.t.Errorf("%s: kept\n%s\nwant\n%s", what, strings.Join(show, "\n"), strings.Join(want, "\n"))
	}
	return got
}

func TestRefusedInputIsKept(t *testing.T) {
	b := start(t, nil)
	one, bad := event("e1", ""), `{"timestamp":"2026-11-21T07:59:59Z","service_name":"a","latency_ms":"fast"}`
	try := func(path, what, body string, status int, want ...string) []lake.DeadLetter {
		t.Helper()
		if a := b.do("POST", path, body, "X-Request-ID", "mine"); a.status != status {
			t.Errorf("%s: %d %s", what, a.status, a.text)
		}
		return b.wantLetters(what, want...)
	}
	shown := " latency_ms " + bad[:60]
	try("/ingest", "an event that is right", one, 200)
	try("/ingest", "one bad event", bad, 422, "1"+shown)
	try("/ingest", "half an event", " "+one[:40], 400, "1  "+one[:40])
	try("/ingest", "nothing", " \n", 400)
	try("/ingest/batch", "all right", one+"\n"+one, 200)
	try("/ingest/batch", "two of four", one+"\n"+bad+"\nhello \r\n"+one, 200, "2"+shown, "3  hello")
	try("/ingest/batch", "an array", "["+one+","+bad+",7]", 200, "2"+shown, "3  7")
	try("/ingest/batch", "all bad", bad+"\n"+bad, 422, "1"+shown, "2"+shown)
	try("/ingest/batch", "garbage is kept as a whole", "hello\nworld\n", 400, "0  hello\nworld\n")
	try("/ingest/batch", "so is an array that breaks off", "["+bad+",", 400, "0  "+("[" + bad)[:60])
	try("/ingest/batch", "and compressed bytes", "\x1f\x8b\x08\x00", 400, "0  \x1f\x8b\x08\x00")
	try("/ingest/batch", "nothing, again", "", 400)
	try("/ingest/batch", "one object over several lines", "{\n"+bad[1:], 422, "1 latency_ms "+("{\n" + bad[1:])[:60])
	try("/ingest/batch", "several on one line", one+bad+"{}", 200, "1"+shown, "1 service_name {}")
	if r := try("/ingest/batch", "the reason", bad, 422, "1"+shown)[0].Reason; !strings.Contains(r, "number") {
		t.Errorf("the reason is %q", r)
	}
	if a := b.do("GET", "/ingest", "", "X-Request-ID", "mine"); a.status != 405 {
		t.Errorf("%d", a.status)
	}
	b.wantLetters("a wrong method")
}

// More refused lines than wait in memory are all kept, in order and once.
func TestManyRefusedLines(t *testing.T) {
	b := start(t, nil)
	const n = 3*maxLetters - 5
	numbered := func(kind string) (lines []string) {
		for i := range n {
			lines = append(lines, fmt.Sprintf(kind, i))
		}
		return lines
	}
	check := func(what, body string, status, first, step int) {
		t.Helper()
		a := b.do("POST", "/ingest/batch", body)
		got := b.log.takeLetters()
		if a.status != status || len(got) != n || a.json["rejected_total"] != float64(n) {
			t.Fatalf("%s: %d, %d letters, %.200s", what, a.status, len(got), a.text)
		}
		for i, d := range got {
			if d.Line != int64(first+i*step) || !strings.Contains(string(d.Text), fmt.Sprint(i)) {
				t.Fatalf("%s: letter %d is %d %q", what, i, d.Line, d.Text)
			}
		}
	}
	lines := numbered("hello %d")
	check("lines behind an event", event("e", "")+"\n"+strings.Join(lines, "\n"), 200, 2, 1)
	check("an array", "["+strings.Join(numbered(`"%d"`), ",")+","+event("e", "")+"]", 200, 1, 1)
	check("an array of nothing else", "["+strings.Join(numbered(`"%d"`), ",")+"]", 422, 1, 1)
	check("objects on one line", strings.Join(numbered(`{"n":%d}`), "")+event("e", "")+"\n", 200, 1, 0)
}

// What is no batch is one letter, however long it is, and nothing of it is kept twice.
func TestLongGarbageIsOneLetter(t *testing.T) {
	b := start(t, nil)
	for what, body := range map[string]string{
		"lines":            strings.Repeat("hello\n", 3*maxLetters),
		"an array":         "[" + strings.Repeat("1,", 3*maxLetters) + "x]",
		"an array cut off": "[" + strings.Repeat("1,", 3*maxLetters),
		"values":           strings.Repeat("{x}", 3*maxLetters),
	} {
		a := b.do("POST", "/ingest/batch", body)
		got := b.log.takeLetters()
		if a.status != 400 || len(got) != 1 || string(got[0].Text) != body {
			t.Errorf("%s: %d, %d letters, %.200s", what, a.status, len(got), a.text)
		}
		b.wantStored()
	}
	long := "{\n" + strings.Repeat("\n", 3*maxLetters) + event("e", "")[1:]
	if a := b.do("POST", "/ingest/batch", long); a.status != 200 || len(b.log.takeLetters()) != 0 {
		t.Errorf("one object over many lines: %d %s", a.status, a.text)
	}
}

// What cannot be kept is not acknowledged, and nothing is appended.
func TestBuryErrors(t *testing.T) {
	b := start(t, nil)
	mixed := event("e1", "") + "\nhello\n"
	fail := func(err error) {
		b.log.mu.Lock()
		defer b.log.mu.Unlock()
		b.log.buryErr = err
	}
	try := func(err error, text string) {
		t.Helper()
		for _, body := range []string{mixed, "{}\n{}", "hello", event("e", "") + strings.Repeat("\nhello", 2*maxLetters)} {
			fail(err)
			a := b.do("POST", "/ingest/batch", body)
			if a.status != 503 || !strings.Contains(a.text, text) {
				t.Errorf("%v: %d, %s", err, a.status, a.text)
			}
			a.wantRetry(t, err.Error(), time.Second)
			b.heal()
		}
		fail(err)
		if a := b.do("POST", "/ingest", "{}"); a.status != 503 || !strings.Contains(a.text, text) {
			t.Errorf("one event: %d %s", a.status, a.text)
		}
		if a := b.do("GET", "/health", ""); a.status != 503 || !strings.Contains(a.text, "failing") {
			t.Errorf("health: %d %s", a.status, a.text)
		}
		b.heal()
		b.wantStored()
	}
	try(fmt.Errorf("%w: %w", lake.ErrBury, syscall.EIO), "the rejected lines could not be kept")
	try(fmt.Errorf("%w: %w", lake.ErrBury, syscall.ENOSPC), "the disk is full")
	if a := b.do("POST", "/ingest/batch", mixed); a.status != 200 || len(b.log.takeLetters()) != 1 {
		t.Errorf("afterwards: %d %s", a.status, a.text)
	}
}

// A sender who is told to come again leaves nothing behind: it would be there twice.
func TestBacklogKeepsNothing(t *testing.T) {
	b := start(t, nil)
	b.log.backlog = fmt.Errorf("%w: full", lake.ErrBacklog)
	a := b.do("POST", "/ingest/batch", event("e1", "")+"\nhello\n")
	if a.status != 429 || len(b.log.takeLetters()) != 0 {
		t.Errorf("%d %s", a.status, a.text)
	}
	b.wantStored()
	if a := b.do("POST", "/ingest", "{}"); a.status != 429 || len(b.log.takeLetters()) != 0 {
		t.Errorf("refused before it is read: %d %s", a.status, a.text)
	}
}

// The next request's body takes the place of the one before; a letter must not.
func TestLettersDoNotMix(t *testing.T) {
	s, err := New(Config{Log: &fakeLog{}})
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{start: testNow}
	wk := s.borrow(x)
	wk.keeper = nowhere{}
	if err := wk.batch(context.Background(), []byte(event("e", "")+"\nhello")); err != nil || len(wk.letters) != 1 {
		t.Fatal(err, wk.letters)
	}
	letters := wk.letters
	s.giveBack(x, wk)
	if len(wk.letters) != 0 || letters[0].Text != nil || wk.keeper != nil {
		t.Errorf("a request's leavings: %+v", wk.rejects)
	}
}
