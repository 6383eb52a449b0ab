package lake

import (
	"encoding/binary"
	"hash"
	"hash/crc32"
)

// parquetSink is the file under a writer: it counts, sums, and remembers the end, which says how long the footer is.
type parquetSink struct {
	file  File
	sum   hash.Hash32
	bytes int64
	tail  [8]byte // length of the metadata, magic
}

func newParquetSink(file File) *parquetSink {
	return &parquetSink{file: file, sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
}

func (s *parquetSink) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.sum.Write(p[:n])
	s.bytes += int64(n)
	if keep := p[:n]; len(keep) >= len(s.tail) {
		copy(s.tail[:], keep[len(keep)-len(s.tail):])
	} else {
		copy(s.tail[:], s.tail[n:])
		copy(s.tail[len(s.tail)-n:], keep)
	}
	return n, err
}

// footer is what a reader fetches before any column: the metadata, its length, and both magics.
func (s *parquetSink) footer() int64 {
	const magic, trailer = 4, 8
	return int64(binary.LittleEndian.Uint32(s.tail[:])) + trailer + magic
}
