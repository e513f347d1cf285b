package cloudformation

import (
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// text is the text of a property in every world; empty if it is not set.
func (r *resource) text(path string) symbol.Text {
	t, _ := r.property(path)
	return t
}

// endpoints lists the VPC endpoints with their policies.
func (rd *reader) endpoints() {
	for _, r := range rd.byType["AWS::EC2::VPCEndpoint"] {
		e := &extract.Endpoint{
			Address: r.address, ID: r.ref(), VPC: r.text("VpcId"),
			Service: extract.EndpointService(r.text("ServiceName").String()),
		}
		family, _ := r.text("IpAddressType").Literal()
		e.IPv6 = extract.TakesIPv6(family)
		self := own(r)
		self.Limit(r.exists())
		for _, c := range r.carried[r] {
			e.Policies = r.attach(e.Policies, c, self, r.address)
		}
		rd.Endpoints = append(rd.Endpoints, e)
	}
}

// trails lists the CloudTrail trails.
func (rd *reader) trails() {
	for _, r := range rd.byType["AWS::CloudTrail::Trail"] {
		t := &extract.Trail{
			Address: r.address, Bucket: r.text("S3BucketName"), Prefix: r.text("S3KeyPrefix"), Key: r.key(),
			Organization: r.text("IsOrganizationTrail") == symbol.Literal("true"),
		}
		t.ARN, _ = r.attr("Arn")
		matches, _ := r.targets("S3BucketName", "AWS::S3::Bucket")
		if bucket := certain(matches); bucket != nil {
			t.Bucket = bucket.ref()
		}
		rd.Trails = append(rd.Trails, t)
	}
}

const organizationType = "AWS::Organizations::Organization"

// organization finds the id of the organization.
func (rd *reader) organization() {
	for _, r := range rd.byType[organizationType] {
		rd.Organization = extract.Fact{Value: r.ref(), From: r.address}
	}
}

// organizationPolicies lists service control and resource control policies with
// the targets they are attached to.
func (rd *reader) organizationPolicies() {
	for _, r := range rd.byType["AWS::Organizations::Policy"] {
		exists, _ := r.exists()
		for _, c := range r.carried[r] {
			p := &extract.OrgPolicy{Document: c.Document}
			rd.OrgPolicies = append(rd.OrgPolicies, p)
			for _, target := range r.choices("TargetIds") {
				node := r.orgTarget(target)
				if min(exists, target.sure, c.sure) != kleene.True {
					// The policy may not be attached here: like a target that is not known.
					node.Kind = extract.OrgUnknown
				}
				p.Targets = append(p.Targets, node)
				name := node.Address
				if name == "" {
					name = node.ID.String()
				}
				r.AttachTo(c.Document, name)
			}
		}
	}
}

// orgTarget is the node of the organization that a text names.
func (r *resource) orgTarget(c choice) extract.OrgTarget {
	t := extract.OrgTarget{Kind: extract.OrgUnknown, ID: c.text}
	if id, known := c.text.Literal(); known {
		t.Kind = extract.OrgKind(id)
	}
	for _, org := range r.byType[organizationType] {
		if root, _ := org.attr("RootId"); root == c.text {
			t.Kind = extract.OrgRoot
		}
	}
	kinds := map[string]extract.OrgTargetKind{
		"AWS::Organizations::OrganizationalUnit": extract.OrgUnit,
		"AWS::Organizations::Account":            extract.OrgAccount,
	}
	for _, m := range r.index("AWS::Organizations::OrganizationalUnit", "AWS::Organizations::Account").Find(c.text) {
		if m.Sure == kleene.True {
			t.Kind, t.Address = kinds[m.Of.typ], m.Of.address
		}
	}
	return t
}

// A permissionRule says how a resource type that grants one permission names what
// it stands on, and by which properties it limits the grant.
type permissionRule struct {
	typ string
	// target names a resource of type on; missing is the name that stands for none.
	target, on, missing string
	actions, prefix     string // property, and what is before actions without a service
	action              string // the permission where the property is not set
	sid                 string
	conditions          []permissionCondition
}

type permissionCondition struct{ property, operator, key string }

// (AWS page "AddPermission" of the Lambda API: how arguments become conditions.)
var permissionRules = []permissionRule{
	{
		typ: "AWS::Lambda::Permission", target: "FunctionName", on: "AWS::Lambda::Function", actions: "Action",
		conditions: []permissionCondition{
			{"SourceArn", "ArnLike", "aws:SourceArn"},
			{"SourceAccount", "StringEquals", "aws:SourceAccount"},
			{"PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"},
			{"FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
			{"EventSourceToken", "StringEquals", "lambda:EventSourceToken"},
			{"InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"},
		},
	},
	{
		typ: "AWS::Lambda::LayerVersionPermission", target: "LayerVersionArn", on: "AWS::Lambda::LayerVersion", actions: "Action",
		action: "lambda:GetLayerVersion", conditions: []permissionCondition{{"OrganizationId", "StringEquals", "aws:PrincipalOrgID"}},
	},
	{typ: "AWS::Signer::ProfilePermission", target: "ProfileName", on: "AWS::Signer::SigningProfile", actions: "Action", sid: "StatementId"},
	{
		typ: "AWS::ACMPCA::Permission", target: "CertificateAuthorityArn", on: "AWS::ACMPCA::CertificateAuthority", actions: "Actions",
		prefix: "acm-pca:", conditions: []permissionCondition{{"SourceAccount", "StringEquals", "aws:SourceAccount"}},
	},
	{
		typ: "AWS::Events::EventBusPolicy", target: "EventBusName", on: "AWS::Events::EventBus", missing: "default", actions: "Action",
		action: "events:PutEvents", sid: "StatementId",
	},
}

// permissions turns each resource of the rules into a policy on what it names.
func (rd *reader) permissions() {
	for i := range permissionRules {
		rule := &permissionRules[i]
		for _, r := range rd.byType[rule.typ] {
			if len(r.carried[r]) == 0 { // an event bus's policy may be a statement
				r.permission(rule)
			}
		}
	}
}

func (r *resource) permission(rule *permissionRule) {
	matches, others := r.targets(rule.target, rule.on)
	if len(matches)+len(others) == 0 {
		others = []choice{{text: symbol.Literal(rule.missing), sure: kleene.True}}
	}
	for _, m := range matches {
		on, _ := m.Of.attr("Arn")
		c := r.grant(rule, on)
		if to := r.inventory[m.Of]; to != nil {
			to.Policies = r.attach(to.Policies, c, m, m.Of.address)
			continue
		}
		r.AttachTo(c.Document, m.Of.address)
	}
	exists, why := r.exists()
	for _, o := range others {
		on := r.fullName(o.text, rule.on)
		m := match{Of: r, Sure: o.sure, Why: o.why}
		m.Limit(exists, why)
		r.attachTo(r.grant(rule, on), on, m)
	}
}

// grant is the document of a permission on something.
func (r *resource) grant(rule *permissionRule, on symbol.Text) carried {
	g := &extract.Grant{Principal: r.text("Principal"), Resource: on, Range: r.at}
	if rule.sid != "" {
		g.Sid = r.text(rule.sid).String()
	}
	if g.Principal.IsZero() {
		g.Principal = named(r.address + ".Principal")
	}
	for _, c := range r.choices(rule.actions) {
		g.Actions = append(g.Actions, symbol.Concat(symbol.Literal(rule.prefix), c.text))
	}
	if len(g.Actions) == 0 {
		action := symbol.Literal(rule.action)
		if rule.action == "" {
			action = named(r.address + "." + rule.actions)
		}
		g.Actions = []symbol.Text{action}
	}
	for _, c := range rule.conditions {
		g.When(c.operator, c.key, r.text(c.property))
	}
	if n := member(r.properties, "Condition"); n != nil && rule.typ == "AWS::Events::EventBusPolicy" {
		v := r.evaluator().value(n)
		if operator, key, value := literal(member(v, "Type")), literal(member(v, "Key")), member(v, "Value"); operator != "" && key != "" && value != nil {
			g.When(operator, key, value.Text)
		} else {
			g.Late = named(r.address + ".Condition")
		}
	}
	doc, diags := extract.Document(r.unique(r.address), r.place(""), g)
	for _, d := range diags {
		d.Severity = min(d.Severity, source.Warning)
		r.Diagnostics = append(r.Diagnostics, d)
	}
	r.Enter(doc)
	c := carried{Document: doc, carrier: &carrier{typ: rule.typ, kind: policy.Resource}, sure: kleene.True}
	r.carried[r] = append(r.carried[r], c)
	return c
}
