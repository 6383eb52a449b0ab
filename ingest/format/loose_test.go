package format

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
)

// The keys of a line as one object make the same event as the line.
func TestObjectMakesTheSameEvent(t *testing.T) {
	samples := [][]byte{
		[]byte("web-1 | {\"ts\":1795242790,\"msg\":\"a\",\"duration\":0.5,\"level\":\"info\"}\n"), []byte("[pod/shop-1/web] ts=2026-11-21T06:33:10Z msg=\"a b\" dur=5ms x=\"\\\"\" ok\n"),
		[]byte("2026-11-21T06:33:10Z stdout F {\"msg\":\"a\",\"http\":{\"status_code\":503,\"x\":[1]}}\n"), []byte("2026-11-21 06:33:10 ERROR it broke\n2026-11-21 06:33:11 INFO again\n"),
		[]byte(`{"log":"time=2026-11-21T06:33:09Z a=1 a=2 msg=x\n","stream":"stdout","time":"2026-11-21T06:33:10.5Z"}` + "\n"),
		[]byte(`shop.example:443 10.0.0.1 - eve [21/Nov/2026:06:33:10 +0000] "POST /pay?x=1 HTTP/1.1" 503 12 "-" "curl \"x\"" rt=0.057 "req 1" 12ms` + "\n"),
		[]byte(`{"@timestamp":"2026-11-21T06:33:10Z","t\u0069me":1,"attributes":{"x":1,"msg":"in"},"x":3,"url":{"path":"/a?b"},"service":{"name":"A \u00e9"}}` + "\n"),
	}
	for _, lines := range someLines {
		samples = append(samples, []byte(lines))
	}
	timed, err := os.ReadFile(filepath.Join("..", "..", "testdata", "nginx_timed.log"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, sample := range append(samples, timed) {
		cfg := Config{Service: "svc"}
		d, err := Detect(sample[:min(len(sample), 64<<10)], cfg)
		if err != nil {
			t.Errorf("%.80q: %v", sample, err)
			continue
		}
		direct, err1 := NewParser(cfg, d)
		loose, err2 := NewParser(cfg, d.Objects())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		for line := range bytes.Lines(sample) {
			var want, got lake.Event
			if _, err := direct.Parse(line, testNow, &want); err != nil {
				continue
			}
			object, err := direct.Object(line)
			if err != nil || !json.Valid(object) {
				t.Fatalf("%.300s: %s, %v", line, object, err)
			}
			if _, err := loose.Parse(object, testNow, &got); err != nil {
				t.Fatalf("%.300s\nas %s: %v", line, object, err)
			}
			var a, b any
			_, _ = json.Unmarshal([]byte(want.Attributes), &a), json.Unmarshal([]byte(got.Attributes), &b) // "" is none
			want.Attributes, got.Attributes = "", ""
			want.EventID, got.EventID = "", "" // random
			if want != got || !reflect.DeepEqual(a, b) {
				t.Errorf("%.300s\nas %s\ngot  %+v %v\nwant %+v %v", line, object, got, b, want, a)
			}
			seen++
		}
	}
	if seen < 100 {
		t.Errorf("%d lines: the samples are gone", seen)
	}
}

func TestLatency(t *testing.T) {
	for text, want := range map[string]float64{"250ms": 250, " 1.2s ": 1200, "1m3s": 63000, "12": 12, "1.5 us": 0.0015} {
		if ms, ok := Latency(text); !ok || ms != want {
			t.Errorf("%q: %v, %v", text, ms, ok)
		}
	}
	for _, text := range []string{"", "fast", "-1s", "1x", "ms", "1e999"} {
		if ms, ok := Latency(text); ok {
			t.Errorf("%q: %v", text, ms)
		}
	}
}

func TestInstant(t *testing.T) {
	want := lake.MicrosOf(time.Date(2026, 11, 21, 6, 33, 10, 0, time.UTC))
	for _, text := range []string{"2026-11-21T06:33:10Z", "2026-11-21 06:33:10", "2026-11-21T07:33:10+01:00", "21/Nov/2026:06:33:10 +0000", "1795242790", "1795242790000", "Sat, 21 Nov 2026 06:33:10 GMT"} {
		if at, ok := Instant(text); !ok || at != want {
			t.Errorf("%q: %v, %v", text, at.Time(), ok)
		}
	}
	if at, ok := Instant("2026-11-21"); !ok || at != lake.MicrosOf(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("a date: %v, %v", at.Time(), ok)
	}
	for _, text := range []string{"", "soon", "12", "06:33:10", "2026-13-01"} {
		if at, ok := Instant(text); ok {
			t.Errorf("%q: %v", text, at.Time())
		}
	}
}
