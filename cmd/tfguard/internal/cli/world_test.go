package cli

import (
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

func inventory() *extract.Inventory {
	return &extract.Inventory{
		Account:   extract.Fact{Value: symbol.Literal("111122223333")},
		Partition: extract.Fact{Value: symbol.Literal("aws")},
		Region:    extract.Fact{Value: symbol.Literal("eu-west-1")},
	}
}

// A principal is in the account of its ARN, which need not be the input's.
func TestWorldAccounts(t *testing.T) {
	inv := inventory()
	inv.Organization = extract.Fact{Value: symbol.Literal("o-a1b2c3d4e5")}
	for _, a := range []string{"arn:aws:iam::111122223333:role/near", "arn:aws:iam::999988887777:role/far"} {
		inv.Principals = append(inv.Principals, &extract.Principal{Address: a, Kind: extract.Role, ARN: symbol.Literal(a), Name: symbol.Literal("r")})
	}
	w := newWorld(inv, none)
	near, far := w.principals[0].Caller, w.principals[1].Caller
	if got := far.Principal.Account.String(); got != "999988887777" {
		t.Errorf("far is in account %s", got)
	}
	if near.Organization.Member != kleene.True || far.Organization.Member != kleene.Unknown {
		t.Errorf("members of the organization: near %v, far %v", near.Organization.Member, far.Organization.Member)
	}
}

// An account's own service control policies bind it also where it is not the
// input's first account.
func TestLevelsOfAccounts(t *testing.T) {
	deny, _ := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`, "scp", policy.SCP, source.Origin{})
	inv := inventory()
	inv.OrgPolicies = []*extract.OrgPolicy{{Document: deny, Targets: []extract.OrgTarget{{Kind: extract.OrgAccount, ID: symbol.Literal("999988887777")}}}}
	for account, want := range map[string]bool{"111122223333": false, "999988887777": true} {
		bound := false
		for _, level := range levels(inv, policy.SCP, symbol.Literal(account)) {
			for _, d := range level {
				bound = bound || d.Document == deny && d.Sure == kleene.True
			}
		}
		if bound != want {
			t.Errorf("%s is bound: %v, want %v", account, bound, want)
		}
	}
}

// Where the input detaches FullAWSAccess and shows nothing else, a policy that it
// does not show must hold.
func TestDetachedAlone(t *testing.T) {
	inv := inventory()
	inv.FullAccessDetached = []extract.OrgTarget{{Kind: extract.OrgRoot, ID: symbol.Literal("r-ab12")}}
	if root := levels(inv, policy.SCP, inv.Account.Value)[0]; len(root) != 1 || root[0].Unread == "" {
		t.Errorf("got %+v, want one policy that was not read", root)
	}
}

// FullAWSAccess is gone where it was detached and nowhere else.
func TestFullAccessDetached(t *testing.T) {
	deny, _ := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`, "scp", policy.SCP, source.Origin{})
	node := func(kind extract.OrgTargetKind, id string) extract.OrgTarget {
		return extract.OrgTarget{Kind: kind, ID: symbol.Literal(id)}
	}
	for _, tc := range []struct {
		name     string
		detached extract.OrgTarget
		level    int
		want     kleene.Truth
	}{
		{"root", node(extract.OrgRoot, "r-ab12"), 0, kleene.False},
		{"a unit, which may hold the account", node(extract.OrgUnit, "ou-ab12-34cd56ef"), 1, kleene.Unknown},
		{"the account", node(extract.OrgAccount, "111122223333"), 2, kleene.False},
		{"another account", node(extract.OrgAccount, "999988887777"), 2, kleene.True},
		{"the root, seen from the account", node(extract.OrgRoot, "r-ab12"), 2, kleene.True},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inv := inventory()
			inv.OrgPolicies = []*extract.OrgPolicy{{Document: deny, Targets: []extract.OrgTarget{node(extract.OrgRoot, "r-ab12")}}}
			inv.FullAccessDetached = []extract.OrgTarget{tc.detached}
			got := kleene.False
			for _, d := range newWorld(inv, none).env.SCP[tc.level] {
				if d.Document == fullAccess {
					got = d.Sure
				}
			}
			if got != tc.want {
				t.Errorf("FullAWSAccess is attached: %v, want %v", got, tc.want)
			}
		})
	}
}

// A trail keeps what its deliveries hang on.
func TestTrails(t *testing.T) {
	inv := inventory()
	text := symbol.Literal
	inv.Trails = []*extract.Trail{{Address: "aws_cloudtrail.t", ARN: text("arn"), Bucket: text("logs"), Prefix: text("p"), Key: text("key")}}
	if got, want := newWorld(inv, none).Trails()[0], (chain.Trail{ARN: text("arn"), Bucket: text("logs"), Prefix: text("p"), Key: text("key")}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Keys that no chain sends are said to be absent, and readings that somebody chose.
func TestNotes(t *testing.T) {
	notes := func(condition string, cfg *config.Config) string {
		doc, _ := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":`+condition+`}}`), "p", policy.Identity, source.Origin{})
		inv := inventory()
		inv.Policies = []*extract.Policy{{Document: doc}}
		return strings.Join(newWorld(inv, cfg).notes, "\n")
	}
	if got := notes(`{"Bool":{"aws:viaawsmcpservice":"true"}}`, none); !strings.Contains(got, "MCP servers") {
		t.Errorf("a policy for calls through an MCP server: %q", got)
	}
	if got := notes(`{"Bool":{"aws:ViaAWSService":"true"}}`, none); got != "" {
		t.Errorf("got %q", got)
	}
	if got := notes(`{}`, &config.Config{Path: "c.hcl", Switches: request.Switches{RoleWithoutMFA: true}}); !strings.Contains(got, "role_mfa=absent is what c.hcl chooses") {
		t.Errorf("a reading that was chosen: %q", got)
	}
}
