package chain

import (
	"slices"
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
	world    World
	env      Environment
	admin    *Principal
	switches request.Switches

	networks map[*policy.Document]named
	grants   map[grantKey]*allows
	reach    map[grantKey]*allows
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
	on        Resource
	via       string
	network   request.Network
}

func newRunner(w World) *runner {
	r := &runner{
		world: w, env: w.Environment(),
		networks: map[*policy.Document]named{},
		grants:   map[grantKey]*allows{},
		reach:    map[grantKey]*allows{},
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

// actions are the calls of a hop.
func (c *call) actions(h *Hop) []string {
	if len(h.Actions) == 0 {
		return []string{c.action}
	}
	return h.Actions
}

// replay replays one chain; false if the policies leave no network to replay it
// from, or the world lacks a principal or resource that a hop names.
func (r *runner) replay(c call) (*Replay, bool) {
	w := r.witnesses(c.principal, c.target)
	out := &Replay{Chain: c.chain, Action: c.action, Principal: c.principal, Target: c.target}
	for i := range c.chain.Hops {
		h := &c.chain.Hops[i]
		for _, action := range c.actions(h) {
			hop, missing := r.hop(&c, h, action, w)
			if missing != "" {
				r.notes[missing] = true
				return nil, false
			}
			out.Hops = append(out.Hops, hop)
		}
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

// caller returns who makes the calls of a hop, nil if the world lacks who it names.
func (r *runner) caller(c *call, h *Hop) *Principal {
	role := c.chain.subject() == ServiceRole
	switch {
	case h.Principal != "":
		i := slices.IndexFunc(r.world.Principals(), func(p *Principal) bool {
			return p.Address == h.Principal || p.Caller.Principal.ARN == symbol.Literal(h.Principal)
		})
		if i < 0 {
			return nil
		}
		return r.world.Principals()[i]
	case h.Credentials == ServicePrincipal && (h.Resource == OnRole || c.chain.subject() != ServicePrincipal):
		return service(h.Service, symbol.Text{}, symbol.Text{}, request.Organization{})
	case h.Credentials == Caller && role:
		return r.admin
	}
	return c.principal
}

// hop decides one call of a chain. missing says what keeps it from being replayed.
func (r *runner) hop(c *call, spec *Hop, action string, w witnesses) (out HopResult, missing string) {
	prefix, name, _ := strings.Cut(action, ":")
	network, endpointPolicy, missing := r.enter(c, spec, prefix, w)
	if missing != "" {
		return out, missing
	}
	p := r.caller(c, spec)
	if p == nil {
		return out, "the chain " + c.chain.ID + " is left out: the input has no principal " + spec.Principal
	}
	via := spec.via()
	key := enteredKey{principal: p, action: action, on: spec.Resource, via: strings.Join(via, " "), network: network}
	if spec.Resource.beside() {
		if h, ok := r.entered[key]; ok {
			h.Hop, h.Optional = spec.Number, spec.Optional
			return h, ""
		}
	}
	resource, account := r.resource(c, spec, p, action)
	if resource.IsZero() {
		return out, "the chain " + c.chain.ID + " is left out: the input has no resource " + string(spec.Resource)
	}
	h := request.Hop{
		Network: network, Via: via, ServiceRole: spec.Credentials == ServiceRole,
		Service: prefix, Action: name, Region: r.region(c, spec), Time: r.env.Time,
		ResourceAccount: account, ResourceOrganization: r.organizationOf(account),
		ResourceTags: r.tags(c, spec), Switches: r.switches,
	}
	policies := engine.Policies{Identity: p.Identity, Boundary: p.Boundary, SCP: p.SCP, Assume: r.env.Assume}
	if len(via) == 0 {
		policies.VPCEndpoint = endpointPolicy
	}
	if t := r.owner(c, spec); t != nil {
		policies.Resource, policies.RCP = t.Policies, t.RCP
		if r.env.ManagementAccount && symbol.Equal(account, r.env.Account) == kleene.True {
			policies.RCP = nil // they do not bind the management account's resources
		}
		policies.RestrictPublicBuckets = t.RestrictPublic
		h.ResourceOrganization = t.Organization
	}
	if spec.Resource == OnRole && spec.Credentials == ServicePrincipal {
		policies.Resource = []policy.Attached{{Document: c.principal.Trust, Sure: kleene.True}}
	}
	req := engine.Request{
		Principal: p.Caller.Principal, Action: action, Resource: resource, ResourceAccount: account,
		Context: request.Derive(&p.Caller, &h),
	}
	r.parameters(&req, c, spec)
	out = HopResult{
		Hop: spec.Number, Credentials: spec.Credentials, Optional: spec.Optional,
		Request: req, Decision: engine.Evaluate(&policies, &req),
	}
	if spec.Resource.beside() {
		r.entered[key] = out
	}
	return out, ""
}

// owner returns the target whose policies bear on a hop: nil for what is beside it,
// which has no policies of its own.
func (r *runner) owner(c *call, h *Hop) *Target {
	switch {
	case h.Resource.named():
		if c.target.named(h.Resource) {
			return c.target
		}
		targets := r.world.Targets()
		if i := slices.IndexFunc(targets, func(t *Target) bool { return t.named(h.Resource) }); i >= 0 {
			return targets[i]
		}
		return nil
	case h.Resource.beside(), h.Resource == OnRole:
		return nil
	}
	return c.target
}

// parameters sets the context keys that hang on the parameters of a call.
func (r *runner) parameters(req *engine.Request, c *call, spec *Hop) {
	caller, ctx := &c.principal.Caller, &req.Context
	switch {
	case spec.Resource == OnLogs:
		c.principal.delivery.deliver(ctx, c.target)
	case spec.Resource == OnRole && spec.Credentials == ServicePrincipal:
		// Whether the service names the source of the call is not documented.
		ctx.SetMaybe("aws:SourceAccount", caller.Principal.Account)
		ctx.SetMaybe("aws:SourceArn", symbol.Symbol{Name: "the source of " + c.chain.assumes()}.Text())
	case spec.Resource == OnRole:
		ctx.SetString("iam:PassedToService", c.chain.assumes())
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

// noTags are those of resources that show none to requests.
var noTags = map[string]symbol.Text{}

// tags are those that the service shows of the resource of a hop: buckets show none
// unless that is turned on, what does not exist yet has none.
func (r *runner) tags(c *call, h *Hop) map[string]symbol.Text {
	switch t := r.owner(c, h); {
	case h.Resource == OnRole:
		return c.principal.Caller.Tags
	case h.Resource == OnWorkgroup, h.Resource.named() && t == nil:
		return nil
	case t == nil, t.Kind == BucketTarget, t.Kind == InstanceTarget:
		return noTags
	default:
		return t.Tags
	}
}

func (r *runner) region(c *call, h *Hop) symbol.Text {
	if t := r.owner(c, h); t != nil && !t.Region.IsZero() {
		return t.Region
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
func (r *runner) resource(c *call, spec *Hop, p *Principal, action string) (symbol.Text, symbol.Text) {
	account := p.Caller.Principal.Account
	if account.IsZero() {
		account = r.env.Account
	}
	own := func(service, rest string) (symbol.Text, symbol.Text) {
		def := r.arn(service, r.env.Region, account, rest)
		return r.allows(p, nil, action).example(def, r.lookup(p)), account
	}
	switch spec.Resource {
	case OnWorkgroup:
		return own("athena", "workgroup/primary")
	case OnCatalog:
		return r.arn("glue", r.env.Region, account, "catalog"), account
	case OnDatabase:
		return own("glue", "database/default")
	case OnTable:
		return own("glue", "table/default/example")
	case OnStack:
		return own("cloudformation", "stack/example/example")
	case OnRole:
		return c.principal.Caller.Principal.ARN, c.principal.Caller.Principal.Account
	case OnBucket:
		return c.target.ARN, c.target.Account
	case OnLogs:
		return symbol.Concat(c.target.ARN, symbol.Literal("/"), p.delivery.logs), c.target.Account
	case "", OnTarget:
	default:
		return r.elsewhere(c, spec, p, action, account)
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

// elsewhere returns the resource that a hop names by its ARN or address; the zero
// Text for an address that the world lacks. A bucket stands for its objects where
// the action asks for one.
func (r *runner) elsewhere(c *call, h *Hop, p *Principal, action string, account symbol.Text) (symbol.Text, symbol.Text) {
	t := r.owner(c, h)
	if t == nil {
		a, ok := arn.Parse(symbol.Literal(string(h.Resource)))
		if !ok {
			return symbol.Text{}, symbol.Text{}
		}
		if !a[arn.Account].IsZero() {
			account = a[arn.Account]
		}
		return a.Text(), account
	}
	if string(h.Resource) != t.Address && string(h.Resource) != t.ARN.String() {
		return symbol.Literal(string(h.Resource)), t.Account // an object
	}
	if t.Kind == BucketTarget && onObject(action) {
		there := *c
		there.target = t
		return r.object(&there, p, action), t.Account
	}
	return t.ARN, t.Account
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
	return witness(all, r.env.Networks)
}
