package terraform

import (
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

var managedWant = want{attr: "arn", types: []string{"aws_iam_policy"}}

// managedPolicies resolves an attribute that holds the ARN of a managed policy.
func (b *builder) managedPolicies(in *instance, attr string) []policy.Attached {
	out, exact := b.wire(in, attr, managedWant)
	switch {
	case exact:
		return b.managedByARN(in, attr, out.candidates[0].text)
	case len(out.candidates) == 0 && len(out.missing) == 0:
		return nil
	case len(out.missing) > 0:
		b.unresolved(in, attr, out.missing)
		doc := b.unread(in, attr, policy.Identity, b.lateReason(in, attr))
		return []policy.Attached{{Document: doc, Sure: kleene.True}}
	}
	var list []policy.Attached
	for _, c := range out.candidates {
		for _, m := range b.managedByARN(in, attr, c.text) {
			list = attached(list, m.Document, kleene.Unknown, in.address+"."+attr+" is one of several")
		}
	}
	return list
}

// managedByARN returns the documents that the ARN of a managed policy names: one
// of the input, an AWS managed one, or one that the input does not define.
func (b *builder) managedByARN(in *instance, attr string, t symbol.Text) []policy.Attached {
	if a, ok := arn.Parse(t); ok && a[arn.Account] == symbol.Literal("aws") {
		return []policy.Attached{{Document: b.awsManagedPolicy(in, attr, t, a), Sure: kleene.True}}
	}
	var list []policy.Attached
	for _, m := range b.index(managedWant.types, "arn").named(t) {
		for _, c := range b.carried[m.in] {
			list = attached(list, c.doc, m.sure, m.why)
		}
	}
	if len(list) > 0 {
		return list
	}
	doc := b.outside[t]
	if doc == nil {
		doc = policy.Unread(t.String(), policy.Identity, source.Origin{Address: in.address, Attribute: attr}, "the policy is not part of this input")
		b.outside[t] = doc
		b.enter(doc)
		b.warn(in, attr, "Policy outside of the input",
			"%s is attached here, and its document is not part of this plan. What depends on it stays unknown.", t)
	}
	return []policy.Attached{{Document: doc, Sure: kleene.True}}
}

// awsManagedPolicy returns the document of an AWS managed policy.
func (b *builder) awsManagedPolicy(in *instance, attr string, t symbol.Text, a arn.ARN) *policy.Document {
	name := a.Name().String()
	if doc := b.awsManaged[name]; doc != nil {
		return doc
	}
	var doc *policy.Document
	if b.opts.ManagedPolicy != nil {
		if found, ok := b.opts.ManagedPolicy(name); ok && found != nil {
			own := *found // the inventory names it by this input's ARN
			own.ID, own.Kind = t.String(), policy.Identity
			doc = &own
		}
	}
	if doc == nil {
		doc = policy.Unread(t.String(), policy.Identity, source.Origin{Address: in.address, Attribute: attr}, "the AWS managed policy "+name+" is not known to this version")
		b.warn(in, attr, "AWS managed policy not known",
			"The document of %s is not known, so what it allows is unknown. Update tfguard if the name is spelled right.", t)
	}
	b.awsManaged[name] = doc
	b.enter(doc)
	return doc
}

// boundaryOf attaches the permissions boundaries of roles and users.
func (b *builder) boundaryOf(holders map[*instance]*holder) {
	const attr = "permissions_boundary"
	for _, typ := range []string{"aws_iam_role", "aws_iam_user"} {
		for _, in := range b.byType[typ] {
			if in.isUnknown(attr) && !b.configured(in, attr) {
				continue
			}
			for _, m := range b.managedPolicies(in, attr) {
				p := holders[in].principal
				p.Boundary = append(p.Boundary, b.asBoundary(m, in.address))
			}
		}
	}
}

// asBoundary is a managed policy in its use as a permissions boundary.
func (b *builder) asBoundary(m policy.Attached, where string) policy.Attached {
	doc := b.boundaries[m.Document]
	if doc == nil {
		own := *m.Document
		own.Kind = policy.Boundary
		own.ID = m.ID + " (boundary)"
		doc = &own
		b.boundaries[m.Document] = doc
		b.enter(doc)
	}
	b.attachTo(doc, where)
	m.Document = doc
	return m
}
