package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// testNow is the time in every test.
var testNow = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func openLake(t testing.TB, dir string, disk lake.Disk) *lake.Lake {
	t.Helper()
	l, err := lake.Open(t.Context(), lakeConfig(dir, disk))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func lakeConfig(dir string, disk lake.Disk) lake.Config {
	return lake.Config{Dir: dir, Disk: disk, Now: func() time.Time { return testNow }, ConvertAge: -1}
}

func deskOf(l *lake.Lake) *Desk {
	return NewDesk(Config{Lake: l, Now: func() time.Time { return testNow }})
}

// sent is a letter as the API keeps one.
func sent(text string) lake.DeadLetter {
	return lake.DeadLetter{At: lake.MicrosOf(testNow), Source: "api 127.0.0.1", Origin: "request r", Line: 1, Reason: "bad", Text: []byte(text)}
}

// event is an event without an id, told apart by its message.
func event(message, more string) string {
	return fmt.Sprintf(`{"timestamp":"2026-11-21T07:59:59Z","service_name":"checkout","message":%q%s}`, message, more)
}

func bury(t testing.TB, l *lake.Lake, letters ...lake.DeadLetter) []lake.DeadLetter {
	t.Helper()
	if err := l.Bury(t.Context(), letters); err != nil {
		t.Fatal(err)
	}
	return letters
}

func mustRun(t testing.TB, d *Desk, p Params) *Report {
	t.Helper()
	r, err := d.Run(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// want compares what a report counts.
func (r *Report) want(t testing.TB, what string, picked, accepted, duplicates, refused int64) {
	t.Helper()
	if r.Picked != picked || r.Accepted != accepted || r.Duplicates != duplicates || r.Refused != refused {
		text, _ := json.Marshal(r)
		t.Fatalf("%s: want %d picked, %d accepted, %d duplicates, %d refused; got %s", what, picked, accepted, duplicates, refused, text)
	}
}

// stored are the lines of a lake's events.
func stored(t testing.TB, l *lake.Lake) []string {
	t.Helper()
	tail := l.Tail(0)
	defer tail.Close()
	var lines []string
	for end := lake.Seq(1); end < l.Committed(); {
		b, err := tail.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.SplitAfter(strings.TrimSuffix(string(b.Lines), "\n"), "\n")...)
		end = b.First + lake.Seq(b.N)
	}
	return lines
}

// messages are the messages of a lake's events, sorted.
func messages(t testing.TB, l *lake.Lake) []string {
	t.Helper()
	var all []string
	for _, line := range stored(t, l) {
		var e struct{ Message string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e.Message)
	}
	slices.Sort(all)
	return all
}

func letters(t testing.TB, l *lake.Lake) []lake.DeadLetter {
	t.Helper()
	list, err := deskOf(l).List(context.Background(), Pick{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}
