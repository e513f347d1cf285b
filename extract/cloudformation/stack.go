package cloudformation

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A stack is a template with what is known of where and with what it is deployed.
type stack struct {
	root *source.Node
	// file is where the ranges of root count.
	file string
	// format says what the input is, for people.
	format string
	// facts are pseudo parameters by name, parameters the values of the others.
	facts      map[string]extract.Fact
	parameters map[string]string
	// physical are the physical IDs of the resources that keep them, by logical ID.
	physical map[string]string
	// before is the template before the change, nil if the input does not show it.
	before *source.Node
	// incomplete says what the input does not tell of the stack.
	incomplete []string
	// changes counts the resources that change, -1 if all do.
	changes int
}

// stackOf tells what an input is; nil if it is none that is read.
func stackOf(root *source.Node, name string, opts Options) *stack {
	s := &stack{
		format: "cloudformation template", root: root, file: name, changes: -1,
		facts: map[string]extract.Fact{}, parameters: map[string]string{}, physical: map[string]string{},
	}
	switch {
	case member(root, "HookContext") != nil:
		s.hook()
	case member(root, "Changes") != nil && (member(root, "ChangeSetName") != nil || member(root, "ChangeSetId") != nil):
		s.changeSet()
	case usesTransform(root, serverless):
		s.format = "sam template"
	default:
		s.cloudAssembly(name, opts)
	}
	if !isTemplate(s.root) {
		return nil
	}
	return s
}

// stackID takes the account, region and name of the stack from its ARN.
func (s *stack) stackID(id string) {
	a, ok := arn.Parse(symbol.Literal(id))
	if !ok {
		return
	}
	const from = "the ID of the stack"
	s.facts["AWS::AccountId"] = extract.Fact{Value: a[arn.Account], From: from}
	s.facts["AWS::Region"] = extract.Fact{Value: a[arn.Region], From: from}
	s.facts["AWS::Partition"] = extract.Fact{Value: a[arn.Partition], From: from}
	s.facts["AWS::StackId"] = extract.Fact{Value: symbol.Literal(id), From: from}
	if parts := a[arn.Resource].SplitN('/', 3); len(parts) == 3 {
		s.facts["AWS::StackName"] = extract.Fact{Value: parts[1], From: from}
	}
}

// hook reads the input of a CloudFormation Guard Hook on a resource, a stack or a
// change set. (AWS page "Write Guard rules to evaluate resources for Guard Hooks".)
func (s *stack) hook() {
	s.format = "hook input"
	context := member(s.root, "HookContext")
	s.stackID(literal(member(context, "StackId")))
	if id := literal(member(context, "AWSAccountID")); id != "" {
		s.facts["AWS::AccountId"] = extract.Fact{Value: symbol.Literal(id), From: "HookContext.AWSAccountID"}
	}
	if literal(member(context, "TargetType")) == "RESOURCE" {
		s.incomplete = append(s.incomplete, "The input of a hook on a resource shows that resource alone: what else there is in the stack is not known.")
	}
	if previous := member(s.root, "Previous"); previous != nil {
		if member(previous, "Resources") == nil {
			previous = maker{previous.Range}.object("Resources", previous)
		}
		s.before = hookTemplate(previous)
	}
	s.root = hookTemplate(s.root)
}

// hookTemplate is what of a hook's input is a template.
func hookTemplate(n *source.Node) *source.Node {
	out := &source.Node{Kind: source.Object, Range: n.Range}
	for _, m := range n.Members {
		if m.Name == "Resources" {
			m.Value = hookResources(m.Value)
		}
		if slices.Contains(sections, m.Name) {
			out.Members = append(out.Members, m)
		}
	}
	return out
}

// hookResources gives resources the names that members have in a template: the
// input of a hook on a resource says ResourceType and ResourceProperties.
func hookResources(n *source.Node) *source.Node {
	out := &source.Node{Kind: n.Kind, Range: n.Range}
	for _, m := range n.Members {
		r := renamed(renamed(m.Value, "ResourceType", "Type"), "ResourceProperties", "Properties")
		out.Members = append(out.Members, source.Member{Name: m.Name, Range: m.Range, Value: r})
	}
	return out
}

// afterApply is what a change set shows for a value that is known only when it runs.
const afterApply = "{{changeSet:KNOWN_AFTER_APPLY}}"

// changeSet reads the answer of DescribeChangeSet: with the template under
// TemplateBody, as GetTemplate gives it, or else with what the change set says of
// the resources that change. (AWS CloudFormation API Reference, "DescribeChangeSet"
// and "ResourceChange": AfterContext, with IncludePropertyValues.)
func (s *stack) changeSet() {
	s.format = "change set"
	set := s.root
	s.stackID(literal(member(set, "StackId")))
	if list := member(set, "Parameters"); list != nil {
		for _, p := range list.Items {
			value := member(p, "ResolvedValue")
			if value == nil {
				value = member(p, "ParameterValue")
			}
			if text := literal(value); value != nil && text != "****" {
				s.parameters[literal(member(p, "ParameterKey"))] = text
			}
		}
	}
	if reason := literal(member(set, "StatusReason")); literal(member(set, "Status")) == "FAILED" {
		s.incomplete = append(s.incomplete, "The change set has failed: "+reason)
	}
	changes := member(set, "Changes")
	s.changes = len(changes.Items)
	body := member(set, "TemplateBody")
	for _, c := range changes.Items {
		change := member(c, "ResourceChange")
		id := literal(member(change, "LogicalResourceId"))
		if p := literal(member(change, "PhysicalResourceId")); p != "" && slices.Contains([]string{"", "False"}, literal(member(change, "Replacement"))) {
			s.physical[id] = p
		}
	}
	switch {
	case body == nil:
		s.before = fromContexts(changes, "Add", "BeforeContext")
		s.root = fromContexts(changes, "Remove", "AfterContext")
		s.incomplete = append(s.incomplete, "The change set shows the resources that change alone: what else there is in the stack is not known. "+
			"Put the template beside them, under TemplateBody, to have all.")
	case body.Kind == source.String:
		s.root, s.file = templateBody(body), s.file+" (TemplateBody)"
	default:
		s.root = body
	}
	if previous := member(set, "PreviousTemplateBody"); previous != nil {
		s.before = templateBody(previous)
	}
	if literal(member(set, "NextToken")) != "" {
		s.incomplete = append(s.incomplete, "The change set goes on: this is its first page (NextToken).")
	}
}

// templateBody is a template as GetTemplate gives it: an object, or YAML in a string.
func templateBody(n *source.Node) *source.Node {
	if n.Kind == source.String {
		if root, err := Parse([]byte(n.Text.String())); err == nil {
			return root
		}
	}
	return n
}

// fromContexts makes a template of the resources that change, of what they are on
// one side of the change: those that an action adds or removes are not on both.
func fromContexts(changes *source.Node, not, context string) *source.Node {
	k := maker{changes.Range}
	resources := k.object()
	for _, c := range changes.Items {
		change := member(c, "ResourceChange")
		if change == nil || literal(member(change, "Action")) == not {
			continue
		}
		at := maker{change.Range}
		props := &source.Node{Kind: source.Unknown, Range: change.Range, Text: named("properties that the change set does not show")}
		if text := literal(member(change, context)); text != "" {
			if n, err := source.ParseJSON(text); err == nil {
				shift(n, member(change, context).Range)
				if props = member(n, "Properties"); props != nil {
					keepLate(props, literal(member(change, "LogicalResourceId")))
				}
			}
		}
		resources.Members = append(resources.Members, source.Member{
			Name: literal(member(change, "LogicalResourceId")), Range: change.Range,
			Value: at.object("Type", literal(member(change, "ResourceType")), "Properties", props),
		})
	}
	return k.object("Resources", resources)
}

// keepLate gives what is known only when the change set runs a name of its own.
func keepLate(n *source.Node, at string) {
	for i, item := range n.Items {
		keepLate(item, fmt.Sprintf("%s[%d]", at, i))
	}
	for i := range n.Members {
		keepLate(n.Members[i].Value, at+"."+n.Members[i].Name)
	}
	if n.Kind != source.String {
		return
	}
	var parts []symbol.Text
	for i, part := range strings.Split(n.Text.String(), afterApply) {
		if i > 0 {
			parts = append(parts, symbol.Symbol{Name: strings.TrimSuffix(fmt.Sprintf("%s#%d", at, i), "#1")}.Text())
		}
		parts = append(parts, symbol.Literal(part))
	}
	n.Text = symbol.Concat(parts...)
}

// cloudAssembly takes what a folder that the CDK synthesised (cdk.out) says of the
// template: the environment and the parameters. (AWS CDK, "cloud-assembly-schema".)
func (s *stack) cloudAssembly(name string, opts Options) {
	if !strings.HasSuffix(name, ".template.json") || opts.ReadFile == nil {
		return
	}
	text, err := opts.ReadFile("manifest.json")
	if err != nil {
		return
	}
	manifest, err := source.ParseJSON(text)
	if err != nil || member(manifest, "artifacts") == nil {
		return
	}
	for _, m := range member(manifest, "artifacts").Members {
		properties := member(m.Value, "properties")
		if literal(member(properties, "templateFile")) != path.Base(name) {
			continue
		}
		s.format = "cdk.out"
		environment, _ := strings.CutPrefix(literal(member(m.Value, "environment")), "aws://")
		account, region, _ := strings.Cut(environment, "/")
		const from = "the environment of the stack in manifest.json"
		if account != "" && account != "unknown-account" {
			s.facts["AWS::AccountId"] = extract.Fact{Value: symbol.Literal(account), From: from}
		}
		if region != "" && region != "unknown-region" {
			s.facts["AWS::Region"] = extract.Fact{Value: symbol.Literal(region), From: from}
		}
		if params := member(properties, "parameters"); params != nil {
			for _, p := range params.Members {
				s.parameters[p.Name] = literal(p.Value)
			}
		}
	}
}
