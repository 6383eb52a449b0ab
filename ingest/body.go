package ingest

import (
	"net/http"
	"strings"
)

// receive reads a request's body into wk. When it cannot, it answers the request and says false.
func (s *Server) receive(x *exchange, wk *work) bool {
	if enc := strings.TrimSpace(x.r.Header.Get("Content-Encoding")); enc != "" && !strings.EqualFold(enc, "identity") {
		x.w.Header().Set("Accept-Encoding", "identity")
		x.fail(http.StatusUnsupportedMediaType, "compressed bodies are not taken", "send the body uncompressed, without Content-Encoding")
		return false
	}
	body, err := x.readBody(wk.body)
	wk.body = body
	if err != nil {
		s.failBody(x, err)
		return false
	}
	return true
}
