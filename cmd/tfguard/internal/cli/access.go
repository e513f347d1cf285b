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
	out := changes(sides)
	if was.Folded+result.Folded > 0 || slices.ContainsFunc(out, bare) {
		sides[0].reasons(out, run, func(a *report.Access) **chain.Replay { return &a.Before })
		sides[1].reasons(out, run, func(a *report.Access) **chain.Replay { return &a.After })
	}
	for _, note := range apart[1].Notes {
		if !slices.Contains(result.Notes, note) {
			result.Notes = append(result.Notes, note)
		}
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
func bare(a report.Access) bool {
	return a.Before != nil && a.Before.Hops == nil || a.After != nil && a.After.Hops == nil
}

// isEmpty reports whether an inventory shows nothing that access could depend on.
func isEmpty(inv *extract.Inventory) bool {
	return len(inv.Policies)+len(inv.Principals)+len(inv.Resources)+len(inv.OrgPolicies)+len(inv.Endpoints) == 0
}

// compared are the calls of one of two worlds.
type compared struct {
	world *world
	// calls have their replay in After; one that the other world alone makes has none.
	calls map[cell]*report.Access
	order []cell
	names names
	// there are the names of the principals and targets of the world.
	there map[string]bool
	// other is the world beside it. apart are the pairs of both worlds that are replayed
	// from every network which their policies tell apart.
	other *chain.Other
	apart map[pair]bool
	// partners are in the world, alone has only them and what names them.
	alone *world
	// outside is set to compare the calls that outsiders are allowed alone.
	outside bool
}

// names are what both worlds call principals and targets by: what one defines, the
// other may only name by its ARN.
type names struct {
	byARN   map[string]string
	address map[string]bool
}

func newNames(worlds ...*world) names {
	out := names{byARN: map[string]string{}, address: map[string]bool{}}
	add := func(arn, address string) {
		if address != "" && address != arn {
			out.byARN[arn], out.address[address] = address, true
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

func newCompared(before, after *world, ours symbol.Text) [2]*compared {
	before, after = before.with(after.targets), after.with(before.targets)
	names, apart, partners := newNames(before, after), map[pair]bool{}, partnersOf(ours, before, after)
	var out [2]*compared
	for i, w := range [2]*world{before, after} {
		s := &compared{world: partners.beside(w), alone: partners.alone(w), calls: map[cell]*report.Access{}, names: names, there: map[string]bool{}, apart: apart}
		for _, p := range w.principals {
			s.there[s.name(nameOf(p))] = true
		}
		for _, t := range w.targets {
			if t.Address != "" {
				s.there[s.name(t.Address)] = true
			}
		}
		s.other = &chain.Other{
			World:     partners.beside([2]*world{after, before}[i]),
			Principal: func(p *chain.Principal) string { return s.name(nameOf(p)) },
			Target:    func(t *chain.Target) string { return s.name(targetName(t)) },
		}
		out[i] = s
	}
	return out
}

// fromApart replays the calls of which policies that name networks have changed.
func (s *compared) fromApart(run chain.Options) chain.Result {
	run.Other = s.other
	out := chain.Run(s.world, run)
	s.each(&out, func(c cell, _ *chain.Replay, _ *chain.Principal, _ *chain.Target) { s.apart[c.pair] = true })
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

// name is the address of what is called so in either world, else its name.
func (s *compared) name(name string) string { return cmp.Or(s.names.byARN[name], name) }

// cell is what a replay of a pair is about.
func (s *compared) cell(r *chain.Replay, p *chain.Principal, t *chain.Target) cell {
	return cell{r.Chain.ID, pair{r.Action, s.name(nameOf(p)), s.name(targetName(t))}, r.From}
}

// add takes the calls that replays were made of or stand for, those from networks that
// are told apart or the others. It returns false for too many of them.
func (s *compared) add(result *chain.Result, apart bool) bool {
	if result.Folded > maxCompared && !s.outside {
		return false
	}
	s.each(result, func(c cell, r *chain.Replay, p *chain.Principal, t *chain.Target) {
		if s.apart[c.pair] == apart {
			s.put(c, r, p, t)
		}
	})
	return len(s.calls) <= maxCompared
}

// each calls a function for the calls that replays were made of, then for those that
// they stand for.
func (s *compared) each(result *chain.Result, do func(cell, *chain.Replay, *chain.Principal, *chain.Target)) {
	counts := func(r *chain.Replay, p *chain.Principal) bool {
		return !s.outside || r.Verdict == engine.Allowed && p.Outside() > 0
	}
	for _, r := range result.Replays {
		if counts(r, r.Principal) {
			do(s.cell(r, r.Principal, r.Target), r, r.Principal, r.Target)
		}
	}
	for _, g := range result.Groups {
		for _, i := range g.Replays {
			r := result.Replays[i]
			for _, b := range g.Blocks {
				for _, p := range b.Principals {
					if !counts(r, p) {
						continue
					}
					for _, t := range b.Targets {
						do(s.cell(r, p, t), r, p, t)
					}
				}
			}
		}
	}
}

// put enters the replay of a call; the one that was made for it goes before one that
// stands for it.
func (s *compared) put(c cell, r *chain.Replay, p *chain.Principal, t *chain.Target) {
	switch known := s.calls[c]; {
	case known == nil:
		s.calls[c] = &report.Access{Chain: r.Chain, Action: r.Action, Principal: p, Target: t, From: r.From, After: r}
		s.order = append(s.order, c)
	case known.After == nil:
		known.After = r
	}
}

// complete replays the calls that the other world alone has made so far: those that
// nothing relates here, or that no policy brings up. What cannot be made even so, as
// one side of it is missing or no policy lets its service in, is entered without a
// replay.
func (s *compared) complete(other *compared, run chain.Options) {
	var missing []cell
	for _, c := range other.order {
		if s.calls[c] == nil {
			missing = append(missing, c)
		}
	}
	for _, again := range s.replay(missing, run) {
		s.each(&again, func(c cell, r *chain.Replay, p *chain.Principal, t *chain.Target) {
			if other.calls[c] != nil {
				s.put(c, r, p, t)
			}
		})
	}
	for _, c := range other.order {
		if s.calls[c] == nil {
			a := *other.calls[c]
			a.After = nil
			s.calls[c] = &a
			s.order = append(s.order, c)
		}
	}
}

// replay replays calls, related or not: those from networks that are told apart in a
// run of their own.
func (s *compared) replay(calls []cell, run chain.Options) []chain.Result {
	asked, principals := [2]map[pair]bool{{}, {}}, map[string]bool{}
	for _, c := range calls {
		i := 0
		if s.apart[c.pair] {
			i = 1
		}
		asked[i][c.pair], principals[c.principal] = true, true
	}
	known := map[any]string{}
	name := func(of any, name func() string) string {
		if _, ok := known[of]; !ok {
			known[of] = s.name(name())
		}
		return known[of]
	}
	run.Unasked = true
	var out []chain.Result
	for i, other := range []*chain.Other{nil, s.other} {
		if len(asked[i]) == 0 {
			continue
		}
		run.Other = other
		run.Only = func(p *chain.Principal, t *chain.Target, action string) bool {
			who := name(p, func() string { return nameOf(p) })
			return principals[who] && asked[i][pair{action, who, name(t, func() string { return targetName(t) })}]
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
func (s *compared) reasons(changes []report.Access, run chain.Options, side func(*report.Access) **chain.Replay) {
	own := map[cell]*chain.Replay{}
	if len(changes) <= maxReasons {
		var calls []cell
		for i := range changes {
			a := &changes[i]
			calls = append(calls, s.cell(&chain.Replay{Chain: a.Chain, Action: a.Action, From: a.From}, a.Principal, a.Target))
		}
		run.MaxReplays = 0
		for _, result := range s.replay(calls, run) {
			for _, r := range result.Replays {
				own[s.cell(r, r.Principal, r.Target)] = r
			}
		}
	}
	for i := range changes {
		a := &changes[i]
		at := side(a)
		if *at == nil {
			continue
		}
		r := own[s.cell(*at, a.Principal, a.Target)]
		if r == nil || r.Verdict != (*at).Verdict {
			r = &chain.Replay{Chain: a.Chain, Action: a.Action, Verdict: (*at).Verdict, BrokenHop: (*at).BrokenHop}
		}
		*at = r
	}
}

// has reports whether the world has the target of a call. One that no input defines is
// in all of them.
func (s *compared) has(c cell) bool {
	return s.there[c.target] || !s.names.address[c.target]
}

// hasBoth reports whether the world has both sides of a call of a user, role or
// stand-in.
func (s *compared) hasBoth(c cell, a *report.Access) bool {
	return s.has(c) && (a.Principal.StandIn != "" || s.there[c.principal])
}
