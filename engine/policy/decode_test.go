package policy_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

func lit(s string) symbol.Text { return symbol.Literal(s) }

var origin = source.Origin{File: "p.json"}

func parse(text string, kind policy.Kind) (*policy.Document, source.Diagnostics) {
	return policy.Parse(text, "p", kind, origin)
}

// summaries renders diagnostics as "severity line:column summary".
func summaries(ds source.Diagnostics) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Severity.String()+" "+d.Range.Start.String()+" "+d.Summary)
	}
	return out
}

// in puts a statement's elements into a policy of one line; the statement begins
// at column 39.
func in(elements string) string {
	return `{"Version":"2012-10-17","Statement":[ {` + elements + `}]}`
}

func TestParse(t *testing.T) {
	const text = `{
  "Version": "2012-10-17",
  "Id": "x",
  "Statement": [
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:root"], "Service": "ec2.amazonaws.com"},
      "Action": ["s3:Get*", "s3:ListBucket"],
      "Resource": "arn:aws:s3:::b/*",
      "Condition": {
        "StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]},
        "Bool": {"aws:SecureTransport": true}
      }
    },
    {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "NotAction": "iam:*", "NotResource": ["*"]}
  ]
}`
	doc, diags := parse(text, policy.Resource)
	if len(diags) > 0 {
		t.Fatalf("got %v", diags)
	}
	if doc.ID != "p" || doc.Kind != policy.Resource || doc.Origin != origin || doc.Version != policy.Version2012 || doc.Unread != "" {
		t.Errorf("got %+v", doc)
	}
	if len(doc.Statements) != 2 {
		t.Fatalf("got %d statements, want 2", len(doc.Statements))
	}
	read, deny := doc.Statements[0], doc.Statements[1]
	if read.Index != 1 || read.Sid != "Read" || read.Effect != policy.Allow || deny.Index != 2 || deny.Sid != "" || deny.Effect != policy.Deny {
		t.Errorf("got %+v and %+v", read, deny)
	}
	if read.Actions.Not || read.Resources.Not || read.Principals.Not || !deny.Actions.Not || !deny.Resources.Not || !deny.Principals.Not {
		t.Error("Not elements and others are mixed up")
	}
	places := []struct {
		what string
		rng  source.Range
		want string // start, and the text that begins there
	}{
		{"statement", read.Range, `5:5 {`},
		{"second statement", deny.Range, `16:5 {"Effect": "Deny"`},
		{"Principal", read.Principals.Range, `8:7 "Principal"`},
		{"principal", read.Principals.Entries[1].Range, `8:45 "arn:aws:iam::111122223333:root"`},
		{"service", read.Principals.Entries[2].Range, `8:91 "ec2.amazonaws.com"`},
		{"Action", read.Actions.Range, `9:7 "Action"`},
		{"action", read.Actions.Entries[1].Range, `9:29 "s3:ListBucket"`},
		{"resource", read.Resources.Entries[0].Range, `10:19 "arn:aws:s3:::b/*"`},
		{"key", read.Conditions[0].KeyRange, `12:26 "aws:SourceVpc"`},
		{"value", read.Conditions[0].Values[1].Range, `12:53 "vpc-2"`},
		{"Boolean value", read.Conditions[1].Values[0].Range, `13:41 true`},
		{"NotAction", deny.Actions.Entries[0].Range, `16:78 "iam:*"`},
	}
	for _, tc := range places {
		got := tc.rng.Start.String() + " " + text[tc.rng.Start.Byte:]
		if !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: got %.40q, want %q", tc.what, got, tc.want)
		}
	}
	if got := read.Conditions[1].Values[0].Text; got != lit("true") {
		t.Errorf("A4: a Boolean value: got %v, want true", got)
	}
}

// Rules A1 to A7 and A19 to A25: what AWS refuses, with the place. AWS pages
// "Grammar of the IAM JSON policy language" and "IAM Access Analyzer policy check
// reference".
func TestParseErrors(t *testing.T) {
	const rest = `"Effect":"Allow","Action":"s3:*","Resource":"*"`
	tests := []struct {
		name, text string
		kind       policy.Kind
		want       []string
	}{
		{"no JSON", `{"Version":`, policy.Identity, []string{"error 1:12 Policy is not JSON"}},
		{"no object", ` []`, policy.Identity, []string{"error 1:2 Policy is no object"}},
		{"A1 version", `{"Version":"2012-10-18","Statement":[]}`, policy.Identity, []string{"error 1:12 Unknown policy version"}},
		{"A1 version is no string", `{"Version":2012,"Statement":[]}`, policy.Identity, []string{"error 1:12 Unknown policy version"}},
		{"A2 no Statement", `{"Version":"2012-10-17"}`, policy.Identity, []string{"error 1:1 No Statement"}},
		{"A2 Statement is a string", `{"Statement":"x"}`, policy.Identity, []string{"error 1:14 Statement is no object"}},
		{"A2 a statement is a string", `{"Statement":["x"]}`, policy.Identity, []string{"error 1:15 Statement is no object"}},
		{"A2 unknown element", `{"Statement":[],"Comment":""}`, policy.Identity, []string{"error 1:17 Unknown element"}},
		{"A3 wrong case at the top", `{"statement":[]}`, policy.Identity, []string{"error 1:2 Wrong case", "error 1:1 No Statement"}},
		{"A3 wrong case", in(`"effect":"Allow","Action":"s3:*","Resource":"*"`), policy.Identity, []string{"error 1:40 Wrong case", "error 1:39 No Effect"}},
		{"A3 unknown element", in(rest + `,"Actions":"x"`), policy.Identity, []string{"error 1:88 Unknown element"}},
		{"A3 effect in other case", in(`"Effect":"allow","Action":"s3:*","Resource":"*"`), policy.Identity, []string{"error 1:49 Unknown Effect"}},
		{"A3 effect is a list", in(`"Effect":["Allow"],"Action":"s3:*","Resource":"*"`), policy.Identity, []string{"error 1:49 Unknown Effect"}},
		{"A3 no Action", in(`"Effect":"Allow","Resource":"*"`), policy.Identity, []string{"error 1:39 No Action"}},
		{"A3 Action and NotAction", in(rest + `,"NotAction":"x"`), policy.Identity, []string{"error 1:88 Both Action and NotAction"}},
		{"A3 Resource and NotResource", in(rest + `,"NotResource":"*"`), policy.Identity, []string{"error 1:88 Both Resource and NotResource"}},
		{"A3 Principal and NotPrincipal", in(rest + `,"Principal":"*","NotPrincipal":"*"`), policy.Resource, []string{"error 1:104 Both Principal and NotPrincipal"}},
		{"A22 no Resource", in(`"Effect":"Allow","Action":"s3:*"`), policy.Identity, []string{"error 1:39 No Resource"}},
		{"A4 action is a number", in(`"Effect":"Allow","Action":[1],"Resource":"*"`), policy.Identity, []string{"error 1:67 Value is no string"}},
		{"A4 resource is null", in(`"Effect":"Allow","Action":"s3:*","Resource":null`), policy.Identity, []string{"error 1:84 Value is no string"}},
		{"A4 nested list", in(`"Effect":"Allow","Action":"s3:*","Resource":[["*"]]`), policy.Identity, []string{"error 1:85 Value is no string"}},
		{"A4 condition value is null", in(rest + `,"Condition":{"StringEquals":{"k":[null]}}`), policy.Identity, []string{"error 1:122 Value is no string"}},
		{"A4 condition value is an object", in(rest + `,"Condition":{"StringEquals":{"k":{}}}`), policy.Identity, []string{"error 1:121 Value is no string"}},
		{"A5 top", `{"Statement":[],"Statement":[]}`, policy.Identity, []string{"error 1:17 Duplicate element"}},
		{"A5 statement", in(rest + `,"Effect":"Deny"`), policy.Identity, []string{"error 1:88 Duplicate element"}},
		{"A5 principal type", in(rest + `,"Principal":{"AWS":"*","AWS":"*"}`), policy.Resource, []string{"error 1:111 Duplicate element"}},
		{"A5 operator", in(rest + `,"Condition":{"Bool":{"a":"true"},"Bool":{"b":"true"}}`), policy.Identity, []string{"error 1:121 Duplicate element"}},
		{"A5 key", in(rest + `,"Condition":{"StringEquals":{"k":"a","k":"b"}}`), policy.Identity, []string{"error 1:125 Duplicate condition key"}},
		{"A5 key in other case", in(rest + `,"Condition":{"StringEquals":{"aws:SourceVpc":"a","AWS:sourcevpc":"b"}}`), policy.Identity, []string{"error 1:137 Duplicate condition key"}},
		{"A6 Sid is no string", in(rest + `,"Sid":1`), policy.Identity, []string{"error 1:94 Sid is no string"}},
		{"A7 no Principal", in(rest), policy.Resource, []string{"error 1:39 No Principal"}},
		{"A7 no Principal in an endpoint policy", in(rest), policy.VPCEndpoint, []string{"error 1:39 No Principal"}},
		{"A8 principal is a string", in(rest + `,"Principal":"111122223333"`), policy.Resource, []string{"error 1:100 Principal is no object"}},
		{"A8 principal is a list", in(rest + `,"Principal":["*"]`), policy.Resource, []string{"error 1:100 Principal is no object"}},
		{"A8 principal type", in(rest + `,"Principal":{"Aws":"*"}`), policy.Resource, []string{"error 1:101 Unknown principal type"}},
		{"A8 an ARN of type star", in(rest + `,"Principal":{"*":"x"}`), policy.Resource, []string{"warning 1:101 Principal type \"*\"", "error 1:105 Unknown principal type"}},
		{"A8 principal is a number", in(rest + `,"Principal":{"AWS":111122223333}`), policy.Resource, []string{"error 1:107 Value is no string"}},
		{"B3 operator", in(rest + `,"Condition":{"StringMatches":{"k":"a"}}`), policy.Identity, []string{"error 1:101 Unknown condition operator"}},
		{"B3 NullIfExists", in(rest + `,"Condition":{"NullIfExists":{"k":"true"}}`), policy.Identity, []string{"error 1:101 Unknown condition operator"}},
		{"B1 condition is a list", in(rest + `,"Condition":[]`), policy.Identity, []string{"error 1:100 Condition is no object"}},
		{"B1 operator of a string", in(rest + `,"Condition":{"Bool":"true"}`), policy.Identity, []string{"error 1:108 Condition is no object"}},
		{"every error is told", `{"Version":"x","Statement":{"Effect":"x"}}`, policy.Identity, []string{"error 1:12 Unknown policy version", "error 1:38 Unknown Effect", "error 1:28 No Action", "error 1:28 No Resource"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			doc, diags := parse(tc.text, tc.kind)
			if got := summaries(diags); !slices.Equal(got, tc.want) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			if doc.Unread == "" || doc.Statements != nil {
				t.Errorf("got Unread %q, %d statements; want no statements", doc.Unread, len(doc.Statements))
			}
			for _, d := range diags {
				if d.Origin != origin || d.Detail == "" || !strings.HasSuffix(d.Detail, ".") {
					t.Errorf("origin or detail is missing: %+v", d)
				}
			}
		})
	}
	doc, diags := parse("{\n\"Statement\":\n x}", policy.Identity)
	if got, want := diags[0].String(), "p.json:3:2: error: Policy is not JSON: A policy document is a JSON object, and this text is none: "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q…", got, want)
	}
	if want := "the policy is not valid JSON"; doc.Unread != want {
		t.Errorf("got %q, want %q", doc.Unread, want)
	}
	doc, _ = parse(in(`"Effect":"x"`), policy.Identity)
	if want := "the policy is malformed (unknown Effect at 1:49)"; doc.Unread != want {
		t.Errorf("got %q, want %q", doc.Unread, want)
	}
	doc, _ = policy.Decode(&source.Node{Kind: source.List}, "p", policy.Identity, origin)
	if want := "the policy is malformed (policy is no object)"; doc.Unread != want {
		t.Errorf("without places: got %q, want %q", doc.Unread, want)
	}
}

// What AWS refuses or readers get wrong, and tfguard evaluates all the same.
func TestParseWarnings(t *testing.T) {
	const rest = `"Effect":"Allow","Action":"s3:*","Resource":"*"`
	const everyone = rest + `,"Principal":"*"`
	tests := []struct {
		name, text string
		kind       policy.Kind
		want       []string
	}{
		{"none", in(rest), policy.Identity, nil},
		{"A2 Id", `{"Id":"x","Statement":[]}`, policy.Identity, []string{"warning 1:2 Id in this kind of policy"}},
		{"A2 Id of a resource policy", `{"Id":"x","Statement":[]}`, policy.Resource, nil},
		{"A1 RCP", `{"Statement":[]}`, policy.RCP, []string{"warning 1:1 Old version of an RCP"}},
		{"A6 Sid twice", `{"Statement":[{"Sid":"a",` + rest + `},{"Sid":"a",` + rest + `}]}`, policy.Identity, []string{"warning 1:82 Duplicate Sid"}},
		{"A6 empty Sid twice", `{"Statement":[{"Sid":"",` + rest + `},{"Sid":"",` + rest + `}]}`, policy.Identity, nil},
		{"A6 Sid with a space", in(`"Sid":"a b",` + rest), policy.Identity, []string{"warning 1:46 Sid with other characters"}},
		{"A6 Sid with a space in a resource policy", in(`"Sid":"a b",` + everyone), policy.Resource, nil},
		{"A7 Principal", in(everyone), policy.Identity, []string{"warning 1:88 Principal in this kind of policy"}},
		{"A7 Principal in an SCP", in(everyone), policy.SCP, []string{"warning 1:88 Principal in this kind of policy"}},
		{"A7 NotPrincipal in a trust policy", in(`"Effect":"Deny","Action":"sts:*","NotPrincipal":{"AWS":"111122223333"}`), policy.Trust, []string{"warning 1:73 NotPrincipal in this kind of policy"}},
		{"A7 NotPrincipal in an RCP", in(`"Effect":"Deny","Action":"s3:*","Resource":"*","NotPrincipal":{"AWS":"111122223333"}`), policy.RCP, []string{"warning 1:87 NotPrincipal in this kind of policy"}},
		{"A7 principal of an RCP", in(`"Effect":"Deny","Action":"s3:*","Resource":"*","Principal":{"AWS":"111122223333"}`), policy.RCP, []string{"warning 1:87 Principal of an RCP"}},
		{"A7 an RCP", in(`"Effect":"Deny","Action":"s3:*","Resource":"*","Principal":"*"`), policy.RCP, nil},
		{"A7 NotAction in an RCP", in(`"Effect":"Deny","NotAction":"s3:*","Resource":"*","Principal":"*"`), policy.RCP, []string{"warning 1:56 NotAction in an RCP"}},
		{"A7 Resource in a trust policy", in(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"`), policy.Trust, []string{"warning 1:99 Resource in a trust policy"}},
		{"C2 Allow in an RCP", in(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"`), policy.RCP, []string{"warning 1:57 Allow in an RCP"}},
		{"C2 what AWS attaches to every node", in(`"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"`), policy.RCP, nil},
		{"A19 every action in an RCP", in(`"Effect":"Deny","Action":"*","Resource":"*","Principal":"*"`), policy.RCP, []string{"warning 1:56 Every action in an RCP"}},
		{"A19 RCPFullAWSAccess", in(`"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"`), policy.RCP, nil},
		{"A8 type star", in(rest + `,"Principal":{"*":"*"}`), policy.Resource, []string{"warning 1:101 Principal type \"*\""}},
		{"A9 wildcard", in(rest + `,"Principal":{"AWS":"arn:aws:iam::111122223333:role/dev-*"}`), policy.Resource, []string{"warning 1:107 Wildcard in a principal"}},
		{"A9 every service", in(rest + `,"Principal":{"Service":"*"}`), policy.Resource, []string{"warning 1:111 Wildcard in a principal"}},
		{"A10 AWS star", in(rest + `,"Principal":{"AWS":"*"}`), policy.Resource, nil},
		{"A14 unique id", in(rest + `,"Principal":{"AWS":"AROAEXAMPLEID"}`), policy.Resource, []string{"warning 1:107 Principal is a unique id"}},
		{"A14 no ARN", in(rest + `,"Principal":{"AWS":"bob"}`), policy.Resource, []string{"warning 1:107 Principal is no ARN"}},
		{"A16 group", in(rest + `,"Principal":{"AWS":"arn:aws:iam::111122223333:group/g"}`), policy.Resource, []string{"warning 1:107 Group as a principal"}},
		{"A18 Allow with NotPrincipal", in(rest + `,"NotPrincipal":{"AWS":"111122223333"}`), policy.Resource, []string{"warning 1:88 Allow with NotPrincipal"}},
		{"A19 no service", in(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), policy.Identity, []string{"warning 1:66 Action without a service"}},
		{"A19 wildcard service", in(`"Effect":"Allow","Action":"s*:GetObject","Resource":"*"`), policy.Identity, []string{"warning 1:66 Wildcard in a service prefix"}},
		{"A19 everything", in(`"Effect":"Allow","Action":["*","*:*"],"Resource":"*"`), policy.Identity, nil},
		{"A19 variable", in(`"Effect":"Allow","Action":"s3:${aws:username}","Resource":"*"`), policy.Identity, []string{"warning 1:66 Policy variable in an action"}},
		{"A22 no ARN", in(`"Effect":"Allow","Action":"s3:*","Resource":["bucket","arn:aws:s3"]`), policy.Identity, []string{"warning 1:85 Resource is no ARN", "warning 1:94 Resource is no ARN"}},
		{"A22 contested", in(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:dynamodb:*:table/x"`), policy.Identity, []string{"warning 1:84 Resource is no full ARN"}},
		{"A22 wildcard service", in(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s?:::b"`), policy.Identity, []string{"warning 1:84 Wildcard in the service of an ARN"}},
		{"A23 short", in(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:*"`), policy.Identity, []string{"warning 1:84 Short ARN"}},
		{"A23 short in an RCP", in(`"Effect":"Deny","Action":"s3:*","Principal":"*","Resource":"arn:aws:s3:*"`), policy.RCP, []string{"warning 1:99 Short ARN"}},
		{"A28 before the fifth colon", in(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:iam::${aws:PrincipalAccount}:role/x"`), policy.Identity, []string{"warning 1:84 Policy variable before the resource part"}},
		{"A31 faulty", in(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username"`), policy.Identity, []string{"warning 1:84 Faulty policy variable"}},
		{"A34 a set", in(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:TagKeys}"`), policy.Identity, []string{"warning 1:84 Set as a policy variable"}},
		{"A1 no variables in a document of 2008", `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:TagKeys"}}`, policy.Identity, nil},
		{"B3 case", in(rest + `,"Condition":{"stringequals":{"k":"a"}}`), policy.Identity, []string{"warning 1:101 Operator in other case"}},
		{"B8 no key", in(rest + `,"Condition":{"StringEquals":{}}`), policy.Identity, []string{"warning 1:101 Empty condition"}},
		{"B8 no value", in(rest + `,"Condition":{"StringEquals":{"k":[]}}`), policy.Identity, []string{"warning 1:117 Questionable condition"}},
		{"B16", in(rest + `,"Condition":{"StringEquals":{"aws:CalledVia":"x"}}`), policy.Identity, []string{"warning 1:117 Questionable condition"}},
		{"B1 no condition", in(rest + `,"Condition":{}`), policy.Identity, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			doc, diags := parse(tc.text, tc.kind)
			if got := summaries(diags); !slices.Equal(got, tc.want) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			if doc.Unread != "" {
				t.Errorf("unread: %s", doc.Unread)
			}
			for _, d := range diags {
				if d.Detail == "" || !strings.HasSuffix(d.Detail, ".") {
					t.Errorf("detail is no sentence: %+v", d)
				}
			}
		})
	}
}

func statement(t *testing.T, text string, kind policy.Kind) policy.Statement {
	t.Helper()
	doc, diags := parse(text, kind)
	if doc.Unread != "" || len(doc.Statements) != 1 {
		t.Fatalf("got %d statements, %v", len(doc.Statements), diags)
	}
	return doc.Statements[0]
}

// Rules A2 and A4: one object or string stands for a list of one.
func TestParseOneOrMany(t *testing.T) {
	one, _ := parse(`{"Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*","Condition":{"NumericEquals":{"k":10}}}}`, policy.Identity)
	many, _ := parse(`{"Statement":[{"Effect":"Allow","Action":["s3:Get*"],"Resource":["*"],"Condition":{"NumericEquals":{"k":["10"]}}}]}`, policy.Identity)
	for _, doc := range []*policy.Document{one, many} {
		if doc.Version != policy.Version2008 {
			t.Errorf("A1: a missing Version: got %q", doc.Version)
		}
		s := doc.Statements[0]
		if len(s.Actions.Entries) != 1 || len(s.Resources.Entries) != 1 || len(s.Conditions) != 1 || s.Conditions[0].Values[0].Text != lit("10") {
			t.Errorf("got %+v", s)
		}
	}
	empty, diags := parse(`{"Statement":[]}`, policy.Identity)
	if empty.Unread != "" || len(empty.Statements) != 0 || len(diags) != 0 {
		t.Errorf("no statements: got %+v, %v", empty, diags)
	}
}

func TestParsePrincipals(t *testing.T) {
	type entry struct {
		typ   policy.PrincipalType
		text  string
		never bool
	}
	tests := []struct {
		name, principal string
		want            []entry
	}{
		{"A8 star", `"*"`, []entry{{policy.Everyone, "*", false}}},
		{"A10 AWS star", `{"AWS":"*"}`, []entry{{policy.Everyone, "*", false}}},
		{"A8 star of type star", `{"*":"*"}`, []entry{{policy.Everyone, "*", false}}},
		{"A8 several", `{"AWS":["111122223333","*"],"Service":["a.amazonaws.com","b.amazonaws.com"],"Federated":"x","CanonicalUser":"abc"}`, []entry{
			{policy.AWS, "111122223333", false}, {policy.Everyone, "*", false}, {policy.Service, "a.amazonaws.com", false},
			{policy.Service, "b.amazonaws.com", false}, {policy.Federated, "x", false}, {policy.CanonicalUser, "abc", false},
		}},
		{"A9 wildcards", `{"Service":"*","AWS":["arn:aws:iam::1111:role/*","arn:aws:sts::1111:assumed-role/R/?"],"Federated":"*"}`, []entry{
			{policy.Service, "*", true}, {policy.AWS, "arn:aws:iam::1111:role/*", true}, {policy.AWS, "arn:aws:sts::1111:assumed-role/R/?", true}, {policy.Federated, "*", true},
		}},
		{"A14 unique ids", `{"AWS":["AIDAX","AROAX","bob"]}`, []entry{{policy.AWS, "AIDAX", true}, {policy.AWS, "AROAX", true}, {policy.AWS, "bob", true}}},
		{"A16 group", `{"AWS":"arn:aws:iam::111122223333:group/g"}`, []entry{{policy.AWS, "arn:aws:iam::111122223333:group/g", true}}},
		{"none", `{}`, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			for _, element := range []string{"Principal", "NotPrincipal"} {
				s := statement(t, in(`"Effect":"Deny","Action":"s3:*","`+element+`":`+tc.principal), policy.Resource)
				var got []entry
				for _, e := range s.Principals.Entries {
					got = append(got, entry{e.Type, e.Text.String(), e.Never})
				}
				if !slices.Equal(got, tc.want) || s.Principals.Not != (element == "NotPrincipal") {
					t.Errorf("got %v, want %v", got, tc.want)
				}
			}
		})
	}
}

// Rule A7: elements of another kind of policy are not evaluated; rule A22: where
// Resource may be left out.
func TestParseKinds(t *testing.T) {
	s := statement(t, in(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"`), policy.Identity)
	if s.Principals != nil {
		t.Error("an identity policy has principals")
	}
	s = statement(t, in(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":"*"`), policy.Trust)
	if s.Resources != nil || s.Principals == nil {
		t.Error("a trust policy has resources, or no principals")
	}
	for _, kind := range []policy.Kind{policy.Resource, policy.Trust} {
		s = statement(t, in(`"Effect":"Allow","Action":"sqs:SendMessage","Principal":"*"`), kind)
		if s.Resources != nil {
			t.Errorf("%s: resources out of nothing", kind)
		}
	}
}

// Rules A19 and A20.
func TestActionsMatch(t *testing.T) {
	tests := []struct {
		name, action, prefix, verb string
		want                       kleene.Truth
	}{
		{"A19 literal", `"s3:GetObject"`, "s3", "getobject", kleene.True},
		{"A19 case", `"S3:getOBJECT"`, "s3", "getobject", kleene.True},
		{"A19 star", `"s3:Get*"`, "s3", "getobject", kleene.True},
		{"A19 question mark", `"s3:GetObjec?"`, "s3", "getobject", kleene.True},
		{"A19 other verb", `"s3:Put*"`, "s3", "getobject", kleene.False},
		{"A19 other service", `"s3:*"`, "s3express", "getobject", kleene.False},
		{"A19 everything", `"*"`, "s3", "getobject", kleene.True},
		{"A19 everything with a colon", `"*:*"`, "s3", "getobject", kleene.True},
		{"A19 wildcard service", `"s*:GetObject"`, "s3", "getobject", kleene.True},
		{"A19 no service", `"GetObject"`, "s3", "getobject", kleene.False},
		{"A19 several", `["iam:*","s3:GetObject"]`, "s3", "getobject", kleene.True},
		{"A4 none", `[]`, "s3", "getobject", kleene.False},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := statement(t, in(`"Effect":"Allow","Action":`+tc.action+`,"Resource":"*"`), policy.Identity)
			if got := s.Actions.Match(tc.prefix, tc.verb); got != tc.want {
				t.Errorf("Action: got %v, want %v", got, tc.want)
			}
			s = statement(t, in(`"Effect":"Allow","NotAction":`+tc.action+`,"Resource":"*"`), policy.Identity)
			if got := s.Actions.Match(tc.prefix, tc.verb); got != kleene.Not(tc.want) {
				t.Errorf("A20 NotAction: got %v, want %v", got, kleene.Not(tc.want))
			}
		})
	}
}

// Rules A22 to A25, A33, and A1 for documents of 2008.
func TestResourcesMatch(t *testing.T) {
	var ctx request.Context
	ctx.SetString("aws:username", "bob")
	tests := []struct {
		name, version, resource, text string
		want                          kleene.Truth
		contested                     string
	}{
		{"A22", policy.Version2012, `"arn:aws:s3:::b/*"`, "arn:aws:s3:::b/x", kleene.True, ""},
		{"A26 a bucket is not its objects", policy.Version2012, `"arn:aws:s3:::b/*"`, "arn:aws:s3:::b", kleene.False, ""},
		{"A22 several", policy.Version2012, `["arn:aws:s3:::a","arn:aws:s3:::b"]`, "arn:aws:s3:::b", kleene.True, ""},
		{"A22 contested", policy.Version2012, `["arn:aws:s3:::a","arn:aws:lambda:*:function:f"]`, "arn:aws:lambda:r:1:function:f", kleene.Unknown, "arn:aws:lambda:*:function:f"},
		{"A22 contested beside a match", policy.Version2012, `["arn:aws:lambda:*:function:f","*"]`, "arn:aws:lambda:r:1:function:f", kleene.True, ""},
		{"A23", policy.Version2012, `"arn:aws:s3:*"`, "arn:aws:s3:::b", kleene.True, ""},
		{"A28", policy.Version2012, `"arn:aws:s3:::b/${aws:username}/*"`, "arn:aws:s3:::b/bob/x", kleene.True, ""},
		{"A33 absent", policy.Version2012, `"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/bob/x", kleene.False, ""},
		{"A33 the other entries count", policy.Version2012, `["arn:aws:s3:::b/${aws:userid}/*","arn:aws:s3:::b/bob/x"]`, "arn:aws:s3:::b/bob/x", kleene.True, ""},
		{"A1 literal", policy.Version2008, `"arn:aws:s3:::b/${aws:username}"`, "arn:aws:s3:::b/${aws:username}", kleene.True, ""},
		{"A1 not substituted", policy.Version2008, `"arn:aws:s3:::b/${aws:username}"`, "arn:aws:s3:::b/bob", kleene.False, ""},
		{"A1 a wildcard in braces", policy.Version2008, `"arn:aws:s3:::b/${*}"`, "arn:aws:s3:::b/${xyz}", kleene.True, ""},
		{"A30 an escape", policy.Version2012, `"arn:aws:s3:::b/${*}"`, "arn:aws:s3:::b/*", kleene.True, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			for _, not := range []string{"", "Not"} {
				s := statement(t, `{"Version":"`+tc.version+`","Statement":{"Effect":"Allow","Action":"*","`+not+`Resource":`+tc.resource+`}}`, policy.Identity)
				want := tc.want
				if not != "" {
					want = kleene.Not(want) // A25
				}
				got, contested := s.Resources.Match(lit(tc.text), ctx.Lookup)
				if got != want || contested != tc.contested {
					t.Errorf("%sResource: got %v, contested %q; want %v, %q", not, got, contested, want, tc.contested)
				}
			}
		})
	}
}

// Rule A1: conditions of a document without variables.
func TestParseConditionOf2008(t *testing.T) {
	var ctx request.Context
	ctx.SetString("aws:username", "bob")
	for _, tc := range []struct {
		version, operator, value, got string
		want                          kleene.Truth
	}{
		{policy.Version2012, "StringEquals", "${aws:username}", "bob", kleene.True},
		{policy.Version2008, "StringEquals", "${aws:username}", "bob", kleene.False},
		{policy.Version2008, "StringEquals", "${aws:username}", "${aws:username}", kleene.True},
		{policy.Version2008, "StringLike", "${*}", "${x}", kleene.True},
		{policy.Version2008, "StringEquals", "${*}", "${x}", kleene.False},
		{policy.Version2012, "StringLike", "${*}", "${x}", kleene.False},
		{policy.Version2012, "StringLike", "${*}", "*", kleene.True},
	} {
		s := statement(t, `{"Version":"`+tc.version+`","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"`+tc.operator+`":{"x:k":"`+tc.value+`"}}}}`, policy.Identity)
		ctx.SetString("x:k", tc.got)
		if got := s.Conditions[0].Eval(ctx); got != tc.want {
			t.Errorf("%s %s %s with %s: got %v, want %v", tc.version, tc.operator, tc.value, tc.got, got, tc.want)
		}
	}
}

func str(s string) *source.Node { return &source.Node{Kind: source.String, Text: lit(s)} }

func object(pairs ...any) *source.Node {
	n := &source.Node{Kind: source.Object}
	for i := 0; i < len(pairs); i += 2 {
		n.Members = append(n.Members, source.Member{Name: pairs[i].(string), Value: pairs[i+1].(*source.Node)})
	}
	return n
}

func list(items ...*source.Node) *source.Node { return &source.Node{Kind: source.List, Items: items} }

func decode(t *testing.T, n *source.Node) *policy.Document {
	t.Helper()
	doc, diags := policy.Decode(n, "p", policy.Resource, origin)
	if len(diags) > 0 {
		t.Fatalf("got %v", diags)
	}
	return doc
}

// A36: what AWS refuses for its length or its characters.
func TestSize(t *testing.T) {
	text := func(resource string) string {
		return in(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + resource + `"`)
	}
	fixed := len(strings.ReplaceAll(text(""), " ", ""))
	for _, tc := range []struct {
		kind     policy.Kind
		resource string
		want     string
	}{
		{policy.Session, strings.Repeat("x", 2048-fixed), ""},
		{policy.Session, strings.Repeat("x", 2049-fixed), "Policy too long"},
		{policy.Session, strings.Repeat("ä", 2048-fixed), ""},
		{policy.SCP, strings.Repeat("x", 10_240-fixed), ""},
		{policy.SCP, strings.Repeat("x", 10_241-fixed), "Policy too long"},
		{policy.RCP, strings.Repeat("x", 5_121-fixed), "Policy too long"},
		{policy.Identity, "ÿ", ""},
		{policy.Identity, "Ā", "Character that policies cannot have"},
	} {
		_, diags := parse(text(tc.resource), tc.kind)
		got := slices.ContainsFunc(diags, func(d source.Diagnostic) bool {
			return d.Severity == source.Warning && (d.Summary == "Policy too long" || strings.HasPrefix(d.Summary, "Character"))
		})
		if got != (tc.want != "") || got && !slices.ContainsFunc(diags, func(d source.Diagnostic) bool { return d.Summary == tc.want }) {
			t.Errorf("%s with %d characters: got %v, want %q", tc.kind, fixed+utf8.RuneCountInString(tc.resource), summaries(diags), tc.want)
		}
	}
}

// Values that are known only after apply, in every place. The node comes from a
// plan: it has no places.
func TestDecodeUnknown(t *testing.T) {
	unknown := &source.Node{Kind: source.Unknown}
	named := &source.Node{Kind: source.Unknown, Text: symbol.Symbol{Name: "aws_x.y.z"}.Text()}
	partly := &source.Node{Kind: source.String, Text: symbol.Concat(lit("a"), symbol.Symbol{Name: "n"}.Text())}
	withElement := func(name string, v *source.Node) *source.Node {
		s := object("Effect", str("Allow"), "Action", str("s3:GetObject"), "Resource", str("*"), "Principal", str("*"))
		for i := range s.Members {
			if s.Members[i].Name == name {
				s.Members[i].Value = v
				return object("Version", str(policy.Version2012), "Statement", s)
			}
		}
		s.Members = append(s.Members, source.Member{Name: name, Value: v})
		return object("Version", str(policy.Version2012), "Statement", s)
	}
	for name, n := range map[string]*source.Node{
		"the policy":         unknown,
		"the statements":     object("Statement", unknown),
		"the version":        object("Version", unknown, "Statement", list(object("Effect", str("Allow"), "Action", str("*"), "Principal", str("*")))),
		"part of a version":  object("Version", partly, "Statement", list()),
		"version and policy": object("Version", unknown, "Statement", unknown),
	} {
		if doc := decode(t, n); !strings.Contains(doc.Unread, "known only after apply") || doc.Statements != nil {
			t.Errorf("%s: got %q and %d statements", name, doc.Unread, len(doc.Statements))
		}
	}

	t.Run("statement", func(t *testing.T) {
		doc := decode(t, object("Statement", list(unknown, named)))
		var got []string
		for _, s := range doc.Statements {
			got = append(got, string(s.Effect)+" "+strings.Join(s.Unknown, ","))
			if s.Actions.Match("s3", "getobject") != kleene.True || s.Resources != nil || len(s.Principals.Entries) == 0 {
				t.Errorf("an unknown statement excludes something: %+v", s)
			}
		}
		if want := []string{"Allow a statement", "Deny a statement", "Allow ${aws_x.y.z}", "Deny ${aws_x.y.z}"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if doc.Statements[1].Index != 1 || doc.Statements[2].Index != 2 {
			t.Error("the two halves of a statement have different indexes")
		}
	})
	t.Run("Effect", func(t *testing.T) {
		for _, n := range []*source.Node{unknown, partly} {
			doc := decode(t, withElement("Effect", n))
			if len(doc.Statements) != 2 || doc.Statements[0].Effect != policy.Allow || doc.Statements[1].Effect != policy.Deny || len(doc.Statements[0].Unknown) != 1 {
				t.Errorf("got %+v", doc.Statements)
			}
		}
	})
	t.Run("Sid", func(t *testing.T) {
		if s := decode(t, withElement("Sid", unknown)).Statements[0]; s.Sid != "" || len(s.Unknown) > 0 {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("Principal", func(t *testing.T) {
		s := decode(t, withElement("Principal", named)).Statements[0]
		var got []string
		for _, e := range s.Principals.Entries {
			got = append(got, string(e.Type)+" "+e.Text.String())
		}
		if want := []string{"AWS ${aws_x.y.z}", "Service ${aws_x.y.z}", "Federated ${aws_x.y.z}", "CanonicalUser ${aws_x.y.z}"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		s = decode(t, withElement("Principal", object("AWS", list(unknown, str("111122223333"))))).Statements[0]
		if e := s.Principals.Entries[0]; e.Text.Known() || e.Never || e.Type != policy.AWS || len(s.Principals.Entries) != 2 {
			t.Errorf("got %+v", s.Principals.Entries)
		}
	})
	t.Run("everyone", func(t *testing.T) {
		for _, tc := range []struct {
			value *source.Node
			want  kleene.Truth
		}{
			{str("*"), kleene.True}, {unknown, kleene.Unknown}, {partly, kleene.False}, {str("111122223333"), kleene.False},
			{str("arn:aws:iam::111122223333:role/*"), kleene.False},
			{&source.Node{Kind: source.String, Text: symbol.Symbol{Name: "id", Class: symbol.Segment}.Text()}, kleene.False},
		} {
			doc, _ := policy.Decode(withElement("Principal", object("AWS", tc.value)), "p", policy.Resource, origin)
			if got := doc.Statements[0].Principals.Entries[0].Everyone(); got != tc.want {
				t.Errorf("%v: got %v, want %v", tc.value.Text, got, tc.want)
			}
		}
		doc, _ := parse(in(`"Effect":"Deny","Action":"*","Principal":{"Service":"a.amazonaws.com"}`), policy.Resource)
		if got := doc.Statements[0].Principals.Entries[0].Everyone(); got != kleene.False {
			t.Errorf("a service: got %v, want false", got)
		}
	})
	t.Run("wildcard beside an unknown", func(t *testing.T) {
		wild := &source.Node{Kind: source.String, Text: symbol.Concat(partly.Text, lit("*"))}
		doc, diags := policy.Decode(withElement("Principal", object("AWS", wild)), "p", policy.Resource, origin)
		if len(diags) != 1 || !doc.Statements[0].Principals.Entries[0].Never {
			t.Errorf("A9: got %v", diags)
		}
	})
	t.Run("Action", func(t *testing.T) {
		for _, tc := range []struct {
			name  string
			value *source.Node
			want  kleene.Truth
		}{
			{"all of it", unknown, kleene.Unknown},
			{"one of a list", list(unknown, str("s3:GetObject")), kleene.True},
			{"the verb", &source.Node{Kind: source.String, Text: symbol.Concat(lit("s3:"), partly.Text)}, kleene.False},
			{"the end", &source.Node{Kind: source.String, Text: symbol.Concat(lit("s3:Get"), named.Text)}, kleene.Unknown},
			{"the service", &source.Node{Kind: source.String, Text: symbol.Concat(named.Text, lit(":Get*"))}, kleene.Unknown},
			{"no colon", &source.Node{Kind: source.String, Text: symbol.Concat(lit("Put"), named.Text)}, kleene.False},
		} {
			s := decode(t, withElement("Action", tc.value)).Statements[0]
			if got := s.Actions.Match("s3", "getobject"); got != tc.want || len(s.Unknown) > 0 {
				t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
			}
		}
	})
	t.Run("Resource", func(t *testing.T) {
		for _, tc := range []struct {
			name  string
			value *source.Node
			want  kleene.Truth
		}{
			{"all of it", unknown, kleene.Unknown},
			{"one of a list", list(named, str("arn:aws:s3:::b")), kleene.True},
			{"the bucket", &source.Node{Kind: source.String, Text: symbol.Concat(lit("arn:aws:s3:::"), named.Text)}, kleene.Unknown},
			{"another service", &source.Node{Kind: source.String, Text: symbol.Concat(lit("arn:aws:sqs:::"), named.Text)}, kleene.False},
		} {
			s := decode(t, withElement("Resource", tc.value)).Statements[0]
			if got, _ := s.Resources.Match(lit("arn:aws:s3:::b"), nil); got != tc.want {
				t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
			}
		}
	})
	t.Run("Condition", func(t *testing.T) {
		for name, n := range map[string]*source.Node{"all of it": unknown, "an operator": object("StringEquals", unknown)} {
			if s := decode(t, withElement("Condition", n)).Statements[0]; len(s.Unknown) != 1 || len(s.Conditions) > 0 {
				t.Errorf("%s: got %+v", name, s)
			}
		}
		var ctx request.Context
		s := decode(t, withElement("Condition", object("StringEquals", object("aws:SourceVpc", unknown)))).Statements[0]
		if got := s.Conditions[0].Eval(ctx); got != kleene.False {
			t.Errorf("an unknown value, absent key: got %v, want false", got)
		}
		// An unknown value of the request is another one, whatever its name.
		ctx.Set("aws:SourceVpc", symbol.Symbol{Name: "aws:SourceVpc"}.Text())
		if got := s.Conditions[0].Eval(ctx); got != kleene.Unknown {
			t.Errorf("an unknown value: got %v, want unknown", got)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"Statement":[]}`, in(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username, 'x'}"`),
		in(`"Sid":"a","Effect":"Deny","NotPrincipal":{"AWS":["111122223333","*"],"*":"*"},"NotAction":["*:*","x"],"NotResource":"arn:aws:s3:*"`),
		in(`"Effect":"Deny","Principal":"*","Action":"*","Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a*",1,true]},"IpAddress":{"aws:SourceIp":"1.2.3.4/5"},"Null":{"k":false},"DateLessThan":{"d":"2026-01-01T00:00:00.5"},"ArnLike":{"a":"${aws:SourceArn}"}}`),
		`{"Version":"2008-10-17","Statement":{"Effect":"Allow","effect":1}}`, `{"Statement":[{"Effect":"Allow"},"x",null]}`,
	} {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(1))
	}
	kinds := []policy.Kind{policy.Identity, policy.Resource, policy.Trust, policy.Boundary, policy.Session, policy.SCP, policy.RCP, policy.VPCEndpoint}
	var ctx request.Context
	ctx.SetString("aws:username", "bob")
	ctx.SetString("aws:SourceArn", "arn:aws:s3:::b")
	f.Fuzz(func(t *testing.T, text []byte, k uint8) {
		kind := kinds[int(k)%len(kinds)]
		doc, diags := policy.Parse(text, "p", kind, origin)
		again, diagsAgain := policy.Parse(text, "p", kind, origin)
		if !slices.Equal(diags, diagsAgain) || describe(doc, ctx) != describe(again, ctx) {
			t.Fatal("decoding twice gives two documents")
		}
		if diags.HasErrors() != (doc.Unread != "") || doc.Unread != "" && doc.Statements != nil {
			t.Fatalf("errors %v, Unread %q, %d statements", diags, doc.Unread, len(doc.Statements))
		}
		for _, d := range diags {
			if d.Summary == "" || d.Detail == "" || d.Range.Start.Line < 1 || d.Range.Start.Byte > len(text) || d.Range.End.Byte > len(text) || d.Range.End.Byte < d.Range.Start.Byte {
				t.Fatalf("a poor diagnostic: %+v", d)
			}
		}
		checkWritten(t, doc)
	})
}

// describe renders what a document does; patterns hold functions, which cannot be
// compared.
func describe(doc *policy.Document, ctx request.Context) string {
	var b strings.Builder
	b.WriteString(doc.Version + doc.Unread)
	for i := range doc.Statements {
		s := &doc.Statements[i]
		b.WriteString("\n" + s.Sid + string(s.Effect) + s.Range.Start.String())
		b.WriteString(s.Actions.Match("s3", "getobject").String())
		if s.Resources != nil {
			truth, contested := s.Resources.Match(lit("arn:aws:s3:::b/bob"), ctx.Lookup)
			b.WriteString(truth.String() + contested)
		}
		if s.Principals != nil {
			for _, e := range s.Principals.Entries {
				b.WriteString(string(e.Type) + e.Text.String())
			}
		}
		for j := range s.Conditions {
			c := &s.Conditions[j]
			b.WriteString(c.Operator.String() + c.Key + c.Wanted() + c.Eval(ctx).String())
		}
	}
	return b.String()
}
