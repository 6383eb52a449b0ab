package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// The form's fields: one for each kind of rule, in the order in which they act.
const (
	ruleRename  = "rename"
	ruleCast    = "cast"
	ruleDefault = "default"
)

// castTypes are what a value can be read as.
var castTypes = []string{"number", "integer", "string", "time"}

// splitRules takes "a=1, b={"c":[2,3]}" apart at the commas that stand neither in quotes nor in brackets.
func splitRules(text string) []string {
	var list []string
	depth, start := 0, 0
	quoted, escaped := false, false
	add := func(end int) {
		if part := strings.TrimSpace(text[start:end]); part != "" {
			list = append(list, part)
		}
		start = end + 1
	}
	for i, c := range []byte(text) {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth <= 0:
			add(i)
		}
	}
	add(len(text))
	return list
}

// rulesOf reads the rules of one kind as the form has them. A rule that is not written to its end is an error that says how it goes on.
func rulesOf(kind, text string) ([]string, error) {
	list := splitRules(text)
	for i, rule := range list {
		key, value, _ := strings.Cut(rule, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case key == "" || !strings.Contains(rule, "=") && kind != ruleCast || value == "" && kind == ruleRename:
			return nil, fmt.Errorf("%q: want %s", rule, map[string]string{ruleRename: "OLD=NEW", ruleCast: "KEY=number", ruleDefault: "KEY=VALUE; a text with a comma in quotes"}[kind])
		case kind == ruleCast && !slices.Contains(castTypes, value):
			return nil, fmt.Errorf("%s=%s: want one of %s", key, value, strings.Join(castTypes, ", "))
		case value == "":
			return nil, fmt.Errorf("%s= what?", key)
		}
		list[i] = key + "=" + value
	}
	return list, nil
}

func checkRules(kind string) func(string) error {
	return func(text string) error {
		_, err := rulesOf(kind, text)
		return err
	}
}

// otherNames are names that senders have for what the contract demands, the likeliest first.
var otherNames = map[string][]string{
	"service_name": {"service", "service.name", "serviceName", "app", "app_name", "application", "svc", "component", "logger"},
	"timestamp":    {"@timestamp", "time", "ts", "datetime", "date", "eventTime", "event_time", "asctime", "created_at"},
}

// suggest makes the rules that a group's reason asks for. What cannot be said from outside, such as a service's name, is left to be typed.
// A value that no rule makes good goes out of the way: what the contract does not know is kept as an attribute. aside tells that a rename does
// so; it is right where every letter has the fault, since it acts on all of them.
func suggest(g *replay.Group) (r replay.Rules, aside bool) {
	says := func(part string) bool { return strings.Contains(g.Reason, part) }
	missing := says("is missing")
	switch field := g.Field; {
	case field == "" || field == "attributes" && !says("must be an object") || says("cannot be cast"):
	case missing:
		if other := otherName(g); other != "" {
			r.Rename = []string{other + "=" + field}
		} else if field == "service_name" {
			r.Default = []string{field + "=" + serviceOfSource(g.Source)}
		}
		if field == "timestamp" && r.Rename != nil {
			r.Cast = []string{field + "=time"}
		}
	case says("must be a string"):
		r.Cast = []string{field + "=string"}
	case field == "timestamp":
		if !says("outside the") {
			r.Cast = []string{field + "=time"}
		}
	case field == "latency_ms" && says("must be a number"):
		r.Cast = []string{field + "=number"}
	case field == "status_code" && says("number"):
		r.Cast = []string{field + "=integer"}
	case field == "message" && says("bytes long"): // an attribute may not be that long, either
	default:
		r.Rename, aside = []string{field + "=original_" + field}, true
		if field == "service_name" {
			r.Default = []string{field + "=" + tidyService(g)}
		}
	}
	return r, aside
}

// otherName is the key of the group's example that seems to hold the missing field; "" when there is none.
func otherName(g *replay.Group) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(g.Example.Text, &object) != nil {
		// A text that was cut for the screen is no JSON any more: its keys still can be told.
		object = map[string]json.RawMessage{}
		for _, m := range keyPattern.FindAllSubmatch(g.Example.Text, -1) {
			object[string(m[1])] = json.RawMessage(`"?"`)
		}
	}
	for _, name := range otherNames[g.Field] {
		if value, ok := object[name]; ok && len(value) > 0 && !bytes.HasPrefix(value, []byte("{")) && !bytes.HasPrefix(value, []byte("[")) && string(value) != "null" && string(value) != `""` {
			return name
		}
	}
	return ""
}

var keyPattern = regexp.MustCompile(`"([A-Za-z0-9_@.]+)"\s*:`)

// serviceOfSource is the service that a source's name tells: that of a token, or of an imported file; "" when it is a machine's address.
func serviceOfSource(source string) string {
	_, name, _ := strings.Cut(source, " ")
	if _, err := netip.ParseAddr(name); err == nil {
		return ""
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	name, _, _ = strings.Cut(name, ".")
	return asService(name)
}

// tidyService is the refused name in a form that the contract takes. A group may hold several names, so only a letter alone has one.
func tidyService(g *replay.Group) string {
	var object struct {
		Name string `json:"service_name"`
	}
	if g.Letters != 1 || json.Unmarshal(g.Example.Text, &object) != nil {
		return ""
	}
	return asService(object.Name)
}

// asService is a text with dashes for what a service's name may not have; "" when nothing is left.
func asService(text string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(text)), "._-")
	if !lake.ValidServiceName(name) {
		return ""
	}
	return name
}

// suggestAll joins the suggestions for several groups; the first rule of a key stays. What one group wants out of the way may be right in
// another, so that only a group alone gets it.
func suggestAll(groups []replay.Group) replay.Rules {
	var all replay.Rules
	for i := range groups {
		if r, aside := suggest(&groups[i]); !aside || len(groups) == 1 {
			all = joinRules(all, r)
		}
	}
	return all
}

// suggestMore are the rules that the reasons ask for why some letters of a set would be refused still.
func suggestMore(have replay.Rules, problems []replay.Group) replay.Rules {
	all := have
	for i := range problems {
		if r, aside := suggest(&problems[i]); !aside {
			all = joinRules(all, r)
		}
	}
	return replay.Rules{Rename: all.Rename[len(have.Rename):], Cast: all.Cast[len(have.Cast):], Default: all.Default[len(have.Default):]}
}

func joinRules(a, b replay.Rules) replay.Rules {
	return replay.Rules{Rename: join(a.Rename, b.Rename), Cast: join(a.Cast, b.Cast), Default: join(a.Default, b.Default)}
}

// join adds the rules whose key is not among the list's.
func join(list, more []string) []string {
	list = slices.Clip(list)
	for _, rule := range more {
		key, _, _ := strings.Cut(rule, "=")
		if !slices.ContainsFunc(list, func(r string) bool { return strings.HasPrefix(r, key+"=") }) {
			list = append(list, rule)
		}
	}
	return list
}

// ruleWords are rules for people: "rename ts=timestamp; cast latency_ms=number".
func ruleWords(r replay.Rules) string {
	var parts []string
	for _, kind := range []struct {
		name string
		list []string
	}{{ruleRename, r.Rename}, {ruleCast, r.Cast}, {ruleDefault, r.Default}} {
		if len(kind.list) > 0 {
			parts = append(parts, kind.name+" "+strings.Join(kind.list, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// ruledKeys are the keys that rules speak of.
func ruledKeys(r replay.Rules) []string {
	var keys []string
	for _, rule := range slices.Concat(r.Rename, r.Cast, r.Default) {
		key, value, _ := strings.Cut(rule, "=")
		keys = append(keys, key)
		if slices.Contains(r.Rename, rule) {
			keys = append(keys, value)
		}
	}
	return keys
}

// leading is an object's text with some of its keys first, so that what matters is seen where the line is cut. Anything else stays as it is.
func leading(text string, keys []string) string {
	const most = 16 << 10 // a longer one is not worth the time on each frame
	in := json.NewDecoder(strings.NewReader(text))
	if open, err := in.Token(); len(keys) == 0 || len(text) > most || err != nil || open != json.Delim('{') {
		return text
	}
	var first, rest []string
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return text
		}
		name, _ := key.(string)
		var value json.RawMessage
		if in.Decode(&value) != nil {
			return text
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return text
		}
		member := string(quoted) + ":" + string(value)
		if slices.Contains(keys, name) {
			first = append(first, member)
		} else {
			rest = append(rest, member)
		}
	}
	return "{" + strings.Join(append(first, rest...), ",") + "}"
}
