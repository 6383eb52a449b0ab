package lake

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"testing"
)

// FuzzSideFile: whatever a side file holds, reading it ends and answers only what its checksums vouch for; what was written is read back.
func FuzzSideFile(f *testing.F) {
	view := &segmentView{Segment: Segment{First: 7, End: 9, Bytes: 200}, indexCRC: 5}
	var notes sideNotes
	notes.add(&noteEntry{first: 7, n: 2, at: 3, note: []byte("note")})
	notes.add(&noteEntry{first: 9, at: 4})
	keys := []eventKey{{1, 2}, {3, 4}}
	secret := &hashKey{1, 2, 3}
	whole := makeSideFile(view, secret, keys, &notes)
	f.Add(whole, true)
	f.Add(makeSideFile(view, nil, keys, &sideNotes{dropped: true}), true)
	f.Add(whole[:len(whole)-1], true)
	f.Add(whole[:sideHeaderSize], false)
	f.Add([]byte{}, false)
	l := Layout{Root: f.TempDir()}
	if err := os.MkdirAll(l.Window(), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p []byte, mend bool) {
		p = bytes.Clone(p)
		if mend && len(p) >= sideHeaderSize { // so that the parts behind the header's checksum are reached
			binary.LittleEndian.PutUint32(p[sideHeaderSize-4:], crc32c(0, p[:sideHeaderSize-4]))
		}
		h, ok := parseSideHeader(p)
		if !ok {
			return
		}
		if again := appendSideHeader(nil, &h); !bytes.Equal(again, p[:sideHeaderSize]) {
			t.Fatalf("%+v is not what the file says", h)
		}
		if err := os.WriteFile(l.SegmentSide(h.first), p, 0o644); err != nil {
			t.Skip(err) // a first seq that makes no name
		}
		s := &segmentView{Segment: Segment{First: h.first, End: h.end, Bytes: h.bytes}, indexCRC: h.indexCRC}
		side := openSideFile(l, s)
		if side == nil {
			t.Fatal("a sound header is refused")
		}
		defer side.close()
		if entries, ok := side.readNotes(); ok {
			var again []byte
			for i := range entries {
				again = appendSideNote(again, &entries[i])
			}
			if crc32c(0, again) != h.noteCRC || len(entries) != int(h.notes) || !bytes.HasPrefix(p[sideHeaderSize:], again) {
				t.Fatalf("%d notes that the file does not hold", len(entries))
			}
		}
		got, ok := side.readKeys(&h.secret)
		if ok && len(got) != int(h.keys) {
			t.Fatalf("%d keys, the header says %d", len(got), h.keys)
		}
		if bytes.Equal(p, whole) && !slices.Equal(got, keys) {
			t.Fatalf("keys %v, want %v", got, keys)
		}
	})
}

// FuzzKey: a line has a key exactly if it is canonical in its beginning, and two lines have the same one exactly if they differ in received_at alone.
func FuzzKey(f *testing.F) {
	f.Add("id", "service", "message", int64(1_790_000_000_000_000))
	f.Add(`i"d\`, "", `{"event_id":"`, int64(-1))
	f.Add("", `","timestamp":"`, "\\", int64(1<<62))
	f.Fuzz(func(t *testing.T, id, service, message string, at int64) {
		k := keyer{secret: new(hashKey)}
		key := func(id, service, message string, at, received Micros) eventKey {
			e := Event{EventID: id, ServiceName: service, Message: message, Timestamp: at, ReceivedAt: received}
			line := e.AppendLine(nil)
			got, ok := k.key(line)
			if !ok {
				t.Fatalf("no key: %s", line)
			}
			return got
		}
		ts := min(max(Micros(at), minInstant+1), maxInstant-1)
		one := key(id, service, message, ts, 1)
		if again := key(id, service, message, ts, 99_999_999); again != one {
			t.Fatal("received_at changes the key")
		}
		for what, other := range map[string]eventKey{
			"event_id": key(id+"x", service, message, ts, 1), "service_name": key(id, service+"x", message, ts, 1),
			"moved over": key(id+"x", "x"+service, message, ts, 1),
		} {
			if other.id == one.id || other.content == one.content {
				t.Fatalf("another %s, the same key", what)
			}
		}
		for what, other := range map[string]eventKey{"message": key(id, service, message+"x", ts, 1), "timestamp": key(id, service, message, ts+1, 1)} {
			if other.id != one.id || other.content == one.content {
				t.Fatalf("another %s: %v and %v", what, other, one)
			}
		}
		k.key([]byte(id + service + message)) // ends
	})
}
