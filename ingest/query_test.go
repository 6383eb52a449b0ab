package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

func TestQueryPassesTheQuestionOn(t *testing.T) {
	var asked Question
	b := start(t, func(c *Config) {
		c.Ask = func(_ context.Context, q Question) (*Answer, error) {
			asked = q
			return &Answer{Columns: []string{"service", "p95"}, Rows: [][]any{{"a", 1.5}, {"b\u009b", nil}}, Files: 3, Bytes: 4096, Version: 9, ElapsedMS: 1.25}, nil
		}
	})
	a := b.do("GET", "/query/p95-latency?from=2026-11-21T06:00:00Z&to=1795334400&service=Checkout&limit=5", "", "X-Request-ID", "q1")
	want := `{"question":"p95-latency","columns":["service","p95"],"rows":[["a",1.5],["b\u009b",null]],"files":3,"bytes":4096,"version":9,"elapsed_ms":1.25,"request_id":"q1"}` + "\n"
	if a.status != 200 || a.text != want {
		t.Errorf("got %d %s", a.status, a.text)
	}
	if want := (Question{Name: "p95-latency", From: 1795240800000000, To: 1795334400000000, Service: "checkout", Limit: 5}); asked != want {
		t.Errorf("asked %+v, want %+v", asked, want)
	}
	if a := b.do("GET", "/query/hourly-volume?from=&limit=", ""); a.status != 200 || asked != (Question{Name: "hourly-volume"}) {
		t.Errorf("without parameters: %d %+v", a.status, asked)
	}
}

func TestQueryRefusesBadParameters(t *testing.T) {
	b := start(t, func(c *Config) {
		c.Ask = func(context.Context, Question) (*Answer, error) { t.Error("asked all the same"); return &Answer{}, nil }
	})
	for raw, name := range map[string]string{
		"from=soon": "from", "from=2026-13-21": "from", "from=-1": "from", "from=0": "from", "to=1969-01-01T00:00:00Z": "to", "to=2026-13-01T00:00:00Z": "to",
		"service=a/b": "service", "service=-a": "service", "service=" + strings.Repeat("x", 65): "service", "service=%1b[31m": "service",
		"limit=0": "limit", "limit=-5": "limit", "limit=ten": "limit", "limit=10001": "limit", "limit=1.5": "limit",
		"form=1": "form", "from=1795334400&from=1795334401": "from", "from=1795334400&to=1795334400": "to", "limit=%zz": "?", "a;b": "?",
	} {
		a := b.do("GET", "/query/p95-latency?"+raw, "")
		if text, _ := a.json["reason"].(string); a.status != 400 || a.json["parameter"] != name || !strings.HasPrefix(text, name+" ") {
			t.Errorf("%s: %d %s, want it to name %s", raw, a.status, a.text, name)
		}
	}
}

func TestQueryErrors(t *testing.T) {
	var err error
	b := start(t, func(c *Config) {
		c.QueryTimeout = 50 * time.Millisecond
		c.Ask = func(ctx context.Context, q Question) (*Answer, error) {
			if q.Name == "slow" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return nil, err
		}
	})
	try := func(name string, e error, status int, part string) {
		t.Helper()
		err = e
		if a := b.do("GET", "/query/"+name, ""); a.status != status || !strings.Contains(a.text, part) {
			t.Errorf("%v: %d %s, want %d with %q", e, a.status, a.text, status, part)
		}
	}
	try("nope", fmt.Errorf("ask: %w", &ErrUnknownQuestion{"nope", []string{"error-rate", "p95-latency"}}), 404, `"questions":["error-rate","p95-latency"]`)
	try("slow", nil, 504, "narrow it")
	try("x", lake.ErrClosed, 503, "closing")
	try("x", errors.New("out of memory"), 500, "out of memory")

	b = start(t, nil)
	if a := b.do("GET", "/query/x", ""); a.status != 503 || !strings.Contains(a.text, "only takes events") {
		t.Errorf("without an asker: %d %s", a.status, a.text)
	}
}

func TestQueryIsCancelledWithItsClient(t *testing.T) {
	asked, cancelled := make(chan struct{}), make(chan error, 1)
	b := start(t, func(c *Config) {
		c.Ask = func(ctx context.Context, _ Question) (*Answer, error) {
			close(asked)
			<-ctx.Done()
			cancelled <- ctx.Err()
			return nil, ctx.Err()
		}
	})
	conn := b.dial("GET /query/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
	<-asked
	conn.Close()
	select {
	case err := <-cancelled:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Error("the question went on without its client")
	}
	eventually(t, "it is logged", func() bool { return strings.Contains(strings.Join(b.out.lines(), ""), `"status_code":499`) })
}

func TestParseTime(t *testing.T) {
	const want = lake.Micros(1795334399_250_000)
	for _, text := range []string{
		"2026-11-22T07:59:59.25Z", "2026-11-22T09:59:59.25+02:00", "2026-11-22T09:59:59.25 02:00", "2026-11-22T02:59:59.25-05:00",
		"1795334399250", "1795334399250000", "1795334399250000000",
	} {
		if got, err := parseTime("from", text, time.Time{}); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	if got, err := parseTime("from", "1795334399", time.Time{}); err != nil || got != 1795334399_000_000 {
		t.Errorf("seconds: %d, %v", got, err)
	}
	if got, err := parseTime("from", "-1h", (want + 3600_000_000).Time()); err != nil || got != want {
		t.Errorf("an hour back: %d, %v, want %d", got, err, want)
	}
}

func TestJSONReadyLeavesTheAnswerAlone(t *testing.T) {
	rows := [][]any{{1.5, math.NaN()}, {math.Inf(1), "x"}, {}, {"same"}}
	got := jsonReady(rows)
	if want := [][]any{{1.5, nil}, {nil, "x"}, {}, {"same"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if f, ok := rows[0][1].(float64); !ok || !math.IsNaN(f) {
		t.Errorf("the answer was changed: %v", rows)
	}
	if jsonReady(nil) == nil {
		t.Error("no rows must be an empty list")
	}
}

// FuzzQuestion: parameters are understood within their bounds, or refused by their name.
func FuzzQuestion(f *testing.F) {
	for _, query := range []string{"from=-1h&to=now", "service=Checkout&limit=10", "limit=0", "from=2026-11-21T07:56:05+02:00", "from=1&from=2", "%zz", "a=b;c=d", "from=now&to=-1h", "x"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := parseQuestion("p95-latency", query, testNow)
		if err != nil {
			if bad := (*paramError)(nil); !errors.As(err, &bad) || bad.reason == "" {
				t.Fatalf("%q: %v", query, err)
			}
			return
		}
		if q.From < 0 || q.To < 0 || q.From > 0 && q.To > 0 && q.From >= q.To || q.Limit < 0 || q.Limit > maxQueryLimit || q.Service != "" && !lake.ValidServiceName(q.Service) {
			t.Fatalf("%q is %+v", query, q)
		}
	})
}
