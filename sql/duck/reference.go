package duck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
)

// Reference is what benchmarks hold the engine against: one DuckDB with the prompt's threads, memory and settings, asked over files that the caller
// names, without gate, catalog, digests or hot tail. It is for one goroutine, and for texts of the program's own.
type Reference struct {
	in      *instance
	threads int
	spill   string
	hot     bool      // there is a table of hot rows
	own     *ownFiles // of the lake of HoldPair
}

// OpenReference opens one for files below the folders. spill is where sorts may spill; it is removed by Close. threads 0: all cores.
func OpenReference(folders []string, spill string, threads int) (*Reference, error) {
	if threads <= 0 {
		threads = runtime.NumCPU()
	}
	b := box{memory: defaultMemory, threads: threads, connections: 1, setup: keepFiles()}
	for _, dir := range append([]string{spill}, folders...) {
		path, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if strings.ContainsAny(path, "*?[") {
			return nil, fmt.Errorf("the folder %s has one of * ? [ in its path, which DuckDB takes for a pattern: choose another", path)
		}
		b.allowed = append(b.allowed, path)
	}
	b.spill, b.allowed = b.allowed[0], b.allowed[1:]
	in, err := openInstance(b)
	if err != nil {
		return nil, fmt.Errorf("open a DuckDB for comparison: %w", err)
	}
	return &Reference{in: in, threads: threads, spill: b.spill}, nil
}

// Close frees it.
func (r *Reference) Close() error {
	err := r.in.close()
	if r.own != nil {
		err = errors.Join(err, r.own.close())
	}
	return errors.Join(err, os.RemoveAll(r.spill))
}

// Version is DuckDB's.
func (r *Reference) Version() (string, error) {
	return r.in.conns[0].text("SELECT library_version FROM pragma_version()")
}

// Query runs one statement and answers all of its rows, with values as in sql.Result. It stops when ctx ends.
func (r *Reference) Query(ctx context.Context, text string) ([][]any, error) {
	c := r.in.conns[0]
	set, err := interruptible(ctx, c, func() (*rowSet, error) { return c.query(text, 0) })
	if err != nil {
		return nil, fmt.Errorf("ask DuckDB for comparison: %w", err)
	}
	return values(set), nil
}

// SetEvents makes `events` of a source: Twin, Glob or List.
func (r *Reference) SetEvents(source string) error {
	return r.in.conns[0].exec("CREATE OR REPLACE VIEW events AS SELECT * FROM " + r.WithHot(source, "true"))
}

// SetHot fills the table of hot rows with the events of a file of canonical lines, in the place of those that were in it. A source has them then as well; see WithHot.
func (r *Reference) SetHot(ctx context.Context, path string) error {
	c := r.in.conns[0]
	_, err := interruptible(ctx, c, func() (*rowSet, error) {
		return nil, c.exec("CREATE OR REPLACE TABLE hot AS SELECT *, 0::BIGINT AS seq FROM (" + linesSQL([]string{path}) + ")")
	})
	if err != nil {
		return fmt.Errorf("load hot rows for comparison: %w", err)
	}
	r.hot = true
	return nil
}

// WithHot is a source and those hot rows that fulfil a condition; the source alone while there is no table of them.
func (r *Reference) WithHot(source, condition string) string {
	if !r.hot {
		return source
	}
	names := columnNames()
	return "(SELECT " + names + " FROM " + source + " UNION ALL SELECT " + names + " FROM hot WHERE " + condition + ")"
}

// Twin is an unpartitioned file as the source of a statement.
func Twin(path string) string { return "read_parquet(" + sql.Literal(absolute(path)) + ")" }

// Glob is a Hive tree as the source of a statement, found by a pattern. The types of its keys are named.
func Glob(root string) string {
	return "read_parquet(" + sql.Literal(filepath.Join(absolute(root), "**", "*.parquet")) + ", hive_partitioning = true, hive_types = {'event_date': DATE, 'service_name': VARCHAR, 'status_code': INTEGER})"
}

// List is some files of a lake as the source of a statement, as the engine names them.
func List(layout lake.Layout, files []*lake.FileEntry) string {
	layout.Root = absolute(layout.Root)
	return readFiles(layout, files)
}

// PairList is List for files that the catalog gave for one service and one day: no key is read from their paths, and no condition is needed.
func PairList(layout lake.Layout, files []*lake.FileEntry) string {
	layout.Root = absolute(layout.Root)
	return readParquet(layout, files, "hive_partitioning = false")
}

// HoldPair is PairList with the files read as the engine reads a pruned list of which a statement needs these columns: by its own reader where they are small, else as PairList
// does. As DuckDB does, it keeps what it has read of files. The source can be named until release. It is for files of one lake.
func (r *Reference) HoldPair(layout lake.Layout, files []*lake.FileEntry, columns ...string) (source string, release func() error, err error) {
	layout.Root = absolute(layout.Root)
	if r.own == nil {
		own := newOwnFiles(layout, footerMemory, chunkMemory, defaultMemory/hotShare, r.spill+"-texts")
		if err := own.register(r.in.connector, r.threads); err != nil {
			return "", nil, err
		}
		r.own = own
	}
	list := r.own.hold(files, columns, false)
	if list == nil {
		return PairList(layout, files), func() error { return nil }, nil
	}
	return list.source(), list.release, nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path // the folder at hand is gone: DuckDB will say so
}

// Chunk is where the bytes of a column stand in a file.
type Chunk struct {
	Path        string
	Offset, Len int64
}

// Chunks finds the chunks of a column in files of a lake, by their footers.
func (r *Reference) Chunks(ctx context.Context, layout lake.Layout, files []*lake.FileEntry, column string) ([]Chunk, error) {
	layout.Root = absolute(layout.Root)
	rows, err := r.Query(ctx, "SELECT file_name, least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset)), total_compressed_size FROM parquet_metadata("+
		pathList(layout, files)+") WHERE path_in_schema = "+sql.Literal(column))
	if err != nil {
		return nil, err
	}
	chunks := make([]Chunk, len(rows))
	for i, row := range rows {
		path, ok1 := row[0].(string)
		offset, ok2 := row[1].(int64)
		n, ok3 := row[2].(int64)
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("the footer of %v says that %s is at %v and has %v bytes", row[0], column, row[1], row[2])
		}
		chunks[i] = Chunk{path, offset, n}
	}
	return chunks, nil
}

// Fingerprint is one line that two sources have in common exactly when they hold the same events: their number, the sum of their latencies, their
// p95, and a hash over every column but seq, which only a lake gives.
func (r *Reference) Fingerprint(ctx context.Context, source string) (string, error) {
	var all []string
	for _, c := range lake.Columns() {
		if c.Name != "seq" {
			all = append(all, "CAST("+c.Name+" AS "+c.Type+")")
		}
	}
	rows, err := r.Query(ctx, "SELECT concat_ws(' ', count(*), sum(CAST(latency_ms AS DECIMAL(18, 3))), quantile_cont(latency_ms, 0.95), bit_xor(hash("+strings.Join(all, ", ")+"))) FROM "+source)
	if err != nil {
		return "", err
	}
	line, ok := rows[0][0].(string)
	if !ok {
		return "", fmt.Errorf("DuckDB answers a %T for a fingerprint", rows[0][0])
	}
	return line, nil
}

// linesSQL reads files of canonical lines as the columns of events, but for seq.
func linesSQL(paths []string) string {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = sql.Literal(absolute(path))
	}
	var keys, names []string
	for _, c := range lake.Columns() {
		switch c.Name {
		case "seq":
		case "event_date":
			names = append(names, "CAST(timestamp AS DATE) AS event_date")
		default:
			keys, names = append(keys, c.Name+": '"+c.Type+"'"), append(names, c.Name)
		}
	}
	return "SELECT " + strings.Join(names, ", ") + " FROM read_json([" + strings.Join(quoted, ", ") + "], format = 'newline_delimited', columns = {" + strings.Join(keys, ", ") + "})"
}

// ConvertForComparison has DuckDB do what a conversion does: it reads files of canonical lines and writes them as a Hive tree of Parquet, zstd, below out.
// What a lake does beside that (cells, digests, syncs, a commit) it leaves out. It has a DuckDB of its own with DuckDB's memory limit.
func ConvertForComparison(ctx context.Context, paths []string, out string, threads int) (err error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connector.Close()) }()
	c, err := connect(connector)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, setting := range []string{"TimeZone = 'UTC'", fmt.Sprintf("threads = %d", max(1, threads)), "autoinstall_known_extensions = false", "autoload_known_extensions = false",
		"temp_directory = " + sql.Literal(absolute(out)+".spill")} {
		if err := c.exec("SET " + setting); err != nil {
			return fmt.Errorf("SET %s: %w", setting, err)
		}
	}
	_, err = interruptible(ctx, c, func() (*rowSet, error) {
		return nil, c.exec("COPY (" + linesSQL(paths) + ") TO " + sql.Literal(absolute(out)) +
			" (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (event_date, service_name, status_code), OVERWRITE_OR_IGNORE)")
	})
	if err != nil {
		return fmt.Errorf("convert with DuckDB for comparison: %w", err)
	}
	return nil
}

// interruptible runs work on c and stops it when ctx ends.
func interruptible[T any](ctx context.Context, c *conn, work func() (T, error)) (T, error) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-done:
		case <-ctx.Done():
			c.interruptUntil(done)
		}
	}()
	result, err := work()
	close(done)
	<-stopped
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return result, err
}

// values turns what the driver read into values as in sql.Result.
func values(set *rowSet) [][]any {
	rows := make([][]any, len(set.rows))
	for i, row := range set.rows {
		rows[i] = make([]any, len(row))
		for j, v := range row {
			rows[i][j] = toResult(v, set.types[j])
		}
	}
	return rows
}
