package duck

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

const backlogEvents = 20_000

// closedLake is a folder with an unconverted lake of many segments, as a process leaves it that did not convert.
func closedLake(tb testing.TB, events int64, segmentBytes int64) string {
	tb.Helper()
	dir := tb.TempDir()
	l, err := lake.Open(tb.Context(), lake.Config{Dir: dir, ConvertAge: -1, SegmentBytes: segmentBytes})
	if err != nil {
		tb.Fatal(err)
	}
	generateInto(tb, l, events, 1)
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// openOn opens a lake and an engine on it.
func openOn(t *testing.T, cfg lake.Config) (*lake.Lake, *Engine) {
	t.Helper()
	l, err := lake.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e, err := Open(t.Context(), Config{Lake: l, Panels: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return l, e
}

// gateDisk lets Parquet files be written only when the gate is open, and not at all after fail.
type gateDisk struct {
	lake.OSDisk
	gate <-chan struct{}
	fail error
}

func (d gateDisk) Create(path string) (lake.File, error) {
	if strings.HasSuffix(path, ".parquet") {
		<-d.gate
		if d.fail != nil {
			return nil, d.fail
		}
	}
	return d.OSDisk.Create(path)
}

// TestStartWithBacklog: while the conversion of what was found is at work, new events are seen at once, and a question says what it lacks or waits.
func TestStartWithBacklog(t *testing.T) {
	gate := make(chan struct{})
	l, e := openOn(t, lake.Config{Dir: closedLake(t, backlogEvents, 64<<10), ConvertBytes: 1 << 10, Disk: gateDisk{gate: gate}})
	if fresh := e.Freshness(); !fresh.Loading || fresh.Unseen != backlogEvents || fresh.Load.Total != backlogEvents || fresh.Load.Done >= backlogEvents {
		t.Errorf("at the start: %+v", fresh)
	}
	if _, err := l.Append(t.Context(), onceBatchOf(0, 0)); err != nil {
		t.Fatal(err)
	}
	count := func(minSeq lake.Seq) (n, missing int64) {
		t.Helper()
		result, err := e.Query(t.Context(), sql.Query{Text: "select count(*) from events", MinSeq: minSeq})
		if err != nil {
			t.Fatal(err)
		}
		return result.Rows[0][0].(int64), result.Stats.Missing
	}
	for n, missing := count(0); n != onceBatch || missing != backlogEvents; n, missing = count(0) {
		if n != 0 || missing != backlogEvents {
			t.Fatalf("%d events are seen and %d are told as missing", n, missing)
		}
		pause(t, 10*time.Millisecond)
	}
	waited := make(chan int64, 1)
	go func() {
		result, err := e.Query(t.Context(), sql.Query{Text: "select count(*) from events", MinSeq: l.Committed()})
		if err != nil {
			t.Error(err)
			waited <- 0
			return
		}
		waited <- result.Rows[0][0].(int64)
	}()
	for e.Freshness().Uncounted > 0 { // the panels do not wait for the conversion
		pause(t, 10*time.Millisecond)
	}
	select {
	case n := <-waited:
		t.Fatalf("a question for everything was answered with %d events", n)
	default:
	}
	close(gate)
	if n := <-waited; n != backlogEvents+onceBatch {
		t.Errorf("%d events, want %d", n, backlogEvents+onceBatch)
	}
	if n, missing := count(0); n != backlogEvents+onceBatch || missing != 0 {
		t.Errorf("%d events, %d missing", n, missing)
	}
	if err := e.WaitLoaded(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fresh := e.Freshness(); fresh.Loading || fresh.Unseen != 0 || fresh.VisibleTo != l.Committed() {
		t.Errorf("at the end: %+v", fresh)
	}
}

// TestBacklogWithoutConversion: where the conversion fails, or there is none, hot tables are filled.
func TestBacklogWithoutConversion(t *testing.T) {
	f := func(name string, cfg lake.Config) {
		t.Helper()
		cfg.Dir = closedLake(t, backlogEvents, 64<<10)
		l, e := openOn(t, cfg)
		result, err := e.Query(t.Context(), sql.Query{Text: "select count(*), count(distinct seq), count(distinct event_id) from events", MinSeq: l.Committed()})
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range result.Rows[0] {
			if got != int64(backlogEvents) {
				t.Errorf("%s: column %d is %v, want %d", name, i, got, backlogEvents)
			}
		}
		if result.Stats.Missing != 0 || result.Stats.HotRows != backlogEvents {
			t.Errorf("%s: %+v", name, result.Stats)
		}
		if fresh := e.Freshness(); fresh.NewestAt == 0 || fresh.Err != "" {
			t.Errorf("%s: %+v", name, fresh)
		}
	}
	open := make(chan struct{})
	close(open)
	f("never", lake.Config{ConvertAge: -1})
	f("later", lake.Config{ConvertBytes: 1 << 40})
	f("read-only", lake.Config{ReadOnly: true})
	f("failing", lake.Config{ConvertBytes: 1 << 10, Disk: gateDisk{gate: open, fail: errors.New("no space left")}})
}

// TestBacklogAndConversion races the loaders with a conversion, again and again: every event is seen exactly once.
func TestBacklogAndConversion(t *testing.T) {
	for range 5 {
		l, e := openOn(t, lake.Config{Dir: closedLake(t, backlogEvents, 64<<10), ConvertAge: -1})
		converted := make(chan error, 1)
		go func() {
			_, err := l.Convert(t.Context(), nil)
			converted <- err
		}()
		for range 5 {
			if rows := ask(t, e, "select count(*), count(distinct event_id) from events"); rows[0][0] != int64(backlogEvents) || rows[0][1] != int64(backlogEvents) {
				t.Fatalf("%v, want %d", rows, backlogEvents)
			}
		}
		if err := <-converted; err != nil {
			t.Fatal(err)
		}
		waitCounted(t, e)
		if rows := ask(t, e, "select sum(count)::bigint from minutes"); rows[0][0] != int64(backlogEvents) {
			t.Fatalf("the minutes count %v, want %d", rows, backlogEvents)
		}
		if err := errors.Join(e.Close(), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBacklogWithDamage: a segment that cannot be read costs itself alone, and is named.
func TestBacklogWithDamage(t *testing.T) {
	dir := closedLake(t, backlogEvents, 64<<10)
	raw, err := filepath.Glob(filepath.Join(dir, "raw", "*.jsonl"))
	if err != nil || len(raw) < 3 {
		t.Fatal(raw, err)
	}
	text, err := os.ReadFile(raw[1])
	if err != nil {
		t.Fatal(err)
	}
	lines := int64(bytes.Count(text, []byte{'\n'}))
	text[100] ^= 0x10
	if err := os.WriteFile(raw[1], text, 0o644); err != nil {
		t.Fatal(err)
	}
	l, e := openOn(t, lake.Config{Dir: dir, ConvertAge: -1})
	if err := e.WaitLoaded(t.Context()); err == nil || !strings.Contains(err.Error(), raw[1]) {
		t.Errorf("%v does not name %s", err, raw[1])
	}
	if _, err := l.Append(t.Context(), onceBatchOf(0, 0)); err != nil {
		t.Fatal(err)
	}
	result, err := e.Query(t.Context(), sql.Query{Text: "select count(*) from events", MinSeq: l.Committed()})
	if err != nil {
		t.Fatal(err)
	}
	n, missing := result.Rows[0][0].(int64), result.Stats.Missing
	if n < backlogEvents-lines+onceBatch || n+missing != backlogEvents+onceBatch || missing == 0 {
		t.Errorf("%d events, %d missing, the damaged segment has %d", n, missing, lines)
	}
	if fresh := e.Freshness(); !strings.Contains(fresh.Err, raw[1]) || fresh.Unseen != missing {
		t.Errorf("%+v", fresh)
	}
}

// BenchmarkRecovery starts on 100,000 unconverted events, with and without a conversion, and compares with plain reading of the same bytes.
func BenchmarkRecovery(b *testing.B) {
	events := int64(100_000)
	if testing.Short() {
		events = 10_000
	}
	for _, way := range []struct {
		name  string
		bytes int64 // Config.ConvertBytes
	}{{"converted", 1}, {"hot", 1 << 40}} {
		b.Run(way.name, func(b *testing.B) {
			var spent, plain time.Duration
			for b.Loop() {
				b.StopTimer()
				dir := closedLake(b, events, 8<<20)
				plain += readPlainly(b, dir)
				b.StartTimer()
				started := time.Now()
				l, err := lake.Open(b.Context(), lake.Config{Dir: dir, ConvertBytes: way.bytes})
				if err != nil {
					b.Fatal(err)
				}
				e, err := Open(b.Context(), Config{Lake: l, Panels: true})
				if err != nil {
					b.Fatal(err)
				}
				if err := e.WaitLoaded(b.Context()); err != nil {
					b.Fatal(err)
				}
				if _, err := e.Extent(b.Context()); err != nil {
					b.Fatal(err)
				}
				spent += time.Since(started)
				b.StopTimer()
				if err := errors.Join(e.Close(), l.Close()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(events)*float64(b.N)/spent.Seconds(), "events/s")
			b.ReportMetric(float64(spent)/float64(plain), "x-reading")
		})
	}
}

// readPlainly reads the raw files and counts their lines.
func readPlainly(b *testing.B, dir string) time.Duration {
	started := time.Now()
	raw, err := filepath.Glob(filepath.Join(dir, "raw", "*.jsonl"))
	if err != nil || len(raw) == 0 {
		b.Fatal(raw, err)
	}
	buf := make([]byte, 1<<20)
	for _, path := range raw {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		for {
			n, err := f.Read(buf)
			bytes.Count(buf[:n], []byte{'\n'})
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(started)
}
