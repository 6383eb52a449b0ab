package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/chart"
	"github.com/signallake/signallake/tui/widget"
)

// tasksPage is screen 4: what runs, what ran, and how it went.
type tasksPage struct {
	app      *App
	selected int // index into the jobs, newest first
	top      int
	page     int
}

// jobEndedMsg is the one message of a job: it has ended.
type jobEndedMsg struct{ id int }

// start runs a task and says so once it has ended.
func (a *App) start(title string, work Work) tea.Cmd {
	return a.await(a.runner.Start(title, work))
}

// startWith is start for a task that leads on to something.
func (a *App) startWith(title string, next lead, work Work) tea.Cmd {
	return a.await(a.runner.start(title, work, &next))
}

func (a *App) await(j *Job) tea.Cmd {
	if j == nil {
		return nil
	}
	a.jobs = a.runner.Snapshot()
	return func() tea.Msg {
		<-j.done
		return jobEndedMsg{j.ID}
	}
}

func (a *App) jobEnded(m jobEndedMsg) tea.Cmd {
	a.sample()
	var then tea.Cmd
	for _, j := range a.jobs {
		if j.ID != m.id {
			continue
		}
		a.say(jobSign(j, 0) + " " + j.Title + ": " + firstLine(j.Summary))
		if j.lead != nil && j.lead.ended != nil {
			then = j.lead.ended(j.State)
		}
	}
	return tea.Batch(then, a.here().tick())
}

func (t *tasksPage) places() place        { return onTasks }
func (t *tasksPage) typing() bool         { return false }
func (t *tasksPage) paste(string) tea.Cmd { return nil }
func (t *tasksPage) tick() tea.Cmd        { return nil }
func (t *tasksPage) crumbs() []string     { return []string{"Tasks"} }
func (t *tasksPage) cursor() *tea.Cursor  { return nil }

func (t *tasksPage) escape() (tea.Cmd, bool) { return nil, false }

func (t *tasksPage) job() (JobView, bool) {
	if t.selected < len(t.app.jobs) {
		return t.app.jobs[t.selected], true
	}
	return JobView{}, false
}

func (t *tasksPage) copies() []copyItem {
	j, ok := t.job()
	if !ok {
		return nil
	}
	return []copyItem{{"s", "the summary", j.Summary}, {"l", "the log", logText(j)}}
}

func (t *tasksPage) key(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "down", "j":
		t.move(1)
	case "up", "k":
		t.move(-1)
	case "pgdown", "ctrl+d":
		t.move(max(1, t.page))
	case "pgup", "ctrl+u":
		t.move(-max(1, t.page))
	case "g", "home":
		t.move(-len(t.app.jobs))
	case "G", "end":
		t.move(len(t.app.jobs))
	}
	return nil
}

func (t *tasksPage) move(n int) { t.selected = max(0, min(t.selected+n, len(t.app.jobs)-1)) }

func (t *tasksPage) wheel(_, _, n int) { t.move(n / 3) }

// stop cancels the task at the cursor, else the one that runs.
func (t *tasksPage) stop() bool {
	if j, ok := t.job(); ok && t.app.runner.Cancel(j.ID) {
		t.app.say("stopping " + j.Title)
		return true
	}
	for _, j := range t.app.jobs {
		if t.app.runner.Cancel(j.ID) {
			t.app.say("stopping " + j.Title)
			return true
		}
	}
	return false
}

// jobSign is a state as one sign.
func jobSign(j JobView, tick int) string {
	return map[State]string{Running: cell.Spinner(tick), Cancelling: "‖", Done: "✓", Cancelled: "○", Failed: "×"}[j.State]
}

func jobStyle(s State) cell.Style {
	return map[State]cell.Style{Running: cell.Accent, Cancelling: cell.Warn, Done: cell.Good, Cancelled: cell.Muted, Failed: cell.Bad}[s]
}

// jobWords is how far a job is, or how it ended.
func jobWords(j JobView) string {
	if j.Ended() {
		return firstLine(j.Summary)
	}
	if j.State == Cancelling {
		return "stopping …"
	}
	p := j.Progress
	parts := []string{p.Stage}
	if p.Stage == "" {
		parts = []string{"starting"}
	}
	switch {
	case p.Total > 0:
		parts = append(parts, fmt.Sprintf("%d%%", p.Done*100/p.Total), short(float64(p.Done))+" of "+short(float64(p.Total)))
	case p.Done > 0:
		parts = append(parts, short(float64(p.Done)))
	}
	if j.Rate > 0 && (p.Total == 0 || p.Total >= 1000) { // of a handful of steps there is none worth telling
		parts = append(parts, short(j.Rate)+"/s")
	}
	if j.ETA > 0 {
		parts = append(parts, "eta "+span(max(j.ETA, 1e9)))
	}
	return strings.Join(parts, " · ")
}

func (t *tasksPage) draw(c *cell.Canvas, r cell.Rect) {
	a := t.app
	t.move(0)
	title := "tasks"
	if n := a.running(); n > 0 {
		title = fmt.Sprintf("tasks: %d running", n)
	}
	c.Box(r, title, true, a.theme.Colourless())
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	if len(a.jobs) == 0 {
		t.drawNone(c, in)
		return
	}
	t.page = max(1, in.H/2)
	t.top = max(0, min(max(t.top, t.selected-t.page+1), t.selected))
	for i := 0; i < t.page && t.top+i < len(a.jobs); i++ {
		t.drawJob(c, cell.Rect{X: in.X, Y: in.Y + i*2, W: in.W, H: 2}, a.jobs[t.top+i], t.top+i == t.selected)
	}
	a.rowZone(in, func(_, dy int) tea.Cmd {
		if i := t.top + dy/2; i < len(a.jobs) {
			t.selected = i
		}
		return nil
	})
}

func (t *tasksPage) drawJob(c *cell.Canvas, r cell.Rect, j JobView, selected bool) {
	style := jobStyle(j.State)
	x := c.Text(r.X, r.Y, jobSign(j, t.app.ticks)+" ", style|cell.Bold)
	c.TextRight(r.X+r.W, r.Y, 9, clock(j.Started), cell.Muted)
	c.TextRight(r.X+r.W-11, r.Y, 8, span(j.Elapsed.Round(1e8)), cell.Text)
	x = c.TextCut(x, r.Y, r.W-26, j.Title, cell.Text|cell.Bold)
	if p := j.Progress; !j.Ended() && p.Total > 0 {
		if w := min(30, r.X+r.W-22-x-2); w > 5 {
			chart.Progress(c, r.X+r.W-22-w, r.Y, w, float64(p.Done)/float64(p.Total), style)
		}
	}
	look := cell.Muted
	if j.State == Failed {
		look = cell.Bad
	}
	c.TextCut(r.X+2, r.Y+1, r.W-2, jobWords(j), look)
	if selected {
		c.Text(r.X-1, r.Y, "▸", cell.Accent)
		c.Paint(cell.Rect{X: r.X - 1, Y: r.Y, W: r.W + 2, H: 1}, cell.Selected)
	}
}

// drawNone leads on where no task has run.
func (t *tasksPage) drawNone(c *cell.Canvas, in cell.Rect) {
	c.TextCut(in.X, in.Y, in.W, "No task has run in this console.", cell.Text|cell.Bold)
	y := in.Y + 2
	for _, k := range t.app.taskKinds() {
		x := c.Text(in.X, y, cell.Pad(k.Label, 12), cell.Accent)
		detail, style := k.Detail, cell.Muted
		if k.Off != "" {
			detail, style = "off: "+k.Off, cell.Faint
		}
		c.TextCut(x, y, in.X+in.W-x, detail, style)
		y++
	}
	x := c.Text(in.X, y+1, " a ", cell.OnAccent|cell.Active|cell.Bold)
	end := c.Text(x+1, y+1, "add a task", cell.Text)
	t.app.zone(cell.Rect{X: in.X, Y: y + 1, W: end - in.X, H: 1}, func(int, int) tea.Cmd { return t.app.addTask() })
}

func tasksActions() []action {
	return []action{
		{"add", "add a task: generate, convert, import, bench, pipeline, layout, verify", []string{"a"}, onTasks, true, nil, (*App).addTask},
		{"log", "the task's log and its summary in full; Enter there leads on to what it made", []string{"enter"}, onTasks, true, func(a *App) string {
			if len(a.jobs) == 0 {
				return "no task has run"
			}
			return ""
		}, func(a *App) tea.Cmd { return a.tasks.openLog() }},
		{"rerun", "run the task again with the same parameters", []string{"R"}, onTasks, true, func(a *App) string {
			if j, ok := a.tasks.job(); !ok || !j.Ended() {
				return "no ended task is selected"
			}
			return ""
		}, func(a *App) tea.Cmd {
			j, _ := a.tasks.job()
			a.tasks.selected = 0
			return a.await(a.runner.Again(j.ID))
		}},
		{"stop task", "stop the task at the cursor; nothing half-done becomes visible", []string{"ctrl+c"}, onTasks, true, func(a *App) string {
			if a.running() == 0 {
				return "nothing runs"
			}
			return ""
		}, (*App).interrupt},
	}
}

func logText(j JobView) string {
	var b strings.Builder
	for _, l := range j.Log {
		fmt.Fprintf(&b, "%s  %s\n", clock(l.At), l.Text)
	}
	return b.String()
}

// openLog shows a task's log; it grows while the task runs.
func (t *tasksPage) openLog() tea.Cmd {
	j, ok := t.job()
	if !ok {
		return nil
	}
	id := j.ID
	now := func() JobView {
		i := slices.IndexFunc(t.app.jobs, func(j JobView) bool { return j.ID == id })
		return t.app.jobs[i]
	}
	r := &reader{dialog: dialog{app: t.app, title: fmt.Sprintf("task %d: %s", j.ID, j.Title), hints: "y copy · Esc close"}, copy: t.copies}
	r.lines = func(w int) []readerLine {
		var lines []readerLine
		j := now()
		for _, l := range j.Log {
			lines = append(lines, wrapped(clock(l.At), l.Text, 9, w, cell.Text)...)
		}
		switch {
		case !j.Ended():
			lines = append(lines, readerLine{name: cell.Spinner(t.app.ticks), text: jobWords(j), style: cell.Accent})
		case j.leads():
			lines = append(lines, readerLine{name: "▸", text: "Enter: " + j.lead.label, style: cell.Accent | cell.Bold})
		}
		return lines
	}
	r.extra = func(k tea.KeyPressMsg) (tea.Cmd, bool) {
		if j := now(); k.String() == "enter" && j.leads() {
			t.app.close()
			return j.lead.open(), true
		}
		return nil, false
	}
	t.app.push(r)
	return nil
}

// leads tells whether the job has something to show beside its summary.
func (v JobView) leads() bool {
	return v.lead != nil && v.lead.open != nil && (v.State == Done || v.State == Cancelled)
}

// taskKinds are the tasks that can be added.
func (a *App) taskKinds() []choice {
	tasks := a.cfg.Tasks
	return []choice{
		{widget.Item{Label: "generate", Detail: "synthetic events with a daily rhythm and incidents", Off: a.off(tasks.Generate != nil)}, a.askGenerate},
		{widget.Item{Label: "convert", Detail: "raw lines to Hive-partitioned Parquet, or the benchmark's twin", Off: a.off(tasks.Convert != nil)}, a.askConvert},
		{widget.Item{Label: "import", Detail: "log files: JSON lines, access logs, logfmt; gzip and zstd too", Off: a.off(tasks.Import != nil)}, a.askImport},
		{widget.Item{Label: "bench", Detail: "one question in several ways: what partitions and catalog gain", Off: a.off(tasks.Bench != nil)}, a.bench.ladder.ask},
		{widget.Item{Label: "pipeline", Detail: "each stage beside a reference, held to its goal", Off: a.off(tasks.Pipeline != nil)}, a.bench.pipeline.ask},
		{widget.Item{Label: "layout", Detail: "the same events in other folders, files, codecs, row groups", Off: a.off(tasks.Layout != nil)}, a.bench.layout.ask},
		{widget.Item{Label: "verify", Detail: "prove that each event is there exactly once, each file whole", Off: a.off(tasks.Verify != nil)}, func() tea.Cmd {
			return a.start("verify", func(ctx context.Context, p *lake.Progress) (string, error) { return tasks.Verify(ctx, p) })
		}},
	}
}

func (a *App) addTask() tea.Cmd {
	p := newPicker(a, "add a task", a.taskKinds())
	p.letters, p.hints = map[string]int{"g": 0, "c": 1, "i": 2, "b": 3, "p": 4, "l": 5, "v": 6}, "g c i b p l v or Enter · Esc close"
	p.width = 92
	a.push(p)
	return nil
}
