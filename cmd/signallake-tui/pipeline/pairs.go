package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/duck"
)

const (
	// mostPairs is over how many pairs of service and day the questions rotate at most.
	mostPairs = 24
	latency   = "latency_ms" // the column that a p95 needs
)

// pair is one question's service and day.
type pair struct {
	service string
	day     lake.Date
}

func (p pair) where() string {
	return fmt.Sprintf("service_name = %s AND event_date = DATE '%s'", sql.Literal(p.service), p.day)
}

// p95 and errorRate are the questions, of any source.
func (p pair) p95(source string) string {
	return "SELECT quantile_cont(latency_ms, 0.95) AS p95 FROM " + source + " WHERE " + p.where()
}

func (p pair) errorRate(source string) string {
	return "SELECT endpoint, count(*) AS requests, count(*) FILTER (WHERE status_code >= 500) AS errors,\n" +
		"       CAST(count(*) FILTER (WHERE status_code >= 500) AS DOUBLE) / count(*) AS error_rate\nFROM " + source + "\nWHERE status_code >= 100 AND " + p.where() +
		"\nGROUP BY endpoint\nORDER BY error_rate DESC, errors DESC, endpoint NULLS LAST"
}

// The ways in which a pair is asked.
const (
	twinP95 = iota
	listP95
	guidedP95
	floorP95
	twinErrors
	engineErrors
	pairWays
)

// measurePairs asks about one service on one day: of the unpartitioned file, of the files that the catalog lists, and of the engine. Before each round 50,000
// new events are in the tail, those of the round before are converted, and the unpartitioned file is written anew.
func measurePairs(ctx context.Context, c *corpus, o *outcome) error {
	a, err := c.openFresh(ctx)
	if err != nil {
		return err
	}
	m := &pairing{corpus: c, asked: a, hot: c.hotRows()}
	for i := range m.same {
		m.same[i] = true
	}
	m.choosePairs()
	c.beginRounds(len(m.pairs))
	for round := -1; round < c.cfg.Rounds; round++ {
		if err := m.renew(ctx); err != nil {
			return err
		}
		if err := m.round(ctx, round); err != nil {
			return err
		}
	}
	m.tell(o)
	return nil
}

// pairing is that stage at work.
type pairing struct {
	*corpus
	*asked
	pairs   []pair
	hot     int64  // events in the tail
	twin    string // the unpartitioned file as a source, with the hot rows
	samples [pairWays][]float64
	live    [pairWays][]float64 // of the pairs of the newest day, where the hot rows are: every question
	same    [pairWays]bool
	buffer  []byte
}

// choosePairs takes some of the pairs, at random but the same in every run.
func (m *pairing) choosePairs() {
	for _, f := range m.lake.Current().Files { // ordered by day and service
		p := pair{f.Partition.Service, f.Partition.Date}
		if len(m.pairs) == 0 || m.pairs[len(m.pairs)-1] != p {
			m.pairs = append(m.pairs, p)
		}
	}
	draw := rand.New(rand.NewPCG(corpusSeed, uint64(len(m.pairs))))
	draw.Shuffle(len(m.pairs), func(i, j int) { m.pairs[i], m.pairs[j] = m.pairs[j], m.pairs[i] })
	m.pairs = m.pairs[:min(mostPairs, len(m.pairs))]
}

// renew makes a new version and a new tail, and writes the unpartitioned file anew.
func (m *pairing) renew(ctx context.Context) error {
	if err := m.asked.renew(ctx, m.corpus, m.hot); err != nil {
		return err
	}
	if _, err := m.lake.ConvertUnpartitioned(ctx, nil); err != nil {
		return err
	}
	twin, ok, err := m.lake.Unpartitioned()
	if err != nil || !ok {
		return errors.Join(err, errors.New("the unpartitioned file is not there"))
	}
	m.twin = m.reference.WithHot(duck.Twin(twin.Path), "true")
	return m.bothHoldAll(ctx, m.twin)
}

// round asks each pair in every way, in an order that is drawn anew for each.
func (m *pairing) round(ctx context.Context, round int) error {
	runtime.GC()
	draw := rand.New(rand.NewPCG(uint64(round+1), 0))
	times := [pairWays][]float64{}
	for _, p := range m.pairs {
		chunks, err := m.chunks(ctx, p)
		if err != nil {
			return err
		}
		var answers [pairWays][][]any
		for _, k := range draw.Perm(pairWays) {
			if err := ctx.Err(); err != nil {
				return err
			}
			rows, took, err := m.askPair(ctx, p, k, chunks)
			if err != nil {
				return fmt.Errorf("%s on %v: %w", p.service, p.day, err)
			}
			answers[k] = rows
			times[k] = append(times[k], milliseconds(took))
			if round >= 0 && p.day == newestDay() {
				m.live[k] = append(m.live[k], milliseconds(took))
			}
		}
		m.cfg.Progress.Add(1)
		for k, like := range map[int]int{listP95: twinP95, guidedP95: twinP95, engineErrors: twinErrors} {
			m.same[k] = m.same[k] && len(answers[k]) > 0 && sameRows(answers[k], answers[like])
		}
	}
	if round >= 0 {
		for k := range times {
			m.samples[k] = append(m.samples[k], median(sorted(times[k])))
		}
	}
	return nil
}

// askPair asks in one way: all that a user waits for.
func (m *pairing) askPair(ctx context.Context, p pair, way int, chunks []duck.Chunk) ([][]any, time.Duration, error) {
	switch way {
	case twinP95:
		return m.compare(ctx, p.p95(m.twin))
	case listP95:
		started := time.Now()
		rows, err := m.askList(ctx, p)
		return rows, time.Since(started), err
	case guidedP95:
		return m.ask(ctx, p.p95("events"))
	case floorP95:
		took, err := m.readChunks(chunks)
		return nil, took, err
	case twinErrors:
		return m.compare(ctx, p.errorRate(m.twin))
	default:
		return m.ask(ctx, p.errorRate("events"))
	}
}

// askList asks over the files that the catalog gives for the pair, read as the engine reads them. They hold nothing else: no condition is needed.
func (m *pairing) askList(ctx context.Context, p pair) ([][]any, error) {
	files := sql.Prune(m.lake.Current().Files, []sql.Scan{sql.KeyScan(p.service, p.day, latency)}, sql.Leeway{})
	source, release, err := m.reference.HoldPair(m.lake.Layout(), files, latency)
	if err != nil {
		return nil, err
	}
	rows, _, err := m.compare(ctx, "SELECT quantile_cont(latency_ms, 0.95) AS p95 FROM (SELECT latency_ms FROM "+source+" UNION ALL SELECT latency_ms FROM hot WHERE "+p.where()+")")
	return rows, errors.Join(err, release())
}

// chunks are the bytes of the pair's latencies, for the floor. They are looked up beforehand.
func (m *pairing) chunks(ctx context.Context, p pair) ([]duck.Chunk, error) {
	files := sql.Prune(m.lake.Current().Files, []sql.Scan{sql.KeyScan(p.service, p.day, latency)}, sql.Leeway{})
	return m.reference.Chunks(ctx, m.lake.Layout(), files, latency)
}

// readChunks opens the files and reads the chunks: no answer can come from these files with less.
func (m *pairing) readChunks(chunks []duck.Chunk) (time.Duration, error) {
	started := time.Now()
	for _, c := range chunks {
		if int64(len(m.buffer)) < c.Len {
			m.buffer = bytes.Repeat([]byte{0}, int(c.Len))
		}
		f, err := os.Open(c.Path)
		if err != nil {
			return 0, err
		}
		_, err = f.ReadAt(m.buffer[:c.Len], c.Offset)
		if err := errors.Join(err, f.Close()); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

// tell writes the lines.
func (m *pairing) tell(o *outcome) {
	versions := fmt.Sprintf("%d pairs of service and day; a sample is the median of a round; before each round a new version and %d hot rows, on the newest day", len(m.pairs), m.hot)
	for _, line := range []struct {
		name      string
		ours, ref int
		answers   bool
	}{{"p95-list", listP95, twinP95, true}, {"p95-guided", guidedP95, twinP95, true}, {"p95-floor", guidedP95, floorP95, false}, {"error-rate", engineErrors, twinErrors, true}} {
		f := o.add(line.name, m.samples[line.ours], m.samples[line.ref])
		if !line.answers {
			f.note("the reference opens the pair's files and reads the column's chunks: no footer, no decoding, no hot rows")
			continue
		}
		f.equal(m.same[line.ours]).note("%s", versions)
		if line.ours == listP95 {
			f.note("ours: DuckDB computes the answer over the catalog's list, whose small files the engine's own table function reads; no digest, and both sides keep footers and what they have read of files")
		}
		f.note("questions about the newest day, with its hot rows and files of every round: ours %.2f ms, reference %.2f ms", median(sorted(m.live[line.ours])), median(sorted(m.live[line.ref])))
	}
}
