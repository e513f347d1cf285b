// Package engine decides one AWS request: which of allowed, explicit deny,
// implicit deny and unknown the policies that bear on it come to, and why.
//
// Call [Evaluate] with the policies by their kind and a [Request]. The order of
// the decision follows the AWS pages "How AWS enforcement code logic evaluates
// requests to allow or deny access" and "Cross-account policy evaluation logic":
//
//   - an explicit deny in any policy decides;
//   - resource control policies, service control policies at every level of the
//     organization, and the policy of the VPC endpoint must each allow;
//   - a service principal, an anonymous caller or a federated identity needs an
//     allow in the resource's policy;
//   - within one account either the resource's policy allows the caller directly,
//     or the identity-based policies do, limited by permissions boundary and
//     session policy;
//   - across accounts both sides must allow.
//
// The package is pure: it reads no files, no clock and no environment. Whatever
// is not known stays unknown; where a verdict would be the same in every possible
// world it is given all the same.
package engine

import (
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Request is what AWS decides on: one action on one resource.
type Request struct {
	Principal request.Principal
	// Action is "service:Name"; case does not count.
	Action string
	// Resource is the ARN, or "*" for actions without a resource type.
	Resource symbol.Text
	// ResourceAccount owns the resource; empty means the account in the ARN, else
	// the caller's.
	ResourceAccount symbol.Text
	Context         request.Context
}

// Policies are the policies that may bear on a request, by their kind. Which of
// them do depends on the caller: no service control policy binds a service
// principal, no boundary the root user.
type Policies struct {
	Identity []policy.Attached
	// Boundary and Session are nil if the caller has none.
	Boundary []policy.Attached
	Session  []policy.Attached
	// Resource is the resource's own policy or, for sts:AssumeRole, the trust policy.
	Resource []policy.Attached
	// SCP are the levels of the caller's organization, root first, nil outside of one.
	SCP []Level
	// RCP are the levels of the resource's organization, root first.
	RCP []Level
	// RestrictPublicBuckets is the setting of S3 Block Public Access that holds for
	// the bucket: a public policy then serves no other account.
	RestrictPublicBuckets kleene.Truth
	// VPCEndpoint is nil if the request passes no endpoint or one with the default
	// policy.
	VPCEndpoint []policy.Attached
}

// A Level holds the organization policies attached to one node of the tree. At
// every level some policy must allow.
type Level []policy.Attached

// Evaluate decides a request. It evaluates every statement, also when the answer
// is certain early, so that all reasons are told: a person who removes the one
// deny that was named should not meet the next.
func Evaluate(policies *Policies, req *Request) Decision {
	e := newEvaluation(policies, req)
	if e.outsidePolicies() {
		return e.decision
	}
	denied := e.evaluateAll()
	allowed := e.allowed()
	switch {
	case denied == kleene.True:
		e.decision.Verdict = ExplicitDeny
	case allowed == kleene.False:
		e.decision.Verdict = ImplicitDeny
		e.explainMissing()
		if denied == kleene.Unknown {
			e.note("explicit deny if what may apply does")
		}
	case allowed == kleene.True && denied == kleene.False:
		e.decision.Verdict = Allowed
	default:
		e.decision.Verdict = Unknown
		e.explainUnknown()
	}
	return e.decision
}

// grant is the truth of an Allow by how the statement names the caller, which
// decides what else can still limit it.
type grant struct {
	// direct: the caller itself, everyone, or a service (not limited by implicit
	// denies of boundary and session policy).
	direct kleene.Truth
	// role: the role of the session, or the user of a federated-user session.
	role kleene.Truth
	// account: the caller's account, which delegates to its identity policies.
	account kleene.Truth
}

func (g grant) any() kleene.Truth { return max(g.direct, g.role, g.account) }

func (g *grant) add(h grant) {
	g.direct, g.role, g.account = max(g.direct, h.direct), max(g.role, h.role), max(g.account, h.account)
}

type evaluation struct {
	policies *Policies
	req      *Request
	prefix   string // of the action, in lower case
	name     string
	resource arn.ARN
	isARN    bool
	owner    symbol.Text
	decision Decision

	denied                      kleene.Truth
	identity, boundary, session kleene.Truth
	endpoint                    kleene.Truth
	scp, rcp                    []kleene.Truth
	grant                       grant
	unread                      []string
}

func newEvaluation(policies *Policies, req *Request) *evaluation {
	e := &evaluation{policies: policies, req: req}
	e.prefix, e.name, _ = strings.Cut(strings.ToLower(req.Action), ":")
	e.resource, e.isARN = arn.Parse(req.Resource)
	e.owner = req.ResourceAccount
	if e.owner.IsZero() && e.isARN {
		e.owner = e.resource[arn.Account]
	}
	if e.owner.IsZero() {
		e.owner = req.Principal.Account
	}
	return e
}

// outsidePolicies decides what no policy can: sts:GetCallerIdentity needs no
// permission, and the root user cannot call sts:AssumeRole (AWS STS API Reference).
func (e *evaluation) outsidePolicies() bool {
	if e.prefix != "sts" {
		return false
	}
	switch {
	case e.name == "getcalleridentity":
		e.decision.Verdict = Allowed
		e.note("sts:GetCallerIdentity needs no permission")
		return true
	case e.name == "assumerole" && e.req.Principal.Kind == request.Root:
		e.note("the root user cannot call sts:AssumeRole")
		return true
	}
	return false
}

// evaluateAll evaluates every policy that bears on the caller and returns whether
// some statement denies the request.
func (e *evaluation) evaluateAll() kleene.Truth {
	p, kind := e.policies, e.req.Principal.Kind
	if e.req.Principal.Entity() && kind != request.Root {
		e.identity = e.layer(p.Identity)
		if kind != request.ServiceLinkedRole {
			e.boundary = e.optional(p.Boundary)
		} else {
			e.boundary = kleene.True
		}
		e.session = e.optional(p.Session)
		if p.Session == nil && kind == request.FederatedUser {
			e.session = kleene.False
		}
	} else {
		e.boundary, e.session = kleene.True, kleene.True
	}
	e.resourcePolicies()
	e.blockPublicAccess()
	if e.boundBySCP() {
		for _, level := range p.SCP {
			e.scp = append(e.scp, e.layer(level))
		}
	}
	if e.boundByRCP() {
		for _, level := range p.RCP {
			e.layer(level)
			// RCPFullAWSAccess cannot be detached: the Allow half always holds.
			e.rcp = append(e.rcp, kleene.True)
		}
	}
	e.endpoint = e.optional(p.VPCEndpoint)
	return e.denied
}

// boundBySCP: service control policies bind the users, roles and root users of
// member accounts (AWS Organizations page "Service control policies").
func (e *evaluation) boundBySCP() bool {
	p := &e.req.Principal
	return p.Entity() && p.Kind != request.ServiceLinkedRole && !p.ManagementAccount
}

// boundByRCP: resource control policies bind every caller but service-linked
// roles (AWS Organizations page "Resource control policies").
func (e *evaluation) boundByRCP() bool {
	return e.req.Principal.Kind != request.ServiceLinkedRole
}

func (e *evaluation) layer(docs []policy.Attached) kleene.Truth {
	out := kleene.False
	for i := range docs {
		g := e.document(&docs[i])
		out = max(out, g.any())
	}
	return out
}

// optional is layer for kinds whose absence limits nothing.
func (e *evaluation) optional(docs []policy.Attached) kleene.Truth {
	if docs == nil {
		return kleene.True
	}
	return e.layer(docs)
}

func (e *evaluation) resourcePolicies() {
	for i := range e.policies.Resource {
		e.grant.add(e.document(&e.policies.Resource[i]))
	}
	if len(e.policies.Resource) > 0 {
		return
	}
	switch {
	case e.isKey():
		// A key always has a policy; the default one delegates to the account.
		e.grant.account = e.sameAccount()
		e.note("the default key policy is assumed: it lets the account's identity policies decide")
	case e.assumesRole():
		e.grant = grant{kleene.Unknown, kleene.Unknown, kleene.Unknown}
		e.unread = append(e.unread, "the trust policy of "+e.req.Resource.String())
	}
}

// blockPublicAccess: where S3 restricts public buckets and some policy of the
// bucket is public, only services and the owner's account keep access, whichever
// statement grants it (AWS page "Blocking public access to your Amazon S3 storage").
func (e *evaluation) blockPublicAccess() {
	p := &e.req.Principal
	if e.policies.RestrictPublicBuckets == kleene.False || p.Kind == request.ServicePrincipal {
		return
	}
	cut := e.policies.RestrictPublicBuckets
	if p.Entity() {
		cut = min(cut, kleene.Not(e.sameAccount()))
	}
	public := kleene.False
	for i := range e.policies.Resource {
		doc := &e.policies.Resource[i]
		public = max(public, min(doc.Sure, doc.Public()))
	}
	if cut = min(cut, public); cut == kleene.False {
		return
	}
	e.denied = max(e.denied, cut)
	r := Reason{Policy: "S3 Block Public Access", Kind: policy.Resource, Effect: policy.Deny, Outcome: Applies}
	if cut == kleene.Unknown {
		r.Outcome = Maybe
		e.unread = append(e.unread, "whether S3 Block Public Access cuts off "+e.req.Resource.String())
	}
	e.decision.Because = append(e.decision.Because, r)
}

// document evaluates all statements of one policy: denials are added up, and the
// grant of its allows is returned.
func (e *evaluation) document(doc *policy.Attached) grant {
	var g grant
	if doc.Unread != "" {
		e.denied = max(e.denied, kleene.Unknown)
		e.unread = append(e.unread, doc.ID+": "+doc.Unread)
		e.decision.Because = append(e.decision.Because, Reason{
			Policy: doc.ID, Kind: doc.Kind, Outcome: Maybe, Origin: doc.Origin,
			Failed: &Failure{Key: "policy", Got: "unknown", Wanted: doc.Unread},
		})
		return grant{kleene.Unknown, kleene.Unknown, kleene.Unknown}
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		m := e.match(st)
		sg := m.grant.and(doc.Sure)
		truth := sg.any()
		if truth == kleene.False {
			continue
		}
		e.decision.Because = append(e.decision.Because, e.reason(doc, st, truth, m))
		if st.Effect == policy.Deny {
			e.denied = max(e.denied, truth)
		} else {
			g.add(sg)
		}
	}
	return g
}

func (g grant) and(t kleene.Truth) grant {
	return grant{min(g.direct, t), min(g.role, t), min(g.account, t)}
}

// allowed is the formula of the evaluation logic over the layers. It uses no
// negation, so that an unknown in it is exact: true in one world, false in another.
func (e *evaluation) allowed() kleene.Truth {
	gates := e.endpoint
	for _, level := range e.scp {
		gates = min(gates, level)
	}
	p := &e.req.Principal
	if !p.Entity() {
		// Service principals, anonymous callers, federated identities.
		return min(gates, e.grant.direct)
	}
	limits := min(e.boundary, e.session)
	identity := e.identity
	if p.Kind == request.Root {
		identity = kleene.True
	}
	delegated := kleene.True
	if e.isKey() || e.assumesRole() {
		delegated = e.grant.account
	}
	same := max(
		e.grant.direct,
		min(e.grant.role, limits),
		min(identity, limits, delegated),
	)
	cross := min(identity, limits, e.grant.any())
	switch e.sameAccount() {
	case kleene.True:
		return min(gates, same)
	case kleene.False:
		return min(gates, cross)
	default:
		return min(gates, kleene.Join(same, cross))
	}
}

func (e *evaluation) sameAccount() kleene.Truth {
	return symbol.Equal(e.req.Principal.Account, e.owner)
}

// isKey: the policy of a KMS key must itself name the caller or its account (AWS
// KMS page "Key policies").
func (e *evaluation) isKey() bool {
	return e.prefix == "kms" && e.isARN && e.resource.Type() == "key"
}

// assumesRole: so must the trust policy of a role.
func (e *evaluation) assumesRole() bool {
	return e.prefix == "sts" && e.isARN && e.resource.Type() == "role"
}

func (e *evaluation) note(text string) {
	e.decision.Notes = append(e.decision.Notes, text)
}
