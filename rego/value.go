package rego

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/open-policy-agent/opa/v1/ast"
)

// A builder turns JSON into values of OPA, token by token: neither the text nor a
// tree of Go values is ever held as a whole. What a file says often it holds once.
type builder struct {
	dec   *jsontext.Decoder
	terms map[string]*ast.Term
}

func newBuilder(r io.Reader) *builder {
	return &builder{
		dec:   jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		terms: map[string]*ast.Term{},
	}
}

// whole reads one JSON value and what follows it, which must be nothing.
func (b *builder) whole(mentioned *keys) (*ast.Term, error) {
	t, err := b.value(mentioned)
	if err != nil {
		return nil, err
	}
	if _, err := b.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("at byte %d: something follows the JSON value", b.dec.InputOffset())
	}
	return t, nil
}

// value reads one value; of an object, only what is mentioned.
func (b *builder) value(mentioned *keys) (*ast.Term, error) {
	if b.dec.PeekKind() == '"' {
		return b.string()
	}
	token, err := b.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return ast.InternedNullTerm, nil
	case 't', 'f':
		return ast.InternedTerm(token.Bool()), nil
	case '[':
		return b.array(mentioned)
	case '{':
		return b.object(mentioned)
	default:
		return ast.NumberTerm(json.Number(token.String())), nil
	}
}

// maxShared is the length of the longest string that is looked up among those seen.
const maxShared = 64

func (b *builder) string() (*ast.Term, error) {
	quoted, err := b.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	text := []byte(quoted[1 : len(quoted)-1])
	if bytes.IndexByte(text, '\\') >= 0 {
		// Text that is no UTF-8 is mended, and that is the only error.
		text, _ = jsontext.AppendUnquote(nil, quoted)
	}
	if len(text) > maxShared {
		return ast.StringTerm(string(text)), nil
	}
	t, ok := b.terms[string(text)]
	if !ok {
		t = ast.StringTerm(string(text))
		b.terms[string(text)] = t
	}
	return t, nil
}

func (b *builder) array(mentioned *keys) (*ast.Term, error) {
	var items []*ast.Term
	for b.dec.PeekKind() != ']' {
		item, err := b.value(mentioned)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := b.dec.ReadToken()
	return ast.ArrayTerm(items...), err
}

func (b *builder) object(mentioned *keys) (*ast.Term, error) {
	var pairs [][2]*ast.Term
	for b.dec.PeekKind() != '}' {
		name, err := b.string()
		if err != nil {
			return nil, err
		}
		next := mentioned.at(string(name.Value.(ast.String)))
		if next == nil {
			if err := b.dec.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		value, err := b.value(next)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, [2]*ast.Term{name, value})
	}
	_, err := b.dec.ReadToken()
	return ast.ObjectTerm(pairs...), err
}

// valueOf turns any value that has a JSON form into one of OPA.
func valueOf(v any) (*ast.Term, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return newBuilder(bytes.NewReader(text)).whole(everything)
}

// everything mentions all keys.
var everything = &keys{whole: true}
