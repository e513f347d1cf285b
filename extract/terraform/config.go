package terraform

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A module is what the configuration says about one module, without instances.
type module struct {
	parent *module
	// name is that of the call in the parent, empty for the root.
	name string
	// arguments are the expressions of the call.
	arguments map[string]expression
	forEach   *expression
	// resources are the managed resources, by "type.name", and the data sources that
	// write policies, by "data.type.name".
	resources map[string]*configResource
	calls     map[string]*module
	outputs   map[string]expression
	// defaults holds the variables that have a default.
	defaults map[string]any
	// sensitive are the variables that the configuration declares so.
	sensitive map[string]bool
}

// A configResource is a resource block.
type configResource struct {
	provider    string
	expressions map[string]expression
	forEach     *expression
}

// An expression is what a plan keeps of an expression of the configuration. The
// type of terraform-json would not do: it cannot tell null from a function call
// over literals, of which the plan keeps neither value nor reference.
type expression struct {
	constant   any
	isConstant bool
	references []string
	// blocks are nested blocks.
	blocks []map[string]expression
}

// null reports whether the configuration says null in so many words.
func (e expression) null() bool { return e.isConstant && e.constant == nil }

// UnmarshalJSON reads an attribute's expression, a nested block or a list of
// nested blocks. It never fails: what has another shape is an expression about
// which nothing is known.
func (e *expression) UnmarshalJSON(raw []byte) error {
	var blocks []map[string]expression
	if json.Unmarshal(raw, &blocks) == nil && blocks != nil {
		e.blocks = blocks
		return nil
	}
	var attr struct {
		ConstantValue jsontext.Value `json:"constant_value"`
		References    []string       `json:"references"`
	}
	if json.Unmarshal(raw, &attr) == nil && (attr.ConstantValue != nil || attr.References != nil) {
		e.references = attr.References
		// Of a string in JSON syntax the plan gives the template as a constant.
		isTemplate := len(attr.References) > 0 || bytes.HasPrefix(attr.ConstantValue, []byte(`"${`))
		e.isConstant = attr.ConstantValue != nil && !isTemplate && json.Unmarshal(attr.ConstantValue, &e.constant) == nil
		return nil
	}
	var block map[string]expression
	if json.Unmarshal(raw, &block) == nil && len(block) > 0 {
		e.blocks = []map[string]expression{block}
	}
	return nil
}

// A providerConfig is a provider block.
type providerConfig struct {
	Name          string                `json:"name"`
	FullName      string                `json:"full_name"`
	Alias         string                `json:"alias"`
	ModuleAddress string                `json:"module_address"`
	Expressions   map[string]expression `json:"expressions"`
}

// configuration streams the configuration block.
func (p *plan) configuration(dec *jsontext.Decoder) error {
	return eachMember(dec, func(name string) error {
		switch name {
		case "provider_config":
			return eachMember(dec, func(key string) error {
				var pc providerConfig
				ok, err := p.readInto(dec, &pc)
				p.openTofu = p.openTofu || strings.HasPrefix(pc.FullName, "registry.opentofu.org/")
				if ok && pc.Name == "aws" {
					p.providers[key] = pc
				}
				return err
			})
		case "root_module":
			return p.module(dec, p.root)
		default:
			return dec.SkipValue()
		}
	})
}

func newModule(parent *module, name string) *module {
	return &module{
		parent: parent, name: name,
		resources: map[string]*configResource{}, calls: map[string]*module{},
		outputs: map[string]expression{}, defaults: map[string]any{}, sensitive: map[string]bool{},
	}
}

func (p *plan) module(dec *jsontext.Decoder, m *module) error {
	return eachMember(dec, func(name string) error {
		switch name {
		case "resources":
			return eachItem(dec, func() error { return p.configResource(dec, m) })
		case "module_calls":
			return eachMember(dec, func(name string) error {
				child := newModule(m, name)
				m.calls[name] = child
				return p.moduleCall(dec, child)
			})
		case "outputs":
			return eachMember(dec, func(name string) error {
				var out struct{ Expression expression }
				_, err := p.readInto(dec, &out)
				m.outputs[name] = out.Expression
				return err
			})
		case "variables":
			return eachMember(dec, func(name string) error {
				var v map[string]any
				_, err := p.readInto(dec, &v)
				if def, ok := v["default"]; ok {
					m.defaults[name] = def
				}
				m.sensitive[name] = v["sensitive"] == true
				return err
			})
		default:
			return dec.SkipValue()
		}
	})
}

func (p *plan) moduleCall(dec *jsontext.Decoder, m *module) error {
	return eachMember(dec, func(name string) error {
		switch name {
		case "expressions":
			_, err := p.readInto(dec, &m.arguments)
			return err
		case "for_each_expression":
			m.forEach = &expression{}
			_, err := p.readInto(dec, m.forEach)
			return err
		case "module":
			return p.module(dec, m)
		default:
			return dec.SkipValue()
		}
	})
}

func (p *plan) configResource(dec *jsontext.Decoder, m *module) error {
	raw, h, ok, err := p.readHead(dec)
	prefix, wanted := blockPrefix(h.mode, h.typ)
	if !ok || !wanted {
		return err
	}
	var r struct {
		Type        string                `json:"type"`
		Name        string                `json:"name"`
		Provider    string                `json:"provider_config_key"`
		Expressions map[string]expression `json:"expressions"`
		ForEach     *expression           `json:"for_each_expression"`
	}
	if p.understood(dec, raw, &r) {
		m.resources[prefix+r.Type+"."+r.Name] = &configResource{provider: r.Provider, expressions: r.Expressions, forEach: r.ForEach}
	}
	return nil
}

// blockPrefix returns what stands before the type in the name of a block, and whether
// the configuration of such blocks is kept.
func blockPrefix(mode, typ string) (prefix string, kept bool) {
	switch mode {
	case "managed":
		return "", strings.HasPrefix(typ, "aws_")
	case "data":
		return "data.", typ == policyDocument
	}
	return "", false
}

// find returns the module at a path of steps module.a.module.b, nil if there is none.
func (m *module) find(path []step) *module {
	for i := 1; i < len(path) && m != nil; i += 2 {
		m = m.calls[path[i].name]
	}
	return m
}
