package cloudformation

import (
	"strings"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

const forEach = "Fn::ForEach::"

// maxUnfolded bounds what the loops of a template unfold to.
const maxUnfolded = 100_000

// unfold returns the members of an object with its loops unfolded. A loop over what
// is not known stays as it is. (AWS page "Fn::ForEach".)
func (t *template) unfold(n *source.Node) []source.Member {
	if n == nil {
		return nil
	}
	var out []source.Member
	for _, m := range n.Members {
		if !strings.HasPrefix(m.Name, forEach) {
			out = append(out, m)
			continue
		}
		out = append(out, t.loop(m)...)
	}
	return out
}

// loop unfolds one loop: [identifier, collection, {key: value}].
func (t *template) loop(m source.Member) []source.Member {
	arg := m.Value
	if arg.Kind != source.List || len(arg.Items) != 3 || arg.Items[2].Kind != source.Object {
		t.unfolded(m, "its arguments are not an identifier, a list and an object")
		return []source.Member{m}
	}
	id := literal(arg.Items[0])
	list := t.evaluator().value(arg.Items[1])
	if list == nil || id == "" {
		t.unfolded(m, "its list is none")
		return []source.Member{m}
	}
	items, whole := listItems(list)
	if !whole {
		t.unfolded(m, "its list is known only when the stack is made ("+render(list)+")")
		return []source.Member{m}
	}
	var out []source.Member
	for _, item := range items {
		value, known := item.Text.Literal()
		if !known {
			t.unfolded(m, "its list is known only when the stack is made ("+render(list)+")")
			return []source.Member{m}
		}
		for _, inner := range arg.Items[2].Members {
			if t.copies += size(inner.Value); t.copies > maxUnfolded {
				t.unfolded(m, "it unfolds to too much")
				return []source.Member{m}
			}
			one := source.Member{Name: fillIn(inner.Name, id, value), Range: inner.Range, Value: replace(inner.Value, id, value)}
			if strings.HasPrefix(one.Name, forEach) {
				out = append(out, t.loop(one)...)
			} else {
				out = append(out, one)
			}
		}
	}
	return out
}

func (t *template) unfolded(m source.Member, why string) {
	if t.warned[m.Name] {
		return
	}
	t.warned[m.Name] = true
	t.Warn(t.origin("", ""), m.Range, "Loop not unfolded", "%s is not unfolded: %s. What it makes is not known.", m.Name, why)
}

func size(n *source.Node) int {
	total := 1
	for _, item := range n.Items {
		total += size(item)
	}
	for i := range n.Members {
		total += size(n.Members[i].Value)
	}
	return total
}

// fillIn puts the value of a loop's identifier into a text.
func fillIn(s, id, value string) string {
	if !strings.Contains(s, "{"+id+"}") {
		return s
	}
	alphanumeric := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return -1
	}, value)
	return strings.NewReplacer("${"+id+"}", value, "&{"+id+"}", alphanumeric).Replace(s)
}

// replace copies a part of the template with the value of a loop's identifier in it.
func replace(n *source.Node, id, value string) *source.Node {
	if n.Kind == source.Object && len(n.Members) == 1 && n.Members[0].Name == "Ref" && literal(n.Members[0].Value) == id {
		return stringNode(n, symbol.Literal(value))
	}
	out := *n
	switch n.Kind {
	case source.String:
		out.Text = symbol.Literal(fillIn(n.Text.String(), id, value))
	case source.List:
		out.Items = make([]*source.Node, len(n.Items))
		for i, item := range n.Items {
			out.Items[i] = replace(item, id, value)
		}
	case source.Object:
		out.Members = make([]source.Member, len(n.Members))
		for i, m := range n.Members {
			out.Members[i] = source.Member{Name: fillIn(m.Name, id, value), Range: m.Range, Value: replace(m.Value, id, value)}
		}
	default:
	}
	return &out
}
