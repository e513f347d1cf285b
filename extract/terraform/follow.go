package terraform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tfguard/tfguard/engine/symbol"
)

// variable follows var.x to the value at the top, to the argument of the module
// call, or to the default.
func (r *resolver) variable(steps []step, pl place, w want, hops int) outcome {
	name := steps[1].name
	var value any
	ok := false
	if pl.scope.parent == nil {
		value, ok = r.variables[name]
	} else if e, given := pl.scope.arguments[name]; given && !e.null() {
		return r.expression(e, pl.up(), w, hops+1)
	}
	if !ok {
		value, ok = pl.scope.defaults[name]
	}
	if !ok || pl.scope.sensitive[name] {
		return outcome{missing: []string{"var." + name}}
	}
	for _, s := range steps[2:] {
		value = at(value, s.name)
	}
	var out outcome
	out.add(constants(value)...)
	return out
}

// constants turns a JSON value into candidates. Booleans are conditions and not
// values of anything that is looked for.
func constants(v any) []candidate {
	if t, ok := scalar(v); ok {
		return []candidate{{text: t}}
	}
	var out []candidate
	list, _ := v.([]any)
	for _, item := range list {
		out = append(out, constants(item)...)
	}
	return out
}

// scalar turns a JSON value into text, but for booleans and what has parts.
func scalar(v any) (symbol.Text, bool) {
	switch c := v.(type) {
	case string:
		return symbol.Literal(c), true
	case float64:
		return symbol.Literal(strconv.FormatFloat(c, 'f', -1, 64)), true
	case secret:
		return c.text, true
	case json.Number:
		return symbol.Literal(c.String()), true
	}
	return symbol.Text{}, false
}

// output follows module.m.out into the module.
func (r *resolver) output(ref string, steps []step, keyed bool, pl place, w want, hops int) outcome {
	child := pl.scope.calls[steps[1].name]
	if child == nil || len(steps) < 3 {
		return outcome{missing: []string{ref}}
	}
	e, ok := child.outputs[steps[2].name]
	if !ok {
		return outcome{missing: []string{ref}}
	}
	keys := []any{steps[1].index}
	if steps[1].index == nil {
		keys = r.callKeys(pl.path, steps[1].name)
		if keyed && slices.Contains(keys, pl.key) {
			keys = []any{pl.key}
		}
	}
	var out outcome
	for _, key := range keys {
		out.merge(r.expression(e, place{scope: child, path: child.instancePath(pl.path, key)}, w, hops+1))
	}
	return out
}

// instancePath is the path of the instance of a module with a key, below that of
// the module that calls it.
func (m *module) instancePath(caller []step, key any) []step {
	return append(slices.Clone(caller), step{name: "module"}, step{name: m.name, index: key})
}

// callKeys returns the instance keys that a module call has in this plan.
func (r *resolver) callKeys(path []step, name string) []any {
	prefix := joinSteps(path)
	memo := prefix + " " + name
	if keys, ok := r.keys[memo]; ok {
		return keys
	}
	var keys []any
	for _, p := range r.modules {
		n := len(path)
		if len(p) < n+2 || p[n].name != "module" || p[n+1].name != name || joinSteps(p[:n]) != prefix {
			continue
		}
		if !slices.Contains(keys, p[n+1].index) {
			keys = append(keys, p[n+1].index)
		}
	}
	slices.SortFunc(keys, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	if keys == nil {
		keys = []any{nil}
	}
	r.keys[memo] = keys
	return keys
}

// instances returns the instances that a reference to a block means: the one with
// the key in the reference, else the one with the key of the place, else all.
func (r *resolver) instances(block string, s step, keyed bool, pl place) []*instance {
	of := r.blocks[joinSteps(pl.path)+" "+block]
	key := s.index
	if key == nil && keyed {
		key = pl.key
	}
	if key == nil {
		return of.all()
	}
	if in := of.at(key); in != nil {
		return []*instance{in}
	}
	if s.index != nil {
		return nil
	}
	return of.all()
}

// local stands in for the body of a local value, which the plan does not keep. What
// is unknown in it can come from nowhere but its own module instance: from the
// resources of the module, from arguments of its call, and from outputs of the
// modules it calls. Of those the ones of the wanted types are candidates.
func (r *resolver) local(ref string, pl place, w want, hops int) outcome {
	if len(w.types) == 0 {
		return outcome{missing: []string{ref}}
	}
	key := joinSteps(pl.path) + " " + w.attr + " " + strings.Join(w.types, " ")
	out, done := r.locals[key]
	if !done {
		r.locals[key] = outcome{} // locals of other modules may lead back here
		out = r.origins(pl, w, hops)
		r.locals[key] = out
	}
	if len(out.candidates) == 0 {
		return outcome{missing: []string{ref}}
	}
	return out
}

func (r *resolver) origins(pl place, w want, hops int) outcome {
	var out outcome
	fitting := func(o outcome) {
		for _, c := range o.candidates {
			if c.late && c.from != nil && slices.Contains(w.types, c.from.typ) {
				out.add(c)
			}
		}
	}
	for _, typ := range w.types {
		for _, name := range sortedKeys(pl.scope.resources) {
			if strings.HasPrefix(name, typ+".") {
				fitting(r.resource(name, parseSteps(name), false, pl, w, hops+1))
			}
		}
	}
	if pl.scope.parent != nil {
		for _, name := range sortedKeys(pl.scope.arguments) {
			fitting(r.expression(pl.scope.arguments[name], pl.up(), w, hops+1))
		}
	}
	for _, call := range sortedKeys(pl.scope.calls) {
		child := pl.scope.calls[call]
		for _, name := range sortedKeys(child.outputs) {
			ref := "module." + call + "." + name
			fitting(r.output(ref, parseSteps(ref), false, pl, w, hops+1))
		}
	}
	return out
}

// data gives the value of a data source that was read while planning.
func (r *resolver) data(ref string, steps []step, keyed bool, pl place, w want) outcome {
	var out outcome
	if !strings.HasPrefix(steps[1].name, "aws_") {
		return outcome{missing: []string{ref}}
	}
	block := "data." + steps[1].name + "." + steps[2].name
	attr := w.attr
	if len(steps) > 3 {
		attr = steps[3].name
	}
	for _, in := range r.instances(block, steps[2], keyed, pl) {
		v := in.values[attr]
		if len(steps) > 3 {
			v = below(in.values, steps[3:])
		}
		if v != nil && !in.isUnknown(attr) {
			for _, c := range constants(v) {
				c.from, c.attr = in, attr
				out.add(c)
			}
			continue
		}
		if in.isUnknown(attr) && arnRules[in.typ] != nil && len(steps) <= 4 {
			// It is read during apply, and what it is read by tells its name.
			out.add(candidate{text: r.attr(in, attr), late: true, from: in, attr: attr})
			continue
		}
		out.missing = append(out.missing, ref)
	}
	return out
}

// resource gives the attribute of a managed resource, or follows the attribute's
// own expression where the resource is none of the types that are looked for.
func (r *resolver) resource(ref string, steps []step, keyed bool, pl place, w want, hops int) outcome {
	var out outcome
	block := steps[0].name + "." + steps[1].name
	attr := w.attr
	if len(steps) > 2 {
		attr = steps[2].name
	}
	if len(w.types) > 0 && !slices.Contains(w.types, steps[0].name) {
		conf := pl.scope.resources[block]
		if attr == "id" && strings.HasPrefix(steps[0].name, "aws_s3_bucket_") {
			attr = "bucket" // these resources are called after their bucket
		}
		e, ok := expression{}, false
		if conf != nil {
			e, ok = conf.expressions[attr]
		}
		if !ok {
			out.missing = append(out.missing, ref)
			return out
		}
		pl.forEach = conf.forEach
		if steps[1].index != nil {
			pl.key = steps[1].index
		}
		return r.expression(e, pl, w, hops+1)
	}
	if !keptTypes[steps[0].name] {
		out.missing = append(out.missing, ref)
		return out
	}
	path := attr
	if len(steps) > 2 {
		path = joinSteps(steps[2:])
	}
	for _, in := range r.instances(block, steps[1], keyed, pl) {
		_, known := in.values[attr]
		late := !known || in.isUnknown(attr)
		if len(steps) < 3 {
			late = marked(in.unknown) // the reference does not tell the attribute
		}
		out.add(candidate{text: r.attr(in, path), late: late, from: in, attr: attr})
	}
	return out
}
