package gen

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

const (
	pickBits      = 12 // a weighted choice is one look into 4,096 places
	quantileBits  = 12 // points of a latency distribution, with straight lines between them
	unit          = 1 << 16
	hostsARegion  = 4
	levels        = 3 // info, warn, error
	attributeSets = 12
)

// pick is a weighted choice: one entry for each of 2^pickBits equally likely draws.
type pick [1 << pickBits]uint8

func newPick(weights []int) *pick {
	total, sum, next := 0, 0, 0
	for _, w := range weights {
		total += w
	}
	p := new(pick)
	for k, w := range weights {
		sum += w
		for end := sum * len(p) / total; next < end; next++ {
			p[next] = uint8(k)
		}
	}
	return p
}

func newStatusPick(weights []statusWeight, t *tables) *pick {
	list := make([]int, len(statusCodes()))
	for _, w := range weights {
		list[t.statusIndex(w.code)] = w.weight
	}
	return newPick(list)
}

// statusCodes are all codes that occur.
func statusCodes() []int { return []int{200, 201, 204, 301, 400, 401, 404, 429, 500, 502, 503, 504} }

// status is what belongs to one status code.
type status struct {
	code    int
	level   int
	percent int64 // of the endpoint's latency; a refusal is quick, a timeout is slow
	floor   int64 // µs, at least this
}

// route is one endpoint of one service, prepared.
type route struct {
	service  int
	median   int64 // µs
	spread   int
	statuses *pick
}

// piece is a text that is copied whole, whatever its length: a copy of fixed size is a few wide moves. What lies behind the text is for the
// next piece to overwrite.
type piece struct {
	text [pieceRoom]byte
	n    int
}

// pieceRoom is the longest text, up to a multiple of the widest move. A test looks at them all.
const pieceRoom = 112

func newPiece(text string) (p piece) {
	p.n = copy(p.text[:], text)
	return p
}

// put copies the text to the front of p. It returns the text's length.
func (t *piece) put(p []byte) int {
	*(*[pieceRoom]byte)(p) = t.text
	return t.n
}

// ending is a piece for short texts.
type ending struct {
	text [endingRoom]byte
	n    int
}

const endingRoom = 32

func newEnding(text string) (e ending) {
	e.n = copy(e.text[:], text)
	return e
}

func (t *ending) put(p []byte) int {
	*(*[endingRoom]byte)(p) = t.text
	return t.n
}

// phrase is a text with one number in it.
type phrase struct {
	before piece
	after  ending
}

type preparedService struct {
	name       string
	tails      []piece // [(region*hostsARegion+host)*levels+level]: `,"region":...,"host":...,"level":"info"`
	notes      []phrase
	byStatus   [][]phrase // errors by index of statusCodes; nil for good ones
	attributes []phrase   // everything but the number of bytes
	weight     int
}

// tables are everything that the making of an event looks up. Immutable once made.
type tables struct {
	services  []preparedService
	regions   []region
	routes    []route
	openings  []piece // [route*len(statuses)+status]: `checkout","endpoint":"/x","method":"GET","status_code":200,"latency_ms":`
	factors   []int64 // of latency by region, percent
	statuses  []status
	failing   *pick
	route     *pick
	region    *pick
	quantiles [][1<<quantileBits + 1]uint32 // by spread: multiples of the median, in 1/unit
	numbers   *numbers
	head      [headRoom]byte // the line up to the service's name, with zeros for id and time
	ids       piece          // the ids behind the message, zeros
}

func newTables(cfg Config) *tables {
	t := &tables{regions: regions(), numbers: newNumbers()}
	for _, code := range statusCodes() {
		t.statuses = append(t.statuses, newStatus(code))
	}
	mix := make([]*pick, mixes)
	for m := range mixes {
		mix[m] = newStatusPick(statusWeights(m), t)
	}
	var weights []int
	for k, s := range services()[:cfg.Services] {
		t.services = append(t.services, prepare(s, t))
		perService := 0
		for _, e := range s.endpoints {
			perService += e.weight
		}
		for _, e := range s.endpoints {
			t.routes = append(t.routes, route{service: k, median: e.medianMicros, spread: e.spread, statuses: mix[e.statuses]})
			for _, st := range t.statuses {
				t.openings = append(t.openings, newPiece(s.name+`","endpoint":"`+e.path+`","method":"`+e.method+`","status_code":`+strconv.Itoa(st.code)+`,"latency_ms":`))
			}
			weights = append(weights, max(1, s.weight*10_000*e.weight/perService))
		}
	}
	t.route = newPick(weights)
	weights = nil
	for _, r := range t.regions {
		weights = append(weights, r.weight)
		t.factors = append(t.factors, int64(r.factor))
	}
	t.region = newPick(weights)
	t.failing = newStatusPick(failures(), t)
	for _, sigma := range spreads() {
		t.quantiles = append(t.quantiles, logNormal(sigma))
	}
	received := cfg.ReceivedAt.Time().Format("2006-01-02T15:04:05.000000Z")
	copy(t.head[:], `{"event_id":"00000000-0000-7000-8000-000000000000","timestamp":"2006-01-02T15:04:05.000000Z","received_at":"`+received+`","service_name":"`)
	t.ids = newPiece(`,"request_id":"` + strings.Repeat("0", 16) + `","trace_id":"` + strings.Repeat("0", 32) + `","span_id":"` + strings.Repeat("0", 16) + `"`)
	return t
}

// Offsets into tables.head and tables.ids.
const (
	idAt      = len(`{"event_id":"`)
	timeAt    = idAt + 36 + len(`","timestamp":"`)
	headLen   = timeAt + 27 + len(`","received_at":"`) + 27 + len(`","service_name":"`)
	headRoom  = 160
	requestAt = len(`,"request_id":"`)
	traceAt   = requestAt + 16 + len(`","trace_id":"`)
	spanAt    = traceAt + 32 + len(`","span_id":"`)
)

func newStatus(code int) status {
	s := status{code: code, percent: 100}
	switch {
	case code >= 500:
		s.level = 2
	case code >= 400:
		s.level = 1
	}
	switch code {
	case 400, 401, 404:
		s.percent = 45
	case 429, 503:
		s.percent = 15
	case 500, 502:
		s.percent = 150
	case 504:
		s.floor = int64(5 * time.Second / time.Microsecond)
	}
	return s
}

// statusIndex is a code's place in statusCodes.
func (t *tables) statusIndex(code int) int {
	for k, s := range t.statuses {
		if s.code == code {
			return k
		}
	}
	return 0
}

// logNormal is the quantile function of exp(sigma * N(0,1)) at 2^quantileBits + 1 points, its ends half a step inside.
func logNormal(sigma float64) (q [1<<quantileBits + 1]uint32) {
	n := float64(len(q))
	for k := range q {
		z := math.Sqrt2 * math.Erfinv(2*(float64(k)+0.5)/n-1)
		q[k] = uint32(math.Exp(sigma*z) * unit)
	}
	return q
}

func prepare(s service, t *tables) preparedService {
	p := preparedService{name: s.name, weight: s.weight}
	for _, r := range t.regions {
		for h := range hostsARegion {
			for _, level := range []string{"info", "warn", "error"} {
				p.tails = append(p.tails, newPiece(`,"region":"`+r.name+`","host":"`+s.name+"-"+r.short+"-"+strconv.Itoa(h+1)+`","level":"`+level+`"`))
			}
		}
	}
	for _, n := range s.notes {
		p.notes = append(p.notes, message(n))
	}
	p.byStatus = make([][]phrase, len(t.statuses))
	for k, st := range t.statuses {
		for _, text := range complaints(st.code, s) {
			p.byStatus[k] = append(p.byStatus[k], message(text))
		}
	}
	for k := range attributeSets {
		tier := []string{"free", "silver", "gold"}[k%3]
		text := `,"attributes":{"version":"` + s.version + `","tier":"` + tier + `"`
		if k%4 == 3 {
			text += `,"client":{"os":"` + []string{"android", "ios", "web"}[k/4] + `","build":` + strconv.Itoa(400+7*k) + `}`
		}
		p.attributes = append(p.attributes, phrase{newPiece(text + `,"bytes":`), newEnding(`}`)})
	}
	return p
}

func message(text string) phrase {
	before, after, _ := strings.Cut(text, "#")
	return phrase{newPiece(`,"message":"` + before), newEnding(after + `"`)}
}

// complaints are the messages of a status; # is a number. A few shapes each, so that a search for patterns has something to find.
func complaints(code int, s service) []string {
	var texts []string
	add := func(text string) { texts = append(texts, text) }
	switch code {
	case 400:
		add("validation failed: quantity must be at most #")
		add("malformed request body at byte #")
	case 401:
		add("token expired # s ago")
		add("signature check failed for key #")
	case 404:
		add("no such resource: #")
	case 429:
		add("rate limit exceeded: # requests in the last minute")
	}
	if code < 500 {
		return texts
	}
	for _, up := range s.upstreams {
		switch code {
		case 500:
			add("unhandled exception while calling " + up + ": connection reset after # bytes")
			add("query on " + up + " failed: deadlock detected, transaction # rolled back")
		case 502:
			add("bad gateway: " + up + " closed the connection, attempt #")
		case 503:
			add("circuit breaker for " + up + " is open, # calls shed")
			add("connection pool of " + up + " exhausted, # waiting")
		case 504:
			add("upstream " + up + " timed out after # ms")
		}
	}
	return texts
}

// pickService draws a service by its weight.
func (t *tables) pickService(r *rand.Rand) int {
	total := 0
	for i := range t.services {
		total += t.services[i].weight
	}
	n := r.IntN(total)
	for i := range t.services {
		if n -= t.services[i].weight; n < 0 {
			return i
		}
	}
	return 0
}
