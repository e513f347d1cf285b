package configuration

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A symbol travels through an evaluation as a known string: its number between two
// characters of private use, which configurations do not hold. Templates and
// jsonencode carry it along; functions that would look inside are told (function.go).
const (
	markOpen  = "\uE0F0"
	markClose = "\uE0F1"
)

// symbols are those that an evaluation met, by their numbers.
type symbols struct {
	list    []symbol.Symbol
	numbers map[symbol.Symbol]int
}

// encode writes a text as a string.
func (s *symbols) encode(t symbol.Text) string {
	var b strings.Builder
	for lit, sym := range t.Parts() {
		if lit != "" {
			b.WriteString(lit)
			continue
		}
		n, ok := s.numbers[sym]
		if !ok {
			n = len(s.list)
			s.list = append(s.list, sym)
			if s.numbers == nil {
				s.numbers = map[symbol.Symbol]int{}
			}
			s.numbers[sym] = n
		}
		b.WriteString(markOpen + strconv.Itoa(n) + markClose)
	}
	return b.String()
}

// decode reads a string that encode, or templates around it, made.
func (s *symbols) decode(text string) symbol.Text {
	if !symbolic(text) {
		return symbol.Literal(text)
	}
	var parts []symbol.Text
	for {
		before, after, found := strings.Cut(text, markOpen)
		parts = append(parts, symbol.Literal(before))
		if !found {
			return symbol.Concat(parts...)
		}
		number, rest, _ := strings.Cut(after, markClose)
		if n, err := strconv.Atoi(number); err == nil && n < len(s.list) {
			parts = append(parts, s.list[n].Text())
		}
		text = rest
	}
}

// words writes a string for people, symbols as their names.
func (s *symbols) words(text string) string {
	var b strings.Builder
	for lit, sym := range s.decode(text).Parts() {
		b.WriteString(lit + sym.Name)
	}
	return b.String()
}

// symbolic reports whether a string holds a symbol.
func symbolic(text string) bool { return strings.Contains(text, markOpen) }

// holdsSymbol reports whether a value has a string, or the name of an element, with a
// symbol somewhere.
func holdsSymbol(v cty.Value) bool {
	found := false
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		found = found || hasSymbolicKey(v)
		if v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
			found = found || symbolic(v.AsString())
		}
		return !found, nil
	})
	return found
}

// hasSymbolicKey reports whether the name of some element of a map or object is not
// wholly known.
func hasSymbolicKey(v cty.Value) bool {
	v = unmark(v)
	if !v.IsKnown() || v.IsNull() || !v.Type().IsMapType() && !v.Type().IsObjectType() {
		return false
	}
	for it := v.ElementIterator(); it.Next(); {
		if key, _ := it.Element(); symbolic(key.AsString()) {
			return true
		}
	}
	return false
}

// Values carry marks: what must not be shown, what is missing, and where they are
// written.

// sensitive marks what Terraform does not show.
type sensitiveMark struct{}

// A missing mark says what an unknown value hangs on.
type missing struct {
	what string
	// absent is set for a source that is not at hand.
	absent bool
}

// A place mark says where an object is written.
type place struct{ rng source.Range }

// A document mark says what a string is the text of. It holds for that text alone:
// functions that make another of it keep the mark.
type document struct {
	text string
	node func() *source.Node
}

// unknown is a value of which nothing is known but what it hangs on.
func unknown(what string) cty.Value { return cty.DynamicVal.Mark(missing{what: what}) }

// absent is a value whose source is not at hand.
func absent(what string) cty.Value { return cty.DynamicVal.Mark(missing{what, true}) }

// isAbsent reports whether some part of a value is unknown for want of its source.
func isAbsent(marks cty.ValueMarks) bool {
	for m := range marks {
		if m, ok := m.(missing); ok && m.absent {
			return true
		}
	}
	return false
}

// onlyKept are the marks that hold for what is made of a value, too.
func onlyKept(marks cty.ValueMarks) cty.ValueMarks {
	out := cty.ValueMarks{}
	for m := range marks {
		switch m.(type) {
		case sensitiveMark, missing:
			out[m] = struct{}{}
		}
	}
	return out
}

// reasons are what the unknown parts of a value hang on.
func reasons(marks cty.ValueMarks) []string {
	var out []string
	for m := range marks {
		if m, ok := m.(missing); ok {
			out = append(out, m.what)
		}
	}
	slices.Sort(out)
	return out
}

func deepMarks(v cty.Value) cty.ValueMarks {
	_, marks := v.UnmarkDeep()
	return marks
}

// node turns a value into a tree. rng is where it is written, as far as the value
// does not tell itself.
func (e *Evaluator) node(v cty.Value, rng source.Range) *source.Node {
	v, marks := v.Unmark()
	rng = placeOf(marks, rng)
	switch {
	case !v.IsKnown():
		return &source.Node{Kind: source.Unknown, Text: e.fresh(marks, rng), Range: rng}
	case v.IsNull():
		return &source.Node{Kind: source.Null, Range: rng}
	}
	switch t := v.Type(); {
	case t == cty.String:
		return &source.Node{Kind: source.String, Text: e.symbols.decode(v.AsString()), Range: rng}
	case t == cty.Bool:
		return &source.Node{Kind: source.Bool, Text: symbol.Literal(strconv.FormatBool(v.True())), Range: rng}
	case t == cty.Number:
		return &source.Node{Kind: source.Number, Text: symbol.Literal(v.AsBigFloat().Text('f', -1)), Range: rng}
	case t.IsObjectType() || t.IsMapType():
		return e.objectNode(v, rng)
	case v.CanIterateElements():
		out := &source.Node{Kind: source.List, Range: rng}
		for it := v.ElementIterator(); it.Next(); {
			_, item := it.Element()
			out.Items = append(out.Items, e.node(item, rng))
		}
		return out
	}
	return &source.Node{Kind: source.Unknown, Range: rng}
}

func (e *Evaluator) objectNode(v cty.Value, rng source.Range) *source.Node {
	out := &source.Node{Kind: source.Object, Range: rng}
	values := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if symbolic(name) {
			// What it is about is not known, so nothing of it is.
			return &source.Node{Kind: source.Unknown, Text: e.symbols.decode(name), Range: rng}
		}
		value := e.node(values[name], rng)
		out.Members = append(out.Members, source.Member{Name: name, Range: value.Range, Value: value})
	}
	return out
}

// fresh is a symbol for a value that is not known. It is no other's: what it hangs
// on names it, and does not tell it.
func (e *Evaluator) fresh(marks cty.ValueMarks, rng source.Range) symbol.Text {
	what := strings.Join(reasons(marks), ", ")
	if what == "" {
		what = "unknown"
	}
	e.count++
	name := what + " at " + rng.File + ":" + rng.Start.String()
	if e.seen[name] {
		name += " #" + strconv.Itoa(e.count)
	}
	e.seen[name] = true
	return symbol.Symbol{Name: name}.Text()
}

func placeOf(marks cty.ValueMarks, otherwise source.Range) source.Range {
	found := otherwise
	told := false
	for m := range marks {
		p, ok := m.(place)
		if ok && (!told || before(p.rng, found)) {
			found, told = p.rng, true
		}
	}
	return found
}

func before(a, b source.Range) bool {
	if a.File != b.File {
		return a.File < b.File
	}
	return a.Start.Byte < b.Start.Byte
}

// rangeOf turns a range of HCL, whose columns count grapheme clusters, into one of ours.
func rangeOf(r hcl.Range) source.Range {
	return source.Range{
		File:  r.Filename,
		Start: source.Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:   source.Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}

// write gives the JSON text of a tree, symbols as strings carry them.
func (e *Evaluator) write(b *strings.Builder, n *source.Node) {
	switch n.Kind {
	case source.Null:
		b.WriteString("null")
	case source.Bool, source.Number:
		b.WriteString(n.Text.String())
	case source.List:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			e.write(b, item)
		}
		b.WriteByte(']')
	case source.Object:
		b.WriteByte('{')
		for i, m := range n.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(m.Name) + ":")
			e.write(b, m.Value)
		}
		b.WriteByte('}')
	default:
		b.WriteString(quote(e.symbols.encode(n.Text)))
	}
}

// documentValue is the string that holds a tree as JSON.
func (e *Evaluator) documentValue(n *source.Node, marks cty.ValueMarks) cty.Value {
	var b strings.Builder
	e.write(&b, n)
	text := b.String()
	return cty.StringVal(text).WithMarks(onlyKept(marks)).Mark(&document{text: text, node: func() *source.Node { return n }})
}

// tree reads the tree of a string: the one it was made of, else the text itself.
func (e *Evaluator) tree(v cty.Value, rng source.Range) (*source.Node, error) {
	v, marks := v.Unmark()
	text := v.AsString()
	var docs []*document
	for m := range marks {
		if d, ok := m.(*document); ok && d.text == text {
			docs = append(docs, d)
		}
	}
	// Where several hold, they are of one text and differ in their places.
	slices.SortFunc(docs, func(a, b *document) int { return strings.Compare(placeText(a), placeText(b)) })
	if len(docs) > 0 {
		if n := docs[0].node(); n != nil {
			return n, nil
		}
	}
	n, err := source.ParseJSON(text)
	if err != nil {
		return nil, err
	}
	n.Relocate(placeOf(marks, rng))
	e.decodeNode(n)
	return n, nil
}

func placeText(d *document) string {
	if n := d.node(); n != nil {
		return n.Range.File + ":" + n.Range.Start.String()
	}
	return "\xff"
}

// decodeNode puts symbols in the place of what stands for them in a parsed text.
func (e *Evaluator) decodeNode(n *source.Node) {
	if n.Kind == source.String {
		if text, _ := n.Text.Literal(); symbolic(text) {
			n.Text = e.symbols.decode(text)
		}
	}
	for _, m := range n.Members {
		if symbolic(m.Name) {
			*n = source.Node{Kind: source.Unknown, Text: e.symbols.decode(m.Name), Range: n.Range}
			return
		}
		e.decodeNode(m.Value)
	}
	for _, item := range n.Items {
		e.decodeNode(item)
	}
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(text)
}
