package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// deadNarrow is which dead letters are meant.
type deadNarrow struct{ source, reason string }

// wants: both texts are parts of what the letter has, in any case.
func (n deadNarrow) wants(d *lake.DeadLetter) bool {
	return contains(d.Source, n.source) && contains(fieldReason(d), n.reason)
}

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// fieldReason is the reason with the field that it speaks of.
func fieldReason(d *lake.DeadLetter) string {
	if d.Field == "" {
		return d.Reason
	}
	return d.Field + ": " + d.Reason
}

// runDead shows what was refused: counted by reason, or letter by letter. It changes nothing unless it is told to discard.
func runDead(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "dead")
	list := flags.Bool("list", false, "each letter for people, oldest first")
	asJSON := flags.Bool("json", false, "each letter as one JSON object a line, whole")
	discard := flags.Bool("discard", false, "take the letters out for good")
	limit := flags.Int("limit", 0, "only the newest `N` letters of a --list or --json; 0: all")
	var narrow deadNarrow
	flags.StringVar(&narrow.source, "source", "", "only letters whose source contains this `text`, for example \"import access.log\"")
	flags.StringVar(&narrow.reason, "reason", "", "only letters whose field and reason (\"latency_ms: ...\") contain this `text`")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	each := *list || *asJSON
	switch {
	case *list && *asJSON, each && *discard:
		return usagef("dead: --list, --json and --discard exclude each other")
	case *limit < 0:
		return usagef("dead: --limit %d is negative", *limit)
	case *limit > 0 && !each:
		return usagef("dead: --limit goes with --list or --json")
	}
	if _, err := os.Stat(*dir); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(w.stderr, "%s does not exist yet: an empty lake\n", *dir)
		return nil
	}
	if *discard {
		return discardDead(ctx, w, *dir, narrow)
	}
	l, err := lake.Open(ctx, lake.Config{Dir: *dir, ReadOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	show := showDeadGroups
	if each {
		show = func(_ context.Context, w *world, l *lake.Lake, narrow deadNarrow) error {
			return showDeadLetters(ctx, w.stdout, l, narrow, *limit, *asJSON)
		}
	}
	if err := show(ctx, w, l, narrow); err != nil {
		return err
	}
	fmt.Fprintf(w.stderr, "%s in all\n", deadText(l.DeadStatus()))
	return nil
}

// deadText tells a status in words.
func deadText(s lake.DeadStatus) string {
	text := fmt.Sprintf("%d dead letters, %d bytes", s.Kept, s.Bytes)
	if s.Dropped > 0 {
		text += fmt.Sprintf(", %d older ones dropped for the bound", s.Dropped)
	}
	if s.Damaged > 0 {
		text += fmt.Sprintf(", %d damaged lines", s.Damaged)
	}
	return text
}

// deadGroup is the letters of one source and one kind of reason.
type deadGroup struct {
	source, reason string
	letters        int64
	newest         lake.Micros
	example        string // of the newest
}

// showDeadGroups counts letters by source and kind of reason.
func showDeadGroups(ctx context.Context, w *world, l *lake.Lake, narrow deadNarrow) error {
	const exampleBytes = 200 // more than a cell shows
	groups := map[[2]string]*deadGroup{}
	err := l.DeadLetters(0, func(d *lake.DeadLetter) error {
		if !narrow.wants(d) {
			return ctx.Err()
		}
		key := [2]string{d.Source, d.Field + ":" + lake.ReasonKind(d.Reason)}
		g := groups[key]
		if g == nil {
			g = &deadGroup{source: d.Source}
			groups[key] = g
		}
		g.letters++
		g.reason, g.newest, g.example = fieldReason(d), d.At, string(d.Text[:min(len(d.Text), exampleBytes)])
		return ctx.Err()
	})
	if err != nil || len(groups) == 0 {
		return err
	}
	sorted := slices.SortedFunc(maps.Values(groups), func(a, b *deadGroup) int {
		return cmp.Or(cmp.Compare(b.letters, a.letters), cmp.Compare(a.source, b.source), cmp.Compare(a.reason, b.reason))
	})
	table := sql.Result{Columns: []sql.ResultColumn{{Name: "letters"}, {Name: "source"}, {Name: "newest reason"}, {Name: "newest"}, {Name: "example"}}}
	for _, g := range sorted {
		table.Rows = append(table.Rows, []any{g.letters, g.source, g.reason, g.newest.Time().Format(time.RFC3339), g.example})
	}
	return writeTable(w.stdout, &table)
}

// showDeadLetters writes letter by letter; limit 0 is all of them.
func showDeadLetters(ctx context.Context, out io.Writer, l *lake.Lake, narrow deadNarrow, limit int, asJSON bool) error {
	buffered := bufio.NewWriter(out)
	write := func(d *lake.DeadLetter) error {
		text := deadParagraph(d)
		if asJSON {
			text = string(d.AppendJSON(nil)) + "\n"
		}
		_, err := buffered.WriteString(text)
		return err
	}
	var newest []lake.DeadLetter // a ring, once it is full
	n := 0
	err := l.DeadLetters(0, func(d *lake.DeadLetter) error {
		if err := ctx.Err(); err != nil || !narrow.wants(d) {
			return err
		}
		if limit == 0 {
			return write(d)
		}
		kept := *d
		kept.Text = slices.Clone(d.Text)
		if len(newest) < limit {
			newest = append(newest, kept)
		} else {
			newest[n%limit] = kept
			n++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range newest {
		if err := write(&newest[(n+i)%len(newest)]); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// deadParagraph is a letter for people. What a sender wrote cannot move a terminal.
func deadParagraph(d *lake.DeadLetter) string {
	const maxShown = 400 // characters; --json has all
	where := ""
	if d.Line > 0 {
		where = fmt.Sprintf(", line %d", d.Line)
	}
	cut := ""
	if d.Cut {
		cut = " [cut]"
	}
	return fmt.Sprintf("%d  %s  %s%s\n    %s\n    %s%s\n", d.ID, d.At.Time().Format(time.RFC3339), lake.SafeText(d.Source, 0), where,
		lake.SafeText(fieldReason(d), 0), lake.SafeText(string(d.Text), maxShown), cut)
}

// discardDead takes letters out for good.
func discardDead(ctx context.Context, w *world, dir string, narrow deadNarrow) error {
	l, err := openLake(ctx, w, dir, "dead")
	if err != nil {
		return err
	}
	n, err := l.DiscardDead(ctx, narrow.wants)
	left := l.DeadStatus()
	if err := errors.Join(err, l.Close()); err != nil {
		return err
	}
	fmt.Fprintf(w.stderr, "%d dead letters discarded; %s left\n", n, deadText(left))
	return nil
}
