package gen

import (
	"encoding/binary"

	"github.com/signallake/signallake/lake"
)

// A line is put together where it is to lie: every part is copied whole at a fixed size (see piece), the next one over what was too much of
// it, and the few digits that differ are stored over the copy. So there is no branch on a length and nothing is written twice to be read
// back, which is what an event would otherwise spend half of its time on.

// chunk is what the events of one chunk share while they are made.
type chunk struct {
	g         *Generator
	t         *tables
	random    stream
	seedBits  uint64 // of the ids: see putID
	seedStep  uint64
	slot      int
	minute    lake.Micros // whose text stands in head
	head      [headRoom]byte
	incidents []Incident // those that end after the newest event
	bursts    []burst
}

// maxLine is more than a line takes, with the rest of the widest copy behind its end.
const maxLine = 1024

// appendChunk appends the lines of one chunk, which must fit. They depend on the configuration and the chunk's number only.
func (g *Generator) appendChunk(dst []byte, number int64) []byte {
	first := number * eventsAChunk
	last := min(first+eventsAChunk, g.cfg.Count)
	if first >= last {
		return dst
	}
	c := chunk{g: g, t: g.tables, random: newStream(g.cfg.Seed, uint64(number)*chunkStride+1), seedBits: mix(g.cfg.Seed) & 0x3ff << 2,
		seedStep: g.cfg.Seed * chunkStride, slot: g.calendar.slotOf(first), minute: -1, head: g.tables.head, incidents: g.incidents, bursts: g.bursts}
	at := len(dst)
	dst = dst[:cap(dst)]
	for i := first; i < last; i++ {
		for i >= g.calendar.before[c.slot+1] {
			c.slot++
		}
		at += c.put(dst[at:at+maxLine], i)
	}
	return dst[:at]
}

// draw is what chance decided about one event.
type draw struct {
	at      lake.Micros
	service *preparedService
	opening *piece // service, endpoint, method and status
	tail    *piece // region, host and level
	latency int64  // µs
	message *phrase
	number  uint64 // in the message
	sizes   *phrase
	size    uint64 // in the attributes
}

// put writes the line of event i to the front of p, and some bytes beyond its end. It returns the line's length.
func (c *chunk) put(p []byte, i int64) int {
	t := c.t
	var dice [randomsAnEvent]uint64
	c.random.fill(&dice)
	var d draw
	c.decide(&d, i, dice[0], dice[1], dice[2])

	c.putHead(p, d.at)
	c.putID(p[idAt:], d.at, i)
	n := headLen + d.opening.put(p[headLen:])
	n += t.numbers.putMillis(p[n:], d.latency)
	n += d.tail.put(p[n:])
	if d.message != nil {
		n += t.numbers.putPhrase(p[n:], d.message, d.number)
	}
	n += t.putIDs((*[pieceRoom]byte)(p[n:]), &dice)
	if d.sizes != nil {
		n += t.numbers.putPhrase(p[n:], d.sizes, d.size)
	}
	p[n], p[n+1] = '}', '\n'
	return n + 2
}

// putIDs writes the ids behind the message. All in one: what turns digits to text stays in registers.
func (t *tables) putIDs(p *[pieceRoom]byte, dice *[randomsAnEvent]uint64) int {
	*p = t.ids.text
	binary.LittleEndian.PutUint64(p[requestAt:], hex8(uint32(dice[3]>>32)))
	binary.LittleEndian.PutUint64(p[requestAt+8:], hex8(uint32(dice[3])))
	binary.LittleEndian.PutUint64(p[traceAt:], hex8(uint32(dice[4]>>32)))
	binary.LittleEndian.PutUint64(p[traceAt+8:], hex8(uint32(dice[4])))
	binary.LittleEndian.PutUint64(p[traceAt+16:], hex8(uint32(dice[5]>>32)))
	binary.LittleEndian.PutUint64(p[traceAt+24:], hex8(uint32(dice[5])))
	binary.LittleEndian.PutUint64(p[spanAt:], hex8(uint32(dice[6]>>32)))
	binary.LittleEndian.PutUint64(p[spanAt+8:], hex8(uint32(dice[6])))
	return t.ids.n
}

// decide makes an event of three random numbers.
func (c *chunk) decide(d *draw, i int64, a, b, choice uint64) {
	t := c.t
	d.at = c.g.calendar.at(i, c.slot, int64(b&(1<<24-1)))
	routeAt := int(t.route[a&(1<<pickBits-1)])
	route := &t.routes[routeAt]
	d.service = &t.services[route.service]
	regionAt := int(t.region[a>>12&(1<<pickBits-1)])
	host := int(a >> 24 & (hostsARegion - 1))
	percent, slowdown := c.trouble(d.at, route.service, regionAt)
	statusAt := int(route.statuses[a>>26&(1<<pickBits-1)])
	failing := percent > 0 && int(a>>38&0x3fff)*100 < percent<<14
	if failing {
		statusAt = int(t.failing[a>>26&(1<<pickBits-1)])
	}
	status := &t.statuses[statusAt]
	d.opening = &t.openings[routeAt*len(t.statuses)+statusAt]
	d.tail = &d.service.tails[(regionAt*hostsARegion+host)*levels+status.level]

	point, between := b>>24&(1<<quantileBits-1), int64(b>>36&0xfff)
	q := &t.quantiles[route.spread]
	multiple := int64(q[point]) + (int64(q[point+1])-int64(q[point]))*between>>12
	d.latency = route.median * multiple / unit * t.factors[regionAt] * status.percent / 10_000 * slowdown
	d.latency = max(d.latency+status.floor, 50)
	if d.number = 1 + (b>>48)*(a>>52)>>16; status.code == 504 {
		d.number = uint64(d.latency / 1000) // the message of a timeout says how long it took
	}
	if texts := d.service.byStatus[statusAt]; len(texts) > 0 {
		d.message = &texts[choice&0xff%uint64(len(texts))]
	} else if choice&3 == 0 {
		d.message = &d.service.notes[choice>>2&0x3f%uint64(len(d.service.notes))]
	}
	if choice>>8&7 < 5 || failing {
		d.sizes = &d.service.attributes[choice>>16&0xff%attributeSets]
		d.size = 200 + (choice>>40)*(choice>>24&0xff)>>14
	}
}

// trouble is what an incident or a burst does to a service in a region at an instant, which must not lie before those asked for earlier.
func (c *chunk) trouble(at lake.Micros, service, region int) (failPercent int, slowdown int64) {
	slowdown = 1
	for len(c.bursts) > 0 && at >= c.bursts[0].to {
		c.bursts = c.bursts[1:]
	}
	if len(c.bursts) > 0 && at >= c.bursts[0].from && c.bursts[0].service == service {
		failPercent = c.bursts[0].failPercent
	}
	for len(c.incidents) > 0 && at >= c.incidents[0].To {
		c.incidents = c.incidents[1:]
	}
	if len(c.incidents) > 0 {
		if in := &c.incidents[0]; at >= in.From && in.service == service && in.region == region {
			failPercent, slowdown = in.FailPercent, int64(in.Slowdown)
		}
	}
	return failPercent, slowdown
}

// putHead writes the line up to its service's name, without the id. The minute stands in the head already, but for the first event in it.
func (c *chunk) putHead(p []byte, at lake.Micros) {
	in := uint64(at - c.minute)
	if in >= microsPerMinute || c.minute < 0 {
		day := lake.DateOf(at)
		minute := uint32((at - day.Start()) / microsPerMinute)
		c.minute = day.Start() + lake.Micros(minute)*microsPerMinute
		text := c.head[timeAt:]
		copy(text, day.String())
		put2(text[11:], minute/60)
		put2(text[14:], minute%60)
		in = uint64(at - c.minute)
	}
	*(*[headRoom]byte)(p) = c.head
	text := p[timeAt+len("2006-01-02T15:04:"):]
	sec, micros := in/1_000_000, in%1_000_000
	padded := &c.t.numbers.padded
	binary.LittleEndian.PutUint16(text, uint16(padded[sec]>>8))
	binary.LittleEndian.PutUint32(text[3:], padded[micros/1000])
	binary.LittleEndian.PutUint32(text[6:], padded[micros%1000]|'Z'<<24)
}

// putID writes the event's id. It has the form of a UUIDv7: 48 bits of the event's milliseconds, then 74 bits of which 64 are
// a mix of seed and number. The mix is one-to-one for a seed, so ids are unique in a run, and as good as random between seeds.
func (c *chunk) putID(p []byte, at lake.Micros, i int64) {
	v := mix(uint64(i) + c.seedStep)
	high := uint64(at/1000)<<16 | 0x7000 | c.seedBits | v>>62
	low := 1<<63 | v&(1<<62-1)
	_ = p[35]
	binary.LittleEndian.PutUint64(p, hex8(uint32(high>>32)))
	mid := hex8(uint32(high))
	binary.LittleEndian.PutUint32(p[9:], uint32(mid))
	binary.LittleEndian.PutUint32(p[14:], uint32(mid>>32))
	end := hex8(uint32(low >> 32))
	binary.LittleEndian.PutUint32(p[19:], uint32(end))
	binary.LittleEndian.PutUint32(p[24:], uint32(end>>32))
	binary.LittleEndian.PutUint64(p[28:], hex8(uint32(low)))
}
