package arn

import (
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// ResourcePart returns a resource part that p matches: the sixth part with its
// variables substituted, "example" for each '*' and "x" for each '?'. It reports
// false if p has no sixth part or a variable without a value.
func (p Pattern) ResourcePart(lookup symbol.Lookup) (symbol.Text, bool) {
	if !p.full || p.fuzzy {
		return symbol.Text{}, false
	}
	sixth, present := p.split[Resource].Expand(lookup)
	if present == kleene.False {
		return symbol.Text{}, false
	}
	return sixth.Example()
}
