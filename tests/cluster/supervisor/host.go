package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// The aim is 20 s; a machine that compiles meanwhile takes longer.
const readyWithin = 3 * time.Minute

// orders is what `first` is told once the host's side of a cluster is made.
type orders struct {
	Layout      Layout
	Hierarchies []hierarchy
}

// up brings a cluster up, says "ready", obeys commands on standard input, and takes the cluster down
// at the end of its input, at SIGTERM or SIGINT, or by dying.
func up(arguments []string) error {
	l, err := layoutFrom(arguments)
	if err != nil {
		return err
	}
	// PR_SET_PDEATHSIG speaks of the thread that forked, so that this one has to stay.
	runtime.LockOSThread()
	sweepLeftovers()
	if err := l.folders(); err != nil {
		return err
	}
	hierarchies, err := ownHierarchies()
	if err != nil {
		return err
	}
	sweeper, err := startSweeper(hierarchies)
	if err != nil {
		return err
	}
	defer sweeper.release()
	cluster, err := startFirst()
	if err != nil {
		return err
	}
	defer cluster.end()
	commands := cluster.endWithInput()
	if err := cluster.give(&l, hierarchies); err != nil {
		return err
	}
	if err := cluster.awaitReady(l); err != nil {
		return err
	}
	fmt.Println("ready")
	return cluster.obey(l, commands)
}

func layoutFrom(arguments []string) (Layout, error) {
	var l Layout
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&l.Node, "node", "", "the binary with the programs of Kubernetes")
	flags.StringVar(&l.Prometheus, "prometheus", "", "the binary of Prometheus")
	flags.StringVar(&l.Demo, "demo", "", "the static binary of the demo service")
	flags.StringVar(&l.Images, "images", "", "the list of images to make of it")
	if err := flags.Parse(arguments); err != nil {
		return l, err
	}
	if flags.NArg() != 1 {
		return l, errors.New("one folder has to be named")
	}
	for _, path := range []*string{&l.Node, &l.Prometheus, &l.Demo, &l.Images} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return l, err
		}
		if _, err := os.Stat(absolute); err != nil {
			return l, err
		}
		*path = absolute
	}
	dir, err := filepath.Abs(flags.Arg(0))
	if err != nil {
		return l, err
	}
	for _, hidden := range hiddenFolders {
		if strings.HasPrefix(dir+"/", hidden+"/") {
			return l, fmt.Errorf("%s is not seen from inside the cluster, which has a %s of its own", dir, hidden)
		}
	}
	l.Dir = dir
	l.CNI, err = pluginFolder()
	return l, err
}

func pluginFolder() (string, error) {
	for _, folder := range []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} {
		if _, err := os.Stat(filepath.Join(folder, "bridge")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("no CNI plugins found; see tests/cluster/install")
}

// cluster is the host's hold on the namespaces.
type cluster struct {
	first   *exec.Cmd
	orders  io.WriteCloser // to `first`
	request io.Writer      // to `inside`
	answers *bufio.Reader  // from `inside`
	asked   atomic.Bool    // to end
}

func startFirst() (*cluster, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ordersOut, ordersIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ordersOut.Close()
	command := exec.Command(self, "first")
	command.Stderr = os.Stderr
	command.ExtraFiles = []*os.File{ordersOut}
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig: syscall.SIGKILL,
		Setsid:    true, // an interrupt from the keyboard is for the supervisor alone
	}
	request, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &cluster{first: command, orders: ordersIn, request: request, answers: bufio.NewReader(answers)}, nil
}

// endWithInput ends the cluster at the end of standard input or at a signal, from now on; the lines
// before that are the commands.
func (c *cluster) endWithInput() <-chan string {
	commands := make(chan string, 64)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	end := func() {
		c.asked.Store(true)
		c.first.Process.Kill()
	}
	go func() {
		<-signals
		end()
	}()
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			commands <- lines.Text()
		}
		end()
	}()
	return commands
}

// give makes the host's side of the cluster, and lets `first` go on.
func (c *cluster) give(l *Layout, hierarchies []hierarchy) error {
	octet, err := connect(c.first.Process.Pid)
	if err != nil {
		return err
	}
	l.Octet = octet
	if err := certificates(*l); err != nil {
		return err
	}
	if err := configuration(*l); err != nil {
		return err
	}
	if err := enter(hierarchies, c.first.Process.Pid); err != nil {
		return err
	}
	defer c.orders.Close()
	return json.NewEncoder(c.orders).Encode(orders{*l, hierarchies})
}

func (c *cluster) awaitReady(l Layout) error {
	late := time.AfterFunc(readyWithin, func() { c.first.Process.Kill() })
	defer late.Stop()
	line, err := c.answers.ReadString('\n')
	if c.asked.Load() {
		return errors.New("asked to end before it was ready")
	}
	if err != nil || line != "ready\n" {
		return fmt.Errorf("the cluster ended before it was ready; its logs are in %s", filepath.Dir(l.log("")))
	}
	if err := write(filepath.Join(l.Dir, "env"), environment(l)); err != nil {
		return err
	}
	if err := enterScript(l, c.first.Process.Pid); err != nil {
		return err
	}
	return c.writePids(l)
}

// end takes everything down: with process 1 the kernel ends all others, and with the last of them go
// mounts and network.
func (c *cluster) end() {
	c.orders.Close()
	c.first.Process.Kill()
	c.first.Wait()
}

// environment is what a test needs to know, as lines NAME=value.
func environment(l Layout) string {
	return fmt.Sprintf(`DEPLOYC_TEST_KUBECONFIG=%s
DEPLOYC_TEST_PROMETHEUS=%s
DEPLOYC_TEST_KUBECTL=%s
`, l.kubeconfig("admin"), l.prometheusURL(), filepath.Join(l.Dir, "kubectl"))
}

// enterScript writes DIR/enter, which runs a command inside, and DIR/kubectl, for people and tests.
func enterScript(l Layout, first int) error {
	inside := fmt.Sprintf("#!/bin/sh\nexec nsenter --target %d --mount --net --pid --ipc --uts --cgroup -- \"$@\"\n", first)
	if err := os.WriteFile(filepath.Join(l.Dir, "enter"), []byte(inside), 0o755); err != nil {
		return err
	}
	kubectl := fmt.Sprintf("#!/bin/sh\nexec '%s' kubectl --kubeconfig '%s' \"$@\"\n", l.Node, l.kubeconfig("admin"))
	return os.WriteFile(filepath.Join(l.Dir, "kubectl"), []byte(kubectl), 0o755)
}
