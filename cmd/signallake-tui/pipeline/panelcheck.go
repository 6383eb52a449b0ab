package pipeline

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// sketchError is what a percentile of the panels may be away from the exact one, as a share of it; a thousandth of a millisecond more is rounding.
const sketchError = 0.01

// checkPanels holds the panels' answers against events: counts exactly, percentiles of services within the sketch's error. It answers what differs, "" when
// nothing does.
func (a *asked) checkPanels(ctx context.Context, p *panelSet, r sql.Range) (string, error) {
	for _, check := range []func(context.Context, *panelSet, sql.Range) (string, error){a.checkServices, a.checkVolume, a.checkErrors, a.checkRegions} {
		if differs, err := check(ctx, p, r); differs != "" || err != nil {
			return differs, err
		}
	}
	return "", nil
}

// checkServices also brackets each percentile by the two latencies that its rank lies between: of few events they are far apart, and any value between them is right.
func (a *asked) checkServices(ctx context.Context, p *panelSet, r sql.Range) (string, error) {
	text := "SELECT service_name, count(*), count(*) FILTER (WHERE status_code >= 500)"
	for _, q := range []string{"0.5", "0.95", "0.99"} {
		at := "(count(latency_ms) - 1) * " + q
		for _, end := range []string{"floor", "ceil"} {
			text += ", list_sort(list(latency_ms) FILTER (WHERE latency_ms IS NOT NULL))[CAST(" + end + "(" + at + ") AS BIGINT) + 1]"
		}
	}
	rows, _, err := a.compare(ctx, text+" FROM events WHERE "+within(r.From, r.To)+" GROUP BY service_name")
	if err != nil {
		return "", err
	}
	if len(rows) != len(p.services.Rows) {
		return fmt.Sprintf("%d services, of events %d", len(p.services.Rows), len(rows)), nil
	}
	ours := map[any]sql.ServiceLatency{}
	for _, s := range p.services.Rows {
		ours[s.Service] = s
	}
	for _, row := range rows {
		s := ours[row[0]]
		if s.Requests != row[1] || s.Errors != row[2] {
			return fmt.Sprintf("%v has %d requests and %d errors, of events %v and %v", row[0], s.Requests, s.Errors, row[1], row[2]), nil
		}
		for i, got := range []float64{s.P50, s.P95, s.P99} {
			low, high := number(row[3+2*i]), number(row[4+2*i])
			if !(got >= low*(1-sketchError)-0.001 && got <= high*(1+sketchError)+0.001 || math.IsNaN(got) && math.IsNaN(low)) {
				return fmt.Sprintf("percentile %d of %v is %g ms, of events between %g and %g", i+1, row[0], got, low, high), nil
			}
		}
	}
	return "", nil
}

// checkVolume compares every minute.
func (a *asked) checkVolume(ctx context.Context, p *panelSet, r sql.Range) (string, error) {
	rows, _, err := a.compare(ctx, "SELECT date_trunc('minute', timestamp), count(*), count(*) FILTER (WHERE status_code >= 500) FROM events WHERE "+within(r.From, r.To)+" GROUP BY 1")
	if err != nil {
		return "", err
	}
	counts, failed := map[lake.Micros]float64{}, map[lake.Micros]float64{}
	for _, row := range rows {
		at, _ := row[0].(time.Time)
		counts[lake.MicrosOf(at)], failed[lake.MicrosOf(at)] = number(row[1]), number(row[2])
	}
	for i, slot := range p.volume.Slots {
		if p.volume.Counts[i] != counts[slot] || p.volume.Failed[i] != failed[slot] {
			return fmt.Sprintf("%v has %g events and %g errors, of events %g and %g", slot.Time(), p.volume.Counts[i], p.volume.Failed[i], counts[slot], failed[slot]), nil
		}
	}
	return "", nil
}

// checkErrors compares the totals, and the endpoints that are listed.
func (a *asked) checkErrors(ctx context.Context, p *panelSet, r sql.Range) (string, error) {
	rows, _, err := a.compare(ctx, "SELECT service_name, endpoint, count(*), count(*) FILTER (WHERE status_code >= 500) FROM events WHERE status_code >= 100 AND "+within(r.From, r.To)+" GROUP BY 1, 2")
	if err != nil {
		return "", err
	}
	type spot struct{ service, endpoint any }
	requests, errors := map[spot]int64{}, map[spot]int64{}
	var all, bad int64
	for _, row := range rows {
		n, failed := int64(number(row[2])), int64(number(row[3]))
		requests[spot{row[0], row[1]}], errors[spot{row[0], row[1]}] = n, failed
		all, bad = all+n, bad+failed
	}
	if p.errors.HTTP != all || p.errors.Errors != bad {
		return fmt.Sprintf("%d requests and %d errors, of events %d and %d", p.errors.HTTP, p.errors.Errors, all, bad), nil
	}
	for _, e := range p.errors.Endpoints {
		at := spot{e.Service, e.Endpoint}
		if e.Requests != requests[at] || e.Errors != errors[at] {
			return fmt.Sprintf("%s %s has %d requests and %d errors, of events %d and %d", e.Service, e.Endpoint, e.Requests, e.Errors, requests[at], errors[at]), nil
		}
	}
	return "", nil
}

func (a *asked) checkRegions(ctx context.Context, p *panelSet, r sql.Range) (string, error) {
	rows, _, err := a.compare(ctx, "SELECT region, count(*), count(*) FILTER (WHERE status_code >= 500) AS errors FROM events WHERE status_code >= 100 AND "+within(r.From, r.To)+" GROUP BY region ORDER BY errors DESC, region")
	if err != nil {
		return "", err
	}
	for i, row := range rows {
		if i >= len(p.regions.Rows) || p.regions.Rows[i].Region != row[0] || p.regions.Rows[i].HTTP != row[1] || p.regions.Rows[i].Errors != row[2] {
			return fmt.Sprintf("region %d is not %v", i+1, row), nil
		}
	}
	return "", nil
}

// number is a count or a measure of an answer; NaN for NULL.
func number(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return math.NaN()
}
