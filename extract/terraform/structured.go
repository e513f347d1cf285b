package terraform

import (
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Some resources say in attributes what others say in a policy document. These
// functions write the document.

func stringNode(t symbol.Text) *source.Node { return &source.Node{Kind: source.String, Text: t} }

func literal(s string) *source.Node { return stringNode(symbol.Literal(s)) }

func object(members ...source.Member) *source.Node {
	return &source.Node{Kind: source.Object, Members: members}
}

func member(name string, value *source.Node) source.Member {
	return source.Member{Name: name, Value: value}
}

// A grant is one Allow statement in the making.
type grant struct {
	sid, principalType string
	principal          symbol.Text
	actions            []*source.Node
	resource           symbol.Text
	conditions         []source.Member // operator: {key: value}
	// late is the symbol of conditions of which nothing is known; empty otherwise.
	late symbol.Text
}

// when adds a condition, if there is a value to compare with.
func (g *grant) when(operator, key string, value symbol.Text) {
	if value.IsZero() {
		return
	}
	for i := range g.conditions {
		if g.conditions[i].Name == operator {
			g.conditions[i].Value.Members = append(g.conditions[i].Value.Members, member(key, stringNode(value)))
			return
		}
	}
	g.conditions = append(g.conditions, member(operator, object(member(key, stringNode(value)))))
}

func (g *grant) node() *source.Node {
	principal := object(member(g.principalType, stringNode(g.principal)))
	if g.principal == symbol.Literal("*") {
		principal = literal("*")
	}
	st := object(
		member("Effect", literal("Allow")),
		member("Principal", principal),
		member("Action", &source.Node{Kind: source.List, Items: g.actions}),
		member("Resource", stringNode(g.resource)),
	)
	if g.sid != "" {
		st.Members = append([]source.Member{member("Sid", literal(g.sid))}, st.Members...)
	}
	switch {
	case !g.late.IsZero():
		st.Members = append(st.Members, member("Condition", &source.Node{Kind: source.Unknown, Text: g.late}))
	case len(g.conditions) > 0:
		st.Members = append(st.Members, member("Condition", object(g.conditions...)))
	}
	return object(member("Version", literal(policy.Version2012)), member("Statement", st))
}

// grantDocument enters the document of a grant.
func (b *builder) grantDocument(in *instance, g *grant) *policy.Document {
	doc, diags := policy.Decode(g.node(), in.address, policy.Resource, source.Origin{Address: in.address})
	for _, d := range diags {
		d.Severity = min(d.Severity, source.Warning)
		b.diags = append(b.diags, d)
	}
	b.enter(doc)
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
			on = b.attr(matches[0].in, "arn")
		} else if !t.IsZero() && !t.HasPrefix(symbol.Literal("arn:")) {
			on = b.expandName(in, arnRules["aws_lambda_function"].arn, &t)
		}
		if q := b.value(in, "qualifier"); !q.IsZero() {
			on = symbol.Concat(on, symbol.Literal(":"), q)
		}
		sid, _ := in.str("statement_id")
		g := &grant{sid: sid, principal: b.principalText(in, "principal"), resource: on}
		g.principalType = principalType(g.principal)
		g.actions = []*source.Node{stringNode(b.value(in, "action"))}
		g.when("ArnLike", "aws:SourceArn", b.value(in, "source_arn"))
		g.when("StringEquals", "aws:SourceAccount", b.value(in, "source_account"))
		g.when("StringEquals", "aws:PrincipalOrgID", b.value(in, "principal_org_id"))
		g.when("StringEquals", "lambda:FunctionUrlAuthType", b.value(in, "function_url_auth_type"))
		g.when("StringEquals", "lambda:EventSourceToken", b.value(in, "event_source_token"))
		b.attachGrant(in, g, matches, on, "lambda/function")
	}
}

// attachGrant attaches a written document to what it stands on.
func (b *builder) attachGrant(in *instance, g *grant, matches []match, on symbol.Text, sar string) {
	doc := b.grantDocument(in, g)
	for _, m := range matches {
		if r := b.resources[m.in]; r != nil {
			r.Policies = attached(r.Policies, doc, m.sure, m.why)
			b.attachTo(doc, m.in.address)
		}
	}
	if len(matches) == 0 && !on.IsZero() {
		r := b.stranger(in, sar, on)
		r.Policies = attached(r.Policies, doc, kleene.True, "")
		b.attachTo(doc, on.String())
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

func principalType(t symbol.Text) string {
	if s, known := t.Literal(); known && !strings.HasPrefix(s, "arn:") && strings.Contains(s, ".") {
		return "Service"
	}
	return "AWS"
}

// kmsGrants turns each aws_kms_grant into a policy on its key: a grant allows
// beside the key policy. (AWS page "Grants in AWS KMS".)
func (b *builder) kmsGrants() {
	for _, in := range b.byType["aws_kms_grant"] {
		matches, t := b.targets(in, "key_id", want{attr: "key_id", types: kmsKeys}, "key_id", "arn")
		on := t
		if len(matches) == 1 {
			on = b.attr(matches[0].in, "arn")
		} else if !t.IsZero() && !t.HasPrefix(symbol.Literal("arn:")) {
			on = b.expandName(in, arnRules["aws_kms_key"].arn, &t)
		}
		g := &grant{principal: b.principalText(in, "grantee_principal"), resource: on}
		g.principalType = principalType(g.principal)
		operations, missing := b.listItems(in, "operations")
		for _, op := range operations {
			g.actions = append(g.actions, stringNode(symbol.Concat(symbol.Literal("kms:"), op)))
		}
		if missing != 0 {
			unknown := symbol.Concat(symbol.Literal("kms:"), unresolvedText(in, "operations"))
			g.actions = append(g.actions, stringNode(unknown))
		}
		b.grantConstraints(in, g)
		b.attachGrant(in, g, matches, on, "kms/key")
	}
}

// grantConstraints turns the encryption context that a grant asks for into
// conditions. With encryption_context_equals the context must hold nothing else.
func (b *builder) grantConstraints(in *instance, g *grant) {
	if at(in.unknown, "constraints") == true && b.configured(in, "constraints") || marked(at(in.sensitive, "constraints")) {
		g.late = unresolvedText(in, "constraints")
		return
	}
	blocks, _ := in.values["constraints"].([]any)
	for _, block := range blocks {
		for _, attr := range []string{"encryption_context_equals", "encryption_context_subset"} {
			pairs, _ := at(block, attr).(map[string]any)
			var keys []*source.Node
			for _, key := range sortedKeys(pairs) {
				g.when("StringEquals", "kms:EncryptionContext:"+key, single(pairs[key]))
				keys = append(keys, literal(key))
			}
			if attr == "encryption_context_equals" && len(keys) > 0 {
				g.conditions = append(g.conditions, member("ForAllValues:StringEquals",
					object(member("kms:EncryptionContextKeys", &source.Node{Kind: source.List, Items: keys}))))
			}
		}
	}
}
