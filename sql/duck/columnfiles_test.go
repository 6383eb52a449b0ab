package duck

import (
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	files "github.com/signallake/signallake/lake/column"
)

// columnRows is a file of every way to write a column, and the same values as text.
type columnRows struct {
	uuids, near, digits, spans, texts, words []string
	numbers                                  []int64
	latencies                                []sql.NullFloat64
	counts                                   [][]int32
}

// writeColumns writes n rows; every third digits, span, word and latency is NULL where some is set.
func writeColumns(t *testing.T, path string, n, width int, r *rand.Rand) columnRows {
	t.Helper()
	w := files.NewWriter(files.Schema{Name: "rows", Columns: []files.Column{
		{Name: "uuid", Kind: files.Text}, {Name: "near", Kind: files.Text}, {Name: "digits", Kind: files.Text, NoBounds: true},
		{Name: "span", Kind: files.Text, Nullable: true}, {Name: "text", Kind: files.Text}, {Name: "word", Kind: files.Text, Nullable: true},
		{Name: "number", Kind: files.Int64}, {Name: "latency", Kind: files.Double, Nullable: true}, {Name: "counts", Kind: files.Int32, List: true},
	}})
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows columnRows
	uuid := func(high uint64) []byte {
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, high), r.Uint64())
	}
	words := []string{"one", "two", "a longer word", ""}
	var uuids, near, digits, spans, data []byte
	var numbers, lengths, counts, countsOf []int32
	var latencies []float64
	present := make([]uint8, n)
	at, step := r.Uint64()>>20, r.Uint64()>>(24+r.IntN(40))
	for i := range n {
		u := uuid(r.Uint64())
		uuids, rows.uuids = append(uuids, u...), append(rows.uuids, uuidText(u))
		at += step
		u = uuid(at << 16)
		near, rows.near = append(near, u...), append(rows.near, uuidText(u))
		d := append(uuid(r.Uint64()), append(uuid(r.Uint64()), append(uuid(r.Uint64()), uuid(r.Uint64())...)...)...)[:width]
		digits, rows.digits = append(digits, d...), append(rows.digits, hex.EncodeToString(d))
		text := fmt.Sprint("text ", r.Uint32()>>r.IntN(32))
		data, lengths, rows.texts = append(data, text...), append(lengths, int32(len(text))), append(rows.texts, text)
		rows.numbers = append(rows.numbers, int64(r.Uint64())>>r.IntN(64))
		span, word, latency := "", "", sql.NullFloat64{}
		if i%3 != 0 {
			present[i] = 1
			s, k := uuid(r.Uint64())[:8], r.IntN(len(words)-1)
			spans, span = append(spans, s...), hex.EncodeToString(s)
			numbers, word = append(numbers, int32(k)), words[k]
			latency = sql.NullFloat64{Float64: float64(r.IntN(1e6)) / 1000, Valid: true}
			latencies = append(latencies, latency.Float64)
		}
		rows.spans, rows.words, rows.latencies = append(rows.spans, span), append(rows.words, word), append(rows.latencies, latency)
		list := make([]int32, r.IntN(4))
		for k := range list {
			list[k] = r.Int32()
		}
		rows.counts, counts, countsOf = append(rows.counts, list), append(counts, list...), append(countsOf, int32(len(list)))
	}
	w.Reset(file)
	w.Group(n)
	w.UUIDs(uuids, nil)
	w.UUIDs(near, nil)
	w.Hex(digits, width, nil)
	w.Hex(spans, 8, present)
	w.Texts(data, lengths, nil)
	w.Numbers(words[:3], numbers, present)
	w.Int64s(rows.numbers, nil)
	w.Doubles(latencies, present)
	w.Int32Lists(counts, countsOf)
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func uuidText(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// TestDuckDBReadsColumns holds lake/column to DuckDB's reader and its zstd: the frames of ids are our own, and a length of any kind might
// trip it over.
func TestDuckDBReadsColumns(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(3, 5))
	path := filepath.Join(t.TempDir(), "rows.parquet")
	lengths := []int{63, 64, 65, 127, 128, 1000, 3639, 3640, 3641, 7281, 7282, 20_000, 40_000}
	for n := 1; n < 34; n++ {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		want := writeColumns(t, path, n, []int{4, 8, 16, 64}[r.IntN(4)], r)
		if err := sameColumns(db, path, n, &want); err != nil {
			t.Fatalf("%d rows: %v", n, err)
		}
	}
}

func sameColumns(db *sql.DB, path string, n int, want *columnRows) error {
	rows, err := db.Query("select uuid, near, digits, coalesce(span, ''), text, coalesce(word, ''), number, latency, counts::varchar from read_parquet(?)", path)
	if err != nil {
		return err
	}
	defer rows.Close()
	i := 0
	for ; rows.Next(); i++ {
		var uuid, near, digits, span, text, word, counts string
		var number int64
		var latency sql.NullFloat64
		if err := rows.Scan(&uuid, &near, &digits, &span, &text, &word, &number, &latency, &counts); err != nil {
			return err
		}
		list := "["
		for k, v := range want.counts[i] {
			if k > 0 {
				list += ", "
			}
			list += fmt.Sprint(v)
		}
		got := [...]any{uuid, near, digits, span, text, word, number, latency, counts}
		if w := [...]any{want.uuids[i], want.near[i], want.digits[i], want.spans[i], want.texts[i], want.words[i], want.numbers[i], want.latencies[i], list + "]"}; got != w {
			return fmt.Errorf("row %d: %v, want %v", i, got, w)
		}
	}
	if i != n {
		return fmt.Errorf("%d rows", i)
	}
	return rows.Err()
}
