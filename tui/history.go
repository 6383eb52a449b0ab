package tui

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/widget"
)

// addHistory remembers a statement; running the same one again moves it to the end.
func (s *sqlScreen) addHistory(q pastQuery) tea.Cmd {
	s.history = slices.DeleteFunc(s.history, func(old pastQuery) bool { return old.SQL == q.SQL })
	s.history = append(s.history, q)
	if len(s.history) > maxHistory {
		s.history = slices.Delete(s.history, 0, len(s.history)-maxHistory)
	}
	s.histAt = len(s.history)
	return s.app.save(historyName, func() any { return slices.Clone(s.history) })
}

// walk steps through the history from the editor's edges; the draft waits at its end.
func (s *sqlScreen) walk(n int) tea.Cmd {
	at := s.histAt + n
	if at < 0 || at > len(s.history) {
		return nil
	}
	if s.histAt == len(s.history) {
		s.draft = s.editor.Value()
	}
	s.histAt = at
	text := s.draft
	if at < len(s.history) {
		text = s.history[at].SQL
	}
	s.editor.Set(text)
	return s.edited()
}

// openHistory lists the saved questions and what was run before, newest first.
func (s *sqlScreen) openHistory() tea.Cmd {
	var choices []choice
	if len(s.app.cfg.Questions) > 0 {
		choices = append(choices, choice{Item: widget.Item{Label: "saved questions", Head: true}})
	}
	for _, q := range s.app.cfg.Questions {
		choices = append(choices, choice{widget.Item{Label: q.Name, Detail: q.Title, Search: q.SQL}, func() tea.Cmd { return s.load(q.SQL) }})
	}
	if len(s.history) > 0 {
		choices = append(choices, choice{Item: widget.Item{Label: "run before, newest first", Head: true}})
	}
	for _, q := range slices.Backward(s.history) {
		sign := "✓ "
		if !q.OK {
			sign = "× "
		}
		label := q.At.UTC().Format("01-02 15:04")
		if s.app.now.Sub(q.At) < 24*time.Hour {
			label = clock(q.At)
		}
		choices = append(choices, choice{widget.Item{Label: sign + label, Detail: strings.Join(strings.Fields(q.SQL), " ")}, func() tea.Cmd { return s.load(q.SQL) }})
	}
	p := newPicker(s.app, "history", choices)
	p.width, p.labelW, p.prompt = 110, 18, "search"
	s.app.push(p)
	return nil
}
