package chain

import (
	"maps"
	"slices"
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
// service principal in, for the generic chain.
type combination struct {
	principal *Principal
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
		p := s.serviceCaller(g)
		for _, action := range literalActions(g.statement, t) {
			if key := g.service + " " + action; !seen[key] {
				seen[key] = true
				s.add(combination{principal: p, target: t, chains: []*Chain{generic}, statement: g.statement}, action)
			}
		}
	}
}

// trail adds the delivery of CloudTrail, if a trail of the world writes to the
// bucket or a policy lets CloudTrail in.
func (s *selection) trail(t *Target, c *Chain, grants []serviceGrant) {
	var source symbol.Text
	for _, tr := range s.world.Trails() {
		if a, ok := arn.Parse(t.ARN); ok && symbol.Equal(tr.Bucket, a[arn.Resource]) == kleene.True {
			source = tr.ARN
			break
		}
	}
	i := slices.IndexFunc(grants, func(g serviceGrant) bool { return g.service == cloudtrail })
	if i < 0 && source.IsZero() {
		return
	}
	if source.IsZero() {
		for _, g := range grants {
			if v, ok := conditionValue(g.statement, "aws:SourceArn"); ok && g.service == cloudtrail {
				source = v
				break
			}
		}
	}
	if source.IsZero() {
		account := t.Account
		if i >= 0 {
			if v, ok := conditionValue(grants[i].statement, "aws:SourceAccount"); ok {
				account = v
			}
		}
		source = s.arn("cloudtrail", s.env.Region, account, "trail/example")
	}
	account := t.Account
	if a, ok := arn.Parse(source); ok {
		account = a[arn.Account]
	}
	s.add(combination{
		principal: service(cloudtrail, source, account, s.organizationOf(account)),
		target:    t, chains: []*Chain{c},
	}, "s3:PutObject")
}

// logPrefix returns the key prefix that a trail writes below: that of the trail
// or, without one, the part before AWSLogs/ that the policy allows.
func (r *runner) logPrefix(c *call) symbol.Text {
	slash := func(t symbol.Text) symbol.Text {
		if t.IsZero() || t.HasSuffix("/") {
			return t
		}
		return symbol.Concat(t, symbol.Literal("/"))
	}
	for _, tr := range r.world.Trails() {
		if tr.ARN == c.principal.Caller.Source {
			return slash(tr.Prefix)
		}
	}
	for _, g := range serviceGrants(c.target) {
		if g.service != cloudtrail || g.statement.Resources == nil {
			continue
		}
		for i := range g.statement.Resources.Entries {
			s := g.statement.Resources.Entries[i].Text().String()
			if rest, ok := strings.CutPrefix(s, c.target.ARN.String()+"/"); ok {
				if prefix, _, ok := strings.Cut(rest, "AWSLogs/"); ok && !strings.ContainsAny(prefix, "*?$") {
					return symbol.Literal(prefix)
				}
			}
		}
	}
	return symbol.Text{}
}

// serviceCaller is the service as it calls on behalf of what a statement asks for.
func (s *selection) serviceCaller(g serviceGrant) *Principal {
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
	return service(g.service, source, account, s.organizationOf(account))
}

// literalActions are the actions a statement allows a service on a target: those
// it names and, for a wildcard, the target's data actions among them. A wildcard at
// the end that means none of those stands for nothing: "kms:Decrypt*" is kms:Decrypt.
func literalActions(st *policy.Statement, t *Target) []string {
	var out []string
	for _, a := range st.Actions.Entries {
		s, known := a.Text.Literal()
		switch {
		case !known || st.Actions.Not:
		case !strings.ContainsAny(s, "*?"):
			out = append(out, s)
		default:
			one := policy.Actions{Entries: []policy.Action{a}}
			n := len(out)
			for _, action := range t.actions() {
				prefix, name, _ := strings.Cut(strings.ToLower(action), ":")
				if one.Match(prefix, name) == kleene.True {
					out = append(out, action)
				}
			}
			stem, ok := strings.CutSuffix(s, "*")
			if len(out) == n && ok && !strings.HasSuffix(stem, ":") && stem != "" && !strings.ContainsAny(stem, "*?") {
				out = append(out, stem)
			}
		}
	}
	return out
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
			rep, ok := s.runner.replay(call{chain: ch, action: s.actions[c.action], principal: c.principal, target: c.target, statement: c.statement})
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
