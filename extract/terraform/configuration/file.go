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

// readText reads a file that a configuration names.
func (e *Evaluator) readText(arg cty.Value) (text, name string, problem cty.Value) {
	if !isString(arg) {
		return "", "", cty.DynamicVal
	}
	name = arg.AsString()
	if symbolic(name) {
		return "", "", unknown("file " + e.symbols.words(name))
	}
	content, err := e.source.file(path.Clean(name))
	if err != nil || !utf8.Valid(content) {
		return "", "", unknown("file " + path.Clean(name) + ", which is not at hand")
	}
	return string(content), e.source.shown(path.Clean(name)), cty.NilVal
}

func (e *Evaluator) file() function.Function {
	return simple(func(args []cty.Value) (cty.Value, error) {
		text, name, problem := e.readText(args[0])
		if problem != cty.NilVal {
			return problem, nil
		}
		out := cty.StringVal(text)
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			start := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
			out = out.Mark(e.textDocument(text, []segment{{to: len(text), rng: start, exact: true}}, rangeOf(start)))
		}
		return out, nil
	}, cty.String)
}

// templateFile renders a template of a file with the variables given to it.
func (e *Evaluator) templateFile() function.Function {
	return raw(func(args []cty.Value) (cty.Value, error) {
		if len(args) != 2 {
			return cty.DynamicVal, errors.New("a path and variables are required")
		}
		name, marks := args[0].Unmark()
		text, shown, problem := e.readText(name)
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

// try gives the first argument that does not fail. An argument that is unknown in
// part is taken to succeed: what it refers to exists.
func (e *Evaluator) try() function.Function {
	return closures(func(args []cty.Value) (cty.Value, error) {
		for _, arg := range args {
			v, diags := customdecode.ExpressionClosureFromVal(arg).Value()
			if !diags.HasErrors() {
				return v, nil
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
		v, diags := customdecode.ExpressionClosureFromVal(args[0]).Value()
		if diags.HasErrors() {
			return cty.False, nil
		}
		if bare, marks := v.UnmarkDeep(); !bare.IsWhollyKnown() {
			return cty.UnknownVal(cty.Bool).WithMarks(onlyKept(marks)), nil
		}
		return cty.True, nil
	})
}
