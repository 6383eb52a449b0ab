package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/duck"
)

// dashboardFraction of the hot rows that other questions get come in before a round: all of them lie in the day that is asked about, which is to stay the same.
const dashboardFraction = 50

// dashboardDay is the window: the newest day of the corpus, so that 24 h by minute are the same whole hours in both.
func dashboardDay() sql.Range {
	return sql.Range{From: newestDay().Start(), To: (newestDay() + 1).Start(), Slots: 24 * 60}
}

// panelSet is what the console asks for one frame.
type panelSet struct {
	services *sql.LatencyByService
	overTime *sql.LatencyOverTime
	errors   *sql.ErrorRate
	slowest  *sql.SlowestEndpoints
	regions  *sql.ErrorsByRegion
	volume   *sql.Volume
}

const slowestShown = 20

// askPanels asks all panels of a window, one after the other, as one frame of the dashboard does.
func askPanels(ctx context.Context, p sql.Panels, r sql.Range) (*panelSet, error) {
	var s panelSet
	var err error
	for _, ask := range []func() error{
		func() error { s.services, err = p.LatencyByService(ctx, r); return err },
		func() error { s.overTime, err = p.LatencyOverTime(ctx, r); return err },
		func() error { s.errors, err = p.ErrorRate(ctx, r); return err },
		func() error { s.slowest, err = p.SlowestEndpoints(ctx, r, slowestShown); return err },
		func() error { s.regions, err = p.ErrorsByRegion(ctx, r); return err },
		func() error { s.volume, err = p.Volume(ctx, r); return err },
	} {
		if err := ask(); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

// measureDashboard asks the panels' questions about a day by minute, of the panels and of events.
func measureDashboard(ctx context.Context, c *corpus, o *outcome) error {
	a, err := c.openFresh(ctx)
	if err != nil {
		return err
	}
	r := dashboardDay()
	hot := max(1, c.hotRows()/dashboardFraction)
	renew := func(ctx context.Context) error {
		if err := a.renew(ctx, c, hot); err != nil {
			return err
		}
		if err := a.reference.SetEvents(duck.List(a.lake.Layout(), filesOf(a.lake.Current(), r))); err != nil {
			return err
		}
		return a.counted(ctx, c.events+int64(a.renewed)*hot)
	}
	var panels *panelSet
	samples, err := c.turns(ctx, renew,
		way{"panels", func(ctx context.Context, _ int) (float64, error) {
			started := time.Now()
			var err error
			panels, err = askPanels(ctx, a.engine, r)
			return milliseconds(time.Since(started)), err
		}},
		way{"events", func(ctx context.Context, _ int) (float64, error) {
			started := time.Now()
			for _, text := range eventsPanels(r) {
				if _, _, err := a.compare(ctx, text); err != nil {
					return 0, err
				}
			}
			return milliseconds(time.Since(started)), nil
		}})
	if err != nil {
		return err
	}
	differs, err := a.checkPanels(ctx, panels, r)
	if err != nil {
		return err
	}
	f := o.add("dashboard", samples[0], samples[1]).equal(differs == "")
	f.note("six panels over %d events of one day; before each round a new version and %d hot rows; the reference reads that day's files, which the catalog names, and has the hot rows in a table", int64(sum(panels.volume.Counts)), hot)
	f.note("every count equal; every percentile of a service within the sketch's 1 %%")
	if differs != "" {
		f.note("it differs: %s", differs)
	}
	return nil
}

func sum(counts []float64) float64 {
	var n float64
	for _, c := range counts {
		n += c
	}
	return n
}

// counted waits until the minute tables hold every event.
func (a *asked) counted(ctx context.Context, events int64) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		extent, err := a.engine.Extent(ctx)
		if err != nil || extent.Events >= events {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// filesOf are the files of the days of a window and, for what is compared with the window before, of as many days before it.
func filesOf(v *lake.Version, r sql.Range) []*lake.FileEntry {
	var files []*lake.FileEntry
	for _, f := range allFiles(v) {
		if f.MaxTS >= r.From-(r.To-r.From) && f.MinTS < r.To {
			files = append(files, f)
		}
	}
	return files
}

// eventsPanels are the panels' questions asked of events: the same columns, exact where the panels estimate.
func eventsPanels(r sql.Range) []string {
	now, before := within(r.From, r.To), within(r.From-(r.To-r.From), r.From)
	const failed = "count(*) FILTER (WHERE status_code >= 500) AS errors"
	const percentiles = "quantile_cont(latency_ms, 0.5) AS p50, quantile_cont(latency_ms, 0.95) AS p95, quantile_cont(latency_ms, 0.99) AS p99"
	const minute = "date_trunc('minute', timestamp)"
	busiest := fmt.Sprintf("(SELECT service_name FROM events WHERE %s GROUP BY service_name ORDER BY count(*) DESC, service_name LIMIT 6)", now)
	return []string{
		"SELECT service_name, count(*) AS requests, " + failed + ", " + percentiles + " FROM events WHERE " + now + " GROUP BY service_name ORDER BY p95 DESC NULLS LAST, service_name",
		"SELECT service_name, quantile_cont(latency_ms, 0.95) AS p95 FROM events WHERE " + before + " GROUP BY service_name",
		"SELECT service_name, " + minute + " AS slot, quantile_cont(latency_ms, 0.95) AS p95 FROM events WHERE " + now + " GROUP BY service_name, slot ORDER BY service_name, slot",
		"SELECT service_name, " + minute + " AS slot, quantile_cont(latency_ms, 0.95) AS p95 FROM events WHERE " + now + " AND service_name IN " + busiest + " GROUP BY service_name, slot ORDER BY service_name, slot",
		"SELECT service_name, endpoint, region, count(*) AS requests, " + failed + " FROM events WHERE status_code >= 100 AND " + now + " GROUP BY service_name, endpoint, region",
		"SELECT " + minute + " AS slot, count(*) AS requests, " + failed + " FROM events WHERE status_code >= 100 AND (" + now + " OR " + before + ") GROUP BY slot ORDER BY slot",
		"SELECT service_name, endpoint, count(*) AS requests, " + percentiles + " FROM events WHERE " + now + fmt.Sprintf(" GROUP BY service_name, endpoint ORDER BY p95 DESC NULLS LAST LIMIT %d", slowestShown),
		"SELECT region, count(*) AS requests, " + failed + " FROM events WHERE status_code >= 100 AND " + now + " GROUP BY region ORDER BY errors DESC, region",
		"SELECT " + minute + " AS slot, count(*) AS events, " + failed + " FROM events WHERE " + now + " GROUP BY slot ORDER BY slot",
	}
}

// within is a condition on the time of events. The keys of the files are named beside it, so that none is opened in vain.
func within(from, to lake.Micros) string {
	instant := func(m lake.Micros) string { return "TIMESTAMP '" + m.Time().Format("2006-01-02 15:04:05.000000") + "'" }
	return strings.Join([]string{"timestamp >= " + instant(from), "timestamp < " + instant(to), "event_date >= DATE '" + lake.DateOf(from).String() + "'", "event_date <= DATE '" + lake.DateOf(to-1).String() + "'"}, " AND ")
}
