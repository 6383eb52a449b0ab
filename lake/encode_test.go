package lake

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAppendLineOfAnEmptyEvent(t *testing.T) {
	got := string((&Event{}).AppendLine([]byte("x")))
	want := `x{"event_id":"","timestamp":"1970-01-01T00:00:00.000000Z","received_at":"1970-01-01T00:00:00.000000Z","service_name":"","status_code":0}` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAppendQuotedEscapesAsLittleAsCanBe(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		got := string(appendQuoted(nil, in))
		if got != `"`+want+`"` {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		var back string
		if err := json.Unmarshal([]byte(got), &back); err != nil || back != strings.ToValidUTF8(in, "\ufffd") && back != in {
			t.Errorf("%q reads back as %q, %v", in, back, err)
		}
	}
	check("", "")
	check("plain text of more than eight", "plain text of more than eight")
	check(`a"b\c/d`, `a\"b\\c/d`)
	check("\n\t\r\b\f\x00\x1f\x7f", `\n\t\r\u0008\u000c\u0000\u001f`+"\x7f")
	check("é\u2028😀<>&", "é\u2028😀<>&")
	check("a\xffb", "a\ufffdb")
	check("\"\xff", `\"`+"\ufffd")
	check("long enough for a word \xc3", "long enough for a word \ufffd")
}

func TestAppendFloatIsTheShortestThatReadsBack(t *testing.T) {
	check := func(f float64, want string) {
		t.Helper()
		if got := string(appendFloat(nil, f)); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
	check(0, "0")
	check(math.Copysign(0, -1), "0")
	check(12, "12")
	check(12.5, "12.5")
	check(12.05, "12.05")
	check(12.005, "12.005")
	check(0.001, "0.001")
	check(0.0001, "0.0001")
	check(1e-6, "0.000001")
	check(1e-9, "1e-9")
	check(1.5e-10, "1.5e-10")
	check(5e-324, "5e-324")
	check(999999999999.999, "999999999999.999")
	check(1e15, "1000000000000000")
	check(1e20, "100000000000000000000")
	check(1e21, "1e+21")
	check(math.MaxFloat64, "1.7976931348623157e+308")
	check(-1.5, "-1.5")

	r := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		f := math.Abs(math.Float64frombits(r.Uint64()))
		switch r.IntN(3) {
		case 0:
			f = float64(r.Int64N(1e16)) / 1000
		case 1:
			f = r.Float64() * 1000
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		got := appendFloat(nil, f)
		if back, err := strconv.ParseFloat(string(got), 64); err != nil || back != f {
			t.Fatalf("%v is written %s", f, got)
		}
		if want, _ := json.Marshal(f); !bytes.Equal(got, want) {
			t.Fatalf("%v is written %s, encoding/json has %s", f, got, want)
		}
		if back, n := shortFloat(got, 0); n >= 0 && (back != f || n != len(got)) {
			t.Fatalf("%s is scanned as %v", got, back)
		}
	}
}

func TestAppendLineLeavesOutWhatIsNoNumber(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		e := Event{LatencyMS: f, HasLatency: true}
		if line := e.AppendLine(nil); !json.Valid(line) || bytes.Contains(line, []byte("latency")) {
			t.Errorf("%s", line)
		}
	}
}

func TestAppendInstant(t *testing.T) {
	const layout = "2006-01-02T15:04:05.000000Z"
	check := func(m Micros) {
		t.Helper()
		if got, want := string(appendInstant(nil, m)), m.Time().Format(layout); got != want {
			t.Errorf("%d: %s, want %s", m, got, want)
		}
	}
	for _, m := range []Micros{0, -1, 1, minInstant, maxInstant, testNow} {
		check(m)
	}
	r := rand.New(rand.NewPCG(2, 2))
	for range 100_000 {
		check(minInstant + Micros(r.Int64N(int64(maxInstant-minInstant))))
	}
	if got := string(appendInstant(nil, math.MinInt64)); got != "0000-01-01T00:00:00.000000Z" {
		t.Error(got)
	}
	if got := string(appendInstant(nil, math.MaxInt64)); got != "9999-12-31T23:59:59.999999Z" {
		t.Error(got)
	}
	for day := DateOf(minInstant); day <= DateOf(maxInstant); day += 13 {
		y, m, d := civilOf(day)
		at := day.Start().Time()
		if y != at.Year() || m != int(at.Month()) || d != at.Day() {
			t.Fatalf("day %d is %04d-%02d-%02d, want %s", day, y, m, d, at.Format(time.DateOnly))
		}
	}
}

func BenchmarkAppendLine(b *testing.B) {
	var s Scanner
	var e Event
	line := benchLine()
	if err := s.Scan(line, &e); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 4096)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		buf = e.AppendLine(buf[:0])
	}
}
