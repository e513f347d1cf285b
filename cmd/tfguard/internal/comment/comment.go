// Package comment reads the comments of Terraform's files and of templates, and tells
// what each of them is about.
package comment

import (
	"bytes"
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

// A Comment is a comment, or one line of a comment of several.
type Comment struct {
	// Text is what it says, without its marks and the blanks around it.
	Text string
	// Line and Column are where it begins, counted from 1.
	Line, Column int
	// About is what stands on its line or, of a comment that has a line for itself,
	// what stands below it. Where it is the first thing in a resource, in a block of
	// one or in an item of a list, it is about all of that.
	About Part
	// Stray says why it is about nothing, empty if it is about something.
	Stray string
}

// A Part of a file is a block, an attribute, a key with its value, or an item of a
// list.
type Part struct {
	// First and Last are its lines.
	First, Last int
	// Resource is the address of a resource inside its module, or its logical ID;
	// empty for a part that is no resource.
	Resource string

	column int
	// opens is the line of the first attribute of a resource, of a block in one or of
	// an item of a list, and of the first key of a resource in a template; 0 if there
	// is none.
	opens int
	// section is set for a section of a template, such as Resources.
	section bool
}

// Read returns the comments of a file that mention a word, in any case. What is not
// written in Terraform's language is taken for YAML; in a file that is neither there
// are none.
func Read(file string, text []byte, word string) []Comment {
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if !mentions(string(text), word) {
		return nil
	}
	if IsHCL(file) {
		return readHCL(file, text, word)
	}
	return readYAML(string(text), word)
}

// IsHCL reports whether the name of a file is that of one in Terraform's language.
func IsHCL(file string) bool {
	ext := filepath.Ext(file)
	return ext == ".tf" || ext == ".tofu"
}

func mentions(text, word string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(word))
}

// parts are those of a file.
type parts []Part

// sort brings them in the order in which they begin, the outer before the inner.
func (ps parts) sort() {
	slices.SortStableFunc(ps, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.column, b.column), cmp.Compare(b.Last, a.Last))
	})
}

// beside is what begins on the line of a comment.
func (ps parts) beside(line int) (about Part, stray string) {
	return ps.at(line, "nothing begins on its line")
}

// below is what begins on a line, the first with something on it below a comment.
func (ps parts) below(comment, line int) (about Part, stray string) {
	for _, p := range ps {
		if line > 0 && p.opens == line && p.First < comment {
			return p, ""
		}
	}
	return ps.at(line, "nothing begins below it")
}

func (ps parts) at(line int, otherwise string) (about Part, stray string) {
	i := slices.IndexFunc(ps, func(p Part) bool { return p.First == line })
	switch {
	case i < 0:
		return Part{}, otherwise
	case ps[i].section:
		return Part{}, "it is about a whole section; put it above a resource"
	}
	return ps[i], ""
}
