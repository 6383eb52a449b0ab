package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// benchPage is the Bench screen.
type benchPage struct {
	app *App
}

func (p *benchPage) places() place               { return onBench }
func (p *benchPage) typing() bool                { return false }
func (p *benchPage) paste(string) tea.Cmd        { return nil }
func (p *benchPage) tick() tea.Cmd               { return nil }
func (p *benchPage) crumbs() []string            { return []string{"Bench"} }
func (p *benchPage) cursor() *tea.Cursor         { return nil }
func (p *benchPage) escape() (tea.Cmd, bool)     { return nil, false }
func (p *benchPage) copies() []copyItem          { return nil }
func (p *benchPage) key(tea.KeyPressMsg) tea.Cmd { return nil }
func (p *benchPage) wheel(_, _, n int)           {}

func (p *benchPage) draw(c *cell.Canvas, r cell.Rect) {
	c.Box(r, "bench", true, p.app.theme.Colourless())
}

func benchActions() []action { return nil }
