package ingest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const (
	minToken     = 16  // characters; a random one of this length holds at least 64 bits
	maxToken     = 256 // characters
	maxTokenName = 32  // characters; below the length of a token in hex, so that a line the wrong way round is noticed
)

// token is one entry of a token file. The token itself is forgotten once its hash is made: no log, dump or panic can show it.
type token struct {
	name string
	hash [sha256.Size]byte
}

// tokenTable holds the tokens of a file.
type tokenTable []token

// parseTokens reads lines `name token` or `name: token`; blank lines and those that begin with # say nothing. Its errors name lines and never
// repeat what stands in them: in a line the wrong way round the name is the token.
func parseTokens(path string, text []byte) (tokenTable, error) {
	var table tokenTable
	names, hashes := map[string]int{}, map[[sha256.Size]byte]int{}
	no := 0
	for line := range strings.Lines(string(text)) {
		no++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		name, secret := splitTokenLine(line)
		if reason := tokenLineFault(name, secret); reason != "" {
			return nil, fmt.Errorf("token file %s, line %d: %s", path, no, reason)
		}
		entry := token{name, sha256.Sum256([]byte(secret))}
		if first := names[name]; first > 0 {
			return nil, fmt.Errorf("token file %s: lines %d and %d have the same name: give each source a name of its own", path, first, no)
		}
		if first := hashes[entry.hash]; first > 0 {
			return nil, fmt.Errorf("token file %s: lines %d and %d have the same token: give each source a token of its own", path, first, no)
		}
		names[name], hashes[entry.hash] = no, no
		table = append(table, entry)
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("token file %s holds no token: want lines `name token`, for example made by: echo \"shipper $(openssl rand -hex 24)\" >> %s", path, shellQuote(path))
	}
	return table, nil
}

func splitTokenLine(line string) (name, secret string) {
	at := strings.IndexAny(line, " \t:")
	if at < 0 {
		return line, ""
	}
	return line[:at], strings.TrimSpace(strings.TrimPrefix(strings.TrimLeft(line[at:], " \t"), ":"))
}

func tokenLineFault(name, secret string) string {
	switch {
	case secret == "":
		return "want `name token`, got one word"
	case len(name) > maxTokenName || !made(name, isNameByte):
		return fmt.Sprintf("the name in front of the token must be 1 to %d of letters, digits, '.', '_' and '-'", maxTokenName)
	case !made(strings.TrimRight(secret, "="), isTokenByte):
		return "the token must be of letters, digits and -._~+/ (with = at its end): it travels in a header"
	case len(secret) < minToken:
		return fmt.Sprintf("the token has %d characters, want at least %d: openssl rand -hex 24 makes one", len(secret), minToken)
	case len(secret) > maxToken:
		return fmt.Sprintf("the token has %d characters, want at most %d", len(secret), maxToken)
	}
	return ""
}

// made says whether s is not empty and of such bytes alone.
func made(s string, of func(byte) bool) bool {
	for i := range len(s) {
		if !of(s[i]) {
			return false
		}
	}
	return s != ""
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

// isTokenByte: the alphabet of RFC 6750, section 2.1, without the padding.
func isTokenByte(c byte) bool { return isNameByte(c) || c == '~' || c == '+' || c == '/' }

// find is the name of the source that has this token. The time it takes says nothing about which entry was met or how much of one agreed.
func (t tokenTable) find(presented string) (name string, ok bool) {
	hash := sha256.Sum256([]byte(presented))
	at := -1
	for i := range t {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], t[i].hash[:]), i, at)
	}
	if at < 0 {
		return "", false
	}
	return t[at].name, true
}

// openTokens reads the token file and goes on to watch it.
func openTokens(cfg Config, tell func(string)) (*kept[tokenTable], error) {
	path := cfg.TokenFile
	k := &kept[tokenTable]{name: "token file " + path, now: cfg.Now, tell: tell,
		read: func() ([][]byte, error) {
			text, err := readBounded(path, checkSecret(path))
			return [][]byte{text}, tokenFileError(path, err)
		},
		parse: func(texts [][]byte) (tokenTable, error) { return parseTokens(path, texts[0]) },
	}
	return k, k.load()
}

func tokenFileError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("token file: %w: add --make-token to have one made, or: (umask 077; echo \"shipper $(openssl rand -hex 24)\" > %s)", err, shellQuote(path))
	}
	return fmt.Errorf("token file: %w", err)
}

// MakeTokenFile makes a file with one random token, readable for its owner alone, and returns the token: this is the only time that it is
// shown. Where the file exists already nothing happens and the token is "".
func MakeTokenFile(path, name string) (secret string, err error) {
	if _, err := os.Stat(path); err == nil {
		return "", nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make a token file: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("make a token file: %w", err)
	}
	var random [24]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	secret = hex.EncodeToString(random[:])
	_, err = fmt.Fprintf(file, "# One source a line: its name, a blank, its token (at least %d characters). Read again within seconds of a change.\n%s %s\n", minToken, name, secret)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", fmt.Errorf("make a token file: %w", errors.Join(err, os.Remove(path)))
	}
	return secret, nil
}

// identify finds out who sends. Afterwards x.tokenName says whose token it was, or x.stranger says why there is none; without tokens both are empty. The
// header goes: nothing that handles the request later can write it anywhere.
func (s *Server) identify(x *exchange) {
	presented := x.r.Header.Values("Authorization")
	x.r.Header.Del("Authorization")
	if s.tokens == nil {
		return
	}
	table, _ := s.tokens.get() // trouble with the file is the health page's to tell
	if len(presented) == 0 {
		x.stranger = "there is no token: send the header Authorization: Bearer TOKEN, with the token that this server's operator gave you"
		return
	}
	scheme, secret, _ := strings.Cut(presented[0], " ")
	if len(presented) > 1 || !strings.EqualFold(scheme, "bearer") {
		x.stranger = "the Authorization header must be one, and of the form: Bearer TOKEN"
		return
	}
	name, ok := table.find(strings.TrimSpace(secret))
	if !ok {
		x.stranger = "the token is not known here: it is mistyped, or was taken back"
		return
	}
	x.tokenName = name
}

// turnAwayStranger answers 401.
func (x *exchange) turnAwayStranger() {
	x.w.Header().Set("WWW-Authenticate", `Bearer realm="signallake"`)
	x.fail(http.StatusUnauthorized, "this server asks who sends", x.stranger)
}

// shellQuote makes a word for a shell of any text.
func shellQuote(s string) string {
	if made(s, func(c byte) bool { return isNameByte(c) || c == '/' }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
