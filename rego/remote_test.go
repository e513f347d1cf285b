package rego

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
)

// A bundle is fetched when the user asks for it, and only then; afterwards it is
// taken from the cache, the server gone or not.
func TestBundleOverHTTP(t *testing.T) {
	served, asked := archive(t, ""), 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/text":
			_, _ = io.WriteString(w, "<html>")
		case r.URL.Path != "/bundle.tar.gz":
			http.NotFound(w, r)
		case user+password != "mesecret":
			http.Error(w, "who are you", http.StatusUnauthorized)
		default:
			_, _ = w.Write(served)
		}
	}))
	defer server.Close()
	with := strings.Replace(server.URL, "//", "//me:secret@", 1)
	opts := Options{Cache: filepath.Join(t.TempDir(), "cache")}
	load := func(source string, update bool) error {
		opts.Policies, opts.Update = []string{source}, update
		r, err := Load(t.Context(), opts)
		if err != nil {
			return err
		}
		if f := evaluateOn(t, r, "{}").Findings; len(f) != 1 || f[0].Message != "from the bundle" {
			t.Errorf("got %+v", f)
		}
		return nil
	}
	wants := func(source string, update bool, why string) {
		t.Helper()
		if err := load(source, update); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", source, err, why)
		}
	}
	wants(with+"/bundle.tar.gz", false, "is not in the cache; --update fetches it")
	if asked != 0 {
		t.Errorf("asked %d times before --update", asked)
	}
	wants(server.URL+"/bundle.tar.gz", true, "could not be fetched: the server answers 401 Unauthorized")
	wants(with+"/other.tar.gz", true, "could not be fetched: the server answers 404 Not Found")
	wants(with+"/text", true, "could not be fetched: it is no bundle")
	if err := load(with+"/bundle.tar.gz", true); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if err := load(with+"/bundle.tar.gz", false); err != nil {
		t.Error(err)
	}
	wants(with+"/bundle.tar.gz", true, "could not be fetched: ")
	if err := load(with+"/bundle.tar.gz", false); err != nil {
		t.Errorf("a failed update spoiled the cache: %v", err)
	}
}

// Bundles come out of a registry as OPA and as conftest push them.
func TestBundleFromRegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	key := newKey(t)
	layer := func(mediaType, title, text string) (ocispec.Descriptor, string) {
		d := content.NewDescriptorFromBytes(mediaType, []byte(text))
		if title != "" {
			d.Annotations = map[string]string{ocispec.AnnotationTitle: title}
		}
		return d, text
	}
	policy := "package tfguard.team\n\ndeny contains data.policy.message if true\n"
	for name, c := range map[string]struct {
		layers [][3]string // media type, title, text
		signed bool
		why    string
	}{
		"opa":               {[][3]string{{bundleLayer, "", string(archive(t, ""))}}, false, ""},
		"opa, signed":       {[][3]string{{bundleLayer, "", string(archive(t, key.private))}}, true, ""},
		"opa, not signed":   {[][3]string{{bundleLayer, "", string(archive(t, ""))}}, true, "is refused: it is not signed"},
		"conftest":          {[][3]string{{policyLayer, "policy/team.rego", policy}, {dataLayer, "policy/config.yaml", "message: from the bundle"}}, false, ""},
		"conftest, signed?": {[][3]string{{policyLayer, "policy/team.rego", policy}}, true, "is refused: it is not signed"},
		"a way out":         {[][3]string{{policyLayer, "../team.rego", policy}}, false, "which is no path in a bundle"},
		"something else":    {[][3]string{{"text/plain", "readme", "hello"}}, false, "it holds neither a bundle nor policies"},
	} {
		t.Run(name, func(t *testing.T) {
			repository := u.Host + "/team/" + strings.Map(func(r rune) rune {
				if r < 'a' || r > 'z' {
					return '-'
				}
				return r
			}, strings.TrimRight(name, "?"))
			repo, err := remote.NewRepository(repository)
			if err != nil {
				t.Fatal(err)
			}
			repo.PlainHTTP = true
			manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON}
			if err := repo.Push(t.Context(), ocispec.DescriptorEmptyJSON, bytes.NewReader(ocispec.DescriptorEmptyJSON.Data)); err != nil {
				t.Fatal(err)
			}
			for _, l := range c.layers {
				d, text := layer(l[0], l[1], l[2])
				if err := repo.Push(t.Context(), d, strings.NewReader(text)); err != nil {
					t.Fatal(err)
				}
				manifest.Layers = append(manifest.Layers, d)
			}
			if err := pushManifest(t, repo, manifest); err != nil {
				t.Fatal(err)
			}
			opts := Options{Policies: []string{"oci://" + repository + ":v1"}, Cache: t.TempDir(), Update: true}
			if c.signed {
				opts.VerificationKey = filepath.Join(folder(t, "key.pem", key.public), "key.pem")
			}
			r, err := Load(t.Context(), opts)
			switch {
			case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
				t.Errorf("got %v, want %q", err, c.why)
			case c.why == "" && err != nil:
				t.Error(err)
			case c.why == "":
				if f := evaluateOn(t, r, "{}").Findings; len(f) != 1 || f[0].Message != "from the bundle" {
					t.Errorf("got %+v", f)
				}
			}
		})
	}
	if left, err := os.ReadDir(os.Getenv("DOCKER_CONFIG")); err != nil || len(left) > 0 {
		t.Errorf("something was written into docker's folder: %v %v", left, err)
	}
}

func pushManifest(t *testing.T, repo *remote.Repository, m ocispec.Manifest) error {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = oras.TagBytes(t.Context(), repo, ocispec.MediaTypeImageManifest, text, "v1")
	return err
}
