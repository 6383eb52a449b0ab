package lake

import "bytes"

// attribute is one member of Attributes in the making. It holds offsets and no slice of the input: with them every list would have to
// live on the heap.
type attribute struct {
	jsonMember
	decoded string // the key when it does not stand in JSON as it reads; "" otherwise
	top     bool   // from the top level: wins over the sender's attributes object
}

// reads is the key as it reads.
func (a *attribute) reads(p []byte) []byte {
	if a.keyFlags == 0 {
		return p[a.key:a.keyEnd]
	}
	return []byte(a.decoded)
}

// attributes appends the canonical JSON object of everything that the contract does not know: the unknown members at their places, and
// the members of the sender's "attributes" object at its place. It appends nothing when there is nothing. dropped counts values that lost
// to another one of the same key.
func (o *jsonObject) attributes(buf []byte) (_ []byte, dropped int, err error) {
	raw := o.raw(fieldAttributes)
	if raw == nil && o.unknown == 0 {
		return buf, 0, nil
	}
	if raw != nil && raw[0] != '{' {
		return buf, 0, &FieldError{"attributes", "must be an object, got " + sample(raw)}
	}
	var store [24]attribute
	set := attributeSet{list: store[:0]}
	for i := range o.members {
		m := &o.members[i]
		switch {
		case m.field == fieldUnknown:
			set = set.put(o.p, *m, true)
		case m.field == fieldAttributes && raw != nil && o.at[fieldAttributes] == int32(i+1):
			var inner [24]jsonMember
			w := jsonWalk{p: o.p[:m.valEnd], depth: maxDepth + 1}
			members, _ := w.members(int(m.val), 2, inner[:0]) // cannot fail: the whole was walked before
			for j := range members {
				set = set.put(o.p, members[j], false)
			}
		}
	}
	return set.append(buf, o.p), set.dropped, nil
}

// attributeSet keeps attributes in the order of their first appearance.
type attributeSet struct {
	list    []attribute
	byKey   map[string]int // made once the list is long; short ones are compared one by one
	dropped int
}

// manyAttributes is where a map becomes cheaper than comparing, and hostile input would make comparing quadratic.
const manyAttributes = 24

// put works on values and not on a pointer so that a short list stays on the caller's stack.
func (s attributeSet) put(p []byte, m jsonMember, top bool) attributeSet {
	a := attribute{jsonMember: m, top: top}
	key := p[m.key:m.keyEnd]
	if m.keyFlags != 0 {
		key = appendUnescaped(nil, key)
		a.decoded = string(key)
	}
	if s.byKey == nil && len(s.list) >= manyAttributes {
		s.byKey = make(map[string]int, 4*manyAttributes)
		for i := range s.list {
			s.byKey[string(s.list[i].reads(p))] = i
		}
	}
	i, found := s.find(p, key)
	switch {
	case !found:
		if s.byKey != nil {
			s.byKey[string(key)] = len(s.list)
		}
		s.list = append(s.list, a)
	case s.list[i].top && !top:
		s.dropped++
	default:
		s.dropped++
		s.list[i] = a
	}
	return s
}

func (s attributeSet) find(p, key []byte) (int, bool) {
	if s.byKey != nil {
		i, ok := s.byKey[string(key)]
		return i, ok
	}
	for i := range s.list {
		if bytes.Equal(s.list[i].reads(p), key) {
			return i, true
		}
	}
	return 0, false
}

func (s attributeSet) append(buf, p []byte) []byte {
	if len(s.list) == 0 {
		return buf
	}
	for i := range s.list {
		a := &s.list[i]
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		buf = append(buf, sep)
		if a.keyFlags == 0 {
			buf = append(buf, p[a.key-1:a.keyEnd+1]...) // with its quotes
		} else {
			buf = appendQuoted(buf, a.decoded)
		}
		buf = appendCompact(append(buf, ':'), p[a.val:a.valEnd], a.valFlags)
	}
	return append(buf, '}')
}
