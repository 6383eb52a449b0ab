package lake

import (
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
)

func randomEntry(r *rand.Rand) FileEntry {
	number := func() int64 { return r.Int64() >> r.IntN(64) * int64(1-2*r.IntN(2)) }
	f := FileEntry{
		Partition: Partition{Date: Date(r.Int32() - 1<<30), Service: []string{"a", "check-out.v1", "", `q"\` + "\n", "dienst-ü"}[r.IntN(5)], Status: r.Int32() >> r.IntN(32)},
		Name:      []string{"x.parquet", "a\tb", "0123456789"}[r.IntN(3)], Rows: number(), Bytes: number(), CRC32C: r.Uint32(),
		MinTS: Micros(number()), MaxTS: Micros(number()), MinSeq: Seq(number()), MaxSeq: Seq(number()), FooterBytes: number(),
	}
	for range r.IntN(20) {
		f.ColumnBytes = append(f.ColumnBytes, number())
	}
	return f
}

func TestObjectRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		o := &catalogObject{header: catalogHeader{Format: catalogFormat, Kind: kindVersion, Version: r.Uint64(), TxID: NewTxID(), CommittedAt: -5,
			ExpectWatermark: 3, Watermark: math.MaxInt64, Ledger: catalogLedger{Converted: 1, Deleted: 2, Expired: 3, Quarantined: 4, RetiredTo: 5}}}
		for range r.IntN(9) {
			c := catalogChange{op: changeOp(r.IntN(int(opCount))), entry: randomEntry(r)}
			if c.op == opGone || c.op == opGoneRollup {
				c.goneV, c.goneT = r.Uint64(), -3
			}
			o.changes = append(o.changes, c)
		}
		data, err := o.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeObject("x", data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if got.header != o.header || len(got.changes) != len(o.changes) {
			t.Fatalf("got %+v\nwant %+v", got.header, o.header)
		}
		for i := range o.changes {
			if !reflect.DeepEqual(got.changes[i], o.changes[i]) {
				t.Fatalf("got %+v\nwant %+v\n%s", got.changes[i], o.changes[i], data)
			}
		}
	}
}

// What we write is read by the fast path: else opening a big lake would be slow without anybody noticing.
func TestOwnLinesAreFast(t *testing.T) {
	d := changeDecoder{services: map[string]string{}}
	for op := range opCount {
		want := catalogChange{op: op, entry: testEntry(NewTxID(), "checkout", 5, 9)}
		if op == opGone || op == opGoneRollup {
			want.goneV, want.goneT = 7, 1_760_000_000_000_000
		}
		line := want.appendLine(nil)
		var got catalogChange
		if !d.fast(line[:len(line)-1], &got) || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: got %+v", line, got)
		}
	}
}

// An entry stays small: a lake has tens of thousands of them.
func TestEntryIsSmall(t *testing.T) {
	f := testEntry(NewTxID(), "a-service-of-usual-length", 1, 500_000)
	f.ColumnBytes = make([]int64, len(FileColumns()))
	for i := range f.ColumnBytes {
		f.ColumnBytes[i] = 100_000
	}
	line := (&catalogChange{op: opAdd, entry: f}).appendLine(nil)
	if len(line) > 400 {
		t.Fatalf("%d bytes: %s", len(line), line)
	}
}

func FuzzChangeDecoder(f *testing.F) {
	one := catalogChange{entry: testEntry("0123456789abcdef", "checkout", 5, 9)}
	for op := range opCount {
		one.op, one.goneV = op, uint64(op)
		line := strings.TrimSpace(string(one.appendLine(nil)))
		f.Add(line)
		f.Add(strings.Replace(line, `"r":5`, `"r":-0`, 1))
		f.Add(strings.Replace(line, `"r":5`, `"r":05`, 1))
		f.Add(strings.Replace(line, `"r":5`, `"r":9223372036854775807`, 1))
		f.Add(strings.Replace(line, `"r":5`, `"r":5.0`, 1))
		f.Add(strings.Replace(line, `"c":200`, `"c":99999999999`, 1))
		f.Add(strings.Replace(line, `[9,8`, `[9,,8`, 1))
		f.Add(strings.Replace(line, `checkout`, `\u0063heckout`, 1))
		f.Add(strings.Replace(line, `}}`, `},"x":1}`, 1))
	}
	f.Add(`{"add":{},"remove":{}}`)
	f.Fuzz(func(t *testing.T, line string) {
		d := changeDecoder{services: map[string]string{}}
		var fast, slow catalogChange
		if !d.fast([]byte(line), &fast) {
			return
		}
		if err := decodeChangeJSON([]byte(line), &slow); err != nil {
			t.Fatalf("the fast path took %q, encoding/json says %v", line, err)
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("%q\nfast %+v\nslow %+v", line, fast, slow)
		}
	})
}

// BenchmarkOpen60000 opens a catalog whose checkpoint lists 60,000 files, followed by 63 commits of 200 files.
func BenchmarkOpen60000(b *testing.B) {
	c := newTestCatalog(b, b.TempDir(), OSDisk{})
	tx := Tx{ID: NewTxID(), ExpectWatermark: 1, NewWatermark: 60_001, Converted: 60_000}
	for i := range 60_000 {
		f := testEntry(tx.ID, "service-"+string(rune('a'+i%25)), Seq(i+1), Seq(i+1))
		f.Partition.Date += Date(i / 200)
		f.ColumnBytes = make([]int64, len(FileColumns()))
		for k := range f.ColumnBytes {
			f.ColumnBytes[k] = int64(1000 + i*k%90_000)
		}
		tx.Add = append(tx.Add, f)
	}
	mustCommit(b, c, tx)
	for range 63 {
		w := c.current().Watermark
		tx := Tx{ID: NewTxID(), ExpectWatermark: w, NewWatermark: w + 200, Converted: 200}
		for i := range 200 {
			tx.Add = append(tx.Add, testEntry(tx.ID, "service-x", w+Seq(i), w+Seq(i)))
		}
		mustCommit(b, c, tx)
	}
	info, err := os.Stat(c.checkpointPath(c.checkpoint))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "checkpoint-MB")
	b.ResetTimer()
	for b.Loop() {
		again, err := openCatalog(c.layout, OSDisk{}, testClock, true)
		if err != nil {
			b.Fatal(err)
		}
		if n := len(again.current().Files); n != 60_000+63*200 {
			b.Fatal(n)
		}
	}
}

func BenchmarkCommitInto60000(b *testing.B) {
	c := newTestCatalog(b, b.TempDir(), OSDisk{})
	tx := Tx{ID: NewTxID(), ExpectWatermark: 1, NewWatermark: 60_001, Converted: 60_000}
	for i := range 60_000 {
		tx.Add = append(tx.Add, testEntry(tx.ID, "service-x", Seq(i+1), Seq(i+1)))
	}
	mustCommit(b, c, tx)
	for b.Loop() {
		mustCommit(b, c, testTx(c.current().Watermark, 1))
	}
}
