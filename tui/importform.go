package tui

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/widget"
)

// The import form's fields.
const (
	importPath    = "path"
	importFormat  = "format"
	importService = "service"
	importMap     = "map"
	importFollow  = "follow"
	importAgain   = "again"
)

const autoFormat = "auto"

// askImport opens the form of an import; after an import that failed it stands there as it was sent.
func (a *App) askImport() tea.Cmd {
	draft := a.importDraft
	value := func(name, otherwise string) string {
		if v, ok := draft[name]; ok {
			return v
		}
		return otherwise
	}
	form := widget.NewForm([]widget.Field{
		{Name: importPath, Value: value(importPath, ""), Wide: true, Hint: "files or patterns (logs/*.gz); Tab completes; drop them here", Check: checkPaths},
		{Name: importFormat, Value: value(importFormat, autoFormat), Choices: []string{autoFormat, "json", "access", "logfmt", "plain"}, Hint: "auto looks at the first lines and says what it found"},
		{Name: importService, Value: value(importService, ""), Hint: "for lines that name none; empty: a name made from the file's"},
		{Name: importMap, Value: value(importMap, ""), Wide: true, Hint: "their keys as ours: took=latency_ms,app=service_name", Check: checkMap},
		{Name: importFollow, Value: value(importFollow, "no"), Choices: []string{"no", "yes"}, Hint: "go on with what is written to the files later, until Ctrl+C"},
		{Name: importAgain, Value: value(importAgain, "no"), Choices: []string{"no", "yes"}, Hint: "also what was imported before: it is in the lake twice then"},
	})
	d := &formDialog{dialog: dialog{app: a, title: "import log files", hints: "Tab complete, next · ↓ next · Enter start · Esc close"}, form: form, submit: a.startImport}
	if a.cfg.Complete != nil {
		d.paths = &completion{app: a, form: form, field: importPath}
	}
	a.push(d)
	return nil
}

// importPasted opens the form with files that were dropped on a screen that takes no text.
func (a *App) importPasted(line string) tea.Cmd {
	a.importDraft = map[string]string{importPath: line}
	return a.askImport()
}

func (a *App) noImport() string { return a.off(a.cfg.Tasks.Import != nil) }

func checkPaths(line string) error {
	list, err := splitPaths(line)
	if err == nil && len(list) == 0 {
		err = errors.New("which file? Tab lists what is here")
	}
	return err
}

// checkMap checks took=latency_ms,app=service_name.
func checkMap(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	for _, pair := range strings.Split(text, ",") {
		from, to, ok := strings.Cut(pair, "=")
		if !ok || strings.TrimSpace(from) == "" || strings.TrimSpace(to) == "" {
			return fmt.Errorf("%q is not theirs=ours", strings.TrimSpace(pair))
		}
	}
	return nil
}

// timeSpan is the time that some events span.
type timeSpan struct{ first, last lake.Micros }

// startImport starts the import that the form describes, and shows it.
func (a *App) startImport(f *widget.Form) tea.Cmd {
	list, _ := splitPaths(f.Value(importPath)) // the form has checked it
	p := ImportParams{Service: strings.TrimSpace(f.Value(importService)), Map: strings.TrimSpace(f.Value(importMap)), Follow: f.Value(importFollow) == "yes", Again: f.Value(importAgain) == "yes"}
	if p.Format = f.Value(importFormat); p.Format == autoFormat {
		p.Format = ""
	}
	for _, w := range list {
		p.Paths = append(p.Paths, w.text)
	}
	a.importDraft = map[string]string{}
	for _, name := range []string{importPath, importFormat, importService, importMap, importFollow, importAgain} {
		a.importDraft[name] = f.Value(name)
	}
	var covered atomic.Pointer[timeSpan]
	p.Covers = func(first, last lake.Micros) { covered.Store(&timeSpan{first, last}) }
	run := a.cfg.Tasks.Import
	next := lead{label: "look at it on the dashboard", open: func() tea.Cmd { return a.lookAt(covered.Load()) }, ended: func(s State) tea.Cmd {
		if s == Done {
			a.importDraft = nil
		}
		return nil
	}}
	cmd := a.startWith(importTitle(p), next, func(ctx context.Context, progress *lake.Progress) (string, error) {
		summary, err := run(ctx, p, progress)
		if len(p.Paths) == 1 {
			summary = strings.TrimPrefix(summary, path.Base(p.Paths[0])+": ") // the task's title names it
		}
		return summary, err
	})
	if a.current == dashScreen && !a.dash.filled() {
		return cmd // the empty page shows how far it is, and then the data
	}
	a.tasks.selected = 0
	return tea.Batch(cmd, a.open(tasksScreen))
}

func importTitle(p ImportParams) string {
	verb := "import "
	if p.Follow {
		verb = "follow "
	}
	if len(p.Paths) > 1 {
		return verb + counted(int64(len(p.Paths)), "path")
	}
	return verb + path.Base(p.Paths[0])
}

// lookAt shows the dashboard with the time that an import covered: its own where it is old, the live range where it reaches into it. Of an
// unknown one the dashboard finds the range itself.
func (a *App) lookAt(t *timeSpan) tea.Cmd {
	d := a.dash
	d.zoomed, d.paused, d.service = false, false, ""
	r := timeRange{}
	if t != nil && t.last < lake.MicrosOf(a.now.Add(-defaultSpan)) {
		length, unit := time.Duration(t.last-t.first)*time.Microsecond, time.Minute
		if length > 3*time.Hour {
			unit = time.Hour // a span that people can read
		}
		r = timeRange{Span: min(max(length.Truncate(unit)+unit, minSpan), maxSpan), End: t.last + 1, Chosen: true}
	}
	return tea.Batch(a.open(dashScreen), a.setRange(r))
}
