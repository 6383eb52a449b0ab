package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/signallake/signallake/lake"
)

// compression is how an input's bytes are packed; its first bytes say it, whatever the name is.
type compression int

const (
	plain compression = iota
	gzipped
	zstandard
)

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// maxWindow is the zstd window that is borne: what `zstd --long` writes by default.
const maxWindow = 128 << 20

// file is one regular file that is open for reading.
type file struct {
	path string
	f    *os.File
	size int64 // when it was opened
	zip  compression
}

// hint is an error in words that name the way out; the cause is for errors.Is.
type hint struct {
	text  string
	cause error
}

func (h *hint) Error() string { return h.text }
func (h *hint) Unwrap() error { return h.cause }

// errNotRegular is a pipe or device that was named as a file.
var errNotRegular = errors.New("not a regular file")

func openFile(path string) (*file, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &hint{"there is no such file; look at the path, or wait for the file with --follow", err}
	case err != nil:
		return nil, unreadable(path, err)
	case info.IsDir():
		return nil, fmt.Errorf("it is a folder: name its files, for example %s", filepath.Join(path, "*.log"))
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	var magic [4]byte
	n, err := f.ReadAt(magic[:], 0)
	if err != nil && err != io.EOF {
		return nil, errors.Join(unreadable(path, err), f.Close())
	}
	if info, err = f.Stat(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &file{path: path, f: f, size: info.Size(), zip: packed(magic[:n])}, nil
}

// openDevice opens a pipe or device. A named pipe opens once somebody writes to it, which may be never: the end of ctx ends the wait.
func openDevice(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	ready := make(chan opened, 1)
	go func() {
		f, err := os.Open(path)
		ready <- opened{f, err}
	}()
	select {
	case o := <-ready:
		if o.err != nil {
			return nil, unreadable(path, o.err)
		}
		return o.f, nil
	case <-ctx.Done():
		go func() {
			if o := <-ready; o.f != nil {
				o.f.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func unreadable(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &hint{fmt.Sprintf("this user may not read it: `sudo cat %s | signallake-tui import -`", path), err}
	}
	return fmt.Errorf("read: %w", err)
}

func packed(magic []byte) compression {
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		return gzipped
	case bytes.HasPrefix(magic, zstdMagic):
		return zstandard
	}
	return plain
}

// whole says so when the file was cut short while it was read: what stood behind the cut is not imported.
func (f *file) whole() error {
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < f.size {
		return fmt.Errorf("it was cut from %s to %s bytes while it was read, and what stood behind may be missing: --follow goes along with files that are rotated", lake.Thousands(f.size), lake.Thousands(info.Size()))
	}
	return nil
}

func (f *file) close() error { return f.f.Close() }

// fileReader reads a file from a position of its own.
type fileReader struct {
	f   *os.File
	off int64
}

func (r *fileReader) Read(p []byte) (int, error) {
	n, err := r.f.ReadAt(p, r.off)
	r.off += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// stream is a file's decompressed bytes from a position on.
type stream struct {
	io.Reader
	raw    *fileReader // its off is how much of the file was read
	window []byte      // up to tailBytes before the position
	end    func()
}

// stream starts at the beginning.
func (f *file) stream() (*stream, error) {
	s := &stream{raw: &fileReader{f: f.f}, end: func() {}}
	var err error
	s.Reader, s.end, err = unpack(s.raw, f.zip)
	return s, err
}

// unpack reads what is packed in r. Several members or frames in a row are one text.
func unpack(r io.Reader, zip compression) (io.Reader, func(), error) {
	switch zip {
	case gzipped:
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, packedError("gzip", err)
		}
		return &unpacked{z, "gzip"}, func() {}, nil
	case zstandard:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, packedError("zstd", err)
		}
		return &unpacked{z, "zstd"}, z.Close, nil
	}
	return r, func() {}, nil
}

// unpacked names the packing in its errors.
type unpacked struct {
	io.Reader
	what string
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = packedError(u.what, err)
	}
	return n, err
}

func packedError(what string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s: it is cut off, or still being written: %w", what, err)
	}
	return fmt.Errorf("read %s: it is damaged: %w", what, err)
}

// peek reads up to n decompressed bytes from the start.
func (f *file) peek(n int) ([]byte, error) {
	s, err := f.stream()
	if err != nil {
		return nil, err
	}
	defer s.end()
	p := make([]byte, n)
	got, err := io.ReadFull(s, p)
	if err == io.ErrUnexpectedEOF || err == io.EOF || bytes.IndexByte(p[:got], '\n') >= 0 {
		err = nil // of a damaged archive the lines before the damage count; reading on will meet it again
	}
	return p[:got], err
}

// resume answers the stream at a mark's position, or nil when the bytes before it are not those that the mark was made of.
func (f *file) resume(m *mark) (*stream, error) {
	if f.zip == plain && f.size < m.Offset {
		return nil, nil
	}
	s, err := f.stream()
	if err != nil {
		return nil, err
	}
	window := make([]byte, min(m.Offset, tailBytes))
	if f.zip == plain {
		s.raw.off = m.Offset - int64(len(window))
	} else if _, err := io.CopyN(io.Discard, s, m.Offset-int64(len(window))); err != nil {
		s.end()
		return nil, nil // shorter, or damaged before the position: not the input that was read that far
	}
	if _, err := io.ReadFull(s, window); err != nil || sum(window) != m.Tail {
		s.end()
		return nil, nil
	}
	s.window = window
	return s, nil
}
