package report

import "github.com/tfguard/tfguard/engine/hazard"

// Waive asks of every finding that counts why it shall not, and takes those out of the
// count for which there is an answer. The index is that in Findings.
func (r *Report) Waive(why func(i int, f *Finding) *Waiver) {
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Waived == nil {
			f.Waived = why(i, f)
		}
	}
	r.recount()
}

// Find adds a finding that is about an input without being about its policies.
// Identity is what makes it the same one in another report.
func (r *Report) Find(rule *hazard.Rule, identity, message string, at Source, input int) {
	r.addFinding(Finding{
		Rule: rule.ID, Severity: rule.Severity.String(), Message: message, Remediation: rule.Remediation,
		Source: at, Also: []string{}, Places: []Place{}, Fingerprint: fingerprint(rule.ID, identity),
	}, 0, input)
}
