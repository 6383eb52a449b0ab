package cell

// Style is how a cell looks: a foreground role, a background role and attributes. It names meanings; a Theme turns them into colours.
type Style uint32

// Foreground roles.
const (
	Text   Style = iota // the terminal's own
	Muted               // secondary words
	Faint               // frames, old data
	Accent              // focus, keys, links
	Good
	Warn
	Bad
	OnAccent // text on the Active background
	Series0  // lines of a chart, and their legends
	Series1
	Series2
	Series3
	Series4
	Series5
	Keyword // SQL
	Literal
	Number
	Comment
	Function
	foregrounds
)

// Background roles.
const (
	Selected Style = (iota + 1) << 8 // the cursor's row where the focus is
	Resting                          // the cursor's row elsewhere
	Active                           // the tab at hand, a chosen button
	Alarm                            // what must be seen
	Raised                           // dialogs
	endBackground
)

// Attributes.
const (
	Bold Style = 1 << (16 + iota)
	Underline
	Reverse
)

const backgroundMask Style = 0xff00

// Background is the background role of s.
func (s Style) Background() Style { return s & backgroundMask }

// On is s with another background.
func (s Style) On(background Style) Style { return s&^backgroundMask | background&backgroundMask }

// SeriesStyle is the colour of the n-th line of a chart.
func SeriesStyle(n int) Style { return Series0 + Style(n%6) }
