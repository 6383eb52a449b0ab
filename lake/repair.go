package lake

import (
	"fmt"
	"slices"
)

// Damage names, a sentence each, what the opening or a repair found damaged in raw/ and could not keep: events that were acknowledged may be missing
// from the lake. A read-only lake knows of none: its owner does.
func (l *Lake) Damage() []string {
	if l.cfg.ReadOnly {
		return nil
	}
	return l.raw.quarantined()
}

// Repair checks every byte of the sealed raw segments that wait for conversion. Batches that are not what was acknowledged are set aside:
// copied to quarantine/, named, and passed over from then on, so that the conversion goes on with everything else. It returns what it
// set aside, a line each. Events in such a batch are lost from `events`; Verify goes on counting them as lost.
func (l *Lake) Repair() (setAside []string, err error) {
	if err := l.writable(); err != nil {
		return nil, err
	}
	before := len(l.raw.quarantined())
	for _, s := range hotOf(l.raw.segments(), l.Current().Watermark) {
		if !s.Sealed {
			continue
		}
		if err := l.raw.repair(s.First); err != nil {
			return nil, err
		}
	}
	return l.raw.quarantined()[before:], nil
}

// repair checks every byte of a sealed segment, sets aside what is damaged and names it, so that readSegment passes over it from then on.
func (r *rawLog) repair(first Seq) error {
	return r.task(func() error {
		v := r.current.Load()
		i := v.find(first)
		if i < 0 || v.at(i).First != first || !v.at(i).Sealed {
			return fmt.Errorf("repair %s: it is no sealed segment", r.layout.SegmentData(first))
		}
		x, err := examine(r.layout, first, 0)
		if err != nil {
			return err
		}
		if !x.rewrite {
			return nil
		}
		rec := &recovery{layout: r.layout, disk: r.disk}
		if err := rec.repair(x); err != nil {
			return fmt.Errorf("repair %s: %w", r.layout.SegmentData(first), err)
		}
		r.publish(func(v *logView) {
			v.closed = slices.Clone(v.closed)
			v.closed[i] = rec.segments[0]
		})
		r.mu.Lock()
		r.damage = append(r.damage, rec.damage...)
		r.mu.Unlock()
		return nil
	})
}
