package rego

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/tfguard/tfguard/fixtures"
)

// files returns the .rego files below folders of what is shipped.
func files(t *testing.T, folders ...string) map[string]*ast.Module {
	t.Helper()
	out := map[string]*ast.Module{}
	for _, folder := range folders {
		err := fs.WalkDir(shipped, folder, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := shipped.ReadFile(file)
			if err != nil {
				return err
			}
			out[file], err = ast.ParseModuleWithOpts(file, string(text), ast.ParserOptions{ProcessAnnotation: true})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The tests of the library and the guardrails pass under OPA as it comes, without
// tfguard's builtins, and reach every line: so every rule fires.
//
//	opa test rego/lib rego/mock rego/guardrails
func TestShippedRulesUnderOPA(t *testing.T) {
	modules := files(t, "lib", "mock", "guardrails")
	coverage := cover.New()
	results, err := tester.NewRunner().SetCoverageQueryTracer(coverage).SetCoverageRuns(nil).SetModules(modules).RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for r := range results {
		if !r.Pass() {
			t.Errorf("%s:%d: %s fails: %v", r.Location.File, r.Location.Row, r.Name, r.Error)
		}
		passed++
	}
	if passed < 3*len(guardrailNames()) {
		t.Errorf("%d tests ran", passed)
	}
	for file, c := range coverage.Report(modules).Files {
		if strings.HasSuffix(file, testSuffix) || path.Dir(file) == "mock" {
			continue
		}
		for _, r := range c.NotCovered {
			t.Errorf("%s:%d is reached by no test", file, r.Start.Row)
		}
	}
}

// What is shipped is formatted, compiles strictly against the schema of the report, and
// says all that a manual needs.
func TestShippedRulesAreWhole(t *testing.T) {
	for file := range files(t, "lib", "engine", "mock", "guardrails") {
		text, err := shipped.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := format.Source(file, text)
		if err != nil {
			t.Fatal(err)
		}
		if fixtures.Update() {
			if err := os.WriteFile(file, formatted, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if string(formatted) != string(text) {
			t.Errorf("%s is not formatted: write it with -update", file)
		}
	}
	r, err := Load(t.Context(), Options{Profiles: []string{"all"}, Strict: true, Document: documentKeys, Schema: reportSchema(t)})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, rule := range r.All() {
		ids[rule.ID] = true
		if rule.Title == "" || rule.Description == "" || rule.Rationale == "" || rule.Remediation == "" || len(rule.Related) == 0 {
			t.Errorf("%s: its metadata lacks something: %+v", rule.ID, rule)
		}
		if want := shippedPrefix + "guardrails/" + rule.ID + "/" + strings.ReplaceAll(rule.ID, "-", "_") + ".rego"; rule.File != want {
			t.Errorf("%s stands in %s, want %s", rule.ID, rule.File, want)
		}
	}
	for _, name := range guardrailNames() {
		if !ids[name] {
			t.Errorf("no rule has the id %s", name)
		}
	}
	for profile, names := range profiles {
		for _, name := range names {
			if !ids[name] {
				t.Errorf("the profile %s names %s, which there is not", profile, name)
			}
		}
	}
}

// reportSchema is the schema that the program hands over.
func reportSchema(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../cmd/tfguard/internal/report/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A profile chooses guardrails, whatever the namespaces of one's own rules are.
func TestProfiles(t *testing.T) {
	for _, c := range []struct {
		profiles []string
		want     int // guardrails
	}{
		{[]string{"baseline"}, 4},
		{[]string{"baseline", "no-public-bucket"}, 4},
		{[]string{"data-perimeter", "boundary-required"}, 4},
		{[]string{"all"}, 10},
	} {
		r, err := Load(t.Context(), Options{Profiles: c.profiles, Namespaces: []string{"mine"}, Document: documentKeys})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, rule := range r.All() {
			ids = append(ids, rule.ID)
		}
		slices.Sort(ids)
		if got := len(slices.Compact(ids)); got != c.want {
			t.Errorf("%v: %d guardrails, want %d", c.profiles, got, c.want)
		}
		if r.NeedsFile() {
			t.Errorf("%v: needs the file", c.profiles)
		}
	}
	if _, err := Load(t.Context(), Options{Profiles: []string{"none"}}); err == nil || !strings.Contains(err.Error(), `there is no profile "none": there are all, baseline, `) {
		t.Errorf("got %v", err)
	}
	rules, err := Shipped()
	if err != nil || len(rules) != 10 {
		t.Errorf("%d rules are shipped, %v", len(rules), err)
	}
}
