// Package widget holds the parts that screens are made of: a line input, an SQL editor, a grid over any number of rows, a form and a list to
// pick from. They keep their state, take keys and draw on a cell.Canvas; they start nothing and know no screen.
package widget

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// Input is one line of text.
type Input struct {
	text   []rune
	cursor int
}

// Value is the text.
func (in *Input) Value() string { return string(in.text) }

// Set replaces the text and puts the cursor at its end.
func (in *Input) Set(s string) {
	in.text = []rune(oneLine(s))
	in.cursor = len(in.text)
}

// oneLine is pasted text as a single line.
func oneLine(s string) string {
	return cell.Clean(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return r
	}, s))
}

// Split is the text before and after the cursor.
func (in *Input) Split() (before, after string) {
	return string(in.text[:in.cursor]), string(in.text[in.cursor:])
}

// Join replaces the text by two parts with the cursor between them.
func (in *Input) Join(before, after string) {
	in.Set(before)
	in.text = append(in.text, []rune(oneLine(after))...)
}

// Paste inserts text at the cursor.
func (in *Input) Paste(s string) {
	runes := []rune(oneLine(s))
	in.text = slices.Insert(in.text, in.cursor, runes...)
	in.cursor += len(runes)
}

// Key takes a key and tells whether it was one for a line of text.
func (in *Input) Key(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "left", "ctrl+b":
		in.cursor = max(0, in.cursor-1)
	case "right", "ctrl+f":
		in.cursor = min(len(in.text), in.cursor+1)
	case "home", "ctrl+a":
		in.cursor = 0
	case "end", "ctrl+e":
		in.cursor = len(in.text)
	case "backspace", "ctrl+h":
		if in.cursor > 0 {
			in.text = slices.Delete(in.text, in.cursor-1, in.cursor)
			in.cursor--
		}
	case "delete":
		if in.cursor < len(in.text) {
			in.text = slices.Delete(in.text, in.cursor, in.cursor+1)
		}
	case "ctrl+u":
		in.text, in.cursor = in.text[in.cursor:], 0
	case "ctrl+k":
		in.text = in.text[:in.cursor]
	case "ctrl+w", "alt+backspace":
		from := wordLeft(in.text, in.cursor)
		in.text = slices.Delete(in.text, from, in.cursor)
		in.cursor = from
	default:
		if k.Text == "" || k.Mod&(tea.ModAlt|tea.ModCtrl) != 0 {
			return false
		}
		in.Paste(k.Text)
	}
	return true
}

// Draw draws the text into w columns and returns where the cursor is; text that is too long slides.
func (in *Input) Draw(c *cell.Canvas, x, y, w int, style cell.Style) (cursorX int) {
	before := cell.Width(string(in.text[:in.cursor]))
	slide := max(0, before-w+1)
	old := c.Clip(cell.Rect{X: x, Y: y, W: w, H: 1})
	c.Text(x-slide, y, string(in.text), style)
	c.Restore(old)
	return x + before - slide
}

// CursorWidth is how many columns the text before the cursor takes.
func (in *Input) CursorWidth() int { return cell.Width(string(in.text[:in.cursor])) }

// wordLeft is where the word before position at begins.
func wordLeft(text []rune, at int) int {
	for at > 0 && !isWord(text[at-1]) {
		at--
	}
	for at > 0 && isWord(text[at-1]) {
		at--
	}
	return at
}

// wordRight is where the word at or after position at ends.
func wordRight(text []rune, at int) int {
	for at < len(text) && !isWord(text[at]) {
		at++
	}
	for at < len(text) && isWord(text[at]) {
		at++
	}
	return at
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
