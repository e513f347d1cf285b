// Package request is what AWS decides on: who calls, which action, on which
// resource, and the request context, the condition keys that the call carries.
//
// A key that a request does not carry is absent, which differs from present with
// no value and from present with the empty string (AWS page "IAM JSON policy
// elements: Condition operators", Null and IfExists).
package request

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// An Entry is what a request context says of one key. The zero Entry is an absent key.
type Entry struct {
	// Key in the spelling it was set with.
	Key string
	// Present is False for a key the request does not carry and Unknown where AWS
	// does not say; Values are then those it has if it is present.
	Present kleene.Truth
	// Values of the key: one for a single-valued key; any number for a multivalued one.
	Values []symbol.Text
}

// A Context is the request context: the condition keys of one call. Names are
// compared without regard to case. The zero Context carries no key.
type Context struct{ entries map[string]Entry }

// Set makes a key present with the given values.
func (c *Context) Set(key string, values ...symbol.Text) {
	c.put(Entry{Key: key, Present: kleene.True, Values: values})
}

// SetString makes a key present with values that are known.
func (c *Context) SetString(key string, values ...string) {
	texts := make([]symbol.Text, len(values))
	for i, v := range values {
		texts[i] = symbol.Literal(v)
	}
	c.Set(key, texts...)
}

// SetMaybe makes the presence of a key unknown; the values are those it has if
// it is present.
func (c *Context) SetMaybe(key string, values ...symbol.Text) {
	c.put(Entry{Key: key, Present: kleene.Unknown, Values: values})
}

// Delete makes a key absent.
func (c *Context) Delete(key string) { delete(c.entries, strings.ToLower(key)) }

func (c *Context) put(e Entry) {
	c.Grow(24)
	key := lower(e.Key)
	if strings.Contains(key, "/") {
		e = c.twin(key, e)
	}
	c.entries[key] = e
}

// twin returns the entry of a tag: where two tags differ in the case of their names
// alone, whatever compares with the key is unreliable, as its value is either (AWS
// page "AWS global condition context keys", aws:ResourceTag).
func (c *Context) twin(key string, e Entry) Entry {
	if other, ok := c.entries[key]; ok && other.Key != e.Key {
		e.Present = max(e.Present, other.Present)
		e.Values = []symbol.Text{symbol.Symbol{Name: "either of " + other.Key + " and " + e.Key}.Text()}
	}
	return e
}

// Grow makes room for n keys in an empty context.
func (c *Context) Grow(n int) {
	if c.entries == nil {
		c.entries = make(map[string]Entry, n)
	}
}

// Get returns the entry of a key. A key with a suffix, such as aws:PrincipalTag/team,
// that was not set itself has the entry of its family aws:PrincipalTag/, if there is one.
func (c Context) Get(key string) Entry {
	if e, ok := c.entries[key]; ok { // already in lower case
		return e
	}
	if l := lower(key); l != key {
		key = l
		if e, ok := c.entries[key]; ok {
			return e
		}
	}
	if i := strings.IndexByte(key, '/'); i >= 0 {
		return c.entries[key[:i+1]].member(key)
	}
	return Entry{}
}

// member returns the entry of a family as that of one key: what is not known of two
// keys is not the same.
func (e Entry) member(key string) Entry {
	e.Values = slices.Clone(e.Values)
	for i, v := range e.Values {
		if !v.Known() {
			e.Values[i] = symbol.Symbol{Name: v.String() + " (" + key + ")"}.Text()
		}
	}
	return e
}

// Clone returns a copy that can be changed without changing c.
func (c Context) Clone() Context { return Context{maps.Clone(c.entries)} }

// All yields the entries ordered by name.
func (c Context) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, k := range slices.Sorted(maps.Keys(c.entries)) {
			if !yield(c.entries[k]) {
				return
			}
		}
	}
}

// Unsure returns the names of the keys whose presence is not known, in the order of [Context.All].
func (c Context) Unsure() []string {
	var out []string
	for key, e := range c.entries {
		if e.Present != kleene.True {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	for i, key := range out {
		out[i] = c.entries[key].Key
	}
	return out
}

// Lookup gives the value of a single-valued key for policy variables; a
// multivalued key cannot be one and counts as absent (AWS page "IAM policy
// elements: Variables and tags").
func (c Context) Lookup(key string) (symbol.Text, kleene.Truth) {
	e := c.Get(key)
	if e.Present == kleene.False || len(e.Values) != 1 || Multivalued(key) {
		return symbol.Text{}, kleene.False
	}
	return e.Values[0], e.Present
}
