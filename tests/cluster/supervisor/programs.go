package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// program is one of the long-running programs of the cluster.
type program struct {
	name string
	argv []string
}

// programs in the order in which they can start.
func programs(l Layout) []program {
	node := func(name string, flags ...string) program {
		return program{name, append([]string{l.Node, name}, flags...)}
	}
	return []program{
		{"containerd", []string{"containerd", "--config=" + l.config("containerd.toml")}},
		node("etcd", etcdFlags(l)...),
		node("kube-apiserver", apiserverFlags(l)...),
		node("kube-controller-manager",
			"--kubeconfig="+l.kubeconfig("controller-manager"),
			"--service-account-private-key-file="+l.pki("service-account.key"),
			"--root-ca-file="+l.pki("ca.crt"),
			"--use-service-account-credentials",
			"--bind-address=127.0.0.1",
			// The only API server is away in some tests, and its clients look for it each 30 s at last. By
			// the usual 50 s the only node would be lost then, and its pods be in no Service.
			"--node-monitor-grace-period=10m",
			"--leader-elect=false"),
		node("kube-scheduler",
			"--kubeconfig="+l.kubeconfig("scheduler"),
			"--bind-address=127.0.0.1",
			"--leader-elect=false"),
		node("kubelet",
			"--config="+l.config("kubelet.yaml"),
			"--kubeconfig="+l.kubeconfig("kubelet"),
			"--hostname-override="+nodeName,
			"--node-ip="+l.nodeIP(),
			"--root-dir="+l.state("kubelet"),
			"--cert-dir="+l.state("kubelet-pki")),
		node("kube-proxy", proxyFlags(l)...),
		{"prometheus", append([]string{l.Prometheus}, prometheusFlags(l)...)},
	}
}

func etcdFlags(l Layout) []string {
	client := fmt.Sprintf("http://127.0.0.1:%d", etcdPort)
	return []string{
		"--data-dir=" + l.state("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=http://127.0.0.1:0",
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func apiserverFlags(l Layout) []string {
	return []string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", etcdPort),
		"--secure-port=" + strconv.Itoa(apiPort),
		"--advertise-address=" + l.nodeIP(),
		"--service-cluster-ip-range=" + l.services(),
		"--client-ca-file=" + l.pki("ca.crt"),
		"--tls-cert-file=" + l.pki("apiserver.crt"),
		"--tls-private-key-file=" + l.pki("apiserver.key"),
		"--kubelet-client-certificate=" + l.pki("admin.crt"),
		"--kubelet-client-key=" + l.pki("admin.key"),
		"--kubelet-certificate-authority=" + l.pki("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + l.pki("service-account.pub"),
		"--service-account-signing-key-file=" + l.pki("service-account.key"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
	}
}

// The zeros keep kube-proxy from setting what a network namespace may only read.
func proxyFlags(l Layout) []string {
	return []string{
		"--kubeconfig=" + l.kubeconfig("proxy"),
		"--hostname-override=" + nodeName,
		"--proxy-mode=nftables",
		"--cluster-cidr=" + l.pods(),
		"--healthz-bind-address=127.0.0.1",
		"--conntrack-max-per-core=0",
		"--conntrack-min=0",
		"--conntrack-tcp-timeout-established=0",
		"--conntrack-tcp-timeout-close-wait=0",
		"--oom-score-adj=0",
	}
}

func prometheusFlags(l Layout) []string {
	return []string{
		"--config.file=" + l.config("prometheus.yaml"),
		"--storage.tsdb.path=" + l.state("prometheus"),
		fmt.Sprintf("--web.listen-address=0.0.0.0:%d", prometheusPort),
		"--log.level=warn",
	}
}

// running is a started program.
type running struct {
	command *exec.Cmd
	ended   chan struct{} // closed at its end
}

// start runs a program with its output in its log, which an earlier run of it may have begun.
func (p program) start(l Layout) (*running, error) {
	log, err := os.OpenFile(l.log(p.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	path, err := exec.LookPath(p.argv[0])
	if err != nil {
		return nil, err
	}
	command := &exec.Cmd{
		Path:   path,
		Args:   append([]string{p.name}, p.argv[1:]...), // the name that the host's `ps` shows
		Dir:    l.Dir,
		Stdout: log,
		Stderr: log,
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	r := &running{command, make(chan struct{})}
	go func() {
		command.Wait()
		fmt.Fprintf(os.Stderr, "cluster: %s ended: %s\n", p.name, command.ProcessState)
		close(r.ended)
	}()
	return r, nil
}

// kill ends a program at once, as a crash would, and waits for its end.
func (r *running) kill() error {
	if err := r.command.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	select {
	case <-r.ended:
		return nil
	case <-time.After(5 * time.Second):
		return fmt.Errorf("process %d does not end", r.command.Process.Pid)
	}
}
