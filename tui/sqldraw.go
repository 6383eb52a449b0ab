package tui

import (
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// sideWidth is the width of the list beside the editor, where the window has room for it.
const sideWidth = 24

func (s *sqlScreen) wide() bool { return s.app.width >= gridWidth }

// layout divides the body: a list at the left, the editor above the result.
func (s *sqlScreen) layout(r cell.Rect) (editor, result, side cell.Rect) {
	if s.wide() {
		side = cell.Rect{X: r.X, Y: r.Y, W: sideWidth, H: r.H}
		r.X, r.W = r.X+sideWidth, r.W-sideWidth
	}
	h := min(max(s.editor.Lines()+3, 6), max(6, r.H*45/100))
	editor = cell.Rect{X: r.X, Y: r.Y, W: r.W, H: h}
	return editor, cell.Rect{X: r.X, Y: r.Y + h, W: r.W, H: r.H - h}, side
}

func (s *sqlScreen) draw(c *cell.Canvas, r cell.Rect) {
	heavy := s.app.theme.Colourless()
	editor, result, side := s.layout(r)
	if side.W > 0 {
		c.Box(side, "saved", s.focus == sidePane, heavy)
		in := cell.Rect{X: side.X + 1, Y: side.Y + 1, W: side.W - 2, H: side.H - 2}
		s.side.Idle = s.focus != sidePane
		s.side.Draw(c, in, in.W-4)
		s.app.rowZone(in, func(_, dy int) tea.Cmd {
			s.focus = sidePane
			s.side.Click(dy)
			return nil
		})
	}
	s.drawEditor(c, editor, heavy)
	s.drawResult(c, result, heavy)
}

func (s *sqlScreen) drawEditor(c *cell.Canvas, r cell.Rect, heavy bool) {
	focused := s.focus == editorPane
	c.Box(r, "statement", focused, heavy)
	in := cell.Rect{X: r.X + 1, Y: r.Y + 1, W: r.W - 2, H: r.H - 2}
	x, y := s.editor.Draw(c, in, focused)
	s.caret = nil
	if focused && len(s.app.overlays) == 0 && in.Contains(x, y) {
		s.caret = tea.NewCursor(x, y)
		s.caret.Shape = tea.CursorBar
	}
	s.app.zone(in, func(dx, dy int) tea.Cmd {
		s.focus = editorPane
		s.editor.Click(dx, dy)
		return nil
	})
	text, style := s.estimate.words()
	if text == "" {
		return
	}
	text = " " + cell.Cut(text, r.W-6) + " "
	if style == cell.Good && cell.Width(text) < r.W-16 {
		c.Text(r.X+r.W-2-cell.Width(text), r.Y, text, style)
		return
	}
	c.Text(r.X+2, r.Y+r.H-1, text, style)
}

func (s *sqlScreen) drawResult(c *cell.Canvas, r cell.Rect, heavy bool) {
	focused := s.focus == gridPane
	in := cell.Rect{X: r.X + 1, Y: r.Y + 1, W: r.W - 2, H: r.H - 2}
	title, style := "result", cell.Text
	switch {
	case s.run.flying:
		title = "running"
	case s.err != nil:
		title, style = "failed", cell.Bad
	case s.stopped:
		title = "cancelled"
	case s.result != nil:
		s.result.draw(c, in, focused) // measures the window for the title
		title = s.result.title()
	}
	c.Box(r, title, focused, heavy)
	text := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	switch {
	case s.run.flying:
		s.drawKept(c, in, 2)
		elapsed := s.app.now.Sub(s.run.started)
		x := c.Text(text.X, text.Y, cell.Spinner(s.app.ticks)+" running "+span(max(0, elapsed)), cell.Accent|cell.Bold)
		c.TextCut(x+2, text.Y, text.X+text.W-x-2, "Ctrl+C cancels and gives the screen back at once", cell.Muted)
	case s.err != nil:
		used := s.drawError(c, text, style)
		s.drawKept(c, in, used+1)
	case s.stopped:
		c.TextCut(text.X, text.Y, text.W, "the statement was cancelled", cell.Warn)
		s.drawKept(c, in, 2)
	case s.result == nil:
		c.TextCut(text.X, text.Y, text.W, "nothing has run yet: F5 runs the statement, F8 lists saved questions", cell.Muted)
	default:
		s.result.draw(c, in, focused)
		s.zoneGrid(in)
		s.drawStats(c, r, title)
	}
}

// drawKept shows the result before, dimmed, below the first skip lines: it is not the answer to what was asked last.
func (s *sqlScreen) drawKept(c *cell.Canvas, in cell.Rect, skip int) {
	if s.result == nil || in.H-skip < 3 {
		return
	}
	r := cell.Rect{X: in.X, Y: in.Y + skip, W: in.W, H: in.H - skip}
	s.result.draw(c, r, false)
	c.Dim(r)
	s.zoneGrid(r)
}

func (s *sqlScreen) zoneGrid(r cell.Rect) {
	s.app.rowZone(r, func(dx, dy int) tea.Cmd {
		s.focus = gridPane
		s.result.click(dx, dy)
		return nil
	})
}

func (s *sqlScreen) drawStats(c *cell.Canvas, r cell.Rect, title string) {
	stats, room := s.result.statsLine(), r.W-6
	if hidden := s.result.hidden(); hidden != "" {
		c.TextRight(r.X+r.W-2, r.Y+r.H-1, r.W/2, " "+hidden+" ", cell.Muted)
		room -= cell.Width(hidden) + 3
	}
	if cell.Width(stats)+cell.Width(title)+8 <= r.W {
		c.OnFrame(r, title, r.X+r.W-1, stats, cell.Muted)
	} else {
		c.Text(r.X+2, r.Y+r.H-1, " "+cell.Cut(stats, room)+" ", cell.Muted)
	}
}

// drawError tells what is wrong, and points at its place in the statement. It returns how many lines it took.
func (s *sqlScreen) drawError(c *cell.Canvas, in cell.Rect, style cell.Style) int {
	y := in.Y
	put := func(text string, look cell.Style) {
		if y < in.Y+in.H {
			c.TextCut(in.X, y, in.W, text, look)
		}
		y++
	}
	var refused *sql.RefusedError
	message := s.err.Error()
	if errors.As(s.err, &refused) {
		message = refused.What + " is not allowed here"
	}
	for _, line := range cell.Wrap("× "+message, in.W) {
		put(line, style)
	}
	if refused != nil {
		for _, line := range cell.Wrap(refused.Hint, in.W) {
			put(line, cell.Text)
		}
	}
	if offset, ok := errorOffset(s.err); ok {
		row, col, line := placeIn(s.errText, offset)
		head := fmt.Sprintf("line %d │ ", row+1)
		if room := in.W - cell.Width(head) - 2; cell.Width(line[:col]) > room {
			cut := cell.Width(line[:col]) - room/2
			rest := cell.Skip(line, cut)
			col = max(0, col-(len(line)-len(rest)))
			line = rest
		}
		put(head+line, cell.Muted)
		put(strings.Repeat(" ", cell.Width(head)+cell.Width(line[:col]))+"^ here", cell.Bad)
	}
	return y - in.Y
}

// placeIn finds the line, the byte within it and the line's text of a byte offset.
func placeIn(text string, offset int) (row, col int, line string) {
	offset = max(0, min(offset, len(text)))
	row = strings.Count(text[:offset], "\n")
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	end := strings.IndexByte(text[start:], '\n')
	if end < 0 {
		end = len(text) - start
	}
	return row, offset - start, text[start : start+end]
}
