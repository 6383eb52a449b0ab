package tui

import (
	"encoding/json"
	"time"

	tea "charm.land/bubbletea/v2"
)

// What the console remembers of a lake between runs, by the names it is stored under.
const (
	historyName = "history.json"
	sessionName = "session.json"
)

// maxHistory is how many statements are remembered.
const maxHistory = 500

// pastQuery is a statement that was run.
type pastQuery struct {
	SQL string    `json:"sql"`
	At  time.Time `json:"at"`
	OK  bool      `json:"ok"`
}

// session is where the user was.
type session struct {
	Screen  screenID  `json:"screen"`
	Range   timeRange `json:"range"`
	Service string    `json:"service,omitempty"`
	Filter  string    `json:"filter,omitempty"`
	Editor  string    `json:"editor,omitempty"`
}

// memoryMsg is what was loaded; what cannot be read is as if it were not there.
type memoryMsg struct {
	history []pastQuery
	session session
}

// savedMsg ends one write.
type savedMsg struct {
	name string
	err  error
}

// saveState keeps the writes of one name in order: one at a time, the newest state next.
type saveState struct {
	flying  bool
	pending func() any
}

func (a *App) loadMemory() tea.Cmd {
	return func() tea.Msg {
		var m memoryMsg
		loadJSON(a.cfg.Store, historyName, &m.history)
		loadJSON(a.cfg.Store, sessionName, &m.session)
		return m
	}
}

// loadJSON reads a value; damage is as good as absence, since nothing depends on it.
func loadJSON(s Store, name string, into any) {
	if data, err := s.Load(name); err == nil && len(data) > 0 {
		_ = json.Unmarshal(data, into)
	}
}

// remember takes up where the last run ended, unless the user was quicker.
func (a *App) remember(m memoryMsg) {
	a.sql.history = append(m.history, a.sql.history...)
	a.sql.histAt += len(m.history)
	s := m.session
	if a.ticks == 0 && a.current == dashScreen {
		for _, t := range tabs {
			if t.id == s.Screen {
				a.current = s.Screen
				a.sql.focus = gridPane // single keys are commands until the user goes to the editor
			}
		}
	}
	if a.window.span == (timeRange{}) && s.Range.Span >= 0 && s.Range.Span <= maxSpan {
		a.window.span = s.Range
		a.dash.service = s.Service
	}
	a.explore.restore(s.Filter)
	if a.sql.editor.Value() == "" && s.Editor != "" {
		a.sql.editor.Set(s.Editor)
	}
}

// save writes the value that make yields, after the write at hand has ended.
func (a *App) save(name string, make func() any) tea.Cmd {
	st := a.saves[name]
	if st == nil {
		st = &saveState{}
		a.saves[name] = st
	}
	if st.flying {
		st.pending = make
		return nil
	}
	st.flying = true
	value := make()
	return func() tea.Msg {
		data, err := json.Marshal(value)
		if err == nil {
			err = a.cfg.Store.Save(name, data)
		}
		return savedMsg{name, err}
	}
}

func (a *App) saved(m savedMsg) tea.Cmd {
	if m.err != nil {
		a.say("not remembered: " + m.err.Error())
	}
	st := a.saves[m.name]
	st.flying = false
	if next := st.pending; next != nil {
		st.pending = nil
		return a.save(m.name, next)
	}
	return nil
}

// leave writes the session once the program has ended.
func (a *App) leave() error {
	s := session{Screen: a.current, Range: a.window.span, Service: a.dash.service, Filter: a.explore.query.String(), Editor: a.sql.editor.Value()}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return a.cfg.Store.Save(sessionName, data)
}
