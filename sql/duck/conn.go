package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// interruptEvery is how often a statement that is to stop is told so: DuckDB forgets an interrupt that comes before a phase begins.
const interruptEvery = 5 * time.Millisecond

// conn is one connection of an instance. It is used by one goroutine at a time, but for interrupt.
//
// It stands on the driver's own types and not on database/sql: a cancelled context of the driver takes half a second to act, and its
// PrepareContext runs every statement of a text but the last.
type conn struct {
	driver *duckdb.Conn
	handle mapping.Connection
	rows   reflect.Type // the driver's reader of results
	small  *conn        // its twin for statements that read little; nil for most
}

func connect(connector *duckdb.Connector) (*conn, error) {
	dc, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	c, ok := dc.(*duckdb.Conn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver made a %T", dc), dc.Close())
	}
	// The handle is needed to interrupt at once, and the driver has no accessor for it. TestHandle fails when the field moves.
	field := reflect.ValueOf(c).Elem().FieldByName("conn")
	if !field.IsValid() || field.Type() != reflect.TypeFor[mapping.Connection]() {
		return nil, errors.Join(errors.New("this release of the DuckDB driver keeps its handle elsewhere"), dc.Close())
	}
	rows, err := rowsType(c)
	if err != nil {
		return nil, errors.Join(err, dc.Close())
	}
	return &conn{driver: c, handle: *(*mapping.Connection)(unsafe.Pointer(field.UnsafeAddr())), rows: rows}, nil
}

// exec runs statements of ours, one after the other.
func (c *conn) exec(text string) error {
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if mapping.Query(c.handle, text, &result) == mapping.StateError {
		return &duckdb.Error{Msg: mapping.ResultError(&result)}
	}
	return nil
}

// changed runs one statement of ours and answers how many rows it has inserted.
func (c *conn) changed(text string) (int64, error) {
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if mapping.Query(c.handle, text, &result) == mapping.StateError {
		return 0, &duckdb.Error{Msg: mapping.ResultError(&result)}
	}
	return int64(mapping.RowsChanged(&result)), nil
}

// rowSet is a materialised answer.
type rowSet struct {
	columns []string
	types   []string
	rows    [][]driver.Value
}

// query runs one statement and reads at most limit rows of its answer (0: all). Several statements in one text are refused, not run.
func (c *conn) query(text string, limit int, args ...any) (*rowSet, error) {
	if len(args) == 0 {
		return c.direct(text, limit)
	}
	stmt, err := c.driver.Prepare(text)
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(context.Background(), named)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return readAll(rows, limit)
}

func readAll(rows driver.Rows, limit int) (*rowSet, error) {
	set := &rowSet{columns: rows.Columns()}
	if named, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		for i := range set.columns {
			set.types = append(set.types, named.ColumnTypeDatabaseTypeName(i))
		}
	}
	for limit == 0 || len(set.rows) < limit {
		row := make([]driver.Value, len(set.columns))
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		set.rows = append(set.rows, row)
	}
	return set, nil
}

// text runs a statement of ours that answers one text.
func (c *conn) text(query string, args ...any) (string, error) {
	set, err := c.query(query, 1, args...)
	if err != nil {
		return "", err
	}
	if len(set.rows) == 0 || len(set.rows[0]) == 0 {
		return "", errors.New("no row")
	}
	s, ok := set.rows[0][0].(string)
	if !ok {
		return "", fmt.Errorf("got %T, want a text", set.rows[0][0])
	}
	return s, nil
}

// smallRead is what a statement may read, in bytes by the books, to run on the twin: a p95 of a service and day of a hundred million events.
const smallRead = 8 << 20

// forRead is the connection for a statement that reads so many bytes. The twin keeps what it reads of files in memory and does not open them again, which
// is a tenth of the time of a small question; large ones would fill the memory with it for a hundredth of theirs.
func (c *conn) forRead(bytes int64) *conn {
	if c.small != nil && bytes <= smallRead {
		return c.small
	}
	return c
}

// interruptUntil stops what runs on the connection or its twin, again and again until done is closed.
func (c *conn) interruptUntil(done <-chan struct{}) {
	ticker := time.NewTicker(interruptEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			mapping.Interrupt(c.handle)
			if c.small != nil {
				mapping.Interrupt(c.small.handle)
			}
		}
	}
}

func (c *conn) close() error { return c.driver.Close() }
