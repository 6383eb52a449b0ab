package duck

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signallake/signallake/sql"
)

// spillLimit bounds what sorts and joins that do not fit in memory may write: enough for a big sort, not enough to fill a disk.
const spillLimit = "4GiB"

// box says what an instance may use and touch.
type box struct {
	memory      int64 // bytes, of DuckDB's buffers
	threads     int
	spill       string   // folder, made by DuckDB when it is first needed
	allowed     []string // folders whose files statements of ours may name; nothing else outside memory is reachable
	connections int      // made at once: a connection's settings cannot be changed once the box is locked
	small       int      // more connections, which keep what they read
	setup       []string // statements run before the lock
}

// instance is one in-memory database in its box.
type instance struct {
	connector *duckdb.Connector
	conns     []*conn
	small     []*conn
}

// macros makes the names that the shared dialect has and DuckDB has not.
func macros() []string {
	return []string{"CREATE MACRO approx_percentile(x, p) AS quantile_cont(x, p)"}
}

// openInstance opens a database, closes the box and reads back that it is closed: a setting that a new release ignores must not open a hole.
func openInstance(b box) (*instance, error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, err
	}
	in := &instance{connector: connector}
	if err := in.setUp(b); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *instance) setUp(b box) error {
	for range b.connections {
		if err := in.connect(&in.conns); err != nil {
			return err
		}
	}
	for i := range b.small {
		if err := in.connect(&in.small); err != nil {
			return err
		}
		if err := in.small[i].exec("SET SESSION " + keepReads); err != nil {
			return err
		}
	}
	first := in.conns[0]
	for _, text := range append(b.settings(), b.setup...) {
		if err := first.exec(text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	if err := first.exec("SET lock_configuration = true"); err != nil {
		return err
	}
	for _, c := range slices.Concat(in.conns, in.small) {
		if err := b.check(c); err != nil {
			return err
		}
	}
	return nil
}

// connect adds a connection.
func (in *instance) connect(to *[]*conn) error {
	c, err := connect(in.connector)
	if err != nil {
		return err
	}
	*to = append(*to, c)
	return c.exec("SET errors_as_json = true") // this counts for one connection: errors as JSON tell their place in the text
}

// settings are in the order in which they must be made: what needs the outside world comes before the door is shut.
func (b box) settings() []string {
	quoted := make([]string, len(b.allowed))
	for i, dir := range b.allowed {
		quoted[i] = sql.Literal(dir)
	}
	return append(macros(),
		"SET GLOBAL TimeZone = 'UTC'",
		fmt.Sprintf("SET threads = %d", b.threads),
		fmt.Sprintf("SET memory_limit = '%dB'", b.memory),
		"SET temp_directory = "+sql.Literal(b.spill),
		"SET max_temp_directory_size = '"+spillLimit+"'",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET allocator_background_threads = true", // gives memory back that was freed, within a second or two
		"SET allowed_directories = ["+strings.Join(quoted, ", ")+"]",
		"SET enable_external_access = false",
	)
}

// check reads the settings back on one connection.
func (b box) check(c *conn) error {
	var allowed []string
	for _, dir := range append([]string{b.spill}, b.allowed...) { // DuckDB adds the spill folder by itself
		allowed = append(allowed, strings.TrimRight(dir, "/")+"/")
	}
	slices.Sort(allowed)
	want := map[string]string{
		"TimeZone": "UTC", "threads": fmt.Sprint(b.threads), "temp_directory": b.spill, "autoinstall_known_extensions": "false",
		"autoload_known_extensions": "false", "allow_community_extensions": "false", "allow_unsigned_extensions": "false",
		"allowed_directories": "", "allowed_paths": "[]", "enable_external_access": "false",
		"lock_configuration": "true", "default_null_order": "NULLS_LAST",
	}
	set, err := c.query("SELECT name, value FROM duckdb_settings()", 0)
	if err != nil {
		return fmt.Errorf("read the settings back: %w", err)
	}
	for _, row := range set.rows {
		name, got := text(row[0]), text(row[1])
		value, wanted := want[name]
		if !wanted {
			continue
		}
		delete(want, name)
		if name == "allowed_directories" {
			continue // a list, whose text escapes quotes: read below
		}
		if got != value {
			return fmt.Errorf("the setting %s of the sandbox is %q, want %q: this release of DuckDB cannot be trusted with statements", name, got, value)
		}
	}
	dirs, err := c.query("SELECT unnest(current_setting('allowed_directories')) AS dir ORDER BY dir", 0)
	if err != nil {
		return fmt.Errorf("read the allowed folders back: %w", err)
	}
	var got []string
	for _, row := range dirs.rows {
		got = append(got, text(row[0]))
	}
	if !slices.Equal(got, allowed) {
		return fmt.Errorf("the setting allowed_directories of the sandbox is %q, want %q: this release of DuckDB cannot be trusted with statements", got, allowed)
	}
	if len(want) > 0 {
		return fmt.Errorf("%d settings of the sandbox are not known: this release of DuckDB cannot be trusted with statements", len(want))
	}
	if err := c.exec("SET threads = 1"); err == nil {
		return errors.New("the sandbox's settings can be changed after the lock: this release of DuckDB cannot be trusted with statements")
	}
	return nil
}

func (in *instance) close() error {
	var errs []error
	for _, c := range slices.Concat(in.conns, in.small) {
		errs = append(errs, c.close())
	}
	return errors.Join(append(errs, in.connector.Close())...)
}
