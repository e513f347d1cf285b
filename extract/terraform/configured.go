package terraform

import (
	"slices"
	"strings"
)

// configured reports whether the configuration sets an attribute whose value is
// known only after apply. What nobody sets, or sets to null through a variable, is
// computed by the service, though the plan marks it alike.
func (r *resolver) configured(in *instance, attr string) bool {
	if in.config == nil {
		return !r.configKnown || in.scope == nil
	}
	e, ok := in.config.expressions[attr]
	if !ok || e.null() {
		return false
	}
	if len(e.blocks) > 0 || len(e.references) == 0 {
		return true
	}
	return r.mayBeLate(e, in.place(), 0)
}

// mayBeLate reports whether an expression can have a part that is known only after
// apply. Values that the plan knows, null, and blocks without instances are none.
func (r *resolver) mayBeLate(e expression, pl place, hops int) bool {
	if e.isConstant || pl.scope == nil {
		return false
	}
	if hops > maxHops {
		return true
	}
	return slices.ContainsFunc(leaves(e.references), func(ref string) bool {
		return r.referenceMayBeLate(parseSteps(ref), pl, hops)
	})
}

func (r *resolver) referenceMayBeLate(steps []step, pl place, hops int) bool {
	if len(steps) < 2 {
		return true
	}
	switch steps[0].name {
	case "path", "count", "terraform":
		return false
	case "each":
		return steps[1].name == "value" && pl.forEach != nil &&
			r.mayBeLate(*pl.forEach, place{scope: pl.scope, path: pl.path}, hops+1)
	case "var":
		arg, ok := pl.scope.arguments[steps[1].name]
		return ok && pl.scope.parent != nil && r.mayBeLate(arg, pl.up(), hops+1)
	case "data":
		return r.dataMayBeLate(steps, pl)
	case "module":
		return r.outputMayBeLate(steps, pl, hops)
	case "local":
		return true
	default:
		return r.resourceMayBeLate(steps, pl)
	}
}

func (r *resolver) dataMayBeLate(steps []step, pl place) bool {
	if len(steps) < 3 || !strings.HasPrefix(steps[1].name, "aws_") {
		return true
	}
	block := "data." + steps[1].name + "." + steps[2].name
	return slices.ContainsFunc(r.instances(block, steps[2], true, pl), func(in *instance) bool {
		return r.deferred[in.block()] && in.unknown != nil
	})
}

func (r *resolver) outputMayBeLate(steps []step, pl place, hops int) bool {
	child := pl.scope.calls[steps[1].name]
	if child == nil || len(steps) < 3 {
		return true
	}
	out, ok := child.outputs[steps[2].name]
	if !ok {
		return true
	}
	keys := []any{steps[1].index}
	if steps[1].index == nil {
		keys = r.callKeys(pl.path, steps[1].name)
	}
	return slices.ContainsFunc(keys, func(key any) bool {
		return r.mayBeLate(out, place{scope: child, path: child.instancePath(pl.path, key)}, hops+1)
	})
}

func (r *resolver) resourceMayBeLate(steps []step, pl place) bool {
	if !keptTypes[steps[0].name] {
		return true
	}
	return slices.ContainsFunc(r.instances(steps[0].name+"."+steps[1].name, steps[1], true, pl), func(in *instance) bool {
		return len(steps) < 3 || in.isUnknown(steps[2].name)
	})
}

// written reports whether the configuration says anything about an attribute. Of
// dynamic blocks the plan keeps nothing: they count as written in a new resource.
func (r *resolver) written(in *instance, attr string) bool {
	if in.config == nil {
		return !r.configKnown || in.scope == nil
	}
	e, ok := in.config.expressions[attr]
	if !ok {
		return in.before == nil
	}
	return !e.null() && !r.tracesToNull(e, in.place(), 0)
}

// tracesToNull reports whether an expression is a module variable that is null.
func (r *resolver) tracesToNull(e expression, pl place, hops int) bool {
	refs := leaves(e.references)
	if len(refs) != 1 || hops > maxHops || pl.scope == nil {
		return false
	}
	steps := parseSteps(refs[0])
	if len(steps) != 2 || steps[0].name != "var" {
		return false
	}
	if pl.scope.parent == nil {
		v, ok := r.variables[steps[1].name]
		return ok && v == nil
	}
	if arg, ok := pl.scope.arguments[steps[1].name]; ok {
		return arg.null() || r.tracesToNull(arg, pl.up(), hops+1)
	}
	def, ok := pl.scope.defaults[steps[1].name]
	return ok && def == nil
}
