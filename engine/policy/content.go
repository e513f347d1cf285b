package policy

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/source"
)

// Content returns what the statement says as one text, which is the same for a
// statement with another Sid, in another place, or with its lists in another order.
// What is not known yet is shown as ${name}.
func (s *Statement) Content() string {
	nameless := *s
	nameless.Sid = ""
	return content(nameless.node(), false)
}

// content writes a tree without the order of its lists and members, and without case
// where AWS knows none: in the names of elements and condition keys, and in actions.
func content(n *source.Node, anyCase bool) string {
	var parts []string
	switch n.Kind {
	case source.List:
		for _, item := range n.Items {
			parts = append(parts, content(item, anyCase))
		}
	case source.Object:
		for _, m := range n.Members {
			parts = append(parts, strings.ToLower(m.Name)+": "+content(m.Value, m.Name == "Action" || m.Name == "NotAction"))
		}
	default:
		text, _ := n.MarshalJSON() // never fails
		if anyCase {
			return strings.ToLower(string(text))
		}
		return string(text)
	}
	slices.Sort(parts)
	return "{" + strings.Join(slices.Compact(parts), ", ") + "}"
}
