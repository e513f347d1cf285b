package request

import (
	"github.com/tfguard/tfguard/engine/symbol"
)

// A PrincipalKind says what the caller of a request is, which decides the
// policies that bear on it.
type PrincipalKind uint8

// The kinds of callers.
const (
	// Anonymous is a request without credentials.
	Anonymous PrincipalKind = iota
	// IAMUser calls with the keys of an IAM user.
	IAMUser
	// RoleSession is a session of a role, a service role's included.
	RoleSession
	// FederatedUser is a session of GetFederationToken: the user's policies
	// intersected with the session policies.
	FederatedUser
	// Root is the root user of an account.
	Root
	// ServiceLinkedRole is a session of a service-linked role.
	ServiceLinkedRole
	// ServicePrincipal is an AWS service that calls in its own name.
	ServicePrincipal
	// FederatedIdentity is the user of an identity provider in AssumeRoleWithSAML
	// or AssumeRoleWithWebIdentity.
	FederatedIdentity
)

// A Principal is the caller of a request.
type Principal struct {
	Kind PrincipalKind
	// ARN is that of the user, the role (not the session), the root user or the
	// identity provider; empty for services and anonymous callers.
	ARN symbol.Text
	// Pathless is set for a role whose ARN lacks the path it may have: all that the
	// ARN of a session tells.
	Pathless bool
	// Session is the ARN of the role or federated-user session, empty for others.
	Session symbol.Text
	// Account is the id of the caller's account, empty for services, anonymous
	// callers and federated identities.
	Account symbol.Text
	// Service is the name of a service principal, such as "cloudtrail.amazonaws.com".
	Service string
	// ManagementAccount is set for callers of an organization's management
	// account, whom service control policies do not bind.
	ManagementAccount bool
}

// OriginAccessIdentity reports whether the caller is a user of CloudFront, for whom
// the policy of the bucket alone speaks: its other policies are CloudFront's (Amazon
// CloudFront page "Restrict access to an Amazon S3 origin").
func (p *Principal) OriginAccessIdentity() bool {
	return p.Kind == IAMUser && p.Account == cloudFront
}

var cloudFront = symbol.Literal("cloudfront")

// Entity reports whether the caller is an AWS identity of some account.
func (p *Principal) Entity() bool {
	switch p.Kind {
	case IAMUser, RoleSession, FederatedUser, Root, ServiceLinkedRole:
		return true
	default:
		return false
	}
}
