package tui

import (
	"context"
	"math"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/sql"
)

// target is what e and w look for.
type target struct {
	name  string // "error"
	where string
	match func(*sql.Row) bool
}

// seek moves to the next row of a kind: down the list, to older ones, or up.
func (p *explorePage) seek(t target, newer bool) tea.Cmd {
	l := &p.list
	step := 1
	if newer {
		step = -1
	}
	for i := l.cursor + step; i >= 0 && i < len(l.rows); i += step {
		if t.match(&l.rows[i]) {
			return p.move(i - l.cursor)
		}
	}
	words := "no older " + t.name + " in this range"
	if newer {
		words = "no newer " + t.name + " in this range"
	}
	if more := l.older && !newer || l.newer && newer; !more || len(l.rows) == 0 {
		p.app.say(words)
		return nil
	}
	engine, from := p.app.cfg.Engine, l.rows[len(l.rows)-1].Position
	if newer {
		from = l.rows[0].Position
	}
	p.app.say("looking for the next " + t.name + " …")
	slice, version := p.slice(), l.version
	return ask(&l.more, func(ctx context.Context) (*run, error) {
		page, err := sql.ReadPage(ctx, engine, sql.PageRequest{Slice: slice.And(t.where), At: from, Newer: newer, Limit: 1})
		if err != nil || len(page.Rows) == 0 {
			return nil, err
		}
		return around(ctx, engine, slice, page.Rows[0].Position)
	}, func(r *run, _ time.Duration, err error) tea.Cmd {
		switch {
		case l.version != version:
		case err != nil:
			l.moreErr = err
		case r == nil:
			p.app.say(words)
		default:
			p.app.say("")
			l.show(r)
		}
		return nil
	})
}

var errorTarget = target{"error", sql.IsError, (*sql.Row).Failed}

// slow is the threshold of a slow request: the exact p95 of what is looked at.
type slow struct{ ms float64 }

// seekSlow moves to the next slow request; the threshold is asked for first where it is not known.
func (p *explorePage) seekSlow(newer bool) tea.Cmd {
	s, slice, engine := p.subject(), p.slice(), p.app.cfg.Engine
	if p.slow.data == nil || !p.slow.of.same(s) {
		if p.slow.flying && p.slow.asked.same(s) {
			return nil
		}
		p.slow.asked = s
		p.app.say("finding what is slow here …")
		return ask(&p.slow.question, func(ctx context.Context) (*slow, error) {
			ms, err := sql.ReadQuantile(ctx, engine, slice, 0.95)
			return &slow{ms}, err
		}, func(answer *slow, took time.Duration, err error) tea.Cmd {
			if p.slow.receive(s, answer, took, err); err != nil {
				p.app.say("the p95 could not be had: " + err.Error())
				return nil
			}
			return p.seekSlow(newer)
		})
	}
	limit := p.slow.data.ms
	if math.IsNaN(limit) {
		p.app.say("no event with a latency in this range")
		return nil
	}
	p.app.say("slow is from " + ms(limit) + " on, the p95 here")
	return p.seek(target{"slow request", "latency_ms >= " + strconv.FormatFloat(limit, 'f', -1, 64), func(r *sql.Row) bool { return r.LatencyMS >= limit }}, newer)
}
