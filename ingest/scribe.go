package ingest

import (
	"strings"

	"github.com/signallake/signallake/lake"
)

// scribe turns objects into lines that the lake lets in, and remembers from body to body what makes that cheap. It belongs to whoever decodes, for so
// long, and not to a request: so there are few, however many requests wait for the disk.
type scribe struct {
	transcriber *lake.Transcriber
	guard       *lake.PartitionGuard // nil: every partition is welcome
	// admitted are partitions that the guard has let in: it is asked under a lock, and an event's partition is mostly one of few. What the guard
	// knows it never forgets, so nothing here grows old.
	admitted [1 << admittedBits]lake.Partition
}

// admittedBits: 256 partitions, 8 KiB, are a day of twenty services.
const admittedBits = 8

func newScribe(c lake.Contract, guard *lake.PartitionGuard) *scribe {
	return &scribe{transcriber: lake.NewTranscriber(c), guard: guard}
}

// scribe is one that an earlier body has taught, or a new one.
func (s *Server) scribe() *scribe {
	if taught, ok := s.scribes.Get().(*scribe); ok {
		return taught
	}
	return newScribe(s.cfg.Contract, s.cfg.Guard)
}

// append appends the line of one object. The error is a *lake.FieldError; dst is then as it was.
func (s *scribe) append(dst, object []byte, now lake.Micros) ([]byte, lake.Transcript, error) {
	lines, event, err := s.transcriber.Append(dst, object, now)
	if err != nil {
		return dst, event, hint(object, err)
	}
	if s.guard != nil {
		if err := s.admit(event.Partition); err != nil {
			return dst, event, err
		}
	}
	return lines, event, nil
}

// admit asks the guard unless it is known to agree.
func (s *scribe) admit(p lake.Partition) error {
	slot := &s.admitted[slotOf(p)]
	if *slot == p {
		return nil
	}
	if err := s.guard.Admit(p); err != nil {
		return err
	}
	p.Service = strings.Clone(p.Service) // it is a part of a line
	*slot = p
	return nil
}

// slotOf spreads neighbouring days and statuses, and services by their ends and length.
func slotOf(p lake.Partition) int {
	n := len(p.Service)
	h := uint32(p.Date)*31 + uint32(p.Status)
	h = h*31 + uint32(p.Service[0])
	h = h*31 + uint32(p.Service[n/2])
	h = h*31 + uint32(p.Service[n-1])
	h = (h*31 + uint32(n)) * 0x9e3779b1 // 2^32 / golden ratio
	return int(h >> (32 - admittedBits))
}
