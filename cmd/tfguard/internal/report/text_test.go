package report

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/tfguard/tfguard/engine"
)

// render renders a report as text, without colours, and holds its width.
func render(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Text(&b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if w := ansi.StringWidth(strings.TrimSuffix(line, "\n")); w > width {
			t.Errorf("%d columns: %s", w, line)
		}
	}
	return b.String()
}

// replays makes a report of one input with replays of s3:GetObject on one bucket.
func replays(principals ...string) *Report {
	r := New()
	r.Inputs = []Input{{Path: "plan.json", Policies: 1}}
	for i, p := range principals {
		for _, chain := range []string{"direct-corporate", "athena-public-outside"} {
			r.Replays = append(r.Replays, Replay{
				Chain: chain, Action: "s3:GetObject", Principal: "arn:aws:iam::123456789012:role/" + p,
				PrincipalAddress: fmt.Sprintf("aws_iam_role.r[%d]", i), Resource: "arn:aws:s3:::b", ResourceAddress: "aws_s3_bucket.b",
				Verdict: engine.Verdict(i % 4), BrokenHop: 1 + i%2,
			})
		}
	}
	return r
}

func holds(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the report does not hold %q:\n%s", w, text)
		}
	}
}

func TestFewPrincipalsAreSpelledOut(t *testing.T) {
	text := render(t, replays("one", "two", "three", "four"))
	holds(t, text, "implicit deny @1", "explicit deny @2", "one ", "four")
}

func TestManyPrincipalsAreShortened(t *testing.T) {
	text := render(t, replays("one", "two", "three", "four", "five"))
	holds(t, text, "implicit @1", "explicit @2")
	if strings.Contains(text, "deny @") {
		t.Error("short and long words in one table")
	}
}

// Eight columns and no more; those that come out alike share one.
func TestColumnsAreBounded(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("role-%02d", i))
	}
	text := render(t, replays(names...))
	// The verdicts, and with them the columns, repeat after four.
	holds(t, text, "role-00", "role-03", "and 7 more", "and 6 more")
	if strings.Contains(text, "role-04") {
		t.Errorf("a column that comes out as another one does:\n%s", text)
	}

	r := replays(names[:20]...)
	for i := range r.Replays {
		r.Replays[i].BrokenHop = i // no two are alike
	}
	text = render(t, r)
	holds(t, text, "role-07", "and 12 more principals (--verbose lists them)")
	if strings.Contains(text, "role-08") {
		t.Errorf("more than eight columns:\n%s", text)
	}
}

// Buckets that differ in the names of their principals alone share a table where there
// would be many.
func TestTablesAreBounded(t *testing.T) {
	report := func(n int) *Report {
		r := New()
		r.Inputs = []Input{{Path: "plan.json", Policies: 1}}
		for i := range n {
			one := replays(fmt.Sprintf("role-%02d", i)).Replays[0]
			one.ResourceAddress, one.Verdict, one.BrokenHop = fmt.Sprintf("aws_s3_bucket.b[%d]", i), engine.Allowed, 0
			r.Replays = append(r.Replays, one)
		}
		return r
	}
	const alike = "principals of other names come out alike"
	text := render(t, report(maxTables))
	holds(t, text, "role-00", fmt.Sprintf("role-%02d", maxTables-1))
	if strings.Contains(text, alike) {
		t.Errorf("few tables are one:\n%s", text)
	}
	text = render(t, report(maxTables+1))
	holds(t, text, "role-00", "aws_s3_bucket.b[3]", "… and 5 more like these", alike)
	if strings.Contains(text, "role-01") {
		t.Errorf("many tables stay many:\n%s", text)
	}
}

// Long names are broken where they have separators, and names that two principals
// share give way to addresses.
func TestColumnNames(t *testing.T) {
	text := render(t, replays("a-very-long-name-of-a-role-that-nobody-can-remember", "AnEvenLongerNameWithoutAnySeparatorInIt",
		"path/to/short", "one", "two"))
	holds(t, text, "short")
	if strings.Contains(text, "path/to") {
		t.Error("a name with its path")
	}

	text = render(t, replays("team/app", "other/app", "third/app", "own"))
	holds(t, text, "aws_iam_role.r[0]", "aws_iam_role.r[1]", "aws_iam_role.r[2]", "own")

	r := replays("x")
	r.Replays[0].Principal = "arn:aws:iam::${account}:role/${aws_iam_role.r[0].name}"
	r.Replays[1].Principal = r.Replays[0].Principal
	holds(t, render(t, r), "aws_iam_role.r[0]")
}

// Services have no columns: they are listed below the table, with their actions.
func TestServices(t *testing.T) {
	r := replays("one")
	add := func(chain, principal, action string) {
		r.Replays = append(r.Replays, Replay{Chain: chain, Action: action, Principal: principal, StandIn: principal,
			Resource: "arn:aws:s3:::b", ResourceAddress: "aws_s3_bucket.b", Verdict: engine.ExplicitDeny, BrokenHop: 1})
	}
	add("anonymous", "anonymous", "s3:GetObject")
	add("anonymous", "anonymous", "s3:PutObject")
	holds(t, render(t, r), "    anonymous              anyone  explicit deny @1  s3:GetObject, s3:PutObject\n")

	add("cloudformation-service-role", "a-service-with-a-long-name.ap-southeast-2.amazonaws.com", "s3:ListMultipartUploadParts")
	holds(t, render(t, r), "    anonymous                    anyone  ", "…  explicit deny @1\n        s3:ListMultipartUploadParts\n")
}

// What a plan holds does not command the terminal, and does not break the width.
func TestHostileWords(t *testing.T) {
	long := strings.Repeat("x", 300)
	r := replays("evil\x1b[2J\x07")
	r.Inputs[0].Path = "/" + long + "/" + long + ".json"
	r.Inputs[0].Notes = []string{"note \x1b]0;title\x07" + long}
	for i := range r.Replays {
		r.Replays[i].Resource, r.Replays[i].ResourceAddress = "arn:aws:s3:::"+long, "module."+long+"\x1b[1m.aws_s3_bucket.b"
	}
	r.Findings = []Finding{{Rule: "policy-unread", Severity: "warning", Message: "\x1b[31m" + long, Remediation: long, Address: long,
		Source: Source{Attribute: "policy", Line: 3, Column: 4}}}
	r.Diagnostics = []Diagnostic{{Severity: "warning", Summary: long, Detail: "\x1b", Address: long}}
	if text := render(t, r); strings.ContainsAny(text, "\x1b\x07") {
		t.Errorf("control characters: %q", text)
	}
}

func TestSeveralInputsAreToldApart(t *testing.T) {
	r := replays("one")
	r.Inputs = append(r.Inputs, Input{Path: "other.json", Notes: []string{"A note."}})
	more := replays("one").Replays
	for i := range more {
		more[i].Input = 1
	}
	r.Replays = append(r.Replays, more...)
	r.Findings = []Finding{{Rule: "policy-unread", Severity: "warning", Message: "m", Remediation: "r", Address: "a", Input: 1}}
	holds(t, render(t, r), "plan.json: no changes, 1 policy\n", "other.json: no changes, no policies\n",
		"\nother.json\n\naws_s3_bucket.b", "at a in other.json", "other.json: A note.")
}

func TestFindingsAreGrouped(t *testing.T) {
	r := replays("one")
	for i := range 14 {
		r.Findings = append(r.Findings, Finding{Rule: "policy-unread", Severity: "warning", Message: fmt.Sprintf("p%d was not read.", i),
			Remediation: "Mend it.", Address: fmt.Sprintf("p%d", i)})
	}
	r.Findings = append(r.Findings, Finding{Rule: "locked-out", Severity: "error", Message: "m", Remediation: "Spare it.", Address: "a"})
	text := render(t, r)
	holds(t, text, "  error  locked-out\n    m\n      at a\n    → Spare it.\n\n  warning  policy-unread\n    p0 was not read.\n    p1 was not read.\n",
		"… and 4 more of policy-unread (--verbose lists all)\n    → Mend it.\n")
	if strings.Contains(text, "at p0") || strings.Contains(text, "p10 was") {
		t.Errorf("too much:\n%s", text)
	}
}

// What changes comes first, waived findings last, and what was not judged beside the
// answer.
func TestTextOfEverything(t *testing.T) {
	text := render(t, everything())
	holds(t, text, "1 input not judged, 1 error, 2 warnings, 2 remarks, 1 waived.\n3 replays: ",
		"\nNot judged: other/plan.json: the plan ends in the middle\n",
		"  waived  chain-broken\n    aws_iam_role.old is denied at hop 2.\n      at live/main.tf:50:1 in live/plan.json\n      Waived by data team until 2027-03-31: the role goes away.\n",
		`
Access changes

  aws_iam_role.app gains s3:PutObject on aws_s3_bucket.logs
    implicit deny → allowed through direct-corporate, direct-internet
    by statement 2 of aws_iam_policy.app.policy (Write) at live/main.tf:12:3

  cloudtrail.amazonaws.com loses s3:PutObject on aws_s3_bucket.logs
    allowed → explicit deny through cloudtrail-s3
    by statement 4 of aws_s3_bucket_policy.logs.policy at 1:865
`)
	order := []string{"Access changes", "Findings", "  error  ", "  warning  ", "  info  ", "  waived  ", "Not known", "Remarks"}
	for i := range order[1:] {
		if strings.Index(text, order[i]) > strings.Index(text, order[i+1]) {
			t.Errorf("%q comes after %q", order[i], order[i+1])
		}
	}
}

// A quiet report tells what to act on, a verbose one leaves nothing out.
func TestDetail(t *testing.T) {
	r := many(30, 0)
	for i := range r.Findings {
		r.Findings[i].Rule = "one-rule"
	}
	detail := func(d Detail) string { return in(t, "text", r, Options{Detail: d}) }
	if quiet := detail(Quiet); strings.Contains(quiet, "direct-corporate") || !strings.Contains(quiet, "aws_iam_role.app[9]") || strings.Contains(quiet, "aws_iam_role.app[10]") {
		t.Errorf("quiet:\n%s", quiet)
	}
	holds(t, detail(Normal), "direct-corporate", "… and 20 more of one-rule (--verbose lists all)")
	holds(t, detail(Verbose), "direct-corporate", "aws_iam_role.app[29]")

	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("role-%02d", i))
	}
	r = replays(names...)
	holds(t, detail(Verbose), "role-00", "role-11")
	if strings.Contains(detail(Normal), "role-11") {
		t.Error("as many columns as in a verbose report")
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		words string
		width int
		want  []string
	}{
		{"", 10, nil},
		{"one two", 10, []string{"one two"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"a hyphen-ated-word", 12, []string{"a", "hyphen-ated-", "word"}},
		{"  blanks \n and lines ", 20, []string{"blanks and lines"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"日本語の文", 4, []string{"日本", "語の", "文"}},
	} {
		if got := wrap(c.words, c.width); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.words, c.width, got, c.want)
		}
	}
}

func TestBreakName(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"short", 5, []string{"short"}},
		{"And-Support-Access", 12, []string{"And-Support-", "Access"}},
		{"module.lambda.aws_iam_role.this", 16, []string{"module.lambda.", "aws_iam_role.", "this"}},
		{"WithoutSeparators", 8, []string{"WithoutS", "eparator", "s"}},
		{"stand-in admin", 11, []string{"stand-in", "admin"}},
		{"日本", 1, []string{"日本"}},
	} {
		if got := breakName(c.name, c.width); !slices.Equal(got, c.want) {
			t.Errorf("breakName(%q, %d) = %q, want %q", c.name, c.width, got, c.want)
		}
	}
}

func TestPathIn(t *testing.T) {
	for _, c := range []struct {
		path  string
		width int
		want  string
	}{
		{"-", 20, "standard input"},
		{"a/b/plan.json", 20, "a/b/plan.json"},
		{"first/second/plan.json", 20, "…/second/plan.json"},
		{"/abs/second/plan.json", 20, "…/second/plan.json"},
		{"first/second/plan.json", 12, "…/plan.json"},
		{"first/a-long-name-of-a-plan.json", 12, "…a-plan.json"},
	} {
		if got := pathIn(c.path, c.width); got != c.want {
			t.Errorf("pathIn(%q, %d) = %q, want %q", c.path, c.width, got, c.want)
		}
	}
}

// full is a writer of which nothing can be written.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFormatsReturnTheErrorOfTheWriter(t *testing.T) {
	for _, name := range Formats() {
		format, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := format(full{}, everything(), Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGetListsTheFormats(t *testing.T) {
	if _, err := Get("yaml"); err == nil || err.Error() != `there is no output format "yaml": there are `+strings.Join(Formats(), ", ") {
		t.Error(err)
	}
}
