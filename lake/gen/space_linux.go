package gen

import (
	"os"

	"golang.org/x/sys/unix"
)

// reserve asks for room on the disk for n bytes of a file from an offset on; the file's size stays. A file system that cannot do it, or has no room, is
// left alone: what is written finds out.
func reserve(f *os.File, from, n int64) {
	_ = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, from, n)
}
