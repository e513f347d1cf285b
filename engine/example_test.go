package engine_test

import (
	"fmt"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A bucket policy denies what does not come from the office; Athena, called from
// there, hands the address on, and CloudTrail has none to show.
func ExampleEvaluate() {
	text := `{"Version": "2012-10-17", "Statement": [
	  {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*"},
	  {"Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*",
	   "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
	]}`
	bucket, diags := policy.Parse(text, "bucket", policy.Resource, source.Origin{File: "bucket.json"})
	if diags.HasErrors() {
		fmt.Println(diags)
		return
	}
	req := engine.Request{
		Principal: request.Principal{Kind: request.ServicePrincipal, Service: "cloudtrail.amazonaws.com"},
		Action:    "s3:PutObject",
		Resource:  symbol.Literal("arn:aws:s3:::logs/AWSLogs/111122223333/x"),
	}
	req.Context.SetString("aws:PrincipalIsAWSService", "true")

	d := engine.Evaluate(&engine.Policies{Resource: []policy.Attached{{Document: bucket, Sure: kleene.True}}}, &req)
	fmt.Println(d.Verdict)
	for _, r := range d.Because {
		fmt.Println(r.Policy, r.Statement, r.Sid, r.Effect, r.Outcome, r.Range.Start)
	}
	// Output:
	// explicitDeny
	// bucket 1  Allow applies 2:4
	// bucket 2 OfficeOnly Deny applies 3:4
}

// The address is known only after apply: the verdict is unknown, and says what it
// hangs on.
func ExampleEvaluate_unknown() {
	text := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
	  "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}`
	identity, _ := policy.Parse(text, "identity", policy.Identity, source.Origin{})
	req := engine.Request{
		Principal: request.Principal{
			Kind:    request.IAMUser,
			ARN:     symbol.Literal("arn:aws:iam::111122223333:user/bob"),
			Account: symbol.Literal("111122223333"),
		},
		Action:   "s3:GetObject",
		Resource: symbol.Literal("arn:aws:s3:::data/report"),
	}
	req.Context.Set("aws:SourceIp", symbol.Symbol{Name: "aws_eip.office.public_ip"}.Text())

	d := engine.Evaluate(&engine.Policies{Identity: []policy.Attached{{Document: identity, Sure: kleene.True}}}, &req)
	fmt.Println(d.Verdict)
	fmt.Println(d.Unknown[0])
	// Output:
	// unknown
	// aws:SourceIp (IpAddress 203.0.113.0/24, got ${aws_eip.office.public_ip})
}
