package torture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sample is the server at one moment.
type Sample struct {
	At         float64 `json:"at_s"`       // seconds since its phase began
	RSS        int64   `json:"rss"`        // bytes in memory; 0 where the system does not tell
	Files      int     `json:"files"`      // open descriptors; 0 likewise
	Goroutines int     `json:"goroutines"` // 0: its health page did not answer
	Hot        int64   `json:"hot"`        // events that wait for their conversion
	LagMS      float64 `json:"lag_ms"`     // p95 from acknowledged to visible in SQL, as the server says
}

// watch samples the server once a second until ctx ends.
func (s *soak) watch(ctx context.Context) (samples []Sample) {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	start := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
		pid := s.child.cmd.Process.Pid
		sample := Sample{At: time.Since(start).Seconds(), RSS: residentBytes(pid), Files: openFiles(pid)}
		s.askHealth(ctx, client, &sample)
		samples = append(samples, sample)
		s.cfg.Progress.Add(1)
	}
}

// askHealth takes what the server tells of itself. A server that is too busy to tell leaves zeros.
func (s *soak) askHealth(ctx context.Context, client *http.Client, sample *Sample) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/health", nil)
	if err != nil {
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	var health struct {
		Goroutines int     `json:"goroutines"`
		Hot        int64   `json:"events_hot"`
		LagMS      float64 `json:"lag_p95_ms"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&health) == nil {
		sample.Goroutines, sample.Hot, sample.LagMS = health.Goroutines, health.Hot, health.LagMS
	}
}

// residentBytes is a process's memory; 0 where the system has no /proc.
func residentBytes(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

func openFiles(pid int) int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0
	}
	return len(entries)
}

// median is of one value of the samples that have it.
func median(samples []Sample, value func(*Sample) float64) float64 {
	var all []float64
	for i := range samples {
		if v := value(&samples[i]); v > 0 {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func peakRSS(samples []Sample) (peak int64) {
	for i := range samples {
		peak = max(peak, samples[i].RSS)
	}
	return peak
}
