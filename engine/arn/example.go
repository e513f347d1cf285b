package arn

import (
	"strings"

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
	if !sixth.Known() {
		return sixth.Only() // unknown parts stay, wildcards beside them are given up
	}
	var b strings.Builder
	for _, r := range sixth.Runes() {
		switch {
		case r.Many:
			b.WriteString("example")
		case r.One:
			b.WriteByte('x')
		default:
			b.WriteRune(r.Rune)
		}
	}
	return symbol.Literal(b.String()), true
}
