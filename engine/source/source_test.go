package source_test

import (
	"slices"
	"testing"

	"github.com/tfguard/tfguard/engine/source"
)

func TestDiagnosticString(t *testing.T) {
	at := source.Range{Start: source.Pos{Line: 3, Column: 7, Byte: 40}}
	tests := []struct {
		name string
		d    source.Diagnostic
		want string
	}{
		{"file", source.Diagnostic{Severity: source.Error, Summary: "No Effect", Detail: "Add one.", Origin: source.Origin{File: "p.json"}, Range: at}, "p.json:3:7: error: No Effect: Add one."},
		{"attribute", source.Diagnostic{Severity: source.Warning, Summary: "Short ARN", Origin: source.Origin{Address: "aws_iam_policy.p", Attribute: "policy", File: "main.tf"}, Range: at}, "aws_iam_policy.p.policy:3:7: warning: Short ARN"},
		{"address", source.Diagnostic{Summary: "Odd", Origin: source.Origin{Address: "aws_iam_policy.p"}}, "aws_iam_policy.p: info: Odd"},
		{"place alone", source.Diagnostic{Summary: "Odd", Range: at}, "3:7: info: Odd"},
		{"no place", source.Diagnostic{Summary: "Odd"}, "info: Odd"},
	}
	for _, tc := range tests {
		if got := tc.d.String(); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestDiagnosticsSort(t *testing.T) {
	at := func(b int) source.Range { return source.Range{Start: source.Pos{Line: 1, Column: b + 1, Byte: b}} }
	sorted := source.Diagnostics{
		{Summary: "a", Origin: source.Origin{Address: "x"}},
		{Summary: "a", Origin: source.Origin{Address: "x", Attribute: "policy"}},
		{Summary: "z", Origin: source.Origin{File: "a"}, Range: at(1), Severity: source.Error},
		{Summary: "a", Origin: source.Origin{File: "a"}, Range: at(1)},
		{Summary: "b", Detail: "a", Origin: source.Origin{File: "a"}, Range: at(1)},
		{Summary: "b", Detail: "b", Origin: source.Origin{File: "a"}, Range: at(1)},
		{Summary: "a", Origin: source.Origin{File: "a"}, Range: at(2), Severity: source.Error},
		{Summary: "a", Origin: source.Origin{File: "b"}},
	}
	got := slices.Clone(sorted)
	slices.Reverse(got)
	got.Sort()
	if !slices.Equal(got, sorted) {
		t.Errorf("got %v, want %v", got, sorted)
	}
	if !sorted.HasErrors() || sorted[:2].HasErrors() {
		t.Error("HasErrors: want true where an error is")
	}
}
