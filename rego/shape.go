package rego

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A kind says what input is.
type kind uint8

const (
	// document: the report document, with the file under plan or template.
	document kind = iota
	// file: the file alone, as conftest has it.
	file
	// both: the keys of the document and those of the file side by side.
	both
)

// The keys under which the document carries the file.
var fileKeys = []string{"plan", "template"}

// A shape is what the rules of some packages see as input, and which of its keys they
// mention.
type shape struct {
	kind      kind
	mentioned *keys
}

// keys are the constant keys that refs into a value mention, as a tree. Below whole,
// everything is mentioned.
type keys struct {
	whole bool
	below map[string]*keys
}

// add adds the path of a ref, as far as it is constant.
func (k *keys) add(path []*ast.Term) {
	if k.whole {
		return
	}
	key, constant := ast.String(""), false
	if len(path) > 0 {
		key, constant = path[0].Value.(ast.String)
	}
	if !constant {
		k.whole, k.below = true, nil
		return
	}
	if k.below == nil {
		k.below = map[string]*keys{}
	}
	next := k.below[string(key)]
	if next == nil {
		next = &keys{}
		k.below[string(key)] = next
	}
	next.add(path[1:])
}

func (k *keys) merge(other *keys) {
	if k.whole || other.whole {
		k.whole, k.below = true, nil
		return
	}
	for name, o := range other.below {
		mine := k.below[name]
		if mine == nil {
			if k.below == nil {
				k.below = map[string]*keys{}
			}
			k.below[name] = o
			continue
		}
		mine.merge(o)
	}
}

// at returns what is mentioned below a key, nil for nothing.
func (k *keys) at(name string) *keys {
	switch {
	case k == nil || k.whole:
		return k
	default:
		return k.below[name]
	}
}

// shapeOf finds what the rules of a package, and those that they lead to, mention of
// input. Rules that look at all of it are taken to mean all of what they see.
func shapeOf(c *ast.Compiler, name string, guardrails []*guardrail, documentKeys []string) shape {
	s := shape{mentioned: &keys{}}
	seen := map[*ast.Rule]bool{}
	var visit func(*ast.Rule)
	visit = func(r *ast.Rule) {
		if seen[r] {
			return
		}
		seen[r] = true
		ast.WalkRefs(r, func(ref ast.Ref) bool {
			if ref[0].Equal(ast.InputRootDocument) {
				s.mentioned.add(ref[1:])
			}
			return false
		})
		for next := range c.Graph.Dependencies(r) {
			if rule, ok := next.(*ast.Rule); ok {
				visit(rule)
			}
		}
	}
	for _, g := range guardrails {
		refs := []ast.Ref{g.ref}
		if g.exceptions != nil {
			refs = append(refs, g.exceptions)
		}
		for _, ref := range refs {
			for _, r := range c.GetRulesExact(ref) {
				visit(r)
			}
		}
	}
	if name == "tfguard" || strings.HasPrefix(name, "tfguard.") {
		return s
	}
	s.kind = file
	for key := range s.mentioned.below {
		if slices.Contains(documentKeys, key) || slices.Contains(fileKeys, key) {
			s.kind = both
		}
	}
	return s
}
