package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
func ParseJSON(text []byte) (*Node, error) {
	body := bytes.TrimPrefix(text, []byte("\uFEFF"))
	p := &parser{
		text: text,
		base: len(text) - len(body),
		dec:  jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true)),
		pos:  Pos{Line: 1, Column: 1, Byte: len(text) - len(body)},
	}
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

type parser struct {
	text []byte
	base int
	dec  *jsontext.Decoder
	pos  Pos
	// nodes are made in batches, since a text has many small values.
	nodes []Node
}

func (p *parser) node() *Node {
	if len(p.nodes) == 0 {
		p.nodes = make([]Node, min(64, 4+len(p.text)/24))
	}
	n := &p.nodes[0]
	p.nodes = p.nodes[1:]
	return n
}

// seek moves the position forward to a byte offset.
func (p *parser) seek(offset int) Pos {
	for p.pos.Byte < offset && p.pos.Byte < len(p.text) {
		r, n := rune(p.text[p.pos.Byte]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(p.text[p.pos.Byte:])
		}
		p.pos.Byte += n
		if r == '\n' {
			p.pos.Line++
			p.pos.Column = 1
		} else {
			p.pos.Column++
		}
	}
	return p.pos
}

func (p *parser) syntaxError(err error) error {
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
func (p *parser) token() (jsontext.Token, Range, error) {
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

func (p *parser) value(depth int) (*Node, error) {
	tok, rng, err := p.token()
	if err != nil {
		return nil, err
	}
	return p.valueOf(tok, rng, depth)
}

func (p *parser) valueOf(tok jsontext.Token, rng Range, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, &SyntaxError{Pos: rng.Start, Msg: fmt.Sprintf("values are nested more than %d levels deep", maxDepth)}
	}
	n := p.node()
	n.Range = rng
	switch tok.Kind() {
	case 'n':
		n.Kind = Null
	case 't', 'f':
		n.Kind, n.Text = Bool, symbol.Literal(tok.String())
	case '0':
		n.Kind, n.Text = Number, symbol.Literal(string(p.text[rng.Start.Byte:rng.End.Byte]))
	case '"':
		n.Kind, n.Text = String, symbol.Literal(tok.String())
	case '[':
		n.Kind = List
		for {
			tok, rng, err := p.token()
			if err != nil {
				return nil, err
			}
			if tok.Kind() == ']' {
				n.Range.End = rng.End
				return n, nil
			}
			item, err := p.valueOf(tok, rng, depth+1)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, item)
		}
	case '{':
		n.Kind = Object
		for {
			tok, rng, err := p.token()
			if err != nil {
				return nil, err
			}
			if tok.Kind() == '}' {
				n.Range.End = rng.End
				return n, nil
			}
			name := tok.String()
			value, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			if n.Members == nil {
				n.Members = make([]Member, 0, 8)
			}
			n.Members = append(n.Members, Member{Name: name, Range: rng, Value: value})
		}
	}
	return n, nil
}
