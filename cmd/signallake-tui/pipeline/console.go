package pipeline

import (
	"context"
)

// measureConsole runs the console over the lake that is asked, where there is no terminal: it loads what every panel needs and draws each once.
func measureConsole(ctx context.Context, c *corpus, o *outcome) error {
	a, err := c.open(ctx)
	if err != nil {
		return err
	}
	samples, err := c.turns(ctx, way{"console", func(ctx context.Context, _ int) (float64, error) {
		u, err := c.measure(ctx, commandStage, "console", "--plain", "--data", a.lake.Layout().Root)
		return megabytes(u.Peak), err
	}})
	if err != nil {
		return err
	}
	f := o.add("rss-console", samples[0], nil).note("the peak of `signallake-tui console --plain`: every panel, drawn once")
	if c.events < tenMillions {
		f.note("the bound is for a lake of %d events", tenMillions)
	}
	return nil
}
