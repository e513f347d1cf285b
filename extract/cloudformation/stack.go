package cloudformation

import (
	"cmp"
	"fmt"
	"maps"
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
	// before is the template before the change, nil if the input does not show it, and
	// beforeFile where its ranges count. was are the parameters that had other values,
	// or one that is not known and empty here.
	before     *source.Node
	beforeFile string
	was        map[string]string
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
	s.parameters = parameterValues(member(set, "Parameters"))
	if reason := literal(member(set, "StatusReason")); literal(member(set, "Status")) == "FAILED" {
		s.incomplete = append(s.incomplete, "The change set has failed: "+reason)
	}
	changes := member(set, "Changes")
	s.changes = len(changes.Items)
	body, file := member(set, "TemplateBody"), s.file
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
		s.before, s.beforeFile = templateBody(previous), file+" (PreviousTemplateBody)"
		s.previousParameters(set)
	} else if body != nil {
		s.before = undone(s.root, changes, file)
	}
	if literal(member(set, "NextToken")) != "" {
		s.incomplete = append(s.incomplete, "The change set goes on: this is its first page (NextToken).")
	}
}

// parameterValues are the values of parameters as DescribeChangeSet and DescribeStacks
// give them, but those that are kept secret.
func parameterValues(list *source.Node) map[string]string {
	out := map[string]string{}
	if list == nil {
		return out
	}
	for _, p := range list.Items {
		value := member(p, "ResolvedValue")
		if value == nil {
			value = member(p, "ParameterValue")
		}
		if text := literal(value); value != nil && text != "****" {
			out[literal(member(p, "ParameterKey"))] = text
		}
	}
	return out
}

// previousParameters are those of the stack as DescribeStacks gives them. Where the
// input lacks them, the parameters that caused changes had values which are not known.
// (AWS CloudFormation API Reference, "ResourceChangeDetail".)
func (s *stack) previousParameters(set *source.Node) {
	if list := member(set, "PreviousParameters"); list != nil {
		s.was = parameterValues(list)
		return
	}
	s.was = map[string]string{}
	for _, c := range member(set, "Changes").Items {
		if details := member(member(c, "ResourceChange"), "Details"); details != nil {
			for _, d := range details.Items {
				if literal(member(d, "ChangeSource")) == "ParameterReference" {
					s.was[literal(member(d, "CausingEntity"))] = ""
				}
			}
		}
	}
}

// earlier is the stack before the change, with what the user says of parameters that
// have not changed.
func (s *stack) earlier(opts Options) (*stack, Options) {
	out := *s
	out.root, out.file = s.before, cmp.Or(s.beforeFile, s.file)
	out.parameters, opts.Parameters = maps.Clone(s.parameters), maps.Clone(opts.Parameters)
	for name, value := range s.was {
		delete(opts.Parameters, name)
		if out.parameters[name] = value; value == "" {
			delete(out.parameters, name)
		}
	}
	return &out, opts
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
		props := contextOf(change, context)
		if props == nil {
			props = &source.Node{Kind: source.Unknown, Range: change.Range, Text: named("properties that the change set does not show")}
		}
		resources.Members = append(resources.Members, source.Member{
			Name: literal(member(change, "LogicalResourceId")), Range: change.Range,
			Value: at.object("Type", literal(member(change, "ResourceType")), "Properties", props),
		})
	}
	return k.object("Resources", resources)
}

// contextOf are the properties of a resource on one side of a change, nil if the change
// set does not show them.
func contextOf(change *source.Node, context string) *source.Node {
	text := literal(member(change, context))
	n, err := source.ParseJSON(text)
	if text == "" || err != nil {
		return nil
	}
	shift(n, member(change, context).Range)
	props := member(n, "Properties")
	if props != nil {
		keepLate(props, literal(member(change, "LogicalResourceId")))
	}
	return props
}

// undone is a template as it was before the changes of a change set, which is in a file;
// nil if that does not show what some resource was.
func undone(root, changes *source.Node, file string) *source.Node {
	resources := &source.Node{Kind: source.Object, Range: changes.Range}
	changed := map[string]bool{}
	for _, c := range changes.Items {
		change := member(c, "ResourceChange")
		id := literal(member(change, "LogicalResourceId"))
		changed[id] = true
		if change == nil || literal(member(change, "Action")) == "Add" {
			continue
		}
		was := contextOf(change, "BeforeContext")
		if was == nil {
			return nil
		}
		was.Relocate(source.Range{Start: change.Range.Start, End: change.Range.End, File: file})
		now := member(member(member(root, "Resources"), id), "Properties")
		resources.Members = append(resources.Members, source.Member{
			Name: id, Range: change.Range,
			Value: maker{change.Range}.object("Type", literal(member(change, "ResourceType")), "Properties", undo(now, was, contextOf(change, "AfterContext"))),
		})
	}
	out := &source.Node{Kind: source.Object, Range: root.Range}
	for _, m := range root.Members {
		if m.Name == "Resources" {
			for _, r := range m.Value.Members {
				if !changed[r.Name] {
					resources.Members = append(resources.Members, r)
				}
			}
			m.Value = resources
		}
		out.Members = append(out.Members, m)
	}
	return out
}

// undo gives what a value of a template was before a change, of which a change set shows
// both sides with other names for what AWS names: what is the same on both stays as the
// template says it.
func undo(now, was, will *source.Node) *source.Node {
	switch {
	case now == nil || was == nil || will == nil:
		return was
	case was.Equal(will):
		return now
	case now.Kind != was.Kind || now.Kind != will.Kind:
		return was
	}
	out := *was
	switch was.Kind {
	case source.Object:
		out.Members = slices.Clone(was.Members)
		for i, m := range out.Members {
			out.Members[i].Value = undo(member(now, m.Name), m.Value, member(will, m.Name))
		}
	case source.List:
		if len(now.Items) != len(will.Items) {
			return was // conditions of the template choose among them
		}
		out.Items = slices.Clone(was.Items)
		for i, item := range out.Items {
			if j := slices.IndexFunc(will.Items, item.Equal); j >= 0 {
				out.Items[i] = now.Items[j]
			} else if len(was.Items) == len(will.Items) {
				out.Items[i] = undo(now.Items[i], item, will.Items[i])
			}
		}
	default: // another value
	}
	return &out
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
