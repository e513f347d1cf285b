package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// fullAccess is the id of the policy that AWS attaches to every target by default.
const fullAccess = "p-FullAWSAccess"

// organization finds the id of the organization.
func (b *builder) organization() {
	for _, in := range b.byType["aws_organizations_organization"] {
		b.Organization = extract.Fact{Value: b.attr(in, "id"), From: in.address}
	}
	if !b.Organization.Value.IsZero() {
		return
	}
	for _, in := range b.dataSources("aws_organizations_organization") {
		if id, ok := in.str("id"); ok {
			b.Organization = extract.Fact{Value: symbol.Literal(id), From: in.address}
			return
		}
	}
}

// organizationPolicies lists service control and resource control policies with
// the targets they are attached to.
func (b *builder) organizationPolicies() {
	byDoc := map[*instance]*extract.OrgPolicy{}
	for _, in := range b.byType["aws_organizations_policy"] {
		for _, c := range b.carried[in] {
			byDoc[in] = &extract.OrgPolicy{Document: c.doc}
			b.OrgPolicies = append(b.OrgPolicies, byDoc[in])
		}
	}
	kept := map[string]bool{}
	for _, in := range b.byType["aws_organizations_policy_attachment"] {
		id, _ := in.str("policy_id")
		if id == fullAccess {
			target, _ := in.str("target_id")
			kept[target] = true
			continue
		}
		target := b.orgTarget(in)
		matches, t := b.targets(in, "policy_id", want{attr: "id", types: []string{"aws_organizations_policy"}}, "id")
		for _, m := range matches {
			p := byDoc[m.Of]
			if p == nil {
				continue
			}
			node := target
			if m.Sure != kleene.True {
				// The policy may not be attached here: like a target that is not known.
				node.Kind = extract.OrgUnknown
			}
			p.Targets = append(p.Targets, node)
			b.AttachTo(p.Document, targetName(node))
		}
		if len(matches) == 0 && t.Known() && !t.IsZero() {
			doc := policy.Unread(in.address+".policy_id", policy.SCP, source.Origin{Address: in.address, Attribute: "policy_id"}, "the policy "+t.String()+" is not part of this input")
			b.Enter(doc)
			b.AttachTo(doc, targetName(target))
			b.OrgPolicies = append(b.OrgPolicies, &extract.OrgPolicy{Document: doc, Targets: []extract.OrgTarget{target}})
		}
	}
	b.detached(kept)
	b.placeAccount()
}

// placeAccount tells of the units that policies are attached to which hold the
// account: its own, as the input says where the account is, and those above it.
func (b *builder) placeAccount() {
	var targets []*extract.OrgTarget
	for _, p := range b.OrgPolicies {
		for i := range p.Targets {
			targets = append(targets, &p.Targets[i])
		}
	}
	for i := range b.FullAccessDetached {
		targets = append(targets, &b.FullAccessDetached[i])
	}
	above, complete := b.unitsAbove()
	for _, t := range targets {
		if t.Kind != extract.OrgUnit {
			continue
		}
		apart := complete
		for _, unit := range above {
			t.Holds = t.Holds || symbol.Equal(t.ID, unit.ID) == kleene.True
			// A unit that is yet to be made has no id that anybody could write down.
			other := t.Address != unit.Address && (t.Address != "" && unit.Address != "" || t.ID.Known() != unit.ID.Known())
			apart = apart && (other || symbol.Equal(t.ID, unit.ID) == kleene.False)
		}
		t.Apart = apart
	}
}

// unitsAbove are the organizational units above the account, the nearest first, as
// far as the input defines them; complete says that they are all.
func (b *builder) unitsAbove() (units []extract.OrgTarget, complete bool) {
	var node *instance
	for _, in := range b.byType["aws_organizations_account"] {
		if symbol.Equal(b.attr(in, "id"), b.Account.Value) == kleene.True {
			node = in
		}
	}
	for node != nil && len(units) < deepest {
		t, _, exact := b.node(node, "parent_id")
		switch {
		case exact && t.Kind == extract.OrgRoot:
			return units, true
		case !exact || t.Kind != extract.OrgUnit:
			return units, false
		}
		units = append(units, t)
		node = nil
		for _, in := range b.byType["aws_organizations_organizational_unit"] {
			if in.address == t.Address {
				node = in
			}
		}
	}
	return units, false
}

// deepest is more than the levels that units can be nested to (AWS page "Quotas and
// service limits for AWS Organizations").
const deepest = 8

func targetName(t extract.OrgTarget) string {
	if t.Address != "" {
		return t.Address
	}
	return t.ID.String()
}

// detached notes the targets that lose the default policy and do not get it back.
func (b *builder) detached(kept map[string]bool) {
	for _, in := range b.gone {
		// With skip_destroy Terraform lets go of an attachment that stays.
		if in.typ != "aws_organizations_policy_attachment" || in.before["policy_id"] != fullAccess || in.before["skip_destroy"] == true {
			continue
		}
		if id, ok := in.before["target_id"].(string); ok && !kept[id] {
			b.FullAccessDetached = append(b.FullAccessDetached, b.literalTarget(id))
		}
	}
}

// literalTarget tells the kind of a target by the spelling of its id.
func (b *builder) literalTarget(id string) extract.OrgTarget {
	t := extract.OrgTarget{Kind: extract.OrgKind(id), ID: symbol.Literal(id)}
	for _, m := range b.index(orgNodes, "id").Find(t.ID) {
		if m.Sure == kleene.True {
			t.Address = m.Of.address
		}
	}
	return t
}

var orgNodes = []string{"aws_organizations_organizational_unit", "aws_organizations_account"}

// orgTarget resolves the target of an attachment.
func (b *builder) orgTarget(in *instance) extract.OrgTarget {
	const attr = "target_id"
	t, missing, exact := b.node(in, attr)
	if !exact {
		b.unresolved(in, attr, append(missing, "one target"))
		return extract.OrgTarget{Kind: extract.OrgUnknown, ID: unresolvedText(in, attr)}
	}
	return t
}

// node resolves an attribute that names a node of the organization; exact is set
// where it names one, and missing says what it takes to know otherwise.
func (b *builder) node(in *instance, attr string) (node extract.OrgTarget, missing []string, exact bool) {
	if id, ok := in.str(attr); ok {
		return b.literalTarget(id), nil, true
	}
	types := append([]string{"aws_organizations_organization"}, orgNodes...)
	out, exact := b.wire(in, attr, want{attr: "id", types: types})
	if !exact {
		return extract.OrgTarget{}, out.missing, false
	}
	c := out.candidates[0]
	if c.from == nil {
		if id, ok := c.text.Literal(); ok {
			return b.literalTarget(id), nil, true
		}
		return extract.OrgTarget{Kind: extract.OrgUnknown, ID: c.text}, nil, true
	}
	t := extract.OrgTarget{Kind: extract.OrgUnknown, ID: c.text, Address: c.from.address}
	switch {
	case c.from.typ == "aws_organizations_organizational_unit":
		t.Kind = extract.OrgUnit
	case c.from.typ == "aws_organizations_account":
		t.Kind = extract.OrgAccount
	case strings.HasPrefix(c.attr, "roots"):
		t.Kind, t.Address = extract.OrgRoot, ""
	case c.attr == "master_account_id":
		t.Kind, t.Address = extract.OrgAccount, ""
	}
	return t, nil, true
}
