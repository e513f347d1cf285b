package terraform

import (
	"encoding/json"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
)

// An instance is a resource, or a data source, in the world after the change.
type instance struct {
	address string
	// path is the module it stands in, as steps module.a.module.b.
	path   []step
	module string // the path in its canonical spelling
	typ    string
	name   string
	key    any // instance key: nil, string or int
	data   bool
	// values are those after the change; what unknown marks is missing from them.
	values    map[string]any
	unknown   any
	sensitive any
	// before are the values that the change replaces, nil without one.
	before map[string]any
	// sensitive marks values, sensitiveBefore those of before.
	sensitiveBefore any
	config          *configResource
	scope           *module
	// attrs remembers the texts of attributes.
	attrs []text
}

// A world is all instances after the change.
type world struct {
	// managed are in the order of their addresses.
	managed []*instance
	byType  map[string][]*instance
	// read are the data sources, in the same order.
	read []*instance
	// blocks are the resource blocks with their instances, by "module type.name".
	blocks map[string]*resourceBlock
	// gone are changes whose object before the change is no more, or not the same:
	// what other resources still show of it is out of date.
	gone []*instance
	// deferred says which data sources are read during apply.
	deferred map[string]bool
	modules  map[string][]step
	root     *module
	// configKnown is set where the plan holds the configuration.
	configKnown bool
	// secrets are the sensitive names, the longest first.
	secrets []name
	// sensitivePolicies are the documents that are sensitive somewhere: another
	// resource may show one of them without a mark.
	sensitivePolicies map[string]bool
	parsed            map[string]*parsedPolicy
}

// A resourceBlock is what a resource block stands for: its instances, in the order of
// their addresses. A nil one has none.
type resourceBlock struct {
	instances []*instance
	byKey     map[any]*instance // once somebody asked
}

func (b *resourceBlock) all() []*instance {
	if b == nil {
		return nil
	}
	return b.instances
}

// at returns the instance with a key, nil if there is none.
func (b *resourceBlock) at(key any) *instance {
	if b == nil {
		return nil
	}
	if b.byKey == nil {
		b.byKey = make(map[any]*instance, len(b.instances))
		for _, in := range slices.Backward(b.instances) { // the first of a key is it
			b.byKey[in.key] = in
		}
	}
	return b.byKey[key]
}

func newWorld(p *plan) *world {
	w := &world{
		byType: map[string][]*instance{}, blocks: map[string]*resourceBlock{},
		deferred: map[string]bool{}, modules: map[string][]step{}, root: p.root, configKnown: p.configured,
		sensitivePolicies: map[string]bool{}, parsed: p.parsed,
	}
	byAddress := make(map[string]*instance, len(p.prior)+len(p.changes))
	all := make([]*instance, 0, len(p.prior)+len(p.changes))
	for _, sr := range p.prior {
		in := w.instance(sr.Address, moduleOf(sr.Address), sr.Mode, sr.Type, sr.Name, sr.Index)
		in.values = sr.AttributeValues
		in.before = sr.AttributeValues
		if json.Unmarshal(sr.SensitiveValues, &in.sensitive) == nil {
			in.sensitiveBefore = in.sensitive
		}
		byAddress[in.address] = in
		all = append(all, in)
	}
	for _, rc := range p.changes {
		if rc.PreviousAddress != "" { // before another resource is moved there
			delete(byAddress, rc.PreviousAddress)
		}
	}
	for _, rc := range p.changes {
		all = append(all, w.overlay(byAddress, rc)...)
	}
	all = slices.DeleteFunc(all, func(in *instance) bool { return byAddress[in.address] != in })
	slices.SortFunc(all, byAddressOrder)
	for _, in := range all {
		if in.data {
			w.read = append(w.read, in)
		} else {
			w.managed = append(w.managed, in)
			w.byType[in.typ] = append(w.byType[in.typ], in)
		}
		name := in.block()
		if w.blocks[name] == nil {
			w.blocks[name] = &resourceBlock{}
		}
		w.blocks[name].instances = append(w.blocks[name].instances, in)
	}
	slices.SortFunc(w.gone, byAddressOrder)
	for _, in := range w.gone {
		if byAddress[in.address] != in {
			all = append(all, in)
		}
	}
	slices.SortFunc(all, byAddressOrder)
	w.hide(all)
	return w
}

func byAddressOrder(a, b *instance) int {
	if a.address < b.address {
		return -1
	} else if a.address > b.address {
		return 1
	}
	return 0
}

// moduleOf returns the module part of an address.
func moduleOf(address string) string {
	steps := parseSteps(address)
	n := 0
	for n+1 < len(steps) && steps[n].name == "module" && steps[n].index == nil {
		n += 2
	}
	return joinSteps(steps[:n])
}

func (w *world) instance(address, module string, mode tfjson.ResourceMode, typ, name string, index any) *instance {
	path, ok := w.modules[module]
	if !ok {
		path = parseSteps(module)
		w.modules[module] = path
	}
	in := &instance{address: address, path: path, module: joinSteps(path), typ: typ, name: name, key: indexKey(index)}
	in.data = mode == tfjson.DataResourceMode
	in.scope = w.root.find(path)
	if in.scope != nil {
		in.config = in.scope.resources[in.blockName()]
	}
	return in
}

// readInCheck is why Terraform reads a data source that is part of a check and not
// of the infrastructure.
const readInCheck = "read_because_check_nested"

// overlay puts one change over the state before it. It returns the instances that the
// change leaves.
func (w *world) overlay(byAddress map[string]*instance, rc *tfjson.ResourceChange) []*instance {
	if rc.DeposedKey != "" {
		return nil // what is left over from an earlier replacement
	}
	in := w.instance(rc.Address, rc.ModuleAddress, rc.Mode, rc.Type, rc.Name, rc.Index)
	in.values, _ = rc.Change.After.(map[string]any)
	in.before, _ = rc.Change.Before.(map[string]any)
	in.unknown, in.sensitive = rc.Change.AfterUnknown, rc.Change.AfterSensitive
	in.sensitiveBefore = rc.Change.BeforeSensitive
	actions := rc.Change.Actions
	if in.before != nil && !in.data && !actions.NoOp() {
		w.gone = append(w.gone, in)
	}
	out := []*instance{in}
	forgotten := slices.Contains(actions, tfjson.ActionForget) || in.before["skip_destroy"] == true
	switch {
	case in.data:
		w.deferred[in.block()] = true
		if rc.ActionReason == readInCheck {
			return nil
		}
	case forgotten && in.values == nil:
		// Terraform lets go of the object, and the object stays.
		in.values, in.unknown, in.sensitive = in.before, nil, rc.Change.BeforeSensitive
	case slices.Equal(actions, tfjson.Actions{tfjson.ActionDelete}):
		delete(byAddress, rc.Address)
		return nil
	case slices.Contains(actions, tfjson.ActionForget) && in.before != nil:
		// A replacement leaves two of them.
		old := *in
		old.address += " (forgotten)"
		old.values, old.unknown, old.sensitive, old.config = in.before, nil, rc.Change.BeforeSensitive, nil
		byAddress[old.address] = &old
		out = append(out, &old)
	}
	byAddress[rc.Address] = in
	return out
}

// block names the resource block that in is an instance of.
func (in *instance) block() string { return in.module + " " + in.blockName() }

// blockName names the block inside of its module.
func (in *instance) blockName() string {
	if in.data {
		return "data." + in.typ + "." + in.name
	}
	return in.typ + "." + in.name
}

// at walks into a tree of JSON values along names.
func at(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			// True for a whole means true for every part of it.
			if v == true {
				return true
			}
			return nil
		}
		v = m[name]
	}
	return v
}

// isUnknown reports whether some part of an attribute is known only after apply.
func (in *instance) isUnknown(attr string) bool { return marked(at(in.unknown, attr)) }

// marked reports whether a tree of marks has a true somewhere.
func marked(v any) bool {
	switch m := v.(type) {
	case bool:
		return m
	case []any:
		return slices.ContainsFunc(m, marked)
	case map[string]any:
		for _, item := range m {
			if marked(item) {
				return true
			}
		}
	}
	return false
}

// str returns a known, non-empty string attribute.
func (in *instance) str(attr string) (string, bool) {
	s, ok := in.values[attr].(string)
	return s, ok && s != ""
}

// flag returns a boolean attribute.
func (in *instance) flag(attr string) bool {
	b, _ := in.values[attr].(bool)
	return b
}
