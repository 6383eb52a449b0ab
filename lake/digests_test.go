package lake

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake/digest"
)

// oddEvents differ in all that a digest tells apart.
func oddEvents(r *rand.Rand, n int) Batch {
	var b Batch
	for i := range n {
		e := Event{
			EventID: fmt.Sprintf("odd-%d-%d", n, i), Timestamp: MicrosOf(testClock()) - Micros(r.Int64N(2*microsPerDay)), ReceivedAt: MicrosOf(testClock()),
			ServiceName: []string{"checkout", "cart"}[r.IntN(2)], Endpoint: []string{"", "/a", "/b/" + strings.Repeat("c", r.IntN(300))}[r.IntN(3)], Region: fmt.Sprint("r", r.IntN(3)), Level: "info",
			StatusCode: []int32{200, 500}[r.IntN(2)], LatencyMS: []float64{0, 0.0001, 7.123456789, 12.5, math.Round(r.Float64()*1e6) / 1000}[r.IntN(5)], HasLatency: r.IntN(10) > 0,
		}
		if !e.HasLatency {
			e.LatencyMS = 0
		}
		b.Lines = e.AppendLine(b.Lines)
		b.N++
	}
	return b
}

func digestedLake(t testing.TB) *Lake {
	t.Helper()
	l := openOwner(t, t.TempDir())
	r := rand.New(rand.NewPCG(21, 22))
	for range 2 {
		if _, err := l.Append(t.Context(), oddEvents(r, 3000)); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Convert(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func filesOf(l *Lake) []*FileEntry {
	var files []*FileEntry
	v := l.Current()
	for i := range v.Files {
		files = append(files, &v.Files[i])
	}
	return files
}

func TestEveryFileCarriesItsDigest(t *testing.T) {
	l := digestedLake(t)
	files := filesOf(l)
	var read DigestRead
	found, err := NewDigests(l.Layout(), 0).Read(t.Context(), files, 2, &read)
	if err != nil {
		t.Fatal(err)
	}
	var size, rows int64
	for i, f := range files {
		if found[i].Digest == nil || found[i].Events != f.Rows {
			t.Fatalf("%s: %+v", f.Partition.Dir(), found[i].Digest)
		}
		if err := checkDigest(l.Layout().Path(f), f); err != nil {
			t.Error(err)
		}
		size, rows = size+found[i].Bytes(), rows+f.Rows
	}
	if rows != 6000 || read.Bytes() < size/4 {
		t.Errorf("%d rows, %d bytes read of digests of %d", rows, read.Bytes(), size)
	}
}

func TestDigestsAreKeptUpToABound(t *testing.T) {
	l := digestedLake(t)
	files := filesOf(l)
	for _, limit := range []int64{0, 8 << 10, 1 << 20} {
		d := NewDigests(l.Layout(), limit)
		var first, second DigestRead
		for _, read := range []*DigestRead{&first, &second} {
			if _, err := d.Read(t.Context(), files, 2, read); err != nil {
				t.Fatal(err)
			}
		}
		if kept := limit > 1<<19; kept != (second.Bytes() == 0) {
			t.Errorf("with %d bytes the second time took %d, the first %d", limit, second.Bytes(), first.Bytes())
		}
		var held int64
		for _, m := range []map[string]*digest.Digest{d.young, d.old} {
			for _, k := range m {
				held += k.IndexBytes()
			}
		}
		if held > limit {
			t.Errorf("%d bytes are kept, the limit is %d", held, limit)
		}
	}
}

// TestBadDigests: whatever is wrong with the bytes, no digest comes of it, or reading its values fails.
func TestBadDigests(t *testing.T) {
	l := digestedLake(t)
	f := *filesOf(l)[0]
	path := l.Layout().Path(&f)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read DigestRead
	whole, err := readDigest(path, &f, new([]byte), &read)
	if err != nil {
		t.Fatal(err)
	}
	end := f.footerStart()
	start := end - whole.Bytes()
	r := rand.New(rand.NewPCG(23, 24))
	for range 300 {
		bad := slices.Clone(good)
		bad[start+r.Int64N(end-start)] ^= 1 << r.IntN(8)
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := checkDigest(path, &f); err == nil {
			if d, err := readDigest(path, &f, new([]byte), &read); err == nil {
				t.Fatalf("a flipped bit went unnoticed: %+v", d)
			} // else the magic is gone: a file of an older release
		}
	}
	for what, change := range map[string]func() []byte{"cut off": func() []byte { return good[:start+4] }, "empty": func() []byte { return nil }} {
		if err := os.WriteFile(path, change(), 0o644); err != nil {
			t.Fatal(err)
		}
		if found, err := NewDigests(l.Layout(), 1<<20).Read(t.Context(), []*FileEntry{&f}, 1, &read); err != nil || found[0].Digest != nil {
			t.Errorf("%s: %v, %v", what, found[0].Digest, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if found, err := NewDigests(l.Layout(), 1<<20).Read(t.Context(), []*FileEntry{&f}, 1, &read); err != nil || found[0].Digest != nil {
		t.Errorf("gone: %v, %v", found[0].Digest, err)
	}
}

// TestVerifyNoticesALyingDigest gives a file the digest of another one: every checksum is right then, and the numbers are not.
func TestVerifyNoticesALyingDigest(t *testing.T) {
	l := digestedLake(t)
	f := *filesOf(l)[0]
	path := l.Layout().Path(&f)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read DigestRead
	truth, err := readDigest(path, &f, new([]byte), &read)
	if err != nil {
		t.Fatal(err)
	}
	for what, shift := range map[string]float64{"a latency": 0.001, "nothing": 0} {
		b := new(digest.Builder)
		b.Reset()
		var c digest.Columns
		var names ownNames
		pf, err := openParquet(path)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = pf.digestColumns(0, f.Rows, &names, &names); err != nil {
			t.Fatal(err)
		}
		for i := range c.Latencies {
			if c.Latencies[i] > 100 {
				c.Latencies[i] = math.Round((c.Latencies[i]+shift)*1000) / 1000
				break
			}
		}
		b.Add(c)
		name := func(number int) string { return names.names[number] }
		lie := b.Append(nil, name, name)
		end := f.footerStart()
		spliced := slices.Concat(file[:end-truth.Bytes()], lie, file[end:])
		other := f
		other.Bytes = int64(len(spliced))
		if err := os.WriteFile(path+".lie", spliced, 0o644); err != nil {
			t.Fatal(err)
		}
		err = checkDigest(path+".lie", &other)
		if lies := shift > 0; lies != (err != nil && strings.Contains(err.Error(), "does not agree with its columns")) {
			t.Errorf("%s was changed: %v", what, err)
		}
	}
}
