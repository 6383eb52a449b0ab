package replay

import (
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// object is a JSON object whose members can be changed; what is not touched keeps its bytes.
type object []member

type member struct {
	key   string
	value []byte // JSON
}

// parseObject reads one JSON object. The error is a *lake.FieldError that says where it is broken, or that it is no object.
func parseObject(text []byte) (object, error) {
	members, err := lake.JSONMembers(nil, text)
	if err != nil {
		return nil, err
	}
	o := make(object, len(members))
	for i, m := range members {
		key := m.Key
		if m.Escaped {
			key = lake.AppendUnescaped(nil, key)
		}
		o[i] = member{string(key), m.Value}
	}
	return o, nil
}

// append appends the object as JSON.
func (o object) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(lake.AppendQuoted(dst, m.key), ':'), m.value...)
	}
	return append(dst, '}')
}

// find is where a key stands at the top; of several the last one counts, as for the contract. -1: nowhere.
func (o object) find(key string) int {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].key == key {
			return i
		}
	}
	return -1
}

// get is the value of a key: of one that stands at the top just so, else of one in nested objects to which its dots lead.
func (o object) get(key string) (value []byte, ok bool) {
	if i := o.find(key); i >= 0 {
		return o[i].value, true
	}
	_, inner, rest, ok := o.descend(key)
	if !ok {
		return nil, false
	}
	return inner.get(rest)
}

// descend finds the object that the first part of a key with dots leads to.
func (o object) descend(key string) (at int, inner object, rest string, ok bool) {
	for from := 0; ; {
		dot := strings.IndexByte(key[from:], '.')
		if dot < 0 {
			return 0, nil, "", false
		}
		at := o.find(key[:from+dot])
		if at >= 0 && o[at].value[0] == '{' {
			if inner, err := parseObject(o[at].value); err == nil {
				return at, inner, key[from+dot+1:], true
			}
		}
		from += dot + 1
	}
}

// set gives a key a value: where it stands, or else behind the others at the top.
func (o object) set(key string, value []byte) object {
	if i := o.find(key); i >= 0 {
		o[i].value = value
		return o
	}
	if at, inner, rest, ok := o.descend(key); ok {
		if _, there := inner.get(rest); there {
			o[at].value = inner.set(rest, value).append(nil)
			return o
		}
	}
	return append(o, member{key, value})
}

// remove takes a key out, with its duplicates.
func (o object) remove(key string) object {
	if o.find(key) >= 0 {
		return slices.DeleteFunc(o, func(m member) bool { return m.key == key })
	}
	if at, inner, rest, ok := o.descend(key); ok {
		o[at].value = inner.remove(rest).append(nil)
	}
	return o
}
