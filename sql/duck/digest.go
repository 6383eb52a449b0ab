package duck

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/digest"
	"github.com/signallake/signallake/sql"
)

const (
	// digestMemory is how many bytes of digests' indexes are kept: those of a lake of some ten million events. Values are not kept.
	digestMemory = 32 << 20
	// digestWorkers read and add up digests: the same two that a statement of DuckDB would get on a small machine.
	digestWorkers = 2
	// maxDigestGroups is how many rows an answer from digests may have, before LIMIT: beyond, DuckDB's own grouping is better at it.
	maxDigestGroups = 20_000
)

// errNoDigest says that a statement has a shape, but not every file that it needs has what that takes: DuckDB answers it.
var errNoDigest = errors.New("the digests do not answer this")

// digestRun answers one statement of a known shape from digests and the hot rows, and asks DuckDB for what no digest covers: files without one, and files
// of which a time range takes a part.
type digestRun struct {
	*shape
	engine *Engine
	view   *view
	conn   *conn

	files  []*lake.FileEntry // in full, by their digests
	loose  []*lake.FileEntry // by their columns
	read   lake.DigestRead
	picked *digest.Selection
	rows   map[keys]*groupRow
	list   []*groupRow // in the order in which they came up
	cell   keys        // scratch
}

// groupRow is one row of the answer in the making.
type groupRow struct {
	keys   keys
	counts []int64
	picks  []int // groups of the selection, as shape.latency
}

// fromDigests answers a statement of a known shape; errNoDigest when it has none, or DuckDB has to answer it for another reason.
func (r *run) fromDigests(ctx context.Context, v *view, files []*lake.FileEntry, stats *sql.Stats) (*rowSet, error) {
	if r.statement.shape == nil {
		return nil, errNoDigest
	}
	d := digestRun{shape: r.statement.shape, engine: r.engine, view: v, conn: r.conn}
	set, err := d.answer(ctx, files)
	if err != nil {
		return nil, err
	}
	stats.Digests, stats.DigestBytes = len(d.files), d.read.Bytes()
	return set, nil
}

// reach are the files that a shape reads: those whose key may hold, without those that its time range leaves out.
func (s *shape) reach(files []lake.FileEntry) []*lake.FileEntry {
	var byDay, byService, byFile []predicate
	for _, p := range s.where {
		var used [keyColumns]bool
		p.uses(&used)
		switch {
		case used[keyEndpoint] || used[keyRegion] || used[keyHour]:
		case used[keyStatus]:
			byFile = append(byFile, p)
		case used[keyService]:
			byService = append(byService, p)
		default:
			byDay = append(byDay, p)
		}
	}
	var kept []*lake.FileEntry
	var k keys
	for len(files) > 0 {
		date := files[0].Partition.Date
		day := files[:sort.Search(len(files), func(i int) bool { return files[i].Partition.Date > date })]
		files = files[len(day):]
		k[keyDate].n = int64(date)
		if !allHold(byDay, &k) || date.Start() >= s.window.to || (date+1).Start() <= s.window.from {
			continue
		}
		for len(day) > 0 {
			k[keyService].text = day[0].Partition.Service
			service := day[:sort.Search(len(day), func(i int) bool { return day[i].Partition.Service > k[keyService].text })]
			day = day[len(service):]
			if !allHold(byService, &k) {
				continue
			}
			for i := range service {
				f := &service[i]
				k[keyStatus].n = int64(f.Partition.Status)
				if f.MinTS < s.window.to && f.MaxTS >= s.window.from && allHold(byFile, &k) {
					kept = append(kept, f)
				}
			}
		}
	}
	return kept
}

func allHold(list []predicate, k *keys) bool {
	for i := range list {
		if list[i].holds(k) != yes {
			return false
		}
	}
	return true
}

// answer is the statement's answer as DuckDB would give it. errNoDigest: DuckDB has to.
func (r *digestRun) answer(ctx context.Context, files []*lake.FileEntry) (*rowSet, error) {
	r.rows, r.picked = map[keys]*groupRow{}, digest.NewSelection()
	found, err := r.open(ctx, files)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if err := r.addFile(r.files[i], found[i]); err != nil {
			return nil, err
		}
	}
	if err := r.addHot(); err != nil {
		return nil, err
	}
	if err := r.addLoose(ctx); err != nil {
		return nil, err
	}
	if err := r.picked.Run(ctx, digestWorkers); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errNoDigest // damaged, or too much for the memory
	}
	if !r.grouped && len(r.list) == 0 {
		if _, err := r.row(&keys{}); err != nil {
			return nil, err
		}
	}
	return r.result()
}

// open reads the digests of the files that lie in the time range as a whole, and puts the other files aside.
func (r *digestRun) open(ctx context.Context, files []*lake.FileEntry) ([]digest.File, error) {
	for _, f := range files {
		if f.MinTS >= r.window.from && f.MaxTS < r.window.to {
			r.files = append(r.files, f)
		} else {
			r.loose = append(r.loose, f)
		}
	}
	found, err := r.engine.digests.Read(ctx, r.files, min(digestWorkers, runtime.NumCPU()), &r.read)
	if err != nil {
		return nil, err
	}
	n := 0
	for i, d := range found {
		if d.Digest == nil || d.EndpointsDropped && r.detail == keyEndpoint || d.RegionsDropped && r.detail == keyRegion {
			r.loose = append(r.loose, r.files[i])
			continue
		}
		found[n], r.files[n] = d, r.files[i]
		n++
	}
	r.files, found = r.files[:n], found[:n]
	if len(r.loose) > n { // most of the work is DuckDB's: it does all of it in one go
		return nil, errNoDigest
	}
	return found, nil
}

// addFile adds the events of one file, by the key that the statement needs beside the file's own.
func (r *digestRun) addFile(f *lake.FileEntry, d digest.File) error {
	k := &r.cell
	*k = keys{}
	k[keyDate].n, k[keyService].text, k[keyStatus].n = int64(f.Partition.Date), f.Partition.Service, int64(f.Partition.Status)
	switch r.detail {
	case keyEndpoint:
		for i := range d.Endpoints {
			e := &d.Endpoints[i]
			k[keyEndpoint] = textValue(e.Name)
			if err := r.addCell(k, e.Events, e.Latencies, d, i, i+1); err != nil {
				return err
			}
		}
	case keyRegion:
		for _, c := range d.Regions {
			k[keyRegion].text = c.Name
			if err := r.addCell(k, c.Events, 0, d, 0, 0); err != nil {
				return err
			}
		}
	case keyHour:
		for hour, events := range d.Hours {
			k[keyHour].n = int64(f.Partition.Date.Start()) + int64(hour)*3600*1_000_000
			if err := r.addCell(k, events, 0, d, 0, 0); err != nil {
				return err
			}
		}
	default:
		var latencies int64
		for i := range d.Endpoints {
			latencies += d.Endpoints[i].Latencies
		}
		return r.addCell(k, d.Events, latencies, d, 0, len(d.Endpoints))
	}
	return nil
}

// addCell adds events of the same keys if the conditions hold. Their latencies are those of the digest's endpoints from..to.
func (r *digestRun) addCell(k *keys, events, latencies int64, d digest.File, from, to int) error {
	if !allHold(r.where, k) {
		return nil
	}
	row, err := r.count(k, events, latencies)
	if row == nil || err != nil {
		return err
	}
	for i := range r.latency {
		if f := r.latency[i].filter; f == nil || f.holds(k) == yes {
			for e := from; e < to; e++ {
				r.picked.Add(row.picks[i], d, e)
			}
		}
	}
	return nil
}

// count adds events of the same keys to their row, and answers it: nil when there is none.
func (r *digestRun) count(k *keys, events, latencies int64) (*groupRow, error) {
	if r.measured {
		events = latencies
	}
	if events == 0 {
		return nil, nil
	}
	row, err := r.row(k)
	if err != nil {
		return nil, err
	}
	for i := range r.counts {
		c := &r.counts[i]
		if c.filter != nil && c.filter.holds(k) != yes {
			continue
		}
		if c.latencies {
			row.counts[i] += latencies
		} else {
			row.counts[i] += events
		}
	}
	return row, nil
}

// row is the row to which events of these keys belong.
func (r *digestRun) row(k *keys) (*groupRow, error) {
	var by keys
	for _, g := range r.groups {
		by[g] = k[g]
	}
	if row := r.rows[by]; row != nil {
		return row, nil
	}
	if len(r.rows) == maxDigestGroups {
		return nil, errNoDigest
	}
	row := &groupRow{keys: by, counts: make([]int64, len(r.counts)), picks: make([]int, len(r.latency))}
	for i := range r.latency {
		row.picks[i] = r.picked.Group(r.latency[i].quantiles...)
	}
	r.rows[by] = row
	r.list = append(r.list, row)
	return row, nil
}

// result makes the rows' values, orders them and cuts them off.
func (r *digestRun) result() (*rowSet, error) {
	set := &rowSet{}
	for _, it := range r.items[:r.columns] {
		set.columns = append(set.columns, it.name)
		set.types = append(set.types, it.typeName())
	}
	for _, row := range r.list {
		values := make([]driver.Value, len(r.items))
		for i := range r.items {
			var err error
			if values[i], err = r.value(&r.items[i], row); err != nil {
				return nil, err
			}
		}
		set.rows = append(set.rows, values)
	}
	slices.SortStableFunc(set.rows, r.compareRows)
	set.rows = set.rows[min(r.offset, int64(len(set.rows))):]
	if r.limit >= 0 {
		set.rows = set.rows[:min(r.limit, int64(len(set.rows)))]
	}
	for i := range set.rows {
		set.rows[i] = set.rows[i][:r.columns]
	}
	return set, nil
}

func (it *item) typeName() string {
	switch it.kind {
	case keyItem:
		return keyColumn(it.at).info().kind
	case countItem:
		return "BIGINT"
	}
	return "DOUBLE"
}

func (r *digestRun) value(it *item, row *groupRow) (driver.Value, error) {
	switch it.kind {
	case keyItem:
		return keyColumn(it.at).result(row.keys[it.at]), nil
	case countItem:
		return row.counts[it.at], nil
	case ratioItem:
		if row.counts[it.over] == 0 {
			return nil, errNoDigest // by zero: DuckDB's affair
		}
		return float64(row.counts[it.at]) / float64(row.counts[it.over]), nil
	}
	if pick := row.picks[it.at]; r.picked.Count(pick) > 0 {
		return r.picked.Quantile(pick, it.over), nil
	}
	return nil, nil
}

// compareRows orders rows by the statement's ORDER BY.
func (r *digestRun) compareRows(a, b []driver.Value) int {
	for _, by := range r.order {
		if c := by.compare(a[by.item], b[by.item]); c != 0 {
			return c
		}
	}
	return 0
}

func (by *ordering) compare(a, b driver.Value) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil || b == nil:
		if (a == nil) == by.nullsFirst {
			return -1
		}
		return 1
	}
	c := 0
	switch a := a.(type) {
	case int64:
		c = cmp.Compare(a, b.(int64))
	case float64:
		c = cmp.Compare(a, b.(float64))
	case string:
		c = strings.Compare(a, b.(string))
	case time.Time:
		c = a.Compare(b.(time.Time))
	}
	if by.descending {
		return -c
	}
	return c
}
