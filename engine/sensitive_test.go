package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// Of a sensitive policy a decision tells which statement decided and not what it says.
func TestSensitivePolicyIsWithheld(t *testing.T) {
	for _, tc := range []struct{ statement, context, failed string }{
		{`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`, "", ""},
		{`{"Effect":"Allow","Action":"s3:s3ntinel","Resource":"*"}`, "", "Action  (sensitive) s3:GetObject"},
		{`{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`, "", "NotAction  (sensitive) s3:GetObject"},
		{`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::s3ntinel/*"}`, "", "Resource  (sensitive) " + object},
		{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/s3ntinel":"s3ntinel"}}}`, "", "Condition  (sensitive) absent"},
		{`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/x":"s3ntinel"}}}`, "aws:PrincipalTag/x=?s3ntinel-or-none", ""},
		{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/s3ntinel":"v"}}}`, "aws:PrincipalTag/s3ntinel=?v", "Condition  (sensitive) unknown"},
	} {
		text := strings.Replace(tc.statement, "{", `{"Sid":"s3ntinel",`, 1)
		doc, diags := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":`+text+`}`), "p", policy.Identity, source.Origin{})
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		doc.Sensitive = true
		req := engine.Request{Principal: caller(user), Action: "s3:GetObject", Resource: lit(object), ResourceAccount: lit(account)}
		if tc.context != "" {
			req.Context = keys(tc.context)
		}
		d := engine.Evaluate(&engine.Policies{Identity: []policy.Attached{{Document: doc, Sure: kleene.True}}}, &req)
		var failed string
		for _, r := range d.Because {
			if r.Sid != "(sensitive)" {
				t.Errorf("%s: Sid %q", tc.statement, r.Sid)
			}
			if f := r.Failed; f != nil {
				failed = fmt.Sprintf("%s %s %s %s", f.Key, f.Operator, f.Wanted, f.Got)
			}
		}
		if failed != tc.failed {
			t.Errorf("%s: got %q, want %q", tc.statement, failed, tc.failed)
		}
		if got := fmt.Sprintf("%v", d.Unknown); strings.Contains(got, "s3ntinel") {
			t.Errorf("%s: hangs on %s", tc.statement, got)
		}
	}
}
