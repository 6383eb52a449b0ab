package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/sql/bench"
)

func TestExponent(t *testing.T) {
	for _, want := range []float64{0, 0.12, 1, 1.7} {
		var events []int64
		var medians []float64
		for _, n := range []int64{1000, 10_000, 1_000_000} {
			events, medians = append(events, n), append(medians, 3*math.Pow(float64(n), want))
		}
		if got := exponent(events, medians); math.Abs(got-want) > 1e-9 {
			t.Errorf("exponent %g, want %g", got, want)
		}
	}
}

// outcomesOf are outcomes whose samples of a line are those of one size each.
func outcomesOf(name string, sizes []int64, medians []float64) []*outcome {
	var all []*outcome
	for i, n := range sizes {
		o := newOutcome(n)
		o.add(name, []float64{medians[i]}, nil)
		all = append(all, o)
	}
	return all
}

func TestGrowth(t *testing.T) {
	sizes := []int64{100_000, 1_000_000, 10_000_000}
	for _, c := range []struct {
		name          string
		sizes         []int64
		medians       []float64
		want, atMost  float64
		first, number int // of the medians, in ms
	}{
		{"convert", sizes, []float64{10, 100, 1000}, 1, linear, 10, 3},
		{"scan", sizes, []float64{200, 200, 200}, 1, linear, 20, 3},                   // ns an event
		{"ingest", sizes, []float64{300_000, 100_000, 100_000}, 1, linear, 10_000, 2}, // events a second, which fall once conversions take part
		{"dashboard", sizes, []float64{1, 10, 10}, 0, flat, 10, 2},                    // cells fill up below a million
		{"dashboard", sizes[:2], []float64{1, 10}, 1, 0, 1, 2},
	} {
		var l line
		for _, one := range lines() {
			if one.name == c.name {
				l = one
			}
		}
		g, ok := growth(l, outcomesOf(c.name, c.sizes, c.medians))
		if !ok || math.Abs(g.Exponent-c.want) > 1e-9 || g.AtMost != c.atMost || len(g.Medians) != c.number || math.Abs(g.Medians[0]-float64(c.first)) > 1e-6 {
			t.Errorf("%s: %+v, want exponent %g", c.name, g, c.want)
		}
	}
	if g, ok := growth(line{name: "convert", grows: linear}, outcomesOf("convert", sizes[:1], []float64{1})); ok {
		t.Errorf("growth of one size: %+v", g)
	}
}

func TestReportOfALine(t *testing.T) {
	o := newOutcome(million)
	o.add("convert", []float64{10, 30, 20}, []float64{50, 60, 40}).equal(true).note("%d files", 3)
	l := line{name: "convert", unit: "ms", against: "another", goal: atLeast(2), reach: atLeast(4), from: million, speed: true}
	got, ok := o.report(l)
	if !ok || got.Ratio != 2.5 || got.Ours.Median != 20 || got.Reference.Median != 50 || got.Goal.AtLeast != 2 || got.Reach.AtLeast != 4 || !*got.Same || len(got.Notes) != 1 {
		t.Errorf("%+v", got)
	}
	l.speed, l.from = false, million+1
	if got, _ = o.report(l); got.Ratio != 0.4 || got.Goal != nil || len(got.Notes) != 2 {
		t.Errorf("%+v", got)
	}
	if _, ok = o.report(line{name: "scan"}); ok {
		t.Error("a line that was not measured is reported")
	}
	o.of("convert").equal(false).equal(true)
	if got, _ = o.report(l); *got.Same {
		t.Error("what differed once is the same later")
	}
	if goal := (line{name: "p95-guided", goal: atMost(0.15)}).at(tenMillions).goal; goal.AtMost != 0.1 {
		t.Errorf("the goal at 10M is %+v", goal)
	}
}

// Every line belongs to one stage, and every stage measures lines that exist.
func TestStagesHaveTheLines(t *testing.T) {
	of := map[string]string{}
	for _, s := range stages() {
		for _, name := range s.lines {
			if of[name] != "" {
				t.Errorf("%s is measured by %s and %s", name, of[name], s.name)
			}
			of[name] = s.name
		}
	}
	for _, name := range Names() {
		if of[name] == "" {
			t.Errorf("no stage measures %s", name)
		}
		delete(of, name)
	}
	if len(of) > 0 {
		t.Errorf("there are no lines %v", of)
	}
}

func TestWanted(t *testing.T) {
	r := &runner{cfg: Config{Only: []string{"scan", "visible"}}}
	var large, small []string
	for _, s := range stages() {
		if r.wanted(s, true) {
			large = append(large, s.name)
		}
		if r.wanted(s, false) {
			small = append(small, s.name)
		}
	}
	if fmt.Sprint(large) != "[scan visible]" || fmt.Sprint(small) != "[scan]" {
		t.Errorf("%v at the largest size, %v at others", large, small)
	}
}

func TestValidate(t *testing.T) {
	good := Config{Dir: "d", Program: "p", Events: MinEvents}
	for _, change := range []func(*Config){func(c *Config) { c.Dir = "" }, func(c *Config) { c.Program = "" }, func(c *Config) { c.Events = MinEvents - 1 },
		func(c *Config) { c.Rounds = MinRounds - 1 }, func(c *Config) { c.Only = []string{"scan", "scans"} }} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if err := good.Validate(); err != nil || good.Rounds != MinRounds {
		t.Errorf("%v, %d rounds", err, good.Rounds)
	}
	if got := (&runner{cfg: Config{Events: 20_000}}).sizes(); fmt.Sprint(got) != "[2000 20000]" {
		t.Errorf("sizes %v", got)
	}
}

func TestQuantile(t *testing.T) {
	var samples []float64
	for i := range 100 {
		samples = append(samples, float64(100-i))
	}
	in := sorted(samples)
	if a, b, c := quantile(in, 0.95), quantile(in, 0), quantile(in, 1); a != 95 || b != 1 || c != 100 {
		t.Errorf("%g %g %g", a, b, c)
	}
	if quantile(nil, 0.5) != 0 || median(nil) != 0 || median([]float64{1, 2}) != 1.5 {
		t.Error("quantiles of few")
	}
}

func TestFirstN(t *testing.T) {
	text := []byte("a\nb\nc\n")
	rest := int64(2)
	if got := string(firstN(text, &rest)); got != "a\nb\n" || rest != 0 {
		t.Errorf("%q, %d left", got, rest)
	}
	rest = 5
	if got := string(firstN(text, &rest)); got != "a\nb\nc\n" || rest != 2 {
		t.Errorf("%q, %d left", got, rest)
	}
}

// TestLags checks that a request is visible with the first answer that has all of its events, and not with one before its acknowledgement.
func TestLags(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	w := &waiting{upTo: []int64{10, 20, 20, 30}, acked: []time.Time{at(0), at(10), at(15), at(20)}}
	got := w.lags([]sight{{at(5), 10}, {at(12), 19}, {at(40), 20}, {at(41), 25}, {at(100), 31}})
	if want := []float64{5, 30, 25, 80}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// answering answers every connection with the same bytes.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1000))
			_, _ = io.WriteString(c, answer)
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestGet(t *testing.T) {
	body := `{"rows":[["2026-01-05T00:00:00Z",3,1],["2026-01-05T01:00:00Z",4,0]]}`
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nX: y\r\ncontent-length: %d\r\n\r\n", len(body))
	if n, err := countEvents(t.Context(), answering(t, head+body), "x"); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n{}", head + body[:10], strings.Replace(head, "200 OK", "503 No", 1) + body,
		strings.Replace(head+body, `,3,1`, `,"x",1`, 1), "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"} {
		if n, err := countEvents(t.Context(), answering(t, bad), "x"); err == nil {
			t.Errorf("%q: %d", bad, n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := get(ctx, answering(t, head+body), "/", &struct{}{}); err == nil {
		t.Error("a question that was stopped is answered")
	}
}

func TestMeasured(t *testing.T) {
	if _, err := processorTime(os.Getpid()); err != nil {
		t.Skip("SKIP: ", err)
	}
	var out strings.Builder
	const size = 64 << 20
	err := measured(&out, func() error {
		block := make([]byte, size)
		for i := range block {
			block[i] = byte(i)
		}
		if block[size-1] == 0 {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
	var u Usage
	if err := json.Unmarshal([]byte(out.String()), &u); err != nil {
		t.Fatal(err)
	}
	if err != nil || u.Peak < size || u.CPU <= 0 || u.Wall <= 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if err := measured(&out, func() error { return io.ErrClosedPipe }); err != io.ErrClosedPipe {
		t.Errorf("the work failed: %v", err)
	}
}

// A child's own memory is measured, and not what its parent had when it started it.
func TestPeakIsTheChilds(t *testing.T) {
	if _, err := peakMemory(os.Getpid()); err != nil {
		t.Skip("SKIP: ", err)
	}
	block := make([]byte, 200<<20)
	for i := range block {
		block[i] = 1
	}
	cat := exec.Command("cat") // reads until its input ends
	in, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p, err := startCommand(cat, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	peak, err := peakMemory(p.cmd.Process.Pid)
	if err != nil || peak <= 0 || peak > int64(len(block))/2 || block[len(block)-1] != 1 {
		t.Errorf("cat has had %d bytes, %v", peak, err)
	}
}

func TestProcessTellsHowItEnded(t *testing.T) {
	var heard []string
	p, err := start("sh", func(line string) { heard = append(heard, line) }, "-c", "echo out; echo first >&2; echo '{\"a\":1}' >&2; echo last >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t.Context()); err == nil || !strings.Contains(err.Error(), "exit status 3: first | last") || p.out.String() != "out\n" || len(heard) != 2 {
		t.Errorf("%v, out %q, heard %q", err, p.out.String(), heard)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err = start("sleep", nil, "1000"); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(ctx); err != context.Canceled || p.cmd.ProcessState == nil {
		t.Errorf("stopped: %v, %v", err, p.cmd.ProcessState)
	}
	if _, err := start(filepath.Join(t.TempDir(), "nothing"), nil); err == nil {
		t.Error("what is not there has started")
	}
}

func TestInTerminal(t *testing.T) {
	cmd := exec.Command("sh", "-c", "tty; stty size")
	ours, theirs, err := inTerminal(cmd, 33, 77)
	if err != nil {
		t.Skip("SKIP: ", err)
	}
	defer ours.Close()
	p, err := startCommand(cmd, nil)
	theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(ours) // ends with an error where the terminal has gone
	if err := p.wait(t.Context()); err != nil || !strings.Contains(string(text), "/dev/pts/") || !strings.Contains(string(text), "33 77") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestCopyFolder(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	for _, name := range []string{"1.jsonl", "1.idx", "journal", "lock", "owner.json"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyFolder(from, to); err != nil {
		t.Fatal(err)
	}
	for name, linked := range map[string]bool{"1.jsonl": true, "1.idx": true, "journal": false} {
		a, _ := os.Stat(filepath.Join(from, name))
		b, err := os.Stat(filepath.Join(to, name))
		if err != nil || os.SameFile(a, b) != linked {
			t.Errorf("%s: %v, linked %v", name, err, os.SameFile(a, b))
		}
	}
	if entries, _ := os.ReadDir(to); len(entries) != 3 {
		t.Errorf("%v", entries)
	}
}

// Same rows are the same to the bit, NaN and all.
func TestSameRows(t *testing.T) {
	a := [][]any{{"x", int64(1), math.NaN()}, {nil, 0.1, time.Unix(0, 0)}}
	if !sameRows(a, [][]any{{"x", int64(1), math.NaN()}, {nil, 0.1, time.Unix(0, 0)}}) {
		t.Error("the same is not the same")
	}
	for _, b := range [][][]any{a[:1], {{"x", int64(1), 0.0}, a[1]}, {a[0], {nil, math.Nextafter(0.1, 1), time.Unix(0, 0)}}, {a[0], a[1][:2]}, {a[1], a[0]}} {
		if sameRows(a, b) {
			t.Errorf("%v is the same as %v", b, a)
		}
	}
}

func TestMeasureOfARate(t *testing.T) {
	if m := measureOf([]float64{1, 3, 2}, "events/s"); m.Best != 3 || m.Worst != 1 || m.Median != 2 {
		t.Errorf("%+v", m)
	}
	if g := goalOf(bench.Goal{}); g != nil {
		t.Errorf("a goal of nothing: %+v", g)
	}
}
