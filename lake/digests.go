package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/signallake/signallake/lake/digest"
)

// footerStart is where the footer of a Parquet file of ours begins: its digest, if it has one, ends there. FooterBytes counts the magic at the
// file's beginning as well.
func (f *FileEntry) footerStart() int64 { return f.Bytes - (f.FooterBytes - 4) }

// Digests reads what files of events carry about themselves (package digest), and keeps what it has read up to a number of bytes: files never
// change under their names. It may be used from several goroutines.
type Digests struct {
	layout Layout
	limit  int64

	mu    sync.Mutex
	young map[string]*digest.Digest // by file name, which is one file's in a lake
	old   map[string]*digest.Digest // what was young before; it goes when young is full
	bytes int64                     // of young
}

// NewDigests makes a reader that keeps at most so many bytes of digests; 0 keeps none.
func NewDigests(l Layout, limit int64) *Digests {
	return &Digests{layout: l, limit: limit, young: map[string]*digest.Digest{}}
}

// DigestRead counts the bytes that were read of files.
type DigestRead struct{ bytes atomic.Int64 }

// Bytes is how many they are.
func (r *DigestRead) Bytes() int64 { return r.bytes.Load() }

// Read answers the digests of the files, in their order. Where a file has none that can be trusted (an older release made it, or it is damaged), the
// answer's Digest is nil: then the columns have to be asked. read counts what is fetched, now and when values are read later. The error is ctx's.
func (d *Digests) Read(ctx context.Context, files []*FileEntry, workers int, read *DigestRead) ([]digest.File, error) {
	out := make([]digest.File, len(files))
	var next atomic.Int64
	work := func() {
		var buffer []byte
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(files) {
				return
			}
			out[i] = d.file(files[i], &buffer, read)
		}
	}
	const few = 16 // a goroutine costs as much as reading some
	var wg sync.WaitGroup
	for range min(workers-1, len(files)/few) {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return out, ctx.Err()
}

func (d *Digests) file(f *FileEntry, buffer *[]byte, read *DigestRead) digest.File {
	path := d.layout.Path(f)
	found := d.kept(f.Name)
	if found == nil {
		var err error
		if found, err = readDigest(path, f, buffer, read); err != nil {
			return digest.File{}
		}
		d.keep(f.Name, found)
	}
	return digest.File{Digest: found, Values: &digestValues{path, f.footerStart() - found.Bytes(), read}}
}

func (d *Digests) kept(name string) *digest.Digest {
	d.mu.Lock()
	defer d.mu.Unlock()
	if found := d.young[name]; found != nil {
		return found
	}
	found := d.old[name]
	if found != nil {
		d.add(name, found)
	}
	return found
}

func (d *Digests) keep(name string, found *digest.Digest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.add(name, found)
}

// add makes the digest young. Called with mu held.
func (d *Digests) add(name string, found *digest.Digest) {
	const overhead = 600 // of the maps' entries and the struct
	size := found.IndexBytes() + overhead
	if size > d.limit/2 {
		return
	}
	if d.bytes += size; d.bytes > d.limit/2 {
		d.young, d.old, d.bytes = map[string]*digest.Digest{}, d.young, size
	}
	d.young[name] = found
}

// readDigest reads the index of one file's digest. The first read takes a guess of its length.
func readDigest(path string, f *FileEntry, buffer *[]byte, read *DigestRead) (*digest.Digest, error) {
	end := f.footerStart()
	if end < digest.TrailerBytes {
		return nil, digest.ErrNone
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	tail := func(n int64) ([]byte, error) {
		if int64(cap(*buffer)) < n {
			*buffer = make([]byte, n)
		}
		b := (*buffer)[:n]
		_, err := file.ReadAt(b, end-n)
		read.bytes.Add(n)
		return b, err
	}
	b, err := tail(min(end, digest.TrailerBytes+2048+f.Rows/4))
	if err != nil {
		return nil, err
	}
	t, err := digest.ParseTrailer(b)
	if err != nil {
		return nil, err
	}
	need := t.Index + digest.TrailerBytes
	if t.Bytes() > end {
		return nil, fmt.Errorf("digest: %d bytes before byte %d", t.Bytes(), end)
	}
	if need > int64(len(b)) {
		if b, err = tail(need); err != nil {
			return nil, err
		}
	}
	kept := append([]byte(nil), b[int64(len(b))-need:]...) // the digest keeps it
	found, err := digest.Parse(kept)
	if err == nil && found.Events != f.Rows {
		err = fmt.Errorf("digest: it is of %d events, the catalog says %d", found.Events, f.Rows)
	}
	return found, err
}

// digestValues is the values of one file's digest; it opens the file for each read.
type digestValues struct {
	path  string
	start int64
	read  *DigestRead
}

func (v *digestValues) ReadAt(b []byte, off int64) (int, error) {
	file, err := os.Open(v.path)
	if err != nil {
		return 0, err
	}
	n, err := file.ReadAt(b, v.start+off)
	v.read.bytes.Add(int64(n))
	if err == io.EOF && n == len(b) {
		err = nil
	}
	return n, errors.Join(err, file.Close())
}
