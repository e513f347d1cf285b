package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A carried policy is one that was found on a resource.
type carried struct {
	*policy.Document
	carrier *carrier
	// sure is Unknown for one that the resource has in some worlds only.
	sure kleene.Truth
	why  string
}

// A part is a part of a resource in one of its variants.
type part struct {
	variant int
	path    string
	value   *source.Node
}

// parts finds what a path leads to in every variant of a resource.
func (r *resource) parts(path string) []part {
	var out []part
	for i, v := range r.variants {
		out = walk(out, i, v.value, "", path)
	}
	return out
}

func walk(out []part, variant int, n *source.Node, at, path string) []part {
	if n == nil {
		return out
	}
	if path == "" || n.Kind == source.Unknown {
		return append(out, part{variant, at, n})
	}
	name, rest, _ := strings.Cut(path, ".")
	name, list := strings.CutSuffix(name, "[]")
	next := member(n, name)
	at = strings.TrimPrefix(at+"."+name, ".")
	if !list || next == nil || next.Kind != source.List {
		return walk(out, variant, next, at, rest)
	}
	for i, item := range next.Items {
		out = walk(out, variant, item, fmt.Sprintf("%s[%d]", at, i), rest)
	}
	return out
}

// readPolicies finds the policies of a resource.
func (r *resource) readPolicies() {
	for _, c := range carriersOf[r.typ] {
		kind := c.kind
		if r.typ == "AWS::Organizations::Policy" {
			t, set := r.property("Type")
			switch s, known := t.Literal(); {
			case known && s == "RESOURCE_CONTROL_POLICY":
				kind = policy.RCP
			case set && known && s != "SERVICE_CONTROL_POLICY":
				continue // tag, backup and other policies have grammars of their own
			}
		}
		r.readCarrier(c, kind)
	}
}

func (r *resource) readCarrier(c *carrier, kind policy.Kind) {
	// The documents of a list are told apart by where they stand, since an item
	// that a condition removes moves the ones after it.
	groups := map[string][]part{}
	var order []string
	seen := map[string]int{}
	for _, p := range r.parts(c.path) {
		if p.value.Kind == source.Null || p.value.Kind == source.String && p.value.Text.IsZero() {
			continue
		}
		key := ""
		if strings.Contains(c.path, "[]") {
			key = fmt.Sprint(p.value.Range.Start)
			if strings.HasSuffix(key, "0:0") {
				key = p.path
			}
			again := fmt.Sprint(key, p.variant)
			seen[again]++
			key += fmt.Sprint(" ", seen[again])
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], p)
	}
	for _, key := range order {
		r.readDocument(c, kind, groups[key])
	}
}

// readDocument reads one policy from what it is in the variants that have it.
func (r *resource) readDocument(c *carrier, kind policy.Kind, parts []part) {
	id := r.unique(strings.TrimSuffix(r.address+"."+parts[0].path, "."))
	place := r.place(parts[0].path)
	for i := range parts {
		parts[i].value = r.document(parts[i].value, place)
		if c.path == "Statement" {
			parts[i].value = statementDocument(parts[i].value)
		}
	}
	sure, why := kleene.True, ""
	if len(parts) < len(r.variants) {
		sure, why = kleene.Unknown, whether(r.hangsOn(parts))
	}
	distinct := distinctParts(parts)
	if len(distinct) == 1 {
		r.carry(c, r.decode(distinct[0].value, id, kind, place), sure, why)
		return
	}
	if merged, perhaps, ok := r.mergeStatements(parts, distinct); ok {
		doc := r.decode(merged, id, kind, place)
		// What a condition makes of a statement has one Sid each way.
		r.Diagnostics = slices.DeleteFunc(r.Diagnostics, func(d source.Diagnostic) bool {
			return d.Origin == place && d.Summary == "Duplicate Sid"
		})
		for i := range doc.Statements {
			if cond := perhaps[doc.Statements[i].Index]; cond != "" {
				doc.Statements[i].Unknown = append(doc.Statements[i].Unknown, whether(cond))
			}
		}
		r.carry(c, doc, sure, why)
		return
	}
	for _, p := range distinct {
		cond := r.variants[p.variant].world.why()
		doc := r.decode(p.value, r.unique(id+" ("+p.value.Range.Start.String()+")"), kind, place)
		r.carry(c, doc, kleene.Unknown, whether(cond))
	}
}

func (r *resource) carry(c *carrier, doc *policy.Document, sure kleene.Truth, why string) {
	r.carried[r] = append(r.carried[r], carried{doc, c, sure, why})
}

// unique makes an ID that no policy has yet.
func (r *resource) unique(id string) string {
	for i := 2; slices.ContainsFunc(r.carried[r], func(c carried) bool { return c.ID == id }); i++ {
		id = fmt.Sprintf("%s #%d", id, i)
	}
	return id
}

// hangsOn names the condition that holds in just the variants with a part, or in
// just the others; if there is none, those that tell the variants apart.
func (r *resource) hangsOn(parts []part) string {
	has := make([]bool, len(r.variants))
	for _, p := range parts {
		has[p.variant] = true
	}
	for _, name := range slices.Sorted(maps.Keys(r.conditionNodes)) {
		same, opposite := true, true
		for i, v := range r.variants {
			e := &evaluator{template: r.template, world: v.world}
			t := e.truth(name)
			same = same && t == kleene.Of(has[i])
			opposite = opposite && t == kleene.Of(!has[i])
		}
		if same || opposite {
			return r.prefix + name
		}
	}
	var names []string
	for i, v := range r.variants {
		if why := v.world.why(); !has[i] && why != "" && !slices.Contains(names, why) {
			names = append(names, why)
		}
	}
	return strings.Join(names, ", ")
}

// distinctParts leaves out parts that are the same as another one.
func distinctParts(parts []part) []part {
	var out []part
	seen := map[string]bool{}
	for _, p := range parts {
		if key := p.value.Range.Start.String() + render(p.value); !seen[key] {
			seen[key] = true
			out = append(out, p)
		}
	}
	return out
}

// mergeStatements makes one document of what a document is in several variants.
// perhaps names, by the number of the statement, the conditions of those that are
// not in all.
func (r *resource) mergeStatements(parts, distinct []part) (merged *source.Node, perhaps map[int]string, ok bool) {
	type statement struct {
		node *source.Node
		in   map[int]bool
	}
	byKey := map[string]*statement{}
	var all []*statement
	head := ""
	for i, p := range parts {
		if p.value.Kind != source.Object {
			return nil, nil, false
		}
		rest, statements := "", (*source.Node)(nil)
		for _, m := range p.value.Members {
			if m.Name == "Statement" {
				statements = m.Value
			} else if m.Name != "Id" {
				rest += m.Name + "=" + render(m.Value) + ";"
			}
		}
		if i == 0 {
			head = rest
		}
		if rest != head || statements == nil || statements.Kind == source.Unknown {
			return nil, nil, false
		}
		items := []*source.Node{statements}
		if statements.Kind == source.List {
			items = statements.Items
		}
		for _, item := range items {
			key := item.Range.Start.String() + render(item)
			if byKey[key] == nil {
				byKey[key] = &statement{item, map[int]bool{}}
				all = append(all, byKey[key])
			}
			byKey[key].in[p.variant] = true
		}
	}
	slices.SortStableFunc(all, func(a, b *statement) int {
		x, y := a.node.Range.Start, b.node.Range.Start
		if x.Line != y.Line {
			return x.Line - y.Line
		}
		return x.Column - y.Column
	})
	perhaps = map[int]string{}
	list := &source.Node{Kind: source.List}
	for i, st := range all {
		list.Items = append(list.Items, st.node)
		if len(st.in) < len(parts) {
			var has []part
			for v := range st.in {
				has = append(has, part{variant: v})
			}
			perhaps[i+1] = r.hangsOn(has)
		}
	}
	out := &source.Node{Kind: source.Object, Range: distinct[0].value.Range}
	for _, m := range distinct[0].value.Members {
		if m.Name == "Statement" {
			m.Value = list
		}
		out.Members = append(out.Members, m)
	}
	return out, perhaps, true
}

// statementDocument wraps the one statement of an event bus's policy.
func statementDocument(n *source.Node) *source.Node {
	if n.Kind == source.Unknown {
		return n
	}
	version := stringNode(n, symbol.Literal(policy.Version2012))
	return &source.Node{Kind: source.Object, Range: n.Range, Members: []source.Member{
		{Name: "Version", Range: n.Range, Value: version}, {Name: "Statement", Range: n.Range, Value: n},
	}}
}

// document is the tree of a policy: its own, or that of the JSON text it is.
func (r *resource) document(n *source.Node, place source.Origin) *source.Node {
	if n.Kind != source.String {
		return scalars(n)
	}
	t := n.Text
	if t.Index('{') < 0 && !t.Known() {
		return &source.Node{Kind: source.Unknown, Text: t, Range: n.Range}
	}
	out, err := parseJSON(t)
	if err != nil {
		at := n.Range
		msg := err.Error()
		if syn, ok := errors.AsType[*source.SyntaxError](err); ok {
			at.Start = shifted(syn.Pos, n.Range)
			at.End, msg = at.Start, syn.Msg
		}
		r.Warn(place, at, "Policy is not JSON", "A policy document is an object or its JSON text, and this text is none: %s.", msg)
		return &source.Node{Kind: source.Unknown, Text: named("the text of " + r.address), Range: at}
	}
	shift(out, n.Range)
	return out
}

// shift moves the places of a text's JSON to where the text stands.
func shift(n *source.Node, at source.Range) {
	n.Range = source.Range{Start: shifted(n.Range.Start, at), End: shifted(n.Range.End, at)}
	for _, item := range n.Items {
		shift(item, at)
	}
	for i := range n.Members {
		m := &n.Members[i]
		m.Range = source.Range{Start: shifted(m.Range.Start, at), End: shifted(m.Range.End, at)}
		shift(m.Value, at)
	}
}

// shifted is a place inside of a text that stands at a range: of the texts that
// templates hold only block scalars have their lines in the file.
func shifted(p source.Pos, at source.Range) source.Pos {
	if at.End.Line <= at.Start.Line {
		return at.Start
	}
	return source.Pos{Line: at.Start.Line + p.Line - 1, Column: at.Start.Column + p.Column - 1}
}

// scalars turns numbers into the strings that CloudFormation makes of them.
func scalars(n *source.Node) *source.Node {
	out := *n
	switch n.Kind {
	case source.Number:
		out.Kind = source.String
	case source.List:
		out.Items = make([]*source.Node, len(n.Items))
		for i, item := range n.Items {
			out.Items[i] = scalars(item)
		}
	case source.Object:
		out.Members = slices.Clone(n.Members)
		for i := range out.Members {
			out.Members[i].Value = scalars(out.Members[i].Value)
		}
	default:
		return n
	}
	return &out
}

// decode reads a document and enters it.
func (r *resource) decode(n *source.Node, id string, kind policy.Kind, place source.Origin) *policy.Document {
	if n.Kind == source.Unknown {
		reason := "known only when the stack is made"
		if !n.Text.IsZero() {
			reason += " (" + n.Text.String() + ")"
		}
		doc := policy.Unread(id, kind, place, reason)
		doc.Range = n.Range
		r.Enter(doc)
		return doc
	}
	doc, diags := policy.Decode(n, id, kind, place)
	for _, d := range diags {
		// The document stays, as one that could not be read: nothing is lost by
		// carrying on.
		d.Severity = min(d.Severity, source.Warning)
		r.Diagnostics = append(r.Diagnostics, d)
	}
	r.Enter(doc)
	return doc
}
