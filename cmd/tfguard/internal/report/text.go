package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// most is how many warnings of a rule, unknowns and remarks are told, unless all are.
const most = 10

// bounds are how much of each kind a text tells.
type bounds struct{ most, columns, tables int }

func (d Detail) bounds() bounds {
	if d == Verbose {
		return bounds{math.MaxInt, math.MaxInt, math.MaxInt}
	}
	return bounds{most, maxColumns, maxTables}
}

// width is how wide the text report is at the most.
const width = 100

// Text renders the report for people: the answer first, then who gains or loses
// access, a table for every class of resources, findings, what could not be known,
// and remarks. A quiet one tells the answer, the changes and the findings alone.
func Text(w io.Writer, r *Report, opts Options) error {
	t := &text{w: bufio.NewWriter(w), r: r, color: opts.Color, bounds: opts.Detail.bounds()}
	t.headline(opts)
	t.inputs()
	t.changes()
	if opts.Detail > Quiet {
		t.tables()
	}
	t.expectations()
	t.findings()
	if opts.Detail > Quiet {
		t.unknown()
		t.remarks()
	}
	return t.w.Flush()
}

type text struct {
	w      *bufio.Writer
	r      *Report
	color  bool
	bounds bounds
	// legend gathers what the tables hold.
	legend legend
}

var (
	plain  = lipgloss.NewStyle()
	bold   = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	red    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	green  = lipgloss.NewStyle().Foreground(lipgloss.Green)
)

func (t *text) paint(s lipgloss.Style, words string) string {
	if !t.color {
		return words
	}
	return s.Render(words)
}

func (t *text) line(format string, args ...any) {
	// bufio keeps the first error for Flush.
	_, _ = fmt.Fprintf(t.w, format+"\n", args...)
}

// paragraph writes words in lines that fit, the first after one indent, the others
// after another.
func (t *text) paragraph(first, rest string, style lipgloss.Style, words string) {
	before := first
	for _, l := range wrap(words, width-max(len(first), len(rest))) {
		t.line("%s%s", before, t.paint(style, l))
		before = rest
	}
}

// wrap breaks words at blanks into lines of a width, and what is longer anywhere.
func wrap(words string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(printable(words)) {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for ansi.StringWidth(word) > width {
			head := ansi.Truncate(word, width, "")
			lines = append(lines, head)
			word = word[len(head):]
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// printable replaces what would command a terminal, and writes out what would order or
// hide the text around it: names in a plan are not ours.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if !strings.ContainsFunc(s, unseen) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unseen(r) {
			b.Write(escape(nil, r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unseen reports whether a character has an effect without being seen: marks of writing
// direction, joiners and blanks without width, and separators of lines.
func unseen(r rune) bool { return r >= 0x80 && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }

// escape appends a character as JSON writes it out.
func escape(to []byte, r rune) []byte {
	for _, unit := range utf16.AppendRune(nil, r) {
		to = fmt.Appendf(to, `\u%04x`, unit)
	}
	return to
}

// number renders a count with its noun.
func number(n int, one, many string) string {
	switch n {
	case 0:
		return "no " + many
	case 1:
		return "1 " + one
	}
	return thousands(n) + " " + many
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (t *text) headline(opts Options) {
	style := green
	switch s := t.r.Summary.Findings; {
	case s.Error > 0 || t.r.Summary.Expectations.Failed > 0 || len(t.r.Unreadable) > 0 || opts.Fails(t.r):
		style = red
	case s.Warning > 0:
		style = yellow
	}
	answer, verdicts, between := t.r.answer(opts), t.r.Summary.verdicts(), " "
	if len(answer)+len(". ")+len(verdicts) > width {
		between = "\n"
	}
	t.line("%s.%s%s", t.paint(style.Bold(true), answer), between, verdicts)
	for _, u := range t.r.Unreadable {
		t.paragraph("", "  ", red, "Not judged: "+u.Message)
	}
}

// inputs says on one line for each input what was read.
func (t *text) inputs() {
	for i := range t.r.Inputs {
		in := &t.r.Inputs[i]
		counts := in.counts()
		t.line("%s%s", pathIn(in.Path, width-len(counts)), counts)
		if in.Config != "" {
			t.line("  with %s", pathIn(in.Config, width-7))
		}
		for _, why := range in.Incomplete {
			t.paragraph("  ", "  ", yellow, why)
		}
		if how := t.r.recovered(i); how != "" {
			t.paragraph("  ", "  ", plain, how)
		}
	}
}

// recovered says how many policies of an input were recovered that are known only
// after apply, and from what.
func (r *Report) recovered(input int) string {
	counts, all := map[string]int{}, 0
	for i := range r.Policies {
		if p := &r.Policies[i]; p.Input == input && p.Recovered != nil {
			counts[p.Recovered.Step]++
			all++
		}
	}
	var parts []string
	for _, step := range []struct{ name, words string }{
		{"deferred", "from data sources that are read during apply"},
		{"configuration", "through references of the configuration"},
		{"source", "from the source"},
	} {
		if n := counts[step.name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(n), step.words))
		}
	}
	if all == 0 {
		return ""
	}
	return number(all, "policy", "policies") + " known only after apply recovered: " + strings.Join(parts, ", ") + "."
}

// counts says what was read of an input, after its name.
func (in *Input) counts() string {
	counts := ": " + number(in.Changes, "change", "changes")
	if in.Principals > 0 {
		counts += ", " + number(in.Principals, "principal", "principals")
	}
	if in.Resources > 0 {
		counts += ", " + number(in.Resources, "resource", "resources")
	}
	counts += ", " + number(in.Policies, "policy", "policies")
	if in.Unread > 0 {
		counts += fmt.Sprintf(" (%s not read)", thousands(in.Unread))
	}
	return counts
}

// pathIn shortens a path to a width, from the left: its end tells more.
func pathIn(path string, width int) string {
	path = inputName(path)
	for over := ansi.StringWidth(path) - width; over > 0; over = ansi.StringWidth(path) - width {
		folder, rest, ok := strings.Cut(strings.TrimPrefix(path, "…/"), "/")
		if !ok || folder == "" && rest == "" {
			return ansi.TruncateLeft(path, over+1, "…")
		}
		path = "…/" + rest
	}
	return path
}

// changes tells who gains or loses which call, and by which statement.
func (t *text) changes() {
	accesses := t.r.accesses()
	if len(accesses) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Access changes"))
	for i, a := range accesses {
		if i == t.bounds.most {
			t.line("")
			t.line("  … and %s (--verbose lists all)", number(len(accesses)-i, "more", "more"))
			return
		}
		style := plain
		if a.verb() == gains {
			style = yellow
		}
		t.line("")
		t.paragraph("  ", "    ", style, a.String())
		t.paragraph("    ", "      ", plain, a.how())
		for _, s := range statements(a.Because) {
			t.paragraph("    by ", "      ", plain, s)
		}
	}
}

func (t *text) findings() {
	if len(t.r.Findings) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Findings"))
	byRule := slices.Clone(t.r.Findings)
	slices.SortStableFunc(byRule, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Rule, b.Rule))
	})
	for len(byRule) > 0 {
		n := slices.IndexFunc(byRule, func(f Finding) bool { return f.Rule != byRule[0].Rule || f.rank() != byRule[0].rank() })
		if n < 0 {
			n = len(byRule)
		}
		t.rule(byRule[:n])
		byRule = byRule[n:]
	}
}

// rule writes the findings of one rule, and what to do about them once.
func (t *text) rule(findings []Finding) {
	f := &findings[0]
	style, word := yellow, f.Severity
	switch {
	case f.Waived != nil:
		style, word = faint, "waived"
	case f.Severity == "error":
		style = red
	}
	t.line("")
	t.line("  %s  %s", t.paint(style.Bold(true), word), printable(f.Rule))
	shown := findings
	// Errors are all told; of other rules the first ones.
	if len(findings) > t.bounds.most && (f.Severity != "error" || f.Waived != nil) {
		shown = findings[:t.bounds.most]
	}
	for i := range shown {
		f := &shown[i]
		t.paragraph("    ", "      ", plain, f.Message)
		at := where(f.Address, f.Source)
		if len(t.r.Inputs) > 1 {
			at += " in " + inputName(t.r.Inputs[f.Input].Path)
		}
		if at != "" && !strings.HasPrefix(f.Message, at+" ") {
			t.paragraph("      at ", "      ", plain, at)
		}
		t.besides(f)
		if f.Waived != nil {
			t.paragraph("      ", "      ", faint, f.Waived.String())
		}
		if f.Replay != nil && f.Waived == nil {
			t.why(&t.r.Replays[*f.Replay])
		}
		last := i+1 == len(shown)
		if left := len(findings) - len(shown); last && left > 0 {
			t.line("    … and %s of %s (--verbose lists all)", number(left, "more", "more"), printable(f.Rule))
		}
		if f.Waived == nil && (last || shown[i+1].Remediation != f.Remediation) {
			t.paragraph("    → ", "      ", faint, f.Remediation)
		}
	}
}

// besides writes the further places of a finding, and the rules that find it too.
func (t *text) besides(f *Finding) {
	places := f.elsewhere()
	for i, p := range places {
		if i == t.bounds.most {
			t.line("      and at %s (--verbose lists all)", number(len(places)-i, "more place", "more places"))
			break
		}
		t.paragraph("      and at ", "        ", plain, p.name)
	}
	if words := f.foundBy(); words != "" {
		t.paragraph("      ", "      ", plain, words)
	}
}

// where renders the place of a statement: its file, or the attribute that holds the
// policy and the place in its text.
func where(address string, s Source) string {
	switch {
	case s.File != "" && s.Line == 0:
		return s.File
	case s.File != "":
		return fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Column)
	}
	at := address
	if s.Attribute != "" {
		at += "." + s.Attribute
	}
	if s.Line > 0 {
		at += fmt.Sprintf(":%d:%d", s.Line, s.Column)
	}
	return at
}

// unknown lists what unknown verdicts hang on, each with how many hang on it.
func (t *text) unknown() {
	unknowns := t.r.unknowns()
	if len(unknowns) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Not known"))
	t.line("  verdicts  hang on")
	for i, u := range unknowns {
		if i == t.bounds.most {
			t.line("  … and %s (--verbose lists all)", number(len(unknowns)-i, "more", "more"))
			break
		}
		t.paragraph(fmt.Sprintf("  %8s  ", thousands(u.verdicts)), strings.Repeat(" ", 12), plain, u.on)
	}
}

// remarks are what the verdicts rest on, and what the reader had to say.
func (t *text) remarks() {
	words := t.r.remarks()
	if len(words) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Remarks"))
	for i, s := range words {
		if i == t.bounds.most {
			t.line("  … and %s (--verbose lists all)", number(len(words)-i, "more", "more"))
			break
		}
		t.paragraph("  ", "    ", plain, s)
	}
}
