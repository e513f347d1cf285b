package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/tfguard/tfguard/engine"
)

const (
	maxColumns = 8  // principals of one resource that a table shows
	maxTables  = 8  // of one input that tell principals by their names
	maxTitles  = 4  // resources of one class that a table names
	gap        = 2  // blanks between columns
	nameWidth  = 10 // narrower columns than this do not break names
)

// A legend says what the tables hold that needs a word.
type legend struct{ implicit, explicit, hop, notReplayed, standIn bool }

func (l *legend) add(c cell) {
	l.notReplayed = l.notReplayed || !c.replayed
	l.hop = l.hop || c.hop > 0
	l.implicit = l.implicit || c.replayed && c.verdict == engine.ImplicitDeny
	l.explicit = l.explicit || c.verdict == engine.ExplicitDeny
}

func (l legend) String() string {
	var words []string
	for _, w := range []struct {
		holds bool
		words string
	}{
		{l.implicit, "Implicit deny: nothing allows the call."},
		{l.explicit, "Explicit deny: a statement denies it."},
		{l.hop, "@n: the hop of the chain that decided."},
		{l.notReplayed, "–: not replayed, as nothing grants it."},
		{l.standIn, "Stand-ins are administrators: admin of this account, org of another account of the organization, outside of any other."},
	} {
		if w.holds {
			words = append(words, w.words)
		}
	}
	return strings.Join(words, " ")
}

// tables writes, for each input, one table for each class of resources with equal
// outcomes, and a legend below the last one.
func (t *text) tables() {
	matrices := t.r.matrices(t.bounds.columns)
	for i := range matrices {
		if len(matrices) > 1 && len(matrices[i]) > 0 {
			t.line("")
			t.line("%s", t.paint(bold, pathIn(t.r.Inputs[i].Path, width)))
		}
		t.classes(matrices[i])
	}
	if words := t.legend.String(); words != "" {
		t.line("")
		t.paragraph("", "", faint, words)
	}
}

// A class is resources that one table is for.
type class struct {
	members []*matrix
	// names are those of the first one's principals, which the table shows; named is
	// set if all have them.
	names string
	named bool
}

// classes writes the tables of one input. Where they would be many, resources whose
// principals have other names and come out alike share one.
func (t *text) classes(matrices []*matrix) {
	classes := classify(matrices, true)
	if len(classes) > t.bounds.tables {
		classes = classify(matrices, false)
	}
	for _, c := range classes {
		t.line("")
		t.titles(c.members)
		_, _ = t.w.WriteString(t.body(c.members[0]))
		if !c.named {
			t.line("  for the other resources, principals of other names come out alike (--verbose lists them)")
		}
	}
}

// classify gathers resources with equal outcomes for principals of equal names or,
// unless they are named, of any.
func classify(matrices []*matrix, named bool) []*class {
	var out []*class
	byKey := map[string]*class{}
	for _, m := range matrices {
		key, names := m.outcome()
		if named {
			key += names
		}
		c := byKey[key]
		if c == nil {
			c = &class{names: names, named: true}
			byKey[key] = c
			out = append(out, c)
		}
		c.members = append(c.members, m)
		c.named = c.named && c.names == names
	}
	return out
}

// titles names the resources of one class.
func (t *text) titles(class []*matrix) {
	shown := class[:min(len(class), maxTitles)]
	if len(class) == maxTitles+1 {
		shown = class
	}
	var longest int
	for _, m := range shown {
		longest = max(longest, ansi.StringWidth(m.address))
	}
	for _, m := range shown {
		title := m.address
		if m.arn != "" {
			title += strings.Repeat(" ", longest-ansi.StringWidth(m.address)+gap) + m.arn
		}
		like := ""
		if m.like > 1 {
			like = fmt.Sprintf("  and %s like it", number(m.like-1, "other", "others"))
		}
		if ansi.StringWidth(title+like) > width && m.arn != "" {
			title = m.address
		}
		t.line("%s", t.paint(bold, ansi.Truncate(title, width-len(like), "…"))+like)
	}
	if left := len(class) - len(shown); left > 0 {
		t.line("%s", t.paint(bold, fmt.Sprintf("… and %s", number(left, "more like these", "more like these"))))
	}
}

// body renders the table of one resource.
func (t *text) body(m *matrix) string {
	var b strings.Builder
	columns, quiet, left := m.columns, m.quiet, m.left
	if len(columns) > 0 {
		t.blocks(&b, m, columns)
	}
	if left > 0 {
		fmt.Fprintf(&b, "  and %s (--verbose lists them)\n", number(left, "more principal", "more principals"))
	}
	if quiet {
		t.legend.standIn = true
		if len(columns) == 0 {
			fmt.Fprintf(&b, "  %s\n", strings.Join(m.actions, ", "))
		}
		b.WriteString(indent + "the stand-ins are allowed on every chain\n")
	}
	if len(m.services) > 0 {
		t.services(&b, m)
	}
	return b.String()
}

// blocks renders the columns side by side, or in as few blocks one below the other
// as the width asks for, with verdicts in full where they fit.
func (t *text) blocks(b *strings.Builder, m *matrix, columns []*column) {
	for n := 1; ; n++ {
		size := (len(columns) + n - 1) / n
		for _, short := range []bool{false, true} {
			if t.fits(m, columns, size, short) || size == 1 && short {
				for block := range slices.Chunk(columns, size) {
					t.block(b, m, block, m.sections(columns), short)
				}
				return
			}
		}
	}
}

func (t *text) fits(m *matrix, columns []*column, size int, short bool) bool {
	for block := range slices.Chunk(columns, size) {
		if _, fits := m.widths(block, short); !fits {
			return false
		}
	}
	return true
}

// indent of the rows of a table.
const indent = "    "

// block renders columns side by side: their names, then a section for the actions
// that come out alike.
func (t *text) block(b *strings.Builder, m *matrix, columns []*column, sections [][]string, short bool) {
	widths, _ := m.widths(columns, short)
	first := len(indent) + m.chainWidth()
	for _, line := range header(columns, widths) {
		t.row(b, strings.Repeat(" ", first), line, widths, nil)
	}
	for _, actions := range sections {
		fmt.Fprintf(b, "  %s\n", ansi.Truncate(strings.Join(actions, ", "), width-2, "…"))
		for _, chain := range m.chains {
			if !m.replayed(chain, actions[0]) {
				continue
			}
			words, styles := make([]string, len(columns)), make([]lipgloss.Style, len(columns))
			for i, c := range columns {
				cell := m.cells[spot{chain, actions[0], c}]
				t.legend.add(cell)
				t.legend.standIn = t.legend.standIn || c.standIn
				words[i], styles[i] = cell.words(short), cell.style()
			}
			t.row(b, indent+pad(chain, m.chainWidth()), words, widths, styles)
		}
	}
}

// replayed reports whether a chain is replayed for an action: not every chain makes
// every call.
func (m *matrix) replayed(chain, action string) bool {
	return slices.ContainsFunc(m.columns, func(c *column) bool { return m.cells[spot{chain, action, c}].replayed })
}

// row writes a line of a table, each word as wide as its column.
func (t *text) row(b *strings.Builder, first string, words []string, widths []int, styles []lipgloss.Style) {
	b.WriteString(first)
	blanks := 0
	for i, word := range words {
		blanks += gap
		if word == "" {
			blanks += widths[i]
			continue
		}
		if styles != nil {
			word = t.paint(styles[i], word)
		}
		b.WriteString(strings.Repeat(" ", blanks) + word)
		blanks = widths[i] - ansi.StringWidth(words[i])
	}
	b.WriteString("\n")
}

func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-ansi.StringWidth(s))) }

// header breaks the names of columns into lines that fit, the last lines side by side.
func header(columns []*column, widths []int) [][]string {
	names := make([][]string, len(columns))
	height := 0
	for i, c := range columns {
		names[i] = breakName(c.name, widths[i])
		if c.like > 1 {
			names[i] = append(names[i], ansi.Truncate("and "+number(c.like-1, "more", "more"), widths[i], "…"))
		}
		height = max(height, len(names[i]))
	}
	lines := make([][]string, height)
	for n := range lines {
		lines[n] = make([]string, len(columns))
		for i := range columns {
			if at := n - height + len(names[i]); at >= 0 {
				lines[n][i] = names[i][at]
			}
		}
	}
	return lines
}

// breakName breaks a name behind its separators into lines of a width, and elsewhere
// only where a part is longer.
func breakName(name string, width int) []string {
	if strings.Contains(name, " ") { // a stand-in
		return wrap(name, width)
	}
	var lines []string
	line := ""
	for name != "" {
		n := strings.IndexAny(name, "-_./") + 1
		if n == 0 {
			n = len(name)
		}
		part := name[:n]
		if line != "" && ansi.StringWidth(line+part) > width {
			lines = append(lines, line)
			line = ""
		}
		if ansi.StringWidth(part) > width {
			part = cmp.Or(ansi.Truncate(part, width, ""), part)
		}
		line += part
		name = name[len(part):]
	}
	return append(lines, line)
}

// services renders the callers that are principals of no account.
func (t *text) services(b *strings.Builder, m *matrix) {
	b.WriteString("  services and anonymous callers\n")
	chains, principals, cells, longest := m.chainWidth(), 0, 0, 0
	for _, s := range m.services {
		chains = max(chains, len(s.chain))
		principals = max(principals, ansi.StringWidth(s.principal))
		cells = max(cells, len(s.cell.words(false)))
		for _, a := range s.actions {
			longest = max(longest, ansi.StringWidth(a)+len(","))
		}
	}
	principals = min(principals, width-len(indent)-chains-cells-2*gap)
	before := len(indent) + chains + principals + cells + 3*gap
	for _, s := range m.services {
		t.legend.add(s.cell)
		words, widths := []string{ansi.Truncate(s.principal, principals, "…"), s.cell.words(false)}, []int{principals, cells, 0}
		styles := []lipgloss.Style{plain, s.cell.style(), plain}
		actions := strings.Join(s.actions, ", ")
		if room := width - before; room >= longest {
			lines := wrap(actions, room)
			t.row(b, indent+pad(s.chain, chains), append(words, lines[0]), widths, styles)
			for _, line := range lines[1:] {
				b.WriteString(strings.Repeat(" ", before) + line + "\n")
			}
			continue
		}
		t.row(b, indent+pad(s.chain, chains), words, widths, styles)
		for _, line := range wrap(actions, width-2*len(indent)) {
			b.WriteString(indent + indent + line + "\n")
		}
	}
}
