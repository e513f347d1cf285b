// Package kleene is three-valued logic (Kleene's strong logic): the truth of a
// statement about a request may be unknown because a value is known only after
// apply, and an unknown must never be taken for either of the others.
package kleene

// A Truth is False, Unknown or True. The zero value is False: what was never
// established does not hold.
type Truth uint8

// The values are ordered by truth, so that conjunction is the minimum and
// disjunction the maximum.
const (
	False Truth = iota
	Unknown
	True
)

// Of returns True or False for a Go boolean.
func Of(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Not returns the negation of t; the negation of Unknown is Unknown.
func Not(t Truth) Truth { return True - t }

// And returns the conjunction of its operands; True for none.
func And(ts ...Truth) Truth {
	out := True
	for _, t := range ts {
		out = min(out, t)
	}
	return out
}

// Or returns the disjunction of its operands; False for none.
func Or(ts ...Truth) Truth {
	out := False
	for _, t := range ts {
		out = max(out, t)
	}
	return out
}

// Join returns a when both agree and Unknown otherwise: the truth of something
// that is a in one possible world and b in another.
func Join(a, b Truth) Truth {
	if a == b {
		return a
	}
	return Unknown
}

// String returns "false", "unknown" or "true".
func (t Truth) String() string {
	switch t {
	case False:
		return "false"
	case True:
		return "true"
	default:
		return "unknown"
	}
}
