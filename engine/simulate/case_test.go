package simulate_test

import (
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/simulate"
	"github.com/tfguard/tfguard/engine/source"
)

// What is told of a request beside its answer.
func TestDecodeDiagnostics(t *testing.T) {
	for _, tc := range []struct{ principal, context, want string }{
		{"arn:aws:iam::111122223333:role/App", "", ""},
		{"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s", "", "warning: Service-linked role by its name"},
		{"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s", `"aws:PrincipalArn":"arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"`, ""},
		{"arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s", `"aws:PrincipalArn":"arn:aws:iam::111122223333:role/AWSServiceRoleForX"`, ""},
		{"arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", "", ""},
		{"anonymous", `"aws:SourceVpc":"a","AWS:sourcevpc":"b"`, "stands twice in the context"},
		{"anonymous", `"aws:ResourceTag/a":"1","aws:ResourceTag/a":"2"`, "stands twice in the context"},
		{"anonymous", `"aws:ResourceTag/a":"1","aws:ResourceTag/A":"2"`, ""},
	} {
		n, err := source.ParseJSON([]byte(`{"request":{"principal":"` + tc.principal + `","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","context":{` + tc.context + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		_, diags := simulate.Decode(n, nil)
		var got []string
		for _, d := range diags {
			got = append(got, d.String())
		}
		if tc.want == "" && len(got) > 0 || tc.want != "" && (len(got) != 1 || !strings.Contains(got[0], tc.want)) {
			t.Errorf("%s {%s}: got %q, want %q", tc.principal, tc.context, got, tc.want)
		}
	}
}

// Keys that few cases need are read as strictly as the others.
func TestDecodeRareKeys(t *testing.T) {
	const object = `"arn:aws:s3:::b/k"`
	const allow = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}`
	for _, tc := range []struct{ keys, want string }{
		{`"policies":{"grants":[` + allow + `]},"assume":{"negatedSet":true,"delegating":["efs"]}`, ""},
		{`"policies":{"bucket":{"resource":` + object + `,"policy":` + allow + `}}`, ""},
		{`"policies":{"bucket":{"resource":` + object + `}}`, ""},
		{`"policies":{"bucket":{"policy":` + allow + `}}`, "a bucket behind an access point needs resource"},
		{`"policies":{"bucket":{"resource":"b"}}`, `a resource is an ARN or "*"`},
		{`"policies":{"bucket":` + allow + `}`, `"Version" is no key of a bucket`},
		{`"policies":{"bucket":[]}`, "a bucket is an object"},
		{`"policies":{"grants":` + allow + `}`, "grants is a list of policies"},
		{`"policies":{"grants":[{}]}`, "Statement"},
		{`"assume":true`, "a set of assumptions is an object"},
		{`"assume":{"negatedSet":"true"}`, "negatedSet is true or false"},
		{`"assume":{"delegating":[1]}`, "where a string is needed"},
		{`"assume":{"delegates":[]}`, `"delegates" is no key of a set of assumptions`},
	} {
		n, err := source.ParseJSON([]byte(`{"request":{"principal":"anonymous","action":"s3:GetObject","resource":` + object + `},` + tc.keys + `}`))
		if err != nil {
			t.Fatal(err)
		}
		_, diags := simulate.Decode(n, nil)
		if tc.want == "" && diags.HasErrors() || tc.want != "" && (len(diags) == 0 || !strings.Contains(diags[0].String(), tc.want)) {
			t.Errorf("%s: got %v, want %q", tc.keys, diags, tc.want)
		}
	}
}

// What a case says of the resource's policy leaves the grants before it in force,
// and the other way around.
func TestGrantsAndPolicyAreApart(t *testing.T) {
	const head = `{"policies":{"resource":{"Version":"2012-10-17","Statement":{"Sid":"Head","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}},
		"grants":[{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"*"}}]}}`
	const deny = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}}`
	decode := func(text string, shared *engine.Policies) simulate.Case {
		n, err := source.ParseJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		c, diags := simulate.Decode(n, shared)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return c
	}
	shared := decode(head, nil).Policies
	request := func(action, policies string) string {
		return `{"request":{"principal":"anonymous","action":"` + action + `","resource":"arn:aws:s3:::b"},"policies":{` + policies + `}}`
	}
	for _, tc := range []struct {
		action, policies string
		want             engine.Verdict
	}{
		{"s3:ListBucket", `"resource":` + deny, engine.Allowed},
		{"s3:GetObject", `"resource":` + deny, engine.ExplicitDeny},
		{"s3:GetObject", `"grants":[]`, engine.Allowed},
		{"s3:ListBucket", `"grants":[]`, engine.ImplicitDeny},
		{"s3:ListBucket", "", engine.Allowed},
	} {
		c := decode(request(tc.action, tc.policies), shared)
		if got := c.Answer().Decision; got != tc.want {
			t.Errorf("%s {%s}: got %s, want %s", tc.action, tc.policies, got, tc.want)
		}
	}
}
