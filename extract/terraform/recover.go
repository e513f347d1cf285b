package terraform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/terraform/policydocument"
)

// A policy that is known only after apply is recovered where that is possible: from
// the arguments of the data source that will write it, which the plan holds, through
// the references of the configuration.

// policyDocument is the data source that writes policies.
const policyDocument = "aws_iam_policy_document"

func stringNode(t symbol.Text) *source.Node { return &source.Node{Kind: source.String, Text: t} }

func member(name string, value *source.Node) source.Member {
	return source.Member{Name: name, Value: value}
}

// A latePolicy is an attribute that holds a policy and is known only after apply.
type latePolicy struct {
	in   *instance
	path string
	// expression is what the configuration says of the attribute.
	expression expression
	doc        *policy.Document
}

// A recovery is what was found of a late policy.
type recovery struct {
	node *source.Node
	how  extract.Recovery
	// missing are the references of which nothing could be found.
	missing []string
	// open is set where some value in the document is not told apart from others
	// that are made of the same references.
	open bool
	// none is set where it turns out that there is no policy.
	none bool
	// sensitive is set if something in the document must not be shown.
	sensitive bool
	// documents are those of data sources that it is made of; nil while one is made.
	documents map[*instance]*source.Node
}

func (r *recovery) lacks(ref string) *source.Node {
	if !slices.Contains(r.missing, ref) {
		r.missing = append(r.missing, ref)
	}
	return &source.Node{Kind: source.Unknown, Text: symbol.Symbol{Name: ref}.Text()}
}

// recoverPolicies reads the policies that are known only after apply.
func (b *builder) recoverPolicies() {
	open := false
	for _, late := range b.latePolicies {
		rec := &recovery{how: extract.Recovery{Step: extract.Deferred, Assumed: true}}
		if text, ok := late.expression.constant.(string); ok && late.in.unknown == true {
			rec.node, _ = source.ParseJSON(text) // of a resource of which nothing else is known
			rec.how = extract.Recovery{Step: extract.Configuration}
		} else {
			rec.node = b.follow(rec, late.expression, late.in.place(), 0)
		}
		b.recoverFromSource(late, rec)
		b.settle(late, rec)
		open = open || rec.open || rec.node == nil
	}
	if open && b.evaluate == nil {
		b.Diagnostics = append(b.Diagnostics, source.Diagnostic{
			Severity: source.Info, Summary: "The source would tell more",
			Detail: "Policies hold values that the plan alone does not tell. Name the folder of the root module with --source, or check the binary plan.",
		})
	}
}

// settle puts what was recovered in the place of the unread document.
func (b *builder) settle(late *latePolicy, rec *recovery) {
	doc := late.doc
	switch {
	case rec.none:
		// A module variable that is null leaves what the service has by default.
		b.drop(doc)
		b.carried[late.in] = slices.DeleteFunc(b.carried[late.in], func(c carried) bool { return c.doc == doc })
		return
	case rec.node == nil || rec.node.Kind == source.Unknown:
		if len(rec.missing) > 0 {
			doc.Unread = "known only after apply, and the source does not tell it: " + strings.Join(rec.missing, ", ")
		}
		return
	}
	shown := b.maskNode(rec.node)
	read, diags := policy.Decode(rec.node, doc.ID, doc.Kind, doc.Origin)
	read.Sensitive = doc.Sensitive || rec.sensitive || !shown
	*doc = *read
	b.report(doc, diags)
	b.Recovered(doc, rec.how)
	if len(rec.missing) > 0 {
		b.warn(late.in, late.path, "Policy recovered in part",
			"The policy is known only after apply. What it takes from %s is not known.", strings.Join(rec.missing, ", "))
	}
}

// follow finds the document that an expression will be. Of an expression the plan
// keeps the references alone: one that leads to a document is taken for the value,
// unless it is there twice, which makes it a part of something. Others beside it are
// conditions, if they are known and no text.
func (b *builder) follow(rec *recovery, e expression, pl place, hops int) *source.Node {
	if hops > maxHops || pl.scope == nil || e.isConstant {
		return nil
	}
	refs, keyed := contents(e)
	refs = keep(refs, func(ref string) bool { return !b.isCondition(ref, pl, 0) })
	if len(refs) != 1 || len(keep(e.references, func(ref string) bool { return ref == refs[0] })) > 1 {
		return nil
	}
	return b.followReference(rec, refs[0], keyed, pl, hops)
}

// contents are the references of an expression that values come from, and whether
// it uses the key of its place.
func contents(e expression) (refs []string, keyed bool) {
	for _, ref := range leaves(e.references) {
		switch root, _, _ := strings.Cut(ref, "."); {
		case ref == "each.key" || ref == "count.index":
			keyed = true
		case root == "path" || root == "terraform":
		default:
			refs = append(refs, ref)
		}
	}
	return refs, keyed
}

// isCondition reports whether a reference can be no part of a document: it is known,
// and null, empty, a boolean or a number, or it refers to a block without instances.
func (b *builder) isCondition(ref string, pl place, hops int) bool {
	steps := parseSteps(ref)
	if len(steps) < 2 || pl.scope == nil || hops > maxHops {
		return false
	}
	name := steps[1].name
	switch steps[0].name {
	case "var":
		if len(steps) > 2 {
			return false
		}
		value, ok := b.variables[name]
		if pl.scope.parent != nil {
			arg, given := pl.scope.arguments[name]
			if given && !arg.isConstant {
				refs := leaves(arg.references)
				return len(refs) == 1 && b.isCondition(refs[0], pl.up(), hops+1)
			}
			value, ok = arg.constant, given
		}
		if !ok {
			value, ok = pl.scope.defaults[name]
		}
		_, isText := value.(string)
		_, isList := value.([]any)
		_, isObject := value.(map[string]any)
		return ok && !isList && !isObject && (!isText || value == "")
	case "data":
		return len(steps) > 2 && strings.HasPrefix(name, "aws_") &&
			len(b.instances("data."+name+"."+steps[2].name, steps[2], false, pl)) == 0
	default:
		return keptTypes[steps[0].name] && len(b.instances(steps[0].name+"."+name, steps[1], false, pl)) == 0
	}
}

func (b *builder) followReference(rec *recovery, ref string, keyed bool, pl place, hops int) *source.Node {
	steps := parseSteps(ref)
	if len(steps) < 2 {
		return nil
	}
	switch steps[0].name {
	case "var":
		if arg, ok := pl.scope.arguments[steps[1].name]; ok && pl.scope.parent != nil && len(steps) == 2 {
			rec.how.Step = extract.Configuration
			return b.follow(rec, arg, pl.up(), hops+1)
		}
	case "module":
		child := pl.scope.calls[steps[1].name]
		if child == nil || len(steps) != 3 {
			return nil
		}
		keys := []any{steps[1].index}
		if steps[1].index == nil {
			keys = b.callKeys(pl.path, steps[1].name)
			if keyed && slices.Contains(keys, pl.key) {
				keys = []any{pl.key}
			}
		}
		if out, ok := child.outputs[steps[2].name]; ok && len(keys) == 1 {
			rec.how.Step = extract.Configuration
			return b.follow(rec, out, place{scope: child, path: child.instancePath(pl.path, keys[0])}, hops+1)
		}
	case "data":
		if len(steps) < 3 || steps[1].name != policyDocument {
			return nil
		}
		if ins := b.instances("data."+steps[1].name+"."+steps[2].name, steps[2], keyed, pl); len(ins) == 1 {
			return b.dataDocument(rec, ins[0], hops)
		}
	default:
		if len(steps) != 3 || !isPolicy(steps[0].name, steps[2].name) {
			return nil
		}
		ins := b.instances(steps[0].name+"."+steps[1].name, steps[1], keyed, pl)
		if len(ins) == 1 && ins[0].config != nil {
			rec.how.Step = extract.Configuration
			return b.follow(rec, ins[0].config.expressions[steps[2].name], ins[0].place(), hops+1)
		}
	}
	return nil
}

// dataDocument is the document of an instance of aws_iam_policy_document, made once
// however often others are made of it. One that is made of itself has none.
func (b *builder) dataDocument(rec *recovery, in *instance, hops int) *source.Node {
	if rec.how.From == "" {
		rec.how.From = in.address
	}
	node, met := rec.documents[in]
	if !met {
		if rec.documents == nil {
			rec.documents = map[*instance]*source.Node{}
		}
		rec.documents[in] = nil
		node = b.makeDocument(rec, in, hops)
		rec.documents[in] = node
	}
	return node
}

func (b *builder) makeDocument(rec *recovery, in *instance, hops int) *source.Node {
	if text, ok := in.str("json"); ok {
		node, err := source.ParseJSON(text)
		if err != nil {
			return nil
		}
		b.maskNode(node)
		return node
	}
	if _, shown := in.values["statement"]; !shown && !in.isUnknown("statement") {
		return nil
	}
	l := &lateData{builder: b, rec: rec, in: in, hops: hops}
	if in.config != nil {
		l.expressions = in.config.expressions
	}
	doc, err := policydocument.Render(l.arguments())
	if err != nil {
		return nil
	}
	return doc
}

// lateData reads the arguments of a data source that is read during apply.
type lateData struct {
	*builder
	rec         *recovery
	in          *instance
	expressions map[string]expression
	hops        int
}

func (l *lateData) arguments() *source.Node {
	out := &source.Node{Kind: source.Object}
	for _, name := range []string{"version", "policy_id"} {
		out.Members = append(out.Members, member(name, l.tree(l.in.values[name], at(l.in.unknown, name), l.expressions[name], name)))
	}
	for _, name := range []string{"source_json", "source_policy_documents", "override_json", "override_policy_documents"} {
		out.Members = append(out.Members, member(name, l.documents(name)))
	}
	blocks := l.tree(l.in.values["statement"], at(l.in.unknown, "statement"), l.expressions["statement"], "statement")
	out.Members = append(out.Members, member("statement", blocks))
	return out
}

// tree turns a value with its marks into a tree; what is unknown becomes a symbol.
func (l *lateData) tree(v, marks any, e expression, path string) *source.Node {
	if marks == true {
		return l.unknown(e, path)
	}
	switch v := v.(type) {
	case nil:
		return &source.Node{Kind: source.Null}
	case []any:
		return l.list(v, marks, e, path)
	case map[string]any:
		out := &source.Node{Kind: source.Object}
		var block map[string]expression
		if len(e.blocks) == 1 {
			block = e.blocks[0]
		}
		for _, name := range sortedKeys(v) {
			out.Members = append(out.Members, member(name, l.tree(v[name], at(marks, name), block[name], join(path, name))))
		}
		if late, ok := marks.(map[string]any); ok {
			for _, name := range sortedKeys(late) {
				if _, known := v[name]; !known && marked(late[name]) {
					out.Members = append(out.Members, member(name, l.tree(nil, late[name], block[name], join(path, name))))
				}
			}
		}
		return out
	default:
		return stringNode(single(v))
	}
}

// list reads the items of a list or set. Of a list of blocks the plan says which
// expression belongs to which; the blocks of a set are told apart by their constants.
func (l *lateData) list(values []any, marks any, e expression, path string) *source.Node {
	out := &source.Node{Kind: source.List}
	unknown, _ := marks.([]any)
	late := 0
	for i := range max(len(values), len(unknown)) {
		var v, mark any
		if i < len(values) {
			v = values[i]
		}
		if i < len(unknown) {
			mark = unknown[i]
		}
		if mark == true {
			late++
		}
		item := path + "[" + strconv.Itoa(i) + "]"
		if _, isBlock := v.(map[string]any); !isBlock {
			out.Items = append(out.Items, l.tree(v, mark, e, item))
			continue
		}
		out.Items = append(out.Items, l.tree(v, mark, blockOf(e, v, i, len(values), strings.Contains(path, ".")), item))
	}
	if late > 0 && strings.HasSuffix(path, ".identifiers") {
		l.identifiers(out, e, late)
	}
	return out
}

// blockOf is the expression of one of several blocks.
func blockOf(e expression, v any, i, n int, isSet bool) expression {
	if !isSet {
		if len(e.blocks) == n {
			return expression{blocks: e.blocks[i : i+1]}
		}
		return expression{}
	}
	var found []map[string]expression
	for _, block := range e.blocks {
		fits := true
		for _, name := range []string{"type", "test", "variable", "name"} {
			if c := block[name]; c.isConstant && c.constant != at(v, name) {
				fits = false
			}
		}
		if fits {
			found = append(found, block)
		}
	}
	if len(found) != 1 {
		return expression{}
	}
	return expression{blocks: found}
}

// identifiers puts names in the place of unknown principals: an identifier that is
// made of the ARN of a role is that ARN.
func (l *lateData) identifiers(list *source.Node, e expression, late int) {
	w := want{attr: "arn", types: []string{"aws_iam_role", "aws_iam_user", "aws_iam_openid_connect_provider", "aws_iam_saml_provider"}}
	out := l.expression(e, l.in.place(), w, 0)
	found := keep(out.candidates, func(c candidate) bool {
		return c.late && c.from != nil && c.attr == "arn" && slices.Contains(w.types, c.from.typ)
	})
	if len(out.missing) > 0 || len(found) != late {
		return
	}
	for i, item := range list.Items {
		if item.Kind == source.Unknown {
			list.Items[i], found = stringNode(found[0].text), found[1:]
		}
	}
	l.rec.how.Step = extract.Configuration
}

// unknown is the symbol of a value that the plan does not know. Its name tells the
// references it is made of: what stands around them the plan does not keep.
func (l *lateData) unknown(e expression, path string) *source.Node {
	l.rec.open = true
	name := l.in.address + "." + path
	if refs, _ := contents(e); len(refs) > 0 {
		name += " (" + strings.Join(refs, ", ") + ")"
	}
	return &source.Node{Kind: source.Unknown, Text: symbol.Symbol{Name: name}.Text()}
}

// documents are the trees of an argument that holds other documents. Those that the
// plan does not know are the ones its references lead to, in their order.
func (l *lateData) documents(name string) *source.Node {
	e := l.expressions[name]
	values, isList := l.in.values[name].([]any)
	if text := single(l.in.values[name]); !text.IsZero() {
		return stringNode(text)
	}
	marks := at(l.in.unknown, name)
	if !marked(marks) {
		return l.tree(values, nil, e, name)
	}
	refs, keyed := contents(e)
	pl := l.in.place()
	refs = keep(refs, func(ref string) bool { return !l.isCondition(ref, pl, 0) })
	out := &source.Node{Kind: source.List}
	if marks == true || !isList {
		if len(refs) == 0 {
			out.Items = append(out.Items, l.rec.lacks(l.in.address+"."+name))
		}
		for _, ref := range refs {
			out.Items = append(out.Items, l.referenced(ref, keyed, pl))
		}
		return out
	}
	late := keep(refs, func(ref string) bool { return l.referenceMayBeLate(parseSteps(ref), pl, 0) })
	unknown, _ := marks.([]any)
	n := 0
	for _, mark := range unknown {
		if mark == true {
			n++
		}
	}
	for i := range max(len(values), len(unknown)) {
		switch {
		case i >= len(unknown) || unknown[i] != true:
			out.Items = append(out.Items, stringNode(single(values[i])))
		case len(late) != n:
			out.Items = append(out.Items, l.rec.lacks(l.in.address+"."+name+"["+strconv.Itoa(i)+"]"))
		default:
			out.Items = append(out.Items, l.referenced(late[0], keyed, pl))
			late = late[1:]
		}
	}
	return out
}

func (l *lateData) referenced(ref string, keyed bool, pl place) *source.Node {
	if l.hops < maxHops {
		if node := l.followReference(l.rec, ref, keyed, pl, l.hops+1); node != nil {
			return node
		}
	}
	return l.rec.lacks(ref)
}
