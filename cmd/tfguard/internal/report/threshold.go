package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
)

// A Threshold is the least of what fails a check; each includes those before it.
type Threshold int

// The thresholds.
const (
	Never Threshold = iota
	// Error: findings of severity error, and failed expectations.
	Error
	// Unknown: unknown verdicts and policies that were not read.
	Unknown
	// Warning: findings of severity warning.
	Warning
	// Info: findings of severity info.
	Info
)

var thresholds = []string{"never", "error", "unknown", "warning", "info"}

// Thresholds returns the words for the thresholds, in order.
func Thresholds() []string { return slices.Clone(thresholds) }

// String returns the threshold's word.
func (t Threshold) String() string { return thresholds[t] }

// Type names what a flag with a threshold takes.
func (*Threshold) Type() string { return "word" }

// Set reads a threshold's word and refuses any other.
func (t *Threshold) Set(word string) error {
	i := slices.Index(thresholds, word)
	if i < 0 {
		return fmt.Errorf("it takes one of %s", strings.Join(thresholds, ", "))
	}
	*t = Threshold(i)
	return nil
}

// Fails reports whether a report fails the check.
func (o Options) Fails(r *Report) bool {
	return o.FailOn.Fails(r) || slices.ContainsFunc(r.Changes, func(c Change) bool { return o.opens(&c) }) || len(r.uncompared(o)) > 0
}

// opens reports whether a change is new access that fails the check.
func (o Options) opens(c *Change) bool { return o.FailOnNewAccess && c.verb() == gains }

// opened are the calls that fail the check because the input opens them.
func (r *Report) opened(o Options) []access {
	if !o.FailOnNewAccess {
		return nil
	}
	return slices.DeleteFunc(r.accesses(), func(a access) bool { return !o.opens(a.Change) })
}

// uncompared are findings about inputs of which nobody knows what they open, where new
// access fails the check.
func (r *Report) uncompared(o Options) []Finding {
	var out []Finding
	for i := range r.Inputs {
		if in := &r.Inputs[i]; o.FailOnNewAccess && in.Uncompared {
			f := Finding{
				Rule: newAccess, Severity: "error", Message: "It is not known which calls " + in.Path + " opens: there are too many to compare.",
				Remediation: "Check its parts by themselves, or without --fail-on-new-access.", Address: in.Path, Input: i,
			}
			f.Fingerprint = fingerprint(f.Rule, f.Message)
			out = append(out, f)
		}
	}
	return out
}

// withOpened returns the report with the calls that fail the check as errors before its
// findings, for formats that know findings alone.
func (r *Report) withOpened(o Options) *Report {
	out := *r
	opened := r.uncompared(o)
	for _, a := range r.opened(o) {
		opened = append(opened, a.finding())
	}
	out.Findings = slices.Concat(opened, r.Findings)
	return &out
}

// finding is a call that is opened as a finding, at the statement that opens it.
func (a access) finding() Finding {
	f := Finding{
		Rule: newAccess, Severity: "error", Message: fmt.Sprintf("%s (%s).", a, a.how()),
		Remediation: "Take the access back, or check without --fail-on-new-access if it is agreed on.",
		Address:     cmp.Or(a.ResourceAddress, a.Resource), Input: a.Input,
	}
	f.Fingerprint = fingerprint(f.Rule, f.Message)
	if i := slices.IndexFunc(a.Because, func(b Because) bool { return !b.Before }); i >= 0 {
		f.Address, f.Source = a.Because[i].Policy, a.Because[i].Source
		f.Source.Attribute = "" // the name of the policy ends with it
	}
	return f
}

// newAccess is what formats that name a rule for everything call a call that is opened.
const newAccess = "new-access"

// Fails reports whether a report holds something at or above the threshold.
func (t Threshold) Fails(r *Report) bool {
	return t >= Error && r.Summary.Expectations.Failed > 0 || t.unknown(r) || slices.ContainsFunc(r.Findings, func(f Finding) bool { return t.finding(&f) })
}

// finding reports whether a finding is at or above the threshold; waived ones never
// are.
func (t Threshold) finding(f *Finding) bool {
	least := map[string]Threshold{"error": Error, "warning": Warning, "info": Info}
	return f.Waived == nil && t >= least[f.Severity]
}

// unknown reports whether the threshold asks for knowledge that a report lacks.
func (t Threshold) unknown(r *Report) bool {
	return t >= Unknown && (r.Summary.PoliciesUnread > 0 ||
		slices.ContainsFunc(r.Replays, func(p Replay) bool { return p.Verdict == engine.Unknown }))
}
