package torture

import (
	"fmt"
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/signallake/signallake/lake"
)

// blockEvents is how many events of one client, by their numbers, make a block: as many as there are bits in a positive BIGINT, rounded down to
// a number that people can count with. A block is what SQL answers in one row: which of its events are there is one integer.
const blockEvents = 60

// lateDays is how far back the events of a late block lie at most.
const lateDays = 7

// block is what is known of blockEvents events of one client.
type block struct {
	acked   uint64      // which of them were acknowledged
	retried uint64      // which of them were sent more than once
	at      lake.Micros // the first one's timestamp; the others follow by a millisecond each
}

// book is one client's: what it sent and what was acknowledged. Events have numbers from 0 on, so that 100M of them take some 30 MB.
type book struct {
	name string // of the client: its events' service

	mu     sync.Mutex
	blocks []block
	sent   int64 // events 0 to sent-1 were sent at least once
	acked  int64

	last string // the newest answer, or why there was none

	bad []badLine // the lines that break the contract, by their number
}

// badLine is what became of a line that breaks the contract.
type badLine struct {
	acked   bool // it was answered as rejected
	retried bool // it was sent more than once
}

// books are all clients'.
type books struct {
	of    []*book
	total atomic.Int64 // acknowledged events
}

func newBooks(clients int) *books {
	b := &books{}
	for i := range clients {
		b.of = append(b.of, &book{name: fmt.Sprintf("t%02d", i)})
	}
	return b
}

func (b *books) acked() int64 { return b.total.Load() }

// find is the book of a client's name; nil: no client of ours.
func (b *books) find(name string) *book {
	for _, k := range b.of {
		if k.name == name {
			return k
		}
	}
	return nil
}

// open gives the next n events' first number. at gives a new block's timestamp.
func (k *book) open(n int, at func() lake.Micros) (from int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	from = k.sent
	k.sent += int64(n)
	for int64(len(k.blocks))*blockEvents < k.sent {
		k.blocks = append(k.blocks, block{at: at()})
	}
	return from
}

// openBad gives the number of the next line that breaks the contract.
func (k *book) openBad() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bad = append(k.bad, badLine{})
	return int64(len(k.bad)) - 1
}

// each calls fn with every block that holds some of the events from..to-1, and their bits in it.
func (k *book) each(from, to int64, fn func(b *block, present uint64)) {
	for from < to {
		i, bit := from/blockEvents, from%blockEvents
		n := min(to-from, blockEvents-bit)
		fn(&k.blocks[i], (1<<n-1)<<bit)
		from += n
	}
}

// ack notes that a request was acknowledged: its events, and the lines of it that were rejected.
func (b *books) ack(k *book, q *request) {
	k.mu.Lock()
	k.each(q.from, q.to, func(b *block, present uint64) { b.acked |= present })
	k.acked += q.to - q.from
	for i := range k.bad[q.badFrom:q.badTo] {
		k.bad[q.badFrom+int64(i)].acked = true
	}
	k.mu.Unlock()
	b.total.Add(q.to - q.from)
}

// retry notes that a request is sent once more.
func (k *book) retry(q *request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.each(q.from, q.to, func(b *block, present uint64) { b.retried |= present })
	for i := range k.bad[q.badFrom:q.badTo] {
		k.bad[q.badFrom+int64(i)].retried = true
	}
}

// note keeps the newest answer.
func (k *book) note(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = text
}

// answer is the newest answer.
func (k *book) answer() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}

// stand is how far a client is.
func (k *book) stand() (sent, acked int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sent, k.acked
}

// stands are how many events of each client are acknowledged.
func (b *books) stands() []int64 {
	all := make([]int64, len(b.of))
	for i, k := range b.of {
		_, all[i] = k.stand()
	}
	return all
}

// timestamp is of event n.
func (k *book) timestamp(n int64) lake.Micros {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.blocks[n/blockEvents].at + lake.Micros(n%blockEvents)*1000
}

// What an event says follows from its number, so that its content is proved with its presence.
func statusOf(n int64) int64 {
	if n%7 == 3 {
		return 500
	}
	return 200
}

func latencyOf(n int64) int64 { return n * 7919 % 2003 }

// sums are what a block's rows must add up to, when just the events of present are there, each once.
func (b *block) sums(index int64, present uint64) (latency, status int64, first, last lake.Micros) {
	for left := present; left != 0; left &= left - 1 {
		n := index*blockEvents + int64(bits.TrailingZeros64(left))
		latency += latencyOf(n)
		status += statusOf(n)
	}
	if present != 0 {
		first = b.at + lake.Micros(bits.TrailingZeros64(present))*1000
		last = b.at + lake.Micros(bits.Len64(present)-1)*1000
	}
	return latency, status, first, last
}

// Finding is what one source of events has, held against the books.
type Finding struct {
	Source     string   `json:"source"`
	Events     int64    `json:"events"`      // that it has
	Acked      int64    `json:"acked"`       // that were acknowledged, each of them there
	Unacked    int64    `json:"unacked"`     // that it has beside: sent, never answered
	Lost       int64    `json:"lost"`        // acknowledged and not there
	Doubled    int64    `json:"doubled"`     // rows beyond the first of an event
	AfterRetry int64    `json:"after_retry"` // of Doubled: rows of blocks in which requests were sent again
	Wrong      int64    `json:"wrong"`       // blocks whose rows do not say what was sent
	Strange    int64    `json:"strange"`     // rows that nobody sent
	Examples   []string `json:"examples,omitempty"`
}

func (f *Finding) ok() bool { return f.Lost+f.Doubled+f.Wrong+f.Strange == 0 }

const maxExamples = 5

func (f *Finding) example(format string, args ...any) {
	if len(f.Examples) < maxExamples {
		f.Examples = append(f.Examples, fmt.Sprintf(format, args...))
	}
}

// blockRow is a row of blocksSQL.
type blockRow struct {
	service                      string
	index, rows                  int64
	present                      uint64
	latency, status, first, last int64
}

// blocksSQL asks a source, which %s stands for, for one row a block. A row whose request_id is not of our making has a negative block; damaged
// lines may be rows without anything.
const blocksSQL = `SELECT coalesce(service_name, '') AS service_name, CAST(coalesce(n // 60, -1) AS BIGINT) AS block, count(*) AS events,
  bit_or(CAST(1 AS BIGINT) << CAST(coalesce(n %% 60, 0) AS BIGINT)) AS present, CAST(coalesce(sum(latency_ms), 0) AS BIGINT) AS latency,
  CAST(coalesce(sum(status_code), 0) AS BIGINT) AS status, coalesce(epoch_us(min(timestamp)), 0) AS first, coalesce(epoch_us(max(timestamp)), 0) AS last
FROM (SELECT service_name, latency_ms, status_code, timestamp,
  CASE WHEN starts_with(request_id, service_name || '-') THEN TRY_CAST(substr(request_id, 5) AS BIGINT) END AS n FROM %s)
GROUP BY ALL ORDER BY service_name, block`

// judge holds the rows of a source against the books. No client is at work.
func (b *books) judge(source string, rows [][]any) (*Finding, error) {
	f := &Finding{Source: source}
	seen := map[*book][]bool{}
	for _, k := range b.of {
		seen[k] = make([]bool, len(k.blocks))
	}
	for _, values := range rows {
		row, err := parseBlockRow(values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		f.Events += row.rows
		k := b.find(row.service)
		if k == nil || row.index < 0 || row.index >= int64(len(k.blocks)) {
			f.Strange += row.rows
			f.example("%d rows of service %q, block %d, which nobody sent", row.rows, lake.SafeText(row.service, maxName), row.index)
			continue
		}
		seen[k][row.index] = true
		k.judge(f, &row)
	}
	for _, k := range b.of {
		for i, was := range seen[k] {
			if !was {
				k.judge(f, &blockRow{service: k.name, index: int64(i)})
			}
		}
	}
	return f, nil
}

const maxName = 80

// judge holds one block against what is known of it.
func (k *book) judge(f *Finding, row *blockRow) {
	known := &k.blocks[row.index]
	sent := uint64(1<<blockEvents - 1)
	if rest := k.sent - row.index*blockEvents; rest < blockEvents {
		sent = 1<<rest - 1
	}
	present := int64(bits.OnesCount64(row.present))
	f.Acked += int64(bits.OnesCount64(row.present & known.acked))
	f.Unacked += int64(bits.OnesCount64(row.present & sent &^ known.acked))
	if strange := bits.OnesCount64(row.present &^ sent); strange > 0 {
		f.Strange += int64(strange)
		f.example("%d rows of %s that were never sent", strange, k.names(row.index, row.present&^sent))
	}
	if lost := known.acked &^ row.present; lost != 0 {
		f.Lost += int64(bits.OnesCount64(lost))
		f.example("lost: %s", k.names(row.index, lost))
	}
	if twice := row.rows - present; twice > 0 {
		f.Doubled += twice
		if known.retried != 0 {
			f.AfterRetry += twice
		}
		f.example("%d rows too many of %s", twice, k.names(row.index, row.present))
		return
	}
	latency, status, first, last := known.sums(row.index, row.present)
	if row.rows > 0 && (row.latency != latency || row.status != status || row.first != int64(first) || row.last != int64(last)) {
		f.Wrong++
		f.example("%s say latency %d, status %d, time %d to %d; sent were %d, %d, %d to %d", k.names(row.index, row.present), row.latency, row.status, row.first, row.last,
			latency, status, first, last)
	}
}

// names are the events of a block as people and `query` find them.
func (k *book) names(index int64, which uint64) string {
	first, last := index*blockEvents+int64(bits.TrailingZeros64(which)), index*blockEvents+int64(bits.Len64(which))-1
	if which == 0 || first == last {
		return fmt.Sprintf("%s-%d", k.name, first)
	}
	return fmt.Sprintf("%s-%d to %d", k.name, first, last)
}

func parseBlockRow(values []any) (row blockRow, err error) {
	var present int64
	into := []*int64{nil, &row.index, &row.rows, &present, &row.latency, &row.status, &row.first, &row.last}
	if len(values) != len(into) {
		return row, fmt.Errorf("a row of %d values, want %d", len(values), len(into))
	}
	row.service, _ = values[0].(string)
	for i := 1; i < len(into); i++ {
		n, ok := values[i].(int64)
		if !ok {
			return row, fmt.Errorf("column %d of a block is a %T", i, values[i])
		}
		*into[i] = n
	}
	row.present = uint64(present)
	row.service = strings.Clone(row.service)
	return row, nil
}
