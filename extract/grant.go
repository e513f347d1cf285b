package extract

import (
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Grant is one Allow statement in the making: some resources say in attributes
// what others say in a policy document.
type Grant struct {
	Sid       string
	Principal symbol.Text
	// PrincipalType is what the principal stands under; empty to tell from its text.
	PrincipalType policy.PrincipalType
	Actions       []symbol.Text
	Resource      symbol.Text
	// Late is the symbol of conditions of which nothing is known; empty otherwise.
	Late symbol.Text
	// Range is the place of the statement, if the input has one.
	Range source.Range

	conditions []source.Member // operator: {key: value}
}

// When adds a condition, if there are values to compare with.
func (g *Grant) When(operator, key string, values ...symbol.Text) {
	if len(values) == 0 || values[0].IsZero() {
		return
	}
	value := g.text(values[0])
	if len(values) > 1 {
		value = g.list(values)
	}
	for i := range g.conditions {
		if g.conditions[i].Name == operator {
			g.conditions[i].Value.Members = append(g.conditions[i].Value.Members, g.member(key, value))
			return
		}
	}
	g.conditions = append(g.conditions, g.member(operator, g.object(g.member(key, value))))
}

func (g *Grant) text(t symbol.Text) *source.Node {
	return &source.Node{Kind: source.String, Text: t, Range: g.Range}
}

func (g *Grant) list(ts []symbol.Text) *source.Node {
	n := &source.Node{Kind: source.List, Range: g.Range}
	for _, t := range ts {
		n.Items = append(n.Items, g.text(t))
	}
	return n
}

func (g *Grant) object(members ...source.Member) *source.Node {
	return &source.Node{Kind: source.Object, Members: members, Range: g.Range}
}

func (g *Grant) member(name string, value *source.Node) source.Member {
	return source.Member{Name: name, Value: value, Range: g.Range}
}

// Document decodes grants as one resource-based policy with an ID, a statement each.
func Document(id string, origin source.Origin, grants ...*Grant) (*policy.Document, source.Diagnostics) {
	var whole Grant
	statements := &source.Node{Kind: source.List}
	for _, g := range grants {
		whole.Range = g.Range
		statements.Items = append(statements.Items, g.statement())
	}
	statements.Range = whole.Range
	node := whole.object(whole.member("Version", whole.text(symbol.Literal(policy.Version2012))), whole.member("Statement", statements))
	return policy.Decode(node, id, policy.Resource, origin)
}

func (g *Grant) statement() *source.Node {
	principal := g.text(g.Principal)
	switch {
	case g.PrincipalType != "":
		principal = g.object(g.member(string(g.PrincipalType), principal))
	case g.Principal == symbol.Literal("*"):
	case !g.Principal.Known() && !g.Principal.HasPrefix(symbol.Literal("arn:")):
		principal.Kind = source.Unknown // it may be of any type
	default:
		principal = g.object(g.member(principalType(g.Principal), principal))
	}
	st := g.object(
		g.member("Effect", g.text(symbol.Literal(string(policy.Allow)))),
		g.member("Principal", principal),
		g.member("Action", g.list(g.Actions)),
		g.member("Resource", g.text(g.Resource)),
	)
	if g.Sid != "" {
		st.Members = append(st.Members, g.member("Sid", g.text(symbol.Literal(g.Sid))))
	}
	switch {
	case !g.Late.IsZero():
		st.Members = append(st.Members, g.member("Condition", &source.Node{Kind: source.Unknown, Text: g.Late, Range: g.Range}))
	case len(g.conditions) > 0:
		st.Members = append(st.Members, g.member("Condition", g.object(g.conditions...)))
	}
	return st
}

func principalType(t symbol.Text) string {
	if s, known := t.Literal(); known && !strings.HasPrefix(s, "arn:") && strings.Contains(s, ".") {
		return string(policy.Service)
	}
	return string(policy.AWS)
}
