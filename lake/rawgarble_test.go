package lake_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// specimen is one segment of a few batches, each a group of its own, as its two files.
type specimen struct {
	data, index []byte
	batches     [][]lineAt
	dataEnds    []int // where each batch ends in data
	indexEnds   []int // and its record in index
}

func makeSpecimen(t *testing.T, sealed bool) *specimen {
	t.Helper()
	dir := t.TempDir()
	r := openLog(t, dir, lake.OSDisk{}, 0)
	s := &specimen{}
	indexEnd := lake.IndexHeader
	for i := range 6 {
		b := batchOf(fmt.Sprint("g", i), 1+i%3)
		if i == 4 {
			b.Note = []byte("a note")
		}
		first := mustAppend(t, r, b)
		s.data = append(s.data, b.Lines...)
		indexEnd += lake.IndexRecord + len(b.Note)
		s.batches = append(s.batches, splitLines(first, b.Lines))
		s.dataEnds, s.indexEnds = append(s.dataEnds, len(s.data)), append(s.indexEnds, indexEnd)
	}
	if sealed {
		if err := r.Seal(); err != nil {
			t.Fatal(err)
		}
	}
	l := lake.Layout{Root: dir}
	data, err1 := os.ReadFile(l.SegmentData(1))
	index, err2 := os.ReadFile(l.SegmentIndex(1))
	if err := errors.Join(err1, err2); err != nil || !bytes.Equal(data, s.data) {
		t.Fatalf("the data file is not the batches' lines: %v", err)
	}
	s.index = index
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// open lays the files out (nil: no file) and opens the log on a disk without syncs.
func (s *specimen) open(dir string, data, index []byte) (lake.RawLog, error) {
	l := lake.Layout{Root: dir}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(l.Raw(), 0o755)); err != nil {
		return lake.RawLog{}, err
	}
	if data != nil {
		if err := os.WriteFile(l.SegmentData(1), data, 0o644); err != nil {
			return lake.RawLog{}, err
		}
	}
	if index != nil {
		if err := os.WriteFile(l.SegmentIndex(1), index, 0o644); err != nil {
			return lake.RawLog{}, err
		}
	}
	return reopenLog(dir)
}

func reopenLog(dir string) (lake.RawLog, error) {
	disk, err := laketest.NewCrashDisk(dir)
	if err != nil {
		return lake.RawLog{}, err
	}
	return lake.OpenRawLog(lake.Layout{Root: dir}, disk, fixedNow, 0, false)
}

// expect opens garbled files and compares: the batches that stay, and those whose loss is named. A second opening says the same.
func (s *specimen) expect(t *testing.T, dir, what string, data, index []byte, present, named func(batch int) bool) {
	t.Helper()
	r, err := s.open(dir, data, index)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	var want []lineAt
	for i, b := range s.batches {
		if present(i) {
			want = append(want, b...)
		}
	}
	before := r.Quarantined()
	for i, b := range s.batches {
		if !named(i) || present(i) {
			continue
		}
		if !slices.ContainsFunc(before, func(q string) bool { return covers(q, b[0].seq, b[len(b)-1].seq) }) {
			t.Fatalf("%s: batch %d (events %d to %d) is lost and not named: %q", what, i, b[0].seq, b[len(b)-1].seq, before)
		}
	}
	got, err := readAll(r)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	same(t, what, got, want)
	b := batchOf("behind", 2)
	want = append(want, splitLines(mustAppend(t, r, b), b.Lines)...)
	if err := r.Close(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if r, err = reopenLog(dir); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer r.Close()
	got, err = tailAll(t.Context(), r, 1)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	same(t, what+", opened again", got, want)
	if after := r.Quarantined(); !slices.Equal(after, before) {
		t.Fatalf("%s: quarantined %q, the second time %q", what, before, after)
	}
}

// covers reads "events A to B are damaged" out of a sentence.
func covers(sentence string, first, last lake.Seq) bool {
	var a, b lake.Seq
	i := strings.Index(sentence, "events ")
	if i < 0 {
		return false
	}
	n, _ := fmt.Sscanf(sentence[i:], "events %d to %d", &a, &b)
	return n == 2 && a <= first && last <= b
}

func flipped(p []byte, at int) []byte {
	q := bytes.Clone(p)
	q[at] ^= 0x20
	return q
}

func zeroed(p []byte, from int) []byte {
	q := bytes.Clone(p)
	clear(q[from:])
	return q
}

// TestGarbledTail damages the files of an unsealed segment at every byte of the last three batches.
func TestGarbledTail(t *testing.T) {
	t.Parallel()
	s := makeSpecimen(t, false)
	dir := filepath.Join(memDir(t), "lake")
	last := len(s.batches) - 1
	none := func(int) bool { return false }
	holder := func(ends []int, at int) int { return slices.IndexFunc(ends, func(end int) bool { return at < end }) }
	for at := s.dataEnds[last-3]; at < len(s.data); at += stride() {
		k := holder(s.dataEnds, at)
		others := func(i int) bool { return i != k }
		before := func(i int) bool { return i < k }
		acknowledged := func(i int) bool { return i < last } // a later record says so
		s.expect(t, dir, fmt.Sprint("data flipped at ", at), flipped(s.data, at), s.index, others, acknowledged)
		s.expect(t, dir, fmt.Sprint("data cut at ", at), s.data[:at], s.index, before, acknowledged)
		s.expect(t, dir, fmt.Sprint("data zeros from ", at), zeroed(s.data, at), s.index, before, acknowledged)
	}
	for at := s.indexEnds[last-3]; at < len(s.index); at += stride() {
		k := holder(s.indexEnds, at)
		others := func(i int) bool { return i != k }
		before := func(i int) bool { return i < k }
		s.expect(t, dir, fmt.Sprint("index flipped at ", at), s.data, flipped(s.index, at), others, func(i int) bool { return i < last })
		s.expect(t, dir, fmt.Sprint("index cut at ", at), s.data, s.index[:at], before, none)
		s.expect(t, dir, fmt.Sprint("index zeros from ", at), s.data, zeroed(s.index, at), before, none)
	}
	all := func(int) bool { return true }
	for n := 1; n < 100; n += 7 {
		foreign := bytes.Repeat([]byte("?{\x00\n"), n)
		s.expect(t, dir, fmt.Sprint("foreign data behind ", n), append(bytes.Clone(s.data), foreign...), s.index, all, none)
		s.expect(t, dir, fmt.Sprint("foreign index behind ", n), s.data, append(bytes.Clone(s.index), foreign...), all, none)
		s.expect(t, dir, fmt.Sprint("records twice ", n), s.data, append(bytes.Clone(s.index), s.index[lake.IndexHeader:]...), all, none)
	}
	for at := range lake.IndexHeader {
		s.expect(t, dir, fmt.Sprint("header flipped at ", at), s.data, flipped(s.index, at), all, none)
	}
}

// TestGarbledSealedIndex damages a sealed index at every byte: nothing that is whole is lost, and what is lost is named.
func TestGarbledSealedIndex(t *testing.T) {
	s := makeSpecimen(t, true)
	dir := filepath.Join(memDir(t), "lake")
	all := func(int) bool { return true }
	for at := range s.index {
		k := slices.IndexFunc(s.indexEnds, func(end int) bool { return at < end })
		if at < lake.IndexHeader || k < 0 {
			k = len(s.batches) // the header or the seal: no batch is touched
		}
		s.expect(t, dir, fmt.Sprint("flipped at ", at), s.data, flipped(s.index, at), func(i int) bool { return i != k }, all)
	}
}

// TestGarbledSealedData: opening does not read sealed data; reading it names the place, and repair sets it aside.
func TestGarbledSealedData(t *testing.T) {
	s := makeSpecimen(t, true)
	dir := filepath.Join(memDir(t), "lake")
	for k, b := range s.batches {
		start := 0
		if k > 0 {
			start = s.dataEnds[k-1]
		}
		r, err := s.open(dir, flipped(s.data, start+3), s.index)
		if err != nil || len(r.Quarantined()) != 0 {
			t.Fatalf("open: %v %q", err, r.Quarantined())
		}
		_, err = readAll(r)
		var damage *lake.DamageError
		if !errors.As(err, &damage) || damage.Offset != int64(start) || damage.First != b[0].seq || damage.End != b[len(b)-1].seq+1 ||
			damage.File != (lake.Layout{Root: dir}).SegmentData(1) {
			t.Fatalf("batch %d at byte %d: %v", k, start, err)
		}
		tail := r.Tail(b[0].seq)
		for range 2 { // it does not slip past the damage when called again
			if _, err := tail.Next(t.Context()); !errors.As(err, &damage) {
				t.Fatalf("tail: %v", err)
			}
		}
		if err := r.Repair(1); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(r)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "after repair", got, slices.Concat(slices.Delete(slices.Clone(s.batches), k, k+1)...))
		if k+1 < len(s.batches) {
			if b, err := tail.Next(t.Context()); err != nil || b.First != s.batches[k+1][0].seq {
				t.Fatalf("tail after repair: %+v, %v", b, err)
			}
		}
		if q := r.Quarantined(); len(q) != 1 || !covers(q[0], b[0].seq, b[len(b)-1].seq) || strings.Contains(q[0], "perhaps") {
			t.Fatalf("quarantined: %q", q)
		}
		if err := errors.Join(tail.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
	all := func(int) bool { return true }
	for at := s.dataEnds[1] + 1; at < len(s.data); at += 5 { // a file that is too short is noticed at once
		k := slices.IndexFunc(s.dataEnds, func(end int) bool { return at < end })
		s.expect(t, dir, fmt.Sprint("cut at ", at), s.data[:at], s.index, func(i int) bool { return i < k }, all)
	}
}

// TestDamagedBytesAreKept: quarantine/ holds what stood in the damaged range.
func TestDamagedBytesAreKept(t *testing.T) {
	s := makeSpecimen(t, false)
	dir := t.TempDir()
	bad := flipped(s.data, s.dataEnds[1]+2)
	r, err := s.open(dir, bad, s.index)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := fmt.Sprintf("%020d.jsonl-at-%d", 1, s.dataEnds[1])
	kept, err := os.ReadFile(filepath.Join(lake.Layout{Root: dir}.Quarantine(), name))
	if err != nil || !bytes.Equal(kept, bad[s.dataEnds[1]:s.dataEnds[2]]) {
		t.Fatalf("%q, %v", kept, err)
	}
	if q := r.Quarantined(); len(q) != 1 || !strings.Contains(q[0], name) {
		t.Fatalf("quarantined: %q", q)
	}
}

func TestLostIndex(t *testing.T) {
	s := makeSpecimen(t, true)
	for what, index := range map[string][]byte{"gone": nil, "empty": {}, "header and nothing": flipped(s.index[:lake.IndexHeader], 9)} {
		dir := filepath.Join(t.TempDir(), "lake")
		r, err := s.open(dir, s.data, index)
		if err != nil {
			t.Fatal(err)
		}
		path := lake.Layout{Root: dir}.SegmentData(1)
		if q := r.Quarantined(); len(q) != 1 || !strings.Contains(q[0], path) || !strings.Contains(q[0], "12 lines") {
			t.Errorf("%s: quarantined %q", what, q)
		}
		if first := mustAppend(t, r, batchOf("a", 1)); first < s.batches[len(s.batches)-1][0].seq+lake.SeqJump {
			t.Errorf("%s: seq %d is used again", what, first)
		}
		if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, s.data) {
			t.Errorf("%s: the data was changed: %v", what, err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.open(filepath.Join(t.TempDir(), "lake"), nil, s.index)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if q := r.Quarantined(); len(q) != 1 || !covers(q[0], 1, s.batches[len(s.batches)-1][0].seq) {
		t.Errorf("data gone: quarantined %q", q)
	}
}

// TestLongTailWithoutIndex: more than one group without index records was acknowledged once; it is kept.
func TestLongTailWithoutIndex(t *testing.T) {
	s := makeSpecimen(t, false)
	dir := t.TempDir()
	long := bytes.Repeat([]byte("{\"x\":1}\n"), lake.GroupBytes/8+1)
	r, err := s.open(dir, append(bytes.Clone(s.data), long...), s.index)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	kept, err := os.ReadFile(filepath.Join(lake.Layout{Root: dir}.Quarantine(), fmt.Sprintf("%020d.jsonl-at-%d", 1, len(s.data))))
	if err != nil || !bytes.Equal(kept, long) || len(r.Quarantined()) != 1 {
		t.Fatalf("%d bytes kept, %v, quarantined %q", len(kept), err, r.Quarantined())
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	s := makeSpecimen(t, true)
	dir := t.TempDir()
	newer := lake.NewerIndex(s.index)
	if _, err := s.open(dir, s.data, newer); !errors.Is(err, lake.ErrNewer) || !strings.Contains(err.Error(), ".idx") {
		t.Fatalf("owner: %v", err)
	}
	if _, err := lake.OpenRawLog(lake.Layout{Root: dir}, lake.OSDisk{}, fixedNow, 0, true); !errors.Is(err, lake.ErrNewer) {
		t.Fatalf("reader: %v", err)
	}
	l := lake.Layout{Root: dir}
	data, err1 := os.ReadFile(l.SegmentData(1))
	index, err2 := os.ReadFile(l.SegmentIndex(1))
	if err1 != nil || err2 != nil || !bytes.Equal(data, s.data) || !bytes.Equal(index, newer) {
		t.Fatalf("the files were changed: %v %v", err1, err2)
	}
}
