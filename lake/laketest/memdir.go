package laketest

import (
	"os"
	"testing"
)

// MemDir is a folder in memory where the machine has one, since a test of power cuts lays out thousands of states; else on the disk. It goes
// with the test.
func MemDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "signallake-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
