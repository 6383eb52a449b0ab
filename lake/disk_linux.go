package lake

import "golang.org/x/sys/unix"

// Sync makes the file's bytes and length durable; other metadata may lag, which the lake never reads.
func (f osFile) Sync() error { return unix.Fdatasync(int(f.Fd())) }
