package duck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signallake/signallake/sql/bench"
)

// measureWarm asks everything once to warm up, then runs the timed rounds.
func (b *layoutBench) measureWarm(ctx context.Context) error {
	b.cfg.Progress.Start("warm: questions", int64((1+b.cfg.Rounds)*len(b.pairs)*len(b.variants)))
	for round := range 1 + b.cfg.Rounds {
		err := b.round(ctx, round, func(v *variant, p int) error {
			took, err := b.ask(b.warm.conns[0], v, p)
			if round > 0 {
				v.warm.Samples = append(v.warm.Samples, took)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measureCold runs the timed rounds with the pages of the files that a question reads dropped before it. Where they cannot be dropped it says so instead.
func (b *layoutBench) measureCold(ctx context.Context, report *bench.Layouts) error {
	if !b.cfg.Cold {
		report.Cold.Why = "it was not asked for"
		return nil
	}
	trial := &dropper{paths: b.variants[0].paths(0)}
	if report.Cold.Why = trial.trial(); report.Cold.Why != "" {
		return ctx.Err()
	}
	b.cfg.Progress.Start("cold: questions", int64(b.cfg.Rounds*len(b.pairs)*len(b.variants)))
	for round := range b.cfg.Rounds {
		err := b.round(ctx, 1+round, func(v *variant, p int) error {
			d := &dropper{paths: v.paths(p)}
			if err := d.drop(); err != nil {
				return err
			}
			report.Cold.Bytes, report.Cold.Resident = max(report.Cold.Bytes, d.bytes), max(report.Cold.Resident, d.resident)
			before := ioCount(true)
			took, err := b.ask(b.bare.conns[0], v, p)
			v.disk = append(v.disk, ioCount(true)-before)
			v.cold.Samples = append(v.cold.Samples, took)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// paths are the files that a question about a pair reads.
func (v *variant) paths(p int) []string {
	var paths []string
	for _, i := range v.asked[p] {
		paths = append(paths, v.files[i].path)
	}
	return paths
}

// round asks each variant about each pair. The order of variants is drawn anew for each pair, and the same in every run.
func (b *layoutBench) round(ctx context.Context, round int, ask func(v *variant, p int) error) error {
	runtime.GC() // ours, between questions and not in one
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	draw := rand.New(rand.NewPCG(uint64(round), 0))
	for p := range b.pairs {
		for _, k := range draw.Perm(len(b.variants)) {
			if err := ask(b.variants[k], p); err != nil {
				return errors.Join(ctx.Err(), err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.cfg.Progress.Add(1)
		}
	}
	return nil
}

// ask times one question and holds its answer against the first one about the pair.
func (b *layoutBench) ask(c *conn, v *variant, p int) (time.Duration, error) {
	started := time.Now()
	set, err := c.query(v.texts[p], 0)
	took := time.Since(started)
	if err != nil {
		return 0, fmt.Errorf("ask %s about %v: %w", v.title, b.pairs[p], err)
	}
	answer, err := p95Of(set)
	if err != nil {
		return 0, fmt.Errorf("ask %s about %v: %w", v.title, b.pairs[p], err)
	}
	if b.answers[p] == nil {
		b.answers[p] = &answer
	}
	if want := *b.answers[p]; math.Float64bits(answer) != math.Float64bits(want) {
		return 0, fmt.Errorf("the answers differ for %v: %s says %s ms, another way %s ms", b.pairs[p], v.title, p95Text(answer), p95Text(want))
	}
	return took, nil
}

var (
	clientVariants = []string{bench.VariantOne, pairVariant, bench.VariantTree}
	clientNumbers  = []int{1, 2, 4, 8, layoutClients}
)

// measureClients lets several clients ask at once, each with a connection of its own, warm.
func (b *layoutBench) measureClients(ctx context.Context, report *bench.Layouts) error {
	var lines []bench.Clients
	for _, name := range clientVariants {
		for _, n := range clientNumbers {
			lines = append(lines, bench.Clients{Variant: name, Clients: n})
		}
	}
	took := make([][]time.Duration, len(lines))
	b.cfg.Progress.Start("at once: rounds", int64(b.cfg.Rounds*len(lines)))
	for round := range b.cfg.Rounds {
		draw := rand.New(rand.NewPCG(uint64(round), 1))
		for _, k := range draw.Perm(len(lines)) {
			all, elapsed, err := b.atOnce(ctx, b.variantOf(lines[k].Variant), lines[k].Clients)
			if err != nil {
				return err
			}
			lines[k].Rates = append(lines[k].Rates, float64(len(all))/elapsed.Seconds())
			took[k] = append(took[k], all...)
			b.cfg.Progress.Add(1)
		}
	}
	for k := range lines {
		slices.Sort(took[k])
		lines[k].Median, lines[k].Worst = took[k][len(took[k])/2], took[k][len(took[k])-1]
	}
	report.Clients = lines
	return nil
}

// atOnce lets so many clients ask about each pair twice, together, and answers how long each question took and all together.
func (b *layoutBench) atOnce(ctx context.Context, v *variant, clients int) (all []time.Duration, elapsed time.Duration, err error) {
	questions := max(layoutClients, 2*len(b.pairs))
	took, errs := make([]time.Duration, questions), make([]error, clients)
	var next atomic.Int64
	var group sync.WaitGroup
	started := time.Now()
	for i := range clients {
		group.Go(func() {
			for errs[i] == nil && ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= questions {
					return
				}
				took[k], errs[i] = b.ask(b.warm.conns[i], v, k%len(b.pairs))
			}
		})
	}
	group.Wait()
	return took, time.Since(started), errors.Join(append(errs, ctx.Err())...)
}
