package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
	"github.com/signallake/signallake/tui/widget"
)

// pane is a part of the SQL screen that can have the focus.
type pane int

const (
	editorPane pane = iota
	gridPane
	sidePane
)

// sqlScreen is screen 3: an editor that tells the cost while one types, and the result.
type sqlScreen struct {
	app    *App
	editor *widget.Editor
	focus  pane
	side   *widget.List
	sideDo []func() tea.Cmd
	caret  *tea.Cursor

	run      queryRun
	result   *resultView // nil: nothing has run
	err      error       // of the newest run; the result before it stays, dimmed
	errText  string      // the statement that err belongs to
	stopped  bool        // the newest run was cancelled
	estimate estimateState

	history []pastQuery
	histAt  int    // position while walking through the history; len(history): the draft
	draft   string // what was being written before the walk
}

// queryRun is the statement in flight.
type queryRun struct {
	gen     int
	flying  bool
	cancel  context.CancelFunc
	text    string
	started time.Time
}

// queryDoneMsg ends a statement.
type queryDoneMsg struct {
	gen    int
	result *sql.Result
	err    error
}

func newSQLScreen(a *App) *sqlScreen {
	s := &sqlScreen{app: a, editor: widget.NewEditor()}
	s.editor.Placeholder = "SELECT service_name, count(*) FROM events GROUP BY ALL ORDER BY 2 DESC   -- F5 runs, F8 lists the saved questions and what was run before"
	var items []widget.Item
	add := func(item widget.Item, do func() tea.Cmd) {
		items, s.sideDo = append(items, item), append(s.sideDo, do)
	}
	if len(a.cfg.Questions) > 0 {
		add(widget.Item{Label: "questions", Head: true}, nil)
	}
	for _, q := range a.cfg.Questions {
		add(widget.Item{Label: q.Name}, func() tea.Cmd { return s.load(q.SQL) })
	}
	add(widget.Item{Label: "events", Head: true}, nil)
	for _, col := range lake.Columns() {
		key := ""
		if col.Partition {
			key = "◆" // a partition key: filters on it prune, and reading it costs nothing
		}
		add(widget.Item{Label: col.Name, Key: key}, func() tea.Cmd {
			s.focus = editorPane
			s.editor.Insert(col.Name)
			return s.edited()
		})
	}
	s.side = widget.NewList(items)
	return s
}

// load puts a statement into the editor; undo brings the old text back.
func (s *sqlScreen) load(text string) tea.Cmd {
	s.focus = editorPane
	if draft := strings.TrimSpace(s.editor.Value()); draft != "" && draft != strings.TrimSpace(text) {
		s.app.say("Alt+Z brings back what stood in the editor")
	}
	s.editor.Set(strings.TrimSpace(text))
	return s.edited()
}

// openWith shows the screen with a statement, and runs it when asked to. Esc leads back.
func (s *sqlScreen) openWith(text string, run bool) tea.Cmd {
	cmds := []tea.Cmd{s.app.open(sqlScreenID), s.load(text)}
	s.editor.Top() // what nobody has typed is read from its beginning
	if run {
		s.focus = gridPane
		cmds = append(cmds, s.start())
	}
	return tea.Batch(cmds...)
}

// start runs the text of the editor.
func (s *sqlScreen) start() tea.Cmd {
	text := strings.TrimSpace(s.editor.Value())
	if text == "" {
		s.app.say("nothing to run: write a statement, or F8")
		return nil
	}
	s.stop()
	ctx, cancel := context.WithCancel(s.app.ctx)
	s.run = queryRun{gen: s.run.gen + 1, flying: true, cancel: cancel, text: text, started: s.app.cfg.Now()}
	s.err, s.stopped, s.editor.Mark.Row = nil, false, -1
	gen, engine := s.run.gen, s.app.cfg.Engine
	query := sql.Query{Text: s.editor.Value(), MinSeq: s.app.fresh.Committed}
	s.histAt = len(s.history)
	return func() (msg tea.Msg) {
		defer cancel()
		defer func() {
			if bug := recover(); bug != nil {
				msg = queryDoneMsg{gen: gen, err: fmt.Errorf("a bug ended this statement: %v", bug)}
			}
		}()
		result, err := engine.Query(ctx, query)
		return queryDoneMsg{gen, result, err}
	}
}

// stop cancels the statement in flight and gives the screen back at once; its late answer is dropped.
func (s *sqlScreen) stop() bool {
	if !s.run.flying {
		return false
	}
	s.run.cancel()
	s.run.flying = false
	s.run.gen++
	s.stopped = true
	return true
}

// receive takes the answers to the screen's questions.
func (s *sqlScreen) receive(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case estimateDueMsg:
		return s.estimateNow(msg)
	case estimateMsg:
		s.estimate.receive(msg)
	case queryDoneMsg:
		if msg.gen != s.run.gen || !s.run.flying {
			return nil
		}
		s.run.flying = false
		if s.err = msg.err; msg.err != nil {
			s.failed(msg.err)
		} else {
			s.result = newResult(s.run.text, msg.result)
			if s.focus == sidePane {
				s.focus = gridPane
			}
		}
		return s.addHistory(pastQuery{SQL: s.run.text, At: s.app.now, OK: msg.err == nil})
	}
	return nil
}

// failed points at the place of the error, if the text is still the one that ran.
func (s *sqlScreen) failed(err error) {
	s.errText = s.run.text
	offset, ok := errorOffset(err)
	value := s.editor.Value()
	if ok && strings.TrimSpace(value) == s.run.text {
		s.editor.PointAt(min(offset, len(value)))
		s.focus = editorPane
	}
}

// cost is the newest result's cost for the footer.
func (s *sqlScreen) cost() string {
	if s.run.flying {
		return cell.Spinner(s.app.ticks) + " query " + span(max(0, s.app.now.Sub(s.run.started)))
	}
	if s.result == nil {
		return ""
	}
	st := s.result.stats
	amount := size(st.Bytes)
	if st.Digests > 0 && st.Digests == st.Files {
		amount = digestWords(&st)
	}
	return fmt.Sprintf("q %s %d/%d files %s ≈ %s", amount, st.Files, st.FilesTotal, took(st.Elapsed), usd(st.USD))
}

func (s *sqlScreen) places() place {
	return map[pane]place{editorPane: inEditor, gridPane: onGrid, sidePane: onSide}[s.focus]
}

func (s *sqlScreen) typing() bool { return s.focus == editorPane }

func (s *sqlScreen) crumbs() []string {
	if s.focus == gridPane {
		return []string{"SQL", "result"}
	}
	return []string{"SQL"}
}

func (s *sqlScreen) cursor() *tea.Cursor { return s.caret }

func (s *sqlScreen) tick() tea.Cmd { return nil }

func (s *sqlScreen) paste(text string) tea.Cmd {
	if s.focus != editorPane {
		return nil
	}
	s.editor.Insert(text)
	return s.edited()
}

// escape leaves the editor, then the list.
func (s *sqlScreen) escape() (tea.Cmd, bool) {
	if s.focus == gridPane {
		return nil, false
	}
	s.focus = gridPane
	return nil, true
}

func (s *sqlScreen) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	if name == "tab" || name == "shift+tab" {
		s.step(name == "tab")
		return nil
	}
	switch s.focus {
	case editorPane:
		return s.editorKey(k)
	case gridPane:
		if s.result != nil {
			s.result.key(name)
		}
	case sidePane:
		switch name {
		case "j":
			k = tea.KeyPressMsg{Code: tea.KeyDown}
		case "k":
			k = tea.KeyPressMsg{Code: tea.KeyUp}
		case "up", "down", "pgup", "pgdown":
		default:
			return nil
		}
		s.side.Key(k)
	}
	return nil
}

func (s *sqlScreen) editorKey(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	at := s.editor.Cursor()
	switch {
	case name == "enter" && s.editor.EndsStatement():
		return s.start()
	case name == "up" && at.Row == 0:
		return s.walk(-1)
	case name == "down" && at.Row == s.editor.Lines()-1:
		return s.walk(1)
	}
	before := s.editor.Version()
	s.editor.Key(k)
	if s.editor.Version() != before {
		return s.edited()
	}
	return nil
}

// step moves the focus to the next pane in sight.
func (s *sqlScreen) step(forward bool) {
	panes := []pane{editorPane, gridPane} // from the result, Tab is the way back to the editor
	if s.wide() {
		panes = []pane{editorPane, sidePane, gridPane}
	}
	n := 1
	if !forward {
		n = len(panes) - 1
	}
	at := 0
	for i, p := range panes {
		if p == s.focus {
			at = i
		}
	}
	s.focus = panes[(at+n)%len(panes)]
}

func (s *sqlScreen) wheel(x, y, n int) {
	editor, result, side := s.layout(cell.Rect{X: 0, Y: 2, W: s.app.width, H: s.app.height - 3})
	switch {
	case side.Contains(x, y):
		s.side.Scroll(n / 3)
	case result.Contains(x, y) && s.result != nil:
		s.result.scroll(n)
	case editor.Contains(x, y):
		s.editor.Scroll(n / 3)
	}
}

func sqlActions() []action {
	noRows := func(a *App) string {
		if a.sql.result == nil || a.sql.result.row() == nil {
			return "there is no row"
		}
		return ""
	}
	return []action{
		{"run", "run the statement; Enter after a semicolon does, too", []string{"f5", "ctrl+j", "alt+enter", "ctrl+enter"}, onSQL, true, nil, func(a *App) tea.Cmd { return a.sql.start() }},
		{"record", "the row at hand with every column", []string{"enter"}, onGrid, true, noRows, func(a *App) tea.Cmd { return a.sql.openRecord() }},
		{"choose", "a question goes into the editor, a column's name to the cursor", []string{"enter"}, onSide, true, nil, func(a *App) tea.Cmd {
			if i := a.sql.side.Selected(); i >= 0 && a.sql.sideDo[i] != nil {
				return a.sql.sideDo[i]()
			}
			return nil
		}},
		{"order", "order the rows by this column: up, down, as they came", []string{"o"}, onGrid, true, noRows, func(a *App) tea.Cmd { a.sql.result.order(); return nil }},
		{"history", "saved questions and what was run before; type to search", []string{"f8", "ctrl+r"}, onSQL, true, nil, func(a *App) tea.Cmd { return a.sql.openHistory() }},
		{"edit", "Tab goes to the editor", []string{"tab"}, onGrid, true, nil, nil},
		{"leave", "Esc leaves the editor: single keys are commands then", []string{"esc"}, inEditor, true, nil, func(a *App) tea.Cmd { return a.escape() }},
		{"older, newer", "at the first and the last line: the statements that were run before", []string{"up", "down"}, inEditor, false, nil, nil},
		{"undo", "undo; Ctrl+Y brings it back", []string{"ctrl+_", "alt+z", "ctrl+y"}, inEditor, false, nil, nil},
		{"select", "select while moving; Ctrl+G selects all, Alt+Y copies", []string{"shift+left", "shift+right", "shift+up", "shift+down"}, inEditor, false, nil, nil},
		{"words", "by words; Ctrl+W deletes one", []string{"ctrl+left", "ctrl+right"}, inEditor, false, nil, nil},
	}
}
