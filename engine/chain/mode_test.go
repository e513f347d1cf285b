package chain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/request"
)

// Where AWS's pages contradict each other, what would come out otherwise is said, and
// nothing else.
func TestModes(t *testing.T) {
	condition := func(op, key, value string) string { return `{"` + op + `":{"` + key + `":"` + value + `"}}` }
	const lead = "aws:CalledViaFirst"
	for _, tc := range []struct {
		name, identity, bucket string
		session                request.Session
		chain, want            string
		verdict                engine.Verdict
	}{
		{"V12 ForceIaC on a service role", allow("s3:*", "*") + "," + statement("Deny", "", "s3:*", "*", condition("StringNotEquals", lead, "cloudformation.amazonaws.com")), "",
			request.Plain, "cloudformation-service-role", "cfn_service_role=seed2020 explicitDeny@3", engine.Allowed},
		{"V12 on the caller", allow("*", "*") + "," + statement("Deny", "", "s3:*", "*", condition("StringNotEquals", lead, "cloudformation.amazonaws.com")), "",
			request.Plain, "cloudformation", "", engine.Allowed},
		{"D3 S3 calls KMS", allow("s3:*", "*") + "," + statement("Allow", "", "kms:*", "*", condition("StringEquals", "aws:CalledViaLast", "s3.amazonaws.com")), "",
			request.Plain, "s3-kms", "called_via=listed implicitDeny@2", engine.Allowed},
		{"D5 the address of Athena's caller", allow("*", "*"), statement("Deny", everyone, "s3:*", "*", condition("NotIpAddress", "aws:SourceIp", "203.0.113.0/24")),
			request.Plain, "athena-public", "fas_source_ip=service explicitDeny@2", engine.Allowed},
		{"D5 already denied", allow("*", "*"), statement("Deny", everyone, "s3:*", "*", condition("NotIpAddress", "aws:SourceIp", "203.0.113.0/24")),
			request.Plain, "athena-public-outside", "", engine.ExplicitDeny},
		{"MFA of a role", allow("s3:*", "*") + "," + statement("Deny", "", "s3:*", "*", condition("Bool", "aws:MultiFactorAuthPresent", "false")), "",
			request.Plain, "direct-corporate", "role_mfa=absent allowed@0", engine.ExplicitDeny},
		{"MFA of a role, asked with IfExists", allow("s3:*", "*") + "," + statement("Deny", "", "s3:*", "*", condition("BoolIfExists", "aws:MultiFactorAuthPresent", "false")), "",
			request.Plain, "direct-corporate", "", engine.ExplicitDeny},
		{"MFA of Identity Center", statement("Allow", "", "s3:*", "*", condition("BoolIfExists", "aws:MultiFactorAuthPresent", "true")), "",
			request.IdentityCenter, "direct-corporate", "federated_mfa=false implicitDeny@1", engine.Allowed},
		{"no policy reads a key", allow("*", "*"), "", request.Plain, "athena-public", "", engine.Allowed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.role(t, "r", trustsCFN, tc.identity).Caller.Session = tc.session
			w.key(t)
			b := w.bucket(t, "data")
			if tc.bucket != "" {
				w.targets = w.targets[:1]
				b = w.bucket(t, "data", tc.bucket)
			}
			b.Key = lit(theKey)
			r := find(t, run(w), tc.chain, "s3:GetObject", "role.r")
			var got []string
			for _, m := range r.Modes {
				got = append(got, fmt.Sprintf("%s=%s %v@%d", m.Switch, m.Setting, m.Verdict, m.BrokenHop))
			}
			if strings.Join(got, " ") != tc.want || r.Verdict != tc.verdict {
				t.Errorf("got %v, %q; want %v, %q", r.Verdict, got, tc.verdict, tc.want)
			}
		})
	}
}

// The switches can be set for a whole run.
func TestSwitches(t *testing.T) {
	w := newWorld(t)
	w.role(t, "r", "", allow("s3:*", "*")+","+statement("Deny", "", "s3:*", "*", `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`))
	w.bucket(t, "data")
	w.env.Switches.RoleWithoutMFA = true
	res := chain.Run(w, chain.Options{})
	r := find(t, res, "direct-corporate", "s3:GetObject", "role.r")
	verdict(t, r, engine.Allowed, 0)
	if len(r.Modes) != 1 || r.Modes[0].Setting != "false" || r.Modes[0].Verdict != engine.ExplicitDeny {
		t.Errorf("got %+v", r.Modes)
	}
}
