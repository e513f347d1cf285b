package cli

import (
	"cmp"
	"slices"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/chain"
)

// A change is an access that differs between two worlds.
type change struct {
	call
	report.Access
}

// changes are the calls that differ between two worlds which were replayed alike.
func changes(sides [2]*compared) []change {
	all := changing(sides)
	var out []change
	told := map[call]bool{}
	mixed, outside := mixedFamilies(all), newOutsiders(all)
	for i := range all {
		a := &all[i]
		if !a.Changes() {
			continue
		}
		comes := sides[1].outside || !sides[0].has(a.about)
		if !sides[1].has(a.about) || outside.cover(a) || comes && !outside.gain(a) {
			continue
		}
		c := a.call
		if a.Everywhere = !mixed[familyOf(a)]; a.Everywhere {
			c.from = 0
		}
		if !told[c] {
			out = append(out, *a)
		}
		told[c] = true
	}
	return out
}

// changing are all calls of the pairs of which some call changes.
func changing(sides [2]*compared) []change {
	var out []change
	unchanged := sameBundles(func(before, after *pair) bool {
		for r := range after.replays {
			if a := (report.Access{Before: before.replay(r.Chain.ID, r.From), After: r}); a.Changes() {
				return false
			}
		}
		for r := range before.replays {
			if a := (report.Access{Before: r, After: after.replay(r.Chain.ID, r.From)}); a.Changes() {
				return false
			}
		}
		return true
	})
	add := func(before, after *pair) {
		if unchanged(before, after) {
			return
		}
		for r := range after.replays {
			out = append(out, newChange(sides, after, before.replay(r.Chain.ID, r.From), r))
		}
		for r := range before.replays {
			if after.replay(r.Chain.ID, r.From) == nil {
				out = append(out, newChange(sides, before, r, nil))
			}
		}
	}
	for i := range sides[1].pairs {
		after := &sides[1].pairs[i]
		add(sides[0].at(after.about), after)
	}
	for i := range sides[0].pairs {
		before := &sides[0].pairs[i]
		if _, ok := sides[1].index[before.about]; !ok {
			add(before, sides[1].at(before.about))
		}
	}
	return out
}

// newChange is a call of a pair with its replays before and after, of which one may be
// missing.
func newChange(sides [2]*compared, p *pair, before, after *chain.Replay) change {
	r := cmp.Or(after, before)
	a := report.Access{Chain: r.Chain, Action: r.Action, Principal: p.principal, Target: p.target, From: r.From, Before: before, After: after}
	lacking := slices.Index([]*chain.Replay{before, after}, nil)
	a.Unasked = lacking >= 0 && sides[lacking].hasBoth(p)
	return change{sides[1].names.call(p.about, r), a}
}

// A family is a call through one chain, whatever network that comes from: chains which
// differ in nothing else have the same hops.
type family struct {
	about
	hops *chain.Hop
}

func familyOf(a *change) family { return family{a.about, &a.Chain.Hops[0]} }

// mixedFamilies are those in which a call changes, and not all from whatever network do
// so alike.
func mixedFamilies(all []change) map[family]bool {
	changing, out := map[family]*change{}, map[family]bool{}
	for i := range all {
		if a := &all[i]; a.Changes() {
			changing[familyOf(a)] = a
		}
	}
	for i := range all {
		f := familyOf(&all[i])
		if one := changing[f]; one != nil && !one.Alike(&all[i].Access) {
			out[f] = true
		}
	}
	return out
}

// outsiders are what changes for stand-ins outside of the account.
type outsiders struct {
	// farthest says of calls that the change opens to some, whoever else calls and from
	// where, how far outside these are: whoever is nearer may call too.
	farthest map[about]int
	// anyAccount are the calls of an administrator of any account.
	anyAccount map[call]*change
}

func newOutsiders(all []change) outsiders {
	out := outsiders{map[about]int{}, map[call]*change{}}
	for i := range all {
		a := &all[i]
		if a.Opens() {
			c := a.byAnybody()
			out.farthest[c.about] = max(out.farthest[c.about], a.Principal.Outside())
		}
		if a.Principal.StandIn == chain.StandInOutside {
			out.anyAccount[a.byAnybody()] = a
		}
	}
	return out
}

// byAnybody is the call whoever makes it.
func (a *change) byAnybody() call {
	c := a.call
	c.principal = 0
	return c
}

// gain reports whether an access is to be told of what comes with the change.
func (o *outsiders) gain(a *change) bool {
	return a.Opens() && a.Principal.Outside() >= max(1, o.farthest[a.byAnybody().about])
}

// cover reports whether a partner gains or loses what every account does.
func (o *outsiders) cover(a *change) bool {
	every := o.anyAccount[a.byAnybody()]
	return a.Principal.Partner() && every != nil && every.Alike(&a.Access)
}
