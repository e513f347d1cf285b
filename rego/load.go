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
	// documents are the data by their sources, claims what bundles have for themselves.
	documents []sourced
	claims    []claim
	bundles   []Bundle
	opts      *Options
	keys      *bundle.VerificationConfig
}

// A claim says that what lies below some roots belongs to one bundle.
type claim struct {
	source string
	roots  []string
	files  map[string]bool // of modules
}

// sourced are the data documents of one source.
type sourced struct {
	source string
	data   map[string]any
}

// load reads all sources.
func load(ctx context.Context, opts Options) (*loaded, error) {
	for _, name := range opts.Allow {
		if allowable := Allowable(); !slices.Contains(allowable, name) {
			return nil, fmt.Errorf("there is no builtin %q to switch on: there are %s", name, strings.Join(allowable, ", "))
		}
	}
	l := &loaded{data: map[string]any{}, opts: &opts}
	if opts.VerificationKey != "" {
		var err error
		if l.keys, err = verification(opts.VerificationKey); err != nil {
			return nil, err
		}
	}
	names, err := chosen(opts.Profiles)
	if err != nil {
		return nil, err
	}
	if l.modules, err = shippedModules(names); err != nil {
		return nil, err
	}
	for _, source := range opts.Policies {
		path, err := l.local(ctx, source)
		if err != nil {
			return nil, err
		}
		if err := l.source(path, displayName(source)); err != nil {
			return nil, err
		}
	}
	for _, path := range opts.Data {
		if err := l.document(path); err != nil {
			return nil, err
		}
	}
	if err := l.respectClaims(); err != nil {
		return nil, err
	}
	for _, d := range l.documents {
		if at := mergeInto(l.data, d.data, nil); at != nil {
			return nil, fmt.Errorf("%s: data.%s stands in another source too, with another value", d.source, strings.Join(at, "."))
		}
	}
	return l, nil
}

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
		return l.bundle(bundle.NewFSLoaderWithRoot(os.DirFS(path), ".").WithPathFormat(bundle.SlashRooted), name)
	case l.keys != nil:
		return fmt.Errorf("%s is refused: it is not signed, and a verification key is given", name)
	case info.IsDir():
		return l.folder(path)
	}
	return l.file(path)
}

// Holds reports whether a source holds policies: an address, a file of Rego, a bundle,
// or a folder with one of these.
func Holds(source string) bool {
	if address(source) != nil || isArchive(source) || filepath.Ext(source) == bundle.RegoExt {
		return true
	}
	found := isBundle(source)
	// What cannot be read holds nothing; reading it says why.
	_ = filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || found:
			return fs.SkipAll
		case isHidden(path, d) && path != source:
			return fs.SkipDir
		}
		found = !d.IsDir() && filepath.Ext(path) == bundle.RegoExt
		return nil
	})
	return found
}

// isHidden reports whether a folder is one that is passed over.
func isHidden(path string, d fs.DirEntry) bool {
	return d.IsDir() && strings.HasPrefix(filepath.Base(path), ".")
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
		case isHidden(path, d) && path != root:
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
		WithBaseDir(withoutScheme(name)).
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
	if b.Manifest.Revision != "" {
		l.bundles = append(l.bundles, Bundle{name, b.Manifest.Revision})
	}
	c := claim{source: name, files: map[string]bool{}}
	for _, m := range b.Modules {
		l.modules[m.Path] = m.Parsed
		c.files[m.Path] = true
	}
	if roots := b.Manifest.Roots; roots != nil && !(len(*roots) == 1 && (*roots)[0] == "") {
		c.roots = *roots
		l.claims = append(l.claims, c)
	}
	l.documents = append(l.documents, sourced{name, b.Data})
	return nil
}

// maxFile bounds a file of a bundle.
const maxFile = 64 << 20

// document reads data documents from a file or folder.
func (l *loaded) document(path string) error {
	if info, err := os.Stat(path); err == nil && !info.IsDir() && !isDocument(path) {
		return fmt.Errorf("%s: data is JSON or YAML, and this is no .json, .yaml or .yml", path)
	}
	result, err := loader.NewFileLoader().Filtered([]string{path}, func(_ string, info os.FileInfo, _ int) bool {
		return !info.IsDir() && !isDocument(info.Name())
	})
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: there is no such file or folder", path)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	l.documents = append(l.documents, sourced{path, result.Documents})
	return nil
}

func isDocument(name string) bool {
	return slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(name))
}

// mergeInto merges objects; it returns the path at which both have a value.
func mergeInto(into, from map[string]any, path []string) []string {
	for key, value := range from {
		at := append(slices.Clip(path), key)
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

// respectClaims refuses what one source has below the roots of another's manifest.
func (l *loaded) respectClaims() error {
	for i, c := range l.claims {
		for _, other := range l.claims[:i] {
			for _, root := range other.roots {
				if slices.ContainsFunc(c.roots, func(r string) bool { return bundle.RootPathsOverlap(r, root) }) {
					return fmt.Errorf("%s and %s both claim the root %s", other.source, c.source, root)
				}
			}
		}
	}
	for _, c := range l.claims {
		for name, m := range l.modules {
			path, err := m.Package.Path.Ptr()
			if err == nil && !c.files[name] && !strings.HasPrefix(name, shippedPrefix) && bundle.RootPathsContain(c.roots, path) {
				return fmt.Errorf("%s: the package %s belongs to %s, whose manifest claims the root %s",
					place(m.Package.Location), namespace(m), c.source, strings.Join(c.roots, ", "))
			}
		}
		for _, d := range l.documents {
			for _, root := range c.roots {
				if d.source != c.source && holds(d.data, strings.Split(root, "/")) {
					return fmt.Errorf("%s: data.%s belongs to %s, whose manifest claims it", d.source, strings.ReplaceAll(root, "/", "."), c.source)
				}
			}
		}
	}
	return nil
}

// isData reports whether the data holds something at a path.
func (l *loaded) isData(path []string) (bool, error) { return holds(l.data, path), nil }

func holds(at any, path []string) bool {
	for _, key := range path {
		object, ok := at.(map[string]any)
		if !ok {
			return false
		}
		if at, ok = object[key]; !ok {
			return false
		}
	}
	return true
}
