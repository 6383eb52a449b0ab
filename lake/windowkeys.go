package lake

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/minio/highwayhash"
	"github.com/zeebo/xxh3"
)

// hashKey is the secret with which events are hashed: whoever does not know it cannot make another event of the same content hash. The ids have a faster
// hash that promises less; two of them that meet are counted as a conflict, and no event is taken for another.
type hashKey [highwayhash.Size]byte

// keyer makes the keys of events from their canonical lines. It belongs to one goroutine at a time.
type keyer struct {
	secret  *hashKey
	scratch []byte
}

// What a canonical line has between the values that come first (Event.AppendLine).
const (
	lineID       = `{"event_id":"`
	lineTime     = `","timestamp":"`
	lineReceived = `","received_at":"`
	lineService  = `","service_name":"`
	instantBytes = 27
)

// key is the key of one line. received_at is left out: it is the only thing in which an event that is sent again differs. ok is false when the line is
// not a canonical one.
func (k *keyer) key(line []byte) (key eventKey, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(lineID))
	if !ok {
		return eventKey{}, false
	}
	id, rest, ok := cutString(rest)
	const head = len(lineTime) + instantBytes + len(lineReceived) + instantBytes + len(lineService)
	if !ok || len(rest) < head {
		return eventKey{}, false
	}
	at, between := rest[:len(lineTime)+instantBytes], rest[len(lineTime)+instantBytes:head]
	if string(at[:len(lineTime)]) != lineTime || string(between[:len(lineReceived)]) != lineReceived || string(between[len(lineReceived)+instantBytes:]) != lineService {
		return eventKey{}, false
	}
	service, rest, ok := cutString(rest[head:])
	if !ok {
		return eventKey{}, false
	}
	// The closing quotes stay, so that no two events share their text.
	p := append(append(append(k.scratch[:0], id...), '"'), service...)
	key.id = max(1, xxh3.HashSeed(p, binary.LittleEndian.Uint64(k.secret[:])))
	p = append(append(p, at...), rest...)
	key.content = highwayhash.Sum64(p, k.secret[:])
	k.scratch = p
	return key, true
}

// cutString cuts a JSON string's text at its closing quote. rest begins with that quote.
func cutString(p []byte) (text, rest []byte, ok bool) {
	for from := 0; ; {
		i := bytes.IndexByte(p[from:], '"')
		if i < 0 {
			return nil, nil, false
		}
		end := from + i
		slashes := 0
		for slashes < end && p[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return p[:end], p[end:], true
		}
		from = end + 1
	}
}

// batch appends the keys of a batch's events: the zero key where nothing is to be compared. It appends nothing when that holds for all.
func (k *keyer) batch(dst []eventKey, b *Batch) ([]eventKey, error) {
	from, compared := len(dst), false
	rest := b.Lines
	for i, given := range b.Given {
		line := rest[:bytes.IndexByte(rest, '\n')+1]
		rest = rest[len(line):]
		var key eventKey
		if given {
			var ok bool
			if key, ok = k.key(line); !ok {
				return dst[:from], fmt.Errorf("append to the raw log: line %d of the batch is not canonical, so it cannot be compared", i+1)
			}
			compared = true
		}
		dst = append(dst, key)
	}
	if !compared {
		return dst[:from], nil
	}
	return dst, nil
}

// lines appends the keys of all lines that are canonical.
func (k *keyer) lines(dst []eventKey, lines []byte) []eventKey {
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n') + 1
		if end == 0 {
			end = len(lines)
		}
		if key, ok := k.key(lines[:end]); ok {
			dst = append(dst, key)
		}
		lines = lines[end:]
	}
	return dst
}
