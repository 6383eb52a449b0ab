package duck

import (
	"fmt"
	"strings"
	"testing"
)

// TestFilesAsOthersReadThem looks at the files through DuckDB's own Parquet reader: every column chunk names its column, is compressed with
// zstd and carries the bounds that other engines prune by, and the types are those that Athena and Trino know.
func TestFilesAsOthersReadThem(t *testing.T) {
	l, _ := openBoth(t, t.TempDir())
	generateInto(t, l, 20_000, 1)
	if _, err := l.Convert(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	db := outsider(t, parquetRelation(l))
	list := strings.Join(livePaths(l), ", ")
	bad := answers(t, db, fmt.Sprintf(`select file_name, path_in_schema, compression, type, stats_min_value from parquet_metadata([%s])
		where path_in_schema = '' or compression <> 'ZSTD' or type = 'INT96'
		   or (path_in_schema in ('timestamp', 'received_at', 'seq', 'event_id') and (stats_min_value is null or stats_max_value is null)) limit 5`, list))
	if len(bad) > 0 {
		t.Errorf("column chunks that other engines trip over: %v", bad)
	}
	types := answers(t, db, fmt.Sprintf("select distinct name, type, converted_type, logical_type from parquet_schema([%s]) where converted_type like 'UINT%%' or logical_type like '%%UUID%%' or logical_type like '%%isAdjustedToUTC=true%%' or logical_type like '%%Json%%'", list))
	if len(types) > 0 {
		t.Errorf("types that other engines do not know: %v", types)
	}
}
