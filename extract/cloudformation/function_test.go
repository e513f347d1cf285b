package cloudformation

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/fixtures"
)

// The outputs of each template in cloudformation/functions, with what is not known
// of them, and what there is to say, stand beside it.
func TestFunctions(t *testing.T) {
	for name, text := range fixtures.Files(t, "cloudformation/functions", ".yaml") {
		t.Run(path.Base(name), func(t *testing.T) {
			opts := Options{Parameters: given(string(text))}
			root, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			rd := newReader(&extract.Inventory{}, opts)
			rd.stack = &stack{root: root, file: "template.yaml"}
			rd.facts()
			tmpl := rd.root()
			var b strings.Builder
			for _, m := range tmpl.outputs.Members {
				value := member(m.Value, "Value")
				if value == nil {
					fmt.Fprintf(&b, "%s: %s\n", m.Name, show(m.Value))
					continue
				}
				fmt.Fprintf(&b, "%s: %s\n", m.Name, show(tmpl.evaluator().value(value)))
			}
			rd.Diagnostics.Sort()
			for _, d := range rd.Diagnostics {
				fmt.Fprintf(&b, "%s\n", d)
			}
			fixtures.Golden(t, strings.TrimSuffix(name, ".yaml")+".txt", []byte(b.String()))
		})
	}
}

// given returns the parameters that the comments of a fixture give.
func given(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "# given: "); ok {
			name, value, _ := strings.Cut(strings.TrimSpace(rest), "=")
			out[name] = value
		}
	}
	return out
}

// show writes a value with its kind, its symbols and their classes.
func show(n *source.Node) string {
	if n == nil {
		return "none"
	}
	switch n.Kind {
	case source.List:
		parts := make([]string, len(n.Items))
		for i, item := range n.Items {
			parts[i] = show(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case source.Object:
		parts := make([]string, len(n.Members))
		for i, m := range n.Members {
			parts[i] = m.Name + ": " + show(m.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case source.String:
		return `"` + showText(n.Text) + `"`
	case source.Unknown:
		return "unknown " + showText(n.Text)
	default:
		return n.Kind.String() + " " + showText(n.Text)
	}
}

func showText(t symbol.Text) string {
	var b strings.Builder
	eachPart(t, func(lit string, s *symbol.Symbol) {
		if s == nil {
			b.WriteString(lit)
			return
		}
		class := [...]string{"any", "segment", "digits"}[s.Class]
		if s.Unique {
			class += " unique"
		}
		fmt.Fprintf(&b, "⟨%s|%s⟩", s.Name, class)
	})
	return b.String()
}
