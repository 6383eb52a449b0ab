package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signallake/signallake/lake"
)

// maxQueryLimit is the engine's own bound on the rows of one answer.
const maxQueryLimit = 10_000

// paramError is a query parameter that cannot be understood.
type paramError struct{ name, reason string }

func (e *paramError) Error() string { return e.name + " " + e.reason }

// queryAnswer answers GET /query/NAME.
type queryAnswer struct {
	Question  string   `json:"question"`
	Columns   []string `json:"columns"`
	Rows      [][]any  `json:"rows"`
	Files     int      `json:"files"`
	Bytes     int64    `json:"bytes"`
	Version   uint64   `json:"version"`
	ElapsedMS float64  `json:"elapsed_ms"`
	Missing   int64    `json:"missing_events,omitempty"`
	RequestID string   `json:"request_id"`
}

func (s *Server) answerQuery(x *exchange) {
	q, err := parseQuestion(strings.TrimPrefix(x.r.URL.Path, queryPrefix), x.r.URL.RawQuery, x.start)
	var bad *paramError
	if errors.As(err, &bad) {
		x.refuse(http.StatusBadRequest, problem{Error: "bad parameter", Parameter: bad.name, Reason: err.Error(), RequestID: x.id}, err.Error())
		return
	}
	if s.cfg.Ask == nil {
		x.fail(http.StatusServiceUnavailable, "questions are not answered here", "this server only takes events")
		return
	}
	x.service = q.Service
	x.patient()
	ctx, cancel := context.WithTimeout(x.r.Context(), s.cfg.QueryTimeout)
	defer cancel()
	answer, err := s.cfg.Ask(ctx, q)
	if err != nil {
		s.failQuery(x, err)
		return
	}
	x.reply(http.StatusOK, queryAnswer{
		Question: q.Name, Columns: append([]string{}, answer.Columns...), Rows: jsonReady(answer.Rows), Files: answer.Files,
		Bytes: answer.Bytes, Version: answer.Version, ElapsedMS: answer.ElapsedMS, Missing: answer.Missing, RequestID: x.id,
	})
}

func (s *Server) failQuery(x *exchange, err error) {
	var unknown *ErrUnknownQuestion
	var loading *LoadingError
	switch {
	case errors.As(err, &unknown):
		x.refuse(http.StatusNotFound, problem{Error: "unknown question", Reason: err.Error(), Questions: unknown.Known, RequestID: x.id}, err.Error())
	case x.r.Context().Err() != nil:
		x.fail(statusClientGone, "the client went away before the answer", err.Error())
	case errors.As(err, &loading):
		x.fail(http.StatusGatewayTimeout, "the question took too long", fmt.Sprintf("no answer within %v: %v; ask again", s.cfg.QueryTimeout, loading))
	case errors.Is(err, context.DeadlineExceeded):
		x.fail(http.StatusGatewayTimeout, "the question took too long",
			fmt.Sprintf("no answer within %v: narrow it with from, to or service", s.cfg.QueryTimeout))
	case errors.Is(err, lake.ErrClosed):
		x.fail(http.StatusServiceUnavailable, "the lake is closing", err.Error())
	default:
		x.fail(http.StatusInternalServerError, "the question could not be answered", err.Error())
	}
}

// parseQuestion reads the name and the parameters. It refuses what it does not know: a misspelt from would silently ask for everything.
func parseQuestion(name, rawQuery string, now time.Time) (Question, error) {
	q := Question{Name: name}
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return q, &paramError{"?", "cannot be read: " + err.Error()}
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names) // the same error for the same request
	for _, name := range names {
		if len(values[name]) > 1 {
			return q, &paramError{name, "is given more than once"}
		}
		if err := q.set(name, values[name][0], now); err != nil {
			return q, err
		}
	}
	if q.From > 0 && q.To > 0 && q.From >= q.To {
		return q, &paramError{"to", "must be later than from"}
	}
	return q, nil
}

func (q *Question) set(name, value string, now time.Time) (err error) {
	if value == "" {
		return nil
	}
	switch name {
	case "from":
		q.From, err = parseTime(name, value, now)
	case "to":
		q.To, err = parseTime(name, value, now)
	case "service":
		q.Service = strings.ToLower(value)
		if !lake.ValidServiceName(q.Service) {
			err = &paramError{name, fmt.Sprintf("must be up to 64 of a-z, 0-9, '.', '_' and '-', got %.80q", value)}
		}
	case "limit":
		q.Limit, err = strconv.Atoi(value)
		if err != nil || q.Limit < 1 || q.Limit > maxQueryLimit {
			err = &paramError{name, fmt.Sprintf("must be a whole number from 1 to %d, got %.80q", maxQueryLimit, value)}
		}
	default:
		err = &paramError{cut(name, 80), "is not known: from, to, service and limit are"}
	}
	return err
}

// parseTime reads a time as lake.ParseInstant does: RFC 3339, an epoch, 2026-11-21, -1h, yesterday 14:00.
func parseTime(name, value string, now time.Time) (lake.Micros, error) {
	// In a query string a '+' that was not escaped arrives as a space: the offset's.
	for _, text := range []string{value, strings.Replace(value, " ", "+", 1)} {
		if at, err := lake.ParseInstant(text, now); err == nil && at > 0 {
			return at, nil
		}
	}
	return 0, &paramError{name, fmt.Sprintf("must be a time after 1970: RFC 3339 (2026-11-21T07:56:05Z), 2026-11-21, -1h, yesterday 14:00 or an epoch, got %.80q", value)}
}

// jsonReady replaces what JSON cannot write (NaN and the infinities: null) in a copy; an answer may be shared.
func jsonReady(rows [][]any) [][]any {
	out := make([][]any, len(rows))
	for i, row := range rows {
		out[i] = row
		for j, v := range row {
			if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
				if &out[i][0] == &rows[i][0] {
					out[i] = slices.Clone(row)
				}
				out[i][j] = nil
			}
		}
	}
	return out
}
