package account_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/account"
	"github.com/tfguard/tfguard/fixtures"
)

const details = "scenarios/account-details/account.json"

// known is an AWS managed policy.
func known(name string) (*policy.Document, bool) {
	doc, _ := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}`, name, policy.Identity, source.Origin{})
	return doc, name == "SecurityAudit"
}

func read(t *testing.T, text string) *extract.Result {
	t.Helper()
	r, err := account.Read([]byte(text), "account.json", account.Options{ManagedPolicy: known})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// show tells of a principal what its policies are.
func show(p *extract.Principal) string {
	list := func(docs []policy.Attached) string {
		var out []string
		for _, d := range docs {
			out = append(out, strings.TrimPrefix(d.ID, "arn:aws:iam::123456789012:"))
		}
		return strings.Join(out, ", ")
	}
	out := fmt.Sprintf("%s %s identity [%s] boundary [%s]", p.Kind, p.Name, list(p.Identity), list(p.Boundary))
	if p.Trust != nil {
		out += " trust " + p.Trust.ID[strings.LastIndex(p.Trust.ID, "/"):]
	}
	return out
}

// Users have the policies of their groups, a managed policy is its default version,
// and a boundary is a policy of its own.
func TestRead(t *testing.T) {
	r := read(t, string(fixtures.Read(t, details)))
	var got []string
	for _, p := range r.Inventory.Principals {
		got = append(got, show(p))
	}
	want := []string{
		"role auditor identity [arn:aws:iam::aws:policy/SecurityAudit] boundary [] trust /auditor.AssumeRolePolicyDocument",
		"role deploy identity [role/deploy.Everything] boundary [policy/ReadReports (boundary)] trust /deploy.AssumeRolePolicyDocument",
		"role app identity [] boundary [] trust /app.AssumeRolePolicyDocument",
		"user alice identity [policy/ReadReports] boundary []",
		"user bob identity [user/bob.AllOfS3] boundary []",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if len(r.Diagnostics) > 0 {
		t.Errorf("diagnostics: %v", r.Diagnostics)
	}
	if a := r.Inventory.Account; a.Value.String() != "123456789012" || a.From != "account.json" || a.Assumed {
		t.Errorf("the account is %+v", a)
	}
	alice := r.Inventory.Principals[3]
	if got := alice.Tags["team"].String(); got != "reporting" {
		t.Errorf("alice has the team %q", got)
	}
	st := alice.Identity[0].Statements
	if len(st) != 1 || st[0].Sid != "Read" || st[0].Range.Start.String() != "167:29" || alice.Identity[0].Origin.File != "account.json" {
		t.Errorf("the default version is %+v", st)
	}
	// A document that is URL-encoded is a text with places of its own.
	bob := r.Inventory.Principals[4].Identity[0]
	if st := bob.Statements[0]; st.Range.Start.String() != "1:38" || bob.Origin.File != "" || bob.Origin.Attribute != "AllOfS3" {
		t.Errorf("bob's policy is at %s %+v", st.Range.Start, bob.Origin)
	}
	for _, p := range r.Inventory.Policies {
		if p.ID == "arn:aws:iam::123456789012:policy/ReadReports" && !slices.Contains(p.AttachedTo, "arn:aws:iam::123456789012:user/alice") {
			t.Errorf("%s is attached to %v", p.ID, p.AttachedTo)
		}
	}
}

const user = `"UserName":"u","Arn":"arn:aws:iam::123456789012:user/u"`

// What is missing or cannot be read is said, and what depends on it is unknown.
func TestGaps(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       string // the first diagnostic
		unread     string // the policy that is not read
	}{
		{
			"a page of several", `{"UserDetailList":[],"IsTruncated":true,"Marker":"x"}`,
			"account.json:1:36: warning: Account details are incomplete: account.json: the account details are one page of several (IsTruncated)", "",
		},
		{
			"a page that the CLI cut", `{"UserDetailList":[],"NextToken":"x"}`,
			"account.json:1:34: warning: Account details are incomplete: account.json: the account details are one page of several (NextToken)", "",
		},
		{
			"a group", `{"UserDetailList":[{` + user + `,"GroupList":["g"]}]}`,
			"arn:aws:iam::123456789012:user/u.GroupList:1:90: warning: Group is missing", "the policies of group g",
		},
		{
			"a policy", `{"UserDetailList":[{` + user + `,"AttachedManagedPolicies":[{"PolicyArn":"arn:aws:iam::123456789012:policy/p"}]}]}`,
			"arn:aws:iam::123456789012:user/u.AttachedManagedPolicies:1:104: warning: Policy outside of the input", "arn:aws:iam::123456789012:policy/p",
		},
		{
			"an AWS managed policy", `{"UserDetailList":[{` + user + `,"AttachedManagedPolicies":[{"PolicyArn":"arn:aws:iam::aws:policy/Nope"}]}]}`,
			"arn:aws:iam::123456789012:user/u.AttachedManagedPolicies:1:104: warning: AWS managed policy not known", "arn:aws:iam::aws:policy/Nope",
		},
		{
			"a default version", `{"Policies":[{"Arn":"arn:aws:iam::123456789012:policy/p","DefaultVersionId":"v3","PolicyVersionList":[{"VersionId":"v2","Document":{}}]}]}`,
			"arn:aws:iam::123456789012:policy/p.Document:1:14: warning: Policy without its default version", "arn:aws:iam::123456789012:policy/p",
		},
		{
			"a policy that is no policy", `{"UserDetailList":[{` + user + `,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"allow"}]}}]}]}`,
			"arn:aws:iam::123456789012:user/u.p:1:167:", "arn:aws:iam::123456789012:user/u.p",
		},
		{
			"a text that is no policy", `{"UserDetailList":[{` + user + `,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":"%7B"}]}]}`,
			"arn:aws:iam::123456789012:user/u.p:1:2: error: Policy is not JSON", "arn:aws:iam::123456789012:user/u.p",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := read(t, tc.text)
			if len(r.Diagnostics) == 0 || !strings.HasPrefix(r.Diagnostics[0].String(), tc.want) {
				t.Errorf("got  %v\nwant %s", r.Diagnostics, tc.want)
			}
			i := slices.IndexFunc(r.Inventory.Policies, func(p *extract.Policy) bool { return p.Unread != "" })
			if tc.unread == "" && i >= 0 || tc.unread != "" && (i < 0 || r.Inventory.Policies[i].ID != tc.unread) {
				t.Errorf("unread is policy %d, want %q", i, tc.unread)
			}
		})
	}
}

// The default version is also found by its id.
func TestDefaultVersion(t *testing.T) {
	r := read(t, `{"Policies":[{"Arn":"arn:aws:iam::123456789012:policy/p","DefaultVersionId":"v2","PolicyVersionList":[`+
		`{"VersionId":"v1","Document":{"Statement":[]}},`+
		`{"VersionId":"v2","Document":{"Version":"2012-10-17","Statement":{"Sid":"Second","Effect":"Allow","Action":"*","Resource":"*"}}}]}]}`)
	if st := r.Inventory.Policies[0].Statements; len(st) != 1 || st[0].Sid != "Second" {
		t.Errorf("got %+v", st)
	}
}

// A file that AWS did not write is refused at the place where that shows.
func TestRefuse(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                     "account.json:1:2: this is not valid JSON: the JSON text ends too early",
		`[]`:                                    "account.json:1:1: a file of account details is written as a JSON object, and this is an array",
		`{}`:                                    "account.json:1:1: these are no account details: ",
		`{"UserDetailList":{}}`:                 "account.json:1:19: UserDetailList is a list, and this is an object",
		"{\"UserDetailList\":[\n  7]}":          "account.json:2:3: a user is written as a JSON object, and this is a number",
		`{"UserDetailList":[{"UserName":"u"}]}`: "account.json:1:20: Arn is missing here",
		`{"UserDetailList":[{"Arn":7}]}`:        "account.json:1:27: Arn is a text, and this is a number",
		`{"RoleDetailList":[{` + user + `}]}`:   "account.json:1:20: RoleName is missing here",
		`{"UserDetailList":[{"UserName":"u","Arn":"arn:aws:iam::123456789012:role/u"}]}`:                                    "account.json:1:42: this is not the ARN of a user",
		`{"RoleDetailList":[{"RoleName":"r","Arn":"arn:aws:iam::123456789012:role/r"}]}`:                                    "account.json:1:20: a role has an AssumeRolePolicyDocument, and this one has none",
		`{"UserDetailList":[{` + user + `,"UserPolicyList":[{"PolicyName":"p"}]}]}`:                                         "account.json:1:95: an inline policy has a PolicyDocument, and this one has none",
		`{"UserDetailList":[{` + user + `,"Tags":[{"Value":"x"}]}]}`:                                                        "account.json:1:85: Key is missing here",
		`{"UserDetailList":[{` + user + `,"PermissionsBoundary":{}}]}`:                                                      "account.json:1:99: PermissionsBoundaryArn is missing here",
		`{"GroupDetailList":[{"GroupName":"g","Arn":"arn:aws:iam::123456789012:group/g","AttachedManagedPolicies":["x"]}]}`: "account.json:1:107: an attached policy is written as a JSON object, and this is a string",
	} {
		_, err := account.Read([]byte(text), "account.json", account.Options{})
		if refused, ok := errors.AsType[*account.InputError](err); !ok || !strings.HasPrefix(refused.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]account.Format{
		string(fixtures.Read(t, details)):                    account.Details,
		`{"IsTruncated": false,`:                             account.Details,
		"\uFEFF{\"RoleDetailList\": [":                       account.Details,
		`{"Policy": {"PolicySummary": {`:                     account.Description,
		string(fixtures.Read(t, "config/policies/scp.json")): account.Document,
		`{"format_version":"1.2"}`:                           account.Unknown,
		`["UserDetailList"]`:                                 account.Unknown,
		"":                                                   account.Unknown,
		"{":                                                  account.Unknown,
	} {
		if got := account.Sniff([]byte(text)); got != want {
			t.Errorf("%.30q: got %d, want %d", text, got, want)
		}
	}
}

// An organization policy is a document, or what describe-policy writes of one.
func TestReadPolicy(t *testing.T) {
	for _, tc := range []struct {
		file string
		kind policy.Kind
		sid  string
		at   string
	}{
		{"config/policies/scp.json", policy.SCP, "NoRoot", "4:5"},
		{"config/policies/described-rcp.json", policy.RCP, "OwnOrganization", "1:38"},
	} {
		doc, diags, err := account.ReadPolicy(fixtures.Read(t, tc.file), tc.file, tc.kind)
		if err != nil || len(diags) > 0 {
			t.Fatalf("%s: %v %v", tc.file, err, diags)
		}
		if st := doc.Statements[0]; doc.ID != tc.file || doc.Kind != tc.kind || st.Sid != tc.sid || st.Range.Start.String() != tc.at {
			t.Errorf("%s: %s %s, statement %s at %s", tc.file, doc.Kind, doc.ID, st.Sid, st.Range.Start)
		}
	}
	for text, want := range map[string]string{
		`{"Policy":{}}`: "p.json:1:11: the Policy of `aws organizations describe-policy` has a Content, and this one has none",
		`{"Policy":{"Content":"{}","PolicySummary":{"Type":"TAG_POLICY"}}}`: "p.json:1:51: this is a TAG_POLICY, and it is named among policies of the kind scp",
		`{"Policy":`: "p.json:1:11: this is not valid JSON: the JSON text ends too early",
	} {
		if _, _, err := account.ReadPolicy([]byte(text), "p.json", policy.SCP); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
	doc, diags, err := account.ReadPolicy([]byte(`{"Policy":{"Content":"{"}}`), "p.json", policy.SCP)
	if err != nil || doc.Unread == "" || !diags.HasErrors() {
		t.Errorf("a description of no policy: %+v %v %v", doc, diags, err)
	}
}

// Whatever a file holds, it is read or refused.
func FuzzRead(f *testing.F) {
	f.Add(fixtures.Read(f, details))
	f.Add([]byte(`{"UserDetailList":[{` + user + `,"GroupList":["g",7],"Tags":[{"Key":"k"}]}],"NextToken":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := account.Read(text, "f", account.Options{ManagedPolicy: known}); (r == nil) == (err == nil) {
			t.Errorf("got %v and the error %v", r, err)
		}
		if _, _, err := account.ReadPolicy(text, "f", policy.SCP); err != nil && !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("the error %v has no place", err)
		}
	})
}
