package gen

import (
	"math/rand/v2"

	"github.com/signallake/signallake/lake"
)

// Incident is what goes wrong once in every UTC day of the window: one service slows down in one region, and fails.
type Incident struct {
	Service, Region string
	From, To        lake.Micros // [From, To)
	Slowdown        int         // times slower: 5 to 10
	FailPercent     int         // of its requests that fail beside the usual ones: 25 to 55

	service, region int
}

// burst is a short rise of errors of one service in all regions, several times a day.
type burst struct {
	from, to    lake.Micros
	service     int
	failPercent int
}

const (
	burstsADay     = 4                  // one in each quarter of a day
	incidentStream = 0x696e636964656e74 // keep plans apart from the events' random streams
	burstStream    = 0x6275727374627273
	incidentMargin = 5 * microsPerMinute // a day with less room than an incident and twice this has none
)

// planIncidents draws the incident of each UTC day, inside what the window covers of it. Same seed, same day, same cover: same incident.
func planIncidents(cfg Config, t *tables) []Incident {
	var plan []Incident
	for day := lake.DateOf(cfg.Start); day.Start() < cfg.End; day++ {
		r := rand.New(rand.NewPCG(cfg.Seed^incidentStream, uint64(day)))
		from, to := max(day.Start(), cfg.Start), min((day+1).Start(), cfg.End)
		length := lake.Micros(20+r.IntN(41)) * microsPerMinute
		room := (to - from) - length - 2*incidentMargin
		service, region := t.pickService(r), int(t.region[r.IntN(len(t.region))])
		slow, fail := 5+r.IntN(6), 25+r.IntN(31)
		// The middle half of the day's cover has the traffic that makes it seen.
		place := r.Int64N(1 << 20)
		if room < 0 {
			continue
		}
		start := from + incidentMargin + room/4 + lake.Micros(int64(room/2)>>10*(place>>10))
		start -= start % microsPerMinute
		plan = append(plan, Incident{Service: t.services[service].name, Region: t.regions[region].name, From: start, To: start + length,
			Slowdown: slow, FailPercent: fail, service: service, region: region})
	}
	return plan
}

func planBursts(cfg Config, t *tables) []burst {
	var plan []burst
	const part = microsPerDay / burstsADay
	for day := lake.DateOf(cfg.Start); day.Start() < cfg.End; day++ {
		r := rand.New(rand.NewPCG(cfg.Seed^burstStream, uint64(day)))
		for k := range burstsADay {
			length := lake.Micros(2+r.IntN(5)) * microsPerMinute
			from := day.Start() + lake.Micros(k*part+r.IntN(part-int(length)))
			plan = append(plan, burst{from: from, to: from + length, service: t.pickService(r), failPercent: 10 + r.IntN(25)})
		}
	}
	return plan
}
