package sql

import (
	"fmt"
	"testing"

	"github.com/signallake/signallake/lake"
)

// scanOf is a scan with one filter as DuckDB's plan has it.
func scanOf(t *testing.T, column, filter string) Scan {
	t.Helper()
	keys := map[string]int{"event_date": 0, "service_name": 1, "status_code": 2, "timestamp": 3, "latency_ms": 4}
	plan := fmt.Sprintf(`{"plans":[{"type":"LOGICAL_FILTER","unknown":{"type":"LOGICAL_GET","names":["event_date","service_name","status_code","timestamp","latency_ms"],"column_indexes":[{"index":4},{"index":18446744073709551615}],
		"table_filters":{"filters":[{"key":%d,"value":%s}]},"function_data":{"table":"events"}}}]}`, keys[column], filter)
	scans, err := ParsePlan([]byte(plan), "events")
	if err != nil || len(scans) != 1 {
		t.Fatalf("%d scans, %v", len(scans), err)
	}
	if len(scans[0].Columns) != 1 || scans[0].Columns[0] != "latency_ms" {
		t.Fatalf("columns %v", scans[0].Columns)
	}
	return scans[0]
}

func twoFiles() []lake.FileEntry {
	file := func(day lake.Date, service string, status int32) lake.FileEntry {
		return lake.FileEntry{Partition: lake.Partition{Date: day, Service: service, Status: status}, MinTS: day.Start() + 1000, MaxTS: day.Start() + 2000,
			Bytes: 1000, FooterBytes: 7, ColumnBytes: make([]int64, len(lake.FileColumns()))}
	}
	return []lake.FileEntry{file(10, "a", 200), file(20, "b", 500)}
}

func TestPruneUnderstandsFilters(t *testing.T) {
	compare := func(comparison, kind, value string) string {
		return fmt.Sprintf(`{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_%s","constant":{"type":{"id":"%s"},"is_null":false,"value":%s}}`, comparison, kind, value)
	}
	cast := func(to, comparison, kind, value string) string {
		return fmt.Sprintf(`{"filter_type":"EXPRESSION_FILTER","expr":{"type":"COMPARE_%s","left":{"type":"OPERATOR_CAST","child":{"type":"BOUND_REF"},"return_type":{"id":"%s"}},"right":{"type":"VALUE_CONSTANT","value":{"type":{"id":"%s"},"is_null":false,"value":%s}}}}`, comparison, to, kind, value)
	}
	const day = 86_400_000_000
	for _, c := range []struct {
		column, filter string
		kept           int
	}{
		{"event_date", compare("EQUAL", "DATE", "10"), 1}, {"event_date", compare("EQUAL", "DATE", "11"), 0}, {"event_date", compare("NOTEQUAL", "DATE", "10"), 1}, {"event_date", compare("LESSTHAN", "DATE", "10"), 0},
		{"event_date", compare("LESSTHANOREQUALTO", "DATE", "10"), 1}, {"event_date", compare("GREATERTHAN", "DATE", "19"), 1}, {"event_date", compare("GREATERTHANOREQUALTO", "DATE", "21"), 0},
		{"event_date", compare("EQUAL", "BIGINT", "11"), 2}, {"event_date", compare("DISTINCT_FROM", "DATE", "10"), 2}, {"event_date", compare("EQUAL", "DATE", `"x"`), 2}, {"event_date", compare("EQUAL", "DATE", "null"), 2},
		{"service_name", compare("EQUAL", "VARCHAR", `"a"`), 1}, {"service_name", compare("GREATERTHAN", "VARCHAR", `"a"`), 1}, {"service_name", compare("LESSTHAN", "VARCHAR", `"a"`), 0},
		{"status_code", compare("GREATERTHANOREQUALTO", "INTEGER", "500"), 1}, {"latency_ms", compare("EQUAL", "DOUBLE", "1"), 2},
		{"timestamp", compare("LESSTHAN", "TIMESTAMP", fmt.Sprint(10*day+1001)), 1}, {"timestamp", compare("LESSTHAN", "TIMESTAMP", fmt.Sprint(10*day+1000)), 0}, {"timestamp", compare("GREATERTHAN", "TIMESTAMP", fmt.Sprint(20*day+2000)), 0},
		{"timestamp", cast("DATE", "EQUAL", "DATE", "20"), 1}, {"timestamp", cast("TIMESTAMP WITH TIME ZONE", "GREATERTHAN", "TIMESTAMP WITH TIME ZONE", fmt.Sprint(15*day)), 1}, {"timestamp", cast("VARCHAR", "EQUAL", "VARCHAR", `"x"`), 2},
		{"event_date", cast("TIMESTAMP", "LESSTHAN", "TIMESTAMP", fmt.Sprint(15*day)), 1}, {"event_date", cast("DATE", "EQUAL", "TIMESTAMP", "1"), 2},
		{"service_name", `{"filter_type":"CONJUNCTION_OR","child_filters":[` + compare("EQUAL", "VARCHAR", `"a"`) + `,` + compare("EQUAL", "VARCHAR", `"c"`) + `]}`, 1},
		{"service_name", `{"filter_type":"CONJUNCTION_AND","child_filters":[` + compare("GREATERTHAN", "VARCHAR", `"a"`) + `,` + compare("LESSTHAN", "VARCHAR", `"b"`) + `]}`, 0},
		{"service_name", `{"filter_type":"OPTIONAL_FILTER","child_filter":` + compare("EQUAL", "VARCHAR", `"b"`) + `}`, 1}, {"service_name", `{"filter_type":"OPTIONAL_FILTER"}`, 2},
		{"status_code", `{"filter_type":"IN_FILTER","values":[{"type":{"id":"INTEGER"},"value":200},{"type":{"id":"INTEGER"},"value":201}]}`, 1}, {"status_code", `{"filter_type":"IN_FILTER"}`, 2},
		{"status_code", `{"filter_type":"IS_NULL"}`, 2}, {"status_code", `{"filter_type":"DYNAMIC_FILTER"}`, 2}, {"status_code", `{"filter_type":"EXPRESSION_FILTER"}`, 2},
	} {
		if got := len(Prune(twoFiles(), []Scan{scanOf(t, c.column, c.filter)}, Leeway{})); got != c.kept {
			t.Errorf("%s %s keeps %d files, want %d", c.column, c.filter, got, c.kept)
		}
	}
}

func TestPruneKeepsWhatAnyScanNeeds(t *testing.T) {
	a := scanOf(t, "service_name", `{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_EQUAL","constant":{"type":{"id":"VARCHAR"},"value":"a"}}`)
	b := scanOf(t, "service_name", `{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_EQUAL","constant":{"type":{"id":"VARCHAR"},"value":"b"}}`)
	if n := len(Prune(twoFiles(), []Scan{a, b}, Leeway{})); n != 2 {
		t.Errorf("two scans keep %d files", n)
	}
	if n := len(Prune(twoFiles(), nil, Leeway{})); n != 0 {
		t.Errorf("no scan keeps %d files", n)
	}
	if cost := CostOf(twoFiles(), []Scan{a, a, AllColumns()}, Leeway{}); cost.Files != 2 || cost.Bytes != 4*7 || len(cost.Columns) != len(lake.FileColumns()) {
		t.Errorf("%+v", cost)
	}
}

func TestLeewayWidens(t *testing.T) {
	late := scanOf(t, "timestamp", `{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_GREATERTHAN","constant":{"type":{"id":"TIMESTAMP"},"value":1728000002500}}`)
	if n := len(Prune(twoFiles(), []Scan{late}, Leeway{})); n != 0 {
		t.Errorf("without leeway %d files", n)
	}
	if n := len(Prune(twoFiles(), []Scan{late}, Leeway{Micros: 1000})); n != 1 {
		t.Errorf("with leeway %d files", n)
	}
	eleventh := scanOf(t, "event_date", `{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_EQUAL","constant":{"type":{"id":"DATE"},"value":11}}`)
	if n := len(Prune(twoFiles(), []Scan{eleventh}, Leeway{Days: 1})); n != 1 {
		t.Errorf("with a day's leeway %d files", n)
	}
}

func TestParsePlanErrors(t *testing.T) {
	for _, text := range []string{"", "{", `{"error":true,"error_type":"binder","error_message":"x"}`, `{"plans":`, `{}`, `{"plans":[{"type":"LOGICAL_GET","names":5}]}`} {
		if scans, err := ParsePlan([]byte(text), "events"); err == nil {
			t.Errorf("%q gave %d scans", text, len(scans))
		}
	}
}

// FuzzParsePlan: whatever a plan holds, it is refused or gives scans that can be pruned with. None of its filters removes a file that the same plan
// without filters would not have.
func FuzzParsePlan(f *testing.F) {
	const get = `{"plans":[{"type":"LOGICAL_GET","names":["event_date","service_name"],"column_indexes":[{"index":1}],"table_filters":{"filters":[{"key":%d,"value":%s}]},"function_data":{"table":"events"}}]}`
	for _, filter := range []string{
		`{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_EQUAL","constant":{"type":{"id":"DATE"},"value":10}}`, `{"filter_type":"OPTIONAL_FILTER"}`, `{"filter_type":"IN_FILTER","values":[{}]}`,
		`{"filter_type":"CONJUNCTION_OR","child_filters":[{"filter_type":"IS_NULL"}]}`, `{"filter_type":"EXPRESSION_FILTER","expr":{"type":"COMPARE_EQUAL","left":{"child":{}},"right":{"value":{}}}}`, `null`, `7`,
	} {
		f.Add(fmt.Appendf(nil, get, 0, filter))
		f.Add(fmt.Appendf(nil, get, -1, filter))
	}
	f.Add([]byte(`{"error":true,"error_type":"binder","error_message":"x"}`))
	f.Fuzz(func(t *testing.T, plan []byte) {
		scans, err := ParsePlan(plan, "events")
		if err != nil {
			return
		}
		files := twoFiles()
		if got, all := len(Prune(files, scans, Leeway{})), len(Prune(files, make([]Scan, len(scans)), Leeway{})); got > all {
			t.Fatalf("%d files with filters, %d without", got, all)
		}
	})
}

// BenchmarkPrune narrows 20,000 files to one service and day.
func BenchmarkPrune(b *testing.B) {
	var files []lake.FileEntry
	for day := range lake.Date(100) {
		for service := range 20 {
			for status := range int32(10) {
				files = append(files, lake.FileEntry{Partition: lake.Partition{Date: day, Service: fmt.Sprintf("s%02d", service), Status: 200 + status}, MinTS: day.Start(), MaxTS: day.Start() + 1})
			}
		}
	}
	plan := []byte(`{"plans":[{"type":"LOGICAL_GET","names":["event_date","service_name"],"table_filters":{"filters":[{"key":0,"value":{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_EQUAL","constant":{"type":{"id":"DATE"},"value":50}}},
		{"key":1,"value":{"filter_type":"CONSTANT_COMPARISON","comparison_type":"COMPARE_EQUAL","constant":{"type":{"id":"VARCHAR"},"value":"s07"}}}]},"function_data":{"table":"events"}}]}`)
	scans, err := ParsePlan(plan, "events")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n := len(Prune(files, scans, Leeway{})); n != 10 {
			b.Fatalf("%d files", n)
		}
	}
}
