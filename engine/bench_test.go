package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
)

// BenchmarkEvaluate decides one request against identity policies of 1 to 100
// statements, of which the last allows it.
func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{1, 5, 20, 100} {
		b.Run(fmt.Sprintf("statements=%d", n), func(b *testing.B) {
			var statements []string
			for i := range n - 1 {
				statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::bucket-%d","arn:aws:s3:::bucket-%d/*"],"Condition":{"StringEquals":{"aws:SourceVpc":"vpc-%d"}}}`, i, i, i))
			}
			statements = append(statements, allowS3)
			tc := test{principal: user, identity: []string{strings.Join(statements, ",")}, context: []string{"aws:SourceVpc=vpc-1", "aws:PrincipalArn=" + user, "aws:SourceIp=203.0.113.10"}}
			policies, req := tc.policies(b), tc.request()
			b.ReportAllocs()
			for b.Loop() {
				if d := engine.Evaluate(policies, req); d.Verdict != allowed {
					b.Fatal(d.Verdict)
				}
			}
		})
	}
}
