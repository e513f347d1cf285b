package main

import (
	"encoding/json"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
	"github.com/tfguard/tfguard/rego"
)

// Every shipped guardrail finds something in the corpus, and none of them calls in
// vain.
func TestShippedGuardrailsFire(t *testing.T) {
	fired := map[string]bool{}
	for _, name := range cases(t) {
		got := tfguard(t, "check", "--profile", "all", "-o", "json", fixtures.Path(t, "terraform/"+name+"/plan.json"))
		var r report.Report
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
			t.Fatalf("%s: %v: %s", name, err, got.stderr)
		}
		for _, f := range r.Findings {
			fired[f.Rule] = true
		}
		for _, d := range r.Diagnostics {
			if d.Summary == "Call without an answer" {
				t.Errorf("%s: %s", name, d.Detail)
			}
		}
	}
	rules, err := rego.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if !fired[r.ID] {
			t.Errorf("%s finds nothing", r.ID)
		}
	}
}

// Hazards and guardrails are one catalogue: no two rules have one ID, and every manual
// says what to do.
func TestCatalogueIsOne(t *testing.T) {
	var rules []struct{ ID, Kind, Severity, Title, Rationale, Remediation string }
	if err := json.Unmarshal([]byte(tfguard(t, "rules", "-o", "json").stdout), &rules); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, r := range rules {
		if seen[r.ID] != "" {
			t.Errorf("%s is a %s and a %s", r.ID, seen[r.ID], r.Kind)
		}
		seen[r.ID] = r.Kind
		if r.Severity == "" || r.Title == "" || r.Rationale == "" || r.Remediation == "" {
			t.Errorf("%s: its manual lacks something: %+v", r.ID, r)
		}
	}
}
