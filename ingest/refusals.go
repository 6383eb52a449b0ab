package ingest

import (
	"net/http"
	"sync/atomic"
)

// Refusals counts what was turned away since the server was made, and not for its content.
type Refusals struct {
	Queue       int64 `json:"queue_full"`           // 429: too much waits for the disk
	Memory      int64 `json:"no_memory"`            // 429: too many bodies at once
	Backlog     int64 `json:"backlog"`              // 429: too much waits for its conversion
	Size        int64 `json:"too_big"`              // 413
	Slow        int64 `json:"too_slow"`             // 408
	Storage     int64 `json:"storage_failing"`      // 503: the disk, or a lake that closes
	Connections int64 `json:"too_many_connections"` // 503, before any request was read
	Stranger    int64 `json:"no_token"`             // 401
}

// refusalKind is a field of Refusals; 0 is none.
type refusalKind int

const (
	refusedQueue refusalKind = iota + 1
	refusedMemory
	refusedBacklog
	refusedSize
	refusedSlow
	refusedStorage
	refusedConnections
	refusedStranger
	refusalKinds
)

// kindOf is the kind of a refusal that its status tells.
func kindOf(status int) refusalKind {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return refusedSize
	case http.StatusRequestTimeout:
		return refusedSlow
	case http.StatusUnauthorized:
		return refusedStranger
	}
	return 0
}

// refusalCounts has a counter a kind; that of none is not read.
type refusalCounts [refusalKinds]atomic.Int64

func (s *stats) refuse(kind refusalKind) { s.refused[kind].Add(1) }

func (s *stats) refusals() Refusals {
	of := func(kind refusalKind) int64 { return s.refused[kind].Load() }
	return Refusals{
		Queue: of(refusedQueue), Memory: of(refusedMemory), Backlog: of(refusedBacklog), Size: of(refusedSize), Slow: of(refusedSlow),
		Storage: of(refusedStorage), Connections: of(refusedConnections), Stranger: of(refusedStranger),
	}
}
