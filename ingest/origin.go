package ingest

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// checkOrigin refuses what a web page could have sent; "" lets the request through. Three walls, since each alone has a hole: the Host
// header must name this machine (a page whose name was pointed at 127.0.0.1 carries its own), an Origin must be the server itself (a form
// on a page carries the page's), and Sec-Fetch-Site must not be cross-site (an image or a link carries no Origin).
func (s *Server) checkOrigin(r *http.Request) string {
	if !s.hostAllowed(r) {
		return "the Host header must name this machine (localhost, 127.0.0.1, [::1]) or the address that the server listens on; --allowed-host NAME allows another name"
	}
	for _, origin := range r.Header.Values("Origin") {
		if !sameOrigin(origin, r.Host) {
			return "the Origin header names another site: a web page may not reach the lake"
		}
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return "the Sec-Fetch-Site header says " + fetchSite(site) + ": a web page may not reach the lake"
		}
	}
	return ""
}

// fetchSite keeps the values that browsers send and hides others: the answer repeats nothing unknown.
func fetchSite(v string) string {
	if v == "cross-site" || v == "same-site" {
		return v
	}
	return "something unknown"
}

// hostAllowed compares without the port: a tunnel (ssh -L 9000:localhost:8000) changes it, and DNS rebinding needs a name.
func (s *Server) hostAllowed(r *http.Request) bool {
	host := hostOf(r.Host)
	if isLoopbackHost(host) {
		return true
	}
	for _, allowed := range s.cfg.AllowedHosts {
		if strings.EqualFold(host, allowed) {
			return true
		}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.AddrPort().Addr().Unmap() == ip.Unmap()
}

// hostOf cuts the port and the brackets of an IPv6 literal off a Host header.
func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	if inner, ok := strings.CutPrefix(hostport, "["); ok && strings.HasSuffix(inner, "]") {
		return strings.TrimSuffix(inner, "]")
	}
	return hostport
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	port, ok := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return ok && strings.EqualFold(strings.TrimSuffix(u.Host, port), strings.TrimSuffix(host, port))
}
