package ingest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS string

// docs is the page of GET /docs, made of the spec. It loads nothing and runs nothing: it works without a network, and its policy forbids both.
type docs struct {
	spec     *spec
	template *template.Template
	policy   string
}

func newDocs() (*docs, error) {
	s, err := parseSpec(specJSON)
	if err != nil {
		return nil, err
	}
	d := &docs{spec: s}
	d.template, err = template.New("docs").Funcs(template.FuncMap{
		"upper": strings.ToUpper, "paragraphs": func(text string) []string { return strings.Split(text, "\n\n") }, "words": words,
		"fields": s.fields, "pretty": pretty, "refName": refName, "css": func() template.CSS { return template.CSS(docsCSS) },
		"parameter": func(p parameter) parameter { return lookUp(s.Components.Parameters, p.Ref, p) },
		"answer":    func(r response) response { return lookUp(s.Components.Responses, r.Ref, r) },
		"type":      s.typeName, "needsToken": operation.needsToken,
	}).Parse(docsHTML)
	if err != nil {
		return nil, fmt.Errorf("docs.html: %w", err)
	}
	sum := sha256.Sum256([]byte(docsCSS))
	d.policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return d, nil
}

func lookUp[T any](all ordered[T], ref string, itself T) T {
	if target, ok := all.find(refName(ref)); ok {
		return target
	}
	return itself
}

// needsToken: an operation that says nothing of its own about security has the document's, which is a token.
func (o operation) needsToken() bool { return o.Security == nil }

// page is what the template shows.
type page struct {
	*spec
	Base  string // scheme and host as the reader reached the server
	Token bool   // the server asks for one
}

func (s *Server) answerDocs(x *exchange) {
	base := "http://"
	if x.r.TLS != nil || proxiedTLS(x.r.Header) {
		base = "https://"
	}
	var buf bytes.Buffer
	if err := s.docs.template.Execute(&buf, page{s.docs.spec, base + x.r.Host, s.tokens != nil}); err != nil {
		x.fail(http.StatusInternalServerError, "the page could not be made", err.Error())
		return
	}
	h := x.w.Header()
	h.Set("Content-Security-Policy", s.docs.policy)
	h.Set("Referrer-Policy", "no-referrer")
	x.send(http.StatusOK, "text/html; charset=utf-8", buf.Bytes())
}

// proxiedTLS tells whether a proxy says that the reader came to it by TLS. Anybody may claim that, and changes with it only the page that he reads himself.
func proxiedTLS(h http.Header) bool {
	first, _, _ := strings.Cut(h.Get("X-Forwarded-Proto"), ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}

func (s *Server) answerSpec(x *exchange) { x.send(http.StatusOK, "application/json", specJSON) }

// Curl is a line for a shell that sends the operation's example.
func (p page) Curl(path, method string, o operation) string {
	options := ""
	if p.Token && o.needsToken() {
		options = ` -H "authorization: Bearer $TOKEN"`
	}
	var query []string
	for _, q := range o.Parameters {
		q = lookUp(p.Components.Parameters, q.Ref, q)
		switch {
		case q.Example == nil:
		case q.In == "path":
			path = strings.ReplaceAll(path, "{"+q.Name+"}", url.PathEscape(fmt.Sprint(q.Example)))
		case q.In == "query":
			query = append(query, q.Name+"="+url.QueryEscape(fmt.Sprint(q.Example)))
		}
	}
	target := p.Base + path
	if len(query) > 0 {
		target += "?" + strings.Join(query, "&")
	}
	if len(o.RequestBody.Content) == 0 {
		return "curl -s" + options + " " + shellQuote(target)
	}
	first := o.RequestBody.Content[0]
	body := compact(first.Value.Example)
	if lines := ""; json.Unmarshal(first.Value.Example, &lines) == nil {
		body = lines // an example that is text: the body itself
	}
	return "curl -s" + options + " " + shellQuote(target) + " -H " + shellQuote("content-type: "+first.Name) + " --data-binary " + shellQuote(body)
}

// pretty shows an example to people: text as it is, anything else as indented JSON.
func pretty(raw json.RawMessage) string {
	if text := ""; json.Unmarshal(raw, &text) == nil {
		return text
	}
	var buf bytes.Buffer
	if json.Indent(&buf, raw, "", "  ") != nil {
		return string(raw)
	}
	return buf.String()
}

func compact(raw json.RawMessage) string {
	var buf bytes.Buffer
	if json.Compact(&buf, raw) != nil {
		return string(raw)
	}
	return buf.String()
}

// word is a piece of a description: plain text, or code between backticks.
type word struct {
	Text string
	Code bool
}

func words(text string) []word {
	var all []word
	for i, part := range strings.Split(text, "`") {
		if part != "" {
			all = append(all, word{part, i%2 == 1})
		}
	}
	return all
}
