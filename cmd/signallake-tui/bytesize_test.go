package main

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"1": 1, "4096": 4096, "12B": 12, "500KB": 500_000, "2MB": 2_000_000, "1GB": 1_000_000_000, "64MiB": 64 << 20, "64mib": 64 << 20, "64 MiB": 64 << 20, "3KiB": 3 << 10, "8GiB": 8 << 30,
	} {
		var b byteSize
		if err := b.Set(text); err != nil || b != want {
			t.Errorf("%q is %d (%v), want %d", text, b, err, want)
		}
		var again byteSize
		if err := again.Set(b.String()); err != nil || again != b {
			t.Errorf("%q is shown as %q, which is %d (%v)", text, b, again, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "MiB", "64XB", "1.5GiB", "9223372036854775807KB", "99999999999999999999", "64MiBB", "0x10"} {
		b := byteSize(7)
		if err := b.Set(text); err == nil || b != 7 {
			t.Errorf("%q was taken as %d", text, b)
		}
	}
	for b, want := range map[byteSize]string{0: "0", 64 << 20: "64MiB", 1 << 30: "1GiB", 1536: "1536", 3 << 10: "3KiB"} {
		if got := b.String(); got != want {
			t.Errorf("%d is shown as %q, want %q", int64(b), got, want)
		}
	}
}
