package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// Layout says where everything of one cluster is: its folder, and its addresses.
//
// The addresses are all in 10.Octet.0.0/16: the link to the host in .0, pods in .1, services in .2.
type Layout struct {
	Dir        string // on the host's file system; it stays for a look at the logs
	Node       string // the binary with the programs of Kubernetes
	Prometheus string
	Demo       string
	Images     string
	CNI        string // folder of the CNI plugins
	Octet      int
}

const (
	apiPort        = 6443
	etcdPort       = 2379
	prometheusPort = 9090
	kubeletPort    = 10250
	nodeName       = "node"
	pauseImage     = "registry.local/pause:v1"
)

func (l Layout) hostIP() string   { return fmt.Sprintf("10.%d.0.1", l.Octet) }
func (l Layout) nodeIP() string   { return fmt.Sprintf("10.%d.0.2", l.Octet) }
func (l Layout) network() string  { return fmt.Sprintf("10.%d.0.0/16", l.Octet) }
func (l Layout) pods() string     { return fmt.Sprintf("10.%d.1.0/24", l.Octet) }
func (l Layout) services() string { return fmt.Sprintf("10.%d.2.0/24", l.Octet) }

// apiService is the first address of the service range, which the API server takes for itself.
func (l Layout) apiService() string { return fmt.Sprintf("10.%d.2.1", l.Octet) }

func (l Layout) api() string { return fmt.Sprintf("https://%s:%d", l.nodeIP(), apiPort) }
func (l Layout) prometheusURL() string {
	return fmt.Sprintf("http://%s:%d", l.nodeIP(), prometheusPort)
}

// state is a file system in memory that only the cluster's namespaces see, so that it goes with them.
func (l Layout) state(name ...string) string {
	return filepath.Join(append([]string{l.Dir, "state"}, name...)...)
}
func (l Layout) pki(name string) string        { return filepath.Join(l.Dir, "pki", name) }
func (l Layout) kubeconfig(user string) string { return filepath.Join(l.Dir, "kubeconfig", user) }
func (l Layout) config(name string) string     { return filepath.Join(l.Dir, "config", name) }
func (l Layout) log(name string) string        { return filepath.Join(l.Dir, "log", name+".log") }
func (l Layout) pid(name string) string        { return filepath.Join(l.Dir, "pids", name) }
func (l Layout) containerd() string            { return "/run/containerd/containerd.sock" }

// folders empties what an earlier run has left in Dir, and makes what this one needs.
func (l Layout) folders() error {
	for _, name := range []string{"pki", "kubeconfig", "config", "log", "pids", "state"} {
		path := filepath.Join(l.Dir, name)
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func write(path, text string) error {
	return os.WriteFile(path, []byte(text), 0o600)
}
