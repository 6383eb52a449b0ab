package tui

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/widget"
)

// askDiscard asks before letters go for good, as a task.
func (p *deadPanel) askDiscard(set *letterSet) tea.Cmd {
	a := p.app
	text := fmt.Sprintf("%s would go for good: %s.\nx on the panel writes them to a file first.", set.count(), set.name)
	run, pick := a.cfg.Letters.Discard, set.pick
	d := newConfirm(a, "discard dead letters", text, "discard "+count(set.letters), func() tea.Cmd {
		a.closeAll()
		return a.startWith(discardTitle+set.count(), lead{ended: p.again}, func(ctx context.Context, progress *lake.Progress) (string, error) {
			progress.Start("discard", 0)
			n, err := run(ctx, pick)
			return counted(n, "dead letter") + " discarded", err
		})
	})
	d.grim = true
	a.push(d)
	return nil
}

const exportPath = "file"

// export asks where to, and writes letters there.
func (p *deadPanel) export(set *letterSet) tea.Cmd {
	a := p.app
	name := "dead-letters-" + a.now.UTC().Format("20060102-150405") + ".jsonl"
	form := widget.NewForm([]widget.Field{{Name: exportPath, Value: name, Wide: true, Hint: "one JSON object a line; Tab completes; a file that exists is left alone", Check: checkOnePath}})
	d := &formDialog{dialog: dialog{app: a, title: "export " + set.count(), hints: "Tab complete · Enter start · Esc close"}, form: form, submit: func(f *widget.Form) tea.Cmd {
		list, _ := splitPaths(f.Value(exportPath)) // the form has checked it
		return p.startExport(set, list[0].text)
	}}
	if a.cfg.Complete != nil {
		d.paths = &completion{app: a, form: form, field: exportPath}
	}
	a.push(d)
	return nil
}

func (p *deadPanel) startExport(set *letterSet, to string) tea.Cmd {
	run, pick := p.app.cfg.Letters.Export, set.pick
	return p.app.startWith("export "+set.count()+" to "+path.Base(to), lead{ended: p.again}, func(ctx context.Context, progress *lake.Progress) (string, error) {
		progress.Start("write", 0)
		n, err := run(ctx, pick, to)
		return counted(n, "dead letter") + " in " + to, err
	})
}

func checkOnePath(line string) error {
	list, err := splitPaths(line)
	switch {
	case err != nil:
		return err
	case len(list) == 0:
		return errors.New("which file?")
	case len(list) > 1:
		return errors.New(`one file; a blank in its name is written "\ "`)
	case strings.HasSuffix(list[0].text, "/"):
		return errors.New("this is a folder: which file in it?")
	}
	return nil
}
