package cli

import (
	"slices"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/chain"
)

// changes are the calls that differ between two worlds which were replayed alike.
func changes(sides [2]*compared) []report.Access {
	calls := sides[1].order
	all := make([]report.Access, 0, len(calls))
	for _, c := range calls {
		a := *sides[1].calls[c]
		if b := sides[0].calls[c]; b != nil {
			a.Before = b.After
		}
		lacking := slices.Index([]*chain.Replay{a.Before, a.After}, nil)
		a.Unasked = lacking >= 0 && sides[lacking].hasBoth(c, &a)
		all = append(all, a)
	}
	var out []report.Access
	told := map[cell]bool{}
	mixed, outside := mixedFamilies(calls, all), newOutsiders(calls, all)
	for i, c := range calls {
		a := &all[i]
		comes := sides[1].outside || !sides[0].has(c)
		if !a.Changes() || !sides[1].has(c) || outside.cover(c, a) || comes && !outside.gain(c, a) {
			continue
		}
		a.Everywhere = !mixed[familyOf(c, a)]
		if a.Everywhere {
			c.from = ""
		}
		if !told[c] {
			out = append(out, *a)
		}
		told[c] = true
	}
	return out
}

// A family is a call through one chain, whatever network that comes from: chains which
// differ in nothing else have the same hops.
type family struct {
	pair
	hops *chain.Hop
}

func familyOf(c cell, a *report.Access) family { return family{c.pair, &a.Chain.Hops[0]} }

// mixedFamilies are those that do not come out alike from all networks.
func mixedFamilies(calls []cell, all []report.Access) map[family]bool {
	first, out := map[family]*report.Access{}, map[family]bool{}
	for i, c := range calls {
		a := &all[i]
		f := familyOf(c, a)
		if first[f] == nil {
			first[f] = a
		}
		if !first[f].Alike(a) {
			out[f] = true
		}
	}
	return out
}

// outsiders are what changes for stand-ins outside of the account.
type outsiders struct {
	// farthest says of calls that the change opens to some, whoever else calls and from
	// where, how far outside these are: whoever is nearer may call too.
	farthest map[[2]string]int
	// anyAccount are the calls of an administrator of any account.
	anyAccount map[cell]*report.Access
}

func newOutsiders(calls []cell, all []report.Access) outsiders {
	out := outsiders{map[[2]string]int{}, map[cell]*report.Access{}}
	for i, c := range calls {
		a := &all[i]
		if a.Opens() {
			key := [2]string{c.action, c.target}
			out.farthest[key] = max(out.farthest[key], a.Principal.Outside())
		}
		if c.principal == chain.StandInOutside {
			c.principal = ""
			out.anyAccount[c] = a
		}
	}
	return out
}

// gain reports whether an access is to be told of what comes with the change.
func (o *outsiders) gain(c cell, a *report.Access) bool {
	return a.Opens() && a.Principal.Outside() >= max(1, o.farthest[[2]string{c.action, c.target}])
}

// cover reports whether a partner gains or loses what every account does.
func (o *outsiders) cover(c cell, a *report.Access) bool {
	c.principal = ""
	every := o.anyAccount[c]
	return a.Principal.Partner() && every != nil && every.Alike(a)
}
