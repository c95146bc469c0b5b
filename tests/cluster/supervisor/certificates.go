package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// authority is the one certificate authority of a cluster.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// A clock that is a little behind must not find the certificates not yet valid.
const clockSkew = time.Hour
const validity = 30 * 24 * time.Hour

// certificates writes all keys and certificates, and a kubeconfig for each user.
func certificates(l Layout) error {
	ca, err := newAuthority(l)
	if err != nil {
		return err
	}
	if err := serviceAccountKey(l); err != nil {
		return err
	}
	server := pkix.Name{CommonName: "kube-apiserver"}
	if err := ca.issue(l, "apiserver", server, l.nodeIP(), l.apiService(), "127.0.0.1"); err != nil {
		return err
	}
	if err := ca.issue(l, "kubelet-server", pkix.Name{CommonName: nodeName}, l.nodeIP()); err != nil {
		return err
	}
	for _, user := range []struct{ name, user, group string }{
		{"admin", "admin", "system:masters"},
		{"controller-manager", "system:kube-controller-manager", ""},
		{"scheduler", "system:kube-scheduler", ""},
		{"proxy", "system:kube-proxy", ""},
		{"kubelet", "system:node:" + nodeName, "system:nodes"},
		{"prometheus", "prometheus", ""},
	} {
		subject := pkix.Name{CommonName: user.user}
		if user.group != "" {
			subject.Organization = []string{user.group}
		}
		if err := ca.issue(l, user.name, subject); err != nil {
			return err
		}
		if err := write(l.kubeconfig(user.name), kubeconfig(l, user.name)); err != nil {
			return err
		}
	}
	return nil
}

func newAuthority(l Layout) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "test cluster"},
		NotBefore:             time.Now().Add(-clockSkew),
		NotAfter:              time.Now().Add(validity),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{certificate, key}, writePEM(l.pki("ca.crt"), "CERTIFICATE", der)
}

// issue writes NAME.crt and NAME.key: for a server when it has addresses, else for a client.
func (ca *authority) issue(l Layout, name string, subject pkix.Name, addresses ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    time.Now().Add(-clockSkew),
		NotAfter:     time.Now().Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(addresses) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		template.DNSNames = []string{"localhost", nodeName, "kubernetes", "kubernetes.default.svc"}
	}
	for _, address := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, &key.PublicKey, ca.key)
	if err != nil {
		return err
	}
	if err := writePEM(l.pki(name+".crt"), "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(l.pki(name+".key"), key)
}

// serviceAccountKey makes the pair that signs and checks the tokens of service accounts.
func serviceAccountKey(l Layout) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := writePEM(l.pki("service-account.pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	return writeKey(l.pki("service-account.key"), key)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func kubeconfig(l Layout, user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: test
  cluster: {server: %q, certificate-authority: %q}
users:
- name: %s
  user: {client-certificate: %q, client-key: %q}
contexts:
- name: test
  context: {cluster: test, user: %[3]s}
current-context: test
`, l.api(), l.pki("ca.crt"), user, l.pki(user+".crt"), l.pki(user+".key"))
}
