package lake

import "github.com/signallake/signallake/lake/digest"

// digestMaker makes the digest of one file after the other from a run's blocks. It is for one goroutine.
type digestMaker struct {
	builder  digest.Builder
	endpoint nameNumbers
	region   nameNumbers
}

// reset begins a file.
func (m *digestMaker) reset() {
	m.builder.Reset()
	m.endpoint.reset(textEndpoint)
	m.region.reset(textRegion)
}

func (m *digestMaker) add(b *block, row int) {
	m.builder.Add(int64(b.timestamp[row]), b.latency[row], m.endpoint.number(b, row), m.region.number(b, row))
}

// append appends the file's digest.
func (m *digestMaker) append(dst []byte) []byte {
	return m.builder.Append(dst, m.endpoint.name, m.region.name)
}

// nameNumbers gives a file's values of a text column numbers of their own, from 0 on: each worker of the run has numbers of its own.
type nameNumbers struct {
	column  int
	names   []string
	workers map[*scanWorker]*workerNumbers
	last    *workerNumbers
	own     map[string]uint32 // of values that are in no dictionary
	file    uint32
}

// workerNumbers turns a worker's numbers into the file's: what was set for an earlier file does not count.
type workerNumbers struct {
	worker *scanWorker
	number []uint32
	file   []uint32
}

func (n *nameNumbers) reset(column int) {
	n.column, n.names, n.own = column, n.names[:0], nil
	n.file++
	if n.workers == nil {
		n.workers = map[*scanWorker]*workerNumbers{}
	}
}

func (n *nameNumbers) name(number int) string { return n.names[number] }

func (n *nameNumbers) number(b *block, row int) uint32 {
	number := b.text[n.column].numbers[row]
	if number >= dictionaryLimit {
		return n.ownNumber(b.textAt(n.column, row))
	}
	w := n.last
	if w == nil || w.worker != b.worker {
		if w = n.workers[b.worker]; w == nil {
			w = &workerNumbers{worker: b.worker, number: make([]uint32, dictionaryLimit), file: make([]uint32, dictionaryLimit)}
			n.workers[b.worker] = w
		}
		n.last = w
	}
	if w.file[number] != n.file {
		w.file[number], w.number[number] = n.file, n.add(b.textAt(n.column, row))
	}
	return w.number[number]
}

func (n *nameNumbers) ownNumber(name string) uint32 {
	if number, ok := n.own[name]; ok {
		return number
	}
	if n.own == nil {
		n.own = map[string]uint32{}
	}
	n.own[name] = n.add(name)
	return n.own[name]
}

func (n *nameNumbers) add(name string) uint32 {
	n.names = append(n.names, name)
	return uint32(len(n.names) - 1)
}
