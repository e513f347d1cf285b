package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// maxCompared bounds how many pairs of a world are compared with those of another.
const maxCompared = 1_000_000

// compare replays the world before the change and returns the calls that the change
// opens or closes, in the order of the replays. It is not the whole where there are too
// many to compare, which is noted.
//
// A principal that does not exist is not allowed anything. Of a resource that comes
// with the change it is told what those outside of the account may do with it, and
// nothing of the account's own access, which comes with every resource; nor is anything
// of a resource that goes. Of an empty world that is all there is to tell.
//
// Both worlds are replayed from the same networks: where policies that name some have
// changed, from each one that those of either world tell apart.
func compare(in *input, after *world, result *chain.Result, run chain.Options, cfg *config.Config) (accesses []report.Access, whole bool) {
	if in.Before == nil || in.Inventory.Changes == 0 {
		return nil, true
	}
	in.Before.Timestamp = in.Inventory.Timestamp // the same clock
	ours := oneOrganization(in)
	before := newWorld(in.Before, cfg)
	was := chain.Run(before, run)
	sides := newCompared(before, after, ours)
	if isEmpty(in.Before) {
		sides[0].outside, sides[1].outside = true, true
	}
	var apart [2]chain.Result
	var named, trusted [2]chain.Result // the calls of partners, and of services that assume roles
	for i, s := range sides {
		apart[i] = s.fromApart(run)
		named[i] = s.fromPartners(run)
		trusted[i] = s.fromTrusted(run)
	}
	for i, plain := range [2]*chain.Result{&was, result} {
		if !sides[i].add(plain, false) || !sides[i].add(&named[i], false) || !sides[i].add(&apart[i], true) || !sides[i].add(&trusted[i], false) {
			result.Notes = append(result.Notes, fmt.Sprintf("Principals make more than %d calls on resources: what the change opens and closes is not told.", maxCompared))
			return nil, false
		}
	}
	for i, s := range sides {
		s.complete(sides[1-i], run)
	}
	told := changes(sides)
	if was.Folded+result.Folded > 0 || slices.ContainsFunc(told, bare) {
		sides[0].reasons(told, run, func(a *report.Access) **chain.Replay { return &a.Before })
		sides[1].reasons(told, run, func(a *report.Access) **chain.Replay { return &a.After })
	}
	for _, note := range apart[1].Notes {
		if !slices.Contains(result.Notes, note) {
			result.Notes = append(result.Notes, note)
		}
	}
	for i := range told {
		accesses = append(accesses, told[i].Access)
	}
	return accesses, true
}

// oneOrganization puts the world before into the organization of the one after, where
// conditions tell: either may name another. It returns the one that is most likely the
// account's, empty if none is.
func oneOrganization(in *input) symbol.Text {
	was := in.Before.Organization
	switch {
	case !in.Inventory.Organization.Value.IsZero():
		in.Before.Organization = in.Inventory.Organization
		return in.Inventory.Organization.Value
	case was.Assumed:
		both := extract.Inventory{Policies: slices.Concat(in.Before.Policies, in.Inventory.Policies)}
		both.AssumeOrganization()
		in.Before.Organization = both.Organization
	}
	return was.Value
}

// bare reports whether an access has a replay without hops, as runs for the verdicts
// alone make them.
func bare(a change) bool {
	return a.Before != nil && a.Before.Hops == nil || a.After != nil && a.After.Hops == nil
}

// isEmpty reports whether an inventory shows nothing that access could depend on.
func isEmpty(inv *extract.Inventory) bool {
	return len(inv.Policies)+len(inv.Principals)+len(inv.Resources)+len(inv.OrgPolicies)+len(inv.Endpoints) == 0
}

// compared are the calls of one of two worlds.
type compared struct {
	world *world
	names *names
	// pairs are what the calls are about; index is their place.
	pairs []pair
	index map[about]int32
	// there are the principals and targets of the world.
	there map[int32]bool
	// other is the world beside it. apart are the pairs of both worlds that are replayed
	// from every network which their policies tell apart.
	other *chain.Other
	apart map[about]bool
	// retrusted are the roles of both worlds whose trust policies differ.
	retrusted map[int32]bool
	// partners are in the world, alone has only them and what names them.
	alone *world
	// outside is set to compare the calls that outsiders are allowed alone.
	outside bool
}

// about is what calls are about, whatever the chain, in the numbers of names.
type about struct{ action, principal, target int32 }

// A call is what a replay is about.
type call struct {
	about
	chain, from int32
}

// A pair is a principal and a target with the replays of an action, in bundles that
// other pairs may share: those that a fold gave them all.
type pair struct {
	about
	principal *chain.Principal
	target    *chain.Target
	bundles   []*bundle
}

type bundle struct{ replays []*chain.Replay }

// replay returns the replay through a chain from a network, nil if there is none.
func (p *pair) replay(chain, from string) *chain.Replay {
	for _, b := range p.bundles {
		for _, r := range b.replays {
			if r.Chain.ID == chain && r.From == from {
				return r
			}
		}
	}
	return nil
}

// replays yields those of all bundles.
func (p *pair) replays(yield func(*chain.Replay) bool) {
	for _, b := range p.bundles {
		for _, r := range b.replays {
			if !yield(r) {
				return
			}
		}
	}
}

// names are what both worlds call principals and targets by, in numbers: what one
// defines, the other may only name by its ARN.
type names struct {
	byARN   map[string]string
	address map[int32]bool
	numbers map[string]int32
	of      map[any]int32 // the principals and targets that were asked for
}

func newNames(worlds ...*world) *names {
	out := &names{byARN: map[string]string{}, address: map[int32]bool{}, numbers: map[string]int32{"": 0}, of: map[any]int32{}}
	add := func(arn, address string) {
		if address != "" && address != arn {
			out.byARN[arn], out.address[out.number(address)] = address, true
		}
	}
	for _, w := range worlds {
		for _, p := range w.principals {
			add(p.Name().String(), p.Address)
		}
		for _, t := range w.targets {
			add(t.ARN.String(), t.Address)
		}
	}
	return out
}

// number returns the number of a word.
func (n *names) number(word string) int32 {
	out, ok := n.numbers[word]
	if !ok {
		out = int32(len(n.numbers)) //nolint:gosec // fewer than the bytes of the input
		n.numbers[word] = out
	}
	return out
}

// name is the address of what is called so in either world, else its name.
func (n *names) name(name string) string { return cmp.Or(n.byARN[name], name) }

func (n *names) principal(p *chain.Principal) int32 {
	if out, ok := n.of[p]; ok {
		return out
	}
	return n.remember(p, nameOf(p))
}

func (n *names) target(t *chain.Target) int32 {
	if out, ok := n.of[t]; ok {
		return out
	}
	return n.remember(t, targetName(t))
}

// remember numbers the name of a principal or target.
func (n *names) remember(of any, name string) int32 {
	out := n.number(n.name(name))
	n.of[of] = out
	return out
}

func newCompared(before, after *world, ours symbol.Text) [2]*compared {
	before, after = before.with(after.targets), after.with(before.targets)
	names, apart, partners := newNames(before, after), map[about]bool{}, partnersOf(ours, before, after)
	var out [2]*compared
	for i, w := range [2]*world{before, after} {
		s := &compared{world: partners.beside(w), alone: partners.alone(w), index: map[about]int32{}, names: names, there: map[int32]bool{}, apart: apart}
		for _, p := range w.principals {
			s.there[names.principal(p)] = true
		}
		for _, t := range w.targets {
			if t.Address != "" {
				s.there[names.target(t)] = true
			}
		}
		s.other = &chain.Other{
			World:     partners.beside([2]*world{after, before}[i]),
			Principal: func(p *chain.Principal) string { return names.name(nameOf(p)) },
			Target:    func(t *chain.Target) string { return names.name(targetName(t)) },
		}
		out[i] = s
	}
	out[0].retrusted = names.retrusted(before, after)
	out[1].retrusted = out[0].retrusted
	return out
}

// retrusted are the roles of two worlds whose trust policies differ.
func (n *names) retrusted(before, after *world) map[int32]bool {
	was, out := map[int32]string{}, map[int32]bool{}
	for _, p := range before.principals {
		was[n.principal(p)] = contentOf(p.Trust)
	}
	for _, p := range after.principals {
		role := n.principal(p)
		if content, ok := was[role]; ok && content != contentOf(p.Trust) {
			out[role] = true
		}
	}
	return out
}

// contentOf is what a policy says, empty for none.
func contentOf(doc *policy.Document) string {
	if doc == nil {
		return ""
	}
	says := []string{doc.Unread}
	for i := range doc.Statements {
		says = append(says, doc.Statements[i].Content())
	}
	slices.Sort(says)
	return strings.Join(says, "\n")
}

// fromTrusted replays which services assume the roles whose trust policies differ: a
// role that services alone assume is else nobody's target.
func (s *compared) fromTrusted(run chain.Options) chain.Result {
	if len(s.retrusted) == 0 {
		return chain.Result{}
	}
	roles := *s.world
	roles.targets = nil
	roles.principals = slices.DeleteFunc(slices.Clone(s.world.principals), func(p *chain.Principal) bool { return !s.retrusted[s.names.principal(p)] })
	run.Only = func(p *chain.Principal, t *chain.Target, _ string) bool {
		return p.Caller.Principal.Service != "" && t.Kind == chain.RoleTarget
	}
	return chain.Run(&roles, run)
}

// fromApart replays the calls of which policies that name networks have changed.
func (s *compared) fromApart(run chain.Options) chain.Result {
	run.Other = s.other
	out := chain.Run(s.world, run)
	s.each(&out, func(p pair) { s.apart[p.about] = true })
	return out
}

// fromPartners replays the calls of partners on what names them.
func (s *compared) fromPartners(run chain.Options) chain.Result {
	if len(s.alone.principals) == 0 {
		return chain.Result{}
	}
	run.Only = func(p *chain.Principal, _ *chain.Target, _ string) bool { return p.Partner() }
	return chain.Run(s.alone, run)
}

// with is the world with the targets of another that no input defines: what policies
// name there alone exists all the same, as far as is known without a policy of its own.
func (w *world) with(targets []*chain.Target) *world {
	out, known := *w, map[string]bool{}
	for _, t := range w.targets {
		known[t.ARN.String()] = true
	}
	out.targets = slices.Clip(w.targets)
	for _, t := range targets {
		if t.Address == "" && !known[t.ARN.String()] {
			bare := *t
			bare.Policies, bare.RCP, bare.RestrictPublic = nil, w.env.RCP, kleene.False
			out.targets = append(out.targets, &bare)
		}
	}
	return &out
}

// call numbers what a replay is about, for a pair.
func (n *names) call(of about, r *chain.Replay) call {
	return call{of, n.number(r.Chain.ID), n.number(r.From)}
}

// add takes the calls that replays were made of or stand for, those from networks that
// are told apart or the others. It returns false for too many of them.
func (s *compared) add(result *chain.Result, apart bool) bool {
	if len(result.Replays)+result.Folded > maxCompared && !s.outside {
		return false
	}
	s.each(result, func(p pair) {
		if s.apart[p.about] == apart {
			s.put(p)
		}
	})
	return len(s.pairs) <= maxCompared
}

// each calls a function for the pairs that replays were made of or stand for.
func (s *compared) each(result *chain.Result, do func(pair)) {
	of := func(r *chain.Replay) pair {
		return pair{
			about:     about{s.names.number(r.Action), s.names.principal(r.Principal), s.names.target(r.Target)},
			principal: r.Principal, target: r.Target, bundles: []*bundle{{}},
		}
	}
	give := func(p pair) {
		if s.outside {
			p = p.open()
		}
		if len(p.bundles[0].replays) > 0 {
			do(p)
		}
	}
	folded := make([]bool, len(result.Replays))
	for _, g := range result.Groups {
		for _, i := range g.Replays {
			folded[i] = true
		}
	}
	var now pair
	for i, r := range result.Replays {
		if folded[i] {
			continue
		}
		if next := of(r); len(now.bundles) == 0 {
			now = next
		} else if next.about != now.about {
			give(now)
			now = next
		}
		now.bundles[0].replays = append(now.bundles[0].replays, r)
	}
	if len(now.bundles) > 0 {
		give(now)
	}
	for _, g := range result.Groups {
		if len(g.Replays) == 0 {
			continue
		}
		p := of(result.Replays[g.Replays[0]])
		for _, i := range g.Replays {
			p.bundles[0].replays = append(p.bundles[0].replays, result.Replays[i])
		}
		for _, b := range g.Blocks {
			for _, p.principal = range b.Principals {
				if s.outside && p.principal.Outside() == 0 {
					continue
				}
				p.about.principal = s.names.principal(p.principal)
				for _, p.target = range b.Targets {
					p.about.target = s.names.target(p.target)
					give(p)
				}
			}
		}
	}
}

// open is the pair with the calls alone that an outsider is allowed.
func (p pair) open() pair {
	var out bundle
	if p.principal.Outside() > 0 {
		for r := range p.replays {
			if r.Verdict == engine.Allowed {
				out.replays = append(out.replays, r)
			}
		}
	}
	p.bundles = []*bundle{&out}
	return p
}

// put enters a pair, or further replays of it.
func (s *compared) put(p pair) {
	if i, ok := s.index[p.about]; ok {
		var further bundle
		for r := range p.replays {
			if s.pairs[i].replay(r.Chain.ID, r.From) == nil {
				further.replays = append(further.replays, r)
			}
		}
		if len(further.replays) > 0 {
			s.pairs[i].bundles = append(slices.Clip(s.pairs[i].bundles), &further)
		}
		return
	}
	s.index[p.about] = int32(len(s.pairs)) //nolint:gosec // see maxCompared
	s.pairs = append(s.pairs, p)
}

// at returns the pair that calls are about, without a replay if the world has none.
func (s *compared) at(of about) *pair {
	if i, ok := s.index[of]; ok {
		return &s.pairs[i]
	}
	return &pair{about: of}
}

// complete replays the calls that the other world alone has made so far: those that
// nothing relates here, or that no policy brings up. What cannot be made even so has no
// replay, as one side of it is missing or no policy lets its service in.
func (s *compared) complete(other *compared, run chain.Options) {
	missing := map[call]bool{}
	same := sameBundles(func(mine, theirs *pair) bool {
		for r := range theirs.replays {
			if mine.replay(r.Chain.ID, r.From) == nil {
				return false
			}
		}
		return true
	})
	for i := range other.pairs {
		theirs := &other.pairs[i]
		mine := s.at(theirs.about)
		if same(mine, theirs) {
			continue
		}
		for r := range theirs.replays {
			if mine.replay(r.Chain.ID, r.From) == nil {
				missing[s.names.call(theirs.about, r)] = true
			}
		}
	}
	for _, again := range s.replay(slices.Collect(maps.Keys(missing)), run) {
		s.each(&again, func(p pair) {
			var found bundle
			for r := range p.replays {
				if missing[s.names.call(p.about, r)] {
					found.replays = append(found.replays, r)
				}
			}
			if p.bundles = []*bundle{&found}; len(found.replays) > 0 {
				s.put(p)
			}
		})
	}
}

// sameBundles asks something about the bundles of two pairs, once for all pairs that
// have them.
func sameBundles(ask func(a, b *pair) bool) func(a, b *pair) bool {
	known := map[[2]*bundle]bool{}
	return func(a, b *pair) bool {
		if len(a.bundles) != 1 || len(b.bundles) != 1 {
			return ask(a, b)
		}
		key := [2]*bundle{a.bundles[0], b.bundles[0]}
		out, ok := known[key]
		if !ok {
			out = ask(a, b)
			known[key] = out
		}
		return out
	}
}

// replay replays calls, related or not: those from networks that are told apart in a
// run of their own.
func (s *compared) replay(calls []call, run chain.Options) []chain.Result {
	asked, principals := [2]map[about]bool{{}, {}}, map[int32]bool{}
	for _, c := range calls {
		i := 0
		if s.apart[c.about] {
			i = 1
		}
		asked[i][c.about], principals[c.principal] = true, true
	}
	run.Unasked = true
	var out []chain.Result
	for i, other := range []*chain.Other{nil, s.other} {
		if len(asked[i]) == 0 {
			continue
		}
		run.Other = other
		run.Only = func(p *chain.Principal, t *chain.Target, action string) bool {
			who := s.names.principal(p)
			return principals[who] && asked[i][about{s.names.number(action), who, s.names.target(t)}]
		}
		out = append(out, chain.Run(s.world, run))
	}
	return out
}

// maxReasons bounds for how many changes reasons are sought where replays stand for
// several calls.
const maxReasons = 5000

// reasons replays the calls that change one by one, where the replays at hand may be
// those of others, with the reasons of those. Above the bound they have none.
func (s *compared) reasons(changes []change, run chain.Options, side func(*report.Access) **chain.Replay) {
	own := map[call]*chain.Replay{}
	if len(changes) <= maxReasons {
		var calls []call
		for i := range changes {
			calls = append(calls, changes[i].call)
		}
		run.MaxReplays = 0
		for _, result := range s.replay(calls, run) {
			s.each(&result, func(p pair) {
				for r := range p.replays {
					own[s.names.call(p.about, r)] = r
				}
			})
		}
	}
	for i := range changes {
		at := side(&changes[i].Access)
		if *at == nil {
			continue
		}
		r := own[changes[i].call]
		if was := *at; r == nil || r.Verdict != was.Verdict {
			r = &chain.Replay{Chain: was.Chain, Action: was.Action, Verdict: was.Verdict, BrokenHop: was.BrokenHop}
		}
		*at = r
	}
}

// has reports whether the world has the target of calls. One that no input defines is
// in all of them.
func (s *compared) has(of about) bool { return s.there[of.target] || !s.names.address[of.target] }

// hasBoth reports whether the world has both sides of the calls of a user, role or
// stand-in.
func (s *compared) hasBoth(p *pair) bool {
	return s.has(p.about) && (p.principal.StandIn != "" || s.there[p.about.principal])
}
