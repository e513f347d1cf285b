package cli

import (
	"cmp"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/extract"
)

// A cell is what one replay is about, whichever world it is made in.
type cell struct {
	chain, action, principal, target, from string
}

func cellOf(r *chain.Replay) cell {
	return cell{r.Chain.ID, r.Action, nameOf(r.Principal), targetName(r.Target), r.From}
}

// nameOf names a principal alike in every world that has it.
func nameOf(p *chain.Principal) string {
	return cmp.Or(p.Address, p.StandIn, p.Name().String())
}

// targetName names a target alike in every world that has it.
func targetName(t *chain.Target) string { return cmp.Or(t.Address, t.ARN.String()) }

// settle decides what is unknown only because the input leaves something undecided:
// where a replay comes out the same in every world, that is its verdict.
func settle(in *input, result *chain.Result, run chain.Options, cfg *config.Config) {
	if in.Worlds == nil || result.Folded > 0 || !anyUnknown(result) {
		return
	}
	worlds := in.Worlds()
	if len(worlds) == 0 {
		return
	}
	agreed := map[cell]*chain.Replay{}
	seen := map[cell]int{}
	for _, inv := range worlds {
		one := &input{Result: &extract.Result{Inventory: inv}}
		apply(cfg, one)
		one.Inventory.AssumeOrganization()
		for _, r := range chain.Run(newWorld(one.Inventory, cfg), run).Replays {
			c := cellOf(r)
			if first := agreed[c]; first == nil {
				agreed[c] = r
			} else if first.Verdict != r.Verdict || first.BrokenHop != r.BrokenHop {
				continue
			}
			seen[c]++
		}
	}
	for _, r := range result.Replays {
		c := cellOf(r)
		same := agreed[c]
		if r.Verdict != engine.Unknown || seen[c] != len(worlds) || same.Verdict == engine.Unknown {
			continue
		}
		r.Verdict, r.BrokenHop, r.Hops = same.Verdict, same.BrokenHop, same.Hops
		if len(r.Hops) > 0 {
			r.Hops[0].Notes = append(r.Hops[0].Notes, "the verdict is the same however the conditions of the template come out; the reasons are those of one of the ways")
		}
	}
}

func anyUnknown(result *chain.Result) bool {
	for _, r := range result.Replays {
		if r.Verdict == engine.Unknown {
			return true
		}
	}
	return false
}
