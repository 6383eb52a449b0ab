package duck

import (
	"context"
	"errors"
	"fmt"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// outsideMemory is enough to count any lake and leaves room for what runs beside.
const outsideMemory = "2GiB"

// Outside runs one statement in a DuckDB of its own that knows nothing of any lake, as somebody would who found the files. It is for proofs over
// files whose names the statement gives: there is no gate and no sandbox, so the text must be the program's own. Values are as in sql.Result.
func Outside(ctx context.Context, text string) (rows [][]any, err error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, connector.Close()) }()
	c, err := connect(connector)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, setting := range []string{"TimeZone = 'UTC'", "memory_limit = '" + outsideMemory + "'", "temp_directory = ''", "autoinstall_known_extensions = false", "autoload_known_extensions = false"} {
		if err := c.exec("SET " + setting); err != nil {
			return nil, fmt.Errorf("SET %s: %w", setting, err)
		}
	}
	set, err := interruptible(ctx, c, func() (*rowSet, error) { return c.query(text, 0) })
	if err != nil {
		return nil, err
	}
	return values(set), nil
}
