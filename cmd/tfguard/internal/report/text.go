package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// most is how many warnings of a rule, unknowns and remarks are told.
const most = 10

// width is how wide the text report is at the most.
const width = 100

// Text renders the report for people: the answer first, then a table for every
// class of resources, then findings, then what could not be known.
func Text(w io.Writer, r *Report, opts Options) error {
	t := &text{w: bufio.NewWriter(w), r: r, color: opts.Color}
	t.headline()
	t.inputs()
	t.tables()
	t.findings()
	t.unknown()
	t.remarks()
	return t.w.Flush()
}

type text struct {
	w     *bufio.Writer
	r     *Report
	color bool
}

var (
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

// wrapped writes a paragraph, each line after an indent.
func (t *text) wrapped(indent, words string) {
	for l := range strings.SplitSeq(ansi.Wrap(words, width-len(indent), ""), "\n") {
		t.line("%s%s", indent, l)
	}
}

// number renders a count with its noun.
func number(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", one)
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

func (t *text) headline() {
	s := t.r.Summary
	style, words := green, "No findings"
	switch {
	case s.Findings.Error > 0:
		style = red
	case s.Findings.Warning > 0:
		style = yellow
	}
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{{s.Findings.Error, "error", "errors"}, {s.Findings.Warning, "warning", "warnings"}, {s.Findings.Info, "remark", "remarks"}} {
		if p.n > 0 {
			parts = append(parts, number(p.n, p.one, p.many))
		}
	}
	if len(parts) > 0 {
		words = strings.Join(parts, ", ")
	}
	v := s.Verdicts
	t.line("%s. %s: %s allowed, %s implicit deny, %s explicit deny, %s unknown.",
		t.paint(style.Bold(true), words), number(s.Replays, "replay", "replays"),
		thousands(v.Allowed), thousands(v.ImplicitDeny), thousands(v.ExplicitDeny), thousands(v.Unknown))
}

func (t *text) inputs() {
	for _, in := range t.r.Inputs {
		policies := number(in.Policies, "policy", "policies")
		if in.Unread > 0 {
			policies += fmt.Sprintf(" (%s not read)", thousands(in.Unread))
		}
		if in.Policies == 0 {
			policies = "no policies"
		}
		changes := number(in.Changes, "change", "changes")
		if in.Changes == 0 {
			changes = "no changes"
		}
		t.wrapped("", fmt.Sprintf("Read %s (%s): %s, %s, %s, %s.", in.Path, in.Format, changes,
			number(in.Principals, "principal", "principals"), number(in.Resources, "resource", "resources"), policies))
		for _, why := range in.Incomplete {
			t.wrapped("  ", t.paint(yellow, why))
		}
	}
}

func (t *text) findings() {
	if len(t.r.Findings) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Findings"))
	shown := map[string]int{}
	for _, f := range t.r.Findings {
		// Errors are all told; of other rules the first ones.
		if shown[f.Rule]++; shown[f.Rule] > most && f.Severity != "error" {
			continue
		}
		style := yellow
		if f.Severity == "error" {
			style = red
		}
		t.line("")
		t.line("  %s  %s", t.paint(style.Bold(true), f.Severity), f.Rule)
		t.wrapped("    ", f.Message)
		t.line("    at %s", t.place(f.Address, f.Source))
		t.wrapped("    ", t.paint(faint, f.Remediation))
	}
	for _, rule := range slices.Sorted(maps.Keys(shown)) {
		if n := shown[rule] - most; n > 0 {
			t.line("")
			t.line("  … and %s of %s (-o json lists all)", number(n, "more", "more"), rule)
		}
	}
}

// place renders where a statement is: its file, or the attribute that holds the
// policy and the place in its text.
func (t *text) place(address string, s Source) string {
	if s.File != "" {
		return fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Column)
	}
	where := address
	if s.Attribute != "" {
		where += "." + s.Attribute
	}
	if s.Line > 0 {
		where += fmt.Sprintf(":%d:%d", s.Line, s.Column)
	}
	return where
}

// unknown lists what unknown verdicts hang on, each with how many hang on it.
func (t *text) unknown() {
	counts := map[string]int{}
	var order []string
	for _, r := range t.r.Replays {
		if r.Verdict.String() != "unknown" {
			continue
		}
		seen := map[string]bool{}
		for _, h := range r.Hops {
			if h.Hop != r.BrokenHop || h.Optional {
				continue
			}
			for _, u := range h.Unknown {
				if !seen[u] {
					seen[u] = true
					if counts[u] == 0 {
						order = append(order, u)
					}
					counts[u]++
				}
			}
		}
	}
	if len(order) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Not known"))
	slices.SortStableFunc(order, func(a, b string) int { return counts[b] - counts[a] })
	for i, u := range order {
		if i == most {
			t.line("  … and %s (-o json lists all)", number(len(order)-most, "more", "more"))
			break
		}
		t.wrapped("  ", fmt.Sprintf("%s: %s", number(counts[u], "verdict hangs on", "verdicts hang on"), u))
	}
}

// remarks are what the verdicts rest on, and what the reader had to say.
func (t *text) remarks() {
	var words []string
	for _, in := range t.r.Inputs {
		for _, f := range in.Facts {
			if f.Assumed {
				words = append(words, fmt.Sprintf("Assumed: the %s is %s (%s).", f.Name, f.Value, f.From))
			}
		}
		words = append(words, in.Notes...)
	}
	if n := t.r.Summary.Unrelated; n > 0 {
		words = append(words, fmt.Sprintf("Not replayed: %s of principal, resource and action that nothing grants.", number(n, "combination", "combinations")))
	}
	if n := t.r.Summary.Folded; n > 0 {
		words = append(words, fmt.Sprintf("Folded: %s whose policies are equal to replayed ones up to names (-o json lists them; --max-replays 0 replays all).", number(n, "combination", "combinations")))
	}
	for _, d := range t.r.Diagnostics {
		if d.Severity == "info" {
			continue
		}
		words = append(words, fmt.Sprintf("%s: %s: %s", t.place(d.Address, d.Source), d.Summary, d.Detail))
	}
	if len(words) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Remarks"))
	for i, s := range words {
		if i == most {
			t.line("  … and %s (-o json lists all)", number(len(words)-most, "more", "more"))
			break
		}
		t.wrapped("  ", s)
	}
}
