package pipeline

import (
	"context"
	"fmt"
	"strings"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/duck"
)

// measureWholeLake asks the five named questions over everything, of the engine and of one DuckDB that finds the same files by a pattern. Before each round
// there are a new version and new hot rows, which the reference has as a table: a pattern would not find them.
func measureWholeLake(ctx context.Context, c *corpus, o *outcome) error {
	a, err := c.openFresh(ctx)
	if err != nil {
		return err
	}
	questions := sql.Questions()
	m := &wholeLake{asked: a, ours: make([][]float64, len(questions)), theirs: make([][]float64, len(questions)), same: true}
	renew := func(ctx context.Context) error {
		m.answers = make([][][]any, len(questions))
		if err := a.renew(ctx, c, c.hotRows()); err != nil {
			return err
		}
		if err := a.reference.SetEvents(duck.Glob(a.lake.Layout().Partitioned())); err != nil {
			return err
		}
		return a.bothHoldAll(ctx, "events")
	}
	samples, err := c.turns(ctx, renew,
		way{"engine", func(ctx context.Context, round int) (float64, error) { return m.round(ctx, round, a.ask, m.ours) }},
		way{"DuckDB over the pattern", func(ctx context.Context, round int) (float64, error) { return m.round(ctx, round, a.compare, m.theirs) }})
	if err != nil {
		return err
	}
	f := o.add("whole-lake", samples[0], samples[1]).equal(m.same)
	f.note("the sum of the five; every answer equal to the last bit; %d files; before each round a new version and %d hot rows, which the reference has in a table", len(a.lake.Current().Files), c.hotRows())
	var each []string
	for i, q := range questions {
		each = append(each, fmt.Sprintf("%s %.1f / %.1f ms", q.Name, median(sorted(m.ours[i])), median(sorted(m.theirs[i]))))
	}
	f.note("medians, ours / reference: %s", strings.Join(each, ", "))
	return nil
}

// wholeLake is that stage at work.
type wholeLake struct {
	*asked
	ours, theirs [][]float64 // by question
	answers      [][][]any   // of the side that is asked first in a round, by question
	same         bool
}

// round asks all five of one side.
func (m *wholeLake) round(ctx context.Context, round int, ask asker, times [][]float64) (sum float64, err error) {
	for i, q := range sql.Questions() {
		rows, took, err := ask(ctx, q.SQL)
		if err != nil {
			return 0, err
		}
		if m.answers[i] == nil {
			m.answers[i] = rows
		}
		m.same = m.same && len(rows) > 0 && sameRows(rows, m.answers[i])
		sum += milliseconds(took)
		if round >= 0 {
			times[i] = append(times[i], milliseconds(took))
		}
	}
	return sum, nil
}
