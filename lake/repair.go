package lake

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
