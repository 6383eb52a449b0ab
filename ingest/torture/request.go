package torture

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/signallake/signallake/lake"
)

const (
	// maxBatch keeps a request far below the server's limit of 16 MiB.
	maxBatch = 20_000
	// badEvery is how many good events come to one bad line, for clients that send bad lines: many enough to meet every kill, few enough that
	// the dead zone, which is bounded, keeps all of them.
	badEvery = 200
	// allBadEvery is how many requests come to one that has bad lines only.
	allBadEvery = 40
	// lateEvery is how many blocks come to one of last week, for clients that send late.
	lateEvery = 4
	day       = 24 * time.Hour
)

// style is how a client sends. What senders do in the field is some mixture of these.
type style struct {
	single   bool // one event a request
	ids      bool // its events have an event_id
	keyed    bool // its requests have an Idempotency-Key
	gzip     bool // its bodies are compressed
	bad      bool // some of its lines break the contract
	late     bool // some of its events are of last week
	abandons bool // it gives up a request that the server's death left unanswered, now and then
}

// styleOf gives each client its own: the first eight are all different, and every way to send and to prove is among the first four.
func styleOf(client int) style {
	return [...]style{
		{ids: true},
		{keyed: true, bad: true},
		{ids: true, gzip: true, late: true, abandons: true},
		{ids: true, single: true},
		{ids: true, keyed: true, gzip: true, bad: true},
		{keyed: true, single: true},
		{ids: true, late: true},
		{keyed: true, gzip: true},
	}[client%8]
}

// request is one POST, sent until it is answered.
type request struct {
	from, to       int64 // its events
	badFrom, badTo int64 // its lines that break the contract
	body           []byte
	key            string
	tries          int
}

func (q *request) good() int { return int(q.to - q.from) }
func (q *request) bad() int  { return int(q.badTo - q.badFrom) }

// maker makes a client's requests, one at a time into the same memory.
type maker struct {
	style
	book     *book
	batch    int
	random   *rand.Rand
	now      func() time.Time
	count    int64 // requests made
	plain    []byte
	packed   bytes.Buffer
	compress *gzip.Writer
}

// next makes the next request. The one before must not be used any more.
func (m *maker) next() *request {
	n := 1
	if !m.single {
		n = 1 + m.random.IntN(2*m.batch)
	}
	q := &request{}
	m.count++
	if m.keyed {
		q.key = fmt.Sprintf("%s-%d", m.book.name, m.count)
	}
	bad := 0
	if m.bad {
		bad = m.random.IntN(1 + 2*n/badEvery)
		if m.count%allBadEvery == 0 {
			n, bad = 0, 1+m.random.IntN(3)
		}
	}
	q.from = m.book.open(n, m.timestamp)
	q.to = q.from + int64(n)
	m.plain = m.plain[:0]
	for i := range bad {
		b := m.book.openBad()
		if i == 0 {
			q.badFrom = b
		}
		q.badTo = b + 1
		m.plain = fmt.Appendf(m.plain, `{"service_name":%q,"status_code":200,"bad":%q}`+"\n", m.book.name, m.book.badMark(b))
	}
	for e := q.from; e < q.to; e++ {
		m.event(e)
	}
	q.body = m.plain
	if m.gzip {
		q.body = m.pack()
	}
	return q
}

// badMark is what names a line that breaks the contract: it has no timestamp, and this instead.
func (k *book) badMark(n int64) string { return fmt.Sprintf("%s-bad-%d", k.name, n) }

// timestamp is of a block that begins now.
func (m *maker) timestamp() lake.Micros {
	at := m.now()
	if m.late && m.random.IntN(lateEvery) == 0 {
		at = at.Add(-day - time.Duration(m.random.Int64N(int64((lateDays-1)*day))))
	}
	return lake.MicrosOf(at)
}

// event appends event n as a line.
func (m *maker) event(n int64) {
	p := m.plain
	if m.ids {
		p = append(append(append(p, `{"event_id":"`...), m.book.name...), '-')
		p = append(strconv.AppendInt(p, n, 10), `",`...)
	} else {
		p = append(p, '{')
	}
	p = strconv.AppendInt(append(p, `"timestamp":`...), int64(m.book.timestamp(n)), 10)
	p = append(append(p, `,"service_name":"`...), m.book.name...)
	p = strconv.AppendInt(append(p, `","endpoint":"/torture","status_code":`...), statusOf(n), 10)
	p = strconv.AppendInt(append(p, `,"latency_ms":`...), latencyOf(n), 10)
	p = append(append(append(p, `,"request_id":"`...), m.book.name...), '-')
	m.plain = append(strconv.AppendInt(p, n, 10), "\"}\n"...)
}

// pack compresses the body at hand.
func (m *maker) pack() []byte {
	m.packed.Reset()
	if m.compress == nil {
		m.compress, _ = gzip.NewWriterLevel(&m.packed, gzip.BestSpeed) // the level is a valid one
	} else {
		m.compress.Reset(&m.packed)
	}
	// Writing to memory does not fail.
	_, _ = m.compress.Write(m.plain)
	_ = m.compress.Close()
	return m.packed.Bytes()
}
