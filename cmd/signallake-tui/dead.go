package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// addPickFlags lets the command line say which dead letters are meant.
func addPickFlags(flags *flag.FlagSet) *replay.Pick {
	p := &replay.Pick{}
	flags.StringVar(&p.Source, "source", "", "only letters whose source contains this `text`, for example \"import access.log\"")
	flags.StringVar(&p.Reason, "reason", "", "only letters whose field and reason (\"latency_ms: ...\") contain this `text`")
	flags.StringVar(&p.Kind, "kind", "", "only letters of this `kind`, as the groups name it")
	flags.Func("id", "only the letter with this `number`; several with commas or one by one", func(s string) error {
		for text := range strings.SplitSeq(s, ",") {
			id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err != nil || id < 1 {
				return fmt.Errorf("%q is no letter's number", text)
			}
			p.IDs = append(p.IDs, id)
		}
		return nil
	})
	return p
}

// deadFlags are what `dead` is told to do.
type deadFlags struct {
	list, json, discard bool
	export              string
	limit               int
}

func (f *deadFlags) check() error {
	ways := 0
	for _, one := range []bool{f.list, f.json, f.discard, f.export != ""} {
		if one {
			ways++
		}
	}
	switch {
	case ways > 1:
		return usagef("dead: --list, --json, --export and --discard exclude each other")
	case f.limit < 0:
		return usagef("dead: --limit %d is negative", f.limit)
	case f.limit > 0 && !f.list && !f.json:
		return usagef("dead: --limit goes with --list or --json")
	}
	return nil
}

// runDead shows what was refused: counted by reason, or letter by letter. It changes nothing unless it is told to discard.
func runDead(ctx context.Context, w *world, args []string) error {
	flags, dir := newFlags(w, "dead")
	var f deadFlags
	flags.BoolVar(&f.list, "list", false, "each letter for people, oldest first")
	flags.BoolVar(&f.json, "json", false, "each letter as one JSON object a line, whole")
	flags.StringVar(&f.export, "export", "", "write the letters as --json has them into this new `file`")
	flags.BoolVar(&f.discard, "discard", false, "take the letters out for good")
	flags.IntVar(&f.limit, "limit", 0, "only the newest `N` letters of a --list or --json; 0: all")
	pick, operator := addPickFlags(flags), addOperatorFlags(flags)
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if !lakeThere(w, *dir) {
		return nil
	}
	if f.discard {
		return discardDead(ctx, w, *dir, *pick, operator)
	}
	l, err := lake.Open(ctx, lake.Config{Dir: *dir, ReadOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	desk := newDesk(l, w.now)
	switch {
	case f.export != "":
		n, err := desk.Export(ctx, *pick, f.export)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.stderr, "%d dead letters written to %s; they stay where they are\n", n, f.export)
		return nil
	case f.list, f.json:
		err = showDeadLetters(ctx, w.stdout, desk, *pick, f)
	default:
		err = showDeadGroups(ctx, w.stdout, desk, *pick)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w.stderr, "%s in all\n", deadText(l.DeadStatus()))
	return nil
}

// lakeThere says whether there is a lake, and says so when not: a command about dead letters makes none.
func lakeThere(w *world, dir string) bool {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(w.stderr, "%s does not exist yet: an empty lake\n", dir)
		return false
	}
	return true
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

// showDeadGroups counts letters by source and kind of reason.
func showDeadGroups(ctx context.Context, out io.Writer, desk *replay.Desk, pick replay.Pick) error {
	groups, err := desk.GroupsOf(ctx, pick)
	if err != nil {
		return err
	}
	return writeGroups(out, groups)
}

// writeGroups shows groups, with their kinds whole: --kind takes them so.
func writeGroups(out io.Writer, groups []replay.Group) error {
	const maxKind, maxExample = 200, 60
	if len(groups) == 0 {
		return nil
	}
	table := &sql.Result{Columns: []sql.ResultColumn{{Name: "letters"}, {Name: "source"}, {Name: "kind"}, {Name: "newest"}, {Name: "example"}}}
	for _, g := range groups {
		table.Rows = append(table.Rows, []any{g.Letters, lake.SafeText(g.Source, maxExample), g.Kind, g.Newest.Time().Format(time.RFC3339), lake.SafeText(string(g.Example.Text), maxExample)})
	}
	return writeTableOf(out, table, maxKind)
}

// showDeadLetters writes letter by letter.
func showDeadLetters(ctx context.Context, out io.Writer, desk *replay.Desk, pick replay.Pick, f deadFlags) error {
	buffered := bufio.NewWriter(out)
	write := func(d *lake.DeadLetter) error {
		text := deadParagraph(d)
		if f.json {
			text = string(d.AppendJSON(nil)) + "\n"
		}
		_, err := buffered.WriteString(text)
		return err
	}
	if f.limit == 0 {
		return errors.Join(desk.Each(ctx, pick, write), buffered.Flush())
	}
	newest, err := desk.List(ctx, pick, f.limit)
	if err != nil {
		return err
	}
	for i := range slices.Backward(newest) {
		if err := write(&newest[i]); err != nil {
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
		lake.SafeText(replay.FieldReason(d), 0), lake.SafeText(string(d.Text), maxShown), cut)
}

// discardDead takes letters out for good.
func discardDead(ctx context.Context, w *world, dir string, pick replay.Pick, operator *operatorFlags) error {
	worker, err := openWorker(ctx, w, dir, "dead", operator)
	if err != nil {
		return err
	}
	n, err := worker.discard(ctx, pick)
	left := worker.lake.DeadStatus()
	if err := errors.Join(err, worker.lake.Close()); err != nil {
		return err
	}
	fmt.Fprintf(w.stderr, "%d dead letters discarded; %s left\n", n, deadText(left))
	return nil
}
