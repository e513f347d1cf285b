// Package arn splits Amazon Resource Names and matches them against the patterns
// of policies.
//
// An ARN has six parts, arn:partition:service:region:account:resource, and the
// sixth keeps further colons and slashes (AWS page "Identify AWS resources with
// Amazon Resource Names (ARNs)").
package arn

import (
	"iter"
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
	s, known := t.Literal()
	if known && !strings.HasPrefix(s, "arn:") {
		return ARN{}, false
	}
	rest := t
	for i := range Resource {
		var colon int
		if known {
			colon = strings.IndexByte(s, ':')
		} else {
			colon = rest.Index(':')
		}
		if colon < 0 {
			return ARN{}, false
		}
		a[i], rest = rest.Slice(0, colon), rest.Slice(colon+1, rest.Len())
		if known {
			s = s[colon+1:]
		}
	}
	a[Resource] = rest
	if !known && (a[Prefix] != symbol.Literal("arn") || !certain(a[:])) {
		return ARN{}, false
	}
	return a, true
}

// certain reports that none of the first five parts can hold a colon.
func certain[P interface {
	Known() bool
	Symbols() iter.Seq[symbol.Symbol]
}](split []P) bool {
	for _, part := range split[:min(len(split), Resource)] {
		if part.Known() {
			continue
		}
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
	rest := a[Resource]
	if i := rest.Index('/'); i >= 0 {
		rest = rest.Slice(0, i)
	}
	return rest.String()
}

// A Pattern is an ARN pattern of a policy. Parts one to five are matched one by
// one and wildcards in them do not cross a colon; the sixth is one string in
// which '*' matches slashes and colons too.
type Pattern struct {
	text  symbol.Text
	split []symbol.Pattern // six parts; fewer if the pattern is no full ARN
	whole symbol.Pattern   // the parts put together again
	any   bool             // "*"
	full  bool             // six parts
	short bool             // an ARN of fewer parts, and the last ends in '*'
	fuzzy bool             // unknown parts hide where the colons are
	runOn bool             // some '*' ends a part before the sixth
	late  bool             // variables may bring colons: split again for each request

	// Of a fuzzy pattern: the text through the last unknown that hides colons, if
	// no wildcard or variable stands in it, and the parts after that.
	head    symbol.Text
	tail    []symbol.Pattern
	literal bool
}

// Compile prepares a pattern of a Resource element. Variables count in the sixth
// part alone (AWS page "IAM policy elements: Variables and tags"). Even when it
// reports an error the pattern is usable: it then matches nothing.
func Compile(t symbol.Text, variables bool) (Pattern, error) {
	if !t.Known() && !certain(t.SplitN(':', parts)) {
		// Where the sixth part begins is not known: variables may count anywhere.
		return CompileValue(t, variables)
	}
	first, resource, full := cut(t)
	whole, _ := symbol.Compile(first, symbol.Syntax{Wildcards: true}) // which fails for variables alone
	var err error
	if full {
		var last symbol.Pattern
		last, err = symbol.Compile(resource, symbol.Syntax{Wildcards: true, Variables: variables})
		whole = whole.Join(':', last)
	}
	p := build(whole)
	p.text = t
	return p, err
}

// cut cuts a text at the colon before its sixth part, and reports whether it has one.
func cut(t symbol.Text) (first, resource symbol.Text, full bool) {
	end := -1
	for range Resource {
		i := t.Slice(end+1, t.Len()).Index(':')
		if i < 0 {
			return t, symbol.Text{}, false
		}
		end += i + 1
	}
	return t.Slice(0, end), t.Slice(end+1, t.Len()), true
}

// CompileValue prepares an ARN pattern of a condition, where variables count in
// every part. Even when it reports an error the pattern is usable: it then matches
// nothing.
func CompileValue(t symbol.Text, variables bool) (Pattern, error) {
	syn := symbol.Syntax{Wildcards: true, Variables: variables}
	whole, err := symbol.Compile(t, syn)
	p := build(whole)
	p.text = t
	for _, part := range p.split[:min(len(p.split), Resource)] {
		p.late = p.late || len(part.Variables()) > 0
	}
	if p.fuzzy && !p.late {
		end := 0
		for i, part := range t.SplitN(':', parts)[:min(len(p.split), Resource)] {
			if i > 0 {
				end++
			}
			if before, _, found := part.CutLast(symbol.Any); found {
				p.head = t.Slice(0, end+before.Len())
			}
			end += part.Len()
		}
		p.literal = p.head.Index('*') < 0 && p.head.Index('?') < 0 && p.head.Index('$') < 0
		rest, _ := symbol.Compile(t.Slice(p.head.Len(), t.Len()), syn) // the error is that of whole
		p.tail = rest.Split(':', parts)
	}
	return p, err
}

func build(whole symbol.Pattern) Pattern {
	p := Pattern{whole: whole, split: whole.Split(':', parts)}
	p.any = len(p.split) == 1 && p.split[0].IsAny()
	p.full = len(p.split) == parts
	p.fuzzy = !whole.Known() && !certain(p.split)
	last := p.split[len(p.split)-1]
	isARN := !p.split[Prefix].Wild() && p.split[Prefix].Match(symbol.Literal("arn"), nil) == kleene.True
	p.short = !p.full && len(p.split) > 1 && isARN && last.EndsOpen()
	for _, c := range p.split[:len(p.split)-1] {
		p.runOn = p.runOn || c.EndsOpen()
	}
	p.runOn = p.runOn || !p.full && last.EndsOpen()
	return p
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

// Certain reports whether the parts of p are known to be those it is written
// with: no unknown or variable can bring a colon.
func (p Pattern) Certain() bool { return !p.fuzzy && !p.late }

// WildService reports whether the service part has a wildcard, which AWS refuses.
func (p Pattern) WildService() bool {
	return len(p.split) > Service && p.split[Service].Wild()
}

// RunsOn reports whether some '*' of p stands before a colon, or at the end of a
// pattern of fewer than six parts: AWS's pages disagree whether it crosses colons.
func (p Pattern) RunsOn() bool { return p.runOn }

// Variables returns the names of the context keys that p refers to.
func (p Pattern) Variables() []string { return p.whole.Variables() }

// MatchStrict matches part by part: ArnLike and ArnEquals, where a wildcard in
// the first five parts never crosses a colon (AWS page "IAM JSON policy elements:
// Condition operators"). The lone "*" is no ARN and matches nothing here; so does
// a text that is no ARN. An unknown at the start of an ARN pattern is taken to be
// such that the pattern has six parts.
func (p Pattern) MatchStrict(t symbol.Text, lookup symbol.Lookup) kleene.Truth {
	if p.late {
		bound, sure := p.Bind(lookup)
		if sure == kleene.False {
			return kleene.False
		}
		return kleene.And(sure, bound.MatchStrict(t, nil))
	}
	if p.fuzzy {
		return p.matchFuzzy(t, lookup)
	}
	a, ok := Parse(t)
	if !ok {
		if t.Known() || !p.full {
			return kleene.False
		}
		return p.matchUnsplit(t, lookup)
	}
	return p.matchParts(&a, lookup)
}

// Bind returns p with its variables substituted, and False if one of them has no
// value in this request.
func (p Pattern) Bind(lookup symbol.Lookup) (Pattern, kleene.Truth) {
	whole, sure := p.whole.Expand(lookup)
	if sure == kleene.False {
		return p, sure
	}
	bound := build(whole)
	bound.text = p.text
	return bound, sure
}

func (p *Pattern) matchParts(a *ARN, lookup symbol.Lookup) kleene.Truth {
	if !p.full {
		return kleene.False
	}
	return p.matchLeading(a, lookup)
}

// matchLeading matches the parts that p has and takes '*' for missing ones.
func (p *Pattern) matchLeading(a *ARN, lookup symbol.Lookup) kleene.Truth {
	out := kleene.True
	for i := range p.split {
		out = min(out, p.split[i].Match(a[i], lookup))
		if out == kleene.False {
			break
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
	a, ok := Parse(t)
	return p.MatchParsed(t, &a, ok, lookup)
}

// MatchParsed is [Pattern.MatchResource] for a text that [Parse] was asked about, as
// is worth while for one that is matched with many patterns.
func (p *Pattern) MatchParsed(t symbol.Text, a *ARN, isARN bool, lookup symbol.Lookup) (truth kleene.Truth, contested bool) {
	if p.any {
		return kleene.True, false
	}
	if p.late {
		// Reached with unknowns alone: where the sixth part begins is not known.
		return kleene.And(kleene.Unknown, p.whole.Match(t, lookup)), false
	}
	if p.fuzzy {
		return p.matchFuzzy(t, lookup), false
	}
	if !isARN {
		if t.Known() {
			return kleene.False, false
		}
		return p.matchUnsplit(t, lookup), false
	}
	if p.short {
		if out := p.matchLeading(a, lookup); out != kleene.False {
			return out, false
		}
	}
	out := p.matchParts(a, lookup)
	if out == kleene.False && p.runOn && p.mayRunOn(a, lookup) {
		return kleene.Unknown, true
	}
	return out, false
}

// matchFuzzy matches a pattern whose colons are hidden by an unknown part. A text
// that begins with the same unknown has its colons where the pattern has them; if
// the rest then matches part by part, so does the whole.
func (p Pattern) matchFuzzy(t symbol.Text, lookup symbol.Lookup) kleene.Truth {
	out := p.whole.Match(t, lookup)
	if out == kleene.True && !(p.literal && t.HasPrefix(p.head) && p.matchTail(t.Slice(p.head.Len(), t.Len()), lookup)) {
		return kleene.Unknown
	}
	return out
}

func (p Pattern) matchTail(t symbol.Text, lookup symbol.Lookup) bool {
	split := t.SplitN(':', len(p.tail))
	if len(split) != len(p.tail) || !certain(split[:len(split)-1]) {
		return false
	}
	for i, part := range p.tail {
		if part.Match(split[i], lookup) != kleene.True {
			return false
		}
	}
	return true
}

// matchUnsplit matches a text whose colons are hidden by an unknown part.
func (p Pattern) matchUnsplit(t symbol.Text, lookup symbol.Lookup) kleene.Truth {
	return kleene.And(kleene.Unknown, p.whole.Match(t, lookup))
}

// mayRunOn reports whether a can match with a '*' that stands before a colon, or
// at the end, running on over colons, while '?' and a '*' inside one of the first
// five parts do not. A part that ends in such a '*' matches some stretch of text if
// it matches the first part of the stretch: its '*' takes the colons and the rest.
func (p *Pattern) mayRunOn(a *ARN, lookup symbol.Lookup) bool {
	t := a.Text()
	const most = 64 // of colons, beyond which the answer need not be exact
	split := t.SplitN(':', most+1)
	hidden := len(split) > most
	for s := range t.Symbols() {
		hidden = hidden || s.Class == symbol.Any
	}
	if hidden {
		return p.whole.Match(t, lookup) != kleene.False
	}
	starts := make([]int, len(split))
	for j := 1; j < len(split); j++ {
		starts[j] = starts[j-1] + split[j-1].Len() + 1
	}
	// reach[j] says that the parts of p so far can match split[:j].
	reach := make([]bool, len(split)+1)
	reach[0] = true
	for i, part := range p.split {
		next := make([]bool, len(reach))
		for j, text := range split {
			if !reach[j] {
				continue
			}
			if i == Resource {
				rest := t.Slice(starts[j], t.Len())
				next[len(split)] = next[len(split)] || part.Match(rest, lookup) != kleene.False
				continue
			}
			if part.Match(text, lookup) == kleene.False {
				continue
			}
			next[j+1] = true
			for k := j + 2; part.EndsOpen() && k < len(next); k++ {
				next[k] = true
			}
		}
		reach = next
	}
	return reach[len(split)]
}
