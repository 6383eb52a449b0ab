package lake

import "github.com/signallake/signallake/lake/rollup"

// convertMemory is what the runs of a conversion hand on to each other: all that they need much of, so that they make next to no garbage.
type convertMemory struct {
	arena   arena
	buffers chan []byte // for lines on their way to a worker, one more than all workers and the reader hold
	scanned []*scanWorker
	written []*eventWriter
	texts   [textColumns]runDictionary
	cells   *rollup.Writer
	sum     *rollup.Sum
}

// newConvertMemory is for conversions with so many workers. What it holds is released by its owner.
func newConvertMemory(workers int) (*convertMemory, error) {
	m := &convertMemory{buffers: make(chan []byte, workers+2), cells: rollup.NewWriter(nil)}
	for range cap(m.buffers) {
		m.buffers <- nil
	}
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
