package replay

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"strconv"

	"github.com/signallake/signallake/lake"
)

// note stands beside a batch of replayed events and becomes durable with it: which letters they were. An ID alone would not do, since a folder of
// dead letters that was restored from an older backup, or begun anew, gives IDs a second time.
type note struct {
	IDs  ranges `json:"ids"`
	Sums []byte `json:"sums"` // four bytes for each letter, in order: sumOf
}

// envelope is the note's outer form: other writers' notes have other keys.
type envelope struct {
	Replay *note `json:"replay"`
}

var notePrefix = []byte(`{"replay":`)

// maxNoteBytes leaves room in the lake's 4 KiB for the envelope.
const maxNoteBytes = 4000

// sumOf tells a letter from another one that was given the same ID.
func sumOf(d *lake.DeadLetter) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(binary.LittleEndian.AppendUint64(nil, uint64(d.At)), table), table, d.Text)
}

// each calls fn with what the note says of each letter. A note of another form is a later release's, and says nothing here.
func (n *note) each(fn func(id int64, sum uint32)) {
	sums := n.Sums
	for _, one := range n.IDs {
		for id := one[0]; id <= one[1] && len(sums) >= 4; id++ {
			fn(id, binary.LittleEndian.Uint32(sums))
			sums = sums[4:]
		}
	}
}

func parseNote(text []byte) *note {
	var e envelope
	if !bytes.HasPrefix(text, notePrefix) || json.Unmarshal(text, &e) != nil {
		return nil
	}
	return e.Replay
}

// batch is events on their way, and the letters that they were.
type batch struct {
	lines   []byte
	given   []bool
	note    note
	noted   int // bytes that the note takes, at most
	letters int64
}

// maxBatchBytes of lines are appended at once: some 10,000 events.
const maxBatchBytes = 4 << 20

// room says whether a letter with such an ID still fits beside a note of at most so many bytes.
func (b *batch) room(id int64, note int) bool {
	return len(b.lines) < maxBatchBytes && b.noted+noteBytes(id) <= note
}

// noteBytes is what a letter takes of a note, at most: a range of its own and four bytes in base64.
func noteBytes(id int64) int { return 2*len(strconv.FormatInt(id, 10)) + len("[,],") + 6 }

func (b *batch) add(d *lake.DeadLetter, pieces []piece) {
	before := len(b.note.IDs)
	b.note.IDs = b.note.IDs.add(d.ID)
	b.note.Sums = binary.LittleEndian.AppendUint32(b.note.Sums, sumOf(d))
	b.noted += 6
	if len(b.note.IDs) > before {
		b.noted += noteBytes(d.ID)
	}
	b.letters++
	for _, p := range pieces {
		b.lines = append(b.lines, p.line...)
		b.given = append(b.given, true) // also an id that we made: it is the same one in every try
	}
}
