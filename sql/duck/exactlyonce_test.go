package duck

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// The test writes events that know their place: writer w's event i has the service "writer-w" and the latency i. Whoever sees k events of a writer must
// see exactly 0..k-1, since a writer sends one batch after the other: count, sum and largest value tell every loss, doubling and gap.
const (
	onceWriters  = 3
	onceBatch    = 17
	onceDuration = 3 * time.Second
	onceDirEnv   = "SIGNALLAKE_TEST_EXACTLY_ONCE"
	onceQuestion = "select service_name, count(*), count(distinct event_id), sum(latency_ms), max(latency_ms) from events group by service_name"
)

// onceBatchOf is events [from, from+onceBatch) of a writer, over a few days and status codes so that several partitions are written.
func onceBatchOf(writer, from int) lake.Batch {
	b := lake.Batch{N: onceBatch}
	start := lake.MicrosOf(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	for i := from; i < from+onceBatch; i++ {
		e := lake.Event{EventID: fmt.Sprintf("%d-%d", writer, i), Timestamp: start + lake.Micros(i%3)*24*3600_000_000 + lake.Micros(i)*1000, ReceivedAt: lake.MicrosOf(time.Now()),
			ServiceName: fmt.Sprintf("writer-%d", writer), Endpoint: "/e", Region: "eu", Level: "info", StatusCode: int32(200 + i%2*300), LatencyMS: float64(i), HasLatency: true}
		b.Lines = e.AppendLine(b.Lines)
	}
	return b
}

// onceCheck judges one answer: atLeast and atMost bound what a writer's events may be.
func onceCheck(rows [][]any, atLeast, atMost func(writer int) int64) error {
	seen := map[string]bool{}
	for _, row := range rows {
		name := row[0].(string)
		var writer int
		if _, err := fmt.Sscanf(name, "writer-%d", &writer); err != nil {
			return err
		}
		seen[name] = true
		n, distinct, sum, highest := row[1].(int64), row[2].(int64), row[3].(float64), row[4].(float64)
		if n != distinct || highest != float64(n-1) || sum != float64(n)*float64(n-1)/2 {
			return fmt.Errorf("%s: %d events, %d ids, sum %.0f, largest %.0f", name, n, distinct, sum, highest)
		}
		if n < atLeast(writer) || n > atMost(writer) {
			return fmt.Errorf("%s: %d events, want %d to %d", name, n, atLeast(writer), atMost(writer))
		}
	}
	for w := range onceWriters {
		if name := fmt.Sprintf("writer-%d", w); atLeast(w) > 0 && !seen[name] {
			return fmt.Errorf("%s: none of %d events", name, atLeast(w))
		}
	}
	return nil
}

func onceLake(t *testing.T) (*lake.Lake, string) {
	dir := t.TempDir()
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ConvertAge: -1, ConvertBytes: 1 << 40, SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, dir
}

// TestExactlyOnce polls while writers write and conversions convert, in this process and in a second one.
func TestExactlyOnce(t *testing.T) {
	l, dir := onceLake(t)
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, stop := context.WithTimeout(t.Context(), onceDuration)
	defer stop()
	var sent, acked [onceWriters]atomic.Int64
	var work sync.WaitGroup
	for w := range onceWriters {
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i += onceBatch {
				sent[w].Store(int64(i + onceBatch))
				if _, err := l.Append(t.Context(), onceBatchOf(w, i)); err != nil {
					t.Error(err)
					return
				}
				acked[w].Store(int64(i + onceBatch))
			}
		})
	}
	conversions := 0
	work.Go(func() {
		for ctx.Err() == nil {
			if _, err := l.Convert(t.Context(), nil); err != nil {
				t.Error(err)
				return
			}
			conversions++
		}
	})
	var polls atomic.Int64
	for range 2 {
		work.Go(func() {
			for ctx.Err() == nil {
				var before [onceWriters]int64
				for w := range before {
					before[w] = acked[w].Load()
				}
				result, err := e.Query(t.Context(), sql.Query{Text: onceQuestion, MinSeq: l.Committed()})
				if err != nil {
					t.Error(err)
					return
				}
				err = onceCheck(result.Rows, func(w int) int64 { return before[w] }, func(w int) int64 { return sent[w].Load() })
				if err != nil {
					t.Errorf("version %d: %v", result.Stats.Version, err)
					return
				}
				polls.Add(1)
			}
		})
	}
	reader := exec.Command(os.Args[0], "-test.run=^TestExactlyOnceReader$", "-test.v")
	reader.Env = append(os.Environ(), onceDirEnv+"="+dir)
	output, err := reader.CombinedOutput()
	work.Wait()
	if err != nil || !strings.Contains(string(output), "polls") {
		t.Errorf("the second process: %v\n%s", err, output)
	}
	if polls.Load() < 5 || conversions < 3 {
		t.Errorf("%d polls, %d conversions: too few to mean anything", polls.Load(), conversions)
	}
	rows := ask(t, e, onceQuestion)
	last := func(w int) int64 { return acked[w].Load() }
	if err := onceCheck(rows, last, last); err != nil {
		t.Errorf("in the end: %v", err)
	}
	checkMinutes(t, e)
	t.Logf("%d polls, %d conversions, %d events; %s", polls.Load(), conversions, acked[0].Load()+acked[1].Load()+acked[2].Load(), lastLine(output))
}

func lastLine(b []byte) string {
	for _, line := range strings.Split(string(b), "\n") {
		if strings.Contains(line, "polls") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// TestExactlyOnceReader is the second process.
func TestExactlyOnceReader(t *testing.T) {
	dir := os.Getenv(onceDirEnv)
	if dir == "" {
		return // only TestExactlyOnce starts it
	}
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	polls, grown := 0, 0
	var before [onceWriters]int64
	for until := time.Now().Add(onceDuration * 2 / 3); time.Now().Before(until); polls++ {
		result, err := e.Query(t.Context(), sql.Query{Text: onceQuestion})
		if err != nil {
			t.Fatal(err)
		}
		if result.Stats.Missing > 0 {
			continue // it is still reading in what lay in the log at its start, and says that these events are not in the answer yet
		}
		if err := onceCheck(result.Rows, func(w int) int64 { return before[w] }, func(int) int64 { return 1 << 40 }); err != nil {
			t.Fatalf("version %d: %v", result.Stats.Version, err)
		}
		for _, row := range result.Rows {
			var w int
			fmt.Sscanf(row[0].(string), "writer-%d", &w)
			if n := row[1].(int64); n > before[w] {
				before[w] = n
				grown++
			}
		}
	}
	if grown < 5 {
		t.Errorf("saw growth %d times only", grown)
	}
	fmt.Printf("second process: %d polls, growth seen %d times\n", polls, grown)
}

// TestExactlyOnceCanFail mixes the files of one version with the hot tables of another, as a view that connections share does: the check must notice.
func TestExactlyOnceCanFail(t *testing.T) {
	l, _ := onceLake(t)
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for i := range 20 {
		if _, err := l.Append(t.Context(), onceBatchOf(0, i*onceBatch)); err != nil {
			t.Fatal(err)
		}
	}
	all := func(int) int64 { return 20 * onceBatch }
	none := func(w int) int64 { return all(w) * int64(1-min(w, 1)) }
	if err := onceCheck(ask(t, e, onceQuestion), none, all); err != nil {
		t.Fatalf("a right answer is called wrong: %v", err)
	}
	old := e.hot.pin()
	defer old.release()
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	young := e.hot.pin()
	defer young.release()
	for name, mixed := range map[string]struct{ files, hot *view }{"doubled": {young, old}, "lost": {old, young}} {
		var files []*lake.FileEntry
		for i := range mixed.files.Version.Files {
			files = append(files, &mixed.files.Version.Files[i])
		}
		text, err := eventsSQL(l.Layout(), files, mixed.hot.hot)
		if err != nil {
			t.Fatal(err)
		}
		c := <-e.conns
		err = c.exec(text)
		if err != nil {
			t.Fatal(err)
		}
		set, err := c.query(onceQuestion, 0)
		e.conns <- c
		if err != nil {
			t.Fatal(err)
		}
		result := &sql.Result{}
		fillResult(result, set)
		if err := onceCheck(result.Rows, none, all); err == nil {
			t.Errorf("%s events were not noticed: %v", name, result.Rows)
		}
	}
}
