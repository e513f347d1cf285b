package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/fixtures"
)

// proven are the rules about patterns whose fixture carries the replay that proves
// them.
var proven = []string{"H01", "H02", "H03", "H04", "H07", "H12", "H13", "H14", "H15", "H21", "H24", "H27", "H28", "H35", "H37"}

// provenCases are the further cases of rules that come with such a replay.
var provenCases = []string{
	"called-via-first-last/second-as-the-first",
	"confused-deputy/deny-of-everybody",
	"infrastructure-as-code-gate/if-exists-in-an-allow",
	"infrastructure-as-code-gate/through-service-catalog",
	"mfa-absent/calls-of-services",
	"organization-deny-locks-out-services/identity-provider",
	"organization-policy-scope/level-without-an-allow",
}

// certain are the rules whose findings are errors by what the policy says alone.
var certain = []string{"H05", "H06", "H08", "H09", "H11", "H19"}

// Every rule of the catalogue finds fault with the template before and not with the one
// after, and so it does in every case that its folder holds; findings.txt beside them is
// all that is found in both.
func TestHazards(t *testing.T) {
	atRoot(t)
	for _, rule := range hazard.Rules() {
		folder := path.Join("hazard", rule.ID)
		entries, err := fs.ReadDir(fixtures.FS, folder)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(rule.ID, func(t *testing.T) {
			checkTwins(t, rule, folder, slices.Contains(proven, rule.Code), slices.Contains(certain, rule.Code))
			for _, e := range entries {
				if !e.IsDir() {
					continue
				}
				t.Run(e.Name(), func(t *testing.T) {
					checkTwins(t, rule, path.Join(folder, e.Name()), slices.Contains(provenCases, path.Join(rule.ID, e.Name())), false)
				})
			}
		})
	}
	folders, err := fs.ReadDir(fixtures.FS, "hazard")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if rule, ok := hazard.Lookup(f.Name()); f.IsDir() && (!ok || rule.ID != f.Name()) {
			t.Errorf("hazard/%s is of no rule", f.Name())
		}
	}
}

// checkTwins checks the two templates of a folder. The first has to come with the replay
// that proves the finding, or with an error that needs none.
func checkTwins(t *testing.T, rule *hazard.Rule, folder string, proof, sure bool) {
	t.Helper()
	var golden strings.Builder
	for _, file := range []string{"before.yaml", "after.yaml"} {
		r := hazards(t, path.Join("fixtures", folder, file))
		fmt.Fprintf(&golden, "# %s\n", file)
		writeFindings(&golden, r)
		i := slices.IndexFunc(r.Findings, func(f report.Finding) bool { return f.Rule == rule.ID || slices.Contains(f.Also, rule.ID) })
		switch {
		case file == "after.yaml" && i >= 0:
			t.Errorf("after.yaml: %s", r.Findings[i].Message)
		case file == "before.yaml" && i < 0:
			t.Error("before.yaml shows nothing")
		case i >= 0:
			checkSeverity(t, rule, &r.Findings[i], proof, sure)
		}
	}
	fixtures.Golden(t, path.Join(folder, "findings.txt"), []byte(golden.String()))
}

func checkSeverity(t *testing.T, rule *hazard.Rule, f *report.Finding, proof, sure bool) {
	t.Helper()
	hasProof := f.Replay != nil
	if levels := []string{"info", "warning", "error"}; f.Rule == rule.ID && slices.Index(levels, f.Severity) > slices.Index(levels, rule.Severity.String()) {
		t.Errorf("%s, and the catalogue says %s", f.Severity, rule.Severity)
	}
	switch {
	case rule.Code == "":
	case proof:
		if !hasProof || f.Severity != "error" {
			t.Errorf("%s, proven: %v; want an error with its proof", f.Severity, hasProof)
		}
	case sure:
		if f.Severity != "error" {
			t.Errorf("%s, want an error", f.Severity)
		}
	case f.Severity == "error" && !hasProof && !slices.Contains(certain, rule.Code):
		t.Error("an error that nothing proves")
	}
}

// Folding leaves no finding out.
func TestHazardsFolded(t *testing.T) {
	atRoot(t)
	for _, rule := range hazard.Rules() {
		file := path.Join("hazard", rule.ID, "before.yaml")
		if _, err := fs.Stat(fixtures.FS, file); err != nil {
			continue
		}
		var alone, folded strings.Builder
		writeFindings(&alone, hazards(t, path.Join("fixtures", file)))
		writeFindings(&folded, hazards(t, path.Join("fixtures", file), "--max-replays", "1"))
		if diff := cmp.Diff(alone.String(), folded.String()); diff != "" {
			t.Errorf("%s (-alone +folded):\n%s", rule.ID, diff)
		}
	}
}

// hazards returns the report of a file.
func hazards(t *testing.T, file string, flags ...string) *report.Report {
	t.Helper()
	got := tfguard(t, append([]string{"check", "-o", "json", file}, flags...)...)
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
		fmt.Fprintf(w, "%s %s %s\n", f.Severity, strings.Join(append([]string{f.Rule}, f.Also...), " + "), place(f))
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

func place(f *report.Finding) string {
	where := f.Address
	if f.Source.File != "" {
		where = path.Base(f.Source.File)
	}
	if f.Source.Line == 0 {
		return where
	}
	return fmt.Sprintf("%s:%d:%d", where, f.Source.Line, f.Source.Column)
}

// The policies of AWS's own pages have these findings and no others; each is argued
// beside it.
func TestScenarioFindings(t *testing.T) {
	atRoot(t)
	scenarios, err := fixtures.FS.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, e := range scenarios {
		if e.IsDir() {
			fmt.Fprintf(&got, "== %s\n", e.Name())
			writeFindings(&got, hazards(t, path.Join("fixtures", "scenarios", e.Name())))
		}
	}
	argued(t, "hazard/scenarios.txt", got.String())
}

// The findings about AWS's published samples of organization policies are these. The
// samples are not part of the corpus: the variable names a folder with checkouts of the
// three repositories.
func TestSampleFindings(t *testing.T) {
	root := os.Getenv("TFGUARD_AWS_SAMPLES")
	if root == "" {
		t.Skip("TFGUARD_AWS_SAMPLES names no folder")
	}
	kinds := fixtures.Table(t, "hazard/samples.tsv")["kind"]
	var docs []*policy.Document
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		doc, _ := policy.Parse(text, name, map[string]policy.Kind{
			"scp": policy.SCP, "rcp": policy.RCP, "endpoint": policy.VPCEndpoint, "resource": policy.Resource,
		}[kinds[name]], source.Origin{File: name})
		docs = append(docs, doc)
	}
	var got strings.Builder
	for _, f := range hazard.Find(hazard.Input{Policies: docs}) {
		fmt.Fprintf(&got, "%s %s %s:%d\n  %s\n", f.Severity, f.Rule.ID, path.Base(f.Origin.File), f.Range.Start.Line, f.Message)
	}
	argued(t, "hazard/samples.txt", got.String())
}

// argued compares findings with a golden file in which a comment, "  # why", follows
// each. With -update the comments of those that stay are kept.
func argued(t *testing.T, name, got string) {
	t.Helper()
	why := map[string]string{}
	var finding string
	var want strings.Builder
	golden, err := fixtures.FS.ReadFile(name)
	if err != nil && !fixtures.Update() {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(golden)) {
		if reason, ok := strings.CutPrefix(line, "  # "); ok {
			if !strings.Contains(why[finding], reason) { // the same finding may stand in two places
				why[finding] += reason
			}
			continue
		}
		want.WriteString(line)
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "  proof: ") {
			finding = line
		}
	}
	var out strings.Builder
	for line := range strings.Lines(got) {
		out.WriteString(line)
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "  proof: ") {
			continue
		}
		if why[line] == "" && !fixtures.Update() {
			t.Errorf("nothing argues for%s", line)
		}
		for reason := range strings.Lines(why[line]) {
			out.WriteString("  # " + reason)
		}
	}
	if fixtures.Update() {
		fixtures.Golden(t, name, []byte(out.String()))
		return
	}
	if want.String() != got {
		t.Errorf("got\n%s\nwant\n%s", got, want.String())
	}
}
