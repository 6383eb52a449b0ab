package lake_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/rollup"
)

const convertDay = lake.Micros(24 * 60 * 60 * 1_000_000)

// oddEvent is a random event that meets the contract in every way it can: ids of all shapes, absent fields, escapes, days out of order.
func oddEvent(r *rand.Rand, days int) lake.Event {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	hex := func(n int) string {
		const digits = "0123456789abcdef"
		b := make([]byte, n)
		for i := range b {
			b[i] = digits[r.IntN(16)]
		}
		return string(b)
	}
	uuid := hex(8) + "-" + hex(4) + "-" + hex(4) + "-" + hex(4) + "-" + hex(12)
	e := lake.Event{
		EventID: uuid, Timestamp: 20_000*convertDay + lake.Micros(r.Int64N(int64(days)*int64(convertDay))), ReceivedAt: 20_100 * convertDay,
		ServiceName: pick("checkout", "auth", "a.b-c_1"), Region: pick("eu", "us-east-1", "unknown"), Level: pick("info", "error"),
		Endpoint: pick("", "/a", "/b/{id}"), Method: pick("", "GET", "POST"), Host: pick("", "h1", "h2"),
		Message:   pick("", "plain", "quote \" back \\ newline \n tab \t ünïcode \u2028", strings.Repeat("long ", 100), "unique "+hex(12)),
		RequestID: pick("", hex(16), "req-"+hex(5)), TraceID: pick(hex(32), hex(32), ""), SpanID: hex(16),
		Attributes: pick("", `{"a":1}`, `{"nested":{"x":[1,2,3]},"big":123456789012345678901234567890}`),
		StatusCode: []int32{0, 200, 404, 500}[r.IntN(4)],
	}
	if r.IntN(20) == 0 {
		e.EventID = pick("short", strings.ToUpper(uuid), "x"+uuid[1:], strings.Repeat("e", 64))
	}
	if e.HasLatency = r.IntN(5) > 0; e.HasLatency {
		e.LatencyMS = float64(r.IntN(1_000_000)) / 1000
	}
	return e
}

// parquetRow reads our files without our code.
type parquetRow struct {
	Timestamp  int64    `parquet:"timestamp"`
	Endpoint   *string  `parquet:"endpoint,optional"`
	Method     *string  `parquet:"method,optional"`
	LatencyMS  *float64 `parquet:"latency_ms,optional"`
	Region     string   `parquet:"region"`
	Level      string   `parquet:"level"`
	Message    *string  `parquet:"message,optional"`
	Host       *string  `parquet:"host,optional"`
	EventID    string   `parquet:"event_id"`
	RequestID  *string  `parquet:"request_id,optional"`
	TraceID    *string  `parquet:"trace_id,optional"`
	SpanID     *string  `parquet:"span_id,optional"`
	Attributes *string  `parquet:"attributes,optional"`
	ReceivedAt int64    `parquet:"received_at"`
	Seq        int64    `parquet:"seq"`
}

func (row *parquetRow) event(p lake.Partition) lake.Event {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return strings.Clone(*s)
	}
	e := lake.Event{
		EventID: strings.Clone(row.EventID), Timestamp: lake.Micros(row.Timestamp), ReceivedAt: lake.Micros(row.ReceivedAt), ServiceName: p.Service,
		Endpoint: text(row.Endpoint), Method: text(row.Method), Region: strings.Clone(row.Region), Host: text(row.Host), Level: strings.Clone(row.Level),
		Message: text(row.Message), RequestID: text(row.RequestID), TraceID: text(row.TraceID), SpanID: text(row.SpanID),
		Attributes: text(row.Attributes), StatusCode: p.Status,
	}
	if row.LatencyMS != nil {
		e.LatencyMS, e.HasLatency = *row.LatencyMS, true
	}
	return e
}

// convertLake is a lake under test, and what was acknowledged to it.
type convertLake struct {
	*lake.Lake
	dir    string
	random *rand.Rand
	narrow bool // events of one service and two statuses only
	sent   map[lake.Seq]lake.Event
}

func openConvertLake(t testing.TB, dir string, d lake.Disk, sent map[lake.Seq]lake.Event) *convertLake {
	t.Helper()
	l, err := lake.Open(t.Context(), lake.Config{Dir: dir, Disk: d, ConvertAge: -1, Now: fixedNow, Owner: lake.Owner{Command: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &convertLake{Lake: l, dir: dir, random: rand.New(rand.NewPCG(1, uint64(len(sent)))), sent: map[lake.Seq]lake.Event{}}
	maps.Copy(c.sent, sent)
	return c
}

func (c *convertLake) append(t testing.TB, n, days int) {
	t.Helper()
	var b lake.Batch
	events := make([]lake.Event, n)
	for i := range events {
		events[i] = oddEvent(c.random, days)
		if c.narrow {
			events[i].ServiceName, events[i].StatusCode = "auth", 200+300*int32(c.random.IntN(2))
		}
		b.Lines = events[i].AppendLine(b.Lines)
	}
	b.N = n
	receipt, err := c.Append(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		c.sent[receipt.First+lake.Seq(i)] = e
	}
}

func (c *convertLake) convert(t testing.TB) lake.ConvertResult {
	t.Helper()
	result, err := c.Convert(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// check compares the version's files with what was sent, row for row, and lets the lake verify itself.
func (c *convertLake) check() error {
	v := c.Current()
	seen := map[lake.Seq]bool{}
	for i := range v.Files {
		f := &v.Files[i]
		if err := c.checkFile(f, seen); err != nil {
			return fmt.Errorf("%s: %w", c.Layout().Path(f), err)
		}
	}
	for seq := range c.sent {
		if seen[seq] != (seq < v.Watermark) {
			return fmt.Errorf("event %d is in Parquet: %v, the watermark is %d", seq, seen[seq], v.Watermark)
		}
	}
	if s := c.Status(); s.Visible != int64(len(c.sent)) {
		return fmt.Errorf("%d events are visible, %d were acknowledged", s.Visible, len(c.sent))
	}
	report, err := c.Verify(context.Background(), nil)
	if err == nil && !report.OK {
		err = fmt.Errorf("verify: %+v", report)
	}
	return err
}

func (c *convertLake) checkFile(f *lake.FileEntry, seen map[lake.Seq]bool) error {
	rows, err := parquet.ReadFile[parquetRow](c.Layout().Path(f))
	if err != nil {
		return err
	}
	var minTS, maxTS, minSeq, maxSeq int64
	for i := range rows {
		row := &rows[i]
		seq := lake.Seq(row.Seq)
		want, ok := c.sent[seq]
		if got := row.event(f.Partition); !ok || seen[seq] || got != want || lake.PartitionOf(&want) != f.Partition {
			return fmt.Errorf("event %d (sent: %v, seen before: %v)\n got %+v\nwant %+v", seq, ok, seen[seq], got, want)
		}
		seen[seq] = true
		if i == 0 {
			minTS, maxTS, minSeq, maxSeq = row.Timestamp, row.Timestamp, row.Seq, row.Seq
		} else if last := rows[i-1]; cmp.Or(cmp.Compare(last.Timestamp, row.Timestamp), cmp.Compare(last.Seq, row.Seq)) >= 0 {
			return fmt.Errorf("row %d is out of order", i)
		}
		minTS, maxTS, minSeq, maxSeq = min(minTS, row.Timestamp), max(maxTS, row.Timestamp), min(minSeq, row.Seq), max(maxSeq, row.Seq)
	}
	if f.Rows != int64(len(rows)) || int64(f.MinTS) != minTS || int64(f.MaxTS) != maxTS || int64(f.MinSeq) != minSeq || int64(f.MaxSeq) != maxSeq {
		return fmt.Errorf("the entry %+v does not fit %d rows, %d..%d, %d..%d", f, len(rows), minTS, maxTS, minSeq, maxSeq)
	}
	return nil
}

// cells sums the minute cells of the version up.
func (c *convertLake) cells(t testing.TB) *rollup.Cells {
	t.Helper()
	cells := rollup.New()
	v := c.Current()
	for i := range v.Rollups {
		file, err := os.Open(c.Layout().RollupPath(&v.Rollups[i]))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(rollup.Read(file, v.Rollups[i].Bytes, cells), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return cells
}

func mustCheck(t testing.TB, c *convertLake) {
	t.Helper()
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
}

func TestConvertKeepsEveryRowAndColumn(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	for _, n := range []int{1, 9000, 5, 4096, 700} { // more than a block, less, exactly one
		c.append(t, n, 3)
	}
	result := c.convert(t)
	v := c.Current()
	partitions := map[lake.Partition]bool{}
	for _, f := range v.Files {
		partitions[f.Partition] = true
	}
	if len(v.Files) != len(partitions) || result.Files != len(v.Files) || result.Events != int64(len(c.sent)) || result.Commits != 1 || result.Version != v.Number {
		t.Errorf("%d files in %d partitions: %+v", len(v.Files), len(partitions), result)
	}
	mustCheck(t, c)
	mustCountCells(t, c)
}

func TestEntriesSayWhatTheFilesAre(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	c.append(t, 3000, 1)
	c.convert(t)
	for _, f := range c.Current().Files {
		data, err := os.ReadFile(c.Layout().Path(&f))
		if err != nil {
			t.Fatal(err)
		}
		file, err := parquet.OpenFile(strings.NewReader(string(data)), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		columns := lake.FileColumns()
		meta := file.Metadata()
		if f.Bytes != int64(len(data)) || len(f.ColumnBytes) != len(columns) || len(meta.RowGroups) != 1 {
			t.Fatalf("%+v: %d bytes, %d row groups", f, len(data), len(meta.RowGroups))
		}
		var sum int64
		for i, chunk := range meta.RowGroups[0].Columns {
			if chunk.MetaData.PathInSchema[0] != columns[i].Name || chunk.MetaData.TotalCompressedSize != f.ColumnBytes[i] {
				t.Errorf("column %d: %v has %d bytes, the entry says %s and %d", i, chunk.MetaData.PathInSchema, chunk.MetaData.TotalCompressedSize, columns[i].Name, f.ColumnBytes[i])
			}
			sum += f.ColumnBytes[i]
		}
		footer := int64(data[len(data)-8]) | int64(data[len(data)-7])<<8 | int64(data[len(data)-6])<<16
		if f.FooterBytes != footer+12 || sum+f.FooterBytes > f.Bytes {
			t.Errorf("footer of %d bytes, the entry says %d; columns %d, file %d", footer, f.FooterBytes, sum, f.Bytes)
		}
	}
}

func TestSecondConversionTakesOnlyWhatIsNew(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	if result := c.convert(t); result.Events != 0 || result.Commits != 0 || c.Current().Number != 0 {
		t.Errorf("an empty lake was converted: %+v", result)
	}
	c.append(t, 500, 2)
	c.convert(t)
	before := c.Current()
	c.append(t, 300, 4) // some of them late, for days that have files already
	mustCheck(t, c)
	result := c.convert(t)
	if result.Events != 300 {
		t.Errorf("%+v", result)
	}
	after := c.Current()
	for _, f := range before.Files {
		if !slices.ContainsFunc(after.Files, func(g lake.FileEntry) bool { return g.Name == f.Name && g.Partition == f.Partition }) {
			t.Errorf("%s is gone", f.Name)
		}
	}
	mustCheck(t, c)
	if result := c.convert(t); result.Events != 0 || c.Current() != after {
		t.Errorf("nothing was new: %+v", result)
	}
}

func TestConversionsDoNotOverlap(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	for range 4 {
		c.append(t, 400, 2)
		c.convertAtOnce(t)
		mustCheck(t, c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Convert(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled conversion: %v", err)
	}
}

func TestReadOnlyLakeConvertsNothing(t *testing.T) {
	dir := t.TempDir()
	c := openConvertLake(t, dir, nil, nil)
	c.append(t, 10, 1)
	reader, err := lake.Open(t.Context(), lake.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := reader.Convert(t.Context(), nil); !errors.Is(err, lake.ErrReadOnly) {
		t.Errorf("got %v", err)
	}
}

func TestDamagedSegmentConvertsNothing(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	c.append(t, 200, 1)
	if err := c.Seal(); err != nil {
		t.Fatal(err)
	}
	path := c.Layout().SegmentData(1)
	flipBit(t, path)
	_, err := c.Convert(t.Context(), nil)
	var damage *lake.DamageError
	if !errors.As(err, &damage) || !strings.Contains(err.Error(), filepath.Base(path)) || c.Current().Number != 0 {
		t.Errorf("version %d: %v", c.Current().Number, err)
	}
	flipBit(t, path)
	c.convert(t)
	mustCheck(t, c)
}
