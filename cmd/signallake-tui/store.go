package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/tui"
)

// stateStore keeps the console's memory in the lake's state folder, one file a name, replaced atomically.
type stateStore struct{ dir string }

func (s stateStore) Load(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (s stateStore) Save(name string, data []byte) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(s.dir, name+".*.tmp")
	if err != nil {
		return err
	}
	_, werr := tmp.Write(data)
	if err := errors.Join(werr, tmp.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return os.Rename(tmp.Name(), filepath.Join(s.dir, name))
}

// freshStore starts from nothing and still saves: --fresh.
type freshStore struct{ tui.Store }

func (freshStore) Load(string) ([]byte, error) { return nil, nil }

// maxRequestLog is where the console's request log starts over, keeping the one before: enough for some 80,000 requests.
const maxRequestLog = 16 << 20

// requestLog is the console's file of structured request lines: state/requests.jsonl and the one before it. The server writes whole lines,
// one at a time.
type requestLog struct {
	path string
	file *os.File
	size int64
}

func openRequestLog(layout lake.Layout) (*requestLog, error) {
	l := &requestLog{path: filepath.Join(layout.State(), "requests.jsonl")}
	return l, l.reopen()
}

func (l *requestLog) reopen() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.size = file, info.Size()
	return nil
}

func (l *requestLog) Write(line []byte) (int, error) {
	if l.size > maxRequestLog {
		if err := errors.Join(l.file.Close(), os.Rename(l.path, l.path+".1")); err != nil {
			return 0, err
		}
		if err := l.reopen(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	return n, err
}

func (l *requestLog) Close() error { return l.file.Close() }
