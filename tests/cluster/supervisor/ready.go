package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// awaitAPI waits for the API server with its first roles, and lets Prometheus read from it.
func awaitAPI(l Layout) error {
	api, err := administrator(l)
	if err != nil {
		return err
	}
	if err := until(func() error { return get(api, l.api()+"/readyz", nil) }); err != nil {
		return err
	}
	// The built-in role `view` is not filled in before a controller has run.
	for _, kind := range []string{"clusterroles", "clusterrolebindings"} {
		object, err := os.ReadFile(l.config("prometheus-" + kind + ".json"))
		if err != nil {
			return err
		}
		if err := post(api, l.api()+"/apis/rbac.authorization.k8s.io/v1/"+kind, object); err != nil {
			return err
		}
	}
	return nil
}

// awaitNode waits until pods can be made and run, and Prometheus answers.
func awaitNode(l Layout) error {
	api, err := administrator(l)
	if err != nil {
		return err
	}
	if err := until(func() error { return nodeReady(api, l) }); err != nil {
		return err
	}
	// No pod is admitted before its namespace has this account, which a controller makes.
	account := l.api() + "/api/v1/namespaces/default/serviceaccounts/default"
	if err := until(func() error { return get(api, account, nil) }); err != nil {
		return err
	}
	return until(func() error { return get(http.DefaultClient, l.prometheusURL()+"/-/ready", nil) })
}

func nodeReady(api *http.Client, l Layout) error {
	var node struct {
		Spec   struct{ Taints []struct{ Key string } }
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := get(api, l.api()+"/api/v1/nodes/"+nodeName, &node); err != nil {
		return err
	}
	if len(node.Spec.Taints) > 0 {
		return fmt.Errorf("the node has the taint %s", node.Spec.Taints[0].Key)
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" && condition.Status == "True" {
			return nil
		} else if condition.Type == "Ready" {
			return errors.New("the node: " + condition.Message)
		}
	}
	return errors.New("the node has not reported yet")
}

// administrator is a client with all rights.
func administrator(l Layout) (*http.Client, error) {
	certificate, err := tls.LoadX509KeyPair(l.pki("admin.crt"), l.pki("admin.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(l.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs:      roots,
			Certificates: []tls.Certificate{certificate},
		}},
	}, nil
}

func get(client *http.Client, url string, into any) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func post(client *http.Client, url string, object []byte) error {
	answer, err := client.Post(url, "application/json", bytes.NewReader(object))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return nil
}
