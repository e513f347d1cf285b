package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
)

// An access is one call that changes alike on several chains.
type access struct {
	*Change
	chains []string
}

// accesses gathers the changes that differ in their chain alone, in their order.
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
		out[n].chains = include(out[n].chains, c.Chain)
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
	if b.Sid != "" {
		name += " (" + strings.Trim(b.Sid, "()") + ")" // that of a sensitive policy has parentheses
	}
	switch {
	case b.Source.File != "":
		name += fmt.Sprintf(" at %s:%d:%d", b.Source.File, b.Source.Line, b.Source.Column)
	case b.Source.Line > 0:
		name += fmt.Sprintf(" at %d:%d", b.Source.Line, b.Source.Column)
	}
	return name
}

// The words for what becomes of a call.
const (
	gains   = "gains"
	loses   = "loses"
	changes = "changes"
)

// verb says what the principal does with the call. To be perhaps allowed counts as a
// gain, as whoever reads it should look.
func (c *Change) verb() string {
	rank := map[engine.Verdict]int{engine.Unknown: 1, engine.Allowed: 2}
	switch before, after := rank[c.Before], rank[c.After]; {
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
	return fmt.Sprintf("%s %s %s on %s", or(a.PrincipalAddress, a.Principal), a.verb(), a.Action, or(a.ResourceAddress, a.Resource))
}

// how says from which verdict to which, and on which chains.
func (a access) how() string {
	return fmt.Sprintf("%s → %s through %s", words[a.Before.String()], words[a.After.String()], strings.Join(a.chains, ", "))
}
