package main

import (
	"encoding/json"
	"path"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// Every scenario is a table of chains and verdicts, written as expectations beside
// what it judges. They hold, and each is about some replay.
func TestScenarios(t *testing.T) {
	atRoot(t)
	entries, err := fixtures.FS.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			got := tfguard(t, "check", "-o", "json", "--fail-on", "error", path.Join("fixtures", "scenarios", e.Name()))
			var r report.Report
			if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
				t.Fatalf("exit code %d, stderr %q: %v", got.code, got.stderr, err)
			}
			if got.stderr != "" {
				t.Errorf("stderr: %s", got.stderr)
			}
			for _, x := range r.Expectations {
				if !x.Pass {
					t.Errorf("%s:%d: %s\n%s", x.Source.File, x.Source.Line, x.Sentence, x.Reason)
				}
			}
			if r.Summary.Expectations.Held == 0 || r.Summary.Expectations.Held != len(r.Expectations) {
				t.Errorf("%d of %d expectations hold", r.Summary.Expectations.Held, len(r.Expectations))
			}
			if first, _, _ := strings.Cut(string(fixtures.Read(t, path.Join("scenarios", e.Name(), ".tfguard.hcl"))), "\n"); !strings.HasPrefix(first, "# ") {
				t.Errorf("the first line does not say what the scenario shows: %q", first)
			}
		})
	}
}
