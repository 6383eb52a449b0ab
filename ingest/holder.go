package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// tcpListen is the state LISTEN in /proc/net/tcp.
const tcpListen = "0A"

// portHolder names the process that listens on a TCP port, as far as /proc tells this user; else "another program".
func portHolder(port int) string {
	sockets := listeningSockets(port)
	if len(sockets) > 0 {
		links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
		for _, link := range links {
			if target, err := os.Readlink(link); err == nil && sockets[target] {
				return processName(strings.Split(link, "/")[2])
			}
		}
	}
	return "another program"
}

// listeningSockets are the sockets that listen on port, as /proc/PID/fd names them.
func listeningSockets(port int) map[string]bool {
	found := map[string]bool{}
	suffix := fmt.Sprintf(":%04X", port)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode (proc(5))
			if f := strings.Fields(line); len(f) > 9 && strings.HasSuffix(f[1], suffix) && f[3] == tcpListen {
				found["socket:["+f[9]+"]"] = true
			}
		}
	}
	return found
}

func processName(pid string) string {
	if pid == strconv.Itoa(os.Getpid()) {
		return "this process itself"
	}
	name, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil || !saneRequestID(strings.TrimSpace(string(name))) {
		return "pid " + pid
	}
	return fmt.Sprintf("pid %s (%s)", pid, strings.TrimSpace(string(name)))
}
