package terraform

import (
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// grantDocument enters the document of grants.
func (b *builder) grantDocument(in *instance, grants ...*extract.Grant) *policy.Document {
	doc, diags := extract.Document(in.address, source.Origin{Address: in.address}, grants...)
	for _, d := range diags {
		d.Severity = min(d.Severity, source.Warning)
		b.Diagnostics = append(b.Diagnostics, d)
	}
	b.Enter(doc)
	return doc
}

// value is the text of an attribute that may be known only after apply; empty if
// it is not set.
func (r *resolver) value(in *instance, attr string) symbol.Text {
	if c := constants(in.values[attr]); len(c) == 1 {
		return c[0].text
	}
	if in.isUnknown(attr) && r.configured(in, attr) {
		return unresolvedText(in, attr)
	}
	return symbol.Text{}
}

// lambdaPermissions turns each aws_lambda_permission into a policy on its function.
// (AWS page "AddPermission" of the Lambda API: how arguments become conditions.)
func (b *builder) lambdaPermissions() {
	for _, in := range b.byType["aws_lambda_permission"] {
		matches, t := b.targets(in, "function_name", want{attr: "function_name", types: []string{"aws_lambda_function"}}, "function_name", "arn")
		on := t
		if len(matches) == 1 {
			on = b.attr(matches[0].Of, "arn")
		} else if !t.IsZero() && !t.HasPrefix(symbol.Literal("arn:")) {
			on = b.expandName(in, arnRules["aws_lambda_function"].arn, &t)
		}
		if q := b.value(in, "qualifier"); !q.IsZero() {
			on = symbol.Concat(on, symbol.Literal(":"), q)
		}
		sid, _ := in.str("statement_id")
		g := &extract.Grant{Sid: sid, Principal: b.principalText(in, "principal"), Resource: on}
		g.Actions = []symbol.Text{b.value(in, "action")}
		g.When("ArnLike", "aws:SourceArn", b.value(in, "source_arn"))
		g.When("StringEquals", "aws:SourceAccount", b.value(in, "source_account"))
		g.When("StringEquals", "aws:PrincipalOrgID", b.value(in, "principal_org_id"))
		g.When("StringEquals", "lambda:FunctionUrlAuthType", b.value(in, "function_url_auth_type"))
		g.When("StringEquals", "lambda:EventSourceToken", b.value(in, "event_source_token"))
		b.attachGrant(in, b.grantDocument(in, g), matches, on, "lambda/function")
	}
}

// attachGrant attaches the document of a grant to what it stands on.
func (b *builder) attachGrant(in *instance, doc *policy.Document, matches []match, on symbol.Text, sar string) {
	for _, m := range matches {
		if r := b.resources[m.Of]; r != nil {
			r.Policies = extract.Attach(r.Policies, doc, m.Sure, m.Why)
			b.AttachTo(doc, m.Of.address)
		}
	}
	if len(matches) == 0 && !on.IsZero() {
		r := b.stranger(in, sar, on)
		r.Policies = extract.Attach(r.Policies, doc, kleene.True, "")
		b.AttachTo(doc, on.String())
	}
}

// principalText resolves an attribute that names a principal.
func (b *builder) principalText(in *instance, attr string) symbol.Text {
	out, exact := b.wire(in, attr, want{attr: "arn", types: []string{"aws_iam_role", "aws_iam_user"}})
	if exact {
		return out.candidates[0].text
	}
	return unresolvedText(in, attr)
}

// kmsGrants turns each aws_kms_grant into a document on its key that allows beside the
// key policy. (AWS page "Grants in AWS KMS".)
func (b *builder) kmsGrants() {
	for _, in := range b.byType["aws_kms_grant"] {
		matches, t := b.targets(in, "key_id", want{attr: "key_id", types: kmsKeys}, "key_id", "arn")
		on := t
		if len(matches) == 1 {
			on = b.attr(matches[0].Of, "arn")
		} else if !t.IsZero() && !t.HasPrefix(symbol.Literal("arn:")) {
			on = b.expandName(in, arnRules["aws_kms_key"].arn, &t)
		}
		g := &extract.Grant{Principal: b.principalText(in, "grantee_principal"), Resource: on}
		operations, missing := b.listItems(in, "operations")
		for _, op := range operations {
			g.Actions = append(g.Actions, symbol.Concat(symbol.Literal("kms:"), op))
		}
		if missing != 0 {
			unknown := symbol.Concat(symbol.Literal("kms:"), unresolvedText(in, "operations"))
			g.Actions = append(g.Actions, unknown)
		}
		b.grantConstraints(in, g)
		doc := b.grantDocument(in, g)
		doc.Grant = true
		b.attachGrant(in, doc, matches, on, "kms/key")
	}
}

// grantConstraints turns the encryption context that a grant asks for into
// conditions. With encryption_context_equals the context must hold nothing else.
func (b *builder) grantConstraints(in *instance, g *extract.Grant) {
	if at(in.unknown, "constraints") == true && b.configured(in, "constraints") || marked(at(in.sensitive, "constraints")) {
		g.Late = unresolvedText(in, "constraints")
		return
	}
	blocks, _ := in.values["constraints"].([]any)
	for _, block := range blocks {
		for _, attr := range []string{"encryption_context_equals", "encryption_context_subset"} {
			pairs, _ := at(block, attr).(map[string]any)
			var keys []symbol.Text
			for _, key := range sortedKeys(pairs) {
				g.When("StringEquals", "kms:EncryptionContext:"+key, single(pairs[key]))
				keys = append(keys, symbol.Literal(key))
			}
			if attr == "encryption_context_equals" {
				g.When("ForAllValues:StringEquals", "kms:EncryptionContextKeys", keys...)
			}
		}
	}
}
