package configuration

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A Module is one of those that a source knows of.
type Module struct {
	// Name is that of the calls that lead to it, "a.b"; "" for the root.
	Name string
	// Path is what path.module says: modules of one path have the same files.
	Path string
}

// Modules are those that the source knows of, in the order of their names.
func (s *Source) Modules() []Module {
	var out []Module
	for _, name := range slices.Sorted(maps.Keys(s.folders)) {
		out = append(out, Module{name, s.folders[name].path})
	}
	return out
}

// Blocks parses the files of a module in either syntax, and returns the blocks at their
// top. Where OpenTofu reads them, of main.tf and main.tofu the latter counts, and so for
// those in JSON. What override files say has taken the place of what it overrides. A
// folder that is not there holds no blocks.
func (s *Source) Blocks(m Module) (hclsyntax.Blocks, error) {
	blocks, err := s.blocks(s.folders[m.Name])
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return blocks, err
}

func (s *Source) blocks(at folder) (hclsyntax.Blocks, error) {
	files, err := s.list(at.dir)
	if err != nil {
		return nil, fmt.Errorf("the folder %s cannot be read (%w)", at.path, err)
	}
	var first, overrides hclsyntax.Blocks
	for _, file := range files {
		plain, isJSON := strings.CutSuffix(file, ".json")
		stem, isSource := strings.CutSuffix(plain, ".tf")
		if isSource && s.openTofu && slices.Contains(files, stem+".tofu"+strings.TrimPrefix(file, plain)) {
			continue // OpenTofu reads the other one
		}
		if !isSource && s.openTofu {
			stem, isSource = strings.CutSuffix(plain, ".tofu")
		}
		if !isSource {
			continue
		}
		body, err := s.parse(path.Join(at.dir, file), isJSON)
		if err != nil {
			return nil, err
		}
		if stem == "override" || strings.HasSuffix(stem, "_override") {
			overrides = append(overrides, body.Blocks...)
		} else {
			first = append(first, body.Blocks...)
		}
	}
	return override(first, overrides), nil
}

// parse reads a file. Its errors say nothing of what is in it, but where.
func (s *Source) parse(name string, isJSON bool) (*hclsyntax.Body, error) {
	shown := s.shown(name)
	text, err := s.read(name)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read", shown)
	}
	if TooDeep(text) {
		return nil, fmt.Errorf("%s is nested too deeply", shown)
	}
	if isJSON {
		body, diags := parseJSON(text, shown)
		return body, syntaxError(shown, diags)
	}
	file, diags := hclsyntax.ParseConfig(text, shown, hcl.InitialPos)
	_, _, labels := file.Body.PartialContent(&hcl.BodySchema{Blocks: topBlocks})
	body, _ := file.Body.(*hclsyntax.Body)
	return body, syntaxError(shown, append(diags, labels...))
}

func syntaxError(shown string, diags hcl.Diagnostics) error {
	if !diags.HasErrors() {
		return nil
	}
	return fmt.Errorf("the syntax of %s is not understood (%s)", shown, problem(diags))
}

// override merges blocks of override files into those of their name.
func override(blocks, overrides hclsyntax.Blocks) hclsyntax.Blocks {
	named := map[string]*hclsyntax.Block{}
	for _, b := range blocks {
		named[b.Type+" "+strings.Join(b.Labels, " ")] = b
	}
	for _, over := range overrides {
		old := named[over.Type+" "+strings.Join(over.Labels, " ")]
		switch over.Type {
		case "resource", "data", "module", "variable", "output":
			if old != nil {
				merge(old.Body, over.Body)
				continue
			}
		}
		blocks = append(blocks, over)
	}
	return blocks
}

// merge lays a block of an override file over the one it names.
func merge(old, over *hclsyntax.Body) {
	maps.Copy(old.Attributes, over.Attributes)
	replaced := map[string]bool{}
	for _, b := range over.Blocks {
		replaced[blockType(b)] = true
	}
	old.Blocks = slices.DeleteFunc(old.Blocks, func(b *hclsyntax.Block) bool { return replaced[blockType(b)] })
	old.Blocks = append(old.Blocks, over.Blocks...)
}

// stringOf is the value of an attribute that is a constant string.
func stringOf(attr *hclsyntax.Attribute) string {
	if attr == nil {
		return ""
	}
	v, diags := attr.Expr.Value(nil)
	if v, _ = v.Unmark(); diags.HasErrors() || !isString(v) {
		return ""
	}
	return v.AsString()
}

// TooDeep reports whether a text can nest expressions so deeply that to parse it
// would take the whole stack.
func TooDeep(text []byte) bool {
	const most = 10_000
	depth, run := 0, 0
	for _, c := range text {
		switch c {
		case '(', '[', '{', '?':
			depth++
		case ')', ']', '}', '\n':
			if depth > 0 && c != '\n' {
				depth--
			}
		}
		if run++; c != '!' && c != '-' && c != ' ' && c != '\t' {
			run = 0
		}
		if depth > most || run > most {
			return true
		}
	}
	return false
}
