package ingest

import (
	"errors"
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
	try("", func(c *Config) {})
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
	}
	var remote *RemoteAddrError
	if err := (Config{Log: &fakeLog{}, Addr: ":80"}).Validate(); !errors.As(err, &remote) || remote.Addr != ":80" {
		t.Errorf("got %v", err)
	}
}
