package duck

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

const (
	// slabBytes is the piece in which memory of hot rows is taken and given back: two blocks, and little for a segment with few rows, since pages that
	// nobody touched cost nothing.
	slabBytes = 1 << 20
	// spareSlabs are kept for the next segment of hot rows, as many as the rows of a tail take that is just being converted: writing to pages that are
	// there already costs a quarter of what it costs with fresh ones.
	spareSlabs = 64
)

// slab is memory outside of Go's heap: DuckDB holds pointers into it.
type slab struct {
	bytes []byte
	at    int64 // its place in the file; -1: it is not in one
}

// slabs is where the memory of all hot rows comes from. Up to a limit it is plain memory; above, it lies in a file without a name, whose pages the system can
// write out when memory is short: a tail that cannot be converted grows to gigabytes.
type slabs struct {
	limit  int64  // bytes of plain memory
	spares int    // pieces that are kept for whoever comes next
	path   string // of the file, made when it is needed and unlinked at once

	mu      sync.Mutex
	plain   int64 // bytes, the spare ones included
	inUse   int64 // bytes of every kind that rows lie in
	spare   []slab
	file    *os.File
	fileEnd int64
	holes   []int64 // places in the file that are free
}

// take answers n bytes, rounded up to whole slabs, with any content.
func (s *slabs) take(n int) (slab, error) {
	n = (n + slabBytes - 1) / slabBytes * slabBytes
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.spare) - 1; last >= 0 && n == slabBytes {
		piece := s.spare[last]
		s.spare = s.spare[:last]
		s.inUse += int64(n)
		return piece, nil
	}
	piece, err := s.fresh(n)
	if err != nil {
		return slab{}, fmt.Errorf("take %d bytes for hot rows: %w", n, err)
	}
	s.inUse += int64(n)
	return piece, nil
}

func (s *slabs) fresh(n int) (slab, error) {
	if s.plain+int64(n) > s.limit {
		return s.mapped(n)
	}
	bytes, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return slab{}, err
	}
	s.plain += int64(n)
	return slab{bytes: bytes, at: -1}, nil
}

// mapped is a piece of the file. Its bytes are written first: touching a page of a hole when the disk is full would end the process.
func (s *slabs) mapped(n int) (slab, error) {
	if s.file == nil {
		file, err := openUnlinked(s.path)
		if err != nil {
			return slab{}, err
		}
		s.file = file
	}
	at := s.fileEnd
	if last := len(s.holes) - 1; last >= 0 && n == slabBytes {
		at, s.holes = s.holes[last], s.holes[:last]
	} else {
		if _, err := s.file.WriteAt(make([]byte, n), at); err != nil {
			return slab{}, err
		}
		s.fileEnd += int64(n)
	}
	bytes, err := syscall.Mmap(int(s.file.Fd()), at, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return slab{}, err
	}
	return slab{bytes: bytes, at: at}, nil
}

func openUnlinked(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// give takes pieces back.
func (s *slabs) give(pieces []slab) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, piece := range pieces {
		s.inUse -= int64(len(piece.bytes))
		if piece.at < 0 && len(piece.bytes) == slabBytes && len(s.spare) < s.spares {
			s.spare = append(s.spare, piece)
			continue
		}
		errs = append(errs, s.unmap(piece))
	}
	return errors.Join(errs...)
}

func (s *slabs) unmap(piece slab) error {
	if piece.at < 0 {
		s.plain -= int64(len(piece.bytes))
	}
	for at := piece.at; at >= 0 && at < piece.at+int64(len(piece.bytes)); at += slabBytes {
		s.holes = append(s.holes, at)
	}
	return syscall.Munmap(piece.bytes)
}

// trim gives the spare memory back to the system.
func (s *slabs) trim() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, piece := range s.spare {
		errs = append(errs, s.unmap(piece))
	}
	s.spare = nil
	return errors.Join(errs...)
}

// close is called when no piece is in use.
func (s *slabs) close() error {
	err := s.trim()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
		s.file = nil
	}
	return err
}

// size is how many bytes rows lie in.
func (s *slabs) size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inUse
}

// arena hands out bytes of slabs, and gives all of them back at once.
type arena struct {
	slabs *slabs
	held  []slab
	free  []byte // of the newest slab
}

// reserve makes sure that the next n bytes lie in one piece.
func (a *arena) reserve(n int) error {
	if len(a.free) >= n {
		return nil
	}
	piece, err := a.slabs.take(n)
	if err != nil {
		return err
	}
	a.held = append(a.held, piece)
	a.free = piece.bytes
	return nil
}

// reserved takes n of the bytes that were reserved, with any content.
func (a *arena) reserved(n int) []byte {
	taken := a.free[:n:n]
	a.free = a.free[n:]
	return taken
}

// take is reserve and reserved.
func (a *arena) take(n int) ([]byte, error) {
	if err := a.reserve(n); err != nil {
		return nil, err
	}
	return a.reserved(n), nil
}

func (a *arena) release() error {
	err := a.slabs.give(a.held)
	a.held, a.free = nil, nil
	return err
}
