package chain

import (
	"encoding/binary"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// canonical hashes policies with one name taken out, so that what is equal up to
// that name has one hash. The name is taken out where it names something: of the
// resources of statements and the identity of their owner, never of an action, a
// service or another key's value, which may look the same and mean something else.
type canonical struct {
	h    maphash.Hash
	name string
}

func (w *canonical) number(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // a hash takes any bits
	_, _ = w.h.Write(b[:])
}

func (w *canonical) truth(t kleene.Truth) { _ = w.h.WriteByte(byte(t)) }

func (w *canonical) flag(b bool) { w.truth(kleene.Of(b)) }

// text writes a string as it is.
func (w *canonical) text(s string) {
	w.number(len(s))
	_, _ = w.h.WriteString(s)
}

// literal writes a text as it is.
func (w *canonical) literal(t symbol.Text) { maphash.WriteComparable(&w.h, t) }

// named writes a text with the name taken out.
func (w *canonical) named(t symbol.Text) {
	s := t.String()
	if w.name == "" || !strings.Contains(s, w.name) {
		w.literal(t)
		return
	}
	const hole = "\xff" // no byte of a rendered text
	w.text(strings.ReplaceAll(s, w.name, hole))
	for s := range t.Symbols() {
		w.text(strings.ReplaceAll("${"+s.Name+"}", w.name, hole))
		w.number(int(s.Class))
	}
}

func (w *canonical) tags(tags map[string]symbol.Text) {
	w.flag(tags != nil)
	w.number(len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		w.text(k)
		w.named(tags[k])
	}
}

func (w *canonical) organization(o request.Organization) {
	w.truth(o.Member)
	w.literal(o.ID)
}

func (w *canonical) levels(levels []engine.Level) {
	w.number(len(levels))
	for _, level := range levels {
		w.docs(level)
	}
}

func (w *canonical) docs(docs []policy.Attached) {
	w.flag(docs != nil)
	w.number(len(docs))
	for _, d := range docs {
		w.truth(d.Sure)
		w.document(d.Document)
	}
}

func (w *canonical) document(d *policy.Document) {
	w.text(string(d.Kind))
	w.text(d.Version)
	w.flag(d.Unread != "") // whichever it is, it may say anything
	w.flag(d.Sensitive)
	w.number(len(d.Statements))
	for i := range d.Statements {
		w.statement(&d.Statements[i])
	}
}

// principal writes an entry of a Principal element. Which callers an entry for AWS
// principals means is the relation of a pair, not of the class.
func (w *canonical) principal(e *policy.Principal) {
	w.text(string(e.Type))
	w.flag(e.Never)
	switch {
	case e.Type != policy.AWS:
		w.literal(e.Text)
	case !e.Text.Known() && !isARN(e.Text):
		w.named(e.Text)
	}
}

// isARN reports whether a text is an ARN whatever its unknown parts are.
func isARN(t symbol.Text) bool {
	return !anything(t) && t.HasPrefix(symbol.Literal("arn:"))
}

func (w *canonical) statement(st *policy.Statement) {
	w.text(string(st.Effect))
	w.flag(st.Principals != nil)
	if p := st.Principals; p != nil {
		w.flag(p.Not)
		w.number(len(p.Entries))
		for i := range p.Entries {
			w.principal(&p.Entries[i])
		}
	}
	w.flag(st.Actions.Not)
	w.number(len(st.Actions.Entries))
	for i := range st.Actions.Entries {
		w.literal(st.Actions.Entries[i].Text)
	}
	w.flag(st.Resources != nil)
	if r := st.Resources; r != nil {
		w.flag(r.Not)
		w.number(len(r.Entries))
		for i := range r.Entries {
			w.named(r.Entries[i].Text())
		}
	}
	w.number(len(st.Conditions))
	for i := range st.Conditions {
		c := &st.Conditions[i]
		w.text(c.Operator.String())
		w.text(c.Name())
		w.number(len(c.Values))
		for j := range c.Values {
			if tellsPrincipals(c.Key) {
				w.named(c.Values[j].Text)
			} else {
				w.literal(c.Values[j].Text)
			}
		}
	}
	w.number(len(st.Unknown))
	for _, u := range st.Unknown {
		w.text(u)
	}
}
