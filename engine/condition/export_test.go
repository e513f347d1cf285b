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
// the other way round; Null compares text.
func Break(b Base) (mend func()) {
	whole := operators[b]
	broken := whole
	if b == Null {
		broken.family = stringFamily
	} else {
		broken.negated = !whole.negated
	}
	operators[b] = broken
	return func() { operators[b] = whole }
}
