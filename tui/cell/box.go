package cell

// Box draws a frame with a title and blanks its inside. Focused frames are accented; on a terminal without colours they are heavy.
func (c *Canvas) Box(r Rect, title string, focused, heavy bool) {
	if r.W < 2 || r.H < 2 {
		return
	}
	style := Faint
	if focused {
		style = Accent
	}
	h, v, corners := "─", "│", [4]string{"┌", "┐", "└", "┘"}
	if focused && heavy {
		h, v, corners = "━", "┃", [4]string{"┏", "┓", "┗", "┛"}
	}
	c.Fill(r.Inset(), Text)
	for x := r.X + 1; x < r.X+r.W-1; x++ {
		c.Text(x, r.Y, h, style)
		c.Text(x, r.Y+r.H-1, h, style)
	}
	for y := r.Y + 1; y < r.Y+r.H-1; y++ {
		c.Text(r.X, y, v, style)
		c.Text(r.X+r.W-1, y, v, style)
	}
	c.Text(r.X, r.Y, corners[0], style)
	c.Text(r.X+r.W-1, r.Y, corners[1], style)
	c.Text(r.X, r.Y+r.H-1, corners[2], style)
	c.Text(r.X+r.W-1, r.Y+r.H-1, corners[3], style)
	if title != "" && r.W > 4 {
		look := Text
		if focused {
			look = Accent
		}
		c.Text(r.X+1, r.Y, " "+Cut(title, r.W-4)+" ", look|Bold)
	}
}

// OnFrame writes a word into the top edge of a box so that it ends before column right; it keeps clear of the title.
func (c *Canvas) OnFrame(r Rect, title string, right int, s string, style Style) {
	w := Width(s)
	if s == "" || right-w-2 < r.X+Width(title)+4 {
		return
	}
	c.Text(right-w-2, r.Y, " "+s+" ", style)
}
