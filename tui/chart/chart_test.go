package chart

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/signallake/signallake/tui/cell"
)

func TestSpikeStaysVisible(t *testing.T) {
	for at := range 1000 {
		values := make([]float64, 1000)
		for i := range values {
			values[i] = 10
		}
		values[at] = 1000
		if _, high, _ := Extent(Buckets(values, 60)); high != 1000 {
			t.Fatalf("the spike at %d of 1000 is gone in 60 columns", at)
		}
	}
}

func TestBucketsKeepGaps(t *testing.T) {
	nan := math.NaN()
	out := Buckets([]float64{nan, nan, 1, 2, nan, nan}, 3)
	if !math.IsNaN(out[0]) || out[1] != 2 || !math.IsNaN(out[2]) {
		t.Errorf("got %v", out)
	}
	for _, n := range []int{1, 7, 100} {
		if out := Buckets([]float64{nan, 3, nan}, n); len(out) != n {
			t.Errorf("%d columns, want %d", len(out), n)
		}
		if _, _, ok := Extent(Buckets(nil, n)); ok {
			t.Error("no values became a number")
		}
	}
	if out := Buckets([]float64{math.Inf(1), 4}, 2); !math.IsNaN(out[0]) || out[1] != 4 {
		t.Errorf("infinity became %v", out[0])
	}
}

func TestSparkTellsNoneFromZero(t *testing.T) {
	c := cell.New(4, 1)
	Spark(c, 0, 0, 4, []float64{math.NaN(), 0, 1, 2}, 0, cell.Accent)
	if got := strings.TrimSpace(c.Plain()); got != "·▁▄▇" {
		t.Errorf("got %q", got)
	}
}

func TestLinesLabelsAreRound(t *testing.T) {
	c := cell.New(40, 8)
	l := Lines{Series: [][]float64{{1, 5, 1370, 20}}, Styles: []cell.Style{cell.Series0}, Label: func(v float64) string { return strings.TrimSuffix(strings.TrimRight(formatted(v), "0"), ".") }, Ticks: []string{"13:00", "14:00"}}
	l.Draw(c, c.All())
	out := c.Plain()
	for _, want := range []string{"1500", "1250", "1000", "13:00", "14:00", "┤", "╭"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
}

func formatted(v float64) string {
	s := make([]byte, 0, 8)
	for n := int(v); n > 0 || len(s) == 0; n /= 10 {
		s = append([]byte{byte('0' + n%10)}, s...)
	}
	return string(s) + ".0"
}

// TestLinesNeverLeaveTheirRectangle draws random series into random rectangles of a canvas and looks at what lies around them.
func TestLinesNeverLeaveTheirRectangle(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		c := cell.New(50, 20)
		r := cell.Rect{X: 3, Y: 2, W: rnd.IntN(44), H: rnd.IntN(16)}
		l := Lines{Label: formatted, Marks: rnd.IntN(2) == 0}
		c.ASCII = rnd.IntN(2) == 0
		if rnd.IntN(2) == 0 {
			l.Ticks = []string{"13:00", "13:30", "14:00"}
		}
		for range rnd.IntN(6) {
			values := make([]float64, rnd.IntN(90))
			for i := range values {
				switch rnd.IntN(12) {
				case 0:
					values[i] = math.NaN()
				case 1:
					values[i] = math.Inf(1)
				default:
					values[i] = math.Pow(10, rnd.Float64()*12-4) * float64(rnd.IntN(2))
				}
			}
			l.Series, l.Styles = append(l.Series, values), append(l.Styles, cell.Accent)
		}
		l.Draw(c, r)
		for y := range c.H {
			for x := range c.W {
				if !r.Contains(x, y) && c.At(x, y).Text != " " {
					t.Fatalf("(%d, %d) outside %+v was drawn on:\n%s", x, y, r, c.Plain())
				}
			}
		}
	}
}
