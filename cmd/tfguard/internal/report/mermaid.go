package report

import (
	"fmt"
	"strings"
)

// mermaid renders a sequence as a Mermaid sequence diagram.
func (s sequence) mermaid() string {
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	for i, p := range s.parties {
		fmt.Fprintf(&b, "    participant p%d as %s\n", i, mermaidText(p.String()))
	}
	for _, c := range s.calls {
		arrow := "->>"
		if c.broken() {
			arrow = "-x"
		}
		times := ""
		if c.times > 1 {
			times = fmt.Sprintf(" (%d calls)", c.times)
		}
		fmt.Fprintf(&b, "    p%d%sp%d: %s\n", c.from, arrow, c.to, mermaidText(c.Action+times))
		if c.broken() {
			over := fmt.Sprintf("p%d,p%d", c.from, c.to)
			if c.from == c.to {
				over = fmt.Sprintf("p%d", c.from)
			}
			fmt.Fprintf(&b, "    Note over %s: %s, %s\n", over, words[c.Verdict.String()], mermaidText(c.by()))
		}
	}
	return b.String()
}

// mermaidText writes what Mermaid could take for its own as character codes.
func mermaidText(s string) string {
	var b strings.Builder
	for _, c := range strings.ReplaceAll(printable(s), "\n", " ") {
		if c == ' ' || c > 0x7f || strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,()", c) {
			b.WriteRune(c)
			continue
		}
		fmt.Fprintf(&b, "#%d;", c)
	}
	// A word that closes a block.
	return strings.ReplaceAll(b.String(), "end", "#101;nd")
}
