package terraform

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract/terraform/configuration"
)

// A resolver finds the values that attributes will have, through the references
// of the configuration.
type resolver struct {
	*world
	variables map[string]any
	providers map[string]providerConfig
	account   symbol.Text
	partition symbol.Text
	region    symbol.Text
	// locals remembers what the local values of a module instance can be made of.
	locals map[string]outcome
	// keys remembers the instance keys of module calls.
	keys map[string][]any
	// source is that of the configuration, nil if it is not at hand, assumed if nobody
	// named it; evaluate evaluates it.
	source        *configuration.Source
	sourceAssumed bool
	evaluate      *configuration.Evaluator
}

// A want says what kind of value an attribute takes: the attribute, name or ARN
// or the like, of a resource of one of the types.
type want struct {
	attr  string
	types []string
}

// A candidate is a value that an expression may have.
type candidate struct {
	text symbol.Text
	// late is set for a value that the plan does not know yet.
	late bool
	// from is the resource the value is taken from, attr what of it; nil for constants.
	from *instance
	attr string
}

// An outcome is what came of an expression: the candidates it may be made of, and
// the references that lead nowhere.
type outcome struct {
	candidates []candidate
	missing    []string
}

func (o *outcome) add(c ...candidate) {
	for _, c := range c {
		if !slices.ContainsFunc(o.candidates, func(d candidate) bool { return d.text == c.text }) {
			o.candidates = append(o.candidates, c)
		}
	}
}

func (o *outcome) merge(p outcome) {
	o.add(p.candidates...)
	o.missing = append(o.missing, p.missing...)
}

// A place is where an expression stands: a module instance, and the instance key
// and for_each of the block around the expression.
type place struct {
	scope   *module
	path    []step
	key     any
	forEach *expression
}

func (in *instance) place() place {
	pl := place{scope: in.scope, path: in.path, key: in.key}
	if in.config != nil {
		pl.forEach = in.config.forEach
	}
	return pl
}

// up is the place of the module call that pl stands in.
func (pl place) up() place {
	n := len(pl.path)
	return place{scope: pl.scope.parent, path: pl.path[:n-2], key: pl.path[n-1].index, forEach: pl.scope.forEach}
}

// maxHops bounds how far references are followed: a damaged plan may go in circles.
const maxHops = 64

// expression resolves e.
func (r *resolver) expression(e expression, pl place, w want, hops int) outcome {
	var out outcome
	if hops > maxHops || pl.scope == nil {
		out.missing = append(out.missing, "a reference that leads too far")
		return out
	}
	if e.isConstant {
		out.add(constants(e.constant)...)
		return out
	}
	for _, block := range e.blocks {
		if attr, ok := block[w.attr]; ok {
			out.merge(r.expression(attr, pl, w, hops+1))
		}
	}
	refs := leaves(e.references)
	keyed := slices.ContainsFunc(refs, func(ref string) bool {
		return ref == "each.key" || ref == "count.index" || strings.HasPrefix(ref, "each.value")
	})
	for _, ref := range refs {
		out.merge(r.reference(ref, keyed, pl, w, hops))
	}
	return out
}

func (r *resolver) reference(ref string, keyed bool, pl place, w want, hops int) outcome {
	var out outcome
	steps := parseSteps(ref)
	if len(steps) == 0 {
		return out
	}
	switch steps[0].name {
	case "count", "path", "terraform", "self":
		return out
	case "each":
		return r.eachValue(steps, pl, w, hops)
	case "var":
		if len(steps) < 2 {
			break
		}
		return r.variable(steps, pl, w, hops)
	case "module":
		if len(steps) < 2 {
			break
		}
		return r.output(ref, steps, keyed, pl, w, hops)
	case "data":
		if len(steps) < 3 {
			break
		}
		return r.data(ref, steps, keyed, pl, w)
	case "local":
		return r.local(ref, pl, w, hops)
	default:
		if len(steps) < 2 {
			break
		}
		return r.resource(ref, steps, keyed, pl, w, hops)
	}
	out.missing = append(out.missing, ref)
	return out
}

// eachValue resolves each.value, or a part of it, from what for_each goes over: if
// that is a resource, the instance with the same key is meant. each.key is known.
func (r *resolver) eachValue(steps []step, pl place, w want, hops int) outcome {
	if len(steps) < 2 || steps[1].name != "value" || pl.forEach == nil {
		return outcome{}
	}
	e := *pl.forEach
	pl.forEach = nil
	if len(steps) > 2 && slices.ContainsFunc(w.types, func(typ string) bool { return strings.HasPrefix(strings.Join(e.references, " "), typ+".") }) {
		w.attr = steps[2].name
	}
	e.references = append(slices.Clone(e.references), "each.key")
	return r.expression(e, pl, w, hops+1)
}

// wire resolves an attribute that names another resource: to its known value, or
// through the references of the configuration. exact is set where the outcome has
// one candidate and that is the value.
func (r *resolver) wire(in *instance, attr string, w want) (out outcome, exact bool) {
	if t := single(in.values[attr]); !t.IsZero() {
		out.add(candidate{text: t})
		return out, true
	}
	if !in.isUnknown(attr) {
		return out, false
	}
	return r.late(in, attr, w)
}

// late resolves an attribute of which some part is known only after apply.
func (r *resolver) late(in *instance, attr string, w want) (out outcome, exact bool) {
	e, ok := expression{}, false
	if in.config != nil {
		e, ok = in.config.expressions[attr]
	}
	if !ok {
		out.missing = append(out.missing, "an expression that the plan does not hold")
		return out, false
	}
	return r.lateExpression(e, in, attr, w)
}

// lateExpression resolves the expression of an attribute of which some part is known
// only after apply.
func (r *resolver) lateExpression(e expression, in *instance, attr string, w want) (out outcome, exact bool) {
	out = r.expression(e, in.place(), w, 0)
	if e.isConstant && in.unknown == true { // of a resource of which nothing else is known
		return out, len(out.candidates) == 1
	}
	// A value that the plan knows cannot be why the attribute is unknown: it is the
	// other branch of a condition, or a part of something longer. If that leaves
	// nothing, resources are better than constants.
	late := keep(out.candidates, func(c candidate) bool { return c.late })
	if late == nil {
		late = keep(out.candidates, func(c candidate) bool { return c.from != nil && slices.Contains(w.types, c.from.typ) })
	}
	out.candidates = late
	if len(out.candidates) == 0 && len(out.missing) == 0 {
		out.missing = append(out.missing, leaves(e.references)...)
	}
	exact = len(out.candidates) == 1 && len(out.missing) == 0
	// References do not tell what stands around them; the source does.
	texts, ok := r.textsFromSource(in, attr)
	if !ok || len(texts) != 1 || exact && texts[0] == out.candidates[0].text {
		return out, exact
	}
	return outcome{candidates: []candidate{{text: texts[0], late: true}}}, true
}

func keep[T any](list []T, f func(T) bool) []T {
	var out []T
	for _, c := range list {
		if f(c) {
			out = append(out, c)
		}
	}
	return out
}
