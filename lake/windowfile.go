package lake

import (
	"encoding/binary"
	"errors"
	"os"
)

// The side file of a sealed raw segment repeats what opening the lake needs of it: the keys of the events that were compared, and the notes. It saves
// reading the segment's lines and index, and nothing else: it is never synced, and one that is missing, damaged, of another format, of another
// secret or of another segment is passed over. Numbers are little-endian.
//
//	header  magic "SLWF" | format u16 | flags u16 | the segment's first seq i64, end i64, bytes i64, index crc32c u32 | secret 32 bytes |
//	        notes u32, their bytes u32, crc32c u32 | keys u32, crc32c u32 | crc32c of all before u32
//	note    first seq i64 | events u32 | at us i64 | size u16 | the note
//	key     id u64 | content u64
const (
	sideMagic      = "SLWF"
	sideFormat     = 1
	sideHeaderSize = 92
	sideNoteSize   = 22 // without the note
	keySize        = 16

	// maxSideNotes: a segment with more is nearly all notes, so its index says them as fast.
	maxSideNotes = 4 << 20
)

const (
	flagKeys  = 1 // the keys are there; without it the events were not compared when it was written
	flagNotes = 2 // all the notes are there
)

// sideHeader is the beginning of a side file.
type sideHeader struct {
	flags      uint16
	first, end Seq
	bytes      int64
	indexCRC   uint32
	secret     hashKey
	notes      uint32
	noteBytes  uint32
	noteCRC    uint32
	keys       uint32
	keyCRC     uint32
}

func appendSideHeader(dst []byte, h *sideHeader) []byte {
	from := len(dst)
	dst = append(dst, sideMagic...)
	dst = binary.LittleEndian.AppendUint16(dst, sideFormat)
	dst = binary.LittleEndian.AppendUint16(dst, h.flags)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.first))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.end))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.bytes))
	dst = binary.LittleEndian.AppendUint32(dst, h.indexCRC)
	dst = append(dst, h.secret[:]...)
	for _, n := range []uint32{h.notes, h.noteBytes, h.noteCRC, h.keys, h.keyCRC} {
		dst = binary.LittleEndian.AppendUint32(dst, n)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32c(0, dst[from:]))
}

// parseSideHeader reads the header that p starts with. ok is false when it is none that this release writes.
func parseSideHeader(p []byte) (h sideHeader, ok bool) {
	if len(p) < sideHeaderSize || string(p[:4]) != sideMagic || binary.LittleEndian.Uint16(p[4:]) != sideFormat ||
		crc32c(0, p[:sideHeaderSize-4]) != binary.LittleEndian.Uint32(p[sideHeaderSize-4:]) {
		return h, false
	}
	h.flags = binary.LittleEndian.Uint16(p[6:])
	h.first, h.end = Seq(binary.LittleEndian.Uint64(p[8:])), Seq(binary.LittleEndian.Uint64(p[16:]))
	h.bytes, h.indexCRC = int64(binary.LittleEndian.Uint64(p[24:])), binary.LittleEndian.Uint32(p[32:])
	copy(h.secret[:], p[36:])
	for i, to := range []*uint32{&h.notes, &h.noteBytes, &h.noteCRC, &h.keys, &h.keyCRC} {
		*to = binary.LittleEndian.Uint32(p[68+4*i:])
	}
	return h, true
}

// noteEntry is a batch's note.
type noteEntry struct {
	first Seq
	n     uint32
	at    Micros
	note  []byte
}

func appendSideNote(dst []byte, e *noteEntry) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.first))
	dst = binary.LittleEndian.AppendUint32(dst, e.n)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.at))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(e.note)))
	return append(dst, e.note...)
}

// parseSideNotes reads n notes that p holds and nothing else. They alias p.
func parseSideNotes(p []byte, n uint32) (entries []noteEntry, ok bool) {
	for range n {
		if len(p) < sideNoteSize {
			return nil, false
		}
		e := noteEntry{
			first: Seq(binary.LittleEndian.Uint64(p)), n: binary.LittleEndian.Uint32(p[8:]), at: Micros(binary.LittleEndian.Uint64(p[12:])),
		}
		end := sideNoteSize + int(binary.LittleEndian.Uint16(p[20:]))
		if end > len(p) {
			return nil, false
		}
		e.note = p[sideNoteSize:end:end]
		entries, p = append(entries, e), p[end:]
	}
	return entries, len(p) == 0
}

// sideNotes gathers the notes of a segment while it is written.
type sideNotes struct {
	n       uint32
	encoded []byte
	dropped bool // they became too many
}

func (s *sideNotes) add(e *noteEntry) {
	switch {
	case s.dropped:
	case len(s.encoded)+sideNoteSize+len(e.note) > maxSideNotes:
		*s = sideNotes{dropped: true}
	default:
		s.pack(e)
	}
}

func (s *sideNotes) pack(e *noteEntry) { s.n, s.encoded = s.n+1, appendSideNote(s.encoded, e) }

// makeSideFile answers the side file of segment s. secret is nil when its events were not compared.
func makeSideFile(s *segmentView, secret *hashKey, keys []eventKey, notes *sideNotes) []byte {
	h := sideHeader{first: s.First, end: s.End, bytes: s.Bytes, indexCRC: s.indexCRC}
	if secret != nil {
		h.flags, h.secret, h.keys = flagKeys, *secret, uint32(len(keys))
	}
	if !notes.dropped {
		h.flags |= flagNotes
		h.notes, h.noteBytes, h.noteCRC = notes.n, uint32(len(notes.encoded)), crc32c(0, notes.encoded)
	}
	p := append(make([]byte, sideHeaderSize, sideHeaderSize+int(h.noteBytes)+keySize*int(h.keys)), notes.encoded...)
	for _, k := range keys[:h.keys] {
		p = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(p, k.id), k.content)
	}
	h.keyCRC = crc32c(0, p[sideHeaderSize+h.noteBytes:])
	appendSideHeader(p[:0], &h)
	return p
}

// sideFile is an open side file with a sound header.
type sideFile struct {
	file *os.File
	size int64
	sideHeader
}

// openSideFile answers nil when the segment has none that is of use.
func openSideFile(l Layout, s *segmentView) *sideFile {
	f, err := os.Open(l.SegmentSide(s.First))
	if err != nil {
		return nil
	}
	var p [sideHeaderSize]byte
	n, _ := f.ReadAt(p[:], 0) // what cannot be read is of no use
	h, ok := parseSideHeader(p[:n])
	info, err := f.Stat()
	if !ok || err != nil || h.first != s.First || h.end != s.End || h.bytes != s.Bytes || h.indexCRC != s.indexCRC {
		f.Close()
		return nil
	}
	return &sideFile{file: f, size: info.Size(), sideHeader: h}
}

func (f *sideFile) close() { f.file.Close() } // only read

var errSide = errors.New("the side file is damaged")

// section reads and checks size bytes from off on.
func (f *sideFile) section(off, size int64, crc uint32) ([]byte, error) {
	if off+size > f.size {
		return nil, errSide
	}
	p := make([]byte, size)
	if _, err := f.file.ReadAt(p, off); err != nil {
		return nil, err
	}
	if crc32c(0, p) != crc {
		return nil, errSide
	}
	return p, nil
}

// readNotes answers the segment's notes in order; ok is false when the file does not tell.
func (f *sideFile) readNotes() (entries []noteEntry, ok bool) {
	if f.flags&flagNotes == 0 {
		return nil, false
	}
	p, err := f.section(sideHeaderSize, int64(f.noteBytes), f.noteCRC)
	if err != nil {
		return nil, false
	}
	return parseSideNotes(p, f.notes)
}

// readKeys answers the segment's keys in order; ok is false when the file does not tell, or was made with another secret.
func (f *sideFile) readKeys(secret *hashKey) (keys []eventKey, ok bool) {
	if f.flags&flagKeys == 0 || f.secret != *secret {
		return nil, false
	}
	p, err := f.section(sideHeaderSize+int64(f.noteBytes), keySize*int64(f.keys), f.keyCRC)
	if err != nil {
		return nil, false
	}
	keys = make([]eventKey, f.keys)
	for i := range keys {
		keys[i] = eventKey{id: binary.LittleEndian.Uint64(p[keySize*i:]), content: binary.LittleEndian.Uint64(p[keySize*i+8:])}
	}
	return keys, true
}
