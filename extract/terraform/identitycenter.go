package terraform

import (
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

var permissionSetType = []string{"aws_ssoadmin_permission_set"}

// permissionSets lists Identity Center permission sets as the roles that they
// become in the accounts they are assigned to. (AWS page "Referencing permission
// sets in resource policies, Amazon EKS Cluster config maps, and AWS KMS key
// policies": the name of the role and its random suffix.)
func (b *builder) permissionSets() {
	sets := map[*instance]*extract.Principal{}
	for _, in := range b.byType[permissionSetType[0]] {
		p := &extract.Principal{Address: in.address, Kind: extract.PermissionSet}
		p.Name, p.ARN = extract.PermissionSetRole(b.partitionOf(in), b.account, b.attr(in, "name"), b.symbol(in, "suffix"))
		sets[in] = p
		b.Principals = append(b.Principals, p)
	}
	each := func(typ string, f func(in *instance, set *extract.Principal, m match)) {
		for _, in := range b.byType[typ] {
			matches, _ := b.targets(in, "permission_set_arn", want{attr: "arn", types: permissionSetType}, "arn")
			for _, m := range matches {
				f(in, sets[m.Of], m)
			}
		}
	}
	hold := func(set *extract.Principal, doc *policy.Document, sure kleene.Truth, why string) {
		set.Identity = extract.Attach(set.Identity, doc, sure, why)
		b.AttachTo(doc, set.Address)
	}
	each("aws_ssoadmin_permission_set_inline_policy", func(in *instance, set *extract.Principal, m match) {
		for _, c := range b.carried[in] {
			hold(set, c.doc, m.Sure, m.Why)
		}
	})
	each("aws_ssoadmin_managed_policy_attachment", func(in *instance, set *extract.Principal, m match) {
		for _, a := range b.managedPolicies(in, "managed_policy_arn") {
			hold(set, a.Document, min(a.Sure, m.Sure), a.Why+m.Why)
		}
	})
	each("aws_ssoadmin_customer_managed_policy_attachment", func(in *instance, set *extract.Principal, m match) {
		blocks, _ := in.values["customer_managed_policy_reference"].([]any)
		for i := range blocks {
			for _, a := range b.customerManaged(in, "customer_managed_policy_reference", blocks[i]) {
				hold(set, a.Document, min(a.Sure, m.Sure), a.Why+m.Why)
			}
		}
	})
	each("aws_ssoadmin_permissions_boundary_attachment", func(in *instance, set *extract.Principal, m match) {
		for _, a := range b.setBoundary(in) {
			a.Sure, a.Why = min(a.Sure, m.Sure), a.Why+m.Why
			set.Boundary = append(set.Boundary, b.AsBoundary(a, set.Address))
		}
	})
}

// customerManaged finds the policy that a reference by name and path means: the
// one of that name in the account the permission set is assigned to.
func (b *builder) customerManaged(in *instance, attr string, reference any) []policy.Attached {
	path, _ := at(reference, "path").(string)
	if path == "" {
		path = "/"
	}
	name := unresolvedText(in, attr)
	if t := single(at(reference, "name")); !t.IsZero() {
		name = t
	} else if out, exact := b.late(in, attr, want{attr: "name", types: managedWant.types}); exact {
		name = out.candidates[0].text
	}
	t := symbol.Concat(symbol.Literal("arn:"), b.partitionOf(in), symbol.Literal(":iam::"), b.account, symbol.Literal(":policy"+path), name)
	if _, ok := arn.Parse(t); !ok {
		return nil
	}
	return b.managedByARN(in, attr, t)
}

// setBoundary resolves the boundary of a permission set.
func (b *builder) setBoundary(in *instance) []policy.Attached {
	blocks, _ := in.values["permissions_boundary"].([]any)
	var list []policy.Attached
	for _, block := range blocks {
		if t := single(at(block, "managed_policy_arn")); !t.IsZero() {
			list = append(list, b.managedByARN(in, "permissions_boundary", t)...)
		}
		references, _ := at(block, "customer_managed_policy_reference").([]any)
		for _, ref := range references {
			list = append(list, b.customerManaged(in, "permissions_boundary", ref)...)
		}
	}
	return list
}
