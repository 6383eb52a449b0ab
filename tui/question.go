package tui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// question is what one part of a screen asks: at most one is in flight, and the answer to one that was overtaken is dropped.
type question struct {
	app     *App
	flying  bool
	since   time.Time // when it was asked
	cancel  context.CancelFunc
	dropped bool           // its answer is not wanted any more
	next    func() tea.Cmd // to ask in its place, once it has ended
}

// askedMsg ends a question.
type askedMsg struct {
	of   *question
	take func() tea.Cmd
}

// errStopped is how a question ends that the user stopped.
var errStopped = errors.New("stopped: g asks again")

// askTimeout is after what a question is told as failed: far above what a scan of a large lake takes.
const askTimeout = 2 * time.Minute

// ask starts work, whose answer goes to take in the program's loop. Work in flight is cancelled, and what is asked starts when it has ended.
func ask[T any](q *question, work func(ctx context.Context) (T, error), take func(answer T, took time.Duration, err error) tea.Cmd) tea.Cmd {
	if q.flying {
		q.drop()
		q.next = func() tea.Cmd { return ask(q, work, take) }
		return nil
	}
	ctx, cancel := context.WithTimeout(q.app.ctx, askTimeout)
	q.flying, q.dropped, q.next, q.cancel, q.since = true, false, nil, cancel, q.app.now
	now := q.app.cfg.Now
	return func() (msg tea.Msg) {
		started := now()
		defer cancel()
		defer func() {
			if bug := recover(); bug != nil {
				var none T
				msg = askedMsg{q, func() tea.Cmd { return take(none, 0, fmt.Errorf("a bug ended this question: %v", bug)) }}
			}
		}()
		answer, err := work(ctx)
		took := now().Sub(started)
		return askedMsg{q, func() tea.Cmd { return take(answer, took, err) }}
	}
}

// drop cancels what is in flight, and tells whether there was something.
func (q *question) drop() bool {
	if !q.flying || q.dropped {
		return false
	}
	q.cancel()
	q.dropped = true
	return true
}

// waiting tells whether an answer is still wanted.
func (q *question) waiting() bool { return q.flying && (!q.dropped || q.next != nil) }

func (m askedMsg) deliver(*App) tea.Cmd {
	q := m.of
	next, dropped := q.next, q.dropped
	q.flying, q.dropped, q.next = false, false, nil
	switch {
	case next != nil:
		return next()
	case dropped:
		return nil
	}
	return m.take()
}

// part is a question's newest answer, and what it was the answer to.
type part[T any] struct {
	question
	data  *T
	of    subject // that data answers
	asked subject // in flight
	at    time.Time
	took  time.Duration
	err   error
	errAt time.Time
}

// subject is what is looked at: questions about the same differ only in how far the data and the clock had moved.
type subject struct {
	filter string
	span   timeRange
	view   view     // the span as it was resolved
	mark   dataMark // the data's state
}

// same tells whether the user asked for the same.
func (s subject) same(o subject) bool { return s.filter == o.filter && s.span == o.span }

// due tells whether the part should be asked about the subject now. every spaces what moves by itself; a part that takes long moves less often.
func (p *part[T]) due(s subject, every time.Duration) bool {
	now := p.app.now
	switch {
	case p.flying:
		return !p.asked.same(s)
	case p.err != nil && p.asked.same(s):
		return p.err != errStopped && now.Sub(p.errAt) >= p.retry()
	case p.data == nil || !p.of.same(s):
		return true
	case p.app.window.paused || p.of.view.Range == s.view.Range && p.of.mark == s.mark:
		return false
	}
	return now.Sub(p.at) >= max(every, 20*p.took)
}

// retry is how long after a failure the part asks again by itself: what took long to fail is not hurried.
func (p *part[T]) retry() time.Duration { return max(retryAfter, 10*p.took) }

// refresh asks when it is due.
func (p *part[T]) refresh(s subject, every time.Duration, work func(ctx context.Context) (*T, error)) tea.Cmd {
	if !p.due(s, every) {
		return nil
	}
	p.asked = s
	return ask(&p.question, work, func(answer *T, took time.Duration, err error) tea.Cmd {
		p.receive(s, answer, took, err)
		return nil
	})
}

// receive takes an answer. Old data stay when the new question failed.
func (p *part[T]) receive(s subject, answer *T, took time.Duration, err error) {
	now := p.app.cfg.Now()
	p.took = took
	switch {
	case err == nil:
		p.data, p.of, p.at, p.err = answer, s, now, nil
	case errors.Is(err, context.DeadlineExceeded):
		p.err, p.errAt = fmt.Errorf("no answer within %s: %w", words(askTimeout), err), now
	default:
		p.err, p.errAt = err, now
	}
}

// stop ends what is in flight for good, and tells whether there was something.
func (p *part[T]) stop() bool {
	waiting := p.waiting()
	p.next = nil
	p.drop()
	if waiting {
		p.err, p.errAt = errStopped, p.app.now
	}
	return waiting
}

// old tells whether what is shown is not the answer to what is asked now.
func (p *part[T]) old(s subject) bool {
	return p.data != nil && (p.err != nil || !p.of.same(s))
}
