package ingest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate makes a self-signed pair for this machine that ends at the given time.
func writeCertificate(t *testing.T, dir string, serial int64, end time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wanted := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "signallake test"}, NotBefore: testNow.Add(-30 * 365 * 24 * time.Hour), NotAfter: end,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, wanted, wanted, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

var inAYear = testNow.Add(365 * 24 * time.Hour)

// startTLS serves with a certificate; the client of the returned func trusts just that one.
func startTLS(t *testing.T, change func(*Config)) (b *bench, certFile string, client *http.Client) {
	t.Helper()
	certFile, keyFile := writeCertificate(t, t.TempDir(), 1, inAYear)
	b = start(t, func(c *Config) {
		c.CertFile, c.KeyFile = certFile, keyFile
		if change != nil {
			change(c)
		}
	})
	b.url = "https://" + b.Addr()
	return b, certFile, trusting(t, certFile)
}

func trusting(t *testing.T, certFile string) *http.Client {
	t.Helper()
	text, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Time: func() time.Time { return testNow }}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestTLS(t *testing.T) {
	b, certFile, client := startTLS(t, nil)
	resp, err := client.Post(b.url+"/ingest", "application/json", strings.NewReader(event("e", "")))
	if err != nil {
		t.Fatal(err)
	}
	if a := readAnswer(t, resp); a.status != 200 || resp.TLS.Version < tls.VersionTLS12 || resp.ProtoMajor != 1 {
		t.Errorf("%d %s over TLS %x, %s", a.status, a.text, resp.TLS.Version, resp.Proto)
	}
	b.wantStored(stored(t, event("e", "")))
	snap := b.Snapshot()
	if !snap.TLS || snap.CACert != certFile || snap.URL() != b.url || snap.CurlOptions() != " --cacert "+certFile {
		t.Errorf("%+v, %s,%s", snap, snap.URL(), snap.CurlOptions())
	}
	if _, err := tls.Dial("tcp", b.Addr(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	plain, err := http.Get("http://" + b.Addr() + "/health")
	if err != nil {
		t.Fatal(err)
	}
	plain.Body.Close()
	if plain.StatusCode != 400 {
		t.Errorf("plain HTTP: %d", plain.StatusCode)
	}
	eventually(t, "the log tells of it", func() bool {
		return strings.Contains(strings.Join(b.out.lines(), ""), "HTTP request to an HTTPS server")
	})
}

// The limit on connections is told over TLS too.
func TestTLSTooManyConnections(t *testing.T) {
	b, _, _ := startTLS(t, func(c *Config) { c.MaxConns = 1 })
	b.dial("")
	conn, err := tls.Dial("tcp", b.Addr(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := readAnswer(t, resp); a.status != 503 || !strings.Contains(a.text, "too many connections") {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// A browser opens connections ahead, shakes hands, and says nothing: that does not hold up the end.
func TestTLSShutdownDoesNotWaitForSilentConnections(t *testing.T) {
	b, _, client := startTLS(t, nil)
	conn, err := tls.Dial("tcp", b.Addr(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	resp, err := client.Get(b.url + "/health")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := b.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func TestTLSShutdownFinishesWhatHasBegun(t *testing.T) {
	log := &fakeLog{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
	b, _, _ := startTLS(t, func(c *Config) { c.Log = log })
	conn, err := tls.Dial("tcp", b.Addr(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, post("/ingest", event("e", ""))); err != nil {
		t.Fatal(err)
	}
	<-log.entered
	done := make(chan error)
	go func() { done <- b.Shutdown(context.Background()) }()
	eventually(t, "it stops", func() bool { return b.stopping.Load() })
	close(log.gate)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := readAnswer(t, resp); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCertificateIsReadAgain(t *testing.T) {
	clock := &moving{at: testNow}
	dir := t.TempDir()
	certFile, keyFile := writeCertificate(t, dir, 1, inAYear)
	b := start(t, func(c *Config) { c.CertFile, c.KeyFile, c.Now = certFile, keyFile, clock.now })
	serial := func(want int64) {
		t.Helper()
		conn, err := tls.Dial("tcp", b.Addr(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); got != want {
			t.Errorf("certificate number %d is shown, want %d", got, want)
		}
	}
	health := func(part string) {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		resp, err := client.Get("https://" + b.Addr() + "/health")
		if err != nil {
			t.Fatal(err)
		}
		a := readAnswer(t, resp)
		(&checker{t: t, doc: loadSpec(t), seen: map[string]bool{}}).check("GET", "/health", a.status, a.header, a.text)
		if got, _ := a.json["access_error"].(string); (part == "") != (got == "") || !strings.Contains(got, part) {
			t.Errorf("health says %s, want %q", a.text, part)
		}
	}
	serial(1)
	health("")
	writeCertificate(t, dir, 2, testNow.Add(24*time.Hour))
	serial(1)
	clock.pass(lookEvery)
	serial(2)
	health("ends at 2026-11-22T08:00:00Z")
	if w := b.Warnings(); len(w) != 1 || !strings.Contains(w[0], "ends at") {
		t.Errorf("warnings %q", w)
	}
	if err := os.WriteFile(certFile, []byte("half a certi"), 0o600); err != nil {
		t.Fatal(err)
	}
	clock.pass(lookEvery)
	serial(2)
	health("want both in PEM")
	writeCertificate(t, dir, 3, inAYear)
	clock.pass(lookEvery)
	serial(3)
	health("")
	if log := strings.Join(b.out.lines(), "\n"); strings.Count(log, "what was read before stays in force") != 1 || strings.Count(log, "certificate "+certFile+": read again") != 2 {
		t.Errorf("log: %s", log)
	}
	clock.pass(366 * 24 * time.Hour)
	health("clients refuse it")
}

func TestCertificateErrorsNameTheWayOut(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeCertificate(t, dir, 1, inAYear)
	otherCert, _ := writeCertificate(t, t.TempDir(), 2, inAYear)
	missing := filepath.Join(dir, "it's missing.pem")
	try := func(cert, key string, want ...string) {
		t.Helper()
		_, err := New(Config{Log: &fakeLog{}, CertFile: cert, KeyFile: key})
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%v, want %q", err, part)
			}
		}
	}
	try(missing, keyFile, "TLS certificate: ", missing, "openssl req -x509", "-out '"+dir+`/it'\''s missing.pem'`, "-keyout "+keyFile)
	try(certFile, missing, "TLS key: ", "openssl req -x509", "-out "+certFile)
	try(otherCert, keyFile, otherCert, keyFile, "does not match", "openssl req -x509")
	try(keyFile, certFile, "openssl req -x509")
	try(certFile, "", "TLS needs both", "--tls-key FILE")
	try("", keyFile, "TLS needs both")
	if err := os.Chmod(keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	try(certFile, keyFile, "TLS key: "+keyFile+" holds a secret and is open to other users", "chmod 600 "+keyFile)
	if err := os.Chmod(keyFile, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Log: &fakeLog{}, CertFile: certFile, KeyFile: keyFile}); err != nil {
		t.Error(err)
	}
}

// The line that the errors offer makes a pair that works.
func TestOfferedCertificateWorks(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIP: no openssl here")
	}
	dir := filepath.Join(t.TempDir(), "a folder")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := Config{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	if out, err := exec.Command("sh", "-c", makeCertificate(cfg)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := start(t, func(c *Config) { c.CertFile, c.KeyFile, c.Now = cfg.CertFile, cfg.KeyFile, nil })
	text, err := os.ReadFile(cfg.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	for _, host := range []string{"localhost", "127.0.0.1"} {
		_, port, _ := net.SplitHostPort(b.Addr())
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
		resp, err := client.Get("https://" + host + ":" + port + "/health")
		if err != nil {
			t.Fatal(err)
		}
		if a := readAnswer(t, resp); a.status != 200 {
			t.Errorf("%s: %d %s", host, a.status, a.text)
		}
	}
}
