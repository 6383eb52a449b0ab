package duck

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

const fallQuestion = "SELECT service_name, endpoint, count(*), count(latency_ms), quantile_cont(latency_ms, 0.5), quantile_cont(latency_ms, 0.95) FROM events GROUP BY ALL ORDER BY ALL"

// TestFilesWithoutUsableDigests: the magic of some is gone, as of files of older releases, and of others some bit is wrong. Their columns are asked, and the
// answer is the same; when there are many such files DuckDB answers the whole question.
func TestFilesWithoutUsableDigests(t *testing.T) {
	r := newDigestRig(t)
	want := printed(r.ask(t, fallQuestion, false), true)
	v := r.lake.Current()
	draw := rand.New(rand.NewPCG(31, 32))
	for _, share := range []int{10, 3, 1} { // one of so many
		for i := range v.Files {
			if draw.IntN(share) > 0 {
				continue
			}
			spoil(t, r.lake.Layout().Path(&v.Files[i]), &v.Files[i], draw)
		}
		r.engine.digests = lake.NewDigests(r.lake.Layout(), digestMemory)
		got := r.ask(t, fallQuestion, true)
		if text := printed(got, true); text != want {
			t.Fatalf("with one of %d digests spoilt:\n%s\nwant\n%s", share, text, want)
		}
		if used := got.Stats.Digests; used == len(v.Files) || share == 10 && used < len(v.Files)/2 || share == 1 && used > 0 {
			t.Errorf("with one of %d digests spoilt %d of %d were used", share, used, len(v.Files))
		}
	}
}

// spoil damages a file's digest and nothing else.
func spoil(t *testing.T, path string, f *lake.FileEntry, draw *rand.Rand) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	end := f.Bytes - f.FooterBytes + 4
	at := end - 1 - draw.Int64N(60) // in the magic, in the trailer, or in the last cells of the index
	b := make([]byte, 1)
	if _, err := file.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << draw.IntN(8)
	if _, err := file.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// TestSpoiltValues: the index is right and the latencies are not: DuckDB answers.
func TestSpoiltValues(t *testing.T) {
	r := newDigestRig(t)
	want := printed(r.ask(t, fallQuestion, false), true)
	r.ask(t, fallQuestion, true) // the index is in memory now
	v := r.lake.Current()
	for i := range v.Files {
		f := &v.Files[i]
		found, err := r.engine.digests.Read(t.Context(), []*lake.FileEntry{f}, 1, new(lake.DigestRead))
		if err != nil || found[0].Digest == nil {
			t.Fatal(err)
		}
		if values := found[0].Bytes() - found[0].IndexBytes(); values > 0 {
			path := r.lake.Layout().Path(f)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			at := f.Bytes - f.FooterBytes + 4 - found[0].Bytes() + values/2
			b[at] ^= 8
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := r.ask(t, fallQuestion, true)
	if text := printed(got, true); text != want || got.Stats.Digests > 0 {
		t.Fatalf("%d digests were used:\n%s\nwant\n%s", got.Stats.Digests, text, want)
	}
}

// TestManyGroupsAreDuckDBs: an answer of more rows than digests are good for.
func TestManyGroupsAreDuckDBs(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	var lines []byte
	const n = maxDigestGroups + 50
	for i := range n {
		ev := lake.Event{Timestamp: lake.MicrosOf(rigStart), ServiceName: "a", Endpoint: fmt.Sprintf("/%d", i), Region: "eu", StatusCode: 200, EventID: fmt.Sprint(i), Level: "info", ReceivedAt: 1}
		lines = ev.AppendLine(lines)
	}
	if _, err := l.Append(t.Context(), lake.Batch{Lines: lines, N: n}); err != nil {
		t.Fatal(err)
	}
	const text = "select endpoint, count(*), quantile_cont(latency_ms, 0.5) from events group by endpoint"
	if rows := ask(t, e, text); len(rows) != n || rows[0][1] != int64(1) || rows[0][2] != nil {
		t.Fatalf("%d rows of hot events, %v", len(rows), rows[0])
	}
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if rows := ask(t, e, text); len(rows) != n {
		t.Fatalf("%d rows, want %d", len(rows), n)
	}
	if result, err := e.Query(t.Context(), sql.Query{Text: "select count(*) from events", MinSeq: l.Committed()}); err != nil || result.Stats.Digests != 1 || result.Rows[0][0] != int64(n) {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestExactlyOnceFromDigests asks while a writer writes and conversions convert: the latencies of n events are 0 to n-1, and nothing else.
func TestExactlyOnceFromDigests(t *testing.T) {
	l, _ := onceLake(t)
	e, err := Open(t.Context(), Config{Lake: l})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, stop := context.WithTimeout(t.Context(), onceDuration/2)
	defer stop()
	var acked atomic.Int64
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; ctx.Err() == nil; i += onceBatch {
			if _, err := l.Append(t.Context(), onceBatchOf(0, i)); err != nil {
				t.Error(err)
				return
			}
			acked.Store(int64(i + onceBatch))
		}
	})
	work.Go(func() {
		for ctx.Err() == nil {
			if _, err := l.Convert(t.Context(), nil); err != nil {
				t.Error(err)
				return
			}
		}
	})
	polls, both := 0, 0
	for ctx.Err() == nil && !t.Failed() {
		before := acked.Load()
		result, err := e.Query(t.Context(), sql.Query{MinSeq: l.Committed(), Text: "select count(*), count(latency_ms), quantile_cont(latency_ms, 0), quantile_cont(latency_ms, 0.5), quantile_cont(latency_ms, 1) from events"})
		if err != nil {
			t.Fatal(err)
		}
		row := result.Rows[0]
		n := row[0].(int64)
		if n == 0 && before == 0 {
			continue
		}
		if n < before || row[1] != n || row[2] != 0.0 || row[3] != float64(n-1)/2 || row[4] != float64(n-1) {
			t.Errorf("version %d, %d acknowledged before: %v", result.Stats.Version, before, row)
		}
		if polls++; result.Stats.Digests > 0 && result.Stats.HotRows > 0 {
			both++
		}
	}
	work.Wait()
	if polls < 5 || both < 2 {
		t.Errorf("%d polls, %d of both files and hot rows: too few to mean anything", polls, both)
	}
}
