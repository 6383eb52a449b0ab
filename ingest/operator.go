package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signallake/signallake/ingest/replay"
	"github.com/signallake/signallake/lake"
)

// Operator works on the dead letters of a running server, for a process that does not own the lake. The certificate of a server on this machine is
// checked as Checkup does it: the owner has left its address in the lake's folder, and whoever may write there has the lake.
type Operator struct {
	Addr     string // host:port or a URL
	CertFile string // the certificate that the server must show; "": see Checkup
	Token    string // "": none is sent
}

// operatorPatience is longer than a server takes for one answer.
const operatorPatience = 2 * time.Minute

// maxOperatorAnswer is what is read of an answer: many times a report's size.
const maxOperatorAnswer = 64 << 20

// Discard takes letters out for good and answers how many they were.
func (o Operator) Discard(ctx context.Context, pick replay.Pick) (int64, error) {
	var answer discardAnswer
	err := o.post(ctx, "/dead/discard", discardOrder{pick, pick.All()}, &answer)
	return answer.Discarded, err
}

// Replay sends letters again, in as many requests as it takes. When it fails or is stopped, what was done stays and the report says what that is.
func (o Operator) Replay(ctx context.Context, p replay.Params, progress *lake.Progress) (*replay.Report, error) {
	total := &replay.Report{DryRun: p.DryRun}
	progress.Start("replay, letters", 0)
	for {
		answer := replayAnswer{Report: &replay.Report{}}
		if err := o.post(ctx, "/dead/replay", p, &answer); err != nil {
			return total, err
		}
		total.Add(answer.Report)
		progress.Add(answer.Picked)
		if answer.Next <= p.Since {
			return total, nil
		}
		p.Since = answer.Next
	}
}

func (o Operator) post(ctx context.Context, path string, order, into any) error {
	check := Checkup{Addr: o.Addr, CertFile: o.CertFile}
	base, err := check.base()
	if err != nil {
		return err
	}
	config, err := check.tlsConfig(base)
	if err != nil {
		return err
	}
	body, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("ask %s%s: %w", base, path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, operatorPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.String()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+o.Token)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		if fault := (*url.Error)(nil); errors.As(err, &fault) {
			err = fault.Err // the address stands in front already
		}
		return fmt.Errorf("%s does not answer: %w", base, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxOperatorAnswer))
	if err != nil {
		return fmt.Errorf("%s breaks off its answer: %w", base, err)
	}
	return readAnswerOf(base.String(), resp, text, into)
}

func readAnswerOf(base string, resp *http.Response, text []byte, into any) error {
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("%s answers what is not its kind of answer: %w", base, err)
		}
		return nil
	}
	var p problem
	if json.Unmarshal(text, &p) != nil || p.Error == "" {
		p.Error = fmt.Sprintf("status %s", resp.Status)
	}
	words := lake.SafeText(joinWhy(p.Error, p.Reason), 400)
	if resp.StatusCode == http.StatusUnauthorized {
		words += "; give one of its tokens by --token-file FILE or SIGNALLAKE_TOKEN"
	}
	return fmt.Errorf("%s refuses: %s", base, words)
}

// FirstToken is the first token of a token file: for a command that asks a server which reads the same file.
func FirstToken(path string) (string, error) {
	text, err := readBounded(path, checkSecret(path))
	if err != nil {
		return "", tokenFileError(path, err)
	}
	if _, err := parseTokens(path, text); err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if line != "" && line[0] != '#' {
			_, secret := splitTokenLine(line)
			return secret, nil
		}
	}
	return "", fmt.Errorf("token file %s holds no token", path)
}
