package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/hazard"
)

// The elements of JUnit's XML that Jenkins and GitLab both read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Skipped *junitResult `xml:"skipped"`
		Error   *junitResult `xml:"error"`
		Failure *junitResult `xml:"failure"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitResult struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit renders the report as JUnit's XML: a suite for each input, in it a case for
// each rule and resource, for each expectation, for each call that is opened if that
// fails the check, and for the verdicts. What the threshold fails is a failure, other
// findings are output of a case that passes, and waived ones and unknown verdicts that
// the threshold accepts are skipped. A rule that found nothing is a case that passes;
// an input that could not be judged is an error.
func JUnit(w io.Writer, r *Report, opts Options) error {
	out := junitSuites{Name: "tfguard"}
	for i := range r.Inputs {
		out.Suites = append(out.Suites, r.suite(i, opts))
	}
	for _, u := range r.Unreadable {
		out.Suites = append(out.Suites, junitSuite{Name: inputName(u.Path), Tests: 1, Errors: 1, Cases: []junitCase{{
			Class: "tfguard.input", Name: "readable", Error: &junitResult{Type: "unreadable", Message: u.Message},
		}}})
	}
	return out.write(w)
}

// write counts what the suites hold and writes them.
func (out *junitSuites) write(w io.Writer) error {
	for _, s := range out.Suites {
		out.Tests += s.Tests
		out.Failures += s.Failures
		out.Errors += s.Errors
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+printable(string(text))+"\n")
	return err
}

// suite makes the suite of one input.
func (r *Report) suite(input int, opts Options) junitSuite {
	s := junitSuite{Name: inputName(r.Inputs[input].Path)}
	type key struct{ rule, address string }
	findings := map[key][]*Finding{}
	var keys []key
	found := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Input != input {
			continue
		}
		k := key{f.Rule, f.Address}
		if findings[k] == nil {
			keys = append(keys, k)
		}
		findings[k] = append(findings[k], f)
		found[f.Rule] = true
	}
	slices.SortStableFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.address, b.address))
	})
	for _, k := range keys {
		s.add(r.testcase(k.rule, k.address, findings[k], opts.FailOn))
	}
	for _, rule := range hazard.Rules() {
		if !found[rule.ID] {
			s.add(junitCase{Class: "tfguard." + rule.ID, Name: "no findings"})
		}
	}
	for i := range r.Guardrails {
		if g := &r.Guardrails[i]; !found[g.Rule] && slices.Contains(g.Inputs, input) {
			s.add(junitCase{Class: "tfguard." + g.Rule, Name: "no findings"})
		}
	}
	for i := range r.Expectations {
		if e := &r.Expectations[i]; e.Input == input {
			s.add(e.testcase(opts.FailOn))
		}
	}
	if opts.FailOnNewAccess {
		s.addOpened(r, opts, input)
	}
	s.add(r.verdictCase(input, opts.FailOn))
	return s
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// testcase makes the case of the findings of one rule about one resource.
func (r *Report) testcase(rule, address string, findings []*Finding, failOn Threshold) junitCase {
	c := junitCase{Class: "tfguard." + rule, Name: cmp.Or(address, "the input")}
	var failures, notes, waivers []string
	gravest := ""
	for _, f := range findings {
		lines := []string{f.Message, "  at " + where(f.Address, f.Source)}
		for _, p := range f.elsewhere() {
			lines = append(lines, "  and at "+p.name)
		}
		line := strings.Join(append(lines, "  "+f.Remediation+f.foundBy()), "\n")
		switch {
		case f.Waived != nil:
			waivers = append(waivers, f.Waived.String()+" "+line)
		case failOn.finding(f):
			failures = append(failures, line)
			gravest = cmp.Or(gravest, f.Severity)
		default:
			notes = append(notes, f.Severity+": "+line)
		}
	}
	switch {
	case len(failures) > 0:
		c.Failure = &junitResult{Type: gravest, Message: first(failures), Text: strings.Join(failures, "\n\n")}
		if g := r.guardrail(rule); g != nil {
			c.Failure.Text = paragraphs(c.Failure.Text, g.Title, g.Description, g.Rationale)
		}
	case len(notes) == 0:
		c.Skipped = &junitResult{Message: first(waivers), Text: strings.Join(waivers, "\n\n")}
		return c
	}
	c.Out = strings.Join(append(notes, waivers...), "\n\n")
	return c
}

// addOpened adds a case for each call that an input opens, or one that passes.
func (s *junitSuite) addOpened(r *Report, opts Options, input int) {
	class, none := "tfguard."+newAccess, true
	for _, f := range r.uncompared(opts) {
		if f.Input == input {
			none = false
			s.add(junitCase{Class: class, Name: "what the input opens", Failure: &junitResult{Type: f.Severity, Message: f.Message, Text: f.Message + "\n  " + f.Remediation}})
		}
	}
	for _, a := range r.opened(opts) {
		if a.Input != input {
			continue
		}
		none = false
		f := a.finding()
		lines := []string{f.Message}
		for _, by := range statements(a.Because) {
			lines = append(lines, "  by "+by)
		}
		s.add(junitCase{Class: class, Name: a.String(), Failure: &junitResult{
			Type: f.Severity, Message: f.Message, Text: strings.Join(append(lines, "  "+f.Remediation), "\n"),
		}})
	}
	if none {
		s.add(junitCase{Class: class, Name: "no new access"})
	}
}

// testcase makes the case of an expectation.
func (e *Expectation) testcase(failOn Threshold) junitCase {
	c := junitCase{Class: "tfguard.expectation", Name: e.Sentence}
	if e.Pass {
		return c
	}
	text := e.Reason + "\n  at " + where("", e.Source)
	if failOn >= Error {
		c.Failure = &junitResult{Type: "expectation", Message: e.Reason, Text: text}
	} else {
		c.Out = text
	}
	return c
}

// first is the first line of the first text.
func first(texts []string) string {
	line, _, _ := strings.Cut(texts[0], "\n")
	return line
}

// verdictCase says whether the verdicts of an input are known.
func (r *Report) verdictCase(input int, failOn Threshold) junitCase {
	c := junitCase{Class: "tfguard.verdicts", Name: "known"}
	n := 0
	for i := range r.Replays {
		if p := &r.Replays[i]; p.Input == input && p.Verdict == engine.Unknown {
			n++
		}
	}
	unread := r.Inputs[input].Unread
	if n == 0 && unread == 0 {
		return c
	}
	result := &junitResult{Message: fmt.Sprintf("%s, and %s not read",
		number(n, "verdict is unknown", "verdicts are unknown"), number(unread, "policy was", "policies were"))}
	if failOn >= Unknown {
		result.Type = "unknown"
		c.Failure = result
	} else {
		c.Skipped = result
	}
	return c
}
