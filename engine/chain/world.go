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

	"github.com/tfguard/tfguard/engine"
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
	// Workgroups are the workgroups of Athena.
	Workgroups() []Workgroup
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
	// RCP are the levels of resource control policies for the account.
	RCP []engine.Level
	// ManagementAccount is set if the account is its organization's management
	// account, which service control policies do not bind.
	ManagementAccount bool
	// VolumeKey is the KMS key that encrypts new volumes of EC2, empty if none of the
	// account does.
	VolumeKey symbol.Text
	// Administrator is the document of AdministratorAccess, for stand-ins.
	Administrator *policy.Document
	// Assume settles what AWS's documentation leaves open.
	Assume engine.Assumptions
	// Networks are those that somebody named, in place of what the policies tell.
	Networks []Network
	// Switches are the readings of AWS's documentation to follow.
	Switches request.Switches
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
	partner  bool      // whom a policy of the world names
	anyone   bool      // stands for all users and roles of an account
}

// An Endpoint is a VPC endpoint of the world.
type Endpoint struct {
	Address string
	ID, VPC symbol.Text
	// Service is the prefix of the service's actions, such as "s3".
	Service string
	// IPv6 is set for one that takes calls from IPv6 addresses.
	IPv6 bool
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
	// Organization trails belong to the management account and write below the id of
	// the organization.
	Organization bool
}

// A Workgroup is a workgroup of Athena.
type Workgroup struct {
	ARN symbol.Text
	// Results is the bucket, with a prefix, that its queries write to; empty if each
	// query says so itself.
	Results symbol.Text
}

// A Replay is one chain replayed for one principal, action and target.
type Replay struct {
	Chain     *Chain
	Action    string
	Principal *Principal
	Target    *Target
	// From names the network that the call comes from, for people, where the run tells
	// several apart ([Options.Other]).
	From string
	// Verdict is that of the first mandatory hop that is certainly denied, else of
	// the first unknown one, else allowed.
	Verdict engine.Verdict
	// BrokenHop is the number of the hop that decided a verdict other than allowed.
	BrokenHop int
	// Modes are the settings of switches under which the replay comes out otherwise.
	Modes []Mode
	// Hops are the requests of the chain. Of a chain that stands for others only
	// hops that matter may be kept.
	Hops []HopResult
}

// A Mode is how a replay comes out under another setting of a switch.
type Mode struct {
	Switch, Setting string
	Verdict         engine.Verdict
	BrokenHop       int
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
