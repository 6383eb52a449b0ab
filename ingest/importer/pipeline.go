package importer

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/signallake/signallake/lake"
)

const (
	// These bound what is appended at once, beyond one chunk: while one append waits for the disk the next chunks gather, and one sync
	// serves them all.
	groupBytes   = 8 << 20
	groupEvents  = 128 << 10
	groupLetters = 8 << 10
)

// pipeline is the way of one input: the cutter's goroutine, the parsers', and the appender, which runs in the caller's. It holds a fixed
// number of chunks, so that memory does not depend on the input.
type pipeline struct {
	cutter  *cutter
	parsers []*parser
	sink    Sink
	mark    mark           // moves with what is durable
	keep    bool           // notes go with the batches
	skipTo  int64          // rejects up to this line are kept already
	moved   func(k *chunk) // tells of a chunk that is durable
	lines   []byte         // of a group
	letters []lake.DeadLetter
}

// run imports until the source ends, or says that reading is over. It answers the first error of the sink or the source; what the mark
// says is durable either way.
func (p *pipeline) run(reading, writing context.Context) error {
	reading, stop := context.WithCancel(reading)
	defer stop()
	free := make(chan *chunk, 2*len(p.parsers)+4) // while one group of them is written the parsers have the others
	for range cap(free) {
		free <- &chunk{data: make([]byte, 0, maxLine+1), done: make(chan struct{}, 1)}
	}
	work, order, failed := make(chan *chunk, cap(free)), make(chan *chunk, cap(free)), make(chan struct{})
	var wg sync.WaitGroup
	var cutErr error
	wg.Go(func() {
		defer close(order)
		defer close(work)
		cutErr = p.cut(reading, failed, free, work, order)
	})
	for _, one := range p.parsers {
		wg.Go(func() {
			for k := range work {
				one.chunk(k)
				k.done <- struct{}{}
			}
		})
	}
	err := p.append(writing, order, free)
	if err != nil {
		close(failed)
		stop()
	}
	wg.Wait()
	if err != nil {
		return &sinkError{err}
	}
	return cutErr
}

// cut feeds the parsers, and tells the appender their order.
func (p *pipeline) cut(reading context.Context, failed <-chan struct{}, free <-chan *chunk, work, order chan<- *chunk) error {
	for {
		var k *chunk
		select {
		case <-failed:
			return nil
		case k = <-free:
		}
		switch err := p.cutter.next(reading, k); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		order <- k // has room for every chunk there is
		work <- k
	}
}

// append puts the parsed chunks into the lake, in order and in groups.
func (p *pipeline) append(ctx context.Context, order <-chan *chunk, free chan<- *chunk) error {
	var group []*chunk
	var next *chunk
	for {
		k := next
		if k == nil {
			var ok bool
			if k, ok = <-order; !ok {
				return nil
			}
		}
		k.wait()
		group, next = gather(append(group[:0], k), order)
		if err := p.flush(ctx, group); err != nil {
			return err
		}
		for _, k := range group {
			free <- k
		}
	}
}

// gather adds the chunks to a group that are parsed already. next is one that has to wait for the next group.
func gather(group []*chunk, order <-chan *chunk) (all []*chunk, next *chunk) {
	bytes, events, letters := len(group[0].out), group[0].accepted, len(group[0].letters)
	for {
		select {
		case k, ok := <-order:
			if !ok {
				return group, nil
			}
			if !k.ready() {
				return group, k
			}
			bytes, events, letters = bytes+len(k.out), events+k.accepted, letters+len(k.letters)
			if bytes > groupBytes || events > groupEvents || letters > groupLetters {
				return group, k
			}
			group = append(group, k)
		default:
			return group, nil
		}
	}
}

// wait until the parser is done with the chunk.
func (k *chunk) wait() {
	if !k.isDone {
		<-k.done
		k.isDone = true
	}
}

// ready tells whether the parser is done with the chunk.
func (k *chunk) ready() bool {
	select {
	case <-k.done:
		k.isDone = true
	default:
	}
	return k.isDone
}

// flush makes a group durable: first its rejects, then its events with the position behind them. Should it stop in between, the rejects that
// are kept say by their line numbers how far they go.
func (p *pipeline) flush(ctx context.Context, group []*chunk) error {
	m, n := p.mark, 0
	p.letters = p.letters[:0]
	for _, k := range group {
		k.skipped = 0
		for _, d := range k.letters {
			if d.Line <= p.skipTo {
				k.skipped++
				continue
			}
			p.letters = append(p.letters, d)
		}
		n += k.accepted
		m.Accepted += int64(k.accepted)
		m.Rejected += int64(len(k.letters))
		m.Blank += k.blank
		m.Offset, m.Tail = k.end, k.tail
	}
	if len(p.letters) > 0 {
		if err := p.sink.Bury(ctx, p.letters); err != nil {
			return fmt.Errorf("keep refused lines: %w", err)
		}
		p.skipTo = p.letters[len(p.letters)-1].Line
	}
	if n > 0 {
		if err := p.appendEvents(ctx, group, n, &m); err != nil {
			return err
		}
	}
	p.mark = m
	for _, k := range group {
		p.moved(k)
	}
	return nil
}

func (p *pipeline) appendEvents(ctx context.Context, group []*chunk, n int, m *mark) error {
	b := lake.Batch{Lines: group[0].out, N: n}
	if len(group) > 1 {
		p.lines = p.lines[:0]
		for _, k := range group {
			p.lines = append(p.lines, k.out...)
		}
		b.Lines = p.lines
	}
	if p.keep {
		note, err := m.note()
		if err != nil {
			return fmt.Errorf("note the position: %w", err)
		}
		b.Note = note
	}
	return p.sink.Append(ctx, b)
}
