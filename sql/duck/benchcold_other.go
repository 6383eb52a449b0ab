//go:build !linux

package duck

import "errors"

// dropper would take the pages of files out of the operating system's memory: only Linux lets a plain user do that.
type dropper struct {
	paths    []string
	bytes    int64
	resident float64
}

func (d *dropper) trial() string {
	return "only Linux lets a plain user drop a file's pages from memory"
}

func (d *dropper) drop() error { return errors.New(d.trial()) }

func ioCount(bool) int64 { return 0 }
