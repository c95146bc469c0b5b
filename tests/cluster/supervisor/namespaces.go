package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// The name that `inside` is started under, by which the host finds it.
const insideName = "deployc-test-cluster"

// hiddenFolders of the host are other ones inside: programs of the cluster write there by fixed paths.
var hiddenFolders = []string{"/run", "/var/run", "/var/log", "/var/lib", "/proc", "/sys"}

// tunables of the whole machine that a kubelet insists on setting. It is shown the values it wants,
// so that it leaves the host's alone.
var tunables = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// first is process 1 of the cluster's namespaces. It gives them file systems of their own, starts
// `inside`, and then does what a process 1 has to do: reap.
func first([]string) error {
	// Namespaces belong to a thread, and `inside` has to be forked by the one that is in the new one.
	runtime.LockOSThread()
	var o orders
	if err := json.NewDecoder(os.NewFile(3, "orders")).Decode(&o); err != nil {
		return errors.New("no orders came")
	}
	// Only now, in its group: the root of the new namespace is the group that a process is in.
	if err := syscall.Unshare(syscall.CLONE_NEWCGROUP); err != nil {
		return err
	}
	if err := mounts(o); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	child, err := os.StartProcess(self, []string{insideName, "inside", string(text)},
		&os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil && err != syscall.EINTR {
			return err
		}
		if pid == child.Pid {
			return fmt.Errorf("the supervisor inside ended with status %d", status.ExitStatus())
		}
	}
}

func mounts(o orders) error {
	l := o.Layout
	type mount struct {
		source, target, kind string
		flags                uintptr
		options              string
		folders              []string // to be made first
	}
	upper, work := l.state("var-lib", "upper"), l.state("var-lib", "work")
	const tmpfs = "size=2g,mode=0755"
	all := []mount{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE, "", nil},
		{"proc", "/proc", "proc", 0, "", nil},
		{"tmpfs", l.state(), "tmpfs", 0, tmpfs, nil},
		{"tmpfs", "/run", "tmpfs", 0, tmpfs, nil},
		{"tmpfs", "/var/log", "tmpfs", 0, tmpfs, nil},
		// Read as it is, as somebody's home may be there, and written to in memory.
		{"overlay", "/var/lib", "overlay", 0, "lowerdir=/var/lib,upperdir=" + upper + ",workdir=" + work, []string{upper, work}},
		{"sysfs", "/sys", "sysfs", 0, "", nil},
		{"tmpfs", "/sys/fs/cgroup", "tmpfs", 0, "mode=0755", nil},
	}
	for _, h := range o.Hierarchies {
		kind := "cgroup"
		if h.Options == "" {
			kind = "cgroup2"
		}
		all = append(all, mount{kind, h.Mount, kind, 0, h.Options, []string{h.Mount}})
	}
	for _, m := range all {
		// Some of them lie in a file system that was empty a moment ago.
		for _, folder := range m.folders {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, m.options); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.target, err)
		}
	}
	for name, value := range tunables {
		if err := cover("/proc/sys/"+name, value+"\n"); err != nil {
			return err
		}
	}
	// No name server is reached from here: an answer of "refused" comes sooner than none.
	return cover("/etc/resolv.conf", "nameserver 127.0.0.1\n")
}

// cover shows another text in place of a file, inside. It is kept out of the state's file system, or
// the kubelet would take one for the other.
func cover(path, text string) error {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return nil
	}
	instead := filepath.Join("/run/covers", strings.ReplaceAll(path, "/", "_"))
	if err := os.MkdirAll(filepath.Dir(instead), 0o755); err != nil {
		return err
	}
	if err := write(instead, text); err != nil {
		return err
	}
	if err := syscall.Mount(instead, path, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", path, err)
	}
	return nil
}
