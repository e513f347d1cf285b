// Package yaml reads YAML into trees that know their places, as JSON is read by
// [source.ParseJSON]. It keeps scalars as they are written: an unquoted date or
// account id stays the text it is.
package yaml

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// maxNodes bounds what aliases may unfold to.
const maxNodes = 1_000_000

// Parse reads the one document of a YAML text. It returns a [*source.SyntaxError]
// for text that is no YAML, holds several documents, or unfolds beyond measure.
func Parse(text []byte) (*source.Node, error) {
	if !utf8.Valid(text) {
		return nil, &source.SyntaxError{Pos: source.Pos{Line: 1, Column: 1}, Msg: "the text is not UTF-8"}
	}
	dec := yamlv3.NewDecoder(strings.NewReader(string(text)))
	var doc, next yamlv3.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, syntaxError(err)
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(err)
		}
		return nil, &source.SyntaxError{Pos: source.Pos{Line: next.Line, Column: next.Column}, Msg: "the text holds more than one document"}
	}
	r := reader{}
	return r.node(doc.Content[0], 0)
}

var lineOf = regexp.MustCompile(`line (\d+): (.*)`)

func syntaxError(err error) error {
	out := &source.SyntaxError{Pos: source.Pos{Line: 1, Column: 1}, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	if errors.Is(err, io.EOF) {
		out.Msg = "the text is empty"
	}
	if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		out.Pos.Line, _ = strconv.Atoi(m[1])
		out.Msg = m[2]
	}
	return out
}

type reader struct{ nodes int }

const maxDepth = 200

func (r *reader) node(n *yamlv3.Node, depth int) (*source.Node, error) {
	pos := source.Pos{Line: n.Line, Column: n.Column}
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return nil, &source.SyntaxError{Pos: pos, Msg: "the document is too deep, or its aliases unfold to too much"}
	}
	out := &source.Node{Range: source.Range{Start: pos, End: pos}}
	switch n.Kind {
	case yamlv3.AliasNode:
		return r.node(n.Alias, depth+1)
	case yamlv3.SequenceNode:
		out.Kind = source.List
		for _, item := range n.Content {
			child, err := r.node(item, depth+1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, child)
		}
	case yamlv3.MappingNode:
		out.Kind = source.Object
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yamlv3.ScalarNode {
				return nil, &source.SyntaxError{Pos: source.Pos{Line: key.Line, Column: key.Column}, Msg: "a key is a plain word"}
			}
			value, err := r.node(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			at := source.Pos{Line: key.Line, Column: key.Column}
			out.Members = append(out.Members, source.Member{Name: key.Value, Range: source.Range{Start: at, End: at}, Value: value})
		}
	case yamlv3.ScalarNode:
		return scalar(n, out)
	default:
		return nil, &source.SyntaxError{Pos: pos, Msg: fmt.Sprintf("unexpected node of kind %d", n.Kind)}
	}
	return out, nil
}

func scalar(n *yamlv3.Node, out *source.Node) (*source.Node, error) {
	out.Text = symbol.Literal(n.Value)
	switch n.ShortTag() {
	case "!!null":
		out.Kind, out.Text = source.Null, symbol.Text{}
	case "!!bool":
		out.Kind, out.Text = source.Bool, symbol.Literal(strings.ToLower(n.Value))
	case "!!int", "!!float":
		out.Kind = source.Number
	case "!!str", "!!timestamp":
		out.Kind = source.String
	default:
		return nil, &source.SyntaxError{Pos: out.Range.Start, Msg: "the tag " + n.Tag + " has no meaning here"}
	}
	return out, nil
}
