package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// runReplay sends dead letters again, mended by rules.
func runReplay(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "replay")
	pick, operator := addPickFlags(flags), addOperatorFlags(flags)
	p := replay.Params{}
	listed := func(into *[]string) func(string) error {
		return func(s string) error {
			*into = append(*into, strings.Split(s, ",")...)
			return nil
		}
	}
	flags.Func("rename", "`from=to`: call a key of the letters by another name, such as took=latency_ms; several with commas or one by one", listed(&p.Rules.Rename))
	flags.Func("cast", "`key=type`: read a value as number, integer, string or time, such as latency_ms=number, which takes \"250ms\" too; likewise", listed(&p.Rules.Cast))
	flags.Func("default", "`key=value`: where a key is absent or empty; one by one", func(s string) error {
		p.Rules.Default = append(p.Rules.Default, s)
		return nil
	})
	flags.BoolVar(&p.DryRun, "dry-run", false, "show what would happen, and change nothing")
	asJSON := flags.Bool("json", false, "print the report as JSON")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if err := p.Rules.Validate(); err != nil {
		return usagef("replay: %v", err)
	}
	if !lakeThere(w, *dir) {
		return nil
	}
	p.Pick = *pick
	report, err := replayHere(ctx, w, *dir, p, operator)
	if report == nil || err != nil && report.Picked+report.Settled == 0 { // it came to nothing: the error says why
		return err
	}
	if *asJSON {
		return errors.Join(err, writeJSON(w.stdout, report))
	}
	if shown := showReport(w, report); err == nil {
		err = shown
	}
	return err
}

// replayHere replays. A dry run only reads, beside whoever owns the lake.
func replayHere(ctx context.Context, w *world, dir string, p replay.Params, operator *operatorFlags) (report *replay.Report, err error) {
	var worker *deadWorker
	if p.DryRun {
		var l *lake.Lake
		if l, err = lake.Open(ctx, lake.Config{Dir: dir, Now: w.now, ReadOnly: true}); err == nil {
			worker = &deadWorker{lake: l, desk: newDesk(l, w.now)}
		}
	} else {
		worker, err = openWorker(ctx, w, dir, "replay", operator)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, worker.lake.Close()) }()
	if !p.DryRun && worker.lake.DeadStatus().Kept > 0 {
		through := ""
		if worker.operator != nil {
			through = fmt.Sprintf(", through %s at %s", ownerName(worker.owner), worker.owner.Address)
		}
		fmt.Fprintf(w.stderr, "replaying %s%s%s\n", pickText(p.Pick), rulesText(p.Rules), through)
	}
	progress := &lake.Progress{}
	stop := showProgress(w.stderr, progress)
	report, err = worker.replay(ctx, p, progress)
	stop()
	return report, err
}

// pickText says which letters are meant.
func pickText(p replay.Pick) string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if len(p.IDs) > 0 {
		add("with one of %d numbers", len(p.IDs))
	}
	if p.Source != "" {
		add("with %q in their source", p.Source)
	}
	if p.Reason != "" {
		add("with %q in their reason", p.Reason)
	}
	if p.Kind != "" {
		add("of the kind %q", p.Kind)
	}
	if len(words) == 0 {
		return "all dead letters"
	}
	return "the dead letters " + joinWords(words)
}

// rulesText says how they are mended.
func rulesText(r replay.Rules) string {
	var words []string
	for _, one := range []struct {
		what  string
		rules []string
	}{{"rename", r.Rename}, {"cast", r.Cast}, {"default", r.Default}} {
		for _, rule := range one.rules {
			words = append(words, one.what+" "+lake.SafeText(rule, 80))
		}
	}
	if len(words) == 0 {
		return " as they are"
	}
	return ", mended by " + joinWords(words)
}

// showReport says what became of the letters: on standard output why some stay, and samples of a dry run.
func showReport(w *world, r *replay.Report) error {
	for _, line := range reportWords(r) {
		fmt.Fprintln(w.stderr, line)
	}
	if err := writeGroups(w.stdout, r.Problems); err != nil || !r.DryRun {
		return err
	}
	for _, s := range r.Samples {
		what, text := "after ", s.After
		if s.Problem != "" {
			what, text = "stays ", s.Problem
		}
		const most = 400 // characters show most events whole; --json has all
		if _, err := fmt.Fprintf(w.stdout, "\n%d before %s\n%*s %s%s\n", s.ID, lake.SafeText(s.Before, most), len(fmt.Sprint(s.ID)), "", what, lake.SafeText(text, most)); err != nil {
			return err
		}
	}
	return nil
}

func reportWords(r *replay.Report) []string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if r.Settled > 0 {
		add("%d letters were replayed before by a run that did not live to mark them; they are marked now", r.Settled)
	}
	switch {
	case r.Picked == 0:
		add("no dead letter matches: nothing to replay")
	case r.DryRun:
		add("dry run: of %d dead letters %d events would be accepted, %d letters would stay; nothing was changed", r.Picked, r.Accepted, r.Refused)
	default:
		add("%d dead letters: %d events accepted, %d were in the lake already, %d letters stay", r.Picked, r.Accepted, r.Duplicates, r.Refused)
	}
	if r.Conflicts > 0 {
		add("%d of the accepted events differ from an earlier one with the same service and event_id", r.Conflicts)
	}
	if r.Split > 0 {
		add("%d letters held several events, some of them bad: each bad one is a letter of its own", r.Split)
	}
	return append(words, r.Notes...)
}
