package ingest

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

func TestConfigDefaults(t *testing.T) {
	c := Config{Log: &fakeLog{}}.withDefaults()
	if c.Addr != "127.0.0.1:8000" || c.MaxBodyBytes != 16<<20 || c.MaxConns != 512 || c.Now == nil || c.ReadTimeout != 30*time.Second {
		t.Errorf("got %+v", c)
	}
}

func TestConfigValidate(t *testing.T) {
	try := func(want string, change func(*Config)) {
		t.Helper()
		c := Config{Log: &fakeLog{}}
		change(&c)
		err := c.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
		if _, got := New(c); (got == nil) != (err == nil) {
			t.Errorf("New says %v, Validate %v", got, err)
		}
	}
	tokens := writeTokens(t, "x "+shipperToken)
	try("", func(c *Config) {})
	try("", func(c *Config) { c.TokenFile = tokens })
	try("", func(c *Config) { c.AllowedHosts = []string{"lake.example", "lake"} })
	for _, host := range []string{"", "lake.example:8000", "[::1]"} {
		try("want a name without scheme and port", func(c *Config) { c.AllowedHosts = []string{host} })
	}
	try("Log is required", func(c *Config) { c.Log = nil })
	try("must not be negative", func(c *Config) { c.MaxBodyBytes = -1 })
	try("must not be negative", func(c *Config) { c.MaxConns = -1 })
	try("must not be negative", func(c *Config) { c.IdleTimeout = -1 })
	try("want host:port", func(c *Config) { c.Addr = "8000" })
	try("up to 65535", func(c *Config) { c.Addr = "127.0.0.1:70000" })
	try("up to 65535", func(c *Config) { c.Addr = "127.0.0.1:http" })
	for _, addr := range []string{"localhost:0", "127.0.0.2:1", "[::1]:8000", "[::ffff:127.0.0.1]:8000"} {
		try("", func(c *Config) { c.Addr = addr })
	}
	for _, addr := range []string{":8000", "0.0.0.0:8000", "[::]:8000", "10.1.2.3:8000", "lake.example:8000", "[::1%eth0]:8000"} {
		try("can be reached from other machines", func(c *Config) { c.Addr = addr })
		try("", func(c *Config) { c.Addr, c.AllowRemote = addr, true })
		try("", func(c *Config) { c.Addr, c.TokenFile = addr, tokens })
	}
	var remote *RemoteAddrError
	if err := (Config{Log: &fakeLog{}, Addr: ":80"}).Validate(); !errors.As(err, &remote) || remote.Addr != ":80" {
		t.Errorf("got %v", err)
	}
	for _, way := range []string{"--token-file", "--allow-remote-without-token", "127.0.0.1:8000", "asked who they are"} {
		if !strings.Contains(remote.Error(), way) {
			t.Errorf("%v lacks %s", remote, way)
		}
	}
}

// What is open to the world is said aloud.
func TestWarnings(t *testing.T) {
	tokens := writeTokens(t, "x "+shipperToken)
	cert, key := writeCertificate(t, t.TempDir(), 1, inAYear)
	try := func(want string, change func(*Config)) {
		t.Helper()
		b := start(t, change)
		got := strings.Join(b.Warnings(), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("warns %q, want %q", got, want)
		}
		if log := strings.Join(b.out.lines(), ""); !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	try("", func(*Config) {})
	try("", func(c *Config) { c.TokenFile = tokens })
	try("", func(c *Config) { c.TokenFile, c.CertFile, c.KeyFile = tokens, cert, key })
}

// No test listens beyond this machine; what is remote is decided by the address alone.
func TestOpenness(t *testing.T) {
	local, remote := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, &net.TCPAddr{IP: net.IPv4zero, Port: 80}
	for _, c := range []struct {
		addr        net.Addr
		tokens, tls bool
		want        string
	}{
		{local, false, false, ""}, {local, true, false, ""}, {remote, true, true, ""},
		{remote, false, false, "whoever reaches 0.0.0.0:80"}, {remote, false, true, "whoever reaches"}, {remote, true, false, "0.0.0.0:80 as plain text: give --tls-cert"},
	} {
		if got := openness(c.addr, c.tokens, c.tls); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestIsRemote(t *testing.T) {
	for text, remote := range map[string]bool{"127.0.0.1:1": false, "[::1]:1": false, "0.0.0.0:1": true, "[::]:1": true, "10.1.2.3:1": true} {
		addr, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		if isRemote(addr) != remote {
			t.Errorf("%s is remote: %v", text, !remote)
		}
	}
	if !isRemote(&net.UnixAddr{}) {
		t.Error("what is no TCP address counts as local")
	}
}
