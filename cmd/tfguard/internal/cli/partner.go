package cli

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// partners are the callers of other accounts and organizations whom the policies of resources, and trust
// policies, let in by name: only changes ask for them, as every policy names others.
type partners struct {
	principals []*chain.Principal
	// naming are the policies that name some.
	naming map[*policy.Document]bool
}

// partnersOf finds those of both worlds, which are in an organization of ours or in none.
// Sensitive policies name nobody.
func partnersOf(ours symbol.Text, worlds ...*world) partners {
	out := partners{naming: map[*policy.Document]bool{}}
	known := map[string]bool{}
	for _, w := range worlds {
		env, accounts := w.env, w.accounts()
		if !ours.IsZero() {
			env.Organization.ID = ours
		}
		w.eachTheirs(func(doc *policy.Document) {
			for _, name := range namesIn(doc) {
				p := chain.Partner(env, name)
				if p == nil || slices.ContainsFunc(accounts, func(a symbol.Text) bool { return symbol.Equal(a, p.Caller.Principal.Account) != kleene.False }) {
					continue
				}
				out.naming[doc] = true
				if !known[p.StandIn] {
					known[p.StandIn] = true
					out.principals = append(out.principals, p)
				}
			}
		})
	}
	return out
}

// accounts are those that the world shows something of.
func (w *world) accounts() []symbol.Text {
	out := []symbol.Text{w.env.Account}
	for _, p := range w.principals {
		out = append(out, p.Caller.Principal.Account)
	}
	for _, t := range w.targets {
		out = append(out, t.Account)
	}
	slices.SortFunc(out, func(a, b symbol.Text) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(out)
}

// eachTheirs yields the policies that let callers in.
func (w *world) eachTheirs(yield func(*policy.Document)) {
	for _, t := range w.targets {
		for _, d := range t.Policies {
			yield(d.Document)
		}
	}
	for _, p := range w.principals {
		if p.Trust != nil {
			yield(p.Trust)
		}
	}
}

// namesIn are the names of callers that a policy lets in: those of its Principal
// elements, and those that conditions ask for.
func namesIn(doc *policy.Document) []symbol.Text {
	var out []symbol.Text
	if doc.Sensitive {
		return nil
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || st.Principals == nil {
			continue
		}
		for _, e := range st.Principals.Entries {
			if !st.Principals.Not && e.Type == policy.AWS && !e.Never {
				out = append(out, e.Text)
			}
		}
		for _, c := range st.Conditions {
			switch strings.ToLower(c.Key) {
			case "aws:principalaccount", "aws:principalarn", "aws:principalorgid":
				for _, v := range c.Values {
					out = append(out, v.Text)
				}
			}
		}
	}
	return out
}

// beside is the world with the partners in it.
func (p *partners) beside(w *world) *world {
	out := *w
	out.principals = append(slices.Clip(w.principals), p.principals...)
	return &out
}

// alone is the world of the partners, and of what names them with the keys behind it.
func (p *partners) alone(w *world) *world {
	out := *w
	out.principals = slices.Clone(p.principals)
	for _, r := range w.principals {
		if p.naming[r.Trust] {
			out.principals = append(out.principals, r)
		}
	}
	keys := map[symbol.Text]bool{}
	named := func(t *chain.Target) bool {
		return slices.ContainsFunc(t.Policies, func(d policy.Attached) bool { return p.naming[d.Document] })
	}
	for _, t := range w.targets {
		if named(t) {
			keys[t.Key] = true
		}
	}
	out.targets = nil
	for _, t := range w.targets {
		if named(t) || keys[t.ARN] {
			out.targets = append(out.targets, t)
		}
	}
	return &out
}
