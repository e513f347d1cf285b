package cli

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/extract"
)

// maxCompared bounds how many calls of a world are compared with those of another.
const maxCompared = 200_000

// compare replays the world before the change and returns the calls that the change
// opens or closes, in the order of the replays. It notes what is not compared.
//
// A principal that does not exist is not allowed anything. Of a resource that comes or
// goes with the change nothing is told: everybody's access to it does.
func compare(in *input, after *world, result *chain.Result, run chain.Options, cfg *config.Config) []report.Access {
	if in.Before == nil || in.Inventory.Changes == 0 || isEmpty(in.Before) {
		return nil
	}
	in.Before.Timestamp = in.Inventory.Timestamp // the same clock
	before := newWorld(in.Before, cfg)
	was := chain.Run(before, run)
	names := newNames(before, after)
	sides := [2]*compared{newCompared(before, names), newCompared(after, names)}
	if !sides[0].add(&was) || !sides[1].add(result) {
		result.Notes = append(result.Notes, fmt.Sprintf("There are more than %d calls: what the change opens and closes is not told.", maxCompared))
		return nil
	}
	for i, s := range sides {
		s.complete(sides[1-i], run)
	}
	var out []report.Access
	left := 0
	for _, c := range sides[1].order {
		a := *sides[1].calls[c]
		if b := sides[0].calls[c]; b != nil {
			a.Before = b.After
		}
		lacking := slices.Index([]*chain.Replay{a.Before, a.After}, nil)
		a.Unasked = lacking >= 0 && sides[lacking].hasBoth(c, &a)
		switch {
		case !a.Changes():
		case a.Unasked && a.Chain.Entry == chain.Internet:
			left++
		case sides[0].has(c) && sides[1].has(c):
			out = append(out, a)
		}
	}
	if left > 0 {
		result.Notes = append(result.Notes, fmt.Sprintf("%d calls from the Internet are not compared with those before the change: the ranges that policies name cover all of it, before or after.", left))
	}
	return out
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

func newCompared(w *world, names names) *compared {
	s := &compared{world: w, calls: map[cell]*report.Access{}, names: names, there: map[string]bool{}}
	for _, p := range w.principals {
		s.there[s.name(nameOf(p))] = true
	}
	for _, t := range w.targets {
		if t.Address != "" {
			s.there[s.name(t.Address)] = true
		}
	}
	return s
}

// name is the address of what is called so in either world, else its name.
func (s *compared) name(name string) string { return cmp.Or(s.names.byARN[name], name) }

// cell is what a replay of a pair is about.
func (s *compared) cell(r *chain.Replay, p *chain.Principal, t *chain.Target) cell {
	return cell{r.Chain.ID, r.Action, s.name(nameOf(p)), s.name(targetName(t))}
}

// add takes the calls that replays were made of or stand for. It returns false for too
// many of them.
func (s *compared) add(result *chain.Result) bool {
	if result.Folded > maxCompared {
		return false
	}
	for _, r := range result.Replays {
		s.put(r, r.Principal, r.Target)
	}
	for _, g := range result.Groups {
		for _, i := range g.Replays {
			for _, b := range g.Blocks {
				for _, p := range b.Principals {
					for _, t := range b.Targets {
						s.put(result.Replays[i], p, t)
					}
				}
			}
		}
	}
	return len(s.calls) <= maxCompared
}

// put enters the replay of a call; the one that was made for it goes before one that
// stands for it.
func (s *compared) put(r *chain.Replay, p *chain.Principal, t *chain.Target) {
	c := s.cell(r, p, t)
	switch known := s.calls[c]; {
	case known == nil:
		s.calls[c] = &report.Access{Chain: r.Chain, Action: r.Action, Principal: p, Target: t, After: r}
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
	type pair struct{ action, principal, target string }
	missing := map[pair]bool{}
	for _, c := range other.order {
		if s.calls[c] == nil {
			missing[pair{c.action, c.principal, c.target}] = true
		}
	}
	if len(missing) == 0 {
		return
	}
	run.Unasked = true
	run.Only = func(p *chain.Principal, t *chain.Target, action string) bool {
		return missing[pair{action, s.name(nameOf(p)), s.name(targetName(t))}]
	}
	again := chain.Run(s.world, run)
	for _, r := range again.Replays {
		if other.calls[s.cell(r, r.Principal, r.Target)] != nil {
			s.put(r, r.Principal, r.Target)
		}
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
