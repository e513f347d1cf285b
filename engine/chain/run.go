package chain

import (
	"maps"
	"slices"
	"strconv"
	"strings"

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
	// MaxReplays is the number above which replays of pairs whose policies are
	// equal up to names are made once for all; 0 means no bound.
	MaxReplays int
	// Only, if not nil, selects the replays to make, related or not.
	Only func(p *Principal, t *Target, action string) bool
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

// A combination is a pair with an action. statement is the one that lets a
// service principal in, for the generic chain. others are the same service on
// behalf of other sources: the worst of their replays is that of the combination.
type combination struct {
	principal *Principal
	others    []*Principal
	target    *Target
	action    int32 // index into selection.actions
	statement *policy.Statement
	chains    []*Chain // nil for callers: their chains follow from the pair
}

// Run replays the chains of the catalogue against a world: for every user, role
// and stand-in each chain it can begin, for service principals and anonymous
// callers their own.
func Run(w World, opts Options) Result {
	r := newRunner(w)
	s := &selection{runner: r, opts: opts, nobody: anonymous(), callerChains: map[chainsKey][]*Chain{}}
	s.targets = append(slices.Clone(w.Targets()), &Target{
		Kind: InstanceTarget, ARN: symbol.Literal("*"), Account: r.env.Account, Region: r.env.Region, Organization: r.env.Organization,
	})
	stand := standIns(r.env)
	r.admin = stand[0]
	s.principals = slices.Concat(w.Principals(), stand)
	for _, t := range s.targets {
		t.prepare()
		s.callers(t)
		s.services(t)
		s.anonymous(t)
	}
	groups := s.fold()
	return s.replay(groups)
}

// selection gathers the combinations of a run.
type selection struct {
	*runner
	opts         Options
	principals   []*Principal
	targets      []*Target
	actions      []string
	combinations []combination
	count        int // of replays
	unrelated    int
	nobody       *Principal
	callerChains map[chainsKey][]*Chain
}

// A chainsKey is what the chains of a caller depend on.
type chainsKey struct {
	kind        TargetKind
	serviceRole bool
}

func (s *selection) selected(c *Chain) bool {
	return len(s.opts.Chains) == 0 || slices.Contains(s.opts.Chains, c.ID)
}

func (s *selection) add(c combination, action string) {
	if s.opts.Only != nil && !s.opts.Only(c.principal, c.target, action) {
		return
	}
	i := slices.Index(s.actions, action)
	if i < 0 {
		i = len(s.actions)
		s.actions = append(s.actions, action)
	}
	c.action = int32(i)
	s.combinations = append(s.combinations, c)
	s.count += len(s.chainsFor(&c))
}

// chainsFor returns the chains to replay for a combination.
func (s *selection) chainsFor(c *combination) []*Chain {
	if c.chains != nil {
		return c.chains
	}
	key := chainsKey{c.target.Kind, trusts(c.principal.Trust, cloudformation)}
	chains, ok := s.callerChains[key]
	if !ok {
		chains = s.chainsOf(c.principal, c.target)
		s.callerChains[key] = chains
	}
	return chains
}

// callers adds the chains that users, roles and stand-ins begin.
func (s *selection) callers(t *Target) {
	for _, action := range t.actions() {
		theirs := s.allows(nil, t, action).reaching(t, action)
		for _, p := range s.principals {
			if p.StandIn == "" && t.Kind != InstanceTarget && s.opts.Only == nil && !related(s.allows(p, nil, action), &theirs, p, t, action) {
				s.unrelated++
				continue
			}
			s.add(combination{principal: p, target: t}, action)
		}
	}
}

func (s *selection) chainsOf(p *Principal, t *Target) []*Chain {
	var out []*Chain
	for _, c := range catalog {
		serviceRole := c.hops[len(c.hops)-1].creds == ServiceRole && trusts(p.Trust, c.service)
		if s.selected(c) && c.applies(t) && (c.forCallers() || serviceRole) {
			out = append(out, c)
		}
	}
	return out
}

// anonymous adds the request without credentials.
func (s *selection) anonymous(t *Target) {
	c, _ := Find("anonymous")
	if t.Kind != BucketTarget || !s.selected(c) {
		return
	}
	for _, action := range t.actions() {
		s.add(combination{principal: s.nobody, target: t, chains: []*Chain{c}}, action)
	}
}

// services adds the chains that service principals begin, for each one that a
// policy of the target lets in.
func (s *selection) services(t *Target) {
	trail, _ := Find("cloudtrail-s3")
	generic, _ := Find("service-principal")
	grants := serviceGrants(t)
	if t.Kind == BucketTarget && s.selected(trail) {
		s.trail(t, trail, grants)
	}
	seen := map[string]bool{}
	for _, g := range grants {
		if !s.selected(generic) || g.service == cloudtrail && t.Kind == BucketTarget {
			continue
		}
		callers := s.serviceCallers(t, g, grants)
		for _, action := range literalActions(g.statement, t) {
			if key := g.service + " " + action; !seen[key] {
				seen[key] = true
				s.add(combination{principal: callers[0], others: callers[1:], target: t, chains: []*Chain{generic}, statement: g.statement}, action)
			}
		}
	}
}

// trail adds the delivery of CloudTrail, if a trail of the world writes to the
// bucket or a policy lets CloudTrail in.
func (s *selection) trail(t *Target, c *Chain, grants []serviceGrant) {
	callers := s.trails(t, nil, grants)
	if callers[0].delivery.trail == nil && !slices.ContainsFunc(grants, func(g serviceGrant) bool { return g.service == cloudtrail }) {
		return
	}
	s.add(combination{principal: callers[0], others: callers[1:], target: t, chains: []*Chain{c}}, "s3:PutObject")
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
	for _, action := range t.actions() {
		prefix, name, _ := strings.Cut(strings.ToLower(action), ":")
		if among.Match(prefix, name) == kleene.True {
			out = append(out, action)
		}
	}
	return out
}

// severity orders verdicts from the best to the worst.
var severity = map[engine.Verdict]int{engine.Allowed: 0, engine.Unknown: 1, engine.ImplicitDeny: 2, engine.ExplicitDeny: 3}

// worst replays one chain of a combination: for a service that calls on behalf of
// several trails for each of them, and keeps the worst replay.
func (s *selection) worst(ch *Chain, c *combination) (*Replay, bool) {
	cl := call{chain: ch, action: s.actions[c.action], principal: c.principal, target: c.target, statement: c.statement}
	out, ok := s.runner.replay(cl)
	if !ok || len(c.others) == 0 {
		return out, ok
	}
	for _, cl.principal = range c.others {
		if rep, ok := s.runner.replay(cl); ok && severity[rep.Verdict] > severity[out.Verdict] {
			out = rep
		}
	}
	of := "judged for each of " + strconv.Itoa(len(c.others)+1) + " trails: " + out.Principal.Caller.Source.String()
	if out.Verdict == engine.Allowed {
		out.remark(of + " is shown, all are allowed")
	} else {
		out.remark(of + " decided")
	}
	out.Principal = c.principal // what the combination is known by
	return out, true
}

// remark notes something on the hop that decided, the last one if all are allowed.
func (r *Replay) remark(note string) {
	i := slices.IndexFunc(r.Hops, func(h HopResult) bool { return !h.Optional && h.Verdict == r.Verdict })
	if r.Verdict == engine.Allowed {
		i = len(r.Hops) - 1
	}
	r.Hops[i].Notes = append(r.Hops[i].Notes, note)
}

// replay replays what was selected, or of every group its first combination.
func (s *selection) replay(groups []group) Result {
	out := Result{Unrelated: s.unrelated}
	folded := groups != nil
	if !folded {
		groups = make([]group, len(s.combinations))
		for i := range groups {
			groups[i].members = []int32{int32(i)}
		}
	}
	for _, g := range groups {
		c := &s.combinations[g.members[0]]
		var replays []int
		for _, ch := range s.chainsFor(c) {
			rep, ok := s.worst(ch, c)
			if !ok {
				continue
			}
			if folded && rep.Verdict == engine.Allowed {
				rep.Hops = nil
			}
			replays = append(replays, len(out.Replays))
			out.Replays = append(out.Replays, rep)
		}
		if len(g.members) > 1 {
			out.Folded += len(g.members) - 1
			out.Groups = append(out.Groups, Group{Replays: replays, Blocks: s.blocks(g)})
		}
	}
	out.Notes = slices.Sorted(maps.Keys(s.notes))
	return out
}
