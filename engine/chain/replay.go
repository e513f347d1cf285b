package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
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
		Service: prefix, Region: r.region(c, spec, prefix), Time: r.env.Time,
		ResourceAccount: account, ResourceOrganization: r.organizationOf(account),
	}
	policies := engine.Policies{Identity: p.Identity, Boundary: p.Boundary, SCP: p.SCP}
	if spec.creds == Caller && spec.hop == 1 {
		policies.VPCEndpoint = endpointPolicy
	}
	switch spec.on {
	case onTarget, onBucket, onLogs:
		policies.Resource, policies.RCP = c.target.Policies, c.target.RCP
		if r.env.ManagementAccount && symbol.Equal(account, r.env.Account) == kleene.True {
			policies.RCP = nil // they do not bind the management account's resources
		}
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
	r.parameters(&req, c, spec)
	out := HopResult{
		Hop: spec.hop, Credentials: spec.creds, Optional: spec.optional,
		Request: req, Decision: engine.Evaluate(&policies, &req),
	}
	if shared {
		r.entered[key] = out
	}
	return out, true
}

// parameters sets the context keys that hang on the parameters of a call.
func (r *runner) parameters(req *engine.Request, c *call, spec *hopSpec) {
	caller, ctx := &c.principal.Caller, &req.Context
	switch {
	case spec.on == onLogs:
		c.principal.delivery.deliver(ctx, c.target)
	case spec.on == onRole && spec.creds == ServicePrincipal:
		// Whether the service names the source of the call is not documented.
		ctx.SetMaybe("aws:SourceAccount", caller.Principal.Account)
		ctx.SetMaybe("aws:SourceArn", symbol.Symbol{Name: "the source of " + c.chain.service}.Text())
	case spec.on == onRole:
		ctx.SetString("iam:PassedToService", c.chain.service)
	case c.statement != nil:
		// The service makes the call that the statement lets it make.
		if strings.EqualFold(req.Action, "s3:PutObject") {
			upload(ctx, c.target, c.statement, caller.Principal.Service)
		} else {
			headers(ctx, c.statement)
		}
		if caller.Principal.Service == cloudtrail && encrypts(req.Action) {
			ctx.Set("kms:EncryptionContext:aws:cloudtrail:arn", caller.Source)
		}
	}
}

// encrypts reports whether a KMS action carries an encryption context.
func encrypts(action string) bool {
	action = strings.ToLower(action)
	return strings.HasPrefix(action, "kms:generatedatakey") || action == "kms:decrypt" || action == "kms:encrypt"
}

func (r *runner) region(c *call, spec *hopSpec, service string) symbol.Text {
	switch {
	case service == "iam":
		return symbol.Literal("us-east-1") // a global service
	case (spec.on == onTarget || spec.on == onBucket || spec.on == onLogs) && !c.target.Region.IsZero():
		return c.target.Region
	}
	return r.env.Region
}

func (r *runner) organizationOf(account symbol.Text) request.Organization {
	switch account {
	case outsideAccount:
		return request.Organization{Member: kleene.True, ID: outsideOrg}
	case OrgAccount:
		return request.Organization{Member: kleene.True, ID: r.env.Organization.ID}
	case r.env.Account:
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
		return symbol.Concat(c.target.ARN, symbol.Literal("/"), p.delivery.logs), c.target.Account
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
	var granting []*allow
	for _, a := range []*allows{r.allows(p, nil, action), r.allows(nil, c.target, action)} {
		if a.unread {
			return def
		}
		for i := range a.statements {
			if st := &a.statements[i]; st.mayName(&p.Caller.Principal) {
				granting = append(granting, st)
			}
		}
	}
	return exampleObject(granting, c.target, def, r.lookup(p))
}

// exampleObject is the default if a statement can match it, else the object of the
// first prefix that the statements name, else the default.
func exampleObject(granting []*allow, t *Target, def symbol.Text, lookup symbol.Lookup) symbol.Text {
	var first symbol.Text
	for _, st := range granting {
		if st.any {
			return def
		}
		for _, e := range st.entries {
			if e.bucket != "" && t.name != "" && e.bucket != t.name {
				continue
			}
			if m, _ := e.pattern.MatchResource(def, lookup); m != kleene.False {
				return def
			}
			if first.IsZero() && !st.sensitive {
				first = below(e.pattern, t, lookup)
			}
		}
	}
	if first.IsZero() {
		return def
	}
	return first
}

// below returns the object of a bucket that a pattern stands for, "example" in the
// place of wildcards; empty if it stands for none.
func below(p *arn.Pattern, t *Target, lookup symbol.Lookup) symbol.Text {
	slash := symbol.Literal("/")
	var key symbol.Text
	if sixth, ok := p.ResourcePart(lookup); ok {
		if split := sixth.SplitN('/', 2); len(split) == 2 {
			key = split[1]
		}
	} else if rest, ok := after(p.Text(), symbol.Concat(t.ARN, slash)); ok {
		key = rest // the bucket has a name that is not known yet
	}
	if key.IsZero() {
		return symbol.Text{}
	}
	object := symbol.Concat(t.ARN, slash, key)
	if m, _ := p.MatchResource(object, lookup); m == kleene.False {
		return symbol.Text{}
	}
	return object
}

// after returns the rest of a pattern's text after a prefix, with "example" in the
// place of '*' and "x" of '?'; false if it has another prefix or holds variables.
func after(pattern, prefix symbol.Text) (symbol.Text, bool) {
	if !pattern.HasPrefix(prefix) {
		return symbol.Text{}, false
	}
	s, known := pattern.Slice(prefix.Len(), pattern.Len()).Literal()
	if !known || strings.Contains(s, "$") {
		return symbol.Text{}, false
	}
	return symbol.Literal(strings.NewReplacer("*", "example", "?", "x").Replace(s)), true
}

// granted returns the resource that the statement which lets a service in means
// for an action: the target itself, or something in it.
func (r *runner) granted(c *call, action string) symbol.Text {
	res := c.statement.Resources
	if res == nil || res.Not {
		return c.target.ARN
	}
	if m, _ := res.Match(c.target.ARN, anyVariable); m != kleene.False && !onObject(action) {
		return c.target.ARN
	}
	st := prepared(c.statement)
	if c.target.Kind == BucketTarget && onObject(action) {
		return exampleObject([]*allow{&st}, c.target, symbol.Concat(c.target.ARN, symbol.Literal("/example")), anyVariable)
	}
	a := allows{statements: []allow{st}}
	return a.example(c.target.ARN, anyVariable)
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

// sensitiveNote says what replays leave out for sensitive policies.
const sensitiveNote = "Some policies are sensitive: they are evaluated, and the networks, services, sources and object keys that they alone name are not replayed."

// witnesses reads the networks off the policies that take part in a replay.
func (r *runner) witnesses(p *Principal, t *Target) witnesses {
	var all []named
	scan := func(docs []policy.Attached) {
		for _, d := range docs {
			n, ok := r.networks[d.Document]
			if !ok {
				n = scanNetworks(d.Document)
				r.networks[d.Document] = n
				if d.Sensitive {
					r.notes[sensitiveNote] = true
				}
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
