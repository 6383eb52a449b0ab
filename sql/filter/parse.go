package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds that keep a condition within what the engine's gate lets through.
const (
	maxText  = 4 << 10
	maxDepth = 20
)

// Parse reads a filter. Its error is an *Error. Blank text lets everything through.
func Parse(text string) (*Query, error) {
	p := &parser{text: text}
	q := &Query{text: text}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.space()
	if p.at == len(text) {
		return q, nil
	}
	terms, root, err := p.either(0)
	if err != nil {
		return nil, err
	}
	if p.at < len(text) {
		return nil, errorf(p.at, p.at+1, "this bracket closes nothing")
	}
	q.terms, q.root = terms, root
	return q, nil
}

// parser goes through the text once.
type parser struct {
	text string
	at   int
}

func (p *parser) check() error {
	if len(p.text) > maxText {
		return errorf(maxText, len(p.text), "a filter has at most %d bytes", maxText)
	}
	for i, r := range p.text {
		if r == 0 || r == utf8.RuneError && !strings.HasPrefix(p.text[i:], "\ufffd") {
			return errorf(i, i+1, "this byte is no text")
		}
	}
	return nil
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

func (p *parser) space() {
	p.at = len(p.text) - len(strings.TrimLeftFunc(p.text[p.at:], isSpace))
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// word takes an operator in words (OR, AND, NOT), which stand alone and in capitals: in lower case they are looked for.
func (p *parser) word(name string) bool {
	rest, ok := strings.CutPrefix(p.text[p.at:], name)
	if r, _ := utf8.DecodeRuneInString(rest); !ok || rest != "" && !isSpace(r) && r != '(' && r != '"' {
		return false
	}
	p.at += len(name)
	return true
}

// either reads alternatives up to a closing bracket or the end. terms is the top row for the outermost call.
func (p *parser) either(depth int) ([]*term, node, error) {
	if depth > maxDepth {
		return nil, nil, errorf(p.at-1, p.at, "brackets nest at most %d deep", maxDepth)
	}
	start := p.at
	var options any_
	var row []*term
	for {
		terms, err := p.together(depth)
		if err != nil {
			return nil, nil, err
		}
		row = terms
		options = append(options, conjunction(terms))
		p.space()
		if p.peek() == '|' {
			p.at++
			if p.peek() == '|' {
				p.at++
			}
		} else if !p.word("OR") {
			break
		}
	}
	if len(options) == 1 {
		return row, options[0], nil
	}
	return []*term{{node: options, start: start, end: p.at, open: true}}, options, nil
}

func conjunction(terms []*term) node {
	if len(terms) == 1 {
		return terms[0].node
	}
	var both all
	for _, t := range terms {
		both = append(both, t.node)
	}
	return both
}

// together reads terms that must all hold.
func (p *parser) together(depth int) ([]*term, error) {
	var terms []*term
	for {
		p.space()
		if len(terms) > 0 && p.word("AND") {
			p.space()
		} else if len(terms) > 0 && (p.at == len(p.text) || p.peek() == ')' || p.peek() == '|' || p.atOr()) {
			return terms, nil
		}
		t, err := p.term(depth)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
}

func (p *parser) atOr() bool {
	at := p.at
	ok := p.word("OR")
	p.at = at
	return ok
}

// term reads one term with what excludes it.
func (p *parser) term(depth int) (*term, error) {
	p.space()
	start, negated := p.at, false
	for p.peek() == '!' || p.word("NOT") {
		if p.peek() == '!' {
			p.at++
		}
		negated = !negated
		p.space()
	}
	t, err := p.single(depth)
	if err != nil {
		return nil, err
	}
	t.start, t.end, t.negated = start, p.at, t.negated != negated
	if negated {
		t.node = not{t.node}
	}
	return t, nil
}

func (p *parser) single(depth int) (*term, error) {
	switch c := p.peek(); {
	case p.at == len(p.text):
		return nil, errorf(p.at, p.at, "something is missing here: a word, or a field with its value")
	case c == ')' || c == '|' || p.atOr():
		return nil, errorf(p.at, p.at+1, "something is missing before this: a word, or a field with its value")
	case c == '(':
		open := p.at
		p.at++
		_, inner, err := p.either(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek() != ')' {
			return nil, errorf(open, open+1, "this bracket is not closed")
		}
		p.at++
		return &term{node: group{inner}}, nil
	case c == '"':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		if s == "" {
			return nil, errorf(p.at-2, p.at, "these quotes hold nothing to look for")
		}
		return &term{node: saysNode(s)}, nil
	}
	return p.fieldOrWord()
}

// quoted reads a text in quotes, with \" and \\ within it.
func (p *parser) quoted() (string, error) {
	open := p.at
	var b strings.Builder
	for i := open + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.at = i + 1
			return b.String(), nil
		case c == '\\' && i+1 < len(p.text) && (p.text[i+1] == '"' || p.text[i+1] == '\\'):
			i++
			b.WriteByte(p.text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", errorf(open, len(p.text), "this quote is not closed")
}

// bareEnd is where a bare word that begins at i ends; stops are further signs that end it.
func (p *parser) bareEnd(i int, stops string) int {
	for i < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[i:])
		if isSpace(r) || strings.ContainsRune("()|", r) || strings.ContainsRune(stops, r) {
			break
		}
		i += n
	}
	return i
}

// fieldOrWord reads field:value, a comparison, or a word.
func (p *parser) fieldOrWord() (*term, error) {
	start, end := p.at, p.bareEnd(p.at, "")
	name, nameEnd, err := p.name()
	if err != nil {
		return nil, err
	}
	if name == "" {
		p.at = end
		return &term{node: saysNode(p.text[start:end])}, nil
	}
	sign, at := p.sign(nameEnd, fieldOf(name) != nil)
	if sign == "" {
		p.at = max(end, nameEnd)
		if strings.HasPrefix(name, "@") && nameEnd == end {
			return nil, errorf(start, nameEnd, "%s needs a value: %s:42, %s>5, has:%s", name, name, name, name)
		}
		return &term{node: saysNode(p.text[start:p.at])}, nil
	}
	switch strings.ToLower(name) {
	case "is":
		return p.kindOf(at)
	case "has":
		return p.presence(at)
	}
	f := fieldOf(name)
	if f == nil {
		return nil, unknown(name, p.text[start:end], start)
	}
	return p.values(f, sign, at)
}

// name reads a field's name at the cursor: "" when what stands there cannot be one.
func (p *parser) name() (name string, end int, err error) {
	i := p.at
	if strings.HasPrefix(p.text[i:], `@"`) {
		at := p.at
		p.at++
		path, err := p.quoted()
		if err != nil {
			return "", 0, err
		}
		end, p.at = p.at, at
		if path == "" {
			return "", 0, errorf(at, end, "the attribute has no name")
		}
		return "@" + path, end, nil
	}
	for i < len(p.text) {
		c := p.text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (c != '@' && c != '-' || i > p.at && c == '@') && (i == p.at || c != '.' && (c < '0' || c > '9')) {
			break
		}
		i++
	}
	if i == p.at+1 && (p.peek() == '@' || p.peek() == '-') {
		return "", p.at, nil
	}
	return p.text[p.at:i], i, nil
}

// signs are the comparisons, the longer ones first.
var signs = []string{"!=", ">=", "<=", "==", ":", "=", ">", "<"}

// sign reads the comparison after a name. Before and after a comparison of a known field there may be space; a colon stands close.
func (p *parser) sign(i int, known bool) (sign string, end int) {
	spaced := p.text[i:]
	if known {
		spaced = strings.TrimLeftFunc(spaced, isSpace)
	}
	for _, s := range signs {
		from := p.text[i:]
		if s != ":" {
			from = spaced
		}
		if rest, ok := strings.CutPrefix(from, s); ok {
			end = len(p.text) - len(rest)
			if known && s != ":" {
				end = len(p.text) - len(strings.TrimLeftFunc(rest, isSpace))
			}
			if s == "==" {
				s = "="
			}
			return s, end
		}
	}
	return "", i
}
