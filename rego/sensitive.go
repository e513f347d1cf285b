package rego

import (
	"cmp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// shortestSecret is the length of the shortest sensitive value that is masked; of a
// shorter one every text is full.
const shortestSecret = 4

// sensitive lists the strings of a plan that it marks as sensitive: a value x beside
// x_sensitive, values beside sensitive_values, value beside "sensitive": true, and the
// variables that are declared as sensitive.
func sensitive(v ast.Value) []string {
	var out []string
	var visit func(*ast.Term)
	visit = func(t *ast.Term) {
		switch v := t.Value.(type) {
		case ast.Object:
			marked(v, &out)
			v.Foreach(func(_, t *ast.Term) { visit(t) })
		case *ast.Array:
			v.Foreach(visit)
		}
	}
	visit(ast.NewTerm(v))
	variables(v, &out)
	for _, key := range fileKeys {
		if o, ok := v.(ast.Object); ok && o.Get(ast.StringTerm(key)) != nil {
			variables(o.Get(ast.StringTerm(key)).Value, &out)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(out)
}

func marked(o ast.Object, out *[]string) {
	for _, name := range []string{"before", "after"} {
		collect(o.Get(ast.StringTerm(name)), o.Get(ast.StringTerm(name+"_sensitive")), out)
	}
	collect(o.Get(ast.StringTerm("values")), o.Get(ast.StringTerm("sensitive_values")), out)
	collect(o.Get(ast.StringTerm("value")), o.Get(ast.StringTerm("sensitive")), out)
}

// variables lists the values of variables that the configuration of a plan declares
// as sensitive.
func variables(plan ast.Value, out *[]string) {
	declared, err := plan.Find(ast.Ref{ast.StringTerm("configuration"), ast.StringTerm("root_module"), ast.StringTerm("variables")})
	if err != nil {
		return
	}
	object, ok := declared.(ast.Object)
	if !ok {
		return
	}
	object.Foreach(func(name, variable *ast.Term) {
		mark, err := variable.Value.Find(ast.Ref{ast.StringTerm("sensitive")})
		value, none := plan.Find(ast.Ref{ast.StringTerm("variables"), name, ast.StringTerm("value")})
		if err == nil && none == nil {
			collect(ast.NewTerm(value), ast.NewTerm(mark), out)
		}
	})
}

// collect lists the strings of a value that marks, which are shaped like it, mark
// with true.
func collect(value, marks *ast.Term, out *[]string) {
	if value == nil || marks == nil {
		return
	}
	switch m := marks.Value.(type) {
	case ast.Boolean:
		if m {
			texts(value, out)
		}
	case ast.Object:
		if o, ok := value.Value.(ast.Object); ok {
			m.Foreach(func(k, mark *ast.Term) { collect(o.Get(k), mark, out) })
		}
	case *ast.Array:
		if a, ok := value.Value.(*ast.Array); ok {
			for i := range min(m.Len(), a.Len()) {
				collect(a.Elem(i), m.Elem(i), out)
			}
		}
	}
}

func texts(t *ast.Term, out *[]string) {
	switch v := t.Value.(type) {
	case ast.String:
		if len(v) >= shortestSecret {
			*out = append(*out, string(v))
		}
	case ast.Object:
		v.Foreach(func(_, t *ast.Term) { texts(t, out) })
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { texts(t, out) })
	}
}

// mask takes sensitive values out of what is shown; rules see them, readers do not.
func mask(r *Result, secrets []string) {
	if len(secrets) == 0 {
		return
	}
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "(sensitive)")
	}
	replacer := strings.NewReplacer(pairs...)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Message, f.Address = replacer.Replace(f.Message), replacer.Replace(f.Address)
	}
	for i := range r.Notes {
		r.Notes[i] = replacer.Replace(r.Notes[i])
	}
}
