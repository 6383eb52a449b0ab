package duck

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// warmShare is how much of the files may still be in memory after a drop before it is no drop: a page that another process holds stays.
const warmShare = 0.02

// dropper takes the pages of files out of the operating system's memory. It needs no rights but to read them.
type dropper struct {
	paths    []string
	bytes    int64   // of the files
	resident float64 // the largest share that was still in memory after a drop
}

// trial drops once and says why that does not make cold; "" when it does.
func (d *dropper) trial() string {
	if err := d.drop(); err != nil {
		return "the files' pages cannot be dropped: " + err.Error()
	}
	if d.resident > warmShare {
		return fmt.Sprintf("%.0f %% of the files stay in memory when their pages are dropped: a file system in memory, or another process that uses them", 100*d.resident)
	}
	return ""
}

// drop drops the pages of all files and looks what is left of them.
func (d *dropper) drop() error {
	var pages, left int64
	d.bytes = 0
	for _, path := range d.paths {
		total, resident, size, err := dropFile(path)
		if err != nil {
			return fmt.Errorf("drop the pages of %s: %w", path, err)
		}
		pages, left, d.bytes = pages+total, left+resident, d.bytes+size
	}
	d.resident = max(d.resident, float64(left)/float64(max(1, pages)))
	return nil
}

// dropFile drops one file's pages; those that were not written to the disk yet are written first.
func dropFile(path string) (pages, resident, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, 0, 0, err
	}
	fd := int(file.Fd())
	if err := unix.Fdatasync(fd); err != nil {
		return 0, 0, 0, err
	}
	if err := unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED); err != nil {
		return 0, 0, 0, err
	}
	memory, err := unix.Mmap(fd, 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, unix.Munmap(memory)) }()
	size = info.Size()
	present := make([]byte, (len(memory)+os.Getpagesize()-1)/os.Getpagesize())
	// x/sys has no wrapper of mincore. Both arrays outlive the call.
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&memory[0])), uintptr(len(memory)), uintptr(unsafe.Pointer(&present[0]))); errno != 0 {
		return 0, 0, 0, errno
	}
	for _, p := range present {
		resident += int64(p & 1)
	}
	return int64(len(present)), resident, size, nil
}

// ioCount is the kernel's count of bytes that this process read, from files in memory or not; or that the disk delivered for it. 0 where it does not tell.
func ioCount(disk bool) int64 {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	key := []byte("rchar: ")
	if disk {
		key = []byte("read_bytes: ")
	}
	for line := range bytes.Lines(text) {
		if digits, ok := bytes.CutPrefix(line, key); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(digits)), 10, 64)
			return n
		}
	}
	return 0
}
