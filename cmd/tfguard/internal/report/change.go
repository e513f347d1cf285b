package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/policy"
)

// An Access is one call in the world before a change and in that after it.
type Access struct {
	Chain     *chain.Chain
	Action    string
	Principal *chain.Principal
	Target    *chain.Target
	// From names the network that the call comes from. Everywhere is set where it comes
	// out alike from all others.
	From       string
	Everywhere bool
	// Before and After are the replays, nil in a world that lacks one side of the call:
	// what does not exist is not allowed.
	Before, After *chain.Replay
	// Unasked is set where a world lacks the replay although it has both sides: there
	// no service can take the role.
	Unasked bool
}

// Alike reports whether two accesses are opened or closed alike.
func (a *Access) Alike(b *Access) bool {
	return rank(verdict(a.Before)) == rank(verdict(b.Before)) && rank(verdict(a.After)) == rank(verdict(b.After))
}

// Changes reports whether the change opens or closes the call.
func (a *Access) Changes() bool { return rank(verdict(a.Before)) != rank(verdict(a.After)) }

// Opens reports whether the change allows the call, which was denied or could not be
// made.
func (a *Access) Opens() bool {
	return rank(verdict(a.Before)) == 0 && verdict(a.After) == engine.Allowed
}

func verdict(r *chain.Replay) engine.Verdict {
	if r == nil {
		return engine.ImplicitDeny
	}
	return r.Verdict
}

// change renders the access.
func (a *Access) change(input int) Change {
	of := chain.Replay{Principal: a.Principal, Target: a.Target, Action: a.Action}
	from := a.From
	if a.Everywhere {
		from = ""
	}
	return Change{
		Chain: a.Chain.ID, Action: a.Action,
		Principal: a.Principal.Name().String(), PrincipalAddress: a.Principal.Address,
		Resource: of.Resource().String(), ResourceAddress: a.Target.Address, From: from,
		Before: verdict(a.Before), After: verdict(a.After), Because: a.because(), Input: input,
	}
}

// because are the statements that brought the change, of the hop that one world stops
// at: those that deny it there, and those that let it pass in the other world. An
// explicit deny is reason enough for a loss.
func (a *Access) because() []Because {
	shut, open := a.Before, a.After
	if rank(verdict(shut)) > rank(verdict(open)) {
		shut, open = open, shut
	}
	out := []Because{}
	add := func(r *chain.Replay, h *chain.HopResult, effect policy.Effect) {
		if h == nil {
			return
		}
		for i := range h.Because {
			if s := &h.Because[i]; s.Effect == effect && s.Outcome != engine.NotApplies {
				b := because(s)
				b.Before = r == a.Before
				out = append(out, b)
			}
		}
	}
	stopped := stop(shut)
	add(shut, stopped, policy.Deny)
	if len(out) == 0 || shut == a.Before {
		add(open, a.passes(open, stopped), policy.Allow)
	}
	return out
}

// stop is the hop that a replay stops at, nil if there is none.
func stop(r *chain.Replay) *chain.HopResult {
	if r == nil {
		return nil
	}
	for i := range r.Hops {
		if h := &r.Hops[i]; !h.Optional && h.Verdict == r.Verdict && h.Hop == r.BrokenHop {
			return h
		}
	}
	return nil
}

// passes is the hop of a replay that another stops at, or else the last that is not
// optional. Where no service can take the role, it is the hop that takes it.
func (a *Access) passes(r *chain.Replay, stopped *chain.HopResult) *chain.HopResult {
	var last *chain.HopResult
	for i := range r.Hops {
		h := &r.Hops[i]
		switch {
		case stopped != nil && h.Hop == stopped.Hop && h.Request.Action == stopped.Request.Action,
			a.Unasked && h.Request.Action == "sts:AssumeRole":
			return h
		case !h.Optional:
			last = h
		}
	}
	return last
}

// rank orders verdicts by how much they let pass. What is perhaps allowed counts as
// more than what is denied, as whoever reads it should look.
func rank(v engine.Verdict) int {
	switch v {
	case engine.Allowed:
		return 2
	case engine.Unknown:
		return 1
	default:
		return 0
	}
}

// An access is one call that changes alike in several ways.
type access struct {
	*Change
	ways []way
}

// A way is the chains of a change from one network, which may have no name.
type way struct {
	from   string
	chains []string
}

// accesses gathers the changes that differ in their chain and network alone, in their
// order.
func (r *Report) accesses() []access {
	var out []access
	at := map[string]int{}
	for i := range r.Changes {
		c := &r.Changes[i]
		key := fmt.Sprintf("%d %q %q %q %q %q %v %v %v", c.Input, c.Action, c.Principal, c.PrincipalAddress,
			c.Resource, c.ResourceAddress, c.Before, c.After, statements(c.Because))
		n, ok := at[key]
		if !ok {
			n = len(out)
			at[key] = n
			out = append(out, access{Change: c})
		}
		ways := out[n].ways
		i := slices.IndexFunc(ways, func(w way) bool { return w.from == c.From })
		if i < 0 {
			i, ways = len(ways), append(ways, way{from: c.From})
		}
		ways[i].chains = include(ways[i].chains, c.Chain)
		out[n].ways = ways
	}
	// What opens comes before what closes, and what else changes last.
	slices.SortStableFunc(out, func(a, b access) int { return a.rank() - b.rank() })
	return out
}

// statements names the statements that brought a change.
func statements(because []Because) []string {
	var out []string
	for i := range because {
		out = include(out, because[i].name())
	}
	return out
}

// name names a statement with its policy and place.
func (b *Because) name() string {
	name := b.Policy
	if b.Statement > 0 {
		name = fmt.Sprintf("statement %d of %s", b.Statement, b.Policy)
	}
	switch b.Sid {
	case "":
	case "(sensitive)":
		name += " " + b.Sid
	default:
		name += " (" + b.Sid + ")"
	}
	switch {
	case b.Source.File != "":
		name += fmt.Sprintf(" at %s:%d:%d", b.Source.File, b.Source.Line, b.Source.Column)
	case b.Source.Line > 0:
		name += fmt.Sprintf(" at %d:%d", b.Source.Line, b.Source.Column)
	}
	if b.Before {
		name += " as it was before"
	}
	return name
}

// The words for what becomes of a call.
const (
	gains   = "gains"
	loses   = "loses"
	changes = "changes"
)

// verb says what the principal does with the call.
func (c *Change) verb() string {
	switch before, after := rank(c.Before), rank(c.After); {
	case after > before:
		return gains
	case after < before:
		return loses
	}
	return changes
}

func (a access) rank() int { return slices.Index([]string{gains, loses, changes}, a.verb()) }

// String says the change in a sentence.
func (a access) String() string {
	return fmt.Sprintf("%s %s %s on %s", cmp.Or(a.PrincipalAddress, a.Principal), a.verb(), a.Action, cmp.Or(a.ResourceAddress, a.Resource))
}

// how says from which verdict to which, and in which ways.
func (a access) how() string {
	return fmt.Sprintf("%s → %s through %s", words[a.Before.String()], words[a.After.String()], a.through(strings.Clone, strings.Clone))
}

// through names the chains and the networks that they come from, each in a format.
func (a access) through(chains, network func(string) string) string {
	out := make([]string, len(a.ways))
	for i, w := range a.ways {
		out[i] = chains(strings.Join(w.chains, ", "))
		if w.from != "" {
			out[i] += " from " + network(w.from)
		}
	}
	return strings.Join(out, "; ")
}
