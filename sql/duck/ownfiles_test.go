package duck

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signallake/signallake/lake"
	stored "github.com/signallake/signallake/lake/column"
	"github.com/signallake/signallake/sql"
)

// allEntries are the files of a version.
func allEntries(v *lake.Version) []*lake.FileEntry {
	files := make([]*lake.FileEntry, len(v.Files))
	for i := range v.Files {
		files[i] = &v.Files[i]
	}
	return files
}

func allColumns() (names []string) {
	for _, c := range lake.Columns() {
		names = append(names, c.Name)
	}
	return names
}

// readBoth reads the files by our reader and by DuckDB's, and compares every value of every column, and each column alone.
func readBoth(t *testing.T, e *Engine, files []*lake.FileEntry) {
	t.Helper()
	own := e.files.list(files, &wish{})
	if own == nil {
		t.Fatal("files of this release are not read by our reader")
	}
	c := e.prompt.conns[ownConns]
	ask := func(text string) []string {
		t.Helper()
		set, err := c.query(text, 0)
		if err != nil {
			t.Fatalf("%v\n%.300s", err, text)
		}
		return rowTexts(set)
	}
	theirs := "(SELECT " + columnNames() + " FROM " + readFiles(e.files.layout, files) + ")"
	for _, names := range append(allColumns(), columnNames(), "count(*) AS n", "latency_ms, message", "seq, attributes, status_code, trace_id") {
		text := "SELECT " + names + " FROM %s ORDER BY ALL"
		got, want := ask(fmt.Sprintf(text, own.source())), ask(fmt.Sprintf(text, theirs))
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, want %d", names, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s: row %d is\n%.300q, want\n%.300q", names, i, got[i], want[i])
			}
		}
	}
	// in the order in which the files and their rows stand, as DuckDB keeps it too
	if got, want := ask("SELECT seq FROM "+own.source()), ask("SELECT seq FROM "+theirs); !slices.Equal(got, want) {
		t.Error("rows come in another order")
	}
	if err := own.release(); err != nil {
		t.Fatal(err)
	}
	requireNothingHeld(t, e)
}

// requireNothingHeld: what statements used is given back.
func requireNothingHeld(t *testing.T, e *Engine) {
	t.Helper()
	e.files.mu.Lock()
	defer e.files.mu.Unlock()
	if n := e.files.slabs.size(); n != 0 || len(e.files.held) != 0 || len(e.files.idle) > idleReaders {
		t.Errorf("%d bytes of texts, %d lists and %d readers are kept", n, len(e.files.held), len(e.files.idle))
	}
}

// ownEvents appends n events of a service: absent and odd values of every column.
func ownEvents(t *testing.T, l *lake.Lake, r *rand.Rand, service string, n int) {
	t.Helper()
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	long := strings.Repeat("längere Meldung ", 200)
	var lines []byte
	for i := range n {
		hex := func(digits int) string { return fmt.Sprintf("%0*x", digits, r.Uint64()>>(64-4*min(digits, 16))) }
		e := lake.Event{
			Timestamp: lake.MicrosOf(rigStart) + lake.Micros(r.Int64N(3_600_000_000)), ServiceName: service, StatusCode: 200, ReceivedAt: lake.Micros(r.Int64N(1 << 50)),
			Endpoint: pick("", "/a", "/ü/ß", "/a/path/that/is/longer/than/twelve"), Method: pick("", "GET", "POST"), Region: pick("unknown", "eu-west-1"), Level: pick("info", "error"),
			Message: pick("", "short", "twelve bytes", "thirteen byte", fmt.Sprint("another one ", i, r.Uint64()), long[:r.IntN(len(long))/16*16]), Host: pick("", "h"+hex(3)),
			EventID: "e" + fmt.Sprint(i, "-", r.Uint64()), RequestID: pick("", hex(16)), TraceID: hex(16), SpanID: pick("", hex(8)), Attributes: pick("", `{"k":"v"}`, `{"n":`+fmt.Sprint(r.Uint32())+`}`),
		}
		if e.HasLatency = r.IntN(5) > 0; e.HasLatency {
			e.LatencyMS = float64(r.IntN(1e6)) / 1000
		}
		e.Message = strings.ToValidUTF8(e.Message, "")
		lines = e.AppendLine(lines)
	}
	if _, err := l.Append(t.Context(), lake.Batch{Lines: lines, N: n}); err != nil {
		t.Fatal(err)
	}
}

// TestOwnFilesAreEqual reads files of every length around the edges of masks, vectors and groups, with odd values, by both readers.
func TestOwnFilesAreEqual(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	r := rand.New(rand.NewPCG(7, 7))
	lengths := []int{63, 64, 65, 127, 129, 2047, 2048, 2049, 4096, 5000}
	for n := 1; n <= 33; n++ {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		ownEvents(t, l, r, fmt.Sprint("a-service-with-a-long-name-", n), n)
	}
	generateInto(t, l, 5_000, 3)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	v := e.hot.pin()
	defer v.release()
	readBoth(t, e, allEntries(v.Version))
}

// TestOwnFilesOfSeveralGroups reads a file of several row groups and pages, which a conversion makes of a hundred thousand events only.
func TestOwnFilesOfSeveralGroups(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	day, err := lake.ParseDate("2026-11-15")
	if err != nil {
		t.Fatal(err)
	}
	f := &lake.FileEntry{Partition: lake.Partition{Date: day, Service: "several", Status: 404}, Name: "groups.parquet"}
	path := l.Layout().Path(f)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	schema := e.files.footers.Schema()
	w := stored.NewWriter(*schema)
	w.Reset(file)
	r := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []int{3000, 1, 2048, 40_000} {
		w.Group(rows)
		for i := range schema.Columns {
			writeOdd(w, &schema.Columns[i], r, rows)
		}
	}
	sum, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	f.Rows, f.Bytes, f.FooterBytes = sum.Rows, sum.Bytes, sum.FooterBytes
	readBoth(t, e, []*lake.FileEntry{f})
}

// writeOdd gives a group's rows of a column: every fifth is NULL where that is allowed, and texts repeat or do not.
func writeOdd(w *stored.Writer, c *stored.Column, r *rand.Rand, rows int) {
	var present []uint8
	n := rows
	if c.Nullable {
		present, n = make([]uint8, rows), 0
		for i := range present {
			if i%5 != 0 {
				present[i] = 1
				n++
			}
		}
	}
	switch {
	case c.Kind == stored.Double:
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(r.IntN(1e6)) / 1000
		}
		w.Doubles(values, present)
	case c.Kind != stored.Text:
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(i)*1000 + r.Int64N(1000)
		}
		w.Int64s(values, present)
	case c.NoBounds:
		var data []byte
		lengths := make([]int32, n)
		for i := range lengths {
			text := strings.Repeat("ä", r.IntN(20))
			data, lengths[i] = append(data, text...), int32(len(text))
		}
		w.Texts(data, lengths, present)
	default:
		numbers := make([]int32, n)
		for i := range numbers {
			numbers[i] = r.Int32N(3)
		}
		w.Numbers([]string{"", "a short one", "one that is longer than a value"}, numbers, present)
	}
}

// TestOlderLakesAreRead asks the lakes that older releases wrote: by whatever reader, the answers are DuckDB's.
func TestOlderLakesAreRead(t *testing.T) {
	for _, name := range []string{"lake-format-1", "lake-format-2"} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "testdata", name))); err != nil {
			t.Fatal(err)
		}
		l, e := openBoth(t, dir)
		if _, err := l.Convert(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		v := e.hot.pin()
		defer v.release()
		files := allEntries(v.Version)
		if own := e.files.list(files, &wish{}); own != nil {
			if err := own.release(); err != nil {
				t.Fatal(err)
			}
			readBoth(t, e, files)
		}
		text := "SELECT count(*), max(message), bit_xor(hash(" + columnNames() + ")) FROM events WHERE event_date < DATE '2100-01-01'"
		want := answers(t, outsider(t, parquetRelation(l)), text)
		requireSame(t, name, ask(t, e, "%s", text), want)
	}
}

// filesOf are the paths of a service's files.
func filesOf(l *lake.Lake, service string) (paths []string) {
	v := l.Current()
	for i := range v.Files {
		if v.Files[i].Partition.Service == service {
			paths = append(paths, l.Layout().Path(&v.Files[i]))
		}
	}
	return paths
}

// TestOwnFilesThatAreBroken: a file that is gone or damaged is an error that names it, whether its footer is known already or not, and others are read afterwards.
func TestOwnFilesThatAreBroken(t *testing.T) {
	for _, known := range []bool{false, true} {
		l, e := openBoth(t, t.TempDir())
		r := rand.New(rand.NewPCG(3, 4))
		for _, service := range []string{"gone", "flipped", "short", "whole"} {
			ownEvents(t, l, r, service, 1000)
		}
		if _, err := l.Convert(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if known {
			ask(t, e, "SELECT count(*), max(status_code) FROM events")
		}
		gone, flipped, short := filesOf(l, "gone")[0], filesOf(l, "flipped")[0], filesOf(l, "short")[0]
		data, err := os.ReadFile(flipped)
		if err != nil {
			t.Fatal(err)
		}
		for i := 4; i < len(data)*9/10; i++ {
			data[i] ^= 0x10
		}
		if err := errors.Join(os.Remove(gone), os.WriteFile(flipped, data, 0o644), os.Truncate(short, 100)); err != nil {
			t.Fatal(err)
		}
		for service, path := range map[string]string{"gone": gone, "flipped": flipped, "short": short} {
			_, err := e.Query(t.Context(), sql.Query{Text: "SELECT max(message), min(trace_id) FROM events WHERE service_name = '" + service + "'"})
			if err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
				t.Errorf("%s, its footer known %v: %v", service, known, err)
			}
			requireNothingHeld(t, e)
		}
		requireSame(t, "whole", ask(t, e, "SELECT count(*), count(message) > 0 FROM events WHERE service_name = 'whole'"), [][]any{{int64(1000), true}})
	}
}

// TestOwnFilesAreStopped cancels a statement that reads by our reader, and asks again.
func TestOwnFilesAreStopped(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 20_000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error)
	go func() {
		_, err := e.Query(ctx, sql.Query{Text: "SELECT sum(a.latency_ms * b.range) FROM events a, range(1000000000) b WHERE a.status_code = 200"})
		answered <- err
	}()
	waitBusy(t, e)
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for range promptConns { // each connection has served again: the cancelled statement is over
		ask(t, e, "SELECT count(latency_ms) FROM events WHERE status_code = 200")
	}
	e.running.close()
	requireNothingHeld(t, e)
}

// TestOwnFilesAtOnce asks from several goroutines while a conversion takes tails away: readers and their memory are lent, and given back.
func TestOwnFilesAtOnce(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 3_000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	texts := []string{"SELECT count(message), max(seq) FROM events WHERE seq <= 3000", "SELECT service_name, count(DISTINCT trace_id) FROM events WHERE seq <= 3000 GROUP BY ALL ORDER BY ALL",
		"SELECT quantile_cont(latency_ms, 0.5), min(status_code) FROM events WHERE seq <= 3000"}
	var want [][][]any
	for _, text := range texts {
		want = append(want, ask(t, e, "%s", text))
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 5 * len(texts) {
				got, err := e.Query(t.Context(), sql.Query{Text: texts[i%len(texts)]})
				if err != nil || fmt.Sprint(got.Rows) != fmt.Sprint(want[i%len(texts)]) {
					t.Errorf("%s: %v, want %v", texts[i%len(texts)], got, want[i%len(texts)])
					return
				}
			}
		})
	}
	generateInto(t, l, 2_000, 2)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Error(err)
	}
	group.Wait()
	requireNothingHeld(t, e)
}

// TestWhichFilesAreOurs: our reader takes files that are small for a statement.
func TestWhichFilesAreOurs(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 5_000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	v := e.hot.pin()
	defer v.release()
	all := allEntries(v.Version)
	larger := func(rows, bytes int64) []*lake.FileEntry { // as the books would have it
		out := make([]*lake.FileEntry, len(all))
		for i, f := range all {
			more := *f
			more.Rows, more.ColumnBytes = rows, slices.Repeat([]int64{bytes}, len(f.ColumnBytes))
			out[i] = &more
		}
		return out
	}
	for _, c := range []struct {
		name   string
		files  []*lake.FileEntry
		reads  []string
		sieved bool
		ours   bool
	}{
		{"no file", nil, []string{"message"}, false, false},
		{"no plan", all, nil, false, false},
		{"all of small files", all, allColumns(), false, true},
		{"a number of larger ones", larger(20_000, 1000), []string{"latency_ms", "seq"}, false, true},
		{"a number of large ones", larger(100_000, 1000), []string{"latency_ms", "seq"}, false, false},
		{"nothing of large ones", larger(100_000, 1000), []string{}, false, false},
		{"a text", larger(2000, 1000), []string{"message"}, false, true},
		{"a text of larger ones", larger(5000, 1000), []string{"message"}, false, false},
		{"a key", larger(1500, 1000), []string{"status_code"}, false, true},
		{"a key of larger ones", larger(5000, 1000), []string{"status_code"}, false, false},
		{"a key that all share", larger(5000, 1000)[:1], []string{"status_code"}, false, true},
		{"a filter", larger(2000, 1000), []string{"message"}, true, true},
		{"a filter and more", larger(2000, 1000), allColumns(), true, false},
		{"many bytes", larger(100, ownBytes/int64(len(all))+1), []string{"message"}, false, false},
	} {
		w := wish{}
		if len(c.files) > 0 {
			w = wishOf(c.files, c.reads, c.sieved)
		}
		if got := len(c.files) > 0 && c.reads != nil && w.worth(c.files); got != c.ours {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if own := e.files.hold(all, nil, false); own != nil {
		t.Error("a statement without a plan is read by it")
	}
	if own := e.files.hold(nil, allColumns(), false); own != nil {
		t.Error("no files are read by it")
	}
	requireNothingHeld(t, e)
}
