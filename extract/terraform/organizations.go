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
}

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
	if id, ok := in.str(attr); ok {
		return b.literalTarget(id)
	}
	types := append([]string{"aws_organizations_organization"}, orgNodes...)
	out, exact := b.wire(in, attr, want{attr: "id", types: types})
	if !exact {
		b.unresolved(in, attr, append(out.missing, "one target"))
		return extract.OrgTarget{Kind: extract.OrgUnknown, ID: unresolvedText(in, attr)}
	}
	c := out.candidates[0]
	if c.from == nil {
		if id, ok := c.text.Literal(); ok {
			return b.literalTarget(id)
		}
		return extract.OrgTarget{Kind: extract.OrgUnknown, ID: c.text}
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
	return t
}
