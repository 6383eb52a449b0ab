package lake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The index file of a raw segment: a header, one record a batch, and a seal record once nothing more will come. Numbers are little-endian.
//
//	header  magic "SLIX" | format u16 | 0 u16 | first seq i64 | previous end i64 | started us i64 | crc32c of all before u32
//	record  size u16 | kind u8 | flags u8 | n u32 | first seq i64 | start i64 | length u32 | data crc32c u32 | at us i64 | note | crc32c u32
//
// start and length are the bytes of the data file that the record speaks of. The header's layout and checksum stay the same in every
// later format, so that a newer format is told from damage. "previous end" is one past the newest committed event of all earlier
// segments: what an earlier segment holds at or above it was never acknowledged and does not count. A record's checksum starts with the
// segment's first seq, so that a record of another segment is no record here. "started" is when the files were made, which may be long before the first record.
//
// Format 2 has batches of no events, which are there for their note: n and length are 0, first and start say where the next event comes.
// Format 1 is read as well.
const (
	indexMagic  = "SLIX"
	indexFormat = 2
	headerSize  = 36
	recordSize  = 44   // without a note
	maxNote     = 4096 // keeps a record well inside the 64 KiB that its u16 size can say
)

type recordKind uint8

const (
	kindBatch recordKind = 1 // n events in the bytes [start, start+length)
	kindSeal  recordKind = 2 // the end: first is one past the last event, start the data's length, n the readable events, the crc that of the index before it
	kindHole  recordKind = 3 // n events whose bytes [start, start+length) are damaged; recovery writes it
)

const (
	flagGroup = 1 // of a batch: the first of its group, so everything before it was acknowledged when it was written
	flagHoles = 1 // of a seal: the index holds hole records
	flagDoubt = 1 // of a hole: it lay in the last group before a stop, and was perhaps never acknowledged
)

// crc32c is the Castagnoli checksum, which the processor computes. hash/crc32 keeps the one table, so asking for it each time is free.
func crc32c(crc uint32, p []byte) uint32 {
	return crc32.Update(crc, crc32.MakeTable(crc32.Castagnoli), p)
}

type header struct {
	first   Seq
	prevEnd Seq
	started Micros
}

func appendHeader(dst []byte, h header) []byte {
	from := len(dst)
	dst = append(dst, indexMagic...)
	dst = binary.LittleEndian.AppendUint16(dst, indexFormat)
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.first))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.prevEnd))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.started))
	return binary.LittleEndian.AppendUint32(dst, crc32c(0, dst[from:]))
}

var errHeader = errors.New("the index header is damaged")

// parseHeader reads the header of the segment whose name says first. The error is errHeader, or wraps ErrNewer.
func parseHeader(first Seq, p []byte) (header, error) {
	if len(p) < headerSize || !bytes.HasPrefix(p, []byte(indexMagic)) ||
		crc32c(0, p[:headerSize-4]) != binary.LittleEndian.Uint32(p[headerSize-4:]) {
		return header{}, errHeader
	}
	if format := binary.LittleEndian.Uint16(p[4:]); format > indexFormat {
		return header{}, fmt.Errorf("index format %d, this release reads up to %d: %w", format, indexFormat, ErrNewer)
	}
	h := header{
		first:   Seq(binary.LittleEndian.Uint64(p[8:])),
		prevEnd: Seq(binary.LittleEndian.Uint64(p[16:])),
		started: Micros(binary.LittleEndian.Uint64(p[24:])),
	}
	if h.first != first {
		return header{}, errHeader
	}
	return h, nil
}

type record struct {
	kind   recordKind
	flags  uint8
	n      uint32
	first  Seq
	start  int64
	length uint32
	crc    uint32
	at     Micros
	note   []byte
}

func (r *record) end() Seq       { return r.first + Seq(r.n) } // of a batch or a hole
func (r *record) dataEnd() int64 { return r.start + int64(r.length) }

// bare says that r is there for its note alone.
func (r *record) bare() bool { return r.kind == kindBatch && r.n == 0 && r.length == 0 }

// uncounted says that r was never acknowledged: the header of the segment after r's says that the events end at limit (0: there is none). Of a bare
// note that stands just there that cannot be told. It counts: what it says of the events before it is true either way.
func (r *record) uncounted(segment, limit Seq) bool {
	if limit == 0 {
		return false
	}
	if r.bare() {
		return r.first > max(segment, limit)
	}
	return r.first >= limit
}

// recordSeed is the checksum of a segment's first seq, with which the checksum of each of its records starts.
func recordSeed(segment Seq) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(segment))
	return crc32c(0, b[:])
}

func appendRecord(dst []byte, segment Seq, r *record) []byte {
	from := len(dst)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(recordSize+len(r.note)))
	dst = append(dst, byte(r.kind), r.flags)
	dst = binary.LittleEndian.AppendUint32(dst, r.n)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.first))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.start))
	dst = binary.LittleEndian.AppendUint32(dst, r.length)
	dst = binary.LittleEndian.AppendUint32(dst, r.crc)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.at))
	dst = append(dst, r.note...)
	return binary.LittleEndian.AppendUint32(dst, crc32c(recordSeed(segment), dst[from:]))
}

// parseRecord reads the record that p starts with. ok is false when it is damaged or only half there. The note aliases p.
func parseRecord(segment Seq, p []byte) (r record, size int, ok bool) {
	if len(p) < recordSize {
		return record{}, 0, false
	}
	size = int(binary.LittleEndian.Uint16(p))
	kind, flags := recordKind(p[2]), p[3]
	if size < recordSize || size > recordSize+maxNote || size > len(p) || kind < kindBatch || kind > kindHole || flags > 1 {
		return record{}, 0, false
	}
	if crc32c(recordSeed(segment), p[:size-4]) != binary.LittleEndian.Uint32(p[size-4:]) {
		return record{}, 0, false
	}
	r = record{
		kind:   kind,
		flags:  flags,
		n:      binary.LittleEndian.Uint32(p[4:]),
		first:  Seq(binary.LittleEndian.Uint64(p[8:])),
		start:  int64(binary.LittleEndian.Uint64(p[16:])),
		length: binary.LittleEndian.Uint32(p[24:]),
		crc:    binary.LittleEndian.Uint32(p[28:]),
		at:     Micros(binary.LittleEndian.Uint64(p[32:])),
		note:   p[40 : size-4 : size-4],
	}
	if r.first < segment || r.start < 0 {
		return record{}, 0, false
	}
	return r, size, true
}

// parseSeal reads the seal record that p ends with. ok is false when p ends with anything else.
func parseSeal(segment Seq, p []byte) (r record, ok bool) {
	if len(p) < recordSize {
		return record{}, false
	}
	r, size, ok := parseRecord(segment, p[len(p)-recordSize:])
	return r, ok && size == recordSize && r.kind == kindSeal
}

// scanned is what scanRecords found in an index.
type scanned struct {
	records []record // batches and holes, in the order of the file
	end     int64    // offset behind the last batch or hole
	skipped bool     // bytes before end are no record
	seal    *record  // the last seal record, if any
	whole   bool     // the seal's checksum covers what stands before it, and nothing but it stands behind
}

// scanRecords finds every valid record of an index (the whole file), also behind damage: it looks for the next valid one byte by byte,
// which the checksum makes safe.
func scanRecords(segment Seq, p []byte) scanned {
	s := scanned{end: headerSize}
	lost := false
	for off := headerSize; off < len(p); {
		r, size, ok := parseRecord(segment, p[off:])
		if !ok {
			lost = true
			off++
			continue
		}
		if r.kind == kindSeal {
			s.seal = &r
			s.whole = !lost && off+size == len(p) && r.crc == crc32c(0, p[:off])
		} else {
			s.records = append(s.records, r)
			s.skipped = s.skipped || lost || s.seal != nil
			s.end = int64(off + size)
		}
		off += size
	}
	return s
}
