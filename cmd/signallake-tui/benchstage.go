package main

import (
	"context"
	"io"

	"github.com/signallake/signallake/cmd/signallake-tui/pipeline"
)

// runBenchStage is `bench stage ...`, which the pipeline benchmark starts for what it measures in processes of their own. No help lists it.
func runBenchStage(ctx context.Context, w *world, args []string) error {
	return pipeline.Child(ctx, args, w.stdout, func(ctx context.Context, args []string) error {
		cmd, rest, err := find(args)
		if err != nil {
			return err
		}
		return cmd.run(ctx, &world{stdin: w.stdin, stdout: io.Discard, stderr: w.stderr, getenv: w.getenv, now: w.now}, rest)
	})
}
