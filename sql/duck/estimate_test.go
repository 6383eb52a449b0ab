package duck

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// TestEstimateEqualsWhatIsRead compares with DuckDB's own account of the column chunks, and with the statement's statistics afterwards.
func TestEstimateEqualsWhatIsRead(t *testing.T) {
	l, e := openBoth(t, t.TempDir())
	generateInto(t, l, 4000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	db := outsider(t, parquetRelation(l))
	for text, want := range map[string]struct{ columns, files string }{
		"select count(*) from events":        {"", "true"},
		"select avg(latency_ms) from events": {"latency_ms", "true"},
		"select service_name, approx_percentile(latency_ms, 0.95) from events group by 1":          {"latency_ms", "true"},
		"select avg(latency_ms) from events where service_name = 'checkout'":                       {"latency_ms", "file_name like '%service_name=checkout/%'"},
		"select avg(latency_ms) from events where service_name = 'checkout' and status_code = 200": {"latency_ms", "file_name like '%service_name=checkout/status_code=200/%'"},
		"select count(*) from events where endpoint = '/x' and event_date = '2026-11-15'":          {"endpoint", "file_name like '%event_date=2026-11-15/%'"},
		"with w as (select * from events) select max(region) from w where message like '%x%'":      {"region message", "true"},
		"select x.host from (select * from events where latency_ms > 5) x":                         {"latency_ms host", "true"},
		"select count(distinct trace_id) from events where hour(timestamp) = 3":                    {"timestamp trace_id", "true"},
		"select * from events":  {"*", "true"},
		"select 1 from minutes": {"", "false"},
		"select service_name from events where status_code = 500 group by 1": {"", "file_name like '%status_code=500/%'"},
	} {
		estimate, err := e.Estimate(t.Context(), text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		result, err := e.Query(t.Context(), sql.Query{Text: text})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if result.Stats.Bytes != estimate.Bytes || result.Stats.Files != estimate.Files || result.Stats.USD != estimate.USD || result.Stats.Version != estimate.Version {
			t.Errorf("%s: estimated %+v, then read %+v", text, estimate, result.Stats)
		}
		chosen := []string{"-1"}
		for i, c := range lake.FileColumns() {
			if slices.Contains(strings.Fields(want.columns), c.Name) {
				chosen = append(chosen, fmt.Sprint(i))
			}
		}
		condition := "column_id in (" + strings.Join(chosen, ", ") + ")"
		if want.columns == "*" {
			condition = "true"
		} else if got := strings.Join(estimate.Columns, " "); got != want.columns {
			t.Errorf("%s: reads columns %q, want %q", text, got, want.columns)
		}
		files := parquetRelation(l)
		files = files[strings.Index(files, "[") : strings.Index(files, "]")+1]
		chunks := answers(t, db, "select coalesce(sum(total_compressed_size), 0) from parquet_metadata("+files+") where "+condition+" and "+want.files)
		footers := answers(t, db, "select coalesce(sum(footer_size), 0), count(*) from parquet_file_metadata("+files+") where "+want.files)
		exact, _ := asFloat(chunks[0][0])
		footer, _ := asFloat(footers[0][0])
		count, _ := asFloat(footers[0][1])
		exact += footer
		if int(count) != estimate.Files {
			t.Errorf("%s: %d files, want %v", text, estimate.Files, count)
		}
		if math.Abs(exact-float64(estimate.Bytes)) > 0.01*exact+12*count { // magic and length of a footer
			t.Errorf("%s: estimated %d bytes, DuckDB's account is %.0f", text, estimate.Bytes, exact)
		}
	}
}
