package main

import (
	"embed"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config
var templates embed.FS

// view is what the templates in config/ may name.
type view struct{ l Layout }

func (v view) State(name string) string      { return v.l.state(name) }
func (v view) PKI(name string) string        { return v.l.pki(name) }
func (v view) Config(name string) string     { return v.l.config(name) }
func (v view) Kubeconfig(user string) string { return v.l.kubeconfig(user) }
func (v view) Containerd() string            { return v.l.containerd() }
func (v view) CNI() string                   { return v.l.CNI }
func (v view) NodeIP() string                { return v.l.nodeIP() }
func (v view) Pods() string                  { return v.l.pods() }
func (v view) PauseImage() string            { return pauseImage }
func (v view) KubeletPort() int              { return kubeletPort }

// configuration writes the files of config/, filled in, into the cluster's folder.
func configuration(l Layout) error {
	entries, err := templates.ReadDir("config")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		// Rules of Prometheus have templates of their own, and nothing of ours to fill in.
		filled, err := templates.ReadFile("config/" + name)
		if err != nil {
			return err
		}
		text := string(filled)
		if name != "rules.yaml" {
			if text, err = fill(name, text, l); err != nil {
				return err
			}
		}
		path := l.config(name)
		if name == "cni.conflist" {
			path = l.config("cni/pods.conflist") // containerd reads a whole folder
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := write(path, text); err != nil {
			return err
		}
	}
	return nil
}

func fill(name, text string, l Layout) (string, error) {
	parsed, err := template.New(name).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, view{l})
	return out.String(), err
}
