package report

import (
	"path/filepath"
	"slices"
	"strings"
)

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

// shownPlaces is how many further places of a finding are named where a platform or a
// reader takes no long lists; -o json names all.
const shownPlaces = 10

// further is a further place of a finding, with its name.
type further struct {
	name string
	Place
}

// elsewhere names the further places of a finding, each once: by its resource alone
// where one line of the source makes several.
func (f *Finding) elsewhere() []further {
	if len(f.Places) == 0 {
		return nil
	}
	var out []further
	seen := map[string]bool{where(f.Address, f.Source): true}
	for _, p := range f.Places {
		name := p.name()
		switch {
		case p.Address == f.Address:
			name = where(p.Address, p.Source)
		case p.Source.File != "" && p.Source == f.Source:
			name = p.Address
		}
		if !seen[name] {
			seen[name] = true
			out = append(out, further{name, p})
		}
	}
	return out
}

// besides says in sentences where else a fault is and which rules find it too, after a
// blank; nothing if there is neither.
func (f *Finding) besides() string {
	return f.sameAt(func(name string) string { return name }) + f.foundBy()
}

// sameAt names the first of the further places in a sentence, after a blank, as they
// are written in a format.
func (f *Finding) sameAt(written func(name string) string) string {
	places := f.elsewhere()
	if len(places) == 0 {
		return ""
	}
	var names []string
	for _, p := range places {
		names = append(names, written(p.name))
	}
	return " The same at " + listed(names) + "."
}

// NewAt adds to the words of a finding that it is new at some of its places alone, and
// where the others are known from.
func (f *Finding) NewAt(places []Place, known string) {
	var names []string
	for _, p := range places {
		names = append(names, p.name())
	}
	f.Message += " New at " + listed(slices.Compact(names)) + "; its other places are " + known + "."
}

// name tells the place from others of the same line.
func (p *Place) name() string {
	at := where(p.Address, p.Source)
	if p.Source.File != "" {
		at = p.Address + " at " + at
	}
	return at
}

// listed lists the first names of places in words, and how many more there are.
func listed(names []string) string {
	if more := len(names) - shownPlaces; more > 0 {
		names = append(names[:shownPlaces:shownPlaces], number(more, "more place", "more places"))
	}
	return enumerated(names)
}

// foundBy names the further rules in a sentence, after a blank.
func (f *Finding) foundBy() string {
	if len(f.Also) == 0 {
		return ""
	}
	return " Found by " + enumerated(f.Also) + ", too."
}

// enumerated lists names in words.
func enumerated(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// inputName is what people call an input.
func inputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return printable(path)
}
