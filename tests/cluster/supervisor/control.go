package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// obey carries out commands until the cluster ends, and answers each with a line: "ok", or "error"
// and the reason.
//
//	pause NAME, continue NAME    a program that hangs
//	kill NAME, start NAME        one that crashed, and comes back with its data
//	forget                       the connections that the node tracks
func (c *cluster) obey(l Layout, commands <-chan string) error {
	ended := make(chan error, 1)
	go func() { ended <- c.first.Wait() }()
	for {
		select {
		case err := <-ended:
			if c.asked.Load() {
				return nil
			}
			return fmt.Errorf("the cluster ended by itself: %w", err)
		case command := <-commands:
			if err := c.carryOut(l, command); err != nil {
				fmt.Println("error", err)
			} else {
				fmt.Println("ok")
			}
		}
	}
}

func (c *cluster) carryOut(l Layout, command string) error {
	verb, name, _ := strings.Cut(strings.TrimSpace(command), " ")
	switch verb {
	case "pause":
		return c.signal(name, syscall.SIGSTOP)
	case "continue":
		return c.signal(name, syscall.SIGCONT)
	case "kill", "start", "forget":
		if _, err := fmt.Fprintln(c.request, command); err != nil {
			return err
		}
		answer, err := c.answers.ReadString('\n')
		if err != nil {
			return err
		}
		if answer != "ok\n" {
			return errors.New(strings.TrimSpace(answer))
		}
		return c.writePids(l)
	default:
		return fmt.Errorf("unknown command %q", command)
	}
}

func (c *cluster) signal(name string, signal syscall.Signal) error {
	pid, runs := c.pids()[name]
	if !runs {
		return fmt.Errorf("%q does not run", name)
	}
	return syscall.Kill(pid, signal)
}

// writePids leaves the host's number of each program's process in DIR/pids/NAME.
func (c *cluster) writePids(l Layout) error {
	for _, p := range programs(l) {
		if err := os.Remove(l.pid(p.name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for name, pid := range c.pids() {
		if err := write(l.pid(name), strconv.Itoa(pid)+"\n"); err != nil {
			return err
		}
	}
	return write(l.pid("first"), strconv.Itoa(c.first.Process.Pid)+"\n")
}

// pids finds the programs among the children of `inside`, which is the child of `first`: only the
// host's /proc knows their numbers here.
func (c *cluster) pids() map[string]int {
	found := map[string]int{}
	for _, inside := range children(c.first.Process.Pid) {
		if nameOf(inside) != insideName {
			continue
		}
		for _, pid := range children(inside) {
			// One that has just ended has no name any more.
			if name := nameOf(pid); name != "" {
				found[name] = pid
			}
		}
	}
	return found
}

func children(parent int) []int {
	var pids []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, task := range tasks {
		list, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(list)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// nameOf is the name that a process was started under.
func nameOf(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	name, _, _ := strings.Cut(string(line), "\x00")
	return name
}
