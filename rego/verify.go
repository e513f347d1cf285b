package rego

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/open-policy-agent/opa/v1/bundle"
)

// keyID is the name of the one key that signatures are held against, whatever key a
// signature says it was made with.
const keyID = "key"

// verification reads a key: a public key or certificate in PEM, or a shared secret.
// What a key is says which algorithm a signature must have.
func verification(path string) (*bundle.VerificationConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the verification key: %w", err)
	}
	key := string(text)
	algorithm := "HS256"
	if block, _ := pem.Decode(text); block != nil {
		if algorithm, err = algorithmOf(block); err != nil {
			return nil, fmt.Errorf("the verification key %s: %w", path, err)
		}
	} else if key = strings.TrimSpace(key); key == "" {
		return nil, fmt.Errorf("the verification key %s is empty", path)
	}
	c, err := bundle.NewVerificationConfig(nil, keyID, "", nil), error(nil)
	c.PublicKeys = map[string]*bundle.KeyConfig{keyID: {Key: key, Algorithm: algorithm}}
	return c, err
}

func algorithmOf(block *pem.Block) (string, error) {
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	default:
		return "", fmt.Errorf("a public key or certificate in PEM is needed, and this is a %s", strings.ToLower(block.Type))
	}
	if err != nil {
		return "", err
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		return "RS256", nil
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return "ES256", nil
		case 384:
			return "ES384", nil
		default:
			return "ES512", nil
		}
	case ed25519.PublicKey:
		return "EdDSA", nil
	}
	return "", errors.New("it is neither an RSA nor an elliptic curve key")
}

// unverified says in one sentence why a bundle is refused.
func unverified(name string, err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "missing .signatures.json"):
		return fmt.Errorf("%s is refused: it is not signed, and a verification key is given", name)
	case strings.Contains(text, "failed to verify JWT signature"):
		return fmt.Errorf("%s is refused: it is not signed with the key that is given", name)
	}
	return fmt.Errorf("%s is refused: it is not what was signed: %w", name, err)
}
