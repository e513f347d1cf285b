package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// commented checks the plan of a case with its source, into which a line is put above
// or behind one that holds a text, and returns the findings: those that are waived with
// the day, and the messages of those about waivers.
func commented(t *testing.T, line string, behind bool, mark string) []string {
	t.Helper()
	const name = "cloudtrail-network-deny"
	text, err := fixtures.FS.ReadFile("terraform/" + name + "/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	i := slices.IndexFunc(lines, func(s string) bool { return strings.Contains(s, mark) })
	switch {
	case i < 0:
		t.Fatalf("no line has %q", mark)
	case behind:
		lines[i] += " " + line
	default:
		lines = slices.Insert(lines, i, line)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	got := tfguard(t, "check", "-o", "json", "--now", "2027-01-01", "--source", dir, fixtures.Path(t, "terraform/"+name+"/plan.json"))
	r, err := report.Read(strings.NewReader(got.stdout))
	if err != nil {
		t.Fatalf("%v, stderr %q", err, got.stderr)
	}
	var out []string
	for i := range r.Findings {
		f := &r.Findings[i]
		switch {
		case f.Waived != nil:
			out = append(out, fmt.Sprintf("%s until %s: %s", f.Rule, f.Waived.Expires, f.Waived.Reason))
		case strings.HasPrefix(f.Rule, "waiver-"):
			out = append(out, fmt.Sprintf("%s at line %d: %s", f.Rule, f.Source.Line, f.Message))
		}
	}
	return out
}

// A comment waives what stands on its line, or on the line below it.
func TestCommentWaivers(t *testing.T) {
	const good = `tfguard:ignore no-break-glass reason="root is enough" until=2027-06-30`
	waived := []string{"no-break-glass until 2027-06-30: root is enough"}
	sid, resource := `sid       = "OnlyFromOurNetwork"`, `resource "aws_s3_bucket_policy" "logs"`
	for name, test := range map[string]struct {
		line   string
		behind bool
		mark   string
		want   []string
	}{
		"above the resource":      {"# " + good, false, resource, waived},
		"behind the resource":     {"// " + good, true, resource, waived},
		"first in the statement":  {"# " + good, false, sid, waived},
		"inside of the statement": {"# " + good, false, `test     = "NotIpAddress"`, []string{"waiver-unused at line 76: No finding needs the waiver of no-break-glass on line 75 (root is enough)."}},
		"below the head":          {"# " + good, false, "bucket = aws_s3_bucket.logs.id", waived},
		"above a blank line":      {"# " + good + "\n", false, resource, waived},
		"by its code":             {`# tfguard:ignore H42 reason='root is enough' until=2027-06-30`, false, resource, waived},
		"in a heredoc": {
			"locals {\n  text = <<-EOT\n    # " + good + "\n    resource \"aws_s3_bucket_policy\" \"logs\" {\n  EOT\n}", false, resource, nil,
		},
		"another rule": {
			`# tfguard:ignore chain-broken reason="r" until=2027-06-30`, false, resource,
			[]string{"waiver-unused at line 82: No finding needs the waiver of chain-broken on line 83 (r)."},
		},
		"expired": {
			`# tfguard:ignore no-break-glass reason="r" until=2026-12-31`, false, resource,
			[]string{"waiver-expired at line 82: The waiver of no-break-glass on line 83 expired on 2026-12-31 (r)."},
		},
		"no reason": {"# tfguard:ignore no-break-glass until=2027-06-30", false, resource, []string{`waiver-unused at line 82: This waives nothing: it gives no reason="…".`}},
		"no day":    {`# tfguard:ignore no-break-glass reason="r"`, false, resource, []string{"waiver-unused at line 82: This waives nothing: it does not say until=YYYY-MM-DD."}},
		"no date":   {`# tfguard:ignore no-break-glass reason="r" until=soon`, false, resource, []string{"waiver-unused at line 82: This waives nothing: until=soon is no date, such as 2027-01-31."}},
		"no rule":   {`# tfguard:ignore reason="r" until=2027-06-30`, false, resource, []string{"waiver-unused at line 82: This waives nothing: it names no rule."}},
		"a mistake": {`# tfguard:ignore no-break-glass because="r"`, false, resource, []string{"waiver-unused at line 82: This waives nothing: it takes a reason, an owner and until, and no because."}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := commented(t, test.line, test.behind, test.mark); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}
