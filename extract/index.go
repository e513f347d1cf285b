package extract

import (
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// An Index finds what an input defines by the texts that it is named with
// elsewhere: names, ids, ARNs.
type Index[T comparable] struct {
	// All are the things of the index in the order they were added.
	All []T

	byText map[symbol.Text][]T
	texts  map[T][]symbol.Text
	// open are those that a known text may name though it is none of theirs.
	open []T
	// found remembers the answers.
	found map[symbol.Text][]Named[T]
	name  func(T) string
}

// A Named is a thing that a text names, certainly or perhaps.
type Named[T comparable] struct {
	Of   T
	Sure kleene.Truth
	Why  string
}

// NewIndex returns an empty index; name gives the address of a thing for people.
func NewIndex[T comparable](name func(T) string) *Index[T] {
	return &Index[T]{
		name: name, byText: map[symbol.Text][]T{}, texts: map[T][]symbol.Text{}, found: map[symbol.Text][]Named[T]{},
	}
}

// Add adds a thing with the texts that name it. generated says that what is unknown
// of them is made up later: nothing that is written down before can be it.
func (ix *Index[T]) Add(one T, generated bool, texts ...symbol.Text) {
	ix.All = append(ix.All, one)
	open := false
	for _, t := range texts {
		if slices.Contains(ix.texts[one], t) {
			continue
		}
		ix.texts[one] = append(ix.texts[one], t)
		ix.byText[t] = append(ix.byText[t], one)
		open = open || !t.Known()
	}
	if open && !generated {
		ix.open = append(ix.open, one)
	}
}

// Has reports whether a thing is in the index.
func (ix *Index[T]) Has(one T) bool { return ix.texts[one] != nil }

// Find returns the things that a text names.
func (ix *Index[T]) Find(t symbol.Text) []Named[T] {
	if out, ok := ix.found[t]; ok {
		return out
	}
	out := ix.find(t)
	ix.found[t] = out
	return out
}

func (ix *Index[T]) find(t symbol.Text) []Named[T] {
	var out []Named[T]
	for _, one := range ix.byText[t] {
		out = append(out, Named[T]{Of: one, Sure: kleene.True})
	}
	if len(out) > 0 {
		return out
	}
	among := ix.open
	if !t.Known() {
		among = ix.All
	}
	for _, one := range among {
		sure := kleene.False
		for _, text := range ix.texts[one] {
			sure = max(sure, symbol.Equal(text, t))
		}
		if sure != kleene.False {
			out = append(out, Named[T]{Of: one, Sure: sure, Why: t.String() + " may be " + ix.name(one)})
		}
	}
	return out
}

// Limit makes a match at most as sure as something that it also hangs on.
func (n *Named[T]) Limit(sure kleene.Truth, why string) {
	if sure < n.Sure {
		n.Sure, n.Why = sure, why
	}
}
