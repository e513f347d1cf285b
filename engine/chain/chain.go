package chain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/request"
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
// or the address of a resource of the input.
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
	// OnKey is the KMS key that encrypts the target. A hop on it that is optional is
	// left out where there is none.
	OnKey Resource = "key"
	// OnResults is an object where an Athena query writes.
	OnResults Resource = "results"
	// OnWorkgroup is an Athena workgroup.
	OnWorkgroup Resource = "workgroup"
	// OnCatalog is the Glue data catalog, OnDatabase and OnTable are in it.
	OnCatalog  Resource = "catalog"
	OnDatabase Resource = "database"
	OnTable    Resource = "table"
	// OnStack is a CloudFormation stack.
	OnStack Resource = "stack"
)

// standInResources are the resources that stand for all of their type, by service
// and resource part of the ARN. What is granted instead comes first.
var standInResources = map[Resource]struct{ service, rest string }{
	OnWorkgroup:          {"athena", "workgroup/primary"},
	OnCatalog:            {"glue", "catalog"},
	OnDatabase:           {"glue", "database/default"},
	OnTable:              {"glue", "table/default/example"},
	OnStack:              {"cloudformation", "stack/example/example"},
	"agent":              {"bedrock", "agent-alias/EXAMPLE/EXAMPLE"},
	"application":        {"servicecatalog", "/applications/example"},
	"automation":         {"ssm", "automation-definition/example:1"},
	"certificate":        {"acm", "certificate/example"},
	"crawler":            {"glue", "crawler/example"},
	"data-set":           {"dataexchange", "data-sets/example"},
	"dataset":            {"databrew", "dataset/example"},
	"distribution":       {"cloudfront", "distribution/EXAMPLE"},
	"document":           {"ssm", "document/example"},
	"endpoint":           {"sagemaker", "endpoint/example"},
	"environment":        {"elasticbeanstalk", "environment/example/example"},
	"function":           {"lambda", "function:example"},
	"ide":                {"cloud9", "environment:example"},
	"job":                {"glue", "job/example"},
	"log-group":          {"logs", "log-group:example"},
	"model":              {"bedrock", "custom-model/example"},
	"phone-number":       {"sms-voice", "phone-number/example"},
	"product":            {"catalog", "product/prod-example"},
	"recovery-point":     {"backup", "recovery-point:example"},
	"redshift-workgroup": {"redshift-serverless", "workgroup/example"},
	"resource-share":     {"ram", "resource-share/example"},
	"snapshot":           {"ec2", "snapshot/snap-example"},
	"topic":              {"sns", "example"},
	"web-acl":            {"wafv2", "regional/webacl/example/example"},
}

var (
	credentials = []Credentials{Caller, FAS, ServiceRole, ServicePrincipal, Federated, Anonymous}
	words       = []Resource{"", OnTarget, OnBucket, OnLogs, OnRole, OnKey, OnResults}
)

// beside reports whether the resource is a stand-in that has nothing to do with
// the target.
func (r Resource) beside() bool {
	_, ok := standInResources[r]
	return ok
}

// named reports whether the resource is none of the words: an ARN, or the address
// of a resource.
func (r Resource) named() bool { return !slices.Contains(words, r) && !r.beside() }

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
	// Entry says where a service with a role calls from: [VPCEndpoint] for one that
	// works in a VPC, else it is AWS's own network. Other hops enter as the chain does.
	Entry Entry
	// Optional hops are shown and never decide.
	Optional bool

	workload request.Workload // where it does not follow from the service
}

// ofTarget stands in Via for the service that the target belongs to.
const ofTarget = "${target}.amazonaws.com"

// via are the services through which forward access sessions came to the hop.
func (h *Hop) via(t *Target) []string {
	via := h.Via
	if len(via) == 0 && h.Credentials == FAS {
		via = []string{h.Service}
	}
	if i := slices.Index(via, ofTarget); i >= 0 && !t.placeholder {
		via = slices.Clone(via)
		via[i] = t.service() + ".amazonaws.com"
	}
	return via
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
	// Actions are the calls that the chain is replayed for; none means that of its
	// last mandatory hop or, if some hop names no action, those of the target.
	Actions []string
	Hops    []Hop

	// quiet chains are replayed only where a policy names the service that calls or,
	// if signs is set, that condition key, which is in lower case.
	quiet bool
	signs string
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

// own are the actions of a chain that has its own: those it is replayed for, else
// that of its last mandatory hop. There are none if they are those of the target.
func (c *Chain) own() []string {
	if len(c.Actions) > 0 {
		return c.Actions
	}
	var last []string
	for i := range c.Hops {
		switch h := &c.Hops[i]; {
		case h.Optional, h.Resource == OnKey:
		case len(h.Actions) == 0:
			return nil
		default:
			last = h.Actions[len(h.Actions)-1:]
		}
	}
	return last
}

// last is the last mandatory hop that is not about the target's encryption.
func (c *Chain) last() *Hop {
	for i := range slices.Backward(c.Hops) {
		if h := &c.Hops[i]; !h.Optional && h.Resource != OnKey {
			return h
		}
	}
	return &c.Hops[len(c.Hops)-1]
}

// fixed is the resource of a chain whose last mandatory hop names one, or is made on
// a stand-in: the target of the chain. It is empty for chains that are replayed on
// every target.
func (c *Chain) fixed() Resource {
	if r := c.last().Resource; r.named() || r.beside() {
		return r
	}
	return ""
}

// encrypted reports whether the chain needs a target that a customer's key encrypts.
func (c *Chain) encrypted() bool {
	return slices.ContainsFunc(c.Hops, func(h Hop) bool { return h.Resource == OnKey && !h.Optional })
}

// scope is on what a chain is replayed.
func (c *Chain) scope() scope {
	return scope{own: c.own(), fixed: c.fixed(), encrypted: c.encrypted(), kinds: c.Targets}
}

// A scope is on what a chain is replayed.
type scope struct {
	own       []string // its actions, none if they are those of the target
	fixed     Resource
	encrypted bool
	kinds     []TargetKind
}

// applies reports whether the chain is replayed on a target.
func (sc *scope) applies(t *Target) bool {
	switch {
	case sc.encrypted && t.Key.IsZero():
		return false
	case sc.fixed != "":
		return t.named(sc.fixed)
	case len(sc.kinds) > 0:
		return slices.Contains(sc.kinds, t.Kind)
	case len(sc.own) > 0:
		prefix, _, _ := strings.Cut(sc.own[0], ":")
		return strings.EqualFold(prefix, t.service())
	}
	return t.Kind != StandInTarget
}

// on are the actions the chain is replayed for on a target.
func (sc *scope) on(t *Target) []string {
	if sc.own != nil {
		return sc.own
	}
	return kinds[t.Kind].actions
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
	switch first := &c.Hops[0]; {
	case first.Credentials == FAS:
		return errors.New("hop 1: a chain begins with the call that the service then carries on, so its first hop is not a fas hop")
	case first.Principal != "":
		return errors.New("hop 1: the first call is made by the principal of the replay, which an expectation names; only later hops name another")
	}
	mandatory := false
	for i := range c.Hops {
		if err := c.Hops[i].Validate(); err != nil {
			return fmt.Errorf("hop %d: %w", i+1, err)
		}
		mandatory = mandatory || !c.Hops[i].Optional
	}
	if !mandatory {
		return errors.New("a chain needs a hop that is not optional")
	}
	return nil
}

// Validate says what keeps a hop from being replayed, whatever the chain.
func (h *Hop) Validate() error {
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
		return fmt.Errorf("there are no credentials %q, only %s", h.Credentials, list(credentials))
	}
	for _, s := range append([]string{h.Service}, h.Via...) {
		if s != "" && s != ofTarget && (!strings.Contains(s, ".") || strings.ContainsAny(s, " /:*")) {
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

func list[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
