package lake

import "testing"

// The window of known events and the runs share the memory of a conversion: the larger the one, the smaller the others, down to a half.
func TestRunsMakeRoomForTheWindow(t *testing.T) {
	dir := t.TempDir()
	l := openOwner(t, dir)
	room := func(known int64) {
		t.Helper()
		if got, want := l.runRoom(), runBytes-2*27*known; got != want {
			t.Errorf("beside %d known events a run takes %d bytes, want %d", known, got, want)
		}
	}
	room(0)
	for i := range 3 {
		if _, err := l.Append(t.Context(), BenchBatch(100, uint64(100*i))); err != nil {
			t.Fatal(err)
		}
		room(int64(100 * (i + 1)))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openOwner(t, dir)
	room(300)
	l.raw.known.Store(1 << 30)
	if got := l.runRoom(); got != runBytes/2 {
		t.Errorf("beside a window without end a run takes %d bytes, want half of %d", got, runBytes)
	}
}
