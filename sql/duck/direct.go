package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// The driver prepares each statement and then executes it. DuckDB plans a statement that reads files twice then, since the files might have changed
// in between: listing or opening them, binding and optimizing, which is half of what a pruned question costs. So statements without parameters take
// DuckDB's direct call, and the driver reads the result.

// newRows is how the driver wraps a result that it will read; it has no exported way in. A release that renames it does not link.
//
//go:linkname newRows github.com/duckdb/duckdb-go/v2.newRowsWithStmt
func newRows(result mapping.Result, stmt *duckdb.Stmt) unsafe.Pointer

// rowsType is the type behind the pointer that newRows returns.
func rowsType(c *duckdb.Conn) (reflect.Type, error) {
	rows, err := c.QueryContext(context.Background(), "SELECT 1", nil)
	if err != nil {
		return nil, err
	}
	t := reflect.TypeOf(rows)
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if t.Kind() != reflect.Pointer {
		return nil, fmt.Errorf("this release of the DuckDB driver reads results with a %v", t)
	}
	return t.Elem(), nil
}

// direct runs one statement without parameters; see query.
func (c *conn) direct(text string, limit int) (*rowSet, error) {
	if err := c.oneStatement(text); err != nil {
		return nil, err
	}
	var result mapping.Result
	if mapping.Query(c.handle, text, &result) == mapping.StateError {
		defer mapping.DestroyResult(&result)
		return nil, &duckdb.Error{Msg: mapping.ResultError(&result)}
	}
	rows := reflect.NewAt(c.rows, newRows(result, nil)).Interface().(driver.Rows)
	set, err := readAll(rows, limit)
	return set, errors.Join(err, rows.Close())
}

// oneStatement refuses more than one statement, which the direct call would all run. Statements end in a semicolon: a text without one is not parsed twice.
func (c *conn) oneStatement(text string) error {
	if strings.IndexByte(text, ';') < 0 {
		return nil
	}
	var extracted mapping.ExtractedStatements
	n := mapping.ExtractStatements(c.handle, text, &extracted)
	defer mapping.DestroyExtracted(&extracted)
	switch {
	case n == 1:
		return nil
	case n > 1:
		return fmt.Errorf("%d statements in one text: want one", n)
	}
	if message := mapping.ExtractStatementsError(extracted); message != "" {
		return &duckdb.Error{Msg: message}
	}
	return errors.New("no statement to run")
}
