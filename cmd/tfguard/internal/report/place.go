package report

import "path/filepath"

// A place is where a platform shows a finding: a file of the repository, and a line
// and column in it, which are 0 where the input itself is all that is known.
type place struct {
	file         string
	line, column int
}

// place returns where something of an input stands: in its source or, if that is
// not at hand, in the input.
func (r *Report) place(s Source, input int) place {
	if s.File != "" {
		return place{filepath.ToSlash(filepath.Clean(s.File)), s.Line, s.Column}
	}
	path := r.Inputs[input].Path
	if path == "-" {
		return place{file: "stdin"}
	}
	return place{file: filepath.ToSlash(filepath.Clean(path))}
}

// inputName is what people call an input.
func inputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return printable(path)
}
