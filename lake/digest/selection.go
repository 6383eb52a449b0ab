package digest

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"

	"github.com/signallake/signallake/lake/rollup"
)

// maxSelected is how many values a selection may hold: 256 MiB of them. Whoever needs more sorts more than that anyway.
const maxSelected = 32 << 20

// ErrTooMany says that a selection would hold too many values in memory.
var ErrTooMany = errors.New("digest: too many latencies lie in the buckets of the quantiles")

// File is a digest, and where its values are.
type File struct {
	*Digest
	Values io.ReaderAt // from offset 0 on; may be called from several goroutines
}

// Selection finds exact quantiles of groups of latencies: all of some digests' endpoints, and loose values. Fill it, Run it once, then ask.
type Selection struct {
	groups []group
	files  []selected
	number map[*Digest]int // in files
}

// group is the latencies that quantiles are wanted of.
type group struct {
	quantiles []float64
	members   []member
	loose     [][]float64
	count     int64
	wants     []*want
	found     []float64 // the quantiles; empty of an empty group
}

// member is one endpoint of a file in a group.
type member struct{ file, endpoint int32 }

// selected is one file and which groups its endpoints belong to.
type selected struct {
	File
	groups [][]int32 // by endpoint
}

// want is a bucket that holds a rank, and what is known of its values.
type want struct {
	bucket int
	below  int64 // latencies in lower buckets
	count  int64

	mu     sync.Mutex
	values []float64
	alike  []alike // of cells whose values need no bits
}

// alike is some equal latencies.
type alike struct {
	ms    float64
	count int64
}

// NewSelection makes an empty selection.
func NewSelection() *Selection { return &Selection{number: map[*Digest]int{}} }

// Group makes a group of which some quantiles, each of 0 to 1, are wanted, and answers its number.
func (s *Selection) Group(quantiles ...float64) int {
	s.groups = append(s.groups, group{quantiles: quantiles})
	return len(s.groups) - 1
}

// Add adds the latencies of one endpoint to a group.
func (s *Selection) Add(group int, f File, endpoint int) {
	n, ok := s.number[f.Digest]
	if !ok {
		n = len(s.files)
		s.number[f.Digest] = n
		s.files = append(s.files, selected{File: f, groups: make([][]int32, len(f.Endpoints))})
	}
	s.files[n].groups[endpoint] = append(s.files[n].groups[endpoint], int32(group))
	s.groups[group].members = append(s.groups[group].members, member{int32(n), int32(endpoint)})
}

// AddLoose adds single latencies to a group. The slice is kept and not changed.
func (s *Selection) AddLoose(group int, values []float64) {
	s.groups[group].loose = append(s.groups[group].loose, values)
}

// Run finds the values. Errors: ErrTooMany, of reading, of values that do not fit their checksums, and ctx's.
func (s *Selection) Run(ctx context.Context, workers int) error {
	if err := parallel(ctx, workers, len(s.groups), func() func(int) error {
		var counts bucketCounts
		return func(i int) error {
			s.locate(&s.groups[i], &counts)
			return nil
		}
	}); err != nil {
		return err
	}
	var total int64
	for i := range s.groups {
		for _, w := range s.groups[i].wants {
			if _, width := rollup.BucketRange(int16(w.bucket)); width > 0 { // else nearly all of them are alike
				total += w.count
			}
		}
	}
	if total > maxSelected {
		return ErrTooMany
	}
	if err := parallel(ctx, workers, len(s.files), func() func(int) error {
		var f fetcher
		return func(i int) error { return f.fetch(s, &s.files[i]) }
	}); err != nil {
		return err
	}
	return parallel(ctx, workers, len(s.groups), func() func(int) error {
		return func(i int) error {
			s.groups[i].interpolate()
			return nil
		}
	})
}

// parallel runs job for each of 0..n-1, on as many goroutines as workers; each makes its own job, with its own scratch.
func parallel(ctx context.Context, workers, n int, job func() func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	work := func() {
		run := job()
		for failed.Load() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			err := ctx.Err()
			if err == nil {
				err = run(i)
			}
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		}
	}
	var wg sync.WaitGroup
	for range min(workers, n) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// bucketCounts is how many latencies of a group lie in each bucket.
type bucketCounts [rollup.MaxBucket + 1]int64

// locate counts a group's latencies by bucket and finds the buckets of its ranks.
func (s *Selection) locate(g *group, counts *bucketCounts) {
	clear(counts[:])
	for _, m := range g.members {
		f := &s.files[m.file]
		r := f.Endpoints[m.endpoint].reader()
		for r.next() {
			counts[r.bucket] += r.count
		}
		g.count += f.Endpoints[m.endpoint].Latencies
	}
	for _, values := range g.loose {
		for _, ms := range values {
			counts[rollup.BucketOf(ms)]++
		}
		g.count += int64(len(values))
	}
	if g.count == 0 {
		return
	}
	for _, q := range g.quantiles {
		lo, hi, _ := ranks(g.count, q)
		g.wantRank(lo, counts)
		g.wantRank(hi, counts)
	}
	for _, values := range g.loose {
		for _, ms := range values {
			if w := g.wanted(int(rollup.BucketOf(ms))); w != nil {
				w.values = append(w.values, ms)
			}
		}
	}
}

// ranks are the neighbours between which the quantile of n values lies, and how far it is from the lower one.
func ranks(n int64, q float64) (lo, hi int64, part float64) {
	at := float64(n-1) * q
	floor := math.Floor(at)
	return int64(floor), int64(math.Ceil(at)), at - floor
}

func (g *group) wantRank(rank int64, counts *bucketCounts) {
	for _, w := range g.wants {
		if rank >= w.below && rank < w.below+w.count {
			return
		}
	}
	var below int64
	for b, n := range counts {
		if rank < below+n {
			g.wants = append(g.wants, &want{bucket: b, below: below, count: n})
			return
		}
		below += n
	}
}

func (g *group) wanted(bucket int) *want {
	for _, w := range g.wants {
		if w.bucket == bucket {
			return w
		}
	}
	return nil
}

// Count is how many latencies a group has.
func (s *Selection) Count(group int) int64 { return s.groups[group].count }

// Quantile is the i-th of the group's quantiles. NaN of an empty group.
func (s *Selection) Quantile(group, i int) float64 {
	g := &s.groups[group]
	if g.count == 0 {
		return math.NaN()
	}
	return g.found[i]
}

// interpolate finds the quantiles as DuckDB's quantile_cont does it.
func (g *group) interpolate() {
	if g.count == 0 {
		return
	}
	for _, q := range g.quantiles {
		lo, hi, part := ranks(g.count, q)
		v := g.at(lo)
		if hi > lo {
			// The products are rounded one by one, also where the machine could join them with the sum.
			v = float64(v*(1-part)) + float64(g.at(hi)*part)
		}
		g.found = append(g.found, v)
	}
}

// at is the latency of a rank.
func (g *group) at(rank int64) float64 {
	for _, w := range g.wants {
		if rank >= w.below && rank < w.below+w.count {
			return w.at(rank - w.below)
		}
	}
	return math.NaN()
}
