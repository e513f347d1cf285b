package policy_test

import (
	"testing"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// BenchmarkParse reads a policy of three statements, as plans hold thousands.
func BenchmarkParse(b *testing.B) {
	text := []byte(`{"Statement":[` +
		`{"Action":["s3:GetObject"],"Effect":"Allow","Resource":"arn:aws:s3:::app-00000/*","Sid":"Own"},` +
		`{"Action":["kms:Decrypt","kms:GenerateDataKey"],"Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":["athena.amazonaws.com"]}},"Effect":"Allow","Resource":"*","Sid":"Via"},` +
		`{"Action":"*","Condition":{"Bool":{"aws:ViaAWSService":"false"},"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24"]}},"Effect":"Deny","Resource":"*","Sid":"Net"}` +
		`],"Version":"2012-10-17"}`)
	b.ReportAllocs()
	for b.Loop() {
		if doc, _ := policy.Parse(text, "p", policy.Identity, source.Origin{}); doc.Unread != "" {
			b.Fatal(doc.Unread)
		}
	}
}
