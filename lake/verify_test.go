package lake

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// eventLines are n canonical lines, spread over services, codes and two days.
func eventLines(n int) Batch {
	var b Batch
	for i := range n {
		e := Event{
			EventID: fmt.Sprintf("id-%d", i), Timestamp: MicrosOf(testClock()) - Micros(i%2)*microsPerDay, ReceivedAt: MicrosOf(testClock()),
			ServiceName: []string{"checkout", "cart", "search"}[i%3], Endpoint: "/x", Method: "GET", Region: "eu", Level: "info",
			StatusCode: []int32{200, 500}[i%2], LatencyMS: float64(i), HasLatency: true,
		}
		b.Lines = e.AppendLine(b.Lines)
		b.N++
	}
	return b
}

func mustAppendEvents(t testing.TB, l *Lake, n int) {
	t.Helper()
	if _, err := l.Append(context.Background(), eventLines(n)); err != nil {
		t.Fatal(err)
	}
}

// verifiedLake has 600 converted events in two commits and 50 hot ones.
func verifiedLake(t testing.TB) *Lake {
	t.Helper()
	l := openOwner(t, t.TempDir())
	for range 2 {
		mustAppendEvents(t, l, 100)
		mustAppendEvents(t, l, 200)
		if _, err := l.Convert(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	}
	mustAppendEvents(t, l, 50)
	return l
}

func mustVerify(t testing.TB, l *Lake) VerifyReport {
	t.Helper()
	r, err := l.Verify(context.Background(), &Progress{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerifySoundLake(t *testing.T) {
	l := verifiedLake(t)
	r := mustVerify(t, l)
	if want := (VerifyEvents{Raw: 650, Parquet: 600, Hot: 50, Visible: 650}); !r.OK || r.Events != want || r.Lost != 0 || r.Doubled != 0 {
		t.Fatalf("got %+v", r)
	}
	if s := l.Status(); s.Visible != 650 || s.RawEvents != 650 || r.FilesChecked < s.ParquetFiles+s.RawSegments+2 || r.BytesChecked < s.ParquetBytes+s.RawBytes {
		t.Fatalf("checked %d files, %d bytes; status %+v", r.FilesChecked, r.BytesChecked, s)
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"problems":[]`) || !strings.Contains(string(text), `"files_checked":`) {
		t.Fatalf("%s, %v", text, err)
	}
	reader := openFollower(t, l.layout.Root)
	if r := mustVerify(t, reader); !r.OK || r.Events.Visible != 650 {
		t.Fatalf("a reader got %+v", r)
	}
	empty := openOwner(t, t.TempDir())
	if r := mustVerify(t, empty); !r.OK || r.Events != (VerifyEvents{}) {
		t.Fatalf("an empty lake: %+v", r)
	}
}

func flipByte(t testing.TB, path string, at int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[(at+int64(len(data)))%int64(len(data))] ^= 0x10
	rewrite(t, path, data)
}

func TestVerifyFindsDamage(t *testing.T) {
	f := func(name string, spoil func(l *Lake, v *Version) (file string), check func(r VerifyReport, v *Version) bool) {
		t.Helper()
		l := verifiedLake(t)
		v := l.Current()
		file := strings.TrimPrefix(spoil(l, v), l.layout.Root+"/")
		r := mustVerify(t, l)
		named := slices.ContainsFunc(r.Problems, func(p VerifyProblem) bool { return p.File == file && p.Advice != "" })
		if r.OK || !named || !check(r, v) {
			t.Fatalf("%s: want %q named: %+v", name, file, r)
		}
	}
	rows := func(r VerifyReport, v *Version) bool { return r.Lost == v.Files[0].Rows && r.Doubled == 0 }
	nothing := func(r VerifyReport, v *Version) bool { return r.Lost == 0 && r.Doubled == 0 }
	f("a flipped byte in Parquet", func(l *Lake, v *Version) string {
		path := l.layout.Path(&v.Files[0])
		flipByte(t, path, 40)
		return path
	}, rows)
	f("a flipped byte in a footer", func(l *Lake, v *Version) string {
		path := l.layout.Path(&v.Files[0])
		flipByte(t, path, -30)
		return path
	}, rows)
	f("a missing file", func(l *Lake, v *Version) string {
		path := l.layout.Path(&v.Files[0])
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return path
	}, rows)
	f("a rollup file", func(l *Lake, v *Version) string {
		path := l.layout.RollupPath(&v.Rollups[1])
		flipByte(t, path, 50)
		return path
	}, nothing)
	f("a converted raw segment", func(l *Lake, v *Version) string {
		path := l.layout.SegmentData(1)
		flipByte(t, path, 50)
		return path
	}, nothing)
	f("the hot segment", func(l *Lake, v *Version) string {
		path := l.layout.SegmentData(v.Watermark)
		flipByte(t, path, 50)
		return path
	}, func(r VerifyReport, v *Version) bool { return r.Lost == 50 })
	f("the catalog", func(l *Lake, v *Version) string {
		path := l.cat.versionPath(1)
		flipByte(t, path, 50)
		return path
	}, nothing)
}

// A catalog that lies is found out: rows that two files hold, a range that was skipped.
func TestVerifyFindsLostAndDoubled(t *testing.T) {
	l := verifiedLake(t)
	twice := *l.Current()
	twice.Files = append(slices.Clone(twice.Files), twice.Files[0])
	l.cat.mu.Lock()
	l.cat.publish(&twice, nil)
	l.cat.mu.Unlock()
	if r := mustVerify(t, l); r.OK || r.Doubled != twice.Files[0].Rows || r.Lost != 0 {
		t.Fatalf("doubled: %+v", r)
	}
	l = verifiedLake(t)
	back := *l.Current()
	back.Watermark = l.raw.segments()[1].First // its files stay, the tail shows the second half again
	l.cat.mu.Lock()
	l.cat.publish(&back, nil)
	l.cat.mu.Unlock()
	if r := mustVerify(t, l); r.OK || r.Doubled != 300 || r.Lost != 0 {
		t.Fatalf("in both: %+v", r)
	}
	l = verifiedLake(t)
	skipped := *l.Current()
	skipped.Watermark += 50 // over the hot events
	l.cat.mu.Lock()
	l.cat.publish(&skipped, nil)
	l.cat.mu.Unlock()
	if r := mustVerify(t, l); r.OK || r.Lost != 50 || r.Events.Visible != 600 {
		t.Fatalf("lost: %+v", r)
	}
}

func TestQuarantine(t *testing.T) {
	l := verifiedLake(t)
	bad := l.Current().Files[1]
	flipByte(t, l.layout.Path(&bad), 60)
	v, err := l.Quarantine(context.Background(), bad)
	if err != nil {
		t.Fatal(err)
	}
	if v.Ledger.Quarantined != bad.Rows || slices.ContainsFunc(v.Files, func(f FileEntry) bool { return f.Name == bad.Name && f.Partition == bad.Partition }) {
		t.Fatalf("the file stays: %+v", v.Ledger)
	}
	if kept, err := os.ReadDir(l.layout.Quarantine()); err != nil || len(kept) != 1 {
		t.Fatalf("quarantine holds %v, %v", kept, err)
	}
	if r := mustVerify(t, l); !r.OK || r.Events.Visible != 650-bad.Rows {
		t.Fatalf("got %+v", r)
	}
	if _, err := l.Quarantine(context.Background(), bad); err == nil {
		t.Fatal("a second time went well")
	}
}

func TestVerifyCancelled(t *testing.T) {
	l := verifiedLake(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Verify(ctx, nil); err == nil {
		t.Fatal("a cancelled verify reports")
	}
}

// Small windows prove the same as one.
func TestVerifyWindows(t *testing.T) {
	l := verifiedLake(t)
	pin := l.Pin()
	defer pin.Release()
	v := newVerification(context.Background(), l, pin.Version, nil)
	v.window = 7
	if err := v.run(); err != nil {
		t.Fatal(err)
	}
	if !v.report.OK || v.report.Events.Visible != 650 {
		t.Fatalf("got %+v", v.report)
	}
}

func TestAutoConvert(t *testing.T) {
	f := func(name string, cfg Config) {
		t.Helper()
		cfg.Dir = t.TempDir()
		l, err := Open(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer closeLake(t, l)
		mustAppendEvents(t, l, 100)
		eventually(t, name, func() bool { return l.Status().ParquetEvents == 100 })
		if s := l.Status(); s.Visible != 100 || s.HotEvents != 0 || s.LastError != "" {
			t.Fatalf("%s: %+v", name, s)
		}
	}
	f("by age", Config{ConvertAge: 50 * time.Millisecond})
	f("by size", Config{ConvertAge: time.Hour, ConvertBytes: 1000})
}

// A conversion that fails is told, tried again, and loses nothing; Close does not wait for a retry.
func TestAutoConvertFailure(t *testing.T) {
	disk := &parquetFault{Disk: OSDisk{}}
	disk.broken.Store(true)
	l, err := Open(context.Background(), Config{Dir: t.TempDir(), Disk: disk, ConvertAge: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer closeLake(t, l)
	mustAppendEvents(t, l, 100)
	eventually(t, "the failure is told", func() bool { return strings.Contains(l.Status().LastError, errFault.Error()) })
	if s := l.Status(); s.Visible != 100 || s.HotEvents != 100 {
		t.Fatalf("got %+v", s)
	}
	disk.broken.Store(false)
	eventually(t, "it is tried again", func() bool { s := l.Status(); return s.ParquetEvents == 100 && s.LastError == "" })
	eventually(t, "nothing is left in tmp", func() bool { left, err := os.ReadDir(l.layout.Tmp()); return err == nil && len(left) == 0 })
	if r := mustVerify(t, l); !r.OK || r.Events.Visible != 100 || len(r.Foreign) != 0 {
		t.Fatalf("got %+v", r)
	}
}
