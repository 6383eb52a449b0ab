package ingest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// expiresSoon is when a certificate's end is worth a warning: time enough to get the next one.
const expiresSoon = 14 * 24 * time.Hour

// openCertificate reads the certificate and its key and goes on to watch both.
func openCertificate(cfg Config, tell func(string)) (*kept[*tls.Certificate], error) {
	k := &kept[*tls.Certificate]{name: "certificate " + cfg.CertFile, now: cfg.Now, tell: tell,
		read: func() ([][]byte, error) {
			cert, err := readBounded(cfg.CertFile, nil)
			if err != nil {
				return nil, certFileError("TLS certificate", cfg, err)
			}
			key, err := readBounded(cfg.KeyFile, checkSecret(cfg.KeyFile))
			if err != nil {
				return nil, certFileError("TLS key", cfg, err)
			}
			return [][]byte{cert, key}, nil
		},
		parse: func(texts [][]byte) (*tls.Certificate, error) {
			pair, err := tls.X509KeyPair(texts[0], texts[1])
			if err != nil {
				return nil, fmt.Errorf("TLS certificate %s with key %s: %w: want both in PEM; a pair for this machine is made by: %s", cfg.CertFile, cfg.KeyFile, err, makeCertificate(cfg))
			}
			return &pair, nil
		},
	}
	return k, k.load()
}

func certFileError(what string, cfg Config, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: a pair for this machine is made by: %s", what, err, makeCertificate(cfg))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// makeCertificate is a line for a shell that makes a self-signed pair where cfg wants it.
func makeCertificate(cfg Config) string {
	return "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=signallake " +
		"-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " + shellQuote(cfg.KeyFile) + " -out " + shellQuote(cfg.CertFile)
}

// tlsConfig is what the listener speaks. HTTP/1.1 alone: over HTTP/2 one connection carries hundreds of requests, and the limit on
// connections would no longer bound how many bodies are held at once.
func (s *Server) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			certificate, _ := s.certificate.get() // trouble with the files is the health page's to tell
			return certificate, nil
		},
	}
}

// leaf is the server's own certificate; nil without TLS.
func (s *Server) leaf() *x509.Certificate {
	if s.certificate == nil {
		return nil
	}
	pair, _ := s.certificate.get()
	return pair.Leaf
}

// selfSigned tells a certificate that clients must be given before they trust it.
func selfSigned(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }

// expiry warns of a certificate that has ended or is about to; "" otherwise.
func expiry(c *x509.Certificate, now time.Time) string {
	switch end := c.NotAfter.UTC().Format(time.RFC3339); {
	case now.After(c.NotAfter):
		return "the TLS certificate ended at " + end + ": clients refuse it"
	case now.Add(expiresSoon).After(c.NotAfter):
		return "the TLS certificate ends at " + end
	}
	return ""
}
