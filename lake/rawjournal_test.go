package lake_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// sent is one batch that a test handed to the log, and between which of the disk's operations that was.
type sent struct {
	name       string
	batch      lake.Batch
	first      lake.Seq
	from, upTo int // disk operations before the call and after its answer
	failed     bool
	attempts   int
}

// journal is what a test sent to a log, and how it opens it.
type journal struct {
	journaled bool // with a journal of the log's own from the first group on, so small that it turns all the time, and not for every group
	mu        sync.Mutex
	sent      []sent
}

func (j *journal) open(dir string, d lake.Disk, segmentBytes int64) (lake.RawLog, error) {
	if j.journaled {
		return lake.OpenJournaled(lake.Layout{Root: dir}, d, fixedNow, segmentBytes, 0, 8<<10, 1000)
	}
	return lake.OpenRawLog(lake.Layout{Root: dir}, d, fixedNow, segmentBytes, false)
}

// bothWays runs a test with a log that syncs both its files, and with one that has a journal.
func bothWays(t *testing.T, test func(t *testing.T, journaled bool)) {
	t.Parallel()
	t.Run("two syncs", func(t *testing.T) { t.Parallel(); test(t, false) })
	t.Run("journal", func(t *testing.T) { t.Parallel(); test(t, true) })
}

// append sends a batch in the middle of an earlier one and of itself, as a sender does that is not sure of its answers: only what is new is stored. A batch
// that failed may be sent again under its name.
func (j *journal) append(t testing.TB, r lake.RawLog, ops func() int, name string, n int) error {
	j.mu.Lock()
	at := slices.IndexFunc(j.sent, func(s sent) bool { return s.name == name })
	earlier := slices.Collect(func(yield func(sent) bool) {
		for _, s := range j.sent {
			if !s.failed && !yield(s) {
				return
			}
		}
	})
	j.mu.Unlock()
	s := sent{name: name, batch: eventsOf(name, n), from: ops(), attempts: 1}
	if at >= 0 {
		s.from, s.attempts = j.sent[at].from, j.sent[at].attempts+1
	}
	whole := joined(s.batch, s.batch)
	if len(earlier) > 0 {
		again := earlier[len(earlier)/2].batch
		whole = joined(joined(again, s.batch), joined(again, s.batch))
	}
	whole.Remark = func(lake.Receipt) []byte { return []byte(name) }
	receipt, err := r.Take(t.Context(), whole)
	if err == nil && (receipt.Stored != n || receipt.Duplicates != whole.N-n || receipt.Conflicts != 0) {
		t.Errorf("batch %s: %+v of %d events, %d of them new", name, receipt, whole.N, n)
	}
	s.first, s.upTo, s.failed = receipt.First, ops(), err != nil
	j.mu.Lock()
	defer j.mu.Unlock()
	if at >= 0 {
		j.sent[at] = s
	} else {
		j.sent = append(j.sent, s)
	}
	return err
}

// resend sends everything once more, as senders do after a crash: what was acknowledged is known to the last event, what was not is stored now or was,
// wholly. Then everything is there exactly once.
func (j *journal) resend(t *testing.T, r lake.RawLog, cut int) error {
	var acked lake.Batch
	want := map[string]bool{}
	for _, s := range j.sent {
		if s.from >= cut {
			continue
		}
		for _, l := range splitLines(0, s.batch.Lines) {
			want[l.line] = true
		}
		if s.acked(cut) {
			acked = joined(acked, s.batch)
			continue
		}
		receipt, err := r.Take(t.Context(), s.batch)
		if err != nil || (receipt.Stored != s.batch.N && receipt.Duplicates != s.batch.N) {
			return fmt.Errorf("batch %s, which was not acknowledged, sent again: %+v, %v", s.name, receipt, err)
		}
	}
	if acked.N > 0 {
		receipt, err := r.Take(t.Context(), acked)
		if err != nil || receipt.Duplicates != acked.N {
			return fmt.Errorf("%d acknowledged events sent again: %+v, %v", acked.N, receipt, err)
		}
	}
	got, err := readAll(r)
	if err != nil {
		return err
	}
	for _, l := range got {
		if !want[l.line] && !strings.HasPrefix(l.line, newLine) {
			return fmt.Errorf("sent again: twice or foreign: %s", l.line)
		}
		delete(want, l.line)
	}
	if len(want) > 0 {
		return fmt.Errorf("sent again: %d events are not there", len(want))
	}
	return nil
}

// newLine begins the lines of batches that are not the journal's.
const newLine = `{"event_id":"new`

func (s *sent) acked(cut int) bool { return !s.failed && s.upTo <= cut }

// checkNotes: the note of what was acknowledged is there, no note more often than it was sent, and both ways to walk them agree.
func (j *journal) checkNotes(r lake.RawLog, cut int) error {
	var notes, back []string
	count := map[string]int{}
	err := r.Notes(0, func(_ lake.Seq, _ int, _ lake.Micros, note []byte) error {
		notes = append(notes, string(note))
		count[string(note)]++
		return nil
	})
	if err == nil {
		err = r.NotesBack(0, func(_ lake.Micros, note []byte) bool { back = append(back, string(note)); return true })
	}
	slices.Reverse(back)
	if err != nil || !slices.Equal(notes, back) {
		return fmt.Errorf("notes %q, back %q, %v", notes, back, err)
	}
	for _, s := range j.sent {
		if n := count[s.name]; (s.acked(cut) && n == 0) || n > s.attempts {
			return fmt.Errorf("the note of batch %s is there %d times, acknowledged %v", s.name, n, s.acked(cut))
		}
	}
	return nil
}

// check compares events with the journal at a cut: what was acknowledged before it is there, once, with the seq that was answered; what was
// under way is there wholly or not at all; nothing else is.
func (j *journal) check(got []lineAt, cut int) error {
	byLine := map[string]lake.Seq{}
	last := lake.Seq(0)
	for _, l := range got {
		if l.seq <= last {
			return fmt.Errorf("seq %d after %d", l.seq, last)
		}
		if _, twice := byLine[l.line]; twice {
			return fmt.Errorf("twice: %s", l.line)
		}
		byLine[l.line], last = l.seq, l.seq
	}
	for _, s := range j.sent {
		if s.from >= cut {
			continue // not sent yet; if it is there, it is counted as foreign below
		}
		want := splitLines(s.first, s.batch.Lines)
		present := 0
		for i, l := range want {
			seq, ok := byLine[l.line]
			if !ok {
				continue
			}
			present++
			if s.acked(cut) && seq != l.seq {
				return fmt.Errorf("batch %s: event %d has seq %d, acknowledged as %d", s.name, i, seq, l.seq)
			}
			delete(byLine, l.line)
		}
		acked := s.acked(cut)
		if present != len(want) && (acked || present != 0) {
			return fmt.Errorf("batch %s: %d of %d events, acknowledged %v", s.name, present, len(want), acked)
		}
	}
	for line := range byLine {
		return fmt.Errorf("foreign: %s", line)
	}
	return nil
}

// reopen checks a materialised state: first as a reader finds it, then after recovery, with a new append, and once more.
func (j *journal) reopen(t *testing.T, dir string, cut int, damageAllowed bool) error {
	t.Helper()
	reader, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, true)
	if err != nil {
		return fmt.Errorf("open read-only: %w", err)
	}
	got, err := readAll(reader)
	lacks, lacksErr := lake.JournalLacks(lake.Layout{Root: dir})
	if err = errors.Join(err, lacksErr); err == nil && !damageAllowed && !lacks { // else Lake.Open has the journal redone before it reads
		err = errors.Join(j.check(got, cut), j.checkNotes(reader, cut))
	}
	if err := errors.Join(err, reader.Close()); err != nil {
		return fmt.Errorf("read-only: %w", err)
	}
	var first []lineAt
	for round := range 2 {
		disk, err := laketest.NewCrashDisk(dir)
		if err != nil {
			return err
		}
		if got, err = j.cycle(t, dir, disk, cut, fmt.Sprint("new", round), damageAllowed); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if round == 1 && !slices.Equal(got[:len(first)], first) {
			return errors.New("the second opening changed the first one's events")
		}
		first = got
	}
	return nil
}

// cycle opens the log, compares, appends, compares the tail, and closes.
func (j *journal) cycle(t *testing.T, dir string, disk lake.Disk, cut int, name string, damageAllowed bool) ([]lineAt, error) {
	r, err := j.open(dir, disk, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer r.Close()
	for _, q := range r.Quarantined() {
		if !damageAllowed && !strings.Contains(q, "perhaps never acknowledged") {
			return nil, fmt.Errorf("a crash is named as damage: %s", q)
		}
	}
	for _, s := range r.Segments() {
		if !s.Sealed {
			return nil, fmt.Errorf("not sealed: %+v", s)
		}
	}
	got, err := readAll(r)
	if err == nil {
		old := slices.DeleteFunc(slices.Clone(got), func(l lineAt) bool { return strings.HasPrefix(l.line, newLine) })
		err = j.check(old, cut)
	}
	if err == nil && !damageAllowed {
		err = errors.Join(j.checkNotes(r, cut), j.resend(t, r, cut))
	}
	if err == nil {
		got, err = readAll(r)
	}
	if err != nil {
		return nil, err
	}
	b := eventsOf(name, 3)
	first, err := r.Append(t.Context(), b)
	if err != nil {
		return nil, fmt.Errorf("append after recovery: %w", err)
	}
	got = append(got, splitLines(first, b.Lines)...)
	for what, read := range map[string]func() ([]lineAt, error){
		"segments": func() ([]lineAt, error) { return readAll(r) },
		"tail":     func() ([]lineAt, error) { return tailAll(t.Context(), r, 1) },
	} {
		again, err := read()
		if err != nil || !slices.Equal(again, got) {
			return nil, fmt.Errorf("%s: %d events, want %d, %v", what, len(again), len(got), err)
		}
	}
	return got, r.Close()
}
