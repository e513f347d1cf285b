// Package policydocument renders the data source aws_iam_policy_document as the
// Terraform AWS provider does, from arguments that may be partly unknown.
//
// The rules are those of the provider's page "Data Source: aws_iam_policy_document":
// defaults, documents merged by Sid, sets in descending order, one value as a string.
package policydocument

import (
	"errors"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Render returns the document of a data source. arguments is an object with the
// arguments as members, nested blocks as lists of objects; the items of
// source_policy_documents and override_policy_documents are the trees of the
// documents, or strings that hold them. What is unknown in the arguments is unknown
// in the document: a statement of a document that is not known may be there, and one
// that such a document may replace is unknown as a whole.
//
// The statements keep the ranges they came with. An error says what is no document.
func Render(arguments *source.Node) (*source.Node, error) {
	m := &merger{}
	for _, name := range []string{"source_json", "source_policy_documents"} {
		if err := m.documents(arguments.Member(name), false); err != nil {
			return nil, err
		}
	}
	m.own(arguments)
	for _, name := range []string{"override_json", "override_policy_documents"} {
		if err := m.documents(arguments.Member(name), true); err != nil {
			return nil, err
		}
	}
	doc := &source.Node{Kind: source.Object, Range: arguments.Range}
	doc.Members = append(doc.Members, source.Member{Name: "Version", Value: m.version})
	if m.id != nil {
		doc.Members = append(doc.Members, source.Member{Name: "Id", Value: m.id})
	}
	if m.all != nil {
		doc.Members = append(doc.Members, source.Member{Name: "Statement", Value: m.all})
	} else if len(m.statements) > 0 {
		list := &source.Node{Kind: source.List, Items: m.statements, Range: arguments.Range}
		doc.Members = append(doc.Members, source.Member{Name: "Statement", Value: list})
	}
	return doc, nil
}

// A merger puts documents together in order.
type merger struct {
	version, id *source.Node
	statements  []*source.Node
	// all stands for statements of which not even the number is known.
	all *source.Node
}

// documents merges the items of an argument that holds documents.
func (m *merger) documents(list *source.Node, override bool) error {
	for _, item := range items(list) {
		doc := item
		if item.Kind == source.String {
			text, known := item.Text.Literal()
			switch {
			case !known:
				doc = &source.Node{Kind: source.Unknown, Text: item.Text, Range: item.Range}
			case strings.TrimSpace(text) == "":
				continue
			default:
				parsed, err := source.ParseJSON(text)
				if err != nil {
					return err
				}
				parsed.Relocate(item.Range)
				doc = parsed
			}
		}
		switch doc.Kind {
		case source.Null:
		case source.Object:
			m.merge(doc)
		default:
			m.unknown(doc, override)
		}
		if len(m.statements) > maxStatements {
			return errTooLarge
		}
	}
	return nil
}

// maxStatements is more than fit into a policy. Documents that are made of each other
// double with every step.
const maxStatements = 1 << 12

var errTooLarge = errors.New("these are more statements than a policy can have")

// unknown merges a document of which nothing is known: it may hold any statement
// and, as an override, replace those that have a Sid.
func (m *merger) unknown(doc *source.Node, override bool) {
	if override {
		for i, st := range m.statements {
			if sid := st.Member("Sid"); sid != nil {
				m.statements[i] = &source.Node{Kind: source.Unknown, Text: doc.Text, Range: st.Range}
			}
		}
	}
	m.statements = append(m.statements, &source.Node{Kind: source.Unknown, Text: doc.Text, Range: doc.Range})
	m.newer(&source.Node{Kind: source.String, Text: symbol.Literal("2012-10-17"), Range: doc.Range})
}

// merge adds a document: its statements replace those of the same Sid, its version
// counts if it is the newer, and its Id if it has one.
func (m *merger) merge(doc *source.Node) {
	m.newer(doc.Member("Version"))
	if id := doc.Member("Id"); id != nil && !empty(id) {
		m.id = id
	}
	st := doc.Member("Statement")
	if st != nil && st.Kind == source.Unknown {
		m.all = st
		return
	}
	for _, st := range items(st) {
		m.add(st)
	}
}

func (m *merger) newer(version *source.Node) {
	switch {
	case version == nil:
	case m.version == nil, !version.Text.Known(), version.Text.String() > m.version.Text.String():
		m.version = version
	}
}

// add puts a statement in the place of the first with its Sid, else at the end.
func (m *merger) add(st *source.Node) {
	sid := st.Member("Sid")
	if sid == nil || empty(sid) {
		m.statements = append(m.statements, st)
		return
	}
	for i, old := range m.statements {
		was := old.Member("Sid")
		if was == nil || empty(was) {
			continue
		}
		if was.Kind == source.String && sid.Kind == source.String && was.Text == sid.Text {
			m.statements[i] = st
			return
		}
		if !was.Text.Known() || !sid.Text.Known() || was.Kind == source.Unknown || sid.Kind == source.Unknown {
			// The two may have one Sid: then the new one alone stands.
			m.statements[i] = &source.Node{Kind: source.Unknown, Text: symbol.Concat(was.Text, sid.Text), Range: old.Range}
		}
	}
	m.statements = append(m.statements, st)
}

// own merges the statement blocks of the data source itself.
func (m *merger) own(arguments *source.Node) {
	version := arguments.Member("version")
	if version == nil || version.Kind == source.Null || empty(version) {
		version = &source.Node{Kind: source.String, Text: symbol.Literal("2012-10-17"), Range: arguments.Range}
	}
	doc := &source.Node{Kind: source.Object, Range: arguments.Range, Members: []source.Member{{Name: "Version", Value: version}}}
	if id := arguments.Member("policy_id"); id != nil && id.Kind != source.Null && !empty(id) {
		doc.Members = append(doc.Members, source.Member{Name: "Id", Value: id})
	}
	blocks := arguments.Member("statement")
	statements := &source.Node{Kind: source.List, Range: arguments.Range}
	switch {
	case blocks == nil || blocks.Kind == source.Null:
	case blocks.Kind == source.Unknown:
		statements = blocks
	default:
		for _, block := range blocks.Items {
			statements.Items = append(statements.Items, statement(block))
		}
	}
	doc.Members = append(doc.Members, source.Member{Name: "Statement", Value: statements})
	m.merge(doc)
}

// statement renders one statement block.
func statement(block *source.Node) *source.Node {
	if block.Kind == source.Unknown {
		return block
	}
	st := &source.Node{Kind: source.Object, Range: block.Range}
	put := func(name string, value *source.Node) {
		if value != nil {
			st.Members = append(st.Members, source.Member{Name: name, Value: value})
		}
	}
	if sid := block.Member("sid"); sid != nil && sid.Kind != source.Null && !empty(sid) {
		put("Sid", sid)
	}
	effect := block.Member("effect")
	if effect == nil || effect.Kind == source.Null || empty(effect) {
		effect = &source.Node{Kind: source.String, Text: symbol.Literal("Allow"), Range: block.Range}
	}
	put("Effect", effect)
	put("Action", set(block.Member("actions"), false))
	put("NotAction", set(block.Member("not_actions"), false))
	put("Resource", set(block.Member("resources"), true))
	put("NotResource", set(block.Member("not_resources"), true))
	put("Principal", principals(block.Member("principals")))
	put("NotPrincipal", principals(block.Member("not_principals")))
	put("Condition", conditions(block.Member("condition")))
	return st
}

// set renders a set of strings: nothing if it is empty, a string if it has one
// value, else a list in descending order. &{…} is how configurations write the
// policy variables of resources and values.
func set(n *source.Node, variables bool) *source.Node {
	if n == nil || n.Kind == source.Null {
		return nil
	}
	if n.Kind == source.Unknown {
		return n
	}
	var values []*source.Node
	for _, item := range n.Items {
		if item.Kind == source.Null {
			continue
		}
		values = append(values, spelled(item, variables))
	}
	if len(values) == 0 {
		return nil
	}
	slices.SortStableFunc(values, func(a, b *source.Node) int { return strings.Compare(b.Text.String(), a.Text.String()) })
	values = slices.CompactFunc(values, func(a, b *source.Node) bool {
		return a.Kind == source.String && b.Kind == source.String && a.Text == b.Text
	})
	return oneOrMore(values, n.Range)
}

func oneOrMore(values []*source.Node, rng source.Range) *source.Node {
	if len(values) == 1 {
		return values[0]
	}
	return &source.Node{Kind: source.List, Items: values, Range: rng}
}

func spelled(n *source.Node, variables bool) *source.Node {
	if !variables || n.Text.Index('&') < 0 {
		return n
	}
	out := *n
	out.Text = n.Text.Replace("&{", "${")
	return &out
}

// principals renders principals blocks: identifiers by type, "*" of type "*" as the
// bare wildcard.
func principals(n *source.Node) *source.Node {
	if n == nil || n.Kind != source.Unknown && len(n.Items) == 0 {
		return nil
	}
	if n.Kind == source.Unknown {
		return n
	}
	out := &source.Node{Kind: source.Object, Range: n.Range}
	for _, block := range n.Items {
		typ := block.Member("type")
		if block.Kind == source.Unknown || typ == nil || typ.Kind != source.String || !typ.Text.Known() {
			return unknown(block)
		}
		identifiers := set(block.Member("identifiers"), true)
		if identifiers == nil {
			continue
		}
		if len(n.Items) == 1 && typ.Text == symbol.Literal("*") && identifiers.Kind == source.String && identifiers.Text == symbol.Literal("*") {
			return identifiers
		}
		join(out, typ.Text.String(), identifiers, block.Range)
	}
	if len(out.Members) == 0 {
		return nil
	}
	return out
}

// conditions renders condition blocks: values by test and variable, in the order
// they are written.
func conditions(n *source.Node) *source.Node {
	if n == nil || n.Kind != source.Unknown && len(n.Items) == 0 {
		return nil
	}
	if n.Kind == source.Unknown {
		return n
	}
	out := &source.Node{Kind: source.Object, Range: n.Range}
	for _, block := range n.Items {
		test, variable := block.Member("test"), block.Member("variable")
		if block.Kind == source.Unknown || !literal(test) || !literal(variable) {
			return unknown(block)
		}
		operator := out.Member(test.Text.String())
		if operator == nil {
			operator = &source.Node{Kind: source.Object, Range: block.Range}
			out.Members = append(out.Members, source.Member{Name: test.Text.String(), Range: block.Range, Value: operator})
		}
		values := block.Member("values")
		if values == nil || values.Kind == source.Null {
			values = &source.Node{Kind: source.List, Range: block.Range}
		}
		if values.Kind == source.List {
			var list []*source.Node
			for _, v := range values.Items {
				list = append(list, spelled(v, true))
			}
			values = oneOrMore(list, values.Range)
		}
		join(operator, variable.Text.String(), values, block.Range)
	}
	return out
}

// join puts values under a name, beside those that are there.
func join(into *source.Node, name string, values *source.Node, rng source.Range) {
	for i, m := range into.Members {
		if m.Name != name {
			continue
		}
		all := &source.Node{Kind: source.List, Range: m.Value.Range}
		all.Items = append(slices.Clone(items(m.Value)), items(values)...)
		into.Members[i].Value = all
		return
	}
	into.Members = append(into.Members, source.Member{Name: name, Range: rng, Value: values})
}

// unknown stands for a block of which what it is about is not known.
func unknown(block *source.Node) *source.Node {
	text := block.Text
	for _, m := range block.Members {
		if !m.Value.Text.Known() {
			text = m.Value.Text
		}
	}
	return &source.Node{Kind: source.Unknown, Text: text, Range: block.Range}
}

func literal(n *source.Node) bool { return n != nil && n.Kind == source.String && n.Text.Known() }

func empty(n *source.Node) bool { return n.Kind == source.String && n.Text.IsZero() }

// items are those of a list, or the value itself.
func items(n *source.Node) []*source.Node {
	switch {
	case n == nil || n.Kind == source.Null:
		return nil
	case n.Kind == source.List:
		return n.Items
	default:
		return []*source.Node{n}
	}
}
