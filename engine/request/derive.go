package request

import (
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
	// Federated is set for role sessions of an identity provider or of Identity
	// Center, which carry no MFA keys.
	Federated bool
	// Source is the resource on whose behalf a service principal calls, such as a
	// trail; empty for other callers, and SourceAccount is its account.
	Source        symbol.Text
	SourceAccount symbol.Text
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
	// ServiceRole is set for calls that a service makes with a role's session: the
	// caller's network is then not the role's.
	ServiceRole bool
	// Service is the prefix of the service that is called, such as "s3".
	Service string
	// Region is the region of the endpoint that is called.
	Region symbol.Text
	// ResourceAccount owns the resource, in ResourceOrganization.
	ResourceAccount      symbol.Text
	ResourceOrganization Organization
	// Time of the request (RFC 3339), empty if unknown.
	Time symbol.Text
}

// internal is an address of AWS's own network: reserved for the future (RFC 1112),
// so that no range of a policy but the whole internet holds it.
var internal = symbol.Literal("240.0.0.1")

func unknown(name string) symbol.Text { return symbol.Symbol{Name: name}.Text() }

// Derive makes the request context of a hop, after the availability of keys on
// the AWS pages "AWS global condition context keys" and "Forward access sessions".
// Keys that depend on parameters of the call, such as aws:RequestTag, are absent:
// the call is the plain one.
func Derive(c *Caller, h *Hop) Context {
	var ctx Context
	c.principalKeys(&ctx, h)
	c.sessionKeys(&ctx, h)
	h.networkKeys(&ctx, c)
	h.viaKeys(&ctx)
	h.resourceKeys(&ctx)
	ctx.SetString("aws:SecureTransport", "true")
	ctx.Set("aws:UserAgent", unknown("the user agent"))
	h.timeKeys(&ctx)
	region := h.Region
	if region.IsZero() {
		region = unknown("the region of the request")
	}
	ctx.Set("aws:RequestedRegion", region)
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
		if !c.Source.IsZero() {
			ctx.Set("aws:SourceArn", c.Source)
			ctx.Set("aws:SourceAccount", c.SourceAccount)
			c.Organization.set(ctx, "aws:SourceOrgID", "aws:SourceOrgPaths")
		}
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
	temporary := false
	switch p.Kind {
	case IAMUser:
		ctx.SetString("aws:PrincipalType", "User")
		ctx.Set("aws:username", name(p.ARN))
		ctx.Set("aws:userid", symbol.Concat(symbol.Literal("AIDA"), symbol.Symbol{Name: "the id of " + p.ARN.String(), Class: symbol.Segment}.Text()))
		// A service that calls for the user does so with temporary credentials.
		temporary = len(h.Via) > 0
	case RoleSession, ServiceLinkedRole:
		ctx.SetString("aws:PrincipalType", "AssumedRole")
		ctx.Set("aws:userid", symbol.Concat(symbol.Literal("AROA"), symbol.Symbol{Name: "the id of " + p.ARN.String(), Class: symbol.Segment}.Text(), symbol.Literal(":"), name(p.Session)))
		temporary = true
	case Root:
		ctx.SetString("aws:PrincipalType", "Account")
		ctx.Set("aws:userid", p.Account)
	case FederatedUser:
		ctx.SetString("aws:PrincipalType", "FederatedUser")
		ctx.Set("aws:userid", symbol.Concat(p.Account, symbol.Literal(":"), name(p.Session)))
		ctx.Set("aws:TokenIssueTime", unknown("the time the session began"))
	default: // no session
	}
	if temporary {
		ctx.Set("aws:TokenIssueTime", unknown("the time the session began"))
		if !c.Federated {
			ctx.SetString("aws:MultiFactorAuthPresent", "false")
		}
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
	case h.ServiceRole && len(h.Via) > 0:
		ctx.SetMaybe("aws:SourceIp", unknown("the address CloudFormation passes on"))
	case !n.SourceIP.IsZero():
		ctx.Set("aws:SourceIp", n.SourceIP)
	case len(h.Via) > 0 || n.Endpoint.IsZero():
		// After an endpoint there was no public address to pass on. Whether a
		// service puts one of its own there is not documented.
		ctx.SetMaybe("aws:SourceIp", internal)
	default:
		h.endpointKeys(ctx, c)
	}
}

func (h *Hop) endpointKeys(ctx *Context, c *Caller) {
	n := &h.Network
	ctx.Set("aws:SourceVpce", n.Endpoint)
	ctx.Set("aws:SourceVpc", n.VPC)
	ctx.Set("aws:VpcSourceIp", n.VPCSourceIP)
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
	if len(h.Via) == 0 {
		ctx.SetString("aws:ViaAWSService", "false")
		return
	}
	ctx.SetString("aws:ViaAWSService", "true")
	ctx.SetString("aws:CalledVia", h.Via...)
	ctx.SetString("aws:CalledViaFirst", h.Via[0])
	ctx.SetString("aws:CalledViaLast", h.Via[len(h.Via)-1])
}

func (h *Hop) resourceKeys(ctx *Context) {
	if h.ResourceAccount.IsZero() {
		return
	}
	ctx.Set("aws:ResourceAccount", h.ResourceAccount)
	h.ResourceOrganization.set(ctx, "aws:ResourceOrgID", "aws:ResourceOrgPaths")
}

// Which services know of the endpoint keys of 2025 (AWS page "AWS global
// condition context keys", as of September 2026).
var (
	sourceVPCARN = set(`acm-pca applicationinsights apprunner athena cloudformation comprehendmedical
		compute-optimizer datasync discovery ebs ecr ecs firehose healthlake iam iotfleetwise iotwireless
		kinesisanalytics kms lambda medical-imaging omics payment-cryptography polly rbin rekognition route53
		s3 scheduler servicediscovery servicequotas ssm-contacts storagegateway textract transcribe transfer`)
	vpceAccount = with(sourceVPCARN, "dynamodb gamelift shield")
	vpceOrgID   = with(vpceAccount, `b2bi cassandra cognito-identity dms ds-data identitystore iottwinmaker
		network-firewall pricing ses sms-voice sqs workmail`)
)

func set(words string) map[string]bool { return with(nil, words) }

func with(base map[string]bool, words string) map[string]bool {
	m := make(map[string]bool)
	for k := range base {
		m[k] = true
	}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
