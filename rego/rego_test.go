package rego

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// documentKeys are those of the report document in these tests.
var documentKeys = []string{"findings", "policies", "replays"}

// folder writes files into a new folder; names and texts alternate.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		file := filepath.Join(root, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// loadFiles loads the policies in files.
func loadFiles(t *testing.T, files ...string) (*Rules, error) {
	t.Helper()
	return Load(t.Context(), Options{Policies: []string{folder(t, files...)}, Document: documentKeys})
}

// evaluateOn runs rules on a plan and a document with no findings.
func evaluateOn(t *testing.T, r *Rules, plan string) *Result {
	t.Helper()
	result, err := r.Evaluate(t.Context(), Input{
		Name: "plan.json", Key: "plan", Document: map[string]any{"findings": []any{}, "policies": []string{"p"}, "replays": nil},
		File: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(plan)), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// What input is depends on the package and on what it asks for.
func TestInputIsWhatThePackageAsksFor(t *testing.T) {
	const plan = `{"resource_changes": [1, 2], "format_version": "1.2"}`
	for name, c := range map[string]struct {
		pkg, rule string
		file      bool // whether the plan is opened
		want      string
	}{
		"conftest":           {"main", `concat(",", sort(object.keys(input)))`, true, "format_version,resource_changes"},
		"document":           {"tfguard.a", `sprintf("%d", [count(input.policies)])`, false, "1"},
		"document, whole":    {"tfguard.a", `concat(",", sort(object.keys(input)))`, true, "findings,plan,policies,replays"},
		"plan":               {"tfguard.a", `concat(",", object.keys(input.plan))`, true, "format_version,resource_changes"},
		"plan, a part":       {"tfguard.a", `concat(",", [x | input.plan.format_version; x := object.keys(input.plan)[_]])`, true, "format_version,resource_changes"},
		"both":               {"main", `sprintf("%d %d", [count(input.policies), count(input.resource_changes)])`, true, "1 2"},
		"both, under plan":   {"main", `sprintf("%d %d", [count(input.plan.resource_changes), count(input.resource_changes)])`, true, "2 2"},
		"through a function": {"tfguard.a", `sprintf("%d", [data.lib.changes(0)])`, true, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := loadFiles(t, "rule.rego", "package "+c.pkg+"\n\ndeny contains "+c.rule,
				"lib.rego", "package lib\n\nchanges(_) := count(input.plan.resource_changes)")
			if err != nil {
				t.Fatal(err)
			}
			if r.NeedsFile() != c.file {
				t.Errorf("NeedsFile() = %v", r.NeedsFile())
			}
			result := evaluateOn(t, r, plan)
			if len(result.Findings) != 1 || result.Findings[0].Message != c.want {
				t.Errorf("got %+v, want %q", result.Findings, c.want)
			}
		})
	}
}

// Several definitions of a rule make one set; each finding has the metadata of the
// definition that yields it.
func TestDefinitionsKeepTheirMetadata(t *testing.T) {
	r, err := loadFiles(t, "rule.rego", `# METADATA
# scope: package
# custom:
#   id: of-package
#   remediation: Do as the package says.
package tfguard.a

# METADATA
# title: First
# custom: {id: first, severity: low}
deny contains "one" if true

# METADATA
# title: Second
deny contains "two" if true

deny contains "one" if true

warn_third contains "three" if true
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range evaluateOn(t, r, "{}").Findings {
		got = append(got, strings.Join([]string{f.Message, f.Rule.ID, f.Rule.Severity, f.Rule.Title, f.Rule.Remediation}, "|"))
	}
	want := []string{
		"one|first|info|First|Do as the package says.",
		"two|of-package|error|Second|Do as the package says.",
		"three|of-package|warning||Do as the package says.",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Rules see sensitive values of a plan, readers of what they yield do not.
func TestSensitiveValuesAreMasked(t *testing.T) {
	r, err := loadFiles(t, "rule.rego", `package main

deny contains {"msg": sprintf("password %s of %s", [rc.change.after.password, rc.change.after.user]), "address": rc.change.after.nested[0].key} if {
	some rc in input.resource_changes
}`)
	if err != nil {
		t.Fatal(err)
	}
	result := evaluateOn(t, r, `{"resource_changes": [{"change": {
		"after": {"password": "correct horse", "user": "bob", "nested": [{"key": "battery"}]},
		"after_sensitive": {"password": true, "nested": [{"key": true}]}}}]}`)
	if f := result.Findings[0]; f.Message != "password (sensitive) of bob" || f.Address != "(sensitive)" {
		t.Errorf("got %q at %q", f.Message, f.Address)
	}
}

// Variables are sensitive where the configuration says so, whether or not a rule looks
// there.
func TestSensitiveVariablesAreMasked(t *testing.T) {
	const plan = `{"variables": {"key": {"value": "battery"}, "region": {"value": "eu-west-1"}},
		"configuration": {"root_module": {"variables": {"key": {"sensitive": true}, "region": {}}}}}`
	for _, rule := range []string{
		"package main\n\ndeny contains v.value if some v in input.variables",
		"package tfguard.a\n\ndeny contains v.value if some v in input.plan.variables",
	} {
		r, err := loadFiles(t, "rule.rego", rule)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range evaluateOn(t, r, plan).Findings {
			got = append(got, f.Message)
		}
		if strings.Join(got, " ") != "(sensitive) eu-west-1" {
			t.Errorf("got %q", got)
		}
	}
}

// A builtin that fails is undefined, as in OPA, and is told with its place.
func TestFailedCallsAreTold(t *testing.T) {
	r, err := loadFiles(t, "rule.rego", "package main\n\ndeny contains \"x\" if to_number(input.a) == 1\n")
	if err != nil {
		t.Fatal(err)
	}
	result := evaluateOn(t, r, `{"a": "one"}`)
	if len(result.Findings) != 0 || len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "rule.rego:3:22: to_number: ") {
		t.Errorf("got %+v", result)
	}
}

// The end of the context is the end of the evaluation.
func TestEvaluateHeedsItsContext(t *testing.T) {
	r, err := loadFiles(t, "rule.rego", "package main\n\ndeny contains \"x\" if { some a in numbers.range(1, 100000); some b in numbers.range(1, 100000); a * b == -1 }\n")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Evaluate(ctx, Input{Name: "plan.json"}); err == nil {
		t.Error("no error")
	}
}
