package policy

import (
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A hole is a part of a statement that is not known at all.
type hole struct {
	// element is "Effect", "Condition", an operator in Condition, or empty for the
	// whole statement.
	element string
	name    source.Range // of the element
	text    symbol.Text  // what it will be, if that has a name
	value   source.Range
}

func (h hole) node() *source.Node {
	return &source.Node{Kind: source.Unknown, Text: h.text, Range: h.value}
}

// MarshalJSON writes the document in one shape, however it was written: Version
// first, every Statement, Action, Resource and value an array, condition operators
// in AWS's spelling, everyone as "*". What is not known yet is shown as ${name}, as
// policy variables are: the text is for people and for rules over documents, and
// [Document.Node] for those who evaluate. A policy that was not read, or may not be
// shown, is null.
func (d *Document) MarshalJSON() ([]byte, error) {
	if d.Sensitive {
		return []byte("null"), nil
	}
	return d.Node().MarshalJSON()
}

// Node returns the document as a tree in the shape of [Document.MarshalJSON], with
// the places and unknowns of the document: [Decode] makes the same document of it.
// It returns nil for a policy that was not read.
func (d *Document) Node() *source.Node {
	if d.Unread != "" {
		return nil
	}
	statements := list(source.Range{})
	for i := range d.Statements {
		s := &d.Statements[i]
		if i > 0 && s.Index == d.Statements[i-1].Index {
			continue // the other effect that an unknown one may be
		}
		statements.Items = append(statements.Items, s.node())
	}
	n := &source.Node{Kind: source.Object}
	add(n, "Version", source.Range{}, str(symbol.Literal(d.Version), source.Range{}))
	add(n, "Statement", source.Range{}, statements)
	return n
}

func (s *Statement) node() *source.Node {
	n := &source.Node{Kind: source.Object, Range: s.Range}
	effect := str(symbol.Literal(string(s.Effect)), s.Range)
	for _, h := range s.holes {
		switch h.element {
		case "":
			return h.node()
		case "Effect":
			effect = h.node()
		}
	}
	if s.Sid != "" {
		add(n, "Sid", s.Range, str(symbol.Literal(s.Sid), s.Range))
	}
	add(n, "Effect", s.Range, effect)
	if p := s.Principals; p != nil {
		add(n, p.Element(), p.Range, p.node())
	}
	actions := list(s.Actions.Range)
	for _, a := range s.Actions.Entries {
		actions.Items = append(actions.Items, str(a.Text, a.Range))
	}
	add(n, s.Actions.Element(), s.Actions.Range, actions)
	if r := s.Resources; r != nil {
		resources := list(r.Range)
		for _, p := range r.Entries {
			resources.Items = append(resources.Items, str(p.Text(), p.Range))
		}
		add(n, r.Element(), r.Range, resources)
	}
	s.addConditions(n)
	return n
}

// addConditions adds the Condition element, if there is one.
func (s *Statement) addConditions(n *source.Node) {
	out := &source.Node{Kind: source.Object, Range: s.Range}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		values := list(c.KeyRange)
		for _, v := range c.Values {
			values.Items = append(values.Items, str(v.Text, v.Range))
		}
		add(operator(out, c.Operator, c.KeyRange), c.Key, c.KeyRange, values)
	}
	for _, h := range s.holes {
		switch h.element {
		case "Effect":
		case "Condition":
			out = h.node()
		default:
			add(out, h.element, h.name, h.node())
		}
	}
	if out.Kind == source.Unknown || len(out.Members) > 0 {
		add(n, "Condition", out.Range, out)
	}
}

// operator returns the object of a condition operator: conditions of one operator
// follow each other.
func operator(conditions *source.Node, op condition.Operator, rng source.Range) *source.Node {
	if last := len(conditions.Members) - 1; last >= 0 && conditions.Members[last].Name == op.String() {
		return conditions.Members[last].Value
	}
	keys := &source.Node{Kind: source.Object, Range: rng}
	add(conditions, op.String(), rng, keys)
	return keys
}

func (p *Principals) node() *source.Node {
	if len(p.Entries) == 1 && p.Entries[0].Type == Everyone {
		return str(p.Entries[0].Text, p.Entries[0].Range)
	}
	n := &source.Node{Kind: source.Object, Range: p.Range}
	types := map[PrincipalType]*source.Node{}
	for _, e := range p.Entries {
		if e.Type == Everyone {
			e.Type = AWS
		}
		if types[e.Type] == nil {
			types[e.Type] = list(p.Range)
			add(n, string(e.Type), p.Range, types[e.Type])
		}
		types[e.Type].Items = append(types[e.Type].Items, str(e.Text, e.Range))
	}
	return n
}

func add(object *source.Node, name string, rng source.Range, value *source.Node) {
	object.Members = append(object.Members, source.Member{Name: name, Range: rng, Value: value})
}

func str(text symbol.Text, rng source.Range) *source.Node {
	return &source.Node{Kind: source.String, Text: text, Range: rng}
}

func list(rng source.Range) *source.Node { return &source.Node{Kind: source.List, Range: rng} }
