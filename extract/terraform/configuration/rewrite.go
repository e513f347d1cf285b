package configuration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Expressions are evaluated by HCL itself. Five kinds of nodes are put in the place
// of HCL's own: references, which are looked up when they are needed; templates,
// which keep what is unknown in them; objects, which remember where they are
// written; lists; and comparisons, which know that a symbol may turn out equal. A part
// of a template, object or list that fails is unknown by itself: Terraform has
// evaluated it, so that it is tfguard that lacks something.

// instrument prepares all expressions of a body.
func (e *Evaluator) instrument(body *hclsyntax.Body) {
	for _, attr := range body.Attributes {
		attr.Expr = e.rewrite(attr.Expr)
	}
	for _, block := range body.Blocks {
		e.instrument(block.Body)
	}
}

func (e *Evaluator) rewriteAll(list []hclsyntax.Expression) {
	for i := range list {
		list[i] = e.rewrite(list[i])
	}
}

func (e *Evaluator) rewrite(x hclsyntax.Expression) hclsyntax.Expression {
	switch x := x.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return &reference{x, e}
	case *hclsyntax.RelativeTraversalExpr:
		x.Source = e.rewrite(x.Source)
	case *hclsyntax.FunctionCallExpr:
		e.rewriteAll(x.Args)
		x.Name = strings.TrimPrefix(x.Name, "core::")
		if _, ok := e.functions[x.Name]; !ok {
			return &unsupported{x}
		}
	case *hclsyntax.ConditionalExpr:
		x.Condition, x.TrueResult, x.FalseResult = e.rewrite(x.Condition), e.rewrite(x.TrueResult), e.rewrite(x.FalseResult)
	case *hclsyntax.IndexExpr:
		x.Collection, x.Key = e.rewrite(x.Collection), e.rewrite(x.Key)
	case *hclsyntax.TupleConsExpr:
		e.rewriteAll(x.Exprs)
		return &listed{x, e}
	case *hclsyntax.ObjectConsExpr:
		for i := range x.Items {
			if key, ok := x.Items[i].KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok {
				if key.ForceNonLiteral || hcl.ExprAsKeyword(key.Wrapped) == "" {
					key.Wrapped = e.rewrite(key.Wrapped)
				}
			}
			x.Items[i].ValueExpr = e.rewrite(x.Items[i].ValueExpr)
		}
		return &placed{x, e}
	case *hclsyntax.ForExpr:
		x.CollExpr, x.ValExpr = e.rewrite(x.CollExpr), e.rewrite(x.ValExpr)
		if x.KeyExpr != nil {
			x.KeyExpr = e.rewrite(x.KeyExpr)
		}
		if x.CondExpr != nil {
			x.CondExpr = e.rewrite(x.CondExpr)
		}
	case *hclsyntax.SplatExpr:
		x.Source, x.Each = e.rewrite(x.Source), e.rewrite(x.Each)
	case *hclsyntax.BinaryOpExpr:
		x.LHS, x.RHS = e.rewrite(x.LHS), e.rewrite(x.RHS)
		switch x.Op {
		case hclsyntax.OpEqual:
			x.Op = &hclsyntax.Operation{Impl: e.equal(false), Type: cty.Bool}
		case hclsyntax.OpNotEqual:
			x.Op = &hclsyntax.Operation{Impl: e.equal(true), Type: cty.Bool}
		}
	case *hclsyntax.UnaryOpExpr:
		x.Val = e.rewrite(x.Val)
	case *hclsyntax.ParenthesesExpr:
		x.Expression = e.rewrite(x.Expression)
	case *hclsyntax.TemplateWrapExpr:
		x.Wrapped = e.rewrite(x.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		x.Tuple = e.rewrite(x.Tuple)
	case *hclsyntax.TemplateExpr:
		e.rewriteAll(x.Parts)
		return &template{x, e}
	}
	return x
}

// A placed object remembers where it is written.
type placed struct {
	*hclsyntax.ObjectConsExpr
	e *Evaluator
}

func (x *placed) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var failed hcl.Diagnostics
	object := *x.ObjectConsExpr
	object.Items = slices.Clone(x.Items)
	for i, item := range x.Items {
		v, diags := x.e.attempt(item.ValueExpr, ctx)
		failed = append(failed, diags...)
		object.Items[i].ValueExpr = &hclsyntax.LiteralValueExpr{Val: v, SrcRange: item.ValueExpr.Range()}
	}
	v, diags := object.Value(ctx)
	if diags = append(failed, diags...); diags.HasErrors() {
		return v, diags
	}
	return v.Mark(place{rangeOf(x.SrcRange)}), diags
}

// A listed expression is a list.
type listed struct {
	*hclsyntax.TupleConsExpr
	e *Evaluator
}

func (x *listed) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var failed hcl.Diagnostics
	items := make([]cty.Value, len(x.Exprs))
	for i, item := range x.Exprs {
		var diags hcl.Diagnostics
		items[i], diags = x.e.attempt(item, ctx)
		failed = append(failed, diags...)
	}
	return cty.TupleVal(items), failed
}

// attempt evaluates a part of an expression. What fails is unknown, but where the
// configuration itself asks whether it does.
func (e *Evaluator) attempt(x hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := x.Value(ctx)
	if !diags.HasErrors() || e.trying {
		return v, diags
	}
	return unknown(problem(diags)), nil
}

// A reference is looked up in the module it stands in, unless a for expression, a
// dynamic block or a template around it defines the name.
type reference struct {
	*hclsyntax.ScopeTraversalExpr
	e *Evaluator
}

// toResource reports whether the reference is to an attribute of a resource or data
// source: what is unknown is then that very attribute.
func (x *reference) toResource() bool {
	switch x.Traversal.RootName() {
	case "var", "local", "module", "each", "count", "path", "terraform", "self":
		return false
	}
	return true
}

func (x *reference) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	root := x.Traversal.RootName()
	for c := ctx; c != nil; c = c.Parent() {
		if _, ok := c.Variables[root]; ok {
			return x.ScopeTraversalExpr.Value(ctx)
		}
		if sc, ok := c.Variables[scopeName]; ok {
			v, err := sc.EncapsulatedValue().(*frame).resolve(x.Traversal)
			if err != nil {
				return cty.DynamicVal, hcl.Diagnostics{{
					Severity: hcl.DiagError, Summary: join(root, pathOf(x.Traversal[1:])), Detail: err.Error(), Subject: x.SrcRange.Ptr(),
				}}
			}
			return v, nil
		}
	}
	return x.ScopeTraversalExpr.Value(ctx)
}

// An unsupported call is one of a function that is not evaluated.
type unsupported struct{ *hclsyntax.FunctionCallExpr }

func (x *unsupported) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	out := unknown(x.Name + "()")
	for _, arg := range x.Args {
		if v, diags := arg.Value(ctx); !diags.HasErrors() {
			out = out.WithMarks(onlyKept(deepMarks(v)))
		}
	}
	return out, nil
}

// A template keeps what is unknown in it as symbols, and remembers which part of its
// text stands where.
type template struct {
	*hclsyntax.TemplateExpr
	e *Evaluator
}

// A segment is a stretch of a template's text with the place it comes from.
type segment struct {
	from, to int
	rng      hcl.Range
	// exact is set for text that is written just so, but for an indentation that each
	// line after the first has lost.
	exact  bool
	indent int
}

// newSegment is the stretch of one part of a template. Its lines are those of the file
// unless they are written with escapes.
func newSegment(part hclsyntax.Expression, from int, text string) segment {
	s := segment{from: from, to: from + len(text), rng: part.Range()}
	_, literal := part.(*hclsyntax.LiteralValueExpr)
	lines := strings.Count(text, "\n")
	written := len(text) + strings.Count(text, "${") + strings.Count(text, "%{") // which are doubled
	// A range that ends at the start of a line holds the end of the line before.
	s.exact = literal && lines == s.rng.End.Line-s.rng.Start.Line && (lines > 0 || written == s.rng.End.Byte-s.rng.Start.Byte)
	// The range begins after the indentation of its first line.
	indented := lines
	if strings.HasSuffix(text, "\n") {
		indented--
	}
	if lost := s.rng.End.Byte - s.rng.Start.Byte - written; s.exact && indented > 0 && lost > 0 {
		s.indent = lost / indented
	}
	return s
}

func (x *template) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var b strings.Builder
	var diags hcl.Diagnostics
	var segments []segment
	marks := cty.ValueMarks{}
	for _, p := range x.Parts {
		v, partDiags := x.e.attempt(p, ctx)
		diags = append(diags, partDiags...)
		if partDiags.HasErrors() {
			continue
		}
		v, partMarks := v.Unmark()
		for m := range onlyKept(partMarks) {
			marks[m] = struct{}{}
		}
		text, problem := x.text(p, v, partMarks)
		if problem != "" {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Invalid template interpolation value", Detail: problem,
				Subject: p.Range().Ptr(), Context: &x.SrcRange, Expression: p, EvalContext: ctx,
			})
			continue
		}
		segments = append(segments, newSegment(p, b.Len(), text))
		b.WriteString(text)
		if b.Len() > maxText {
			return cty.DynamicVal, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Text too large", Detail: errTooLarge.Error(), Subject: &x.SrcRange})
		}
	}
	if diags.HasErrors() {
		return cty.UnknownVal(cty.String).WithMarks(marks), diags
	}
	out := cty.StringVal(b.String()).WithMarks(marks)
	if text := b.String(); strings.HasPrefix(strings.TrimSpace(text), "{") {
		out = out.Mark(x.e.textDocument(text, segments, rangeOf(x.SrcRange)))
	}
	return out, diags
}

// text is the text of one part, or the problem with it.
func (x *template) text(part hclsyntax.Expression, v cty.Value, marks cty.ValueMarks) (text, problem string) {
	if !v.IsKnown() {
		if ref, ok := part.(*reference); ok && ref.toResource() {
			if what := reasons(marks); len(what) == 1 {
				return x.e.symbols.encode(symbol.Symbol{Name: what[0]}.Text()), ""
			}
		}
		return x.e.symbols.encode(x.e.fresh(marks, rangeOf(part.Range()))), ""
	}
	if v.IsNull() {
		return "", "The expression result is null. Cannot include a null value in a string template."
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return "", fmt.Sprintf("Cannot include the given value in a string template: %s.", err)
	}
	return s.AsString(), ""
}

// textDocument marks a text that may hold a policy with where its parts stand.
func (e *Evaluator) textDocument(text string, segments []segment, rng source.Range) *document {
	var node *source.Node
	parsed := false
	return &document{text: text, node: func() *source.Node {
		if parsed {
			return node
		}
		parsed = true
		n, err := source.ParseJSON(text)
		if err != nil {
			return nil
		}
		relocate(n, text, segments, rng)
		e.decodeNode(n)
		node = n
		return node
	}}
}

// relocate moves the places of a tree from its text to the files that the text was
// put together from.
func relocate(n *source.Node, text string, segments []segment, rng source.Range) {
	move := func(r source.Range) source.Range {
		for _, s := range segments {
			if r.Start.Byte < s.from || r.Start.Byte >= s.to {
				continue
			}
			out := rangeOf(s.rng)
			out.End = out.Start
			if s.exact {
				line := out.Start.Line
				out.Start = walk(out.Start, text[s.from:r.Start.Byte])
				if out.Start.Line > line {
					out.Start.Column += s.indent
				}
				out.End = out.Start
			}
			return out
		}
		return rng
	}
	var visit func(n *source.Node)
	visit = func(n *source.Node) {
		n.Range = move(n.Range)
		for i := range n.Members {
			n.Members[i].Range = move(n.Members[i].Range)
			visit(n.Members[i].Value)
		}
		for _, item := range n.Items {
			visit(item)
		}
	}
	visit(n)
}

// walk moves a position on over a text.
func walk(p source.Pos, text string) source.Pos {
	for _, r := range text {
		if r == '\n' {
			p.Line++
			p.Column = 1
		} else {
			p.Column++
		}
	}
	p.Byte += len(text)
	return p
}
