package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
)

// A report shows so many letters that are accepted now, and of so many kinds that are refused one each; and so much of each.
const (
	acceptedSamples = 3
	refusedSamples  = 5
	sampleBytes     = 2 << 10
)

// run is one replay on its way.
type run struct {
	desk    *Desk
	params  Params
	mapper  *mapper
	batch   batch
	began   time.Time
	left    *unsettled // of a dry run: what does not count; nil: nothing is unsettled
	report  *Report
	refused groups
	good    int // accepted samples
}

// errPatience ends the walk over the letters.
var errPatience = errors.New("out of patience")

// Run replays the letters that are meant: each becomes its events, and is gone, exactly once, whatever stops the run, and however often it is
// begun again. The events are appended with a note that names their letters, both in one step; then the letters are marked. Where the mark is
// lost, the note tells the next run, and the opening of the lake.
//
// A letter of several events of which only some are accepted is split: each of its events becomes a letter, and those that are accepted go on.
//
// After an error the report says what was done before it. A rule that cannot be read is an error before anything is done.
func (d *Desk) Run(ctx context.Context, p Params, progress *lake.Progress) (*Report, error) {
	rules, err := p.Rules.read()
	if err != nil {
		return nil, err
	}
	release, err := d.take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	r := &run{desk: d, params: p, began: time.Now(), report: &Report{DryRun: p.DryRun}, refused: groups{}}
	r.mapper = &mapper{rules: rules, contract: d.cfg.Contract, now: lake.MicrosOf(d.cfg.Now()), keys: map[string]bool{}}
	if d.cfg.Guard != nil {
		r.mapper.guard = d.cfg.Guard()
	}
	if err := r.prepare(ctx); err != nil {
		return r.report, fmt.Errorf("replay: %w", err)
	}
	progress.Start("replay, letters", d.cfg.Lake.DeadStatus().Kept)
	err = r.walk(ctx, progress)
	r.report.Problems = r.refused.sorted()
	if err != nil {
		// What is in the batch is as it was.
		r.report.Picked = max(0, r.report.Picked-int64(r.batch.letters))
		d.settled = d.settled && p.DryRun // what was appended last may be in the lake without its mark
		return r.report, fmt.Errorf("replay: %w", err)
	}
	if r.report.Picked > 0 && p.Since == 0 && r.report.Next == 0 {
		r.report.Notes = r.mapper.unused()
	}
	return r.report, nil
}

// prepare settles what earlier runs have left; a dry run only finds out what that is.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.params.DryRun {
		if !r.desk.settled {
			r.left, err = r.desk.survey(ctx)
		}
		return err
	}
	r.report.Settled, err = r.desk.settle(ctx)
	return err
}

func (r *run) walk(ctx context.Context, progress *lake.Progress) error {
	wanted := r.params.Pick.Match()
	err := r.desk.cfg.Lake.DeadLetters(r.params.Since, func(d *lake.DeadLetter) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		progress.Add(1)
		if !wanted(d) || r.left != nil && r.left.skip(d) {
			return nil
		}
		if r.params.Patience > 0 && r.report.Picked > 0 && time.Since(r.began) > r.params.Patience {
			r.report.Next = d.ID
			return errPatience
		}
		r.report.Picked++
		return r.letter(ctx, d)
	})
	if err == nil || err == errPatience {
		err = r.flush(ctx)
	}
	return err
}

// letter takes one letter.
func (r *run) letter(ctx context.Context, d *lake.DeadLetter) error {
	pieces, err := r.mapper.read(d)
	if err != nil {
		r.refuse(d, d.Text, err)
		return nil
	}
	good := 0
	var bad error
	for i, p := range pieces {
		if p.err == nil {
			good++
		} else if bad == nil {
			bad = inBody(i, len(pieces), p.err)
		}
	}
	switch {
	case good == 0:
		r.refuse(d, pieces[0].text, bad)
		return nil
	case good < len(pieces):
		return r.mixed(ctx, d, pieces)
	}
	return r.accept(ctx, d, pieces)
}

// inBody says which event of a body an error speaks of.
func inBody(nth, of int, err error) error {
	if of == 1 {
		return err
	}
	field, reason := why(err)
	return &lake.FieldError{Field: field, Reason: reason + fmt.Sprintf(" (event %d of %d)", nth+1, of)}
}

// mixed splits a letter and takes its parts.
func (r *run) mixed(ctx context.Context, d *lake.DeadLetter, pieces []piece) error {
	r.report.Split++
	all := parts(d, pieces)
	if r.params.DryRun {
		for i := range all {
			if err := pieces[i].err; err != nil {
				r.refuse(&all[i], all[i].Text, err)
				continue
			}
			if err := r.accept(ctx, &all[i], pieces[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	all, err := r.desk.split(ctx, d, all, nil)
	for i := range all {
		if err == nil {
			err = r.letter(ctx, &all[i])
		}
	}
	return err
}

// accept puts a letter's events on their way.
func (r *run) accept(ctx context.Context, d *lake.DeadLetter, pieces []piece) error {
	if r.good < acceptedSamples {
		r.good++
		r.sample(d.ID, pieces[0].text, pieces[0].line, nil)
	}
	if r.params.DryRun {
		r.report.Accepted += int64(len(pieces))
		return nil
	}
	if !r.batch.room(d.ID, r.desk.note) {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	r.batch.add(d, pieces)
	return nil
}

// refuse counts a letter that stays.
func (r *run) refuse(d *lake.DeadLetter, text []byte, err error) {
	r.report.Refused++
	again := *d
	again.Field, again.Reason = why(err)
	known := len(r.refused)
	r.refused.add(&again)
	if len(r.refused) > known && known < refusedSamples {
		r.sample(d.ID, text, nil, err)
	}
}

func (r *run) sample(id int64, before, after []byte, err error) {
	s := Sample{ID: id, Before: head(before), After: head(after)}
	if err != nil {
		s.Problem = err.Error()
	}
	r.report.Samples = append(r.report.Samples, s)
}

// head is the start of a text.
func head(text []byte) string {
	return strings.TrimSuffix(strings.ToValidUTF8(string(text[:min(len(text), sampleBytes)]), "\ufffd"), "\n")
}

// flush makes the batch durable, and marks its letters.
func (r *run) flush(ctx context.Context) error {
	b := &r.batch
	if b.letters == 0 {
		return nil
	}
	text, err := json.Marshal(envelope{&b.note})
	if err != nil {
		return fmt.Errorf("note which letters are replayed: %w", err)
	}
	receipt, err := r.desk.cfg.Lake.Append(ctx, lake.Batch{Lines: b.lines, N: len(b.given), Note: text, Given: b.given})
	if err != nil {
		return err
	}
	r.report.Accepted += int64(receipt.Stored)
	r.report.Duplicates += int64(receipt.Duplicates)
	r.report.Conflicts += int64(receipt.Conflicts)
	letters, ids := b.letters, b.note.IDs
	*b = batch{lines: b.lines[:0], given: b.given[:0]}
	if _, err := r.desk.cfg.Lake.MarkReplayed(ids); err != nil {
		return fmt.Errorf("mark %d letters whose events are in the lake now (the next replay does it): %w", letters, err)
	}
	return nil
}

// Add counts what a later part of the same replay says.
func (r *Report) Add(o *Report) {
	all := groups{}
	for _, one := range append(r.Problems, o.Problems...) {
		all.merge(one)
	}
	r.Problems = all.sorted()
	r.Picked, r.Accepted, r.Duplicates, r.Conflicts = r.Picked+o.Picked, r.Accepted+o.Accepted, r.Duplicates+o.Duplicates, r.Conflicts+o.Conflicts
	r.Refused, r.Split, r.Settled, r.Next = r.Refused+o.Refused, r.Split+o.Split, r.Settled+o.Settled, o.Next
	if len(r.Samples) == 0 {
		r.Samples = o.Samples
	}
	r.Notes = append(r.Notes, o.Notes...)
}
