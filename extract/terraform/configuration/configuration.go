// Package configuration reads the source of a Terraform configuration, and evaluates
// its expressions as far as a plan tells the values in it.
//
// HCL evaluates; what is known only after apply stays a symbol. Make a [Source] with
// [FromFolder] or [FromPlanFile], an [Evaluator] with [New], and ask it for the
// attributes of the instances in the plan. What cannot be evaluated is unknown, with
// the references it hangs on.
package configuration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A Source is where the files of a configuration are.
type Source struct {
	// read and list see the files by slash-separated paths, relative to the root
	// module or, for what a plan file holds, inside of the plan file.
	read func(name string) ([]byte, error)
	list func(dir string) ([]string, error)
	// shown is how messages call a file.
	shown func(name string) string
	// folders are those of the modules, by the names of their calls: "a.b".
	folders map[string]folder
	// file reads what file() and templatefile() name.
	file func(name string) ([]byte, error)
	// openTofu is set where files that OpenTofu alone reads count.
	openTofu bool
}

// A folder holds the files of one module.
type folder struct {
	// dir is the folder to list, path what path.module says.
	dir, path string
}

// A manifest lists the modules that `terraform init` installed.
type manifest struct {
	Modules []struct{ Key, Dir string }
}

// maxFile bounds the files that are read: a configuration is small.
const maxFile = 16 << 20

// FromFolder is the configuration whose root module is in a folder on disk. Child
// modules are found in .terraform/modules, or beside the root if they are local. openTofu
// says that OpenTofu read it, and not Terraform.
func FromFolder(dir string, openTofu bool) (*Source, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder: name the folder of the root module", dir)
	}
	s := &Source{read: onDisk(dir), folders: map[string]folder{"": {".", "."}}, openTofu: openTofu}
	s.file = s.read
	s.shown = func(name string) string { return filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(name))) }
	s.list = func(name string) ([]string, error) {
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(name)))
		return names(entries), err
	}
	text, err := s.read(".terraform/modules/modules.json")
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w; run `terraform init` again", s.shown(".terraform/modules/modules.json"), err)
	}
	for _, mod := range m.Modules {
		clean := path.Clean(filepath.ToSlash(mod.Dir))
		s.folders[mod.Key] = folder{clean, clean}
	}
	return s, nil
}

// FromPlanFile is the configuration inside of a saved plan: fsys holds m-<module>/<file>
// and modules.json. Files that file() and templatefile() name are not in it: they are
// read from dir, the folder of the root module on disk, or not at all if that is "".
func FromPlanFile(fsys fs.FS, dir string) (*Source, error) {
	// A plan holds the files that it was made of, and no others.
	s := &Source{folders: map[string]folder{"": {"m-", "."}}, openTofu: true}
	s.read = func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) }
	s.list = func(name string) ([]string, error) {
		entries, err := fs.ReadDir(fsys, name)
		return names(entries), err
	}
	s.file = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	if dir != "" {
		s.file = onDisk(dir)
	}
	s.shown = func(name string) string {
		if key, file, ok := strings.Cut(strings.TrimPrefix(name, "m-"), "/"); ok && strings.HasPrefix(name, "m-") {
			name = path.Join(s.folders[key].path, file)
		}
		return path.Join(filepath.ToSlash(dir), name)
	}
	text, err := s.read("modules.json")
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(text, &m.Modules); err != nil {
		return nil, fmt.Errorf("modules.json of the plan: %w", err)
	}
	for _, mod := range m.Modules {
		s.folders[mod.Key] = folder{"m-" + mod.Key, path.Clean(filepath.ToSlash(mod.Dir))}
	}
	return s, nil
}

// Holds reports whether a folder on disk holds the files of the root module as the
// source does.
func (s *Source) Holds(dir string) bool {
	files, err := s.list(s.folders[""].dir)
	if err != nil {
		return false
	}
	disk := onDisk(dir)
	for _, file := range files {
		own, err := s.read(path.Join(s.folders[""].dir, file))
		if err != nil {
			return false
		}
		if other, err := disk(file); err != nil || !bytes.Equal(own, other) {
			return false
		}
	}
	return len(files) > 0
}

// onDisk reads files below and beside a folder; absolute paths are refused, since a
// configuration under review must not choose what is read from the machine.
func onDisk(dir string) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if path.IsAbs(name) || filepath.IsAbs(name) || strings.HasPrefix(name, "~") {
			return nil, fs.ErrPermission
		}
		full := filepath.Join(dir, filepath.FromSlash(name))
		info, err := os.Stat(full)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() || info.Size() > maxFile {
			return nil, fs.ErrInvalid
		}
		return os.ReadFile(full)
	}
}

func names(entries []fs.DirEntry) []string {
	var out []string
	for _, entry := range entries {
		if !entry.IsDir() {
			out = append(out, entry.Name())
		}
	}
	return out
}

// A module is the source of one module.
type module struct {
	// name is that of the calls that lead to it: "a.b".
	name      string
	folder    folder
	variables map[string]*hclsyntax.Block
	locals    map[string]*hclsyntax.Attribute
	// blocks are resources by "type.name" and data sources by "data.type.name".
	blocks  map[string]*hclsyntax.Block
	calls   map[string]*hclsyntax.Block
	outputs map[string]*hclsyntax.Block
	// problem says why the module could not be read; empty if it was.
	problem string
}

// load reads a module, once.
func (e *Evaluator) load(name string, at folder) *module {
	if m := e.modules[name]; m != nil {
		return m
	}
	m := &module{
		name: name, folder: at,
		variables: map[string]*hclsyntax.Block{}, locals: map[string]*hclsyntax.Attribute{}, blocks: map[string]*hclsyntax.Block{},
		calls: map[string]*hclsyntax.Block{}, outputs: map[string]*hclsyntax.Block{},
	}
	e.modules[name] = m
	blocks, err := e.instrumented(at)
	if err != nil {
		m.problem = err.Error()
	}
	for _, block := range blocks {
		m.add(block)
	}
	return m
}

// instrumented are the blocks of a folder, ready to be evaluated. One folder may be that
// of many modules.
func (e *Evaluator) instrumented(at folder) (hclsyntax.Blocks, error) {
	if blocks, ok := e.parsed[at.path]; ok {
		return blocks, nil
	}
	blocks, err := e.source.blocks(at)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		e.instrument(block.Body)
	}
	e.parsed[at.path] = blocks
	return blocks, nil
}

func (m *module) add(block *hclsyntax.Block) {
	into, name := m.blocks, ""
	switch {
	case block.Type == "locals":
		maps.Copy(m.locals, block.Body.Attributes)
		return
	case block.Type == "resource" && len(block.Labels) == 2:
		name = block.Labels[0] + "." + block.Labels[1]
	case block.Type == "data" && len(block.Labels) == 2:
		name = "data." + block.Labels[0] + "." + block.Labels[1]
	case len(block.Labels) != 1:
		return
	case block.Type == "variable":
		into, name = m.variables, block.Labels[0]
	case block.Type == "module":
		into, name = m.calls, block.Labels[0]
	case block.Type == "output":
		into, name = m.outputs, block.Labels[0]
	default:
		return
	}
	into[name] = block
}

// child is the module that a call leads to, nil if its source is not at hand.
func (e *Evaluator) child(m *module, call string) *module {
	name := call
	if m.name != "" {
		name = m.name + "." + call
	}
	if at, ok := e.source.folders[name]; ok {
		return e.load(name, at)
	}
	block := m.calls[call]
	if block == nil {
		return nil
	}
	from := stringOf(block.Body.Attributes["source"])
	if !strings.HasPrefix(from, "./") && !strings.HasPrefix(from, "../") {
		return nil
	}
	return e.load(name, folder{path.Join(m.folder.dir, from), path.Join(m.folder.path, from)})
}
