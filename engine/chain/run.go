package chain

import (
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Options select the replays of a run.
type Options struct {
	// Chains are the IDs of the chains to replay; none means all.
	Chains []string
	// Also are chains beside those of the catalogue. They must be valid.
	Also []*Chain
	// MaxReplays is the number above which replays of pairs whose policies are
	// equal up to names are made once for all; 0 means no bound.
	MaxReplays int
	// Unasked adds the chains that are else replayed only where a policy names the
	// service that calls, or what the chain is about.
	Unasked bool
	// Only, if not nil, selects the replays to make, related or not.
	Only func(p *Principal, t *Target, action string) bool
	// Other, if not nil, makes the run one that can be compared with one of another
	// world: calls are replayed from each network that the policies of both worlds
	// tell apart, and only those are, of what both worlds have, that a change of
	// policies which name networks may open or close. Without Only, replays are made
	// for their verdicts and have no hops.
	Other *Other
}

// A Result is what a run brought.
type Result struct {
	Replays []*Replay
	// Groups say for which pairs a replay stands, where pairs were folded.
	Groups []Group
	// Unrelated counts the combinations of principal, target and action that
	// nothing grants and that were therefore not replayed.
	Unrelated int
	// Folded counts the combinations that another one stands for.
	Folded int
	// Notes are remarks on what was left out.
	Notes []string
}

// A Group says for which pairs replays stand, those they were made for included.
type Group struct {
	// Replays are indices into [Result.Replays].
	Replays []int
	// Blocks are sets of pairs: every principal of one with every target of it.
	Blocks []Block
}

// A Block is the set of all pairs of some principals and some targets.
type Block struct {
	Principals []*Principal
	Targets    []*Target
}

// A combination is a pair with an action. variants are what a service may do for
// it: the worst of their replays is that of the combination.
type combination struct {
	principal *Principal
	target    *Target
	action    int32 // index into selection.actions
	chains    []*Chain
	variants  []variant
}

// A variant is a service as it calls on behalf of one source, let in by one statement.
type variant struct {
	principal *Principal
	// statement lets the service in, for chains that make the calls it allows.
	statement *policy.Statement
}

// Run replays the chains of the catalogue against a world: for every user, role
// and stand-in each chain it can begin, for service principals and anonymous
// callers their own.
func Run(w World, opts Options) Result {
	r := newRunner(w)
	s := &selection{runner: r, opts: opts, nobody: anonymous(), callerChains: map[chainsKey][]*Chain{}, serves: map[*Principal]string{}}
	for _, c := range opts.Also {
		s.catalog = append(s.catalog, newSelected(c))
	}
	s.catalog = slices.DeleteFunc(slices.Concat(all(), s.catalog), func(c *selected) bool {
		return len(opts.Chains) > 0 && !slices.Contains(opts.Chains, c.ID)
	})
	stand := standIns(r.env)
	r.admin = stand[0]
	s.principals = slices.Concat(w.Principals(), stand)
	s.targets = r.targets(opts.Only != nil)
	s.targets = append(s.targets, s.named()...)
	if opts.Other != nil {
		s.other = newOther(s.runner, opts.Other, s.principals, s.targets)
		if !s.other.moves() {
			return Result{}
		}
		s.verdictsOnly = opts.Only == nil
	}
	s.folder = newFolder(s)
	for _, t := range s.targets {
		t.prepare()
	}
	s.relate()
	for i, t := range s.targets {
		s.now = i
		s.services(t)
		s.federated(t)
		s.anonymous(t)
	}
	groups := s.fold()
	if groups == nil {
		groups = s.apart()
	}
	return s.replay(groups)
}

// selection gathers the combinations of a run.
type selection struct {
	*runner
	opts       Options
	catalog    []*selected
	principals []*Principal
	targets    []*Target
	actions    []string
	kinds      []targetKind // of the targets
	// tiles and singles are the pairs of callers and targets, combinations those of
	// services and anonymous requests.
	tiles        []tile
	singles      []pairing
	combinations []placed
	now          int // the target whose combinations are added
	folder       *folder
	count        int // of replays
	unrelated    int
	nobody       *Principal
	callerChains map[chainsKey][]*Chain
	// serves lists the selected chains that the principal's policies bring.
	serves map[*Principal]string
}

// A selected chain, with what is asked of it for each principal and target.
type selected struct {
	*Chain
	scope
	subject Credentials
	token   string // stands for it in lists of chains
	assumes string
	// prefix and name are its first action in lower case, via is the service of that
	// action as it calls on another's behalf.
	prefix, name string
	via          symbol.Text
}

func newSelected(c *Chain) *selected {
	out := &selected{Chain: c, scope: c.scope(), subject: c.subject(), token: " " + c.ID + " ", assumes: c.assumes()}
	if first := c.Hops[0].Actions; len(first) > 0 { // else those of the target
		out.prefix, out.name, _ = strings.Cut(strings.ToLower(first[0]), ":")
		out.via = symbol.Literal(out.prefix + ".amazonaws.com")
	}
	return out
}

// among reports whether a list of tokens has the chain.
func (c *selected) among(list string) bool { return strings.Contains(list, c.token) }

// A targetKind is what chains may be replayed on a target for users, roles and
// stand-ins: the actions, a hash of the chains, and a list of the quiet ones that its
// policies bring.
type targetKind struct {
	actions []string
	chains  uint64
	brings  string
}

// A chainsKey is what the chains of a caller depend on.
type chainsKey struct {
	chains         uint64
	brings, serves string
	action         int32
}

// targets are those of the world, the instances that a call would start, and the roles
// that a principal, or the user of an identity provider, may assume: all of them, or not
// those that only services do.
func (r *runner) targets(all bool) []*Target {
	out := append(slices.Clone(r.world.Targets()), &Target{
		Kind: InstanceTarget, ARN: symbol.Literal("*"), Account: r.env.Account, Region: r.env.Region, Organization: r.env.Organization, Key: r.env.VolumeKey,
	})
	for _, p := range r.world.Principals() {
		if p.Trust == nil || !all && !trustsPeople(p.Trust) {
			continue
		}
		caller := &p.Caller.Principal
		t := &Target{
			Kind: RoleTarget, Address: p.Address, ARN: caller.ARN, Account: caller.Account, Organization: p.Caller.Organization,
			Policies: []policy.Attached{{Document: p.Trust, Sure: kleene.True}}, Tags: p.Caller.Tags,
		}
		if symbol.Equal(caller.Account, r.env.Account) == kleene.True {
			t.RCP = r.env.RCP
		}
		out = append(out, t)
	}
	return out
}

// named are the targets that chains name and the world lacks: ARNs, and stand-ins for
// chains that some principal's policies bring.
func (s *selection) named() []*Target {
	var out []*Target
	for _, c := range s.catalog {
		name := c.scope.fixed
		is := func(t *Target) bool { return t.named(name) }
		brings := func(p *Principal) bool { return !c.quiet || s.opts.Unasked || c.among(s.servesOf(p)) }
		switch {
		case name == "" || slices.ContainsFunc(s.targets, is) || slices.ContainsFunc(out, is):
			continue
		case name.beside():
			if slices.ContainsFunc(s.world.Principals(), brings) {
				stand := standInResources[name]
				out = append(out, &Target{
					Kind: StandInTarget, standsFor: name, ARN: s.arn(stand.service, s.env.Region, s.env.Account, stand.rest),
					Account: s.env.Account, Region: s.env.Region, Organization: s.env.Organization,
				})
			}
			continue
		}
		a, ok := arn.Parse(symbol.Literal(string(name)))
		if !ok {
			s.notes["the chain "+c.ID+" is left out: the input has no resource "+string(name)] = true
			continue
		}
		t := &Target{ARN: a.Text(), Account: a[arn.Account], Region: a[arn.Region]}
		if t.Account.IsZero() {
			t.Account = s.env.Account
		}
		t.Organization = s.organizationOf(t.Account)
		out = append(out, t)
	}
	return out
}

func (s *selection) add(c combination, action string) {
	if s.opts.Only != nil && !s.opts.Only(c.principal, c.target, action) || !s.other.moved(c.principal, c.target) {
		return
	}
	c.action = s.place(action)
	s.combinations = append(s.combinations, placed{c, place{s.now, 1, len(s.combinations)}})
	s.count += len(c.chains)
}

// A placed combination knows when it comes in a run.
type placed struct {
	combination
	at place
}

// place returns the index of an action.
func (s *selection) place(action string) int32 {
	i := slices.Index(s.actions, action)
	if i < 0 {
		i = len(s.actions)
		s.actions = append(s.actions, action)
	}
	return int32(i) //nolint:gosec // a few dozen
}

// placeOf says when a pair of a caller and a target comes in a run.
func (s *selection) placeOf(p pairing) place {
	return place{int(p.target), 0, int(p.action), int(p.principal)}
}

// apart returns the combinations one by one, in the order of a run.
func (s *selection) apart() []*group {
	var groups []*group
	add := func(c combination, at place) { groups = append(groups, &group{first: c, at: at, n: 1}) }
	for _, p := range s.singles {
		add(s.combination(p), s.placeOf(p))
	}
	for _, t := range s.tiles {
		for _, target := range t.targets {
			for _, principal := range t.principals {
				c := cell{target, principal}
				if _, excepted := slices.BinarySearchFunc(t.except, c, byTarget); !excepted {
					p := pairing{c, t.action}
					add(s.combination(p), s.placeOf(p))
				}
			}
		}
	}
	for _, c := range s.combinations {
		add(c.combination, c.at)
	}
	slices.SortFunc(groups, func(a, b *group) int { return slices.Compare(a.at[:], b.at[:]) })
	return groups
}

// chainsOf returns the chains to replay for a user, role or stand-in.
func (s *selection) chainsOf(p pairing) []*Chain {
	t, kind := s.targets[p.target], &s.kinds[p.target]
	key := chainsKey{kind.chains, kind.brings, s.servesOf(s.principals[p.principal]), p.action}
	chains, ok := s.callerChains[key]
	if !ok {
		for _, c := range s.catalog {
			brought := c.among(key.serves)
			switch c.subject {
			case Caller:
				brought = brought || !c.quiet || s.opts.Unasked || c.among(key.brings)
			case ServiceRole:
			default:
				continue
			}
			if brought && c.applies(t) && slices.Contains(c.on(t), s.actions[p.action]) {
				chains = append(chains, c.Chain)
			}
		}
		s.callerChains[key] = chains
	}
	return chains
}

// kindOf returns what chains may be replayed on a target.
func (s *selection) kindOf(t *Target) targetKind {
	var out targetKind
	var h maphash.Hash
	var brings strings.Builder
	h.SetSeed(s.folder.seed)
	quiet := cuesOf(t.Policies)
	for i, c := range s.catalog {
		if c.subject != Caller && c.subject != ServiceRole || !c.applies(t) {
			continue
		}
		for _, action := range c.on(t) {
			_, _ = h.WriteString(action)
			_ = h.WriteByte(byte(i)) //nolint:gosec // part of a hash
			if !slices.Contains(out.actions, action) {
				out.actions = append(out.actions, action)
			}
		}
		if c.quiet && c.subject == Caller && quiet.bring(c) {
			brings.WriteString(c.token)
		}
	}
	out.chains, out.brings = h.Sum64(), brings.String()
	return out
}

// servesOf lists the chains that the policies of a principal bring, with blanks
// around each: those whose service assumes the role, and the quiet ones whose service
// is named.
func (s *selection) servesOf(p *Principal) string {
	serves, ok := s.serves[p]
	if ok {
		return serves
	}
	var list strings.Builder
	quiet := cuesOf(p.Identity)
	for _, c := range s.catalog {
		assumed := c.subject == ServiceRole && p.Trust != nil && trusts(p.Trust, c.assumes)
		if assumed || c.quiet && quiet.bring(c) {
			list.WriteString(c.token)
		}
	}
	serves = list.String()
	s.serves[p] = serves
	return serves
}

// cues are what some policies say that may bring a quiet chain.
type cues struct {
	keys   []string      // of conditions
	via    []symbol.Text // services that conditions ask for as ones that call on another's behalf
	allows []cue
}

// A cue is an action of a service, in lower case, that a policy allows.
type cue struct {
	service string
	action  policy.Actions
}

func cuesOf(docs []policy.Attached) cues {
	var out cues
	for _, doc := range docs {
		for i := range doc.Statements {
			st := &doc.Statements[i]
			for j := range st.Conditions {
				c := &st.Conditions[j]
				out.keys = append(out.keys, c.Key)
				if hasPrefixFold(c.Key, "aws:calledvia") {
					for _, v := range c.Values {
						out.via = append(out.via, v.Text)
					}
				}
			}
			if st.Effect != policy.Allow || st.Actions.Not {
				continue
			}
			for j := range st.Actions.Entries {
				s, known := st.Actions.Entries[j].Text.Literal()
				if service, _, found := strings.Cut(s, ":"); known && found {
					out.allows = append(out.allows, cue{strings.ToLower(service), policy.Actions{Entries: st.Actions.Entries[j : j+1]}})
				}
			}
		}
	}
	return out
}

// bring reports whether policies name what brings a quiet chain: its first call is
// allowed by an action of that very service, or a condition asks for the service as
// one that calls on another's behalf; for some chains a condition key.
func (q *cues) bring(c *selected) bool {
	if c.signs != "" {
		return slices.ContainsFunc(q.keys, func(key string) bool { return strings.EqualFold(key, c.signs) })
	}
	return slices.Contains(q.via, c.via) || slices.ContainsFunc(q.allows, func(a cue) bool {
		return a.service == c.prefix && a.action.Match(c.prefix, c.name) == kleene.True
	})
}

// hasPrefixFold is strings.HasPrefix without regard to case, and makes no copy.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// federated adds the users of the identity providers that a role trusts.
func (s *selection) federated(t *Target) {
	if t.Kind != RoleTarget {
		return
	}
	for _, c := range s.catalog {
		if c.subject != Federated {
			continue
		}
		action := c.on(t)[0]
		prefix, name, _ := strings.Cut(strings.ToLower(action), ":")
		seen := map[symbol.Text]*combination{}
		var order []*combination
		for _, doc := range t.Policies {
			for i := range doc.Statements {
				st := &doc.Statements[i]
				if doc.Sensitive || st.Effect != policy.Allow || st.Principals == nil || st.Principals.Not || st.Actions.Match(prefix, name) == kleene.False {
					continue
				}
				for _, e := range st.Principals.Entries {
					if e.Type != policy.Federated || e.Never {
						continue
					}
					idp := identityProvider(e.Text)
					if seen[e.Text] == nil {
						seen[e.Text] = &combination{principal: idp, target: t, chains: []*Chain{c.Chain}}
						order = append(order, seen[e.Text])
					}
					seen[e.Text].variants = append(seen[e.Text].variants, variant{idp, st})
				}
			}
		}
		for _, combination := range order {
			s.add(*combination, action)
		}
	}
}

// anonymous adds the request without credentials.
func (s *selection) anonymous(t *Target) {
	for _, c := range s.catalog {
		if c.subject == Anonymous && c.applies(t) {
			for _, action := range c.on(t) {
				s.add(combination{principal: s.nobody, target: t, chains: []*Chain{c.Chain}}, action)
			}
		}
	}
}

// services adds the chains that service principals begin, for each one that a
// policy of the target lets in: its own chain, else the generic one with the
// actions that the statement allows.
func (s *selection) services(t *Target) {
	grants := serviceGrants(t)
	var generic *selected
	for _, c := range s.catalog {
		switch {
		case c.subject != ServicePrincipal || !c.applies(t):
		case c.Hops[0].Service == "":
			generic = c
		default:
			s.ownChain(t, c, grants)
		}
	}
	if generic == nil {
		return
	}
	type key struct{ service, action string }
	index := map[key]*combination{}
	var order []key
	for _, g := range grants {
		if g.statement == nil {
			continue
		}
		for _, action := range literalActions(g.statement, t) {
			if ownsChain(g.service, t) {
				continue
			}
			k := key{g.service, action}
			if index[k] == nil {
				index[k] = &combination{target: t, chains: []*Chain{generic.Chain}}
				order = append(order, k)
			}
			for _, p := range s.serviceCallers(t, g, grants) {
				index[k].variants = append(index[k].variants, variant{p, g.statement})
			}
		}
	}
	for _, k := range order {
		c := index[k]
		c.principal = c.variants[0].principal
		s.add(*c, k.action)
	}
}

// all are the chains of the catalogue.
var all = sync.OnceValue(func() []*selected {
	var out []*selected
	for _, c := range catalog {
		out = append(out, newSelected(c))
	}
	return out
})

// ownsChain reports whether a service has a chain of its own on a target.
func ownsChain(service string, t *Target) bool {
	service = regionless(service)
	return slices.ContainsFunc(all(), func(c *selected) bool {
		return c.subject == ServicePrincipal && c.Hops[0].Service == service && c.applies(t)
	})
}

// regionless is the name of a service principal without a region.
func regionless(service string) string {
	short, ok := strings.CutSuffix(service, ".amazonaws.com")
	name, region, found := strings.Cut(short, ".")
	if ok && found && strings.Count(region, "-") >= 2 {
		return name + ".amazonaws.com"
	}
	return service
}

// ownChain adds the chain of a service, if a policy lets the service in or, for
// CloudTrail, a trail of the world writes to the bucket. What it delivers by a path
// of its own follows from all statements, else each statement that lets it in tells
// another way to call.
func (s *selection) ownChain(t *Target, c *selected, grants []serviceGrant) {
	service := c.Hops[0].Service
	theirs := slices.DeleteFunc(slices.Clone(grants), func(g serviceGrant) bool { return regionless(g.service) != service })
	var out combination
	switch _, logs := deliveries[service]; {
	case service == cloudtrail:
		trails := s.trails(t, nil, theirs)
		if len(theirs) == 0 && trails[0].delivery.trail == nil {
			return
		}
		for _, p := range trails {
			out.variants = append(out.variants, variant{principal: p})
		}
	case len(theirs) == 0:
		return
	case logs:
		out.variants = []variant{{principal: s.exampleDelivery(t, nil, theirs)}}
	default:
		prefix, name, _ := strings.Cut(strings.ToLower(c.on(t)[0]), ":")
		grantsIt := func(g serviceGrant) bool {
			return g.statement != nil && g.statement.Actions.Match(prefix, name) != kleene.False
		}
		if !slices.ContainsFunc(theirs, grantsIt) {
			return // it is let in for something else
		}
		for _, g := range theirs {
			if grantsIt(g) {
				out.variants = append(out.variants, variant{s.serviceCallers(t, g, theirs)[0], g.statement})
			}
		}
	}
	out.principal, out.target, out.chains = out.variants[0].principal, t, []*Chain{c.Chain}
	for _, action := range c.on(t) {
		s.add(out, action)
	}
}

// serviceCallers are the service as it calls on behalf of what a statement asks for;
// CloudTrail for each of its trails.
func (s *selection) serviceCallers(t *Target, g serviceGrant, grants []serviceGrant) []*Principal {
	if g.service == cloudtrail {
		return s.trails(t, g.statement, grants)
	}
	source, ok := conditionValue(g.statement, "aws:SourceArn")
	if !ok {
		prefix, _, _ := strings.Cut(g.service, ".")
		source = s.arn(prefix, s.env.Region, s.env.Account, "example")
	}
	account, ok := conditionValue(g.statement, "aws:SourceAccount")
	if !ok {
		account = s.env.Account
		if a, ok := arn.Parse(source); ok && !a[arn.Account].IsZero() {
			account = a[arn.Account]
		}
	}
	return []*Principal{service(g.service, source, account, s.organizationOf(account))}
}

// literalActions are the actions a statement allows a service on a target: those
// it names and, for a wildcard or NotAction, the target's data actions among them. A
// wildcard at the end that means none of those stands for nothing: "kms:Decrypt*" is
// kms:Decrypt.
func literalActions(st *policy.Statement, t *Target) []string {
	if st.Actions.Not {
		return dataActions(&st.Actions, t)
	}
	var out []string
	for _, a := range st.Actions.Entries {
		s, known := a.Text.Literal()
		switch {
		case !known:
		case !strings.ContainsAny(s, "*?"):
			out = append(out, s)
		default:
			of := dataActions(&policy.Actions{Entries: []policy.Action{a}}, t)
			out = append(out, of...)
			stem, ok := strings.CutSuffix(s, "*")
			if len(of) == 0 && ok && !strings.HasSuffix(stem, ":") && stem != "" && !strings.ContainsAny(stem, "*?") {
				out = append(out, stem)
			}
		}
	}
	return out
}

// dataActions are the target's data actions among some actions.
func dataActions(among *policy.Actions, t *Target) []string {
	var out []string
	for _, action := range kinds[t.Kind].actions {
		prefix, name, _ := strings.Cut(strings.ToLower(action), ":")
		if among.Match(prefix, name) == kleene.True {
			out = append(out, action)
		}
	}
	return out
}

// severity orders verdicts from the best to the worst.
var severity = map[engine.Verdict]int{engine.Allowed: 0, engine.Unknown: 1, engine.ImplicitDeny: 2, engine.ExplicitDeny: 3}

// worst replays one chain of a combination: for a service that calls in several
// ways for each of them, and keeps the worst replay.
func (s *selection) worst(ch *Chain, c *combination, from *witnesses) (*Replay, bool) {
	cl := call{chain: ch, action: s.actions[c.action], principal: c.principal, target: c.target, from: from}
	if len(c.variants) == 0 {
		out, ok := s.runner.replay(cl)
		if ok && s.other == nil { // only verdicts are compared
			out.Modes = s.modes(cl, out)
		}
		return out, ok
	}
	var out *Replay
	for _, v := range c.variants {
		cl.principal, cl.statement = v.principal, v.statement
		if rep, ok := s.runner.replay(cl); ok && (out == nil || severity[rep.Verdict] > severity[out.Verdict]) {
			out = rep
		}
	}
	if out == nil {
		return nil, false
	}
	if n := len(c.variants); n > 1 {
		of := "judged for each of " + strconv.Itoa(n) + " trails: " + out.Principal.Caller.Source.String()
		if c.variants[0].statement != nil {
			of = "judged for each of " + strconv.Itoa(n) + " statements that let the service in: " + out.Principal.Caller.Source.String()
		}
		if out.Verdict == engine.Allowed {
			out.remark(of + " is shown, all are allowed")
		} else {
			out.remark(of + " decided")
		}
	}
	out.Principal = c.principal // what the combination is known by
	return out, true
}

// remark notes something on the hop that decided, the last mandatory one if all are
// allowed.
func (r *Replay) remark(note string) {
	i := slices.IndexFunc(r.Hops, func(h HopResult) bool { return !h.Optional && h.Verdict == r.Verdict })
	if r.Verdict == engine.Allowed {
		for j := range r.Hops {
			if !r.Hops[j].Optional {
				i = j
			}
		}
	}
	r.Hops[i].Notes = append(r.Hops[i].Notes, note)
}

// replay replays of every group its first combination.
func (s *selection) replay(groups []*group) Result {
	out := Result{Unrelated: s.unrelated}
	for _, g := range groups {
		var replays []int
		for _, ch := range g.first.chains {
			for _, from := range s.origins(ch, &g.first) {
				rep, ok := s.worst(ch, &g.first, &from)
				if !ok {
					continue
				}
				if s.verdictsOnly {
					rep.Hops = nil
				}
				replays = append(replays, len(out.Replays))
				out.Replays = append(out.Replays, rep)
			}
		}
		if g.n > 1 {
			out.Folded += g.n - 1
			out.Groups = append(out.Groups, Group{Replays: replays, Blocks: s.blocks(g)})
		}
	}
	out.Notes = slices.Sorted(maps.Keys(s.notes))
	return out
}
