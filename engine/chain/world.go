// Package chain replays canonical chains of calls against a world of principals,
// resources and policies: a person who calls S3 directly, Athena or CloudFormation
// that calls for a person, a service role, a service principal. Every hop of a
// chain is one request that the engine decides, with the request context that AWS
// would send on that hop.
//
// Call [Run] with a [World]; [Catalog] lists the chains.
package chain

import (
	"net/netip"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A World is what chains are replayed against.
type World interface {
	// Principals are the users and roles, in a fixed order.
	Principals() []*Principal
	// Targets are the resources calls are made on, in a fixed order.
	Targets() []*Target
	// Endpoints are the VPC endpoints.
	Endpoints() []Endpoint
	// Trails are the CloudTrail trails.
	Trails() []Trail
	// Environment holds what is true of the whole world.
	Environment() Environment
}

// An Environment is what is true of a whole world.
type Environment struct {
	Account, Partition, Region symbol.Text
	Organization               request.Organization
	// Time of the requests (RFC 3339), empty if unknown.
	Time symbol.Text
	// SCP are the levels of service control policies for the account, and OrgSCP
	// those for another account of the organization.
	SCP, OrgSCP []engine.Level
	// ManagementAccount is set if the account is its organization's management
	// account, which service control policies do not bind.
	ManagementAccount bool
	// Administrator is the document of AdministratorAccess, for stand-ins.
	Administrator *policy.Document
	// Assume settles what AWS's documentation leaves open.
	Assume engine.Assumptions
	// Networks are those that somebody named, in place of what the policies tell.
	Networks []Network
}

// A Network is a place that calls come from: public addresses, or VPC endpoints.
type Network struct {
	Name string
	// CIDRs are the public ranges.
	CIDRs []netip.Prefix
	// VPCs and Endpoints are the ids of VPCs and of endpoints in them.
	VPCs, Endpoints []symbol.Text
}

// A Principal is a user or role of the world, or a stand-in for one outside of it.
type Principal struct {
	Address string
	// StandIn names the stand-in, empty for principals of the input.
	StandIn string
	Caller  request.Caller
	// Policies of the principal. Boundary is nil if it has none.
	Identity []policy.Attached
	Boundary []policy.Attached
	SCP      []engine.Level
	// Trust is the trust policy of a role, nil for others.
	Trust *policy.Document

	delivery *delivery // of CloudTrail
}

// A TargetKind says which calls are replayed on a target.
type TargetKind uint8

// The kinds of targets.
const (
	// OtherTarget is replayed for the service principals its policies name.
	OtherTarget TargetKind = iota
	// BucketTarget is an S3 bucket.
	BucketTarget
	// InstanceTarget stands for the EC2 instances that a call would start.
	InstanceTarget
)

// A Target is a resource that calls are made on.
type Target struct {
	Address string
	Kind    TargetKind
	ARN     symbol.Text
	Account symbol.Text
	Region  symbol.Text
	// Organization of the account.
	Organization request.Organization
	Policies     []policy.Attached
	RCP          []engine.Level
	// Key is the KMS key of the account that encrypts what the resource holds, empty
	// if none does.
	Key symbol.Text
	// RestrictPublic is the bucket's setting RestrictPublicBuckets.
	RestrictPublic kleene.Truth
	// Tags that requests show of the resource; nil if they are not known.
	Tags map[string]symbol.Text

	name       string      // of a bucket whose name is known
	someObject symbol.Text // anything in it
}

// prepare computes what is asked of a target many times.
func (t *Target) prepare() {
	t.someObject = symbol.Concat(t.ARN, symbol.Literal("/"), symbol.Symbol{Name: "key"}.Text())
	if t.Kind != BucketTarget {
		return
	}
	if a, ok := arn.Parse(t.ARN); ok {
		t.name, _ = a[arn.Resource].Literal()
	}
}

// service is the prefix of the actions on a target.
func (t *Target) service() string {
	if t.Kind == InstanceTarget {
		return "ec2"
	}
	if a, ok := arn.Parse(t.ARN); ok {
		return a[arn.Service].String()
	}
	return ""
}

// named reports whether a resource of a hop means the target, or something in it.
func (t *Target) named(r Resource) bool {
	s := t.ARN.String()
	return string(r) == t.Address || string(r) == s || t.Kind == BucketTarget && strings.HasPrefix(string(r), s+"/")
}

// actions are the calls replayed on a target.
func (t *Target) actions() []string {
	switch t.Kind {
	case BucketTarget:
		return []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject"}
	case InstanceTarget:
		return []string{"ec2:RunInstances"}
	default:
		return nil
	}
}

// An Endpoint is a VPC endpoint of the world.
type Endpoint struct {
	ID, VPC symbol.Text
	// Service is the prefix of the service's actions, such as "s3".
	Service string
	// Policies is nil for the default policy, which allows everything.
	Policies []policy.Attached
}

// A Trail is a CloudTrail trail of the world.
type Trail struct {
	ARN symbol.Text
	// Bucket is the name of the bucket, Prefix the key prefix it writes below.
	Bucket, Prefix symbol.Text
	// Key is the KMS key that encrypts the log files, empty if none.
	Key symbol.Text
}

// A Replay is one chain replayed for one principal, action and target.
type Replay struct {
	Chain     *Chain
	Action    string
	Principal *Principal
	Target    *Target
	// Verdict is that of the first mandatory hop that is certainly denied, else of
	// the first unknown one, else allowed.
	Verdict engine.Verdict
	// BrokenHop is the number of the hop that decided a verdict other than allowed.
	BrokenHop int
	// Hops are the requests of the chain. Of a chain that stands for others only
	// hops that matter may be kept.
	Hops []HopResult
}

// A HopResult is one decided request of a chain.
type HopResult struct {
	Hop         int
	Credentials Credentials
	// Optional hops are shown and never decide.
	Optional bool
	Request  engine.Request
	engine.Decision
}

// Resource renders the resource of the replay: "*" for a call that names none.
func (r *Replay) Resource() symbol.Text {
	if r.Target.Kind == InstanceTarget {
		return symbol.Literal("*")
	}
	return r.Target.ARN
}

// Name renders the principal of the replay: an ARN, a service, or "anonymous".
func (p *Principal) Name() symbol.Text {
	switch c := &p.Caller.Principal; {
	case c.Service != "":
		return symbol.Literal(c.Service)
	case c.Kind == request.Anonymous:
		return symbol.Literal("anonymous")
	default:
		return c.ARN
	}
}
