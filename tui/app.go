package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/signallake/signallake/ingest"
	"github.com/signallake/signallake/lake"
	"github.com/signallake/signallake/sql"
	"github.com/signallake/signallake/tui/cell"
)

// The smallest window that the console draws in.
const minWidth, minHeight = 60, 16

// tickEvery drives everything that moves: twice a second is what people can read, and cheap over ssh.
const tickEvery = 500 * time.Millisecond

// screen is one of the console's places. Its methods run in the program's one loop: they draw and decide, and leave work to commands.
type screen interface {
	draw(c *cell.Canvas, r cell.Rect)
	key(k tea.KeyPressMsg) tea.Cmd // keys that no action took
	paste(text string) tea.Cmd
	wheel(x, y, n int)
	tick() tea.Cmd
	places() place // which actions are at hand
	typing() bool  // letters are text
	crumbs() []string
	cursor() *tea.Cursor            // nil: hidden
	escape() (cmd tea.Cmd, ok bool) // one step up within the screen; ok: there was one
	copies() []copyItem             // what `y` offers
}

// screenID tells the screens apart; its number is the key that leads there.
type screenID int

const (
	dashScreen    screenID = 1
	exploreScreen screenID = 2
	sqlScreenID   screenID = 3
	tasksScreen   screenID = 4
	ingestScreen  screenID = 5
	benchScreen   screenID = 6
)

// tab is a screen as the header names it.
type tab struct {
	id    screenID
	name  string
	short string // where the window is narrow
}

var tabs = [...]tab{{dashScreen, "Dash", "Dash"}, {exploreScreen, "Explore", "Expl"}, {sqlScreenID, "SQL", "SQL"}, {tasksScreen, "Tasks", "Tasks"}, {ingestScreen, "Ingest", "Ingest"},
	{benchScreen, "Bench", "Bench"}}

// App is the console's one model. All its state changes in Update.
type App struct {
	cfg    Config
	ctx    context.Context
	runner *Runner
	after  func(d time.Duration, msg tea.Msg) tea.Cmd // a message later; the tests keep their own time

	width, height int
	theme         *cell.Theme
	canvas        *cell.Canvas
	zones         []zone
	actions       []action

	current  screenID
	back     []screenID // where Esc leads from a screen that another one opened
	window   *window
	dash     *dashboard
	sql      *sqlScreen
	tasks    *tasksPage
	ingest   *ingestPage
	explore  *explorePage
	bench    *benchPage
	overlays []overlay // the topmost takes the keys

	now    time.Time // of the newest tick
	ticks  int
	fresh  sql.Freshness
	status lake.Status
	chain  []lake.Stage
	api    ingest.Snapshot
	dead   lake.DeadStatus
	follow *Follow // nil: the lake is ours
	jobs   []JobView

	toast      string
	toastUntil time.Time
	quitUntil  time.Time // a second Ctrl+C before this quits
	lastClick  click
	mouse      bool
	kittyKeys  bool // the terminal tells Ctrl+Enter from Enter
	hud        hud
	saves      map[string]*saveState

	importDraft map[string]string // the import form's fields as they were sent last; empty once that import went well
}

// click is remembered to tell a double click.
type click struct {
	at    time.Time
	x, y  int
	depth int // dialogs that were open
}

// delivery is a message that knows what it belongs to.
type delivery interface {
	deliver(a *App) tea.Cmd
}

// tickMsg comes every tickEvery.
type tickMsg struct{}

// doubleClick is how close two clicks are that make one.
const doubleClick = 400 * time.Millisecond

// New makes the console. ctx ends its questions; call Close when the program has ended.
func New(ctx context.Context, cfg Config) *App {
	cfg = cfg.withDefaults()
	a := &App{cfg: cfg, ctx: ctx, current: dashScreen, mouse: cfg.Mouse, canvas: cell.New(0, 0), saves: map[string]*saveState{}}
	a.after = func(d time.Duration, msg tea.Msg) tea.Cmd {
		return tea.Tick(d, func(time.Time) tea.Msg { return msg })
	}
	a.canvas.ASCII = cfg.ASCII
	a.theme = cell.NewTheme(colorprofile.TrueColor, false)
	a.runner = NewRunner(ctx, cfg.Now)
	a.actions = allActions()
	a.window = newWindow(a)
	a.dash = newDashboard(a)
	a.sql = newSQLScreen(a)
	a.tasks = &tasksPage{app: a}
	a.ingest = newIngestPage(a)
	a.explore = newExplore(a)
	a.bench = newBenchPage(a)
	a.sample()
	a.ingest.looked()
	return a
}

// withDefaults fills in what may be left out.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Status == nil {
		c.Status = func() lake.Status { return lake.Status{} }
	}
	if c.Chain == nil {
		c.Chain = func() []lake.Stage { return nil }
	}
	if c.Ingest == nil {
		c.Ingest = func() ingest.Snapshot { return ingest.Snapshot{Err: "no API in this console"} }
	}
	if c.ReadOnly == nil {
		c.ReadOnly = func() *Follow { return nil }
	}
	if c.Dead == nil {
		c.Dead = func() lake.DeadStatus { return lake.DeadStatus{} }
	}
	if c.Store == nil {
		c.Store = noStore{}
	}
	return c
}

// noStore remembers nothing.
type noStore struct{}

func (noStore) Load(string) ([]byte, error) { return nil, nil }
func (noStore) Save(string, []byte) error   { return nil }

// Close ends the tasks and waits for them. Call it after the program has ended.
func (a *App) Close() { a.runner.Close() }

// Init starts the tick, asks the terminal what it is, and reads the console's memory.
func (a *App) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, a.after(tickEvery, tickMsg{}), a.dash.tick(), a.loadMemory()}
	if a.cfg.Piped != nil {
		cmds = append(cmds, a.start("import stdin", a.cfg.Piped))
	}
	return tea.Batch(cmds...)
}

// sample takes the snapshots that everything is drawn from.
func (a *App) sample() {
	a.now = a.cfg.Now()
	a.fresh = a.cfg.Panels.Freshness()
	a.status = a.cfg.Status()
	a.chain = a.cfg.Chain()
	a.api = a.cfg.Ingest()
	a.dead = a.cfg.Dead()
	a.follow = a.cfg.ReadOnly()
	a.jobs = a.runner.Snapshot()
}

func (a *App) screen(id screenID) screen {
	switch id {
	case sqlScreenID:
		return a.sql
	case tasksScreen:
		return a.tasks
	case ingestScreen:
		return a.ingest
	case exploreScreen:
		return a.explore
	case benchScreen:
		return a.bench
	}
	return a.dash
}

func (a *App) here() screen { return a.screen(a.current) }

// show switches to a screen; Esc does not lead back from it.
func (a *App) show(id screenID) tea.Cmd {
	a.back = nil
	return a.enter(id)
}

// open switches to a screen from which Esc leads back here.
func (a *App) open(id screenID) tea.Cmd {
	if id != a.current {
		a.back = append(a.back, a.current)
	}
	return a.enter(id)
}

func (a *App) enter(id screenID) tea.Cmd {
	if id == ingestScreen && a.current != id {
		a.ingest.letters.entered()
	}
	a.current = id
	return a.here().tick()
}

// up leaves a screen that another one opened, and tells whether there was one.
func (a *App) up() (tea.Cmd, bool) {
	if len(a.back) == 0 {
		return nil, false
	}
	id := a.back[len(a.back)-1]
	a.back = a.back[:len(a.back)-1]
	return a.enter(id), true
}

// say shows a short word at the foot of the screen.
func (a *App) say(text string) {
	a.toast, a.toastUntil = text, a.now.Add(4*time.Second)
}

// running is how many tasks run.
func (a *App) running() int {
	n := 0
	for _, j := range a.jobs {
		if !j.Ended() {
			n++
		}
	}
	return n
}

// ownerGone is why nothing can be written in a console that follows a lake which has lost its owner.
const ownerGone = "the lake's owner is gone: restart this console to take over"

// ownerless tells that this console follows a lake which has lost its owner: nothing comes in.
func (a *App) ownerless() bool { return a.follow != nil && a.follow.Gone }

// off tells why a task that writes cannot be started; "" when it can.
func (a *App) off(present bool) string {
	if present {
		return ""
	}
	if f := a.follow; f != nil {
		if f.Gone {
			return ownerGone
		}
		return fmt.Sprintf("%s (process %d) owns this lake: start it there", f.Owner.Command, f.Owner.PID)
	}
	if a.cfg.Tasks.Why != "" {
		return a.cfg.Tasks.Why
	}
	return "not part of this console"
}
