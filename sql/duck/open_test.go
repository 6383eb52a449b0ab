package duck

import (
	"strings"
	"testing"
)

// TestHandle fails when a new release of the driver keeps its connection elsewhere.
func TestHandle(t *testing.T) {
	in := testInstance(t)
	if in.conns[0].handle.Ptr == nil || in.conns[0].handle.Ptr == in.conns[1].handle.Ptr {
		t.Errorf("handles %v and %v", in.conns[0].handle.Ptr, in.conns[1].handle.Ptr)
	}
}

// TestSandbox tries what the gate refuses, without the gate: the box must hold alone.
func TestSandbox(t *testing.T) {
	in := testInstance(t)
	for _, c := range in.conns {
		for _, text := range []string{
			"SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "SELECT * FROM read_csv('/etc/hosts')", "SELECT * FROM glob('/etc/*')", "COPY (SELECT 1) TO '/tmp/signallake-evil.csv'",
			"ATTACH '/tmp/signallake-evil.db'", "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true", "SET lock_configuration = false", "SET memory_limit = '64GB'", "RESET threads",
			"SET TimeZone = 'America/New_York'", "SET allowed_directories = ['/']", "SELECT * FROM 'https://example.com/x.parquet'", "EXPORT DATABASE '/tmp/signallake-evil'", "SELECT * FROM read_blob('/proc/self/environ')",
		} {
			if _, err := c.query(text, 1); err == nil {
				t.Errorf("%s ran", text)
			}
		}
		zone, err := c.text("SELECT current_setting('TimeZone')")
		if err != nil || zone != "UTC" {
			t.Errorf("time zone %q, %v", zone, err)
		}
	}
}

// TestSandboxIsReadBack: a box that did not close must not be used.
func TestSandboxIsReadBack(t *testing.T) {
	b := box{memory: 256 << 20, threads: 1, spill: t.TempDir() + "/spill", connections: 1}
	in, err := openInstance(b)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	for name, other := range map[string]box{
		"threads":             {memory: b.memory, threads: 2, spill: b.spill},
		"temp_directory":      {memory: b.memory, threads: 1, spill: b.spill + "x"},
		"allowed_directories": {memory: b.memory, threads: 1, spill: b.spill, allowed: []string{"/"}},
	} {
		if err := other.check(in.conns[0]); err == nil || !strings.Contains(err.Error(), "setting") {
			t.Errorf("%s: %v, want that the setting is noticed", name, err)
		}
	}
}

// TestSeveralStatementsAreNotRun: the driver would run all but the last while it prepares.
func TestSeveralStatementsAreNotRun(t *testing.T) {
	c := testInstance(t).conns[0]
	if _, err := c.query("CREATE TABLE evil(i INTEGER); SELECT 1", 1); err == nil {
		t.Error("two statements ran")
	}
	if _, err := c.query("SELECT * FROM evil", 1); err == nil {
		t.Error("the first of two statements ran")
	}
}
