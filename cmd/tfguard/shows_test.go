package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

// A want is what one replay must come to. The statement that decided is the one of
// the broken hop (of the last mandatory hop if the replay is allowed) that applied or,
// for an implicit deny, came nearest.
type want struct {
	chain, action, principal, resource string // principal: an address or a stand-in
	verdict                            string
	brokenHop                          int
	because                            []deciding
}

// deciding is a statement that must be among those that decided. failed is the
// element that kept it from applying, as "key operator wanted got".
type deciding struct {
	policy    string
	statement int
	outcome   string
	failed    string
}

func checkReplays(t *testing.T, name string, wants []want) {
	t.Helper()
	_, r, _ := reportOf(t, name)
	for _, w := range wants {
		t.Run(fmt.Sprintf("%s/%s/%s/%s", name, w.chain, w.action, w.principal), func(t *testing.T) {
			replay := find(t, r, w)
			if got := replay.Verdict.String(); got != w.verdict || replay.BrokenHop != w.brokenHop {
				t.Errorf("verdict %s at hop %d, want %s at %d", got, replay.BrokenHop, w.verdict, w.brokenHop)
			}
			got := decided(replay)
			for _, d := range w.because {
				if !slices.Contains(got, d) {
					t.Errorf("decided by %+v\nwant %+v among them", got, d)
				}
			}
		})
	}
}

// find returns the one replay that a want is about.
func find(t *testing.T, r *report.Report, w want) *report.Replay {
	t.Helper()
	var found *report.Replay
	for i := range r.Replays {
		p := &r.Replays[i]
		if p.Chain != w.chain || p.Action != w.action || p.ResourceAddress != w.resource ||
			p.PrincipalAddress != w.principal && (p.PrincipalAddress != "" || p.StandIn != w.principal) {
			continue
		}
		if found != nil {
			t.Fatalf("two replays of %+v", w)
		}
		found = p
	}
	if found == nil {
		t.Fatalf("no replay of %+v", w)
	}
	return found
}

// decided lists the statements of the hop that decided.
func decided(r *report.Replay) []deciding {
	var out []deciding
	for i := range r.Hops {
		h := &r.Hops[i]
		if h.Optional || h.Verdict != r.Verdict || r.BrokenHop != 0 && h.Hop != r.BrokenHop {
			continue
		}
		for _, b := range h.Because {
			d := deciding{policy: b.Policy, statement: b.Statement, outcome: b.Outcome}
			if f := b.Failed; f != nil {
				d.failed = fmt.Sprintf("%s %s %s %s", f.Key, f.Operator, f.Wanted, f.Got)
			}
			out = append(out, d)
		}
	}
	return out
}

// The Athena pattern: data open to a query through one endpoint and to nothing else.
func TestShowAthena(t *testing.T) {
	const (
		biz, data, get = "aws_iam_role.biz", "aws_s3_bucket.data", "s3:GetObject"
		identity       = "aws_iam_policy.biz.policy"
	)
	notViaAthena := []deciding{{identity, 2, "notApplies", "aws:CalledVia ForAnyValue:StringEquals athena.amazonaws.com absent"}}
	otherEndpoint := []deciding{{identity, 1, "notApplies", "aws:SourceVpce StringEquals vpce-0123456789abcdef0 absent"}}
	checkReplays(t, "athena-blog-literal", []want{
		{"direct-corporate", get, biz, data, "implicitDeny", 1, notViaAthena},
		{"direct-internet", get, biz, data, "implicitDeny", 1, notViaAthena},
		{"direct-vpc-endpoint", get, biz, data, "implicitDeny", 1, notViaAthena},
		{"athena-privatelink", get, biz, data, "allowed", 0, []deciding{
			{identity, 1, "applies", ""},
			{identity, 2, "applies", ""},
			{identity, 3, "applies", ""},
			{"aws_s3_bucket_policy.data.policy", 1, "applies", ""},
		}},
		{"athena-public", get, biz, data, "implicitDeny", 1, otherEndpoint},
		{"athena-public-outside", get, biz, data, "implicitDeny", 1, otherEndpoint},
	})
}

// A bucket that CloudTrail writes to, with a network Deny that forgets services and
// one that spares them.
func TestShowCloudTrail(t *testing.T) {
	const policy = "aws_s3_bucket_policy.logs.policy"
	acl, write, deny := deciding{policy, 1, "applies", ""}, deciding{policy, 2, "applies", ""}, deciding{policy, 4, "applies", ""}
	trail := func(verdict string, brokenHop int, because ...deciding) []want {
		return []want{{"cloudtrail-s3", "s3:PutObject", "cloudtrail.amazonaws.com", "aws_s3_bucket.logs", verdict, brokenHop, because}}
	}
	checkReplays(t, "cloudtrail-bucket", trail("allowed", 0, acl, write))
	checkReplays(t, "cloudtrail-network-deny", trail("explicitDeny", 1, acl, deny))
	checkReplays(t, "cloudtrail-network-deny-exempt", trail("allowed", 0, acl, write))

	for name, wantCode := range map[string]int{"cloudtrail-bucket": 0, "cloudtrail-network-deny": 1, "cloudtrail-network-deny-exempt": 0} {
		_, r, code := reportOf(t, name)
		if code != wantCode {
			t.Errorf("%s: exit code %d, want %d", name, code, wantCode)
		}
		if n := r.Summary.Findings; n.Error+n.Warning != wantCode {
			t.Errorf("%s: findings %+v", name, r.Findings)
		}
	}
	_, r, _ := reportOf(t, "cloudtrail-network-deny")
	f := r.Findings[0]
	// The Deny begins at this column of the policy's text, which is one line.
	place := report.Source{Line: 1, Column: 865, Attribute: "policy"}
	if f.Rule != "service-principal-locked-out" || f.Severity != "error" || f.Address != "aws_s3_bucket_policy.logs" || f.Source != place {
		t.Errorf("finding %s (%s) at %s %+v", f.Rule, f.Severity, f.Address, f.Source)
	}
	if f.Replay == nil || r.Replays[*f.Replay].Chain != "cloudtrail-s3" || r.Replays[*f.Replay].Verdict.String() != "explicitDeny" {
		t.Error("the finding does not name the replay that proves it")
	}
}

// A service control policy that leaves CloudFormation as the only way to an instance.
func TestShowForceIaC(t *testing.T) {
	const admin, start = "tfguard-standin-admin", "ec2:RunInstances"
	deny := []deciding{{"aws_organizations_policy.force_iac.content", 1, "applies", ""}}
	checkReplays(t, "scp-force-iac", []want{
		{"direct-corporate", start, admin, "", "explicitDeny", 1, deny},
		{"direct-internet", start, admin, "", "explicitDeny", 1, deny},
		{"direct-vpc-endpoint", start, admin, "", "explicitDeny", 1, deny},
		{"cloudformation", start, admin, "", "allowed", 0, []deciding{{"arn:aws:iam::aws:policy/AdministratorAccess", 1, "applies", ""}}},
	})
}

// A Deny for everything outside of approved addresses, without a grant and with one.
func TestShowApprovedIPs(t *testing.T) {
	const alice, start = `aws_iam_user.ops["alice"]`, "ec2:RunInstances"
	deny := []deciding{
		{"aws_iam_user_policy.alice.policy", 1, "applies", ""},
		{"aws_iam_group_policy.ops.policy", 1, "applies", ""},
		{"aws_iam_policy.approved.policy", 1, "applies", ""},
	}
	checkReplays(t, "approved-ips", []want{
		{"direct-internet", start, alice, "", "explicitDeny", 1, deny},
		{"direct-vpc-endpoint", start, alice, "", "explicitDeny", 1, deny},
		{"direct-corporate", start, alice, "", "implicitDeny", 1, nil},
		{"cloudformation", start, alice, "", "implicitDeny", 1, nil},
	})
	allow := []deciding{{"arn:aws:iam::aws:policy/AdministratorAccess", 1, "applies", ""}}
	checkReplays(t, "approved-ips-admin", []want{
		{"direct-internet", start, alice, "", "explicitDeny", 1, deny},
		{"direct-vpc-endpoint", start, alice, "", "explicitDeny", 1, deny},
		{"direct-corporate", start, alice, "", "allowed", 0, allow},
		{"cloudformation", start, alice, "", "allowed", 0, allow},
	})
}
