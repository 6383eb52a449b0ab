package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// coding is a way to compress a body.
type coding int

const (
	gzipped coding = iota
	zstandard
)

func (c coding) String() string { return [...]string{"gzip", "zstd"}[c] }

const (
	// No level of zstd up to 19 asks for a larger window, and RFC 8878 recommends that decoders bear it. A frame that tells its length has it for
	// a window, so where bodies may be longer, windows may.
	minWindow = 8 << 20
	// Decompressing keeps a processor busy: more at once than there are processors win nothing. Each decoder keeps the room of the largest
	// window that it met and 1 MiB; at the default limit of 16 MiB all of them keep 68 MiB at most.
	maxUnpackers = 4
)

var (
	gzipMagic = []byte{0x1f, 0x8b, 0x08}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	zstdSkip  = []byte{0x2a, 0x4d, 0x18} // behind 0x50 to 0x5f: a frame of somebody's own, which is passed over
)

// sniffCoding tells compressed bytes by how they start.
func sniffCoding(body []byte) (coding, bool) {
	switch {
	case bytes.HasPrefix(body, gzipMagic):
		return gzipped, true
	case bytes.HasPrefix(body, zstdMagic):
		return zstandard, true
	}
	return 0, false
}

// begins says whether a body starts as one of this coding does, as far as it goes.
func (c coding) begins(body []byte) bool {
	magic := gzipMagic
	if c == zstandard {
		if len(body) > 3 && body[0]&0xf0 == 0x50 && bytes.Equal(body[1:4], zstdSkip) {
			return true
		}
		magic = zstdMagic
	}
	return bytes.HasPrefix(body, magic) || bytes.HasPrefix(magic, body)
}

// unpackers decompress bodies that are wholly here: a slow sender keeps none of them from others.
type unpackers struct {
	free chan *unpacker
}

// unpacker is one decoder of each kind, made when it is first needed.
type unpacker struct {
	limit int64 // of a body
	in    bytes.Reader
	gzip  gzip.Reader
	zstd  *zstd.Decoder
}

func newUnpackers(limit int64) *unpackers {
	u := &unpackers{free: make(chan *unpacker, min(maxUnpackers, runtime.GOMAXPROCS(0)))}
	for range cap(u.free) {
		u.free <- &unpacker{limit: limit}
	}
	return u
}

// take waits for a free decoder.
func (u *unpackers) take(ctx context.Context) (*unpacker, error) {
	select {
	case one := <-u.free:
		return one, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// unpack decompresses wk.body as codings say, and where nothing is said any more, as its first bytes say. begun: an error is of
// decompressing. The error is an *undecodable when the bytes are at fault, errTooBig, a *noRoom, or the context's.
func (u *unpackers) unpack(x *exchange, wk *work, codings []coding) (begun bool, err error) {
	for layer := 0; layer < maxLayers && len(wk.body) > 0; layer++ {
		c, packed := sniffCoding(wk.body)
		if n := len(codings); n > 0 {
			c, packed, codings = codings[n-1], true, codings[:n-1]
		}
		if !packed {
			break
		}
		begun = true
		if err := u.layer(x, wk, c); err != nil {
			return begun, err
		}
	}
	x.held = int64(cap(wk.body) + cap(wk.packed))
	return begun, nil
}

// layer decompresses wk.body once. When that fails, wk.body is as it came.
func (u *unpackers) layer(x *exchange, wk *work, c coding) error {
	one, err := u.take(x.s.ctx())
	if err != nil {
		return err
	}
	defer func() { u.free <- one }()
	x.held = int64(cap(wk.body) + cap(wk.lines))
	if wk.packed, err = one.unpack(x, wk.packed[:0], wk.body, c); err != nil {
		return err
	}
	wk.body, wk.packed = wk.packed, wk.body
	return nil
}

// unpack appends to dst what is packed in body.
func (u *unpacker) unpack(x *exchange, dst, body []byte, c coding) ([]byte, error) {
	u.in.Reset(body)
	defer u.in.Reset(nil)
	r, err := u.reader(c)
	if err == nil {
		dst, err = x.fill(dst, r)
	}
	if u.zstd != nil {
		_ = u.zstd.Reset(nil) // lets go of the body
	}
	if err != nil {
		return dst, u.explain(c, body, err)
	}
	return dst, nil
}

// reader starts a decoder on u.in.
func (u *unpacker) reader(c coding) (io.Reader, error) {
	if c == gzipped {
		err := u.nextMember()
		return (*members)(u), err
	}
	if u.zstd == nil {
		var err error
		u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeBuffersBelow(0),
			zstd.WithDecoderMaxWindow(u.window()), zstd.WithDecoderMaxMemory(u.window()))
		if err != nil {
			return nil, err
		}
	}
	return u.zstd, u.zstd.Reset(&u.in)
}

// window is the largest zstd window that is borne.
func (u *unpacker) window() uint64 { return max(minWindow, uint64(u.limit)) }

// nextMember starts the gzip member that u.in is at.
func (u *unpacker) nextMember() error {
	err := u.gzip.Reset(&u.in)
	u.gzip.Multistream(false)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// members reads gzip members in a row as one text. The decoder could do that by itself, but takes a header that is cut off for the end.
type members unpacker

func (m *members) Read(p []byte) (int, error) {
	n, err := m.gzip.Read(p)
	if err == io.EOF && m.in.Len() > 0 {
		err = (*unpacker)(m).nextMember()
	}
	return n, err
}

// explain says what is wrong with packed bytes, in words for their sender. What is not their fault stays as it is.
func (u *unpacker) explain(c coding, body []byte, err error) error {
	read := len(body) - u.in.Len()
	var full *noRoom
	switch {
	case errors.As(err, &full), errors.Is(err, errTooBig):
		return err
	case !c.begins(body):
		return &undecodable{reason: fmt.Sprintf("Content-Encoding says %v, and the body starts with %s: %s", c, firstBytes(body), unpackedAs(body))}
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return errTooBig
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &undecodable{reason: fmt.Sprintf("the zstd data asks for a window over %d MiB: compress it without --long, at level 19 or below", u.window()>>20)}
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return &undecodable{reason: fmt.Sprintf("the %v data is cut off after %d bytes", c, len(body))}
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return &undecodable{reason: "the zstd data was compressed with a dictionary: send it without"}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		return &undecodable{reason: fmt.Sprintf("the %v data is damaged: its checksum does not fit", c)}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return &undecodable{reason: fmt.Sprintf("behind the %v data, at about byte %d, stands something else", c, read)}
	}
	return &undecodable{reason: fmt.Sprintf("the %v data is damaged at about byte %d: %v", c, read, err)}
}

// unpackedAs says what bytes are that claim to be packed and are not.
func unpackedAs(body []byte) string {
	if c, ok := sniffCoding(body); ok {
		return fmt.Sprintf("that is %v, send it with Content-Encoding: %v", c, c)
	}
	if start := bytes.TrimLeft(trimBOM(body), " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return "that is JSON, send it without Content-Encoding"
	}
	return "that is not compressed"
}

// firstBytes shows how a body starts: as text where it is text.
func firstBytes(body []byte) string {
	body = body[:min(len(body), 16)]
	for _, c := range body {
		if c < ' ' || c > '~' {
			return fmt.Sprintf("the bytes % x", body[:min(len(body), 8)])
		}
	}
	return fmt.Sprintf("%q", body)
}
