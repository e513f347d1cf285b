package terraform

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// index returns the index over the attributes of some types, making it once.
func (b *builder) index(types []string, attrs ...string) *extract.Index[*instance] {
	key := strings.Join(types, ",") + " " + strings.Join(attrs, ",")
	if ix := b.indexes[key]; ix != nil {
		return ix
	}
	ix := extract.NewIndex(func(in *instance) string { return in.address })
	for _, typ := range types {
		for _, in := range b.byType[typ] {
			texts := make([]symbol.Text, len(attrs))
			for i, attr := range attrs {
				texts[i] = b.attr(in, attr)
			}
			ix.Add(in, b.generated(in), texts...)
		}
	}
	b.indexes[key] = ix
	return ix
}

// generated reports whether the name or id of a new resource is made up during
// apply: nothing that is written down before can be it.
func (r *resolver) generated(in *instance) bool {
	rule := arnRules[in.typ]
	if in.before != nil || in.config == nil || rule == nil {
		return false
	}
	_, named := in.config.expressions[rule.name]
	return !named
}

// A match is an instance that an attribute names, certainly or perhaps.
type match = extract.Named[*instance]

func isCertain(m match) bool { return m.Sure == kleene.True }

// targets resolves an attribute that names one resource: the matches in the input,
// and the text itself for a resource the input does not define. Where a reference
// leads nowhere it says so once, and every resource of the types may be meant.
func (b *builder) targets(in *instance, attr string, w want, attrs ...string) (matches []match, t symbol.Text) {
	ix := b.index(w.types, attrs...)
	out, exact := b.wire(in, attr, w)
	switch {
	case exact:
		c := out.candidates[0]
		if c.from != nil && ix.Has(c.from) {
			return []match{{Of: c.from, Sure: kleene.True}}, c.text
		}
		return b.reached(in, ix.Find(c.text)), c.text
	case len(out.candidates) == 0 && len(out.missing) == 0:
		return nil, symbol.Text{} // not set
	case len(out.missing) == 0:
		for _, c := range out.candidates {
			for _, m := range b.reached(in, ix.Find(c.text)) {
				matches = append(matches, match{Of: m.Of, Sure: kleene.Unknown, Why: in.address + "." + attr + " is one of several"})
			}
		}
		return matches, unresolvedText(in, attr)
	}
	b.unresolved(in, attr, out.missing)
	for _, m := range ix.All {
		matches = append(matches, match{Of: m, Sure: kleene.Unknown, Why: in.address + "." + attr + " is known only after apply"})
	}
	return matches, unresolvedText(in, attr)
}

// reached keeps of the matches of an instance those in its account: accounts may
// have roles and users of one name, and one account has only one.
func (b *builder) reached(in *instance, matches []match) []match {
	var certain, perhaps []match
	for _, m := range matches {
		switch symbol.Equal(b.accountOf(in), b.accountOf(m.Of)) {
		case kleene.True:
			certain = append(certain, m)
		case kleene.Unknown:
			m.Sure, m.Why = min(m.Sure, kleene.Unknown), "whether "+in.address+" and "+m.Of.address+" are in one account"
			perhaps = append(perhaps, m)
		default: // another account's
		}
	}
	if slices.ContainsFunc(certain, isCertain) {
		return certain
	}
	return append(certain, perhaps...)
}

// unresolvedText is the symbol of an attribute that could not be resolved.
func unresolvedText(in *instance, attr string) symbol.Text {
	return symbol.Symbol{Name: in.address + "." + attr}.Text()
}

func (b *builder) unresolved(in *instance, attr string, missing []string) {
	b.warn(in, attr, "Attachment not resolved",
		"%s is known only after apply, and the plan does not tell what it hangs on: %s. Everything it may concern is taken as perhaps concerned.",
		attr, strings.Join(missing, ", "))
}
