package cloudformation

import (
	"strings"
	"unicode/utf8"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// quote writes a text as a JSON string.
func quote(t symbol.Text) symbol.Text {
	parts := []symbol.Text{symbol.Literal(`"`)}
	eachPart(t, func(lit string, sym *symbol.Symbol) {
		if sym != nil {
			parts = append(parts, sym.Text())
			return
		}
		var b strings.Builder
		for _, r := range lit {
			switch {
			case r == '"' || r == '\\':
				b.WriteByte('\\')
				b.WriteRune(r)
			case r == '\n':
				b.WriteString(`\n`)
			case r == '\r':
				b.WriteString(`\r`)
			case r == '\t':
				b.WriteString(`\t`)
			case r < 0x20:
				b.WriteString(`\u00`)
				b.WriteByte("0123456789abcdef"[r>>4])
				b.WriteByte("0123456789abcdef"[r&15])
			default:
				b.WriteRune(r)
			}
		}
		parts = append(parts, symbol.Literal(b.String()))
	})
	return symbol.Concat(append(parts, symbol.Literal(`"`))...)
}

// eachPart walks over the literal stretches and the symbols of a text.
func eachPart(t symbol.Text, f func(lit string, sym *symbol.Symbol)) {
	for s := range t.Symbols() {
		text := s.Text()
		i := 0
		for ; !t.Slice(i, t.Len()).HasPrefix(text); i++ {
		}
		if i > 0 {
			f(t.Slice(0, i).String(), nil)
		}
		f("", &s)
		t = t.Slice(i+text.Len(), t.Len())
	}
	if !t.IsZero() {
		f(t.String(), nil)
	}
}

// Holes stand for symbols in a JSON text: hole inside of a string, bare for a whole
// value. They are of Unicode's private use, which no policy holds.
const (
	hole = '\uE000'
	bare = '\uE001'
)

// parseJSON reads a JSON text of which parts may be unknown: a symbol inside a
// string is a part of the string, one outside is a value of unknown shape.
func parseJSON(t symbol.Text) (*source.Node, error) {
	if s, known := t.Literal(); known {
		return source.ParseJSON(s)
	}
	var b strings.Builder
	var syms []symbol.Symbol
	inside, escaped := false, false
	eachPart(t, func(lit string, sym *symbol.Symbol) {
		switch {
		case sym == nil:
		case inside:
			b.WriteRune(hole)
			syms = append(syms, *sym)
		default:
			b.WriteString(`"` + string(bare) + `"`)
			syms = append(syms, *sym)
		}
		for i := range len(lit) {
			switch c := lit[i]; {
			case escaped:
				escaped = false
			case c == '\\' && inside:
				escaped = true
			case c == '"':
				inside = !inside
			}
		}
		b.WriteString(lit)
	})
	n, err := source.ParseJSON(b.String())
	if err != nil {
		return nil, err
	}
	fillHoles(n, &syms)
	return n, nil
}

// fillHoles puts the symbols back, in the order of the text.
func fillHoles(n *source.Node, syms *[]symbol.Symbol) {
	switch n.Kind {
	case source.List:
		for _, item := range n.Items {
			fillHoles(item, syms)
		}
	case source.Object:
		var late []string
		for i := range n.Members {
			m := &n.Members[i]
			name := fill(m.Name, syms)
			if m.Name = name.String(); !name.Known() {
				late = append(late, m.Name)
			}
			fillHoles(m.Value, syms)
		}
		if late != nil {
			// Which key it is may change what all of the object means.
			n.Kind, n.Members, n.Text = source.Unknown, nil, named("what has the key "+late[0])
		}
	case source.String:
		s := n.Text.String()
		if s == string(bare) {
			n.Kind = source.Unknown
		}
		n.Text = fill(s, syms)
	default:
	}
}

func fill(s string, syms *[]symbol.Symbol) symbol.Text {
	var parts []symbol.Text
	for s != "" {
		i := strings.IndexAny(s, string([]rune{hole, bare}))
		if i < 0 || len(*syms) == 0 {
			parts = append(parts, symbol.Literal(s))
			break
		}
		parts = append(parts, symbol.Literal(s[:i]), (*syms)[0].Text())
		*syms = (*syms)[1:]
		s = s[i+utf8.RuneLen(hole):]
	}
	return symbol.Concat(parts...)
}
