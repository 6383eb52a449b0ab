package lake

import "github.com/signallake/signallake/lake/digest"

// digestMaker makes the digest of one file of a run after the other. It is for one goroutine.
type digestMaker struct {
	run     *scannedRun
	builder digest.Builder
	columns digest.Columns
	bytes   []byte
	own     [textColumns]ownNames
}

// ownNames numbers the values of a file that no worker's dictionary had room for, above those that one had.
type ownNames struct {
	numbers map[string]uint32
	names   []string
}

// digest is the digest of a partition's rows, good until the next call.
func (m *digestMaker) digest(pieces []piece) []byte {
	m.builder.Reset()
	m.own[textEndpoint], m.own[textRegion] = ownNames{}, ownNames{}
	for _, p := range pieces {
		b := m.run.blocks[p.block]
		m.columns.Timestamps, m.columns.Latencies = b.timestamp[p.from:p.to], b.latency[p.from:p.to]
		m.columns.Endpoints = m.numbers(m.columns.Endpoints[:0], textEndpoint, p)
		m.columns.Regions = m.numbers(m.columns.Regions[:0], textRegion, p)
		m.builder.Add(m.columns)
	}
	name := func(column int) func(number int) string {
		return func(number int) string {
			if values := m.run.texts[column].values; number < len(values) {
				return values[number]
			} else {
				return m.own[column].names[number-len(values)]
			}
		}
	}
	m.bytes = m.builder.Append(m.bytes[:0], name(textEndpoint), name(textRegion))
	return m.bytes
}

// numbers appends the numbers that a column's values have in the run.
func (m *digestMaker) numbers(dst []uint32, column int, p piece) []uint32 {
	b, d := m.run.blocks[p.block], m.run.texts[column]
	c, of := &b.text[column], d.of[b.worker.number]
	for _, number := range c.numbers[p.from:p.to] {
		if number < dictionaryLimit {
			dst = append(dst, uint32(of[number]))
		} else {
			dst = append(dst, uint32(len(d.values))+m.own[column].number(c.ownAt(number)))
		}
	}
	return dst
}

func (o *ownNames) number(name string) uint32 {
	if number, ok := o.numbers[name]; ok {
		return number
	}
	if o.numbers == nil {
		o.numbers = map[string]uint32{}
	}
	number := uint32(len(o.names))
	o.numbers[name] = number
	o.names = append(o.names, name)
	return number
}
