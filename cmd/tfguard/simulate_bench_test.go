package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/cli"
)

// simulation is a file of n cases in JSON Lines that share their policies.
func simulation(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"policies":{"identity":[{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"],"Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"},"Bool":{"aws:SecureTransport":"true"}}},` +
		`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]},"Bool":{"aws:ViaAWSService":"false"}}},` +
		`{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"},"StringLike":{"aws:PrincipalTag/team":"data-*"}}},` +
		`{"Effect":"Deny","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-abcdefghij"},"Null":{"aws:SourceVpce":"true"}}},` +
		`{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/${aws:username}/*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"},"Bool":{"aws:SecureTransport":"true"}}}]}]}}` + "\n")
	actions := []string{"s3:GetObject", "s3:PutObject", "ec2:RunInstances"}
	for i := range n {
		fmt.Fprintf(&b, `{"id":"c%d","request":{"principal":"arn:aws:iam::111122223333:user/alice","action":%q,"resource":"arn:aws:s3:::data/alice/%d","resourceAccount":"111122223333","context":{"aws:CalledVia":["athena.amazonaws.com"],"aws:ViaAWSService":"true","aws:SourceIp":"192.0.2.7","aws:SecureTransport":"true","aws:username":"alice","aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice","aws:PrincipalOrgID":"o-abcdefghij"}}}`+"\n", i, actions[i%3], i)
	}
	return b.Bytes()
}

// BenchmarkSimulate answers 100,000 cases that share their policies, JSON included.
func BenchmarkSimulate(b *testing.B) {
	const n = 100_000
	lines := simulation(n)
	b.ReportAllocs()
	for b.Loop() {
		s := cli.Streams{In: bytes.NewReader(lines), Out: io.Discard, Err: io.Discard, Env: func(string) (string, bool) { return "", false }}
		if code := cli.Main(context.Background(), []string{"simulate"}, s, cli.Version{}); code != 0 {
			b.Fatal(code)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "cases/s")
}
