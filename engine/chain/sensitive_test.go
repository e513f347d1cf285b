package chain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
)

// Sensitive policies are evaluated as they are, and nothing that a replay shows is
// read off them.
func TestSensitivePolicies(t *testing.T) {
	const secret = "s3ntinel"
	own := []string{
		statement("Allow", "", "athena:*", "arn:aws:athena:*:*:workgroup/"+secret, ""),
		statement("Allow", "", "s3:*", "arn:aws:s3:::data/"+secret+"/*", `{"IpAddress":{"aws:SourceIp":"198.18.77.0/24"}}`),
	}
	theirs := []string{
		statement("Allow", service("cloudtrail.amazonaws.com"), "s3:GetBucketAcl", "arn:aws:s3:::data", ""),
		statement("Allow", service("cloudtrail.amazonaws.com"), "s3:PutObject", "arn:aws:s3:::data/"+secret+"/AWSLogs/*", `{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:777744440000:trail/`+secret+`"}}`),
		statement("Allow", service("config.amazonaws.com"), "s3:"+secret, "*", `{"StringEquals":{"aws:SourceVpce":"vpce-`+secret+`","aws:SourceVpc":"vpc-`+secret+`"}}`),
		statement("Deny", everyone, "s3:ListBucket", "*", `{"NotIpAddress":{"aws:SourceIp":"198.18.77.0/24"}}`),
	}
	for _, sensitive := range []bool{false, true} {
		w := newWorld(t)
		p := w.user(t, "u", own...)
		b := w.bucket(t, "data", theirs...)
		for i := range p.Identity {
			p.Identity[i].Sensitive = sensitive
		}
		for i := range b.Policies {
			b.Policies[i].Sensitive = sensitive
		}
		res := run(w)
		var shown strings.Builder
		for _, r := range res.Replays {
			fmt.Fprintln(&shown, keyOf(r), r.Resource(), r.Principal.Name())
			for i := range r.Hops {
				h := &r.Hops[i]
				fmt.Fprintln(&shown, h.Request.Resource, h.Request.Action, h.Unknown, h.Notes)
				for e := range h.Request.Context.All() {
					fmt.Fprintln(&shown, e.Key, e.Values)
				}
				for _, because := range h.Because {
					fmt.Fprintln(&shown, because.Sid)
					if f := because.Failed; f != nil {
						fmt.Fprintln(&shown, f.Key, f.Operator, f.Wanted)
					}
				}
			}
		}
		for _, word := range []string{secret, "198.18.77.", "777744440000"} {
			if got := strings.Contains(shown.String(), word); got == sensitive {
				t.Errorf("sensitive %v: shows %s: %v", sensitive, word, got)
			}
		}
		if got := fmt.Sprint(res.Notes); strings.Contains(got, "sensitive") != sensitive {
			t.Errorf("sensitive %v: notes %s", sensitive, got)
		}
		want := engine.Allowed // from the range that the policy asks for
		if sensitive {
			want = engine.ExplicitDeny
		}
		if r := find(t, res, "direct-corporate", "s3:ListBucket", chain.StandInAdmin); r.Verdict != want {
			t.Errorf("sensitive %v: got %v, want %v", sensitive, r.Verdict, want)
		}
		find(t, res, "cloudtrail-s3", "s3:PutObject", "cloudtrail.amazonaws.com")
	}
}
