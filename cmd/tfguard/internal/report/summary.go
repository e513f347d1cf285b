package report

import (
	"fmt"
	"strings"
)

// answer counts the findings in a few words.
func (r *Report) answer() string {
	s := r.Summary
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{
		{len(r.Unreadable), "input not judged", "inputs not judged"},
		{s.Findings.Error, "error", "errors"}, {s.Findings.Warning, "warning", "warnings"}, {s.Findings.Info, "remark", "remarks"},
	} {
		if p.n > 0 {
			parts = append(parts, number(p.n, p.one, p.many))
		}
	}
	if len(parts) == 0 {
		parts = []string{"No findings"}
	}
	if s.Waived > 0 {
		parts = append(parts, thousands(s.Waived)+" waived")
	}
	return strings.Join(parts, ", ")
}

// verdicts counts the replays by their verdict, in a sentence.
func (s *Summary) verdicts() string {
	replays := "0 replays"
	if s.Replays > 0 {
		replays = number(s.Replays, "replay", "replays")
	}
	v := s.Verdicts
	return fmt.Sprintf("%s: %s allowed, %s implicit deny, %s explicit deny, %s unknown.",
		replays, thousands(v.Allowed), thousands(v.ImplicitDeny), thousands(v.ExplicitDeny), thousands(v.Unknown))
}
