package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// step is one thing that a key script does. Exactly one of its fields is set.
type step struct {
	typed  string        // bytes for the program
	pause  time.Duration // do nothing for so long
	wait   string        // go on when this stands on the screen
	gone   string        // go on when this no longer stands there
	resize size
}

// size is a screen's, in cells.
type size struct{ width, height int }

// afterEscape keeps Esc apart from the key behind it, which would otherwise be read as Alt and that key.
const afterEscape = 100 * time.Millisecond

// named are the keys with a name, as Bubble Tea spells it, and what an xterm sends for them.
var named = map[string]string{
	"enter": "\r", "esc": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "space": " ", "comma": ",", "backspace": "\x7f", "delete": "\x1b[3~", "insert": "\x1b[2~",
	"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F", "pgup": "\x1b[5~", "pgdown": "\x1b[6~",
	"f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~", "f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~",
	"f10": "\x1b[21~", "f11": "\x1b[23~", "f12": "\x1b[24~",
}

// parseKeys reads a key script: names, single letters, pauses (500ms), text:…, wait:…, gone:… and resize:WxH, with commas between them.
// A comma inside a text is written \, and a backslash \\.
func parseKeys(script string) ([]step, error) {
	var steps []step
	for _, word := range splitScript(script) {
		if word == "" {
			continue
		}
		got, err := parseStep(word)
		if err != nil {
			return nil, fmt.Errorf("key script: %w", err)
		}
		steps = append(steps, got...)
	}
	return steps, nil
}

// splitScript cuts at the commas that no backslash stands before.
func splitScript(script string) []string {
	var words []string
	var word strings.Builder
	escaped := false
	for _, r := range script {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ',':
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return append(words, word.String())
}

func parseStep(word string) ([]step, error) {
	if kind, rest, ok := strings.Cut(word, ":"); ok && rest != "" {
		switch strings.TrimSpace(kind) {
		case "text":
			return []step{{typed: rest}}, nil
		case "wait":
			return []step{{wait: rest}}, nil
		case "gone":
			return []step{{gone: rest}}, nil
		case "resize":
			to, err := parseSize(rest)
			return []step{{resize: to}}, err
		}
	}
	if word == " " {
		return []step{{typed: " "}}, nil
	}
	word = strings.TrimSpace(word)
	if utf8.RuneCountInString(word) == 1 {
		return []step{{typed: word}}, nil
	}
	if pause, err := time.ParseDuration(word); err == nil {
		return []step{{pause: pause}}, nil
	}
	typed, err := keyBytes(word)
	if err != nil {
		return nil, err
	}
	if typed == "\x1b" {
		return []step{{typed: typed}, {pause: afterEscape}}, nil
	}
	return []step{{typed: typed}}, nil
}

// keyBytes is what a terminal sends for a key: shift+, alt+ and ctrl+ before a name or a letter.
func keyBytes(key string) (string, error) {
	if typed, ok := named[strings.ToLower(key)]; ok {
		return typed, nil
	}
	rest, modifier := key, 1 // xterm counts shift 1, alt 2, ctrl 4 and adds one
	for _, m := range []struct {
		name string
		bit  int
	}{{"ctrl+", 4}, {"alt+", 2}, {"shift+", 1}} {
		if len(rest) >= len(m.name) && strings.EqualFold(rest[:len(m.name)], m.name) {
			rest, modifier = rest[len(m.name):], modifier+m.bit
		}
	}
	base, isNamed := named[strings.ToLower(rest)]
	switch single := utf8.RuneCountInString(rest) == 1; {
	case modifier == 1 || !isNamed && !single:
		return "", fmt.Errorf("no key is called %q: names are as in enter, shift+tab, ctrl+p, alt+4, f5, pgdown; text is written text:…", key)
	case isNamed && strings.HasPrefix(base, "\x1b") && len(base) > 2:
		return withModifier(base, modifier), nil
	case modifier == 3: // alt
		if isNamed {
			return "\x1b" + base, nil
		}
		return "\x1b" + rest, nil
	case modifier == 5 && single && ctrlByte(rest) != 0: // ctrl
		return string(ctrlByte(rest)), nil
	case modifier == 7 && single && ctrlByte(rest) != 0: // ctrl and alt
		return "\x1b" + string(ctrlByte(rest)), nil
	}
	return "", fmt.Errorf("a terminal sends nothing of its own for %q", key)
}

// ctrlByte is the control character of a key, 0 where there is none.
func ctrlByte(key string) rune {
	if c := strings.ToUpper(key)[0]; c >= 'A' && c <= '_' {
		return rune(c & 0x1f)
	}
	return 0
}

// withModifier puts xterm's modifier number into a cursor or function key's sequence: CSI A is CSI 1;5A with ctrl, CSI 5~ is CSI 5;5~, SS3 P is CSI 1;5P.
func withModifier(sequence string, modifier int) string {
	last := sequence[len(sequence)-1:]
	number := strings.Trim(sequence[2:], "~ABCDFHPQRSZ")
	if number == "" {
		number = "1"
	}
	return "\x1b[" + number + ";" + strconv.Itoa(modifier) + last
}

// parseSize reads WxH.
func parseSize(text string) (size, error) {
	w, h, ok := strings.Cut(text, "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || width < 1 || height < 1 || width > 1000 || height > 1000 {
		return size{}, fmt.Errorf("%q is no size: width and height in cells, as in 80x24", text)
	}
	return size{width, height}, nil
}
