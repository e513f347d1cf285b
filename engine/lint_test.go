package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

func TestLint(t *testing.T) {
	for _, tc := range []struct{ name, action, key, want string }{
		{"known", "s3:GetObject", "aws:SourceIp", "[]"},
		{"any case", "S3:getobject", "AWS:sourceip", "[]"},
		{"wildcards", "s3:Get*", "s3:prefix", "[]"},
		{"tag keys", "ec2:RunInstances", "aws:RequestTag/team", "[]"},
		{"claims of an identity provider", "sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com:sub", "[]"},
		{"A21 an operation", "s3:HeadObject", "aws:SourceIp", "[API operation, not an action 1:30]"},
		{"A21 in any case", "Lambda:INVOKE", "aws:SourceIp", "[API operation, not an action 1:30]"},
		{"misspelt action", "s3:GetObjects", "aws:SourceIp", "[Unknown action 1:30]"},
		{"misspelt service", "s4:GetObject", "aws:SourceIp", "[Unknown service 1:30]"},
		{"misspelt key", "s3:GetObject", "aws:SourceIpp", "[Unknown condition key 1:103]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := fmt.Sprintf(`{"Statement":[{"Action":     "%s","Effect":"Deny","Resource":"*","Condition":{"StringLike":{%q:"x"}}}]}`, tc.action, tc.key)
			doc, diags := policy.Parse(text, "p", policy.Identity, source.Origin{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			got := []string{}
			for _, d := range engine.Lint(doc) {
				got = append(got, d.Summary+" "+d.Range.Start.String())
			}
			if fmt.Sprint(got) != tc.want {
				t.Errorf("got %v, want %s", got, tc.want)
			}
		})
	}
}

// A37: what the policies of VPC endpoints may not hold.
func TestLintEndpoint(t *testing.T) {
	for _, tc := range []struct{ name, resource, condition, want string }{
		{"plain", "arn:aws:s3:::data/*", `"StringEquals":{"aws:PrincipalAccount":"111122223333"}`, ""},
		{"an id with a wildcard", "*", `"StringLike":{"aws:PrincipalAccount":"1111*"}`, "Operator over generated ids"},
		{"in any case", "*", `"StringNotLikeIfExists":{"AWS:sourceVPC":"vpc-0123456*"}`, "Operator over generated ids"},
		{"an id as a number", "*", `"NumericEquals":{"aws:ResourceAccount":"111122223333"}`, "Operator over generated ids"},
		{"a number", "*", `"NumericEquals":{"s3:max-keys":"10"}`, ""},
		{"six before", "*", `"StringLike":{"aws:PrincipalTag/team":"finance*"}`, ""},
		{"six after", "*", `"StringLike":{"aws:PrincipalTag/team":"*finance"}`, ""},
		{"five", "*", `"StringLike":{"aws:PrincipalTag/team":"finan*"}`, "Wildcard with little around it"},
		{"one of two", "*", `"StringLike":{"aws:PrincipalTag/team":"finance*a*b"}`, "Wildcard with little around it"},
		{"both lean on the middle", "*", `"StringLike":{"aws:PrincipalTag/team":"*finance*"}`, ""},
		{"two together", "*", `"StringLike":{"aws:PrincipalTag/team":"finance**"}`, "Wildcard with little around it"},
		{"one value of two", "*", `"StringLike":{"aws:PrincipalTag/team":["finance*","*"]}`, "Wildcard with little around it"},
		{"characters, not bytes", "*", `"StringLike":{"aws:PrincipalTag/team":"éééé*"}`, "Wildcard with little around it"},
		{"any account", "arn:aws:sqs:*:*:queue", `"Bool":{"aws:SecureTransport":"true"}`, ""},
		{"a part of an account", "arn:aws:sqs:*:1111*:queue", `"Bool":{"aws:SecureTransport":"true"}`, "Part of an account id"},
	} {
		for kind, want := range map[policy.Kind]string{policy.VPCEndpoint: tc.want, policy.Resource: ""} {
			text := fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":%q,"Condition":{%s}}]}`, tc.resource, tc.condition)
			doc, diags := policy.Parse(text, "p", kind, source.Origin{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			var got []string
			for _, d := range engine.Lint(doc) {
				got = append(got, d.Summary)
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("%s, %s: got %q, want %q", tc.name, kind, got, want)
			}
		}
	}
}

// A21: every operation of the table is no action, and names actions.
func TestOperations(t *testing.T) {
	for operation, needs := range engine.Operations {
		if _, ok := awsref.LookupAction(operation); ok {
			t.Errorf("%s is an action", operation)
		}
		for word := range strings.FieldsFuncSeq(needs, func(r rune) bool { return r == ' ' || r == ',' }) {
			if _, ok := awsref.LookupAction(word); strings.Contains(word, ":") && !ok {
				t.Errorf("%s needs %s, which is no action", operation, word)
			}
		}
	}
}
