package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// fakeDesk has one letter, or fails.
type fakeDesk struct {
	mu  sync.Mutex
	err error
}

func (d *fakeDesk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *fakeDesk) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

var oneLetter = lake.DeadLetter{ID: 17, At: 1, Source: "api a", Origin: "request r", Line: 3, Field: "latency_ms", Reason: "must be a number", Text: []byte("{}"), Cut: true}

func (d *fakeDesk) Status() lake.DeadStatus { return lake.DeadStatus{Kept: 1, Bytes: 200} }

func (d *fakeDesk) GroupsOf(context.Context, replay.Pick) ([]replay.Group, error) {
	return []replay.Group{{Kind: "latency_ms: must be a number", Source: "api a", Letters: 1, First: 1, Newest: 1, Example: oneLetter}}, d.failure()
}

func (d *fakeDesk) List(context.Context, replay.Pick, int) ([]lake.DeadLetter, error) {
	return []lake.DeadLetter{oneLetter}, d.failure()
}

func (d *fakeDesk) Discard(context.Context, replay.Pick) (int64, error) { return 1, d.failure() }

func (d *fakeDesk) Run(ctx context.Context, p replay.Params, _ *lake.Progress) (*replay.Report, error) {
	groups, err := d.GroupsOf(ctx, p.Pick)
	return &replay.Report{Picked: 2, Accepted: 1, Refused: 1, Conflicts: 1, Split: 1, Settled: 1, Problems: groups, Samples: []replay.Sample{{ID: 17, Before: "{}", Problem: "bad"}},
		Notes: []string{"a note"}, Next: 18}, err
}

// startWithDesk serves over a real lake that keeps letters.
func startWithDesk(t *testing.T, change func(*Config), letters ...lake.DeadLetter) (*bench, *lake.Lake) {
	t.Helper()
	l, err := lake.Open(t.Context(), lake.Config{Dir: t.TempDir(), ConvertAge: -1, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.Bury(t.Context(), letters); err != nil {
		t.Fatal(err)
	}
	b := start(t, func(c *Config) {
		c.Dead = replay.NewDesk(replay.Config{Lake: l, Now: func() time.Time { return testNow }})
		if change != nil {
			change(c)
		}
	})
	return b, l
}

func slowLetter(latency string) lake.DeadLetter {
	return lake.DeadLetter{Source: "api shop", Field: "latency_ms", Reason: fmt.Sprintf("must be a number without quotes, got %q", latency), Text: []byte(event("", fmt.Sprintf(`,"latency_ms":%q`, latency)))}
}

// Letters are counted, read, tried, replayed and discarded over HTTP.
func TestDeadRoutes(t *testing.T) {
	b, l := startWithDesk(t, nil, slowLetter("250ms"), slowLetter("1.5s"), slowLetter("fast"), lake.DeadLetter{Source: "api b", Reason: "is bad", Text: []byte("\xff")})
	want := func(method, path, body string, status int, parts ...string) answer {
		t.Helper()
		a := b.do(method, path, body)
		if a.status != status {
			t.Fatalf("%s %s %s: %d %s", method, path, body, a.status, a.text)
		}
		for _, part := range parts {
			if !strings.Contains(a.text, part) {
				t.Errorf("%s %s %s: %s lacks %s", method, path, body, a.text, part)
			}
		}
		return a
	}
	want("GET", "/dead", "", 200, `"letters":4,`, `"kind":"latency_ms: must be a number without quotes","source":"api shop","field":"latency_ms"`, `"letters":3`, `"base64":"/w=="`)
	if a := want("GET", "/dead?source=SHOP", "", 200, `"letters":4,`); strings.Contains(a.text, "api b") {
		t.Error(a.text)
	}
	if a := want("GET", "/dead/letters?kind=latency_ms:+must+be+a+number+without+quotes&limit=2", "", 200, `"letters":[{"id":3,`, `{"id":2,`); strings.Contains(a.text, `{"id":1,`) {
		t.Error(a.text)
	}
	want("GET", "/dead/letters?id=1&id=4", "", 200, `{"id":4,`, `{"id":1,`)
	for _, query := range []string{"limit=0", "limit=101", "id=x", "id=0", "kinds=x", "source=a&source=b", "a=%zz"} {
		want("GET", "/dead/letters?"+query, "", 400, "bad parameter")
	}
	want("GET", "/dead?limit=1", "", 400, "limit")

	rules := `"rules":{"cast":["latency_ms=number"]}`
	want("POST", "/dead/replay", `{`+rules+`,"dry_run":true}`, 200, `"dry_run":true,"picked":4,"accepted":2,"duplicates":0,"refused":2`, `\"latency_ms\":1500`)
	if n := l.DeadStatus().Kept; n != 4 || l.Committed() != 1 {
		t.Fatalf("the dry run changed something: %d letters", n)
	}
	want("POST", "/dead/replay", `{"pick":{"source":"shop"},`+rules+`}`, 200, `"picked":3,"accepted":2,"duplicates":0,"refused":1`)
	want("POST", "/dead/replay", `{"pick":{"source":"shop"},`+rules+`}`, 200, `"picked":1,"accepted":0,"duplicates":0,"refused":1`)
	if n := l.Committed(); n != 3 {
		t.Errorf("%d events", n-1)
	}
	for _, body := range []string{"", "[]", `{"rule":{}}`, `{} {}`, `{"rules":{"cast":["latency_ms=float"]}}`, `{"rules":{"rename":["a"]}}`} {
		want("POST", "/dead/replay", body, 400, "the request cannot be understood")
	}

	want("POST", "/dead/discard", `{}`, 400, `an empty pick is every letter`)
	want("POST", "/dead/discard", `{"pick":{"ids":[3]},"all":true}`, 400, `and only then`)
	want("POST", "/dead/discard", `{"pick":{"ids":[3,99]}}`, 200, `"discarded":1,"letters":1`)
	want("POST", "/dead/discard", `{"all":true}`, 200, `"discarded":1,"letters":0`)
	want("GET", "/dead", "", 200, `"letters":0,`, `"groups":[]`)
	want("POST", "/dead/replay", `{}`, 200, `"picked":0`)
	b.do("POST", "/dead/replay", `{}`, "Origin", "http://evil.example")
	if a := b.do("POST", "/dead/replay", `{}`, "Origin", "http://evil.example"); a.status != http.StatusForbidden {
		t.Errorf("a web page: %d", a.status)
	}
}

// The operator's end of it: a replay that outlasts the server's patience is asked for again until it is done.
func TestOperator(t *testing.T) {
	var letters []lake.DeadLetter
	for i := range 50 {
		letters = append(letters, slowLetter(fmt.Sprintf("%dms", i)))
	}
	letters = append(letters, slowLetter("fast"))
	b, l := startWithDesk(t, func(c *Config) { c.QueryTimeout = 10 * time.Millisecond }, letters...)
	o := Operator{Addr: b.url}
	params := replay.Params{Rules: replay.Rules{Cast: []string{"latency_ms=number"}, Rename: []string{"no=such"}}}
	total := &replay.Report{}
	eventually(t, "everything is replayed", func() bool { // so little time may end a run, which is harmless
		r, err := o.Replay(t.Context(), params, &lake.Progress{})
		if r != nil {
			total.Add(r)
		}
		return err == nil
	})
	if l.Committed() != 51 || l.DeadStatus().Kept != 1 || len(total.Problems) != 1 {
		t.Fatalf("%d events, %d letters left, %+v", l.Committed()-1, l.DeadStatus().Kept, total)
	}
	if n, err := (Operator{Addr: b.url}).Discard(t.Context(), replay.Pick{}); n != 1 || err != nil {
		t.Fatalf("discard: %d, %v", n, err)
	}
}

func TestOperatorIsRefused(t *testing.T) {
	desk := &fakeDesk{}
	b, token := startWithTokens(t, func(c *Config) { c.Dead = desk })
	try := func(o Operator, words string) {
		t.Helper()
		_, err := o.Discard(t.Context(), replay.Pick{})
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
	try(Operator{Addr: b.url}, "SIGNALLAKE_TOKEN")
	try(Operator{Addr: b.url, Token: "wrong"}, "SIGNALLAKE_TOKEN")
	try(Operator{Addr: "127.0.0.1:1", Token: token}, "does not answer")
	desk.fail(lake.ErrBury)
	try(Operator{Addr: b.url, Token: token}, "was not ended: the dead letters could not be written; what was done stays")
	desk.fail(nil)
	if n, err := (Operator{Addr: b.url, Token: token}).Discard(t.Context(), replay.Pick{}); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Operator{Addr: b.url, Token: token}).Replay(ctx, replay.Params{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
