package main

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// A case that stands in terraform and in cloudformation under one name comes to the
// same verdicts: the template is told what the plan knows of its account.
func TestTwins(t *testing.T) {
	const account = "AWS::AccountId=123456789012"
	for name, told := range map[string][]string{
		"approved-ips":            {"ApprovedCidrs=192.0.2.0/24,203.0.113.0/24"},
		"athena-blog-literal":     nil,
		"cloudtrail-bucket":       {account},
		"cloudtrail-network-deny": {account},
		"scp-force-iac":           nil,
	} {
		t.Run(name, func(t *testing.T) {
			_, plan, _ := reportOf(t, name)
			tmpl := templateReport(t, name, append(told, "AWS::Region=us-east-1")...)
			want, got := verdictTable(plan), verdictTable(tmpl)
			if len(want) == 0 {
				t.Fatal("no verdicts")
			}
			if !slices.Equal(want, got) {
				for _, row := range want {
					if !slices.Contains(got, row) {
						t.Errorf("the plan alone has   %s", row)
					}
				}
				for _, row := range got {
					if !slices.Contains(want, row) {
						t.Errorf("the template alone has %s", row)
					}
				}
			}
		})
	}
}

// verdictTable lists the verdicts of a report, in the words of AWS.
func verdictTable(r *report.Report) []string {
	var rows []string
	for i := range r.Replays {
		p := &r.Replays[i]
		rows = append(rows, fmt.Sprintf("%s %s %s%s on %s: %s at %d", p.Chain, p.Action, p.Principal, p.StandIn, p.Resource, p.Verdict, p.BrokenHop))
	}
	slices.Sort(rows)
	return rows
}

// templateReport checks the template of a case with values of its parameters.
func templateReport(t *testing.T, name string, parameters ...string) *report.Report {
	t.Helper()
	args := []string{"check", "-o", "json", fixtures.Path(t, path.Join("cloudformation", name, "template.yaml"))}
	for _, p := range parameters {
		args = append(args, "--parameter", p)
	}
	got := tfguard(t, args...)
	if got.stderr != "" || got.code == 2 {
		t.Fatalf("%s: exit code %d, stderr %q", name, got.code, got.stderr)
	}
	r := &report.Report{}
	if err := json.NewDecoder(strings.NewReader(got.stdout)).Decode(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// One template, four answers: what its condition hangs on is told or it is not.
func TestTemplateByCondition(t *testing.T) {
	for _, c := range []struct{ parameter, get, put string }{
		{"", "unknown", "unknown"},
		{"Stage=dev", "allowed", "none"},
		{"Stage=prod", "allowed", "allowed"},
		{"Stage=audit", "explicitDeny", "none"},
	} {
		t.Run(c.parameter, func(t *testing.T) {
			var parameters []string
			if c.parameter != "" {
				parameters = append(parameters, c.parameter)
			}
			r := templateReport(t, "condition", parameters...)
			verdict := func(action string) string {
				for i := range r.Replays {
					p := &r.Replays[i]
					if p.Chain != "direct-internet" || p.PrincipalAddress != "Reader" || p.Action != action {
						continue
					}
					if p.Verdict.String() == "unknown" && !slices.ContainsFunc(p.Hops[0].Unknown, func(s string) bool { return strings.Contains(s, "whether the condition") }) {
						t.Errorf("the unknown verdict on %s names no condition: %q", action, p.Hops[0].Unknown)
					}
					return p.Verdict.String()
				}
				return "none"
			}
			if get := verdict("s3:GetObject"); get != c.get {
				t.Errorf("s3:GetObject is %s, want %s", get, c.get)
			}
			if put := verdict("s3:PutObject"); put != c.put {
				t.Errorf("s3:PutObject is %s, want %s", put, c.put)
			}
		})
	}
}

// A verdict is definite where it is the same in every way that the conditions can come
// out, and only there.
func TestTemplateAlternatives(t *testing.T) {
	r := templateReport(t, "alternatives")
	got := map[string]string{}
	for i := range r.Replays {
		p := &r.Replays[i]
		if p.Chain == "direct-internet" && p.ResourceAddress == "Data" {
			got[p.PrincipalAddress+" "+p.Action] = p.Verdict.String()
		}
	}
	for cell, want := range map[string]string{
		"Reader s3:GetObject":  "allowed",
		"Reader s3:PutObject":  "unknown",
		"Partner s3:GetObject": "explicitDeny",
		"Partner s3:PutObject": "explicitDeny",
	} {
		if got[cell] != want {
			t.Errorf("%s is %q, want %s", cell, got[cell], want)
		}
	}
}
