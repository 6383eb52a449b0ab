package ingest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestCheckup(t *testing.T) {
	ask := func(c Checkup, status, want string) {
		t.Helper()
		report, err := c.Ask(context.Background())
		switch {
		case want == "" && (err != nil || report.Status != status):
			t.Errorf("%+v: %+v, %v, want %q", c, report, err, status)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%+v: %+v, %v, want %q", c, report, err, want)
		}
	}
	plain := start(t, nil)
	ask(Checkup{Addr: plain.Addr()}, "ok", "")
	ask(Checkup{Addr: plain.url}, "ok", "")
	ask(Checkup{Addr: plain.url + "/some/path"}, "ok", "")
	_, port, _ := net.SplitHostPort(plain.Addr())
	ask(Checkup{Addr: "0.0.0.0:" + port}, "ok", "")
	ask(Checkup{Addr: ":" + port}, "ok", "")
	ask(Checkup{Addr: "[::]:" + port}, "ok", "")
	ask(Checkup{Addr: "https://" + plain.Addr()}, "", "does not answer: ")

	withTokens, _ := startWithTokens(t, nil)
	ask(Checkup{Addr: withTokens.Addr()}, "ok", "")
	withTokens.stopping.Store(true)
	ask(Checkup{Addr: withTokens.Addr()}, "stopping", "")
	withTokens.stopping.Store(false)

	secure, certFile, _ := startTLS(t, nil)
	otherCert, key := writeCertificate(t, t.TempDir(), 2, inAYear)
	ask(Checkup{Addr: secure.url}, "ok", "")
	ask(Checkup{Addr: secure.url, CertFile: certFile}, "ok", "")
	ask(Checkup{Addr: secure.Addr(), CertFile: certFile}, "ok", "")
	ask(Checkup{Addr: secure.url, CertFile: otherCert}, "", "another certificate than "+otherCert)
	ask(Checkup{Addr: secure.url, CertFile: key}, "", "holds no TLS certificate")
	ask(Checkup{Addr: secure.url, CertFile: key + "x"}, "", "no such file")
	ask(Checkup{Addr: secure.Addr()}, "", "HTTP request to an HTTPS server")

	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	ask(Checkup{Addr: nobody.Addr().String(), Timeout: 20 * time.Millisecond}, "", "does not answer: ")
	for _, addr := range []string{"ftp://x", "http://", "http://user:pass@127.0.0.1:1", "://"} {
		ask(Checkup{Addr: addr}, "", "want host:port or a URL")
	}
}

// Something else listens there.
func TestCheckupOfAStranger(t *testing.T) {
	for answer, want := range map[string]string{"<h1>\x1b[31mhi</h1>": `\x1b[31mhi`, `{"status":"ok"}`: "not the health of a lake", "": "200 OK", strings.Repeat("x", 1<<20): "xxx"} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(answer)) }))
		_, err := Checkup{Addr: other.URL}.Ask(context.Background())
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 1000 {
			t.Errorf("%.40q: %v, want %q", answer, err, want)
		}
		other.Close()
	}
	moved := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/health", http.StatusFound))
	defer moved.Close()
	if _, err := (Checkup{Addr: moved.URL}).Ask(context.Background()); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("a redirect: %v", err)
	}
}

// Beyond this machine a certificate is checked.
func TestCheckupTrustsOnlyThisMachineBlindly(t *testing.T) {
	for addr, blind := range map[string]bool{"https://127.0.0.1:1": true, "https://localhost:1": true, "https://[::1]:1": true, "https://lake.example:1": false, "https://192.0.2.7": false} {
		base, err := Checkup{Addr: addr}.base()
		if err != nil {
			t.Fatal(err)
		}
		config, err := Checkup{Addr: addr}.tlsConfig(base)
		if err != nil || config.InsecureSkipVerify != blind {
			t.Errorf("%s: blind %v, %v", addr, config.InsecureSkipVerify, err)
		}
	}
	own, err := net.InterfaceAddrs()
	if err != nil || len(own) == 0 {
		t.Skip("SKIP: the system lists no addresses")
	}
	for _, addr := range own {
		if host, _, _ := strings.Cut(addr.String(), "/"); !isThisMachine(host) {
			t.Errorf("%s is of this machine", host)
		}
	}
}
