package ingest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxHealthAnswer is what is read of an answer: many times what the server writes.
const maxHealthAnswer = 64 << 10

// Checkup asks a running server for its health: what a container's or a supervisor's check needs.
//
// Of a server on this machine the certificate is not checked: nothing secret is sent, and nothing leaves the machine, so a self-signed one will do.
// With CertFile the server must show exactly that certificate, wherever it runs. Otherwise it is checked as a browser would.
type Checkup struct {
	Addr     string        // host:port or a URL; "": DefaultAddr
	CertFile string        // the certificate that the server must show; "": see above
	Timeout  time.Duration // for everything; 0: 5 s
}

// HealthReport is what the server answered.
type HealthReport struct {
	URL    string // that was asked, without a path
	Status string // "ok"; anything else is trouble
	Why    string // the trouble, where the server tells

	Backlog []StageReport  // nil: it does not tell strangers, or is of an older release
	Loading *LoadingReport // nil: its start is over
}

const defaultCheckupTimeout = 5 * time.Second

// Ask asks once. An error is a server that does not answer, or one that is none of ours; one that answers that it is failing is a report.
func (c Checkup) Ask(ctx context.Context) (HealthReport, error) {
	base, err := c.base()
	if err != nil {
		return HealthReport{}, err
	}
	report := HealthReport{URL: base.String()}
	config, err := c.tlsConfig(base)
	if err != nil {
		return report, err
	}
	timeout := c.Timeout
	orDefault(&timeout, defaultCheckupTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// No proxy: the question is about exactly this address.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String()+"/health", nil)
	if err != nil {
		return report, err
	}
	resp, err := client.Do(req)
	if err != nil {
		if fault := (*url.Error)(nil); errors.As(err, &fault) {
			err = fault.Err // the address stands in front already
		}
		return report, fmt.Errorf("%s does not answer: %w", report.URL, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxHealthAnswer))
	if err != nil {
		return report, fmt.Errorf("%s breaks off its answer: %w", report.URL, err)
	}
	var answer struct {
		Program, Status, Why, Error, Reason string
		Backlog                             []StageReport
		Loading                             *LoadingReport
	}
	if json.Unmarshal(text, &answer) != nil || answer.Program != "signallake" {
		words := strings.TrimSpace(strings.TrimSpace(answer.Error + " " + answer.Reason))
		if words == "" {
			words = cut(strings.Join(strings.Fields(string(text)), " "), 200)
		}
		return report, fmt.Errorf("%s answers %q, which is not the health of a lake: %q", report.URL, resp.Status, words)
	}
	report.Status, report.Why, report.Backlog, report.Loading = answer.Status, answer.Why, answer.Backlog, answer.Loading
	return report, nil
}

// base is the URL without a path.
func (c Checkup) base() (*url.URL, error) {
	addr := c.Addr
	if addr == "" {
		addr = DefaultAddr
	}
	if !strings.Contains(addr, "://") {
		scheme := "http://"
		if c.CertFile != "" {
			scheme = "https://"
		}
		addr = scheme + dialable(addr)
	}
	u, err := url.Parse(addr)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("address %q: want host:port or a URL, for example https://%s", c.Addr, DefaultAddr)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func (c Checkup) tlsConfig(base *url.URL) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CertFile == "" {
		config.InsecureSkipVerify = isThisMachine(base.Hostname())
		return config, nil
	}
	text, err := readBounded(c.CertFile, nil)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	block, text := pem.Decode(text)
	for block != nil && block.Type != "CERTIFICATE" {
		block, text = pem.Decode(text)
	}
	if block == nil {
		return nil, fmt.Errorf("%s holds no TLS certificate in PEM", c.CertFile)
	}
	config.InsecureSkipVerify = true // compared below, byte by byte: its names and who signed it do not matter then
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, block.Bytes) {
			return fmt.Errorf("the server shows another certificate than %s", c.CertFile)
		}
		return nil
	}
	return config, nil
}
