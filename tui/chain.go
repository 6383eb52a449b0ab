package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// chainLink is a stage of the backlog in a few columns, in the longest form first.
type chainLink struct {
	forms [2]string
	style cell.Style
	need  int // how much it matters where there is no room for all
}

// What a link is worth, the least first.
const (
	needNothing     = iota // it is well
	needUnconverted        // well too, but what waits for Parquet is always told
	needBehind             // it does not keep up
	needLimit              // it is near its limit
	needHead               // what comes in
)

// chainLinks are the stages that a line shows: what comes in, and where it waits. raw holds everything and waits for nothing; SQL is named when it is behind.
func chainLinks(stages []lake.Stage) []chainLink {
	var links []chainLink
	for i := range stages {
		s := &stages[i]
		n := short(float64(s.Events))
		var l chainLink
		switch s.Name {
		case lake.StageAccepted:
			in := short(s.InPerSec) + "/s"
			links = append(links, chainLink{[2]string{"in " + in, in}, cell.Text, needHead})
			continue
		case lake.StageQueued:
			l.forms = [2]string{"queue " + n, "q " + n}
		case lake.StageUnread:
			if s.Events == 0 {
				continue
			}
			l.forms = [2]string{"SQL " + n + waitOf(s), "SQL" + waitOf(s)}
		case lake.StageUnconverted:
			l.forms = [2]string{"unconverted " + n + waitOf(s), "unconv " + n}
			l.need = needUnconverted
		case lake.StageUnsummarised:
			l.forms = [2]string{"panels" + waitOf(s), "panels" + waitOf(s)}
			if s.Events == 0 {
				l.forms = [2]string{"panels ✓", "panels ✓"}
			}
		default:
			continue
		}
		l.style = cell.Muted
		if trouble, style := stageTrouble(s); trouble != "" {
			l.style, l.need = style|cell.Bold, needBehind
			if style == cell.Bad {
				l.need = needLimit
			}
			for i := range l.forms {
				l.forms[i] = trouble + " " + l.forms[i]
			}
		}
		links = append(links, l)
	}
	return links
}

// waitOf is how long the oldest of a stage has waited, after a blank; "" where that is no time.
func waitOf(s *lake.Stage) string {
	if s.Wait <= 0 || s.Events == 0 {
		return ""
	}
	return " " + span(s.Wait)
}

// stageTrouble is the sign of a stage that does not keep up or is near its limit; "" when all is well.
func stageTrouble(s *lake.Stage) (sign string, style cell.Style) {
	switch {
	case s.NearLimit():
		return "!", cell.Bad
	case s.Grows():
		return "▲", cell.Warn
	}
	return "", 0
}

// fitChain chooses the form in which the links fit into w columns: long, short, then without those that matter less. What comes in and
// the worst link stay longest, and of the two the link.
func fitChain(links []chainLink, w int) (fits []chainLink, form int) {
	for {
		for _, form := range []int{0, 1} {
			if len(links) == 0 || chainWidth(links, form) <= w {
				return links, form
			}
		}
		if len(links) == 1 {
			return links, 1
		}
		drop := leastLink(links)
		links = slices.Concat(links[:drop], links[drop+1:])
	}
}

// leastLink is the link to drop first: of those that are well the last one, of those in trouble the first, for the later ones end in refusals.
func leastLink(links []chainLink) int {
	least := 0
	for i, l := range links {
		if len(links) > 2 && l.need < links[least].need || l.need == needNothing && links[least].need == needNothing {
			least = i
		}
	}
	return least
}

const chainArrow = " > "

func chainWidth(links []chainLink, form int) int {
	w := 0
	for i, l := range links {
		if i > 0 {
			w += len(chainArrow)
		}
		w += cell.Width(l.forms[form])
	}
	return w
}

// drawChain draws the backlog on one line of at most w columns, and returns the column after it.
func (a *App) drawChain(c *cell.Canvas, x, y, w int) int {
	links, form := fitChain(chainLinks(a.chain), w)
	end := x + w
	for i, l := range links {
		if i > 0 {
			x = c.TextCut(x, y, end-x, chainArrow, cell.Faint)
		}
		x = c.TextCut(x, y, end-x, l.forms[form], l.style)
	}
	return x
}

// chainText is what drawChain draws: the mark by which a cached picture knows that it is old.
func (a *App) chainText(w int) string {
	links, form := fitChain(chainLinks(a.chain), w)
	var b strings.Builder
	for _, l := range links {
		b.WriteString(l.forms[form] + "\n")
	}
	return b.String()
}

// drawBacklog draws the chain on the bottom edge of a box.
func (a *App) drawBacklog(c *cell.Canvas, r cell.Rect) {
	if r.W < 16 || len(a.chain) == 0 {
		return
	}
	y := r.Y + r.H - 1
	end := a.drawChain(c, r.X+3, y, r.W-6)
	c.Text(r.X+2, y, " ", cell.Text)
	c.Text(end, y, " ", cell.Text)
}

// chainRows is how many lines drawChainTable takes: a heading and the stages; none where there is no room for it.
func (a *App) chainRows(roomy bool) int {
	if !roomy || len(a.chain) == 0 {
		return 0
	}
	return 1 + len(a.chain)
}

// drawChainTable draws the stages as a table.
func (a *App) drawChainTable(c *cell.Canvas, in cell.Rect) {
	if in.H == 0 {
		return
	}
	const name, number = 14, 10
	wide := in.W >= 100
	columns := []string{"events", "size", "oldest", "in/s", "out/s"}
	c.Text(in.X, in.Y, "backlog", cell.Muted|cell.Bold)
	x := in.X + name
	for _, column := range columns {
		x += number
		c.TextRight(x, in.Y, number, column, cell.Muted|cell.Bold)
	}
	end := c.TextCut(x+2, in.Y, in.X+in.W-x-2, "empty in", cell.Muted|cell.Bold)
	if wide {
		c.TextRight(in.X+in.W, in.Y, in.X+in.W-end-2, "rates are of the last "+span(lake.ChainWindow), cell.Faint)
	}
	for i := range a.chain {
		s, y := &a.chain[i], in.Y+1+i
		if y >= in.Y+in.H {
			return
		}
		c.Text(in.X, y, s.Name, cell.Muted)
		values := []string{count(s.Events), "", "", rate(s.InPerSec), rate(s.PerSec)}
		if s.Bytes > 0 {
			values[1] = size(s.Bytes)
		}
		if s.Wait > 0 {
			values[2] = span(s.Wait)
		}
		x := in.X + name
		for _, v := range values {
			x += number
			c.TextRight(x, y, number, v, cell.Text)
		}
		words, style := stageWords(s)
		if a.fresh.Loading && s.Events > 0 && (s.Name == lake.StageUnread || s.Name == lake.StageUnsummarised) {
			words, style = "loading", cell.Muted // its progress is told above
		}
		end := c.TextCut(x+2, y, in.X+in.W-x-2, words, style)
		if wide {
			c.TextRight(in.X+in.W, y, in.X+in.W-end-2, s.Title, cell.Faint)
		}
	}
}

// stageWords say when a stage will be empty, or what is wrong with it.
func stageWords(s *lake.Stage) (string, cell.Style) {
	sign, style := stageTrouble(s)
	growing := "growing +" + rate(s.Growing()) + "/s"
	switch {
	case s.Name == lake.StageAccepted || s.Name == lake.StageRaw:
		return "", cell.Muted
	case s.NearLimit():
		text := fmt.Sprintf("%s 429 begins at %s", sign, size(s.Limit))
		if until := s.UntilLimit(); until > 0 {
			text += ", in " + span(until)
		} else if until == 0 {
			text = fmt.Sprintf("%s answers 429 above %s", sign, size(s.Limit))
		}
		return text, style | cell.Bold
	case s.Events == 0:
		return "✓", cell.Good
	case s.Grows():
		return sign + " " + growing, style | cell.Bold
	case s.Bytes < s.Starts:
		return "gathers up to " + size(s.Starts), cell.Muted
	case s.Drain >= 0:
		return span(s.Drain), cell.Text
	}
	return "–", cell.Muted
}

// loadWords is how far the start has come: 41%, 2.1M of 3.4M events, 4s left.
func loadWords(l sql.Load) string {
	if l.Total == 0 {
		return ""
	}
	text := fmt.Sprintf("%s, %s of %s events", loadPercent(l), short(float64(l.Done)), short(float64(l.Total)))
	if l.Left > 0 {
		text += ", " + span(l.Left) + " left"
	}
	return text
}

// loadPercent is the share that is done, never 100% before the end.
func loadPercent(l sql.Load) string { return fmt.Sprintf("%d%%", min(99, 100*l.Done/max(1, l.Total))) }

// loadBadge is the same for the header.
func loadBadge(l sql.Load) string {
	if l.Total == 0 {
		return ""
	}
	return loadPercent(l)
}
