package lake

// scanSlow reads any line that holds the contract's keys: in any order, with escapes, spaces, duplicates (the last wins) and instants at
// any offset. A key that the contract does not know, perhaps from a newer release, is kept in Attributes. The strings of e are its own.
func scanSlow(line []byte, e *Event) error {
	var store [24]jsonMember
	o, err := walkObject(line, store[:0], maxDepth+1) // what was unknown at the top lies one deeper inside attributes
	if err != nil {
		return err
	}
	o.index(true)
	*e = Event{}
	var at [fieldCount]span
	buf, err := o.texts(nil, &at, false)
	if err != nil {
		return err
	}
	if at[fieldEventID].empty() {
		return &FieldError{"event_id", "is missing"}
	}
	if e.Timestamp, err = o.instant(fieldTimestamp, "timestamp"); err != nil {
		return err
	}
	if e.ReceivedAt, err = o.instant(fieldReceivedAt, "received_at"); err != nil {
		return err
	}
	if e.StatusCode, err = o.status(); err != nil {
		return err
	}
	if e.LatencyMS, e.HasLatency, err = o.latency(); err != nil {
		return err
	}
	start := len(buf)
	if buf, err = o.storedAttributes(buf); err != nil {
		return err
	}
	at[fieldAttributes] = span{start, len(buf)}
	e.setTexts(string(buf), &at)
	return nil
}

// storedAttributes appends the attributes of a line of ours: as they stand, but in canonical form, unless there are unknown keys to merge.
func (o *jsonObject) storedAttributes(buf []byte) ([]byte, error) {
	raw := o.raw(fieldAttributes)
	if o.unknown > 0 || raw == nil || raw[0] != '{' {
		buf, _, err := o.attributes(buf)
		return buf, err
	}
	start := len(buf)
	buf = appendCompact(buf, raw, o.members[o.at[fieldAttributes]-1].valFlags)
	if len(buf)-start == len("{}") {
		buf = buf[:start]
	}
	return buf, nil
}

// instant reads an instant of a line of ours.
func (o *jsonObject) instant(f field, name string) (Micros, error) {
	raw := o.raw(f)
	if raw == nil {
		return 0, &FieldError{name, "is missing"}
	}
	if raw[0] != '"' {
		return 0, &FieldError{name, "must be RFC 3339 text, got " + sample(raw)}
	}
	t, problem := o.parseInstant(f)
	if problem != "" {
		return 0, &FieldError{name, problem + ", got " + sample(raw)}
	}
	return t, nil
}
