package lake

import "github.com/signallake/signallake/lake/rollup"

const (
	// keptArena is how large an arena is kept for the next conversion: that of half a million events, seven times what sets one going.
	keptArena = 64 << 20
	// keptTicks of autoEvery without a conversion give the memory back: ten seconds. Under load one follows the other.
	keptTicks = 50
)

// convertMemory is what runs hand on to each other, also those of one conversion and the next: all that they need much of, so that they make
// next to no garbage and touch no new pages.
type convertMemory struct {
	arena   arena
	scanned []*scanWorker
	written []*eventWriter
	texts   [textColumns]runDictionary
	cells   *rollup.Writer
	sum     *rollup.Sum
}

// takeMemory is what the conversion before kept, or new. Its caller has the turn to convert.
func (l *Lake) takeMemory() (*convertMemory, error) {
	workers := min(Processors(), convertWorkers)
	if m := l.memory; m != nil && len(m.scanned) == workers {
		l.memory = nil
		return m, nil
	}
	l.dropMemory()
	return newConvertMemory(workers)
}

// keepMemory leaves the memory to the next conversion, where those come by themselves. After a failure some of it may be missing.
func (l *Lake) keepMemory(m *convertMemory, err error) {
	if err != nil || l.cfg.ConvertAge < 0 || m.arena.bytes > keptArena {
		m.arena.release()
		return
	}
	m.begin()
	l.memory = m
}

// dropMemory gives back what is kept. Its caller has the turn to convert.
func (l *Lake) dropMemory() {
	if l.memory != nil {
		l.memory.arena.release()
		l.memory = nil
	}
}

// dropIdleMemory is dropMemory when no conversion runs.
func (l *Lake) dropIdleMemory() {
	select {
	case l.convertTurn <- struct{}{}:
		l.dropMemory()
		<-l.convertTurn
	default:
	}
}

// newConvertMemory is for conversions with so many workers. What it holds is released by its owner.
func newConvertMemory(workers int) (*convertMemory, error) {
	m := &convertMemory{cells: rollup.NewWriter(nil)}
	for i := range workers {
		w, err := newEventWriter()
		if err != nil {
			return nil, err
		}
		m.written = append(m.written, w)
		m.scanned = append(m.scanned, newScanWorker(i, &m.arena))
	}
	return m, nil
}

// begin makes ready for a run; nothing of the one before is used any more.
func (m *convertMemory) begin() {
	m.arena.reset()
	for _, w := range m.scanned {
		w.begin()
	}
}
