package main

import (
	"image"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// TestDrawsEveryGlyphOfTheConsole reads the console's golden frames and its sources: each character that it can show must come out as itself.
func TestDrawsEveryGlyphOfTheConsole(t *testing.T) {
	p := testPainter(t, 1)
	frames := 0
	used := map[rune]string{}
	top := filepath.Join("..", "..", "tui")
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		golden := strings.HasSuffix(path, ".golden")
		if err != nil || d.IsDir() || !golden && (!strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go")) {
			return err
		}
		text, err := os.ReadFile(path)
		if golden {
			frames++
		}
		for _, r := range ansi.Strip(string(text)) {
			used[r] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if frames < 50 || len(used) < 120 {
		t.Fatalf("%d golden frames with %d characters: the walk is looking in the wrong place", frames, len(used))
	}
	for r, path := range used {
		if unicode.IsPrint(r) && r != ' ' && !unicode.Is(unicode.Mn, r) && !p.draws(r) {
			t.Errorf("%s: %c (%U) comes out as an empty box", path, r, r)
		}
	}
	if p.draws('漢') {
		t.Error("the font knows a Chinese character: the test above cannot fail")
	}
}

// draws tells whether a character comes out as itself and not as an empty box.
func (p *painter) draws(r rune) bool {
	box := image.Rect(0, 0, cellWidth, cellHeight)
	return byHand(&pen{img: image.NewRGBA(box), box: box, scale: 1}, r) || p.regular.has(r)
}

func testPainter(t *testing.T, scale int) *painter {
	t.Helper()
	p, err := newPainter(scale)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shown is the screen after a program's output.
func shown(width, height int, output string, at cursor) *screen {
	e := vt.NewEmulator(width, height)
	e.SetDefaultForegroundColor(darkPalette.foreground)
	e.SetDefaultBackgroundColor(darkPalette.background)
	e.WriteString(output)
	return capture(e, darkPalette, at)
}

// area counts the pixels of a cell by colour, and gives the colour of most of them.
func area(img *image.RGBA, box image.Rectangle) (map[color.RGBA]int, color.RGBA) {
	counts := map[color.RGBA]int{}
	var most color.RGBA
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := img.RGBAAt(x, y)
			if counts[c]++; counts[c] > counts[most] {
				most = c
			}
		}
	}
	return counts, most
}

func TestColours(t *testing.T) {
	p := testPainter(t, 2)
	red, green := color.RGBA{0xff, 0, 0, 0xff}, color.RGBA{0, 0x80, 0, 0xff}
	s := shown(8, 1, "\x1b[38;2;255;0;0;48;2;0;128;0m█ \x1b[7m \x1b[27;2m█\x1b[0m█\x1b[4m \x1b[0m\x1b[8mX\x1b[0m", cursor{})
	img := p.paint(s)
	for x, want := range []color.RGBA{red, green, red, mix(red, green, 0.4), darkPalette.foreground, darkPalette.background, darkPalette.background, darkPalette.background} {
		if _, got := area(img, p.box(x, 0, 1)); got != want {
			t.Errorf("cell %d is %v, want %v", x, got, want)
		}
	}
	if counts, _ := area(img, p.box(5, 0, 1)); counts[darkPalette.foreground] != cellWidth*2*2 {
		t.Errorf("the underline has %d pixels, want %d", counts[darkPalette.foreground], cellWidth*2*2)
	}
	if counts, _ := area(img, p.box(6, 0, 1)); len(counts) != 1 {
		t.Error("a concealed character shows")
	}
}

func TestWeights(t *testing.T) {
	p := testPainter(t, 2)
	img := p.paint(shown(4, 1, "M\x1b[1mM\x1b[0m 漢", cursor{}))
	ink := func(x int) int { counts, _ := area(img, p.box(x, 0, 1)); return counts[darkPalette.foreground] }
	if ink(0) == 0 || ink(1) <= ink(0) {
		t.Errorf("M has %d full pixels, bold %d: bold should have more", ink(0), ink(1))
	}
	wide := p.paint(shown(3, 1, "漢", cursor{}))
	if counts, _ := area(wide, p.box(0, 0, 2)); counts[darkPalette.foreground] == 0 {
		t.Error("a character that the font lacks leaves no empty box")
	}
}

// TestLinesMeet looks along lines that go over several cells: no pixel of the background may lie between them.
func TestLinesMeet(t *testing.T) {
	for _, scale := range []int{1, 2, 3} {
		p := testPainter(t, scale)
		img := p.paint(shown(3, 3, "┌─╮\r\n│▀┃\r\n┗━┛", cursor{}))
		ink := darkPalette.foreground
		middleX, middleY := (cellWidth*scale-scale)/2, (cellHeight*scale-scale)/2
		top, left, right := p.box(0, 0, 1), p.box(0, 1, 1), p.box(2, 1, 1)
		for x := top.Min.X + middleX; x < p.box(2, 0, 1).Min.X; x++ {
			if img.RGBAAt(x, top.Min.Y+middleY) != ink {
				t.Fatalf("scale %d: the upper line has a gap at %d", scale, x)
			}
		}
		for y := top.Min.Y + middleY; y < p.box(0, 2, 1).Max.Y-middleY; y++ {
			if img.RGBAAt(left.Min.X+middleX, y) != ink {
				t.Fatalf("scale %d: the left line has a gap at %d", scale, y)
			}
		}
		for y := right.Min.Y; y < p.box(2, 2, 1).Max.Y-middleY; y++ {
			for x := right.Min.X + middleX - scale; x < right.Min.X+middleX+2*scale; x++ {
				if img.RGBAAt(x, y) != ink {
					t.Fatalf("scale %d: the heavy line has a gap at %d, %d", scale, x, y)
				}
			}
		}
		counts, _ := area(img, p.box(1, 1, 1))
		if half := cellWidth * cellHeight * scale * scale / 2; counts[ink] != half {
			t.Errorf("scale %d: ▀ covers %d pixels, want %d", scale, counts[ink], half)
		}
	}
}

func TestCursor(t *testing.T) {
	p := testPainter(t, 1)
	box := p.box(1, 0, 1)
	for _, c := range []struct {
		name   string
		cursor cursor
		pixels int
	}{
		{"hidden", cursor{x: 1}, 0},
		{"block", cursor{x: 1, visible: true}, cellWidth * cellHeight},
		{"bar", cursor{x: 1, visible: true, style: vt.CursorBar}, 2 * cellHeight},
		{"line", cursor{x: 1, visible: true, style: vt.CursorUnderline}, 2 * cellWidth},
		{"outside", cursor{x: 9, visible: true}, 0},
	} {
		counts, _ := area(p.paint(shown(3, 1, "", c.cursor)), box)
		if counts[darkPalette.foreground] != c.pixels {
			t.Errorf("%s: %d pixels, want %d", c.name, counts[darkPalette.foreground], c.pixels)
		}
	}
}

func TestIndexedKeepsTheCommonColours(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	for y := range 100 {
		for x := range 100 {
			img.SetRGBA(x, y, color.RGBA{uint8(y), uint8(x), 0, 0xff}) // 10,000 colours
		}
	}
	blue := color.RGBA{0, 0, 0xff, 0xff}
	fill(img, image.Rect(0, 0, 100, 50), blue)
	got := indexed(img)
	if len(got.Palette) != maxColours {
		t.Errorf("%d colours, want %d", len(got.Palette), maxColours)
	}
	if got.At(3, 3) != blue {
		t.Errorf("the most frequent colour became %v", got.At(3, 3))
	}
}
