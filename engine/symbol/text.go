// Package symbol holds texts that are not wholly known yet.
//
// An infrastructure plan knows the name of a bucket but not the account its ARN
// will carry, or the id a key will get. Such a value keeps its identity: it is a
// [Text], a concatenation of literal parts and named unknowns ([Symbol]). A symbol
// equals itself wherever it appears and nothing else for certain, so that a policy
// naming "arn:aws:iam::${account}:role/App" definitely matches that very role.
//
// [Pattern] matches texts against the globs and variables of the policy language,
// with a three-valued answer.
package symbol

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// A Class says which strings a symbol can stand for. A narrower class makes more
// comparisons definite.
type Class byte

const (
	// Any stands for any string, the empty one and whole ARNs included.
	Any Class = iota
	// Segment stands for a non-empty string without ':', '/' and wildcards: a name
	// or an id.
	Segment
	// Digits stands for a non-empty string of decimal digits: an account id.
	Digits
)

// A Symbol is a named unknown.
type Symbol struct {
	// Name identifies the unknown, such as "account" or "aws_kms_key.k.key_id".
	// Symbols of one name are one value.
	Name string
	// Class says which strings the symbol can stand for.
	Class Class
	// Unique is set for identifiers that a service assigns: two unique symbols
	// with different names never share a character of one text. They are not equal,
	// neither is inside the other, and the end of one is not the start of the other.
	Unique bool
}

// A symbol is encoded inside a Text's string between two bytes that valid UTF-8
// never contains. This makes a Text comparable, usable as a map key, and as cheap
// as a string when it is wholly known.
const (
	open  = 0xFE
	closE = 0xFF
)

// A Text is a string of which parts may be unknown. The zero Text is the empty
// string. Texts are comparable with ==: equal texts hold equal values in every world.
type Text struct{ enc string }

// Literal returns the text that is exactly s. Invalid UTF-8 is replaced by U+FFFD.
func Literal(s string) Text {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return Text{s}
}

// Text returns the text that is exactly the symbol's value.
func (s Symbol) Text() Text {
	class := byte('0') + byte(s.Class)
	if s.Unique {
		class += 8
	}
	return Text{string([]byte{open, class}) + strings.ToValidUTF8(s.Name, "\uFFFD") + string([]byte{closE})}
}

func decode(enc string) Symbol {
	class := enc[1] - '0'
	return Symbol{Name: enc[2 : len(enc)-1], Class: Class(class & 7), Unique: class&8 != 0}
}

// Concat returns the concatenation of its operands.
func Concat(ts ...Text) Text {
	n := 0
	for _, t := range ts {
		n += len(t.enc)
	}
	var b strings.Builder
	b.Grow(n)
	for _, t := range ts {
		b.WriteString(t.enc)
	}
	return Text{b.String()}
}

// Known reports whether t has no unknown part.
func (t Text) Known() bool { return strings.IndexByte(t.enc, open) < 0 }

// Literal returns the string t is, and false if t has an unknown part.
func (t Text) Literal() (string, bool) { return t.enc, t.Known() }

// IsZero reports whether t is the empty string.
func (t Text) IsZero() bool { return t.enc == "" }

// String renders t for people: unknown parts as ${name}.
func (t Text) String() string {
	if t.Known() {
		return t.enc
	}
	var b strings.Builder
	b.Grow(len(t.enc))
	for literal, s := range t.Parts() {
		if literal == "" {
			b.WriteString("${")
			b.WriteString(s.Name)
			b.WriteByte('}')
		} else {
			b.WriteString(literal)
		}
	}
	return b.String()
}

// Symbols yields the unknown parts of t in order.
func (t Text) Symbols() iter.Seq[Symbol] {
	return func(yield func(Symbol) bool) {
		for s := t.enc; ; {
			i := strings.IndexByte(s, open)
			if i < 0 {
				return
			}
			n := unitLen(s[i:])
			if !yield(decode(s[i : i+n])) {
				return
			}
			s = s[i+n:]
		}
	}
}

// Parts yields the parts of t in order: literals with a zero Symbol, and symbols with
// an empty literal.
func (t Text) Parts() iter.Seq2[string, Symbol] {
	return func(yield func(string, Symbol) bool) {
		for s := t.enc; s != ""; {
			i := strings.IndexByte(s, open)
			switch {
			case i < 0:
				yield(s, Symbol{})
				return
			case i > 0:
				if !yield(s[:i], Symbol{}) {
					return
				}
				s = s[i:]
			default:
				n := unitLen(s)
				if !yield("", decode(s[:n])) {
					return
				}
				s = s[n:]
			}
		}
	}
}

// Replace returns t with every old in its literal parts replaced.
func (t Text) Replace(old, replacement string) Text {
	var b strings.Builder
	for lit, sym := range t.Parts() {
		if lit == "" {
			b.WriteString(sym.Text().enc)
		} else {
			b.WriteString(strings.ReplaceAll(lit, old, replacement))
		}
	}
	return Text{b.String()}
}

// Index returns the position of the first literal b in t, or -1. Positions are
// meaningful only to [Text.Slice]; bytes inside a symbol are passed over.
func (t Text) Index(b byte) int { return index(t.enc, b) }

// Slice returns the part of t from position i up to position j.
func (t Text) Slice(i, j int) Text { return Text{t.enc[i:j]} }

// Len returns the position after the last unit of t, for [Text.Slice].
func (t Text) Len() int { return len(t.enc) }

// SplitN splits t around the literal separator b into at most n parts.
func (t Text) SplitN(b byte, n int) []Text {
	parts := make([]Text, 0, n)
	rest := t.enc
	for len(parts) < n-1 {
		i := index(rest, b)
		if i < 0 {
			break
		}
		parts = append(parts, Text{rest[:i]})
		rest = rest[i+1:]
	}
	return append(parts, Text{rest})
}

// HasPrefix reports whether t certainly begins with p.
func (t Text) HasPrefix(p Text) bool { return strings.HasPrefix(t.enc, p.enc) }

// HasSuffix reports whether t certainly ends with the literal s.
func (t Text) HasSuffix(s string) bool { return strings.HasSuffix(t.enc, s) }

// Diverge reports whether two texts go on with different literal characters after a
// common beginning: then no text begins with both.
func Diverge(a, b Text) bool {
	n := 0
	for n < len(a.enc) && n < len(b.enc) && a.enc[n] == b.enc[n] {
		n++
	}
	if n == len(a.enc) || n == len(b.enc) || a.enc[n] == open || b.enc[n] == open {
		return false
	}
	// Symbols with a common beginning of their names are just two symbols.
	return strings.LastIndexByte(a.enc[:n], open) <= strings.LastIndexByte(a.enc[:n], closE)
}

// CutLast cuts t after its last symbol of a class, and reports whether it has one.
func (t Text) CutLast(c Class) (before, after Text, found bool) {
	cut := 0
	for i := 0; i < len(t.enc); {
		n := unitLen(t.enc[i:])
		if t.enc[i] == open && decode(t.enc[i:i+n]).Class == c {
			cut = i + n
		}
		i += n
	}
	return Text{t.enc[:cut]}, Text{t.enc[cut:]}, cut > 0
}

// Lower returns t with its literal parts in lower case.
func (t Text) Lower() Text {
	if t.Known() {
		return Text{strings.ToLower(t.enc)}
	}
	var b strings.Builder
	for u := range units(t.enc) {
		if u[0] == open {
			b.WriteString(u)
		} else {
			b.WriteString(strings.ToLower(u))
		}
	}
	return Text{b.String()}
}

// unitLen returns the length of the first unit of s: a symbol, a mark of a
// pattern, or one code point. It is never 0, so that walking always ends.
func unitLen(s string) int {
	switch c := s[0]; {
	case c < utf8.RuneSelf:
		return 1
	case c == open:
		return through(s, closE)
	case c == varOpen:
		return through(s, varClose)
	case c == one || c == many:
		return 1
	default:
		_, n := utf8.DecodeRuneInString(s)
		return n
	}
}

func through(s string, b byte) int {
	if i := strings.IndexByte(s, b); i >= 0 {
		return i + 1
	}
	return len(s)
}

func units(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(s) > 0 {
			n := unitLen(s)
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

func index(s string, b byte) int {
	first := strings.IndexByte(s, b)
	if first < 0 || strings.IndexByte(s[:first], open) < 0 && strings.IndexByte(s[:first], varOpen) < 0 {
		return first
	}
	for i := 0; i < len(s); i += unitLen(s[i:]) {
		if s[i] == b {
			return i
		}
	}
	return -1
}
