package importer

import (
	"bytes"
	"context"
	"io"
	"os"
	"time"
)

// lingerPolls is how many looks in a row must find nothing new in a file that was renamed before its successor is read: its writer may have
// it open a moment longer.
const lingerPolls = 2

// maxBackoff is how many polls the pause between two looks at a quiet file grows to.
const maxBackoff = 2

// liveFile is a file that is still written. It ends when it was replaced or truncated, and what was in it is read.
type liveFile struct {
	path   string
	f      *os.File
	off    int64
	window []byte // the bytes before off, at most tailBytes: while they stay as they are nobody has truncated the file
	check  []byte
	poll   time.Duration
	paused bool
	quiet  int  // looks that found nothing, in a row
	over   bool // nothing more will be read from it
	moved  bool // because the path names another file now; else the file was truncated
}

func (l *liveFile) read(ctx context.Context, p []byte) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := l.f.ReadAt(p, l.off)
		if err != nil && err != io.EOF {
			return 0, err
		}
		intact, serr := l.intact()
		switch {
		case serr != nil:
			return 0, serr
		case !intact:
			l.over = true
			return 0, io.EOF
		case n > 0:
			l.off += int64(n)
			l.slide(p[:n])
			l.paused, l.quiet = false, 0
			return n, nil
		case !l.paused:
			l.paused = true
			return 0, errPause
		}
		l.quiet++
		if l.replaced() && l.quiet >= lingerPolls {
			l.over, l.moved = true, true
			return 0, io.EOF
		}
		if err := pause(ctx, l.poll*time.Duration(min(1+l.quiet/10, maxBackoff))); err != nil {
			return 0, err
		}
	}
}

// intact tells whether the bytes before the position are still those that were read: a file that was truncated and has grown again beyond it
// looks like one that has grown.
func (l *liveFile) intact() (bool, error) {
	l.check = append(l.check[:0], l.window...)
	n, err := l.f.ReadAt(l.check, l.off-int64(len(l.check)))
	if err != nil && err != io.EOF {
		return false, err
	}
	return bytes.Equal(l.check[:n], l.window), nil
}

func (l *liveFile) slide(p []byte) {
	l.window = append(l.window, p[max(0, len(p)-tailBytes):]...)
	if over := len(l.window) - tailBytes; over > 0 {
		l.window = l.window[:copy(l.window, l.window[over:])]
	}
}

// replaced tells whether the path names another file now. While it names none, this one is still the newest.
func (l *liveFile) replaced() bool {
	mine, err := l.f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(l.path)
	return err == nil && now.Mode().IsRegular() && !os.SameFile(mine, now)
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
