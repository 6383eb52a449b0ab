package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/signallake/signallake/lake"
)

// coding is a way to compress a body.
type coding int

const (
	gzipped coding = iota
	zstandard
)

func (c coding) String() string { return [...]string{"gzip", "zstd"}[c] }

const (
	// No level of zstd up to 19 asks for a larger window, and RFC 8878 recommends that decoders bear it. A frame in one segment has its length
	// for a window, so where bodies may be longer, windows may.
	minWindow = 8 << 20
	// A decoder keeps the room of the largest window that it met and a megabyte. Beyond what most shippers' streams ask for it is let go.
	keptWindow = 2 << 20
	// Decompressing keeps a processor busy: more at once than there are processors win nothing.
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
	u := &unpackers{free: make(chan *unpacker, min(maxUnpackers, lake.Processors()))}
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
	x.held = int64(cap(wk.body)+cap(wk.packed)) + wk.holds()
	return begun, nil
}

// layer decompresses wk.body once. When that fails, wk.body is as it came.
func (u *unpackers) layer(x *exchange, wk *work, c coding) error {
	one, err := u.take(x.s.ctx())
	if err != nil {
		return err
	}
	defer func() { u.free <- one }()
	x.held = int64(cap(wk.body)) + wk.holds()
	if wk.packed, err = one.unpack(x, wk.packed[:0], wk.body, c); err != nil {
		return err
	}
	wk.body, wk.packed = wk.packed, wk.body
	return nil
}

// unpack puts into dst's place what is packed in body.
func (u *unpacker) unpack(x *exchange, dst, body []byte, c coding) ([]byte, error) {
	u.in.Reset(body)
	defer u.in.Reset(nil)
	var err error
	if c == zstandard {
		dst, err = u.frames(x, dst[:0], body)
	} else if err = u.nextMember(); err == nil {
		dst, err = x.fill(dst[:0], (*members)(u))
	}
	if err != nil {
		return dst, u.explain(c, body, err)
	}
	return dst, nil
}

// frames decodes zstd frames in a row: all at once into the place that they can fill at most, or through a window where that takes less memory.
func (u *unpacker) frames(x *exchange, dst, body []byte) ([]byte, error) {
	window, most, err := zstdBounds(body, u.limit)
	largest := max(minWindow, uint64(u.limit))
	switch {
	case err != nil:
		return dst, err
	case window > largest:
		return dst, zstd.ErrWindowSizeExceeded
	}
	if u.zstd == nil {
		u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeBuffersBelow(0), zstd.WithDecoderMaxWindow(largest))
		if err != nil {
			return dst, err
		}
	}
	if most < u.limit+zstdBlock && most < int64(window)+1<<20 {
		return u.atOnce(x, dst, body, most)
	}
	x.held += int64(window) // while the decoder has it
	defer func() { x.held -= int64(window) }()
	if err = u.zstd.Reset(&u.in); err == nil {
		dst, err = x.fill(dst, u.zstd)
	}
	if _ = u.zstd.Reset(nil); window > keptWindow {
		u.zstd.Close()
		u.zstd = nil
	}
	return dst, err
}

// atOnce decodes frames that become most bytes at most.
func (u *unpacker) atOnce(x *exchange, dst, body []byte, most int64) ([]byte, error) {
	room := most + zstdBlock + 1<<10 // the decoder wants a free block behind the last one
	if err := x.hold(max(room, int64(cap(dst)))); err != nil {
		return dst, err
	}
	if int64(cap(dst)) < room {
		dst = make([]byte, 0, room)
	}
	dst, err := u.zstd.DecodeAll(body, dst)
	if err == nil && int64(len(dst)) > u.limit {
		err = errTooBig
	}
	return dst, err
}

// zstdBlock is what a block of a frame holds at most.
const zstdBlock = 128 << 10

// zstdBounds steps over frames as RFC 8878 lays them out, without decoding them. It answers the largest window that one asks for, and how many
// bytes they can become at most. A frame that says itself that it holds more than limit is too big.
func zstdBounds(body []byte, limit int64) (window uint64, most int64, err error) {
	for rest := body; len(rest) > 0; {
		var head zstd.Header
		if err := head.Decode(rest); err != nil {
			return window, most, err
		}
		size := head.HeaderSize
		switch {
		case head.HasFCS && head.FrameContentSize > uint64(limit):
			return window, most, errTooBig
		case head.Skippable:
			size += int(head.SkippableSize)
		case head.SingleSegment:
			window = max(window, head.FrameContentSize)
		default:
			window = max(window, head.WindowSize)
		}
		for last := head.Skippable; !last; most += zstdBlock {
			if len(rest) < size+3 {
				return window, most, io.ErrUnexpectedEOF
			}
			block := int(rest[size]) | int(rest[size+1])<<8 | int(rest[size+2])<<16
			const repeated = 1 // the type of a block that is one byte, many times
			if last = block&1 == 1; block>>1&3 == repeated {
				block = 1 << 3
			}
			size += 3 + block>>3
		}
		if head.HasCheckSum {
			size += 4
		}
		if len(rest) < size {
			return window, most, io.ErrUnexpectedEOF
		}
		rest = rest[size:]
	}
	return window, most, nil
}

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
	var full *noRoom
	switch {
	case errors.As(err, &full), errors.Is(err, errTooBig):
		return err
	case !c.begins(body):
		return &undecodable{reason: fmt.Sprintf("Content-Encoding says %v, and the body starts with %s: %s", c, firstBytes(body), unpackedAs(body))}
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &undecodable{reason: fmt.Sprintf("the zstd data asks for a window over %d MiB: compress it without --long, at level 19 or below", max(minWindow, u.limit)>>20)}
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return &undecodable{reason: fmt.Sprintf("the %v data is cut off after %d bytes", c, len(body))}
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return &undecodable{reason: "the zstd data was compressed with a dictionary: send it without"}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		return &undecodable{reason: fmt.Sprintf("the %v data is damaged: its checksum does not fit", c)}
	case errors.Is(err, gzip.ErrHeader):
		return &undecodable{reason: fmt.Sprintf("behind the gzip data, at about byte %d, stands something else", len(body)-u.in.Len())}
	case errors.Is(err, zstd.ErrMagicMismatch):
		return &undecodable{reason: "behind the zstd data stands something else"}
	}
	return &undecodable{reason: fmt.Sprintf("the %v data is damaged: %v", c, err)}
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
