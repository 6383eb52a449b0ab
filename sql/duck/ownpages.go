package duck

import (
	"io"
	"os"
	"sync"

	"github.com/signallake/signallake/lake"
	stored "github.com/signallake/signallake/lake/column"
)

// chunkKey is a column of a row group of a file, by its place there; a name is one file's in a lake.
type chunkKey struct {
	name   string
	offset int64
}

// storedChunks keeps chunks as they stand in files, compressed, up to a number of bytes: opening a small file and reading a piece takes as long as decoding it.
// DuckDB keeps what it reads in the same way.
type storedChunks struct {
	limit int64

	mu    sync.Mutex
	young map[chunkKey][]byte
	old   map[chunkKey][]byte // what was young before; it goes when young is full
	bytes int64               // of young
}

func newStoredChunks(limit int64) *storedChunks {
	return &storedChunks{limit: limit, young: map[chunkKey][]byte{}}
}

func (s *storedChunks) find(key chunkKey) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.young[key]; ok {
		return b
	}
	b, ok := s.old[key]
	if ok {
		s.add(key, b)
	}
	return b
}

func (s *storedChunks) keep(key chunkKey, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(key, b)
}

// add makes a chunk young. Called with mu held.
func (s *storedChunks) add(key chunkKey, b []byte) {
	const overhead = 120 // of the maps' entries
	size := int64(len(b)) + overhead
	if size > s.limit/2 {
		return
	}
	if s.bytes += size; s.bytes > s.limit/2 {
		s.young, s.old, s.bytes = map[chunkKey][]byte{}, s.young, size
	}
	s.young[key] = b
}

// chunkSource reads chunks of one file, which it opens when it has to.
type chunkSource struct {
	kept *storedChunks
	path string
	name string
	file *os.File
}

func (o *ownFiles) chunksOf(f *lake.FileEntry, path string) chunkSource {
	return chunkSource{kept: o.chunks, path: path, name: f.Name}
}

// read is a chunk's bytes, which nobody may change.
func (s *chunkSource) read(c stored.Chunk) ([]byte, error) {
	key := chunkKey{s.name, c.Offset}
	if b := s.kept.find(key); int64(len(b)) == c.Bytes && b != nil {
		return b, nil
	}
	if s.file == nil {
		file, err := os.Open(s.path)
		if err != nil {
			return nil, err
		}
		s.file = file
	}
	b := make([]byte, c.Bytes)
	if n, err := s.file.ReadAt(b, c.Offset); n < len(b) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	s.kept.keep(key, b)
	return b, nil
}

func (s *chunkSource) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
