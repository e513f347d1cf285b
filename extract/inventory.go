// Package extract holds what readers of plans and templates bring back: the
// [Inventory] of principals, resources, organization policies and endpoints that
// one input defines, each policy decoded and attached, each value with its origin.
//
// The readers are the packages below this one.
package extract

import (
	"cmp"
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// An Inventory is what one input defines, in the world after its change. Lists
// are in the order of their addresses.
type Inventory struct {
	// Policies are all policies of the input, read or not.
	Policies    []*Policy
	Principals  []*Principal
	Resources   []*Resource
	OrgPolicies []*OrgPolicy
	Endpoints   []*Endpoint
	Trails      []*Trail
	Workgroups  []*Workgroup
	// VolumeKey is the ARN of the customer managed KMS key that new EBS volumes are
	// encrypted with, empty if the input names none.
	VolumeKey symbol.Text
	// Account, Partition, Region and Organization are facts about the whole input.
	Account, Partition, Region, Organization Fact
	// Parameters are those of the input whose value was not given but assumed.
	Parameters []Parameter
	// Secret has the names of all parameters of the input, and whether their values
	// must not be shown.
	Secret map[string]bool
	// OrgPaths are the places of the account in its organization, in the form of
	// aws:PrincipalOrgPaths; none if the input does not say.
	OrgPaths []string
	// Timestamp is when the plan was made (RFC 3339), empty if the input does not say.
	Timestamp string
	// Changes counts the resources that the input creates, updates, replaces or
	// deletes.
	Changes int
	// Incomplete says why the input does not describe the whole world after the
	// change ("the plan is errored: …"), empty if it does.
	Incomplete []string
	// FullAccessDetached are the organization targets from which the input
	// detaches the default policy FullAWSAccess.
	FullAccessDetached []OrgTarget
}

// A Fact is a value with the reason it is believed.
type Fact struct {
	// Value is a symbol such as ${account} when nothing in the input tells.
	Value symbol.Text
	// From says where the value was read, such as "data.aws_caller_identity.c".
	From string
	// Assumed is set where the value is a conclusion that could be wrong.
	Assumed bool
}

// A Parameter is a value that the input leaves to whoever uses it.
type Parameter struct {
	Name string
	Fact
}

// A Policy is a policy of the input with the places it is attached to.
type Policy struct {
	*policy.Document
	// ARN is that of a managed policy, empty for others.
	ARN symbol.Text
	// AttachedTo are resource addresses or, for what the input does not define, ARNs.
	AttachedTo []string
	// Recovered says how a policy was found that the input does not hold as a text;
	// nil for one that it does.
	Recovered *Recovery
}

// A RecoveryStep is a way to a policy that is known only after apply.
type RecoveryStep string

// The steps of recovery, in the order in which they are tried.
const (
	// Deferred: from the arguments of a data source that is read during apply.
	Deferred RecoveryStep = "deferred"
	// Configuration: through references that the plan keeps of the configuration.
	Configuration RecoveryStep = "configuration"
	// Source: by evaluating the source of the configuration.
	Source RecoveryStep = "source"
)

// A Recovery says where a policy was recovered from.
type Recovery struct {
	Step RecoveryStep
	// From is the address of a data source, or the place of an expression.
	From string
	// Assumed is set where the expression is known by its references alone, and taken
	// to be no more than they are: a function around them would not show.
	Assumed bool
}

// A PrincipalKind says what a principal is.
type PrincipalKind string

// The kinds of principals an input can define.
const (
	User PrincipalKind = "user"
	Role PrincipalKind = "role"
	// PermissionSet is an Identity Center permission set: a role in every account
	// it is assigned to.
	PermissionSet PrincipalKind = "permissionSet"
)

// A Principal is a user or role with the policies that bear on its calls.
type Principal struct {
	Address string
	Kind    PrincipalKind
	// ARN is that of the user or role, never of a session.
	ARN symbol.Text
	// Name is the last part of the ARN.
	Name symbol.Text
	// Identity are the inline, managed and group policies.
	Identity []policy.Attached
	// Boundary holds the permissions boundary, if there is one.
	Boundary []policy.Attached
	// Trust is the trust policy of a role; nil for users.
	Trust *policy.Document
	// Tags of the principal; nil if they are not known.
	Tags map[string]symbol.Text
}

// A Resource is something calls are made on, with its resource-based policies.
type Resource struct {
	Address string
	// Type is the service and resource type in the words of the Service
	// Authorization Reference: "s3/bucket", "kms/key".
	Type string
	ARN  symbol.Text
	// Account is the account that owns the resource.
	Account symbol.Text
	// Region is empty for global resources and unknown ones.
	Region symbol.Text
	// Policies are the resource-based policies, none if the service's default holds.
	Policies []policy.Attached
	// Key is the ARN of the customer managed KMS key that encrypts what the resource
	// holds, empty if none does.
	Key symbol.Text
	// Tags of the resource; nil if they are not known.
	Tags map[string]symbol.Text
	// PublicAccess is the bucket's S3 Block Public Access, nil for other resources
	// and for buckets that the input does not define.
	PublicAccess *PublicAccess
}

// PublicAccess is an S3 Block Public Access configuration; each setting may be unknown.
type PublicAccess struct {
	BlockPublicACLs, IgnorePublicACLs, BlockPublicPolicy, RestrictPublicBuckets kleene.Truth
}

// Stricter joins a configuration, nil for none, with one that applies as surely as
// sure says: what a bucket, an access point and their account say holds together,
// each setting as strict as the strictest of them. (AWS page "Blocking public access
// to your Amazon S3 storage".)
func (p *PublicAccess) Stricter(add PublicAccess, sure kleene.Truth) *PublicAccess {
	var out PublicAccess
	if p != nil {
		out = *p
	}
	join := func(into *kleene.Truth, t kleene.Truth) { *into = kleene.Or(*into, kleene.And(t, sure)) }
	join(&out.BlockPublicACLs, add.BlockPublicACLs)
	join(&out.IgnorePublicACLs, add.IgnorePublicACLs)
	join(&out.BlockPublicPolicy, add.BlockPublicPolicy)
	join(&out.RestrictPublicBuckets, add.RestrictPublicBuckets)
	return &out
}

// An OrgPolicy is a service control or resource control policy.
type OrgPolicy struct {
	*policy.Document
	Targets []OrgTarget
}

// An OrgTargetKind says what an organization policy is attached to.
type OrgTargetKind string

// The targets of organization policies. OrgUnknown is a target that is not known yet.
const (
	OrgRoot    OrgTargetKind = "root"
	OrgUnit    OrgTargetKind = "ou"
	OrgAccount OrgTargetKind = "account"
	OrgUnknown OrgTargetKind = "unknown"
)

// An OrgTarget is a node of the organization.
type OrgTarget struct {
	Kind OrgTargetKind
	// ID is the id of the node (r-…, ou-…, an account id), possibly a symbol.
	ID symbol.Text
	// Address is the resource address of the node if the input defines it.
	Address string
	// Holds is set where the input says that the node is above its account, or is it.
	Holds bool
	// Apart is set where the input says that the node, a unit, is not above its account.
	Apart bool
}

// An Endpoint is a VPC endpoint.
type Endpoint struct {
	Address string
	// ID is the vpce-… id, usually a symbol.
	ID symbol.Text
	// VPC is the id of its VPC.
	VPC symbol.Text
	// Service is the prefix of the service's actions, such as "s3"; empty if unknown.
	Service string
	// IPv6 is set for one that takes calls from IPv6 addresses.
	IPv6 bool
	// Policies holds the endpoint policy; none means the default, which allows all.
	Policies []policy.Attached
}

// A Trail is a CloudTrail trail that writes to a bucket.
type Trail struct {
	Address string
	ARN     symbol.Text
	// Bucket is the name of the bucket, Prefix the key prefix it writes below.
	Bucket, Prefix symbol.Text
	// Key is the KMS key that encrypts the log files, empty if none.
	Key symbol.Text
	// Organization trails write for all member accounts.
	Organization bool
}

// A Workgroup is a workgroup of Athena.
type Workgroup struct {
	Address string
	ARN     symbol.Text
	// Results is where queries write: the name of a bucket and a prefix, as in
	// "bucket/prefix/"; empty if each query says so itself.
	Results symbol.Text
}

// Sort puts every list in the order of its addresses.
func (inv *Inventory) Sort() {
	slices.SortStableFunc(inv.Policies, func(a, b *Policy) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(inv.Principals, func(a, b *Principal) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.ARN.String(), b.ARN.String()))
	})
	slices.SortStableFunc(inv.Resources, func(a, b *Resource) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.ARN.String(), b.ARN.String()))
	})
	slices.SortStableFunc(inv.OrgPolicies, func(a, b *OrgPolicy) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(inv.Endpoints, func(a, b *Endpoint) int { return cmp.Compare(a.Address, b.Address) })
	slices.SortStableFunc(inv.Workgroups, func(a, b *Workgroup) int { return cmp.Compare(a.Address, b.Address) })
	slices.SortStableFunc(inv.Trails, func(a, b *Trail) int { return cmp.Compare(a.Address, b.Address) })
}

// Result is what a reader gives back for one input: the inventory, and what there
// is to say about the input. An inventory is nil only together with an error.
type Result struct {
	// Format says what the input is, for people, if the reader knows several.
	Format    string
	Inventory *Inventory
	// Before is the world before the change, if it was asked for and the input tells
	// of it. What the change moves has the address it moves to, so that both worlds
	// compare.
	Before      *Inventory
	Diagnostics source.Diagnostics
	// Worlds reads the input once for every way in which what it leaves undecided can
	// come out, nil if there are too many of them. It is nil where the input leaves
	// nothing undecided. The Inventory holds what is true in all of them.
	Worlds func() []*Inventory
}
