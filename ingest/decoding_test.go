package ingest

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
)

// A canonical line never exceeds the room that roomForLine makes for it, whatever the event.
func TestLinesStayBelowTheirBound(t *testing.T) {
	nasty := []string{
		`{"timestamp":0,"service_name":"a"}`, `{"timestamp":1795247999,"service_name":"a"}`,
		event("e", `,"message":"`+strings.Repeat(`\b`, 5000)+`"`), event("e", `,"message":"`+strings.Repeat("\xff", 5000)+`"`),
		event("e", `,"message":"`+strings.Repeat(`\u0001\f\"`, 1000)+`"`), event("e", `,"`+strings.Repeat(`\b`, 20)+`":"`+strings.Repeat("\xfe", 300)+`"`),
		event("e", `,"latency_ms":1e20`), event("e", `,"latency_ms":1e-300`), event("e", `,"a":{"b":[1e5,{"c":"`+strings.Repeat("\xf0", 900)+`"}]}`),
		event("e", `,"attributes":{"x":"`+strings.Repeat(`\f`, 900)+`"},"y":1,"y":[[[[]]]]`), event("e", `,"status_code":200,"level":"","region":"","host":"h"`),
		event("e", `,"endpoint":"`+strings.Repeat(`\/`, 500)+`","method":"`+strings.Repeat(`\t`, 3)+`"`),
	}
	stored := 0
	for _, object := range nasty {
		var e lake.Event
		if _, err := (lake.Contract{}).Parse([]byte(object), lake.MicrosOf(testNow), &e); err != nil {
			continue
		}
		stored++
		if line := e.AppendLine(nil); len(line) > lineFactor*len(object)+lineExtra {
			t.Errorf("%d bytes became %d: %.100s", len(object), len(line), object)
		}
	}
	if stored < 8 {
		t.Errorf("only %d of the events are valid", stored)
	}
}

// Whatever a body turns into, the decoder has asked for it before it took it.
func TestDecodingStaysWithinItsLease(t *testing.T) {
	const body = 1 << 20
	fill := func(unit string) []byte { return []byte(strings.Repeat(unit, body/len(unit))) }
	for name, text := range map[string][]byte{
		"usual events": benchBody(3000, false), "an array": benchBody(3000, true), "tiny events": fill(`{"timestamp":1795247999,"service_name":"a"}` + "\n"),
		"tiny bad lines": append(fill("{}\n"), event("e", "")...), "texts that grow": fill(event("e", `,"message":"`+strings.Repeat("\xff", 9000)+`"`) + "\n"),
		"events on one line": fill(event("e", "")), "garbage": fill("x\n"),
	} {
		t.Run(name, func(t *testing.T) {
			m := testMemory(1 << 30)
			s := &Server{memory: m, slots: newSlots(), cfg: Config{Log: &fakeLog{}}}
			x := &exchange{s: s, start: testNow, r: &http.Request{}}
			wk := s.borrow(x)
			wk.body, wk.keeper = text, nowhere{}
			if err := x.lease.reserve(t.Context(), neededFor(int64(len(text))), 0); err != nil {
				t.Fatal(err)
			}
			if err := s.decoding(x, wk, func() error { return wk.batch(t.Context(), wk.body) }); err != nil && !errors.As(err, new(*undecodable)) {
				t.Fatal(err)
			}
			if charged := x.lease.charged; wk.size() > charged {
				t.Errorf("it holds %d bytes and has asked for %d", wk.size(), charged)
			}
			peak := m.state().Peak
			if peak > neededFor(int64(len(text))) && strings.HasPrefix(name, "usual") {
				t.Errorf("a usual body of %d bytes took %d, more than it is given at once", len(text), peak)
			}
			t.Logf("%d bytes: %d accepted, %d rejected, lines %d, peak %.2f of the body", len(text), wk.accepted, wk.rejected, len(wk.lines), float64(peak)/float64(len(text)))

			// With less than that it ends with 429 or 413, never with more memory.
			for limit := peak - 1; limit > peak/3; limit -= peak / 9 {
				s.memory = testMemory(limit)
				x := &exchange{s: s, start: testNow, r: &http.Request{}}
				wk := s.borrow(x)
				wk.body, wk.keeper = text, nowhere{}
				if x.lease.hold(min(wk.size(), limit)) != nil {
					continue
				}
				err := s.decoding(x, wk, func() error { return wk.batch(t.Context(), wk.body) })
				if err == nil || errors.As(err, new(*undecodable)) {
					err = wk.failed
				}
				if err != nil && !errors.As(err, new(*busyError)) && !errors.As(err, new(*oversizeError)) {
					t.Errorf("with %d bytes: %v", limit, err)
				}
				if s.memory.state().Peak > limit {
					t.Errorf("with %d bytes it took %d", limit, s.memory.state().Peak)
				}
				if wk.failed != nil && wk.rejected > 0 && strings.HasPrefix(name, "usual") {
					t.Errorf("want of memory was taken for %d bad lines", wk.rejected)
				}
			}
		})
	}
}
