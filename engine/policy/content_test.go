package policy_test

import (
	"testing"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// How a statement is written does not count, and what it says does.
func TestContent(t *testing.T) {
	of := func(statement string) string {
		t.Helper()
		doc, diags := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"},`+statement+`]}`), "p", policy.Resource, source.Origin{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return doc.Statements[1].Content()
	}
	written := of(`{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*",
		"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-b","o-a"]},"Bool":{"aws:SecureTransport":"true"}}}`)
	const want = `{action: {"s3:getobject", "s3:putobject"}, condition: {bool: {aws:securetransport: {"true"}}, stringequals: {aws:principalorgid: {"o-a", "o-b"}}}, ` +
		`effect: "Allow", principal: "*", resource: {"arn:aws:s3:::b/*"}}`
	if written != want {
		t.Errorf("got  %s\nwant %s", written, want)
	}
	for _, other := range []struct {
		same      bool
		statement string
	}{
		{true, `{"Effect":"Allow","Condition":{"Bool":{"aws:securetransport":"true"},"StringEquals":{"aws:PrincipalOrgId":["o-a","o-b"]}},
			"Resource":["arn:aws:s3:::b/*"],"Action":["S3:PutObject","s3:GetObject","s3:putobject"],"Principal":"*"}`},
		{false, `{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject","s3:*"],"Resource":"arn:aws:s3:::b/*",
			"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-b","o-a"]},"Bool":{"aws:SecureTransport":"true"}}}`},
		{false, `{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::B/*",
			"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-b","o-a"]},"Bool":{"aws:SecureTransport":"true"}}}`},
		{false, `{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*"}`},
	} {
		if got := of(other.statement); (got == written) != other.same {
			t.Errorf("%s\nis %s", other.statement, got)
		}
	}
}
