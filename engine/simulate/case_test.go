package simulate_test

import (
	"strings"
	"testing"

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
