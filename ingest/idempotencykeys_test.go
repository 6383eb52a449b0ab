package ingest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// testTable is a table whose notes are read, on a clock that tests move.
func testTable(limit int, window time.Duration) (*keyTable, *clockAt) {
	c := &clockAt{testNow}
	t := newKeyTable(&Config{Log: &fakeLog{}, Now: c.now, KeyLimit: limit, KeyWindow: window, KeyWait: patience}, func(string) {})
	t.recalling.Store(recallDone)
	return t, c
}

func testKey(n int) keyID { return keyIDOf("", "/ingest", fmt.Sprint(n)) }

// use takes a key and finishes it; it answers whether the key was new.
func (t *keyTable) use(id keyID, answer string) bool {
	f, err := t.take(id, fingerprint{})
	if err == nil && f.mine {
		t.finish(f.entry, answer)
	}
	return err == nil && f.mine
}

func TestKeysGoOldestFirst(t *testing.T) {
	table, _ := testTable(3, time.Hour)
	for i := range 5 {
		table.use(testKey(i), "{}")
	}
	for i, want := range []bool{true, true, false, false, false} {
		if _, known := table.entries[testKey(i)]; known == want {
			t.Errorf("key %d: known %v", i, known)
		}
	}
	held, _ := table.take(testKey(9), fingerprint{}) // one at work is no candidate
	for i := range 5 {
		table.use(testKey(100+i), "{}")
	}
	if table.entries[testKey(9)] == nil {
		t.Error("a key at work was forgotten")
	}
	table.finish(held.entry, "{}")
	if len(table.entries) != 3 {
		t.Errorf("%d keys, want 3", len(table.entries))
	}
	table.wantSound(t)
}

func TestKeysGoWithTheirTime(t *testing.T) {
	table, clock := testTable(100, time.Hour)
	table.use(testKey(1), "{}")
	clock.pass(40 * time.Minute)
	table.use(testKey(2), "{}")
	clock.pass(20*time.Minute + 1)
	if !table.use(testKey(1), "{}") || table.use(testKey(2), "{}") {
		t.Error("after an hour the first should be forgotten and the second known")
	}
	clock.pass(-30 * 24 * time.Hour) // the clock jumps back, and a test's has no monotonic reading
	if table.use(testKey(1), "{}") || table.use(testKey(2), "{}") {
		t.Error("a clock that jumped back made keys forgotten")
	}
	table.use(testKey(3), "{}")
	clock.pass(30*24*time.Hour + 50*time.Minute)
	if !table.use(testKey(2), "{}") {
		t.Error("the second outlived its time")
	}
	table.wantSound(t)
}

// The bound on answers holds whatever their number.
func TestKeysAreBoundedInBytes(t *testing.T) {
	table, _ := testTable(1<<20, time.Hour)
	const size = 1 << 20
	long := strings.Repeat("x", size)
	for i := range maxKeyBytesKept/size + 10 {
		table.use(testKey(i), long)
	}
	if len(table.entries) != maxKeyBytesKept/size || table.bytes > maxKeyBytesKept {
		t.Errorf("%d keys of %d bytes", len(table.entries), table.bytes)
	}
	if table.remember(testKey(-1), fingerprint{}, "{}", 0) {
		t.Error("room for an older one in a full table")
	}
	table.wantSound(t)
}

// Long answers lose their lists before anybody's key is forgotten, and their counts never.
func TestKeysOutliveLongAnswers(t *testing.T) {
	table, _ := testTable(1<<20, time.Hour)
	o := outcome{Status: 200, RequestID: "r", Accepted: 3, RejectedTotal: 75}
	for i := range 40 {
		o.Rejected = append(o.Rejected, lineError{Line: i + 1, Field: "latency_ms", Reason: strings.Repeat("x", 60)})
	}
	long, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	const n = 2 * maxKeyBytesKept / 4096 // as many as went in at 4 KiB each, twice
	for i := range n {
		table.use(testKey(i), string(long))
	}
	if len(table.entries) != n || table.lists > maxListBytesKept {
		t.Fatalf("%d keys of %d are known, lists of %d bytes", len(table.entries), n, table.lists)
	}
	var back outcome
	if err := json.Unmarshal([]byte(table.entries[testKey(n-1)].answer), &back); err != nil || back.RejectedTotal != 75 || back.Accepted != 3 || back.Rejected != nil {
		t.Errorf("%+v, %v", back, err)
	}
	table.wantSound(t)
}

// wantSound checks the list against the map.
func (t *keyTable) wantSound(tb testing.TB) {
	tb.Helper()
	n, bytes := 0, int64(0)
	var older *keyEntry
	for e := t.oldest; e != nil; older, e = e, e.newer {
		if n++; t.entries[e.id] != e || e.older != older || e.answer == "" && len(e.flight.letters) == 0 {
			tb.Fatalf("entry %d of the list is not what it should be: %+v", n, e)
		}
		bytes += e.size()
	}
	for _, e := range t.entries {
		if e.flight != nil && e.flight.done != nil {
			n++
		}
	}
	if t.newest != older || n != len(t.entries) || bytes != t.bytes {
		tb.Fatalf("the list has %d entries, %d bytes, the table %d and %d", n, bytes, len(t.entries), t.bytes)
	}
}

// Many requests at once over few keys: each key is used once for each body that got it.
func TestKeysUnderLoad(t *testing.T) {
	table, _ := testTable(40, time.Hour)
	var wg sync.WaitGroup
	for seed := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(seed), 1))
			for range 5000 {
				f, err := table.take(testKey(rng.IntN(60)), fingerprint{byte(rng.IntN(2))})
				switch {
				case err != nil || !f.mine:
				case rng.IntN(3) == 0:
					f.flight.letters = append(f.flight.letters, make([]uint64, rng.IntN(3))...)
					table.release(f.entry)
				default:
					table.finish(f.entry, strings.Repeat("x", 1+rng.IntN(100)))
				}
			}
		})
	}
	wg.Wait()
	if table.wantSound(t); len(table.entries) > 40 || len(table.entries) < 30 {
		t.Errorf("%d keys", len(table.entries))
	}
}

// BenchmarkKeys is what the table costs a request, with a new key each time and the table full.
func BenchmarkKeys(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			table, _ := testTable(defaultKeyLimit, time.Hour)
			for i := range defaultKeyLimit {
				table.use(testKey(i), usualAnswer)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range clients {
				wg.Go(func() {
					id := testKey(-1 - c)
					for i := range b.N / clients {
						id[0], id[1], id[2], id[3] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24)
						table.use(id, usualAnswer)
					}
				})
			}
			wg.Wait()
		})
	}
}

// usualAnswer is what is remembered of a batch without rejected lines.
const usualAnswer = `{"status":200,"request_id":"9f1c2b3a4d5e6f708192a3b4","accepted":1000}`

// BenchmarkKeyMemory tells what a full table takes.
func BenchmarkKeyMemory(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		table, _ := testTable(defaultKeyLimit, time.Hour)
		for i := range defaultKeyLimit {
			table.use(testKey(i), strings.Clone(usualAnswer))
		}
		b.ReportMetric(float64(heap()-before)/defaultKeyLimit, "bytes/key")
		runtime.KeepAlive(table)
	}
}
