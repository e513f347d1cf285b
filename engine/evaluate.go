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
	"slices"
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
	// Resource is the resource's own policy or, for sts:AssumeRole, the trust policy,
	// with the documents for what else grants on its side.
	Resource []policy.Attached
	// Bucket is what stands behind an access point that the request is made on, nil if
	// that is not known.
	Bucket *Bucket
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
	// Assume settles what AWS's documentation leaves open.
	Assume Assumptions
}

// Assumptions settle what AWS's documentation leaves open and only those who have
// tried it know. Decisions that rest on one say so in a note.
type Assumptions struct {
	// NegatedSet is the truth of a negated operator without a set operator over a key
	// that holds a set, such as StringNotEquals over aws:CalledVia; nil for unknown.
	NegatedSet *bool
	// Delegating are the prefixes of services, in lower case, whose resource policies
	// must allow beside the identity-based ones, as those of KMS keys must: AWS names
	// keys and roles and adds that other services may ask for it too (AWS page "How
	// AWS enforcement code logic evaluates requests to allow or deny access").
	Delegating []string
}

// A Level holds the organization policies attached to one node of the tree. At
// every level some policy must allow.
type Level []policy.Attached

// Evaluate decides a request. It evaluates every statement, also when the answer
// is certain early, so that all reasons are told: a person who removes the one
// deny that was named should not meet the next.
func Evaluate(policies *Policies, req *Request) Decision {
	e := newEvaluation(policies, req)
	e.traced = true
	if e.decide(); e.settled {
		return e.decision
	}
	switch e.decision.Verdict {
	case ImplicitDeny:
		e.explainMissing()
		if e.denied == kleene.Unknown {
			e.note("explicit deny if what may apply does")
		}
		if slices.Contains(e.decision.Missing, policy.Resource) {
			e.noteOtherPaths()
		}
	case Allowed:
		e.noteFurtherChecks()
	case Unknown:
		e.explainUnknown()
	default: // the statements that applied say why
	}
	return e.decision
}

// Decide is [Evaluate] without the reasons, for those who ask many questions: a
// definite verdict costs no memory.
func Decide(policies *Policies, req *Request) Verdict {
	e := newEvaluation(policies, req)
	e.decide()
	return e.decision.Verdict
}

// decide finds the verdict.
func (e *evaluation) decide() {
	if e.outsidePolicies() {
		e.settled = true
		return
	}
	e.evaluateAll()
	denied, allowed := e.denied, e.allowed()
	switch {
	case denied == kleene.True:
		e.decision.Verdict = ExplicitDeny
	case allowed == kleene.False:
		e.decision.Verdict = ImplicitDeny
	case allowed == kleene.True && denied == kleene.False:
		e.decision.Verdict = Allowed
	default:
		e.decision.Verdict = Unknown
	}
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
	// traced: the reasons are asked for; settled: no policy had a say.
	traced, settled bool
	// prefix of the action, in lower case, and its name as it is written.
	prefix, name string
	resource     arn.ARN
	isARN        bool
	// resourcePart is the sixth part of the ARN as text.
	resourcePart string
	owner        symbol.Text
	decision     Decision

	denied                      kleene.Truth
	identity, boundary, session kleene.Truth
	endpoint                    kleene.Truth
	scp                         kleene.Truth
	// grant is what the resource's policies grant, permitted whether the caller has
	// the permission before service control policies and the VPC endpoint count.
	grant     grant
	permitted kleene.Truth
	// hangsOn names what is not known beside the statements that may apply.
	hangsOn []string
	// noDeny is how certainly a Deny does not count in the policy at hand, rootOnly
	// how certainly an account in it means the root user alone.
	noDeny, rootOnly kleene.Truth
}

func newEvaluation(policies *Policies, req *Request) evaluation {
	e := evaluation{policies: policies}
	e.prefix, e.name, _ = strings.Cut(req.Action, ":")
	e.prefix = strings.ToLower(e.prefix)
	e.setResource(req)
	e.owner = req.ResourceAccount
	if e.owner.IsZero() && e.isARN {
		e.owner = e.resource[arn.Account]
	}
	if e.owner.IsZero() {
		e.owner = req.Principal.Account
	}
	return e
}

// setResource makes a request, and what it is made on, the one to match.
func (e *evaluation) setResource(req *Request) {
	e.req = req
	if e.resource, e.isARN = arn.Parse(req.Resource); e.isARN {
		e.resourcePart = e.resource[arn.Resource].String()
	}
}

// outsidePolicies decides what no policy can: calls that need no permission, and
// those that a kind of credentials cannot make (AWS STS API Reference; AWS page
// "Requesting temporary security credentials").
func (e *evaluation) outsidePolicies() bool {
	kind := e.req.Principal.Kind
	if kind == request.FederatedUser && e.prefix == "iam" {
		return e.settle(ImplicitDeny, "a session of GetFederationToken cannot call IAM")
	}
	if e.prefix != "sts" {
		return false
	}
	session := kind == request.RoleSession || kind == request.ServiceLinkedRole
	switch {
	case e.named("getcalleridentity"):
		return e.settle(Allowed, "sts:GetCallerIdentity needs no permission")
	case kind == request.FederatedUser:
		return e.settle(ImplicitDeny, "a session of GetFederationToken can call no other action of STS than GetCallerIdentity")
	case e.named("assumerole") && kind == request.Root:
		return e.settle(ImplicitDeny, "the root user cannot call sts:AssumeRole")
	case session && (e.named("getsessiontoken") || e.named("getfederationtoken")):
		return e.settle(ImplicitDeny, "a role session can call neither sts:GetSessionToken nor sts:GetFederationToken")
	case kind == request.IAMUser && (e.named("getsessiontoken") || e.named("getfederationtoken")):
		return e.userToken()
	}
	return false
}

// userToken: no policy keeps a user's long-term key from sts:GetSessionToken, and
// temporary credentials, whose sign is aws:TokenIssueTime, can call neither that
// nor sts:GetFederationToken.
func (e *evaluation) userToken() bool {
	session := e.named("getsessiontoken")
	switch e.req.Context.Get("aws:TokenIssueTime").Present {
	case kleene.True:
		return e.settle(ImplicitDeny, "temporary credentials of a user can call neither sts:GetSessionToken nor sts:GetFederationToken")
	case kleene.False:
		return session && e.settle(Allowed, "sts:GetSessionToken needs no permission with a user's long-term key")
	default:
	}
	e.decision.Unknown = []string{"whether aws:TokenIssueTime is present: only long-term keys can call " + e.req.Action}
	return e.settle(Unknown, "only a user's long-term key can call "+e.req.Action)
}

func (e *evaluation) settle(v Verdict, why string) bool {
	e.decision.Verdict = v
	e.note(why)
	return true
}

// evaluateAll evaluates every policy that bears on the caller.
func (e *evaluation) evaluateAll() {
	p, kind := e.policies, e.req.Principal.Kind
	e.boundary, e.session = kleene.True, kleene.True
	if e.req.Principal.Entity() {
		if kind == request.Root || e.req.Principal.OriginAccessIdentity() {
			e.identity = kleene.True
		} else {
			e.identity = e.layer(p.Identity)
		}
		if e.canBeBounded() {
			e.boundary = e.optional(p.Boundary)
		}
		e.session = e.optional(p.Session)
		if p.Session == nil && kind == request.FederatedUser {
			e.session = kleene.False // it has no permissions of its own
		}
	}
	e.resourcePolicies()
	e.blockPublicAccess()
	e.scp = kleene.True
	if e.boundBySCP() {
		for _, level := range p.SCP {
			e.scp = min(e.scp, e.layer(level))
		}
	}
	if e.boundByRCP() {
		for _, level := range p.RCP {
			// RCPFullAWSAccess cannot be detached: only what a level denies counts.
			e.layer(level)
		}
	}
	e.endpoint = e.optional(p.VPCEndpoint)
}

// gatewayServices are those that have gateway endpoints (AWS PrivateLink page
// "Gateway endpoints").
var gatewayServices = map[string]bool{"s3": true, "s3express": true, "dynamodb": true}

// enter sets what holds for the statements of one policy alone.
func (e *evaluation) enter(doc *policy.Attached) {
	e.rootOnly = kleene.False
	if doc.Kind == policy.VPCEndpoint && gatewayServices[e.prefix] && e.req.Principal.Kind != request.Root {
		e.rootOnly = doc.Gateway
	}
}

// canBeBounded: neither the root user nor a service-linked role has a permissions
// boundary (AWS page "Permissions boundaries for IAM entities").
func (e *evaluation) canBeBounded() bool {
	p := &e.req.Principal
	return p.Entity() && p.Kind != request.Root && p.Kind != request.ServiceLinkedRole && !p.OriginAccessIdentity()
}

// boundBySCP: service control policies bind the users, roles and root users of
// member accounts (AWS Organizations page "Service control policies").
func (e *evaluation) boundBySCP() bool {
	p := &e.req.Principal
	return p.Entity() && p.Kind != request.ServiceLinkedRole && !p.ManagementAccount && !p.OriginAccessIdentity()
}

// layer evaluates policies of which one must allow.
func (e *evaluation) layer(docs []policy.Attached) kleene.Truth {
	out := kleene.False
	for i := range docs {
		out = max(out, min(e.document(&docs[i]).any(), docs[i].Sure))
	}
	return out
}

// optional is layer for kinds whose absence limits nothing: where it is not known
// that any of the documents takes part, perhaps none limits.
func (e *evaluation) optional(docs []policy.Attached) kleene.Truth {
	if docs == nil {
		return kleene.True
	}
	out, attached, every := kleene.False, kleene.False, kleene.True
	for i := range docs {
		allows := e.document(&docs[i]).any()
		out = max(out, min(allows, docs[i].Sure))
		attached = max(attached, docs[i].Sure)
		every = min(every, allows)
	}
	if attached != kleene.Unknown {
		return out
	}
	if every != kleene.True {
		for i := range docs {
			e.waitFor(docs[i].Why)
		}
	}
	return kleene.Join(kleene.True, every)
}

// ownBucketPolicy are the actions that the root user of a bucket's owner may make
// whatever the bucket's policy denies (Amazon S3 API Reference, "PutBucketPolicy").
var ownBucketPolicy = map[string]bool{"getbucketpolicy": true, "putbucketpolicy": true, "deletebucketpolicy": true}

func (e *evaluation) resourcePolicies() {
	if e.req.Principal.Kind == request.Root && e.prefix == "s3" && ownBucketPolicy[strings.ToLower(e.name)] {
		if e.noDeny = e.sameAccount(); e.noDeny != kleene.False {
			e.note("the policy of a bucket cannot keep the root user of its owner from reading and changing it")
		}
	}
	attached := kleene.False
	for i := range e.policies.Resource {
		doc := &e.policies.Resource[i]
		e.grant.add(e.document(doc).and(doc.Sure))
		if !doc.Grant {
			attached = max(attached, doc.Sure)
		}
	}
	e.noDeny = kleene.False
	if e.throughAccessPoint() {
		e.behindAccessPoint()
	}
	if attached == kleene.True {
		return
	}
	perhaps := kleene.Not(attached) // what holds without a policy
	switch {
	case e.isKey() == kleene.True:
		// A key always has a policy; the default one delegates to the account.
		e.grant.account = max(e.grant.account, min(e.sameAccount(), perhaps))
		e.note("the default key policy is assumed: it lets the account's identity policies decide")
		for i := range e.policies.Resource {
			e.waitFor(e.policies.Resource[i].Why)
		}
	case e.assumesRole() != kleene.False:
		e.grant.add(grant{kleene.Unknown, kleene.Unknown, kleene.Unknown})
		e.waitFor("the trust policy of ", e.req.Resource.String())
	}
}

// BlockPublicAccess is the name that S3 Block Public Access has among the policies
// of a decision, where it takes part as a whole.
const BlockPublicAccess = "S3 Block Public Access"

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
		if !doc.Grant {
			public = max(public, min(doc.Sure, doc.Public()))
		}
	}
	if cut = min(cut, public); cut == kleene.False {
		return
	}
	e.denied = max(e.denied, cut)
	r := Reason{Policy: BlockPublicAccess, Kind: policy.Resource, Effect: policy.Deny, Outcome: Applies}
	if cut == kleene.Unknown {
		r.Outcome = Maybe
		e.waitFor("whether S3 Block Public Access cuts off ", e.req.Resource.String())
	}
	e.decision.Because = append(e.decision.Because, r)
}

// document evaluates all statements of one policy: denials are added up, and the
// grant of its allows, should the document take part, is returned.
func (e *evaluation) document(doc *policy.Attached) grant {
	var g grant
	e.enter(doc)
	if doc.Unread != "" {
		e.denied = max(e.denied, min(kleene.Unknown, kleene.Not(e.noDeny)))
		if e.traced {
			e.waitFor(doc.ID, ": ", doc.Unread)
			e.decision.Because = append(e.decision.Because, Reason{
				Policy: doc.ID, Kind: doc.Kind, Outcome: Maybe, Origin: doc.Origin,
				Failed: &Failure{Key: "policy", Got: "unknown", Wanted: doc.Unread},
			})
		}
		return grant{kleene.Unknown, kleene.Unknown, kleene.Unknown}
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		m := e.match(st)
		truth := min(m.grant.any(), doc.Sure)
		if st.Effect == policy.Deny {
			truth = min(truth, kleene.Not(e.noDeny))
		}
		if truth == kleene.False {
			continue
		}
		if e.traced {
			e.decision.Because = append(e.decision.Because, e.reason(doc, st, truth, m))
		}
		if st.Effect == policy.Deny {
			e.denied = max(e.denied, truth)
		} else {
			g.add(m.grant)
		}
	}
	return g
}

func (g grant) and(t kleene.Truth) grant {
	return grant{min(g.direct, t), min(g.role, t), min(g.account, t)}
}

// allowed is the formula of the evaluation logic over the layers. It uses no
// negation: what is unknown in it cannot make it definite by cancelling out.
func (e *evaluation) allowed() kleene.Truth {
	e.permitted = e.permission()
	return min(e.endpoint, e.scp, e.permitted, e.callable())
}

// callable reports whether a user's temporary credentials can make the call: those of
// GetSessionToken call IAM with MFA alone, and of STS AssumeRole and GetCallerIdentity
// alone; those of the console and of services that call for the user are not bound so
// (AWS page "Requesting temporary security credentials"). A request does not tell the
// first two apart.
func (e *evaluation) callable() kleene.Truth {
	ctx := &e.req.Context
	sts := e.prefix == "sts" && !e.named("assumerole")
	iam := e.prefix == "iam" && !isTrue(ctx, "aws:MultiFactorAuthPresent")
	if e.req.Principal.Kind != request.IAMUser || !sts && !iam ||
		ctx.Get("aws:TokenIssueTime").Present == kleene.False || isTrue(ctx, "aws:ViaAWSService") {
		return kleene.True
	}
	e.waitFor("whether the credentials are of the console, or of GetSessionToken, which cannot call ", e.req.Action)
	return kleene.Unknown
}

// isTrue reports whether a Boolean key is certainly true.
func isTrue(ctx *request.Context, key string) bool {
	e := ctx.Get(key)
	return e.Present == kleene.True && len(e.Values) == 1 && e.Values[0].Lower() == symbol.Literal("true")
}

// permission is what identity-based and resource-based policies come to, limited
// by permissions boundary and session policy.
func (e *evaluation) permission() kleene.Truth {
	if !e.req.Principal.Entity() {
		// Service principals, anonymous callers, federated identities.
		return e.grant.direct
	}
	limits := min(e.boundary, e.session)
	same := max(
		e.grant.direct,
		min(e.grant.role, limits),
		min(e.identity, limits, e.delegated()),
	)
	cross := min(e.identity, limits, e.grant.any())
	switch e.sameAccount() {
	case kleene.True:
		return same
	case kleene.False:
		return cross
	default:
		return kleene.Join(same, cross)
	}
}

// delegated: the policy of a KMS key and the trust policy of a role must name the
// caller or its account; of other resources the account's identity policies decide
// by themselves.
func (e *evaluation) delegated() kleene.Truth {
	if slices.Contains(e.policies.Assume.Delegating, e.prefix) {
		e.note("assumed: the resource policies of " + e.prefix + " must name the caller or its account")
		return e.grant.account
	}
	switch max(e.isKey(), e.assumesRole()) {
	case kleene.True:
		return e.grant.account
	case kleene.Unknown:
		return max(e.grant.account, kleene.Unknown)
	default:
		return kleene.True
	}
}

func (e *evaluation) sameAccount() kleene.Truth {
	return symbol.Equal(e.req.Principal.Account, e.owner)
}

// isKey reports whether the request is made on a KMS key.
func (e *evaluation) isKey() kleene.Truth { return e.isOn("kms", "key") }

// assumesRole reports whether the request assumes a role.
func (e *evaluation) assumesRole() kleene.Truth { return e.isOn("sts", "role") }

// isOn reports whether the request is one of a service on a resource type.
func (e *evaluation) isOn(prefix, resourceType string) kleene.Truth {
	switch {
	case e.prefix != prefix, e.req.Resource.Known() && !e.isARN:
		return kleene.False
	case !e.isARN:
		return kleene.Unknown
	}
	first := e.resource[arn.Resource].SplitN('/', 2)[0]
	for s := range first.Symbols() {
		if s.Class == symbol.Any {
			return kleene.Unknown // it may hold the slash
		}
	}
	return symbol.Equal(first, symbol.Literal(resourceType))
}

func (e *evaluation) note(text string) {
	if e.traced && !slices.Contains(e.decision.Notes, text) {
		e.decision.Notes = append(e.decision.Notes, text)
	}
}

// waitFor notes something that is not known and that may decide.
func (e *evaluation) waitFor(words ...string) {
	if e.traced {
		e.hangsOn = append(e.hangsOn, strings.Join(words, ""))
	}
}

// named reports whether the action has a name, given in lower case.
func (e *evaluation) named(name string) bool { return strings.EqualFold(e.name, name) }
