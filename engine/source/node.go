package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tfguard/tfguard/engine/symbol"
)

// A Kind says what a [Node] is.
type Kind uint8

// The kinds of a node.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Object
	// Unknown is a value that is not known at all: the node's Text, if not empty,
	// is the symbol it will be.
	Unknown
)

// String returns the JSON name of the kind.
func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object", "unknown value"}[k]
}

// Noun returns the name of the kind with its article: "an array".
func (k Kind) Noun() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object", "an unknown value"}[k]
}

// A Node is a value of a JSON-like tree that knows its place. Objects keep the
// order and the duplicates of their members.
type Node struct {
	Kind Kind
	// Text is the value of a String, the literal of a Number ("1.50"), "true" or
	// "false" of a Bool.
	Text    symbol.Text
	Members []Member
	Items   []*Node
	Range   Range
}

// A Member is a name and value of an object.
type Member struct {
	Name  string
	Range Range // of the name
	Value *Node
}

// MarshalJSON writes the tree as JSON text, with duplicates and order as they are.
// Unknown parts are shown as ${name}; null stands for what has no name, and for nil.
func (n *Node) MarshalJSON() ([]byte, error) { return n.appendJSON(nil), nil }

func (n *Node) appendJSON(b []byte) []byte {
	switch {
	case n == nil || n.Kind == Null || n.Kind == Unknown && n.Text.IsZero():
		return append(b, "null"...)
	case n.Kind == Bool || n.Kind == Number:
		return append(b, n.Text.String()...)
	case n.Kind == String || n.Kind == Unknown:
		return appendQuoted(b, n.Text.String())
	case n.Kind == List:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b)
		}
		return append(b, ']')
	default:
		b = append(b, '{')
		for i, m := range n.Members {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendQuoted(b, m.Name)
			b = append(b, ':')
			b = m.Value.appendJSON(b)
		}
		return append(b, '}')
	}
}

func appendQuoted(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // what is no UTF-8 becomes U+FFFD
	return b
}

// Member returns the value of the last member with a name, nil if there is none.
func (n *Node) Member(name string) *Node {
	var found *Node
	for i := range n.Members {
		if n.Members[i].Name == name {
			found = n.Members[i].Value
		}
	}
	return found
}

// Equal reports whether two trees hold the same values, whatever the order of the
// members and their places.
func (n *Node) Equal(other *Node) bool {
	if n.Kind != other.Kind || n.Text != other.Text || len(n.Members) != len(other.Members) || len(n.Items) != len(other.Items) {
		return false
	}
	for _, m := range n.Members {
		value := other.Member(m.Name)
		if value == nil || !m.Value.Equal(value) {
			return false
		}
	}
	for i := range n.Items {
		if !n.Items[i].Equal(other.Items[i]) {
			return false
		}
	}
	return true
}

// Clone returns a copy of the tree; what has no file is given a range.
func (n *Node) Clone(otherwise Range) *Node {
	out := *n
	if out.Range.File == "" {
		out.Range = otherwise
	}
	out.Members = slices.Clone(n.Members)
	for i, m := range out.Members {
		if m.Range.File == "" {
			out.Members[i].Range = otherwise
		}
		out.Members[i].Value = m.Value.Clone(otherwise)
	}
	out.Items = slices.Clone(n.Items)
	for i, item := range out.Items {
		out.Items[i] = item.Clone(otherwise)
	}
	return &out
}

// Relocate gives the node, and all below it, one range.
func (n *Node) Relocate(rng Range) {
	n.Range = rng
	for i := range n.Members {
		n.Members[i].Range = rng
		n.Members[i].Value.Relocate(rng)
	}
	for _, item := range n.Items {
		item.Relocate(rng)
	}
}

// A SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	Pos Pos
	Msg string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s: %s", e.Pos, e.Msg) }

// maxDepth bounds the nesting of a document: a policy needs six levels.
const maxDepth = 200

// ParseJSON reads one JSON value and nothing after it. A byte-order mark is
// skipped. It returns a [*SyntaxError] for text that is not JSON.
func ParseJSON[T string | []byte](text T) (*Node, error) {
	var p Parser
	return p.Parse(string(text))
}

// A Parser reads many small JSON texts for less than [ParseJSON] does: each tree
// takes the memory of the one before. The zero Parser is ready for use.
type Parser struct {
	text string
	base int // of the JSON in text: after a byte-order mark
	body []byte
	in   bytes.Buffer
	dec  *jsontext.Decoder
	pos  Pos

	nodes   slab[Node]
	members slab[Member]
	items   slab[*Node]
	// What the objects and arrays hold so far that are not closed yet.
	openMembers []Member
	openItems   []*Node
}

// Parse is [ParseJSON]. The tree is good until the next call; its texts are for
// longer.
func (p *Parser) Parse(text string) (*Node, error) {
	body := strings.TrimPrefix(text, "\uFEFF")
	p.text, p.base = text, len(text)-len(body)
	p.pos = Pos{Line: 1, Column: 1, Byte: p.base}
	p.body = append(p.body[:0], body...)
	p.in = *bytes.NewBuffer(p.body)
	if p.dec == nil {
		p.dec = jsontext.NewDecoder(&p.in, jsontext.AllowDuplicateNames(true))
	} else {
		p.dec.Reset(&p.in, jsontext.AllowDuplicateNames(true))
	}
	p.nodes.reset()
	p.members.reset()
	p.items.reset()
	p.openMembers, p.openItems = p.openMembers[:0], p.openItems[:0]

	node, err := p.value(0)
	if err == nil {
		var after Range
		if _, after, err = p.token(); errors.Is(err, io.EOF) {
			return node, nil
		}
		if err == nil {
			err = &SyntaxError{Pos: after.Start, Msg: "unexpected text after the JSON value"}
		}
	}
	return nil, p.syntaxError(err)
}

// A slab hands out stretches of one large piece of memory.
type slab[T any] struct{ whole, rest []T }

func (s *slab[T]) take(n int) []T {
	if len(s.rest) < n {
		s.whole = make([]T, max(n, 8, 2*len(s.whole)))
		s.rest = s.whole
	}
	out := s.rest[:n:n]
	s.rest = s.rest[n:]
	return out
}

// keep returns a stretch with what is in vs.
func (s *slab[T]) keep(vs []T) []T {
	out := s.take(len(vs))
	copy(out, vs)
	return out
}

// reset makes the memory of all that was handed out free again.
func (s *slab[T]) reset() { s.rest = s.whole }

// seek moves the position forward to a byte offset.
func (p *Parser) seek(offset int) Pos {
	passed := p.text[p.pos.Byte:max(p.pos.Byte, min(offset, len(p.text)))]
	p.pos.Byte += len(passed)
	if end := strings.LastIndexByte(passed, '\n'); end >= 0 {
		p.pos.Line += strings.Count(passed, "\n")
		p.pos.Column = 1
		passed = passed[end+1:]
	}
	p.pos.Column += utf8.RuneCountInString(passed)
	return p.pos
}

func (p *Parser) syntaxError(err error) error {
	if known, ok := errors.AsType[*SyntaxError](err); ok {
		return known
	}
	at, msg := len(p.text), "the JSON text ends too early"
	if syn, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = p.base + int(syn.ByteOffset)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			msg = syn.Err.Error()
		}
	}
	return &SyntaxError{Pos: p.seek(at), Msg: msg}
}

// between reports whether c is white space or punctuation between tokens.
func between(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ':', ',':
		return true
	}
	return false
}

// token reads one token and the range it covers.
func (p *Parser) token() (jsontext.Token, Range, error) {
	tok, err := p.dec.ReadToken()
	if err != nil {
		return tok, Range{}, err
	}
	end := p.base + int(p.dec.InputOffset())
	// White space, ':' and ',' before the token belong to nobody.
	start := p.pos.Byte
	for start < end && between(p.text[start]) {
		start++
	}
	from := p.seek(start)
	return tok, Range{Start: from, End: p.seek(end)}, nil
}

func (p *Parser) value(depth int) (*Node, error) {
	tok, rng, err := p.token()
	if err != nil {
		return nil, err
	}
	return p.valueOf(tok, rng, depth)
}

// quoted returns what a string token says: mostly a piece of the text itself.
func (p *Parser) quoted(tok jsontext.Token, rng Range) string {
	if s := p.text[rng.Start.Byte+1 : rng.End.Byte-1]; strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return tok.String()
}

func (p *Parser) valueOf(tok jsontext.Token, rng Range, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, &SyntaxError{Pos: rng.Start, Msg: fmt.Sprintf("values are nested more than %d levels deep", maxDepth)}
	}
	n := &p.nodes.take(1)[0]
	*n = Node{Range: rng}
	var err error
	switch tok.Kind() {
	case 'n':
		n.Kind = Null
	case 't', 'f':
		n.Kind, n.Text = Bool, symbol.Literal(tok.String())
	case '0':
		n.Kind, n.Text = Number, symbol.Literal(p.text[rng.Start.Byte:rng.End.Byte])
	case '"':
		n.Kind, n.Text = String, symbol.Literal(p.quoted(tok, rng))
	case '[':
		n.Kind = List
		err = p.list(n, depth)
	case '{':
		n.Kind = Object
		err = p.object(n, depth)
	}
	return n, err
}

// list reads the items of an array and its end.
func (p *Parser) list(n *Node, depth int) error {
	first := len(p.openItems)
	for {
		tok, rng, err := p.token()
		if err != nil {
			return err
		}
		if tok.Kind() == ']' {
			n.Range.End = rng.End
			n.Items = p.items.keep(p.openItems[first:])
			p.openItems = p.openItems[:first]
			return nil
		}
		item, err := p.valueOf(tok, rng, depth+1)
		if err != nil {
			return err
		}
		p.openItems = append(p.openItems, item)
	}
}

// object reads the members of an object and its end.
func (p *Parser) object(n *Node, depth int) error {
	first := len(p.openMembers)
	for {
		tok, rng, err := p.token()
		if err != nil {
			return err
		}
		if tok.Kind() == '}' {
			n.Range.End = rng.End
			n.Members = p.members.keep(p.openMembers[first:])
			p.openMembers = p.openMembers[:first]
			return nil
		}
		name := p.quoted(tok, rng)
		value, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		p.openMembers = append(p.openMembers, Member{Name: name, Range: rng, Value: value})
	}
}
