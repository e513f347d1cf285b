package cloudformation

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// An atom is a comparison that the template's parameters do not decide: of two
// texts, or, with b empty, whether the condition named by a holds.
type atom struct {
	a, b symbol.Text
	// why names the condition that needs it.
	why string
}

// A world is a set of assumptions about atoms; nil assumes nothing.
type world struct {
	parent *world
	atom   atom
	holds  bool
	// is and of are a text and the value that it then has.
	is symbol.Text
	of symbol.Text
}

// assume returns the world in which an atom holds, or does not. allowed are the
// values that a parameter may have, nil for any.
func (w *world) assume(a atom, holds bool, allowed func(symbol.Text) []string) *world {
	out := &world{parent: w, atom: a, holds: holds}
	whole, value := a.a, a.b
	if whole.Known() {
		whole, value = value, whole
	}
	if a.b.IsZero() && !a.a.Known() || !value.Known() {
		return out
	}
	switch {
	case holds:
		out.is, out.of = whole, value
	case allowed != nil:
		// What is left of the allowed values may be a single one.
		var left []string
		for _, v := range allowed(whole) {
			if out.compare(whole, symbol.Literal(v)) != kleene.False {
				left = append(left, v)
			}
		}
		if len(left) == 1 {
			out.is, out.of = whole, symbol.Literal(left[0])
		}
	}
	return out
}

// value returns the value that a text is assumed to have.
func (w *world) value(t symbol.Text) (symbol.Text, bool) {
	for ; w != nil; w = w.parent {
		if !w.is.IsZero() && w.is == t {
			return w.of, true
		}
	}
	return t, false
}

// compare decides an atom by what is assumed.
func (w *world) compare(a, b symbol.Text) kleene.Truth {
	for ; w != nil; w = w.parent {
		same := w.atom.a == a && w.atom.b == b || w.atom.a == b && w.atom.b == a
		switch {
		case same:
			return kleene.Of(w.holds)
		case !w.is.IsZero() && (w.is == a && b.Known() || w.is == b && a.Known()):
			other := b
			if w.is == b {
				other = a
			}
			return kleene.Of(w.of == other)
		}
	}
	return kleene.Unknown
}

// why names the conditions that the assumptions were made for.
func (w *world) why() string {
	var names []string
	for ; w != nil; w = w.parent {
		if !slices.Contains(names, w.atom.why) {
			names = append(names, w.atom.why)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// truth decides a condition of the template by its name.
func (e *evaluator) truth(name string) kleene.Truth {
	n := e.conditionNodes[name]
	if n == nil || slices.Contains(e.conditions, name) {
		return e.undecided(atom{a: named("condition " + e.prefix + name)})
	}
	e.conditions = append(e.conditions, name)
	defer func() { e.conditions = e.conditions[:len(e.conditions)-1] }()
	return e.decide(n)
}

// undecided looks an atom up in the world, and notes the first that it lacks.
func (e *evaluator) undecided(a atom) kleene.Truth {
	if t := e.world.compare(a.a, a.b); t != kleene.Unknown {
		return t
	}
	if e.open == nil {
		a.why = "a condition"
		if len(e.conditions) > 0 {
			a.why = e.prefix + e.conditions[len(e.conditions)-1]
		} else if name, ok := strings.CutPrefix(a.a.String(), "${condition "); ok {
			a.why = strings.TrimSuffix(name, "}")
		}
		e.open = &a
		if e.reader.open == nil {
			e.reader.open = &a
		}
	}
	return kleene.Unknown
}

// decide evaluates a condition function. (AWS page "Condition functions".)
func (e *evaluator) decide(n *source.Node) kleene.Truth {
	if e.depth > maxDepth {
		return kleene.Unknown
	}
	e.depth++
	defer func() { e.depth-- }()
	if n.Kind != source.Object || len(n.Members) != 1 {
		switch literal(n) {
		case "true":
			return kleene.True
		case "false":
			return kleene.False
		}
		return e.undecided(atom{a: named("condition " + e.prefix + render(n))})
	}
	arg := n.Members[0].Value
	switch n.Members[0].Name {
	case "Condition":
		return e.truth(literal(arg))
	case "Fn::Not":
		if arg.Kind == source.List && len(arg.Items) == 1 {
			return kleene.Not(e.decide(arg.Items[0]))
		}
	case "Fn::And", "Fn::Or":
		if arg.Kind != source.List || len(arg.Items) == 0 {
			break
		}
		and := n.Members[0].Name == "Fn::And"
		out := kleene.Of(and)
		for _, item := range arg.Items {
			t := e.decide(item)
			if and {
				out = kleene.And(out, t)
			} else {
				out = kleene.Or(out, t)
			}
		}
		return out
	case "Fn::Equals":
		if arg.Kind == source.List && len(arg.Items) == 2 {
			return e.equals(e.value(arg.Items[0]), e.value(arg.Items[1]))
		}
	}
	return e.undecided(atom{a: named("condition " + e.prefix + render(n))})
}

func (e *evaluator) equals(a, b *source.Node) kleene.Truth {
	s, ok := scalar(a)
	t, also := scalar(b)
	if !ok || !also {
		if a != nil && b != nil && a.Kind != source.Unknown && b.Kind != source.Unknown && a.Kind != b.Kind {
			return kleene.False
		}
		return e.undecided(atom{a: named("condition " + render(a) + " = " + render(b))})
	}
	if out := symbol.Equal(s, t); out != kleene.Unknown {
		return out
	}
	whole, value := s, t
	if s.Known() {
		whole, value = t, s
	}
	if allowed := e.allowed(whole); allowed != nil && value.Known() && !slices.Contains(allowed, value.String()) {
		return kleene.False
	}
	return e.undecided(atom{a: whole, b: value})
}

// allowed are the AllowedValues of the parameter that a text is, nil for any.
func (t *template) allowed(text symbol.Text) []string {
	for _, p := range t.parameters {
		if p.value.Text == text {
			return p.allowed
		}
	}
	return nil
}

// A variant is a part of the template as it is in one world.
type variant struct {
	world *world
	value *source.Node
}

// maxSplits bounds the comparisons that a resource is evaluated for both ways.
const maxSplits = 5

// variants evaluates f in every world that it tells apart. f returns nil where there
// is nothing. Beyond the bound what hangs on a comparison stays unknown.
func (t *template) variants(f func(e *evaluator) *source.Node) []variant {
	var out []variant
	var split func(w *world, left int)
	split = func(w *world, left int) {
		e := &evaluator{template: t, world: w}
		v := f(e)
		if e.open != nil && left > 0 {
			split(w.assume(*e.open, true, t.allowed), left-1)
			split(w.assume(*e.open, false, t.allowed), left-1)
			return
		}
		out = append(out, variant{w, v})
	}
	split(t.world, maxSplits)
	return out
}
