package chain

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
)

// modes replays a call once more for each switch that could change its outcome, and
// returns those that do: one that touches the context of a hop, in a key that some
// policy reads.
func (r *runner) modes(c call, rep *Replay) []Mode {
	var out []Mode
	read := r.reads(&c)
	for i, m := range request.Modes() {
		if read&(1<<i) == 0 || !slices.ContainsFunc(rep.Hops, func(h HopResult) bool { return m.Touches(&h.Request.Principal, &h.Request.Context) }) {
			continue
		}
		turned := r.turned[i]
		if turned == nil {
			turned = &runner{}
			*turned = *r
			turned.entered, turned.verdictsOnly = map[enteredKey]HopResult{}, true
			turned.switches, turned.setting = m.Turn(r.switches)
			r.turned[i] = turned
		}
		other, ok := turned.replay(c)
		if ok && (other.Verdict != rep.Verdict || other.BrokenHop != rep.BrokenHop) {
			out = append(out, Mode{Switch: m.Switch, Setting: turned.setting, Verdict: other.Verdict, BrokenHop: other.BrokenHop})
		}
	}
	return out
}

// reads has a bit for each switch that touches a key which some policy of a call reads.
func (r *runner) reads(c *call) uint {
	var out uint
	scan := func(docs []policy.Attached) {
		for _, d := range docs {
			out |= r.readsOf(d.Document)
		}
	}
	scan(ownDocs(c.principal))
	if c.principal.Trust != nil {
		out |= r.readsOf(c.principal.Trust)
	}
	targets := []*Target{c.target, r.byARN[c.key()]}
	for i := range c.chain.Hops {
		if h := &c.chain.Hops[i]; h.Resource.named() {
			targets = append(targets, r.lookUp(c, h.Resource))
		}
	}
	for _, t := range targets {
		if t == nil {
			continue
		}
		scan(t.Policies)
		for _, level := range t.RCP {
			scan(level)
		}
	}
	for i := range c.chain.Hops {
		if h := &c.chain.Hops[i]; h.Principal != "" {
			if p := r.caller(c, h); p != nil {
				scan(ownDocs(p))
			}
		}
	}
	return out
}

func (r *runner) readsOf(doc *policy.Document) uint {
	out, ok := r.readKeys[doc]
	if ok {
		return out
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		for j := range st.Conditions {
			c := &st.Conditions[j]
			out |= readBy(strings.ToLower(c.Key), "")
			for _, v := range c.Values {
				out |= readBy("", v.Text.String())
			}
		}
		if st.Resources != nil {
			for j := range st.Resources.Entries {
				out |= readBy("", st.Resources.Entries[j].Text().String())
			}
		}
	}
	r.readKeys[doc] = out
	return out
}

// readBy has a bit for each switch that touches a key, or a variable in a text.
func readBy(key, text string) uint {
	var out uint
	variables := strings.Contains(text, "${")
	for i, m := range request.Modes() {
		in := slices.Contains(m.Keys, key) || variables && slices.ContainsFunc(m.Keys, func(k string) bool {
			return strings.Contains(strings.ToLower(text), "${"+k)
		})
		if in {
			out |= 1 << i
		}
	}
	return out
}
