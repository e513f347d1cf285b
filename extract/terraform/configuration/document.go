package configuration

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract/terraform/policydocument"
)

// dataDocument is the block type whose json attribute is a policy.
const dataDocument = "data.aws_iam_policy_document."

// document is the value of an attribute that holds a policy and that the plan does
// not tell, or not where it is written; false for any other attribute.
func (f *frame) document(in Instance, block, attr string) (cty.Value, bool) {
	body, at := f.mod.blocks[block].Body, f.mod.blocks[block].DefRange()
	text, known := in.Values()[attr].(string)
	known = known && !marked(part(in.Unknown(), attr))
	if !strings.HasPrefix(block, dataDocument) {
		x := body.Attributes[attr]
		if known || x == nil || !strings.Contains(attr, "polic") && attr != "content" {
			return cty.NilVal, false
		}
		return f.once("attribute "+in.Address()+"."+attr, func(r *frame) cty.Value { return r.within(body, in.Key()).value(x.Expr) }), true
	}
	if attr != "json" && attr != "minified_json" {
		return cty.NilVal, false
	}
	if !known {
		return f.rendered(in, body, at), true
	}
	place := func() *source.Node {
		v := f.rendered(in, body, at)
		if !isString(unmark(v)) {
			return nil
		}
		n, err := f.tree(v, source.Range{})
		if err != nil || !same(n, text) {
			return nil
		}
		return n
	}
	return cty.StringVal(text).Mark(&document{text: text, node: place}), true
}

func unmark(v cty.Value) cty.Value {
	v, _ = v.Unmark()
	return v
}

// same reports whether a tree is, up to the order of its members, that of a text.
func same(n *source.Node, text string) bool {
	other, err := source.ParseJSON(text)
	return err == nil && n.Equal(other)
}

// rendered is the policy that an instance of aws_iam_policy_document writes.
func (f *frame) rendered(in Instance, body *hclsyntax.Body, at hcl.Range) cty.Value {
	return f.once("document "+in.Address(), func(r *frame) cty.Value {
		a := &arguments{frame: r.within(body, in.Key()), marks: cty.ValueMarks{}}
		args := a.block(body, nil, documentBlock, rangeOf(at))
		args = known(args, in.Deferred())
		doc, err := policydocument.Render(args)
		if err != nil {
			return unknown(in.Address() + ", which takes in a text that is no policy")
		}
		return f.documentValue(doc, a.marks)
	})
}

// A shape says which blocks a block holds, by their type.
type shape map[string]shape

var documentBlock = shape{"statement": {"principals": {}, "not_principals": {}, "condition": {}}}

// arguments reads the body of a block as a tree.
type arguments struct {
	*frame
	// policy is the attribute that holds a document, beside those that take some in.
	policy string
	// marks are those of all values.
	marks cty.ValueMarks
}

// metaArguments belong to every block and are no arguments of its type.
var metaArguments = []string{"count", "for_each", "depends_on", "provider"}

// block reads the attributes of a body, and the blocks of a shape as lists.
func (a *arguments) block(body *hclsyntax.Body, ctx *hcl.EvalContext, s shape, rng source.Range) *source.Node {
	if ctx == nil {
		ctx = a.context()
	}
	out := &source.Node{Kind: source.Object, Range: rng}
	for _, attr := range inOrder(body.Attributes) {
		if slices.Contains(metaArguments, attr.Name) {
			continue
		}
		at := rangeOf(attr.Expr.Range())
		out.Members = append(out.Members, source.Member{Name: attr.Name, Range: at, Value: a.attribute(attr, ctx, at)})
	}
	for _, block := range body.Blocks {
		typ := blockType(block)
		inner, ok := s[typ]
		if !ok {
			continue
		}
		list := out.Member(typ)
		if list == nil {
			list = &source.Node{Kind: source.List, Range: rangeOf(block.TypeRange)}
			out.Members = append(out.Members, source.Member{Name: typ, Range: list.Range, Value: list})
		}
		if typ != block.Type {
			list.Items = append(list.Items, a.dynamic(block, typ, ctx, inner)...)
		} else {
			list.Items = append(list.Items, a.block(block.Body, ctx, inner, rangeOf(block.DefRange())))
		}
	}
	return out
}

func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	var out []*hclsyntax.Attribute
	for _, attr := range attrs {
		out = append(out, attr)
	}
	slices.SortFunc(out, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return out
}

// attribute evaluates an attribute. Documents that it takes in become their trees.
func (a *arguments) attribute(attr *hclsyntax.Attribute, ctx *hcl.EvalContext, rng source.Range) *source.Node {
	v := a.valueIn(attr.Expr, ctx)
	if strings.HasSuffix(attr.Name, "_documents") || strings.HasSuffix(attr.Name, "_json") || attr.Name == a.policy {
		return a.documents(v, rng)
	}
	return a.node(v, rng)
}

func (a *arguments) valueIn(x hclsyntax.Expression, ctx *hcl.EvalContext) cty.Value {
	v := a.guarded(x, ctx)
	for m := range onlyKept(deepMarks(v)) {
		a.marks[m] = struct{}{}
	}
	return v
}

// documents reads the texts of documents.
func (a *arguments) documents(v cty.Value, rng source.Range) *source.Node {
	bare, marks := v.Unmark()
	switch {
	case isString(bare) && strings.TrimSpace(bare.AsString()) != "":
		if n, err := a.tree(v, rng); err == nil {
			return n
		}
		return a.node(v, rng)
	case bare.IsKnown() && !bare.IsNull() && !isString(bare) && bare.CanIterateElements():
		list := &source.Node{Kind: source.List, Range: rng}
		for it := bare.ElementIterator(); it.Next(); {
			_, item := it.Element()
			list.Items = append(list.Items, a.documents(item.WithMarks(marks), rng))
		}
		return list
	}
	return a.node(v, rng)
}

// dynamic reads the blocks that a dynamic block stands for.
func (a *arguments) dynamic(block *hclsyntax.Block, typ string, ctx *hcl.EvalContext, s shape) []*source.Node {
	rng := rangeOf(block.DefRange())
	var content *hclsyntax.Block
	for _, b := range block.Body.Blocks {
		if b.Type == "content" {
			content = b
		}
	}
	each := block.Body.Attributes["for_each"]
	if content == nil || each == nil {
		return nil
	}
	iterator := typ
	if attr := block.Body.Attributes["iterator"]; attr != nil {
		if name := hcl.ExprAsKeyword(plain(attr.Expr)); name != "" {
			iterator = name
		}
	}
	v, marks := a.valueIn(each.Expr, ctx).Unmark()
	switch {
	case isString(v) && symbolic(v.AsString()):
		marks = cty.NewValueMarks(missing{what: a.symbols.words(v.AsString())})
		fallthrough
	case !v.IsKnown():
		return []*source.Node{{Kind: source.Unknown, Text: a.fresh(marks, rng), Range: rng}}
	case v.IsNull() || !v.CanIterateElements():
		return nil
	}
	var out []*source.Node
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if v.Type().IsSetType() {
			key = value
		}
		inner := ctx.NewChild()
		inner.Variables = map[string]cty.Value{iterator: cty.ObjectVal(map[string]cty.Value{
			"key": key.WithMarks(onlyKept(marks)), "value": value.WithMarks(onlyKept(marks)),
		})}
		out = append(out, a.block(content.Body, inner, s, rangeOf(content.TypeRange)))
	}
	return out
}

// known puts what the plan knows of the arguments in the place of what the
// configuration makes of them; places stay.
func known(n, plan *source.Node) *source.Node {
	switch {
	case plan == nil:
	case n.Kind == source.Object && plan.Kind == source.Object:
		for i, m := range n.Members {
			if !strings.HasSuffix(m.Name, "_documents") && !strings.HasSuffix(m.Name, "_json") {
				n.Members[i].Value = known(m.Value, plan.Member(m.Name))
			}
		}
	case n.Kind == source.List && plan.Kind == source.List && len(n.Items) == len(plan.Items) && len(n.Items) > 0 && blocks(n) && blocks(plan):
		for i := range n.Items {
			n.Items[i] = known(n.Items[i], plan.Items[i])
		}
	case wholly(plan) && !alike(n, plan):
		out := plan.Clone(n.Range)
		out.Relocate(n.Range)
		return out
	}
	return n
}

// alike reports whether two trees are equal, the order of lists aside.
func alike(a, b *source.Node) bool {
	if a.Kind != source.List || b.Kind != source.List {
		return a.Equal(b)
	}
	return len(a.Items) == len(b.Items) && !slices.ContainsFunc(a.Items, func(x *source.Node) bool {
		return !slices.ContainsFunc(b.Items, func(y *source.Node) bool { return alike(x, y) })
	})
}

// blocks reports whether a list holds statement blocks, which keep their order; those
// of sets do not.
func blocks(n *source.Node) bool {
	return !slices.ContainsFunc(n.Items, func(item *source.Node) bool {
		return item.Kind != source.Object || item.Member("identifiers") != nil || item.Member("test") != nil
	})
}

// wholly reports whether a tree has no unknown part.
func wholly(n *source.Node) bool {
	if n.Kind == source.Unknown || !n.Text.Known() {
		return false
	}
	for _, m := range n.Members {
		if !wholly(m.Value) {
			return false
		}
	}
	return !slices.ContainsFunc(n.Items, func(item *source.Node) bool { return !wholly(item) })
}

// A Policy is what an attribute that holds a policy comes to.
type Policy struct {
	// Tree is the document; nil if there is none or nothing of it is known.
	Tree *source.Node
	// None is set if the attribute is null or empty.
	None bool
	// Missing are what the unknown parts hang on.
	Missing []string
	// Sensitive is set if something in it must not be shown.
	Sensitive bool
	// Absent is set if something is unknown because its source is not at hand.
	Absent bool
	// Range is where the attribute is written.
	Range source.Range
}

// Policy evaluates an attribute that holds a policy. For the attribute of a nested
// block, list is the block type and pick tells which of the blocks is meant.
func (e *Evaluator) Policy(p Place, list, attr string, pick func(i int, name symbol.Text) bool) Policy {
	f, body := e.body(p)
	switch {
	case f == nil:
		return Policy{Missing: []string{"the source of " + p.module()}, Absent: true}
	case f.mod.problem != "":
		return Policy{Missing: []string{f.mod.problem}, Absent: true}
	case body == nil:
		return Policy{Missing: []string{"the source of " + p.Block}, Absent: true}
	}
	if list != "" {
		return f.nested(body, list, attr, pick)
	}
	x := body.Attributes[attr]
	if x == nil {
		return Policy{None: true}
	}
	v := f.value(x.Expr)
	return f.policy(v, rangeOf(x.Expr.Range()))
}

// Lacks returns the first of some blocks of the root module that the source does not
// have, "" if it has them all.
func (e *Evaluator) Lacks(blocks []string) string {
	root := e.frame(nil)
	if root.mod.problem != "" {
		return "" // which is told wherever it matters
	}
	for _, name := range blocks {
		if root.mod.blocks[name] == nil {
			return name
		}
	}
	return ""
}

// HasBlocks reports whether a block holds blocks of a type, be they dynamic. It evaluates
// nothing.
func (e *Evaluator) HasBlocks(p Place, typ string) bool {
	f := e.frame(p.Calls)
	if f == nil || f.mod.blocks[p.Block] == nil {
		return false
	}
	return slices.ContainsFunc(f.mod.blocks[p.Block].Body.Blocks, func(b *hclsyntax.Block) bool { return blockType(b) == typ })
}

// blockType is the type of a block, or that of the blocks that a dynamic one stands for.
func blockType(b *hclsyntax.Block) string {
	if b.Type == "dynamic" && len(b.Labels) == 1 {
		return b.Labels[0]
	}
	return b.Type
}

// body finds a block and the frame with its each and count.
func (e *Evaluator) body(p Place) (*frame, *hclsyntax.Body) {
	f := e.frame(p.Calls)
	if f == nil {
		return nil, nil
	}
	block := f.mod.blocks[p.Block]
	if block == nil {
		return f, nil
	}
	return f.within(block.Body, p.Key), block.Body
}

func (f *frame) policy(v cty.Value, rng source.Range) Policy {
	marks := deepMarks(v)
	_, sensitive := marks[sensitiveMark{}]
	out := Policy{Missing: reasons(marks), Sensitive: sensitive, Absent: isAbsent(marks), Range: rng}
	bare := unmark(v)
	switch {
	case !bare.IsKnown():
	case bare.IsNull(), isString(bare) && strings.TrimSpace(bare.AsString()) == "":
		out.None = true
	case isString(bare):
		n, err := f.tree(v, rng)
		if err != nil {
			out.Missing = append(out.Missing, "a text that is no JSON")
			break
		}
		out.Tree = n.Clone(rng)
		out.Range = out.Tree.Range
	}
	return out
}

// nested evaluates an attribute of one of several blocks of a type.
func (f *frame) nested(body *hclsyntax.Body, list, attr string, pick func(i int, name symbol.Text) bool) Policy {
	a := &arguments{frame: f, policy: attr, marks: cty.ValueMarks{}}
	node := a.block(body, nil, shape{list: {}}, source.Range{}).Member(list)
	if node == nil {
		return Policy{None: true}
	}
	_, sensitive := a.marks[sensitiveMark{}]
	out := Policy{Missing: reasons(a.marks), Sensitive: sensitive, Absent: isAbsent(a.marks), Range: node.Range}
	for i, item := range node.Items {
		if item.Kind == source.Unknown {
			return out
		}
		name := symbol.Text{}
		if n := item.Member("name"); n != nil {
			name = n.Text
		}
		if !pick(i, name) {
			continue
		}
		if doc := item.Member(attr); doc != nil && doc.Kind == source.Object {
			out.Tree = doc.Clone(node.Range)
			out.Range = out.Tree.Range
		}
		return out
	}
	return out
}

// Texts evaluates an attribute that holds a string or a list of strings; false if not
// all of it is known up to symbols, or it must not be shown.
func (e *Evaluator) Texts(p Place, attr string) ([]symbol.Text, bool) {
	f, body := e.body(p)
	if body == nil || f.mod.problem != "" || body.Attributes[attr] == nil {
		return nil, false
	}
	v := f.value(body.Attributes[attr].Expr)
	if _, sensitive := deepMarks(v)[sensitiveMark{}]; sensitive {
		return nil, false
	}
	n := f.node(v, source.Range{})
	items := []*source.Node{n}
	if n.Kind == source.List {
		items = n.Items
	}
	var out []symbol.Text
	for _, item := range items {
		switch item.Kind {
		case source.Null:
		case source.String, source.Number:
			out = append(out, item.Text)
		default:
			return nil, false
		}
	}
	return out, true
}
