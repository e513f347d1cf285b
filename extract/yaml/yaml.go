// Package yaml reads YAML into trees that know their places, as JSON is read by
// [source.ParseJSON]. It keeps scalars as they are written: an unquoted date or
// account id stays the text it is.
package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// maxNodes bounds what aliases may unfold to.
const maxNodes = 500_000

// Parse reads the one document of a YAML text. It returns a [*source.SyntaxError]
// for text that is no YAML, holds several documents, or unfolds beyond measure.
func Parse(text []byte) (*source.Node, error) { return ParseTagged(text, nil) }

// ParseTagged is Parse for a dialect with tags of its own: a value with a tag, such
// as "!Ref", becomes an object with the value as its only member, under the name
// that tag gives for it. Other tags are refused.
//
// The range of a literal block scalar (one that begins with '|') is that of its
// lines; other values have the place where they begin.
func ParseTagged(text []byte, tag func(tag string) (name string, ok bool)) (*source.Node, error) {
	if !utf8.Valid(text) {
		return nil, &source.SyntaxError{Pos: first(text, func(r rune, n int) bool { return r == utf8.RuneError && n == 1 }), Msg: "the text is not UTF-8"}
	}
	dec := yamlv3.NewDecoder(bytes.NewReader(text))
	var doc, next yamlv3.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, syntaxError(text, err)
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxError(text, err)
		}
		return nil, &source.SyntaxError{Pos: source.Pos{Line: next.Line, Column: next.Column}, Msg: "the text holds more than one document"}
	}
	r := reader{text: text, tag: tag}
	return r.node(doc.Content[0], 0)
}

// first returns the place of the first character, of n bytes, that is bad.
func first(text []byte, bad func(r rune, n int) bool) source.Pos {
	pos := source.Pos{Line: 1, Column: 1}
	for len(text) > pos.Byte {
		r, n := utf8.DecodeRune(text[pos.Byte:])
		if bad(r, n) {
			break
		}
		pos.Byte += n
		pos.Column++
		if r == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
	}
	return pos
}

var lineOf = regexp.MustCompile(`line (\d+): (.*)`)

func syntaxError(text []byte, err error) error {
	out := &source.SyntaxError{Pos: source.Pos{Line: 1, Column: 1}, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	switch {
	case errors.Is(err, io.EOF):
		out.Msg = "the text is empty"
	case strings.HasPrefix(out.Msg, "control characters"):
		out.Pos = first(text, func(r rune, _ int) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r) })
	}
	if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		out.Pos.Line, _ = strconv.Atoi(m[1])
		out.Msg = m[2]
	}
	return out
}

type reader struct {
	text  []byte
	tag   func(tag string) (name string, ok bool)
	nodes int
	// lines are those of the text, once somebody asks.
	lines [][]byte
}

const maxDepth = 200

func (r *reader) node(n *yamlv3.Node, depth int) (*source.Node, error) {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return nil, &source.SyntaxError{Pos: posOf(n), Msg: "the document is too deep, or its aliases unfold to too much"}
	}
	if r.tag != nil && len(n.Tag) > 1 && n.Tag[0] == '!' && n.Tag[1] != '!' {
		return r.tagged(n, depth)
	}
	pos := posOf(n)
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
		return out, r.members(n, out, depth)
	case yamlv3.ScalarNode:
		return r.scalar(n, out)
	default:
		return nil, &source.SyntaxError{Pos: pos, Msg: fmt.Sprintf("unexpected node of kind %d", n.Kind)}
	}
	return out, nil
}

func posOf(n *yamlv3.Node) source.Pos { return source.Pos{Line: n.Line, Column: n.Column} }

// tagged reads a value with a tag of the dialect.
func (r *reader) tagged(n *yamlv3.Node, depth int) (*source.Node, error) {
	pos := posOf(n)
	name, ok := r.tag(n.Tag)
	if !ok {
		return nil, &source.SyntaxError{Pos: pos, Msg: "the tag " + n.Tag + " has no meaning here"}
	}
	plain := *n
	plain.Tag = ""
	if n.Kind == yamlv3.ScalarNode {
		plain.Tag = "!!str"
	}
	value, err := r.node(&plain, depth+1)
	if err != nil {
		return nil, err
	}
	at := source.Range{Start: pos, End: pos}
	return &source.Node{Kind: source.Object, Range: at, Members: []source.Member{{Name: name, Range: at, Value: value}}}, nil
}

// members reads the members of a mapping; those that it takes over from others
// ("<<") come last, and only under names that it has not itself.
func (r *reader) members(n *yamlv3.Node, out *source.Node, depth int) error {
	var merged []source.Member
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yamlv3.ScalarNode {
			return &source.SyntaxError{Pos: posOf(key), Msg: "a key is a plain word"}
		}
		value, err := r.node(n.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		if key.ShortTag() == "!!merge" {
			from, err := sources(value)
			if err != nil {
				return err
			}
			merged = append(merged, from...)
			continue
		}
		at := source.Range{Start: posOf(key), End: posOf(key)}
		out.Members = append(out.Members, source.Member{Name: key.Value, Range: at, Value: value})
	}
	if merged == nil {
		return nil
	}
	has := make(map[string]bool, len(out.Members))
	for i := range out.Members {
		has[out.Members[i].Name] = true
	}
	for _, m := range merged {
		if !has[m.Name] {
			has[m.Name] = true
			out.Members = append(out.Members, m)
		}
	}
	return nil
}

// sources returns the members that a merge key takes over: those of an object, or
// of several of which the first that has a name counts.
func sources(value *source.Node) ([]source.Member, error) {
	objects := []*source.Node{value}
	if value.Kind == source.List {
		objects = value.Items
	}
	var out []source.Member
	for _, o := range objects {
		if o.Kind != source.Object {
			return nil, &source.SyntaxError{Pos: o.Range.Start, Msg: "a merge key (<<) takes an object, or a list of them"}
		}
		out = append(out, o.Members...)
	}
	return out, nil
}

func (r *reader) scalar(n *yamlv3.Node, out *source.Node) (*source.Node, error) {
	out.Text = symbol.Literal(n.Value)
	switch n.ShortTag() {
	case "!!null":
		out.Kind, out.Text = source.Null, symbol.Text{}
	case "!!bool":
		out.Kind, out.Text = source.Bool, symbol.Literal(strings.ToLower(n.Value))
	case "!!int", "!!float":
		out.Kind = source.Number
	case "!!str", "!!timestamp", "!!merge":
		out.Kind = source.String
		if n.Style&yamlv3.LiteralStyle != 0 {
			out.Range = r.block(n)
		}
	default:
		return nil, &source.SyntaxError{Pos: out.Range.Start, Msg: "the tag " + n.Tag + " has no meaning here"}
	}
	return out, nil
}

// block returns the range of the lines of a literal block scalar.
func (r *reader) block(n *yamlv3.Node) source.Range {
	if r.lines == nil {
		r.lines = bytes.Split(r.text, []byte("\n"))
	}
	start := source.Pos{Line: n.Line + 1, Column: 1}
	first, _, _ := strings.Cut(n.Value, "\n")
	if n.Line < len(r.lines) {
		line := strings.TrimSuffix(string(r.lines[n.Line]), "\r")
		start.Column += utf8.RuneCountInString(strings.TrimSuffix(line, first))
	}
	return source.Range{Start: start, End: source.Pos{Line: start.Line + strings.Count(n.Value, "\n"), Column: 1}}
}
