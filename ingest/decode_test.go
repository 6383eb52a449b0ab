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

func testDecoder() *decoder {
	d := &decoder{scribe: newScribe(lake.Contract{}, nil), rejects: rejects{keeper: nowhere{}}}
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
	const small, factor = 128 << 10, 8
	for name, unit := range map[string]string{
		"short lines": "x\n", "open braces": "{\n", "open braces on one line": "{", "values on one line": "{}1", "quotes": "{\"\n", "nested": "{\"a\":{\n", "closings": "}\n", "commas": "{},",
	} {
		took := func(size int) time.Duration {
			d := testDecoder()
			body := []byte(strings.Repeat(unit, size/len(unit)))
			began := time.Now()
			if err := d.batch(context.Background(), body); err == nil && d.accepted > 0 {
				t.Errorf("%s: accepted %d", name, d.accepted)
			}
			if len(d.listed) > maxListed {
				t.Errorf("%s: %d are listed", name, len(d.listed))
			}
			return time.Since(began)
		}
		// Eight times the body may take eight times as long, and a little more; were it quadratic it would take 64 times. The quickest of several runs of
		// either size, in turn, is what the machine can do, whatever else it does.
		least, most := time.Hour, time.Hour
		for range 8 {
			least, most = min(least, took(small)), min(most, took(factor*small))
			if most < 2*factor*least {
				break
			}
		}
		if most > 3*factor*least {
			t.Errorf("%s: %d bytes took %v, %d times as many took %v", name, small, least, factor, most)
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
