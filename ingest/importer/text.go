package importer

import (
	"bytes"
	"fmt"
)

// foreign are files that people take for logs, by their first bytes, with the way to the text in them.
var foreign = []struct {
	at     int
	magic  string
	what   string
	wayOut string
}{
	{0, "BZh", "bzip2", "bzip2 -dc %s | signallake-tui import -"},
	{0, "\xfd7zXZ\x00", "xz", "xz -dc %s | signallake-tui import -"},
	{0, "\x04\x22\x4d\x18", "lz4", "lz4 -dc %s | signallake-tui import -"},
	{0, "\x1f\x9d", "compress (.Z)", "zcat %s | signallake-tui import -"},
	{0, "\x1f\x8b", "gzip within gzip", "zcat %s | signallake-tui import -"},
	{0, "PK\x03\x04", "a zip archive", "unzip -p %s | signallake-tui import -"},
	{257, "ustar", "a tar archive", "tar -xOf %s | signallake-tui import -"},
	{0, "LPKSHHRH", "a systemd journal", "journalctl --file %s -o json | signallake-tui import -"},
	{0, "PAR1", "Parquet", "import takes text: lines of JSON, access logs, logfmt"},
	{0, "\x7fELF", "a program", "import takes text: lines of JSON, access logs, logfmt"},
	{0, "SQLite format 3", "an SQLite database", "import takes text: lines of JSON, access logs, logfmt"},
}

// bom is UTF-8's mark at the start of a text.
var bom = []byte("\xef\xbb\xbf")

// checkText says why an input that starts with these bytes is no text in UTF-8, and what leads there.
func checkText(start []byte, name string) error {
	for _, f := range foreign {
		if len(start) >= f.at && bytes.HasPrefix(start[f.at:], []byte(f.magic)) {
			out := f.wayOut
			if bytes.Contains([]byte(out), []byte("%s")) {
				out = "`" + fmt.Sprintf(out, name) + "`"
			}
			return fmt.Errorf("it is not text but %s: %s", f.what, out)
		}
	}
	if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) || everyOtherNUL(start) {
		return fmt.Errorf("it is text in UTF-16, and import reads UTF-8: `iconv -f UTF-16 -t UTF-8 %s | signallake-tui import -`", name)
	}
	text := bytes.TrimLeft(start, "\x00") // a file that was truncated under its writer starts with a hole
	if controls := countControls(text); len(start) > 0 && (len(text) == 0 || controls*20 > len(text)) {
		return fmt.Errorf("it is not text: it starts with the bytes % x; import takes text: lines of JSON, access logs, logfmt", start[:min(len(start), 8)])
	}
	return nil
}

// everyOtherNUL is UTF-16 without its mark, as far as it is mostly ASCII.
func everyOtherNUL(p []byte) bool {
	p = p[:len(p)&^1]
	if len(p) < 16 {
		return false
	}
	even, odd := 0, 0
	for i := 0; i < len(p); i += 2 {
		if p[i] == 0 {
			even++
		}
		if p[i+1] == 0 {
			odd++
		}
	}
	half := len(p) / 2
	return (even > half*3/4 && odd < half/4) || (odd > half*3/4 && even < half/4)
}

// countControls counts bytes that no log has: terminals' escapes and white space apart.
func countControls(p []byte) (n int) {
	for _, c := range p {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\x1b' && c != '\f' && c != '\v' && c != '\b' {
			n++
		}
	}
	return n
}
