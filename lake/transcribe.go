package lake

import (
	"encoding/binary"
	"math/rand/v2"
	"unsafe"
)

// Transcriber turns senders' objects into canonical lines: what Contract.Parse and Event.AppendLine do one after the other, at a fraction of their
// cost. A sender writes the same keys in the same order, object after object. A Transcriber knows which key came after which, holds the bytes
// between two values against those that it expects there, and checks and copies the values alone, from the object to the line. Any surprise (a
// new key, one that stands twice, an unusual escape, whatever the contract may refuse) sends the object to Contract.Parse: never wrong, only slower. Of
// objects without a surprise it allocates nothing. It is for one goroutine.
type Transcriber struct {
	contract Contract
	now      Micros
	from, to Micros // the window of accepted timestamps
	keys     keyMemory
	lessons  int // objects that may still teach it at this moment

	usual, surprises int // objects since keys began

	// What every line of now has: the head of an event id, and the text from timestamp's end to service_name's text.
	id      [idHead]byte
	between [betweenBytes]byte

	day   dayCache
	found findings
	event Event // of Contract.Parse
}

// Transcript is what a Transcriber says of a line. Its strings alias the line.
type Transcript struct {
	Partition  Partition
	EventID    string
	GivenID    bool // EventID is the sender's own
	Duplicates int  // as Contract.Parse says
}

// lessonsEach: of the objects of one moment, which is one body, so many may teach. A sender who never writes the same keys twice thus costs hardly
// more than without a Transcriber.
const lessonsEach = 64

// idHead is how much of an event id is the same for all of one millisecond: 01989f1c-2b3d-7.
const idHead = 15

// betweenBytes is the length of what stands between the texts of timestamp and service_name.
const betweenBytes = len(lineReceived) + instantBytes + len(lineService)

// NewTranscriber makes a Transcriber.
func NewTranscriber(c Contract) *Transcriber {
	t := &Transcriber{contract: c}
	t.begin(0)
	return t
}

// begin makes what the lines of one moment have in common.
func (t *Transcriber) begin(now Micros) {
	t.now, t.lessons = now, lessonsEach
	t.from, t.to = t.contract.window(now)
	t.from, t.to = max(t.from, minInstant), min(t.to, maxInstant)
	copy(t.id[:], appendUUID(make([]byte, 0, uuidBytes), uuidHead(now), 0))
	_ = append(appendInstant(append(t.between[:0], lineReceived...), now), lineService...)
	if t.surprises >= lessonsEach && t.surprises > t.usual { // it knows the keys of somebody else
		t.keys, t.usual, t.surprises = keyMemory{}, 0, 0
	}
}

// Append appends the canonical line of one object that is accepted now: the same now for all objects of a body. Errors are those of
// Contract.Parse; dst is then as it was.
func (t *Transcriber) Append(dst, object []byte, now Micros) ([]byte, Transcript, error) {
	if now != t.now {
		t.begin(now)
	}
	if len(object) <= maxEventBytes && t.walk(object) {
		if line, ok := t.write(dst, object); ok {
			t.usual++
			return line, t.transcript(line[len(dst):]), nil
		}
	}
	t.surprises++
	duplicates, err := t.contract.Parse(object, t.now, &t.event)
	if err != nil {
		return dst, Transcript{}, err
	}
	if duplicates == 0 && t.lessons > 0 {
		t.lessons--
		t.keys.learn(object)
	}
	e := &t.event
	return e.AppendLine(dst), Transcript{Partition: PartitionOf(e), EventID: e.EventID, GivenID: e.GivenID, Duplicates: duplicates}, nil
}

// findings are where an object's values lie, and what was made of them.
type findings struct {
	seen      uint64            // bits of its keys
	at        [fieldCount]span  // of texts, without their quotes, and of latency_ms, which may lie in number; empty: absent
	attrs     [maxKeyBits]keyed // in their order
	attrCount int
	whole     span // attrs as they stand in the object, where that is just what the line needs; empty: they must be put together
	status    int32
	timestamp Micros
	instant   [instantBytes]byte // timestamp as the line has it
	converted bool               // latency_ms is number[:numberLen], and not what stands in the object
	number    [32]byte
	numberLen int
}

// keyed is one attribute: its key without quotes and its value.
type keyed struct{ key, value span }

func (t *Transcriber) transcript(line []byte) Transcript {
	f := &t.found
	id := span{len(lineID), len(lineID) + uuidBytes}
	given := !f.at[fieldEventID].empty()
	if given {
		id.end = id.start + f.at[fieldEventID].size()
	}
	service := id.end + len(lineTime) + instantBytes + len(t.between)
	return Transcript{
		Partition: Partition{Date: DateOf(f.timestamp), Service: alias(line, service, service+f.at[fieldService].size()), Status: f.status},
		EventID:   alias(line, id.start, id.end),
		GivenID:   given,
	}
}

// write appends the line of what walk found. False: the object must go another way after all.
func (t *Transcriber) write(dst, p []byte) ([]byte, bool) {
	f := &t.found
	// No text grows on this way, so this is enough for the values, all keys of the contract, and what the lake adds.
	const ours = 512
	w := pen{buf: grown(dst, len(p)+ours), n: len(dst), p: p}
	w.mark(&markID)
	if f.at[fieldEventID].empty() {
		*(*[idHead]byte)(w.buf[w.n:]) = t.id
		w.n += idHead + t.putRandom(w.buf[w.n+idHead:])
	} else {
		w.value(f.at[fieldEventID])
	}
	w.mark(&markTime)
	*(*[instantBytes]byte)(w.buf[w.n:]) = f.instant
	w.n += instantBytes
	*(*[betweenBytes]byte)(w.buf[w.n:]) = t.between
	w.n += betweenBytes
	start := w.n
	w.value(f.at[fieldService])
	if lowerASCII(w.buf[start:w.n]); !validService(w.buf[start:w.n]) {
		return dst, false
	}
	w.byte('"')
	w.member(f, fieldEndpoint)
	w.member(f, fieldMethod)
	w.mark(&memberMarks[fieldStatus])
	w.status(f.status)
	if s := f.at[fieldLatency]; !s.empty() {
		w.mark(&memberMarks[fieldLatency])
		if f.converted {
			w.copy(f.number[:f.numberLen])
		} else {
			w.value(s)
		}
	}
	if f.at[fieldRegion].empty() {
		w.mark(&memberMarks[fieldRegion])
		w.mark(&markUnknown)
	} else {
		w.member(f, fieldRegion)
	}
	w.member(f, fieldHost)
	w.level(f)
	w.member(f, fieldMessage)
	w.member(f, fieldRequestID)
	w.member(f, fieldTraceID)
	w.member(f, fieldSpanID)
	if !w.attributes(f) {
		return dst, false
	}
	w.mark(&markEnd)
	return w.buf[:w.n], true
}

// putRandom puts what follows the head of an event id, and answers its length.
func (t *Transcriber) putRandom(p []byte) int {
	low := randomTail()
	binary.LittleEndian.PutUint32(p, uint32(hexText(rand.Uint32()))&0xffffff|'-'<<24)
	putGroups(p[4:], hexText(uint32(low>>32)))
	binary.LittleEndian.PutUint64(p[13:], hexText(uint32(low)))
	return uuidBytes - idHead
}

// grown is dst, with room for more bytes behind it, to its whole length.
func grown(dst []byte, more int) []byte {
	if cap(dst)-len(dst) < more {
		dst = append(make([]byte, 0, len(dst)+max(more, len(dst)/2)), dst...)
	}
	return dst[:cap(dst)]
}

// textOf is a part of p as a string that is used no longer than p stays as it is.
func textOf(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }
