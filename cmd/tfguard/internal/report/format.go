package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Options say how a report is rendered. The zero value is plain text that tells what
// people want to know, for a check that fails on nothing.
type Options struct {
	// Color marks verdicts and severities with ANSI colours.
	Color bool
	// Detail of the text.
	Detail Detail
	// FailOn is the least of what fails the check.
	FailOn Threshold
	// FailOnNewAccess fails it for a call that the input opens, too.
	FailOnNewAccess bool
	// PolicySet is the part of the report that Atlantis is told, all for "".
	PolicySet string
	// Version of the program, for formats that name it.
	Version string
	// Limit is how many characters a document that people read may have, where the
	// platform has a bound; 0 for the one that the format knows.
	Limit int
}

// Detail is how much the text tells.
type Detail int

// The details: what to act on, what people want to know, and everything.
const (
	Quiet Detail = iota - 1
	Normal
	Verbose
)

// A Format renders a report. It returns the error of the writer.
type Format func(w io.Writer, r *Report, opts Options) error

var formats = map[string]Format{
	"text":     Text,
	"json":     JSON,
	"sarif":    SARIF,
	"junit":    JUnit,
	"markdown": Markdown,
	"html":     HTML,
	"github":   GitHub,
	"gitlab":   GitLab,
	"atlantis": Atlantis,
}

// Formats returns the names of the formats.
func Formats() []string {
	names := make([]string, 0, len(formats))
	for name := range formats {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Get returns a format by its name, and an error that lists the formats for an
// unknown one.
func Get(name string) (Format, error) {
	if f, ok := formats[name]; ok {
		return f, nil
	}
	return nil, fmt.Errorf("there is no output format %q: there are %s", name, strings.Join(Formats(), ", "))
}
