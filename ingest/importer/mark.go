package importer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/signallake/signallake/lake"
)

const (
	// headBytes of an input tell it from others at a glance; tailBytes before the position prove it. 4 KiB are some twenty log lines with
	// their times and ids: no two inputs share them by chance.
	headBytes = 4 << 10
	tailBytes = 4 << 10

	maxName = 200 // bytes of a file's name in a note, so that a note stays at some 400 bytes
)

// mark is how far an input is imported. It travels as the note of each batch, so that position and events become durable together.
// Offsets count decompressed bytes: a file is the same before and after the rotation has compressed it.
type mark struct {
	Head     string `json:"head"` // hash of the first HeadLen bytes, as long as the input was when it was first met
	HeadLen  int    `json:"head_len"`
	Nth      int    `json:"nth"`  // 1; more for another input with the same head, and for the same one once more
	Path     string `json:"path"` // hash of the absolute path that it was read as: a follower asks what it followed last
	Name     string `json:"name"`
	Tail     string `json:"tail"`   // hash of the last up to tailBytes before Offset
	Offset   int64  `json:"offset"` // the next byte to read
	Accepted int64  `json:"accepted"`
	Rejected int64  `json:"rejected"`
	Blank    int64  `json:"blank"`

	at   lake.Micros // when the note was written; not part of it, as is
	turn int64       // the order in which notes were written
}

// envelope is the note's outer form: other writers' notes have other keys.
type envelope struct {
	Import *mark `json:"import"`
}

var notePrefix = []byte(`{"import":`)

// line is how many lines stand before the position, blank ones included: the number of the next line is one more.
func (m *mark) line() int64 { return m.Accepted + m.Rejected + m.Blank }

// origin is the input's identity in dead letters.
func (m *mark) origin() string { return fmt.Sprintf("%s-%d-%d", m.Head[:16], m.HeadLen, m.Nth) }

func (m *mark) note() ([]byte, error) { return json.Marshal(envelope{m}) }

// sumLen is the length of a sum.
const sumLen = 32

// sum is a short hash in hex: 128 bits.
func sum(p []byte) string {
	full := sha256.Sum256(p)
	return hex.EncodeToString(full[:16])
}

// pathSum is the hash of a path's absolute form.
func pathSum(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the absolute path of %s: %w", path, err)
	}
	return sum([]byte(abs)), nil
}

// memory is what the lake knows of earlier imports. Safe for concurrent use.
type memory struct {
	mu     sync.Mutex
	inputs map[string]mark  // by origin: the newest mark of each input
	buried map[string]int64 // by origin: the highest line among its dead letters, as of the start
	turn   int64            // of the newest mark
}

// recall reads the lake's notes and dead letters.
func recall(s Sink) (*memory, error) {
	m := &memory{inputs: map[string]mark{}, buried: map[string]int64{}}
	err := s.Notes(0, func(_ lake.Seq, _ int, at lake.Micros, note []byte) error {
		if !bytes.HasPrefix(note, notePrefix) {
			return nil
		}
		var e envelope
		if err := json.Unmarshal(note, &e); err == nil && e.Import != nil && len(e.Import.Head) == sumLen {
			m.keep(*e.Import, at) // a note of another form is a later release's: its inputs are unknown here
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was imported before: %w", err)
	}
	err = s.DeadLetters(0, func(d *lake.DeadLetter) error {
		if d.Origin != "" && d.Line > m.buried[d.Origin] {
			m.buried[strings.Clone(d.Origin)] = d.Line
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read which lines were refused before: %w", err)
	}
	return m, nil
}

// keep notes how far an input is imported since at.
func (m *memory) keep(k mark, at lake.Micros) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn++
	k.at, k.turn = at, m.turn
	m.inputs[k.origin()] = k
}

// candidates are the inputs that began as head does: those read as the same path first, the newest of them leading, then the others by how far
// they are imported, so that a copy of the beginning does not stand for the whole. Whether it is one of them, the bytes before the position tell.
func (m *memory) candidates(head []byte, path string) []mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []mark
	sums := map[int]string{}
	for _, k := range m.inputs {
		if k.HeadLen > len(head) || k.HeadLen <= 0 {
			continue
		}
		if sums[k.HeadLen] == "" {
			sums[k.HeadLen] = sum(head[:k.HeadLen])
		}
		if sums[k.HeadLen] == k.Head {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, func(a, b mark) int {
		switch here, there := a.Path == path, b.Path == path; {
		case here != there && here:
			return -1
		case here != there:
			return 1
		case here:
			return cmp.Compare(b.turn, a.turn)
		}
		return cmp.Or(cmp.Compare(b.Offset, a.Offset), cmp.Compare(b.turn, a.turn))
	})
	return found
}

// lastAt is the input that was read newest under a path.
func (m *memory) lastAt(path string) (last mark, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.inputs {
		if k.Path == path && k.turn > last.turn {
			last, ok = k, true
		}
	}
	return last, ok
}

// fresh is the mark of an input that is not known yet, or is imported once more, at its start.
func (m *memory) fresh(head []byte, path, name string) mark {
	k := mark{Head: sum(head), HeadLen: len(head), Nth: 1, Path: path, Name: name[:min(len(name), maxName)]}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.inputs {
		if other.Head == k.Head && other.HeadLen == k.HeadLen {
			k.Nth = max(k.Nth, other.Nth+1)
		}
	}
	return k
}

// buriedTo is the highest line of an input that an earlier import kept as a dead letter.
func (m *memory) buriedTo(origin string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.buried[origin]
}
