package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// image is a container image of one static binary.
type image struct {
	name        string
	environment []string
	command     []string
	layer       []byte
}

// importImages makes the images and gives them to containerd, once that listens.
func importImages(l Layout) error {
	archive, err := imageArchive(l)
	if err != nil {
		return err
	}
	path := l.state("images.tar")
	if err := os.WriteFile(path, archive, 0o600); err != nil {
		return err
	}
	ctr := []string{"--address", l.containerd(), "--namespace", "k8s.io", "images", "import", "--snapshotter", "overlayfs", path}
	if err := until(func() error { return run("ctr", ctr...) }); err != nil {
		return err
	}
	return os.Remove(path)
}

// imageArchive is what `docker save` would write: any number of images, with their layers shared.
func imageArchive(l Layout) ([]byte, error) {
	images, err := images(l)
	if err != nil {
		return nil, err
	}
	var manifest []map[string]any
	files := map[string][]byte{}
	for _, i := range images {
		digest := fmt.Sprintf("%x", sha256.Sum256(i.layer))
		config, err := json.Marshal(map[string]any{
			"architecture": runtime.GOARCH,
			"os":           "linux",
			"config":       map[string]any{"Env": i.environment, "Entrypoint": i.command},
			"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest}},
		})
		if err != nil {
			return nil, err
		}
		configName := fmt.Sprintf("%x.json", sha256.Sum256(config))
		files[configName], files[digest+".tar"] = config, i.layer
		manifest = append(manifest, map[string]any{
			"Config": configName, "RepoTags": []string{i.name}, "Layers": []string{digest + ".tar"},
		})
	}
	if files["manifest.json"], err = json.Marshal(manifest); err != nil {
		return nil, err
	}
	return archive(files)
}

// images reads the list of images, each line a name and the environment of the demo service in it.
func images(l Layout) ([]image, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	pauseLayer, err := layer(self, "pause")
	if err != nil {
		return nil, err
	}
	demoLayer, err := layer(l.Demo, "demo-service")
	if err != nil {
		return nil, err
	}
	list, err := os.ReadFile(l.Images)
	if err != nil {
		return nil, err
	}
	all := []image{{pauseImage, nil, []string{"/pause", "pause"}, pauseLayer}}
	for _, line := range strings.Split(string(list), "\n") {
		words := strings.Fields(line)
		if len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			all = append(all, image{words[0], words[1:], []string{"/demo-service"}, demoLayer})
		}
	}
	return all, nil
}

func layer(binary, name string) ([]byte, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	return archive(map[string][]byte{name: content})
}

func archive(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for name, content := range files {
		header := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(content); err != nil {
			return nil, err
		}
	}
	err := writer.Close()
	return out.Bytes(), err
}

// pause is the program of the container that holds a pod's namespaces: it waits for its end.
func pause([]string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	return nil
}
