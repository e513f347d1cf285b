package report

import (
	"fmt"
	"io"
)

// issue is an entry of GitLab's code quality report, as the page "Code Quality" of
// its documentation describes it.
type issue struct {
	Description string        `json:"description"`
	CheckName   string        `json:"check_name"`
	Fingerprint string        `json:"fingerprint"`
	Severity    string        `json:"severity"`
	Location    issueLocation `json:"location"`
}

type issueLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// GitLab renders the findings as a code quality report. The format knows no waivers:
// a waived finding is of severity info, and its words begin with the waiver. Nor does
// it know an issue at several places: the further ones are named in its words, so that
// what is mended by one change stays one issue.
func GitLab(w io.Writer, r *Report, opts Options) error {
	r = r.withExpectations().withOpened(opts)
	severities := map[string]string{"error": "critical", "warning": "major", "info": "info"}
	issues := []issue{}
	fingerprints := r.Fingerprints()
	for i := range r.Findings {
		f := &r.Findings[i]
		at := r.place(f.Source, f.Input)
		entry := issue{
			Description: f.Message + " " + f.Remediation + f.besides(), CheckName: f.Rule, Fingerprint: fingerprints[i],
			Severity: severities[f.Severity], Location: issueLocation{Path: at.file},
		}
		if f.Waived != nil {
			entry.Severity, entry.Description = "info", fmt.Sprintf("%s %s", f.Waived, entry.Description)
		}
		entry.Description = printable(entry.Description)
		entry.Location.Lines.Begin = max(at.line, 1)
		issues = append(issues, entry)
	}
	for _, u := range r.Unreadable {
		entry := issue{
			Description: printable(u.Message), CheckName: "unreadable", Fingerprint: fingerprint("unreadable", stablePath(u.Path)),
			Severity: "blocker", Location: issueLocation{Path: stablePath(u.Path)},
		}
		entry.Location.Lines.Begin = 1
		issues = append(issues, entry)
	}
	return WriteJSON(w, issues)
}
