package rego

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// local returns where a source is on disk: for a remote one in the cache, fetched
// anew if the user asks for that.
func (l *loaded) local(ctx context.Context, source string) (string, error) {
	u := address(source)
	if u == nil {
		return source, nil
	}
	if u.Host == "" {
		return "", fmt.Errorf("%s names no host", source)
	}
	if l.opts.Cache == "" {
		return "", fmt.Errorf("%s: there is no folder to keep it in", u.Redacted())
	}
	sum := sha256.Sum256([]byte(source))
	cached := filepath.Join(l.opts.Cache, hex.EncodeToString(sum[:])+".tar.gz")
	if !l.opts.Update {
		_, err := os.Stat(cached)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s is not in the cache; --update fetches it", u.Redacted())
		}
		return cached, err
	}
	fetch := fetchHTTP
	if u.Scheme == "oci" {
		fetch = fetchOCI
	}
	text, err := fetch(ctx, u)
	if err != nil {
		return "", fmt.Errorf("%s could not be fetched: %w", u.Redacted(), err)
	}
	return cached, keep(cached, text)
}

// address returns the address of a source, nil if it is a path.
func address(source string) *url.URL {
	u, err := url.Parse(source)
	if err != nil || !slices.Contains([]string{"http", "https", "oci"}, u.Scheme) {
		return nil
	}
	return u
}

// displayName is what a source is called in messages: without a password.
func displayName(source string) string {
	if u := address(source); u != nil {
		return u.Redacted()
	}
	return source
}

// keep writes a file as a whole or not at all.
func keep(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "fetched-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // after the rename there is none
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// maxBundle bounds a bundle that is fetched.
const maxBundle = 256 << 20

func fetchHTTP(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBundle+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxBundle:
		return nil, fmt.Errorf("it has more than %d MiB", maxBundle>>20)
	case !bytes.HasPrefix(text, []byte{0x1f, 0x8b}):
		return nil, errors.New("it is no bundle: a bundle is a .tar.gz archive")
	}
	return text, nil
}

// The media types of layers: OPA pushes a bundle as one layer, conftest every file of
// a policy as one.
const (
	bundleLayer = "application/vnd.oci.image.layer.v1.tar+gzip"
	policyLayer = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego"
	dataLayer   = "application/vnd.cncf.openpolicyagent.data.layer.v1+json"
)

// fetchOCI fetches an artifact from a registry, with the credentials that docker has
// for it, and gives it the form of a bundle.
func fetchOCI(ctx context.Context, u *url.URL) ([]byte, error) {
	repo, err := remote.NewRepository(u.Host + u.Path)
	if err != nil {
		return nil, err
	}
	repo.PlainHTTP = isLoopback(u.Hostname())
	client := &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache()}
	if store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{}); err == nil {
		client.Credential = credentials.Credential(store)
	}
	repo.Client = client
	reference := repo.Reference.Reference
	if reference == "" {
		reference = "latest"
	}
	at, err := repo.Resolve(ctx, reference)
	if err != nil {
		return nil, err
	}
	if at.MediaType != ocispec.MediaTypeImageManifest {
		return nil, fmt.Errorf("it is no image manifest but %s", at.MediaType)
	}
	text, err := content.FetchAll(ctx, repo, at)
	if err != nil {
		return nil, err
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, err
	}
	return fromLayers(ctx, repo, manifest.Layers)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fromLayers returns the bundle that a layer is, or packs the files that layers are.
func fromLayers(ctx context.Context, from content.Fetcher, layers []ocispec.Descriptor) ([]byte, error) {
	files := map[string][]byte{}
	data := map[string]map[string]any{} // by folder
	for _, layer := range layers {
		if layer.Size > maxBundle {
			return nil, fmt.Errorf("it has more than %d MiB", maxBundle>>20)
		}
		title := path.Clean(filepath.ToSlash(layer.Annotations[ocispec.AnnotationTitle]))
		switch layer.MediaType {
		case bundleLayer:
			return content.FetchAll(ctx, from, layer)
		case policyLayer, dataLayer:
			if !filepath.IsLocal(title) {
				return nil, fmt.Errorf("a layer is called %q, which is no path in a bundle", title)
			}
		default:
			continue
		}
		text, err := content.FetchAll(ctx, from, layer)
		if err != nil {
			return nil, err
		}
		if layer.MediaType == policyLayer {
			files[title] = text
			continue
		}
		var document map[string]any
		if err := yaml.Unmarshal(text, &document); err != nil {
			return nil, fmt.Errorf("%s: %w", title, err)
		}
		folder := path.Dir(title)
		if data[folder] == nil {
			data[folder] = map[string]any{}
		}
		if at := mergeInto(data[folder], document, nil); at != nil {
			return nil, fmt.Errorf("%s: data.%s stands twice", title, strings.Join(at, "."))
		}
	}
	for folder, document := range data {
		text, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		files[path.Join(folder, "data.json")] = text
	}
	if len(files) == 0 {
		return nil, errors.New("it holds neither a bundle nor policies")
	}
	return pack(files)
}

// pack makes an archive of files.
func pack(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := errors.Join(w.Close(), z.Close())
	return out.Bytes(), err
}

// withoutScheme is an address as the folder that its files are in.
func withoutScheme(source string) string {
	if _, rest, ok := strings.Cut(source, "://"); ok {
		return rest
	}
	return source
}
