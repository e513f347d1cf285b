package chain

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Shown is a hop of a chain with the context that it carries whatever the input:
// what depends on the input is a symbol.
type Shown struct {
	*Hop
	// Actions are the calls of the hop.
	Actions []string
	// On is the resource they are made on.
	On      symbol.Text
	Context request.Context
}

// callers are the kinds of principals that a chain can be shown for, the default
// first.
var callers = []struct {
	name    string
	kind    request.PrincipalKind
	session request.Session
}{
	{"role", request.RoleSession, request.Plain},
	{"user", request.IAMUser, request.Plain},
	{"user-console", request.IAMUser, request.Console},
	{"user-console-mfa", request.IAMUser, request.ConsoleMFA},
	{"user-mfa", request.IAMUser, request.TokenMFA},
	{"identity-center", request.RoleSession, request.IdentityCenter},
	{"saml", request.RoleSession, request.SAML},
	{"oidc", request.RoleSession, request.OIDC},
	{"federated-user", request.FederatedUser, request.Plain},
	{"root", request.Root, request.Plain},
}

// Callers are the kinds of principals that [Chain.Show] takes, the default first.
func Callers() []string {
	out := make([]string, len(callers))
	for i := range callers {
		out[i] = callers[i].name
	}
	return out
}

// Show derives the context of every hop of a chain for a kind of principal, one of
// [Callers], on the first kind of target that the chain is for. A chain of a team
// may begin in one of its networks; switches say how AWS's pages are read.
func (c *Chain) Show(caller string, networks []Network, switches request.Switches) []Shown {
	w := &catalogWorld{env: Environment{
		Account: placeholder("account"), Partition: symbol.Literal("aws"), Region: placeholder("region"),
		Organization: request.Organization{Member: kleene.Unknown, ID: placeholder("organization.id")}, Administrator: &policy.Document{}, Networks: networks, Switches: switches,
	}}
	r := newRunner(w)
	r.admin = w.principal("role")
	t := w.target(c)
	cl := call{chain: c, target: t, principal: w.subject(c, caller)}
	scope := c.scope()
	if actions := scope.on(t); len(actions) > 0 {
		cl.action = actions[0]
	}
	witnesses := witness(r.networksOf(c, cl.principal, t), networks)
	var out []Shown
	for i := range c.Hops {
		h := &c.Hops[i]
		shown := Shown{Hop: h, Actions: c.shownActions(h, t)}
		action := "${action}"
		if len(shown.Actions) > 0 {
			action = shown.Actions[0]
		}
		p := r.caller(&cl, h)
		if p == nil {
			p = w.principal("role")
		}
		prefix, _, _ := strings.Cut(action, ":")
		network, _, _ := r.enter(&cl, h, prefix, witnesses)
		resource, account := r.resource(&cl, h, p, action)
		if resource.IsZero() {
			resource = symbol.Literal(string(h.Resource))
		}
		req := engine.Request{Principal: p.Caller.Principal, Action: action, Resource: resource, ResourceAccount: account}
		shown.On, shown.Context = resource, r.request(&cl, h, p, network, req, r.owner(&cl, h, resource)).Context
		out = append(out, shown)
	}
	return out
}

// shownActions are the calls of a hop: for the replayed one all that it may be.
func (c *Chain) shownActions(h *Hop, t *Target) []string {
	scope := c.scope()
	switch {
	case len(h.Actions) > 0:
		return h.Actions
	case h.Resource != OnKey:
		return scope.on(t)
	}
	var out []string
	for _, action := range scope.on(t) {
		for _, a := range keyActions[action] {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// catalogWorld is a world in which nothing is known.
type catalogWorld struct{ env Environment }

func (*catalogWorld) Principals() []*Principal   { return nil }
func (*catalogWorld) Targets() []*Target         { return nil }
func (*catalogWorld) Endpoints() []Endpoint      { return nil }
func (*catalogWorld) Trails() []Trail            { return nil }
func (*catalogWorld) Workgroups() []Workgroup    { return nil }
func (w *catalogWorld) Environment() Environment { return w.env }

func placeholder(name string) symbol.Text {
	return symbol.Symbol{Name: name, Class: symbol.Segment, Unique: true}.Text()
}

// subject is the principal that a chain is about.
func (w *catalogWorld) subject(c *Chain, caller string) *Principal {
	switch c.subject() {
	case ServicePrincipal:
		name := c.Hops[0].Service
		if name == "" {
			name = "${service}"
		}
		p := service(name, placeholder("source.arn"), w.env.Account, w.env.Organization)
		p.Caller.SourceUnsure = name == elb
		if d, ok := deliveries[name]; ok {
			p.delivery = &delivery{logs: logPath(symbol.Text{}, w.env.Account, d.folder)}
		}
		return p
	case Anonymous:
		return anonymous()
	case Federated:
		return identityProvider(placeholder("provider.arn"))
	case ServiceRole:
		caller = "role"
	default:
	}
	return w.principal(caller)
}

func (w *catalogWorld) principal(caller string) *Principal {
	i := slices.Index(Callers(), caller)
	kind := callers[max(i, 0)]
	name := placeholder("principal.name")
	p := &Principal{Trust: &policy.Document{}, Caller: request.Caller{Organization: w.env.Organization, Session: kind.session}}
	p.Caller.Principal = RoleSession(w.env.Partition, w.env.Account, symbol.Concat(symbol.Literal("role/"), name), name)
	arn := func(service, rest string) symbol.Text {
		return symbol.Concat(symbol.Literal("arn:"), w.env.Partition, symbol.Literal(":"+service+"::"), w.env.Account, symbol.Literal(":"+rest))
	}
	switch p.Caller.Principal.Kind = kind.kind; kind.kind {
	case request.IAMUser:
		p.Caller.Principal.ARN = symbol.Concat(arn("iam", "user/"), name)
	case request.FederatedUser:
		p.Caller.Principal.ARN = symbol.Concat(arn("iam", "user/"), name)
		p.Caller.Principal.Session = symbol.Concat(arn("sts", "federated-user/"), name)
	case request.Root:
		p.Caller.Principal.ARN = arn("iam", "root")
	default:
	}
	return p
}

// target is one of the first kind that a chain is for.
func (w *catalogWorld) target(c *Chain) *Target {
	t := &Target{
		Kind: BucketTarget, Account: w.env.Account, Region: w.env.Region, Organization: w.env.Organization,
		Key: placeholder("key.arn"), placeholder: len(c.Targets) != 1,
	}
	if len(c.Targets) > 0 {
		t.Kind = c.Targets[0]
	}
	if stand, ok := standInResources[c.fixed()]; ok {
		t.Kind, t.standsFor = StandInTarget, c.fixed()
		t.ARN = symbol.Concat(symbol.Literal("arn:aws:"+stand.service+":"), w.env.Region, symbol.Literal(":"), w.env.Account, symbol.Literal(":"+stand.rest))
		return t
	}
	word := kinds[t.Kind].word
	name := placeholder(word + ".name")
	switch t.Kind {
	case BucketTarget:
		t.ARN = symbol.Concat(symbol.Literal("arn:aws:s3:::"), name)
	case InstanceTarget:
		t.ARN = symbol.Literal("*")
	default:
		t.ARN = placeholder(word + ".arn")
	}
	return t
}
