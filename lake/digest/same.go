package digest

import (
	"bytes"
	"fmt"
	"slices"
)

// Same compares two digests in all that they say: nil, or the first difference. Latencies of one cell may come in any order.
func Same(a, b File) error {
	switch {
	case a.Events != b.Events || a.Hours != b.Hours || a.EndpointsDropped != b.EndpointsDropped || a.RegionsDropped != b.RegionsDropped || a.unit != b.unit:
		return fmt.Errorf("%d events by hour %v, the other %d by hour %v", a.Events, a.Hours, b.Events, b.Hours)
	case !slices.Equal(a.Regions, b.Regions):
		return fmt.Errorf("regions %v, the other %v", a.Regions, b.Regions)
	case len(a.Endpoints) != len(b.Endpoints):
		return fmt.Errorf("%d endpoints, the other %d", len(a.Endpoints), len(b.Endpoints))
	}
	for i := range a.Endpoints {
		if x, y := &a.Endpoints[i], &b.Endpoints[i]; x.Count != y.Count || x.Latencies != y.Latencies || !bytes.Equal(x.cells, y.cells) {
			return fmt.Errorf("endpoint %q with %d events and %d latencies, the other %q with %d and %d, or they lie in other buckets",
				x.Name, x.Events, x.Latencies, y.Name, y.Events, y.Latencies)
		}
	}
	left, err := a.listed()
	if err != nil {
		return err
	}
	right, err := b.listed()
	if err != nil {
		return err
	}
	for i := range left {
		if !slices.Equal(left[i].values, right[i].values) {
			return fmt.Errorf("latencies of bucket %d, endpoint %q are others", left[i].bucket, a.Endpoints[left[i].endpoint].Name)
		}
	}
	return nil
}

// cellValues is the sorted values of a cell that has bits.
type cellValues struct {
	bucket   int
	endpoint int32
	values   []float64
}

// listed reads all values.
func (f File) listed() ([]cellValues, error) {
	var all fetcher
	for i := range f.Endpoints {
		for r := f.Endpoints[i].reader(); r.next(); {
			all.marks = append(all.marks, r.bucket)
		}
	}
	slices.Sort(all.marks)
	all.marks = slices.Compact(all.marks)
	all.find(f.Digest)
	all.place(f.Digest, func(*foundCell) bool { return true })
	var out []cellValues
	err := all.each(f, func(c *foundCell, _ alike, values []float64) {
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		out = append(out, cellValues{c.bucket, c.endpoint, sorted})
	})
	return out, err
}
