package symbol_test

import (
	"slices"
	"testing"

	"github.com/tfguard/tfguard/engine/symbol"
)

func lit(s string) symbol.Text { return symbol.Literal(s) }

func sym(name string, c symbol.Class) symbol.Text {
	return symbol.Symbol{Name: name, Class: c}.Text()
}

func cat(ts ...symbol.Text) symbol.Text { return symbol.Concat(ts...) }

func TestTextConcatAndString(t *testing.T) {
	account := sym("account", symbol.Digits)
	arn := cat(lit("arn:aws:iam::"), account, lit(":role/App"))
	if got, want := arn.String(), "arn:aws:iam::${account}:role/App"; got != want {
		t.Errorf("String: got %q, want %q", got, want)
	}
	if s, known := arn.Literal(); known || arn.Known() {
		t.Errorf("Literal: got %q as known", s)
	}
	if arn != cat(lit("arn:aws:iam:"), lit(":"), account, lit(":role/App")) {
		t.Error("texts of the same parts differ")
	}
	if arn == cat(lit("arn:aws:iam::"), sym("other", symbol.Digits), lit(":role/App")) {
		t.Error("texts with different symbols are equal")
	}
	if s, known := lit("büro").Literal(); !known || s != "büro" {
		t.Errorf("Literal: got %q, %v", s, known)
	}
	if !lit("").IsZero() || !(symbol.Text{}).IsZero() || account.IsZero() {
		t.Error("IsZero: want true for the empty text alone")
	}
	if got, want := lit("a\xff\xfeb").String(), "a\uFFFDb"; got != want {
		t.Errorf("invalid UTF-8: got %q, want %q", got, want)
	}
	if got, want := sym("n\xffm", symbol.Any).String(), "${n\uFFFDm}"; got != want {
		t.Errorf("invalid UTF-8 in a name: got %q, want %q", got, want)
	}
}

func TestTextSymbols(t *testing.T) {
	id := symbol.Symbol{Name: `aws_kms_key.k["a:b/*}"].key_id`, Class: symbol.Segment, Unique: true}
	text := cat(lit("x"), id.Text(), sym("r", symbol.Any), lit("y"), id.Text())
	got := slices.Collect(text.Symbols())
	want := []symbol.Symbol{id, {Name: "r", Class: symbol.Any}, id}
	if !slices.Equal(got, want) {
		t.Errorf("Symbols: got %v, want %v", got, want)
	}
	for range text.Symbols() {
		break // the iterator must stand an early end
	}
	if got := slices.Collect(lit("abc").Symbols()); got != nil {
		t.Errorf("Symbols of a literal: got %v", got)
	}
}

// Names of resources and references hold ':', '/', '*' and '?'; none of that is
// part of the value.
func TestTextSplitsAroundSymbols(t *testing.T) {
	odd := sym("module.a:b/c*?${x}", symbol.Segment)
	tests := []struct {
		name string
		text symbol.Text
		sep  byte
		n    int
		want []symbol.Text
	}{
		{"literal", lit("a:b:c"), ':', 6, []symbol.Text{lit("a"), lit("b"), lit("c")}},
		{"at most n", lit("a:b:c:d"), ':', 2, []symbol.Text{lit("a"), lit("b:c:d")}},
		{"empty parts", lit("::"), ':', 6, []symbol.Text{{}, {}, {}}},
		{"no separator", odd, ':', 6, []symbol.Text{odd}},
		{"around a symbol", cat(lit("a:"), odd, lit(":c")), ':', 6, []symbol.Text{lit("a"), odd, lit("c")}},
		{"by slash", cat(lit("k/"), odd, lit("/v")), '/', 6, []symbol.Text{lit("k"), odd, lit("v")}},
		{"no text", symbol.Text{}, ':', 6, []symbol.Text{{}}},
	}
	for _, tc := range tests {
		if got := tc.text.SplitN(tc.sep, tc.n); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
	text := cat(odd, lit("/b"))
	i := text.Index('/')
	if got := text.Slice(i+1, text.Len()); got != lit("b") {
		t.Errorf("Slice after Index: got %v, want b", got)
	}
	if got := text.Slice(0, i); got != odd {
		t.Errorf("Slice before Index: got %v, want %v", got, odd)
	}
	for _, b := range []byte(":*?$") {
		if got := text.Index(b); got != -1 {
			t.Errorf("Index(%q): got %d, want -1", b, got)
		}
	}
}

func TestTextLower(t *testing.T) {
	name := sym("Account.ID", symbol.Digits)
	if got, want := cat(lit("ARN:"), name, lit(":ÄB")).Lower(), cat(lit("arn:"), name, lit(":äb")); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := lit("ABC").Lower(), lit("abc"); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTextPrefixSuffix(t *testing.T) {
	a, b := sym("a", symbol.Any), sym("ab", symbol.Any)
	text := cat(lit("arn:"), a, lit("/x"))
	for _, tc := range []struct {
		prefix symbol.Text
		want   bool
	}{
		{lit("arn:"), true}, {cat(lit("arn:"), a), true}, {text, true}, {symbol.Text{}, true},
		{cat(lit("arn:"), b), false}, {lit("arn:$"), false}, {cat(text, lit("y")), false},
	} {
		if got := text.HasPrefix(tc.prefix); got != tc.want {
			t.Errorf("HasPrefix(%v): got %v, want %v", tc.prefix, got, tc.want)
		}
	}
	if !text.HasSuffix("/x") || text.HasSuffix("a}/x") || cat(lit("x"), a).HasSuffix("a") {
		t.Error("HasSuffix looks into a symbol")
	}
}

func TestTextCutLast(t *testing.T) {
	a, s := sym("a", symbol.Any), sym("s", symbol.Segment)
	before, after, found := cat(lit("x"), a, s, a, lit("y"), s).CutLast(symbol.Any)
	if !found || before != cat(lit("x"), a, s, a) || after != cat(lit("y"), s) {
		t.Errorf("got %v, %v, %v", before, after, found)
	}
	if before, after, found = lit("xy").CutLast(symbol.Any); found || !before.IsZero() || after != lit("xy") {
		t.Errorf("without a symbol: got %v, %v, %v", before, after, found)
	}
}

// Positions other than those of Index and Len are a mistake of the caller, but the
// program must not hang on half a symbol.
func TestTextHalfSymbolTerminates(t *testing.T) {
	whole := sym("na:me", symbol.Any)
	half := whole.Slice(0, whole.Len()-1)
	if got := len(half.SplitN(':', 6)); got != 1 {
		t.Errorf("got %d parts, want 1", got)
	}
}

func TestParts(t *testing.T) {
	account := symbol.Symbol{Name: "account", Class: symbol.Digits}
	text := symbol.Concat(symbol.Literal("arn:&{x}:"), account.Text(), symbol.Literal(":&{y}"))
	var parts []string
	for literal, s := range text.Parts() {
		if literal == "" && s != account {
			t.Errorf("got the symbol %v, want %v", s, account)
		}
		parts = append(parts, literal)
	}
	if want := []string{"arn:&{x}:", "", ":&{y}"}; !slices.Equal(parts, want) {
		t.Errorf("got %q, want %q", parts, want)
	}
	if got, want := text.Replace("&{", "${").String(), "arn:${x}:${account}:${y}"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
