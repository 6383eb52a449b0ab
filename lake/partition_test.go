package lake

import "testing"

// FuzzPartition: a folder that is understood is the one that its partition has, but for leading zeros and signs of the status.
func FuzzPartition(f *testing.F) {
	for _, dir := range []string{"event_date=2026-11-21/service_name=checkout/status_code=500", "event_date=0000-01-01/service_name=a/status_code=-1", "event_date=/service_name=/status_code=", "a/b/c"} {
		f.Add(dir)
	}
	f.Fuzz(func(t *testing.T, dir string) {
		p, err := ParsePartition(dir)
		if err != nil {
			return
		}
		if again, err := ParsePartition(p.Dir()); err != nil || again != p {
			t.Fatalf("%q is %+v, and its own folder %+v %v", dir, p, again, err)
		}
	})
}
