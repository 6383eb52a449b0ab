package pipeline

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// way is one of several ways to do the same work.
type way struct {
	name string
	do   func(ctx context.Context, round int) (float64, error) // answers the sample of a round; round -1 is to warm up, and its sample is thrown away
}

// turns has each way done once a round, and begins each round with another one, so that none always finds the machine as the same other left it. The
// samples are by way. between is called before each round; nil: nothing changes.
func (c *corpus) turns(ctx context.Context, between func(ctx context.Context) error, ways ...way) ([][]float64, error) {
	c.beginRounds(len(ways))
	samples := make([][]float64, len(ways))
	for round := -1; round < c.cfg.Rounds; round++ {
		if between != nil {
			if err := between(ctx); err != nil {
				return nil, fmt.Errorf("before a round: %w", err)
			}
		}
		for i := range ways {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			k := (i + max(0, round)) % len(ways)
			runtime.GC() // what the one before left is not this one's to collect
			sample, err := ways[k].do(ctx, round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", ways[k].name, err)
			}
			c.cfg.Progress.Add(1)
			if round >= 0 {
				samples[k] = append(samples[k], sample)
			}
		}
	}
	return samples, nil
}

// beginRounds tells the progress how much a stage has before it, with the round that warms up.
func (c *corpus) beginRounds(ways int) {
	c.cfg.Progress.Start(c.stage+": measured", int64((1+c.cfg.Rounds)*ways))
}

// milliseconds is a duration as the lines have it.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// megabytes is a number of bytes as the lines have it: millions.
func megabytes(n int64) float64 { return float64(n) / 1e6 }
