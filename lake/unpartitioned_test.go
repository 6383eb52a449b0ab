package lake_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/lake/laketest"
)

// twinRow is a row of the twin, with the partition key among its columns. It has their order: parquet-go reads an absent number as 0 into
// fields of another one.
type twinRow struct {
	Timestamp   int64    `parquet:"timestamp"`
	EventDate   int32    `parquet:"event_date,date"`
	ServiceName string   `parquet:"service_name"`
	StatusCode  int32    `parquet:"status_code"`
	Endpoint    *string  `parquet:"endpoint,optional"`
	Method      *string  `parquet:"method,optional"`
	LatencyMS   *float64 `parquet:"latency_ms,optional"`
	Region      string   `parquet:"region"`
	Level       string   `parquet:"level"`
	Message     *string  `parquet:"message,optional"`
	Host        *string  `parquet:"host,optional"`
	EventID     string   `parquet:"event_id"`
	RequestID   *string  `parquet:"request_id,optional"`
	TraceID     *string  `parquet:"trace_id,optional"`
	SpanID      *string  `parquet:"span_id,optional"`
	Attributes  *string  `parquet:"attributes,optional"`
	ReceivedAt  int64    `parquet:"received_at"`
	Seq         int64    `parquet:"seq"`
}

func (row *twinRow) event() lake.Event {
	plain := parquetRow{
		Timestamp: row.Timestamp, Endpoint: row.Endpoint, Method: row.Method, LatencyMS: row.LatencyMS, Region: row.Region, Level: row.Level,
		Message: row.Message, Host: row.Host, EventID: row.EventID, RequestID: row.RequestID, TraceID: row.TraceID, SpanID: row.SpanID,
		Attributes: row.Attributes, ReceivedAt: row.ReceivedAt, Seq: row.Seq,
	}
	return plain.event(lake.Partition{Service: row.ServiceName, Status: row.StatusCode})
}

// checkTwin compares the newest twin with what was converted.
func checkTwin(t *testing.T, c *convertLake, converted int) {
	t.Helper()
	twin, ok, err := c.Unpartitioned()
	if err != nil || !ok || twin.Version != c.Current().Number {
		t.Fatalf("%+v, %v, %v, the version is %d", twin, ok, err, c.Current().Number)
	}
	rows, err := parquet.ReadFile[twinRow](twin.Path)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != converted {
		t.Fatalf("%d rows, want %d", len(rows), converted)
	}
	seen := map[int64]bool{}
	for i := range rows {
		row := &rows[i]
		got := row.event()
		want, sent := c.sent[lake.Seq(row.Seq)]
		if !sent || seen[row.Seq] || got != want || lake.Date(row.EventDate) != lake.DateOf(want.Timestamp) {
			t.Fatalf("event %d\n got %+v\nwant %+v", row.Seq, got, want)
		}
		seen[row.Seq] = true
		if i > 0 && rows[i-1].Timestamp > row.Timestamp {
			t.Fatalf("row %d is out of order", i)
		}
	}
}

func TestTwinHoldsEveryConvertedEvent(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	if _, ok, err := c.Unpartitioned(); ok || err != nil {
		t.Fatalf("a new lake has a twin: %v", err)
	}
	total := 0
	for range 3 {
		c.append(t, 2000, 3)
		c.convert(t)
		total += 2000
		result, err := c.ConvertUnpartitioned(t.Context(), nil)
		if err != nil || result.Events != int64(total) || result.Files != 1 || result.Version != c.Current().Number {
			t.Fatalf("%+v, %v", result, err)
		}
		c.append(t, 10, 1) // hot: not in the twin
		checkTwin(t, c, total)
		total += 10
		if files, err := filepath.Glob(filepath.Join(c.Layout().Unpartitioned(), "*")); err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
	}
	mustCheck(t, c)
}

func TestTwinOfAnEmptyLake(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	if result, err := c.ConvertUnpartitioned(t.Context(), nil); err != nil || result.Events != 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	checkTwin(t, c, 0)
}

// TestTwinFaultsAnywhere: the older twin stays whole until the new one is in place.
func TestTwinFaultsAnywhere(t *testing.T) {
	for fault := range laketest.Fault(4) {
		disk := &laketest.FaultDisk{Disk: noSyncDisk{}}
		c := openConvertLake(t, memDir(t), disk, nil)
		c.append(t, 30, 1)
		c.convert(t)
		if _, err := c.ConvertUnpartitioned(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for n := 0; ; n++ {
			before := disk.Injected()
			disk.FailAt(disk.Ops()+n, 1, fault)
			_, err := c.ConvertUnpartitioned(t.Context(), nil)
			disk.Heal()
			checkTwin(t, c, 30)
			if disk.Injected() == before {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	}
}

func TestTwinNamesTheFileThatIsGone(t *testing.T) {
	c := openConvertLake(t, t.TempDir(), nil, nil)
	c.append(t, 30, 1)
	c.convert(t)
	if err := os.Remove(c.Layout().Path(&c.Current().Files[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ConvertUnpartitioned(t.Context(), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
