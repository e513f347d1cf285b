package kleene_test

import (
	"testing"

	"github.com/tfguard/tfguard/engine/kleene"
)

const (
	f = kleene.False
	u = kleene.Unknown
	t = kleene.True
)

// The truth tables of Kleene's strong logic; the rule AND(False, Unknown) = False,
// AND(True, Unknown) = Unknown.
func TestTables(tt *testing.T) {
	tests := []struct{ a, b, and, or, join kleene.Truth }{
		{f, f, f, f, f},
		{f, u, f, u, u},
		{f, t, f, t, u},
		{u, f, f, u, u},
		{u, u, u, u, u},
		{u, t, u, t, u},
		{t, f, f, t, u},
		{t, u, u, t, u},
		{t, t, t, t, t},
	}
	for _, tc := range tests {
		if got := kleene.And(tc.a, tc.b); got != tc.and {
			tt.Errorf("And(%v, %v): got %v, want %v", tc.a, tc.b, got, tc.and)
		}
		if got := kleene.Or(tc.a, tc.b); got != tc.or {
			tt.Errorf("Or(%v, %v): got %v, want %v", tc.a, tc.b, got, tc.or)
		}
		if got := kleene.Join(tc.a, tc.b); got != tc.join {
			tt.Errorf("Join(%v, %v): got %v, want %v", tc.a, tc.b, got, tc.join)
		}
	}
}

func TestUnary(tt *testing.T) {
	tests := []struct {
		in, not kleene.Truth
		text    string
	}{
		{f, t, "false"},
		{u, u, "unknown"},
		{t, f, "true"},
	}
	for _, tc := range tests {
		if got := kleene.Not(tc.in); got != tc.not {
			tt.Errorf("Not(%v): got %v, want %v", tc.in, got, tc.not)
		}
		if got := tc.in.String(); got != tc.text {
			tt.Errorf("String: got %q, want %q", got, tc.text)
		}
	}
	if kleene.Of(true) != t || kleene.Of(false) != f {
		tt.Error("Of: want True for true and False for false")
	}
	if kleene.And() != t || kleene.Or() != f {
		tt.Error("the empty conjunction is True, the empty disjunction False")
	}
	var zero kleene.Truth
	if zero != f {
		tt.Error("the zero value is not False")
	}
}

func TestManyOperands(tt *testing.T) {
	if got := kleene.And(t, u, f, t); got != f {
		tt.Errorf("And: got %v, want false", got)
	}
	if got := kleene.Or(f, u, t, f); got != t {
		tt.Errorf("Or: got %v, want true", got)
	}
}

// An unknown that turns out true or false never contradicts a definite answer.
func TestRefinement(tt *testing.T) {
	all := []kleene.Truth{f, u, t}
	refine := func(x kleene.Truth) []kleene.Truth {
		if x == u {
			return []kleene.Truth{f, t}
		}
		return []kleene.Truth{x}
	}
	for _, a := range all {
		for _, b := range all {
			for _, ra := range refine(a) {
				for _, rb := range refine(b) {
					if got := kleene.And(a, b); got != u && got != kleene.And(ra, rb) {
						tt.Errorf("And(%v, %v) is %v but not for %v, %v", a, b, got, ra, rb)
					}
					if got := kleene.Or(a, b); got != u && got != kleene.Or(ra, rb) {
						tt.Errorf("Or(%v, %v) is %v but not for %v, %v", a, b, got, ra, rb)
					}
				}
			}
		}
	}
}
