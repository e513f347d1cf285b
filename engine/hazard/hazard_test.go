package hazard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

func lit(s string) symbol.Text { return symbol.Literal(s) }

// world has one role and one bucket.
type world struct {
	role      *chain.Principal
	bucket    *chain.Target
	endpoints []chain.Endpoint
	now       symbol.Text
}

func (w *world) Principals() []*chain.Principal { return []*chain.Principal{w.role} }
func (w *world) Targets() []*chain.Target       { return []*chain.Target{w.bucket} }
func (w *world) Endpoints() []chain.Endpoint    { return w.endpoints }
func (w *world) Trails() []chain.Trail          { return nil }
func (w *world) Workgroups() []chain.Workgroup  { return nil }

func (w *world) Environment() chain.Environment {
	admin, _ := policy.Parse(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "admin", policy.Identity, source.Origin{})
	return chain.Environment{Account: lit("111122223333"), Partition: lit("aws"), Region: lit("eu-west-1"), Administrator: admin, Time: w.now}
}

func parse(t *testing.T, kind policy.Kind, address, statements string) []policy.Attached {
	t.Helper()
	doc, diags := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[`+statements+`]}`), address+".policy", kind, source.Origin{Address: address})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return []policy.Attached{{Document: doc, Sure: kleene.True}}
}

func newWorld(t *testing.T, identity, bucket string) *world {
	t.Helper()
	w := &world{
		role:   &chain.Principal{Address: "role.r", Caller: request.Caller{Tags: map[string]symbol.Text{}, Principal: chain.RoleSession(lit("aws"), lit("111122223333"), lit("role/r"), lit("r"))}},
		bucket: &chain.Target{Address: "bucket.b", Kind: chain.BucketTarget, ARN: lit("arn:aws:s3:::b"), Account: lit("111122223333")},
	}
	if identity != "" {
		w.role.Identity = parse(t, policy.Identity, "role.r", identity)
	}
	if bucket != "" {
		w.bucket.Policies = parse(t, policy.Resource, "bucket.b", bucket)
	}
	return w
}

const (
	all       = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	cloudset  = `{"Sid":"Logs","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`
	perimeter = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"}GUARD}}`
	noGlue    = `{"Sid":"NoGlue","Effect":"Deny","Action":"glue:*","Resource":"*"}`
)

// messages renders findings as "rule: message", the addresses beside.
func messages(fs []hazard.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Rule.ID+" "+f.Address+": "+f.Message)
	}
	return out
}

// broken are the findings about refused calls.
func broken(w *world, replays []*chain.Replay) []hazard.Finding {
	return slices.DeleteFunc(hazard.Find(hazard.Input{World: w, Replays: replays}), func(f hazard.Finding) bool {
		return f.Rule != hazard.ServicePrincipalLockedOut && f.Rule != hazard.ChainBroken
	})
}

// Each rule fires on a policy that has the defect and is silent on its mended twin.
func TestFind(t *testing.T) {
	guarded := strings.Replace(perimeter, "GUARD", `,"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`, 1)
	bare := strings.Replace(perimeter, "GUARD", "", 1)
	trust := `{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}`
	for _, tc := range []struct {
		name   string
		chains []string
		make   func(t *testing.T) *world
		want   []string
	}{
		{"H03 a service is locked out", []string{"cloudtrail-s3"}, func(t *testing.T) *world { return newWorld(t, "", cloudset+","+bare) },
			[]string{"service-principal-locked-out bucket.b: cloudtrail.amazonaws.com may not call s3:GetBucketAcl on bucket.b: statement 2 of bucket.b.policy denies what statement 1 (Logs) allows."}},
		{"H24 an RCP locks a service out of a bucket that the input does not define", []string{"cloudtrail-s3"}, func(t *testing.T) *world {
			w := newWorld(t, "", cloudset)
			w.bucket.Address = ""
			w.bucket.RCP = []engine.Level{parse(t, policy.RCP, "rcp", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`)}
			return w
		}, []string{"service-principal-locked-out rcp: cloudtrail.amazonaws.com may not call s3:GetBucketAcl on arn:aws:s3:::b: statement 1 of rcp.policy denies what statement 1 (Logs) of bucket.b.policy allows."}},
		{"Block Public Access breaks a chain", []string{"athena-public"}, func(t *testing.T) *world {
			w := newWorld(t, all, `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`)
			w.bucket.Account, w.bucket.RestrictPublic = lit("444455556666"), kleene.True
			return w
		}, []string{"chain-broken : role.r is granted s3:ListBucket on bucket.b through athena-public, and hop 2, s3:ListBucket, is denied by S3 Block Public Access."}},
		{"H03 mended", []string{"cloudtrail-s3"}, func(t *testing.T) *world { return newWorld(t, "", cloudset+","+guarded) }, nil},
		{"H03 denied and not let in", []string{"cloudtrail-s3"}, func(t *testing.T) *world {
			return newWorld(t, "", bare+`,{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/elsewhere/*"}`)
		}, nil},
		{"H03 not let in", []string{"cloudtrail-s3"}, func(t *testing.T) *world {
			return newWorld(t, "", `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}`)
		}, nil},
		{"a role that its trust policy locks out", []string{"cloudformation-service-role"}, func(t *testing.T) *world {
			w := newWorld(t, all, "")
			w.role.Trust = parse(t, policy.Trust, "role.r.trust", trust+`,{"Effect":"Deny","Principal":"*","Action":"sts:*"}`)[0].Document
			return w
		}, []string{"service-principal-locked-out role.r.trust: cloudformation.amazonaws.com may not call sts:AssumeRole on arn:aws:iam::111122223333:role/r: statement 2 of role.r.trust.policy denies what statement 1 allows."}},
		{"a role that is trusted", []string{"cloudformation-service-role"}, func(t *testing.T) *world {
			w := newWorld(t, all, "")
			w.role.Trust = parse(t, policy.Trust, "role.r.trust", trust)[0].Document
			return w
		}, nil},
		{"a chain that a Deny breaks", []string{"athena-public"}, func(t *testing.T) *world { return newWorld(t, all+","+noGlue, "") },
			[]string{"chain-broken role.r: role.r is granted s3:ListBucket on bucket.b through athena-public, and hop 2, glue:GetDatabase, is denied by statement 2 (NoGlue) of role.r.policy."}},
		{"a chain that holds", []string{"athena-public"}, func(t *testing.T) *world { return newWorld(t, all, "") }, nil},
		{"a chain that nobody granted the entry of", []string{"athena-public"}, func(t *testing.T) *world {
			return newWorld(t, `{"Effect":"Allow","Action":"s3:*","Resource":"*"},`+noGlue, "")
		}, nil},
		{"a chain that nobody granted the end of", []string{"athena-public"}, func(t *testing.T) *world {
			return newWorld(t, `{"Effect":"Allow","Action":["athena:*","s3:ListAllMyBuckets"],"Resource":"*"},`+noGlue, "")
		}, nil},
		{"a chain that a boundary breaks", []string{"athena-public"}, func(t *testing.T) *world {
			w := newWorld(t, all, "")
			w.role.Boundary = parse(t, policy.Boundary, "boundary", `{"Effect":"Allow","Action":["athena:*","s3:*"],"Resource":"*"}`)
			return w
		}, []string{"chain-broken role.r: role.r is granted s3:ListBucket on bucket.b through athena-public, and hop 2, glue:GetDatabase, is outside of its permissions boundary."}},
		{"a boundary and an SCP", []string{"athena-public"}, func(t *testing.T) *world {
			w := newWorld(t, all, "")
			w.role.Boundary = parse(t, policy.Boundary, "boundary", `{"Effect":"Allow","Action":["athena:*","s3:*"],"Resource":"*"}`)
			w.role.SCP = []engine.Level{parse(t, policy.SCP, "scp", `{"Effect":"Allow","Action":["athena:*","s3:*"],"Resource":"*"}`)}
			return w
		}, []string{"chain-broken role.r: role.r is granted s3:ListBucket on bucket.b through athena-public, and hop 2, glue:GetDatabase, is outside of its permissions boundary and service control policies."}},
		{"a chain that is also not granted in between", []string{"athena-public"}, func(t *testing.T) *world {
			w := newWorld(t, `{"Effect":"Allow","Action":["athena:*","s3:*"],"Resource":"*"}`, "")
			w.role.SCP = []engine.Level{parse(t, policy.SCP, "scp", `{"Effect":"Allow","Action":["athena:*","s3:*"],"Resource":"*"}`)}
			return w
		}, nil},
		{"an Allow of an SCP grants nothing", []string{"athena-public"}, func(t *testing.T) *world {
			w := newWorld(t, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, "")
			w.role.SCP = []engine.Level{parse(t, policy.SCP, "scp", all+","+noGlue)}
			return w
		}, nil},
		{"an endpoint's policy", []string{"athena-privatelink"}, func(t *testing.T) *world {
			w := newWorld(t, all, "")
			w.endpoints = []chain.Endpoint{{ID: lit("vpce-1"), VPC: lit("vpc-1"), Service: "athena", Policies: parse(t, policy.VPCEndpoint, "endpoint", `{"Effect":"Allow","Principal":"*","Action":"athena:Get*","Resource":"*"}`)}}
			return w
		}, []string{"chain-broken role.r: role.r is granted s3:ListBucket on bucket.b through athena-privatelink, and hop 1, athena:StartQueryExecution, is outside of its VPC endpoint policy."}},
		{"a direct call is no chain", []string{"direct-corporate", "direct-internet"}, func(t *testing.T) *world { return newWorld(t, all, bare) }, nil},
		{"stand-ins are nobody's chain", []string{"athena-public"}, func(t *testing.T) *world {
			return newWorld(t, "", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`)
		}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := tc.make(t)
			res := chain.Run(w, chain.Options{Chains: tc.chains})
			got := broken(w, res.Replays)
			if !slices.Equal(messages(got), tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(messages(got), "\n"), strings.Join(tc.want, "\n"))
			}
			for _, f := range got {
				r := res.Replays[f.Replay]
				if r.Verdict == engine.Allowed || r.Verdict == engine.Unknown {
					t.Errorf("the proof of %s is %v", f.Message, r.Verdict)
				}
				if f.Origin.Address != f.Address {
					t.Errorf("address %q, origin %v", f.Address, f.Origin)
				}
			}
			// Folding keeps the findings.
			folded := broken(w, chain.Run(w, chain.Options{Chains: tc.chains, MaxReplays: 1}).Replays)
			if !slices.Equal(messages(folded), tc.want) {
				t.Errorf("folded: got %q", messages(folded))
			}
		})
	}
}

// One cause is one finding, not one for each chain and action that it breaks.
func TestFindOnce(t *testing.T) {
	w := newWorld(t, all+","+noGlue, "")
	var got []string
	for _, f := range broken(w, chain.Run(w, chain.Options{}).Replays) {
		got = append(got, f.Rule.ID+" "+strings.Fields(f.Message)[7])
	}
	if want := []string{"chain-broken athena-public,"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// find parses a policy and finds what is wrong with it.
func find(t *testing.T, kind policy.Kind, statements string) []hazard.Finding {
	t.Helper()
	doc, diags := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":`+statements+`}`), "p", kind, source.Origin{Address: "example"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return hazard.Find(hazard.Input{Policies: []*policy.Document{doc}})
}

// Two rules that name two keys of one condition by which services are locked out have
// one cause.
func TestFindMergesRules(t *testing.T) {
	fs := find(t, policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0","aws:PrincipalAccount":"111122223333"}}}`)
	var got []string
	for _, f := range fs {
		codes := []string{f.Rule.Code}
		for _, r := range f.Also {
			codes = append(codes, r.Code)
		}
		got = append(got, strings.Join(codes, "+"))
	}
	if want := []string{"H03+H24", "H42"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Policies of one resource have causes of their own, instances of one resource share
// theirs.
func TestFindMergesInstances(t *testing.T) {
	var docs []*policy.Document
	for _, p := range [][2]string{
		{"Role", "Policies[0].PolicyDocument"}, {"Role", "Policies[1].PolicyDocument"},
		{`aws_iam_policy.p["a"]`, "policy"}, {`aws_iam_policy.p["b]c"]`, "policy"}, {"aws_iam_policy.q[0]", "policy"},
	} {
		doc, _ := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}}`), p[0]+"."+p[1], policy.Identity, source.Origin{Address: p[0]})
		docs = append(docs, doc)
	}
	var got []string
	for _, f := range hazard.Find(hazard.Input{Policies: docs}) {
		where, _, _ := strings.Cut(f.Message, ": ")
		places := []string{where}
		for _, p := range f.Places {
			places = append(places, p.Address)
		}
		got = append(got, strings.Join(places, " and "))
	}
	if want := []string{
		"statement 1 of Role.Policies[0].PolicyDocument", "statement 1 of Role.Policies[1].PolicyDocument",
		`statement 1 of aws_iam_policy.p["a"].policy and aws_iam_policy.p["b]c"]`, "statement 1 of aws_iam_policy.q[0].policy",
	}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a Deny asks of the caller's own request is not known to a chain: a remark.
func TestFindUnsent(t *testing.T) {
	header := `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}`
	for name, tc := range map[string]struct{ bucket, want string }{
		"a header":             {header, "info without s3:x-amz-server-side-encryption"},
		"a VPC":                {`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`, "warning"},
		"a header and a Deny":  {header + `,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:ViaAWSService":"true"}}}`, "warning"},
		"a key of the network": {`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"Null":{"aws:SourceVpce":"true"}}}`, "warning"},
	} {
		w := newWorld(t, all, tc.bucket)
		got := ""
		for _, f := range broken(w, chain.Run(w, chain.Options{Chains: []string{"athena-public"}}).Replays) {
			got = f.Severity.String()
			if _, after, ok := strings.Cut(f.Message, "is denied without "); ok {
				got += " without " + strings.Fields(after)[0]
			}
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// A statement that breaks the chains of several principals is one cause.
func TestFindMergesPrincipals(t *testing.T) {
	w := &twoRoles{world: newWorld(t, all, strings.Replace(perimeter, "GUARD", "", 1)), other: newWorld(t, all, "").role}
	w.other.Address = "role.other"
	var got []string
	for _, f := range hazard.Find(hazard.Input{World: w, Replays: chain.Run(w, chain.Options{Chains: []string{"athena-privatelink"}}).Replays}) {
		if f.Rule == hazard.ChainBroken {
			got = append(got, strings.Fields(f.Message)[0])
			for _, p := range f.Places {
				got = append(got, "and "+p.Address)
			}
		}
	}
	if want := []string{"role.r", "and role.other"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

type twoRoles struct {
	*world
	other *chain.Principal
}

func (w *twoRoles) Principals() []*chain.Principal { return []*chain.Principal{w.role, w.other} }

// The faulty values of one condition are one finding.
func TestFindMergesValues(t *testing.T) {
	allow := `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":%s}`
	for code, tc := range map[string][2]string{
		"H19": {`{"StringEquals":{"s3:prefix":["home/*","all","work/*"]}}`, `StringEquals knows no wildcards, as in "home/*", "work/*".`},
		"H20": {`{"ArnLike":{"aws:PrincipalArn":["arn:aws:sts::111122223333:assumed-role/a/b","arn:aws:iam::111122223333:role/r"]}}`, `aws:PrincipalArn is the ARN of the role, and never "arn:aws:sts::111122223333:assumed-role/a/b".`},
		"H26": {`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24","172.16.0.0/12"]}}`, `aws:SourceIp is never private, as in "10.0.0.0/8", "172.16.0.0/12".`},
		"H40": {`{"StringLike":{"aws:PrincipalOrgID":["o-a*","o-b*"]}}`, `aws:PrincipalOrgID is asked for identifiers with wildcards, "o-a*", "o-b*".`},
	} {
		var got []string
		for _, f := range find(t, policy.Identity, fmt.Sprintf(allow, tc[0])) {
			if f.Rule.Code == code {
				got = append(got, strings.TrimPrefix(f.Message, "statement 1 of p: "))
			}
		}
		if !slices.Equal(got, []string{tc[1]}) {
			t.Errorf("%s: got %q, want %q", code, got, tc[1])
		}
	}
}

// A statement that lets everybody in is found whatever the call and the resource, where
// the engine allows a stranger's call.
func TestOpen(t *testing.T) {
	const (
		bucket   = "arn:aws:s3:::b"
		topic    = "arn:aws:sns:eu-west-1:111122223333:t"
		queue    = "arn:aws:sqs:eu-west-1:111122223333:q"
		key      = "arn:aws:kms:eu-west-1:111122223333:key/k"
		function = "arn:aws:lambda:eu-west-1:111122223333:function:f"
		anybody  = "anybody, without credentials, may call "
		admin    = "an administrator of any account of AWS may call "
	)
	allow := func(action, rest string) string {
		return `{"Effect":"Allow","Principal":"*","Action":` + action + rest + `}`
	}
	for _, tc := range []struct{ name, arn, statements, want string }{
		{"objects deleted", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"arn:aws:s3:::b/*"`), "error " + anybody + "s3:DeleteObject"},
		{"versions listed", bucket, allow(`"s3:ListBucketVersions"`, `,"Resource":"arn:aws:s3:::b"`), "error " + anybody + "s3:ListBucketVersions"},
		{"versions listed of objects", bucket, allow(`"s3:ListBucketVersions"`, `,"Resource":"arn:aws:s3:::b/*"`), ""},
		{"a header that anybody may send", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"StringEquals":{"s3:x-amz-acl":"private"}}`), "error " + anybody + "s3:DeleteObject"},
		{"the account's callers", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`), ""},
		{"the account's network", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), ""},
		{"half of the Internet, which ip-range tells", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`), ""},
		{"a Deny for strangers", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*"`) + `,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}}}`, ""},
		{"a Deny of something else", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*"`) + `,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}`, "error " + anybody + "s3:DeleteObject"},
		{"subscriptions", topic, allow(`"SNS:Subscribe"`, `,"Resource":"`+topic+`","Condition":{"StringEquals":{"sns:Protocol":"https"}}`), "error " + anybody + "SNS:Subscribe"},
		{"subscriptions of one owner", topic, allow(`"SNS:Subscribe"`, `,"Resource":"`+topic+`","Condition":{"StringEquals":{"aws:SourceOwner":"111122223333"}}`), ""},
		{"a URL without authentication", function, allow(`"lambda:InvokeFunctionUrl"`, `,"Resource":"*","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}`), "warning " + anybody + "lambda:InvokeFunctionUrl"},
		{"a URL for callers of AWS", function, allow(`"lambda:InvokeFunctionUrl"`, `,"Resource":"*","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"AWS_IAM"}}`), "warning " + admin + "lambda:InvokeFunctionUrl"},
		{"a function through its URL alone", function, allow(`"lambda:InvokeFunction"`, `,"Resource":"*","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}`), ""},
		{"a repository", "arn:aws:ecr:eu-west-1:111122223333:repository/r", allow(`"ecr:BatchGetImage"`, ``), "error " + admin + "ecr:BatchGetImage"},
		{"a repository of the gallery", "arn:aws:ecr-public::111122223333:repository/r", allow(`["ecr-public:GetRepositoryPolicy","ecr-public:DescribeImages"]`, ``), ""},
		{"a repository of the gallery to push to", "arn:aws:ecr-public::111122223333:repository/r", allow(`["ecr-public:GetRepositoryPolicy","ecr-public:PutImage"]`, ``), "error " + admin + "ecr-public:PutImage"},
		{"an API", "arn:aws:apigateway:eu-west-1::/restapis/abc", allow(`"execute-api:Invoke"`, `,"Resource":"arn:aws:execute-api:eu-west-1:111122223333:abc/*/GET/*"`), "warning " + anybody + "execute-api:Invoke"},
		{"a private API", "arn:aws:apigateway:eu-west-1::/restapis/abc", allow(`"execute-api:Invoke"`, `,"Resource":"*"`) + `,{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}`, ""},
		{"a domain", "arn:aws:es:eu-west-1:111122223333:domain/d", allow(`"es:*"`, `,"Resource":"arn:aws:es:eu-west-1:111122223333:domain/d/*"`), "warning " + anybody + "es:ESHttpDelete"},
		{"a file system", "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", allow(`"*"`, ``), "warning " + anybody + "elasticfilesystem:ClientMount"},
		{"a file system by its mount targets", "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", allow(`"*"`, `,"Condition":{"Bool":{"elasticfilesystem:AccessedViaMountTarget":"true"}}`), ""},
		{"an event bus", "arn:aws:events:eu-west-1:111122223333:event-bus/default", allow(`"events:PutEvents"`, `,"Resource":"*","Condition":{"StringEquals":{"events:source":"app"}}`), "error " + admin + "events:PutEvents"},
		{"a tag that any role may have", "arn:aws:events:eu-west-1:111122223333:event-bus/default", allow(`"events:PutEvents"`, `,"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"app"}}`), "error " + admin + "events:PutEvents"},
		{"a bucket's policy, which its account alone changes", bucket, allow(`["s3:PutBucketPolicy","s3:GetBucketPolicy","s3:DeleteBucketPolicy"]`, `,"Resource":"*"`), ""},
		{"a bucket's policy and objects", bucket, allow(`["s3:PutBucketPolicy","s3:DeleteObj*"]`, `,"Resource":"*"`), "error " + anybody + "s3:DeleteObject"},
		{"a queue that its account alone deletes", queue, allow(`["sqs:DeleteQueue","SQS:SetQueueAttributes","sqs:Tag*"]`, `,"Resource":"*"`), ""},
		{"a queue", queue, allow(`"sqs:*"`, `,"Resource":"*"`), "error " + anybody + "sqs:ChangeMessageVisibility"},
		{"a key that its account alone deletes", key, allow(`["kms:ScheduleKeyDeletion","kms:PutKeyPolicy"]`, `,"Resource":"*"`), ""},
		{"a key", key, allow(`"kms:*"`, `,"Resource":"*"`), "error " + admin + "kms:CreateGrant"},
		{"a key to sign with", key, allow(`["kms:ScheduleKeyDeletion","KMS:Sign"]`, `,"Resource":"*"`), "error " + admin + "KMS:Sign"},
		{"a caller with MFA", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}`), "error " + admin + "s3:DeleteObject"},
		{"a caller without MFA", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`), "error " + admin + "s3:DeleteObject"},
		{"any user of a name", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"StringLike":{"aws:username":"deploy-*"},"StringEquals":{"aws:PrincipalType":"User"}}`), "error " + admin + "s3:DeleteObject"},
		{"any role of a name", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"}}`), "error " + admin + "s3:DeleteObject"},
		{"any role of a name, in short", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"*:role/team/Admin-*"}}`), "error " + admin + "s3:DeleteObject"},
		{"any role of a name beside one", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/a","arn:aws:iam::*:role/b"]}}`), "error " + admin + "s3:DeleteObject"},
		{"a role of one account", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`), ""},
		{"a role of one account or another's", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Admin"},"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`), ""},
		{"roles of services, which nobody assumes", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/aws-service-role/*"}}`), ""},
		{"a service", bucket, allow(`"s3:DeleteObject"`, `,"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalType":"AWSService"}}`), ""},
		{"a vault", "arn:aws:backup:eu-west-1:111122223333:backup-vault:v", allow(`"backup:CopyIntoBackupVault"`, `,"Resource":"*"`), "error " + admin + "backup:CopyIntoBackupVault"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, restricted := range []kleene.Truth{kleene.False, kleene.Unknown, kleene.True} {
				w := newWorld(t, "", tc.statements)
				w.bucket.ARN = lit(tc.arn)
				w.bucket.RestrictPublic = restricted
				var got, want []string
				for _, f := range hazard.Find(hazard.Input{World: w}) {
					if f.Rule == hazard.PublicAccess {
						got = append(got, f.Severity.String()+" "+strings.TrimPrefix(f.Message, "statement 1 of bucket.b.policy: "))
					}
				}
				switch {
				case tc.want == "" || restricted == kleene.True:
				case restricted == kleene.Unknown:
					want = []string{strings.Replace(tc.want, "error", "warning", 1) + " on bucket.b, as far as is known: it hangs on whether S3 Block Public Access"}
					for i := range got {
						got[i], _, _ = strings.Cut(got[i], " cuts off ")
					}
				case strings.HasPrefix(tc.want, "warning"):
					want = []string{tc.want + " on bucket.b, unless more than the policy stands before it."}
				default:
					want = []string{tc.want + " on bucket.b."}
				}
				if !slices.Equal(got, want) {
					t.Errorf("restricted %v: got %q, want %q", restricted, got, want)
				}
			}
		})
	}
}

// The accounts that Elastic Load Balancing delivers logs by are no strangers.
func TestCrossAccount(t *testing.T) {
	for principal, want := range map[string]string{
		"arn:aws:iam::444455556666:root":   "statement 1 of bucket.b.policy: it lets account 444455556666 in.",
		"444455556666":                     "statement 1 of bucket.b.policy: it lets account 444455556666 in.",
		"arn:aws:iam::127311923021:root":   "",
		"arn:aws:iam::111122223333:role/r": "",
	} {
		w := newWorld(t, "", `{"Effect":"Allow","Principal":{"AWS":"`+principal+`"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}`)
		got := ""
		for _, f := range hazard.Find(hazard.Input{World: w, Policies: []*policy.Document{w.bucket.Policies[0].Document}}) {
			if f.Rule == hazard.CrossAccount {
				got = f.Message
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", principal, got, want)
		}
	}
}

func TestUnread(t *testing.T) {
	doc := policy.Unread("p", policy.Resource, source.Origin{Address: "bucket.b", Attribute: "policy"}, "known only after apply")
	fs := hazard.Find(hazard.Input{Policies: []*policy.Document{doc}})
	if len(fs) != 1 {
		t.Fatalf("got %v", fs)
	}
	f := fs[0]
	if f.Rule != hazard.PolicyUnread || f.Replay != -1 || f.Address != "bucket.b" || f.Message != "p was not read: known only after apply." {
		t.Errorf("got %+v", f)
	}
}

func TestSort(t *testing.T) {
	at := func(b int) source.Range { return source.Range{Start: source.Pos{Byte: b}} }
	fs := []hazard.Finding{
		{Rule: hazard.PolicyUnread, Severity: source.Warning, Address: "a"},
		{Rule: hazard.ChainBroken, Severity: source.Warning, Address: "b"},
		{Rule: hazard.ChainBroken, Severity: source.Warning, Address: "a", Range: at(2)},
		{Rule: hazard.ChainBroken, Severity: source.Warning, Address: "a", Range: at(1), Message: "y"},
		{Rule: hazard.ChainBroken, Severity: source.Warning, Address: "a", Range: at(1), Message: "x"},
		{Rule: hazard.ServicePrincipalLockedOut, Severity: source.Error, Address: "z"},
	}
	hazard.Sort(fs)
	var got []string
	for _, f := range fs {
		got = append(got, strings.TrimSpace(f.Rule.ID[:1]+f.Address+" "+f.Message))
	}
	if want := []string{"sz", "ca x", "ca y", "ca", "cb", "pa"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Rules are data with a manual.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range hazard.Rules() {
		if r.ID == "" || r.Title == "" || r.Rationale == "" || r.Remediation == "" || seen[r.ID] || r.Code != "" && seen[r.Code] {
			t.Errorf("incomplete or twice: %+v", r)
		}
		seen[r.ID], seen[r.Code] = true, true
		if r.Code != "" && r.Page == "" {
			t.Errorf("%s names no page", r.ID)
		}
		if got, ok := hazard.Lookup(r.ID); !ok || got != r {
			t.Errorf("%s is not found", r.ID)
		}
	}
	for i := range 45 {
		if code := fmt.Sprintf("H%02d", i+1); !seen[code] {
			t.Errorf("no rule has the code %s", code)
		}
	}
}

// Every rule about a pattern finds the policy that its manual shows, and not the
// mended one.
func TestManual(t *testing.T) {
	for _, r := range hazard.Rules() {
		if r.Before == "" {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			for text, want := range map[string]bool{r.Before: true, r.After: false} {
				doc, diags := policy.Parse(text, "p", r.Kind, source.Origin{Address: "example"})
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				var got []string
				for _, f := range hazard.Find(hazard.Input{Policies: []*policy.Document{doc}}) {
					if f.Rule == r {
						got = append(got, f.Message)
					}
				}
				if (len(got) > 0) != want {
					t.Errorf("%s\ngot %q", text, got)
				}
			}
		})
	}
}

// Where a rule begins and ends, beyond what its manual shows.
func TestTriggers(t *testing.T) {
	const (
		allow  = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":%s}`
		deny   = `{"Effect":"Deny","Action":"*","Resource":"*","Condition":%s}`
		github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
		trust  = `{"Effect":"Allow","Action":"sts:AssumeRoleWith%s","Principal":{"Federated":"%s"},"Condition":%s}`
	)
	for _, c := range []struct {
		name, rule string
		kind       policy.Kind
		statement  string
		want       string // the severity, empty for no finding
	}{
		{"an action without a service", "H41", policy.Identity, `{"Effect":"Allow","Action":"GetObject","Resource":"arn:aws:s3:::b"}`, ""},
		{"no action", "H41", policy.Identity, `{"Effect":"Allow","Action":[],"Resource":"arn:aws:s3:::b"}`, ""},
		{"a wide exemption by role", "H01", policy.SCP, fmt.Sprintf(deny, `{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"},"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/service"}}`), ""},
		{"a Deny for one role", "H02", policy.Resource, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0"}}}`, ""},
		{"a Deny for strangers alone", "H01", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`, ""},
		{"a Deny for strangers alone", "H02", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0","aws:PrincipalAccount":"111122223333"}}}`, ""},
		{"a private API", "H02", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0"}}}`, ""},
		{"a private API", "H03", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0"}}}`, ""},
		{"a key that everyone uses", "H37", policy.Resource, `{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`, "warning"},
		{"what other accounts cannot do with a key", "H37", policy.Resource, `{"Effect":"Allow","Principal":"*","Action":"kms:ScheduleKeyDeletion","Resource":"*"}`, ""},
		{"a chain that CloudTrail is in", "H08", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:CalledViaFirst":["athena.amazonaws.com","cloudtrail.amazonaws.com"]}}}`, "error"},
		{"both exemptions", "H09", policy.SCP, fmt.Sprintf(deny, `{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"},"Bool":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"}}`), ""},
		{"an exemption that services need", "H09", policy.RCP, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"},"Bool":{"aws:PrincipalIsAWSService":"false"}}}`, ""},
		{"the grants of DynamoDB's items", "H07", policy.Identity, fmt.Sprintf(allow, `{"ForAllValues:StringEquals":{"dynamodb:Attributes":["a"]}}`), ""},
		{"an encryption context beside its keys", "H07", policy.Resource, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*","Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["app"]},"StringEquals":{"kms:EncryptionContext:app":"x"}}}`, ""},
		{"an encryption context that may be absent", "H07", policy.Resource, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*","Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["app"]},"StringEqualsIfExists":{"kms:EncryptionContext:app":"x"}}}`, "info"},
		{"tags of an object beside their keys", "H07", policy.Identity, fmt.Sprintf(allow, `{"ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["a"]},"StringEquals":{"s3:RequestObjectTag/a":"x"}}`), ""},
		{"keys of tags of an object", "H07", policy.Identity, fmt.Sprintf(allow, `{"ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["a"]}}`), "info"},
		{"names of records that every change has", "H07", policy.Identity, `{"Effect":"Allow","Action":"route53:ChangeResourceRecordSets","Resource":"*","Condition":{"ForAllValues:StringLike":{"route53:ChangeResourceRecordSetsNormalizedRecordNames":["*.example.com"]}}}`, ""},
		{"names of records and other calls", "H07", policy.Identity, `{"Effect":"Allow","Action":["route53:ChangeResourceRecordSets","route53:DeleteHostedZone"],"Resource":"*","Condition":{"ForAllValues:StringLike":{"route53:ChangeResourceRecordSetsNormalizedRecordNames":["*.example.com"]}}}`, "info"},
		{"the keys of an encryption context alone", "H07", policy.Resource, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*","Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["app"]}}}`, "info"},
		{"no set operator", "H06", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}`, "error"},
		{"no other tags", "H06", policy.Identity, fmt.Sprintf(deny, `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["Name","team"]}}`), ""},
		{"a set of services that may be empty", "H08", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}`, ""},
		{"a real service without evidence", "H11", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:CalledViaFirst":"elasticbeanstalk.amazonaws.com"}}`), "info"},
		{"the form of kms:ViaService", "H11", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:CalledViaFirst":"athena.us-east-1.amazonaws.com"}}`), "error"},
		{"a service that a page of its own names", "H11", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:CalledViaLast":"qbusiness.amazonaws.com"}}`), ""},
		{"a service whose principal is a guess", "H11", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:CalledViaLast":"qapps.amazonaws.com"}}`), "info"},
		{"a service that is none", "H11", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:CalledViaLast":"athenna.amazonaws.com"}}`), "warning"},
		{"an empty value", "H11", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:CalledViaFirst":""}}`), "error"},
		{"a stack gate without the upload", "H12", policy.SCP, `{"Effect":"Deny","NotAction":["cloudformation:*","iam:PassRole"],"Resource":"*","Condition":{"StringNotEquals":{"aws:CalledViaFirst":"cloudformation.amazonaws.com"}}}`, "info"},
		{"a Deny for who has no MFA key", "H15", policy.Identity, fmt.Sprintf(deny, `{"Null":{"aws:MultiFactorAuthPresent":"true"}}`), "warning"},
		{"an Allow for who has none", "H15", policy.Identity, fmt.Sprintf(allow, `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`), "warning"},
		{"a key that is there and true", "H15", policy.Identity, fmt.Sprintf(allow, `{"Null":{"aws:MultiFactorAuthPresent":"false"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), ""},
		{"the global services of AWS's example", "H17", policy.Identity, `{"Effect":"Deny","NotAction":["cloudfront:*","iam:*","organizations:*","route53:*","support:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}`, "info"},
		{"us-east-1 let through", "H17", policy.SCP, fmt.Sprintf(deny, `{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}}`), ""},
		{"what a new endpoint is made in", "H22", policy.Identity, `{"Effect":"Allow","Action":["ec2:CreateVpcEndpoint","ec2:ModifyVpcEndpoint"],"NotResource":"arn:aws:ec2:*:*:vpc-endpoint/*"}`, ""},
		{"reads of all but one", "H22", policy.Identity, `{"Effect":"Allow","Action":"glue:GetDatabases","NotResource":"arn:aws:glue:*:*:database/default"}`, ""},
		{"deletions of all but one", "H22", policy.Identity, `{"Effect":"Allow","Action":"glue:DeleteDatabase","NotResource":"arn:aws:glue:*:*:database/default"}`, "warning"},
		{"all of a service but some types", "H22", policy.Identity, `{"Effect":"Allow","Action":"sagemaker:*","NotResource":"arn:aws:sagemaker:*:*:domain/*"}`, "warning"},
		{"a service beside everybody", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com","AWS":"*"},"Action":"sqs:SendMessage","Resource":"*"}`, ""},
		{"EventBridge and a log group", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}`, ""},
		{"a load balancer", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"*"}`, ""},
		{"a macro of CloudFormation", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*"}`, ""},
		{"EventBridge and a topic", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}`, ""},
		{"EventBridge and the key of a topic", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}`, ""},
		{"EventBridge and a queue", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}`, "warning"},
		{"certificates of the account's own authority", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"acm.amazonaws.com"},"Action":["acm-pca:IssueCertificate","acm-pca:GetCertificate"],"Resource":"*"}`, ""},
		{"log groups of an account", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"logs.eu-west-1.amazonaws.com"},"Action":"kms:Decrypt*","Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-west-1:111122223333:*"}}}`, ""},
		{"any encryption context", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"logs.eu-west-1.amazonaws.com"},"Action":"kms:Decrypt*","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:logs:arn":"*"}}}`, "info"},
		{"an encryption context that may be absent", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"logs.eu-west-1.amazonaws.com"},"Action":"kms:Decrypt*","Resource":"*","Condition":{"StringLikeIfExists":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-west-1:111122223333:*"}}}`, "info"},
		{"a token", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask.skill.example"}}}`, ""},
		{"a key without its source", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*"}`, "info"},
		{"a key with a bucket's ARN", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}}`, "info"},
		{"a bucket without its account", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}}`, "warning"},
		{"a principal as source", "H23", policy.Resource, `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:iam::111122223333:role/r"}}}`, "warning"},
		{"the form for services", "H23", policy.RCP, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-1"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}`, ""},
		{"organizations of callers and of what services call for", "H23", policy.RCP, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1","aws:SourceOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`, ""},
		{"a Deny of everything but one distribution", "H23", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceArn":"arn:aws:cloudfront::111122223333:distribution/E1"}}}`, ""},
		{"a Deny of one service", "H23", policy.Resource, `{"Effect":"Deny","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:*","Resource":"*","Condition":{"ArnNotEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:t"}}}`, ""},
		{"identity providers left out", "H24", policy.RCP, `{"Effect":"Deny","Principal":"*","Action":["sts:AssumeRole","s3:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`, ""},
		{"a private address under a Deny", "H26", policy.SCP, fmt.Sprintf(deny, `{"NotIpAddressIfExists":{"aws:VpcSourceIp":"10.0.0.0/8"}}`), "warning"},
		{"an address in the VPC of the endpoint", "H26", policy.VPCEndpoint, `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}}}`, ""},
		{"an address of an endpoint's account", "H26", policy.SCP, fmt.Sprintf(deny, `{"NotIpAddressIfExists":{"aws:VpcSourceIp":"10.0.0.0/8"},"StringNotEqualsIfExists":{"aws:VpceAccount":"111122223333"}}`), ""},
		{"the id of a VPC for one bucket", "H28", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}`, ""},
		{"every action from a network or an endpoint", "H28", policy.SCP, fmt.Sprintf(deny, `{"StringNotEqualsIfExists":{"aws:VpceOrgID":"o-1"},"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"}}`), ""},
		{"the VPC of the instance itself", "H28", policy.SCP, fmt.Sprintf(deny, `{"StringNotEquals":{"aws:SourceVpc":"${aws:Ec2InstanceSourceVpc}"},"Null":{"ec2:SourceInstanceArn":"false"}}`), ""},
		{"an endpoint for the own organization", "H29", policy.VPCEndpoint, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}","aws:PrincipalOrgID":"o-1"}}}`, ""},
		{"the principal of a grant to everyone", "H19", policy.Identity, `{"Effect":"Deny","Action":"lambda:AddPermission","Resource":"*","Condition":{"StringEquals":{"lambda:Principal":"*"}}}`, ""},
		{"part of a principal", "H19", policy.Identity, `{"Effect":"Deny","Action":"lambda:AddPermission","Resource":"*","Condition":{"StringEquals":{"lambda:Principal":"*.amazonaws.com"}}}`, "error"},
		{"a grant, which has no tags", "H30", policy.Identity, `{"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}}`, ""},
		{"further tags", "H30", policy.Identity, `{"Effect":"Allow","Action":"ec2:CreateVolume","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}}`, "info"},
		{"tags of what exists", "H30", policy.Identity, `{"Effect":"Allow","Action":"secretsmanager:CreateSecret","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"StringEquals":{"aws:ResourceTag/team":"a"}}}`, ""},
		{"a tag in one case", "H30", policy.Identity, `{"Effect":"Allow","Action":"ec2:CreateVolume","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["Team","team"]},"StringEquals":{"aws:RequestTag/team":"a"}}}`, ""},
		{"the end of an ARN", "H31", policy.Identity, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}`, ""},
		{"a Deny for who lacks a tag", "H31", policy.Identity, fmt.Sprintf(deny, `{"StringNotEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}`), ""},
		{"a key that another one tells of", "H31", policy.SCP, fmt.Sprintf(deny, `{"StringEquals":{"aws:SourceVpc":"${aws:Ec2InstanceSourceVpc}"},"Null":{"ec2:SourceInstanceArn":"false"}}`), ""},
		{"a character that is escaped", "H31", policy.Identity, `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${*}"}`, ""},
		{"seconds as a number", "H32", policy.Identity, fmt.Sprintf(allow, `{"NumericLessThan":{"aws:EpochTime":"4070908800"}}`), ""},
		{"a date that is a tag", "H32", policy.Identity, fmt.Sprintf(allow, `{"DateLessThan":{"aws:PrincipalTag/until":"2099-01-01T00:00:00Z"}}`), ""},
		{"an address under a number", "H32", policy.Identity, fmt.Sprintf(allow, `{"NumericEquals":{"aws:SourceIp":"1"}}`), "info"},
		{"a date of a service without a zone", "H32", policy.Identity, fmt.Sprintf(allow, `{"DateLessThan":{"s3:object-lock-retain-until-date":"2099-01-01T00:00:00"}}`), "info"},
		{"a part of an address", "H32", policy.Identity, fmt.Sprintf(allow, `{"StringLike":{"aws:SourceIp":"192.0.2.*"}}`), ""},
		{"an Allow for ranges of IPv4", "H33", policy.Identity, fmt.Sprintf(allow, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), ""},
		{"an Allow for everybody else on IPv4", "H33", policy.Identity, fmt.Sprintf(allow, `{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), "warning"},
		{"a complementary pair", "H34", policy.Resource, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"*","Condition":{"IpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"},"StringEqualsIfExists":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}`, ""},
		{"a key that is always there", "H35", policy.Identity, fmt.Sprintf(allow, `{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}`), ""},
		{"a key that must be absent", "H36", policy.Identity, fmt.Sprintf(allow, `{"Null":{"aws:SourceVpc":"true"}}`), ""},
		{"a policy of something else", "H37", policy.Resource, `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/*"}`, ""},
		{"a statement of a key's policy beside one for all actions", "H37", policy.Resource, `[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}]`, "warning"},
		{"a provider of OpenID Connect with its subject", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "cognito-identity.amazonaws.com", `{"StringEquals":{"cognito-identity.amazonaws.com:aud":"pool"}}`), ""},
		{"a pool of Cognito by how it authenticated", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "cognito-identity.amazonaws.com", `{"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}`), "warning"},
		{"the audience of everybody", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`), "warning"},
		{"every repository", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}}`), "warning"},
		{"every subject", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringLike":{"token.actions.githubusercontent.com:sub":"*"}}`), "warning"},
		{"owners with a name that begins so", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringLike":{"token.actions.githubusercontent.com:sub":["repo:example/app:*","repo:example*"]}}`), "warning"},
		{"a subject that may be absent", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringLikeIfExists":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}`), "warning"},
		{"the subject of another provider", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringLike":{"gitlab.com:sub":"project_path:example/*"}}`), "warning"},
		{"the repositories of one owner", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}`), ""},
		{"one owner by name", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", github, `{"StringEquals":{"token.actions.githubusercontent.com:repository_owner":"example"}}`), ""},
		{"the audience of the customer's own provider", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "arn:aws:iam::111122223333:oidc-provider/oidc.example.com", `{"StringEquals":{"oidc.example.com:aud":"app"}}`), ""},
		{"a provider of SAML without an audience", "H38", policy.Trust, fmt.Sprintf(trust, "SAML", "arn:aws:iam::111122223333:saml-provider/idp", `{}`), "info"},
		{"a provider of SAML with its audience", "H38", policy.Trust, fmt.Sprintf(trust, "SAML", "arn:aws:iam::111122223333:saml-provider/idp", `{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}`), ""},
		{"a provider of all companies with the repository", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}`), ""},
		{"a provider of all companies with the begin of a name", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example*"}}`), "warning"},
		{"a provider of all companies with a branch", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:ref":"refs/heads/main"}}`), "warning"},
		{"a provider of all companies with the organization", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "arn:aws:iam::111122223333:oidc-provider/app.terraform.io", `{"StringLike":{"app.terraform.io:sub":"organization:example:project:*:run_phase:apply"}}`), ""},
		{"a provider of all companies with the repository alone", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", `{"StringEquals":{"token.actions.githubusercontent.com:repository":"example/app"}}`), ""},
		{"everyone in a role of a name", "H38", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ci"}}}`, "warning"},
		{"everyone in a role of a name of one account", "H38", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/ci-*"}}}`, ""},
		{"everyone of any organization", "H38", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}`, "warning"},
		{"everyone below a unit of an organization", "H38", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/r-ab12/*"}}}`, ""},
		{"everyone who knows the external ID", "H38", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"sts:ExternalId":"example"}}}`, "warning"},
		{"an account that knows the external ID", "H38", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"},"Condition":{"StringEquals":{"sts:ExternalId":"example"}}}`, ""},
		{"a provider of one company", "H38", policy.Trust, fmt.Sprintf(trust, "WebIdentity", "arn:aws:iam::111122223333:oidc-provider/idp.example.com", `{"StringEquals":{"idp.example.com:aud":"aws"}}`), ""},
		{"a service in a trust policy", "H38", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}`, ""},
		{"a file system in a network perimeter", "H39", policy.SCP, `{"Effect":"Deny","Action":["elasticfilesystem:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}`, "warning"},
		{"everything that functions call", "H39", policy.SCP, fmt.Sprintf(deny, `{"StringNotEqualsIfExists":{"aws:SourceVpce":"vpce-0123456789abcdef0"},"Null":{"lambda:SourceFunctionArn":"false"},"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/aws:ec2-infrastructure"}}`), ""},
		{"a network perimeter over S3", "H39", policy.SCP, `{"Effect":"Deny","Action":["s3:*"],"Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}`, ""},
		{"an address and a VPC", "H41", policy.Identity, fmt.Sprintf(allow, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringEquals":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}`), "warning"},
		{"two values of one key", "H41", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:PrincipalTag/a":"x"},"StringLike":{"aws:PrincipalTag/a":"y*"}}`), "warning"},
		{"a service in its own name from an organization", "H41", policy.RCP, `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"},"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`, "warning"},
		{"a public address and a chain", "H41", policy.Identity, fmt.Sprintf(allow, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringEquals":{"aws:CalledViaFirst":"athena.amazonaws.com"}}`), ""},
		{"a user name and a public address", "H41", policy.Identity, fmt.Sprintf(allow, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringLike":{"aws:username":"a*"}}`), ""},
		{"a user name and a session of a role", "H41", policy.Identity, fmt.Sprintf(allow, `{"StringEquals":{"aws:PrincipalType":"AssumedRole"},"StringLike":{"aws:username":"a*"}}`), "warning"},
		{"a service and its source", "H41", policy.Resource, `{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com","aws:SourceAccount":"111122223333"}}}`, ""},
		{"an action without resource types", "H41", policy.Identity, `{"Effect":"Allow","Action":"ram:CreateResourceShare","Resource":"arn:aws:ram:*:*:*"}`, ""},
		{"service-linked roles", "H43", policy.SCP, fmt.Sprintf(deny, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/aws-service-role/*"}}`), "warning"},
		{"callers from outside", "H43", policy.SCP, fmt.Sprintf(deny, `{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`), "warning"},
		{"a service that resource control policies do not reach", "H43", policy.RCP, `{"Effect":"Deny","Principal":"*","Action":"sns:*","Resource":"*"}`, "warning"},
	} {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			got := ""
			for _, f := range find(t, c.kind, c.statement) {
				if f.Rule.Code == c.rule {
					got = f.Severity.String()
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A window that is over is told where the time of the requests is known.
func TestPassed(t *testing.T) {
	const statement = `{"Effect":%q,"Action":"s3:GetObject","Resource":"*","Condition":{%q:{"aws:CurrentTime":%q}}}`
	for _, c := range []struct {
		effect, operator, until, now string
		want                         bool
	}{
		{"Allow", "DateLessThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", true},
		{"Deny", "DateLessThanEquals", "2026-01-01", "2026-06-01T00:00:00Z", true},
		{"Allow", "DateLessThan", "1767225600", "2026-06-01T00:00:00Z", true},
		{"Allow", "DateLessThan", "2026-01-01T00:00:00Z", "2025-06-01T00:00:00Z", false},
		{"Allow", "DateGreaterThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", false},
		{"Allow", "DateLessThan", "2026-01-01T00:00:00Z", "", false},
	} {
		w := newWorld(t, fmt.Sprintf(statement, c.effect, c.operator, c.until), "")
		w.now = lit(c.now)
		var got []string
		for _, f := range hazard.Find(hazard.Input{World: w, Policies: []*policy.Document{w.role.Identity[0].Document}}) {
			if f.Rule.Code == "H32" {
				got = append(got, f.Message)
			}
		}
		want := []string{"statement 1 of role.r.policy: its time, until " + c.until + ", has passed."}
		if c.want != slices.Equal(got, want) || !c.want && len(got) > 0 {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}
