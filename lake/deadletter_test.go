package lake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
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
		t.Fatalf("%s: got\n%s\nwant\n%s", what, show(got), show(want))
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
