package symbol

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tfguard/tfguard/engine/kleene"
)

// Marks inside an encoded pattern; like those of symbols they are bytes that
// valid UTF-8 never contains, so a literal '*' and a wildcard differ.
const (
	one        = 0xFC
	many       = 0xFD
	varOpen    = 0xFA
	varDefault = 0xFB
	varClose   = 0xF9
)

// Syntax says which marks of the policy language count in a pattern.
type Syntax struct {
	// Wildcards makes '*' any run of characters and '?' exactly one.
	Wildcards bool
	// Variables makes ${key}, ${key, 'default'}, ${*}, ${?} and ${$} policy
	// variables, as in documents of Version 2012-10-17.
	Variables bool
	// Fold compares without regard to case.
	Fold bool
}

// A Pattern matches texts. The zero Pattern matches the empty text alone.
type Pattern struct {
	enc  string
	fold bool
	vars bool // holds policy variables
	wild bool // holds wildcards
}

// A Lookup gives the value of a single-valued context key, and whether the key
// is present in the request. Key names are given as written in the policy.
type Lookup func(key string) (value Text, present kleene.Truth)

// Errors of [Compile]. (AWS page "IAM policy elements: Variables and tags".)
var (
	ErrVariableBrace = errors.New("a policy variable is not closed: \"${\" without \"}\"")
	ErrVariableEmpty = errors.New("a policy variable is empty: \"${}\"")
	ErrVariableQuote = errors.New("the default of a policy variable is written ${key, 'default'}: a comma, one space, single quotes")
	ErrVariableSpace = errors.New("a policy variable may not contain white space outside of its default")
)

// Compile prepares the text of a policy for matching. Even when it reports an
// error the pattern is usable: it then matches nothing.
func Compile(t Text, syn Syntax) (Pattern, error) {
	p := Pattern{enc: t.enc, fold: syn.Fold}
	if syn.Fold {
		p.enc = t.Lower().enc
	}
	hasVars := syn.Variables && strings.Contains(p.enc, "${")
	hasWild := syn.Wildcards && strings.ContainsAny(p.enc, "*?")
	switch {
	case !hasVars && !hasWild:
		return p, nil
	case !hasVars && p.Known():
		p.enc, p.wild = wildcardMarks.Replace(p.enc), true
		return p, nil
	}
	var b strings.Builder
	for s := p.enc; len(s) > 0; {
		n := unitLen(s)
		switch {
		case hasVars && strings.HasPrefix(s, "${"):
			var mark string
			var err error
			mark, n, err = variable(s)
			p.vars = p.vars || mark[0] == varOpen
			b.WriteString(mark)
			if err != nil {
				// The rest cannot make the pattern match, and looking on for the end
				// of each faulty variable would take quadratic time.
				p.enc = b.String()
				return p, err
			}
		case syn.Wildcards && s[0] == '*':
			p.wild = true
			b.WriteByte(many)
		case syn.Wildcards && s[0] == '?':
			p.wild = true
			b.WriteByte(one)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	p.enc = b.String()
	return p, nil
}

// wildcardMarks marks the wildcards of a text without unknown parts.
var wildcardMarks = strings.NewReplacer("*", string([]byte{many}), "?", string([]byte{one}))

// variable encodes the variable s begins with and returns how long it is. A
// malformed one becomes a variable with an empty name, which no request holds. One
// whose name is not wholly known may become anything.
func variable(s string) (mark string, n int, err error) {
	never := string([]byte{varOpen, varClose})
	end := index(s, '}')
	if end < 0 {
		if strings.IndexByte(s, open) >= 0 {
			return some(s), len(s), nil
		}
		return never, len(s), ErrVariableBrace
	}
	key := s[2:end]
	switch key {
	case "":
		return never, end + 1, ErrVariableEmpty
	case "*", "?", "$":
		return key, end + 1, nil
	}
	name, def, hasDefault := strings.Cut(key, ",")
	switch {
	case strings.IndexByte(name, open) >= 0:
		return some(s[:end+1]), end + 1, nil
	case name == "":
		return never, end + 1, ErrVariableEmpty
	case strings.ContainsAny(name, " \t\r\n"):
		return never, end + 1, ErrVariableSpace
	}
	if !hasDefault {
		return string([]byte{varOpen}) + name + string([]byte{varClose}), end + 1, nil
	}
	// The default may itself hold a '}'.
	if !strings.HasPrefix(def, " '") {
		return never, end + 1, ErrVariableQuote
	}
	from := len("${") + len(name) + len(", '")
	to := indexDefault(s[from:])
	if to < 0 {
		return never, end + 1, ErrVariableQuote
	}
	def = s[from : from+to]
	return string([]byte{varOpen}) + name + string([]byte{varDefault}) + def + string([]byte{varClose}), from + to + 2, nil
}

// indexDefault returns where the default that s begins with ends: before "'}".
func indexDefault(s string) int {
	for i := 0; i < len(s); i += unitLen(s[i:]) {
		if strings.HasPrefix(s[i:], "'}") {
			return i
		}
	}
	return -1
}

// some returns the symbol of what a variable becomes that is not wholly known. No
// text holds that symbol, so that nothing is sure to match it.
func some(variable string) string {
	return Symbol{Name: "policy variable " + Text{variable}.String()}.Text().enc
}

// Known reports whether the pattern has no unknown part (policy variables are
// not unknown: the request gives their value).
func (p Pattern) Known() bool { return strings.IndexByte(p.enc, open) < 0 }

// Wild reports whether p has wildcards.
func (p Pattern) Wild() bool { return p.wild }

// IsAny reports whether p is the lone wildcard "*".
func (p Pattern) IsAny() bool { return len(p.enc) == 1 && p.enc[0] == many }

// Variables returns the names of the context keys that p refers to.
func (p Pattern) Variables() []string {
	var keys []string
	if p.vars {
		for u := range units(p.enc) {
			if u[0] == varOpen {
				name, _, _ := strings.Cut(u[1:len(u)-1], string([]byte{varDefault}))
				keys = append(keys, name)
			}
		}
	}
	return keys
}

// Symbols yields the unknown parts of p in order.
func (p Pattern) Symbols() iter.Seq[Symbol] { return Text{p.enc}.Symbols() }

// Join returns the pattern that matches the texts of p and q with the literal
// separator b between them. Both are of one [Syntax].
func (p Pattern) Join(b byte, q Pattern) Pattern {
	return Pattern{
		enc:  p.enc + string(rune(b)) + q.enc,
		fold: p.fold || q.fold, vars: p.vars || q.vars, wild: p.wild || q.wild,
	}
}

// Split splits p around the literal separator b into at most n patterns.
func (p Pattern) Split(b byte, n int) []Pattern {
	out := make([]Pattern, 0, min(n, strings.Count(p.enc, string(rune(b)))+1))
	rest := p.enc
	for len(out) < n-1 {
		i := index(rest, b)
		if i < 0 {
			break
		}
		out = append(out, p.with(rest[:i]))
		rest = rest[i+1:]
	}
	return append(out, p.with(rest))
}

func (p Pattern) with(enc string) Pattern {
	p.enc = enc
	p.vars = p.vars && strings.IndexByte(enc, varOpen) >= 0
	p.wild = p.wild && (strings.IndexByte(enc, one) >= 0 || strings.IndexByte(enc, many) >= 0)
	return p
}

// Only returns the one text that p matches, and false if p has wildcards or
// variables.
func (p Pattern) Only() (Text, bool) {
	if p.wild || p.vars {
		return Text{}, false
	}
	return Text{p.enc}, true
}

// EndsOpen reports whether p ends with the wildcard '*'.
func (p Pattern) EndsOpen() bool { return p.wild && p.enc[len(p.enc)-1] == many }

// wildcards are filled in for an example of what a pattern matches.
var wildcards = strings.NewReplacer(string([]byte{many}), "example", string([]byte{one}), "x")

// Example returns a text that p matches: "example" stands for each '*', "x" for each
// '?'. It reports false if p has variables.
func (p Pattern) Example() (Text, bool) {
	if p.vars {
		return Text{}, false
	}
	return Text{wildcards.Replace(p.enc)}, true
}

// Match reports whether t matches p: True or False where that holds whatever the
// unknown parts turn out to be. A variable whose key is absent from the request
// and that has no default makes the pattern match nothing; a substituted value is
// literal, its wildcards do not count. lookup may be nil if p has no variables.
func (p Pattern) Match(t Text, lookup Lookup) kleene.Truth {
	enc := t.enc
	if !p.wild && !p.vars && p.enc == enc {
		return kleene.True
	}
	if p.Excludes(enc) {
		return kleene.False
	}
	if p.fold && !p.vars && isASCII(enc) && p.Known() {
		return kleene.Of(must(p.enc, enc, true)) // nothing to copy
	}
	if p.fold {
		enc = t.Lower().enc
	}
	pat, sure := p.enc, kleene.True
	if p.vars {
		pat, sure = p.expand(lookup)
		if sure == kleene.False {
			return kleene.False
		}
	}
	return kleene.And(sure, matchEncoded(pat, enc))
}

// Excludes reports whether a string is none that p matches by the literal characters
// that both begin with. It is a quick look, and false says nothing.
func (p Pattern) Excludes(s string) bool {
	for i := range len(p.enc) {
		c := p.enc[i]
		if c >= utf8.RuneSelf {
			return false
		}
		if i == len(s) {
			return true
		}
		if d := s[i]; c != d && (!p.fold || c != lower(d)) {
			return d < utf8.RuneSelf
		}
	}
	return len(s) > len(p.enc) && s[len(p.enc)] < utf8.RuneSelf
}

// Expand returns p with its variables substituted, and False if one of them has
// no value in this request.
func (p Pattern) Expand(lookup Lookup) (Pattern, kleene.Truth) {
	if !p.vars {
		return p, kleene.True
	}
	enc, sure := p.expand(lookup)
	p.enc, p.vars = enc, false
	return p, sure
}

func (p Pattern) expand(lookup Lookup) (string, kleene.Truth) {
	var b strings.Builder
	sure := kleene.True
	for u := range units(p.enc) {
		if u[0] != varOpen {
			b.WriteString(u)
			continue
		}
		name, def, hasDefault := strings.Cut(u[1:len(u)-1], string([]byte{varDefault}))
		var value Text
		present := kleene.False
		if lookup != nil && name != "" {
			value, present = lookup(name)
		}
		if present != kleene.True && hasDefault {
			if present == kleene.Unknown && value.enc != def {
				// Either of two values; of the same name wherever p repeats the variable.
				value = Text{some("${" + name + ", '" + def + "'}")}
			} else {
				value = Text{def}
			}
			present = kleene.True
		}
		if present == kleene.False {
			return "", kleene.False
		}
		sure = kleene.And(sure, present)
		if p.fold {
			value = value.Lower()
		}
		b.WriteString(value.enc)
	}
	return b.String(), sure
}

// Equal reports whether a and b hold the same value.
func Equal(a, b Text) kleene.Truth {
	switch {
	case a == b:
		return kleene.True
	case a.Known() && b.Known(), endApart(a.enc, b.enc):
		return kleene.False
	}
	return matchEncoded(a.enc, b.enc)
}

// endApart reports whether two texts have different literal characters before a common
// end: then they are not equal.
func endApart(a, b string) bool {
	for len(a) > 0 && len(b) > 0 {
		x, y := a[len(a)-1], b[len(b)-1]
		if x == closE || y == closE {
			return false
		}
		if x != y {
			return true
		}
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return false
}

func matchEncoded(p, t string) kleene.Truth {
	known := strings.IndexByte(p, open) < 0 && strings.IndexByte(t, open) < 0
	if must(p, t, false) {
		return kleene.True
	}
	if known || !may(p, t) {
		return kleene.False
	}
	return kleene.Unknown
}

// must reports whether t matches p in every world. A symbol is one opaque unit
// that only itself and '*' match. Greedy with a single point of return, the last
// '*': linear in practice and at worst len(p)*len(t), however many '*' p has. fold
// says that p is in lower case and t, in ASCII, may not be.
func must(p, t string, fold bool) bool {
	pi, ti, star, mark := 0, 0, -1, 0
	for ti < len(t) {
		if pi < len(p) {
			switch c := p[pi]; {
			case c == many:
				star, mark = pi, ti
				pi++
				continue
			case c == one && t[ti] != open:
				pi++
				ti += unitLen(t[ti:])
				continue
			case c == open && t[ti] == open:
				n := unitLen(p[pi:])
				if strings.HasPrefix(t[ti:], p[pi:pi+n]) {
					pi += n
					ti += n
					continue
				}
			case c != open && (c == t[ti] || fold && c == lower(t[ti])):
				pi++
				ti++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark += unitLen(t[mark:])
		pi, ti = star+1, mark
	}
	for pi < len(p) && p[pi] == many {
		pi++
	}
	return pi == len(p)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// An atom is one step of the automaton behind may: a code point, a wildcard, or
// the first or a further character of a symbol.
type atom struct {
	sym  string // encoded symbol, "" for none
	r    rune
	mark byte // one or many, 0 for none
	opt  bool // may be empty, and repeat
}

// atoms appends the atoms of an encoded text.
func atoms(out []atom, s string) []atom {
	for u := range units(s) {
		switch u[0] {
		case open:
			if decode(u).Class != Any {
				out = append(out, atom{sym: u})
			}
			out = append(out, atom{sym: u, opt: true})
		case one:
			out = append(out, atom{mark: one})
		case many:
			out = append(out, atom{mark: many, opt: true})
		default:
			r, _ := utf8.DecodeRuneInString(u)
			out = append(out, atom{r: r})
		}
	}
	return out
}

// may reports whether some world exists in which t matches p. It takes symbols
// as independent of each other, so it may say true too often and never too seldom.
// It takes time len(p)*len(t), and gives up at the first step nothing can pass.
func may(p, t string) bool {
	const usual = 64 // atoms, for which no memory is taken
	var pa, ta [usual]atom
	var ra, na [usual + 1]bool
	ps, ts := atoms(pa[:0], p), atoms(ta[:0], t)
	// reach[j] says that ps[:i] can produce a string of ts[:j].
	reach, next := ra[:], na[:]
	if len(ts) > usual {
		reach, next = make([]bool, len(ts)+1), make([]bool, len(ts)+1)
	}
	reach, next = reach[:len(ts)+1], next[:len(ts)+1]
	reach[0] = true
	for j, a := range ts {
		reach[j+1] = reach[j] && a.opt
	}
	for _, a := range ps {
		clear(next)
		for j := range reach {
			if a.opt && reach[j] { // a is empty, or ends here
				next[j] = true
			}
			if j == 0 {
				continue
			}
			b := ts[j-1]
			if compatible(a, b) {
				// a and b produce one character together; an optional one may go on.
				if reach[j-1] || a.opt && next[j-1] || b.opt && reach[j] {
					next[j] = true
				}
			}
			if b.opt && next[j-1] { // b is empty, or ends here
				next[j] = true
			}
		}
		reach, next = next, reach
		if !slices.Contains(reach, true) {
			return false
		}
	}
	return reach[len(ts)]
}

func compatible(a, b atom) bool {
	switch {
	case a.mark != 0 || b.mark != 0:
		return true
	case a.sym == "" && b.sym == "":
		return a.r == b.r
	case a.sym == "":
		return decode(b.sym).Class.holds(a.r)
	case b.sym == "":
		return decode(a.sym).Class.holds(b.r)
	}
	x, y := decode(a.sym), decode(b.sym)
	return x.Name == y.Name || !x.Unique || !y.Unique
}

func (c Class) holds(r rune) bool {
	switch c {
	case Segment:
		return !strings.ContainsRune(":/*?", r)
	case Digits:
		return '0' <= r && r <= '9'
	default:
		return true
	}
}
