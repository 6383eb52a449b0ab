package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

const (
	noEvents     = "no events in this range"
	noLatencies  = "no event with a latency in this range"
	panelTimeout = 10 * time.Second // a standing question takes milliseconds; after this it is told as failed
	panelEvery   = time.Second      // at most one question a panel in this time
	retryAfter   = 5 * time.Second  // after a failure
	staleAfter   = 15 * time.Second // a live panel older than this is dimmed and dated
)

// panelKind is what one panel asks and how it draws.
type panelKind struct {
	title string
	load  func(ctx context.Context, p sql.Panels, r sql.Range) (data any, behind sql.Behind, err error) // nil: it draws from the snapshots alone
	empty func(data any) bool
	rows  func(data any) int // lines that the cursor can be on; nil: none
	draw  func(p *panel, c *cell.Canvas, r cell.Rect)
	frame func(p *panel, c *cell.Canvas, r cell.Rect) // on the frame's top edge
	foot  func(a *App, c *cell.Canvas, r cell.Rect)   // on its bottom edge: the backlog, whatever the answer
	enter func(p *panel) tea.Cmd                      // on the row at the cursor
	lines func(p *panel) int                          // rows it wants where the panels stand in a list
	none  string                                      // what an empty answer means; "" is noEvents
}

// asks makes a panel's load of a question.
func asks[T interface{ Source() sql.Behind }](question func(sql.Panels, context.Context, sql.Range) (T, error)) func(context.Context, sql.Panels, sql.Range) (any, sql.Behind, error) {
	return func(ctx context.Context, p sql.Panels, r sql.Range) (any, sql.Behind, error) {
		data, err := question(p, ctx, r)
		if err != nil {
			return nil, sql.Behind{}, err
		}
		return data, data.Source(), nil
	}
}

// panel is one standing question with its newest answer. At most one is in flight; an answer that was overtaken is dropped.
type panel struct {
	app  *App
	kind panelKind

	gen    int // of the question in flight, or of the newest one
	flying bool
	cancel context.CancelFunc
	asked  sql.Range // of the question in flight
	early  bool      // it was asked while the lake was being read in: it may take as long as that
	seen   dataMark  // the data's state when it was asked

	data     any
	behind   sql.Behind
	answered int       // counts answers: the version of what is drawn
	of       sql.Range // that data belongs to
	ofMark   dataMark
	at       time.Time // when data came
	err      error
	errAt    time.Time

	cursor, top int
	page        int
	cache       *cell.Canvas
	cacheKey    panelKey
}

// dataMark moves whenever the lake's visible data do.
type dataMark struct {
	visible, counted lake.Seq
	version          uint64
}

// panelKey is everything that a panel's picture depends on.
type panelKey struct {
	w, h, answered, cursor, top, tick int
	focused, dim, heavy               bool
	err                               error
	theme                             *cell.Theme
	flying                            bool
	chain                             string
}

// answerMsg is the answer to a panel's question.
type answerMsg struct {
	to     *panel
	gen    int
	data   any
	behind sql.Behind
	err    error
}

// refresh asks anew when the range or the data have moved; nil when there is nothing to ask.
func (p *panel) refresh(r sql.Range, mark dataMark, every time.Duration) tea.Cmd {
	now := p.app.now
	if p.kind.load == nil {
		return nil
	}
	if p.flying {
		if p.asked != r && p.cancel != nil {
			p.cancel() // its answer starts the next question
		}
		return nil
	}
	switch {
	case p.err != nil && p.asked == r && now.Sub(p.errAt) < retryAfter:
		return nil
	case p.err == nil && p.data != nil && p.of == r && p.ofMark == mark:
		return nil
	case p.err == nil && p.data != nil && p.of == r && now.Sub(p.at) < every:
		return nil
	}
	return p.ask(r, mark)
}

func (p *panel) ask(r sql.Range, mark dataMark) tea.Cmd {
	ctx, cancel := context.WithTimeout(p.app.ctx, panelTimeout)
	p.gen++
	p.flying, p.cancel, p.asked, p.seen, p.early = true, cancel, r, mark, p.app.fresh.Loading
	gen, panels, load := p.gen, p.app.cfg.Panels, p.kind.load
	return func() (msg tea.Msg) {
		defer cancel()
		defer func() {
			if bug := recover(); bug != nil {
				msg = answerMsg{to: p, gen: gen, err: fmt.Errorf("a bug in this panel's question: %v", bug)}
			}
		}()
		data, behind, err := load(ctx, panels, r)
		return answerMsg{to: p, gen: gen, data: data, behind: behind, err: err}
	}
}

// receive takes an answer. Old data stay when the new question failed.
func (p *panel) receive(m answerMsg) tea.Cmd {
	if m.gen != p.gen {
		return nil
	}
	p.flying, p.cancel = false, nil
	now := p.app.cfg.Now()
	switch {
	case m.err == nil:
		p.data, p.behind, p.of, p.ofMark, p.at, p.err = m.data, m.behind, p.asked, p.seen, now, nil
		p.answered++
		p.clamp()
	case errors.Is(m.err, context.Canceled):
	case p.early && errors.Is(m.err, context.DeadlineExceeded): // no failure: the next tick asks again
		p.err = nil
	default:
		p.err, p.errAt = m.err, now
	}
	return p.app.dash.answered(p)
}

func (p *panel) rowCount() int {
	if p.kind.rows == nil || p.data == nil {
		return 0
	}
	return p.kind.rows(p.data)
}

func (p *panel) clamp() { p.cursor = max(0, min(p.cursor, p.rowCount()-1)) }

// move steps the cursor and tells whether it could.
func (p *panel) move(n int) bool {
	old := p.cursor
	p.cursor += n
	p.clamp()
	return p.cursor != old
}

// old tells whether what is shown is not the answer to what is asked now: it is drawn dimmed and dated.
func (p *panel) old() bool {
	if p.data == nil || p.kind.load == nil {
		return false
	}
	return p.err != nil || p.of.Service != p.app.dash.service || p.of.Slots != p.app.dash.view.Slots || p.flying && p.app.now.Sub(p.at) > staleAfter
}

// paint draws the panel into r of c, from its cache when nothing has changed.
func (p *panel) paint(c *cell.Canvas, r cell.Rect, focused bool) {
	if r.W < 4 || r.H < 3 {
		return
	}
	key := panelKey{w: r.W, h: r.H, answered: p.answered, cursor: p.cursor, top: p.top, focused: focused, dim: p.old(), heavy: p.app.theme.Colourless(), err: p.err, theme: p.app.theme}
	if p.kind.load == nil || p.data == nil || p.err != nil {
		key.tick, key.flying = p.app.ticks+1, p.flying
	}
	if p.kind.foot != nil {
		key.chain = p.app.chainText(r.W - 6)
	}
	if p.cache == nil {
		p.cache = cell.New(0, 0)
		p.cache.ASCII = c.ASCII
	}
	if key != p.cacheKey {
		p.cache.Resize(r.W, r.H)
		p.draw(p.cache, p.cache.All(), focused)
		key.top = p.top
		p.cacheKey = key
	}
	c.Blit(r.X, r.Y, p.cache)
}

func (p *panel) draw(c *cell.Canvas, r cell.Rect, focused bool) {
	title := p.kind.title
	if focused {
		title = "▸ " + title
	}
	c.Box(r, title, focused, p.app.theme.Colourless())
	in := cell.Rect{X: r.X + 2, Y: r.Y + 1, W: r.W - 4, H: r.H - 2}
	old := c.Clip(r.Inset())
	switch {
	case p.kind.load == nil:
		p.kind.draw(p, c, in)
	case p.data == nil && p.err != nil:
		p.drawFailure(c, in)
	case p.data == nil:
		c.TextCut(in.X, in.Y, in.W, strings.TrimSpace(cell.Spinner(p.app.ticks)+" loading "+loadWords(p.app.fresh.Load)), cell.Muted)
	case p.kind.empty(p.data):
		c.TextCut(in.X, in.Y, in.W, cmp.Or(p.kind.none, noEvents), cell.Muted)
		if in.H > 1 {
			c.TextCut(in.X, in.Y+1, in.W, p.app.dash.emptyHint(), cell.Faint)
		}
	default:
		p.page = in.H
		p.kind.draw(p, c, in)
	}
	c.Restore(old)
	if p.data != nil && p.kind.frame != nil && !p.kind.empty(p.data) {
		p.kind.frame(p, c, r)
	}
	if p.kind.foot != nil {
		p.kind.foot(p.app, c, r)
	}
	if p.old() {
		c.Dim(in)
		p.drawDate(c, r, title)
	}
}

// drawFailure tells what happened and what to do, where there is no older data to keep.
func (p *panel) drawFailure(c *cell.Canvas, in cell.Rect) {
	lines := cell.Wrap("× "+p.err.Error(), in.W)
	for i, line := range lines[:min(len(lines), max(1, in.H-1))] {
		c.TextCut(in.X, in.Y+i, in.W, line, cell.Bad)
	}
	c.TextCut(in.X, in.Y+min(len(lines), max(1, in.H-1)), in.W, p.retryHint(), cell.Muted)
}

func (p *panel) retryHint() string {
	left := retryAfter - p.app.now.Sub(p.errAt)
	if p.flying || left <= 0 {
		return "asking again …"
	}
	return fmt.Sprintf("asks again in %ds", int(left.Seconds())+1)
}

// drawDate dates old data on the frame, and keeps the error in the panel.
func (p *panel) drawDate(c *cell.Canvas, r cell.Rect, title string) {
	c.OnFrame(r, title, r.X+r.W-1, "as of "+clock(p.at), cell.Warn)
	if p.err != nil && r.H > 3 {
		y := r.Y + r.H - 2
		c.Fill(cell.Rect{X: r.X + 1, Y: y, W: r.W - 2, H: 1}, cell.Text)
		c.TextCut(r.X+2, y, r.W-4, "× "+p.err.Error(), cell.Bad)
		c.TextRight(r.X+r.W-2, r.Y+r.H-1, r.W-6, " "+p.retryHint()+" ", cell.Muted)
	}
}

// window scrolls so that the cursor is in sight of n rows and returns the first row to draw.
func (p *panel) window(n int) int {
	p.top = max(0, min(max(p.top, p.cursor-n+1), p.cursor))
	p.top = max(0, min(p.top, p.rowCount()-n))
	return p.top
}

// mark draws the cursor on a row of a focused panel.
func (p *panel) mark(c *cell.Canvas, in cell.Rect, y, row int) {
	if row != p.cursor || p.app.dash.focused() != p {
		return
	}
	c.Text(in.X-1, y, "▸", cell.Accent)
	c.Paint(cell.Rect{X: in.X - 1, Y: y, W: in.W + 2, H: 1}, cell.Selected)
}
