package request

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Caller is a principal with what its credentials say of it.
type Caller struct {
	Principal Principal
	// Tags are the principal's own tags; a nil map says that they are not known.
	Tags map[string]symbol.Text
	// Organization the principal's account belongs to.
	Organization Organization
	// Session says how the credentials came about.
	Session Session
	// Workload is what AWS delivered the role's credentials to.
	Workload Workload
	// Source is the resource on whose behalf a service principal calls, such as a
	// trail; empty for other callers, and SourceAccount is its account.
	Source        symbol.Text
	SourceAccount symbol.Text
	// SourceUnsure is set for services of which it is not known whether they name it.
	SourceUnsure bool
}

// A Session says how the credentials of a caller came about.
type Session uint8

// The sessions.
const (
	// Plain: the long-term key of a user or of the root user; for a role, a session
	// that another principal of an account assumed, or a service.
	Plain Session = iota
	// Console: a user, or the root user, signed in to the console without MFA, and
	// ConsoleMFA with it.
	Console
	ConsoleMFA
	// TokenMFA: sts:GetSessionToken with MFA.
	TokenMFA
	// IdentityCenter: a role that IAM Identity Center assumed for one of its users.
	IdentityCenter
	// SAML and OIDC: a role that the user of an identity provider assumed.
	SAML
	OIDC
	// AssumedRoot: sts:AssumeRoot.
	AssumedRoot
)

// federated reports whether an identity provider or Identity Center began the session.
func (s Session) federated() bool { return s == IdentityCenter || s == SAML || s == OIDC }

// mfa says whether a session of a user, or of the root user, was begun with MFA;
// known is false for those that are no such session.
func (s Session) mfa() (with, known bool) {
	return s == ConsoleMFA || s == TokenMFA, s == Console || s == ConsoleMFA || s == TokenMFA
}

// A Workload is what AWS delivers a role's credentials to, and adds keys for that
// name it (AWS page "AWS global condition context keys", Properties of a role session).
type Workload string

// The workloads; the empty one is none of them, or not known.
const (
	EC2Instance    Workload = "ec2"
	LambdaFunction Workload = "lambda"
	// GlueService is Glue as it uses a role itself, for a crawler; GlueJob a job.
	GlueService Workload = "glue"
	GlueJob     Workload = "glue-job"
	CodeBuild   Workload = "codebuild"
	// ManagedNode is a node of Systems Manager that is no EC2 instance.
	ManagedNode Workload = "ssm"
	Chatbot     Workload = "chatbot"
)

// WorkloadOf returns the workload that gets the credentials of roles which a service
// assumes, empty if AWS adds no keys for it.
func WorkloadOf(service string) Workload {
	switch w := Workload(strings.TrimSuffix(service, ".amazonaws.com")); w {
	case EC2Instance, LambdaFunction, GlueService, CodeBuild, ManagedNode, Chatbot:
		return w
	default:
		return ""
	}
}

// An Organization is what is known of an account's membership. Member is False
// for an account outside of every organization and Unknown where nobody says.
type Organization struct {
	Member kleene.Truth
	ID     symbol.Text
}

// A Network is the place a call enters AWS from: a public address, or a VPC
// endpoint. The zero Network is one inside AWS, of which no caller's policy knows.
type Network struct {
	// SourceIP is the public address, empty for a call through an endpoint.
	SourceIP symbol.Text
	// Endpoint, VPC and VPCSourceIP are those of a call through a VPC endpoint.
	Endpoint, VPC, VPCSourceIP symbol.Text
	// EndpointAccount owns the endpoint and is in EndpointOrganization.
	EndpointAccount      symbol.Text
	EndpointOrganization Organization
}

// A Hop is one call of a chain.
type Hop struct {
	// Network is where the chain entered AWS.
	Network Network
	// Via are the services through which forward access sessions came here, the
	// first caller first; empty for the call that entered AWS.
	Via []string
	// ServiceRole is set for calls that a service makes with a role's session, and
	// for those that follow from them: the caller's network is then not the role's.
	ServiceRole bool
	// Service is the prefix of the service that is called, such as "s3".
	Service string
	// Action is the name of the action, such as "GetObject"; empty if it does not matter.
	Action string
	// Region is the region of the endpoint that is called.
	Region symbol.Text
	// ResourceAccount owns the resource, in ResourceOrganization.
	ResourceAccount      symbol.Text
	ResourceOrganization Organization
	// ResourceTags are the tags that the service shows of the resource; a nil map says
	// that they are not known.
	ResourceTags map[string]symbol.Text
	// Time of the request (RFC 3339), empty if unknown.
	Time symbol.Text
	// Switches are the readings of the documentation to follow.
	Switches Switches
}

// internal is an address of AWS's own network: reserved for the future (RFC 1112),
// so that no range of a policy but the whole internet holds it.
var internal = symbol.Literal("240.0.0.1")

func unknown(name string) symbol.Text { return symbol.Symbol{Name: name}.Text() }

// Derive makes the request context of a hop, after the availability of keys on
// the AWS pages "AWS global condition context keys" and "Forward access sessions".
// Keys that depend on parameters of the call, such as aws:RequestTag, are absent:
// the call is the plain one.
func Derive(c *Caller, hop *Hop) Context {
	var ctx Context
	h := *hop // of which a switch may take a service away
	h.forget()
	c.principalKeys(&ctx, &h)
	c.sessionKeys(&ctx, &h)
	c.workloadKeys(&ctx, &h)
	h.networkKeys(&ctx, c)
	h.viaKeys(&ctx)
	h.resourceKeys(&ctx)
	ctx.SetString("aws:SecureTransport", "true")
	ctx.Set("aws:UserAgent", unknown("the user agent"))
	h.timeKeys(&ctx)
	ctx.Set("aws:RequestedRegion", h.requestedRegion(c))
	h.serviceKeys(&ctx, c)
	return ctx
}

func (h *Hop) timeKeys(ctx *Context) {
	now := h.Time
	epoch := unknown("the time of the request, in seconds since 1970")
	if now.IsZero() {
		now = unknown("the time of the request")
	}
	if s, known := now.Literal(); known {
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			epoch = symbol.Literal(strconv.FormatInt(t.Unix(), 10))
		}
	}
	ctx.Set("aws:CurrentTime", now)
	ctx.Set("aws:EpochTime", epoch)
}

// serviceKeys sets the keys that the called service itself adds to every call.
func (h *Hop) serviceKeys(ctx *Context, c *Caller) {
	p := &c.Principal
	switch {
	case h.Service == "s3":
		ctx.SetString("s3:TlsVersion", "1.3")
		if p.Kind != Anonymous {
			ctx.SetString("s3:authType", "REST-HEADER")
			ctx.SetString("s3:signatureversion", "AWS4-HMAC-SHA256")
		}
		if !h.ResourceAccount.IsZero() {
			ctx.Set("s3:ResourceAccount", h.ResourceAccount)
		}
	case h.Service == "kms" && p.Kind == ServicePrincipal:
		// Not documented for services that call in their own name.
		ctx.SetMaybe("kms:CallerAccount", unknown("the caller's account as "+p.Service+" gives it"))
		ctx.SetMaybe("kms:ViaService", unknown("the service as "+p.Service+" gives it"))
	case h.Service == "kms" && p.Entity():
		ctx.Set("kms:CallerAccount", p.Account)
		if n := len(h.Via); n > 0 {
			// The name with the region, unlike that in aws:CalledVia.
			name, _, _ := strings.Cut(h.Via[n-1], ".")
			ctx.Set("kms:ViaService", symbol.Concat(symbol.Literal(name+"."), ctx.Get("aws:RequestedRegion").Values[0], symbol.Literal(".amazonaws.com")))
		}
	case h.Service == "sns" && p.Entity():
		// Not documented; the policy that the console gives every topic asks for it.
		ctx.Set("aws:SourceOwner", p.Account)
	}
}

// principalKeys sets the keys about the principal itself.
func (c *Caller) principalKeys(ctx *Context, h *Hop) {
	p := &c.Principal
	switch p.Kind {
	case Anonymous:
		ctx.SetString("aws:PrincipalAccount", "anonymous")
		ctx.SetString("aws:PrincipalType", "Anonymous")
		ctx.SetString("aws:userid", "anonymous")
		return
	case ServicePrincipal:
		ctx.SetString("aws:PrincipalIsAWSService", "true")
		ctx.SetString("aws:PrincipalServiceName", p.Service)
		ctx.Set("aws:PrincipalServiceNamesList", serviceNames(p.Service, h.Region)...)
		// The documentation gives a value for all requests and none for services: it
		// is no customer's account. Whether PrincipalArn is there it does not say.
		ctx.SetString("aws:PrincipalAccount", "aws-owned")
		ctx.SetMaybe("aws:PrincipalArn", symbol.Literal("arn:aws:iam::aws-owned:service/"+p.Service))
		ctx.Set("aws:PrincipalType", unknown("the principal type of "+p.Service))
		ctx.Set("aws:userid", unknown("the user id of "+p.Service))
		c.sourceKeys(ctx)
		return
	case FederatedIdentity:
		// The principal is the identity provider, which is in no account; whether the
		// key says that it is no service is not documented.
		ctx.SetMaybe("aws:PrincipalIsAWSService", symbol.Literal("false"))
		return
	default: // identities of an account, below
	}
	ctx.SetString("aws:PrincipalIsAWSService", "false")
	if p.Kind == FederatedUser {
		ctx.Set("aws:PrincipalArn", p.Session)
	} else {
		ctx.Set("aws:PrincipalArn", p.ARN)
	}
	ctx.Set("aws:PrincipalAccount", p.Account)
	c.Organization.set(ctx, "aws:PrincipalOrgID", "aws:PrincipalOrgPaths")
	if p.Kind == Root {
		return // it has no tags
	}
	if c.Tags == nil {
		ctx.SetMaybe("aws:PrincipalTag/", unknown("a tag of "+p.ARN.String()))
	}
	for k, v := range c.Tags {
		ctx.Set("aws:PrincipalTag/"+k, v)
	}
}

// sourceKeys sets the keys about what a service calls for.
func (c *Caller) sourceKeys(ctx *Context) {
	if c.Source.IsZero() {
		return
	}
	set, org := ctx.Set, c.Organization
	if c.SourceUnsure {
		set, org.Member = ctx.SetMaybe, min(org.Member, kleene.Unknown)
	}
	set("aws:SourceArn", c.Source)
	set("aws:SourceAccount", c.SourceAccount)
	org.set(ctx, "aws:SourceOrgID", "aws:SourceOrgPaths")
}

// serviceNames are the names of a service principal: its own and, for one that
// names no region, that of the region.
func serviceNames(service string, region symbol.Text) []symbol.Text {
	names := []symbol.Text{symbol.Literal(service)}
	short, ok := strings.CutSuffix(service, ".amazonaws.com")
	if ok && !region.IsZero() && !strings.Contains(short, ".") {
		names = append(names, symbol.Concat(symbol.Literal(short+"."), region, symbol.Literal(".amazonaws.com")))
	}
	return names
}

// set sets the keys of an organization, as sure as the membership is.
func (o Organization) set(ctx *Context, id, paths string) {
	if o.Member == kleene.False {
		return
	}
	ctx.put(Entry{Key: id, Present: o.Member, Values: []symbol.Text{o.ID}})
	path := symbol.Concat(o.ID, symbol.Literal("/"), unknown("the path in the organization"))
	ctx.put(Entry{Key: paths, Present: o.Member, Values: []symbol.Text{path}})
}

// partition is that of the caller, "aws" for callers without an ARN.
func (c *Caller) partition() symbol.Text {
	if a, ok := arn.Parse(c.Principal.ARN); ok {
		return a[arn.Partition]
	}
	return symbol.Literal("aws")
}

// sessionKeys sets the keys that depend on the credentials: a user's long-term
// key, or the session of a role.
func (c *Caller) sessionKeys(ctx *Context, h *Hop) {
	p := &c.Principal
	id := func(prefix string) symbol.Text {
		return symbol.Concat(symbol.Literal(prefix), symbol.Symbol{Name: "the id of " + p.ARN.String(), Class: symbol.Segment}.Text())
	}
	with, known := c.Session.mfa()
	temporary := known
	switch p.Kind {
	case IAMUser:
		ctx.SetString("aws:PrincipalType", "User")
		ctx.Set("aws:username", name(p.ARN))
		ctx.Set("aws:userid", id("AIDA"))
		// A service that calls for a user with a long-term key does so with temporary
		// credentials, of which MFA is not known.
		if !known && len(h.Via) > 0 {
			temporary, known = true, true
		}
	case RoleSession, ServiceLinkedRole:
		ctx.SetString("aws:PrincipalType", "AssumedRole")
		ctx.Set("aws:userid", symbol.Concat(id("AROA"), symbol.Literal(":"), name(p.Session)))
		temporary, with = true, false
		// The pages disagree on whether sessions of roles carry the key.
		known = !h.Switches.RoleWithoutMFA
		if c.Session.federated() {
			known = h.Switches.FederatedMFA
		}
		c.federatedKeys(ctx)
	case Root:
		ctx.SetString("aws:PrincipalType", "Account")
		ctx.Set("aws:userid", p.Account)
		if c.Session == AssumedRoot {
			ctx.SetString("aws:AssumedRoot", "true")
			temporary = true
		}
	case FederatedUser:
		ctx.SetString("aws:PrincipalType", "FederatedUser")
		ctx.Set("aws:userid", symbol.Concat(p.Account, symbol.Literal(":"), name(p.Session)))
		temporary, known = true, false
	default: // no session
		return
	}
	if temporary {
		ctx.Set("aws:TokenIssueTime", unknown("the time the session began"))
	}
	if known {
		ctx.SetString("aws:MultiFactorAuthPresent", strconv.FormatBool(with))
	}
	if known && with {
		ctx.Set("aws:MultiFactorAuthAge", unknown("the seconds since the caller gave a code"))
	}
}

// federatedKeys sets what identity providers and Identity Center pass on.
func (c *Caller) federatedKeys(ctx *Context) {
	if !c.Session.federated() {
		return
	}
	ctx.SetMaybe("aws:SourceIdentity", unknown("the source identity"))
	switch c.Session {
	case IdentityCenter:
		ctx.Set("identitystore:UserId", unknown("the user of Identity Center"))
	case OIDC:
		ctx.Set("aws:FederatedProvider", unknown("the OIDC provider of the session"))
	default:
	}
}

// workloadKeys sets the keys about what a role's credentials were delivered to. On
// calls that follow on the role's behalf some of them are missing; which, is not
// documented.
func (c *Caller) workloadKeys(ctx *Context, h *Hop) {
	set := func(key string, value symbol.Text) {
		if len(h.Via) > 0 {
			ctx.SetMaybe(key, value)
		} else {
			ctx.Set(key, value)
		}
	}
	switch c.Workload {
	case EC2Instance:
		vpc, address := h.Network.VPC, h.Network.VPCSourceIP
		if vpc.IsZero() {
			vpc, address = unknown("the VPC of the instance"), unknown("the private address of the instance")
		}
		set("aws:Ec2InstanceSourceVpc", vpc)
		set("aws:Ec2InstanceSourcePrivateIPv4", address)
		set("ec2:SourceInstanceArn", unknown("the ARN of the instance"))
		set("ec2:RoleDelivery", unknown("the version of the instance metadata service"))
	case LambdaFunction:
		set("lambda:SourceFunctionArn", unknown("the ARN of the function"))
	case GlueService:
		set("glue:RoleAssumedBy", symbol.Literal("glue.amazonaws.com"))
	case GlueJob:
		set("glue:CredentialIssuingService", symbol.Literal("glue.amazonaws.com"))
	case CodeBuild:
		set("codebuild:BuildArn", unknown("the ARN of the build"))
		set("codebuild:ProjectArn", unknown("the ARN of the project"))
	case ManagedNode:
		set("ssm:SourceInstanceArn", unknown("the ARN of the managed node"))
	case Chatbot:
		set("aws:ChatbotSourceArn", unknown("the ARN of the chat configuration"))
	}
}

func name(t symbol.Text) symbol.Text {
	if a, ok := arn.Parse(t); ok {
		return a.Name()
	}
	return t
}

// networkKeys sets the keys about the network path. The keys of an endpoint hold
// for the call that enters through it and are not passed on; a public address is.
func (h *Hop) networkKeys(ctx *Context, c *Caller) {
	n := &h.Network
	switch {
	case c.Principal.Kind == ServicePrincipal:
		// The documentation speaks of redacted values: absent, or an address of
		// AWS, which only tests of existence tell apart.
		ctx.SetMaybe("aws:SourceIp", internal)
	case h.stack():
		ctx.SetMaybe("aws:SourceIp", unknown("the address CloudFormation passes on"))
	case !n.SourceIP.IsZero() && len(h.Via) > 0 && h.Switches.ServiceSourceIP:
		ctx.Set("aws:SourceIp", internal)
	case !n.SourceIP.IsZero():
		ctx.Set("aws:SourceIp", n.SourceIP)
	case len(h.Via) > 0 || n.Endpoint.IsZero():
		// After an endpoint there was no public address to pass on. Whether a
		// service puts one of its own there is not documented.
		ctx.SetMaybe("aws:SourceIp", internal)
	case throughInterface(h.Service, h.Action):
		// A data plane behind network interfaces in the VPC sees no endpoint.
	default:
		h.endpointKeys(ctx, c)
	}
}

// stack reports whether CloudFormation makes the call with a service role, or one
// that follows from it.
func (h *Hop) stack() bool {
	return h.ServiceRole && len(h.Via) > 0 && h.Via[0] == cloudformation
}

func (h *Hop) endpointKeys(ctx *Context, c *Caller) {
	n := &h.Network
	ctx.Set("aws:SourceVpce", n.Endpoint)
	ctx.Set("aws:SourceVpc", n.VPC)
	ctx.Set("aws:VpcSourceIp", n.VPCSourceIP)
	if strings.EqualFold(h.Service+":"+h.Action, "iam:PassRole") {
		return
	}
	if sourceVPCARN[h.Service] {
		ctx.Set("aws:SourceVpcArn", symbol.Concat(symbol.Literal("arn:"), c.partition(), symbol.Literal(":ec2:"), h.Region, symbol.Literal(":"), n.EndpointAccount, symbol.Literal(":vpc/"), n.VPC))
	}
	if vpceAccount[h.Service] {
		ctx.Set("aws:VpceAccount", n.EndpointAccount)
	}
	o := n.EndpointOrganization
	if o.Member != kleene.False && vpceOrgID[h.Service] {
		ctx.put(Entry{Key: "aws:VpceOrgID", Present: o.Member, Values: []symbol.Text{o.ID}})
	}
	if o.Member != kleene.False && vpceAccount[h.Service] {
		path := symbol.Concat(o.ID, symbol.Literal("/"), unknown("the path in the organization"))
		ctx.put(Entry{Key: "aws:VpceOrgPaths", Present: o.Member, Values: []symbol.Text{path}})
	}
}

// viaKeys sets the keys about services that call on the caller's behalf.
func (h *Hop) viaKeys(ctx *Context) {
	ctx.SetString("aws:ViaAWSService", strconv.FormatBool(len(h.Via) > 0))
	via := h.Via
	if h.Switches.ListedCalledVia {
		via = slices.DeleteFunc(slices.Clone(via), func(service string) bool { return !calledVia[service] })
	}
	if len(via) == 0 {
		return
	}
	ctx.SetString("aws:CalledVia", via...)
	ctx.SetString("aws:CalledViaFirst", via[0])
	ctx.SetString("aws:CalledViaLast", via[len(via)-1])
}

func (h *Hop) resourceKeys(ctx *Context) {
	if h.ResourceTags == nil {
		ctx.SetMaybe("aws:ResourceTag/", unknown("a tag of the resource"))
	}
	for k, v := range h.ResourceTags {
		ctx.Set("aws:ResourceTag/"+k, v)
	}
	if h.ResourceAccount.IsZero() || withoutResourceAccount(h.Service, h.Action) {
		return
	}
	ctx.Set("aws:ResourceAccount", h.ResourceAccount)
	h.ResourceOrganization.set(ctx, "aws:ResourceOrgID", "aws:ResourceOrgPaths")
}

// requestedRegion is the region of the endpoint that is called: that of the
// partition's first region for services that have one endpoint.
func (h *Hop) requestedRegion(c *Caller) symbol.Text {
	switch {
	case global[h.Service]:
		partition, _ := c.partition().Literal()
		switch partition {
		case "aws-us-gov":
			return symbol.Literal("us-gov-west-1")
		case "aws-cn":
			return symbol.Literal("cn-northwest-1")
		}
		return symbol.Literal("us-east-1")
	case h.Region.IsZero():
		return unknown("the region of the request")
	}
	return h.Region
}
