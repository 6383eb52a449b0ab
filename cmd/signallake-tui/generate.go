package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// runGenerate writes synthetic events into the lake, or into a file. In the lake they are raw JSONL when it ends; `convert` (or the next owner) makes Parquet
// of them.
func runGenerate(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "generate")
	p := tui.GenerateParams{}
	flags.Int64Var(&p.Count, "count", defaultCount, "`events` to write")
	flags.Uint64Var(&p.Seed, "seed", defaultSeed, "same seed, same start: same events")
	flags.IntVar(&p.Days, "days", defaultDays, "over how many `days`")
	flags.IntVar(&p.Services, "services", defaultServices, "how many `services`")
	flags.StringVar(&p.Start, "start", "", "the first event's `time`; without it the events end now")
	to := flags.String("to", "", "write them as JSON lines into this new `file` instead of the lake")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if p.Count < 1 || p.Days < 1 || p.Services < 1 {
		return usagef("generate: --count, --days and --services must be at least 1")
	}
	if *to != "" {
		summary, err := generateFile(ctx, *to, p, w.now())
		if err == nil {
			fmt.Fprintln(w.stderr, summary)
		}
		return err
	}
	return withLake(ctx, w, *dir, "generate", func(l *lake.Lake, progress *lake.Progress) (string, error) {
		return generate(ctx, l, p, w.now(), progress)
	})
}

// convertGarbage is the percentage of garbage that `convert` keeps beside what it needs, as GOGC says it: a conversion makes little, so that collecting early
// costs next to nothing and takes 25 MB off its peak.
const convertGarbage = 25

// runConvert turns raw JSONL into Parquet.
func runConvert(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "convert")
	layout := flags.String("layout", "partitioned", "partitioned, unpartitioned (the benchmark's twin, never part of `events`) or both")
	repair := flags.Bool("repair", false, "first set aside raw events that are damaged on the disk, so that the others can be converted")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if *layout != "partitioned" && *layout != "unpartitioned" && *layout != "both" {
		return usagef("convert: --layout %q: want partitioned, unpartitioned or both", *layout)
	}
	if w.getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(convertGarbage))
	}
	return withLake(ctx, w, *dir, "convert", func(l *lake.Lake, progress *lake.Progress) (string, error) {
		if *repair {
			aside, err := l.Repair()
			if err != nil {
				return "", err
			}
			for _, what := range aside {
				fmt.Fprintln(w.stderr, "set aside:", what)
			}
		}
		return convert(ctx, l, *layout, progress)
	})
}

// withLake runs a task that owns the lake, with its progress and its outcome told on standard error.
func withLake(ctx context.Context, w *world, dir, command string, task func(*lake.Lake, *lake.Progress) (string, error)) error {
	l, err := openLake(ctx, w, dir, command)
	if err != nil {
		return err
	}
	progress := &lake.Progress{}
	stop := showProgress(w.stderr, progress)
	summary, err := task(l, progress)
	stop()
	if err := errors.Join(err, l.Close()); err != nil {
		return err
	}
	fmt.Fprintln(w.stderr, summary)
	return nil
}
