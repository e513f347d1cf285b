package chain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Credentials says with whose credentials a hop is made.
type Credentials string

// The credentials of hops.
const (
	// Caller: the principal calls itself.
	Caller Credentials = "caller"
	// FAS: a service calls with a forward access session of the principal.
	FAS Credentials = "fas"
	// ServiceRole: a service calls with a session of a role.
	ServiceRole Credentials = "service-role"
	// ServicePrincipal: a service calls in its own name.
	ServicePrincipal Credentials = "service-principal"
	// Federated: the user of an identity provider asks for a role's session.
	Federated Credentials = "federated"
	// Anonymous: a request without credentials.
	Anonymous Credentials = "anonymous"
)

// An Entry says from which network a chain enters AWS: one of the words below, or
// the name of a [Network] of the environment.
type Entry string

// The networks that every environment has.
const (
	// Corporate is an address inside the ranges that policies allow.
	Corporate Entry = "corporate"
	// Internet is an address outside of every range.
	Internet Entry = "internet"
	// VPCEndpoint is a VPC endpoint.
	VPCEndpoint Entry = "vpc-endpoint"
	// Inside is AWS's own network: a service begins the chain.
	Inside Entry = "aws"
)

// A Resource says which resource a hop is made on: one of the words below, an ARN,
// or the address of a resource.
type Resource string

// What hops are made on, beside what ARNs and addresses name.
const (
	// OnTarget is the target of the chain or, as the action asks, something in it.
	// It is what an empty Resource means.
	OnTarget Resource = "target"
	// OnBucket is the target bucket itself.
	OnBucket Resource = "bucket"
	// OnLogs are the objects that CloudTrail writes to the target bucket.
	OnLogs Resource = "logs"
	// OnRole is the role that a service assumes in the chain.
	OnRole Resource = "role"
	// OnWorkgroup is an Athena workgroup.
	OnWorkgroup Resource = "workgroup"
	// OnCatalog is the Glue data catalog, OnDatabase and OnTable are in it.
	OnCatalog  Resource = "catalog"
	OnDatabase Resource = "database"
	OnTable    Resource = "table"
	// OnStack is a CloudFormation stack.
	OnStack Resource = "stack"
)

var (
	credentials = []Credentials{Caller, FAS, ServiceRole, ServicePrincipal, Federated, Anonymous}
	resources   = []Resource{"", OnTarget, OnBucket, OnLogs, OnRole, OnWorkgroup, OnCatalog, OnDatabase, OnTable, OnStack}
)

// beside reports whether the resource is a stand-in that has nothing to do with
// the target.
func (r Resource) beside() bool {
	return slices.Contains([]Resource{OnWorkgroup, OnCatalog, OnDatabase, OnTable, OnStack}, r)
}

// named reports whether the resource is none of the words: an ARN, or the address
// of a resource.
func (r Resource) named() bool { return !slices.Contains(resources, r) }

// A Hop is one call of a chain, or several that are made alike.
type Hop struct {
	// Number counts from 1; calls that one service makes share it.
	Number int
	// Credentials the calls are made with.
	Credentials Credentials
	// Actions are the calls; none means the action of the replay.
	Actions []string
	// Resource of the calls.
	Resource Resource
	// Service is the service principal that calls: in its own name, with the session
	// of a role that it assumed or, if Via is empty, with a forward access session.
	Service string
	// Via are the services through which forward access sessions came to the hop,
	// the first caller first.
	Via []string
	// Principal is the address or ARN of the user or role of the world that makes
	// the calls; empty means the principal of the replay.
	Principal string
	// Optional hops are shown and never decide.
	Optional bool
}

// via are the services through which forward access sessions came to the hop.
func (h *Hop) via() []string {
	if len(h.Via) == 0 && h.Credentials == FAS {
		return []string{h.Service}
	}
	return h.Via
}

// A Chain is one chain of calls, of the catalogue or a team's own.
type Chain struct {
	// ID is the name of the chain, such as "athena-public".
	ID string
	// Title says in a few words who calls what through whom.
	Title string
	// Pattern is the access pattern of AWS's data perimeter guide, such as "2a",
	// empty where none applies.
	Pattern string
	// Entry is where the chain enters AWS; empty means Corporate.
	Entry Entry
	// Targets are the kinds of resources the chain is replayed on; none means all
	// that have the actions of the chain.
	Targets []TargetKind
	Hops    []Hop
}

const (
	athena         = "athena.amazonaws.com"
	cloudformation = "cloudformation.amazonaws.com"
	cloudtrail     = "cloudtrail.amazonaws.com"
)

var (
	direct     = []Hop{{Number: 1, Credentials: Caller}}
	throughCFN = []Hop{
		{Number: 1, Credentials: Caller, Actions: []string{"cloudformation:CreateStack"}, Resource: OnStack},
		{Number: 2, Credentials: FAS, Service: cloudformation},
	}
	throughAthena = []Hop{
		{Number: 1, Credentials: Caller, Actions: []string{"athena:StartQueryExecution"}, Resource: OnWorkgroup},
		{Number: 1, Credentials: Caller, Actions: []string{"athena:GetQueryExecution", "athena:GetQueryResults"}, Resource: OnWorkgroup, Optional: true},
		{Number: 2, Credentials: FAS, Service: athena, Actions: []string{"glue:GetDatabase"}, Resource: OnCatalog},
		{Number: 2, Credentials: FAS, Service: athena, Actions: []string{"glue:GetDatabase"}, Resource: OnDatabase},
		{Number: 2, Credentials: FAS, Service: athena, Actions: []string{"glue:GetTable"}, Resource: OnCatalog},
		{Number: 2, Credentials: FAS, Service: athena, Actions: []string{"glue:GetTable"}, Resource: OnDatabase},
		{Number: 2, Credentials: FAS, Service: athena, Actions: []string{"glue:GetTable"}, Resource: OnTable},
		{Number: 2, Credentials: FAS, Service: athena, Actions: []string{"glue:GetPartitions"}, Resource: OnTable, Optional: true},
		{Number: 2, Credentials: FAS, Service: athena, Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resource: OnBucket, Optional: true},
		{Number: 2, Credentials: FAS, Service: athena},
	}
	buckets = []TargetKind{BucketTarget}
)

// catalog is ordered as reports show it.
var catalog = []*Chain{
	{ID: "direct-corporate", Title: "a direct call from the corporate network", Pattern: "1", Entry: Corporate, Hops: direct},
	{ID: "direct-internet", Title: "a direct call from an address outside of every allowed range", Entry: Internet, Hops: direct},
	{ID: "direct-vpc-endpoint", Title: "a direct call through a VPC endpoint", Entry: VPCEndpoint, Hops: direct},
	{ID: "athena-public", Title: "an Athena query from the corporate network", Pattern: "2a", Entry: Corporate, Targets: buckets, Hops: throughAthena},
	{ID: "athena-public-outside", Title: "an Athena query from an address outside of every allowed range", Entry: Internet, Targets: buckets, Hops: throughAthena},
	{ID: "athena-privatelink", Title: "an Athena query through a VPC endpoint of Athena", Pattern: "2b", Entry: VPCEndpoint, Targets: buckets, Hops: throughAthena},
	{ID: "cloudformation", Title: "a stack operation on the caller's behalf", Entry: Corporate, Hops: throughCFN},
	{ID: "cloudformation-service-role", Title: "a stack operation with a service role", Entry: Corporate, Hops: []Hop{
		{Number: 1, Credentials: Caller, Actions: []string{"cloudformation:CreateStack"}, Resource: OnStack, Optional: true},
		{Number: 1, Credentials: Caller, Actions: []string{"iam:PassRole"}, Resource: OnRole, Optional: true},
		{Number: 2, Credentials: ServicePrincipal, Service: cloudformation, Actions: []string{"sts:AssumeRole"}, Resource: OnRole},
		{Number: 3, Credentials: ServiceRole, Service: cloudformation, Via: []string{cloudformation}},
	}},
	{ID: "cloudtrail-s3", Title: "CloudTrail delivers logs to a bucket", Pattern: "4", Entry: Inside, Targets: buckets, Hops: []Hop{
		{Number: 1, Credentials: ServicePrincipal, Service: cloudtrail, Actions: []string{"s3:GetBucketAcl"}, Resource: OnBucket},
		{Number: 1, Credentials: ServicePrincipal, Service: cloudtrail, Actions: []string{"s3:PutObject"}, Resource: OnLogs},
	}},
	{ID: "service-principal", Title: "a service calls in its own name", Entry: Inside, Hops: []Hop{
		{Number: 1, Credentials: ServicePrincipal},
	}},
	{ID: "anonymous", Title: "a request without credentials from the Internet", Entry: Internet, Targets: buckets, Hops: []Hop{
		{Number: 1, Credentials: Anonymous},
	}},
}

// Catalog returns the chains in the order reports show them.
func Catalog() []*Chain { return catalog }

// Find returns the chain of the catalogue with an ID.
func Find(id string) (*Chain, bool) {
	for _, c := range catalog {
		if c.ID == id {
			return c, true
		}
	}
	return nil, false
}

// subject says whose replay the chain is: that of a role which a service assumes,
// of a service, of a request without credentials, else of a user or role.
func (c *Chain) subject() Credentials {
	for i := range c.Hops {
		if h := &c.Hops[i]; h.Credentials == ServiceRole && h.Principal == "" {
			return ServiceRole
		}
	}
	return c.Hops[0].Credentials
}

// assumes is the service that assumes the role the chain is about.
func (c *Chain) assumes() string {
	for i := range c.Hops {
		if h := &c.Hops[i]; h.Credentials == ServiceRole && h.Principal == "" {
			return h.Service
		}
	}
	return ""
}

// own is the action of a chain that has its own: that of its last mandatory hop,
// empty if the actions are those of the target.
func (c *Chain) own() string {
	last := ""
	for i := range c.Hops {
		switch h := &c.Hops[i]; {
		case len(h.Actions) == 0:
			return ""
		case !h.Optional:
			last = h.Actions[len(h.Actions)-1]
		}
	}
	return last
}

// fixed is the resource of a chain whose last mandatory hop names one: the target
// of the chain. It is empty for chains that are replayed on every target.
func (c *Chain) fixed() Resource {
	for i := range slices.Backward(c.Hops) {
		if h := &c.Hops[i]; !h.Optional {
			if h.Resource.named() {
				return h.Resource
			}
			return ""
		}
	}
	return ""
}

// applies reports whether the chain is replayed on a target.
func (c *Chain) applies(t *Target) bool {
	switch prefix, _, own := strings.Cut(c.own(), ":"); {
	case c.fixed() != "":
		return t.named(c.fixed())
	case len(c.Targets) > 0:
		return slices.Contains(c.Targets, t.Kind)
	case own:
		return strings.EqualFold(prefix, t.service())
	}
	return true
}

// on are the actions a chain is replayed for on a target.
func (c *Chain) on(t *Target) []string {
	if own := c.own(); own != "" {
		return []string{own}
	}
	return t.actions()
}

// Validate says what keeps a chain from being replayed: nil for every chain of the
// catalogue. The error names the hop, counted from 1 in the order of Hops.
func (c *Chain) Validate() error {
	if c.ID == "" {
		return errors.New("a chain needs an id")
	}
	if len(c.Hops) == 0 {
		return errors.New("a chain needs a hop")
	}
	mandatory := false
	for i := range c.Hops {
		if err := c.Hops[i].validate(); err != nil {
			return fmt.Errorf("hop %d: %w", i+1, err)
		}
		mandatory = mandatory || !c.Hops[i].Optional
	}
	if !mandatory {
		return errors.New("a chain needs a hop that is not optional")
	}
	return nil
}

func (h *Hop) validate() error {
	switch h.Credentials {
	case Caller, Anonymous, Federated:
	case ServiceRole:
		if h.Service == "" {
			return errors.New("a service-role hop needs the service that has the role")
		}
	case FAS:
		if h.Service == "" && len(h.Via) == 0 {
			return errors.New("a fas hop needs the service that calls on the caller's behalf")
		}
	case ServicePrincipal:
		// Without a service it is any that a policy names.
	default:
		return fmt.Errorf("there are no credentials %q, only %s", h.Credentials, words(credentials))
	}
	for _, s := range append([]string{h.Service}, h.Via...) {
		if s != "" && (!strings.Contains(s, ".") || strings.ContainsAny(s, " /:*")) {
			return fmt.Errorf("%q is no service principal: it looks like lambda.amazonaws.com", s)
		}
	}
	for _, a := range h.Actions {
		if prefix, name, _ := strings.Cut(a, ":"); prefix == "" || name == "" || strings.ContainsAny(a, "*? ") {
			return fmt.Errorf("%q is no action: it looks like s3:GetObject", a)
		}
	}
	return nil
}

func words[T ~string](list []T) string {
	var out []string
	for _, w := range list {
		if w != "" {
			out = append(out, string(w))
		}
	}
	return strings.Join(out, ", ")
}
