package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/gen"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/duck"
)

const (
	// mostPairs is over how many pairs of service and day the questions rotate at most.
	mostPairs = 24
	// hotRows come in before each round; a lake of less than a million events gets a twentieth of itself, else it would be another lake after five rounds.
	hotRows     = 50_000
	hotFraction = 20
	latency     = "latency_ms" // the column that a p95 needs
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
	a, err := c.open(ctx)
	if err != nil {
		return err
	}
	m := &pairing{corpus: c, asked: a, same: [pairWays]bool{}}
	for i := range m.same {
		m.same[i] = true
	}
	m.choosePairs()
	c.beginRounds(len(m.pairs))
	for round := -1; round < c.cfg.Rounds; round++ {
		if err := m.renew(ctx, round); err != nil {
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

// newestDay is the day of the events that come in while questions are asked.
func newestDay() lake.Date {
	return lake.DateOf(corpusStart()) + corpusDays - 1
}

// renew converts what is in the tail, so that there is a new version, fills the tail anew, and makes the reference hold the same events.
func (m *pairing) renew(ctx context.Context, round int) error {
	path := filepath.Join(m.dir, "hot.jsonl")
	if round < 0 { // so that there is something to convert: later it is what the round before had in its tail
		if err := m.fill(ctx, path, round); err != nil {
			return err
		}
	}
	if _, err := m.lake.Convert(ctx, nil); err != nil {
		return err
	}
	if err := m.fill(ctx, path, round+1); err != nil {
		return err
	}
	if _, err := m.lake.ConvertUnpartitioned(ctx, nil); err != nil {
		return err
	}
	twin, ok, err := m.lake.Unpartitioned()
	if err != nil || !ok {
		return errors.Join(err, errors.New("the unpartitioned file is not there"))
	}
	if err := m.reference.SetHot(ctx, path); err != nil {
		return err
	}
	m.twin = m.reference.WithHot(duck.Twin(twin.Path), "true")
	return m.bothHoldAll(ctx, round)
}

// bothHoldAll waits until the engine sees every event, and counts on both sides. What questions need is read once then, of the reference's new file too.
func (m *pairing) bothHoldAll(ctx context.Context, round int) error {
	const all = "SELECT count(*), count(DISTINCT endpoint), max(latency_ms), max(status_code) FROM "
	for {
		ours, err := m.engine.Query(ctx, sql.Query{Text: all + "events", MinSeq: m.lake.Committed()})
		if err != nil {
			return err
		}
		if ours.Stats.Missing > 0 {
			continue // it has waited
		}
		theirs, _, err := m.compare(ctx, all+m.twin)
		if err != nil {
			return err
		}
		if !sameRows(ours.Rows, theirs) {
			return fmt.Errorf("before round %d the lake holds %v and the reference %v", round+1, ours.Rows, theirs)
		}
		return nil
	}
}

// fill appends new events of the newest day, and writes them to a file.
func (m *pairing) fill(ctx context.Context, path string, round int) error {
	m.hot = min(hotRows, max(1, m.events/hotFraction))
	var all []byte
	cfg := gen.Config{Seed: corpusSeed + 100 + uint64(round+1), Count: m.hot, Days: 1, Services: corpusServices, Start: newestDay().Start()}
	err := generate(ctx, cfg, func(b lake.Batch) error {
		all = append(all, b.Lines...)
		_, err := m.lake.Append(ctx, b)
		return err
	})
	return errors.Join(err, os.WriteFile(path, all, 0o644))
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
		source := duck.PairList(m.lake.Layout(), sql.Prune(m.lake.Current().Files, []sql.Scan{sql.KeyScan(p.service, p.day, latency)}, sql.Leeway{}))
		rows, _, err := m.compare(ctx, "SELECT quantile_cont(latency_ms, 0.95) AS p95 FROM (SELECT latency_ms FROM "+source+" UNION ALL SELECT latency_ms FROM hot WHERE "+p.where()+")")
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
		f.note("questions about the newest day, with its hot rows and files of every round: ours %.2f ms, reference %.2f ms", median(sorted(m.live[line.ours])), median(sorted(m.live[line.ref])))
	}
}
