// The supervisor of a test cluster: it makes a private set of namespaces, runs a whole Kubernetes
// node and a Prometheus in them, and takes all of it down when it ends, in whatever way it ends.
//
// It is three processes of this one program:
//
//	up      on the host: network, certificates, control by standard input (host.go)
//	first   process 1 of the namespaces; when it dies, the kernel ends all others (namespaces.go)
//	inside  starts the programs, waits until they answer, obeys `up` (inside.go)
//
// and a fourth, `sweep`, outlives `up` by a moment to remove the control groups (cgroups.go).
package main

import (
	"fmt"
	"os"
)

// One verb a process; all but `up` are for the supervisor itself.
var verbs = map[string]func(arguments []string) error{
	"up":     up,
	"first":  first,
	"inside": inside,
	"sweep":  sweep,
	"pause":  pause,
}

func main() {
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: supervisor up --node FILE --prometheus FILE --demo FILE --images FILE DIR")
		os.Exit(2)
	}
	if err := verbs[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "cluster: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
