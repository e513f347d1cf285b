package configuration

import (
	"errors"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// readText reads a file that a configuration names, with the marks of that name.
func (e *Evaluator) readText(arg cty.Value, marks cty.ValueMarks) (text, name string, problem cty.Value) {
	if !isString(arg) {
		return "", "", cty.DynamicVal
	}
	name = arg.AsString()
	words := path.Clean(e.symbols.words(name))
	if _, sensitive := marks[sensitiveMark{}]; sensitive {
		words = "(sensitive)"
	}
	if symbolic(name) {
		return "", "", unknown("file " + words)
	}
	content, err := e.source.file(path.Clean(name))
	if err != nil || !utf8.Valid(content) {
		return "", "", unknown("file " + words + ", which is not at hand")
	}
	return string(content), e.source.shown(path.Clean(name)), cty.NilVal
}

func (e *Evaluator) file() function.Function {
	return raw(func(args []cty.Value) (cty.Value, error) {
		if len(args) != 1 {
			return cty.DynamicVal, errors.New("a path is required")
		}
		arg, marks := args[0].Unmark()
		text, name, problem := e.readText(arg, marks)
		if problem != cty.NilVal {
			return problem.WithMarks(onlyKept(marks)), nil
		}
		out := cty.StringVal(text)
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			start := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
			out = out.Mark(e.textDocument(text, []segment{{to: len(text), rng: start, exact: true}}, rangeOf(start)))
		}
		return out.WithMarks(onlyKept(marks)), nil
	})
}

// templateFile renders a template of a file with the variables given to it.
func (e *Evaluator) templateFile() function.Function {
	return raw(func(args []cty.Value) (cty.Value, error) {
		if len(args) != 2 {
			return cty.DynamicVal, errors.New("a path and variables are required")
		}
		name, marks := args[0].Unmark()
		text, shown, problem := e.readText(name, marks)
		if problem != cty.NilVal {
			return problem.WithMarks(onlyKept(marks)), nil
		}
		return e.render(text, shown, args[1], marks)
	})
}

func (e *Evaluator) templateString() function.Function {
	return raw(func(args []cty.Value) (cty.Value, error) {
		if len(args) != 2 {
			return cty.DynamicVal, errors.New("a template and variables are required")
		}
		text, marks := args[0].Unmark()
		if !isString(text) || symbolic(text.AsString()) {
			return unknown("templatestring(…)").WithMarks(onlyKept(marks)), nil
		}
		return e.render(text.AsString(), "", args[1], marks)
	})
}

// maxTemplates bounds how deep templates are in templates.
const maxTemplates = 16

// render evaluates the text of a template.
func (e *Evaluator) render(text, name string, vars cty.Value, marks cty.ValueMarks) (cty.Value, error) {
	vars, own := vars.Unmark()
	if !vars.IsKnown() {
		return unknown("the variables of a template").WithMarks(onlyKept(marks), onlyKept(own)), nil
	}
	if vars.IsNull() || !vars.Type().IsObjectType() && !vars.Type().IsMapType() {
		return cty.DynamicVal, errors.New("the variables of a template are an object")
	}
	if TooDeep([]byte(text)) {
		return cty.DynamicVal, errors.New("the template is nested too deeply")
	}
	if e.templates++; e.templates > maxTemplates {
		e.templates--
		return cty.DynamicVal, errors.New("the template leads back to itself")
	}
	defer func() { e.templates-- }()
	x, diags := hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, errors.New(problem(diags))
	}
	ctx := &hcl.EvalContext{Variables: vars.AsValueMap(), Functions: e.functions}
	if ctx.Variables == nil {
		ctx.Variables = map[string]cty.Value{}
	}
	v, diags := e.rewrite(x).Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal, errors.New(problem(diags))
	}
	return v.WithMarks(onlyKept(marks), onlyKept(own)), nil
}

// closures are the arguments of a function that evaluates them itself.
func closures(f func(args []cty.Value) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "expressions", Type: customdecode.ExpressionClosureType},
		Type:     function.StaticReturnType(cty.DynamicPseudoType),
		Impl:     func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f(args) },
	})
}

// attempted evaluates an argument that may fail as a whole.
func (e *Evaluator) attempted(c *customdecode.ExpressionClosure) (cty.Value, hcl.Diagnostics) {
	defer func(was bool) { e.trying = was }(e.trying)
	e.trying = true
	return c.Value()
}

// try gives the first argument that does not fail. An argument that is unknown in
// part is taken to succeed: what it refers to exists. Where it fails because of what is
// unknown, nobody knows whether it will.
func (e *Evaluator) try() function.Function {
	return closures(func(args []cty.Value) (cty.Value, error) {
		for _, arg := range args {
			c := customdecode.ExpressionClosureFromVal(arg)
			v, diags := e.attempted(c)
			if !diags.HasErrors() {
				return v, nil
			}
			if what, ok := e.undecided(c); ok {
				return unknown("try(" + what + ")"), nil
			}
		}
		return cty.DynamicVal, errors.New("no expression succeeded")
	})
}

func (e *Evaluator) can() function.Function {
	return closures(func(args []cty.Value) (cty.Value, error) {
		if len(args) != 1 {
			return cty.DynamicVal, errors.New("one argument is required")
		}
		c := customdecode.ExpressionClosureFromVal(args[0])
		v, diags := e.attempted(c)
		if diags.HasErrors() {
			if what, ok := e.undecided(c); ok {
				return cty.UnknownVal(cty.Bool).Mark(missing{what: "can(" + what + ")"}), nil
			}
			return cty.False, nil
		}
		if bare, marks := v.UnmarkDeep(); !bare.IsWhollyKnown() {
			return cty.UnknownVal(cty.Bool).WithMarks(onlyKept(marks)), nil
		}
		return cty.True, nil
	})
}

// undecided reports whether an expression that fails may do so for what is unknown in
// it, and names that.
func (e *Evaluator) undecided(c *customdecode.ExpressionClosure) (what string, ok bool) {
	x, isSyntax := c.Expression.(hclsyntax.Expression)
	if !isSyntax {
		return "", false
	}
	_ = hclsyntax.VisitAll(x, func(n hclsyntax.Node) hcl.Diagnostics {
		if ref, isReference := n.(*reference); isReference && !ok {
			what, ok = ref.undecided(c.EvalContext)
		}
		return nil
	})
	return what, ok
}

// undecided reports whether what the reference leads to, or the last value on the way
// that is there, is unknown in a way that something may fail for.
func (x *reference) undecided(ctx *hcl.EvalContext) (what string, ok bool) {
	for n := len(x.Traversal); n > 0; n-- {
		part := reference{&hclsyntax.ScopeTraversalExpr{Traversal: x.Traversal[:n], SrcRange: x.SrcRange}, x.e}
		v, diags := part.Value(ctx)
		if diags.HasErrors() {
			continue
		}
		v, _ = v.UnmarkDeep()
		switch {
		case isString(v) && symbolic(v.AsString()):
			return x.e.symbols.words(v.AsString()), true
		case !v.IsKnown(), hasSymbolicKey(v), n == len(x.Traversal) && (holdsSymbol(v) || !v.IsWhollyKnown()):
			return "…", true
		}
		return "", false // it has the shape that it will have
	}
	return "", false
}
