package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseTokens(t *testing.T) {
	good := func(text string, names ...string) {
		t.Helper()
		table, err := parseTokens("f", []byte(text))
		var got []string
		for _, entry := range table {
			got = append(got, entry.name)
		}
		if err != nil || strings.Join(got, " ") != strings.Join(names, " ") {
			t.Errorf("%q: %v, %v, want %v", text, got, err, names)
		}
	}
	bad := func(text, want string) {
		t.Helper()
		_, err := parseTokens("some file", []byte(text))
		if err == nil || !strings.Contains(err.Error(), "token file some file") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
			return
		}
		for _, secret := range strings.Fields(text) {
			if len(secret) > 6 && strings.Contains(err.Error(), strings.Trim(secret, ":")) {
				t.Errorf("the error repeats %q: %v", secret, err)
			}
		}
	}
	const a, b = "aaaaaaaa11111111", "bbbbbbbb22222222"
	good("x "+a, "x")
	good("x: "+a+"\n", "x")
	good("x:"+a+"\n", "x")
	good("x :\t"+a+"\r\n", "x")
	good("\ufeff# who may send\n\n  \nx "+a+"\n\t y.z-1_\t"+b+"  \n#z nothing\n", "x", "y.z-1_")
	good("x "+a+"==\n", "x")
	good("x -._~+/"+a, "x")
	good("x "+strings.Repeat("a", maxToken), "x")
	good(strings.Repeat("n", maxTokenName)+" "+a, strings.Repeat("n", maxTokenName))

	bad("", "holds no token")
	bad("# only a remark\n\n", "holds no token")
	bad("x "+a[1:], "line 1: the token has 15 characters, want at least 16")
	bad("x "+strings.Repeat("a", maxToken+1), "want at most 256")
	bad("\n"+a, "line 2: want `name token`, got one word")
	bad("x", "got one word")
	bad("x:", "got one word")
	bad(a+" x", "line 1: the token has 1 characters")
	bad(strings.Repeat("n", maxTokenName+1)+" "+a, "the name in front of the token must be")
	bad(strings.Repeat("0123456789abcdef", 4)+" "+a, "the name in front of the token must be")
	bad("é "+a, "the name in front of the token must be")
	bad(": "+a, "the name in front of the token must be")
	bad("x "+a+" "+b, "the token must be of letters")
	bad("x "+a+"é", "the token must be of letters")
	bad("x "+a+"\x00", "the token must be of letters")
	bad("x "+a+"=x", "the token must be of letters")
	bad("x ================", "the token must be of letters")
	bad("x \""+a+"\"", "the token must be of letters")
	bad("x "+a+" # a remark", "the token must be of letters")
	bad("x "+a+"\ny "+b+"\nx "+b+"3\n", "lines 1 and 3 have the same name")
	bad("x "+a+"\n\ny "+a+"\n", "lines 1 and 3 have the same token")
}

func TestTokenFileMustBeSecret(t *testing.T) {
	try := func(mode fs.FileMode, want string) {
		t.Helper()
		path := writeTokens(t, "x "+shipperToken)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := New(Config{Log: &fakeLog{}, TokenFile: path})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "chmod 600 "+path)) {
			t.Errorf("mode %v: %v, want %q", mode, err, want)
		}
	}
	try(0o600, "")
	try(0o400, "")
	try(0o700, "")
	try(0o640, "open to other users (mode 0640)")
	try(0o604, "open to other users (mode 0604)")
	try(0o622, "mode 0622")
	try(0o644, "mode 0644")
}

func TestTokenFileThatIsNone(t *testing.T) {
	dir := t.TempDir()
	try := func(path, want string) {
		t.Helper()
		_, err := New(Config{Log: &fakeLog{}, TokenFile: path})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	missing := filepath.Join(dir, "no such")
	try(missing, "add --make-token to have one made, or: (umask 077; echo \"shipper $(openssl rand -hex 24)\" > '"+missing+"')")
	try(dir, "is not a file")
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, []byte(strings.Repeat("#\n", maxSecretFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	try(big, "is bigger than")
}

func TestMakeTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "tokens")
	secret, err := MakeTokenFile(path, "default")
	if err != nil || len(secret) != 48 {
		t.Fatalf("made %d characters, %v", len(secret), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	b := start(t, func(c *Config) { c.TokenFile = path })
	if a := b.do("POST", "/ingest", event("e", ""), "Authorization", "Bearer "+secret); a.status != 200 {
		t.Errorf("the new token: %d %s", a.status, a.text)
	}
	if again, err := MakeTokenFile(path, "default"); err != nil || again != "" {
		t.Errorf("a second time: %q, %v", again, err)
	}
	other, err := MakeTokenFile(path+"2", "default")
	if err != nil || other == secret {
		t.Errorf("another one is the same: %v", err)
	}
	if _, err := MakeTokenFile(filepath.Join(path, "x"), "default"); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("below a file: %v", err)
	}
}

func TestFindToken(t *testing.T) {
	table, err := parseTokens("f", []byte("a "+shipperToken+"\nb "+webToken+"\nc third-third-third-third"))
	if err != nil {
		t.Fatal(err)
	}
	for presented, want := range map[string]string{
		shipperToken: "a", webToken: "b", "third-third-third-third": "c", "": "", shipperToken + " ": "", strings.ToUpper(shipperToken): "", "a": "", shipperToken[:16]: "",
	} {
		if name, ok := table.find(presented); name != want || ok != (want != "") {
			t.Errorf("%q is %q, %v, want %q", presented, name, ok, want)
		}
	}
	if _, ok := tokenTable(nil).find(""); ok {
		t.Error("an empty table knows somebody")
	}
}

// The first entry, the last and none take the same time: a search that stopped at its find would be thousands of times as fast for the first.
func TestFindTokenTakesTheSameTimeForEach(t *testing.T) {
	const entries = 4000
	var text strings.Builder
	for i := range entries {
		fmt.Fprintf(&text, "n%d token-number-%012d\n", i, i)
	}
	table, err := parseTokens("f", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	fastest := func(presented string) time.Duration {
		best := time.Hour
		for range 30 {
			began := time.Now()
			table.find(presented)
			best = min(best, time.Since(began))
		}
		return best
	}
	first, last, none := fastest(fmt.Sprintf("token-number-%012d", 0)), fastest(fmt.Sprintf("token-number-%012d", entries-1)), fastest("token-number-nobody-has")
	if slow, quick := max(first, last, none), min(first, last, none); slow > 3*quick {
		t.Errorf("the first entry takes %v, the last %v, none %v", first, last, none)
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add("x " + shipperToken + "\n# y\n")
	f.Add("x: " + webToken)
	f.Add("\ufeff:\t:\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := parseTokens("f", []byte(text))
		if (err == nil) != (len(table) > 0) {
			t.Fatalf("%d entries and %v", len(table), err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\n") {
			t.Fatalf("the error holds what a terminal obeys: %q", err)
		}
		names := map[string]bool{}
		for _, entry := range table {
			if names[entry.name] || !saneRequestID(entry.name) || len(entry.name) > maxTokenName {
				t.Fatalf("the name %q came through", entry.name)
			}
			names[entry.name] = true
		}
	})
}
