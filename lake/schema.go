package lake

// Column is one column of `events`, in the order users see.
type Column struct {
	Name      string
	Type      string // DuckDB's and Trino's name of it: VARCHAR, TIMESTAMP, DATE, INTEGER, BIGINT, DOUBLE
	Partition bool   // stands in the path, not in the file
	Nullable  bool
}

// Columns is the schema of `events`. Everything that writes, reads or plans derives from it. Instants are UTC, microseconds.
func Columns() []Column {
	return []Column{
		{Name: "timestamp", Type: "TIMESTAMP"},
		{Name: "event_date", Type: "DATE", Partition: true},
		{Name: "service_name", Type: "VARCHAR", Partition: true},
		{Name: "status_code", Type: "INTEGER", Partition: true},
		{Name: "endpoint", Type: "VARCHAR", Nullable: true},
		{Name: "method", Type: "VARCHAR", Nullable: true},
		{Name: "latency_ms", Type: "DOUBLE", Nullable: true},
		{Name: "region", Type: "VARCHAR"},
		{Name: "level", Type: "VARCHAR"},
		{Name: "message", Type: "VARCHAR", Nullable: true},
		{Name: "host", Type: "VARCHAR", Nullable: true},
		{Name: "event_id", Type: "VARCHAR"},
		{Name: "request_id", Type: "VARCHAR", Nullable: true},
		{Name: "trace_id", Type: "VARCHAR", Nullable: true},
		{Name: "span_id", Type: "VARCHAR", Nullable: true},
		{Name: "attributes", Type: "VARCHAR", Nullable: true},
		{Name: "received_at", Type: "TIMESTAMP"},
		{Name: "seq", Type: "BIGINT"},
	}
}

// FileColumns are the columns that stand in a Parquet file: Columns without the partition key. FileEntry.ColumnBytes has their order.
func FileColumns() []Column {
	var in []Column
	for _, c := range Columns() {
		if !c.Partition {
			in = append(in, c)
		}
	}
	return in
}
