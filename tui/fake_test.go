package tui

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/sql/bench"
)

// fakeNow is the clock of every test: 2026-11-21 14:22:07 UTC.
var fakeNow = time.Date(2026, 11, 21, 14, 22, 7, 0, time.UTC)

// fake is a lake, an engine and an API made of fixed numbers. Its clock moves only when a test moves it.
type fake struct {
	mu        sync.Mutex
	now       time.Time
	events    int64     // 0: an empty lake
	ends      time.Time // of the data
	fail      error     // every panel answers it
	answer    func(ctx context.Context, q sql.Query) (*sql.Result, error)
	estimate  func(text string) (sql.Estimate, error)
	status    lake.Status
	fresh     sql.Freshness
	chain     []lake.Stage
	api       ingest.Snapshot
	asked     []string // panels' questions in their order
	ranges    []sql.Range
	ran       []sql.Query
	tasks     Tasks
	owner     *lake.Owner
	gone      bool // the owner has ended
	dead      lake.DeadStatus
	letters   *deadZone  // nil: this console can only count them
	desk      *Letters   // in its place
	zone      *lake.Lake // whose dead zone is counted; nil: dead is
	reports   []bench.Report
	pipelines []bench.Pipeline
	layouts   []bench.Layouts
	unread    error // why the reports cannot be read
	imported  []ImportParams
	complete  func(ctx context.Context, path string) ([]string, error)
	store     memStore
	service   string // the name of the first service
}

type memStore struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (m *memStore) Load(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files[name], nil
}

func (m *memStore) Save(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = data
	return nil
}

// newFake is a full lake that is live.
func newFake() *fake {
	f := &fake{now: fakeNow, events: 44_712_345, ends: fakeNow.Add(-time.Second), service: "checkout", store: memStore{files: map[string][]byte{}}}
	f.status = lake.Status{Version: 12, Watermark: 900, NextSeq: 1000, RawEvents: 1_000_204, RawBytes: 212 << 20, ParquetEvents: 44_711_141, ParquetFiles: 192, ParquetBytes: 87 << 20,
		HotEvents: 1204, HotBytes: 300 << 10, Visible: 44_712_345}
	f.fresh = sql.Freshness{VisibleTo: 1000, Committed: 1000, LagP95: 84 * time.Millisecond, NewestAt: lake.MicrosOf(fakeNow.Add(-time.Second)), PerSecond: 12_410}
	f.api = ingest.Snapshot{Addr: "127.0.0.1:8000", Since: fakeNow.Add(-2 * time.Hour), Requests: 18_204, Accepted: 1_240_112, Rejected: 412, AcceptedPerSec: 12_410, RejectedPerSec: 3,
		AckP50: 1800 * time.Microsecond, AckP95: 6200 * time.Microsecond, InFlight: 4}
	f.chain = []lake.Stage{
		{Name: lake.StageAccepted, Title: "acknowledged since the start", Events: 1_240_112, InPerSec: 12_410, PerSec: 12_410},
		{Name: lake.StageQueued, Title: "on the way to the disk", Events: 312, Bytes: 124 << 10, Wait: 90 * time.Millisecond, InPerSec: 12_410, PerSec: 13_100, Drain: 24 * time.Millisecond},
		{Name: lake.StageRaw, Title: "durable", Events: 1_000_204, Bytes: 212 << 20, InPerSec: 12_410, PerSec: 12_410},
		{Name: lake.StageUnread, Title: "durable, not yet in SQL", InPerSec: 12_410, PerSec: 12_410},
		{Name: lake.StageUnsummarised, Title: "durable, not yet in the panels", Events: 3704, Wait: 300 * time.Millisecond, InPerSec: 12_410, PerSec: 12_400, Drain: -1},
		{Name: lake.StageUnconverted, Title: "not yet Parquet", Events: 1204, Bytes: 300 << 10, Wait: 100 * time.Millisecond, InPerSec: 12_410, PerSec: 12_600, Drain: 6 * time.Second, Starts: 64 << 20, Limit: 4 << 30},
	}
	for i := range 60 {
		f.api.PerSecond = append(f.api.PerSecond, 9000+3000*math.Sin(float64(i)/6))
	}
	for i := range 30 {
		code := []int{200, 200, 200, 422, 200, 503}[i%6]
		f.api.Recent = append(f.api.Recent, ingest.RequestRecord{At: fakeNow.Add(-time.Duration(i) * 700 * time.Millisecond), RequestID: fmt.Sprintf("req-%04d", i), Method: "POST",
			Path: []string{"/ingest/batch", "/ingest"}[i%2], StatusCode: code, ServiceName: []string{"checkout", "auth", "search"}[i%3], LatencyMS: 1.2 + float64(i%7), Bytes: int64(2000 * (i + 1)), Events: 10 * (i + 1)})
	}
	for i := range 12 {
		f.api.Rejects = append(f.api.Rejects, ingest.Reject{At: fakeNow.Add(-time.Duration(i) * time.Second), Source: "127.0.0.1:50122", Line: i + 1, Field: []string{"latency_ms", "status_code", ""}[i%3],
			Reason: []string{`must be a number, got "fast"`, "must be from 100 to 599, or 0", "is not a JSON object"}[i%3], Sample: `{"service_name":"checkout","latency_ms":"fast"}`})
	}
	f.tasks = Tasks{
		Generate: func(_ context.Context, p GenerateParams, progress *lake.Progress) (string, error) {
			progress.Start("generate", p.Count)
			progress.Add(p.Count)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events, f.fresh.VisibleTo = p.Count, f.fresh.VisibleTo+lake.Seq(p.Count)
			return fmt.Sprintf("%d events of %d days", p.Count, p.Days), nil
		},
		Convert: func(_ context.Context, layout string, _ *lake.Progress) (string, error) {
			return "converted " + layout, nil
		},
		Verify: func(context.Context, *lake.Progress) (string, error) { return "every event is there exactly once", nil },
		Import: f.imports,
		Bench: func(_ context.Context, p BenchParams, _ *lake.Progress) (*bench.Report, error) {
			r := fakeReport(fakeNow, p.Events, p.Cold, 1)
			return &r, nil
		},
		Pipeline: func(_ context.Context, p PipelineParams, _ *lake.Progress) (*bench.Pipeline, error) {
			r := fakePipeline(fakeNow, p.Events, 1)
			return &r, nil
		},
		Layout: func(_ context.Context, p LayoutParams, _ *lake.Progress) (*bench.Layouts, error) {
			l := fakeLayouts(fakeNow, p.Events, p.Cold, 1)
			return &l, nil
		},
		Stages: []string{"generate", "convert", "p95-list"},
	}
	f.complete = fakeFolder
	f.answer = f.exploring(f.table(214))
	f.estimate = func(text string) (sql.Estimate, error) {
		if strings.HasPrefix(text, "COPY") {
			return sql.Estimate{}, &sql.RefusedError{What: "COPY", Hint: "the prompt only reads; `signallake-tui query --format csv` writes a file of your own"}
		}
		return sql.Estimate{Files: 8, FilesTotal: 192, Bytes: 6_600_000, HotRows: 1204, Version: 12, USD: sql.AthenaUSD(6_600_000)}, nil
	}
	return f
}

// empty makes the lake an empty one.
func (f *fake) empty() *fake {
	f.events, f.status, f.fresh, f.chain = 0, lake.Status{}, sql.Freshness{}, nil
	f.api.Recent, f.api.Rejects, f.api.PerSecond = nil, nil, nil
	f.api.Requests, f.api.Accepted, f.api.Rejected, f.api.AcceptedPerSec, f.api.RejectedPerSec, f.api.AckP50, f.api.AckP95, f.api.InFlight = 0, 0, 0, 0, 0, 0, 0, 0
	return f
}

// readOnly makes another process the lake's owner.
func (f *fake) readOnly() *fake {
	f.owner = &lake.Owner{PID: 4711, Command: "serve", Address: "http://127.0.0.1:8000", Since: fakeNow.Add(-time.Hour)}
	f.api = ingest.Snapshot{Err: "the API runs in serve (process 4711) at http://127.0.0.1:8000"}
	f.tasks = Tasks{Verify: f.tasks.Verify, Why: "serve (process 4711) owns this lake: start it there"}
	return f
}

func (f *fake) config() Config {
	letters := f.desk
	if f.letters != nil {
		letters = f.letters.config()
	}
	return Config{DataDir: "data", Now: func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.now }, Engine: f, Panels: f, Store: &f.store, Tasks: f.tasks, Mouse: true,
		Status: func() lake.Status { f.mu.Lock(); defer f.mu.Unlock(); return f.status },
		Ingest: func() ingest.Snapshot { f.mu.Lock(); defer f.mu.Unlock(); return f.api },
		Chain:  func() []lake.Stage { f.mu.Lock(); defer f.mu.Unlock(); return f.chain },
		Dead: func() lake.DeadStatus {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.zone != nil {
				return f.zone.DeadStatus()
			}
			return f.dead
		},
		Letters: letters,
		ReadOnly: func() *Follow {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.owner == nil {
				return nil
			}
			return &Follow{Owner: *f.owner, Gone: f.gone}
		},
		Complete: f.complete,
		LadderHistory: func(context.Context) ([]bench.Report, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.reports, f.unread
		},
		LayoutHistory: func(context.Context) ([]bench.Layouts, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.layouts, f.unread
		},
		PipelineHistory: func(context.Context) ([]bench.Pipeline, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.pipelines, f.unread
		},
		Questions: []NamedSQL{{"p95-latency", "p50, p95 and p99 by service", "SELECT service_name,\n       quantile_cont(latency_ms, 0.95) AS p95\nFROM events\nGROUP BY ALL"},
			{"error-rate", "error rate by endpoint", "SELECT endpoint, avg(CASE WHEN status_code >= 500 THEN 1 ELSE 0 END) AS rate FROM events GROUP BY ALL"}},
	}
}

// table is an engine that answers n rows.
func (f *fake) table(n int) func(context.Context, sql.Query) (*sql.Result, error) {
	return func(context.Context, sql.Query) (*sql.Result, error) {
		r := &sql.Result{Columns: []sql.ResultColumn{{Name: "service_name", Type: "VARCHAR"}, {Name: "endpoint", Type: "VARCHAR"}, {Name: "p95", Type: "DOUBLE"}, {Name: "n", Type: "BIGINT"},
			{Name: "at", Type: "TIMESTAMP"}, {Name: "attributes", Type: "VARCHAR"}},
			Stats: sql.Stats{Files: 8, FilesTotal: 192, Bytes: 6_500_000, HotRows: 1204, Version: 12, Elapsed: 11 * time.Millisecond, USD: sql.AthenaUSD(6_500_000)}}
		for i := range n {
			var p95 any = float64(i*37%500) + 0.25
			if i%9 == 4 {
				p95 = nil
			}
			r.Rows = append(r.Rows, []any{f.names()[i%8], fmt.Sprintf("/v1/things/%d", i), p95, int64(n - i), fakeNow.Add(-time.Duration(i) * time.Minute), `{"user":{"id":7,"plan":"pro"},"cart":[1,2]}`})
		}
		return r, nil
	}
}

func (f *fake) names() []string {
	return []string{f.service, "auth", "search", "catalog", "payments", "profile", "shipping", "notifications"}
}

func (f *fake) Query(ctx context.Context, q sql.Query) (*sql.Result, error) {
	f.mu.Lock()
	f.ran = append(f.ran, q)
	answer := f.answer
	f.mu.Unlock()
	return answer(ctx, q)
}

func (f *fake) Estimate(_ context.Context, text string) (sql.Estimate, error) {
	return f.estimate(text)
}

// note records a panel's question and answers the failure that the test wants.
func (f *fake) note(name string, r sql.Range) (sql.Behind, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked, f.ranges = append(f.asked, name), append(f.ranges, r)
	return sql.Behind{SQL: "SELECT '" + name + "' AS panel\nFROM minutes", Elapsed: 3 * time.Millisecond, AsOf: lake.MicrosOf(f.now)}, f.fail
}

func (f *fake) Extent(context.Context) (sql.Extent, error) {
	b, err := f.note("extent", sql.Range{})
	f.mu.Lock()
	defer f.mu.Unlock()
	return sql.Extent{Behind: b, First: lake.MicrosOf(f.ends.Add(-7 * 24 * time.Hour)), Last: lake.MicrosOf(f.ends), Events: f.events}, err
}

// wave is a series with an incident in it.
func wave(n, seed int, level float64) []float64 {
	points := make([]float64, n)
	for i := range points {
		points[i] = level * (1 + 0.3*math.Sin(float64(i+seed*7)/5) + 0.1*math.Sin(float64(i*seed)))
		if seed == 0 && i > n*2/3 && i < n*5/6 {
			points[i] *= 3
		}
	}
	return points
}

func (f *fake) LatencyByService(_ context.Context, r sql.Range) (*sql.LatencyByService, error) {
	b, err := f.note("latency", r)
	out := &sql.LatencyByService{Behind: b}
	for i, name := range f.names() {
		if r.Service != "" && r.Service != name {
			continue
		}
		p95 := 1380 / math.Pow(1.7, float64(i))
		row := sql.ServiceLatency{Service: name, Requests: int64(180_000 / (i + 1)), Errors: int64(700 / (i + 1)), Quantiles: sql.Quantiles{P50: p95 / 9, P95: p95, P99: p95 * 2.7},
			PrevP95: p95 * []float64{0.62, 1, 1.02, 1.4, math.NaN(), 0.97, 1.3, 1}[i], Spark: wave(r.Slots, i, p95)}
		if i == 7 {
			row.Quantiles = sql.Quantiles{P50: math.NaN(), P95: math.NaN(), P99: math.NaN()}
			for j := range row.Spark {
				row.Spark[j] = math.NaN()
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out, err
}

func (f *fake) slots(r sql.Range) []lake.Micros {
	out := make([]lake.Micros, r.Slots)
	for i := range out {
		out[i] = r.From + lake.Micros(i)*(r.To-r.From)/lake.Micros(max(1, r.Slots))
	}
	return out
}

func (f *fake) LatencyOverTime(_ context.Context, r sql.Range) (*sql.LatencyOverTime, error) {
	b, err := f.note("over time", r)
	out := &sql.LatencyOverTime{Behind: b, Slots: f.slots(r)}
	for i, name := range f.names()[:5] {
		if r.Service == "" || r.Service == name {
			out.Series = append(out.Series, sql.Series{Name: name, Points: wave(r.Slots, i, 400/float64(i+1))})
		}
	}
	return out, err
}

func (f *fake) ErrorRate(_ context.Context, r sql.Range) (*sql.ErrorRate, error) {
	b, err := f.note("errors", r)
	return &sql.ErrorRate{Behind: b, HTTP: 312_400, Errors: 1312, Rate: 0.0042, Prev: 0.0011, Spark: wave(r.Slots, 0, 0.004), Endpoints: []sql.EndpointErrors{
		{Service: f.service, Endpoint: "/pay", Requests: 18_204, Errors: 712, Rate: 0.0391, WorstRegion: "eu-west-1"},
		{Service: "search", Endpoint: "/q", Requests: 91_000, Errors: 210, Rate: 0.0023, WorstRegion: "us-east-1"},
		{Service: "auth", Endpoint: "/login", Requests: 44_000, Errors: 12, Rate: 0.0003, WorstRegion: "ap-south-1"},
	}}, err
}

func (f *fake) SlowestEndpoints(_ context.Context, r sql.Range, limit int) (*sql.SlowestEndpoints, error) {
	b, err := f.note("slowest", r)
	out := &sql.SlowestEndpoints{Behind: b}
	for i := range min(limit, 24) {
		p := 1400 / math.Pow(1.2, float64(i))
		out.Rows = append(out.Rows, sql.EndpointLatency{Service: f.names()[i%8], Endpoint: []string{"/pay", "/cart/items", "/orders/{id}/refund", "/q", "/login"}[i%5], Requests: int64(90_000 / (i + 1)), Quantiles: sql.Quantiles{P50: p / 8, P95: p, P99: p * 2}})
	}
	return out, err
}

func (f *fake) ErrorsByRegion(_ context.Context, r sql.Range) (*sql.ErrorsByRegion, error) {
	b, err := f.note("regions", r)
	return &sql.ErrorsByRegion{Behind: b, Rows: []sql.RegionErrors{{Region: "eu-west-1", HTTP: 90_000, Errors: 932, Rate: 0.0104, OfErrors: 0.71}, {Region: "us-east-1", HTTP: 120_000, Errors: 260, Rate: 0.0022, OfErrors: 0.2},
		{Region: "ap-south-1", HTTP: 60_000, Errors: 120, Rate: 0.002, OfErrors: 0.09}, {Region: "unknown", HTTP: 42_400, Errors: 0, Rate: 0, OfErrors: 0}}}, err
}

func (f *fake) Volume(_ context.Context, r sql.Range) (*sql.Volume, error) {
	b, err := f.note("volume", r)
	return &sql.Volume{Behind: b, Events: 312_400, Slots: f.slots(r), Counts: wave(r.Slots, 3, 5200), Failed: wave(r.Slots, 0, 40)}, err
}

func (f *fake) Freshness() sql.Freshness {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fresh
}

var errFake = errors.New("rollup/000017.parquet: checksum differs; `signallake-tui verify` names every damaged file")
