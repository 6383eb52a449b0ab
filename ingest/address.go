package ingest

import (
	"net"
	"net/netip"
)

// URL is where clients on this machine reach the server; "" when it does not listen.
func (s Snapshot) URL() string {
	if s.Addr == "" {
		return ""
	}
	scheme := "http://"
	if s.TLS {
		scheme = "https://"
	}
	return scheme + dialable(s.Addr)
}

// CurlOptions is what curl must be told beside the URL, with a blank in front; "" when it needs nothing. The token is for the caller to fill in.
func (s Snapshot) CurlOptions() string {
	options := ""
	if s.CACert != "" {
		options += " --cacert " + shellQuote(s.CACert)
	}
	if s.Token {
		options += ` -H "authorization: Bearer $TOKEN"`
	}
	return options
}

// dialable replaces a host that stands for every address of this machine by one of them.
func dialable(hostport string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1" // a socket on [::] takes IPv4 too
	}
	return net.JoinHostPort(host, port)
}

// isThisMachine tells whether what is sent to a host, a name or an address, stays on this machine.
func isThisMachine(host string) bool {
	if isLoopbackHost(host) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs() // without the list it is another machine's
	for _, addr := range own {
		if prefix, err := netip.ParsePrefix(addr.String()); err == nil && prefix.Addr().Unmap() == ip.Unmap() {
			return true
		}
	}
	return false
}
