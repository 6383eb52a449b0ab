package ingest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// nowhere keeps nothing.
type nowhere struct{}

func (nowhere) bury([]lake.DeadLetter, bool) error { return nil }
func (nowhere) hold(int64) error                   { return nil }

func testDecoder() *decoder {
	d := &decoder{rejects: rejects{keeper: nowhere{}}}
	d.begin(lake.MicrosOf(testNow))
	return d
}

func TestValueEnd(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int
	}{
		{"", -1}, {"{}", 2}, {"{} x", 2}, {`{"a":"}"}{`, 9}, {`{"a":"\"}"}`, 11}, {`{"a":"\\"}x`, 10}, {`[[{}]],`, 6}, {"{", -1}, {`{"a`, -1}, {`{"a\"`, -1},
		{`"a,b",`, 5}, {`"a`, -1}, {`"\`, -1}, {"12,", 2}, {"true", 4}, {",", 0}, {"]", 0}, {"nul l", 3}, {strings.Repeat("[", 1<<20), -1},
	} {
		if got := valueEnd([]byte(c.in)); got != c.want {
			t.Errorf("%.40q: %d, want %d", c.in, got, c.want)
		}
	}
}

// A body of many broken lines costs about what it weighs, whatever they hold: were it quadratic, one MiB would take minutes.
func TestHostileBodiesStayLinear(t *testing.T) {
	for name, unit := range map[string]string{
		"short lines": "x\n", "open braces": "{\n", "open braces on one line": "{", "values on one line": "{}1", "quotes": "{\"\n", "nested": "{\"a\":{\n", "closings": "}\n", "commas": "{},",
	} {
		d := testDecoder()
		body := []byte(strings.Repeat(unit, 1<<20/len(unit)))
		began := time.Now()
		if err := d.batch(context.Background(), body); err == nil && d.accepted > 0 {
			t.Errorf("%s: accepted %d", name, d.accepted)
		}
		if took := time.Since(began); took > patience {
			t.Errorf("%s: took %v", name, took)
		}
		if len(d.listed) > maxListed {
			t.Errorf("%s: %d are listed", name, len(d.listed))
		}
	}
}

func TestDecodeStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	lines := strings.Repeat(event("e", "")+"\n", 2*linesPerCheck)
	array := "[" + strings.Repeat(event("e", "")+",", 2*linesPerCheck) + event("e", "") + "]"
	for _, body := range []string{lines, array} {
		d := testDecoder()
		if err := d.batch(ctx, []byte(body)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v after %d events", err, d.accepted)
		}
	}
}

func TestDecoderForgetsTheBodyBefore(t *testing.T) {
	d := testDecoder()
	if err := d.batch(context.Background(), []byte(event("e1", `,"x":1,"x":2`)+"\nbad")); err != nil {
		t.Fatal(err)
	}
	d.begin(lake.MicrosOf(testNow))
	if err := d.one([]byte(event("e2", ""))); err != nil {
		t.Fatal(err)
	}
	if d.accepted != 1 || d.rejected != 0 || d.duplicates != 0 || len(d.listed) != 0 || d.eventID != "e2" || string(d.lines) != stored(t, event("e2", "")) {
		t.Errorf("got %+v", d)
	}
}
