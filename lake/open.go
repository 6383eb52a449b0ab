package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of Config: every quarter of an hour a trickle becomes Parquet, so a day of it makes at most 96 runs of small files, and statements
// see the tail anyway; 64 MiB, the size of a segment, convert in about a second; 4 GiB are some 10M events, which a reader's memory still bears.
const (
	defaultConvertAge   = 15 * time.Minute
	defaultConvertBytes = 64 << 20
	defaultHotLimit     = 4 << 30
	defaultDeadLimit    = 256 << 20 // about a million refused lines

	// defaultWindow: seven minutes of 5,000 events a second, and 54 MiB. A sender that gets no answer tries again within seconds.
	defaultWindow = 1 << 21
	maxWindow     = 1 << 28 // beyond it the tables' slots have no bits left for the keys
)

// Lake is an open lake. Its methods may be called from any goroutine.
type Lake struct {
	cfg    Config
	layout Layout
	disk   Disk
	now    func() time.Time
	raw    *rawLog
	cat    *catalog
	dead   *deadZone

	lock     *ownerLock  // nil when read-only
	ownerMu  sync.Mutex  // of cfg.Owner
	lockLost atomic.Bool // another process may own the lake
	pins     *pinFile    // nil in the owner, whose pins are a counter
	txs      *transactions
	sweep    *sweeper      // nil when read-only
	litter   chan struct{} // asks for a walk over everything
	due      chan struct{} // asks for a look whether to convert

	hotBytes    atomic.Int64   // about; see trackHot
	pace        convertPace    // of conversions
	converting  atomic.Int32   // conversions at work
	runFrom     atomic.Int64   // the watermark that the newest run began at
	convertTurn chan struct{}  // holds one while a conversion runs
	memory      *convertMemory // of the last conversion, for the next one; nil: none is kept. It belongs to whoever has the turn
	runBytes    int64          // of raw, that one of its runs takes
	books       atomic.Pointer[versionBooks]
	followed    atomic.Pointer[rawState] // read-only: the raw log at the last refresh

	autoProgress Progress // of the automatic conversion

	background context.Context    // ends when the lake closes
	stop       context.CancelFunc // of background
	wg         sync.WaitGroup     // goroutines of ours
	closed     chan struct{}
	once       sync.Once
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Dir == "" {
		return cfg, errors.New("open lake: no data folder given")
	}
	if cfg.SegmentBytes < 0 || cfg.ConvertBytes < 0 || cfg.HotLimit < 0 || cfg.DeadLimit < 0 {
		return cfg, fmt.Errorf("open lake %s: a size in the configuration is negative", cfg.Dir)
	}
	if cfg.WindowEvents > maxWindow {
		return cfg, fmt.Errorf("open lake %s: a window of %d events is too large: at most %d", cfg.Dir, cfg.WindowEvents, maxWindow)
	}
	if cfg.WindowEvents == 0 {
		cfg.WindowEvents = defaultWindow
	}
	if cfg.Disk == nil {
		cfg.Disk = OSDisk{}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ConvertAge == 0 {
		cfg.ConvertAge = defaultConvertAge
	}
	if cfg.ConvertBytes == 0 {
		cfg.ConvertBytes = defaultConvertBytes
	}
	if cfg.HotLimit == 0 {
		cfg.HotLimit = defaultHotLimit
	}
	if cfg.DeadLimit == 0 {
		cfg.DeadLimit = defaultDeadLimit
	}
	return cfg, nil
}

// Open opens the lake in cfg.Dir: as its owner, making what is missing (*OwnedError when another process is), or read-only, following what
// its owner does. A missing folder opened read-only is an empty lake. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config) (*Lake, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Lake{
		cfg: cfg, layout: Layout{Root: cfg.Dir}, disk: cfg.Disk, now: cfg.Now, txs: newTransactions(),
		litter: make(chan struct{}, 1), due: make(chan struct{}, 1), convertTurn: make(chan struct{}, 1), runBytes: runBytes, closed: make(chan struct{}),
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	open := l.openOwner
	if cfg.ReadOnly {
		open = l.openReadOnly
	}
	if err := open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open lake %s: %w", cfg.Dir, err), l.releaseAll())
	}
	l.background, l.stop = context.WithCancel(context.Background())
	if cfg.ReadOnly {
		l.goRun(func() { l.follow(l.background) })
		return l, nil
	}
	l.goRun(func() { l.sweepLoop(l.background) })
	l.goRun(func() { l.keepLock(l.background) })
	if cfg.ConvertAge > 0 {
		l.askConvert() // what a crash left may be a lot: not a tick later
		l.goRun(func() { l.autoConvert(l.background) })
	}
	return l, nil
}

func (l *Lake) goRun(fn func()) {
	l.wg.Add(1)
	go func() {
		defer l.wg.Done()
		fn()
	}()
}

func (l *Lake) openOwner() error {
	if err := l.disk.MkdirAll(l.layout.State()); err != nil {
		return err
	}
	if l.cfg.Owner.PID == 0 {
		l.cfg.Owner.PID = os.Getpid()
	}
	if l.cfg.Owner.Since.IsZero() {
		l.cfg.Owner.Since = l.now().UTC()
	}
	var err error
	if l.lock, err = takeLock(l.layout, l.cfg.Owner); err != nil {
		return err
	}
	for _, dir := range []string{
		l.layout.Raw(), l.layout.Partitioned(), l.layout.Unpartitioned(), l.layout.Hot(), l.layout.Rollup(), l.layout.Dead(),
		l.layout.Catalog(), l.layout.Tmp(), l.layout.Trash(), l.layout.Quarantine(), pinsDir(l.layout),
	} {
		if err := l.disk.MkdirAll(dir); err != nil {
			return err
		}
	}
	if err := probeLink(l.layout, l.disk); err != nil {
		return err
	}
	if l.cat, err = openCatalog(l.layout, l.disk, l.now, false); err != nil {
		return err
	}
	l.sweep = &sweeper{cat: l.cat, txs: l.txs, since: l.lock.since}
	if err := l.sweep.sweepTmp(true); err != nil {
		return fmt.Errorf("sweep tmp: %w", err)
	}
	if l.dead, err = openDeadZone(l.layout, l.disk, l.now, l.cfg.DeadLimit, l.cat.troubles.teller(troubleDead)); err != nil {
		return err
	}
	if l.raw, err = openRawLog(l.rawConfig()); err != nil {
		return err
	}
	// Should raw/ have lost what is converted already, new events must still come above the watermark: below it they would be invisible.
	if err := l.raw.reserve(l.cat.current().Watermark); err != nil {
		return err
	}
	l.trackHot()
	return nil
}

func (l *Lake) openReadOnly() error {
	if info, err := os.Stat(l.layout.Root); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a folder", l.layout.Root)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l.pins = &pinFile{dir: pinsDir(l.layout)}
	var err error
	if l.cat, err = openCatalog(l.layout, l.disk, l.now, true); err != nil {
		return err
	}
	l.dead = followDeadZone(l.layout)
	if err := l.redoForReader(); err != nil {
		return err
	}
	if l.raw, err = openRawLog(l.rawConfig()); err != nil {
		return err
	}
	l.refreshSegments()
	return nil
}

// redoForReader puts the journal's events where readers look, when a power cut took them from there and no owner has opened the lake since. It is all
// that a read-only opening may change; where it cannot, the events are seen once an owner has opened the lake.
func (l *Lake) redoForReader() error {
	if _, owned, err := OwnerOf(l.layout); err == nil && owned {
		return nil // it has done so, and the journal need not be read
	}
	lacks, err := journalLacks(l.layout)
	if err != nil || !lacks {
		return err
	}
	lock, err := takeLock(l.layout, l.cfg.Owner)
	if errors.Is(err, ErrOwned) {
		return nil
	}
	if err == nil {
		err = errors.Join(redoJournal(l.layout, l.disk), lock.release())
	}
	if err != nil {
		l.cat.troubles.tell(troubleFollow, fmt.Errorf("events of before a power cut are not shown until an owner opens the lake: %w", err))
	}
	return nil
}

func (l *Lake) rawConfig() rawConfig {
	return rawConfig{
		layout: l.layout, disk: l.disk, now: l.now, segmentBytes: l.cfg.SegmentBytes, windowEvents: l.cfg.WindowEvents, readOnly: l.cfg.ReadOnly,
		journal: usualPlan(),
	}
}

// untilClosed is ctx that also ends when the lake closes: for work that must not go on once another process may own the lake.
func (l *Lake) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.background, cancel)
	return ctx, func() { stop(); cancel() }
}

// Close stops what runs in the background and conversions under way, and lets go of the lake. What was acknowledged is on the disk already.
func (l *Lake) Close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		l.stop()
		l.wg.Wait()
		l.convertTurn <- struct{}{} // the conversion under way has ended, and none begins
		l.dropMemory()
		l.cat.close()
		err = l.releaseAll()
	})
	return err
}

func (l *Lake) releaseAll() error {
	var errs []error
	if l.raw != nil {
		errs = append(errs, l.raw.close())
	}
	if l.dead != nil {
		errs = append(errs, l.dead.close())
	}
	if l.pins != nil {
		errs = append(errs, l.pins.close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.release())
	}
	return errors.Join(errs...)
}

// writable says why nothing can be written: ErrReadOnly, ErrClosed, ErrOwned, or nil.
func (l *Lake) writable() error {
	if l.cfg.ReadOnly {
		return ErrReadOnly
	}
	if l.isClosed() {
		return ErrClosed
	}
	if l.lockLost.Load() {
		return errLockLost
	}
	return nil
}

func (l *Lake) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Layout knows the places of the lake's files.
func (l *Lake) Layout() Layout { return l.layout }

// Current is the newest version.
func (l *Lake) Current() *Version { return l.cat.current() }

// WaitVersion blocks until a version above after is current. ErrClosed when the lake closes meanwhile.
func (l *Lake) WaitVersion(ctx context.Context, after uint64) (*Version, error) {
	return l.cat.waitVersion(ctx, after, l.closed)
}

// Commit puts tx in place as the next version. ErrConflict: its preconditions do not hold; ErrUnsettled: its outcome is open, the files
// that it adds must stay; any other error: nothing changed.
func (l *Lake) Commit(ctx context.Context, tx Tx) (*Version, error) {
	if err := l.writable(); err != nil {
		return nil, err
	}
	v, err := l.cat.commit(ctx, tx)
	if err == nil {
		l.trackHot()
	}
	return v, err
}

// beginTx names a transaction, and keeps partition folders in place until endTx.
func (l *Lake) beginTx() string { return l.txs.begin() }

// endTx ends it. What it left behind without a commit is swept away.
func (l *Lake) endTx(id string, committed bool) {
	l.txs.end(id, committed)
	if !committed {
		select {
		case l.litter <- struct{}{}:
		default: // asked for already
		}
	}
}

// SetAddress tells other processes where the owner's HTTP API listens.
func (l *Lake) SetAddress(addr string) error {
	if l.cfg.ReadOnly {
		return ErrReadOnly
	}
	l.ownerMu.Lock()
	defer l.ownerMu.Unlock()
	l.cfg.Owner.Address = addr
	return l.lock.write(l.cfg.Owner)
}

// Foreign are the files below processed/partitioned and rollup/ that the lake did not make, relative to its root, as of the last walk.
// They are left alone and are not part of `events`.
func (l *Lake) Foreign() []string {
	if l.sweep == nil {
		return nil
	}
	l.sweep.mu.Lock()
	defer l.sweep.mu.Unlock()
	return slices.Clone(l.sweep.foreign)
}

// Pin holds the newest version, and the raw segments above it as they are now. In a read-only lake it first makes sure that the owner
// knows of it; where the data folder cannot be written, it relies on the owner's grace of two minutes.
func (l *Lake) Pin() *Pin {
	v := l.cat.pin()
	for l.pins != nil && l.layoutExists() && l.pins.covers(v.Number) {
		// The owner may have removed files between our reading the version and its seeing the pin: look again.
		if err := l.cat.refresh(); err != nil {
			l.cat.troubles.tell(troubleFollow, err)
			break
		}
		newer := l.cat.pin()
		l.cat.unpin(v)
		if newer.Number == v.Number {
			v = newer
			break
		}
		v = newer
	}
	var once sync.Once
	return &Pin{Version: v, Hot: hotOf(l.raw.segments(), v.Watermark), release: func() { once.Do(func() { l.cat.unpin(v) }) }}
}

// layoutExists says whether there is a lake to pin; an empty place is left empty.
func (l *Lake) layoutExists() bool {
	_, err := os.Stat(l.layout.Catalog())
	return err == nil
}

// hotOf are the segments at or above the watermark that hold events.
func hotOf(segments []Segment, watermark Seq) []Segment {
	var hot []Segment
	for _, s := range segments {
		if s.First >= watermark && s.Events > 0 {
			hot = append(hot, s)
		}
	}
	return hot
}
