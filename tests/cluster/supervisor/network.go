package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

const (
	octetFirst = 100
	octetLast  = 250
)

// connect links the network of the process `first` with the host's, by the first 10.x.0.0/16 that
// nobody uses. The link's name is the claim: the kernel gives a name only once.
//
// Nothing of it has to be removed: both ends go with the namespace, and the route with its end.
func connect(first int) (octet int, err error) {
	for octet := octetFirst; octet <= octetLast; octet++ {
		l := Layout{Octet: octet}
		if used(l.network()) {
			continue
		}
		link := fmt.Sprintf("deployc-%d", octet)
		if run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", fmt.Sprint(first)) != nil {
			continue
		}
		return octet, runAll([][]string{
			{"ip", "address", "add", l.hostIP() + "/30", "dev", link},
			{"ip", "link", "set", link, "up"},
			{"ip", "route", "add", l.network(), "via", l.nodeIP(), "dev", link},
		})
	}
	return 0, errors.New("no free 10.x.0.0/16 found, or no right to make a network link")
}

// used says whether the host has an address in a network or a route into it.
func used(network string) bool {
	_, wanted, err := net.ParseCIDR(network)
	if err != nil {
		return true
	}
	routes, err := exec.Command("ip", "-4", "route", "show", "table", "all", "root", network).Output()
	if err != nil || len(routes) > 0 {
		return true
	}
	// A wider route (but the default one) covers it as well.
	routes, err = exec.Command("ip", "-4", "route", "show", "table", "all", "match", network).Output()
	if err != nil {
		return true
	}
	for _, route := range strings.Split(strings.TrimSpace(string(routes)), "\n") {
		if route != "" && !strings.HasPrefix(route, "default") {
			return true
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, address := range addresses {
		if host, ok := address.(*net.IPNet); ok && wanted.Contains(host.IP) {
			return true
		}
	}
	return false
}

// networkInside sets up the cluster's end of the link.
func networkInside(l Layout) error {
	if err := runAll([][]string{
		{"ip", "link", "set", "lo", "up"},
		{"ip", "address", "add", l.nodeIP() + "/30", "dev", "eth0"},
		{"ip", "link", "set", "eth0", "up"},
		{"ip", "route", "add", "default", "via", l.hostIP()},
	}); err != nil {
		return err
	}
	for _, setting := range []struct{ path, value string }{
		{"net/ipv4/ip_forward", "1"},
		// A connection that has ended is forgotten at once: else the next one from the same port, on
		// its way to the same Service, is sent after it, to a pod that may be gone by now.
		{"net/netfilter/nf_conntrack_tcp_timeout_time_wait", "1"},
		{"net/netfilter/nf_conntrack_tcp_timeout_close", "1"},
	} {
		if err := os.WriteFile("/proc/sys/"+setting.path, []byte(setting.value), 0o644); err != nil {
			return err
		}
	}
	// Pods that speak to a Service on their own bridge need it; a kernel may have it as a module.
	bridged := "/proc/sys/net/bridge/bridge-nf-call-iptables"
	if err := os.WriteFile(bridged, []byte("1"), 0o644); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

func runAll(commands [][]string) error {
	for _, command := range commands {
		if err := run(command[0], command[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// run runs a short command; what it says is part of its error.
func run(name string, arguments ...string) error {
	output, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, output)
	}
	return nil
}
