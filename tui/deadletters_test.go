package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// buried is a console over a fake with dead letters, on the Ingest screen.
func buried(t *testing.T, w, h int) (*driver, *deadZone) {
	t.Helper()
	f := newFake()
	z := f.bury()
	d := drive(t, f, w, h)
	d.press("5")
	return d, z
}

// pause lets the zone's answers wait until the returned func is called; asked gets a value for each that waits.
func (z *deadZone) pause() (asked chan struct{}, resume func()) {
	z.f.mu.Lock()
	defer z.f.mu.Unlock()
	z.hold, z.asking = make(chan struct{}), make(chan struct{}, 16)
	hold := z.hold
	return z.asking, func() {
		z.f.mu.Lock()
		z.hold = nil
		z.f.mu.Unlock()
		close(hold)
	}
}

// await waits until something has been asked for.
func await(t *testing.T, asked <-chan struct{}) {
	t.Helper()
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("it was not asked for")
	}
}

// lists tells whether the panel has a group of a source.
func (d *driver) lists(source string) bool {
	return slices.ContainsFunc(d.app.ingest.letters.groups, func(g replay.Group) bool { return g.Source == source })
}

func (z *deadZone) kept() int {
	z.f.mu.Lock()
	defer z.f.mu.Unlock()
	return len(z.letters)
}

// TestMarksSurviveRefresh: groups come and go and change places; marks and the cursor stay with theirs.
func TestMarksSurviveRefresh(t *testing.T) {
	d, z := buried(t, 120, 36)
	d.press("down", "space") // service_name; the cursor goes on to timestamp
	d.wants("1 marked")
	for i := range 60 {
		z.add(fakeNow, "api new", i, fmt.Sprintf(`{"timestamp":"2026-11-21T13:00:00Z","service_name":"n","status_code":%d}`, 700+i))
	}
	d.elapse(2 * time.Second)
	d.wants("1 marked", "status_code: must")
	if g, _ := d.app.ingest.letters.current(); g.Field != "timestamp" {
		t.Errorf("the cursor is on %s", g.Kind)
	}
	if set := d.app.ingest.letters.chosen(); len(set.pick.Groups) != 1 || set.pick.Groups[0].Source != "api payments" {
		t.Errorf("marked is %+v", set.pick)
	}
	z.remove(func(d *lake.DeadLetter) bool { return d.Source == "api payments" })
	d.elapse(2 * time.Second)
	d.lacks("marked", "service_name: is missing")
	z.add(fakeNow, "api payments", 1, `{"timestamp":"2026-11-21T13:00:00Z"}`)
	d.elapse(2 * time.Second)
	d.wants("service_name: is missing")
	d.lacks("marked") // nobody has marked this one
	d.press("space", "up", "space")
	d.lacks("marked")
}

// TestGroupsInFlight: one question at a time; an answer from before a task of ours changed the zone is dropped; Ctrl+C ends one, g asks again.
func TestGroupsInFlight(t *testing.T) {
	d, z := buried(t, 120, 36)
	calls := z.calls
	asked, resume := z.pause()
	z.add(fakeNow, "api 127.0.0.1", 1, `{"timestamp":"2026-11-21T13:00:00Z"}`)
	tick := func() {
		d.fake.mu.Lock()
		d.fake.now = d.fake.now.Add(time.Second)
		d.fake.mu.Unlock()
		d.send(tickMsg{})
	}
	tick()
	await(t, asked)
	for range 20 {
		tick()
	}
	if z.calls != calls+1 {
		t.Errorf("%d questions are in flight", z.calls-calls)
	}
	d.wants("as of 21s ago") // what is shown is old by now, and says so
	d.app.ingest.letters.changed()
	z.remove(func(d *lake.DeadLetter) bool { return d.Source != "api 127.0.0.1" })
	resume()
	d.settle()
	if !d.lists("api payments") {
		t.Error("the answer that was in flight was taken")
	}
	d.elapse(tickEvery)
	if d.lists("api payments") || len(d.app.ingest.letters.groups) != 3 {
		t.Errorf("the groups are %v", d.app.ingest.letters.groups)
	}

	asked, resume = z.pause()
	z.add(fakeNow, "api late", 1, `{"timestamp":"2026-11-21T13:00:00Z"}`)
	tick()
	await(t, asked)
	d.press("ctrl+c")
	d.wants("stopped: g asks again")
	resume()
	d.elapse(10 * time.Second)
	if d.lists("api late") {
		t.Error("a stopped question was answered")
	}
	d.press("g")
	d.elapse(tickEvery)
	if !d.lists("api late") {
		t.Errorf("g did not ask again:\n%s", d.text())
	}
}

// TestGroupsSayTheirAge: groups that a zone has outgrown are dated and not left for long; who comes back to the screen does not wait for them.
func TestGroupsSayTheirAge(t *testing.T) {
	d, z := buried(t, 120, 36)
	p := d.app.ingest.letters
	late := func(source string) { z.add(fakeNow, source, 1, `{"timestamp":"2026-11-21T13:00:00Z"}`) }
	p.took = time.Minute // as if the zone were that large
	d.elapse(10 * time.Second)
	d.lacks("as of") // old, and true
	p.at, p.took = d.app.now, 3*time.Second
	late("api late")
	d.elapse(2 * time.Second)
	d.wants("as of 5s ago")
	d.elapse(11 * time.Second)
	if d.lacks("as of"); !d.lists("api late") {
		t.Error("after four times the reading's own time it was not read again")
	}
	p.at, p.took = d.app.now, time.Minute
	late("api later")
	d.elapse(21 * time.Second)
	if !d.lists("api later") {
		t.Error("it rests for more than 20 s")
	}
	p.at, p.took = d.app.now, time.Minute
	d.press("4")
	late("api last")
	d.elapse(tickEvery)
	d.press("5")
	if !d.lists("api last") {
		t.Error("it was not read when the screen was opened")
	}
	p.at, p.took = d.app.now, time.Minute
	late("api exported")
	d.elapse(tickEvery)
	d.press("x", "enter")
	d.elapse(tickEvery)
	if !d.lists("api exported") {
		t.Error("it was not read after an export")
	}
}

func TestGroupsThatFail(t *testing.T) {
	f := newFake()
	z := f.bury()
	z.fail = errors.New("dead/00000000000000000001.jsonl: input/output error")
	d := drive(t, f, 120, 36)
	d.press("5")
	d.wants("input/output", "reads again in 5s", "signallake-tui dead")
	d.press("F")
	d.wants("fix: they cannot be read: see the panel")
	f.mu.Lock()
	z.fail = nil
	f.mu.Unlock()
	d.elapse(6 * time.Second)
	d.wants("latency_ms: must be a number")
	d.lacks("input/output")
	f.mu.Lock()
	z.fail = errors.New("permission denied")
	f.mu.Unlock()
	z.put(lake.DeadLetter{Source: "x", Reason: "y", Text: []byte("z")})
	d.elapse(2 * time.Second)
	d.wants("latency_ms: must be a number", "× permission denied", "as of") // the last good ones stay, dated
	d.press("v")
	d.wants("× permission denied", "↓ reads again")
	f.mu.Lock()
	z.fail = nil
	f.mu.Unlock()
	d.press("down")
	d.wants("41 of 41 letters")
}

// TestNoneIsNotNotRead: an empty zone, one that is being read and none at all look different.
func TestNoneIsNotNotRead(t *testing.T) {
	f := newFake()
	z := f.bury()
	z.remove(func(*lake.DeadLetter) bool { return true })
	f.api.Rejected = 0
	d := drive(t, f, 120, 36)
	d.press("5", "tab")
	d.wants("nothing was refused")
	d.press("F")
	d.wants("fix: there are none")
	if z.calls != 0 {
		t.Errorf("an empty zone was read %d times", z.calls)
	}
	f.mu.Lock()
	f.api.Rejected, f.dead.Dropped = 412, 7
	f.mu.Unlock()
	d.elapse(tickEvery)
	d.wants("the API has refused 412", "7 oldest were dropped")
	asked, resume := z.pause()
	z.add(fakeNow, "api", 1, `{}`)
	d.send(tickMsg{})
	await(t, asked)
	d.wants("reading 1 dead letter")
	resume()
	d.settle()
	d.wants("service_name: is missing")
}

func TestLettersReadOnly(t *testing.T) {
	f := newFake().readOnly()
	f.bury().why = "serve (process 4711) owns this lake: start it there"
	d := drive(t, f, 120, 36)
	d.press("5")
	d.wants("latency_ms: must be a number", "v view", "x export")
	d.lacks("F fix", "D discard")
	for _, k := range []string{"F", "r", "R", "D"} {
		d.press(k)
		d.wants("serve (process 4711) owns this lake")
		if len(d.app.overlays) != 0 {
			t.Fatalf("%s opened a dialog", k)
		}
	}
	d.press(":", "text:replay all")
	d.wants("off: serve (process 4711)")
	d.press("esc", "v")
	d.wants("41 of 41 letters")
	d.press("F")
	d.wants("serve (process 4711) owns this lake")
	d.press("esc")
	f.mu.Lock()
	f.gone = true
	f.mu.Unlock()
	d.elapse(5 * time.Second)
	d.press("r")
	d.wants("the lake's owner is gone")
}

func TestLettersByMouse(t *testing.T) {
	d, _ := buried(t, 120, 36)
	d.click("service_name: is missing")
	if g, _ := d.app.ingest.letters.current(); g.Field != "service_name" {
		t.Errorf("the click went to %s", g.Kind)
	}
	d.click("service_name: is missing") // twice is Enter
	d.wants("12 of 12 letters")
	d.click("svc")
	d.wants("letter 1 of 12")
	d.press("esc", "esc")
	d.click("F fix")
	d.wants("fix and replay 12")
	d.click("Enter  replay 12")
	d.elapse(tickEvery)
	d.wants("12 of 12 were accepted")
	d, _ = buried(t, 80, 24)
	d.click("Tab: last requests")
	d.wants("POST /ingest/batch checkout")
	d.click("Tab: 59 dead letters")
	d.wants("latency_ms: must be a number")
}

// TestManyAndLargeLetters: ten thousand reasons and letters of 64 KiB without a blank do not hold up a key.
func TestManyAndLargeLetters(t *testing.T) {
	f := newFake()
	z := f.bury()
	for i := range 10_000 {
		reason := "short"
		if i%1000 == 999 {
			reason = strings.Repeat("long ", 800)
		}
		z.put(lake.DeadLetter{At: lake.MicrosOf(fakeNow), Source: fmt.Sprintf("import file-%d.log", i), Field: "latency_ms", Reason: reason, Text: []byte("{}")})
	}
	for i := range 3 {
		z.put(lake.DeadLetter{At: lake.MicrosOf(fakeNow), Source: "zzz", Reason: "is large", Text: []byte(strings.Repeat(string(rune('a'+i)), 64<<10)), Cut: true})
	}
	d := drive(t, f, 160, 45)
	d.press("5", "G", "space")
	d.wants("1 marked", "import file-9999.log")
	d.press("D")
	d.wants("1 dead letter would go for good")
	d.press("esc", "g")
	d.wants("latency_ms: must be a number")
	d.press("down", "down")
	for range 4 {
		if g, _ := d.app.ingest.letters.current(); g.Source == "zzz" {
			break
		}
		d.press("down")
	}
	d.press("enter")
	d.wants("3 of 3 letters: is large")
	d.press("enter")
	d.wants("letter 1 of 3", "the first 64 KB were kept")
	d.press("G")
	d.wants("cccc")
}

func TestHostileLetters(t *testing.T) {
	f := newFake()
	z := f.bury()
	for _, text := range []string{hostile, `{"a":"` + hostile + `"}`, "{\"latency_ms\":\"\x1b[31m12\",\"\x1b[2J\":1}"} {
		z.put(lake.DeadLetter{At: lake.MicrosOf(fakeNow), Source: hostile, Origin: hostile, Field: hostile, Reason: hostile, Text: []byte(text)})
	}
	z.remove(func(d *lake.DeadLetter) bool { return d.Source != hostile })
	d := drive(t, f, 120, 36)
	for _, k := range []string{"5", "enter", "enter", "y", "esc", "esc", "esc", "F", "esc", "r", "esc", "D", "esc", "x", "esc", "space"} {
		d.press(k)
		for _, r := range d.text() {
			if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x200d {
				t.Fatalf("%s: %U reaches the terminal", k, r)
			}
		}
	}
}

// TestRejectsWithoutLetters: a console that cannot work with dead letters shows what its API has refused, and the keys are not there.
func TestRejectsWithoutLetters(t *testing.T) {
	d := drive(t, newFake(), 120, 36)
	d.press("5", "F")
	d.wants("rejected lines, by reason")
	d.lacks("F fix", "dead letters, by reason")
	d.press(":", "text:replay all")
	d.wants("off: not part of this console")
}

// TestLettersWithoutAPI: the zone outlives the API, and is worked with where none runs.
func TestLettersWithoutAPI(t *testing.T) {
	f := newFake()
	f.bury()
	f.api = ingest.Snapshot{Err: "listen 127.0.0.1:8000: address already in use"}
	d := drive(t, f, 80, 24)
	d.press("5")
	d.wants("address already in use", "latency_ms: must be a number", "the event is no valid JSON")
	d.lacks("last requests")
	d.press("tab")
	d.press("F")
	d.wants("38 of 41")
}

// BenchmarkLetters draws the panel over ten thousand groups, and the reader over a letter of 64 KiB.
func BenchmarkLetters(b *testing.B) {
	f := newFake()
	z := f.bury()
	for i := range 10_000 {
		z.put(lake.DeadLetter{At: lake.MicrosOf(fakeNow), Source: fmt.Sprintf("import file-%d.log", i), Field: "latency_ms", Reason: "long", Text: []byte(strings.Repeat("x", 64<<10))})
	}
	for _, screen := range []struct {
		name string
		keys []string
	}{{"panel", []string{"5"}}, {"list", []string{"5", "enter"}}, {"letter", []string{"5", "G", "enter", "enter"}}, {"fix", []string{"5", "F"}}} {
		b.Run(screen.name, func(b *testing.B) {
			d := newDriver(&testing.T{}, f)
			d.send(tea.WindowSizeMsg{Width: 200, Height: 60})
			d.do(d.app.Init())
			d.settle()
			d.press(screen.keys...)
			b.ReportAllocs()
			for b.Loop() {
				d.app.View()
			}
		})
	}
}
