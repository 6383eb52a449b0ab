package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answerWithin bounds a question to a server under load.
const answerWithin = time.Minute

// get asks a server of ours for a path and reads its JSON into out. It is a client of one request, made of a socket: what it costs is the server's and not its own.
func get(ctx context.Context, addr, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path); err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	status, err := in.ReadString('\n')
	length := -1
	for err == nil {
		var line string
		if line, err = in.ReadString('\n'); strings.TrimSpace(line) == "" {
			break
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return fmt.Errorf("GET %s: a length that is none: %q", path, line)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if length < 0 {
		return fmt.Errorf("GET %s: an answer without a length: %q", path, status)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(in, text); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return fmt.Errorf("GET %s: %s: %.300s", path, strings.TrimSpace(status), text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// countEvents asks a server how many events it has of a service; "": of all. It answers when all that was acknowledged before is visible.
func countEvents(ctx context.Context, addr, service string) (int64, error) {
	var answer struct {
		Rows [][]any `json:"rows"` // hour, events, errors
	}
	path := "/query/hourly-volume?service=" + url.QueryEscape(service)
	if err := get(ctx, addr, path, &answer); err != nil {
		return 0, err
	}
	var n int64
	for _, row := range answer.Rows {
		if len(row) != 3 || math.IsNaN(number(row[1])) {
			return 0, fmt.Errorf("GET %s answers %v where hour, events and errors belong", path, row)
		}
		n += int64(number(row[1]))
	}
	return n, nil
}
