package torture

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// TestRequestsAreWhatTheyCount reads the bodies of every style with the lake's own contract.
func TestRequestsAreWhatTheyCount(t *testing.T) {
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	seen := map[string]int{}
	for i := range 9 {
		s := styleOf(i)
		m := maker{style: s, book: newBooks(1).of[0], batch: 50, random: rand.New(rand.NewPCG(1, uint64(i))), now: func() time.Time { return at }}
		keys, next := map[string]bool{}, int64(0)
		for range 100 {
			q := m.next()
			if q.from != next || s.keyed && keys[q.key] || s.keyed != (q.key != "") || q.good()+q.bad() == 0 || s.single && q.good() != 1 {
				t.Fatalf("client %d: %+v", i, q)
			}
			next, keys[q.key] = q.to, true
			body := q.body
			if s.gzip {
				z, err := gzip.NewReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if body, err = io.ReadAll(z); err != nil {
					t.Fatal(err)
				}
			}
			good, bad := q.from, 0
			for line := range bytes.Lines(body) {
				var e lake.Event
				if _, err := (lake.Contract{}).Parse(line, lake.MicrosOf(at), &e); err != nil {
					bad++
					continue
				}
				name := fmt.Sprintf("t00-%d", good)
				if e.RequestID != name || e.ServiceName != "t00" || int64(e.StatusCode) != statusOf(good) || int64(e.LatencyMS) != latencyOf(good) || e.GivenID != s.ids || s.ids && e.EventID != name {
					t.Fatalf("client %d, event %d: %+v", i, good, e)
				}
				if e.Timestamp < lake.MicrosOf(at)-lake.Micros(day/time.Microsecond) {
					seen["late"]++
				}
				good++
			}
			if good != q.to || bad != q.bad() {
				t.Fatalf("client %d: %d good and %d bad lines, counted as %d and %d", i, good-q.from, bad, q.good(), q.bad())
			}
			seen["bad"] += bad
			if q.good() == 0 {
				seen["all bad"]++
			}
		}
	}
	if seen["late"] == 0 || seen["bad"] == 0 || seen["all bad"] == 0 {
		t.Errorf("too few of a kind: %v", seen)
	}
}

func TestAnswers(t *testing.T) {
	three := &request{from: 5, to: 8, badFrom: 0, badTo: 1, tries: 1}
	again := &request{from: 5, to: 8, tries: 2}
	for name, c := range map[string]struct {
		a      answer
		q      *request
		status int
		single bool
		says   string
	}{
		"right":                   {a: answer{Accepted: 3, Rejected: 1}, q: three, status: 200},
		"all duplicates":          {a: answer{Duplicate: 3}, q: again, status: 200},
		"the other status":        {a: answer{Accepted: 3, Rejected: 1}, q: three, status: 422, says: "status"},
		"all bad":                 {a: answer{Rejected: 1}, q: &request{badTo: 1}, status: 422},
		"all bad called good":     {a: answer{Rejected: 1}, q: &request{badTo: 1}, status: 200, says: "status"},
		"too few":                 {a: answer{Accepted: 2, Rejected: 1}, q: three, status: 200, says: "2 accepted"},
		"too many":                {a: answer{Accepted: 4, Rejected: 1}, q: three, status: 200, says: "4 accepted"},
		"bad lines taken":         {a: answer{Accepted: 3}, q: three, status: 200, says: "0 were rejected"},
		"one counts no rejected":  {a: answer{Accepted: 1}, q: &request{to: 1}, status: 200, single: true},
		"conflict":                {a: answer{Accepted: 3, Rejected: 1, Conflict: 1}, q: three, status: 200, says: "conflicts"},
		"duplicates of nothing":   {a: answer{Duplicate: 3, Rejected: 1}, q: three, status: 200, says: "sent once"},
		"the half was there":      {a: answer{Accepted: 1, Duplicate: 2}, q: again, status: 200, says: "in part"},
		"a retry is stored again": {a: answer{Accepted: 3}, q: again, status: 200}, // the first try may not have come in: the proof tells
	} {
		if got := c.a.against(c.q, c.status, c.single); (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}
