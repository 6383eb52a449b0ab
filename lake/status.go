package lake

import "sync"

// versionBooks are the sums over a version's files, made once a version.
type versionBooks struct {
	version     *Version
	rows, bytes int64
	first, last Micros
}

func booksOf(v *Version) *versionBooks {
	b := &versionBooks{version: v}
	for i := range v.Files {
		f := &v.Files[i]
		b.rows += f.Rows
		b.bytes += f.Bytes
		if i == 0 || f.MinTS < b.first {
			b.first = f.MinTS
		}
		if i == 0 || f.MaxTS > b.last {
			b.last = f.MaxTS
		}
	}
	return b
}

// versionBooks answers the books of v, which are nearly always those of the last call.
func (l *Lake) versionBooks(v *Version) *versionBooks {
	if b := l.books.Load(); b != nil && b.version == v {
		return b
	}
	b := booksOf(v)
	l.books.Store(b)
	return b
}

// Status is the lake's books now. It reads memory only: call it ten times a second. In a read-only lake it is as fresh as the last
// refresh.
func (l *Lake) Status() Status {
	v := l.cat.current()
	raw := l.rawState()
	segments := raw.segments
	b := l.versionBooks(v)
	s := Status{
		Version: v.Number, Watermark: v.Watermark, NextSeq: raw.next, RawSegments: len(segments), ParquetEvents: b.rows,
		ParquetFiles: len(v.Files), ParquetBytes: b.bytes, FirstTimestamp: b.first, LastTimestamp: b.last, Converting: l.converting.Load() > 0,
	}
	for i := range segments {
		seg := &segments[i]
		s.RawEvents += seg.Events
		s.RawBytes += seg.Bytes
		if seg.First >= v.Watermark {
			if s.HotEvents == 0 {
				s.HotSince = seg.Started
			}
			s.HotEvents += seg.Events
			s.HotBytes += seg.Bytes
		}
	}
	s.HotLimit = l.cfg.HotLimit
	if l.cfg.ConvertAge > 0 || l.cfg.ReadOnly {
		s.ConvertAt = l.cfg.ConvertBytes
	}
	s.Visible = s.ParquetEvents + s.HotEvents
	s.LastError = l.cat.troubles.worst()
	s.Dead = l.dead.status()
	return s
}

// rawState is the raw log for Status. It is read after the version: events that a later version converts are then still hot, once.
func (l *Lake) rawState() rawState {
	if !l.cfg.ReadOnly {
		return rawState{segments: l.raw.segments(), next: l.raw.committed()}
	}
	if followed := l.followed.Load(); followed != nil {
		return *followed
	}
	return rawState{next: 1}
}

// trouble is a kind of background work that can fail, the one that a user should hear of first coming first.
type trouble int

const (
	troubleConvert trouble = iota
	troubleFollow
	troubleCheckpoint
	troubleSweep
	troubleLitter
	troubleDead
	troubleCount
)

// troubles keeps the last error of each kind of background work until it goes well again.
type troubles struct {
	mu   sync.Mutex
	last [troubleCount]error
}

func (t *troubles) tell(kind trouble, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[kind] = err
}

// teller tells of one kind.
func (t *troubles) teller(kind trouble) func(error) { return func(err error) { t.tell(kind, err) } }

// of is the newest error of one kind, nil when it went well.
func (t *troubles) of(kind trouble) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last[kind]
}

// worst is the text for Status; "" when all is well.
func (t *troubles) worst() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, err := range t.last {
		if err != nil {
			return err.Error()
		}
	}
	return ""
}
