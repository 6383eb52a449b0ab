package ingest

import (
	"context"
	"fmt"
	"slices"
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

// keptTexts are the refused lines of letters, one by one, with the numbers of those that have a letter of their own.
func keptTexts(letters []lake.DeadLetter) (texts []string, numbers []int64) {
	for _, d := range letters {
		if strings.Contains(d.Reason, "share this letter") {
			texts = append(texts, strings.Split(string(d.Text), "\n")...)
			continue
		}
		texts, numbers = append(texts, string(d.Text)), append(numbers, d.Line)
	}
	return texts, numbers
}

// zoneBytes is what letters take in the dead zone, checksums included.
func zoneBytes(letters []lake.DeadLetter) (n int) {
	for i := range letters {
		n += len(letters[i].AppendJSON(nil)) + len(`,"crc32c":4294967295`) + 1
	}
	return n
}

// More refused lines than wait in memory are all kept, in order and once: the first of them alone, then many to a letter.
func TestManyRefusedLines(t *testing.T) {
	b := start(t, nil)
	const n = 3*maxLetters - 5
	numbered := func(kind string) (lines []string) {
		for i := range n {
			lines = append(lines, fmt.Sprintf(kind, i))
		}
		return lines
	}
	wide := strings.Repeat("x", 300)
	check := func(what, body string, status, first, step int, lines []string) {
		t.Helper()
		a := b.do("POST", "/ingest/batch", body)
		letters := b.log.takeLetters()
		got, own := keptTexts(letters)
		if a.status != status || a.json["rejected_total"] != float64(n) || !slices.Equal(got, lines) {
			t.Fatalf("%s: %d, %d lines kept, %.200s", what, a.status, len(got), a.text)
		}
		for i, line := range own {
			if line != int64(first+i*step) {
				t.Fatalf("%s: letter %d is of line %d", what, i, line)
			}
		}
		if strings.Contains(body, wide) != (len(own) == n) || len(own) < 100 {
			t.Errorf("%s: %d lines of %d have letters of their own", what, len(own), n)
		}
		if took := zoneBytes(letters); took > freeLetters+6*len(body) {
			t.Errorf("%s: %d bytes took %d in the dead zone", what, len(body), took)
		}
	}
	lines, long, quoted, objects := numbered("hello %d"), numbered(wide+"%d"), numbered(`"%d"`), numbered(`{"n":%d}`)
	check("lines behind an event", event("e", "")+"\n"+strings.Join(lines, "\n"), 200, 2, 1, lines)
	check("lines before an event", strings.Join(lines, "\n")+"\n"+event("e", ""), 200, 1, 1, lines)
	check("long lines", event("e", "")+"\n"+strings.Join(long, "\n"), 200, 2, 1, long)
	check("an array", "["+strings.Join(quoted, ",")+","+event("e", "")+"]", 200, 1, 1, quoted)
	check("an array of nothing else", "["+strings.Join(quoted, ",")+"]", 422, 1, 1, quoted)
	check("objects on one line", strings.Join(objects, "")+event("e", "")+"\n", 200, 1, 0, objects)
}

// Whatever a body holds, it takes a small multiple of its size in the dead zone, where a letter a line would take up to sixty times.
func TestHostileBodiesDoNotFillTheDeadZone(t *testing.T) {
	b := start(t, nil)
	for what, unit := range map[string]string{
		"empty objects": "{}\n", "objects on one line": "{}", "digits": "1\n", "control characters": "\x01\n", "long control characters": strings.Repeat("\x02", 5000) + "\n",
		"quotes": "\"\n", "no UTF-8": "\xff\n", "long values": `{"service_name":"` + strings.Repeat("y", 900) + `"}` + "\n", "good and bad": event("", "") + "\n{}\n",
	} {
		body := event("e", "") + "\n" + strings.Repeat(unit, 1<<20/len(unit))
		a := b.do("POST", "/ingest/batch", body)
		letters := b.log.takeLetters()
		texts, _ := keptTexts(letters)
		if a.status != 200 || float64(len(texts)) != a.json["rejected_total"] {
			t.Errorf("%s: %d, %d lines kept, %.200s", what, a.status, len(texts), a.text)
		}
		if took := zoneBytes(letters); took > freeLetters+(lettersPerByte+6)*len(body) {
			t.Errorf("%s: %d bytes took %d in the dead zone", what, len(body), took)
		} else {
			t.Logf("%s: %.1f times", what, float64(took)/float64(len(body)))
		}
	}
}

// A line of 64 KiB and more does not share: what is cut of it, its own letter says.
func TestLongLinesKeepTheirLetters(t *testing.T) {
	b := start(t, nil)
	long := strings.Repeat("z", maxLetterText)
	body := event("e", "") + strings.Repeat("\n{}", 200_000) + "\n" + long + "\n" + long + "\n{}\n{}"
	if a := b.do("POST", "/ingest/batch", body); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	letters := b.log.takeLetters()
	last := letters[len(letters)-3:]
	if string(last[0].Text) != long || string(last[1].Text) != long || string(last[2].Text) != "{}\n{}" || !strings.Contains(last[2].Reason, "2 refused lines share this letter, up to line 200005") {
		t.Errorf("the last letters have %d, %d and %q, %s", len(last[0].Text), len(last[1].Text), last[2].Text, last[2].Reason)
	}
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
	wk.keeper, wk.scribe = nowhere{}, s.scribe()
	if err := wk.batch(context.Background(), []byte(event("e", "")+"\nhello")); err != nil || len(wk.letters) != 1 {
		t.Fatal(err, wk.letters)
	}
	letters := wk.letters
	s.giveBack(x, wk)
	if len(wk.letters) != 0 || letters[0].Text != nil || wk.keeper != nil {
		t.Errorf("a request's leavings: %+v", wk.rejects)
	}
}
