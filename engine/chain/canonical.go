package chain

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// canonical renders policies for comparison, with one name taken out.
type canonical struct {
	b    strings.Builder
	name string
}

func (w *canonical) text(s string) {
	if w.name != "" {
		s = strings.ReplaceAll(s, w.name, "\x00")
	}
	w.b.WriteString(s)
	w.b.WriteByte('\n')
}

func (w *canonical) symbol(t symbol.Text) { w.text(t.String()) }

func (w *canonical) tags(tags map[string]symbol.Text) {
	w.text(fmt.Sprint("tags ", tags != nil))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		w.text(k)
		w.symbol(tags[k])
	}
}

func (w *canonical) docs(docs []policy.Attached) {
	for _, d := range docs {
		w.text(string(d.Kind) + d.Version + d.Sure.String())
		if d.Unread != "" {
			// Nothing is known of it but that it is itself.
			w.text(d.ID + d.Unread)
		}
		for i := range d.Statements {
			w.statement(&d.Statements[i])
		}
	}
	w.text("policies")
}

func (w *canonical) statement(st *policy.Statement) {
	w.text(string(st.Effect))
	if p := st.Principals; p != nil {
		w.text(fmt.Sprint("principals ", p.Not))
		for i := range p.Entries {
			w.text(string(p.Entries[i].Type))
			w.symbol(p.Entries[i].Text)
		}
	}
	w.text(fmt.Sprint("actions ", st.Actions.Not))
	for i := range st.Actions.Entries {
		w.symbol(st.Actions.Entries[i].Text)
	}
	if r := st.Resources; r != nil {
		w.text(fmt.Sprint("resources ", r.Not))
		for i := range r.Entries {
			w.symbol(r.Entries[i].Text())
		}
	}
	for i := range st.Conditions {
		c := &st.Conditions[i]
		w.text(c.Operator.String() + " " + c.Key)
		for j := range c.Values {
			w.symbol(c.Values[j].Text)
		}
	}
	for _, u := range st.Unknown {
		w.text("unknown " + u)
	}
}
