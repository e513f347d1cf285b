package symbol_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

var full = symbol.Syntax{Wildcards: true, Variables: true}

// context is a request context: what is not in it is absent.
type context map[string]symbol.Text

func (c context) lookup(key string) (symbol.Text, kleene.Truth) {
	v, ok := c[key]
	return v, kleene.Of(ok)
}

// Rules A28 to A34 and A1; AWS page "IAM policy elements: Variables and tags".
func TestVariables(t *testing.T) {
	ctx := context{"aws:username": lit("bob"), "star": lit("a*"), "empty": {}, "role": sym("role", symbol.Segment)}
	tests := []struct {
		name          string
		pattern, text string
		syntax        symbol.Syntax
		want          kleene.Truth
	}{
		{"A28 substituted", "b/${aws:username}/*", "b/bob/x", full, kleene.True},
		{"A28 another value", "b/${aws:username}/*", "b/eve/x", full, kleene.False},
		{"A28 twice", "${aws:username}-${aws:username}", "bob-bob", full, kleene.True},
		{"A1 literal in a document of 2008", "${aws:username}", "${aws:username}", symbol.Syntax{}, kleene.True},
		{"A1 not substituted in 2008", "${aws:username}", "bob", symbol.Syntax{}, kleene.False},
		{"A1 the star of ${*} still a wildcard in 2008", "${*}", "${xyz}", symbol.Syntax{Wildcards: true}, kleene.True},
		{"A1 the question mark of ${?} still a wildcard in 2008", "${?}", "${x}", symbol.Syntax{Wildcards: true}, kleene.True},
		{"A30 star", "a${*}", "a*", full, kleene.True},
		{"A30 star is no wildcard", "a${*}", "ab", full, kleene.False},
		{"A30 question mark", "a${?}", "a?", full, kleene.True},
		{"A30 question mark is no wildcard", "a${?}", "ab", full, kleene.False},
		{"A30 dollar", "a${$}{b}", "a${b}", full, kleene.True},
		{"A30 star without wildcards", "a${*}", "a*", symbol.Syntax{Variables: true}, kleene.True},
		{"A31 default not used", "${aws:username, 'nobody'}", "bob", full, kleene.True},
		{"A31 default used", "${absent, 'company-wide'}", "company-wide", full, kleene.True},
		{"A31 default alone", "${absent, 'company-wide'}", "x", full, kleene.False},
		{"A31 empty default", "a${absent, ''}b", "ab", full, kleene.True},
		{"A31 default with a brace", "${absent, 'a}b'}c", "a}bc", full, kleene.True},
		{"A31 default with a space and a quote", "${absent, 'it''s a'}", "it''s a", full, kleene.True},
		{"A32 wildcards of a value are literal", "${star}", "abc", full, kleene.False},
		{"A32 the value itself", "${star}", "a*", full, kleene.True},
		{"A32 wildcards of a default are literal", "${absent, '*'}", "abc", full, kleene.False},
		{"A32 a default is itself", "${absent, '*'}", "*", full, kleene.True},
		{"A33 absent matches nothing", "*${absent}*", "x", full, kleene.False},
		{"A33 absent matches not even the empty text", "${absent}", "", full, kleene.False},
		{"0.1.3 the empty string is a value", "a${empty}b", "ab", full, kleene.True},
		{"an unknown value may match", "${role}", "App", full, kleene.Unknown},
		{"an unknown value may not be two segments", "${role}", "a/b", full, kleene.False},
		{"fold", "x-${Aws:UserName, 'ABC'}", "X-abc", symbol.Syntax{Variables: true, Fold: true}, kleene.False},
		{"fold the value", "B-${aws:username}", "b-BOB", symbol.Syntax{Variables: true, Fold: true}, kleene.True},
	}
	ctx["aws:username "] = lit("trap")
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p, err := symbol.Compile(lit(tc.pattern), tc.syntax)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(lit(tc.text), ctx.lookup); got != tc.want {
				t.Errorf("%q against %q: got %v, want %v", tc.pattern, tc.text, got, tc.want)
			}
		})
	}
}

// Rule A31: a faulty variable is an error and matches nothing.
func TestCompileErrors(t *testing.T) {
	tests := []struct {
		pattern string
		want    error
	}{
		{"${", symbol.ErrVariableBrace},
		{"a${aws:username", symbol.ErrVariableBrace},
		{"${}", symbol.ErrVariableEmpty},
		{"${, 'x'}", symbol.ErrVariableEmpty},
		{"${ aws:username}", symbol.ErrVariableSpace},
		{"${aws:username }", symbol.ErrVariableSpace},
		{"${aws:user name}", symbol.ErrVariableSpace},
		{"${aws:username , 'x'}", symbol.ErrVariableSpace},
		{"${aws:username,'x'}", symbol.ErrVariableQuote},
		{"${aws:username,  'x'}", symbol.ErrVariableQuote},
		{"${aws:username, x}", symbol.ErrVariableQuote},
		{"${aws:username, \"x\"}", symbol.ErrVariableQuote},
		{"${aws:username, 'x}", symbol.ErrVariableQuote},
		{"${aws:username,}", symbol.ErrVariableQuote},
	}
	for _, tc := range tests {
		p, err := symbol.Compile(lit(tc.pattern), full)
		if !errors.Is(err, tc.want) {
			t.Errorf("%q: got error %v, want %v", tc.pattern, err, tc.want)
		}
		always := func(string) (symbol.Text, kleene.Truth) { return lit("x"), kleene.True }
		for _, text := range []string{"", "x", tc.pattern, "ax"} {
			if got := p.Match(lit(text), always); got != kleene.False {
				t.Errorf("%q against %q: got %v, want false", tc.pattern, text, got)
			}
		}
		if _, err := symbol.Compile(lit(tc.pattern), symbol.Syntax{Wildcards: true}); err != nil {
			t.Errorf("%q without variables: %v", tc.pattern, err)
		}
	}
}

func TestVariablePresenceUnknown(t *testing.T) {
	lookup := func(string) (symbol.Text, kleene.Truth) { return lit("bob"), kleene.Unknown }
	tests := []struct {
		pattern, text string
		want          kleene.Truth
	}{
		{"u/${k}", "u/bob", kleene.Unknown}, // false if absent
		{"u/${k}", "u/eve", kleene.False},
		{"u/${k, 'bob'}", "u/bob", kleene.True}, // either way
		{"u/${k, 'eve'}", "u/bob", kleene.Unknown},
		{"u/${k, 'eve'}", "x/bob", kleene.False},
		{"${k, 'a'}*", "", kleene.Unknown},
	}
	for _, tc := range tests {
		p, err := symbol.Compile(lit(tc.pattern), full)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(lit(tc.text), lookup); got != tc.want {
			t.Errorf("%q against %q: got %v, want %v", tc.pattern, tc.text, got, tc.want)
		}
	}
	// The value of the key and its default are not told apart by the name of the key.
	p, _ := symbol.Compile(lit("${k, 'eve'}"), full)
	self := func(string) (symbol.Text, kleene.Truth) { return sym("k", symbol.Any), kleene.Unknown }
	if got := p.Match(sym("k", symbol.Any), self); got != kleene.Unknown {
		t.Errorf("a symbol that is named like the key: got %v, want unknown", got)
	}
}

// A variable of which a part is known only after apply may become anything.
func TestVariableWithUnknownName(t *testing.T) {
	odd := sym("a}b 'c' ${", symbol.Segment)
	always := func(string) (symbol.Text, kleene.Truth) { return lit("x"), kleene.True }
	tests := []struct {
		name    string
		pattern symbol.Text
		text    symbol.Text
		want    kleene.Truth
	}{
		{"name", cat(lit("u/${aws:"), odd, lit("}")), lit("u/x"), kleene.Unknown},
		{"name, other text", cat(lit("u/${aws:"), odd, lit("}")), lit("v/x"), kleene.False},
		{"no brace yet", cat(lit("u/${aws:"), odd), lit("u/x"), kleene.Unknown},
		{"default", cat(lit("${none, '"), odd, lit("'}")), odd, kleene.Unknown},
	}
	for _, tc := range tests {
		p, err := symbol.Compile(tc.pattern, full)
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		lookup := always
		if tc.name == "default" {
			lookup = context{}.lookup
			tc.want = kleene.True
		}
		if got := p.Match(tc.text, lookup); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestPatternQueries(t *testing.T) {
	compile := func(s symbol.Text) symbol.Pattern {
		p, err := symbol.Compile(s, full)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := compile(cat(lit("a${x:y}:b*:${z, 'd:e'}"), sym("s:t", symbol.Segment)))
	if got, want := p.Variables(), []string{"x:y", "z"}; !slices.Equal(got, want) {
		t.Errorf("Variables: got %q, want %q", got, want)
	}
	if got := len(p.Split(':', 6)); got != 3 {
		t.Errorf("Split: got %d parts, want 3", got)
	}
	if p.Known() || !compile(lit("a*")).Known() {
		t.Error("Known: want false for a pattern with a symbol alone")
	}
	if got := slices.Collect(p.Symbols()); len(got) != 1 || got[0].Name != "s:t" {
		t.Errorf("Symbols: got %v", got)
	}
	for pattern, want := range map[string][3]bool{ // IsAny, EndsOpen, Wild
		"*": {true, true, true}, "a*": {false, true, true}, "?": {false, false, true},
		"a": {}, "${*}": {}, "": {}, "*${x}": {false, false, true},
	} {
		p := compile(lit(pattern))
		if got := [3]bool{p.IsAny(), p.EndsOpen(), p.Wild()}; got != want {
			t.Errorf("%q: got %v, want %v", pattern, got, want)
		}
	}
	parts := compile(lit("a*:b:c?:d")).Split(':', 3)
	if parts[1].Wild() || !parts[0].EndsOpen() || !parts[2].Wild() {
		t.Error("Split keeps wildcards where there are none")
	}
	joined := parts[0].Join(':', parts[1]).Join(':', parts[2])
	if got := joined.Match(lit("axx:b:c1:d"), nil); got != kleene.True {
		t.Errorf("Join: got %v, want true", got)
	}
	bound, ok := compile(lit("a/${k}/*")).Expand(context{"k": lit("v*")}.lookup)
	if ok != kleene.True || bound.Match(lit("a/v*/z"), nil) != kleene.True || bound.Match(lit("a/vx/z"), nil) != kleene.False {
		t.Error("Expand does not substitute literally")
	}
	if _, ok := compile(lit("a/${k}")).Expand(context{}.lookup); ok != kleene.False {
		t.Errorf("Expand without a value: got %v, want false", ok)
	}
	if _, ok := compile(lit("a/*")).Expand(nil); ok != kleene.True {
		t.Errorf("Expand without variables: got %v, want true", ok)
	}
	if only, ok := compile(lit("a${*}")).Only(); !ok || only != lit("a*") {
		t.Errorf("Only: got %v, %v", only, ok)
	}
	if _, ok := compile(lit("a*")).Only(); ok {
		t.Error("Only: a pattern with a wildcard has many texts")
	}
	name := sym("name", symbol.Segment)
	if got, ok := compile(cat(lit("ä?/"), name, lit("${*}/*"))).Example(); !ok || got != cat(lit("äx/"), name, lit("*/example")) {
		t.Errorf("Example: got %v, %v", got, ok)
	}
	if _, ok := compile(lit("${k}")).Example(); ok {
		t.Error("Example: a pattern with a variable has none")
	}
}

func TestMatchUnknown(t *testing.T) {
	account, other := sym("account", symbol.Digits), sym("other", symbol.Digits)
	name, anything := sym("name", symbol.Segment), sym("anything", symbol.Any)
	key1 := symbol.Symbol{Name: "k1", Class: symbol.Segment, Unique: true}.Text()
	key2 := symbol.Symbol{Name: "k2", Class: symbol.Segment, Unique: true}.Text()
	tests := []struct {
		name          string
		pattern, text symbol.Text
		want          kleene.Truth
	}{
		{"a symbol is itself", account, account, kleene.True},
		{"two symbols may be equal", account, other, kleene.Unknown},
		{"star", lit("*"), anything, kleene.True},
		{"stars around", lit("a*b"), cat(lit("a"), anything, lit("b")), kleene.True},
		{"a symbol is not always one character", lit("?"), account, kleene.Unknown},
		{"a segment is not empty", symbol.Text{}, name, kleene.False},
		{"anything may be empty", symbol.Text{}, anything, kleene.Unknown},
		{"a segment has no slash", lit("a/b"), name, kleene.False},
		{"a segment has no colon", lit("a:b"), name, kleene.False},
		{"digits are no letters", lit("abc"), account, kleene.False},
		{"digits", lit("123"), account, kleene.Unknown},
		{"the other way round", account, lit("abc"), kleene.False},
		{"unique ids differ", cat(lit("key/"), key1), cat(lit("key/"), key2), kleene.False},
		{"a unique id may be another's value", key1, name, kleene.Unknown},
		{"a symbol and more", cat(account, lit("x")), account, kleene.False},
		{"same symbols in other places", cat(account, lit(":"), other), cat(other, lit(":"), account), kleene.Unknown},
		{"the symbol after a star", cat(lit("*/"), name), cat(lit("a/b/"), name), kleene.True},
		{"literal around", cat(lit("x"), name), cat(lit("y"), name), kleene.False},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p, err := symbol.Compile(tc.pattern, full)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(tc.text, nil); got != tc.want {
				t.Errorf("%v against %v: got %v, want %v", tc.pattern, tc.text, got, tc.want)
			}
		})
	}
	for _, tc := range []struct {
		a, b symbol.Text
		want kleene.Truth
	}{
		{lit("a*"), lit("a*"), kleene.True}, {lit("a*"), lit("ab"), kleene.False},
		{account, account, kleene.True}, {account, other, kleene.Unknown}, {key1, key2, kleene.False},
	} {
		if got := symbol.Equal(tc.a, tc.b); got != tc.want {
			t.Errorf("Equal(%v, %v): got %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}

// A quick look excludes by the literal beginning alone: what comes after a wildcard, a
// variable, an unknown or a letter that has no case in ASCII stays open.
func TestExcludes(t *testing.T) {
	unknown := symbol.Concat(lit("a"), symbol.Symbol{Name: "x"}.Text())
	for _, tt := range []struct {
		pattern symbol.Text
		text    string
		want    bool
	}{
		{lit(""), "", false}, {lit(""), "a", true}, {lit("a"), "", true}, {lit("ab"), "ab", false}, {lit("ab"), "AB", false},
		{lit("ab"), "abc", true}, {lit("abc"), "ab", true}, {lit("ab"), "ac", true}, {lit("*b"), "ac", false}, {lit("a*"), "b", true},
		{lit("a?"), "a", false}, {lit("${aws:username}"), "b", false}, {lit("k"), "\u212a", false}, {lit("s"), "\u017f", false},
		{lit("i"), "\u0130", false}, {lit("\u00fc"), "a", false}, {unknown, "ab", false}, {unknown, "b", true}, {unknown, "a", false},
	} {
		p, err := symbol.Compile(tt.pattern, symbol.Syntax{Wildcards: true, Variables: true, Fold: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Excludes(tt.text); got != tt.want {
			t.Errorf("%s excludes %q: got %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// Many stars against a long text that almost matches: a matcher that tries every
// split would not end.
func TestMatchPathological(t *testing.T) {
	stars := lit(strings.Repeat("a*", 60) + "b")
	text := lit(strings.Repeat("a", 20_000))
	p, err := symbol.Compile(stars, full)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Match(text, nil); got != kleene.False {
		t.Errorf("got %v, want false", got)
	}
	if got := p.Match(cat(text, sym("x", symbol.Any)), nil); got != kleene.Unknown {
		t.Errorf("with an unknown end: got %v, want unknown", got)
	}
}

// Many variables, whole and faulty: each is found by a walk to its own end.
func TestCompilePathological(*testing.T) {
	for _, variable := range []string{"${a}", "${a, 'b'}", "${a", "${a, 'b", "${a, b}", "${a, 'b}", "${}", "${*}"} {
		many := lit(strings.Repeat(variable, 200_000))
		for _, text := range []symbol.Text{many, cat(sym("s", symbol.Segment), many)} {
			p, _ := symbol.Compile(text, full) // some are faulty
			p.Match(lit("x"), context{}.lookup)
		}
	}
}

// A symbolic character of the tiny language of the property: a literal, a
// wildcard, a symbol or a variable.
type piece struct {
	text string         // literal, wildcard or variable
	sym  *symbol.Symbol // nil for none
}

var symbols = []*symbol.Symbol{
	{Name: "any:*/?"}, {Name: "any2"},
	{Name: "segment/", Class: symbol.Segment}, {Name: "segment2", Class: symbol.Segment},
	{Name: "digits", Class: symbol.Digits}, {Name: "digits2", Class: symbol.Digits},
	{Name: "u1", Class: symbol.Segment, Unique: true}, {Name: "u2", Class: symbol.Segment, Unique: true},
}

// A world gives every symbol a value of its class.
func drawWorld(t *rapid.T) map[string]string {
	unique := rapid.SampledFrom([][2]string{{"a", "b"}, {"b", "a"}, {"aa", "b"}, {"b", "aa"}, {"bb", "a"}}).Draw(t, "unique")
	world := map[string]string{symbols[6].Name: unique[0], symbols[7].Name: unique[1]}
	for _, s := range symbols[:6] {
		alphabet := map[symbol.Class]string{symbol.Any: `[ab1:/]{0,3}`, symbol.Segment: `[ab1]{1,2}`, symbol.Digits: `[12]{1,2}`}[s.Class]
		world[s.Name] = rapid.StringMatching(alphabet).Draw(t, s.Name)
	}
	return world
}

func build(pieces []piece) symbol.Text {
	var out symbol.Text
	for _, p := range pieces {
		if p.sym != nil {
			out = cat(out, p.sym.Text())
		} else {
			out = cat(out, lit(p.text))
		}
	}
	return out
}

// oracle turns a pattern into a regular expression of one world; false if a
// variable has no value in it.
func oracle(pieces []piece, world map[string]string, syn symbol.Syntax, vars map[string]*string) (string, bool) {
	var b strings.Builder
	b.WriteString("(?s)^")
	for _, p := range pieces {
		switch {
		case p.sym != nil:
			b.WriteString(regexp.QuoteMeta(world[p.sym.Name]))
		case p.text == "*" && syn.Wildcards:
			b.WriteString(".*")
		case p.text == "?" && syn.Wildcards:
			b.WriteString(".")
		case p.text == "${*}":
			b.WriteString(regexp.QuoteMeta("*"))
		case strings.HasPrefix(p.text, "${"):
			v := vars[p.text[2:3]]
			switch {
			case v != nil:
				b.WriteString(regexp.QuoteMeta(*v))
			case strings.Contains(p.text, "'"):
				b.WriteString("b")
			default:
				return "", false
			}
		default:
			b.WriteString(regexp.QuoteMeta(p.text))
		}
	}
	return b.String() + "$", true
}

func concrete(pieces []piece, world map[string]string) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.sym != nil {
			b.WriteString(world[p.sym.Name])
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// Soundness: an answer True or False holds in every world, that is for all values
// of the symbols, of one value for one name, and for all keys that may be present.
func TestMatchSound(t *testing.T) {
	symPiece := rapid.Custom(func(t *rapid.T) piece { return piece{sym: rapid.SampledFrom(symbols).Draw(t, "symbol")} })
	literals := rapid.Custom(func(t *rapid.T) piece {
		return piece{text: rapid.SampledFrom([]string{"a", "b", "1", ":", "/"}).Draw(t, "literal")}
	})
	marks := rapid.Custom(func(t *rapid.T) piece {
		return piece{text: rapid.SampledFrom([]string{"*", "*", "?", "${*}", "${p}", "${q}", "${p, 'b'}"}).Draw(t, "mark")}
	})
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.SliceOfN(rapid.OneOf(literals, symPiece, marks), 0, 5).Draw(t, "pattern")
		text := rapid.SliceOfN(rapid.OneOf(literals, symPiece), 0, 5).Draw(t, "text")
		values := map[string][]piece{
			"p": rapid.SliceOfN(rapid.OneOf(literals, symPiece), 0, 2).Draw(t, "p"),
			"q": rapid.SliceOfN(rapid.OneOf(literals, symPiece), 0, 2).Draw(t, "q"),
		}
		present := map[string]kleene.Truth{}
		for _, k := range []string{"p", "q"} {
			present[k] = kleene.Truth(rapid.IntRange(0, 2).Draw(t, k+" present"))
		}
		syn := symbol.Syntax{Wildcards: true, Variables: true}
		p, err := symbol.Compile(build(pattern), syn)
		if err != nil {
			t.Fatal(err)
		}
		got := p.Match(build(text), func(key string) (symbol.Text, kleene.Truth) {
			return build(values[key]), present[key]
		})
		for range 6 {
			world := drawWorld(t)
			vars := map[string]*string{}
			for _, k := range []string{"p", "q"} {
				if present[k] == kleene.True || present[k] == kleene.Unknown && rapid.Bool().Draw(t, k+" is present") {
					v := concrete(values[k], world)
					vars[k] = &v
				}
			}
			expr, ok := oracle(pattern, world, syn, vars)
			want := ok && regexp.MustCompile(expr).MatchString(concrete(text, world))
			if got != kleene.Unknown && got != kleene.Of(want) {
				t.Fatalf("%v against %v: got %v, but %v in world %v, keys %v", build(pattern), build(text), got, want, world, vars)
			}
		}
	})
}

// Without symbols every answer is definite and that of the oracle.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"*", "x"}, {"a*b?c", "axxbyc"}, {"**?*", "ab"}, {"a*a*a*b", "aaaaaaaaaa"},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y"}, {"ü?ß*", "üxß"}, {"?", "ü"}, {"\xff*", "\xffa"}, {"${*}", "*"}, {"a\n*", "a\nb"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 || len(text) > 2000 {
			t.Skip()
		}
		p, err := symbol.Compile(lit(pattern), symbol.Syntax{Wildcards: true})
		if err != nil {
			t.Fatal(err)
		}
		var pieces []piece
		for _, r := range strings.ToValidUTF8(pattern, "\uFFFD") {
			pieces = append(pieces, piece{text: string(r)})
		}
		expr, _ := oracle(pieces, nil, symbol.Syntax{Wildcards: true}, nil)
		want := kleene.Of(regexp.MustCompile(expr).MatchString(strings.ToValidUTF8(text, "\uFFFD")))
		if got := p.Match(lit(text), nil); got != want {
			t.Errorf("%q against %q: got %v, want %v", pattern, text, got, want)
		}
	})
}
