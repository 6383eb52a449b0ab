package gen

import (
	"fmt"
	"strconv"
	"testing"
)

func TestHex8(t *testing.T) {
	for i := range uint32(1 << 16) {
		x := i * 0x9e3779b1
		text := hex8(x)
		got := make([]byte, 8)
		for k := range got {
			got[k] = byte(text >> (8 * k))
		}
		if want := fmt.Sprintf("%08x", x); string(got) != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

func TestPutMillis(t *testing.T) {
	numbers, room := newNumbers(), make([]byte, roomForNumber)
	for us := range int64(200_000) {
		us *= 7
		if got, want := string(room[:numbers.putMillis(room, us)]), strconv.FormatFloat(float64(us)/1000, 'f', -1, 64); got != want {
			t.Fatalf("%d: %s, want %s", us, got, want)
		}
	}
}
