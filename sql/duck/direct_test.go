package duck

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// TestDirect holds the direct call's answers against the prepared one's: every kind of value that the driver reads, its names and types.
func TestDirect(t *testing.T) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer connector.Close()
	c, err := connect(connector)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	const values = "SELECT true AS b, 1::TINYINT AS tiny, 2 AS int, 3::BIGINT AS big, 4::HUGEINT AS huge, 1.5 AS dec, 2.5::DOUBLE AS d, 'text' AS v, ';' AS semicolon, NULL AS nothing, " +
		"DATE '2026-01-05' AS day, TIMESTAMP '2026-01-05 01:02:03.456789' AS ts, INTERVAL 3 DAY AS i, [1, 2] AS list, {'a': 1, 'b': 'x'} AS struct, MAP {'k': 2} AS map, " +
		"'{\"j\":1}'::JSON AS json, '00000000-0000-0000-0000-000000000001'::UUID AS u, 'ab'::BLOB AS blob FROM range(3000) WHERE "
	direct, err := c.query(values+"range >= 0", 0)
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := c.query(values+"range >= ?", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(direct.rows) != 3000 || fmt.Sprint(direct.rows, direct.columns, direct.types) != fmt.Sprint(prepared.rows, prepared.columns, prepared.types) {
		t.Errorf("the direct call answers %v\nthe prepared one %v", direct.rows[0], prepared.rows[0])
	}
	if few, err := c.query("SELECT * FROM range(100000)", 5); err != nil || len(few.rows) != 5 {
		t.Errorf("five rows of many: %v", err)
	}
	if _, err := c.query("SELECT 1;", 0); err != nil {
		t.Errorf("a semicolon at the end: %v", err)
	}
	if _, err := c.query("CREATE TABLE made(i INT); SELECT 1", 0); err == nil || !strings.Contains(err.Error(), "2 statements") {
		t.Errorf("two statements: %v", err)
	}
	var native *duckdb.Error
	if _, err := c.query("SELECT * FROM made", 0); !errors.As(err, &native) || !strings.Contains(err.Error(), "made") {
		t.Errorf("the refused text was run, or the error is not the engine's: %v", err)
	}
	if _, err := c.query("SELEC 1; SELECT 2", 0); !errors.As(err, &native) {
		t.Errorf("what cannot be parsed: %v", err)
	}
	if err := c.exec("CREATE TABLE a(i INT); INSERT INTO a VALUES (1), (2)"); err != nil {
		t.Errorf("two statements of ours: %v", err)
	}
	if err := c.exec("INSERT INTO nowhere VALUES (1)"); !errors.As(err, &native) {
		t.Errorf("a statement that fails: %v", err)
	}
}
