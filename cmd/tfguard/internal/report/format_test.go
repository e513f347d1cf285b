package report

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tfguard/tfguard/engine"
)

// everything makes a report that holds one of each: two inputs and one that was not
// judged, a finding of each severity with and without a source, a waived one, an
// unknown verdict, changes and remarks. Words that a format could take for its own
// are in every name.
func everything() *Report {
	const hostile = "<b>|`[x](http://evil.example)%0A::error::@team,a:b&"
	r := New()
	r.Inputs = []Input{
		{Path: "live/plan.json", Format: "terraform plan", Changes: 3, Principals: 2, Resources: 2, Policies: 4},
		{Path: "-", Format: "terraform plan", Policies: 1, Unread: 1, Incomplete: []string{"The plan is incomplete."}},
	}
	r.Unreadable = []Unreadable{{Path: "other/plan.json", Message: "other/plan.json: the plan ends in the middle"}}
	hop := func(n int, action, who string, v engine.Verdict) Hop {
		h := Hop{Hop: n, Credentials: "caller", Principal: who, Action: action, Resource: "arn:aws:s3:::logs", Verdict: v,
			Context: Context{read: map[string]any{"aws:SourceIp": "192.0.2.1", "aws:CalledVia": []string{"athena.amazonaws.com"}}}}
		if n > 1 {
			h.Credentials = "fas"
		}
		switch v {
		case engine.ExplicitDeny:
			h.Because = []Because{{Policy: "aws_s3_bucket_policy.logs.policy", Statement: 4, Sid: "Deny" + hostile, Effect: "Deny", Outcome: "applies",
				Source: Source{File: "live/main.tf", Line: 40, Column: 5}}}
		case engine.Allowed:
			h.Because = []Because{{Policy: "aws_iam_policy.app.policy", Statement: 1, Effect: "Allow", Outcome: "applies", Source: Source{Line: 1, Column: 9, Attribute: "policy"}}}
		case engine.Unknown:
			h.Unknown = []string{"aws_s3_bucket.data.arn"}
		}
		return h
	}
	const role, trail = "arn:aws:iam::123456789012:role/app", "cloudtrail.amazonaws.com"
	r.Replays = []Replay{
		{Chain: "athena-public", Pattern: "2a", Action: "s3:GetObject", Principal: role, PrincipalAddress: "aws_iam_role.app", Resource: "arn:aws:s3:::logs",
			ResourceAddress: "aws_s3_bucket.logs", Verdict: engine.ExplicitDeny, BrokenHop: 2, Hops: []Hop{
				hop(1, "athena:StartQueryExecution", role, engine.Allowed), hop(2, "glue:GetTable", role, engine.Allowed),
				hop(2, "s3:GetObject", role, engine.ExplicitDeny)}},
		{Chain: "cloudtrail-s3", Action: "s3:PutObject", Principal: trail, StandIn: trail, Resource: "arn:aws:s3:::logs",
			ResourceAddress: "aws_s3_bucket.logs", Verdict: engine.ExplicitDeny, BrokenHop: 1, Hops: []Hop{hop(1, "s3:PutObject", trail, engine.ExplicitDeny)}},
		{Chain: "direct-corporate", Action: "s3:GetObject", Principal: role, PrincipalAddress: "aws_iam_role.app", Resource: "arn:aws:s3:::data" + hostile,
			ResourceAddress: "aws_s3_bucket.data[\"" + hostile + "\"]", Verdict: engine.Unknown, BrokenHop: 1, Hops: []Hop{hop(1, "s3:GetObject", role, engine.Unknown)}, Input: 1},
	}
	zero, one := 0, 1
	r.Findings = []Finding{
		{Rule: "service-principal-locked-out", Severity: "error", Message: "cloudtrail.amazonaws.com may not call s3:PutObject on aws_s3_bucket.logs.", Remediation: "Exempt it.",
			Address: "aws_s3_bucket_policy.logs", Source: Source{File: "live/main.tf", Line: 40, Column: 5}, Replay: &one},
		{Rule: "chain-broken", Severity: "warning", Message: "aws_iam_role.app is denied at hop 2 " + hostile + ".", Remediation: "Exempt calls through " + hostile + ".",
			Address: "aws_s3_bucket_policy.logs", Source: Source{Line: 1, Column: 865, Attribute: "policy"}, Replay: &zero},
		{Rule: "chain-broken", Severity: "warning", Message: "aws_iam_role.old is denied at hop 2.", Remediation: "Exempt calls.",
			Address: "aws_s3_bucket_policy.old", Source: Source{File: "live/main.tf", Line: 50, Column: 1},
			Waived: &Waiver{Reason: "the role goes away", Owner: "data team", Expires: "2027-03-31"}},
		{Rule: "policy-unread", Severity: "warning", Message: "aws_iam_policy.late.policy was not read: known only after apply.", Remediation: "Give it values.", Address: "aws_iam_policy.late", Input: 1},
		{Rule: "team-rule", Severity: "info", Message: "A remark of the team.", Remediation: "Look.", Address: "", Input: 1},
		{Rule: "team-rule", Severity: "info", Message: "A remark of the team.", Remediation: "Look.", Address: "", Input: 1},
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Fingerprint = fingerprint(f.Rule, f.Address, f.Message)
	}
	r.Changes = []Change{
		{Chain: "direct-corporate", Action: "s3:PutObject", Principal: role, PrincipalAddress: "aws_iam_role.app", Resource: "arn:aws:s3:::logs", ResourceAddress: "aws_s3_bucket.logs",
			Before: engine.ImplicitDeny, After: engine.Allowed, Because: []Because{{Policy: "aws_iam_policy.app.policy", Statement: 2, Sid: "Write", Effect: "Allow", Outcome: "applies",
				Source: Source{File: "live/main.tf", Line: 12, Column: 3}}}},
		{Chain: "cloudtrail-s3", Action: "s3:PutObject", Principal: trail, Resource: "arn:aws:s3:::logs", ResourceAddress: "aws_s3_bucket.logs",
			Before: engine.Allowed, After: engine.ExplicitDeny, Because: []Because{{Policy: "aws_s3_bucket_policy.logs.policy", Statement: 4, Effect: "Deny", Outcome: "applies", Source: Source{Line: 1, Column: 865, Attribute: "policy"}}}},
	}
	direct := r.Changes[0]
	direct.Chain = "direct-internet"
	r.Changes = append(r.Changes, direct)
	r.Diagnostics = []Diagnostic{{Severity: "warning", Summary: "Unknown action", Detail: "AWS knows no action s3:Gett.", Address: "aws_iam_policy.app"}}
	r.recount()
	return r
}

// expecting is everything, with an expectation that holds and one that failed.
func expecting() *Report {
	r := everything()
	r.Expectations = []Expectation{
		{Sentence: "Nobody reads the logs", Resource: "aws_s3_bucket.logs", Want: "denied", Pass: true, Replays: []int{0}, Source: Source{File: "live/.tfguard.hcl", Line: 3, Column: 1}},
		{Sentence: "The trail writes", Resource: "aws_s3_bucket.logs", Want: "allowed", Reason: "it came out otherwise", Replays: []int{1}, Failed: []int{1}, Source: Source{File: "live/.tfguard.hcl", Line: 9, Column: 1}},
	}
	r.recount()
	return r
}

// many makes a report of n findings, of which the first few are errors at the end.
func many(n, errors int) *Report {
	r := replays("one")
	for i := range n {
		f := Finding{Rule: fmt.Sprintf("rule-%d", i%40), Severity: "warning", Remediation: "Change the condition of the statement, so that it spares calls that a service makes for a principal.",
			Message: fmt.Sprintf("aws_iam_role.app[%d] is granted s3:GetObject on aws_s3_bucket.data[%d] through athena-public, and hop 2, glue:GetTable, is denied.", i, i),
			Address: fmt.Sprintf("aws_s3_bucket_policy.data[%d]", i), Source: Source{File: "main.tf", Line: i + 1, Column: 3}}
		if i >= n-errors {
			f.Severity = "error"
		}
		r.Findings = append(r.Findings, f)
	}
	r.recount()
	return r
}

// in renders a report in a format.
func in(t *testing.T, name string, r *Report, opts Options) string {
	t.Helper()
	format, err := Get(name)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := format(&b, r, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A failed expectation is told and fails the check in every format, and no format
// takes a report with one for passed.
func TestExpectationsInFormats(t *testing.T) {
	r := expecting()
	r.Findings, r.Unreadable = nil, nil
	r.recount()
	for format, want := range map[string]string{
		"text":     "  failed  live/plan.json: The trail writes\n",
		"json":     `"sentence": "The trail writes"`,
		"sarif":    `"text": "\"The trail writes\" does not hold: it came out otherwise. Mend the policies`,
		"gitlab":   `"path": "live/.tfguard.hcl"`,
		"junit":    `<testcase classname="tfguard.expectation" name="The trail writes">`,
		"markdown": "- **expectation**: \"The trail writes\" does not hold: it came out otherwise.\n  at `live/.tfguard.hcl:9:1`",
		"github":   `::error file=live/.tfguard.hcl,line=9,col=1,title=tfguard%3A expectation::"The trail writes" does not hold`,
		"atlantis": `FAIL - aws_s3_bucket.logs - expectation: "The trail writes" does not hold: it came out otherwise.`,
		"html":     `<td class="verb explicitDeny">failed</td><td>live/plan.json: The trail writes<br>`,
	} {
		holds(t, in(t, format, r, Options{FailOn: Error}), want)
	}
	if !Error.Fails(r) || Never.Fails(r) {
		t.Error("the threshold does not know expectations")
	}
}

// Every format takes every report, the same one to the same bytes, and nothing in it
// commands a terminal.
func TestFormatsTakeEverything(t *testing.T) {
	strange := everything()
	strange.Findings[0].Message = "\x1b[2J\x07 not \xff UTF-8 \uFFFE"
	for name, r := range map[string]*Report{"everything": everything(), "expecting": expecting(), "nothing": New(), "many": many(300, 3), "strange": strange} {
		for _, format := range Formats() {
			if format == "json" && name == "strange" {
				continue // its strings are escaped
			}
			first := in(t, format, r, Options{FailOn: Error})
			if first != in(t, format, r, Options{FailOn: Error}) {
				t.Errorf("%s of %s is not the same twice", format, name)
			}
			if strings.ContainsAny(first, "\x1b\x07") {
				t.Errorf("%s of %s holds control characters", format, name)
			}
		}
	}
}

func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiled, err := jsonschema.NewCompiler().Compile("testdata/sarif-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestSARIFMeetsItsSchema(t *testing.T) {
	schema := sarifSchema(t)
	for name, r := range map[string]*Report{"everything": everything(), "expecting": expecting(), "nothing": New(), "many": many(300, 3)} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(in(t, "sarif", r, Options{Version: "1.2.3"})))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := schema.Validate(map[string]any{"version": "2.1.0", "runs": []any{map[string]any{}}}); err == nil {
		t.Error("the schema takes a run without a tool")
	}
}

func TestSARIF(t *testing.T) {
	var log sarifLog
	if err := json.Unmarshal([]byte(in(t, "sarif", everything(), Options{})), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 2 || log.Runs[0].AutomationDetails.ID != "tfguard/live/plan.json/" || log.Runs[1].AutomationDetails.ID != "tfguard/-/" {
		t.Fatalf("not one run for each input: %+v", log.Runs)
	}
	run := log.Runs[0]
	if run.Invocations[0].Successful || !strings.Contains(fmt.Sprint(run.Invocations[0].Notifications), "ends in the middle") {
		t.Errorf("the input that was not judged is not told: %+v", run.Invocations)
	}
	locked, broken, waived := run.Results[0], run.Results[1], run.Results[2]
	if got := locked.Locations[0].Physical; locked.Level != "error" || got.Artifact.URI != "live/main.tf" || got.Region != (sarifRegion{40, 5}) {
		t.Errorf("with a source: %+v", locked)
	}
	if got := broken.Locations[0]; got.Physical.Artifact.URI != "live/plan.json" || got.Logical[0].Name != "aws_s3_bucket_policy.logs.policy:1:865" {
		t.Errorf("without a source: %+v", got)
	}
	if strings.Contains(broken.Message.Text, "](") {
		t.Errorf("the words of a plan make a link: %s", broken.Message.Text)
	}
	steps := broken.CodeFlows[0].ThreadFlows[0].Locations
	if len(steps) != 3 || steps[2].Importance != "essential" || !strings.HasPrefix(steps[2].Location.Message.Text, "Hop 2: s3:GetObject by ") ||
		steps[2].Location.Physical.Region.StartLine != 40 {
		t.Errorf("the flow of the chain: %+v", steps)
	}
	if len(waived.Suppressions) != 1 || waived.Suppressions[0].Justification != "Waived by data team until 2027-03-31: the role goes away." || len(locked.Suppressions) != 0 {
		t.Errorf("suppressions: %+v", waived.Suppressions)
	}
	rule := run.Tool.Driver.Rules[locked.RuleIndex]
	if rule.ID != locked.RuleID || rule.FullDescription == nil || !strings.Contains(rule.Help.Text, "PrincipalIsAWSService") {
		t.Errorf("the manual of the rule: %+v", rule)
	}
}

// What GitHub would refuse is not written: runs, results and bytes are bounded, and the
// gravest findings stay.
func TestSARIFLimits(t *testing.T) {
	r := many(sarifResults+500, 20)
	var log sarifLog
	text := in(t, "sarif", r, Options{})
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	results := log.Runs[0].Results
	if len(results) != sarifResults || results[19].Level != "error" || results[20].Level != "warning" {
		t.Errorf("%d results", len(results))
	}
	if n := log.Runs[0].Invocations[0].Notifications; len(n) != 1 || !strings.HasPrefix(n[0].Message.Text, "500 findings are left out") {
		t.Errorf("%+v", n)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil || packed.Len() > 10<<20 {
		t.Errorf("%d bytes packed, %v", packed.Len(), err)
	}

	r = New()
	for i := range sarifRuns + 1 {
		r.Inputs = append(r.Inputs, Input{Path: fmt.Sprintf("%d/plan.json", i)})
	}
	if err := json.Unmarshal([]byte(in(t, "sarif", r, Options{})), &log); err != nil || len(log.Runs) != 1 {
		t.Errorf("%d runs, %v", len(log.Runs), err)
	}
}

// A finding keeps its fingerprint when lines move, and no two have the same.
func TestFingerprints(t *testing.T) {
	r := everything()
	before := r.Fingerprints()
	if unique := slices.Compact(slices.Sorted(slices.Values(before))); len(unique) != len(before) {
		t.Errorf("two findings have the same fingerprint: %v", before)
	}
	for i := range r.Findings {
		r.Findings[i].Source.Line += 7
		r.Findings[i].Source.Column += 2
	}
	r.Findings = append([]Finding{{Rule: "new", Severity: "error"}}, r.Findings...)
	if after := r.Fingerprints()[1:]; !slices.Equal(before, after) {
		t.Errorf("before %v\nafter  %v", before, after)
	}

	f := &r.Findings[1]
	second, third := Place{Fingerprint: "2"}, Place{Fingerprint: "3"}
	f.Fingerprint, f.Places = "1", []Place{second, third}
	spread := r.Fingerprints()[1]
	f.Fingerprint, f.Places = "3", []Place{{Fingerprint: "1"}, second}
	if got := r.Fingerprints()[1]; got != spread {
		t.Errorf("%s is %s with its places in another order", spread, got)
	}
	for _, places := range [][]Place{nil, {second}, {second, third}, {second, second, {Fingerprint: "1"}}} {
		if f.Places = places; r.Fingerprints()[1] == spread {
			t.Errorf("%s is the same at %v", spread, f.Everywhere())
		}
	}
	if stablePath("./a/../b/plan.json") != "b/plan.json" || stablePath(filepath.Join(t.TempDir(), "plan.json")) != "plan.json" {
		t.Error("paths that differ from machine to machine")
	}
}

func TestGitLab(t *testing.T) {
	var issues []map[string]any
	if err := json.Unmarshal([]byte(in(t, "gitlab", everything(), Options{})), &issues); err != nil {
		t.Fatal(err)
	}
	if len(issues) != 7 {
		t.Fatalf("%d issues", len(issues))
	}
	severities := []string{"info", "minor", "major", "critical", "blocker"}
	seen := map[string]bool{}
	for _, is := range issues {
		location := is["location"].(map[string]any)
		path := location["path"].(string)
		begin := location["lines"].(map[string]any)["begin"].(float64)
		fingerprint := is["fingerprint"].(string)
		if field(is, "description") == "" || field(is, "check_name") == "" || fingerprint == "" || seen[fingerprint] ||
			!slices.Contains(severities, field(is, "severity")) || strings.HasPrefix(path, "./") || path == "" || begin < 1 {
			t.Errorf("GitLab does not take %v", is)
		}
		seen[fingerprint] = true
	}
	if is := issues[0]; field(is, "severity") != "critical" || is["location"].(map[string]any)["lines"].(map[string]any)["begin"] != float64(40) {
		t.Errorf("%v", is)
	}
	if is := issues[2]; field(is, "severity") != "info" || !strings.HasPrefix(field(is, "description"), "Waived by data team until 2027-03-31: ") {
		t.Errorf("a waived finding: %v", is)
	}
	if got := in(t, "gitlab", New(), Options{}); got != "[]\n" {
		t.Errorf("of nothing: %s", got)
	}
}

func field(object map[string]any, key string) string {
	s, _ := object[key].(string)
	return s
}

// The counts are those of the cases, and what the threshold fails is a failure.
func TestJUnit(t *testing.T) {
	for failOn, want := range map[Threshold]string{
		Never: "0 failures, 2 skipped", Error: "1 failures, 2 skipped", Unknown: "2 failures, 1 skipped", Warning: "4 failures, 1 skipped", Info: "5 failures, 1 skipped",
	} {
		r := everything()
		var suites junitSuites
		if err := xml.Unmarshal([]byte(in(t, "junit", r, Options{FailOn: failOn})), &suites); err != nil {
			t.Fatal(err)
		}
		tests, failures, errs, skipped := 0, 0, 0, 0
		for _, s := range suites.Suites {
			n, f, e, k := 0, 0, 0, 0
			for _, c := range s.Cases {
				n++
				if c.Failure != nil {
					f++
				}
				if c.Error != nil {
					e++
				}
				if c.Skipped != nil {
					k++
				}
			}
			if n != s.Tests || f != s.Failures || e != s.Errors || k != s.Skipped {
				t.Errorf("%s: %d cases, %d failures, %d errors, %d skipped, and it says %+v", s.Name, n, f, e, k, s)
			}
			tests, failures, errs, skipped = tests+n, failures+f, errs+e, skipped+k
		}
		if suites.Tests != tests || suites.Failures != failures || suites.Errors != errs || errs != 1 {
			t.Errorf("the sums are wrong: %+v", suites)
		}
		if got := fmt.Sprintf("%d failures, %d skipped", failures, skipped); got != want {
			t.Errorf("--fail-on %s: %s, want %s", failOn, got, want)
		}
	}
}

func TestJUnitMeetsItsSchema(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("there is no xmllint")
	}
	for name, r := range map[string]*Report{"everything": everything(), "expecting": expecting(), "nothing": New(), "many": many(300, 3)} {
		file := filepath.Join(t.TempDir(), "junit.xml")
		if err := os.WriteFile(file, []byte(in(t, "junit", r, Options{FailOn: Error})), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(xmllint, "--noout", "--schema", "testdata/junit.xsd", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestMarkdown(t *testing.T) {
	text := in(t, "markdown", everything(), Options{FailOn: Error})
	holds(t, text, "### ❌ tfguard: 1 input not judged, 1 error, 2 warnings, 2 remarks, 1 waived\n",
		"**Not judged:** other/plan.json",
		"| `aws_iam_role.app` | **gains** | `s3:PutObject` | `aws_s3_bucket.logs` | implicit deny → allowed | direct-corporate, direct-internet | `statement 2 of aws_iam_policy.app.policy (Write) at live/main.tf:12:3` |\n",
		"- **service-principal-locked-out**: cloudtrail.amazonaws.com may not call s3:PutObject on aws\\_s3\\_bucket.logs.\n  at `live/main.tf:40:5` in `live/plan.json`\n  → Exempt it.\n",
		"<b>Warnings (2)</b>", "<b>For information (2)</b>", "<b>Waived (1)</b>", "Waived by data team until 2027-03-31: the role goes away.",
		"| s3:GetObject | athena-public | ⛔ explicit deny @2 |", "| 1 | `aws_s3_bucket.data.arn` |")
	if i := strings.Index(text, "Access changes"); i > strings.Index(text, "#### Errors") {
		t.Error("changes come after the findings")
	}
	// Nothing in a name is markup, a mention or a link.
	holds(t, text, "is denied at hop 2 &lt;b&gt;\\|\\`\\[x\\](http:<!-- -->//evil.example)%0A::error::@<!-- -->team,a:b&amp;.\n",
		"``aws_s3_bucket.data[\"<b>|`[x](http://evil.example)%0A::error::@team,a:b&\"]``\n")
	if n := strings.Count(text, "```mermaid"); n != 2 {
		t.Errorf("%d diagrams", n)
	}
	if strings.Contains(text, "cut here") || strings.Contains(text, "Shortened") {
		t.Error("a short comment is shortened")
	}
	for _, s := range []string{"<b>", "@team", "[x](http://e.example)", "#12", "*a*_b_", "a|b", "www.example.com", "line\nbreak", "<script>"} {
		if got := prose(s); strings.ContainsAny(strings.ReplaceAll(got, "<!-- -->", ""), "<>\n") || strings.Contains(strings.ReplaceAll(got, `\[`, ""), "[") || strings.Contains(got, "://") {
			t.Errorf("prose(%q) = %q", s, got)
		}
	}
	for s, want := range map[string]string{"a": "`a`", "a`b": "``a`b``", "`": "`` ` ``", "a\nb": "`a b`", "": ""} {
		if got := code(s); got != want {
			t.Errorf("code(%q) = %s, want %s", s, got, want)
		}
	}
}

// A comment is never longer than the platform takes, and names every error as long as
// that can be.
func TestMarkdownLimits(t *testing.T) {
	for _, c := range []struct{ findings, errors, limit int }{{300, 3, 0}, {10000, 60, 0}, {10000, 200, 0}, {10000, 10000, 0}, {10000, 60, 1 << 20}, {10000, 5, 32768}, {50, 50, 300}} {
		r := many(c.findings, c.errors)
		for i := range 500 {
			change := everything().Changes[i%2]
			change.ResourceAddress = fmt.Sprintf("aws_s3_bucket.changed[%d]", i)
			r.Changes = append(r.Changes, change)
		}
		text := in(t, "markdown", r, Options{Limit: c.limit})
		limit := c.limit
		if limit == 0 {
			limit = 65536
		}
		if len(text) > limit {
			t.Errorf("%+v: %d bytes", c, len(text))
		}
		if strings.Count(text, "<details>") != strings.Count(text, "</details>") || strings.Count(text, "```")%2 != 0 {
			t.Errorf("%+v: something is not closed", c)
		}
		missing := 0
		for i := c.findings - c.errors; i < c.findings; i++ {
			if !strings.Contains(text, fmt.Sprintf("`main.tf:%d:3`", i+1)) {
				missing++
			}
		}
		switch {
		case limit == 300:
		case c.errors <= 200 && missing > 0:
			t.Errorf("%+v: %d errors are not named", c, missing)
		case c.errors > 200 && !strings.Contains(text, fmt.Sprintf("… and %s more errors:", thousands(missing))):
			t.Errorf("%+v: %d errors are not named, and it is not said", c, missing)
		}
	}
}

func TestMermaid(t *testing.T) {
	r := everything()
	got := r.Replays[0].sequence().mermaid()
	want := `sequenceDiagram
    participant p0 as app
    participant p1 as Athena
    participant p2 as Glue
    participant p3 as S3 aws_s3_bucket.logs
    p0->>p1: athena:StartQueryExecution
    p1->>p2: glue:GetTable
    p1-xp3: s3:GetObject
    Note over p1,p3: explicit deny, statement 4 of aws_s3_bucket_policy.logs.policy (Deny#60;b#62;#124;#96;#91;x#93;(http://evil.example)#37;0A::error::#64;team,a:b#38;) at live/main.tf:40:5
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := mermaidText("the end; of\nit"); got != "the #101;nd#59; of it" {
		t.Error(got)
	}
}

func TestGitHub(t *testing.T) {
	text := in(t, "github", everything(), Options{FailOn: Error})
	holds(t, text, "::error title=tfguard%3A not judged::other/plan.json: the plan ends in the middle\n",
		"::notice title=tfguard%3A access change::aws_iam_role.app gains s3:PutObject on aws_s3_bucket.logs (implicit deny → allowed through direct-corporate, direct-internet), by statement 2 of",
		"::error file=live/main.tf,line=40,col=5,title=tfguard%3A service-principal-locked-out::cloudtrail.amazonaws.com may not call s3:PutObject on aws_s3_bucket.logs.%0AExempt it.\n",
		"[x](http://evil.example)%250A::error::@team", "\ntfguard failed: 1 input not judged, 1 error, ")
	if strings.Contains(text, "aws_iam_role.old") {
		t.Error("a waived finding is annotated")
	}
	command := regexp.MustCompile(`^::(error|warning|notice) ((file=[^,:]+,line=\d+(,col=\d+)?,)?title=[^,:]+)::[^\r\n]+$`)
	counts := map[string]int{}
	for line := range strings.Lines(in(t, "github", many(300, 30), Options{})) {
		line = strings.TrimSuffix(line, "\n")
		if m := command.FindStringSubmatch(line); m != nil {
			counts[m[1]]++
		} else if strings.Contains(line, "::") {
			t.Errorf("GitHub does not take %s", line)
		}
	}
	if counts["error"] != 10 || counts["warning"] != 10 || counts["notice"] != 0 {
		t.Errorf("%v", counts)
	}
	holds(t, in(t, "github", many(300, 30), Options{}), "tfguard passed: 30 errors, 270 warnings.", "280 more are not annotated")
}

// What Atlantis looks for: before version 0.39 and since.
var (
	atlantisOld = regexp.MustCompile(`(?i)fail`)
	atlantisNew = regexp.MustCompile("([1-9][0-9]* failure|failures\": \\[)")
)

func TestAtlantis(t *testing.T) {
	failing := everything()
	passing := replays("failover")
	warned := everything()
	warned.Unreadable = nil
	warned.Findings[0].Waived = &Waiver{Reason: "its Failure is known", Owner: "3 failures", Expires: "2027-01-01"}
	warned.Findings[1].Message = "FAILOVER and fail-safe: 5 failures"
	for _, c := range []struct {
		name   string
		r      *Report
		failOn Threshold
		fails  bool
	}{
		{"with findings", failing, Error, true},
		{"with an input that was not judged", failing, Never, true},
		{"without", passing, Error, false},
		{"of nothing", New(), Error, false},
		{"with waivers and warnings", warned, Error, false},
		{"with unknown verdicts", warned, Unknown, true},
		{"with a failed expectation alone", &Report{Expectations: expecting().Expectations[1:], Inputs: []Input{{}}, Summary: Summary{Expectations: Outcomes{Failed: 1}}}, Error, true},
		{"with unread policies alone", &Report{Summary: Summary{PoliciesUnread: 1}}, Unknown, true},
		{"with warnings that count", warned, Warning, true},
		{"with many", many(10000, 10000), Error, true},
		{"with many notes", many(10000, 0), Error, false},
	} {
		text := in(t, "atlantis", c.r, Options{FailOn: c.failOn})
		if want := c.failOn.Fails(c.r) || len(c.r.Unreadable) > 0; want != c.fails {
			t.Fatalf("%s: the test is wrong", c.name)
		}
		isNew := atlantisNew.MatchString(text) || strings.HasPrefix(text, "FAIL")
		if isOld := atlantisOld.MatchString(text); isOld != c.fails || isNew != c.fails || strings.HasPrefix(text, "PASS") == c.fails {
			t.Errorf("%s: failing is %v before and %v since version 0.39, want %v:\n%.2000s", c.name, isOld, isNew, c.fails, text)
		}
		if len(text) == 0 || len(text) >= 65536 {
			t.Errorf("%s: %d bytes", c.name, len(text))
		}
	}
	// What approvals stick to: sorted, each once, no counts.
	text := in(t, "atlantis", failing, Options{FailOn: Error})
	want := []string{
		"FAIL - aws_s3_bucket_policy.logs - service-principal-locked-out: cloudtrail.amazonaws.com may not call s3:PutObject on aws_s3_bucket.logs.",
		"FAIL - other/plan.json - not judged: other/plan.json: the plan ends in the middle",
	}
	if got := regexp.MustCompile(`(?m)^FAIL.*`).FindAllString(text, -1); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	holds(t, text, "\n2 failures\n", "\nWAIVED - aws_s3_bucket_policy.old - chain-broken: aws_iam_role.old is denied at hop 2. Waived by data team until 2027-03-31", "\nCHANGE - aws_iam_role.app gains ")
}

// Each threshold includes the one before, and a waived finding meets none.
func TestThresholds(t *testing.T) {
	finding := func(severity string, waived *Waiver) *Report {
		return &Report{Findings: []Finding{{Severity: severity, Waived: waived}}}
	}
	for name, c := range map[string]struct {
		r    *Report
		from string // the first threshold that fails
	}{
		"nothing":        {New(), ""},
		"an error":       {finding("error", nil), "error"},
		"an unknown":     {&Report{Replays: []Replay{{Verdict: engine.Unknown}}}, "unknown"},
		"an unread":      {&Report{Summary: Summary{PoliciesUnread: 1}}, "unknown"},
		"a warning":      {finding("warning", nil), "warning"},
		"an information": {finding("info", nil), "info"},
		"a waived error": {finding("error", &Waiver{}), ""},
		"a denial":       {&Report{Replays: []Replay{{Verdict: engine.ExplicitDeny}}}, ""},
	} {
		want := false
		for _, word := range Thresholds() {
			var level Threshold
			if err := level.Set(word); err != nil || level.String() != word {
				t.Fatal(err)
			}
			want = want || word == c.from
			if got := level.Fails(c.r); got != want {
				t.Errorf("%s with --fail-on %s: %v, want %v", name, word, got, want)
			}
		}
	}
}

// A report that was read is the one that was written.
func TestRead(t *testing.T) {
	first := in(t, "json", expecting(), Options{})
	r, err := Read(strings.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range Formats() {
		if in(t, format, r, Options{FailOn: Error}) != in(t, format, expecting(), Options{FailOn: Error}) {
			t.Errorf("%s of a report that was read is another one", format)
		}
	}
	for _, c := range []struct{ old, new, want string }{
		{"", "", "this is no JSON report of tfguard"},
		{`"schema": "tfguard/report/v1"`, `"schema": "tfguard/report/v9"`, "this tfguard reads tfguard/report/v1"},
		{`"schema": "tfguard/report/v1"`, `"schema": ""`, "it names no schema"},
		{`"verdict": "unknown"`, `"verdict": "maybe"`, `"maybe" is no verdict`},
		{`"replay": 1`, `"replay": 9`, "findings[0] names replays[9], and there are 3"},
		{`"severity": "info"`, `"severity": "grave"`, `findings[4] has the severity "grave"`},
		{`"input": 1`, `"input": -1`, "names inputs[-1], and there are 2"},
	} {
		spoiled := strings.Replace(first, c.old, c.new, 1)
		if c.old == "" {
			spoiled = first[:len(first)/2]
		}
		if _, err := Read(strings.NewReader(spoiled)); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.new, err)
		}
	}
	if _, err := Read(strings.NewReader(first + first)); err == nil {
		t.Error("two reports in one file")
	}
	// The summary does not decide.
	r, err = Read(strings.NewReader(strings.Replace(first, `"error": 1`, `"error": 0`, 1)))
	if err != nil || r.Summary.Findings.Error != 1 || !Error.Fails(r) {
		t.Errorf("a summary that belies the findings is believed: %v", err)
	}
}

// The page is one file that names no other, and holds nothing of a report as markup.
func TestHTML(t *testing.T) {
	text := in(t, "html", everything(), Options{FailOn: Error})
	holds(t, text, "<h1>1 input not judged, 1 error, 2 warnings, 2 remarks, 1 waived</h1>", `<td class="verb gains">gains</td>`,
		"Waived by data team until 2027-03-31: the role goes away.", "Deny&lt;b&gt;|`[x](http://evil.example)%0A::error::@team,a:b&amp;",
		"default-src &#39;none&#39;; style-src &#39;sha256-", `<text class="below" x="832" y="41">aws_s3_bucket.logs</text>`)
	if n := strings.Count(text, "<svg "); n != 2 {
		t.Errorf("%d diagrams", n)
	}
	for _, bad := range []string{" src=", " href=\"http", "@import", "url(", "fetch(", "XMLHttpRequest", " style=", " onclick=", "<b>|"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if n := strings.Count(text, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
}

// Every format names every place of a finding and the rules that find it too, and says
// how many places it leaves out.
func TestPlacesInFormats(t *testing.T) {
	spread := func(places int) *Report {
		r := replays("one")
		f := Finding{
			Rule: "public-access", Severity: "error", Message: "Anybody may call.", Remediation: "Name them.", Also: []string{"endpoint-deny", "source-ip-deny"},
			Address: `aws_sqs_queue_policy.q["a"]`, Source: Source{File: "main.tf", Line: 4, Column: 3},
			Places: []Place{{Address: `aws_sqs_queue_policy.q["a"]`, Source: Source{File: "main.tf", Line: 4, Column: 3}}}, // the same
		}
		for i := range places {
			f.Places = append(f.Places, Place{Address: fmt.Sprintf(`aws_sqs_queue_policy.q["b%d"]`, i), Source: f.Source})
		}
		f.Places = append(f.Places, Place{Address: f.Address, Source: Source{File: "main.tf", Line: 9, Column: 1}},
			Place{Address: "aws_sqs_queue_policy.r", Source: Source{Line: 1, Column: 7, Attribute: "policy"}}, Place{Address: "aws_sqs_queue_policy.s", Source: Source{File: "s.tf", Line: 1, Column: 1}})
		r.Findings = []Finding{f}
		r.recount()
		return r
	}
	few, lot := spread(1), spread(1500)
	const sentence = ` The same at aws_sqs_queue_policy.q["b0"], main.tf:9:1, aws_sqs_queue_policy.r.policy:1:7 and aws_sqs_queue_policy.s at s.tf:1:1.`
	const others = " Found by endpoint-deny and source-ip-deny, too."
	for format, want := range map[string][2]string{
		"text": {"      at main.tf:4:3\n      and at aws_sqs_queue_policy.q[\"b0\"]\n      and at main.tf:9:1\n      and at aws_sqs_queue_policy.r.policy:1:7\n" +
			"      and at aws_sqs_queue_policy.s at s.tf:1:1\n      Found by endpoint-deny and source-ip-deny, too.\n", "      and at 1,493 more places (--verbose lists all)\n"},
		"json": {`"address": "aws_sqs_queue_policy.s"`, `"address": "aws_sqs_queue_policy.q[\"b1499\"]"`},
		"sarif": {`Name them.` + others + ` The same at [aws_sqs_queue_policy.q\\[\"b0\"\\]](1), [main.tf:9:1](2), [aws_sqs_queue_policy.r.policy:1:7](3) and [aws_sqs_queue_policy.s at s.tf:1:1](4).`,
			`\\[\"b9\"\\]](10) and 1,493 more places.`},
		"junit": {"  at main.tf:4:3&#xA;  and at aws_sqs_queue_policy.q[&#34;b0&#34;]&#xA;  and at main.tf:9:1&#xA;  and at aws_sqs_queue_policy.r.policy:1:7&#xA;  and at aws_sqs_queue_policy.s at s.tf:1:1&#xA;  Name them." + others,
			"  and at aws_sqs_queue_policy.q[&#34;b1499&#34;]&#xA;"},
		"gitlab": {"Name them." + strings.ReplaceAll(sentence, `"`, `\"`) + others, `q[\"b9\"] and 1,493 more places.`},
		"github": {"Anybody may call." + sentence + others + "%0AName them.", `q["b9"] and 1,493 more places.`},
		"markdown": {"  at `main.tf:4:3`\n  The same at `aws_sqs_queue_policy.q[\"b0\"]`, `main.tf:9:1`, `aws_sqs_queue_policy.r.policy:1:7` and `aws_sqs_queue_policy.s at s.tf:1:1`.\n " + others + "\n",
			"`aws_sqs_queue_policy.q[\"b9\"]` and 1,493 more places.\n"},
		"atlantis": {"FAIL - aws_sqs_queue_policy.q[\"a\"] - public-access: Anybody may call." + sentence + others + "\n", `q["b9"] and 1,493 more places. Found by endpoint-deny and source-ip-deny, too. (sha256 `},
		"html":     {"<dt>and at</dt><dd><div><code>aws_sqs_queue_policy.q[&#34;b0&#34;]</code></div><div><code>main.tf:9:1</code></div>", "<summary>1,503 more places</summary>"},
	} {
		holds(t, in(t, format, few, Options{FailOn: Error}), want[0])
		holds(t, in(t, format, lot, Options{FailOn: Error}), want[1])
	}
	holds(t, in(t, "text", lot, Options{Detail: Verbose}), `and at aws_sqs_queue_policy.q["b1499"]`)
	holds(t, in(t, "html", few, Options{}), "<code>public-access</code>, <code>endpoint-deny</code>, <code>source-ip-deny</code>")

	var log sarifLog
	if err := json.Unmarshal([]byte(in(t, "sarif", lot, Options{})), &log); err != nil {
		t.Fatal(err)
	}
	related := log.Runs[0].Results[0].Related
	if len(related) != 999 || related[998].ID != 999 || related[998].Message.Text != `aws_sqs_queue_policy.q["b998"]` || related[998].Physical.Region != (sarifRegion{4, 3}) {
		t.Errorf("%d related locations, %+v", len(related), related[len(related)-1])
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(in(t, "sarif", lot, Options{})))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t).Validate(doc); err != nil {
		t.Error(err)
	}

	// An approval of Atlantis does not stick when a place that is not named changes.
	before := in(t, "atlantis", lot, Options{FailOn: Error})
	lot.Findings[0].Places[1400].Address = "aws_sqs_queue_policy.other"
	if after := in(t, "atlantis", lot, Options{FailOn: Error}); before == after {
		t.Error("a place behind the bound changes nothing")
	}
}

// Of a finding that is known at some places the others are named, the first of many.
func TestNewAt(t *testing.T) {
	at := func(line int) Place {
		return Place{Address: "aws_sqs_queue_policy.q", Source: Source{File: "main.tf", Line: line, Column: 3}}
	}
	few := Finding{Message: "Anybody may call."}
	few.NewAt([]Place{at(4), at(4), {Address: "aws_sqs_queue_policy.r", Source: Source{Line: 1, Column: 7, Attribute: "policy"}}}, "in the baseline b.json")
	if want := "Anybody may call. New at aws_sqs_queue_policy.q at main.tf:4:3 and aws_sqs_queue_policy.r.policy:1:7; its other places are in the baseline b.json."; few.Message != want {
		t.Errorf("%s\nwant %s", few.Message, want)
	}
	var places []Place
	for i := range 12 {
		places = append(places, at(i+1))
	}
	var many Finding
	many.NewAt(places, "known")
	holds(t, many.Message, "main.tf:10:3 and 2 more places; its other places are known.")
}

// Where it is not known what an input opens, a check that new access fails has failed.
func TestUncomparedFails(t *testing.T) {
	r := replays("one")
	r.Inputs[0].Uncompared = true
	strict := Options{FailOnNewAccess: true}
	if (Options{FailOn: Error}).Fails(r) || !strict.Fails(r) {
		t.Error("it fails a check that allows new access, or none")
	}
	for _, format := range []string{"sarif", "gitlab", "junit", "atlantis"} {
		holds(t, in(t, format, r, strict), "there are too many to compare")
	}
	for _, format := range []string{"text", "markdown", "github", "html"} {
		holds(t, in(t, format, r, strict), "1 input whose new access is not known")
	}
}

// New access that fails the check is told in the first line, and as something that
// failed in every format that a platform counts; where it does not fail the check, it is
// no failure in any.
func TestNewAccessInFormats(t *testing.T) {
	r := everything()
	r.Findings, r.Unreadable = nil, nil
	r.recount()
	const call = "aws_iam_role.app gains s3:PutObject on aws_s3_bucket.logs"
	for format, want := range map[string]string{
		"text":     "1 new access that fails the check.\n3 replays: ",
		"sarif":    `"text": "` + call + ` (implicit deny → allowed through direct-corporate, direct-internet). Take the access back`,
		"gitlab":   `"check_name": "new-access"`,
		"junit":    `<testcase classname="tfguard.new-access" name="` + call + `">` + "\n" + `      <failure type="error" message="` + call,
		"markdown": "### ❌ tfguard: 1 new access that fails the check\n",
		"github":   "\ntfguard failed: 1 new access that fails the check. ",
		"atlantis": "FAIL - new access: " + call,
		"html":     "<h1>1 new access that fails the check</h1>",
	} {
		if format == "text" || format == "atlantis" {
			if got := in(t, format, r, Options{FailOnNewAccess: true}); !strings.HasPrefix(got, want) {
				t.Errorf("%s begins with %.100q", format, got)
			}
		}
		holds(t, in(t, format, r, Options{FailOnNewAccess: true}), want)
		if strings.Contains(in(t, format, r, Options{FailOn: Error}), want) {
			t.Errorf("%s: new access fails a check that allows it", format)
		}
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(in(t, "sarif", r, Options{FailOnNewAccess: true})), &log); err != nil {
		t.Fatal(err)
	}
	if rule := log.Runs[0].Tool.Driver.Rules[0]; rule.ShortDescription.Text != "The change opens access" || !strings.Contains(rule.FullDescription.Text, "--fail-on-new-access") {
		t.Errorf("%+v", rule)
	}
	if got := log.Runs[0].Results[0]; got.Level != "error" || got.Locations[0].Physical.Region != (sarifRegion{12, 3}) || got.Locations[0].Logical[0].Name != "aws_iam_policy.app.policy" {
		t.Errorf("%+v", got)
	}
	var suites junitSuites
	if err := xml.Unmarshal([]byte(in(t, "junit", r, Options{FailOnNewAccess: true})), &suites); err != nil || suites.Failures != 1 {
		t.Errorf("%d failures in JUnit, %v", suites.Failures, err)
	}
	holds(t, in(t, "junit", replays("one"), Options{FailOnNewAccess: true}), `<testcase classname="tfguard.new-access" name="no new access"></testcase>`)
	// Lines that move make no new finding.
	f := r.accesses()[0].finding()
	r.Changes[0].Because[0].Source.Line += 5
	r.Changes[2].Because[0].Source.Line += 5
	if moved := r.accesses()[0].finding(); f.Fingerprint == "" || f.Fingerprint != moved.Fingerprint {
		t.Errorf("%q is %q when a line moves", f.Fingerprint, moved.Fingerprint)
	}
}

// What Atlantis is not shown for want of room is part of what approvals stick to.
func TestAtlantisCut(t *testing.T) {
	items := func(r *Report) []string {
		text := in(t, "atlantis", r, Options{FailOn: Error})
		holds(t, text, "\n10000 failures\n")
		return regexp.MustCompile(`(?m)^FAIL.*`).FindAllString(text, -1)
	}
	r := many(10000, 10000)
	before := items(r)
	if len(before) >= 10000 || !strings.HasPrefix(before[len(before)-1], "FAIL - and those that are cut away here (sha256 ") {
		t.Fatalf("%d lines, the last is %s", len(before), before[len(before)-1])
	}
	if again := items(many(10000, 10000)); !slices.Equal(before, again) {
		t.Error("the lines are not the same twice")
	}
	// One behind the cut gives way to another.
	i := slices.IndexFunc(r.Findings, func(f Finding) bool {
		return !slices.ContainsFunc(before, func(line string) bool { return strings.HasPrefix(line, "FAIL - "+f.Address+" ") })
	})
	r.Findings[i].Message = "Anybody may read it."
	after := items(r)
	if n := len(before) - 1; !slices.Equal(before[:n], after[:n]) || before[n] == after[n] {
		t.Errorf("a reason behind the cut leaves what approvals stick to as it was: %s", after[n])
	}
}

// Each policy set is told its own part, and what is not known is told to all.
func TestAtlantisPolicySets(t *testing.T) {
	r := expecting()
	const call = "FAIL - new access: aws_iam_role.app gains s3:PutObject"
	parts := map[string][]string{
		"hazards":      {"FAIL - aws_s3_bucket_policy.logs - chain-broken", "FAIL - aws_s3_bucket_policy.logs - service-principal-locked-out", "FAIL - aws_iam_policy.late - policy-unread"},
		"guardrails":   {"FAIL - the input - team-rule"},
		"expectations": {"FAIL - aws_s3_bucket.logs - expectation"},
		"access":       {call},
	}
	if got := slices.Sorted(maps.Keys(parts)); !slices.Equal(got, slices.Sorted(slices.Values(PolicySets()))) {
		t.Fatalf("policy sets %v", got)
	}
	for set := range parts {
		text := in(t, "atlantis", r, Options{FailOn: Info, FailOnNewAccess: true, PolicySet: set})
		holds(t, text, "FAIL - other/plan.json - not judged", "FAIL - verdicts or policies are not known")
		for other, lines := range parts {
			for _, line := range lines {
				if strings.Contains(text, line) != (set == other) {
					t.Errorf("set %s, line %q of %s:\n%s", set, line, other, text)
				}
			}
		}
	}
	r.Unreadable = nil
	r.recount()
	for set, want := range map[string]string{"hazards": "FAIL", "guardrails": "PASS", "expectations": "FAIL", "access": "PASS"} {
		if text := in(t, "atlantis", r, Options{FailOn: Error, PolicySet: set}); !strings.HasPrefix(text, want) {
			t.Errorf("set %s: %.300s", set, text)
		}
	}
}

// unseenEverywhere makes a report whose every name holds characters that nobody sees and that
// order the text around them anew.
func unseenEverywhere(t *testing.T) *Report {
	t.Helper()
	r := expecting()
	text := in(t, "json", r, Options{})
	// Every word of the report begins with one but for those with a meaning of their own.
	for _, word := range []string{"aws_", "arn:", "cloudtrail.", "live/", "main.tf", "other/", "Nobody", "The trail", "it came", "Exempt", "Deny<", "Write", "the role", "data team",
		"Unknown action", "AWS knows", "A remark", "team-rule", "s3:", "The plan is", "athena-public", "direct-corporate"} {
		if !strings.Contains(text, word) {
			t.Fatalf("the report has no %q", word)
		}
		text = strings.ReplaceAll(text, word, "\u202e\u200b\u00ad\u2028\U000e0041"+word)
	}
	r, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is not seen but changes how the text around it is read is written out in every
// format.
func TestUnseenIsWrittenOut(t *testing.T) {
	r := unseenEverywhere(t)
	for _, format := range Formats() {
		text := in(t, format, r, Options{FailOn: Error, Detail: Verbose})
		if i := strings.IndexFunc(text, unseen); i >= 0 {
			t.Errorf("%s: %q", format, text[max(0, i-80):min(len(text), i+20)])
		}
		if !strings.Contains(text, `\u202e`) {
			t.Errorf("%s leaves out what is not seen", format)
		}
	}
	back, err := Read(strings.NewReader(in(t, "json", r, Options{})))
	if err != nil || back.Findings[0].Address != r.Findings[0].Address || !strings.Contains(back.Findings[0].Address, "\u202e\u200b\u00ad\u2028\U000e0041") {
		t.Errorf("JSON does not keep what it writes out: %v", err)
	}
	var b bytes.Buffer
	if err := Explain(&b, &r.Replays[0], Options{}); err != nil || strings.ContainsFunc(b.String(), unseen) {
		t.Errorf("explain: %v\n%q", err, b.String())
	}
	if got := printable("a\u202eb\x1b\u00e9\U0001f600\u00a0"); got != `a\u202eb`+"\ufffd\u00e9\U0001f600\u00a0" {
		t.Errorf("%q", got)
	}
}

// An upload that would be too large keeps the gravest findings and says so.
func TestSARIFBytes(t *testing.T) {
	r := many(2000, 20)
	for i := range r.Findings {
		r.Findings[i].Message = fmt.Sprintf("%d: %s", i, fingerprint(r.Findings[i].Address)) // nothing to pack
	}
	whole, err := sarifWithin(10<<20, r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	limit := packed(whole) / 3
	doc, err := sarifWithin(limit, r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(doc, &log); err != nil {
		t.Fatal(err)
	}
	results := log.Runs[0].Results
	if size := packed(doc); size > limit || size < limit/2 {
		t.Errorf("%d bytes of %d", size, limit)
	}
	if len(results) < 100 || results[19].Level != "error" || results[20].Level != "warning" {
		t.Errorf("%d results", len(results))
	}
	if n := log.Runs[0].Invocations[0].Notifications; len(n) != 1 || !strings.HasPrefix(n[0].Message.Text, thousands(2000-len(results))+" findings are left out") {
		t.Errorf("%+v", n)
	}
	if doc, err = sarifWithin(1, r, Options{}); err != nil || json.Unmarshal(doc, &log) != nil || len(log.Runs[0].Results) != 0 {
		t.Errorf("%d results where nothing fits, %v", len(log.Runs[0].Results), err)
	}
}
