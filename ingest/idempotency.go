package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
)

const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotent-Replayed"
	maxKeyBytes       = 255 // of a key without its quotes

	// A sender whose key is still at work after Config.KeyWait should come again soon: what it waits for may end at any moment.
	retryKey = 2 * time.Second
)

// claim is a request's hold on its Idempotency-Key; nil when it has none. One goroutine uses it, but for remark.
type claim struct {
	keys   *keyTable
	entry  *keyEntry
	flight *flight
	buried int    // how often this request has buried letters
	head   []byte // the note but for its counts
	note   []byte // the note, once remark was called
	done   bool
}

// Why a key cannot be claimed.
var (
	errOtherBody = errors.New("the key was used for another body")
	errKeyBusy   = errors.New("the key is still at work")
)

// claim takes the request's key. When the answer is known already, or the key may not be used, it answers the request and says false.
func (s *Server) claim(x *exchange, wk *work, in *intake) (*claim, bool) {
	key, given, err := idempotencyKey(x.r.Header)
	if err != nil {
		x.fail(http.StatusBadRequest, "the "+idempotencyHeader+" header cannot be used", err.Error())
		return nil, false
	}
	if !given {
		return nil, true
	}
	c, known, err := s.keys.claim(x.r.Context(), s.ctx(), keyIDOf(x.tokenName, x.r.URL.Path, key), fingerprintOf(wk.body))
	switch {
	case errors.Is(err, errOtherBody):
		x.fail(http.StatusUnprocessableEntity, "this "+idempotencyHeader+" was used with another body",
			"nothing of this request was stored: a retry must send the same bytes, and another body needs a key of its own")
		return nil, false
	case errors.Is(err, errKeyBusy):
		x.retryAfter(retryKey)
		x.fail(http.StatusServiceUnavailable, "an earlier request with this "+idempotencyHeader+" has not ended yet", "send it again with the same key: it is stored once")
		return nil, false
	case err != nil:
		s.failAppend(x, err)
		return nil, false
	case known != nil:
		x.replayed = true
		x.w.Header().Set(replayedHeader, "true")
		x.answer(in, known)
		return nil, false
	}
	return c, true
}

// idempotencyKey is the key that a request carries, if any. The quotes of a structured header's string (RFC 8941, section 3.3.3) are no part of it.
func idempotencyKey(h http.Header) (key string, given bool, err error) {
	values := h.Values(idempotencyHeader)
	if len(values) == 0 {
		return "", false, nil
	}
	if len(values) > 1 {
		return "", false, fmt.Errorf("it stands there %d times: send one %s", len(values), idempotencyHeader)
	}
	key = strings.TrimSpace(values[0])
	if strings.HasPrefix(key, `"`) {
		if key, err = unquoteKey(key); err != nil {
			return "", false, err
		}
	}
	if key == "" || len(key) > maxKeyBytes {
		return "", false, fmt.Errorf("%s must be 1 to %d bytes long, got %d", idempotencyHeader, maxKeyBytes, len(key))
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return "", false, fmt.Errorf("%s must be printable ASCII, got byte 0x%02x", idempotencyHeader, key[i])
		}
	}
	return key, true, nil
}

func unquoteKey(quoted string) (string, error) {
	key := make([]byte, 0, len(quoted))
	for i := 1; i < len(quoted); i++ {
		switch c := quoted[i]; {
		case c == '"' && i == len(quoted)-1:
			return string(key), nil
		case c == '"':
			return "", fmt.Errorf("%s has something behind its closing quote", idempotencyHeader)
		case c == '\\' && i+1 < len(quoted) && (quoted[i+1] == '"' || quoted[i+1] == '\\'):
			i++
			key = append(key, quoted[i])
		case c == '\\':
			return "", fmt.Errorf(`%s has a backslash that is neither \" nor \\ within its quotes`, idempotencyHeader)
		default:
			key = append(key, c)
		}
	}
	return "", fmt.Errorf("%s begins with a quote and does not end with one", idempotencyHeader)
}

// keyID names a key within its scope: the sender's token and the route. 128 bits of SHA-256: two keys do not share one by chance, and who makes
// two that do has hurt its own requests.
type keyID [16]byte

func keyIDOf(token, route, key string) keyID {
	p := make([]byte, 0, 3*binary.MaxVarintLen64+len(token)+len(route)+len(key))
	for _, part := range []string{token, route, key} {
		p = append(binary.AppendUvarint(p, uint64(len(part))), part...)
	}
	sum := sha256.Sum256(p)
	return keyID(sum[:16])
}

// fingerprint tells bodies apart: 128 bits of the SHA-256 of the body as it is decoded, so that a retry may be compressed otherwise. What
// else differs between two requests of one route changes nothing about what is stored.
type fingerprint [16]byte

func fingerprintOf(body []byte) fingerprint {
	sum := sha256.Sum256(body)
	return fingerprint(sum[:16])
}

// claim waits until the key is free or its outcome is known. gone is the client's connection, stopping the server's end; their errors are
// errKeyBusy and context.Canceled.
func (t *keyTable) claim(gone, stopping context.Context, id keyID, body fingerprint) (*claim, *outcome, error) {
	t.recall(stopping)
	var patience *time.Timer
	for {
		found, err := t.take(id, body)
		if err != nil {
			return nil, nil, err
		}
		if found.mine {
			return &claim{keys: t, entry: found.entry, flight: found.flight}, nil, nil
		}
		if found.entry != nil {
			known, err := decodeOutcome([]byte(found.entry.answer))
			return nil, known, err
		}
		if patience == nil {
			patience = time.NewTimer(t.wait)
			defer patience.Stop()
		}
		select {
		case <-found.wait:
		case <-patience.C:
			return nil, nil, errKeyBusy
		case <-gone.Done():
			return nil, nil, errKeyBusy
		case <-stopping.Done():
			return nil, nil, stopping.Err()
		}
	}
}

// prepare makes the log write the key's note with the batch. o has everything but what the receipt tells.
func (c *claim) prepare(b *lake.Batch, o *outcome) {
	if c == nil {
		return
	}
	c.head = appendNoteHead(nil, c.entry.id, c.entry.body, o)
	b.Remark = c.remark
}

// remark runs in the log's writer.
func (c *claim) remark(r lake.Receipt) []byte {
	c.note = appendNoteCounts(append(c.note[:0], c.head...), r)
	return c.note
}

// finish remembers the outcome, which is durable.
func (c *claim) finish() {
	if c != nil {
		c.done = true
		c.keys.finish(c.entry, answerOf(c.note))
	}
}

// release lets others have the key whose request was not answered for good.
func (c *claim) release() {
	if c != nil && !c.done {
		c.keys.release(c.entry)
	}
}

// bury has the letters buried, unless an earlier request with the same key and body did so before its append failed. More letters may
// follow; decoding the same body again gives the same ones in the same order, and where it does not they are buried: twice rather than never.
func (c *claim) bury(letters []lake.DeadLetter, bury func() error) error {
	if c == nil {
		return bury()
	}
	sum := c.keys.sumOf(letters)
	at := c.buried
	c.buried++
	if at < len(c.flight.letters) && c.flight.letters[at] == sum {
		return nil
	}
	if err := bury(); err != nil {
		return err
	}
	c.flight.letters = append(c.flight.letters[:min(at, len(c.flight.letters))], sum)
	return nil
}

func (t *keyTable) sumOf(letters []lake.DeadLetter) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	var b [8]byte
	for i := range letters {
		binary.LittleEndian.PutUint64(b[:], uint64(letters[i].Line))
		_, _ = h.Write(b[:])
		_, _ = h.WriteString(letters[i].Field)
		_, _ = h.Write(letters[i].Text)
	}
	return h.Sum64()
}
