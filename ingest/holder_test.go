package ingest

import (
	"net"
	"os"
	"runtime"
	"testing"
)

func TestPortHolderIsFound(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if got := portHolder(port); got != "this process itself" {
		t.Errorf("got %q", got)
	}
	l.Close()
	if got := portHolder(port); got != "another program" {
		t.Errorf("of a free port: %q", got)
	}
	if got := processName("1"); os.Getpid() != 1 && len(got) < len("pid 1") {
		t.Errorf("got %q", got)
	}
}
