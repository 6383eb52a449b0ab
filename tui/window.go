package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// window is the time that the console looks at, the same on every screen: a range that fits itself to the clock and to the data.
type window struct {
	app  *App
	span timeRange
	view view

	paused   bool
	frozen   time.Time // the clock while paused
	pausedAt int64     // visible events then

	extentOf *panel // asks for the extent; never drawn
	extent   sql.Extent
	known    bool // the extent was answered once
}

func newWindow(a *App) *window {
	w := &window{app: a}
	w.extentOf = &panel{app: a, kind: panelKind{
		load: func(ctx context.Context, p sql.Panels, _ sql.Range) (any, sql.Behind, error) {
			e, err := p.Extent(ctx)
			return e, e.Behind, err
		},
		empty: func(any) bool { return false },
	}}
	return w
}

// mark is the state of the data that answers depend on.
func (w *window) mark() dataMark {
	return dataMark{w.app.fresh.VisibleTo, w.app.fresh.CountedTo, w.app.status.Version}
}

// filled tells whether there is anything to show.
func (w *window) filled() bool { return w.known && w.extent.Events > 0 }

// resolve fits the range to the clock and the extent.
func (w *window) resolve() {
	now := w.app.now
	if w.paused {
		now = w.frozen
	}
	w.view = w.span.resolve(now, w.extent)
}

// follow keeps the extent and the range true; nothing moves while paused.
func (w *window) follow(every time.Duration) tea.Cmd {
	if w.paused {
		return nil
	}
	cmd := w.extentOf.refresh(sql.Range{}, w.mark(), every)
	w.resolve()
	return cmd
}

// setRange looks at another time; what the user asks for is answered, paused or not.
func (a *App) setRange(r timeRange) tea.Cmd {
	a.window.span = r
	a.window.resolve()
	if a.current == exploreScreen {
		return a.explore.ranged()
	}
	return a.dash.ranged()
}

// pause stops everything that moves by itself, or lets it go on.
func (a *App) pause() tea.Cmd {
	w := a.window
	if w.paused = !w.paused; w.paused {
		w.frozen, w.pausedAt = a.now, a.status.Visible
		return nil
	}
	return a.here().tick()
}

// drawRange writes the time range and its note into the crumbs' line, and what else narrows what is shown.
func (w *window) drawRange(c *cell.Canvas, r cell.Rect, narrowed string) {
	v := w.view
	text := "range " + words(v.Span) + " (" + between(v.From, v.To, w.app.now) + ")" + narrowed
	if v.Note != "" {
		if full := text + "  " + v.Note; cell.Width(full) <= r.W {
			x := c.Text(r.X+r.W-cell.Width(full), r.Y, text+"  ", cell.Muted)
			c.Text(x, r.Y, v.Note, cell.Warn)
			return
		}
		c.TextRight(r.X+r.W, r.Y, r.W, v.Note, cell.Warn)
		return
	}
	c.TextRight(r.X+r.W, r.Y, r.W, text, cell.Muted)
}
