package format

import (
	"bytes"
	"os"
	"testing"

	"github.com/signallake/signallake/lake"
)

// testNow is the clock of these tests: 2026-11-21T08:00:00Z.
const testNow lake.Micros = 1_795_248_000_000_000

// parseAll detects the format of data and parses every line.
func parseAll(t *testing.T, data []byte, cfg Config) (d Detection, events []lake.Event, refused []error) {
	t.Helper()
	d, err := Detect(data[:min(len(data), 64<<10)], cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewParser(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var e lake.Event
		if _, err := p.Parse(line, testNow, &e); err != nil {
			refused = append(refused, err)
		} else {
			events = append(events, e)
		}
	}
	return d, events, refused
}

func TestSmoke(t *testing.T) {
	for _, f := range []string{"nginx_timed", "apache_combined"} {
		data, err := os.ReadFile("../../../../shared/data/" + f + ".log")
		if err != nil {
			t.Skip(err)
		}
		d, events, refused := parseAll(t, data, Config{Service: f})
		t.Logf("%+v", d)
		t.Log(len(events), len(refused))
		for _, e := range refused {
			t.Log(e)
		}
		t.Logf("%s", events[100].AppendLine(nil))
		t.Logf("%s", events[len(events)-1].AppendLine(nil))
	}
}
