package torture

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// load is requests of one kind for a while. With perSec they come at that rate, whether the ones before are answered or not, as long as there are
// senders; without, each sender waits for its answer.
type load struct {
	addr    string
	lasts   time.Duration
	senders int
	perSec  float64 // requests; 0: as many as the senders get answered
	batch   int
	from    int64 // number of the first request
}

// Phase is what a load met. Its keys are an API.
type Phase struct {
	Name       string        `json:"name"`
	Seconds    float64       `json:"seconds"`
	Wanted     float64       `json:"wanted_per_s,omitempty"` // events
	Tried      float64       `json:"tried_per_s"`            // events
	Acked      int64         `json:"acked"`                  // events
	AckedPerS  float64       `json:"acked_per_s"`
	Statuses   map[int]int64 `json:"statuses"` // answers by status
	Unanswered int64         `json:"unanswered"`
	P50MS      float64       `json:"ack_p50_ms"` // from when the request was due
	P99MS      float64       `json:"ack_p99_ms"`
	WorstMS    float64       `json:"ack_worst_ms"`
	Samples    []Sample      `json:"samples"` // one a second

	begun   int64 // requests
	refused string
	seconds []second
}

// second is what was due in one second of a phase.
type second struct {
	waits  []time.Duration // of the acknowledged
	others int             // answers that are no acknowledgement, and none at all
}

// due is one request that is to be sent.
type due struct {
	number int64
	at     time.Time
}

// put sends the load and waits until every request is answered or given up.
func (l load) put(ctx context.Context) *Phase {
	p := &Phase{Statuses: map[int]int64{}, Wanted: l.perSec * float64(l.batch), seconds: make([]second, int(l.lasts.Seconds())+1)}
	client := &http.Client{Timeout: defaultTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: l.senders, DisableCompression: true}}
	defer client.CloseIdleConnections()
	start := time.Now()
	work := make(chan due)
	var mu sync.Mutex
	var senders sync.WaitGroup
	for range l.senders {
		senders.Go(func() {
			var body []byte
			for d := range work {
				body = l.body(body[:0], d)
				status, text := l.post(ctx, client, body)
				took := time.Since(d.at)
				mu.Lock()
				p.answered(&p.seconds[min(len(p.seconds)-1, int(d.at.Sub(start).Seconds()))], status, text, took, l.batch)
				mu.Unlock()
			}
		})
	}
	p.begun = l.pace(ctx, start, work)
	close(work)
	senders.Wait()
	p.Seconds = time.Since(start).Seconds()
	p.Tried = float64(p.begun) * float64(l.batch) / p.Seconds
	p.AckedPerS = float64(p.Acked) / p.Seconds
	var waits []time.Duration
	for i := range p.seconds {
		waits = append(waits, p.seconds[i].waits...)
	}
	slices.Sort(waits)
	p.P50MS, p.P99MS, p.WorstMS = percentileMS(waits, 0.50), percentileMS(waits, 0.99), percentileMS(waits, 1)
	return p
}

// pace hands out requests when they are due, and answers how many. Where all senders are busy, those that became due meanwhile are not sent later:
// the load is what a server's clients would try, no more.
func (l load) pace(ctx context.Context, start time.Time, work chan<- due) (begun int64) {
	for n := int64(0); ; n++ {
		at := time.Now()
		if l.perSec > 0 {
			next := start.Add(time.Duration(float64(n) / l.perSec * float64(time.Second)))
			if !pause(ctx, next.Sub(at)) {
				return begun
			}
			if late := time.Since(next); late > time.Second {
				n += int64(late.Seconds() * l.perSec)
			}
			at = next
		}
		if time.Since(start) >= l.lasts {
			return begun
		}
		select {
		case work <- due{l.from + begun, at}:
			begun++
		case <-ctx.Done():
			return begun
		}
	}
}

// body makes the events of a request: of eight services, with ids of their own, happening now.
func (l load) body(p []byte, d due) []byte {
	now := time.Now().UnixMicro()
	for i := range int64(l.batch) {
		n := d.number*int64(l.batch) + i
		p = strconv.AppendInt(append(p, `{"event_id":"soak-`...), n, 10)
		p = strconv.AppendInt(append(p, `","timestamp":`...), now, 10)
		p = strconv.AppendInt(append(p, `,"service_name":"svc-`...), n%8, 10)
		p = strconv.AppendInt(append(p, `","endpoint":"/api/v1/thing/`...), n%40, 10)
		p = strconv.AppendInt(append(p, `","method":"GET","status_code":`...), statusOf(n), 10)
		p = strconv.AppendInt(append(p, `,"latency_ms":`...), latencyOf(n), 10)
		p = append(p, `,"region":"eu-west-1","host":"host-1","message":"a request was served"}`+"\n"...)
	}
	return p
}

// post answers the status, 0 for no answer, and what was said with anything but a 200.
func (l load) post(ctx context.Context, client *http.Client, body []byte) (status int, text string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.addr+"/ingest/batch", bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.GetBody = nil // the transport would send it again by itself
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(said)
}

func (p *Phase) answered(s *second, status int, text string, took time.Duration, events int) {
	if status == 0 {
		p.Unanswered++
	} else {
		p.Statuses[status]++
	}
	if status == http.StatusOK {
		p.Acked += int64(events)
		s.waits = append(s.waits, took)
		return
	}
	s.others++
	p.refused = strconv.Itoa(status) + " " + text
}

// refusal is the newest answer that was no acknowledgement.
func (p *Phase) refusal() string {
	if p.refused == "" {
		return "nothing was refused"
	}
	return p.refused
}

// only says whether every answer was an acknowledgement or one of these.
func (p *Phase) only(statuses ...int) bool {
	for status, n := range p.Statuses {
		if n > 0 && status != http.StatusOK && !slices.Contains(statuses, status) {
			return false
		}
	}
	return p.Unanswered == 0
}

// calmAfter is how many seconds of the phase passed before everything due was acknowledged within the limit; negative: to the end not.
func (p *Phase) calmAfter(limitMS float64) float64 {
	after := 0
	for i := range p.seconds {
		s := &p.seconds[i]
		slices.Sort(s.waits)
		if s.others > 0 || percentileMS(s.waits, 0.99) > limitMS {
			after = i + 1
		}
	}
	if after >= len(p.seconds)-1 {
		return -1
	}
	return float64(after)
}

// percentileMS is of sorted durations, in milliseconds.
func percentileMS(sorted []time.Duration, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(p*float64(len(sorted)-1))].Microseconds()) / 1000
}
