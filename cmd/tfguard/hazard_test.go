package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/fixtures"
)

// proven are the rules about patterns whose fixture carries the replay that proves
// them.
var proven = []string{"H01", "H02", "H03", "H04", "H07", "H12", "H14", "H15", "H21", "H24", "H28", "H35", "H37"}

// certain are the rules whose findings are errors by what the policy says alone.
var certain = []string{"H05", "H06", "H08", "H09", "H11", "H19"}

// Every rule finds fault with the template before and not with the one after;
// findings.txt beside them is all that is found in both.
func TestHazards(t *testing.T) {
	atRoot(t)
	for _, rule := range hazard.Rules() {
		if _, err := fs.Stat(fixtures.FS, path.Join("hazard", rule.ID)); err != nil && rule.Code == "" {
			continue // about the run, not about policies
		}
		t.Run(rule.ID, func(t *testing.T) {
			if rule.Code == "H27" {
				t.Skip("needs the replays that an expectation refutes")
			}
			var golden strings.Builder
			for _, file := range []string{"before.yaml", "after.yaml"} {
				r := hazards(t, path.Join("fixtures", "hazard", rule.ID, file))
				fmt.Fprintf(&golden, "# %s\n", file)
				writeFindings(&golden, r)
				i := slices.IndexFunc(r.Findings, func(f report.Finding) bool { return f.Rule == rule.ID || slices.Contains(f.Also, rule.ID) })
				switch {
				case file == "after.yaml" && i >= 0:
					t.Errorf("after.yaml: %s", r.Findings[i].Message)
				case file == "before.yaml" && i < 0:
					t.Error("before.yaml shows nothing")
				case i >= 0:
					checkSeverity(t, rule, &r.Findings[i])
				}
			}
			fixtures.Golden(t, path.Join("hazard", rule.ID, "findings.txt"), []byte(golden.String()))
		})
	}
	folders, err := fs.ReadDir(fixtures.FS, "hazard")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if rule, ok := hazard.Lookup(f.Name()); !ok || rule.ID != f.Name() {
			t.Errorf("hazard/%s is of no rule", f.Name())
		}
	}
}

func checkSeverity(t *testing.T, rule *hazard.Rule, f *report.Finding) {
	t.Helper()
	hasProof := f.Replay != nil
	switch {
	case rule.Code == "":
	case slices.Contains(proven, rule.Code):
		if !hasProof || f.Severity != "error" {
			t.Errorf("%s, proven: %v; want an error with its proof", f.Severity, hasProof)
		}
	case slices.Contains(certain, rule.Code):
		if f.Severity != "error" {
			t.Errorf("%s, want an error", f.Severity)
		}
	case f.Severity == "error" && !hasProof:
		t.Error("an error that nothing proves")
	}
}

// hazards returns the report of a file.
func hazards(t *testing.T, file string) *report.Report {
	t.Helper()
	got := tfguard(t, "check", "-o", "json", file)
	var r report.Report
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.stderr != "" {
		t.Fatalf("exit code %d, stderr %q: %v", got.code, got.stderr, err)
	}
	return &r
}

// writeFindings writes a finding with its place, and the replay that proves it.
func writeFindings(w *strings.Builder, r *report.Report) {
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(w, "%s %s %s\n", f.Severity, strings.Join(append([]string{f.Rule}, f.Also...), " + "), place(&f.Source))
		fmt.Fprintf(w, "  %s\n", f.Message)
		if strings.Count(f.Message+" ", ". ") != 1 {
			fmt.Fprintf(w, "  ! not one sentence\n")
		}
		if f.Replay != nil {
			p := &r.Replays[*f.Replay]
			fmt.Fprintf(w, "  proof: %s, %s by %s, %s at hop %d\n", p.Chain, p.Action, p.Principal, p.Verdict, p.BrokenHop)
		}
	}
}

func place(s *report.Source) string {
	if s.Line == 0 {
		return path.Base(s.File)
	}
	return fmt.Sprintf("%s:%d:%d", path.Base(s.File), s.Line, s.Column)
}
