package load

import (
	"bytes"
	"fmt"
)

// What the lake adds to a sender's event at the front of its canonical line.
const (
	idMember       = `"event_id":"`
	receivedMember = `"received_at":"`
)

// Sent appends what a sender would have sent for canonical lines, as lake/gen makes them and the raw log keeps them: the same objects without
// received_at, which is the lake's alone, and without event_id unless ids is set. A line that is not canonical is an error.
func Sent(dst, lines []byte, ids bool) ([]byte, error) {
	for no := 1; len(lines) > 0; no++ {
		end := bytes.IndexByte(lines, '\n')
		if end < 0 {
			return dst, fmt.Errorf("load: line %d has no end", no)
		}
		line := lines[:end]
		lines = lines[end+1:]
		rest, ok := bytes.CutPrefix(line, []byte("{"+idMember))
		if !ok {
			return dst, fmt.Errorf("load: line %d is not canonical: it begins %.40q", no, line)
		}
		id, rest, ok := bytes.Cut(rest, []byte(`",`)) // an id that holds this text would not be one of ours
		if !ok {
			return dst, fmt.Errorf("load: line %d is not canonical: its id has no end", no)
		}
		before, behind, ok := bytes.Cut(rest, []byte(receivedMember))
		if !ok || !bytes.HasPrefix(before, []byte(`"timestamp":"`)) {
			return dst, fmt.Errorf("load: line %d is not canonical: it has no received_at", no)
		}
		if _, behind, ok = bytes.Cut(behind, []byte(`",`)); !ok {
			return dst, fmt.Errorf("load: line %d is not canonical: it ends at received_at", no)
		}
		dst = append(dst, '{')
		if ids {
			dst = append(append(append(dst, idMember...), id...), `",`...)
		}
		dst = append(append(append(dst, before...), behind...), '\n')
	}
	return dst, nil
}

// Split cuts lines into batches of n lines each, of which the last may have fewer. They alias lines.
func Split(lines []byte, n int) [][]byte {
	var batches [][]byte
	from, at, have := 0, 0, 0
	for at < len(lines) {
		end := bytes.IndexByte(lines[at:], '\n') + 1
		if end == 0 {
			end = len(lines) - at
		}
		at += end
		if have++; have == n || at == len(lines) {
			batches = append(batches, lines[from:at])
			from, have = at, 0
		}
	}
	return batches
}
