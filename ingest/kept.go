package ingest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// lookEvery is how old what was read from a file may be: a revoked token works for no longer than this.
	lookEvery = 2 * time.Second
	// maxSecretFile bounds what is read of a file of tokens or certificates: ten thousand tokens, or any chain of certificates.
	maxSecretFile = 1 << 20
)

// kept is a value made of files, made again when they change. Files that make no value leave the one before in force: a slip of the
// editor must not lock every sender out. The files are read at every look rather than asked for their time: they are small, and a second
// change within one tick of the file system's clock would go unseen.
type kept[T any] struct {
	name  string                   // of the files, for the log
	now   func() time.Time         // of the looks
	tell  func(string)             // takes a line for the log when something has changed
	read  func() ([][]byte, error) // the files' texts
	parse func(texts [][]byte) (T, error)

	mu      sync.Mutex // guards what follows; not held while the files are read, so that a slow disk holds up one request and not all
	looking bool
	looked  time.Time
	sum     [sha256.Size]byte // of the texts that value was made of; the texts are secrets and are not kept
	value   T
	err     error // why the files as they are now are not in force; nil: they are
}

// load reads the files for the first time. An error leaves nothing to fall back on.
func (k *kept[T]) load() error {
	k.mu.Lock()
	k.looked, k.looking = k.now(), true
	k.mu.Unlock()
	_, err := k.look()
	return err
}

// get is the value as of at most lookEvery ago, and what is wrong with the files since.
func (k *kept[T]) get() (T, error) {
	now := k.now()
	k.mu.Lock()
	since := now.Sub(k.looked)
	if k.looking || since >= 0 && since < lookEvery {
		defer k.mu.Unlock()
		return k.value, k.err
	}
	k.looked, k.looking = now, true
	before := k.err
	k.mu.Unlock()

	changed, err := k.look()
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		k.tell(fmt.Sprintf("what was read before stays in force: %v", err))
	case err == nil && (changed || before != nil):
		k.tell(k.name + ": read again")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, k.err
}

// look makes the value of the files as they are now, unless it is made of them already. The caller has set looking.
func (k *kept[T]) look() (changed bool, err error) {
	var value T
	var sum [sha256.Size]byte
	texts, err := k.read()
	if err == nil {
		if sum = sha256.Sum256(bytes.Join(texts, []byte{0})); sum != k.sum { // only who looks writes the sum
			changed = true
			value, err = k.parse(texts)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looking, k.err = false, err
	if err == nil && changed {
		k.value, k.sum = value, sum
	}
	return changed, err
}

// readBounded reads a regular file of bounded size. check may refuse it by what the system tells of it.
func readBounded(path string, check func(os.FileInfo) error) ([]byte, error) {
	// Without O_NONBLOCK opening a named pipe would wait for somebody to write.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	if check != nil {
		if err := check(info); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err == nil && len(text) > maxSecretFile {
		err = fmt.Errorf("%s is bigger than %d bytes", path, maxSecretFile)
	}
	return text, err
}

// checkSecret refuses a file that others may read or change, as ssh does with its keys. A file of root's may be readable for its group: that
// is how orchestrators hand a secret to a program that does not run as root.
func checkSecret(path string) func(os.FileInfo) error {
	return func(info os.FileInfo) error {
		mode := info.Mode().Perm()
		if mode&0o077 == 0 {
			return nil
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid == 0 && os.Getuid() != 0 && mode&0o037 == 0 {
			return nil
		}
		return fmt.Errorf("%s holds a secret and is open to other users (mode %04o): chmod 600 %s", path, mode, shellQuote(path))
	}
}
