package ingest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// acceptEncoding is what a sender may compress a body with, as the header of a 415 says it.
const acceptEncoding = "gzip, zstd, identity"

// maxLayers is how often a body may be compressed: once by the sender and once more by a proxy on its way.
const maxLayers = 2

// receive reads a request's body into wk and decompresses it. When it cannot, it answers the request and says false. A body that is here and
// damaged is left to the decoder, which refuses and keeps it as any other that it cannot read.
func (s *Server) receive(x *exchange, wk *work) bool {
	codings, err := contentCodings(x.r.Header)
	if err != nil {
		x.w.Header().Set("Accept-Encoding", acceptEncoding)
		x.fail(http.StatusUnsupportedMediaType, "the body's encoding is not taken", err.Error())
		return false
	}
	wk.contentType = contentType(x.r.Header.Get("Content-Type"))
	unpacked := false
	if err = x.readBody(wk); err == nil {
		unpacked, err = s.unpackers.unpack(x, wk, codings)
	}
	var full *noRoom
	switch {
	case err == nil:
		return true
	case errors.As(err, &wk.unreadable):
		return true
	case errors.As(err, &full):
		s.failAppend(x, full.err)
	case errors.Is(err, errTooBig) && unpacked:
		limit := s.cfg.MaxBodyBytes
		x.fail(http.StatusRequestEntityTooLarge, errTooBig.Error(), fmt.Sprintf("the limit is %d bytes after decompression: send it in smaller batches", limit))
	default:
		s.failBody(x, err)
	}
	return false
}

// contentCodings are the codings that a request's headers name, outermost last as they stand there. The error names one that is not taken.
func contentCodings(h http.Header) ([]coding, error) {
	var all []coding
	for name := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "", "identity":
		case "gzip", "x-gzip":
			all = append(all, gzipped)
		case "zstd":
			all = append(all, zstandard)
		default:
			return nil, fmt.Errorf("Content-Encoding %q is not known here: compress the body with gzip or zstd, or send it as it is", cut(name, 40))
		}
	}
	if len(all) > maxLayers {
		return nil, fmt.Errorf("the body is compressed %d times over: send it compressed once, with gzip or zstd", len(all))
	}
	return all, nil
}

// mediaType is what a sender says that a body is. It decides nothing about a body that is JSON.
type mediaType struct {
	name    string // in lower case; "": not said, or not readable
	charset string // in lower case; "": not said, or one that UTF-8 holds
}

func contentType(header string) mediaType {
	name, params, err := mime.ParseMediaType(header)
	if err != nil {
		return mediaType{}
	}
	m := mediaType{name: name, charset: strings.ToLower(params["charset"])}
	switch m.charset {
	case "utf-8", "utf8", "us-ascii", "ascii":
		m.charset = ""
	}
	return m
}

// noRoom is a lease that could not grow; the sender is told to come again.
type noRoom struct{ err error }

func (e *noRoom) Error() string { return e.err.Error() }
func (e *noRoom) Unwrap() error { return e.err }

// hold asks for room for n bytes beside the body's buffers.
func (x *exchange) hold(n int64) error {
	if err := x.lease.hold(x.held + n); err != nil {
		return &noRoom{err}
	}
	return nil
}

// firstRead is the room that a body finds: 200 events fill it.
const firstRead = 64 << 10

var errTooBig = errors.New("the body is too big")

// readBody reads the whole body into wk.body. Beyond the room that was made for its announced length it grows with what comes.
func (x *exchange) readBody(wk *work) error {
	if x.r.ContentLength > x.s.cfg.MaxBodyBytes {
		return errTooBig
	}
	x.held = int64(cap(wk.packed)) + wk.holds()
	body, err := x.fill(wk.body[:0], x.r.Body)
	wk.body, x.bytes = body, int64(len(body))
	return err
}

// fill reads r to its end into buf, up to one byte above MaxBodyBytes. It asks for the room before it takes it.
func (x *exchange) fill(buf []byte, r io.Reader) ([]byte, error) {
	limit := x.s.cfg.MaxBodyBytes
	if err := x.hold(int64(cap(buf))); err != nil {
		return buf, err
	}
	for {
		if len(buf) == cap(buf) {
			room := min(max(firstRead, 2*int64(cap(buf))), limit+1)
			if err := x.hold(int64(cap(buf)) + room); err != nil { // both are there while the bytes move over
				return buf, err
			}
			buf = append(make([]byte, 0, room), buf...)
			if err := x.hold(room); err != nil {
				return buf, err
			}
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, errTooBig
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}
