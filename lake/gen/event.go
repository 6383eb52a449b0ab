package gen

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strconv"

	"github.com/signallake/signallake/lake"
)

// chunk is what the events of one chunk share while they are made.
type chunk struct {
	g         *Generator
	random    *rand.PCG
	slot      int
	day       lake.Date // whose text stands in head
	dayStart  lake.Micros
	head      [160]byte
	tail      [128]byte
	incidents []Incident // those that end after the newest event
	bursts    []burst
}

// appendChunk appends the lines of one chunk. They depend on the configuration and the chunk's number only.
func (g *Generator) appendChunk(dst []byte, number int64) []byte {
	first := number * eventsAChunk
	last := min(first+eventsAChunk, g.cfg.Count)
	if first >= last {
		return dst
	}
	c := chunk{g: g, random: rand.NewPCG(g.cfg.Seed, uint64(number)*chunkStride+1), slot: g.calendar.slotOf(first), day: -1 << 30,
		incidents: g.incidents, bursts: g.bursts}
	copy(c.head[:], g.tables.head)
	copy(c.tail[:], g.tables.tail)
	for i := first; i < last; i++ {
		for i >= g.calendar.before[c.slot+1] {
			c.slot++
		}
		dst = c.appendEvent(dst, i)
	}
	return dst
}

// draw is what chance decided about one event.
type draw struct {
	at       lake.Micros
	route    *route
	status   *status
	statusAt int
	tail     string // region, host and level
	latency  int64  // µs
	failing  bool
	choice   uint64 // random bits for texts
	number   uint64 // for a message
	size     uint64 // for the attributes
}

func (c *chunk) appendEvent(dst []byte, i int64) []byte {
	t := c.g.tables
	d := c.draw(i)
	c.setTime(d.at)
	c.setID(d.at, i)
	c.setIDs()
	dst = append(dst, c.head[:len(t.head)]...)
	dst = append(dst, d.route.head...)
	dst = append(dst, d.status.text...)
	dst = appendMillis(dst, d.latency)
	dst = append(dst, d.tail...)
	s := &t.services[d.route.service]
	if texts := s.byStatus[d.statusAt]; len(texts) > 0 {
		dst = appendPhrase(dst, &texts[d.choice&0xff%uint64(len(texts))], d.number)
	} else if d.choice&3 == 0 {
		dst = appendPhrase(dst, &s.notes[d.choice>>2&0x3f%uint64(len(s.notes))], d.number)
	}
	dst = append(dst, c.tail[:len(t.tail)]...)
	if d.choice>>8&7 < 5 || d.failing {
		dst = appendPhrase(dst, &s.attributes[d.choice>>16&0xff%attributeSets], d.size)
	}
	return append(dst, '}', '\n')
}

// draw decides about event i.
func (c *chunk) draw(i int64) draw {
	t := c.g.tables
	a, b := c.random.Uint64(), c.random.Uint64()
	d := draw{choice: c.random.Uint64()}
	d.at = c.g.calendar.at(i, c.slot, int64(b&(1<<24-1)))
	d.route = &t.routes[t.route[a&(1<<pickBits-1)]]
	regionAt := int(t.region[a>>12&(1<<pickBits-1)])
	host := int(a >> 24 & (hostsARegion - 1))
	factor := int64(t.regions[regionAt].factor)
	percent, slowdown := c.trouble(d.at, d.route.service, regionAt)
	d.statusAt = int(d.route.statuses[a>>26&(1<<pickBits-1)])
	if percent > 0 && int(a>>38&0x3fff)*100 < percent<<14 {
		d.statusAt = int(t.failing[a>>26&(1<<pickBits-1)])
		d.failing = true
	}
	d.status = &t.statuses[d.statusAt]
	d.tail = t.services[d.route.service].tails[regionAt*hostsARegion+host][d.status.level]

	point, between := b>>24&(1<<quantileBits-1), int64(b>>36&0xfff)
	q := &t.quantiles[d.route.spread]
	multiple := int64(q[point]) + (int64(q[point+1])-int64(q[point]))*between>>12
	d.latency = d.route.median * multiple / unit * factor * d.status.percent / 10_000 * slowdown
	d.latency = max(d.latency+d.status.floor, 50)
	if d.number = 1 + (b>>48)*(a>>52)>>16; d.status.code == 504 {
		d.number = uint64(d.latency / 1000) // the message of a timeout says how long it took
	}
	d.size = 200 + (d.choice>>40)*(d.choice>>24&0xff)>>14
	return d
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

// setTime writes the instant into the head.
func (c *chunk) setTime(at lake.Micros) {
	if day := lake.DateOf(at); day != c.day {
		c.day, c.dayStart = day, day.Start()
		copy(c.head[timeAt:], day.String())
	}
	us := uint32((at - c.dayStart) % microsPerMinute)
	minute := uint32((at - c.dayStart) / microsPerMinute)
	p := c.head[timeAt+len("2006-01-02T"):]
	put2(p, minute/60)
	put2(p[3:], minute%60)
	put2(p[6:], us/1_000_000)
	us %= 1_000_000
	put2(p[9:], us/10_000)
	put2(p[11:], us/100%100)
	put2(p[13:], us%100)
}

func put2(p []byte, n uint32) {
	_ = p[1]
	p[0], p[1] = byte('0'+n/10), byte('0'+n%10)
}

// setID writes the event's id into the head. It has the form of a UUIDv7: 48 bits of the event's milliseconds, then 74 bits of which 64 are
// a mix of seed and number. The mix is one-to-one for a seed, so ids are unique in a run, and as good as random between seeds.
func (c *chunk) setID(at lake.Micros, i int64) {
	seed := c.g.cfg.Seed
	v := mix(uint64(i) + seed*chunkStride)
	high := uint64(at/1000)<<16 | 0x7000 | mix(seed)&0x3ff<<2 | v>>62
	low := 1<<63 | v&(1<<62-1)
	p := c.head[idAt:]
	binary.LittleEndian.PutUint64(p, hex8(uint32(high>>32)))
	mid := hex8(uint32(high))
	binary.LittleEndian.PutUint32(p[9:], uint32(mid))
	binary.LittleEndian.PutUint32(p[14:], uint32(mid>>32))
	end := hex8(uint32(low >> 32))
	binary.LittleEndian.PutUint32(p[19:], uint32(end))
	binary.LittleEndian.PutUint32(p[24:], uint32(end>>32))
	binary.LittleEndian.PutUint64(p[28:], hex8(uint32(low)))
}

// setIDs writes request, trace and span ids into the tail.
func (c *chunk) setIDs() {
	put16 := func(at int, x uint64) {
		binary.LittleEndian.PutUint64(c.tail[at:], hex8(uint32(x>>32)))
		binary.LittleEndian.PutUint64(c.tail[at+8:], hex8(uint32(x)))
	}
	put16(requestAt, c.random.Uint64())
	put16(traceAt, c.random.Uint64())
	put16(traceAt+16, c.random.Uint64())
	put16(spanAt, c.random.Uint64())
}

// mix is the finalizer of splitmix64 (G. Steele, D. Lea, C. Flood, 2014): one-to-one on 64 bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hex8 is x in eight lower-case hex digits, the first in the lowest byte: each nibble gets a byte of its own, all turned to text at once.
func hex8(x uint32) uint64 {
	v := uint64(x)
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f0f0f0f0f
	letters := (v + 0x0606060606060606) >> 4 & 0x0101010101010101
	return bits.ReverseBytes64(v + 0x3030303030303030 + letters*('a'-'0'-10))
}

// appendMillis appends microseconds as milliseconds in the shortest decimal, as the canonical line has it.
func appendMillis(dst []byte, us int64) []byte {
	dst = strconv.AppendInt(dst, us/1000, 10)
	frac := uint32(us % 1000)
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendPhrase(dst []byte, p *phrase, n uint64) []byte {
	dst = append(dst, p.before...)
	dst = strconv.AppendUint(dst, n, 10)
	return append(dst, p.after...)
}
