package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// statements are five kinds of statements with two or three conditions each, as
// data perimeters have them.
var statements = []string{
	`{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"],"Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"},"Bool":{"aws:SecureTransport":"true"}}}`,
	`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]},"Bool":{"aws:ViaAWSService":"false"}}}`,
	`{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"},"StringLike":{"aws:PrincipalTag/team":"data-*"}}}`,
	`{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::data/*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"},"Null":{"aws:SourceVpce":"true"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`,
	`{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/results/*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"},"Bool":{"aws:SecureTransport":"true"}}}`,
}

// benchmarkCase is a policy set of n statements and a request that it allows.
func benchmarkCase(tb testing.TB, n int) (*engine.Policies, *engine.Request) {
	tb.Helper()
	var all []string
	for i := range n {
		all = append(all, strings.ReplaceAll(statements[i%len(statements)], "arn:aws:s3:::data", fmt.Sprintf("arn:aws:s3:::data%d", i/len(statements))))
	}
	doc, diags := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(all, ",")+`]}`), "identity[0]", policy.Identity, source.Origin{})
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	caller := request.Caller{
		Principal: request.Principal{
			Kind:    request.RoleSession,
			ARN:     symbol.Literal("arn:aws:iam::111122223333:role/R"),
			Session: symbol.Literal("arn:aws:sts::111122223333:assumed-role/R/s"),
			Account: symbol.Literal("111122223333"),
		},
		Tags:         map[string]symbol.Text{},
		Organization: request.Organization{Member: kleene.True, ID: symbol.Literal("o-abcdefghij")},
	}
	hop := request.Hop{
		Network: request.Network{SourceIP: symbol.Literal("192.0.2.7")}, Via: []string{"athena.amazonaws.com"},
		Service: "s3", Region: symbol.Literal("eu-west-1"), ResourceAccount: symbol.Literal("111122223333"),
	}
	return &engine.Policies{Identity: []policy.Attached{{Document: doc, Sure: kleene.True}}}, &engine.Request{
		Principal: caller.Principal, Action: "s3:GetObject", Resource: symbol.Literal("arn:aws:s3:::data0/2026/q3.parquet"),
		ResourceAccount: symbol.Literal("111122223333"), Context: request.Derive(&caller, &hop),
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1, 5, 20, 100} {
		policies, req := benchmarkCase(b, n)
		b.Run(fmt.Sprintf("%d-statements", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if engine.Decide(policies, req) != engine.Allowed {
					b.Fatal("not allowed")
				}
			}
		})
	}
}

// A definite verdict without a trace costs no memory.
func TestDecideAllocatesNothing(t *testing.T) {
	policies, req := benchmarkCase(t, 5)
	if n := testing.AllocsPerRun(100, func() { engine.Decide(policies, req) }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}
