package lake

import (
	"bytes"
	"testing"
)

func TestRecordRoundTrip(t *testing.T) {
	for _, want := range []record{
		{kind: kindBatch, flags: flagGroup, n: 3, first: 77, start: 12, length: 99, crc: 5, at: -4, note: []byte("key")},
		{kind: kindBatch, n: 1, first: 50, start: 1 << 40, length: 1<<32 - 1, note: bytes.Repeat([]byte{0}, maxNote)},
		{kind: kindSeal, flags: flagHoles, n: 9, first: 80, start: 111},
		{kind: kindHole, flags: flagDoubt, n: 1, first: 60},
	} {
		p := appendRecord([]byte("before"), 50, &want)[len("before"):]
		got, size, ok := parseRecord(50, append(p, "behind"...))
		if !ok || size != len(p) || !bytes.Equal(got.note, want.note) {
			t.Fatalf("%+v: %+v %d %v", want, got, size, ok)
		}
		got.note, want.note = nil, nil
		if got.kind != want.kind || got.flags != want.flags || got.n != want.n || got.first != want.first || got.start != want.start ||
			got.length != want.length || got.crc != want.crc || got.at != want.at {
			t.Fatalf("%+v: got %+v", want, got)
		}
		if _, _, ok := parseRecord(49, p); ok {
			t.Error("another segment's record passes")
		}
		for n := range p {
			if _, _, ok := parseRecord(50, p[:n]); ok {
				t.Errorf("half a record passes: %d of %d bytes", n, len(p))
			}
		}
	}
}

// FuzzIndex: whatever an index holds, reading it ends, invents nothing, and what it accepts is what a writer writes.
func FuzzIndex(f *testing.F) {
	whole := appendHeader(nil, header{first: 9, prevEnd: 4, started: 1})
	whole = appendRecord(whole, 9, &record{kind: kindBatch, flags: flagGroup, n: 2, first: 9, length: 40})
	whole = appendRecord(whole, 9, &record{kind: kindBatch, n: 1, first: 11, start: 40, length: 20, note: []byte("n")})
	f.Add(whole)
	f.Add(appendRecord(whole[:len(whole):len(whole)], 9, &record{kind: kindSeal, n: 3, first: 12, start: 60, crc: crc32c(0, whole)}))
	f.Add(append(whole[:headerSize+10:headerSize+10], whole[headerSize:]...))
	f.Add([]byte("SLIX"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, p []byte) {
		if h, err := parseHeader(9, p); err == nil && !bytes.HasPrefix(p, appendHeader(nil, h)[:6]) {
			t.Fatal("a header of another shape passes")
		}
		s := scanRecords(9, p)
		for i := range s.records {
			if !bytes.Contains(p, appendRecord(nil, 9, &s.records[i])) {
				t.Fatalf("record %+v is not in the index", s.records[i])
			}
		}
		if s.end > int64(max(len(p), headerSize)) || (s.whole && s.seal == nil) {
			t.Fatalf("%+v", s)
		}
	})
}
