package terraform

import (
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
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
			list = extract.Attach(list, m.Document, kleene.Unknown, in.address+"."+attr+" is one of several")
		}
	}
	return list
}

// managedByARN returns the documents that the ARN of a managed policy names: one
// of the input, an AWS managed one, or one that the input does not define.
func (b *builder) managedByARN(in *instance, attr string, t symbol.Text) []policy.Attached {
	at := source.Origin{Address: in.address, Attribute: attr}
	if doc, ok := b.AWSManaged(t, at, source.Range{}); ok {
		return []policy.Attached{{Document: doc, Sure: kleene.True}}
	}
	var list []policy.Attached
	found := b.index(managedWant.types, "arn").Find(t)
	for _, m := range found {
		for _, c := range b.carried[m.Of] {
			list = extract.Attach(list, c.doc, m.Sure, m.Why)
		}
	}
	if len(list) > 0 && slices.ContainsFunc(found, isCertain) {
		return list
	}
	// What may be a policy of the input may be one outside of it too.
	return extract.Attach(list, b.Outside(t, at, source.Range{}), kleene.True, "")
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
				p.Boundary = append(p.Boundary, b.AsBoundary(m, in.address))
			}
		}
	}
}
