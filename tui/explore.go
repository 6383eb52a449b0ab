package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/signallake/signallake/tui/cell"
)

// explorePage is the Explore screen.
type explorePage struct {
	app *App
}

func (p *explorePage) places() place               { return onExplore }
func (p *explorePage) typing() bool                { return false }
func (p *explorePage) paste(string) tea.Cmd        { return nil }
func (p *explorePage) tick() tea.Cmd               { return nil }
func (p *explorePage) crumbs() []string            { return []string{"Explore"} }
func (p *explorePage) cursor() *tea.Cursor         { return nil }
func (p *explorePage) escape() (tea.Cmd, bool)     { return nil, false }
func (p *explorePage) copies() []copyItem          { return nil }
func (p *explorePage) key(tea.KeyPressMsg) tea.Cmd { return nil }
func (p *explorePage) wheel(_, _, n int)           {}

func (p *explorePage) draw(c *cell.Canvas, r cell.Rect) {
	c.Box(r, "explore", true, p.app.theme.Colourless())
}

func exploreActions() []action { return nil }
