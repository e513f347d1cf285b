package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tfguard/tfguard/engine"
)

// markdownLimit is how long a comment on GitHub may be.
const markdownLimit = 65536

// Markdown renders the report as a comment on a pull request: the answer, who gains or
// loses access, errors with the chain that breaks, and the rest folded away. What does
// not fit into opts.Limit bytes, of which no platform counts more than characters, is
// shortened from the end of the list below; errors are the last that give way, first
// their diagrams, then their advice, and their names only when there are thousands.
func Markdown(w io.Writer, r *Report, opts Options) error {
	r = r.withExpectations()
	limit := opts.Limit
	if limit == 0 {
		limit = markdownLimit
	}
	m := &markdown{r: r, opts: opts}
	_, err := io.WriteString(w, m.within(limit))
	return err
}

type markdown struct {
	r    *Report
	opts Options
}

// A section is a part of the comment in its variants, the longest first; the last one
// may be empty.
type section []func() string

// within composes the sections, shortening them one after the other until they fit.
func (m *markdown) within(limit int) string {
	errors := m.having(func(f *Finding) bool { return f.Waived == nil && f.Severity == "error" })
	warnings := m.having(func(f *Finding) bool { return f.Waived == nil && f.Severity == "warning" })
	infos := m.having(func(f *Finding) bool { return f.Waived == nil && f.Severity == "info" })
	waived := m.having(func(f *Finding) bool { return f.Waived != nil })
	none := func() string { return "" }
	changes := m.r.accesses()
	sections := []section{
		{m.head},
		{func() string { return m.changes(changes, len(changes)) }, func() string { return m.changes(changes, 50) }, func() string { return m.changes(changes, 10) }},
		{func() string { return m.errors(errors, true) }, func() string { return m.errors(errors, false) }, func() string { return m.names(errors, limit*2/3) }},
		{func() string { return m.folded("Warnings", warnings, len(warnings), true) }, func() string { return m.folded("Warnings", warnings, 50, false) }, func() string { return m.counts("Warnings", warnings) }, none},
		{func() string { return m.folded("For information", infos, 50, false) }, func() string { return m.counts("For information", infos) }, none},
		{func() string { return m.folded("Waived", waived, 50, false) }, func() string { return m.counts("Waived", waived) }, none},
		{func() string { return m.verdicts(maxTables) }, func() string { return m.verdicts(1) }, none},
		{func() string { return m.unknowns(50) }, func() string { return m.unknowns(5) }, none},
		{m.remarks, none},
	}
	// Which section gives way when, by its number: the order is that of what one can do
	// without.
	steps := []int{8, 6, 6, 7, 5, 4, 3, 8, 7, 5, 4, 2, 3, 1, 2, 1, 3}
	variants := make([]string, len(sections))
	at := make([]int, len(sections))
	for i, s := range sections {
		variants[i] = s[0]()
	}
	const cut = "\n*Shortened to what fits into a comment. `-o html` and `-o json` tell everything.*\n"
	short := false
	for _, i := range steps {
		whole := strings.Join(variants, "")
		if len(whole)+len(cut) <= limit {
			break
		}
		if at[i]+1 < len(sections[i]) {
			at[i]++
			variants[i] = sections[i][at[i]]()
			short = true
		}
	}
	whole := strings.Join(variants, "")
	if short {
		whole += cut
	}
	return truncate(whole, limit)
}

// truncate is the last resort: names may be longer than any comment.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const more = "\n\n… cut here.\n"
	s = s[:max(limit-len(more), 0)]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + more
}

func (m *markdown) having(which func(*Finding) bool) []*Finding {
	var out []*Finding
	for i := range m.r.Findings {
		if f := &m.r.Findings[i]; which(f) {
			out = append(out, f)
		}
	}
	return out
}

func (m *markdown) head() string {
	var b strings.Builder
	mark := "✅"
	switch s := m.r.Summary.Findings; {
	case len(m.r.Unreadable) > 0 || m.opts.Fails(m.r) || s.Error > 0 || m.r.Summary.Expectations.Failed > 0:
		mark = "❌"
	case s.Warning > 0:
		mark = "⚠️"
	}
	// By the comment, a bot finds the comment that it wrote before.
	fmt.Fprintf(&b, "<!-- tfguard -->\n### %s tfguard: %s\n\n%s\n", mark, m.r.answer(m.opts), m.r.Summary.verdicts())
	if n := m.r.Summary.Expectations.Held; n > 0 {
		fmt.Fprintf(&b, "\n%s.\n", number(n, "expectation holds", "expectations hold"))
	}
	for i, u := range m.r.Unreadable {
		if i == 20 {
			fmt.Fprintf(&b, "\n**And %s.**\n", number(len(m.r.Unreadable)-i, "more input not judged", "more inputs not judged"))
			break
		}
		fmt.Fprintf(&b, "\n**Not judged:** %s\n", prose(u.Message))
	}
	return b.String()
}

func (m *markdown) changes(accesses []access, most int) string {
	if len(accesses) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n#### Access changes\n\n| who | | call | on | verdict | through | by |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for i, a := range accesses {
		if i == most {
			fmt.Fprintf(&b, "\n… and %s.\n", number(len(accesses)-i, "more", "more"))
			break
		}
		by := statements(a.Because)
		for i := range by {
			by[i] = cellCode(by[i])
		}
		fmt.Fprintf(&b, "| %s | **%s** | %s | %s | %s → %s | %s | %s |\n", cellCode(cmp.Or(a.PrincipalAddress, a.Principal)), a.verb(), cellCode(a.Action),
			cellCode(cmp.Or(a.ResourceAddress, a.Resource)), words[a.Before.String()], words[a.After.String()], a.through(prose, cellCode), strings.Join(by, "<br>"))
	}
	return b.String()
}

// errors tells errors in full, with the diagrams of their chains or without.
func (m *markdown) errors(errors []*Finding, diagrams bool) string {
	if len(errors) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n#### Errors\n")
	for _, f := range errors {
		b.WriteString("\n" + m.finding(f) + "\n")
		if diagrams {
			b.WriteString(m.diagram(f))
		}
	}
	return b.String()
}

// finding tells a finding as an item of a list.
func (m *markdown) finding(f *Finding) string {
	out := fmt.Sprintf("- **%s**: %s", prose(f.Rule), prose(f.Message))
	if at := where(f.Address, f.Source); at != "" {
		out += "\n  at " + code(at)
		if len(m.r.Inputs) > 1 {
			out += " in " + code(inputName(m.r.Inputs[f.Input].Path))
		}
	}
	if at := f.sameAt(code); at != "" {
		out += "\n " + at
	}
	if by := f.foundBy(); by != "" {
		out += "\n " + by
	}
	if f.Waived != nil {
		return out + "\n  " + prose(f.Waived.String())
	}
	return out + "\n  → " + prose(f.Remediation)
}

// diagram draws the chain that proves a finding.
func (m *markdown) diagram(f *Finding) string {
	if f.Replay == nil {
		return ""
	}
	p := &m.r.Replays[*f.Replay]
	s := p.sequence()
	if len(s.calls) == 0 {
		return ""
	}
	return fmt.Sprintf("\n  <details><summary>The chain %s</summary>\n\n  ```mermaid\n  %s\n  ```\n\n  </details>\n",
		prose(p.Chain), strings.ReplaceAll(strings.TrimSuffix(s.mermaid(), "\n"), "\n", "\n  "))
}

// names tells errors by the rule and their addresses, within a size.
func (m *markdown) names(errors []*Finding, size int) string {
	if len(errors) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n#### Errors\n\n")
	for i, f := range errors {
		line := fmt.Sprintf("- **%s** at %s", prose(f.Rule), code(where(f.Address, f.Source)))
		if n := len(f.elsewhere()); n > 0 {
			line += " and " + number(n, "more place", "more places")
		}
		line += "\n"
		if b.Len()+len(line) > size {
			fmt.Fprintf(&b, "\n… and %s:\n\n%s", number(len(errors)-i, "more error", "more errors"), byRule(errors[i:]))
			break
		}
		b.WriteString(line)
	}
	return b.String()
}

// byRule counts findings by their rule, the most frequent ones of many.
func byRule(findings []*Finding) string {
	counts := map[string]int{}
	var rules []string
	for _, f := range findings {
		counts[f.Rule]++
		rules = include(rules, f.Rule)
	}
	slices.SortStableFunc(rules, func(a, b string) int { return counts[b] - counts[a] })
	var b strings.Builder
	for i, rule := range rules {
		if i == 20 {
			fmt.Fprintf(&b, "- and %s\n", number(len(rules)-i, "more rule", "more rules"))
			break
		}
		fmt.Fprintf(&b, "- %s: %s\n", prose(rule), thousands(counts[rule]))
	}
	return b.String()
}

// details folds a part of the comment away, under a title.
func details(title, body string) string {
	return fmt.Sprintf("\n<details><summary>%s</summary>\n\n%s\n</details>\n", title, body)
}

// folded tells the first findings of a kind, with the diagrams of their chains or
// without.
func (m *markdown) folded(title string, findings []*Finding, most int, diagrams bool) string {
	if len(findings) == 0 {
		return ""
	}
	var b strings.Builder
	for i, f := range findings {
		if i == most {
			fmt.Fprintf(&b, "\n… and %s:\n\n%s", number(len(findings)-i, "more", "more"), byRule(findings[i:]))
			break
		}
		b.WriteString(m.finding(f) + "\n")
		if diagrams {
			b.WriteString(m.diagram(f))
		}
	}
	return details(fmt.Sprintf("<b>%s (%s)</b>", title, thousands(len(findings))), b.String())
}

func (m *markdown) counts(title string, findings []*Finding) string {
	if len(findings) == 0 {
		return ""
	}
	return details(fmt.Sprintf("<b>%s (%s)</b>", title, thousands(len(findings))), byRule(findings))
}

// marks are what a cell of a table begins with.
var marks = map[engine.Verdict]string{engine.Allowed: "✅", engine.ExplicitDeny: "⛔", engine.ImplicitDeny: "▫️", engine.Unknown: "❔"}

// verdicts tells a table for each class of resources, so many for an input at most.
func (m *markdown) verdicts(most int) string {
	var b strings.Builder
	for i, matrices := range m.r.matrices(maxColumns) {
		classes := classify(matrices, true)
		if len(classes) > most {
			classes = classify(matrices, false)
		}
		if len(m.r.Inputs) > 1 && len(classes) > 0 {
			fmt.Fprintf(&b, "**%s**\n\n", code(inputName(m.r.Inputs[i].Path)))
		}
		for n, c := range classes {
			if n == most {
				fmt.Fprintf(&b, "… and %s\n\n", number(len(classes)-n, "more table", "more tables"))
				break
			}
			b.WriteString(c.markdown())
		}
	}
	if b.Len() == 0 {
		return ""
	}
	b.WriteString("▫️ implicit deny: nothing allows the call. ⛔ explicit deny: a statement denies it. @n: the hop of the chain that decided. –: not replayed.\n")
	return details("<b>Verdicts</b>", b.String())
}

// markdown renders the table of a class.
func (c *class) markdown() string {
	var b strings.Builder
	m := c.members[0]
	b.WriteString(code(m.address))
	others := len(c.members) - 1
	for _, member := range c.members {
		others += max(member.like-1, 0)
	}
	if others > 0 {
		fmt.Fprintf(&b, " and %s like it", number(others, "other", "others"))
	}
	b.WriteString("\n\n")
	if len(m.columns) > 0 {
		b.WriteString("| | chain |")
		for _, col := range m.columns {
			name := cellCode(col.name)
			if col.like > 1 {
				name += fmt.Sprintf(" and %s more", thousands(col.like-1))
			}
			fmt.Fprintf(&b, " %s |", name)
		}
		b.WriteString("\n| --- | --- |" + strings.Repeat(" --- |", len(m.columns)) + "\n")
		for _, actions := range m.sections(m.columns) {
			what := prose(strings.Join(actions, ", "))
			for _, chain := range m.chains {
				fmt.Fprintf(&b, "| %s | %s |", what, prose(chain))
				for _, col := range m.columns {
					fmt.Fprintf(&b, " %s |", m.cells[spot{chain, actions[0], col}].marked())
				}
				b.WriteString("\n")
				what = ""
			}
		}
		b.WriteString("\n")
	}
	if m.left > 0 {
		fmt.Fprintf(&b, "and %s\n\n", number(m.left, "more principal", "more principals"))
	}
	if m.quiet {
		b.WriteString("The stand-ins are allowed on every chain.\n\n")
	}
	for i, s := range m.services {
		if i == 0 {
			b.WriteString("| chain | caller | verdict | calls |\n| --- | --- | --- | --- |\n")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", prose(s.chain), cellCode(s.principal), s.cell.marked(), prose(strings.Join(s.actions, ", ")))
	}
	return b.String() + "\n"
}

// marked is a cell with its mark.
func (c cell) marked() string {
	if !c.replayed {
		return "–"
	}
	return marks[c.verdict] + " " + c.words(false)
}

func (m *markdown) unknowns(most int) string {
	unknowns := m.r.unknowns()
	if len(unknowns) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| verdicts | hang on |\n| --- | --- |\n")
	for i, u := range unknowns {
		if i == most {
			fmt.Fprintf(&b, "| | … and %s |\n", number(len(unknowns)-i, "more", "more"))
			break
		}
		fmt.Fprintf(&b, "| %s | %s |\n", thousands(u.verdicts), cellCode(u.on))
	}
	return details("<b>Not known</b>", b.String())
}

func (m *markdown) remarks() string {
	words := m.r.remarks()
	if len(words) == 0 {
		return ""
	}
	var b strings.Builder
	for _, w := range words {
		b.WriteString("- " + prose(w) + "\n")
	}
	return details("Remarks", b.String())
}

// prose writes text so that nothing in it is markup, a mention or a link.
func prose(s string) string {
	var b strings.Builder
	for _, c := range strings.Join(strings.Fields(printable(s)), " ") {
		switch {
		case c == '@' || c == '#':
			fmt.Fprintf(&b, "%c<!-- -->", c)
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]|~!", c):
			b.WriteRune('\\')
			b.WriteRune(c)
		default:
			b.WriteRune(c)
		}
	}
	// What looks like an address becomes a link by itself.
	return strings.NewReplacer("://", ":<!-- -->//", "www.", "www<!-- -->.").Replace(b.String())
}

// cellCode writes text as code inside of a table.
func cellCode(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// code writes text as code.
func code(s string) string {
	s = strings.Join(strings.Fields(printable(s)), " ")
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}
