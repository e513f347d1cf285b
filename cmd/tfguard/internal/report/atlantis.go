package report

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// atlantisLimit is how long the output may be: Atlantis splits what is longer into
// several comments.
const atlantisLimit = 65000

// Atlantis renders the report for a custom policy check of Atlantis, which reads its
// verdict from the words: the check fails if the output begins with FAIL, holds a
// count of failures or, up to version 0.38, the syllable "fail" in any case.
//
// So a failing report begins with one line for each reason, sorted and without
// counts: those lines are what approvals stick to. Where not all fit, a last one holds a
// digest of the others, so that an approval does not stick when these change. A passing
// report begins with PASS, and the syllable in names is broken by a word joiner, which
// nobody sees. The exit code of the program must be 0 either way, as Atlantis drops the
// output of a command that fails, and without policy sets then takes the check for
// passed.
func Atlantis(w io.Writer, r *Report, opts Options) error {
	r = r.part(opts.PolicySet).withExpectations()
	fails, notes := r.atlantisLines(opts)
	if len(fails) == 0 && opts.Fails(r) {
		fails = []string{"FAIL - the report fails at the threshold " + opts.FailOn.String()}
	}
	var b strings.Builder
	if len(fails) == 0 {
		fmt.Fprintf(&b, "PASS - nothing at or above the threshold %s\n", opts.FailOn)
	}
	shown := lines(&b, fails, atlantisLimit*3/4)
	if n := len(fails); n > 0 {
		if shown < n {
			fmt.Fprintf(&b, "FAIL - and those that are cut away here (%s)\n… which are %s\n", digest(fails[shown:]), number(n-shown, "more", "more"))
		}
		// Digits alone, as Atlantis looks for them.
		fmt.Fprintf(&b, "%s\n", strings.ReplaceAll(number(n, "failure", "failures"), ",", ""))
	}
	fmt.Fprintf(&b, "\n%s. %s\n", r.answer(opts), r.Summary.verdicts())
	if shown := lines(&b, notes, atlantisLimit-500); shown < len(notes) {
		fmt.Fprintf(&b, "… and %s\n", number(len(notes)-shown, "more", "more"))
	}
	out := b.String()
	if len(fails) == 0 {
		out = unfailing(out)
	}
	_, err := io.WriteString(w, out)
	return err
}

// atlantisLines returns what fails the check, sorted and each once, and what else
// there is to say.
func (r *Report) atlantisLines(opts Options) (fails, notes []string) {
	for _, u := range r.Unreadable {
		fails = append(fails, fmt.Sprintf("FAIL - %s - not judged: %s", stablePath(u.Path), u.Message))
	}
	if opts.FailOn.unknown(r) {
		fails = append(fails, "FAIL - verdicts or policies are not known")
		for _, u := range r.unknowns() {
			fails = append(fails, "FAIL - verdicts are not known - they hang on "+u.on)
		}
	}
	for _, f := range r.uncompared(opts) {
		fails = append(fails, "FAIL - new access: "+f.Message)
	}
	for _, a := range r.accesses() {
		line := fmt.Sprintf("%s (%s)", a, a.how())
		if opts.opens(a.Change) {
			fails = append(fails, "FAIL - new access: "+line)
		} else {
			notes = append(notes, "CHANGE - "+line)
		}
	}
	for _, i := range r.gravestFirst() {
		f := &r.Findings[i]
		line := fmt.Sprintf("%s - %s: %s", cmp.Or(f.Address, "the input"), f.Rule, f.Message+f.besides()+f.unnamed())
		switch {
		case f.Waived != nil:
			notes = append(notes, fmt.Sprintf("WAIVED - %s %s", line, f.Waived))
		case opts.FailOn.finding(f):
			fails = append(fails, "FAIL - "+line)
		default:
			notes = append(notes, strings.ToUpper(f.Severity)+" - "+line)
		}
	}
	for _, list := range [][]string{fails, notes} {
		for i, line := range list {
			list[i] = strings.Join(strings.Fields(printable(line)), " ")
		}
	}
	slices.Sort(fails)
	return slices.Compact(fails), notes
}

// policySets are what a report can be split into, for policy sets of Atlantis that have
// owners of their own. Inputs, policies and verdicts that are not known are in each.
var policySets = []string{"hazards", "guardrails", "expectations", "access"}

// PolicySets returns the names of the parts that [Options.PolicySet] takes.
func PolicySets() []string { return slices.Clone(policySets) }

// part returns the part of a report that belongs to a policy set, all of it for "".
func (r *Report) part(set string) *Report {
	if set == "" {
		return r
	}
	out := *r
	if set != "expectations" {
		out.Expectations = nil
	}
	if set != "access" {
		out.Changes = nil
	}
	out.Findings = nil
	for i := range r.Findings {
		if f := &r.Findings[i]; set == "hazards" && manual(f.Rule) != nil || set == "guardrails" && manual(f.Rule) == nil {
			out.Findings = append(out.Findings, *f)
		}
	}
	out.recount()
	return &out
}

// unnamed stands for the places of a finding that are not named, so that an approval
// does not stick to a line behind which one takes the place of another.
func (f *Finding) unnamed() string {
	places := f.elsewhere()
	if len(places) <= shownPlaces {
		return ""
	}
	var names []string
	for _, p := range places[shownPlaces:] {
		names = append(names, p.name)
	}
	return " (" + digest(names) + ")"
}

// digest names a list that is not shown.
func digest(list []string) string { return "sha256 " + fingerprint(list...) }

// lines writes lines up to a size of the whole and returns how many.
func lines(b *strings.Builder, list []string, size int) int {
	for i, line := range list {
		if b.Len()+len(line) >= size {
			return i
		}
		b.WriteString(line + "\n")
	}
	return len(list)
}

// fail is what older versions of Atlantis look for.
var fail = regexp.MustCompile(`(?i)fail`)

// unfailing breaks it by a character that nobody sees.
func unfailing(s string) string {
	return fail.ReplaceAllStringFunc(s, func(word string) string { return word[:1] + "\u2060" + word[1:] })
}
