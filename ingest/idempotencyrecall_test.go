package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// noteLog is a log with notes of its own making.
type noteLog struct {
	fakeLog
	list []keptNote // the newest first
	read func(i int)
	err  error
}

type keptNote struct {
	at   lake.Micros
	text string
}

func (l *noteLog) NotesBack(since lake.Micros, fn func(lake.Micros, []byte) bool) error {
	for i, n := range l.list {
		if l.read != nil {
			l.read(i)
		}
		if n.at >= since && !fn(n.at, []byte(n.text)) {
			return nil
		}
	}
	return l.err
}

// noteOf is the note of a key that was used at POST /ingest for the body.
func noteOf(key, body string) string {
	o := &outcome{Status: 200, RequestID: "before", EventID: "e"}
	return string(appendNoteCounts(appendNoteHead(nil, keyIDOf("", "/ingest", key), fingerprintOf([]byte(body)), o), lake.Receipt{Stored: 1}))
}

// ago is the time of a note.
func ago(d time.Duration) lake.Micros { return lake.MicrosOf(testNow.Add(-d)) }

// Other writers' notes are passed over, garbled ones of ours counted, and what is good counts.
func TestRecallOfForeignAndGarbledNotes(t *testing.T) {
	good := noteOf("good", event("e", ""))
	log := &noteLog{list: []keptNote{
		{ago(0), `{"import":{"head":"x"}}`}, {ago(0), `{"replay":1}`}, {ago(0), ""}, {ago(0), "nonsense"},
		{ago(0), `{"key":`}, {ago(0), good[:len(good)-1]}, {ago(0), strings.Replace(good, `"status":200`, `"status":418`, 1)},
		{ago(0), strings.Replace(good, `"accepted":1`, `"accepted":-1`, 1)}, {ago(0), strings.Replace(good, `"before"`, `""`, 1)},
		{ago(0), good}, {ago(0), noteOf("later", event("e", ""))[:40] + good[40:]},
	}}
	b := start(t, func(c *Config) { c.Log = log })
	eventually(t, "the notes are read", func() bool { return !b.Snapshot().Keys.Recalling })
	if k := b.Snapshot().Keys; k.Remembered != 2 || k.Ignored != 5 || k.Err != "" {
		t.Errorf("%+v", k)
	}
	a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, "good")
	if a.header.Get(replayedHeader) == "" || a.text != `{"accepted":1,"duplicate":0,"conflict":0,"event_id":"e","request_id":"before"}`+"\n" {
		t.Errorf("%d %s", a.status, a.text)
	}
	eventually(t, "the log tells", func() bool {
		return slices.ContainsFunc(b.out.lines(), func(s string) bool { return strings.Contains(s, "5 notes of Idempotency-Keys cannot be read") })
	})
}

// While notes are read, requests without a key and with one that was met already are served; any other key waits.
func TestRecallDoesNotHoldUpTheStart(t *testing.T) {
	gate, reading := make(chan struct{}), make(chan struct{})
	log := &noteLog{list: []keptNote{{ago(0), noteOf("new", event("e", ""))}, {ago(time.Hour), noteOf("old", event("e", ""))}}}
	log.read = func(i int) {
		if i == 1 {
			close(reading)
			<-gate
		}
	}
	b := start(t, func(c *Config) { c.Log = log })
	<-reading
	if a := b.do("POST", "/ingest", event("x", "")); a.status != 200 {
		t.Errorf("without a key: %d %s", a.status, a.text)
	}
	if a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, "new"); a.header.Get(replayedHeader) == "" {
		t.Errorf("a key that was met: %d %s", a.status, a.text)
	}
	old := b.dial(strings.Replace(postKey("/ingest", event("e", "")), ": k", ": old", 1))
	fresh := b.dial(postKey("/ingest", event("f", "")))
	eventually(t, "both wait", func() bool { return b.Snapshot().InFlight == 2 })
	wantSilence(t, old)
	close(gate)
	if a := b.read(old); a.header.Get(replayedHeader) == "" {
		t.Errorf("a key of before the start: %d %s", a.status, a.text)
	}
	if a := b.read(fresh); a.status != 200 || a.header.Get(replayedHeader) != "" {
		t.Errorf("a new key: %d %s", a.status, a.text)
	}
	if got := log.take(); len(got) != 2 {
		t.Errorf("%d batches", len(got))
	}
}

// A shutdown does not wait for the notes to be read, and the next start reads on.
func TestRecallEndsWithShutdown(t *testing.T) {
	reading, seen := make(chan struct{}), 0
	var b *bench // set before the gate opens
	log := &noteLog{}
	for i := range 1000 {
		log.list = append(log.list, keptNote{ago(0), noteOf(fmt.Sprint(i), "{}")})
	}
	gate := make(chan struct{})
	log.read = func(int) {
		switch seen++; seen {
		case 1:
			<-gate
		case 100:
			close(reading)
			<-b.ctx().Done()
		}
	}
	b = start(t, func(c *Config) { c.Log = log })
	close(gate)
	<-reading
	if err := b.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if k := b.Snapshot().Keys; !k.Recalling || k.Remembered != 99 {
		t.Errorf("after the shutdown: %+v", k)
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are read", func() bool { return !b.Snapshot().Keys.Recalling })
	if k := b.Snapshot().Keys; k.Remembered != 1000 || k.Ignored != 0 {
		t.Errorf("after the second start: %+v", k)
	}
	b.keys.wantSound(t)
}

func TestRecallTellsOfErrors(t *testing.T) {
	log := &noteLog{list: []keptNote{{ago(0), noteOf("good", event("e", ""))}}, err: errors.New("read raw index: input/output error")}
	b := start(t, func(c *Config) { c.Log = log })
	eventually(t, "the notes are read", func() bool { return !b.Snapshot().Keys.Recalling })
	if k := b.Snapshot().Keys; k.Remembered != 1 || !strings.Contains(k.Err, "input/output error") {
		t.Errorf("%+v", k)
	}
	if a := b.do("POST", "/ingest", event("e", ""), idempotencyHeader, "other"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := b.do("GET", "/health", ""); a.status != 200 || !strings.Contains(a.text, "may be forgotten") {
		t.Errorf("health: %d %s", a.status, a.text)
	}
}

// Bounds hold for what is read, too, and what was used since the start wins over its note.
func TestRecallKeepsTheNewest(t *testing.T) {
	log := &noteLog{}
	for i := range 20 {
		log.list = append(log.list, keptNote{ago(time.Duration(i) * time.Hour), noteOf(fmt.Sprint(i), "{}")})
	}
	open := func(limit int, window time.Duration) (*keyTable, *clockAt) {
		c := &clockAt{testNow}
		table := newKeyTable(&Config{Log: log, Now: c.now, KeyLimit: limit, KeyWindow: window, KeyWait: patience}, func(string) {})
		table.recall(context.Background())
		<-table.recalled
		table.wantSound(t)
		return table, c
	}
	has := func(table *keyTable, want int) {
		t.Helper()
		for i := range 20 {
			if _, known := table.entries[keyIDOf("", "/ingest", fmt.Sprint(i))]; known != (i < want) {
				t.Errorf("key %d of %d: known %v", i, want, known)
			}
		}
	}
	table, _ := open(5, 24*time.Hour)
	has(table, 5)
	table, clock := open(100, 10*time.Hour)
	has(table, 11)
	clock.pass(3 * time.Hour)
	table.forget()
	has(table, 8)

	// The clock stood a month ahead for a while, then was set back: what came before is not older for it.
	for i := 5; i < 8; i++ {
		log.list[i].at = ago(-30 * 24 * time.Hour)
	}
	table, clock = open(100, 10*time.Hour)
	has(table, 11)
	clock.pass(6*time.Hour + 1)
	table.forget()
	has(table, 4)

	// The server was down for a year, or its clock was a year behind: nobody could have sent again meanwhile.
	for i := range log.list {
		log.list[i].at = ago(365*24*time.Hour + time.Duration(i)*time.Hour)
	}
	table, clock = open(100, 10*time.Hour)
	has(table, 11)
	clock.pass(3 * time.Hour)
	table.forget()
	has(table, 8)
}

// FuzzNote: whatever a note holds, it is read or not, and what is read is answered as it was.
func FuzzNote(f *testing.F) {
	good := noteOf("k", "{}")
	f.Add([]byte(good), "r", "e", 3, 1, 2, "field", "reason")
	f.Add([]byte(good[:60]), "\"", "é", 0, 0, 0, "\x00", "\xff")
	f.Add([]byte(`{"key":"`+strings.Repeat("0", 64)), "", "", -1, 1<<40, 7, "", strings.Repeat("r", 5000))
	digits := len(noteKey) + 2*len(keyID{})
	f.Add([]byte(noteKey+strings.ToUpper(good[len(noteKey):digits])+good[digits:]), "", "", 0, 0, 0, "", "")
	f.Add([]byte(`{"import":{}}`), "x", "", 1, 1, 1, "", "")
	f.Fuzz(func(t *testing.T, note []byte, request, event string, stored, duplicates, rejected int, field, reason string) {
		if id, body, answer, ok := parseNote(note); ok {
			o, err := decodeOutcome([]byte(answer))
			if err != nil || answer != answerOf(note) {
				t.Fatalf("%q was read, and then %v", note, err)
			}
			_, _ = o.one(), o.batch()
			if again := appendNoteHead(nil, id, body, o); !strings.EqualFold(string(note[:noteStart]), string(again[:noteStart])) { // hexadecimal digits may be capitals
				t.Fatalf("%q has another key or body when it is written: %q", note, again)
			}
		}
		if !saneRequestID(request) || min(stored, duplicates, rejected) < 0 || max(stored, duplicates) > lakeBatchEvents {
			return
		}
		o := &outcome{Status: 422, RequestID: request, EventID: event, RejectedTotal: rejected}
		for i := range min(rejected, maxListed) {
			o.Rejected = append(o.Rejected, lineError{Line: i + 1, Field: field, Reason: reason})
		}
		written := appendNoteCounts(appendNoteHead(nil, keyID{1}, fingerprint{2}, o), lake.Receipt{Stored: stored, Duplicates: duplicates})
		if len(request)+len(event)+len(field)+len(reason) < 300 && len(written) > maxNote {
			t.Fatalf("a note of %d bytes", len(written))
		}
		if len(written) > maxNote || rejected > 1<<31-1 {
			return
		}
		id, body, answer, ok := parseNote(written)
		back, err := decodeOutcome([]byte(answer))
		if !ok || err != nil || id != (keyID{1}) || body != (fingerprint{2}) || back.Accepted != stored || back.Duplicate != duplicates || back.RejectedTotal != rejected || back.RequestID != request {
			t.Fatalf("%q became %+v, %v", written, back, err)
		}
	})
}

// lakeBatchEvents is the most that a receipt counts.
const lakeBatchEvents = 1 << 18

// BenchmarkRecall reads a full window from memory: what is ours of a start.
func BenchmarkRecall(b *testing.B) {
	log := &noteLog{}
	for i := range defaultKeyLimit {
		log.list = append(log.list, keptNote{ago(0), noteOf(fmt.Sprint(i), "{}")})
	}
	for b.Loop() {
		table, _ := testTable(defaultKeyLimit, time.Hour)
		table.log = log
		if ignored, err := table.readNotes(context.Background()); ignored != 0 || err != nil || len(table.entries) != defaultKeyLimit {
			b.Fatal(ignored, err, len(table.entries))
		}
	}
}
