package terraform

import (
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A permissionRule says how a resource type that grants one permission names what
// it stands on, and by which attributes it limits the grant.
type permissionRule struct {
	typ string
	// attr names a resource of type on, by one of its attributes: the first names
	// what a reference takes. what is missing stands for the default.
	attr, on string
	by       []string
	missing  string
	actions  string // attribute; the permission is action if it is not set
	action   string
	prefix   string // of actions that are written without their service
	// conditions by attribute.
	account, organization string
}

var permissionRules = []permissionRule{
	{typ: "aws_cloudwatch_event_permission", attr: "event_bus_name", on: "aws_cloudwatch_event_bus", by: []string{"name", "arn"}, missing: "default", actions: "action", action: "events:PutEvents"},
	{typ: "aws_lambda_layer_version_permission", attr: "layer_name", on: "aws_lambda_layer_version", by: []string{"layer_name", "arn"}, actions: "action", action: "lambda:GetLayerVersion", organization: "organization_id"},
	{typ: "aws_signer_signing_profile_permission", attr: "profile_name", on: "aws_signer_signing_profile", by: []string{"name", "arn"}, actions: "action"},
	{typ: "aws_acmpca_permission", attr: "certificate_authority_arn", on: "aws_acmpca_certificate_authority", by: []string{"arn"}, actions: "actions", prefix: "acm-pca:", account: "source_account"},
}

// permissions turns each resource of the rules into a policy on what it names.
func (b *builder) permissions() {
	for i := range permissionRules {
		rule := &permissionRules[i]
		for _, in := range b.byType[rule.typ] {
			b.permission(in, rule)
		}
	}
}

func (b *builder) permission(in *instance, rule *permissionRule) {
	matches, on := b.targets(in, rule.attr, want{attr: rule.by[0], types: []string{rule.on}}, rule.by...)
	known := arnRules[rule.on]
	switch {
	case len(matches) == 1:
		on = b.attr(matches[0].Of, "arn")
	case on.IsZero():
		on = symbol.Literal(rule.missing)
		on = b.expandName(in, known.arn, &on)
	case !on.HasPrefix(symbol.Literal("arn:")):
		on = b.expandName(in, known.arn, &on)
	}
	sid, _ := in.str("statement_id")
	g := &extract.Grant{Sid: sid, Principal: b.principalText(in, "principal"), Resource: on}
	actions, missing := b.listItems(in, rule.actions)
	if one := b.value(in, rule.actions); !one.IsZero() {
		actions = []symbol.Text{one}
	}
	if len(actions) == 0 && missing == 0 && rule.action != "" {
		actions = []symbol.Text{symbol.Literal(rule.action)}
	}
	for _, a := range actions {
		g.Actions = append(g.Actions, symbol.Concat(symbol.Literal(rule.prefix), a))
	}
	if len(g.Actions) == 0 {
		g.Actions = []symbol.Text{unresolvedText(in, rule.actions)}
	}
	g.When("StringEquals", "aws:SourceAccount", b.value(in, rule.account))
	g.When("StringEquals", "aws:PrincipalOrgID", b.value(in, rule.organization))
	b.permissionConditions(in, g)
	b.attachGrant(in, b.grantDocument(in, g), matches, on, known.sar)
}

// permissionConditions reads the block condition {key, type, value} of an event
// bus's permission.
func (b *builder) permissionConditions(in *instance, g *extract.Grant) {
	if at(in.unknown, "condition") == true && b.configured(in, "condition") {
		g.Late = unresolvedText(in, "condition")
		return
	}
	blocks, _ := in.values["condition"].([]any)
	for _, block := range blocks {
		operator, _ := at(block, "type").(string)
		key, _ := at(block, "key").(string)
		value := single(at(block, "value"))
		if operator == "" || key == "" || value.IsZero() {
			g.Late = unresolvedText(in, "condition")
			return
		}
		g.When(operator, key, value)
	}
}
