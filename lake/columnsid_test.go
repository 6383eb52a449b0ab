package lake

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestHexWords(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		v := r.Uint32()
		if back, ok := unhex(hexOf(v)); !ok || back != v {
			t.Fatalf("%08x became %08x, %v", v, back, ok)
		}
	}
	for at := range 8 {
		for c := range 256 {
			text := []byte("0a1b2c3d")
			text[at] = byte(c)
			packed := make([]byte, 4)
			want := strings.IndexByte("0123456789abcdef", byte(c)) >= 0
			if got := packHex(packed, text); got != want {
				t.Fatalf("%q: %v", text, got)
			}
		}
	}
}

func TestIDColumnsKeepEveryValue(t *testing.T) {
	const uuid = "01a1e8bc-8e9c-7797-a220-a8397b1dcdaf"
	for _, c := range []struct {
		form   idForm
		values []string
	}{
		{idVerbatim, []string{"", "", ""}},
		{idUUID, []string{uuid, "", uuid, strings.ReplaceAll(uuid, "a", "9")}},
		{idUUID, []string{"", uuid, ""}},
		{idHex, []string{"e9ba58c435477cdc", "0000000000000000", ""}},
		{idHex, []string{"", "490f4dcaf8a509c5ef1e7da7935e9b56"}},
		{idVerbatim, []string{"e9ba58c435477cdc", "e9ba58c4"}},
		{idVerbatim, []string{uuid, strings.ToUpper(uuid)}},
		{idVerbatim, []string{uuid, strings.ReplaceAll(uuid, "-", "0")}},
		{idVerbatim, []string{"req-1", "", "req-22"}},
		{idVerbatim, []string{"e9ba58c435477cdg"}},
		{idVerbatim, []string{"\x00\xff", "é"}},
		{idVerbatim, []string{"", "", "e9ba58c435477cdc", "", "490f4dcaf8a509c5", "late", "", "e9ba58c435477cdc"}},
		{idVerbatim, []string{"", "", "zz"}},
		{idHex, []string{"", "", strings.Repeat("0123456789abcdef", 20), ""}},
		{idHex, []string{"e9ba58c4", "00000000"}},
	} {
		var b idBuilder
		for range 2 { // the second time with a used builder
			for _, v := range c.values {
				b.add(v)
			}
			var order []uint16
			for i := range c.values { // from the last to the first
				order = append(order, uint16(len(c.values)-1-i))
			}
			column := b.finish(&carver{arena: &arena{}}, order)
			b.clear()
			if column.form != c.form {
				t.Errorf("%q: form %d, want %d", c.values, column.form, c.form)
			}
			for i, row := range order {
				v := c.values[row]
				if got := string(column.appendTo([]byte("before "), i)); got != "before "+v {
					t.Errorf("%q: value %d is %q", c.values, i, got)
				}
			}
		}
	}
}
