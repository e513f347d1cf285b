package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tfguard/tfguard/extract/terraform/configuration"
)

// A snapshot reads the configuration that a binary plan holds into what a plan in
// JSON says about its configuration: constants and references.
type snapshot struct {
	files fs.FS
	plan  *plan
	// parsed are the blocks of each module folder: one folder may be called often.
	parsed map[string]hcl.Blocks
	// configs are all provider configurations, by the keys that plans in JSON use.
	configs map[string]*inherited
	order   []string // of the keys
}

// An inherited provider configuration may be that of the calling module.
type inherited struct {
	providerConfig
	parent string
}

// configurationFrom reads the configuration of a binary plan.
func (p *plan) configurationFrom(files fs.FS) error {
	manifest, err := fs.ReadFile(files, "modules.json")
	if err != nil {
		return err
	}
	var modules []struct{ Key, Dir string }
	if err := json.Unmarshal(manifest, &modules); err != nil {
		return fmt.Errorf("modules.json is malformed: %w", err)
	}
	slices.SortFunc(modules, func(a, b struct{ Key, Dir string }) int { return strings.Compare(a.Key, b.Key) })
	s := &snapshot{files: files, plan: p, parsed: map[string]hcl.Blocks{}, configs: map[string]*inherited{}}
	for _, m := range modules {
		mod := p.root
		if m.Key != "" {
			for name := range strings.SplitSeq(m.Key, ".") {
				if mod = mod.calls[name]; mod == nil {
					break
				}
			}
		}
		if mod == nil {
			continue // a module that nothing calls
		}
		blocks, err := s.blocks("m-"+m.Key, m.Dir)
		if err != nil {
			return err
		}
		s.module(mod, blocks)
	}
	s.inherit(p.root)
	p.configured = true
	return nil
}

// blocks parses the files of one module, those that override others last.
func (s *snapshot) blocks(folder, dir string) (hcl.Blocks, error) {
	if blocks, ok := s.parsed[dir]; ok {
		return blocks, nil
	}
	entries, err := fs.ReadDir(s.files, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a module without files
	}
	if err != nil {
		return nil, err
	}
	var first, last hcl.Blocks
	for _, e := range entries {
		stem, isJSON := strings.CutSuffix(e.Name(), ".json")
		stem, isSource := strings.CutSuffix(stem, ".tf")
		if !isSource {
			continue
		}
		blocks, err := s.file(path.Join(folder, e.Name()), path.Join(dir, e.Name()), isJSON)
		if err != nil {
			return nil, err
		}
		if stem == "override" || strings.HasSuffix(stem, "_override") {
			last = append(last, blocks...)
		} else {
			first = append(first, blocks...)
		}
	}
	s.parsed[dir] = append(first, last...)
	return s.parsed[dir], nil
}

var rootSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "provider", LabelNames: []string{"name"}},
	{Type: "terraform"},
	{Type: "check", LabelNames: []string{"name"}},
}}

func (s *snapshot) file(name, shown string, isJSON bool) (hcl.Blocks, error) {
	text, err := fs.ReadFile(s.files, name)
	if err != nil {
		return nil, err
	}
	if configuration.TooDeep(text) {
		return nil, fmt.Errorf("%s is nested too deeply", shown)
	}
	parse := func(text []byte, name string) (*hcl.File, hcl.Diagnostics) {
		return hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	}
	if isJSON {
		parse = hcljson.Parse
	}
	file, diags := parse(text, shown)
	if diags.HasErrors() {
		return nil, diags
	}
	content, _, diags := file.Body.PartialContent(rootSchema)
	if diags.HasErrors() {
		return nil, diags
	}
	blocks := content.Blocks
	for _, b := range content.Blocks {
		if _, nested := parts(b.Body); b.Type == "check" {
			for _, inner := range nested {
				blocks = append(blocks, inner.AsHCLBlock()) // the data source of a check
			}
		}
	}
	return blocks, nil
}

// modes are the modes of resources by the type of their blocks.
var modes = map[string]string{"resource": "managed", "data": "data"}

// module fills in a module from its blocks.
func (s *snapshot) module(m *module, blocks hcl.Blocks) {
	address := m.address()
	used := map[string]bool{} // local names of providers
	mappings := map[string]hcl.Expression{}
	for _, b := range blocks {
		attrs, nested := parts(b.Body)
		switch b.Type {
		case "resource", "data":
			provider := providerOf(b.Labels[0], attrs["provider"])
			name, _, _ := strings.Cut(provider, ".")
			used[name] = true
			prefix, wanted := blockPrefix(modes[b.Type], b.Labels[0])
			if !wanted {
				continue
			}
			key := prefix + b.Labels[0] + "." + b.Labels[1]
			r := m.resources[key]
			if r == nil {
				r = &configResource{provider: providerKey(provider, address), expressions: map[string]expression{}}
				m.resources[key] = r
			}
			if attrs["provider"] != nil {
				r.provider = providerKey(provider, address)
			}
			r.forEach = forEach(attrs, r.forEach)
			fill(r.expressions, attrs, nested, metaArguments)
		case "module":
			child := m.calls[b.Labels[0]]
			if child == nil {
				child = newModule(m, b.Labels[0])
				child.arguments = map[string]expression{}
				m.calls[b.Labels[0]] = child
			}
			child.forEach = forEach(attrs, child.forEach)
			fill(child.arguments, attrs, nested, callArguments)
			if e := attrs["providers"]; e != nil {
				mappings[child.address()] = e
			}
		case "variable":
			if e := attrs["default"]; e != nil {
				m.defaults[b.Labels[0]] = defaultOf(e, attrs["type"])
			}
			m.sensitive[b.Labels[0]] = attrs["sensitive"] != nil && expressionOf(attrs["sensitive"]).constant == true
		case "output":
			if e := attrs["value"]; e != nil {
				m.outputs[b.Labels[0]] = expressionOf(e)
			}
		case "provider":
			pc := providerConfig{Name: b.Labels[0], ModuleAddress: address, Expressions: map[string]expression{}}
			key := pc.Name
			if e := attrs["alias"]; e != nil {
				pc.Alias, _ = expressionOf(e).constant.(string)
				key += "." + pc.Alias
			}
			fill(pc.Expressions, attrs, nested, []string{"alias", "version"})
			s.config(providerKey(key, address), pc, "")
		case "terraform":
			for _, required := range nested {
				if required.Type == "required_providers" {
					names, _ := parts(required.Body)
					for name := range names {
						used[name] = true
					}
				}
			}
		}
	}
	for _, name := range sortedKeys(used) {
		s.config(providerKey(name, address), providerConfig{Name: name, ModuleAddress: address}, m.parentKey(name))
	}
	for _, child := range sortedKeys(mappings) {
		s.pass(child, address, mappings[child])
	}
}

// config adds a provider configuration unless there is one: a block comes before
// what is inherited.
func (s *snapshot) config(key string, pc providerConfig, parent string) {
	if have := s.configs[key]; have != nil && (have.parent == "" || parent != "") {
		return
	}
	if s.configs[key] == nil {
		s.order = append(s.order, key)
	}
	s.configs[key] = &inherited{pc, parent}
}

// pass notes the provider configurations that a call hands to a module.
func (s *snapshot) pass(child, address string, mapping hcl.Expression) {
	pairs, diags := hcl.ExprMap(mapping)
	if diags.HasErrors() {
		return
	}
	for _, pair := range pairs {
		inChild, inParent := traversal(pair.Key), traversal(pair.Value)
		name, _, _ := strings.Cut(inChild, ".")
		if name != "" && inParent != "" {
			s.config(providerKey(inChild, child), providerConfig{Name: name, ModuleAddress: child}, providerKey(inParent, address))
		}
	}
}

// inherit gives every resource the key of the configuration that it really has.
func (s *snapshot) inherit(m *module) {
	source := func(key string) string {
		for hops := 0; hops < maxHops && s.configs[key] != nil && s.configs[s.configs[key].parent] != nil; hops++ {
			key = s.configs[key].parent
		}
		return key
	}
	for _, r := range m.resources {
		r.provider = source(r.provider)
	}
	for _, child := range m.calls {
		s.inherit(child)
	}
	if m.parent != nil {
		return
	}
	for _, key := range s.order {
		if pc := s.configs[key]; pc.Name == "aws" && source(key) == key {
			s.plan.providers[key] = pc.providerConfig
		}
	}
}

// address is that of a module without instance keys.
func (m *module) address() string {
	if m.parent == nil {
		return ""
	}
	return strings.TrimPrefix(m.parent.address()+".module."+m.name, ".")
}

// parentKey names the configuration of the calling module that a module inherits.
func (m *module) parentKey(provider string) string {
	if m.parent == nil {
		return ""
	}
	return providerKey(provider, m.parent.address())
}

// providerKey spells the key of a provider configuration.
func providerKey(provider, module string) string {
	if module == "" {
		return provider
	}
	return module + ":" + provider
}

// providerOf is the provider configuration that a resource names, or that it has by
// its type.
func providerOf(typ string, e hcl.Expression) string {
	if e != nil {
		if t := traversal(e); t != "" {
			return t
		}
	}
	name, _, _ := strings.Cut(typ, "_")
	return name
}

// parts are the attributes and blocks of a body. In the JSON syntax blocks cannot
// be told from attributes without a schema: they are attributes.
func parts(body hcl.Body) (map[string]hcl.Expression, hclsyntax.Blocks) {
	out := map[string]hcl.Expression{}
	if native, ok := body.(*hclsyntax.Body); ok {
		for name, attr := range native.Attributes {
			out[name] = attr.Expr
		}
		return out, native.Blocks
	}
	attrs, _ := body.JustAttributes()
	for name, attr := range attrs {
		out[name] = attr.Expr
	}
	return out, nil
}

// Arguments and blocks that mean something to Terraform and nothing to a provider.
var (
	metaArguments = []string{"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection", "dynamic"}
	callArguments = []string{"source", "version", "count", "for_each", "providers", "depends_on"}
)

// fill adds the expressions of attributes and blocks, in the place of those that an
// earlier file gave.
func fill(out map[string]expression, attrs map[string]hcl.Expression, nested hclsyntax.Blocks, except []string) {
	for name, e := range attrs {
		if !slices.Contains(except, name) {
			out[name] = expressionOf(e)
		}
	}
	blocks := map[string][]map[string]expression{}
	for _, b := range nested {
		if slices.Contains(except, b.Type) {
			continue
		}
		inner := map[string]expression{}
		below, blocksBelow := parts(b.Body)
		fill(inner, below, blocksBelow, []string{"dynamic"})
		blocks[b.Type] = append(blocks[b.Type], inner)
	}
	for name, list := range blocks {
		out[name] = expression{blocks: list}
	}
}

func forEach(attrs map[string]hcl.Expression, otherwise *expression) *expression {
	e := attrs["for_each"]
	if e == nil {
		return otherwise
	}
	if out := expressionOf(e); out.isConstant || len(out.references) > 0 {
		return &out
	}
	return nil // a function of constants, of which plans keep nothing
}

// defaultOf is the default of a variable, as the type of the variable makes it.
func defaultOf(e, typ hcl.Expression) any {
	value, diags := e.Value(nil)
	if diags.HasErrors() {
		return nil
	}
	if typ != nil {
		ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(typ)
		if !diags.HasErrors() {
			if defaults != nil && !value.IsNull() {
				value = defaults.Apply(value)
			}
			if typed, err := convert.Convert(value, ty); err == nil {
				value = typed
			}
		}
	}
	return jsonOf(value)
}

// jsonOf is a value as JSON has it, nil for what JSON does not have.
func jsonOf(value cty.Value) (out any) {
	if raw, err := ctyjson.Marshal(value, value.Type()); err == nil && json.Unmarshal(raw, &out) == nil {
		return out
	}
	return nil
}

// expressionOf keeps of an expression what a plan in JSON keeps.
func expressionOf(e hcl.Expression) expression {
	var out expression
	// Without functions and variables only constants have a value.
	value, _ := e.Value(nil)
	if value != cty.NilVal {
		if raw, err := ctyjson.Marshal(value, value.Type()); err == nil {
			out.isConstant = json.Unmarshal(raw, &out.constant) == nil
		}
	}
	for _, t := range e.Variables() {
		if ref := spell(t); ref != "" {
			out.references = append(out.references, ref)
		}
	}
	return out
}

// traversal is the spelling of an expression such as aws.replica, "" for others.
func traversal(e hcl.Expression) string {
	t, diags := hcl.AbsTraversalForExpr(e)
	if diags.HasErrors() {
		return ""
	}
	return spell(t)
}

// spell writes a traversal as references are written, up to where it splits into
// many: aws_s3_bucket.b["a"].arn.
func spell(t hcl.Traversal) string {
	var b bytes.Buffer
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			switch {
			case !step.Key.IsKnown() || step.Key.IsNull():
				return b.String()
			case step.Key.Type() == cty.String:
				key, err := json.Marshal(step.Key.AsString())
				if err != nil {
					return b.String()
				}
				b.Write(append(append([]byte{'['}, key...), ']'))
			case step.Key.Type() == cty.Number:
				b.WriteString("[" + step.Key.AsBigFloat().Text('f', -1) + "]")
			}
		default:
			return b.String()
		}
	}
	return b.String()
}
