package ingest

import (
	"net/http"
	"slices"
	"strings"
)

const queryPrefix = "/query/"

// route is one thing that the server answers.
type route struct {
	path    string // ends in "/": everything below it that is not empty
	shown   string // as a 404 names it
	methods []string
	handle  func(*Server, *exchange)
	open    bool // also for those who have no token
}

func routes() []route {
	get, post := []string{http.MethodGet, http.MethodHead}, []string{http.MethodPost}
	return []route{
		{"/health", "GET /health", get, (*Server).answerHealth, true},
		{"/ingest", "POST /ingest", post, (*Server).ingestOne, false},
		{"/ingest/batch", "POST /ingest/batch", post, (*Server).ingestBatch, false},
		{queryPrefix, "GET /query/NAME", get, (*Server).answerQuery, false},
		{"/dead", "GET /dead", get, (*Server).answerDead, false},
		{"/dead/letters", "GET /dead/letters", get, (*Server).answerLetters, false},
		{"/dead/discard", "POST /dead/discard", post, (*Server).discardDead, false},
		{"/dead/replay", "POST /dead/replay", post, (*Server).replayDead, false},
		{"/docs", "GET /docs", get, (*Server).answerDocs, true},
		{"/openapi.json", "GET /openapi.json", get, (*Server).answerSpec, true},
	}
}

func (r route) matches(path string) bool {
	if !strings.HasSuffix(r.path, "/") {
		return path == r.path
	}
	name, ok := strings.CutPrefix(path, r.path)
	return ok && name != ""
}

// route hands x to the handler of its path and method. There is no redirect: a POST that is told to go elsewhere is often sent again
// without its body.
func (s *Server) route(x *exchange) {
	for _, r := range s.routes {
		if !r.matches(x.r.URL.Path) {
			continue
		}
		if !slices.Contains(r.methods, x.r.Method) {
			x.w.Header().Set("Allow", strings.Join(r.methods, ", "))
			x.fail(http.StatusMethodNotAllowed, "wrong method", "want "+r.shown)
			return
		}
		if x.stranger != "" && !r.open {
			x.turnAwayStranger()
			return
		}
		r.handle(s, x)
		return
	}
	known := make([]string, len(s.routes))
	for i, r := range s.routes {
		known[i] = r.shown
	}
	x.refuse(http.StatusNotFound, problem{Error: "nothing is here", Reason: "the routes are " + strings.Join(known, ", "), Routes: known, RequestID: x.id}, "no such route")
}
