package terraform

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tfguard/tfguard/extract/terraform/configuration"
)

// A snapshot reads the configuration that a binary plan holds into what a plan in
// JSON says about its configuration: constants and references.
type snapshot struct {
	plan *plan
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
	src, err := configuration.FromPlanFile(files, "")
	if err != nil {
		return err
	}
	s := &snapshot{plan: p, configs: map[string]*inherited{}}
	parsed := map[string]hclsyntax.Blocks{} // by path: one folder may be called often
	for _, m := range src.Modules() {
		mod := p.root.called(m.Name)
		if mod == nil {
			continue // a module that nothing calls
		}
		blocks, ok := parsed[m.Path]
		if !ok {
			if blocks, err = src.Blocks(m); err != nil {
				return err
			}
			parsed[m.Path] = blocks
		}
		s.module(mod, blocks)
	}
	s.inherit(p.root)
	p.configured = true
	return nil
}

// called is the module that calls lead to, "a.b", nil if there is none.
func (m *module) called(calls string) *module {
	if calls == "" {
		return m
	}
	for name := range strings.SplitSeq(calls, ".") {
		if m = m.calls[name]; m == nil {
			return nil
		}
	}
	return m
}

// modes are the modes of resources by the type of their blocks.
var modes = map[string]string{"resource": "managed", "data": "data"}

// module fills in a module from its blocks.
func (s *snapshot) module(m *module, blocks hclsyntax.Blocks) {
	address := m.address()
	used := map[string]bool{} // local names of providers
	mappings := map[string]hcl.Expression{}
	for _, b := range withChecks(blocks) {
		attrs := b.Body.Attributes
		switch b.Type {
		case "resource", "data":
			provider := providerOf(b.Labels[0], attrs["provider"])
			name, _, _ := strings.Cut(provider, ".")
			used[name] = true
			if prefix, wanted := blockPrefix(modes[b.Type], b.Labels[0]); wanted {
				m.resources[prefix+b.Labels[0]+"."+b.Labels[1]] = &configResource{
					provider: providerKey(provider, address), forEach: forEach(attrs), expressions: expressionsOf(b.Body, metaArguments),
				}
			}
		case "module":
			child := newModule(m, b.Labels[0])
			child.arguments, child.forEach = expressionsOf(b.Body, callArguments), forEach(attrs)
			m.calls[b.Labels[0]] = child
			if attr := attrs["providers"]; attr != nil {
				mappings[child.address()] = attr.Expr
			}
		case "variable":
			if attr := attrs["default"]; attr != nil {
				m.defaults[b.Labels[0]] = defaultOf(attr, attrs["type"])
			}
			m.sensitive[b.Labels[0]] = attrs["sensitive"] != nil && expressionOf(attrs["sensitive"].Expr).constant == true
		case "output":
			if attr := attrs["value"]; attr != nil {
				m.outputs[b.Labels[0]] = expressionOf(attr.Expr)
			}
		case "provider":
			pc := providerConfig{Name: b.Labels[0], ModuleAddress: address, Expressions: expressionsOf(b.Body, []string{"alias", "version"})}
			key := pc.Name
			if attr := attrs["alias"]; attr != nil {
				pc.Alias, _ = expressionOf(attr.Expr).constant.(string)
				key += "." + pc.Alias
			}
			s.config(providerKey(key, address), pc, "")
		case "terraform":
			for _, required := range b.Body.Blocks {
				if required.Type == "required_providers" {
					for name := range required.Body.Attributes {
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

// withChecks adds the data sources of checks to the blocks of a module.
func withChecks(blocks hclsyntax.Blocks) hclsyntax.Blocks {
	out := slices.Clone(blocks)
	for _, b := range blocks {
		for _, inner := range b.Body.Blocks {
			if b.Type == "check" && inner.Type == "data" && len(inner.Labels) == 2 {
				out = append(out, inner)
			}
		}
	}
	return out
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
func providerOf(typ string, attr *hclsyntax.Attribute) string {
	if attr != nil {
		if t := traversal(attr.Expr); t != "" {
			return t
		}
	}
	name, _, _ := strings.Cut(typ, "_")
	return name
}

// Arguments and blocks that mean something to Terraform and nothing to a provider.
var (
	metaArguments = []string{"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection", "dynamic"}
	callArguments = []string{"source", "version", "count", "for_each", "providers", "depends_on"}
)

// expressionsOf are the expressions of the attributes and blocks of a body.
func expressionsOf(body *hclsyntax.Body, except []string) map[string]expression {
	out := map[string]expression{}
	for name, attr := range body.Attributes {
		if !slices.Contains(except, name) {
			out[name] = expressionOf(attr.Expr)
		}
	}
	blocks := map[string][]map[string]expression{}
	for _, b := range body.Blocks {
		if !slices.Contains(except, b.Type) {
			blocks[b.Type] = append(blocks[b.Type], expressionsOf(b.Body, []string{"dynamic"}))
		}
	}
	for name, list := range blocks {
		out[name] = expression{blocks: list}
	}
	return out
}

func forEach(attrs hclsyntax.Attributes) *expression {
	if attr := attrs["for_each"]; attr != nil {
		if out := expressionOf(attr.Expr); out.isConstant || len(out.references) > 0 {
			return &out
		}
	}
	return nil // or a function of constants, of which plans keep nothing
}

// defaultOf is the default of a variable, as the type of the variable makes it.
func defaultOf(def, typ *hclsyntax.Attribute) any {
	value, diags := def.Expr.Value(nil)
	if diags.HasErrors() {
		return nil
	}
	if typ != nil {
		ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(typ.Expr)
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
