package comment

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// readYAML reads a template. The library tells no places of comments, so each '#' that
// could begin one is marked: those whose marks are in no value of the document do.
func readYAML(text, word string) []Comment {
	lines := strings.Split(text, "\n")
	marked := make([]string, len(lines))
	for i, line := range lines {
		marked[i] = line
		if mentions(line, word) {
			marked[i] = markAll(line, i)
		}
	}
	var doc yaml.Node
	if yaml.Unmarshal([]byte(strings.Join(marked, "\n")), &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	y := &template{lines: lines}
	y.walk(doc.Content[0], len(lines), root)
	y.sort()
	values := y.values.String()
	var out []Comment
	for i, line := range lines {
		for _, at := range candidates(line) {
			if !mentions(line, word) || strings.Contains(values, mark(i, at)) {
				continue
			}
			if mentions(line[at:], word) {
				out = append(out, y.comment(i, at))
			}
			break // the comment goes to the end of the line
		}
	}
	return out
}

// candidates are where a comment could begin in a line.
func candidates(line string) []int {
	var out []int
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			out = append(out, i)
		}
	}
	return out
}

// mark is text that no file holds, as its characters are for private use.
func mark(line, at int) string { return fmt.Sprintf("\uE000%d.%d\uE001", line, at) }

func markAll(line string, number int) string {
	var b strings.Builder
	from := 0
	for _, at := range candidates(line) {
		b.WriteString(line[from : at+1])
		b.WriteString(mark(number, at))
		from = at + 1
	}
	return b.String() + line[from:]
}

// A template is what a text in YAML consists of.
type template struct {
	parts
	lines []string
	// values are the scalars, one behind the other.
	values strings.Builder
}

// comment is the one that begins in a line, both counted from 0.
func (t *template) comment(i, at int) Comment {
	line := t.lines[i]
	out := Comment{
		Text: strings.TrimSpace(strings.TrimLeft(line[at:], "#")),
		Line: i + 1, Column: utf8.RuneCountInString(line[:at]) + 1,
	}
	if strings.TrimSpace(line[:at]) != "" {
		out.About, out.Stray = t.beside(out.Line)
		return out
	}
	next := i
	for next < len(t.lines) && blank.MatchString(t.lines[next]) {
		next++
	}
	if next < len(t.lines) && indent(t.lines[next]) < at {
		out.Stray = "what follows is outside of what it stands in"
		return out
	}
	out.About, out.Stray = t.below(out.Line, next+1)
	return out
}

// blank is a line with a comment at most.
var blank = regexp.MustCompile(`^\s*(#|$)`)

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// A place is what a node is in a template.
type place int

const (
	root place = iota
	section
	inside
)

// walk adds the parts of a node, which ends with a line, and collects its values.
func (t *template) walk(n *yaml.Node, last int, in place) {
	// until is where the one ends that another follows.
	until := func(i, step int) int {
		if i+step < len(n.Content) {
			return max(n.Content[i].Line, n.Content[i+step].Line-1)
		}
		return last
	}
	switch n.Kind {
	case yaml.DocumentNode, yaml.AliasNode: // inside of the one, and what another node is
	case yaml.ScalarNode:
		t.values.WriteString(n.Value)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			end := until(i, 1)
			t.parts = append(t.parts, Part{First: item.Line, Last: end, column: item.Column})
			t.walk(item, end, inside)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			p := Part{First: key.Line, Last: until(i, 2), column: key.Column, section: in == root}
			within := inside
			switch {
			case in == root && key.Value == "Resources":
				within = section
			case in == section:
				p.Resource = key.Value
				if value.Kind == yaml.MappingNode && value.Line > key.Line {
					p.opens = value.Line
				}
			}
			t.parts = append(t.parts, p)
			t.walk(key, p.First, inside)
			t.walk(value, p.Last, within)
		}
	}
}
