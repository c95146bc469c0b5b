package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// inside starts the programs, says "ready" on standard output when all of them answer, and then
// carries out one command a line.
func inside(arguments []string) error {
	var o orders
	if err := json.Unmarshal([]byte(arguments[0]), &o); err != nil {
		return err
	}
	l := o.Layout
	if err := syscall.Sethostname([]byte(nodeName)); err != nil {
		return err
	}
	if err := delegate(o.Hierarchies); err != nil {
		return err
	}
	if err := networkInside(l); err != nil {
		return err
	}
	all := map[string]program{}
	started := map[string]*running{}
	for _, p := range programs(l) {
		all[p.name] = p
		r, err := p.start(l)
		if err != nil {
			return err
		}
		started[p.name] = r
		if err := settle(l, p.name); err != nil {
			return err
		}
	}
	if err := awaitNode(l); err != nil {
		return err
	}
	fmt.Println("ready")

	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		if err := command(l, all, started, commands.Text()); err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok")
		}
	}
	return nil
}

// settle waits after the start of a program for what the next one can not do without.
func settle(l Layout, name string) error {
	switch name {
	case "etcd":
		return importImages(l)
	case "kube-apiserver":
		return awaitAPI(l)
	default:
		return nil
	}
}

func command(l Layout, all map[string]program, started map[string]*running, line string) error {
	verb, name, _ := strings.Cut(line, " ")
	if verb == "forget" {
		return run("conntrack", "--flush")
	}
	p, known := all[name]
	if !known {
		return fmt.Errorf("no program is named %q", name)
	}
	if verb == "kill" {
		return started[name].kill()
	}
	select {
	case <-started[name].ended:
	default:
		return fmt.Errorf("%s runs already", name)
	}
	r, err := p.start(l)
	if err != nil {
		return err
	}
	started[name] = r
	return nil
}

// until tries something again and again; how long is for the supervisor outside to decide.
func until(try func() error) error {
	var last string
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := try()
		if err == nil {
			return nil
		}
		if now := err.Error(); now != last && time.Since(begun) > 10*time.Second {
			fmt.Fprintf(os.Stderr, "cluster: waiting: %s\n", now)
			last = now
		}
	}
}
