package duck

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"
)

// hotCounter counts hot rows for an answer from digests, straight from their blocks: what the pinned view shows, each row once. Rows are put together by
// the keys that the answer needs of them; conditions on single keys are decided before that, for a block at a time.
type hotCounter struct {
	run      *digestRun
	dates    bounds32 // decided by row, as are the next two and the time range
	statuses bounds32
	service  *string
	slow     []predicate // decided by the keys of many rows
	keys     []keyColumn // by which rows are put together
	services textNumbers
	others   textNumbers // endpoints or regions
	chosen   []uint16    // rows of the block at hand that pass
	slots    []*hotGroup // by a hash of their code
	groups   map[hotCode]*hotGroup
	list     []*hotGroup // in the order in which they came up
}

// hotCode is the values of the keys as numbers, those of texts as textNumbers gives them.
type hotCode [keyColumns]int64

// hotGroup is the rows of one code.
type hotGroup struct {
	code      hotCode
	keys      keys
	out       bool // the conditions do not hold
	events    int64
	latencies int64
	values    []float64
}

const hotSlots = 1 << 10

// bounds32 is what a DATE or an INTEGER may be, both ends inclusive.
type bounds32 struct{ low, high int32 }

// addHot adds the hot rows.
func (r *digestRun) addHot() error {
	if r.view.rows == 0 {
		return nil
	}
	all := bounds32{math.MinInt32, math.MaxInt32}
	h := hotCounter{run: r, dates: all, statuses: all, slots: make([]*hotGroup, hotSlots), groups: map[hotCode]*hotGroup{}}
	used := r.used()
	for i := range r.where {
		if p := &r.where[i]; !h.byRow(p) {
			h.slow = append(h.slow, *p)
			p.uses(&used)
		}
	}
	for k := range keyColumns {
		if used[k] {
			h.keys = append(h.keys, k)
		}
	}
	for _, t := range r.view.hot {
		for i, b := range t.blocks {
			h.block(b, t.rowsOf(i))
		}
	}
	for _, g := range h.list {
		if g.out {
			continue
		}
		if err := r.addList(&g.keys, g.events, g.latencies, g.values); err != nil {
			return err
		}
	}
	return nil
}

// byRow takes over a condition that one look at a row decides.
func (h *hotCounter) byRow(p *predicate) bool {
	switch {
	case p.op == "=" && p.column == keyService && h.service == nil:
		h.service = &p.values[0].text
	case mirrored[p.op] == "" || p.op == "<>":
		return false
	case p.column == keyDate:
		h.dates.narrow(p.op, p.values[0].n)
	case p.column == keyStatus:
		h.statuses.narrow(p.op, p.values[0].n)
	default:
		return false
	}
	return true
}

// narrow applies a comparison with a number.
func (b *bounds32) narrow(op string, n int64) {
	low, high := int64(b.low), int64(b.high)
	switch op {
	case "=":
		low, high = max(low, n), min(high, n)
	case "<":
		high = min(high, n-1)
	case "<=":
		high = min(high, n)
	case ">":
		low = max(low, n+1)
	case ">=":
		low = max(low, n)
	}
	if *b = (bounds32{1, 0}); low <= high {
		b.low, b.high = int32(low), int32(high)
	}
}

// block counts the first rows of a block.
func (h *hotCounter) block(b *hotBlock, rows int) {
	if h.chosen = h.chosen[:0]; h.dates.low > h.dates.high || h.statuses.low > h.statuses.high {
		return
	}
	h.chosen = h.dates.rows(h.chosen, b.int32s(hotDate), rows)
	h.chosen = h.statuses.keep(h.chosen, b.int32s(hotStatus))
	if h.service != nil {
		h.chosen = keepText(h.chosen, b.texts(hotService), *h.service)
	}
	if w := h.run.window; w != (timeRange{minMicros, maxMicros}) {
		at := b.int64s(hotTimestamp)
		h.chosen = slices.DeleteFunc(h.chosen, func(i uint16) bool { return at[i] < int64(w.from) || at[i] >= int64(w.to) })
	}
	nulls := b.nulls.Load()
	absent := func(column int, i uint16) bool {
		return nulls&(1<<column) != 0 && atomic.LoadUint64(&b.valid[column][i/64])>>(i%64)&1 == 0
	}
	latency, listed := b.float64s(hotLatency), len(h.run.latency) > 0
	for _, i := range h.chosen {
		g := h.group(b, i, absent)
		g.events++
		if absent(hotLatency, i) {
			continue
		}
		g.latencies++
		if listed && !g.out {
			g.values = append(g.values, latency[i])
		}
	}
}

// rows appends the rows that lie within. It and the next two take no branch for a row: which rows pass cannot be foreseen.
func (b bounds32) rows(dst []uint16, values *[blockRows]int32, rows int) []uint16 {
	dst = slices.Grow(dst, rows)[:rows]
	n, width := 0, uint32(b.high)-uint32(b.low)
	for i, v := range values[:rows] {
		dst[n] = uint16(i)
		if uint32(v)-uint32(b.low) <= width {
			n++
		}
	}
	return dst[:n]
}

// keep keeps the chosen rows that lie within.
func (b bounds32) keep(chosen []uint16, values *[blockRows]int32) []uint16 {
	if b == (bounds32{math.MinInt32, math.MaxInt32}) {
		return chosen
	}
	n, width := 0, uint32(b.high)-uint32(b.low)
	for _, i := range chosen {
		chosen[n] = i
		if uint32(values[i%blockRows])-uint32(b.low) <= width {
			n++
		}
	}
	return chosen[:n]
}

// keepText keeps the chosen rows that have the text.
func keepText(chosen []uint16, values *[blockRows]hotText, want string) []uint16 {
	if len(want) > inlineText {
		return slices.DeleteFunc(chosen, func(i uint16) bool { return values[i].string() != want })
	}
	n, short := 0, inlined(want)
	for _, i := range chosen {
		chosen[n] = i
		if v := &values[i%blockRows]; (v.head^short.head)|(v.tail^short.tail) == 0 {
			n++
		}
	}
	return chosen[:n]
}

// group is the group of a row.
func (h *hotCounter) group(b *hotBlock, i uint16, absent func(column int, i uint16) bool) *hotGroup {
	var code hotCode
	hash := uint64(0)
	for _, k := range h.keys {
		switch k {
		case keyDate:
			code[k] = int64(b.int32s(hotDate)[i])
		case keyStatus:
			code[k] = int64(b.int32s(hotStatus)[i])
		case keyService:
			code[k] = h.services.number(&b.texts(hotService)[i])
		case keyEndpoint:
			if code[k] = -1; !absent(hotEndpoint, i) {
				code[k] = h.others.number(&b.texts(hotEndpoint)[i])
			}
		case keyRegion:
			if code[k] = -1; !absent(hotRegion, i) {
				code[k] = h.others.number(&b.texts(hotRegion)[i])
			}
		case keyHour:
			code[k] = hourStart(b.int64s(hotTimestamp)[i])
		}
		hash = (hash ^ uint64(code[k])) * 0x9e3779b97f4a7c15
		hash ^= hash >> 29
	}
	slot := &h.slots[hash%hotSlots]
	if g := *slot; g != nil && g.code == code {
		return g
	}
	g := h.groups[code]
	if g == nil {
		g = h.begin(code)
	}
	*slot = g
	return g
}

// hourStart is date_trunc('hour', ...) of microseconds.
func hourStart(at int64) int64 {
	const hour = 3600 * 1_000_000
	start := at / hour * hour
	if start > at {
		start -= hour
	}
	return start
}

func (h *hotCounter) begin(code hotCode) *hotGroup {
	g := &hotGroup{code: code}
	for _, k := range h.keys {
		switch {
		case !k.isText():
			g.keys[k].n = code[k]
		case code[k] < 0:
			g.keys[k].null = true
		case k == keyService:
			g.keys[k].text = h.services.names[code[k]]
		default:
			g.keys[k].text = h.others.names[code[k]]
		}
	}
	g.out = !allHold(h.slow, &g.keys)
	h.groups[code] = g
	h.list = append(h.list, g)
	return g
}

// textNumbers gives texts numbers from 0 on.
type textNumbers struct {
	names   []string
	numbers map[string]int64
	slots   [256]struct {
		text   hotText
		number int64 // and 1: 0 is an empty slot
	}
}

func (n *textNumbers) number(t *hotText) int64 {
	hash := t.head ^ t.tail
	if t.long() {
		s := t.string()
		hash = t.head ^ load64(s[len(s)-8:])
	}
	slot := &n.slots[hash*0x9e3779b97f4a7c15>>56]
	if slot.number > 0 && (slot.text == *t || t.long() && slot.text.head == t.head && slot.text.string() == t.string()) {
		return slot.number - 1
	}
	s := t.string()
	number, ok := n.numbers[s]
	if !ok {
		if n.numbers == nil {
			n.numbers = map[string]int64{}
		}
		s = strings.Clone(s)
		number = int64(len(n.names))
		n.numbers[s] = number
		n.names = append(n.names, s)
	}
	slot.text, slot.number = *t, number+1
	return number
}

func (t *hotText) long() bool { return uint32(t.head) > inlineText }

// used marks the keys that rows and filters of aggregates need.
func (s *shape) used() (used [keyColumns]bool) {
	for _, g := range s.groups {
		used[g] = true
	}
	for i := range s.counts {
		if f := s.counts[i].filter; f != nil {
			f.uses(&used)
		}
	}
	for i := range s.latency {
		if f := s.latency[i].filter; f != nil {
			f.uses(&used)
		}
	}
	return used
}
