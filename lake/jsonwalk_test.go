package lake

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// walkWhole walks a text that should be one JSON value.
func walkWhole(p []byte, depth int) (flags jsonFlags, ok bool) {
	w := jsonWalk{p: p, depth: depth}
	end := w.value(w.space(0), 1)
	return w.flags, end >= 0 && w.space(end) == len(p)
}

// checkWalk holds the walker, the compacter and the unescaper against encoding/json.
func checkWalk(t *testing.T, p []byte) {
	t.Helper()
	flags, ok := walkWhole(p, 10_000)
	if ok != json.Valid(p) {
		t.Fatalf("%q: ours says %v", p, ok)
	}
	if !ok {
		return
	}
	p = bytes.TrimSpace(p)
	got := appendCompact(nil, p, flags)
	if !utf8.Valid(got) || string(got) != canonicalJSON(p) {
		t.Fatalf("%q: compact %q, want %q", p, got, canonicalJSON(p))
	}
	if again, ok := walkWhole(got, 10_000); !ok || again&jsonSpace != 0 {
		t.Fatalf("%q: compact %q is not", p, got)
	}
}

func TestWalkAgreesWithEncodingJSON(t *testing.T) {
	for _, in := range []string{``, ` `, `{}`, `[]`, `[1,2]`, `[1,]`, `[,1]`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a" : [ ] , "b" : { } }`, `-`, `-0`, `00`,
		`1.`, `.1`, `1e`, `1e+`, `1E-5`, `-1.5e+10`, `+1`, `0x1`, `1 2`, `tru`, `true`, `nulll`, `"`, `"\`, `"\"`, `"\u12"`, `"\u12g4"`, `"\ud800"`, `"\ud83d\ude00"`,
		`"\ud800\u0041"`, `"\ud800\ud83d\ude00"`, `"\udc00\ud800"`, `"\uD83D\uDE00"`, `"\/\b\f\n\r\t"`, "\"\x1f\"", "\"\x7f\"", "\"\xff\"", "\"\xe2\x80\xa8\"", `"12345678"`, "\"1234567\xc3\xa9\"",
		"\xef\xbb\xbf{}", `[[[[[]]]]]`, `[}`, `{]`, "[1\n,\t2\r]", `{"\u0061":1}`} {
		checkWalk(t, []byte(in))
	}
	r := rand.New(rand.NewPCG(4, 4))
	seed := []byte(`{"a":[1, -2.5e+3,true,null,"x\n\u00e9\ud83d\ude00"],"grüße":{"b":{}, "c":[ ]},"long text of many words":"without \"end\""}`)
	mutants := 200_000
	if testing.Short() {
		mutants = 20_000 // the race detector's run
	}
	for range mutants {
		checkWalk(t, mutate(r, seed))
	}
}

func TestWalkBoundsDepth(t *testing.T) {
	for open, end := range map[string]string{"[": "]", `{"a":[],"b":`: "}"} {
		nested := func(n int) []byte {
			return []byte(strings.Repeat(open, n-1) + "{}" + strings.Repeat(end, n-1))
		}
		if _, ok := walkWhole(nested(10), 10); !ok {
			t.Errorf("%s ten deep is refused", open)
		}
		if _, ok := walkWhole(nested(11), 10); ok {
			t.Errorf("%s eleven deep is taken", open)
		}
	}
}

func FuzzWalk(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\ud800"]}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) < 5000 { // encoding/json has a depth limit of its own
			checkWalk(t, p)
		}
	})
}
