package lake

import (
	"encoding/binary"
	"strings"
)

// keyMemory is which key came after which in the objects of a sender, or of several. It is a graph: optional members cost a second look, and not a
// shape of the whole object for each of their combinations.
type keyMemory struct {
	first []*keyStep // that began an object
	steps int
	bits  []string // keys of attributes, each of which has a bit above those of the contract's fields
}

// keyStep is one key at one place: behind a certain other one, or first.
type keyStep struct {
	text    string    // from the end of the value before to the value: `,"host":`, with whatever whitespace stands there
	words   [2]uint64 // its first sixteen bytes, little-endian
	masks   [2]uint64 // which of those bits it has
	field   field     // fieldUnknown: an attribute
	bit     uint64    // of the key: that it stands twice is seen by it
	back    int       // from the value back to the key's first character
	keyLen  int
	compact bool       // the text has no whitespace
	next    []*keyStep // that came after it, those that came first first
	inside  []*keyStep // of fieldAttributes: that began the attributes
}

const (
	// maxKeyBits is how many keys an object's set of keys can hold, those of the contract included: a word has so many bits.
	maxKeyBits = 64
	// maxSteps bounds the memory, and maxBranches what is tried in vain at one place.
	maxSteps    = 512
	maxBranches = 6
)

// match finds which of the steps stands at i; at is where its value begins. nil: none of them. Two words are compared: few keys are longer.
func match(steps []*keyStep, p []byte, i int) (k *keyStep, at int) {
	rest := p[i:]
	if len(rest) < 16 {
		return matchShort(steps, rest, i)
	}
	x, y := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])
	for _, k := range steps {
		if (x^k.words[0])&k.masks[0]|(y^k.words[1])&k.masks[1] == 0 && (len(k.text) <= 16 || hasPrefix(rest, k.text)) {
			return k, i + len(k.text)
		}
	}
	return nil, 0
}

// matchShort does the same where fewer bytes are left.
func matchShort(steps []*keyStep, rest []byte, i int) (k *keyStep, at int) {
	for _, k := range steps {
		if hasPrefix(rest, k.text) {
			return k, i + len(k.text)
		}
	}
	return nil, 0
}

func hasPrefix(p []byte, text string) bool {
	return len(p) >= len(text) && string(p[:len(text)]) == text
}

// setWords makes what match compares.
func (k *keyStep) setWords() {
	var text, mask [16]byte
	for i := range copy(text[:], k.text) {
		mask[i] = 0xff
	}
	for i := range k.words {
		k.words[i], k.masks[i] = binary.LittleEndian.Uint64(text[8*i:]), binary.LittleEndian.Uint64(mask[8*i:])
	}
}

// learn takes in the keys of an object that Contract.Parse has taken, as far as there is room.
func (m *keyMemory) learn(p []byte) {
	var store [maxKeyBits]jsonMember
	o, err := walkObject(p, store[:0], maxDepth)
	if err != nil || len(p) == 0 || p[0] != '{' {
		return
	}
	o.index(false)
	from, list := 1, &m.first
	for i := range o.members {
		member := &o.members[i]
		k := m.step(list, p, from, member, member.field)
		if k == nil {
			return
		}
		if k.field == fieldAttributes && p[member.val] == '{' {
			m.learnInside(k, p, member)
		}
		from, list = int(member.valEnd), &k.next
	}
}

// learnInside takes in the keys of the attributes.
func (m *keyMemory) learnInside(k *keyStep, p []byte, attributes *jsonMember) {
	var store [maxKeyBits]jsonMember
	w := jsonWalk{p: p[:attributes.valEnd], depth: maxDepth + 1}
	members, _ := w.members(int(attributes.val), 2, store[:0]) // cannot fail: the whole was walked before
	from, list := int(attributes.val)+1, &k.inside
	for i := range members {
		k := m.step(list, p, from, &members[i], fieldUnknown)
		if k == nil {
			return
		}
		from, list = int(members[i].valEnd), &k.next
	}
}

// step finds or makes the step of a member in a list; nil: there is no room, or it is a key that only Contract.Parse can read.
func (m *keyMemory) step(list *[]*keyStep, p []byte, from int, member *jsonMember, f field) *keyStep {
	text := string(p[from:member.val])
	for _, k := range *list {
		if k.text == text {
			return k
		}
	}
	if member.keyFlags&^jsonSpace != 0 || m.steps >= maxSteps || len(*list) >= maxBranches {
		return nil
	}
	key := string(p[member.key:member.keyEnd])
	bit := uint64(1) << f
	if f == fieldUnknown {
		if bit = m.bit(key); bit == 0 {
			return nil
		}
	}
	k := &keyStep{text: text, field: f, bit: bit, back: int(member.val - member.key), keyLen: len(key),
		compact: strings.TrimPrefix(text, ",") == `"`+key+`":`}
	k.setWords()
	*list = append(*list, k)
	m.steps++
	return k
}

// bit is the bit of an attribute's key; 0: there is none left.
func (m *keyMemory) bit(key string) uint64 {
	for i, known := range m.bits {
		if known == key {
			return 1 << (int(fieldCount) + i)
		}
	}
	if int(fieldCount)+len(m.bits) >= maxKeyBits {
		return 0
	}
	m.bits = append(m.bits, key)
	return 1 << (int(fieldCount) + len(m.bits) - 1)
}
