package cli

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// maxCompared bounds how many calls of a world are compared with those of another.
const maxCompared = 200_000

// compare replays the world before the change and returns the calls that the change
// opens or closes, in the order of the replays. It notes what is not compared.
//
// A principal that does not exist is not allowed anything. Of a resource that comes
// with the change it is told what those outside of the account may do with it, and
// nothing of the account's own access, which comes with every resource; nor is anything
// of a resource that goes. Of an empty world that is all there is to tell.
//
// Both worlds are replayed from the same networks: where policies that name some have
// changed, from each one that those of either world tell apart.
func compare(in *input, after *world, result *chain.Result, run chain.Options, cfg *config.Config) []report.Access {
	if in.Before == nil || in.Inventory.Changes == 0 {
		return nil
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
	var named [2]chain.Result // the calls of partners
	for i, s := range sides {
		apart[i] = s.fromApart(run)
		named[i] = s.fromPartners(run)
	}
	for i, plain := range [2]*chain.Result{&was, result} {
		if !sides[i].add(plain, false) || !sides[i].add(&named[i], false) || !sides[i].add(&apart[i], true) {
			result.Notes = append(result.Notes, fmt.Sprintf("There are more than %d calls: what the change opens and closes is not told.", maxCompared))
			return nil
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
	var out []report.Access
	for i := range told {
		out = append(out, told[i].Access)
	}
	return out
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
	// made are the calls, without a replay where the other world alone makes one; index
	// is their place.
	made  []made
	index map[call]int
	// there are the principals and targets of the world.
	there map[int32]bool
	// other is the world beside it. apart are the pairs of both worlds that are replayed
	// from every network which their policies tell apart.
	other *chain.Other
	apart map[about]bool
	// partners are in the world, alone has only them and what names them.
	alone *world
	// outside is set to compare the calls that outsiders are allowed alone.
	outside bool
}

// A call is what replays of both worlds are about, in the numbers of names.
type call struct {
	about
	chain, from int32
}

// about is what a call is about, whatever the chain.
type about struct{ action, principal, target int32 }

// A made call is one that was replayed in a world.
type made struct {
	call
	principal *chain.Principal
	target    *chain.Target
	chain     *chain.Chain
	action    string
	from      string
	replay    *chain.Replay
}

// access is a call of both worlds.
func (m *made) access(before, after *chain.Replay) report.Access {
	return report.Access{Chain: m.chain, Action: m.action, Principal: m.principal, Target: m.target, From: m.from, Before: before, After: after}
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
	out, ok := n.of[p]
	if !ok {
		out = n.number(n.name(nameOf(p)))
		n.of[p] = out
	}
	return out
}

func (n *names) target(t *chain.Target) int32 {
	out, ok := n.of[t]
	if !ok {
		out = n.number(n.name(targetName(t)))
		n.of[t] = out
	}
	return out
}

func newCompared(before, after *world, ours symbol.Text) [2]*compared {
	before, after = before.with(after.targets), after.with(before.targets)
	names, apart, partners := newNames(before, after), map[about]bool{}, partnersOf(ours, before, after)
	var out [2]*compared
	for i, w := range [2]*world{before, after} {
		s := &compared{world: partners.beside(w), alone: partners.alone(w), index: map[call]int{}, names: names, there: map[int32]bool{}, apart: apart}
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
	return out
}

// fromApart replays the calls of which policies that name networks have changed.
func (s *compared) fromApart(run chain.Options) chain.Result {
	run.Other = s.other
	out := chain.Run(s.world, run)
	s.each(&out, func(m made) { s.apart[m.about] = true })
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

// add takes the calls that replays were made of or stand for, those from networks that
// are told apart or the others. It returns false for too many of them.
func (s *compared) add(result *chain.Result, apart bool) bool {
	if result.Folded > maxCompared && !s.outside {
		return false
	}
	if n := len(result.Replays) + result.Folded; len(s.made) == 0 && !s.outside {
		s.made, s.index = make([]made, 0, n), make(map[call]int, n)
	}
	s.each(result, func(m made) {
		if s.apart[m.about] == apart {
			s.put(m)
		}
	})
	return len(s.made) <= maxCompared
}

// each calls a function for the calls that replays were made of, then for those that
// they stand for.
func (s *compared) each(result *chain.Result, do func(made)) {
	counts := func(r *chain.Replay, p *chain.Principal) bool {
		return !s.outside || r.Verdict == engine.Allowed && p.Outside() > 0
	}
	of := func(r *chain.Replay) made {
		return made{
			call:  call{about: about{action: s.names.number(r.Action)}, chain: s.names.number(r.Chain.ID), from: s.names.number(r.From)},
			chain: r.Chain, action: r.Action, from: r.From, replay: r,
		}
	}
	for _, r := range result.Replays {
		if counts(r, r.Principal) {
			m := of(r)
			m.principal, m.target = r.Principal, r.Target
			m.call.principal, m.call.target = s.names.principal(r.Principal), s.names.target(r.Target)
			do(m)
		}
	}
	for _, g := range result.Groups {
		for _, i := range g.Replays {
			r := result.Replays[i]
			m := of(r)
			for _, b := range g.Blocks {
				for _, m.principal = range b.Principals {
					if !counts(r, m.principal) {
						continue
					}
					m.call.principal = s.names.principal(m.principal)
					for _, m.target = range b.Targets {
						m.call.target = s.names.target(m.target)
						do(m)
					}
				}
			}
		}
	}
}

// put enters a call; the replay that was made for it goes before one that stands for it.
func (s *compared) put(m made) {
	i, ok := s.index[m.call]
	switch {
	case !ok:
		s.index[m.call] = len(s.made)
		s.made = append(s.made, m)
	case s.made[i].replay == nil:
		s.made[i].replay = m.replay
	}
}

// replayOf returns the replay of a call, nil if there is none.
func (s *compared) replayOf(c call) *chain.Replay {
	if i, ok := s.index[c]; ok {
		return s.made[i].replay
	}
	return nil
}

// complete replays the calls that the other world alone has made so far: those that
// nothing relates here, or that no policy brings up. What cannot be made even so, as
// one side of it is missing or no policy lets its service in, is entered without a
// replay.
func (s *compared) complete(other *compared, run chain.Options) {
	var missing []call
	for i := range other.made {
		if _, ok := s.index[other.made[i].call]; !ok {
			missing = append(missing, other.made[i].call)
		}
	}
	for _, again := range s.replay(missing, run) {
		s.each(&again, func(m made) {
			if _, ok := other.index[m.call]; ok {
				s.put(m)
			}
		})
	}
	for _, m := range other.made {
		m.replay = nil
		s.put(m)
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
			s.each(&result, func(m made) { own[m.call] = m.replay })
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

// has reports whether the world has the target of a call. One that no input defines is
// in all of them.
func (s *compared) has(c call) bool { return s.there[c.target] || !s.names.address[c.target] }

// hasBoth reports whether the world has both sides of a call of a user, role or
// stand-in.
func (s *compared) hasBoth(m *made) bool {
	return s.has(m.call) && (m.principal.StandIn != "" || s.there[m.call.principal])
}
