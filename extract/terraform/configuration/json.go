package configuration

import (
	"reflect"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// Files in JSON syntax are brought into the tree of the native one (page "JSON
// Configuration Syntax" of Terraform): strings are templates, and a few are names or
// types. What is a block and what an attribute, the schema of its provider tells: it is
// known here of the blocks that policies are in.

// topBlocks are the blocks of a file.
var topBlocks = []hcl.BlockHeaderSchema{
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "provider", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "terraform"},
	{Type: "check", LabelNames: []string{"name"}},
}

// shapes are the blocks with policies in blocks of a type, and of its first label.
var shapes = map[string]shape{
	"terraform":                                               {"required_providers": {}},
	"data aws_iam_policy_document":                            documentBlock,
	"resource aws_iam_role":                                   {"inline_policy": {}},
	"resource aws_fsx_s3_access_point_attachment":             {"s3_access_point": {}},
	"resource aws_s3control_multi_region_access_point_policy": {"details": {}},
}

// namesIn are the attributes of blocks of a type whose strings are no templates but
// expressions: names and types.
var namesIn = map[string][]string{
	"resource": {"provider"}, "data": {"provider"}, "module": {"providers"}, "variable": {"type"}, "dynamic": {"iterator"},
}

// A jsonFile is a file in JSON syntax.
type jsonFile struct {
	text  []byte
	diags hcl.Diagnostics
}

func parseJSON(text []byte, name string) (*hclsyntax.Body, hcl.Diagnostics) {
	file, diags := hcljson.Parse(text, name)
	if diags.HasErrors() {
		return nil, diags
	}
	j := &jsonFile{text: text}
	content, _, diags := file.Body.PartialContent(&hcl.BodySchema{Blocks: topBlocks})
	out := &hclsyntax.Body{}
	for _, b := range content.Blocks {
		s := shapes[b.Type]
		if len(b.Labels) > 1 {
			s = shapes[b.Type+" "+b.Labels[0]]
		}
		out.Blocks = append(out.Blocks, j.block(b, s))
	}
	return out, append(diags, j.diags...)
}

// block converts a block that holds blocks of a shape.
func (j *jsonFile) block(b *hcl.Block, s shape) *hclsyntax.Block {
	out := &hclsyntax.Block{Type: b.Type, Labels: b.Labels, TypeRange: b.DefRange, Body: &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}}
	labelled := len(b.LabelRanges) > 0
	if labelled {
		out.TypeRange = b.LabelRanges[len(b.LabelRanges)-1]
	}
	var schema hcl.BodySchema
	switch b.Type {
	case "dynamic":
		schema.Blocks = []hcl.BlockHeaderSchema{{Type: "content"}}
	case "check":
		schema.Blocks = topBlocks[1:2] // a data source
	default:
		if s != nil {
			schema.Blocks = []hcl.BlockHeaderSchema{{Type: "dynamic", LabelNames: []string{"type"}}}
		}
		for typ := range s {
			schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: typ})
		}
	}
	content, rest, diags := b.Body.PartialContent(&schema)
	j.diags = append(j.diags, diags...)
	for _, inner := range content.Blocks {
		below := s[inner.Type]
		switch inner.Type {
		case "dynamic":
			below = shape{"content": s[inner.Labels[0]]}
		case "data":
			below = documentBlock
		}
		out.Body.Blocks = append(out.Body.Blocks, j.block(inner, below))
	}
	attrs, diags := rest.JustAttributes()
	j.diags = append(j.diags, diags...)
	for name, attr := range attrs {
		// The definition of an item of a list is the list: its first attribute tells them apart.
		if at := attr.NameRange; !labelled && (out.TypeRange == b.DefRange || at.Start.Byte < out.TypeRange.Start.Byte) {
			out.TypeRange = at
		}
		convert := j.template
		if slices.Contains(namesIn[b.Type], name) {
			convert = j.name
		}
		out.Body.Attributes[name] = &hclsyntax.Attribute{Name: name, Expr: j.expression(attr.Expr, convert), SrcRange: attr.Range, NameRange: attr.NameRange}
	}
	return out
}

// expression converts a value; str converts the strings in it.
func (j *jsonFile) expression(x hcl.Expression, str func(text string, rng hcl.Range) hclsyntax.Expression) hclsyntax.Expression {
	if items, diags := hcl.ExprList(x); !diags.HasErrors() {
		out := &hclsyntax.TupleConsExpr{SrcRange: x.Range(), OpenRange: x.StartRange()}
		for _, item := range items {
			out.Exprs = append(out.Exprs, j.expression(item, str))
		}
		return out
	}
	if pairs, diags := hcl.ExprMap(x); !diags.HasErrors() {
		out := &hclsyntax.ObjectConsExpr{SrcRange: x.Range(), OpenRange: x.StartRange()}
		for _, pair := range pairs {
			out.Items = append(out.Items, hclsyntax.ObjectConsItem{
				KeyExpr:   &hclsyntax.ObjectConsKeyExpr{Wrapped: j.expression(pair.Key, str)},
				ValueExpr: j.expression(pair.Value, str),
			})
		}
		return out
	}
	v, diags := x.Value(nil)
	j.diags = append(j.diags, diags...)
	if v.Type() == cty.String {
		return str(v.AsString(), x.Range())
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: x.Range()}
}

func (j *jsonFile) template(text string, rng hcl.Range) hclsyntax.Expression {
	x, diags := hclsyntax.ParseTemplate([]byte(text), rng.Filename, hcl.InitialPos)
	return j.placed(x, diags, text, rng)
}

func (j *jsonFile) name(text string, rng hcl.Range) hclsyntax.Expression {
	x, diags := hclsyntax.ParseExpression([]byte(text), rng.Filename, hcl.InitialPos)
	if diags.HasErrors() {
		return j.template(text, rng) // as before Terraform 0.12
	}
	return j.placed(x, diags, text, rng)
}

// placed puts the parts of an expression, which was parsed of a string alone, where they
// stand in the file.
func (j *jsonFile) placed(x hclsyntax.Expression, diags hcl.Diagnostics, text string, rng hcl.Range) hclsyntax.Expression {
	if diags.HasErrors() || x == nil {
		j.diags = append(j.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "invalid expression in a string", Subject: &rng})
		return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: rng}
	}
	q := newQuoted(text, rng, j.text)
	_ = hclsyntax.VisitAll(x, func(n hclsyntax.Node) hcl.Diagnostics {
		if t, ok := n.(*hclsyntax.TemplateExpr); ok {
			t.Parts = q.split(t.Parts)
		}
		v := reflect.ValueOf(n)
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			return nil
		}
		for _, field := range v.Elem().Fields() {
			if r, ok := reflect.TypeAssert[*hcl.Range](field.Addr()); ok {
				r.Start, r.End = q.pos(r.Start.Byte), q.pos(r.End.Byte)
			}
		}
		return nil
	})
	return x
}

// A quoted string of a file.
type quoted struct {
	rng hcl.Range
	raw []byte // as it is written
	// at are the places in raw of the bytes of the text, and of its end.
	at []int
}

func newQuoted(text string, rng hcl.Range, file []byte) *quoted {
	q := &quoted{rng: rng, raw: file[rng.Start.Byte:rng.End.Byte]}
	i := 1 // after the quote
	for _, r := range text {
		size := utf8.RuneLen(r)
		for range size {
			q.at = append(q.at, min(i, len(q.raw)))
		}
		if i+1 < len(q.raw) && q.raw[i] == '\\' {
			size = 2
			if q.raw[i+1] == 'u' {
				size = 6 * len(utf16.Encode([]rune{r}))
			}
		}
		i += size
	}
	q.at = append(q.at, min(i, len(q.raw)))
	return q
}

// pos is where a byte of the text stands in the file.
func (q *quoted) pos(i int) hcl.Pos {
	at := q.at[min(i, len(q.at)-1)]
	out := q.rng.Start
	out.Byte += at
	out.Column += utf8.RuneCount(q.raw[:at])
	return out
}

// split cuts literals of a template at their escapes, so that each part stands in the
// file just as it is.
func (q *quoted) split(parts []hclsyntax.Expression) []hclsyntax.Expression {
	var out []hclsyntax.Expression
	for _, part := range parts {
		lit, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || !isString(lit.Val) {
			out = append(out, part)
			continue
		}
		text, from := lit.Val.AsString(), lit.SrcRange.Start.Byte
		if len(text) != lit.SrcRange.End.Byte-from { // a sign of templates is doubled in it
			out = append(out, part)
			continue
		}
		start := 0
		cut := func(end int) {
			if end > start {
				rng := lit.SrcRange
				rng.Start.Byte, rng.End.Byte = from+start, from+end
				out = append(out, &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text[start:end]), SrcRange: rng})
				start = end
			}
		}
		for i, r := range text {
			if next := i + utf8.RuneLen(r); q.at[from+next]-q.at[from+i] != next-i {
				cut(i)
				cut(next)
			}
		}
		cut(len(text))
	}
	return out
}
