package condition

import "maps"

// Bases are the condition operators.
func Bases() []Base {
	var out []Base
	for b := range maps.Keys(operators) {
		out = append(out, b)
	}
	return out
}

// Break changes what an operator means for policies that are decoded from now on,
// until the function it returns is called: a negated one is no longer negated, and
// the other way round; Null is taken for Bool.
func Break(b Base) (mend func()) {
	if b == Null {
		baseByLower["null"] = Bool
		return func() { baseByLower["null"] = Null }
	}
	whole := operators[b]
	broken := whole
	broken.negated = !whole.negated
	operators[b] = broken
	return func() { operators[b] = whole }
}
