package rego

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
)

// A keyPair are the PEM texts of a new key.
type keyPair struct{ private, public string }

func newKey(t *testing.T) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return keyPair{text("PRIVATE KEY", private), text("PUBLIC KEY", public)}
}

const guardrailText = "package tfguard.team\n\ndeny contains data.team.message if true\n"

// archive makes a bundle with one guardrail, signed if there is a key.
func archive(t *testing.T, key string, roots ...string) []byte {
	t.Helper()
	m, err := ast.ParseModuleWithOpts("/policy/team.rego", guardrailText, ast.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if roots == nil {
		roots = []string{"tfguard/team", "team"}
	}
	b := bundle.Bundle{
		Manifest: bundle.Manifest{Revision: "r1", Roots: &roots},
		Modules:  []bundle.ModuleFile{{URL: "policy/team.rego", Path: "/policy/team.rego", Parsed: m, Raw: []byte(guardrailText)}},
		Data:     map[string]any{"team": map[string]any{"message": "from the bundle"}},
	}
	if key != "" {
		if err := b.GenerateSignature(bundle.NewSigningConfig(key, "ES256", ""), "whatever", false); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).DisableFormat(true).Write(b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// edit unpacks an archive, changes its files, and packs it again.
func edit(t *testing.T, text []byte, change func(files map[string][]byte)) []byte {
	t.Helper()
	files := unpack(t, text)
	change(files)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unpack(t *testing.T, text []byte) map[string][]byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "/")] = content
	}
}

// A signed bundle runs; one that is not signed, not with this key, or not what was
// signed is refused before anything of it is read as Rego.
func TestSignatures(t *testing.T) {
	key, other := newKey(t), newKey(t)
	signed := archive(t, key.private)
	change := func(name, from, to string) []byte {
		return edit(t, signed, func(files map[string][]byte) {
			if !bytes.Contains(files[name], []byte(from)) {
				t.Fatalf("%s has no %q", name, from)
			}
			files[name] = bytes.Replace(files[name], []byte(from), []byte(to), 1)
		})
	}
	for name, c := range map[string]struct {
		archive []byte
		key     string
		why     string // "" for none
	}{
		"signed":        {signed, key.public, ""},
		"no key":        {signed, "", ""},
		"unsigned":      {archive(t, ""), key.public, "is refused: it is not signed, and a verification key is given"},
		"another key":   {signed, other.public, "is refused: it is not signed with the key that is given"},
		"one byte":      {change("policy/team.rego", "deny", "dent"), key.public, "is refused: it is not what was signed: policy/team.rego: digest mismatch"},
		"not even Rego": {change("policy/team.rego", "deny", "!!!!"), key.public, "is refused: it is not what was signed: policy/team.rego: digest mismatch"},
		"data":          {change("data.json", "from", "FROM"), key.public, "is refused: it is not what was signed: data.json: digest mismatch"},
		"manifest":      {change(".manifest", "r1", "r2"), key.public, "is refused: it is not what was signed: .manifest: digest mismatch"},
		"a file more":   {edit(t, signed, func(f map[string][]byte) { f["more.rego"] = []byte("package tfguard.team") }), key.public, "is refused: it is not what was signed: file more.rego not included in bundle signature"},
		"a file less":   {edit(t, signed, func(f map[string][]byte) { delete(f, "data.json") }), key.public, "specified in bundle signatures but not found"},
		"a private key": {signed, key.private, "a public key or certificate in PEM is needed, and this is a private key"},
		"a secret":      {signed, "secret", "is refused: it is not signed with the key that is given"},
		"an empty key":  {signed, "\n", "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t, "bundle.tar.gz", string(c.archive), "key.pem", c.key)
			opts := Options{Policies: []string{filepath.Join(root, "bundle.tar.gz")}}
			if c.key != "" {
				opts.VerificationKey = filepath.Join(root, "key.pem")
			}
			r, err := Load(t.Context(), opts)
			switch {
			case c.why == "" && err != nil:
				t.Fatal(err)
			case c.why == "":
				if f := evaluateOn(t, r, "{}").Findings; len(f) != 1 || f[0].Message != "from the bundle" {
					t.Errorf("got %+v", f)
				}
			case err == nil || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "\n"):
				t.Errorf("got %v, want %q", err, c.why)
			}
		})
	}
}

// An unpacked bundle is verified like a packed one; what can bear no signature is
// refused.
func TestSignaturesOfFolders(t *testing.T) {
	key := newKey(t)
	root := folder(t, "key.pem", key.public, "plain/team.rego", guardrailText)
	for name, content := range unpack(t, archive(t, key.private)) {
		file := filepath.Join(root, "bundle", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	load := func(path string) error {
		_, err := Load(t.Context(), Options{Policies: []string{filepath.Join(root, path)}, VerificationKey: filepath.Join(root, "key.pem")})
		return err
	}
	if err := load("bundle"); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"plain", "plain/team.rego"} {
		if err := load(path); err == nil || !strings.Contains(err.Error(), "is refused: it is not signed") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "bundle", "policy", "team.rego"), []byte(guardrailText+" "), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := load("bundle"); err == nil || !strings.Contains(err.Error(), "is not what was signed") {
		t.Errorf("got %v", err)
	}
}

// What a manifest claims belongs to its bundle alone, and a bundle keeps to it.
func TestRoots(t *testing.T) {
	claims := archive(t, "")
	for name, c := range map[string]struct {
		files []string
		why   string
	}{
		"beside":      {[]string{"bundle.tar.gz", string(claims), "other.rego", "package tfguard.other\n\ndeny contains \"x\"\n"}, ""},
		"inside":      {[]string{"bundle.tar.gz", string(claims), "other.rego", "package tfguard.team\n\ndeny contains \"x\"\n"}, "other.rego:1:1: the package tfguard.team belongs to "},
		"below":       {[]string{"bundle.tar.gz", string(claims), "other.rego", "package tfguard.team.sub\n\ndeny contains \"x\"\n"}, "other.rego:1:1: the package tfguard.team.sub belongs to "},
		"overlap":     {[]string{"bundle.tar.gz", string(claims), "other.tar.gz", string(archive(t, "", "tfguard", "team"))}, "both claim the root"},
		"outside":     {[]string{"bundle.tar.gz", string(archive(t, "", "elsewhere"))}, "manifest roots [elsewhere] do not permit"},
		"data twice":  {[]string{"a.rego", "package main\n\ndeny contains \"x\"\n", "a.json", `{"a": {"b": 1}}`, "b.json", `{"a": {"b": 2}}`}, "b.json: data.a.b stands in another source too"},
		"data inside": {[]string{"bundle.tar.gz", string(claims), "data.json", `{"team": {"message": "other"}}`}, "data.team belongs to "},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t, c.files...)
			var opts Options
			for i := 0; i < len(c.files); i += 2 {
				path := filepath.Join(root, c.files[i])
				if strings.HasSuffix(path, ".json") {
					opts.Data = append(opts.Data, path)
				} else {
					opts.Policies = append(opts.Policies, path)
				}
			}
			_, err := Load(t.Context(), opts)
			if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
				t.Errorf("got %v, want %q", err, c.why)
			}
		})
	}
}
