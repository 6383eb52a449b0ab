package lake

// pen writes a line from an object's pieces into room that is known to suffice, with sixteen bytes to spare. Short pieces, and most are, go as
// sixteen bytes at once.
type pen struct {
	buf []byte
	n   int
	p   []byte // the object
}

// mark is a short piece that many lines have.
type mark struct {
	text [16]byte
	n    int
}

func markOf(s string) mark {
	var m mark
	m.n = copy(m.text[:], s)
	return m
}

// The pieces of a line (Event.AppendLine): what stands before a value, the opening quote of a text included.
var (
	markID      = markOf(lineID)
	markTime    = markOf(lineTime)
	markUnknown = markOf(`unknown"`)
	markEnd     = markOf("}\n")
	memberMarks = [fieldCount]mark{
		fieldEndpoint: markOf(`,"endpoint":"`), fieldMethod: markOf(`,"method":"`), fieldStatus: markOf(`,"status_code":`), fieldLatency: markOf(`,"latency_ms":`),
		fieldRegion: markOf(`,"region":"`), fieldHost: markOf(`,"host":"`), fieldLevel: markOf(`,"level":"`), fieldMessage: markOf(`,"message":"`),
		fieldRequestID: markOf(`,"request_id":"`), fieldTraceID: markOf(`,"trace_id":"`), fieldSpanID: markOf(`,"span_id":"`), fieldAttributes: markOf(`,"attributes":`),
	}
)

func (w *pen) mark(m *mark) {
	*(*[16]byte)(w.buf[w.n:]) = m.text
	w.n += m.n
}

func (w *pen) byte(c byte) {
	w.buf[w.n] = c
	w.n++
}

func (w *pen) copy(p []byte) { w.n += copy(w.buf[w.n:], p) }

// value puts a piece of the object.
func (w *pen) value(s span) {
	if s.size() <= 16 && s.start+16 <= len(w.p) {
		*(*[16]byte)(w.buf[w.n:]) = *(*[16]byte)(w.p[s.start:])
	} else {
		copy(w.buf[w.n:], w.p[s.start:s.end])
	}
	w.n += s.size()
}

// member puts a text where there is one.
func (w *pen) member(f *findings, which field) {
	if s := f.at[which]; !s.empty() {
		w.mark(&memberMarks[which])
		w.value(s)
		w.byte('"')
	}
}

func (w *pen) status(code int32) {
	if code == 0 {
		w.byte('0')
		return
	}
	w.buf[w.n], w.buf[w.n+1], w.buf[w.n+2] = byte('0'+code/100), byte('0'+code/10%10), byte('0'+code%10)
	w.n += 3
}

func (w *pen) level(f *findings) {
	w.mark(&memberMarks[fieldLevel])
	start := w.n
	if s := f.at[fieldLevel]; s.empty() {
		w.n += copy(w.buf[w.n:], levelOf(f.status))
	} else {
		w.value(s)
		lowerASCII(w.buf[start:w.n])
	}
	w.byte('"')
}

// attributes puts the attributes together. False: there are too many.
func (w *pen) attributes(f *findings) bool {
	if f.attrCount == 0 {
		return true
	}
	w.mark(&memberMarks[fieldAttributes])
	start := w.n
	if !f.whole.empty() {
		w.copy(w.p[f.whole.start:f.whole.end])
		return w.n-start <= maxAttributesBytes
	}
	sep := byte('{')
	for i := range f.attrs[:f.attrCount] {
		a := &f.attrs[i]
		w.buf[w.n], w.buf[w.n+1] = sep, '"'
		w.n += 2
		w.value(a.key)
		w.buf[w.n], w.buf[w.n+1] = '"', ':'
		w.n += 2
		w.value(a.value)
		sep = ','
	}
	w.byte('}')
	return w.n-start <= maxAttributesBytes
}
