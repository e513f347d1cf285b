// Package arn splits Amazon Resource Names and matches them against the patterns
// of policies.
//
// An ARN has six parts, arn:partition:service:region:account:resource, and the
// sixth keeps further colons and slashes (AWS page "Identify AWS resources with
// Amazon Resource Names (ARNs)").
package arn

import (
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Positions of the parts of an ARN.
const (
	Prefix = iota
	Partition
	Service
	Region
	Account
	Resource
	parts
)

// An ARN is an Amazon Resource Name by its parts, each of which may be unknown.
type ARN [parts]symbol.Text

// Parse splits t into its six parts, and reports false if t is no ARN or if an
// unknown part hides where the colons are.
func Parse(t symbol.Text) (ARN, bool) {
	var a ARN
	split := t.SplitN(':', parts)
	if len(split) != parts || split[Prefix] != symbol.Literal("arn") || !certain(split) {
		return a, false
	}
	copy(a[:], split)
	return a, true
}

// certain reports that no part but the last can hold a colon.
func certain(split []symbol.Text) bool {
	for _, part := range split[:len(split)-1] {
		for s := range part.Symbols() {
			if s.Class == symbol.Any {
				return false
			}
		}
	}
	return true
}

// Text returns the ARN put together again.
func (a ARN) Text() symbol.Text {
	colon := symbol.Literal(":")
	out := a[0]
	for _, part := range a[1:] {
		out = symbol.Concat(out, colon, part)
	}
	return out
}

// Name returns the resource part after its type and path: "R" of "role/team/R",
// "q" of "q". AWS matches session ARNs with role ARNs by this name.
func (a ARN) Name() symbol.Text {
	rest := a[Resource]
	for {
		i := rest.Index('/')
		if i < 0 {
			return rest
		}
		rest = rest.Slice(i+1, rest.Len())
	}
}

// Type returns the resource part before its first slash: "role" of "role/team/R".
func (a ARN) Type() string {
	t, _, _ := strings.Cut(a[Resource].String(), "/")
	return t
}

// A Pattern is an ARN pattern of a policy. Parts one to five are matched one by
// one and wildcards in them do not cross a colon; the sixth is one string in
// which '*' matches slashes and colons too.
type Pattern struct {
	text  symbol.Text
	split []symbol.Pattern // six parts; fewer if the pattern is no full ARN
	whole symbol.Pattern
	any   bool // "*"
	short bool // fewer than six parts, and the last ends in '*'
	fuzzy bool // unknown parts hide where the colons are
	runOn bool // some '*' ends a part before the sixth
	full  bool // six parts
}

// Compile prepares an ARN pattern. Variables count in the sixth part alone
// (AWS page "IAM policy elements: Variables and tags").
func Compile(t symbol.Text, variables bool) (Pattern, error) {
	p := Pattern{text: t}
	split := t.SplitN(':', parts)
	var err error
	for i, part := range split {
		c, e := symbol.Compile(part, symbol.Syntax{Wildcards: true, Variables: variables && i == Resource})
		if e != nil {
			err = e
		}
		p.split = append(p.split, c)
	}
	p.any = len(split) == 1 && p.split[0].IsAny()
	p.full = len(split) == parts
	p.fuzzy = !certain(split)
	if p.fuzzy || !p.full {
		// The error, if any, was reported for the part.
		p.whole, _ = symbol.Compile(t, symbol.Syntax{Wildcards: true, Variables: variables})
	}
	last := p.split[len(p.split)-1]
	p.short = !p.any && !p.full && len(split) >= 3 && last.EndsOpen()
	for _, c := range p.split[:len(p.split)-1] {
		p.runOn = p.runOn || c.EndsOpen()
	}
	p.runOn = p.runOn || !p.full && last.EndsOpen()
	return p, err
}

// Text returns the pattern as written.
func (p Pattern) Text() symbol.Text { return p.text }

// IsAny reports whether p is the lone wildcard "*".
func (p Pattern) IsAny() bool { return p.any }

// Short reports whether p has fewer than six parts and ends in '*': the missing
// parts then count as '*', which deserves a warning.
func (p Pattern) Short() bool { return p.short }

// Full reports whether p has the six parts of an ARN.
func (p Pattern) Full() bool { return p.full }

// Variables returns the names of the context keys that p refers to.
func (p Pattern) Variables() []string {
	if p.full {
		return p.split[Resource].Variables()
	}
	return p.whole.Variables()
}

// MatchStrict matches part by part: ArnLike and ArnEquals, where a wildcard in
// the first five parts never crosses a colon (AWS page "IAM JSON policy elements:
// Condition operators"). The lone "*" is no ARN and matches nothing here; so does
// a text that is no ARN.
func (p Pattern) MatchStrict(t symbol.Text, lookup symbol.Lookup) kleene.Truth {
	if p.fuzzy {
		return p.matchWhole(t, lookup)
	}
	a, ok := Parse(t)
	if !ok {
		if t.Known() || !p.full {
			return kleene.False
		}
		return p.matchUnsplit(t, lookup)
	}
	return p.matchParts(a, lookup)
}

func (p Pattern) matchParts(a ARN, lookup symbol.Lookup) kleene.Truth {
	if len(p.split) != parts {
		return kleene.False
	}
	out := kleene.True
	for i := range p.split {
		out = min(out, p.split[i].Match(a[i], lookup))
		if out == kleene.False {
			return out
		}
	}
	return out
}

// MatchResource matches the Resource element of a statement. AWS's pages disagree
// on a '*' that ends a part before the sixth: an older edition keeps it within the
// part, the newest ("IAM JSON policy elements: Resource") lets it run on over the
// colon. Where the two readings differ the answer is Unknown and contested is true.
// A pattern of fewer than six parts that ends in '*' has '*' for the missing ones.
func (p Pattern) MatchResource(t symbol.Text, lookup symbol.Lookup) (truth kleene.Truth, contested bool) {
	if p.any {
		return kleene.True, false
	}
	if p.fuzzy {
		return p.matchWhole(t, lookup), false
	}
	a, ok := Parse(t)
	if !ok {
		if t.Known() {
			return kleene.False, false
		}
		return p.matchUnsplit(t, lookup), false
	}
	if p.short {
		out := kleene.True
		for i := range p.split {
			out = min(out, p.split[i].Match(a[i], lookup))
		}
		if out != kleene.False {
			return out, false
		}
	}
	out := p.matchParts(a, lookup)
	if out == kleene.False && p.runOn && t.Known() && p.mayRunOn(t, lookup) {
		return kleene.Unknown, true
	}
	return out, false
}

// matchWhole matches a pattern whose colons are hidden by an unknown part.
func (p Pattern) matchWhole(t symbol.Text, lookup symbol.Lookup) kleene.Truth {
	return p.whole.Match(t, lookup)
}

// matchUnsplit matches a text whose colons are hidden by an unknown part.
func (p Pattern) matchUnsplit(t symbol.Text, lookup symbol.Lookup) kleene.Truth {
	whole, _ := symbol.Compile(p.text, symbol.Syntax{Wildcards: true, Variables: len(p.Variables()) > 0})
	return kleene.And(kleene.Unknown, whole.Match(t, lookup))
}

// mayRunOn matches with a '*' that stands before a colon, or at the end, running
// on over colons, while '?' and a '*' inside one of the first five parts do not.
func (p Pattern) mayRunOn(t symbol.Text, lookup symbol.Lookup) bool {
	text, _ := t.Literal()
	type step struct {
		r     rune
		one   bool
		star  bool
		cross bool
	}
	var steps []step
	for i, part := range p.split {
		if i > 0 {
			steps = append(steps, step{r: ':'})
		}
		part, ok := part.Expand(lookup)
		if ok == kleene.False {
			return false
		}
		sixth := i == Resource
		items := part.Runes()
		for j, r := range items {
			switch {
			case r.Many:
				steps = append(steps, step{star: true, cross: sixth || j == len(items)-1})
			case r.One:
				steps = append(steps, step{one: true, cross: sixth})
			default:
				steps = append(steps, step{r: r.Rune})
			}
		}
	}
	// reach[i] says that steps[:i] can produce the text read so far.
	reach := make([]bool, len(steps)+1)
	reach[0] = true
	skip := func() {
		for i, s := range steps {
			if s.star && reach[i] {
				reach[i+1] = true
			}
		}
	}
	skip()
	for _, c := range text {
		next := make([]bool, len(reach))
		for i, s := range steps {
			allowed := c != ':' || s.cross
			switch {
			case s.star:
				if allowed && (reach[i] || reach[i+1]) {
					next[i+1] = true
				}
			case s.one:
				next[i+1] = reach[i] && allowed
			default:
				next[i+1] = reach[i] && s.r == c
			}
		}
		reach = next
		skip()
	}
	return reach[len(steps)]
}
