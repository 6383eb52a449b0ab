package gen

import (
	"math/bits"
	"sort"
	"time"

	"github.com/signallake/signallake/lake"
)

const (
	microsPerMinute = 60 * 1_000_000
	microsPerDay    = 24 * 60 * microsPerMinute
	maxSlots        = 1 << 16 // 45 days by the minute; longer windows get longer slots
)

// calendar spreads the events over the window so that their density follows the rhythm of a day. It is integer arithmetic throughout: the
// same on every machine.
type calendar struct {
	start, end lake.Micros
	slot       int64   // length of a slot, µs; the last one may be cut
	before     []int64 // before[k] events lie before slot k; one entry more than slots
}

// hourly is the traffic at each full hour UTC; between them it changes evenly. Weekends have less.
func hourly() [25]int64 {
	return [25]int64{30, 25, 22, 20, 20, 24, 34, 50, 68, 82, 92, 98, 100, 99, 98, 97, 95, 90, 84, 76, 66, 56, 46, 37, 30}
}

// density is the traffic at an instant, in thousandths of a weekday's peak of 100.
func density(hours *[25]int64, at lake.Micros) int64 {
	day := lake.DateOf(at)
	minute := int64(at-day.Start()) / microsPerMinute
	h, m := minute/60, minute%60
	d := (hours[h]*(60-m) + hours[h+1]*m) * 1000 / 60
	if wd := day.Start().Time().Weekday(); wd == time.Saturday || wd == time.Sunday {
		d = d * 7 / 10
	}
	return d
}

func newCalendar(start, end lake.Micros, count int64) calendar {
	length := int64(end - start)
	slot := max(microsPerMinute, (length/maxSlots/microsPerMinute+1)*microsPerMinute)
	if length/microsPerMinute <= maxSlots {
		slot = microsPerMinute
	}
	slots := int((length + slot - 1) / slot)
	hours := hourly()
	weight := make([]uint64, slots+1) // cumulated
	for k := range slots {
		from := int64(k) * slot
		to := min(from+slot, length)
		weight[k+1] = weight[k] + uint64(density(&hours, start+lake.Micros((from+to)/2))*((to-from)/1000))
	}
	c := calendar{start: start, end: end, slot: slot, before: make([]int64, slots+1)}
	for k := range c.before {
		hi, lo := bits.Mul64(uint64(count), weight[k])
		n, _ := bits.Div64(hi, lo, weight[slots])
		c.before[k] = int64(n)
	}
	return c
}

// slotOf is the slot of event i.
func (c *calendar) slotOf(i int64) int {
	return sort.Search(len(c.before), func(k int) bool { return c.before[k] > i }) - 1
}

// at is the instant of event i, which lies in slot k: the slot is cut into as many pieces as it has events, and each event falls somewhere
// into its own piece, at dice/2^24 of it.
func (c *calendar) at(i int64, k int, dice int64) lake.Micros {
	from := int64(k) * c.slot
	length := min(c.slot, int64(c.end-c.start)-from)
	n := c.before[k+1] - c.before[k]
	return c.start + lake.Micros(from+((i-c.before[k])*length+length*dice>>24)/n)
}
