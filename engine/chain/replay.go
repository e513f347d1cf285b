package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// runner replays chains of one world.
type runner struct {
	world World
	env   Environment
	admin *Principal

	networks map[*policy.Document]named
	grants   map[grantKey]*allows
	contexts map[*Principal]request.Context
	entered  map[enteredKey]HopResult
	notes    map[string]bool
}

type grantKey struct {
	principal *Principal
	target    *Target
	action    string
}

// enteredKey names a hop that is the same whatever the target of the chain.
type enteredKey struct {
	principal *Principal
	action    string
	on        on
	via       string
	network   request.Network
}

func newRunner(w World) *runner {
	r := &runner{
		world: w, env: w.Environment(),
		networks: map[*policy.Document]named{},
		grants:   map[grantKey]*allows{},
		contexts: map[*Principal]request.Context{},
		entered:  map[enteredKey]HopResult{},
		notes:    map[string]bool{},
	}
	return r
}

// A call is one replay to be made.
type call struct {
	chain     *Chain
	action    string
	principal *Principal
	target    *Target
	// statement is the one that lets a service principal in, for the generic chain.
	statement *policy.Statement
}

// replay replays one chain; false if the policies leave no network to replay it from.
func (r *runner) replay(c call) (*Replay, bool) {
	w := r.witnesses(c.principal, c.target)
	out := &Replay{Chain: c.chain, Action: c.action, Principal: c.principal, Target: c.target}
	for _, spec := range c.chain.hops {
		hop, ok := r.hop(&c, &spec, w)
		if !ok {
			r.notes["the ranges that policies name cover the whole Internet: "+c.chain.ID+" is left out where they apply"] = true
			return nil, false
		}
		out.Hops = append(out.Hops, hop)
	}
	out.decide()
	return out, true
}

// decide draws the verdict of a chain from its mandatory hops.
func (r *Replay) decide() {
	r.Verdict, r.BrokenHop = engine.Allowed, 0
	for i := range r.Hops {
		h := &r.Hops[i]
		switch {
		case h.Optional:
		case h.Verdict == engine.ImplicitDeny, h.Verdict == engine.ExplicitDeny:
			r.Verdict, r.BrokenHop = h.Verdict, h.Hop
			return
		case h.Verdict == engine.Unknown && r.Verdict == engine.Allowed:
			r.Verdict, r.BrokenHop = engine.Unknown, h.Hop
		}
	}
}

// hop decides one call of a chain.
func (r *runner) hop(c *call, spec *hopSpec, w witnesses) (HopResult, bool) {
	action := spec.action
	if action == "" {
		action = c.action
	}
	prefix, _, _ := strings.Cut(action, ":")
	entered, _, _ := strings.Cut(c.chain.hops[0].action, ":")
	if entered == "" {
		entered = prefix
	}
	network, endpointPolicy, ok := r.enter(c.chain, entered, w)
	if !ok {
		return HopResult{}, false
	}
	p := c.principal
	switch {
	case spec.on == onRole && spec.creds == ServicePrincipal:
		p = service(c.chain.service, symbol.Text{}, symbol.Text{}, request.Organization{})
	case spec.creds == Caller && c.chain.ID == "cloudformation-service-role":
		p = r.admin
	}
	key := enteredKey{principal: p, action: action, on: spec.on, via: strings.Join(spec.via, " "), network: network}
	shared := spec.on >= onWorkgroup && spec.on <= onStack
	if shared {
		if h, ok := r.entered[key]; ok {
			h.Hop, h.Optional = spec.hop, spec.optional
			return h, true
		}
	}
	resource, account := r.resource(c, spec, p, action)
	h := request.Hop{
		Network: network, Via: spec.via, ServiceRole: spec.creds == ServiceRole,
		Service: prefix, Region: r.region(c, spec), Time: r.env.Time,
		ResourceAccount: account, ResourceOrganization: r.organizationOf(account),
	}
	policies := engine.Policies{Identity: p.Identity, Boundary: p.Boundary, SCP: p.SCP}
	if spec.creds == Caller && spec.hop == 1 {
		policies.VPCEndpoint = endpointPolicy
	}
	switch spec.on {
	case onTarget, onBucket, onLogs:
		policies.Resource, policies.RCP = c.target.Policies, c.target.RCP
		policies.RestrictPublicBuckets = c.target.RestrictPublic
		h.ResourceOrganization = c.target.Organization
	case onRole:
		if spec.creds == ServicePrincipal {
			policies.Resource = []policy.Attached{{Document: c.principal.Trust, Sure: kleene.True}}
		}
	default:
		// Workgroups, catalogs and stacks of the input have no policies of their own.
	}
	req := engine.Request{
		Principal: p.Caller.Principal, Action: action, Resource: resource, ResourceAccount: account,
		Context: request.Derive(&p.Caller, &h),
	}
	if spec.on == onLogs {
		// CloudTrail always hands its objects over to the owner of the bucket.
		req.Context.SetString("s3:x-amz-acl", "bucket-owner-full-control")
	}
	out := HopResult{
		Hop: spec.hop, Credentials: spec.creds, Optional: spec.optional,
		Request: req, Decision: engine.Evaluate(&policies, &req),
	}
	if shared {
		r.entered[key] = out
	}
	return out, true
}

func (r *runner) region(c *call, spec *hopSpec) symbol.Text {
	if (spec.on == onTarget || spec.on == onBucket || spec.on == onLogs) && !c.target.Region.IsZero() {
		return c.target.Region
	}
	return r.env.Region
}

func (r *runner) organizationOf(account symbol.Text) request.Organization {
	switch account {
	case outsideAccount:
		return request.Organization{Member: kleene.True, ID: outsideOrg}
	case r.env.Account, orgAccount:
		return r.env.Organization
	}
	return request.Organization{Member: kleene.Unknown, ID: r.env.Organization.ID}
}

// resource returns the resource a hop is made on and the account that owns it.
func (r *runner) resource(c *call, spec *hopSpec, p *Principal, action string) (symbol.Text, symbol.Text) {
	account := p.Caller.Principal.Account
	if account.IsZero() {
		account = r.env.Account
	}
	own := func(service, rest string) (symbol.Text, symbol.Text) {
		def := r.arn(service, r.env.Region, account, rest)
		return r.allows(p, nil, action).example(def, r.lookup(p)), account
	}
	switch spec.on {
	case onWorkgroup:
		return own("athena", "workgroup/primary")
	case onCatalog:
		return r.arn("glue", r.env.Region, account, "catalog"), account
	case onDatabase:
		return own("glue", "database/default")
	case onTable:
		return own("glue", "table/default/example")
	case onStack:
		return own("cloudformation", "stack/example/example")
	case onRole:
		return c.principal.Caller.Principal.ARN, c.principal.Caller.Principal.Account
	case onBucket:
		return c.target.ARN, c.target.Account
	case onLogs:
		return symbol.Concat(c.target.ARN, symbol.Literal("/"), r.logPrefix(c), symbol.Literal("AWSLogs/"),
			p.Caller.SourceAccount, symbol.Literal("/CloudTrail/example")), c.target.Account
	default: // onTarget
	}
	switch {
	case c.target.Kind == InstanceTarget:
		return r.arn("ec2", r.env.Region, account, "instance/*"), account
	case c.statement != nil:
		return r.granted(c, action), c.target.Account
	case onObject(action):
		return r.object(c, p, action), c.target.Account
	}
	return c.target.ARN, c.target.Account
}

func (r *runner) arn(service string, region, account symbol.Text, rest string) symbol.Text {
	lit := symbol.Literal
	return symbol.Concat(lit("arn:"), r.env.Partition, lit(":"+service+":"), region, lit(":"), account, lit(":"+rest))
}

// object returns the object of a bucket that stands for all: key "example", below
// the first granted prefix if every Allow is limited to prefixes.
func (r *runner) object(c *call, p *Principal, action string) symbol.Text {
	def := symbol.Concat(c.target.ARN, symbol.Literal("/example"))
	both := allows{}
	for _, a := range []*allows{r.allows(p, nil, action), r.allows(nil, c.target, action)} {
		if a.unread {
			return def
		}
		for i := range a.statements {
			st := &a.statements[i]
			if st.mayName(&p.Caller.Principal) {
				both.statements = append(both.statements, narrow(st, c.target))
			}
		}
	}
	return both.example(def, r.lookup(p))
}

// narrow keeps of a statement the patterns that can match objects of a bucket.
func narrow(st *allow, t *Target) allow {
	out := allow{Statement: st.Statement, any: st.any}
	for _, e := range st.entries {
		if m, _ := e.pattern.MatchResource(t.someObject, anyVariable); m != kleene.False {
			out.entries = append(out.entries, e)
		}
	}
	return out
}

// granted returns the resource that the statement which lets a service in means
// for an action: the target itself, or something in it.
func (r *runner) granted(c *call, action string) symbol.Text {
	res := c.statement.Resources
	if res == nil || res.Not {
		return c.target.ARN
	}
	if m, _ := res.Match(c.target.ARN, nil); m != kleene.False && !onObject(action) {
		return c.target.ARN
	}
	a := allowing([]policy.Attached{{Document: &policy.Document{Statements: []policy.Statement{*c.statement}}, Sure: kleene.True}}, action)
	return a.example(symbol.Concat(c.target.ARN, symbol.Literal("/example")), anyVariable)
}

// allows returns the Allow statements of a principal or a target for an action.
func (r *runner) allows(p *Principal, t *Target, action string) *allows {
	key := grantKey{p, t, action}
	if a, ok := r.grants[key]; ok {
		return a
	}
	var a allows
	if p != nil {
		a = allowing(p.Identity, action)
	} else {
		a = allowing(t.Policies, action)
	}
	r.grants[key] = &a
	return &a
}

// lookup returns the values that policy variables have for a principal.
func (r *runner) lookup(p *Principal) symbol.Lookup {
	ctx, ok := r.contexts[p]
	if !ok {
		ctx = request.Derive(&p.Caller, &request.Hop{Region: r.env.Region})
		r.contexts[p] = ctx
	}
	return ctx.Lookup
}

// witnesses reads the networks off the policies that take part in a replay.
func (r *runner) witnesses(p *Principal, t *Target) witnesses {
	var all []named
	scan := func(docs []policy.Attached) {
		for _, d := range docs {
			n, ok := r.networks[d.Document]
			if !ok {
				n = scanNetworks(d.Document)
				r.networks[d.Document] = n
			}
			all = append(all, n)
		}
	}
	scan(p.Identity)
	scan(p.Boundary)
	for _, level := range p.SCP {
		scan(level)
	}
	scan(t.Policies)
	for _, level := range t.RCP {
		scan(level)
	}
	return witness(all)
}
