// Package source says where values come from: positions, JSON trees that keep
// them, and diagnostics that point at them.
package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Pos is a place in a text.
type Pos struct {
	// Line counts from 1.
	Line int
	// Column counts Unicode code points from 1.
	Column int
	// Byte is the offset from 0.
	Byte int
}

// String returns "line:column".
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// A Range is a stretch of a text: Start inclusive, End exclusive.
type Range struct {
	Start, End Pos
	// File is the file that the positions count in, if it is not that of the
	// [Origin]: the statements of one document can come from several files.
	File string
}

// An Origin says which text a [Range] counts in.
type Origin struct {
	// Address is the resource address (Terraform) or logical ID (CloudFormation),
	// empty if the text is a file of its own.
	Address string
	// Attribute is the path of the attribute that holds the text, such as "policy".
	Attribute string
	// File is the path of the file that ranges count in. Empty: they count inside
	// the text of Attribute.
	File string
}

// String returns the address and attribute, or the file.
func (o Origin) String() string {
	switch {
	case o.Address != "" && o.Attribute != "":
		return o.Address + "." + o.Attribute
	case o.Address != "":
		return o.Address
	default:
		return o.File
	}
}

// A Severity says what a diagnostic means for the work.
type Severity uint8

// Severities, the least first.
const (
	Info Severity = iota
	Warning
	Error
)

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	return [...]string{"info", "warning", "error"}[s]
}

// A Diagnostic tells a person about something in the input: what (Summary, three
// to six words), where, and what to do (Detail, full sentences).
type Diagnostic struct {
	Severity Severity
	Summary  string
	Detail   string
	Origin   Origin
	// Range is the zero Range if the place is the whole of Origin.
	Range Range
}

// String renders the diagnostic on one line.
func (d Diagnostic) String() string {
	var b strings.Builder
	if where := d.Where(); where != "" {
		b.WriteString(where + ": ")
	}
	b.WriteString(d.Severity.String() + ": " + d.Summary)
	if d.Detail != "" {
		b.WriteString(": " + d.Detail)
	}
	return b.String()
}

// Where renders the place: "FILE:line:column" or "ADDRESS.ATTRIBUTE:line:column".
func (d Diagnostic) Where() string {
	where := d.Origin.String()
	if d.Range.File != "" {
		where = d.Range.File
	}
	switch {
	case d.Range.Start.Line == 0:
		return where
	case where == "":
		return d.Range.Start.String()
	default:
		return where + ":" + d.Range.Start.String()
	}
}

// Diagnostics is a list of diagnostics.
type Diagnostics []Diagnostic

// HasErrors reports whether some diagnostic is an error.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sort orders the diagnostics by place, then severity, then text.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Origin.File, b.Origin.File),
			cmp.Compare(a.Origin.Address, b.Origin.Address),
			cmp.Compare(a.Origin.Attribute, b.Origin.Attribute),
			cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
			cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
			-cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Summary, b.Summary),
			cmp.Compare(a.Detail, b.Detail),
		)
	})
}
