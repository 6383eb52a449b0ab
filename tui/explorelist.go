package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
)

// The list keeps a run of rows in memory, whatever the range holds.
const (
	pageRows = 200         // of a question: some screens, some ten milliseconds
	keptRows = 1200        // rows beyond go at the other end
	nearEnd  = 60          // rows from the end of the run, from where on the next page is asked for
	above    = 40          // rows above the one that was jumped to
	liveWait = time.Second // between looks at what is new
)

// run is a piece of the list of events without gaps, the newest first.
type run struct {
	rows         []sql.Row
	newer, older bool // there is more beyond the ends
	at           int  // the row that the cursor belongs on
	stats        sql.Stats
}

// eventList is the list of events: a run, the cursor and the window over it.
type eventList struct {
	part[run] // of the newest answer that began a run anew
	more      question
	moreErr   error

	rows         []sql.Row
	newer, older bool
	cursor, top  int
	page         int // rows in sight when last drawn
	stats        sql.Stats
	version      int // moves with the rows

	shape   eventColumns // of the rows, and what it was made for
	shapeOf shapeKey
}

// shapeKey is what the columns of the list depend on.
type shapeKey struct {
	version, w int
	format     string
}

// current is the row at the cursor; nil when there is none.
func (l *eventList) current() *sql.Row {
	if l.cursor < 0 || l.cursor >= len(l.rows) {
		return nil
	}
	return &l.rows[l.cursor]
}

// position is that of the row at the cursor.
func (l *eventList) position() sql.Position {
	if row := l.current(); row != nil {
		return row.Position
	}
	return sql.Position{}
}

// follows tells whether the list stands where new events come in.
func (l *eventList) follows() bool { return l.cursor == 0 && !l.newer }

// load begins the list anew with work's run.
func (p *explorePage) load(work func(ctx context.Context, s sql.Slice) (*run, error)) tea.Cmd {
	l := &p.list
	s, slice := p.subject(), p.slice()
	l.asked = s
	if l.more.next = nil; l.more.flying {
		l.more.drop()
	}
	return ask(&l.question, func(ctx context.Context) (*run, error) { return work(ctx, slice) }, func(answer *run, took time.Duration, err error) tea.Cmd {
		l.receive(s, answer, took, err)
		if err == nil {
			l.show(answer)
		}
		return p.tick()
	})
}

// show puts a run in place of the rows.
func (l *eventList) show(r *run) {
	l.rows, l.newer, l.older, l.stats, l.moreErr = r.rows, r.newer, r.older, r.stats, nil
	l.cursor = max(0, min(r.at, len(r.rows)-1))
	l.top = max(0, l.cursor-l.page/3)
	l.version++
}

// newest reads the newest page.
func (p *explorePage) newest() tea.Cmd {
	engine := p.app.cfg.Engine
	return p.load(func(ctx context.Context, s sql.Slice) (*run, error) {
		page, err := sql.ReadPage(ctx, engine, sql.PageRequest{Slice: s, Limit: pageRows})
		if err != nil {
			return nil, err
		}
		return &run{rows: page.Rows, older: page.More, stats: page.Stats}, nil
	})
}

// oldest reads the oldest page.
func (p *explorePage) oldest() tea.Cmd {
	engine := p.app.cfg.Engine
	return p.load(func(ctx context.Context, s sql.Slice) (*run, error) {
		page, err := sql.ReadPage(ctx, engine, sql.PageRequest{Slice: s, Newer: true, Limit: pageRows})
		if err != nil {
			return nil, err
		}
		return &run{rows: page.Rows, newer: page.More, at: len(page.Rows) - 1, stats: page.Stats}, nil
	})
}

// goTo reads the rows around a position, which gets the cursor.
func (p *explorePage) goTo(at sql.Position) tea.Cmd {
	engine := p.app.cfg.Engine
	return p.load(func(ctx context.Context, s sql.Slice) (*run, error) { return around(ctx, engine, s, at) })
}

// around is the run around a position.
func around(ctx context.Context, engine sql.Engine, s sql.Slice, at sql.Position) (*run, error) {
	older, err := sql.ReadPage(ctx, engine, sql.PageRequest{Slice: s, At: sql.Position{Timestamp: at.Timestamp, Seq: at.Seq + 1}, Limit: pageRows})
	if err != nil {
		return nil, err
	}
	newer, err := sql.ReadPage(ctx, engine, sql.PageRequest{Slice: s, At: sql.Position{Timestamp: at.Timestamp, Seq: at.Seq}, Newer: true, Limit: above})
	if err != nil {
		return nil, err
	}
	n := len(newer.Rows)
	return &run{rows: append(newer.Rows, older.Rows...), newer: newer.More, older: older.More, at: n, stats: older.Stats}, nil
}

// extend reads the page beyond an end of the run that the cursor has come close to.
func (p *explorePage) extend() tea.Cmd {
	l := &p.list
	if l.flying || l.more.flying || len(l.rows) == 0 || l.old(p.subject()) || l.moreErr != nil {
		return nil
	}
	reach := max(nearEnd, 2*l.page)
	request := sql.PageRequest{Slice: p.slice(), Limit: pageRows}
	switch {
	case l.older && l.cursor >= len(l.rows)-reach:
		request.At = l.rows[len(l.rows)-1].Position
	case l.newer && l.cursor < reach:
		request.At, request.Newer = l.rows[0].Position, true
	default:
		return nil
	}
	engine, version := p.app.cfg.Engine, l.version
	return ask(&l.more, func(ctx context.Context) (*sql.Page, error) { return sql.ReadPage(ctx, engine, request) }, func(page *sql.Page, _ time.Duration, err error) tea.Cmd {
		switch {
		case l.version != version:
		case err != nil:
			l.moreErr = err
		default:
			l.grow(page, request.Newer)
		}
		return nil
	})
}

// grow adds a page at an end, and lets go of rows at the other one.
func (l *eventList) grow(page *sql.Page, newer bool) {
	l.stats = page.Stats
	l.version++
	if !newer {
		l.rows, l.older = append(l.rows, page.Rows...), page.More
		if extra := len(l.rows) - keptRows; extra > 0 {
			l.rows = append([]sql.Row(nil), l.rows[extra:]...)
			l.newer = true
			l.cursor, l.top = l.cursor-extra, l.top-extra
		}
		return
	}
	n := len(page.Rows)
	l.rows, l.newer = append(page.Rows[:n:n], l.rows...), page.More
	l.cursor, l.top = l.cursor+n, l.top+n
	if len(l.rows) > keptRows {
		l.rows, l.older = l.rows[:keptRows:keptRows], true
	}
}

// move steps the cursor.
func (p *explorePage) move(n int) tea.Cmd {
	l := &p.list
	l.moreErr = nil
	l.cursor = max(0, min(l.cursor+n, len(l.rows)-1))
	return p.extend()
}

// top goes to the newest event, and asks again what was stopped or has failed.
func (p *explorePage) top() tea.Cmd {
	l := &p.list
	if !l.newer && l.err == nil && !l.old(p.subject()) {
		l.cursor, l.top = 0, 0
		return p.tick()
	}
	p.counts.err, p.facets.err = nil, nil
	return p.newest()
}

// bottom goes to the oldest event of the range.
func (p *explorePage) bottom() tea.Cmd {
	l := &p.list
	if !l.older {
		return p.move(len(l.rows))
	}
	return p.oldest()
}
