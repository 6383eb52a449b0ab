package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// estimateDelay is how long typing must rest before the cost is asked for.
const estimateDelay = 200 * time.Millisecond

const estimateTimeout = 5 * time.Second

// estimateState is the cost of the text in the editor, as far as it is known.
type estimateState struct {
	gen    int // moves with each edit
	cancel context.CancelFunc
	known  bool // est or err belong to the text as it stands
	est    sql.Estimate
	err    error
}

type (
	estimateDueMsg struct{ gen int }
	estimateMsg    struct {
		gen int
		est sql.Estimate
		err error
	}
)

// edited starts the wait for the next estimate; what was known is out of date.
func (s *sqlScreen) edited() tea.Cmd {
	e := &s.estimate
	e.gen++
	e.known = false
	if e.cancel != nil {
		e.cancel()
		e.cancel = nil
	}
	if strings.TrimSpace(s.editor.Value()) == "" {
		return nil
	}
	return s.app.after(estimateDelay, estimateDueMsg{e.gen})
}

// estimateNow asks once typing rests.
func (s *sqlScreen) estimateNow(m estimateDueMsg) tea.Cmd {
	e := &s.estimate
	if m.gen != e.gen {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.app.ctx, estimateTimeout)
	e.cancel = cancel
	text, engine := s.editor.Value(), s.app.cfg.Engine
	return func() (msg tea.Msg) {
		defer cancel()
		defer func() {
			if bug := recover(); bug != nil {
				msg = estimateMsg{gen: m.gen, err: fmt.Errorf("a bug ended the estimate: %v", bug)}
			}
		}()
		est, err := engine.Estimate(ctx, text)
		return estimateMsg{m.gen, est, err}
	}
}

func (e *estimateState) receive(m estimateMsg) {
	if m.gen != e.gen {
		return
	}
	e.known, e.est, e.err, e.cancel = true, m.est, m.err, nil
}

// words is the estimate in a sentence; wrong is a refusal, which the statement will not get past.
func (e *estimateState) words() (text string, style cell.Style) {
	if !e.known {
		return "", cell.Muted
	}
	var refused *sql.RefusedError
	var syntax *sql.SyntaxError
	switch {
	case errors.As(e.err, &refused):
		return "× " + refused.Error(), cell.Bad
	case errors.As(e.err, &syntax):
		return "not yet a statement: " + firstLine(syntax.Message), cell.Muted
	case e.err != nil:
		return "no estimate: " + firstLine(e.err.Error()), cell.Muted
	}
	text = fmt.Sprintf("will read %d/%d files %s ≈ %s", e.est.Files, e.est.FilesTotal, size(e.est.Bytes), usd(e.est.USD))
	if e.est.HotRows > 0 {
		text += fmt.Sprintf(" + %s hot rows", short(float64(e.est.HotRows)))
	}
	if e.est.Why != "" {
		text += " (" + e.est.Why + ")"
	}
	return text, cell.Good
}

// errorOffset is the place of an error in the statement's text.
func errorOffset(err error) (int, bool) {
	var syntax *sql.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset >= 0 {
		return syntax.Offset, true
	}
	return 0, false
}
