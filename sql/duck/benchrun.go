package duck

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql/bench"
)

// measurement runs the rounds.
type measurement struct {
	*bencher
	progress *lake.Progress
	answers  []*float64 // of the first rung, by pair: what every other answer is held against
	fetched  []int64    // by rung: the kernel's count of what the process read for a question, the mean
}

// countRounds is how often each question is counted: the median of three bears that something else in the process read a file meanwhile.
const countRounds = 3

// count asks everything untimed, and counts what is read. DuckDB keeps nothing between two questions here, so that the count is of all that one takes.
func (m *measurement) count(ctx context.Context) error {
	m.c, m.own = m.bare.conns[0], m.forgets
	rungs := m.newRungs(false)
	m.progress.Start("counted: questions", int64(countRounds*len(m.pairs)*len(m.rungs)))
	for round := range countRounds {
		if err := m.round(ctx, round, rungs, nil); err != nil {
			return err
		}
	}
	for i := range rungs {
		m.fetched = append(m.fetched, rungs[i].meanCount())
	}
	return nil
}

// warm asks everything once to warm up, then runs the timed rounds.
func (m *measurement) warm(ctx context.Context, report *bench.Report) error {
	m.c, m.own = m.bencher.warm.conns[0], m.keeps
	m.progress.Start("warm-up: questions", int64(len(m.pairs)*len(m.rungs)))
	if err := m.round(ctx, 0, m.newRungs(false), nil); err != nil {
		return err
	}
	rungs, probes := m.newRungs(false), make([]bench.Probe, len(m.probes))
	for i, p := range m.probes {
		probes[i] = bench.Probe{Name: p.name, Title: p.title}
	}
	m.progress.Start("warm: questions", int64(m.cfg.Runs*len(m.pairs)*len(m.rungs)))
	for round := range m.cfg.Runs {
		if err := m.round(ctx, round, rungs, nil); err != nil {
			return err
		}
		if err := m.probe(ctx, probes); err != nil {
			return err
		}
	}
	for i := range probes {
		probes[i].Fill()
	}
	report.Rungs, report.Probes = append(report.Rungs, m.finish(rungs)...), probes
	return nil
}

// cold runs the timed rounds with the pages of every file dropped before each question. Where they cannot be dropped it says so instead.
func (m *measurement) cold(ctx context.Context, report *bench.Report) error {
	m.c, m.own = m.bare.conns[0], m.forgets
	d := &dropper{paths: m.allPaths()}
	if report.Cold.Why = d.trial(); report.Cold.Why != "" {
		return ctx.Err()
	}
	rungs := m.newRungs(true)
	m.progress.Start("cold: questions", int64(m.cfg.Runs*len(m.pairs)*len(m.rungs)))
	for round := range m.cfg.Runs {
		if err := m.round(ctx, round, rungs, d); err != nil {
			return err
		}
	}
	report.Cold.Bytes, report.Cold.Resident = d.bytes, d.resident
	report.Rungs = append(report.Rungs, m.finish(rungs)...)
	return nil
}

// timedRung is a rung's line in the report, in the making.
type timedRung struct {
	bench.Rung
	counts [][]int64 // the kernel's, by pair
}

// meanCount is the mean over the pairs. The kernel counts the whole process: of a pair's rounds the median counts, so that what the rest of the
// program read now and then does not.
func (r *timedRung) meanCount() int64 {
	var sum int64
	for _, counts := range r.counts {
		slices.Sort(counts)
		sum += counts[len(counts)/2]
	}
	return sum / int64(len(r.counts))
}

func (m *measurement) newRungs(cold bool) []timedRung {
	rungs := make([]timedRung, len(m.rungs))
	for i, r := range m.rungs {
		line := bench.Rung{Name: r.name, Title: r.title, Cold: cold, FilesTotal: r.filesTotal}
		files := 0
		for _, p := range m.pairs {
			n, bytes := r.cost(p)
			files += n
			line.Bytes += bytes
		}
		line.Files = float64(files) / float64(len(m.pairs))
		line.Bytes /= int64(len(m.pairs))
		if m.fetched != nil {
			line.Fetched = m.fetched[i]
		}
		rungs[i] = timedRung{line, make([][]int64, len(m.pairs))}
	}
	return rungs
}

// round asks each question of every rung. Their order is drawn anew for each question, so that none always finds the processor's caches as the
// same other left them; it is the same in every run.
func (m *measurement) round(ctx context.Context, round int, rungs []timedRung, d *dropper) error {
	runtime.GC() // ours, between questions and not in one
	draw := rand.New(rand.NewPCG(uint64(round), 0))
	for p := range m.pairs {
		order := draw.Perm(len(rungs))
		if m.answers[p] == nil {
			slices.Sort(order) // the first rung's is the answer that all others are held against
		}
		for _, k := range order {
			if d != nil {
				if err := d.drop(); err != nil {
					return err
				}
			}
			if err := m.ask(ctx, &rungs[k], k, p); err != nil {
				return err
			}
			m.progress.Add(1)
		}
	}
	return nil
}

// ask times one question, and holds its answer against the first rung's.
func (m *measurement) ask(ctx context.Context, line *timedRung, k, p int) error {
	before := ioCount(line.Cold)
	started := time.Now()
	set, err := m.rungs[k].ask(m.pairs[p])
	took := time.Since(started)
	read := ioCount(line.Cold) - before
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("ask %s (%s) about %v: %w", line.Name, line.Title, m.pairs[p], err)
	}
	answer, err := p95Of(set)
	if err != nil {
		return fmt.Errorf("ask %s (%s) about %v: %w", line.Name, line.Title, m.pairs[p], err)
	}
	if m.answers[p] == nil {
		m.answers[p] = &answer
	}
	if want := *m.answers[p]; math.Float64bits(answer) != math.Float64bits(want) {
		return fmt.Errorf("the answers differ for %v: %s says %s ms, %s says %s ms", m.pairs[p], m.rungs[0].name, p95Text(want), line.Name, p95Text(answer))
	}
	line.Samples = append(line.Samples, took)
	line.counts[p] = append(line.counts[p], read)
	return nil
}

// p95Of is the one number of an answer; NaN stands for NULL: no event of the pair has a latency.
func p95Of(set *rowSet) (float64, error) {
	if len(set.rows) != 1 || len(set.rows[0]) != 1 {
		return 0, fmt.Errorf("%d rows came back, want one number", len(set.rows))
	}
	switch v := set.rows[0][0].(type) {
	case nil:
		return math.NaN(), nil
	case float64:
		return v, nil
	default:
		return 0, fmt.Errorf("a %T came back, want a number", v)
	}
}

func p95Text(v float64) string {
	if math.IsNaN(v) {
		return "no latency, 0"
	}
	return fmt.Sprint(v)
}

// probe times each probe for each pair. It follows each round, so that probes and rungs are timed under the same load, and not each question: what
// probes leave in the caches is no part of the ladder.
func (m *measurement) probe(ctx context.Context, lines []bench.Probe) error {
	for _, p := range m.pairs {
		for i := range lines {
			started := time.Now()
			err := m.probes[i].do(p)
			took := time.Since(started)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", m.probes[i].title, err)
			}
			lines[i].Samples = append(lines[i].Samples, took)
		}
	}
	return nil
}

// finish fills in what follows from the samples.
func (m *measurement) finish(rungs []timedRung) []bench.Rung {
	lines := make([]bench.Rung, len(rungs))
	for i := range rungs {
		lines[i] = rungs[i].Rung
		lines[i].Fill()
		lines[i].Same = true // else there would be no report
		if lines[i].Cold {
			lines[i].Disk = rungs[i].meanCount()
		}
	}
	return lines
}
