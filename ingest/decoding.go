package ingest

import (
	"context"
	"math"
	"unsafe"

	"github.com/signallake/signallake/lake"
)

// What an event's canonical line may grow to: three times its input (a \b becomes \u0008, a byte that is no UTF-8 becomes three) and what the lake
// adds (an id, two instants, names of members that were absent). TestLinesStayBelowTheirBound holds it.
const (
	lineFactor = 3
	lineExtra  = 512

	maxEvent = 1 << 20 // bytes of an event that the contract may take: a longer one is refused and needs no room
)

// letterBytes is what a refused line that waits takes beside its text, which is a part of the body: the letter and its reason.
const (
	letterBytes = int64(unsafe.Sizeof(lake.DeadLetter{})) + 400
	letterStep  = 64 // letters that are asked for at once
)

// slots bounds how many large bodies are decoded at a time: as many as there are processors. More would be no faster, and each would hold what it has made
// so far. Small ones do not ask: they are done before a large one would let them in.
type slots chan struct{}

func newSlots() slots { return make(slots, max(2, lake.Processors())) }

// take waits for a slot and answers how to leave it.
func (s slots) take(ctx context.Context, n int) (leave func(), err error) {
	if n <= smallRequest {
		return func() {}, nil
	}
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ration is how a decoder stays within its request's lease.
type ration struct {
	lease *lease
	base  int64 // bytes that the request holds beside what the decoder makes
}

// allot gives the decoder the lease and room for what a body of that size usually becomes.
func (d *decoder) allot(l *lease, base int64, body int) {
	d.ration = ration{lease: l, base: base}
	if want := usualLines(body); cap(d.lines) < want {
		d.moveLines(want)
	}
}

// usualLines is what the lines of a body of that size usually take: events of 270 bytes become 400.
func usualLines(body int) int { return body + body/2 + 2*lineExtra }

// holds is what the decoder has made so far, as capacity.
func (d *decoder) holds() int64 {
	return int64(cap(d.lines)) + int64(cap(d.given)) + int64(cap(d.letters))*letterBytes + int64(d.shared+cap(d.sharing.text))
}

// roomForLine makes sure that the line of an event of n bytes finds its place. False: the lease has none, and the body fails with that.
func (d *decoder) roomForLine(n int) bool {
	if len(d.given) == cap(d.given) && !d.moveGiven() {
		return false
	}
	need := lineFactor*n + lineExtra
	if cap(d.lines)-len(d.lines) >= need {
		return true
	}
	return d.moveLines(len(d.lines) + max(need, len(d.lines)/2))
}

// moveLines gives the lines a larger buffer. Both are there for a moment.
func (d *decoder) moveLines(size int) bool {
	if err := d.lease.hold(d.base + d.holds() + int64(size)); err != nil {
		d.fail(err)
		return false
	}
	d.lines = append(d.lease.buffer(size, d.base+d.holds()), d.lines...)
	_ = d.lease.hold(d.base + d.holds()) // less than it has
	return true
}

// moveGiven does the same for the marks beside the lines.
func (d *decoder) moveGiven() bool {
	size := max(512, 2*cap(d.given))
	if err := d.lease.hold(d.base + d.holds() + int64(size)); err != nil {
		d.fail(err)
		return false
	}
	d.given = append(make([]bool, 0, size), d.given...)
	return true
}

// roomForLetter does the same for a refused line.
func (d *decoder) roomForLetter() bool {
	if len(d.letters) < cap(d.letters) {
		return true
	}
	more := max(letterStep, len(d.letters))
	if err := d.lease.hold(d.base + d.holds() + int64(len(d.letters)+more)*letterBytes); err != nil {
		d.fail(err)
		return false
	}
	d.letters = append(make([]lake.DeadLetter, 0, len(d.letters)+more), d.letters...)
	return true
}

// roomForShared does the same for n bytes more in the letter that gathers.
func (d *decoder) roomForShared(n int) bool {
	text := d.sharing.text
	if len(text)+n <= cap(text) {
		return true
	}
	size := max(4<<10, 2*cap(text), len(text)+n)
	if err := d.lease.hold(d.base + d.holds() + int64(size)); err != nil {
		d.fail(err)
		return false
	}
	d.sharing.text = append(make([]byte, 0, size), text...)
	return true
}

// fail ends the decoding with an error that is not the body's.
func (d *decoder) fail(err error) {
	if d.failed == nil {
		d.failed = err
	}
}

// buryStep bounds what is buried at once, in bytes that the lake needs for it: some 8,000 letters of usual size, so that mostly one sync does.
const buryStep = 6 << 20

// buryRun is how many of the letters are buried next, and what that takes.
func buryRun(letters []lake.DeadLetter) (n int, bytes int64) {
	for n < len(letters) {
		more := 3 * int64(letterSize(&letters[n])) // gathered once and put in a group once, in buffers that grew
		if n > 0 && bytes+more > buryStep {
			break
		}
		bytes += more
		n++
	}
	return n, bytes
}

// neededFor is what a request is given before its body is read: the body, what its lines usually become, and a little for the rest. Of a body without a
// length, or a compressed one, more is asked for as it comes.
func neededFor(announced int64) int64 {
	if announced < 0 {
		return smallRequest
	}
	announced = min(announced, math.MaxInt32)
	return announced + int64(usualLines(int(announced))) + announced/32 + 8<<10
}
