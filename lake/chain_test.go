package lake

import (
	"testing"
	"time"
)

// chainRig tells a chain counts, a second after the other.
type chainRig struct {
	t      *testing.T
	chain  *Chain
	look   ChainLook
	stages map[string]Stage
}

func newChainRig(t *testing.T, look ChainLook) *chainRig {
	look.At, look.Engine, look.Minutes = time.Now(), true, true
	r := &chainRig{t: t, chain: NewChain(), look: look}
	r.tell()
	return r
}

func (r *chainRig) tell() {
	r.stages = map[string]Stage{}
	for _, s := range r.chain.Look(r.look) {
		r.stages[s.Name] = s
	}
}

// second lets in events come, and of those that wait some be read, summarised and converted.
func (r *chainRig) second(in, read, summarised, converted int64) {
	r.look.At = r.look.At.Add(time.Second)
	r.look.Status.RawEvents += in
	r.look.Status.HotEvents += in - converted
	r.look.Unread += in - read
	r.look.Unsummarised += in - summarised
	r.tell()
}

func (r *chainRig) wants(name string, events int64, in, out float64, wait, drain time.Duration) {
	r.t.Helper()
	s := r.stages[name]
	if s.Events != events || s.InPerSec != in || s.PerSec != out || s.Wait != wait || s.Drain != drain {
		r.t.Errorf("%s: %d events, in %v/s, out %v/s, wait %v, drain %v; want %d, %v, %v, %v, %v", name, s.Events, s.InPerSec, s.PerSec, s.Wait, s.Drain, events, in, out, wait, drain)
	}
}

// TestChain: 1,000 events a second come in; SQL keeps up, the panels are half as fast, a conversion takes everything in the tenth second.
func TestChain(t *testing.T) {
	r := newChainRig(t, ChainLook{Status: Status{RawEvents: 5000}})
	r.wants(StageAccepted, 0, 0, 0, 0, 0)
	r.wants(StageRaw, 5000, 0, 0, 0, 0)
	for range 10 {
		r.second(1000, 1000, 500, 0)
	}
	r.wants(StageAccepted, 10_000, 1000, 1000, 0, 0)
	r.wants(StageRaw, 15_000, 1000, 1000, 0, 0)
	r.wants(StageUnread, 0, 1000, 1000, 0, 0)
	r.wants(StageUnsummarised, 5000, 1000, 500, 4*time.Second, -1)
	if s := r.stages[StageUnsummarised]; !s.Grows() || s.Growing() != 500 {
		t.Errorf("the panels do not keep up: %+v", s)
	}
	if s := r.stages[StageUnread]; s.Grows() {
		t.Errorf("SQL keeps up: %+v", s)
	}
	r.second(1000, 1000, 2500, 11_000)
	r.wants(StageUnconverted, 0, 1000, 1000, 0, 0)
	for range 3 {
		r.second(0, 0, 1000, 0)
	}
	s := r.stages[StageUnsummarised]
	if s.Events != 500 || s.Drain != -1 || s.Grows() { // over the window as much came in as went: it is not told when it will be empty
		t.Errorf("%+v", s)
	}
	for range 30 {
		r.second(0, 0, 0, 0)
	}
	if s := r.stages[StageUnsummarised]; s.Drain != -1 || s.Wait < 30*time.Second || s.Grows() {
		t.Errorf("stuck: %+v", s)
	}
}

// TestChainDrains: a backlog that was there at the start gets less.
func TestChainDrains(t *testing.T) {
	r := newChainRig(t, ChainLook{Status: Status{RawEvents: 10_000, HotEvents: 10_000}, Unread: 10_000, Unsummarised: 10_000, HotAge: time.Hour})
	r.second(0, 2000, 1000, 0)
	r.wants(StageUnread, 8000, 0, 2000, time.Hour, 4*time.Second)
	r.wants(StageUnsummarised, 9000, 0, 1000, time.Hour, 9*time.Second)
	r.wants(StageUnconverted, 10_000, 0, 0, time.Hour, -1)
	if s := r.stages[StageUnconverted]; s.Grows() {
		t.Errorf("nothing comes in: %+v", s)
	}
}

// TestChainBurst: the first moments of a burst after a quiet time are no growth, however little the window's rates say; a second's delay that lasts is.
func TestChainBurst(t *testing.T) {
	r := newChainRig(t, ChainLook{})
	for range 60 {
		r.second(0, 0, 0, 0)
	}
	r.second(100_000, 90_000, 50_000, 0)
	for _, name := range []string{StageUnread, StageUnsummarised} {
		if s := r.stages[name]; s.Growing() <= 0 || float64(s.Events) <= s.InPerSec || s.Grows() {
			t.Errorf("the first second: %+v", s)
		}
	}
	for range 4 {
		r.second(100_000, 100_000, 20_000, 0)
	}
	if s := r.stages[StageUnread]; s.Grows() {
		t.Errorf("SQL keeps up: %+v", s)
	}
	if s := r.stages[StageUnsummarised]; !s.Grows() {
		t.Errorf("the panels do not keep up: %+v", s)
	}
}

// TestChainLimit: people hear of the limit before senders do, and a tail that has not reached the size of a conversion does not grow.
func TestChainLimit(t *testing.T) {
	r := newChainRig(t, ChainLook{Status: Status{RawEvents: 0, ConvertAt: 1000, HotLimit: 100_000}})
	f := func(bytes int64, grows, near bool, until time.Duration) {
		t.Helper()
		r.look.Status.HotBytes = bytes
		r.tell()
		s := r.stages[StageUnconverted]
		if s.Grows() != grows || s.NearLimit() != near || s.UntilLimit() != until {
			t.Errorf("%d bytes: grows %v, near %v, until %v; want %v, %v, %v", bytes, s.Grows(), s.NearLimit(), s.UntilLimit(), grows, near, until)
		}
	}
	f(0, false, false, -1)
	r.second(100, 100, 100, 0)
	r.second(100, 100, 100, 0)
	f(999, false, false, 198200200200*time.Nanosecond)
	f(50_000, true, false, 2*time.Second)
	f(75_000, true, true, 666666666*time.Nanosecond)
	f(100_000, true, true, 0)
}

// TestChainWithoutPanels: where only conversions make minute cells, what gathers for them is no growth.
func TestChainWithoutPanels(t *testing.T) {
	r := newChainRig(t, ChainLook{Status: Status{ConvertAt: 1000}})
	r.look.Minutes = false
	f := func(bytes int64, grows bool) {
		t.Helper()
		r.look.Status.HotBytes = bytes
		r.second(100, 100, 0, 0)
		if s := r.stages[StageUnsummarised]; s.Grows() != grows || s.Bytes != bytes || s.Events != r.look.Status.HotEvents {
			t.Errorf("%d bytes: %+v", bytes, s)
		}
	}
	f(10, false)
	f(999, false)
	f(1000, true)
}

func TestRawBetween(t *testing.T) {
	l := openOwner(t, t.TempDir())
	defer closeLake(t, l)
	var ends []Seq
	for _, n := range []int{10, 20, 30} {
		mustAppend(t, l, n)
		if err := l.Seal(); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, l.Committed())
	}
	mustAppend(t, l, 40) // in the open segment
	total := l.Status().RawBytes
	f := func(from, to Seq, events int64) int64 {
		t.Helper()
		n, bytes := l.RawBetween(from, to)
		if n != events || bytes < 0 || (bytes == 0) != (events == 0) {
			t.Errorf("[%d, %d): %d events, %d bytes; want %d events", from, to, n, bytes, events)
		}
		return bytes
	}
	if got := f(0, l.Committed(), 100); got != total {
		t.Errorf("all of it has %d bytes, want %d", got, total)
	}
	parts := f(1, ends[0], 10) + f(ends[0], ends[1], 20) + f(ends[1], ends[2], 30) + f(ends[2], l.Committed(), 40)
	if parts != total {
		t.Errorf("the parts have %d bytes, want %d", parts, total)
	}
	f(ends[0]-5, ends[1]+5, 30)
	f(l.Committed(), l.Committed()+1000, 0)
	f(20, 10, 0)
}
