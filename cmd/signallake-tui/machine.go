package main

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/signallake/signallake/sql/bench"
)

// describeMachine fills in what the program stands on. It names no host and no path.
func describeMachine(m *bench.Machine) {
	m.Go, m.Cores = runtime.Version(), runtime.NumCPU()
	m.OS = runtime.GOOS + "/" + runtime.GOARCH
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		version, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-") // what follows names whoever built it
		m.OS += ", kernel " + version
	}
	if distribution := strings.Trim(fieldOf("/etc/os-release", "PRETTY_NAME", "="), `"`); distribution != "" {
		m.OS = distribution + ", " + m.OS
	}
	m.CPU = runtime.GOARCH
	if model := fieldOf("/proc/cpuinfo", "model name", ":"); model != "" {
		m.CPU = model
	}
	kib, _ := strconv.ParseInt(strings.TrimSuffix(fieldOf("/proc/meminfo", "MemTotal", ":"), " kB"), 10, 64)
	m.Memory = kib << 10
}

// fieldOf is the first value of a key in a file of keys and values; "" where there is none.
func fieldOf(path, key, separator string) string {
	text, _ := os.ReadFile(path) // not on every system
	for line := range bytes.Lines(text) {
		if k, v, ok := strings.Cut(string(line), separator); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
