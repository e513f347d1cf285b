package hazard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// identify gives findings what makes them the same ones in another run: the rule, the
// resource, the statement, what is claimed of it and, where the claim is that somebody
// gets in, every call by which he does. Neither places nor numbers count, nor which
// replay proves a claim.
func (f *finder) identify(found []Finding) {
	if len(found) == 0 {
		return
	}
	docs := map[source.Origin]*policy.Document{}
	for _, doc := range f.Policies {
		docs[doc.Origin] = doc
	}
	names, open := f.names(), f.opened(found)
	for i := range found {
		x := &found[i]
		for _, p := range append([]Place{{Address: x.Address, Origin: x.Origin}}, x.Places...) {
			doc := docs[p.Origin]
			if doc == nil { // a principal, of whom a statement elsewhere is true
				doc = docs[x.Origin]
			}
			parts := append([]string{x.Rule.ID, p.Address, blamed(doc, x), f.claim(docs[x.Origin], x)}, open[site{x.Rule, p.Origin, x.statement}]...)
			x.Identities = append(x.Identities, names.Replace(strings.Join(parts, "\x00")))
		}
	}
}

// blamed is a statement by its own words: what it lets in, of an Allow, so that one
// that lets in more is another; of a Deny its Sid, if no other has it, or what it says.
// Of a sensitive policy nothing tells but the number.
func blamed(doc *policy.Document, x *Finding) string {
	switch {
	case x.Rule == grantVoid: // which is to blame on what voids it
		return ""
	case doc == nil:
		return x.policy
	case x.statement == 0:
		return doc.ID
	case doc.Sensitive:
		return fmt.Sprintf("%s %d", doc.ID, x.statement)
	}
	i := slices.IndexFunc(doc.Statements, func(s policy.Statement) bool { return s.Index == x.statement })
	if i < 0 {
		return doc.ID
	}
	s := &doc.Statements[i]
	others := func(o policy.Statement) bool { return o.Sid == s.Sid && o.Index != s.Index }
	if s.Effect == policy.Deny && s.Sid != "" && !slices.ContainsFunc(doc.Statements, others) {
		return s.Sid
	}
	return s.Content()
}

// claim is what is claimed of a statement: of a pattern, the words behind its name. Of
// what replays show the rule says it all but for the service that is locked out.
func (f *finder) claim(doc *policy.Document, x *Finding) string {
	switch {
	case x.Rule == servicePrincipalLockedOut && x.Replay >= 0:
		return f.Replays[x.Replay].Principal.Name().String()
	case doc == nil || x.Rule.statement == nil && x.Rule.document == nil:
		return ""
	}
	_, words, _ := strings.Cut(x.Message, doc.ID+": ")
	return words
}

// A site is a statement that a rule finds.
type site struct {
	rule      *Rule
	origin    source.Origin
	statement int
}

// opened are the calls that findings say are open, by the statements that open them
// or, of a gate, are bypassed.
func (f *finder) opened(found []Finding) map[site][]string {
	bypassed := slices.ContainsFunc(found, func(x Finding) bool { return x.Rule == gateBypassed })
	out := map[site][]string{}
	gates := map[combination][]site{}
	for _, r := range f.Replays {
		c := combination{r.Principal, r.Target, r.Action}
		hop := last(r)
		switch {
		case hop == nil:
		case allowed(r) && (nobody(r.Principal) || outsider(r.Principal)):
			if g := grantOf(hop, policy.Resource, policy.Trust); g != nil {
				at := site{publicAccess, g.Origin, g.Statement}
				out[at] = append(out[at], c.String())
			}
		case bypassed && r.Principal.StandIn == "":
			if g, _ := f.gate(r); g != nil {
				gates[c] = append(gates[c], site{gateBypassed, g.Origin, g.Statement})
			}
		}
	}
	for _, r := range f.Replays {
		c := combination{r.Principal, r.Target, r.Action}
		if allowed(r) && strings.HasPrefix(r.Chain.ID, "direct-") {
			for _, at := range gates[c] {
				out[at] = append(out[at], c.String())
			}
		}
	}
	for at, calls := range out {
		slices.Sort(calls)
		out[at] = slices.Compact(calls)
	}
	return out
}

// String names the call.
func (c combination) String() string {
	who := cmp.Or(c.principal.Address, c.principal.StandIn, c.principal.Name().String())
	return fmt.Sprintf("%s %s %s", who, c.action, cmp.Or(c.target.Address, c.target.ARN.String()))
}

// names puts addresses in the place of ARNs, as those of new resources are known once
// they have been made, and does the same for the account.
func (f *finder) names() *strings.Replacer {
	if f.World == nil {
		return strings.NewReplacer()
	}
	type name struct{ arn, address string }
	var all []name
	add := func(arn, address string) {
		if arn != "" && address != "" {
			all = append(all, name{arn, "<" + address + ">"})
		}
	}
	for _, p := range f.World.Principals() {
		add(p.Name().String(), p.Address)
	}
	for _, t := range f.World.Targets() {
		add(t.ARN.String(), t.Address)
	}
	add(f.World.Environment().Account.String(), "account")
	slices.SortFunc(all, func(a, b name) int {
		return cmp.Or(-cmp.Compare(len(a.arn), len(b.arn)), cmp.Compare(a.arn, b.arn), cmp.Compare(a.address, b.address))
	})
	var pairs []string
	for _, n := range all {
		pairs = append(pairs, n.arn, n.address)
	}
	return strings.NewReplacer(pairs...)
}
