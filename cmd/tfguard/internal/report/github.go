package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// annotations is how many annotations of a kind GitHub takes from a step.
const annotations = 10

// GitHub renders the findings as workflow commands, which GitHub Actions shows as
// annotations, those with a source beside the line in question. Of each kind it takes
// ten; the last line says how many there are. A finding is one annotation, whose words
// name its further places, so that one with many leaves room for others. Changes of
// access are notices, or errors where they fail the check, and waived findings are
// counted alone.
func GitHub(w io.Writer, r *Report, opts Options) error {
	r = r.withExpectations()
	g := &github{w: bufio.NewWriter(w), left: map[string]int{"error": annotations, "warning": annotations, "notice": annotations}}
	for _, u := range r.Unreadable {
		g.annotate("error", place{}, "not judged", u.Message)
	}
	for _, a := range r.accesses() {
		message := fmt.Sprintf("%s (%s)", a, a.how())
		if by := statements(a.Because); len(by) > 0 {
			message += ", by " + strings.Join(by, ", ")
		}
		kind := "notice"
		if opts.opens(a.Change) {
			kind = "error"
		}
		g.annotate(kind, place{}, "access change", message)
	}
	for _, i := range r.gravestFirst() {
		f := &r.Findings[i]
		if f.Waived != nil {
			continue
		}
		var at place
		if f.Source.File != "" {
			at = r.place(f.Source, f.Input)
		}
		kind := f.Severity
		if kind == "info" {
			kind = "notice"
		}
		message := f.Message
		if at.file == "" {
			message += " At " + where(f.Address, f.Source) + "."
		}
		g.annotate(kind, at, f.Rule, message+f.besides()+"\n"+f.Remediation)
	}
	passed := "passed"
	if opts.Fails(r) || len(r.Unreadable) > 0 {
		passed = "failed"
	}
	fmt.Fprintf(g.w, "tfguard %s: %s. %s\n", passed, r.answer(opts), r.Summary.verdicts())
	if g.over > 0 {
		fmt.Fprintf(g.w, "%s not annotated, as GitHub shows ten of a kind; the summary of the step lists them.\n", number(g.over, "more is", "more are"))
	}
	return g.w.Flush()
}

type github struct {
	w *bufio.Writer
	// left are the annotations that GitHub still takes, by kind; over counts others.
	left map[string]int
	over int
}

func (g *github) annotate(kind string, at place, title, message string) {
	if g.left[kind] == 0 {
		g.over++
		return
	}
	g.left[kind]--
	var properties []string
	if at.file != "" {
		properties = append(properties, "file="+property(at.file), fmt.Sprintf("line=%d", max(at.line, 1)))
		if at.column > 0 {
			properties = append(properties, fmt.Sprintf("col=%d", at.column))
		}
	}
	properties = append(properties, "title="+property("tfguard: "+title))
	fmt.Fprintf(g.w, "::%s %s::%s\n", kind, strings.Join(properties, ","), data(message))
}

// data escapes the message of a workflow command, property a property: from the page
// "Workflow commands for GitHub Actions" and its toolkit.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(printable(s))
}

func property(s string) string { return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(s)) }
