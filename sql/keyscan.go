package sql

import (
	"encoding/json"
	"strconv"

	"github.com/signallake/signallake/lake"
)

// KeyScan is the scan of columns of one service on one day, for a caller that knows its key and needs no planner to find it in a statement.
func KeyScan(service string, day lake.Date, columns ...string) Scan {
	name, _ := json.Marshal(service) // a string never fails
	equal := func(column, kind string, value json.RawMessage) columnFilter {
		return columnFilter{column, planFilter{Kind: "CONSTANT_COMPARISON", Comparison: "COMPARE_EQUAL", Constant: planConstant{Type: planType{ID: kind}, Value: value}}}
	}
	return Scan{Columns: columns, filters: []columnFilter{
		equal("service_name", "VARCHAR", name),
		equal("event_date", "DATE", strconv.AppendInt(nil, int64(day), 10)),
	}}
}
