package extract

import (
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Tally counts account ids, each with the place it was first seen.
type Tally map[string]*struct {
	n    int
	from string
}

// Add counts the account of an ARN.
func (t Tally) Add(text symbol.Text, from string) {
	a, ok := arn.Parse(text)
	if !ok {
		return
	}
	id := a[arn.Account].String()
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		return
	}
	if t[id] == nil {
		t[id] = &struct {
			n    int
			from string
		}{from: from}
	}
	t[id].n++
}

// Most returns the id seen most often, the lowest of equals.
func (t Tally) Most() (id, from string, ok bool) {
	for candidate, seen := range t {
		if !ok || seen.n > t[id].n || seen.n == t[id].n && candidate < id {
			id, from, ok = candidate, seen.from, true
		}
	}
	return id, from, ok
}
