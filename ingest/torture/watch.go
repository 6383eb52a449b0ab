package torture

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/signallake/signallake/lake"
)

const (
	// watchRest: between two looks the reader rests at least so long, and as long as a look takes: it is to see many moments of the lake without taking
	// the server's cores.
	watchRest = 100 * time.Millisecond
)

// countsSQL asks for one row a client: how many of its events there are, the highest of their numbers, and the sum of the numbers.
const countsSQL = `SELECT service_name, count(*) AS events, max(n) AS highest, CAST(sum(n) AS BIGINT) AS total
FROM (SELECT service_name, TRY_CAST(substr(request_id, 5) AS BIGINT) AS n FROM events) GROUP BY service_name`

// watch is the reader that looks at the lake throughout.
type watch struct {
	run    *run
	before map[string]int64 // each client's events in the look before
	work   sync.WaitGroup
}

func newWatch(r *run) *watch { return &watch{run: r, before: map[string]int64{}} }

func (w *watch) start(ctx context.Context) { w.work.Go(func() { w.look(ctx) }) }

func (w *watch) wait() { w.work.Wait() }

func (w *watch) look(ctx context.Context) {
	report := w.run.report
	reader, err := w.run.cfg.Open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			report.problem("the reader that watches cannot open the lake: %v", err)
		}
		return
	}
	defer func() {
		if err := reader.Close(); err != nil {
			report.problem("the reader that watches: %v", err)
		}
	}()
	for {
		began := time.Now()
		rows, err := reader.Ask(ctx, countsSQL)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = w.run.countsAreRight(rows, w.before, nil)
		}
		if err != nil {
			report.problem("the reader that watches: %v", err)
		}
		report.count(func() { report.Looks++ })
		if !pause(ctx, max(watchRest, time.Since(began))) {
			return
		}
	}
}

// looks is how often the reader has looked.
func (r *run) looks() (n int) {
	r.report.count(func() { n = r.report.Looks })
	return n
}

// check looks at the whole lake while no server runs: what was acknowledged by now must be there.
func (r *run) check(ctx context.Context) error {
	began := time.Now()
	atLeast := map[string]int64{}
	for _, k := range r.books.of {
		_, atLeast[k.name] = k.stand()
	}
	reader, err := r.cfg.Open(ctx)
	if err != nil {
		return fmt.Errorf("open the lake while no server runs: %w", err)
	}
	rows, err := reader.Ask(ctx, countsSQL)
	if err = errors.Join(err, reader.Close()); err != nil {
		return fmt.Errorf("ask the lake while no server runs: %w", err)
	}
	if err := r.countsAreRight(rows, map[string]int64{}, atLeast); err != nil {
		r.report.problem("after kill %d: %v", r.killCount(), err)
	}
	r.report.count(func() { r.report.Checks++ })
	r.cfg.Say(fmt.Sprintf("checked in %.1f s", time.Since(began).Seconds()))
	return nil
}

// countsAreRight judges an answer to countsSQL. before is what each client had in the look before, and is brought up to date; atLeast is what it
// must have, nil: nothing. What is wrong with a client is told once: it does not mend. A client that gives up no request sends event n+1 after n was acknowledged: n events of it are exactly 0 to n-1.
func (r *run) countsAreRight(rows [][]any, before, atLeast map[string]int64) error {
	r.judging.Lock()
	defer r.judging.Unlock()
	var errs []error
	wrong := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{name}, args...)...))
		r.told[name] = true
	}
	seen := map[string]bool{}
	for _, row := range rows {
		name, _ := row[0].(string)
		n, ok1 := row[1].(int64)
		highest, ok2 := row[2].(int64)
		total, ok3 := row[3].(int64)
		k := r.books.find(name)
		if r.told[name] {
			seen[name] = true
			continue
		}
		if k == nil || !ok1 || !ok2 || !ok3 {
			wrong(lake.SafeText(name, maxName), "not a client of this run, or an answer that cannot be: %v", row)
			continue
		}
		seen[name] = true
		sent, _ := k.stand()
		switch {
		case n < before[name]:
			wrong(name, "%d events after %d", n, before[name])
		case n < atLeast[name]:
			wrong(name, "%d events, %d were acknowledged before", n, atLeast[name])
		case n > sent || highest >= sent:
			wrong(name, "%d events up to number %d, %d were sent", n, highest, sent)
		case !r.abandons(k) && (highest != n-1 || total != n*(n-1)/2):
			wrong(name, "%d events up to number %d, their sum is %d: not each once", n, highest, total)
		}
		before[name] = max(n, before[name])
	}
	for name, n := range atLeast {
		if n > 0 && !seen[name] {
			wrong(name, "no events, %d were acknowledged", n)
		}
	}
	return errors.Join(errs...)
}

// abandons tells whether the client of a book gives up requests.
func (r *run) abandons(k *book) bool {
	for i, other := range r.books.of {
		if other == k {
			return styleOf(i).abandons
		}
	}
	return false
}
