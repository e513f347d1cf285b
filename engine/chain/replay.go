package chain

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// runner replays chains of one world.
type runner struct {
	world    World
	env      Environment
	admin    *Principal
	switches request.Switches

	networks map[*policy.Document]*named
	grants   map[grantKey]*allows
	reach    map[grantKey]*allows
	contexts map[*Principal]request.Context
	entered  map[enteredKey]HopResult
	byARN    map[symbol.Text]*Target
	readKeys map[*policy.Document]uint

	// turned are the runners with one switch turned over, by its place among the
	// switches; setting is what it is then set to. They tell verdicts without reasons.
	turned       map[int]*runner
	setting      string
	verdictsOnly bool
	notes        map[string]bool
	// other is the world to compare with, nil if there is none.
	other *other
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
		world: w, env: w.Environment(), switches: w.Environment().Switches,
		networks: map[*policy.Document]*named{},
		grants:   map[grantKey]*allows{},
		reach:    map[grantKey]*allows{},
		contexts: map[*Principal]request.Context{},
		entered:  map[enteredKey]HopResult{},
		byARN:    map[symbol.Text]*Target{},
		readKeys: map[*policy.Document]uint{},
		turned:   map[int]*runner{},
		notes:    map[string]bool{},
	}
	for _, t := range w.Targets() {
		r.byARN[t.ARN] = t
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
	from      *witnesses
}

// actions are the calls of a hop.
func (c *call) actions(h *Hop) []string {
	switch {
	case len(h.Actions) > 0:
		return h.Actions
	case h.Resource == OnKey:
		return keyActions[c.action]
	}
	return []string{c.action}
}

// keyActions are the calls of KMS that follow from a call on what a key encrypts.
var keyActions = map[string][]string{
	"s3:GetObject":                      {"kms:Decrypt"},
	"s3:PutObject":                      {"kms:GenerateDataKey"},
	"s3:GetObjectVersionForReplication": {"kms:Decrypt"},
	"s3:ReplicateObject":                {"kms:GenerateDataKey"},
	"dynamodb:GetItem":                  {"kms:Decrypt"},
	"dynamodb:PutItem":                  {"kms:Decrypt"},
	"sqs:ReceiveMessage":                {"kms:Decrypt"},
	"sqs:SendMessage":                   {"kms:GenerateDataKey", "kms:Decrypt"},
	"sns:Publish":                       {"kms:GenerateDataKey", "kms:Decrypt"},
	"secretsmanager:GetSecretValue":     {"kms:Decrypt"},
}

// replay replays one chain; false if the policies leave no network to replay it
// from, or the world lacks a principal or resource that a hop names.
func (r *runner) replay(c call) (*Replay, bool) {
	w := *c.from
	out := &Replay{Chain: c.chain, Action: c.action, Principal: c.principal, Target: c.target, From: w.from}
	out.Hops = make([]HopResult, 0, len(c.chain.Hops))
	for i := range c.chain.Hops {
		h := &c.chain.Hops[i]
		if h.Resource == OnKey && c.key().IsZero() {
			continue
		}
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
		p := service(h.Service, symbol.Symbol{Name: "the source of " + h.Service}.Text(), c.principal.Caller.Principal.Account, request.Organization{})
		p.Caller.SourceUnsure = true // whether the service names it is not documented
		return p
	case h.Credentials == Caller && role:
		return r.admin
	}
	return c.principal
}

// hop decides one call of a chain. missing says what keeps it from being replayed.
func (r *runner) hop(c *call, spec *Hop, action string, w witnesses) (out HopResult, missing string) {
	prefix, _, _ := strings.Cut(action, ":")
	network, endpointPolicy, missing := r.enter(c, spec, prefix, w)
	if missing != "" {
		return out, missing
	}
	p := r.caller(c, spec)
	if p == nil {
		return out, "the chain " + c.chain.ID + " is left out: the input has no principal " + spec.Principal
	}
	via := spec.via(c.target)
	key := enteredKey{principal: p, action: action, on: spec.Resource, via: strings.Join(via, " "), network: network}
	shared := spec.Resource.beside() || spec.Resource == OnResults
	if shared {
		if h, ok := r.entered[key]; ok {
			h.Hop, h.Optional = spec.Number, spec.Optional
			return h, ""
		}
	}
	resource, account := r.resource(c, spec, p, action)
	if resource.IsZero() {
		return out, "the chain " + c.chain.ID + " is left out: the input has no resource " + string(spec.Resource)
	}
	t := r.owner(c, spec, resource)
	req := r.request(c, spec, p, network, engine.Request{
		Principal: p.Caller.Principal, Action: action, Resource: resource, ResourceAccount: account,
	}, t)
	policies := engine.Policies{Identity: p.Identity, Boundary: p.Boundary, SCP: p.SCP, Assume: r.env.Assume}
	if len(via) == 0 {
		policies.VPCEndpoint = endpointPolicy
	}
	switch {
	case t != nil:
		policies.Resource, policies.RCP = t.Policies, t.RCP
		if r.env.ManagementAccount && symbol.Equal(account, r.env.Account) == kleene.True {
			policies.RCP = nil // they do not bind the management account's resources
		}
		policies.RestrictPublicBuckets = t.RestrictPublic
	case spec.Resource == OnRole && spec.Credentials == ServicePrincipal:
		policies.Resource = []policy.Attached{{Document: c.principal.Trust, Sure: kleene.True}}
	case spec.Resource == OnKey:
		unseen := policy.Unread("the key policy of "+resource.String(), policy.Resource, source.Origin{}, "the input does not define the key")
		policies.Resource = []policy.Attached{{Document: unseen, Sure: kleene.True}}
	}
	out = HopResult{
		Hop: spec.Number, Credentials: spec.Credentials, Optional: spec.Optional,
		Request: req,
	}
	if r.verdictsOnly {
		out.Verdict = engine.Decide(&policies, &req)
	} else {
		out.Decision = engine.Evaluate(&policies, &req)
	}
	if shared {
		r.entered[key] = out
	}
	return out, ""
}

// request adds to a request of a hop the context that AWS sends with it. t is the
// target it is made on, nil for what has no policies of its own.
func (r *runner) request(c *call, spec *Hop, p *Principal, network request.Network, req engine.Request, t *Target) engine.Request {
	prefix, name, _ := strings.Cut(req.Action, ":")
	h := request.Hop{
		Network: network, Via: spec.via(c.target),
		ServiceRole: spec.Credentials == ServiceRole || spec.Credentials == FAS && c.chain.subject() == ServiceRole,
		Service:     prefix, Action: name, Region: r.region(t), Time: r.env.Time,
		ResourceAccount: req.ResourceAccount, ResourceOrganization: r.organizationOf(req.ResourceAccount),
		ResourceTags: r.tags(c, spec, t), Switches: r.switches,
	}
	if t != nil {
		h.ResourceOrganization = t.Organization
	}
	caller := p.Caller
	if h.ServiceRole {
		caller.Session, caller.Workload = request.Plain, spec.delivered(c.chain)
	}
	req.Context = request.Derive(&caller, &h)
	r.parameters(&req, c, spec)
	return req
}

// delivered is the workload that gets the credentials of the role which makes a hop.
func (h *Hop) delivered(c *Chain) request.Workload {
	service := h.Service
	if h.Credentials == FAS {
		service = c.assumes()
	}
	if h.workload != "" {
		return h.workload
	}
	return request.WorkloadOf(service)
}

// key is the KMS key of a call: that of the target, or that of the trail whose log
// files CloudTrail encrypts.
func (c *call) key() symbol.Text {
	if d := c.principal.delivery; d != nil && d.trail != nil {
		return d.trail.keyARN()
	}
	return c.target.Key
}

// owner returns the target whose policies bear on a hop: nil for what the world does
// not define, or has no policies of its own.
func (r *runner) owner(c *call, h *Hop, resource symbol.Text) *Target {
	switch {
	case h.Resource == OnKey:
		return r.byARN[resource]
	case h.Resource == OnResults:
		if a, ok := arn.Parse(resource); ok {
			a[arn.Resource] = a[arn.Resource].SplitN('/', 2)[0]
			return r.byARN[a.Text()]
		}
		return nil
	case h.Resource.named():
		return r.lookUp(c, h.Resource)
	case h.Resource.beside(), h.Resource == OnRole:
		return nil
	}
	return c.target
}

// lookUp returns the target that a hop names by its ARN or address, nil if there is none.
func (r *runner) lookUp(c *call, name Resource) *Target {
	if c.target.named(name) {
		return c.target
	}
	targets := r.world.Targets()
	if i := slices.IndexFunc(targets, func(t *Target) bool { return t.named(name) }); i >= 0 {
		return targets[i]
	}
	return nil
}

// parameters sets the context keys that hang on the parameters of a call.
func (r *runner) parameters(req *engine.Request, c *call, spec *Hop) {
	caller, ctx := &c.principal.Caller, &req.Context
	if c.principal.partner && spec.Credentials == Caller && req.Action == c.action {
		c.principal.authenticate(ctx)
		for _, st := range r.allows(nil, c.target, req.Action).statements {
			if !st.sensitive && st.mayName(&caller.Principal) {
				choose(ctx, c.principal, st.Statement)
			}
		}
	}
	switch {
	case c.chain == strangers:
		c.principal.authenticate(ctx)
		choose(ctx, c.principal, c.statement)
	case spec.Credentials == Federated:
		claims(ctx, c.statement)
	case spec.Resource == OnLogs:
		c.principal.delivery.deliver(ctx, c.target, caller.Principal.Service)
	case spec.Resource == OnKey:
		encryptionContext(ctx, req.Action, c)
	case spec.Resource == OnRole && spec.Credentials == Caller:
		ctx.SetString("iam:PassedToService", c.chain.assumes())
	case c.chain.signs == "s3:authtype":
		ctx.SetString("s3:authType", "REST-QUERY-STRING")
		ctx.SetMaybe("s3:signatureAge", symbol.Symbol{Name: "the age of the signature in milliseconds"}.Text())
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

// claims sets what a trust policy asks of the token of an identity provider: the
// caller is one whom it lets in.
func claims(ctx *request.Context, st *policy.Statement) {
	if st == nil {
		return
	}
	for i := range st.Conditions {
		key := st.Conditions[i].Key
		if _, known := request.Find(key); known {
			continue
		}
		if v, ok := conditionValue(st, key); ok {
			ctx.Set(key, v)
		} else {
			ctx.SetMaybe(key, symbol.Symbol{Name: key + " of the token"}.Text())
		}
	}
}

// encryptionContext sets the keys about what a service encrypts or decrypts for a
// call on the target (AWS KMS Developer Guide, "Encryption context").
func encryptionContext(ctx *request.Context, action string, c *call) {
	if strings.EqualFold(action, "kms:CreateGrant") {
		ctx.SetString("kms:GrantIsForAWSResource", "true")
		return
	}
	if !encrypts(action) {
		return
	}
	name, value := "", c.target.ARN
	if d := c.principal.delivery; d != nil && c.principal.Caller.Principal.Service == cloudtrail {
		name, value = "aws:cloudtrail:arn", c.principal.Caller.Source
	} else {
		switch c.target.Kind {
		case BucketTarget:
			// The object or, with bucket keys, the bucket.
			name, value = "aws:s3:arn", symbol.Concat(value, symbol.Symbol{Name: "the object, unless there are bucket keys"}.Text())
		case TableTarget:
			if a, ok := arn.Parse(value); ok {
				value = a.Name()
			}
			name = "aws:dynamodb:tableName"
			ctx.Set("kms:EncryptionContext:aws:dynamodb:subscriberId", c.target.Account)
		case QueueTarget:
			name = "aws:sqs:arn"
		case TopicTarget:
			name = "aws:sns:topicArn"
		case SecretTarget:
			name = "SecretARN"
		default:
			return
		}
	}
	ctx.Set("kms:EncryptionContext:"+name, value)
	keys := []string{name}
	if c.target.Kind == TableTarget {
		keys = append(keys, "aws:dynamodb:subscriberId")
	}
	ctx.SetString("kms:EncryptionContextKeys", keys...)
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
func (r *runner) tags(c *call, h *Hop, t *Target) map[string]symbol.Text {
	switch {
	case h.Resource == OnRole:
		return c.principal.Caller.Tags
	case t == nil && h.Resource != OnStack && h.Resource != OnCatalog:
		return nil
	case t == nil, t.Kind == BucketTarget, t.standIn():
		return noTags
	default:
		return t.Tags
	}
}

func (r *runner) region(t *Target) symbol.Text {
	if t != nil && !t.Region.IsZero() {
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
	if stand, ok := standInResources[spec.Resource]; ok {
		region := r.env.Region
		if stand.service == "cloudfront" {
			region = symbol.Text{} // its ARNs name no region
		}
		def := r.arn(stand.service, region, account, stand.rest)
		return r.allows(p, nil, action).example(def, r.lookup(p)), account
	}
	switch spec.Resource {
	case OnKey:
		key := c.key()
		if a, ok := arn.Parse(key); ok {
			return key, a[arn.Account]
		}
		return key, c.target.Account
	case OnResults:
		return r.results(p, account), account
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
	case c.statement != nil && (spec.Credentials == ServicePrincipal || c.chain == strangers):
		return r.granted(c, action), c.target.Account
	case c.target.Kind == BucketTarget && onObject(action):
		return r.object(c, p, action), c.target.Account
	}
	return c.target.ARN, c.target.Account
}

// results returns an object where a query of Athena writes: where a workgroup of the
// world says, else the first place that the principal may write to, the bucket that
// the console makes before all others.
func (r *runner) results(p *Principal, account symbol.Text) symbol.Text {
	lit := symbol.Literal
	bucket := symbol.Concat(lit("arn:"), r.env.Partition, lit(":s3:::"))
	for _, w := range r.world.Workgroups() {
		if !w.Results.IsZero() {
			place := w.Results
			if !place.HasSuffix("/") {
				place = symbol.Concat(place, lit("/"))
			}
			return symbol.Concat(bucket, place, lit("example"))
		}
	}
	def := symbol.Concat(bucket, lit("aws-athena-query-results-"), account, lit("-"), r.env.Region, lit("/example"))
	var first symbol.Text
	lookup := r.lookup(p)
	for _, st := range r.allows(p, nil, "s3:PutObject").statements {
		if st.any {
			return def
		}
		for _, e := range st.entries {
			if m, _ := e.pattern.MatchResource(def, lookup); m != kleene.False {
				return def
			}
			if key, ok := e.pattern.ResourcePart(lookup); ok && first.IsZero() && !st.sensitive && len(key.SplitN('/', 2)) == 2 {
				first = symbol.Concat(bucket, key)
			}
		}
	}
	if first.IsZero() {
		return def
	}
	return first
}

// elsewhere returns the resource that a hop names by its ARN or address; the zero
// Text for an address that the world lacks. A bucket stands for its objects where
// the action asks for one.
func (r *runner) elsewhere(c *call, h *Hop, p *Principal, action string, account symbol.Text) (symbol.Text, symbol.Text) {
	t := r.lookUp(c, h.Resource)
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
	return func(key string) (symbol.Text, kleene.Truth) {
		ctx := r.context(p) // most patterns have no variables
		return ctx.Lookup(key)
	}
}

// context holds the keys that any call of a principal carries.
func (r *runner) context(p *Principal) request.Context {
	ctx, ok := r.contexts[p]
	if !ok {
		ctx = request.Derive(&p.Caller, &request.Hop{Region: r.env.Region})
		r.contexts[p] = ctx
	}
	return ctx
}

// sensitiveNote says what replays leave out for sensitive policies.
const sensitiveNote = "Some policies are sensitive: they are evaluated, and the networks, services, sources and object keys that they alone name are not replayed."

// networksOf reads the networks off the policies that take part in a replay. That of
// an endpoint takes part where a chain enters through one.
func (r *runner) networksOf(ch *Chain, p *Principal, t *Target) []*named {
	var all []*named
	scan := func(docs []policy.Attached) {
		for _, d := range docs {
			if n := r.networksIn(d.Document); !n.nothing() {
				all = append(all, n)
			}
		}
	}
	scan(ownDocs(p))
	scan(theirDocs(t))
	if ch.throughEndpoint() {
		for _, e := range r.world.Endpoints() {
			scan(e.Policies)
		}
	}
	return all
}

// networksIn is what a policy says of networks.
func (r *runner) networksIn(doc *policy.Document) *named {
	n, ok := r.networks[doc]
	if !ok {
		of := scanNetworks(doc)
		n = &of
		r.networks[doc] = n
		if doc.Sensitive {
			r.notes[sensitiveNote] = true
		}
	}
	return n
}

// throughEndpoint reports whether some hop enters through a VPC endpoint.
func (c *Chain) throughEndpoint() bool {
	return c.Entry == VPCEndpoint || slices.ContainsFunc(c.Hops, func(h Hop) bool { return h.Entry == VPCEndpoint })
}
