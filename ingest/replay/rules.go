package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
)

// castTo is a type that a rule casts to.
type castTo string

const (
	toNumber  castTo = "number"
	toInteger castTo = "integer"
	toString  castTo = "string"
	toTime    castTo = "time"
)

// rules are Rules that were read.
type rules struct {
	renames  []rename
	casts    []cast
	defaults []member
	used     map[string]bool // keys of renames and casts that some letter had
}

type rename struct{ from, to string }

type cast struct {
	key string
	to  castTo
}

// Validate says what is wrong with the first rule that cannot be read.
func (r Rules) Validate() error {
	_, err := r.read()
	return err
}

func (r Rules) read() (*rules, error) {
	all := &rules{used: map[string]bool{}}
	for _, text := range r.Rename {
		from, to, err := cutRule("rename", text, "took=latency_ms")
		if err != nil {
			return nil, err
		}
		if from == to {
			return nil, fmt.Errorf("rename %q: both names are the same", text)
		}
		all.renames = append(all.renames, rename{from, to})
	}
	for _, text := range r.Cast {
		key, to, err := cutRule("cast", text, "latency_ms=number")
		if err != nil {
			return nil, err
		}
		if !slices.Contains([]castTo{toNumber, toInteger, toString, toTime}, castTo(to)) {
			return nil, fmt.Errorf("cast %q: want number, integer, string or time", text)
		}
		all.casts = append(all.casts, cast{key, castTo(to)})
	}
	for _, text := range r.Default {
		key, value, ok := strings.Cut(text, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, fmt.Errorf("default %q: want KEY=VALUE, such as region=eu-west-1", text)
		}
		all.defaults = append(all.defaults, member{key, defaultValue(key, value)})
	}
	return all, nil
}

func cutRule(what, text, example string) (left, right string, err error) {
	left, right, ok := strings.Cut(text, "=")
	if left, right = strings.TrimSpace(left), strings.TrimSpace(right); !ok || left == "" || right == "" {
		return "", "", fmt.Errorf("%s %q: want KEY=VALUE, such as %s", what, text, example)
	}
	return left, right, nil
}

// textKeys are the contract's keys that hold text: a default for one of them is text also where it looks like a number.
var textKeys = []string{"event_id", "service_name", "endpoint", "method", "region", "host", "level", "message", "request_id", "trace_id", "span_id"}

// defaultValue is a default as JSON.
func defaultValue(key, value string) []byte {
	if text := strings.TrimSpace(value); json.Valid([]byte(text)) && (text[0] == '"' || !slices.Contains(textKeys, key)) {
		var compact bytes.Buffer
		_ = json.Compact(&compact, []byte(text)) // it is valid
		return compact.Bytes()
	}
	return lake.AppendQuoted(nil, value)
}

func (r *rules) none() bool { return len(r.renames)+len(r.casts)+len(r.defaults) == 0 }

// apply changes an object. The error is a *lake.FieldError: of a value that cannot be cast.
func (r *rules) apply(o object) (object, error) {
	for _, one := range r.renames {
		value, ok := o.get(one.from)
		if !ok {
			continue
		}
		r.used[one.from] = true
		o = o.remove(one.from)
		if o.find(one.to) >= 0 {
			o = o.remove(one.to)
		}
		o = append(o, member{one.to, value})
	}
	for _, one := range r.casts {
		value, ok := o.get(one.key)
		if !ok {
			continue
		}
		r.used[one.key] = true
		value, err := one.value(value)
		if err != nil {
			return o, err
		}
		o = o.set(one.key, value)
	}
	for _, one := range r.defaults {
		if value, ok := o.get(one.key); !ok || isNothing(value) {
			o = o.set(one.key, one.value)
		}
	}
	return o, nil
}

// isNothing: null and "" count as absent, as they do for the contract.
func isNothing(value []byte) bool { return string(value) == "null" || string(value) == `""` }

// unused tells of rules whose key no letter had; keys are those that were seen.
func (r *rules) unused(keys []string) []string {
	var told []string
	tell := func(what, key string) {
		if !r.used[key] {
			told = append(told, fmt.Sprintf("no letter has the key %s, which --%s names; they have %s", lake.SafeText(key, 80), what, keysText(keys)))
		}
	}
	for _, one := range r.renames {
		tell("rename", one.from)
	}
	for _, one := range r.casts {
		tell("cast", one.key)
	}
	return told
}

func keysText(keys []string) string {
	if len(keys) == 0 {
		return "none"
	}
	const most = 20
	more := ""
	if len(keys) > most {
		keys, more = keys[:most], ", ..."
	}
	return lake.SafeText(strings.Join(keys, ", "), 0) + more
}
