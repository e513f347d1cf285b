package rego

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/loader"
)

// loaded is what the sources hold together.
type loaded struct {
	modules map[string]*ast.Module
	data    map[string]any
	// roots are what bundles claim for themselves.
	roots []claim
	opts  *Options
	keys  *bundle.VerificationConfig
}

// A claim says that what lies below some roots belongs to one bundle.
type claim struct {
	source string
	roots  []string
	files  map[string]bool // of modules
}

// load reads all sources.
func load(ctx context.Context, opts Options) (*loaded, error) {
	l := &loaded{modules: map[string]*ast.Module{}, data: map[string]any{}, opts: &opts}
	if opts.VerificationKey != "" {
		var err error
		if l.keys, err = verification(opts.VerificationKey); err != nil {
			return nil, err
		}
	}
	for _, source := range opts.Policies {
		path, err := l.local(ctx, source)
		if err != nil {
			return nil, err
		}
		if err := l.source(path, source); err != nil {
			return nil, err
		}
	}
	for _, path := range opts.Data {
		if err := l.document(path); err != nil {
			return nil, err
		}
	}
	return l, l.respectClaims()
}

// local returns where a source is on disk.
func (l *loaded) local(_ context.Context, source string) (string, error) { return source, nil }

// source reads what is at a path; name is what the user called it.
func (l *loaded) source(path, name string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such file or folder", name)
	case err != nil:
		return err
	case !info.IsDir() && isArchive(path):
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return l.bundle(bundle.NewTarballLoaderWithBaseURL(f, ""), name)
	case info.IsDir() && isBundle(path):
		return l.bundle(bundle.NewDirectoryLoader(path), name)
	case l.keys != nil:
		return fmt.Errorf("%s is refused: it is not signed, and a verification key is given", name)
	case info.IsDir():
		return l.folder(path)
	}
	return l.file(path)
}

func isArchive(path string) bool {
	return strings.HasSuffix(path, ".tar.gz") || strings.HasSuffix(path, ".tgz")
}

// isBundle reports whether a folder is an unpacked bundle.
func isBundle(folder string) bool {
	for _, name := range []string{bundle.ManifestExt, ".signatures.json"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return true
		}
	}
	return false
}

// folder reads the .rego files in and below a folder, but for those in folders whose
// names begin with a dot.
func (l *loaded) folder(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != bundle.RegoExt:
			return nil
		}
		return l.file(path)
	})
}

func (l *loaded) file(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return l.module(path, text)
}

func (l *loaded) module(path string, text []byte) error {
	m, err := ast.ParseModuleWithOpts(filepath.ToSlash(path), string(text), l.parserOptions())
	if err != nil {
		return located(err)
	}
	l.modules[path] = m
	return nil
}

func (l *loaded) version() ast.RegoVersion {
	if l.opts.Version0 {
		return ast.RegoV0
	}
	return ast.RegoV1
}

func (l *loaded) parserOptions() ast.ParserOptions {
	return ast.ParserOptions{ProcessAnnotation: true, RegoVersion: l.version()}
}

// bundle reads a bundle, and verifies it if keys are given.
func (l *loaded) bundle(files bundle.DirectoryLoader, name string) error {
	b, err := bundle.NewCustomReader(files).
		WithBundleVerificationConfig(l.keys).
		WithSkipBundleVerification(l.keys == nil).
		WithProcessAnnotations(true).
		WithRegoVersion(l.version()).
		WithBaseDir(name).
		WithSizeLimitBytes(maxFile).
		Read()
	if err != nil {
		if _, ok := errors.AsType[ast.Errors](err); ok {
			return located(err)
		}
		if l.keys != nil {
			return unverified(name, err)
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	c := claim{source: name, files: map[string]bool{}}
	for _, m := range b.Modules {
		l.modules[m.Path] = m.Parsed
		c.files[m.Path] = true
	}
	if roots := b.Manifest.Roots; roots != nil && !(len(*roots) == 1 && (*roots)[0] == "") {
		c.roots = *roots
		l.roots = append(l.roots, c)
	}
	return l.merge(b.Data, name)
}

// maxFile bounds a file of a bundle.
const maxFile = 64 << 20

// document reads data documents from a file or folder.
func (l *loaded) document(path string) error {
	result, err := loader.NewFileLoader().Filtered([]string{path}, func(_ string, info os.FileInfo, _ int) bool {
		ext := filepath.Ext(info.Name())
		return !info.IsDir() && ext != ".json" && ext != ".yaml" && ext != ".yml"
	})
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: there is no such file or folder", path)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return l.merge(result.Documents, path)
}

// merge adds documents to the data.
func (l *loaded) merge(documents map[string]any, source string) error {
	if at := mergeInto(l.data, documents, nil); at != nil {
		return fmt.Errorf("%s: data.%s stands in another source too, with another value", source, strings.Join(at, "."))
	}
	return nil
}

// mergeInto merges objects; it returns the path at which both have a value.
func mergeInto(into, from map[string]any, path []string) []string {
	for key, value := range from {
		at := append(slices.Clip(path), key) //nolint:gocritic // siblings share the path
		have, ok := into[key]
		if !ok {
			into[key] = value
			continue
		}
		a, aok := have.(map[string]any)
		b, bok := value.(map[string]any)
		if !aok || !bok {
			return at
		}
		if conflict := mergeInto(a, b, at); conflict != nil {
			return conflict
		}
	}
	return nil
}

// respectClaims refuses policies of one source below the roots of another's manifest.
func (l *loaded) respectClaims() error {
	for _, c := range l.roots {
		for name, m := range l.modules {
			if c.files[name] {
				continue
			}
			path, err := m.Package.Path.Ptr()
			if err != nil {
				continue // a package whose path is no path of data
			}
			if bundle.RootPathsContain(c.roots, path) {
				return fmt.Errorf("%s: the package %s belongs to %s, whose manifest claims the root %s",
					place(m.Package.Location), namespace(m), c.source, strings.Join(c.roots, ", "))
			}
		}
		for _, other := range l.roots {
			for _, a := range c.roots {
				for _, b := range other.roots {
					if c.source != other.source && bundle.RootPathsOverlap(a, b) {
						return fmt.Errorf("%s and %s both claim the root %s", c.source, other.source, a)
					}
				}
			}
		}
	}
	return nil
}

// isData reports whether the data holds something at a path.
func (l *loaded) isData(path []string) (bool, error) {
	var at any = l.data
	for _, key := range path {
		object, ok := at.(map[string]any)
		if !ok {
			return false, nil
		}
		if at, ok = object[key]; !ok {
			return false, nil
		}
	}
	return true, nil
}
