package cloudformation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/cloudformation"
	"github.com/tfguard/tfguard/fixtures"
)

func managed(name string) (*policy.Document, bool) {
	text, ok := awsref.ManagedPolicy(name)
	if !ok {
		return nil, false
	}
	doc, _ := policy.Parse(text, name, policy.Identity, source.Origin{})
	return doc, true
}

func read(t testing.TB, text string, opts cloudformation.Options) *extract.Result {
	t.Helper()
	opts.ManagedPolicy = managed
	res, err := cloudformation.Read(context.Background(), strings.NewReader(text), "t.yaml", opts)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// policies lists the policies of an inventory with what is known of them.
func policies(res *extract.Result) []string {
	var out []string
	for _, p := range res.Inventory.Policies {
		line := fmt.Sprintf("%s %s %d -> %s", p.ID, p.Kind, len(p.Statements), strings.Join(p.AttachedTo, ", "))
		if p.Unread != "" {
			line += " unread: " + p.Unread
		}
		out = append(out, line)
	}
	return out
}

func summaries(res *extract.Result) []string {
	var out []string
	for _, d := range res.Diagnostics {
		out = append(out, fmt.Sprintf("%s %s: %s", d.Origin.Address, d.Range.Start, d.Summary))
	}
	return out
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}

const allow = `{Effect: Allow, Action: "s3:GetObject", Resource: "*"}`

// Policies are attached from both sides.
func TestAttachments(t *testing.T) {
	res := read(t, `
Conditions:
  C: !Equals [!Ref P, x]
Parameters:
  P: {Type: String}
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {AWS: "*"}}]}
      ManagedPolicyArns: [!Ref M, "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/NoSuchPolicy"]
      Policies:
        - {PolicyName: always, PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}}
        - !If [C, {PolicyName: perhaps, PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}}, !Ref AWS::NoValue]
  Named:
    Type: AWS::IAM::Role
    Condition: C
    Properties:
      RoleName: Named
  M:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}}
  Inline:
    Type: AWS::IAM::Policy
    Condition: C
    Properties: {PolicyName: i, Roles: [!Ref R, Named, Elsewhere], PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}}
`, cloudformation.Options{})
	equal(t, "policies", policies(res), []string{
		"Inline.PolicyDocument identity 1 -> R, Named, arn:aws:iam::${account}:role/Elsewhere",
		"M.PolicyDocument identity 1 -> R",
		"R.AssumeRolePolicyDocument trust 1 -> R",
		"R.Policies[0].PolicyDocument identity 1 -> R",
		"R.Policies[1].PolicyDocument identity 1 -> R",
		"arn:aws:iam::aws:policy/NoSuchPolicy identity 0 -> R unread: the AWS managed policy NoSuchPolicy is not known to this version",
		"arn:aws:iam::aws:policy/ReadOnlyAccess identity 3 -> R",
	})
	sure := map[string]string{}
	for _, p := range res.Inventory.Principals {
		for _, a := range p.Identity {
			sure[p.Address+" "+a.ID] = a.Sure.String() + " " + a.Why
		}
	}
	const whether = "unknown whether the condition C holds"
	for key, want := range map[string]string{
		"R R.Policies[0].PolicyDocument": "true ",
		"R R.Policies[1].PolicyDocument": whether,
		"R M.PolicyDocument":             "true ",
		"R Inline.PolicyDocument":        whether,
		// Both hang on one condition: where the role exists, so does the policy.
		"Named Inline.PolicyDocument": "true ",
	} {
		if sure[key] != want {
			t.Errorf("%s is %q, want %q", key, sure[key], want)
		}
	}
}

// Groups whose names CloudFormation makes up are not one group.
func TestUnnamedGroups(t *testing.T) {
	res := read(t, `
Resources:
  A: {Type: AWS::IAM::Group}
  B: {Type: AWS::IAM::Group}
  U: {Type: AWS::IAM::User, Properties: {Groups: [!Ref A]}}
  OfA: {Type: AWS::IAM::GroupPolicy, Properties: {PolicyName: a, GroupName: !Ref A, PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}}}
  OfB: {Type: AWS::IAM::GroupPolicy, Properties: {PolicyName: b, GroupName: !Ref B, PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}}}
`, cloudformation.Options{})
	var has []string
	for _, a := range res.Inventory.Principals[0].Identity {
		has = append(has, a.ID+" "+a.Sure.String())
	}
	equal(t, "policies of U", has, []string{"OfA.PolicyDocument true"})
}

// What is not known in one nested stack is not what is not known in another.
func TestNestedUnknowns(t *testing.T) {
	const child = `
Parameters: {P: {Type: String}}
Conditions: {IsA: !Equals [!Ref P, a]}
Mappings: {M: {a: {k: x}}}
Resources:
  If: {Type: AWS::S3::Bucket, Properties: {BucketName: !If [IsA, data-a, data-b]}}
  Odd: {Type: AWS::S3::Bucket, Properties: {BucketName: {"Fn::Transform": {Name: N, Parameters: {P: !Ref P}}}}}
  Map: {Type: AWS::S3::Bucket, Properties: {BucketName: !FindInMap [M, !Ref AWS::Region, k]}}
  Bad: {Type: AWS::S3::Bucket, Properties: {BucketName: !Select [0, !Ref P]}}
`
	res := read(t, `
Parameters: {A: {Type: String}, B: {Type: String}}
Resources:
  N1: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {P: !Ref A}}}
  N2: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {P: !Ref B}}}
`, cloudformation.Options{ReadFile: func(string) ([]byte, error) { return []byte(child), nil }})
	seen := map[symbol.Text]string{}
	for _, r := range res.Inventory.Resources {
		if other := seen[r.ARN]; other != "" {
			t.Errorf("%s and %s are both %s", other, r.Address, r.ARN)
		}
		seen[r.ARN] = r.Address
	}
	if len(seen) != 8 {
		t.Errorf("%d buckets, want 8", len(seen))
	}
}

// What is named by a value that is not known may be of the template, and may be
// outside of it: that its own does not allow something says nothing.
func TestPerhapsOutside(t *testing.T) {
	res := read(t, `
Parameters: {P: {Type: String}}
Resources:
  G: {Type: AWS::IAM::Group}
  M: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}}}
  R: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: [!Ref P]}}
  S: {Type: AWS::SSO::PermissionSet, Properties: {Name: s, CustomerManagedPolicyReferences: [{Name: !Ref P}]}}
  U: {Type: AWS::IAM::User, Properties: {Groups: [!Ref P]}}
`, cloudformation.Options{})
	for _, p := range res.Inventory.Principals {
		if !slices.ContainsFunc(p.Identity, func(a policy.Attached) bool { return a.Unread != "" }) {
			t.Errorf("%s has no policy from outside of the template: %v", p.Address, p.Identity)
		}
	}
}

// A choice may stand anywhere in the property Policies of AWS SAM, and around Role.
func TestSAMChoices(t *testing.T) {
	const text = `
Transform: AWS::Serverless-2016-10-31
Parameters: {P: {Type: String}}
Conditions: {C: !Equals [!Ref P, x]}
Resources:
  All:
    Type: AWS::Serverless::Function
    Properties: {Policies: !If [C, [ReadOnlyAccess, {Statement: [` + allow + `]}], !Ref AWS::NoValue]}
  Own:
    Type: AWS::Serverless::Function
    Properties: {Role: !If [C, !GetAtt AllRole.Arn, !Ref AWS::NoValue], Policies: ReadOnlyAccess}
  Reverse:
    Type: AWS::Serverless::Function
    Properties: {Role: !If [C, !Ref AWS::NoValue, !GetAtt AllRole.Arn], Policies: ReadOnlyAccess}
`
	for value, want := range map[string][]string{
		"x": {"AllRole AllRole.Policies[0].PolicyDocument", "AllRole ReadOnlyAccess", "ReverseRole ReadOnlyAccess"},
		"y": {"OwnRole ReadOnlyAccess"},
	} {
		res := read(t, text, cloudformation.Options{Parameters: map[string]string{"P": value}})
		var got []string
		for _, p := range res.Inventory.Principals {
			for _, a := range p.Identity {
				if name := strings.TrimPrefix(a.ID, "arn:aws:iam::aws:policy/"); !strings.HasPrefix(name, "service-role/") {
					got = append(got, p.Address+" "+name)
				}
			}
		}
		slices.Sort(got)
		equal(t, "policies where P is "+value, got, want)
	}
}

// AWS SAM tags the role that it generates as it tags the function.
func TestSAMRoleTags(t *testing.T) {
	const text = `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Tags: %s}}
Resources:
  F: {Type: AWS::Serverless::Function}
`
	tags := read(t, fmt.Sprintf(text, "{team: data}"), cloudformation.Options{}).Inventory.Principals[0].Tags
	if len(tags) != 2 || tags["team"].String() != "data" || tags["lambda:createdBy"].String() != "SAM" {
		t.Errorf("got %v", tags)
	}
	tags = read(t, fmt.Sprintf(text, "{Fn::Transform: {Name: Tags}}"), cloudformation.Options{}).Inventory.Principals[0].Tags
	if tags != nil {
		t.Errorf("got %v of tags that are not known", tags)
	}
}

// What a policy may be attached to does not hide what it is attached to.
func TestTargets(t *testing.T) {
	res := read(t, `
Parameters: {Env: {Type: String}, P: {Type: String}}
Conditions: {C: !Equals [!Ref P, x]}
Resources:
  Other: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${Env}-data"}}
  X:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: examplecorp-data
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: "*"}]}
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}
  Twice:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: !If [C, [!Ref Q, !Ref Q], [https://sqs.eu-west-1.amazonaws.com/123456789012/other]]
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Deny, Principal: "*", Action: "sqs:*"}]}
`, cloudformation.Options{})
	var got []string
	for _, r := range res.Inventory.Resources {
		for _, a := range r.Policies {
			got = append(got, fmt.Sprintf("%s has %s: %s", r.ARN, a.ID, a.Sure))
		}
	}
	equal(t, "attachments", got, []string{
		"arn:aws:s3:::examplecorp-data has X.PolicyDocument: true",
		"arn:aws:sqs:${region}:${account}:other has Twice.PolicyDocument: unknown",
		"arn:aws:s3:::${Env}-data has X.PolicyDocument: unknown",
		"arn:aws:sqs:${region}:${account}:q has Twice.PolicyDocument: unknown",
	})
}

// Every carrier of the table is found, decoded and placed.
func TestCarriers(t *testing.T) {
	for _, c := range cloudformation.Carriers() {
		t.Run(c.Type+"."+c.Path, func(t *testing.T) {
			statement := `{"Sid":"X","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}`
			value := `{"Version":"2012-10-17","Statement":[` + statement + `]}`
			if c.Path == "Statement" {
				value = statement
			}
			steps := strings.Split(c.Path, ".")
			for _, s := range slices.Backward(steps) {
				name, list := strings.CutSuffix(s, "[]")
				if list {
					value = "[" + value + "]"
				}
				value = `{"` + name + `":` + value + `}`
			}
			res := read(t, `{"Resources":{"X":{"Type":"`+c.Type+`","Properties":`+value+`}}}`, cloudformation.Options{})
			n := 0
			for _, p := range res.Inventory.Policies {
				if p.Origin.Address != "X" || p.Unread != "" {
					continue
				}
				for _, st := range p.Statements {
					if st.Sid == "X" && st.Range.Start.Line == 1 && st.Range.Start.Column > 1 {
						n++
					}
				}
			}
			if n != 1 {
				t.Errorf("%d statements found, want 1: %v", n, policies(res))
			}
		})
	}
}

// A policy may be an object, a JSON string, or a Sub string; the places are those
// in the file, where the text has lines of its own.
func TestPolicyText(t *testing.T) {
	const tmpl = `Parameters: {P: {Type: String}}
Resources:
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: b}}
  X:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: b
      PolicyDocument: %s
`
	for _, c := range []struct{ name, text, place, resource string }{
		{"object", `{Version: 2012-10-17, Statement: {Effect: Deny, Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::b/*"}}`, "8:56", "arn:aws:s3:::b/*"},
		{"block", "|\n        {\"Version\": \"2012-10-17\",\n         \"Statement\": [\n           {\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::b/*\"}]}", "11:12", "arn:aws:s3:::b/*"},
		{"sub block", "!Sub |\n        {\"Version\": \"2012-10-17\",\n         \"Statement\": [\n           {\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::${P}/*\"}]}", "11:12", "arn:aws:s3:::${P}/*"},
		{"quoted", `'{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}'`, "8:23", "*"},
		{"json string", `!ToJsonString {Version: 2012-10-17, Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "arn:aws:s3:::${P}"}]}`, "8:23", "arn:aws:s3:::${P}"},
		{"bare value", "!Sub |\n        {\"Version\": \"2012-10-17\",\n         \"Statement\": [{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", \"Resource\": ${P}}]}", "10:24", "${P}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := read(t, fmt.Sprintf(tmpl, c.text), cloudformation.Options{})
			p := res.Inventory.Policies[0]
			if p.Unread != "" || len(p.Statements) != 1 {
				t.Fatalf("%v %v", policies(res), res.Diagnostics)
			}
			st := p.Statements[0]
			if got := st.Range.Start.String(); got != c.place {
				t.Errorf("the statement is at %s, want %s", got, c.place)
			}
			if got := st.Resources.Entries[0].Text().String(); got != c.resource {
				t.Errorf("the resource is %s, want %s", got, c.resource)
			}
			if p.Origin.File != "t.yaml" || p.Origin.Address != "X" || !slices.Equal(p.AttachedTo, []string{"B"}) {
				t.Errorf("%+v %v", p.Origin, p.AttachedTo)
			}
		})
	}
}

// A key that is not known may be any: a statement with one says less, not nothing.
func TestPolicyTextKeys(t *testing.T) {
	for element, what := range map[string]string{
		`"Condition": {"StringEquals": {"${P}:sub": "x"}}`: "${what has the key ${P}:sub}",
		`"Condition": {"${P}": {"aws:username": "x"}}`:     "${what has the key ${P}}",
	} {
		res := read(t, `Parameters: {P: {Type: String}}
Resources:
  X:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: !Sub |
        {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", `+element+`}}
`, cloudformation.Options{})
		p := res.Inventory.Policies[0]
		if p.Unread != "" || len(p.Statements) != 1 || !slices.Equal(p.Statements[0].Unknown, []string{what}) {
			t.Errorf("%s: %q %v, want one statement with %q", element, p.Unread, p.Statements, what)
		}
	}
}

// What YAML can do to a template: it is read right, or refused with its place.
func TestYAMLDangers(t *testing.T) {
	bucketPolicy := func(st string) string {
		return "Resources:\n  X:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: b\n      PolicyDocument:\n        Version: 2012-10-17\n        Statement: " + st + "\n"
	}
	t.Run("refused", func(t *testing.T) {
		for _, c := range []struct{ name, text, want string }{
			{"tab", "Resources:\n\tX: {}\n", "t.yaml:2:1: this is not valid YAML or JSON: found character that cannot start any token"},
			{"not UTF-8", "Resources:\n  X: \xff\n", "t.yaml:2:6: this is not valid YAML or JSON: the text is not UTF-8"},
			{"two documents", "Resources: {}\n---\na: b\n", "t.yaml:2:1: this is not valid YAML or JSON: the text holds more than one document"},
			{"merge of a scalar", "Resources:\n  X:\n    <<: 1\n", "t.yaml:3:9: this is not valid YAML or JSON: a merge key (<<) takes an object, or a list of them"},
			{"binary", "Resources:\n  X: !!binary aGk=\n", "t.yaml:2:6: this is not valid YAML or JSON: the tag !!binary has no meaning here"},
			{"deep", "Resources: " + strings.Repeat("[", 400) + strings.Repeat("]", 400), "t.yaml:1:212: this is not valid YAML or JSON: the document is too deep, or its aliases unfold to too much"},
			{"control character", "a: b\nc: d\x00\n", "t.yaml:2:5: this is not valid YAML or JSON: control characters are not allowed"},
			{"JSON cut off", "{\"Resources\": {", "t.yaml:1:16: this is not valid YAML or JSON: the JSON text ends too early"},
			{"empty", "", "t.yaml:1:1: this is not valid YAML or JSON: the text is empty"},
			{"no template", "a: b\n", "t.yaml: this is no CloudFormation template: it has no section Resources"},
			{"a list", "- a\n", "t.yaml: this is no CloudFormation template: it has no section Resources"},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, err := cloudformation.Read(context.Background(), strings.NewReader(c.text), "t.yaml", cloudformation.Options{})
				var input *cloudformation.InputError
				if !errors.As(err, &input) || err.Error() != c.want {
					t.Errorf("got  %v\nwant %s", err, c.want)
				}
			})
		}
	})
	t.Run("read", func(t *testing.T) {
		deny := `{Effect: Deny, Principal: "*", Action: "s3:*", Resource: "*"}`
		for _, c := range []struct{ name, text, version, principal string }{
			{"unquoted date", bucketPolicy("[" + deny + "]"), "2012-10-17", "*"},
			{"BOM and CRLF", "\uFEFF" + strings.ReplaceAll(bucketPolicy("["+deny+"]"), "\n", "\r\n"), "2012-10-17", "*"},
			{"account", bucketPolicy(`[{Effect: Deny, Principal: {AWS: 123456789012}, Action: "s3:*", Resource: "*"}]`), "2012-10-17", "123456789012"},
			{"account with a zero and a nine", bucketPolicy(`[{Effect: Deny, Principal: {AWS: 012345678901}, Action: "s3:*", Resource: "*"}]`), "2012-10-17", "012345678901"},
			{"octal account", bucketPolicy(`[{Effect: Deny, Principal: {AWS: 012345670123}, Action: "s3:*", Resource: "*"}]`), "2012-10-17", "${012345670123, an octal number}"},
			{"anchor and merge", "Metadata: {S: &s {Effect: Deny, Principal: \"*\", Action: \"s3:*\"}}\n" + bucketPolicy("\n          - <<: *s\n            Resource: \"*\""), "2012-10-17", "*"},
		} {
			t.Run(c.name, func(t *testing.T) {
				res := read(t, c.text, cloudformation.Options{})
				p := res.Inventory.Policies[0]
				if p.Unread != "" || p.Version != c.version || len(p.Statements) != 1 {
					t.Fatalf("%v %v", policies(res), res.Diagnostics)
				}
				if got := p.Statements[0].Principals.Entries[0].Text.String(); got != c.principal {
					t.Errorf("the principal is %s, want %s", got, c.principal)
				}
			})
		}
	})
	t.Run("name twice", func(t *testing.T) {
		res := read(t, strings.Replace(bucketPolicy("[]"), "      Bucket: b\n", "      Bucket: b\n      PolicyDocument: {}\n", 1), cloudformation.Options{})
		equal(t, "diagnostics", summaries(res), []string{" 7:7: Name stands twice"})
		equal(t, "policies", policies(res), []string{
			"X.PolicyDocument resource 0 -> arn:aws:s3:::b unread: known only when the stack is made (${PolicyDocument, which stands twice})",
		})
	})
}

// Inputs that are made to cost much end in a refusal or an answer.
func TestBounds(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("Metadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&bomb, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	loop := "Transform: AWS::LanguageExtensions\nResources:\n"
	inner := "{Type: AWS::IAM::Role}"
	for i := range 8 {
		inner = fmt.Sprintf("{\"Fn::ForEach::L%d\": [I%d, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], {\"a%s\": %s}]}", i, i, "${I0}${I1}${I2}${I3}${I4}${I5}${I6}${I7}", inner)
	}
	loop += "  Fn::ForEach::Top: [T, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], " + inner + "]\n"
	many := func(name string) string {
		var b strings.Builder
		for i := range 100_000 {
			fmt.Fprintf(&b, "    %s%d: x\n", name, i)
		}
		return b.String()
	}
	for _, c := range []struct{ name, text, want string }{
		{"alias bomb", bomb.String() + "Resources: {}\n", "too deep, or its aliases unfold to too much"},
		{"50 MB", "Resources:\n  X: {Type: AWS::S3::Bucket, Description: " + strings.Repeat("x", 50<<20) + "}\n", "larger than five megabytes"},
		{"merge keys", "Metadata:\n  a: &a\n" + many("k") + "  b:\n    <<: *a\n" + many("z") + "Resources: {}\n", ""},
		{"loops", loop, ""},
		{"functions", "Resources: {X: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: " + strings.Repeat("!Join [a, [", 60) + strings.Repeat("]]", 60) + "}}}", ""},
		{"circular names", "Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref B}}, B: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref A}}}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := cloudformation.Read(context.Background(), strings.NewReader(c.text), "t.yaml", cloudformation.Options{})
			runtime.ReadMemStats(&after)
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 900 {
				t.Errorf("%d MB were allocated", mb)
			}
		})
	}
}

// A resource that does not fit its type is told of, with its line.
func TestTypedCheck(t *testing.T) {
	res := read(t, `Resources:
  P:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: p
      Roles: Reader
      PolicyDocument: {Version: 2012-10-17, Statement: `+allow+`}
  Q:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Nothing]
      PolicyDocument: {Version: 2012-10-17, Statement: {Effect: Deny, Principal: "*", Action: "sqs:*"}}
`, cloudformation.Options{})
	equal(t, "diagnostics", summaries(res), []string{" 11:16: Reference leads nowhere", "P 6:14: Property of another type"})
}

// YAML, JSON, short and long forms of a template are the same template.
func TestJSONAndYAML(t *testing.T) {
	short := read(t, `
Resources:
  B: {Type: AWS::S3::Bucket}
  P:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref B
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "${B.Arn}/*"}]}
`, cloudformation.Options{})
	long := read(t, `{"Resources": {"B": {"Type": "AWS::S3::Bucket"}, "P": {"Type": "AWS::S3::BucketPolicy", "Properties": {
  "Bucket": {"Ref": "B"},
  "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
    "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, "/*"]]}}]}}}}}`, cloudformation.Options{})
	text := func(res *extract.Result) []string {
		p := res.Inventory.Policies[0]
		return append(policies(res), p.Statements[0].Resources.Entries[0].Text().String(), res.Inventory.Resources[0].ARN.String())
	}
	equal(t, "templates", text(short), text(long))
}

// Files of parameters in the forms that tools take.
func TestParseParameters(t *testing.T) {
	for name, text := range map[string]string{
		"AWS CLI":      `[{"ParameterKey": "A", "ParameterValue": "1"}, {"ParameterKey": "B", "ParameterValue": "x,y"}, {"ParameterKey": "Kept", "UsePreviousValue": true}]`,
		"CodePipeline": `{"Parameters": {"A": "1", "B": ["x", "y"]}, "Tags": {"T": "v"}}`,
		"object":       `{"A": 1, "B": "x,y"}`,
		"YAML":         "A: 1\nB: [x, y]\n",
		"list":         `["A=1", "B=x,y"]`,
		"lines":        "# comment\nA=1\n\nB=x,y\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := cloudformation.ParseParameters([]byte(text), "p")
			if err != nil || len(got) != 2 || got["A"] != "1" || got["B"] != "x,y" {
				t.Errorf("%v %v", got, err)
			}
		})
	}
	for text, want := range map[string]string{
		`"x"`:                               "p: this is no file of parameters",
		`[{"Key": "A"}]`:                    "p:1:2: an item is",
		`{"A": {"B": 1}}`:                   "p:1:2: the parameter A has a value",
		`[{"ParameterKey": "A", "Parameter`: "p:1:",
		"A: 1\nB:\n  C: {}\n":               "p:2:1: the parameter B",
	} {
		if _, err := cloudformation.ParseParameters([]byte(text), "p"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// The value of a parameter that is not to be shown never is.
func TestNoEcho(t *testing.T) {
	const secret = "hunter2hunter2"
	res := read(t, `
Parameters: {S: {Type: String, NoEcho: true, Default: `+secret+`}}
Resources:
  X:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: b
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: "*", Action: "s3:*", Resource: "*", Condition: {StringEquals: {"aws:Referer": !Ref S}}}]}
`, cloudformation.Options{AssumeDefaults: true, Parameters: map[string]string{"S": secret}})
	if text := fmt.Sprintf("%+v %+v", res.Inventory.Policies[0].Document, res.Diagnostics); strings.Contains(text, secret) {
		t.Error(text)
	}
	if c := res.Inventory.Policies[0].Statements[0].Conditions[0]; c.Values[0].Text.String() != "${S}" {
		t.Errorf("the value is %s", c.Values[0].Text)
	}
}

// Readers do not share what they change.
func TestConcurrent(t *testing.T) {
	text := fixtures.Read(t, "cloudformation/condition/template.yaml")
	want := policies(read(t, string(text), cloudformation.Options{}))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			res, err := cloudformation.Read(context.Background(), bytes.NewReader(text), "t.yaml", cloudformation.Options{ManagedPolicy: managed})
			if err != nil || !slices.Equal(policies(res), want) {
				t.Error("another result")
			}
		})
	}
	wg.Wait()
}

// Public access of buckets, as the template has it.
func TestPublicAccess(t *testing.T) {
	res := read(t, `
Parameters: {P: {Type: String}}
Resources:
  A: {Type: AWS::S3::Bucket}
  B: {Type: AWS::S3::Bucket, Properties: {PublicAccessBlockConfiguration: {RestrictPublicBuckets: false, BlockPublicPolicy: "true", IgnorePublicAcls: !Ref P}}}
`, cloudformation.Options{})
	a, b := res.Inventory.Resources[0].PublicAccess, res.Inventory.Resources[1].PublicAccess
	if a.RestrictPublicBuckets != kleene.True || b.RestrictPublicBuckets != kleene.False || b.BlockPublicPolicy != kleene.True || b.IgnorePublicACLs != kleene.Unknown {
		t.Errorf("%+v %+v", a, b)
	}
}

// Of a resource whose properties a change set does not show nothing is known: not
// that it has no name of its own, no tags, or the defaults.
func TestHiddenProperties(t *testing.T) {
	res := read(t, `{"ChangeSetName": "c", "Changes": [
		{"ResourceChange": {"Action": "Add", "LogicalResourceId": "B", "ResourceType": "AWS::S3::Bucket"}},
		{"ResourceChange": {"Action": "Add", "LogicalResourceId": "U", "ResourceType": "AWS::IAM::User"}}]}`, cloudformation.Options{})
	b, u := res.Inventory.Resources[0], res.Inventory.Principals[0]
	if got := b.ARN.String(); got != "arn:aws:s3:::${B.BucketName}" || b.PublicAccess.RestrictPublicBuckets != kleene.Unknown || u.Tags != nil {
		t.Errorf("%s %+v %v", got, b.PublicAccess, u.Tags)
	}
	for s := range b.ARN.Symbols() {
		if s.Unique {
			t.Errorf("%s may be a name that the template gives", s.Name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range fixtures.Files(f, "cloudformation", ".yaml") {
		f.Add(text)
	}
	f.Add([]byte(`{"Resources":{"A":{"Type":"AWS::IAM::Policy","Properties":{"PolicyDocument":{"Fn::If":["C",{},{"Ref":"AWS::NoValue"}]}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		res, err := cloudformation.Read(context.Background(), bytes.NewReader(text), "t.yaml", cloudformation.Options{})
		if err == nil && (res == nil || res.Inventory == nil || res.Format == "") {
			t.Error("neither a result nor an error")
		}
	})
}
