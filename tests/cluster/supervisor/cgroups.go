package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// hierarchy is one tree of control groups: a kernel has one of version 2, or several of version 1.
type hierarchy struct {
	Mount   string // where it is mounted, on the host and inside
	Options string // of the mount, for version 1; "" means version 2
	Group   string // the folder of this cluster's group, on the host
}

// Groups of a supervisor that is gone are recognised by its process number and start time.
const groupPrefix = "deployc-test-"

// ownHierarchies names a group for this supervisor in each hierarchy, without making it.
func ownHierarchies() ([]hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	places, err := ownGroups()
	if err != nil {
		return nil, err
	}
	name := groupPrefix + identity(os.Getpid())
	var found []hierarchy
	for _, line := range strings.Split(string(mounts), "\n") {
		before, after, _ := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(kind) < 3 || !strings.HasPrefix(kind[0], "cgroup") {
			continue
		}
		h := hierarchy{Mount: fields[4]}
		if kind[0] == "cgroup" {
			h.Options = strings.TrimPrefix(kind[2], "rw,")
		}
		h.Group = filepath.Join(h.Mount, parent(h, places), name)
		found = append(found, h)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no control groups are mounted")
	}
	return found, nil
}

// parent is the group that the cluster's one is made in: the own one, so that the limits which hold
// here hold for the cluster too. In version 2 that is not possible for a group with controllers, which
// may not have processes and groups side by side; there it is the root.
func parent(h hierarchy, places map[string]string) string {
	place := places[strings.TrimPrefix(h.Options, "xattr,")]
	if controllers, _ := os.ReadFile(filepath.Join(h.Mount, "cgroup.controllers")); len(strings.TrimSpace(string(controllers))) > 0 {
		return ""
	}
	if _, err := os.Stat(filepath.Join(h.Mount, place)); err != nil {
		return "" // the mount begins further down, as in a container
	}
	return place
}

// ownGroups reads the own group in each hierarchy, by the hierarchy's controllers.
func ownGroups() (map[string]string, error) {
	list, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	places := map[string]string{}
	for _, line := range strings.Split(string(list), "\n") {
		if fields := strings.SplitN(line, ":", 3); len(fields) == 3 {
			places[fields[1]] = fields[2]
		}
	}
	return places, nil
}

// enter makes the groups and puts a process in.
func enter(hierarchies []hierarchy, pid int) error {
	for _, h := range hierarchies {
		if err := os.Mkdir(h.Group, 0o755); err != nil {
			return err
		}
		// A new cpuset is empty, and takes no process.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			if err := inherit(h, name); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(h.Group, "cgroup.procs"), fmt.Append(nil, pid), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func inherit(h hierarchy, name string) error {
	own := filepath.Join(h.Group, name)
	if _, err := os.Stat(own); err != nil || h.Options == "" {
		return nil
	}
	value, err := os.ReadFile(filepath.Join(filepath.Dir(h.Group), name))
	if err != nil {
		return err
	}
	return os.WriteFile(own, value, 0o644)
}

// delegate lets groups be made below the root of the cluster's own view of version 2: its processes
// have to move to a leaf before it can hand its controllers down.
func delegate(hierarchies []hierarchy) error {
	for _, h := range hierarchies {
		controllers, err := os.ReadFile(filepath.Join(h.Mount, "cgroup.controllers"))
		names := strings.Fields(string(controllers))
		if h.Options != "" || err != nil || len(names) == 0 {
			continue
		}
		leaf := filepath.Join(h.Mount, "supervisor")
		if err := os.Mkdir(leaf, 0o755); err != nil {
			return err
		}
		for _, pid := range []int{1, os.Getpid()} {
			if err := os.WriteFile(filepath.Join(leaf, "cgroup.procs"), fmt.Append(nil, pid), 0o644); err != nil {
				return err
			}
		}
		down := "+" + strings.Join(names, " +")
		if err := os.WriteFile(filepath.Join(h.Mount, "cgroup.subtree_control"), []byte(down), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Removal

// sweeper is a process that removes the groups of this supervisor as soon as it is gone: groups are
// the one thing that outlives their processes.
type sweeper struct {
	command *exec.Cmd
	hold    io.Closer
}

func startSweeper(hierarchies []hierarchy) (*sweeper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	groups, err := json.Marshal(hierarchies)
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, "sweep", string(groups))
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	hold, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &sweeper{command, hold}, command.Start()
}

func (s *sweeper) release() {
	s.hold.Close()
	s.command.Wait()
}

// sweep waits until its supervisor lets go of its standard input, by wish or by death.
func sweep(arguments []string) error {
	var hierarchies []hierarchy
	if err := json.Unmarshal([]byte(arguments[0]), &hierarchies); err != nil {
		return err
	}
	io.Copy(io.Discard, os.Stdin)
	var err error
	// The kernel may need a moment for a hundred processes.
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		err = nil
		for _, h := range hierarchies {
			if failed := removeGroup(h.Group); failed != nil {
				err = failed
			}
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// sweepLeftovers removes what is left of supervisors that were killed together with their sweepers.
// What cannot be removed still has processes, and is not ours to judge.
func sweepLeftovers() {
	filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || !strings.HasPrefix(entry.Name(), groupPrefix) {
			return nil
		}
		if !alive(strings.TrimPrefix(entry.Name(), groupPrefix)) {
			removeGroup(path)
		}
		return fs.SkipDir
	})
}

func removeGroup(group string) error {
	var folders []string
	err := filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, folder := range slices.Backward(folders) {
		if err := os.Remove(folder); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// identity names a process for good: numbers come round, start times do not.
func identity(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The second field is a name in brackets, in which anything may stand.
	rest := string(stat)[strings.LastIndex(string(stat), ")")+1:]
	if fields := strings.Fields(rest); len(fields) > 19 {
		return fmt.Sprintf("%d-%s", pid, fields[19])
	}
	return fmt.Sprint(pid)
}

func alive(id string) bool {
	var pid int
	if _, err := fmt.Sscanf(id, "%d-", &pid); err != nil {
		return false
	}
	return identity(pid) == id
}
