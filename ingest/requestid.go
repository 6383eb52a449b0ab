package ingest

import (
	"crypto/rand"
	"encoding/hex"
)

const (
	requestIDHeader = "X-Request-ID"
	maxRequestID    = 128 // bytes of a caller's own id that are kept
)

// requestID keeps the caller's id when it is 1 to 128 bytes of printable ASCII; else it makes one of 24 hex digits.
func requestID(callers string) string {
	if saneRequestID(callers) {
		return callers
	}
	var b [12]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		if id[i] < ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}
