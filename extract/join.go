package extract

import (
	"fmt"
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Join makes one world of several inputs. What an earlier input defines wins over a
// later one: the same ARN is one principal, one resource and one managed policy, and
// a diagnostic says which principals and resources are defined twice. What one input
// attaches to something that another defines is attached to it.
//
// The inputs are not to be used afterwards: their parts are in the result.
func Join(results ...*Result) *Result {
	j := &joint{Inventory: &Inventory{}, ids: map[string]bool{}, managed: map[symbol.Text][]*entered{}}
	before := joinBefore(results)
	for i, r := range results {
		j.diags = append(j.diags, r.Diagnostics...)
		j.facts(r.Inventory)
		for _, p := range r.Inventory.Policies {
			j.policy(p, i)
		}
		for _, p := range r.Inventory.Principals {
			j.principal(p)
		}
		for _, x := range r.Inventory.Resources {
			j.resource(x)
		}
	}
	for _, versions := range j.managed {
		j.settle(versions)
	}
	j.attach()
	j.Sort()
	j.diags.Sort()
	return &Result{Inventory: j.Inventory, Before: before, Diagnostics: j.diags}
}

// joinBefore makes one world of what inputs tell of the time before their change, nil
// if none does. What does not tell of it, such as the details of an account, is as it
// stays.
func joinBefore(results []*Result) *Inventory {
	if !slices.ContainsFunc(results, func(r *Result) bool { return r.Before != nil }) {
		return nil
	}
	var out []*Result
	for _, r := range results {
		was := r.Before
		if was == nil || was == r.Inventory {
			was = r.Inventory.copy()
		}
		out = append(out, &Result{Inventory: was})
	}
	return Join(out...).Inventory
}

// copy returns an inventory of which the lists and attachments are its own.
func (inv *Inventory) copy() *Inventory {
	out := *inv
	out.Policies = each(inv.Policies, func(p *Policy) { p.AttachedTo = slices.Clone(p.AttachedTo) })
	out.Principals = each(inv.Principals, func(p *Principal) {
		p.Identity, p.Boundary = slices.Clone(p.Identity), slices.Clone(p.Boundary)
	})
	out.Resources = each(inv.Resources, func(r *Resource) { r.Policies = slices.Clone(r.Policies) })
	return &out
}

// each copies a list and what it holds, and finishes each copy.
func each[T any](list []*T, finish func(*T)) []*T {
	out := make([]*T, len(list))
	for i, one := range list {
		own := *one
		finish(&own)
		out[i] = &own
	}
	return out
}

// joint is the world that is made.
type joint struct {
	*Inventory
	diags   source.Diagnostics
	ids     map[string]bool
	managed map[symbol.Text][]*entered // by ARN
}

// entered is a managed policy, as identity-based policy or as permissions boundary,
// with the index of its input.
type entered struct {
	*Policy
	input int
}

func (j *joint) facts(in *Inventory) {
	inv := j.Inventory
	for _, f := range []struct{ to, from *Fact }{
		{&inv.Account, &in.Account}, {&inv.Partition, &in.Partition}, {&inv.Region, &in.Region}, {&inv.Organization, &in.Organization},
	} {
		if f.from.surer(f.to) {
			*f.to = *f.from
		}
	}
	if inv.Timestamp == "" {
		inv.Timestamp = in.Timestamp
	}
	inv.Changes += in.Changes
	inv.OrgPaths = append(inv.OrgPaths, in.OrgPaths...)
	inv.OrgPolicies = append(inv.OrgPolicies, in.OrgPolicies...)
	inv.FullAccessDetached = append(inv.FullAccessDetached, in.FullAccessDetached...)
	inv.Endpoints = append(inv.Endpoints, in.Endpoints...)
	inv.Trails = append(inv.Trails, in.Trails...)
	inv.Workgroups = append(inv.Workgroups, in.Workgroups...)
	inv.Parameters = append(inv.Parameters, in.Parameters...)
	for name, secret := range in.Secret {
		if inv.Secret == nil {
			inv.Secret = map[string]bool{}
		}
		inv.Secret[name] = inv.Secret[name] || secret
	}
	if inv.VolumeKey.IsZero() {
		inv.VolumeKey = in.VolumeKey
	}
	inv.Incomplete = append(inv.Incomplete, in.Incomplete...)
}

// surer reports whether a fact is known better than another: at all, wholly, or
// without being assumed.
func (f *Fact) surer(than *Fact) bool {
	rank := func(f *Fact) int {
		switch {
		case f.Value.IsZero():
			return 0
		case !f.Value.Known():
			return 1
		case f.Assumed:
			return 2
		}
		return 3
	}
	return rank(f) > rank(than)
}

// policy enters a policy. The addresses of two inputs may be equal, IDs may not.
func (j *joint) policy(p *Policy, input int) {
	if !p.ARN.IsZero() {
		j.managed[p.ARN] = append(j.managed[p.ARN], &entered{p, input})
	} else if j.ids[p.ID] {
		id := p.ID
		for n := 2; j.ids[p.ID]; n++ {
			p.ID = fmt.Sprintf("%s (%d)", id, n)
		}
	}
	j.ids[p.ID] = true
	j.Policies = append(j.Policies, p)
}

func (j *joint) principal(p *Principal) {
	for _, first := range j.Principals {
		if symbol.Equal(first.ARN, p.ARN) == kleene.True {
			j.twice(first.Address, p.Address, p.ARN)
			j.detach(p)
			return
		}
	}
	j.Principals = append(j.Principals, p)
}

// detach takes a principal that is not judged from where its policies are attached.
func (j *joint) detach(p *Principal) {
	docs := []*policy.Document{p.Trust}
	for _, a := range slices.Concat(p.Identity, p.Boundary) {
		docs = append(docs, a.Document)
	}
	for _, e := range j.Policies {
		if slices.Contains(docs, e.Document) {
			e.AttachedTo = slices.DeleteFunc(e.AttachedTo, func(where string) bool { return where == p.Address })
		}
	}
}

// resource enters a resource. One without an address is known by the policies that
// its input attaches to it: they go to the one that another input defines.
func (j *joint) resource(r *Resource) {
	for i, first := range j.Resources {
		switch {
		case symbol.Equal(first.ARN, r.ARN) != kleene.True:
		case first.Address == "":
			r.Policies = append(r.Policies, first.Policies...)
			j.Resources[i] = r
			return
		case r.Address == "":
			first.Policies = append(first.Policies, r.Policies...)
			return
		default:
			j.twice(first.Address, r.Address, r.ARN)
			return
		}
	}
	j.Resources = append(j.Resources, r)
}

func (j *joint) twice(first, second string, name symbol.Text) {
	detail := fmt.Sprintf("%s is also defined as %s: the former is judged.", name, second)
	if second == name.String() {
		detail = fmt.Sprintf("%s is in the account too: it is judged as it will be after the change.", name)
	}
	j.diags = append(j.diags, source.Diagnostic{
		Severity: source.Info, Summary: "Defined twice", Origin: source.Origin{Address: first}, Detail: detail,
	})
}

// settle leaves one version of a managed policy: the first that was read, else the
// first.
func (j *joint) settle(versions []*entered) {
	i := slices.IndexFunc(versions, func(v *entered) bool { return v.Unread == "" })
	first := versions[max(i, 0)]
	for _, v := range versions {
		if v.input == first.input {
			continue
		}
		i := slices.IndexFunc(versions, func(w *entered) bool { return w.input == first.input && w.Kind == v.Kind })
		if i < 0 {
			// The same document in the use that the other input makes of it.
			own := *first.Document
			own.Kind, own.ID = v.Kind, v.ID
			v.replace(j.Inventory, &own)
			v.Document = &own
			continue
		}
		v.replace(j.Inventory, versions[i].Document)
		versions[i].AttachedTo = append(versions[i].AttachedTo, v.AttachedTo...)
		j.Policies = slices.DeleteFunc(j.Policies, func(p *Policy) bool { return p == v.Policy })
	}
}

// replace puts a document in the place of the policy wherever that is attached.
func (v *entered) replace(inv *Inventory, doc *policy.Document) {
	for _, p := range inv.Principals {
		for _, list := range [][]policy.Attached{p.Identity, p.Boundary} {
			for i := range list {
				if list[i].Document == v.Document {
					list[i].Document = doc
				}
			}
		}
	}
}

// attach attaches policies to the principals that their inputs name by ARN alone, and
// takes back what was said of policies that are there now.
func (j *joint) attach() {
	for _, p := range j.Policies {
		for _, holder := range j.Principals {
			if p.Kind == policy.Identity && holder.ARN.Known() && slices.Contains(p.AttachedTo, holder.ARN.String()) {
				holder.Identity = Attach(holder.Identity, p.Document, kleene.True, "")
			}
		}
	}
	j.diags = slices.DeleteFunc(j.diags, func(d source.Diagnostic) bool {
		return d.Summary == outsideSummary && !slices.ContainsFunc(j.Policies, func(p *Policy) bool { return p.Unread != "" && p.Origin == d.Origin })
	})
}
