package cloudformation

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A maker writes parts of a template at a place of it.
type maker struct{ at source.Range }

func (k maker) text(s string) *source.Node {
	return &source.Node{Kind: source.String, Text: symbol.Literal(s), Range: k.at}
}

func (k maker) list(items ...*source.Node) *source.Node {
	return &source.Node{Kind: source.List, Items: items, Range: k.at}
}

func (k maker) object(pairs ...any) *source.Node {
	out := &source.Node{Kind: source.Object, Range: k.at}
	for i := 0; i+1 < len(pairs); i += 2 {
		value, _ := pairs[i+1].(*source.Node)
		if s, ok := pairs[i+1].(string); ok {
			value = k.text(s)
		}
		if value != nil {
			name, _ := pairs[i].(string)
			out.Members = append(out.Members, source.Member{Name: name, Range: k.at, Value: value})
		}
	}
	return out
}

func (k maker) document(statements ...*source.Node) *source.Node {
	return k.object("Version", policy.Version2012, "Statement", k.list(statements...))
}

// awsPolicy is the ARN of an AWS managed policy.
func (k maker) awsPolicy(name string) *source.Node {
	return k.object("Fn::Sub", "arn:${AWS::Partition}:iam::aws:policy/"+name)
}

// samTypes are what AWS SAM makes of its resources: the type, and the property of
// SAM that has another name there.
var samTypes = map[string]struct{ typ, from, to string }{
	"AWS::Serverless::Function":     {"AWS::Lambda::Function", "", ""},
	"AWS::Serverless::StateMachine": {"AWS::StepFunctions::StateMachine", "Name", "StateMachineName"},
	"AWS::Serverless::SimpleTable":  {"AWS::DynamoDB::Table", "", ""},
	"AWS::Serverless::LayerVersion": {"AWS::Lambda::LayerVersion", "", ""},
	"AWS::Serverless::Api":          {"AWS::ApiGateway::RestApi", "DefinitionBody", "Body"},
	"AWS::Serverless::HttpApi":      {"AWS::ApiGatewayV2::Api", "", ""},
}

// expandSAM turns a resource of AWS SAM into what the transform makes of it, as far
// as policies are concerned. (AWS SAM Developer Guide, "Generated CloudFormation
// resources".)
func (t *template) expandSAM(m source.Member, globals *source.Node) []source.Member {
	typ := literal(member(m.Value, "Type"))
	k := maker{m.Range}
	switch typ {
	case "AWS::Serverless::Connector":
		return t.connector(k, m)
	case "AWS::Serverless::Application":
		t.notExpanded(m, "its template is not a part of this one")
		return nil
	}
	to, ok := samTypes[typ]
	if !ok {
		if strings.HasPrefix(typ, "AWS::Serverless::") {
			t.notExpanded(m, "the type is not known to this version")
		}
		return []source.Member{m}
	}
	props := merged(member(m.Value, "Properties"), member(globals, strings.TrimPrefix(typ, "AWS::Serverless::")))
	props = renamed(props, to.from, to.to)
	switch typ {
	case "AWS::Serverless::Function":
		return append(t.function(k, m, props), t.resourceConnectors(m)...)
	case "AWS::Serverless::StateMachine":
		return append(t.stateMachine(k, m, props), t.resourceConnectors(m)...)
	case "AWS::Serverless::Api":
		props = t.api(k, m, props)
	}
	return []source.Member{as(m, to.typ, props)}
}

// merged are the properties of a resource with those of the section Globals that it
// does not set.
func merged(own, global *source.Node) *source.Node {
	out := &source.Node{Kind: source.Object}
	if own != nil {
		*out = *own
		if own.Kind != source.Object {
			return out
		}
	}
	if global == nil {
		return out
	}
	out.Members = append([]source.Member(nil), out.Members...)
	for _, m := range global.Members {
		if member(out, m.Name) == nil {
			out.Members = append(out.Members, m)
		}
	}
	return out
}

// renamed are properties of which one has another name.
func renamed(props *source.Node, from, to string) *source.Node {
	c := *props
	c.Members = slices.Clone(props.Members)
	for i := range c.Members {
		if c.Members[i].Name == from && from != "" {
			c.Members[i].Name = to
		}
	}
	return &c
}

// as is a resource with another type and other properties.
func as(m source.Member, typ string, props *source.Node) source.Member {
	k := maker{m.Range}
	out := k.object("Type", typ, "Properties", props, "Condition", member(m.Value, "Condition"), "Metadata", member(m.Value, "Metadata"))
	return source.Member{Name: m.Name, Range: m.Range, Value: out}
}

func (t *template) notExpanded(m source.Member, why string) {
	sentence := fmt.Sprintf("%s (%s) is not expanded: %s. What it grants is not known.", t.prefix+m.Name, literal(member(m.Value, "Type")), why)
	t.Warn(t.origin(t.prefix+m.Name, ""), m.Range, "Resource not expanded", "%s", sentence)
	t.Incomplete = append(t.Incomplete, sentence)
}

// function makes the function, its role, and what its events permit.
func (t *template) function(k maker, m source.Member, props *source.Node) []source.Member {
	out := []source.Member{as(m, "AWS::Lambda::Function", props)}
	managed := []*source.Node{k.awsPolicy("service-role/AWSLambdaBasicExecutionRole")}
	var inline []*source.Node
	if member(props, "VpcConfig") != nil {
		managed = append(managed, k.awsPolicy("service-role/AWSLambdaVPCAccessExecutionRole"))
	}
	if member(props, "DurableConfig") != nil {
		managed = append(managed, k.awsPolicy("service-role/AWSLambdaBasicDurableExecutionRolePolicy"))
	}
	if literal(member(props, "Tracing")) == "Active" {
		managed = append(managed, k.awsPolicy("AWSXRayDaemonWriteAccess"))
	}
	if dlq := member(props, "DeadLetterQueue"); dlq != nil {
		action := map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}[literal(member(dlq, "Type"))]
		inline = append(inline, k.document(k.object("Effect", "Allow", "Action", action, "Resource", member(dlq, "TargetArn"))))
	}
	if events := member(props, "Events"); events != nil {
		for _, e := range events.Members {
			at := maker{e.Range}
			typ := literal(member(e.Value, "Type"))
			if name := pollers[typ]; name != "" {
				managed = append(managed, at.awsPolicy(name))
			}
			if selfWritten[typ] {
				inline = append(inline, &source.Node{Kind: source.Unknown, Range: e.Range, Text: named("the policy that AWS SAM writes for the event " + e.Name)})
			}
			if service := pushers[typ]; service != "" {
				permission := at.object("Action", "lambda:InvokeFunction", "Principal", service, "FunctionName", at.object("Ref", m.Name))
				permission.Members = append(permission.Members, source.Member{
					Name: "SourceArn", Range: e.Range, Value: &source.Node{Kind: source.Unknown, Range: e.Range, Text: named(t.prefix + m.Name + "." + e.Name + ".Arn")},
				})
				out = append(out, t.generated(m, m.Name+e.Name+"Permission", "AWS::Lambda::Permission", permission))
			}
		}
	}
	if alias := member(props, "AutoPublishAlias"); alias != nil {
		out = append(out, t.generated(m, m.Name+".Alias", samAlias, k.object("FunctionName", k.object("Ref", m.Name), "Name", alias)))
	}
	if auth := literal(member(member(props, "FunctionUrlConfig"), "AuthType")); auth == "NONE" {
		out = append(out, t.generated(m, m.Name+"UrlPublicPermissions", "AWS::Lambda::Permission",
			k.object("Action", "lambda:InvokeFunctionUrl", "Principal", "*", "FunctionName", k.object("Ref", m.Name), "FunctionUrlAuthType", "NONE")))
	}
	return append(out, t.role(k, m, props, "lambda.amazonaws.com", managed, inline)...)
}

// samAlias is the type of what SAM calls Function.Alias.
const samAlias = "AWS::Serverless::Function Alias"

// generated is a resource that AWS SAM makes for another one.
func (*template) generated(m source.Member, name, typ string, props *source.Node) source.Member {
	out := as(m, typ, props)
	out.Name = name
	return out
}

// role makes the role of a function or state machine that does not name one, or not
// whatever a condition says.
func (t *template) role(k maker, m source.Member, props *source.Node, service string, managed, inline []*source.Node) []source.Member {
	condition := member(m.Value, "Condition")
	if own := member(props, "Role"); own != nil && own.Kind != source.Null {
		if condition = t.absent(own); condition == nil {
			return nil
		}
	}
	trust := member(props, "AssumeRolePolicyDocument")
	if trust == nil {
		trust = k.document(k.object("Effect", "Allow", "Action", "sts:AssumeRole", "Principal", k.object("Service", service)))
	}
	if p := member(props, "Policies"); p != nil {
		for _, one := range t.samPolicy(p) {
			if one.managed != nil {
				managed = append(managed, one.managed)
			}
			if one.inline != nil {
				inline = append(inline, one.inline)
			}
		}
	}
	policies := k.list()
	for i, doc := range inline {
		at := maker{doc.Range}
		policies.Items = append(policies.Items, inlinePolicy(at, fmt.Sprintf("%sRolePolicy%d", m.Name, i), doc))
	}
	role := k.object(
		"AssumeRolePolicyDocument", trust, "ManagedPolicyArns", k.list(managed...), "Policies", policies,
		"Path", member(props, "RolePath"), "PermissionsBoundary", member(props, "PermissionsBoundary"),
		"Tags", k.tags(service, member(props, "Tags")),
	)
	m.Value = k.object("Condition", condition, "Metadata", member(m.Value, "Metadata"))
	return []source.Member{t.generated(m, m.Name+"Role", roleType, role)}
}

// tags are those of a generated role: the ones of the function or state machine, and
// AWS SAM's own.
func (k maker) tags(service string, own *source.Node) *source.Node {
	creator := map[string]string{"lambda.amazonaws.com": "lambda:createdBy", "states.amazonaws.com": "stateMachine:createdBy"}[service]
	out := k.list(k.object("Key", creator, "Value", "SAM"))
	if own == nil {
		return out
	}
	for _, m := range own.Members {
		if strings.HasPrefix(m.Name, "Fn::") {
			return &source.Node{Kind: source.Unknown, Range: own.Range}
		}
		out.Items = append(out.Items, k.object("Key", m.Name, "Value", m.Value))
	}
	return out
}

// absent names the condition under which a property is left out; nil if none does.
func (t *template) absent(n *source.Node) *source.Node {
	arg := member(n, "Fn::If")
	if arg == nil || len(arg.Items) != 3 {
		return nil
	}
	switch {
	case isNoValue(arg.Items[1]):
		return arg.Items[0]
	case isNoValue(arg.Items[2]):
		k := maker{arg.Range}
		name := "not " + literal(arg.Items[0])
		t.conditionNodes[name] = k.object("Fn::Not", k.list(k.object("Condition", arg.Items[0])))
		return k.text(name)
	default:
		return nil
	}
}

func isNoValue(n *source.Node) bool { return literal(member(n, "Ref")) == "AWS::NoValue" }

// inlinePolicy wraps a document; one that a condition chooses is wrapped below it.
func inlinePolicy(k maker, name string, doc *source.Node) *source.Node {
	if arg := member(doc, "Fn::If"); arg != nil && len(arg.Items) == 3 {
		branches := []*source.Node{arg.Items[0]}
		for _, branch := range arg.Items[1:] {
			if !isNoValue(branch) {
				branch = inlinePolicy(maker{branch.Range}, name, branch)
			}
			branches = append(branches, branch)
		}
		return k.object("Fn::If", k.list(branches...))
	}
	return k.object("PolicyName", name, "PolicyDocument", doc)
}

// A samPolicy is one entry of Policies, as a managed policy or a document.
type samPolicy struct{ managed, inline *source.Node }

// samPolicy reads the property Policies or an entry of it: the name or ARN of a
// managed policy, a document, policy templates, a list of such or a choice between.
func (t *template) samPolicy(n *source.Node) []samPolicy {
	k := maker{n.Range}
	switch {
	case n.Kind == source.List:
		var out []samPolicy
		for _, item := range n.Items {
			out = append(out, t.samPolicy(item)...)
		}
		return out
	case n.Kind == source.String && strings.Contains(n.Text.String(), ":"):
		return []samPolicy{{managed: n}}
	case n.Kind == source.String:
		return []samPolicy{{managed: k.awsPolicy(n.Text.String())}}
	case n.Kind != source.Object:
		return nil
	case member(n, "Statement") != nil:
		if member(n, "Version") == nil {
			c := *n
			c.Members = append([]source.Member{{Name: "Version", Range: n.Range, Value: k.text(policy.Version2012)}}, n.Members...)
			n = &c
		}
		return []samPolicy{{inline: n}}
	case member(n, "Fn::If") != nil && len(member(n, "Fn::If").Items) == 3:
		return t.samChoice(k, member(n, "Fn::If"))
	}
	var out []samPolicy
	for _, m := range n.Members {
		at := maker{m.Range}
		switch doc := policyTemplate(at, m); {
		case m.Name == "Ref" || strings.HasPrefix(m.Name, "Fn::"):
			return []samPolicy{{managed: n}}
		case doc != nil:
			out = append(out, samPolicy{inline: doc})
		default:
			t.Warn(t.origin("", ""), m.Range, "Policy template not known",
				"There is no SAM policy template %s in this version. What it grants is not known.", m.Name)
			out = append(out, samPolicy{inline: &source.Node{Kind: source.Unknown, Range: m.Range, Text: named("the SAM policy template " + m.Name)}})
		}
	}
	return out
}

// samChoice reads an entry that a condition chooses.
func (t *template) samChoice(k maker, arg *source.Node) []samPolicy {
	none := k.object("Ref", "AWS::NoValue")
	var out []samPolicy
	for i, branch := range arg.Items[1:] {
		if isNoValue(branch) {
			continue
		}
		choose := func(n *source.Node) *source.Node {
			if n == nil {
				return nil
			}
			items := []*source.Node{arg.Items[0], none, none}
			items[i+1] = n
			return k.object("Fn::If", k.list(items...))
		}
		for _, p := range t.samPolicy(branch) {
			out = append(out, samPolicy{managed: choose(p.managed), inline: choose(p.inline)})
		}
	}
	return out
}

// stateMachine makes the state machine and its role.
func (t *template) stateMachine(k maker, m source.Member, props *source.Node) []source.Member {
	var managed []*source.Node
	if literal(member(member(props, "Tracing"), "Enabled")) == "true" {
		managed = append(managed, k.awsPolicy("AWSXRayDaemonWriteAccess"))
	}
	return append([]source.Member{as(m, "AWS::StepFunctions::StateMachine", props)},
		t.role(k, m, props, "states.amazonaws.com", managed, nil)...)
}

// api gives an API the resource policy that its property Auth spells.
func (t *template) api(k maker, m source.Member, props *source.Node) *source.Node {
	rp := member(member(props, "Auth"), "ResourcePolicy")
	if rp == nil {
		return props
	}
	doc := &source.Node{Kind: source.Unknown, Range: rp.Range, Text: named("the resource policy that AWS SAM writes for " + m.Name)}
	if statements := member(rp, "CustomStatements"); statements != nil && len(rp.Members) == 1 {
		doc = maker{rp.Range}.object("Version", policy.Version2012, "Statement", statements)
	} else {
		t.Warn(t.origin(t.prefix+m.Name, "Auth.ResourcePolicy"), rp.Range, "Resource policy not expanded",
			"Of Auth.ResourcePolicy only CustomStatements are read. What the other properties allow and deny is not known.")
	}
	c := *props
	c.Members = append([]source.Member{{Name: "Policy", Range: k.at, Value: doc}}, props.Members...)
	return &c
}

// connector says of a connector that it is not expanded, and that what it grants to
// the role of its source is not known.
func (t *template) connector(k maker, m source.Member) []source.Member {
	props := member(m.Value, "Properties")
	t.Warn(t.origin(t.prefix+m.Name, ""), m.Range, "Connector not expanded",
		"The permissions that the connector %s grants are not worked out. What depends on them stays unknown.", m.Name)
	doc := &source.Node{Kind: source.Unknown, Range: m.Range, Text: named("what the connector " + m.Name + " grants")}
	grant := k.object("PolicyDocument", doc)
	if source := literal(member(member(props, "Source"), "Id")); source != "" {
		grant.Members = append(grant.Members, k.object("Roles", k.list(k.object("Ref", source+"Role"))).Members...)
	}
	return []source.Member{t.generated(m, m.Name, managedType, grant)}
}

// resourceConnectors are the connectors that a resource holds itself.
func (t *template) resourceConnectors(m source.Member) []source.Member {
	var out []source.Member
	if list := member(m.Value, "Connectors"); list != nil {
		for _, c := range list.Members {
			k := maker{c.Range}
			props := k.object("Source", k.object("Id", m.Name))
			out = append(out, t.connector(k, source.Member{
				Name: m.Name + c.Name, Range: c.Range,
				Value: k.object("Type", "AWS::Serverless::Connector", "Properties", props, "Condition", member(m.Value, "Condition")),
			})...)
		}
	}
	return out
}

// pollers are the managed policies of events that the function reads itself.
var pollers = map[string]string{
	"SQS":      "service-role/AWSLambdaSQSQueueExecutionRole",
	"Kinesis":  "service-role/AWSLambdaKinesisExecutionRole",
	"DynamoDB": "service-role/AWSLambdaDynamoDBExecutionRole",
	"MSK":      "service-role/AWSLambdaMSKExecutionRole",
}

// selfWritten are the events for which AWS SAM writes a policy of its own.
var selfWritten = map[string]bool{"MQ": true, "SelfManagedKafka": true, "DocumentDB": true}

// pushers are the services that call the function for an event.
var pushers = map[string]string{
	"S3": "s3.amazonaws.com", "SNS": "sns.amazonaws.com", "Schedule": "events.amazonaws.com",
	"CloudWatchEvent": "events.amazonaws.com", "EventBridgeRule": "events.amazonaws.com",
	"Api": "apigateway.amazonaws.com", "HttpApi": "apigateway.amazonaws.com", "CloudWatchLogs": "logs.amazonaws.com",
	"IoTRule": "iot.amazonaws.com", "Cognito": "cognito-idp.amazonaws.com", "AlexaSkill": "alexa-appkit.amazon.com",
}

//go:embed sampolicies.txt
var policyTemplates string

// policyTemplate is the document of a SAM policy template with its parameters; nil
// for one that is not in the table.
func policyTemplate(k maker, m source.Member) *source.Node {
	var statements []*source.Node
	for line := range strings.Lines(policyTemplates) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(fields) < 4 || fields[0] != m.Name {
			continue
		}
		actions := k.list()
		for action := range strings.FieldsSeq(fields[2]) {
			actions.Items = append(actions.Items, k.text(action))
		}
		resources := k.list()
		for resource := range strings.FieldsSeq(fields[3]) {
			resources.Items = append(resources.Items, k.templateARN(resource, m.Value))
		}
		st := k.object("Effect", "Allow", "Action", actions, "Resource", resources)
		if len(fields) > 4 {
			c := strings.Fields(fields[4])
			st.Members = append(st.Members, k.object("Condition", k.object(c[0], k.object(c[1], k.templateARN(c[2], m.Value)))).Members...)
		}
		statements = append(statements, st)
	}
	if statements == nil {
		return nil
	}
	return k.document(statements...)
}

// templateARN is a resource of a policy template, as Fn::Sub of its parameters.
func (k maker) templateARN(resource string, params *source.Node) *source.Node {
	if resource == "*" {
		return k.text(resource)
	}
	if !strings.HasPrefix(resource, "{") {
		resource = "arn:{partition}:" + resource
	}
	sub := strings.NewReplacer("{partition}", "${AWS::Partition}", "{region}", "${AWS::Region}", "{account}", "${AWS::AccountId}", "{", "${").Replace(resource)
	vars := k.object()
	if params != nil {
		vars.Members = params.Members
	}
	return k.object("Fn::Sub", k.list(k.text(sub), vars))
}
