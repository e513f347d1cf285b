package terraform

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// An index finds instances of some types by the texts that other resources name
// them with.
type index struct {
	all    []*instance
	byText map[symbol.Text][]*instance
	texts  map[*instance][]symbol.Text
	// open are the instances that a known text may name though it is none of theirs.
	open []*instance
	// found remembers the answers.
	found map[symbol.Text][]match
}

// index returns the index over the attributes of some types, making it once.
func (b *builder) index(types []string, attrs ...string) *index {
	key := strings.Join(types, ",") + " " + strings.Join(attrs, ",")
	if ix := b.indexes[key]; ix != nil {
		return ix
	}
	ix := &index{byText: map[symbol.Text][]*instance{}, texts: map[*instance][]symbol.Text{}, found: map[symbol.Text][]match{}}
	for _, typ := range types {
		for _, in := range b.byType[typ] {
			ix.all = append(ix.all, in)
			open := false
			for _, attr := range attrs {
				t := b.attr(in, attr)
				if slices.Contains(ix.texts[in], t) {
					continue
				}
				ix.texts[in] = append(ix.texts[in], t)
				ix.byText[t] = append(ix.byText[t], in)
				open = open || !t.Known()
			}
			if open && !b.generated(in) {
				ix.open = append(ix.open, in)
			}
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
type match struct {
	in   *instance
	sure kleene.Truth
	why  string
}

// named returns the instances that a text names.
func (ix *index) named(t symbol.Text) []match {
	if out, ok := ix.found[t]; ok {
		return out
	}
	out := ix.find(t)
	ix.found[t] = out
	return out
}

func (ix *index) find(t symbol.Text) []match {
	var out []match
	for _, in := range ix.byText[t] {
		out = append(out, match{in: in, sure: kleene.True})
	}
	if len(out) > 0 {
		return out
	}
	among := ix.open
	if !t.Known() {
		among = ix.all
	}
	for _, in := range among {
		sure := kleene.False
		for _, text := range ix.texts[in] {
			sure = max(sure, same(text, t))
		}
		if sure != kleene.False {
			out = append(out, match{in: in, sure: sure, why: t.String() + " may be " + in.address})
		}
	}
	return out
}

// targets resolves an attribute that names one resource: the matches in the input,
// and the text itself for a resource the input does not define. Where a reference
// leads nowhere it says so once, and every resource of the types may be meant.
func (b *builder) targets(in *instance, attr string, w want, attrs ...string) (matches []match, t symbol.Text) {
	ix := b.index(w.types, attrs...)
	out, exact := b.wire(in, attr, w)
	switch {
	case exact:
		c := out.candidates[0]
		if c.from != nil && ix.texts[c.from] != nil {
			return []match{{in: c.from, sure: kleene.True}}, c.text
		}
		return b.reached(in, ix.named(c.text)), c.text
	case len(out.candidates) == 0 && len(out.missing) == 0:
		return nil, symbol.Text{} // not set
	case len(out.missing) == 0:
		for _, c := range out.candidates {
			for _, m := range b.reached(in, ix.named(c.text)) {
				matches = append(matches, match{in: m.in, sure: kleene.Unknown, why: in.address + "." + attr + " is one of several"})
			}
		}
		return matches, unresolvedText(in, attr)
	}
	b.unresolved(in, attr, out.missing)
	for _, m := range ix.all {
		matches = append(matches, match{in: m, sure: kleene.Unknown, why: in.address + "." + attr + " is known only after apply"})
	}
	return matches, unresolvedText(in, attr)
}

// reached keeps of the matches of an instance those in its account: accounts may
// have roles and users of one name, and one account has only one.
func (b *builder) reached(in *instance, matches []match) []match {
	var certain, perhaps []match
	for _, m := range matches {
		switch symbol.Equal(b.accountOf(in), b.accountOf(m.in)) {
		case kleene.True:
			certain = append(certain, m)
		case kleene.Unknown:
			m.sure, m.why = min(m.sure, kleene.Unknown), "whether "+in.address+" and "+m.in.address+" are in one account"
			perhaps = append(perhaps, m)
		default: // another account's
		}
	}
	if slices.ContainsFunc(certain, func(m match) bool { return m.sure == kleene.True }) {
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
