package cell

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"
)

// Theme turns styles into escape sequences for one terminal: its number of colours and its background.
type Theme struct {
	Profile colorprofile.Profile
	Light   bool
	cache   map[Style]string
}

// NewTheme is the theme for a terminal.
func NewTheme(p colorprofile.Profile, light bool) *Theme {
	return &Theme{Profile: p, Light: light, cache: map[Style]string{}}
}

// Colourless tells that meanings must show without any colour.
func (t *Theme) Colourless() bool { return t.Profile < colorprofile.ANSI }

// hex is a colour on a dark and on a light background.
type hex struct{ dark, light string }

// palette has the foreground roles in true colour. It is small on purpose: grey for what is secondary, one accent, three states, six lines.
var palette = [foregrounds]hex{
	Muted: {"8c96ab", "5b6577"}, Faint: {"545d70", "a3acbb"}, Accent: {"62b6d9", "0b6e99"},
	Good: {"82c48d", "2a7a3a"}, Warn: {"e3b35f", "8f5f00"}, Bad: {"f0716f", "bf1f24"}, OnAccent: {"ffffff", "ffffff"},
	Series0: {"62b6d9", "0b6e99"}, Series1: {"e3a25c", "b05a00"}, Series2: {"b394e0", "6d45b0"},
	Series3: {"82c48d", "2a7a3a"}, Series4: {"e58aab", "b02a63"}, Series5: {"d9d07a", "7a7000"},
	Keyword: {"62b6d9", "0b6e99"}, Literal: {"82c48d", "2a7a3a"}, Number: {"e3a25c", "b05a00"}, Comment: {"6f7a8f", "7d8797"}, Function: {"b394e0", "6d45b0"},
}

var backgrounds = map[Style]hex{
	Selected: {"2b3c55", "cfe3f3"}, Resting: {"252b38", "e9edf3"}, Active: {"256a8a", "0b6e99"}, Alarm: {"5a2327", "f8d7d8"}, Raised: {"1c212b", "f6f8fa"},
}

// ansiFore and ansiBack are the sixteen colours' choices: picked by hand, since the nearest neighbour of a soft colour is often grey.
var ansiFore = [foregrounds]string{
	Muted: "37", Faint: "90", Accent: "96", Good: "32", Warn: "33", Bad: "91", OnAccent: "30",
	Series0: "96", Series1: "33", Series2: "95", Series3: "32", Series4: "91", Series5: "94",
	Keyword: "96", Literal: "32", Number: "33", Comment: "90", Function: "95",
}

var ansiForeLight = [foregrounds]string{
	Muted: "90", Faint: "37", Accent: "34", Good: "32", Warn: "33", Bad: "31", OnAccent: "97",
	Series0: "34", Series1: "33", Series2: "35", Series3: "32", Series4: "31", Series5: "36",
	Keyword: "34", Literal: "32", Number: "33", Comment: "90", Function: "35",
}

var ansiBack = map[Style]string{Selected: "44;97", Resting: "", Active: "46;30", Alarm: "41;97", Raised: ""}
var ansiBackLight = map[Style]string{Selected: "46;30", Resting: "", Active: "44;97", Alarm: "41;97", Raised: ""}

// bare is how meanings look without colour: bold, faint, underlined, reversed.
var bare = [foregrounds]string{Faint: "2", Muted: "", Accent: "1", Warn: "1", Bad: "1", Keyword: "1", Comment: "2"}
var bareBack = map[Style]string{Selected: "7", Resting: "4", Active: "7", Alarm: "7"}

// sgr is the escape sequence that sets exactly this style.
func (t *Theme) sgr(s Style) string {
	if seq, ok := t.cache[s]; ok {
		return seq
	}
	codes := []string{"0"}
	add := func(code string) {
		if code != "" {
			codes = append(codes, code)
		}
	}
	if s&Bold != 0 {
		add("1")
	}
	if s&Underline != 0 {
		add("4")
	}
	if s&Reverse != 0 {
		add("7")
	}
	fore, back := s&0xff, s.Background()
	switch {
	case t.Colourless():
		add(bare[fore])
		add(bareBack[back])
	case t.Profile == colorprofile.ANSI && t.Light:
		add(ansiForeLight[fore])
		add(ansiBackLight[back])
	case t.Profile == colorprofile.ANSI:
		add(ansiFore[fore])
		add(ansiBack[back])
	default:
		add(t.rgb("38", palette[fore]))
		add(t.rgb("48", backgrounds[back]))
	}
	seq := "\x1b[" + strings.Join(codes, ";") + "m"
	if len(codes) == 1 {
		seq = "\x1b[m"
	}
	t.cache[s] = seq
	return seq
}

func (t *Theme) rgb(kind string, h hex) string {
	text := h.dark
	if t.Light {
		text = h.light
	}
	if text == "" {
		return ""
	}
	n, _ := strconv.ParseUint(text, 16, 32)
	return kind + ";2;" + strconv.Itoa(int(n>>16)) + ";" + strconv.Itoa(int(n>>8&0xff)) + ";" + strconv.Itoa(int(n&0xff))
}
