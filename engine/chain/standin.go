package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Stand-ins are roles with AdministratorAccess for callers that an input does not
// define. Their names and accounts are such that no policy mentions them.
const (
	// StandInAdmin is an administrator of the account.
	StandInAdmin = "tfguard-standin-admin"
	// StandInOrg is an administrator of another account of the organization.
	StandInOrg = "tfguard-standin-org"
	// StandInOutside is an administrator of an account of another organization.
	StandInOutside = "tfguard-standin-outside"
)

// Accounts and organization of the stand-ins. The accounts have the length of an
// account id and letters in it, so that they differ from every account, also from
// one that is not known.
var (
	// OrgAccount is the account of StandInOrg.
	OrgAccount     = symbol.Literal("standin00org")
	outsideAccount = symbol.Literal("standin00out")
	outsideOrg     = symbol.Literal("o-tfguardoutside")
)

func standIns(env Environment) []*Principal {
	org := env.Organization
	org.Member = kleene.True
	admin := standIn(env, StandInAdmin, env.Account, env.Organization)
	admin.SCP = env.SCP
	admin.Caller.Principal.ManagementAccount = env.ManagementAccount
	member := standIn(env, StandInOrg, OrgAccount, org)
	member.SCP = env.OrgSCP
	outside := standIn(env, StandInOutside, outsideAccount, request.Organization{Member: kleene.True, ID: outsideOrg})
	return []*Principal{admin, member, outside}
}

func standIn(env Environment, name string, account symbol.Text, org request.Organization) *Principal {
	return &Principal{
		StandIn: name,
		anyone:  true,
		Caller: request.Caller{
			Principal:    RoleSession(env.Partition, account, symbol.Literal("role/"+name), symbol.Literal(name)),
			Tags:         map[string]symbol.Text{},
			Organization: org,
		},
		Identity: []policy.Attached{{Document: env.Administrator, Sure: kleene.True}},
	}
}

// Partner returns the caller of another account that a policy names by the ARN of a role
// or user, or by its account or organization, for which an administrator stands. It is nil
// for a name of the account or organization itself, and for one that may be any.
func Partner(env Environment, name symbol.Text) *Principal {
	if id, ok := name.Literal(); ok && strings.HasPrefix(id, "o-") && !strings.ContainsAny(id, "*?$/") && symbol.Equal(name, env.Organization.ID) == kleene.False {
		p := standIn(env, "tfguard-standin-"+id, outsideAccount, request.Organization{Member: kleene.True, ID: name})
		p.partner = true
		return p
	}
	account, resource := name, "role/"+StandInAdmin
	if a, ok := arn.Parse(name); ok {
		account = a[arn.Account]
		if rest := a[arn.Resource].String(); rest != "root" {
			resource = rest
		}
	}
	id, _ := account.Literal()
	kind, _, _ := strings.Cut(resource, "/")
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" || kind != "role" && kind != "user" || strings.ContainsAny(resource, "*?$") || symbol.Equal(account, env.Account) != kleene.False {
		return nil
	}
	p := standIn(env, "", account, request.Organization{Member: kleene.Unknown, ID: env.Organization.ID})
	p.partner, p.anyone, p.Caller.Tags = true, resource == "role/"+StandInAdmin, nil
	_, last, _ := strings.Cut(resource, "/")
	last = last[strings.LastIndex(last, "/")+1:]
	p.Caller.Principal = RoleSession(env.Partition, account, symbol.Literal(resource), symbol.Literal(last))
	if kind == "user" {
		p.Caller.Principal.Kind, p.Caller.Principal.Session = request.IAMUser, symbol.Text{}
	}
	p.StandIn = p.Caller.Principal.ARN.String()
	return p
}

// RoleSession returns a session of a role with a name that no policy mentions.
// resource is the resource part of the role's ARN, with its path.
func RoleSession(partition, account, resource, name symbol.Text) request.Principal {
	lit := symbol.Literal
	return request.Principal{
		Kind:    request.RoleSession,
		Account: account,
		ARN:     symbol.Concat(lit("arn:"), partition, lit(":iam::"), account, lit(":"), resource),
		Session: symbol.Concat(lit("arn:"), partition, lit(":sts::"), account, lit(":assumed-role/"), name, lit("/tfguard-session")),
	}
}

// Partner reports whether the principal is one that [Partner] made.
func (p *Principal) Partner() bool { return p.partner }

// Outside says how far outside of the account a stand-in is: 0 for what is in it, and the
// more the more callers it stands for: 1 for an administrator of another account of the
// organization and for a [Partner], 2 for one of any account, 3 for anybody.
func (p *Principal) Outside() int {
	switch {
	case p.Caller.Principal.Kind == request.Anonymous:
		return 3
	case p.StandIn == StandInOutside:
		return 2
	case p.StandIn == StandInOrg, p.partner:
		return 1
	}
	return 0
}

func anonymous() *Principal {
	return &Principal{
		StandIn: "anonymous",
		Caller:  request.Caller{Principal: request.Principal{Kind: request.Anonymous}},
	}
}

func service(name string, source, account symbol.Text, org request.Organization) *Principal {
	return &Principal{
		StandIn: name,
		Caller: request.Caller{
			Principal:     request.Principal{Kind: request.ServicePrincipal, Service: name},
			Source:        source,
			SourceAccount: account,
			Organization:  org,
		},
	}
}

// identityProvider is the user of an identity provider that a trust policy lets in.
func identityProvider(arn symbol.Text) *Principal {
	return &Principal{
		StandIn: arn.String(),
		Caller:  request.Caller{Principal: request.Principal{Kind: request.FederatedIdentity, ARN: arn}},
	}
}
