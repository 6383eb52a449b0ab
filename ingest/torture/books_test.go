package torture

import (
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
)

// rowsOf are what a source answers that has these events of a client, each so many times.
func rowsOf(k *book, copies map[int64]int64) [][]any {
	var rows [][]any
	for i := range k.blocks {
		b, index := &k.blocks[i], int64(i)
		var row blockRow
		for n, times := range copies {
			if n/blockEvents != index {
				continue
			}
			at := int64(b.at) + n%blockEvents*1000
			if row.rows == 0 {
				row.first, row.last = at, at
			}
			row.rows += times
			row.present |= 1 << (n % blockEvents)
			row.latency += times * latencyOf(n)
			row.status += times * statusOf(n)
			row.first, row.last = min(row.first, at), max(row.last, at)
		}
		if row.rows > 0 {
			rows = append(rows, []any{k.name, index, row.rows, int64(row.present), row.latency, row.status, row.first, row.last})
		}
	}
	return rows
}

// hundred are the books of one client that sent 100 events and had all but the last ten acknowledged.
func hundred() (*books, *book, map[int64]int64) {
	b := newBooks(1)
	k := b.of[0]
	next := lake.Micros(1_000_000_000)
	k.open(100, func() lake.Micros { next += 7_000_000; return next })
	b.ack(k, &request{from: 0, to: 55})
	b.ack(k, &request{from: 55, to: 90})
	copies := map[int64]int64{}
	for n := range int64(90) {
		copies[n] = 1
	}
	return b, k, copies
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(b *books, copies map[int64]int64)
		rows  func(rows [][]any) [][]any
		want  Finding
		says  string
	}{
		"right":            {want: Finding{Events: 90, Acked: 90}},
		"unacked are free": {spoil: func(_ *books, c map[int64]int64) { c[93] = 1 }, want: Finding{Events: 91, Acked: 90, Unacked: 1}},
		"one lost":         {spoil: func(_ *books, c map[int64]int64) { delete(c, 59) }, want: Finding{Events: 89, Acked: 89, Lost: 1}, says: "lost: t00-59"},
		"a block lost": {spoil: func(_ *books, c map[int64]int64) {
			for n := range int64(blockEvents) {
				delete(c, n)
			}
		}, want: Finding{Events: 30, Acked: 30, Lost: 60}, says: "lost: t00-0 to 59"},
		"one doubled":           {spoil: func(_ *books, c map[int64]int64) { c[7] = 2 }, want: Finding{Events: 91, Acked: 90, Doubled: 1}, says: "1 rows too many of t00-0 to 59"},
		"an unacked doubled":    {spoil: func(_ *books, c map[int64]int64) { c[95] = 3 }, want: Finding{Events: 93, Acked: 90, Unacked: 1, Doubled: 2}},
		"doubled after a retry": {spoil: func(b *books, c map[int64]int64) { b.of[0].retry(&request{from: 60, to: 70}); c[61] = 2 }, want: Finding{Events: 91, Acked: 90, Doubled: 1, AfterRetry: 1}},
		"lost and doubled":      {spoil: func(_ *books, c map[int64]int64) { delete(c, 1); c[2] = 2 }, want: Finding{Events: 90, Acked: 89, Lost: 1, Doubled: 1}},
		"never sent":            {spoil: func(_ *books, c map[int64]int64) { c[100] = 1 }, want: Finding{Events: 91, Acked: 90, Strange: 1}, says: "never sent"},
		"another service": {rows: func(rows [][]any) [][]any {
			return append(rows, []any{"shop", int64(0), int64(3), int64(7), int64(0), int64(0), int64(0), int64(0)})
		},
			want: Finding{Events: 93, Acked: 90, Strange: 3}, says: "nobody sent"},
		"another content":   {rows: func(rows [][]any) [][]any { rows[0][4] = rows[0][4].(int64) + 1; return rows }, want: Finding{Events: 90, Acked: 90, Wrong: 1}, says: "say latency"},
		"another time":      {rows: func(rows [][]any) [][]any { rows[1][7] = rows[1][7].(int64) + 1; return rows }, want: Finding{Events: 90, Acked: 90, Wrong: 1}},
		"no number, no row": {rows: func(rows [][]any) [][]any { rows[0][1] = int64(-1); return rows }, want: Finding{Events: 90, Acked: 30, Strange: 60, Lost: 60}},
	} {
		b, k, copies := hundred()
		if c.spoil != nil {
			c.spoil(b, copies)
		}
		rows := rowsOf(k, copies)
		if c.rows != nil {
			rows = c.rows(rows)
		}
		got, err := b.judge("", rows)
		if err != nil {
			t.Fatal(err)
		}
		examples := strings.Join(got.Examples, "; ")
		got.Examples = nil
		if got.Events != c.want.Events || got.Acked != c.want.Acked || got.Unacked != c.want.Unacked || got.Lost != c.want.Lost || got.Doubled != c.want.Doubled ||
			got.AfterRetry != c.want.AfterRetry || got.Wrong != c.want.Wrong || got.Strange != c.want.Strange {
			t.Errorf("%s: %+v, want %+v", name, *got, c.want)
		}
		if bad := c.want.Lost+c.want.Doubled+c.want.Wrong+c.want.Strange > 0; bad == got.ok() {
			t.Errorf("%s: ok is %v", name, got.ok())
		}
		if !strings.Contains(examples, c.says) {
			t.Errorf("%s: the examples are %q, want %q among them", name, examples, c.says)
		}
	}
}

func TestJudgeNeedsItsColumns(t *testing.T) {
	b, k, copies := hundred()
	rows := rowsOf(k, copies)
	for _, row := range [][]any{rows[0][:7], {k.name, int64(0), 1.5, int64(1), int64(0), int64(0), int64(0), int64(0)}} {
		if _, err := b.judge("x", [][]any{row}); err == nil {
			t.Errorf("%v was taken for a row", row)
		}
	}
}

// TestBooksCountWhatIsAcked acknowledges requests of every size and holds the bits against a plain list.
func TestBooksCountWhatIsAcked(t *testing.T) {
	b := newBooks(2)
	k := b.of[1]
	want := map[int64]bool{}
	for size := 1; size < 200; size += 7 {
		from := k.open(size, func() lake.Micros { return 1 })
		if size%2 == 0 {
			continue
		}
		b.ack(k, &request{from: from, to: from + int64(size)})
		for n := from; n < from+int64(size); n++ {
			want[n] = true
		}
	}
	sent, acked := k.stand()
	if acked != int64(len(want)) || b.acked() != acked {
		t.Errorf("%d acked, %d of all, want %d", acked, b.acked(), len(want))
	}
	for n := range sent {
		if got := k.blocks[n/blockEvents].acked>>(n%blockEvents)&1 == 1; got != want[n] {
			t.Fatalf("event %d: acked is %v", n, got)
		}
	}
}

func TestCounts(t *testing.T) {
	for name, c := range map[string]struct {
		row     []any
		before  int64
		atLeast int64
		says    string
	}{
		"right":            {row: []any{"t00", int64(90), int64(89), int64(90 * 89 / 2)}, before: 80, atLeast: 90},
		"goes back":        {row: []any{"t00", int64(90), int64(89), int64(90 * 89 / 2)}, before: 91, says: "90 events after 91"},
		"too few":          {row: []any{"t00", int64(89), int64(88), int64(89 * 88 / 2)}, atLeast: 90, says: "90 were acknowledged"},
		"never sent":       {row: []any{"t00", int64(101), int64(100), int64(101 * 100 / 2)}, says: "100 were sent"},
		"twice":            {row: []any{"t00", int64(91), int64(89), int64(90*89/2 + 5)}, says: "not each once"},
		"a gap":            {row: []any{"t00", int64(89), int64(89), int64(90*89/2 - 5)}, says: "not each once"},
		"twice and a gap":  {row: []any{"t00", int64(90), int64(89), int64(90*89/2 - 5 + 6)}, says: "not each once"},
		"nobody's":         {row: []any{"shop", int64(1), int64(0), int64(0)}, says: "not a client"},
		"nothing":          {atLeast: 90, says: "no events"},
		"nothing expected": {},
	} {
		b, _, _ := hundred()
		r := &run{books: b, told: map[string]bool{}}
		var rows [][]any
		if c.row != nil {
			rows = append(rows, c.row)
		}
		err := r.countsAreRight(rows, map[string]int64{"t00": c.before}, map[string]int64{"t00": c.atLeast})
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if again := r.countsAreRight(rows, map[string]int64{"t00": c.before}, nil); c.says != "" && again != nil {
			t.Errorf("%s is told again: %v", name, again)
		}
	}
}

func TestLetters(t *testing.T) {
	b := newBooks(1)
	k := b.of[0]
	for range 4 {
		k.openBad()
	}
	b.ack(k, &request{badFrom: 0, badTo: 2})
	k.retry(&request{badFrom: 2, badTo: 3})
	f := func(name string, kept map[string]int64, want Letters) {
		t.Helper()
		if got := b.judgeLetters(kept); got.Kept != want.Kept || got.Acked != want.Acked || got.Lost != want.Lost || got.Doubled != want.Doubled || got.Again != want.Again || got.Strange != want.Strange {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	f("right", map[string]int64{"t00-bad-0": 1, "t00-bad-1": 1}, Letters{Kept: 2, Acked: 2})
	f("unacked are free", map[string]int64{"t00-bad-0": 1, "t00-bad-1": 1, "t00-bad-3": 1}, Letters{Kept: 3, Acked: 2})
	f("lost", map[string]int64{"t00-bad-0": 1}, Letters{Kept: 1, Acked: 1, Lost: 1})
	f("doubled", map[string]int64{"t00-bad-0": 3, "t00-bad-1": 1}, Letters{Kept: 4, Acked: 2, Doubled: 2})
	f("sent again", map[string]int64{"t00-bad-0": 1, "t00-bad-1": 1, "t00-bad-2": 2}, Letters{Kept: 4, Acked: 2, Again: 1})
	f("nobody's", map[string]int64{"t00-bad-0": 1, "t00-bad-1": 1, "t00-bad-4": 1}, Letters{Kept: 3, Acked: 2, Strange: 1})
}
