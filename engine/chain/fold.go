package chain

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// fold keeps one combination of those that must come out alike: principals, and
// targets, whose policies are equal up to their own name form a class, and two
// pairs of the same classes are alike if every statement meets them alike.
func (s *selection) fold() {
	f := &folder{runner: s.runner, seed: maphash.MakeSeed(),
		principals: map[*Principal]uint64{}, targets: map[*Target]uint64{}}
	first := map[foldKey]*combination{}
	var kept []*combination
	for _, c := range s.combinations {
		key := f.key(c)
		if rep, ok := first[key]; ok {
			rep.folded = append(rep.folded, Pair{c.principal, c.target})
			s.folded++
			continue
		}
		first[key] = c
		c.folded = []Pair{{c.principal, c.target}}
		kept = append(kept, c)
	}
	s.combinations = kept
}

type folder struct {
	*runner
	seed       maphash.Seed
	principals map[*Principal]uint64
	targets    map[*Target]uint64
}

// A foldKey is equal for combinations that come out alike.
type foldKey struct {
	principal, target uint64
	action            string
	relation          uint64
	chains            string
}

func (f *folder) key(c *combination) foldKey {
	k := foldKey{action: c.action, relation: f.relation(c)}
	for _, ch := range c.chains {
		k.chains += ch.ID + " "
	}
	var ok bool
	if k.principal, ok = f.principals[c.principal]; !ok {
		k.principal = f.principalClass(c.principal)
		f.principals[c.principal] = k.principal
	}
	if k.target, ok = f.targets[c.target]; !ok {
		k.target = f.targetClass(c.target)
		f.targets[c.target] = k.target
	}
	return k
}

// principalClass hashes what decides for a principal, its own name taken out.
func (f *folder) principalClass(p *Principal) uint64 {
	w := &writer{name: lastName(p.Caller.Principal.ARN)}
	w.text(p.StandIn)
	w.text(fmt.Sprint(p.Caller.Principal.Kind))
	w.symbol(p.Caller.Principal.ARN)
	w.text(callerKey(&p.Caller))
	for _, docs := range [][]policy.Attached{p.Identity, p.Boundary} {
		w.docs(docs)
	}
	w.levels(p.SCP)
	if p.Trust != nil {
		w.docs([]policy.Attached{{Document: p.Trust, Sure: kleene.True}})
	}
	for _, k := range sortedKeys(p.Caller.Tags) {
		w.text(k)
		w.symbol(p.Caller.Tags[k])
	}
	return maphash.String(f.seed, w.b.String())
}

func (f *folder) targetClass(t *Target) uint64 {
	w := &writer{name: lastName(t.ARN)}
	w.text(fmt.Sprint(t.Kind, t.RestrictPublic))
	w.symbol(t.ARN)
	w.symbol(t.Account)
	w.symbol(t.Region)
	w.docs(t.Policies)
	w.levels(t.RCP)
	return maphash.String(f.seed, w.b.String())
}

func lastName(t symbol.Text) string {
	a, ok := arn.Parse(t)
	if !ok {
		return ""
	}
	return a.Name().String()
}

// relation hashes how every statement that bears on the pair meets it: its
// resources, its principals, and its conditions on keys that tell one principal
// or one target of a class from another.
func (f *folder) relation(c *combination) uint64 {
	w := &writer{}
	p := c.principal
	resource, account := f.resource(&call{action: c.action, principal: p, target: c.target, statement: c.statement}, &hopSpec{}, p, c.action)
	ctx := request.Derive(&p.Caller, &request.Hop{ResourceAccount: account, Region: c.target.Region})
	meet := func(docs []policy.Attached) {
		req := engine.Request{Principal: p.Caller.Principal, Action: c.action, Resource: resource, ResourceAccount: account, Context: ctx}
		w.text(engine.Signature(docs, &req, decidesPair))
	}
	meet(p.Identity)
	meet(p.Boundary)
	for _, level := range p.SCP {
		meet(level)
	}
	meet(c.target.Policies)
	for _, level := range c.target.RCP {
		meet(level)
	}
	return maphash.String(f.seed, w.b.String())
}

// decidesPair reports whether a condition key holds something that differs among
// the principals or targets of one class.
func decidesPair(key string) bool {
	key = strings.ToLower(key)
	for _, prefix := range []string{"aws:principal", "aws:userid", "aws:username", "aws:resource", "aws:source"} {
		if strings.HasPrefix(key, prefix) && key != "aws:sourceip" && key != "aws:sourcevpc" && key != "aws:sourcevpce" {
			return true
		}
	}
	return false
}

// writer renders policies for comparison, with one name taken out.
type writer struct {
	b    strings.Builder
	name string
}

func (w *writer) text(s string) {
	if w.name != "" {
		s = strings.ReplaceAll(s, w.name, "\x00")
	}
	w.b.WriteString(s)
	w.b.WriteByte('\n')
}

func (w *writer) symbol(t symbol.Text) { w.text(t.String()) }

func (w *writer) levels(levels []engine.Level) {
	for _, level := range levels {
		w.docs(level)
	}
	w.text("levels")
}

func (w *writer) docs(docs []policy.Attached) {
	for _, d := range docs {
		w.text(string(d.Kind) + d.Version + d.Unread + d.Sure.String())
		if d.Unread != "" {
			// Nothing is known of it but that it is itself.
			w.text(d.ID)
		}
		for i := range d.Statements {
			w.statement(&d.Statements[i])
		}
	}
	w.text("policies")
}

func (w *writer) statement(st *policy.Statement) {
	w.text(string(st.Effect))
	if p := st.Principals; p != nil {
		w.text(fmt.Sprint("principals ", p.Not))
		for _, e := range p.Entries {
			w.text(string(e.Type))
			w.symbol(e.Text)
		}
	}
	w.text(fmt.Sprint("actions ", st.Actions.Not))
	for _, e := range st.Actions.Entries {
		w.symbol(e.Text)
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
		for _, v := range c.Values {
			w.symbol(v.Text)
		}
	}
	for _, u := range st.Unknown {
		w.text("unknown " + u)
	}
}

func sortedKeys(m map[string]symbol.Text) []string { return slices.Sorted(maps.Keys(m)) }
