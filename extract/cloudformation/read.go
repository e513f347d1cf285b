// Package cloudformation reads what an AWS CloudFormation template, or a stack's
// change set, makes of an AWS account: the principals, resources and policies, as
// an [extract.Inventory].
//
// Call [Read] with a template in YAML or JSON, a change set as `aws cloudformation
// describe-change-set` gives it, or the input of a CloudFormation Hook. Intrinsic
// functions become symbolic values: what depends on parameters that are not given,
// or on AWS, stays unknown and equal to itself wherever the template says the same.
// Where a condition is not decided, both worlds are kept.
//
// Readers may run at the same time.
package cloudformation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/yaml"
)

// Options are what [Read] cannot learn from a template.
type Options struct {
	// ManagedPolicy gives the document of an AWS managed policy by its name, such as
	// "AdministratorAccess", and false for one it does not know. May be nil.
	ManagedPolicy func(name string) (*policy.Document, bool)
	// Account is that of the stack if neither the input nor a parameter tells it; its
	// zero value says nothing.
	Account extract.Fact
	// Parameters are the values of parameters by name, the pseudo parameters
	// AWS::AccountId, AWS::Region, AWS::Partition, AWS::StackName and AWS::StackId
	// among them.
	Parameters map[string]string
	// AssumeDefaults gives parameters without a value their default.
	AssumeDefaults bool
	// ReadFile reads a file that the template names by a relative path: the template
	// of a nested stack. nil: none is read.
	ReadFile func(path string) ([]byte, error)
	// Before asks for the world before the change too: [extract.Result.Before].
	Before bool
}

// maxSize is the size of the largest input: CloudFormation takes templates of one
// megabyte (AWS page "Understand CloudFormation quotas"), of which a change set may
// hold two.
const maxSize = 5 << 20

// An InputError says why an input is no template that can be read.
type InputError struct {
	Name string
	// Line and Column are where the text goes wrong, 0 if it is all of it.
	Line, Column int
	Msg          string
}

func (e *InputError) Error() string {
	if e.Line == 0 {
		return e.Name + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, e.Msg)
}

// Read reads an input; name is how messages call it, and what places refer to.
//
// It returns an [*InputError] for an input that is none of those, the error of in,
// or that of ctx. Whatever else is wrong is a diagnostic.
func Read(ctx context.Context, in io.Reader, name string, opts Options) (*extract.Result, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxSize {
		return nil, &InputError{Name: name, Msg: "this file is larger than five megabytes; CloudFormation takes templates of one megabyte at most"}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := Parse(text)
	if err != nil {
		return nil, inputError(name, err)
	}
	return read(root, name, opts)
}

func read(root *source.Node, name string, opts Options) (*extract.Result, error) {
	s := stackOf(root, name, opts)
	if s == nil {
		return nil, &InputError{Name: name, Msg: "this is no CloudFormation template: it has no section Resources"}
	}
	rd := s.read(opts, nil)
	result := s.result(rd)
	if rd.open != nil {
		result.Worlds = func() []*extract.Inventory { return s.worlds(opts, rd) }
	}
	if opts.Before && s.before != nil {
		before, opts := s.earlier(opts)
		result.Before = before.read(opts, nil).Inventory
	}
	return result, nil
}

// read fills an inventory as the stack is in a world.
func (s *stack) read(opts Options, w *world) *reader {
	rd := newReader(&extract.Inventory{Incomplete: s.incomplete}, opts)
	rd.stack, rd.world = s, w
	rd.facts()
	rd.build()
	if s.changes >= 0 {
		rd.Changes = s.changes
	}
	return rd
}

func (s *stack) result(rd *reader) *extract.Result {
	return &extract.Result{Format: s.format, Inventory: rd.Inventory, Diagnostics: rd.Diagnostics}
}

// maxWorlds bounds in how many ways a template is read where its conditions are not
// decided.
const maxWorlds = 32

// worlds reads the stack in every way that its conditions can come out; nil if
// there are too many.
func (s *stack) worlds(opts Options, undecided *reader) []*extract.Inventory {
	var out []*extract.Inventory
	var split func(rd *reader) bool
	split = func(rd *reader) bool {
		for _, holds := range []bool{true, false} {
			in := s.read(opts, rd.world.assume(*rd.open, holds, rd.templates[0].allowed))
			switch {
			case in.open != nil:
				if !split(in) {
					return false
				}
			case len(out) == maxWorlds:
				return false
			default:
				out = append(out, in.Inventory)
			}
		}
		return true
	}
	if !split(undecided) {
		return nil
	}
	return out
}

func newReader(inv *extract.Inventory, opts Options) *reader {
	return &reader{
		Register: extract.NewRegister(inv, opts.ManagedPolicy), opts: opts,
		warned: map[string]bool{}, strangers: map[symbol.Text]*extract.Resource{},
		inventory: map[*resource]*extract.Resource{}, indexes: map[string]*extract.Index[*resource]{},
		carried: map[*resource][]carried{}, byType: map[string][]*resource{},
	}
}

// Parse reads a text as JSON if it looks like it, else as YAML with the short forms
// of CloudFormation's functions.
func Parse(text []byte) (*source.Node, error) {
	body := bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\uFEFF")))
	if len(body) > 0 && body[0] == '{' {
		root, jsonErr := source.ParseJSON(text)
		if jsonErr == nil {
			return root, nil
		}
		// YAML's flow style is much like JSON.
		if root, err := yaml.ParseTagged(text, longForm); err == nil {
			return root, nil
		}
		return nil, jsonErr
	}
	return yaml.ParseTagged(text, longForm)
}

// longForm gives the name of a function for its tag in YAML.
func longForm(tag string) (string, bool) {
	name := strings.TrimPrefix(tag, "!")
	switch name {
	case "":
		return "", false
	case "Ref", "Condition":
		return name, true
	default:
		return "Fn::" + name, true
	}
}

func inputError(name string, err error) error {
	if syn, ok := errors.AsType[*source.SyntaxError](err); ok {
		return &InputError{Name: name, Line: syn.Pos.Line, Column: syn.Pos.Column, Msg: "this is not valid YAML or JSON: " + syn.Msg}
	}
	return fmt.Errorf("%s: %w", name, err)
}

// isTemplate reports whether a tree has what every template has.
func isTemplate(root *source.Node) bool {
	r := member(root, "Resources")
	if r == nil || r.Kind != source.Object {
		return false
	}
	return !slices.ContainsFunc(root.Members, func(m source.Member) bool {
		return !slices.Contains(sections, m.Name) && !strings.HasPrefix(m.Name, "Fn::")
	}) || member(root, "AWSTemplateFormatVersion") != nil
}

func usesTransform(root *source.Node, name string) bool {
	n := member(root, "Transform")
	if n == nil {
		return false
	}
	return literal(n) == name || slices.ContainsFunc(n.Items, func(i *source.Node) bool { return literal(i) == name })
}

// pseudoFact is what is known of a pseudo parameter.
func (rd *reader) pseudoFact(name string) (extract.Fact, bool) {
	if v := rd.opts.Parameters[name]; v != "" {
		return extract.Fact{Value: symbol.Literal(v), From: "the parameter " + name}, true
	}
	if f, ok := rd.stack.facts[name]; ok {
		return f, true
	}
	return rd.opts.Account, name == "AWS::AccountId" && !rd.opts.Account.Value.IsZero()
}

// facts finds what holds for the whole input.
func (rd *reader) facts() {
	rd.Region = extract.Fact{Value: symbol.Symbol{Name: "region", Class: symbol.Segment}.Text()}
	if f, ok := rd.pseudoFact("AWS::Region"); ok {
		rd.Region = f
	}
	rd.Partition = extract.Fact{Value: symbol.Literal("aws"), Assumed: true}
	if p, ok := extract.PartitionOf(rd.Region.Value); ok {
		rd.Partition = extract.Fact{Value: symbol.Literal(p), From: rd.Region.From}
	}
	if f, ok := rd.pseudoFact("AWS::Partition"); ok {
		rd.Partition = f
	}
	rd.Account = extract.Fact{Value: symbol.Symbol{Name: "account", Class: symbol.Digits}.Text()}
	if f, ok := rd.pseudoFact("AWS::AccountId"); ok {
		rd.Account = f
	} else if id, from, ok := namedAccount(rd.stack.root); ok {
		rd.Account = extract.Fact{Value: symbol.Literal(id), From: from, Assumed: true}
	}
}

// nameProperties are those that name what an IAM ARN ends with, by its kind.
var nameProperties = map[string]string{
	roleType: "RoleName", userType: "UserName", groupType: "GroupName", managedType: "ManagedPolicyName",
}

// iamARN is a literal ARN of a role, user, group or policy in any text.
var iamARN = regexp.MustCompile(`arn:aws[a-z-]*:iam::[0-9]{12}:(role|user|group|policy)/[\w+=,.@/-]+`)

// namedAccount looks for a literal ARN of a role, user, group or policy that the
// template itself defines: its account must be meant.
func namedAccount(root *source.Node) (id, from string, ok bool) {
	defined := map[string]string{}
	resources := member(root, "Resources")
	if resources == nil {
		return "", "", false
	}
	for _, m := range resources.Members {
		if property := nameProperties[literal(member(m.Value, "Type"))]; property != "" {
			if name := literal(member(member(m.Value, "Properties"), property)); name != "" {
				defined[name] = m.Name
			}
		}
	}
	if len(defined) == 0 {
		return "", "", false
	}
	seen := extract.Tally{}
	var look func(n *source.Node)
	look = func(n *source.Node) {
		for _, found := range iamARN.FindAllString(n.Text.String(), -1) {
			t := symbol.Literal(found)
			if a, ok := arn.Parse(t); ok && defined[a.Name().String()] != "" {
				seen.Add(t, defined[a.Name().String()])
			}
		}
		for _, item := range n.Items {
			look(item)
		}
		for i := range n.Members {
			look(n.Members[i].Value)
		}
	}
	look(root)
	return seen.Most()
}

// root reads the template of the stack itself.
func (rd *reader) root() *template {
	given := map[string]*source.Node{}
	for _, values := range []map[string]string{rd.stack.parameters, rd.opts.Parameters} {
		for name, value := range values {
			given[name] = &source.Node{Kind: source.String, Text: symbol.Literal(value)}
		}
	}
	return rd.newTemplate(rd.stack.root, rd.stack.file, "", nil, given)
}

// build fills the inventory.
func (rd *reader) build() {
	rd.root()
	rd.each(func(r *resource) { rd.byType[r.typ] = append(rd.byType[r.typ], r) })
	rd.Changes = len(rd.templates[0].resources)
	rd.organization()
	rd.each((*resource).readPolicies)
	rd.collectResources()
	rd.attachResourcePolicies()
	rd.permissions()
	rd.principals()
	rd.permissionSets()
	rd.organizationPolicies()
	rd.endpoints()
	rd.trails()
	rd.workgroups()
	rd.volumeKey()
	rd.lakeFormation()
	rd.Tidy()
	if len(rd.ungiven) > 0 {
		rd.Diagnostics = append(rd.Diagnostics, source.Diagnostic{
			Severity: source.Info, Summary: "Parameters without a value", Origin: source.Origin{File: rd.stack.file},
			Detail: "These parameters have no value, and what depends on them stays unknown: " + strings.Join(rd.ungiven, ", ") +
				". Give values with --parameters or --parameter, or take the defaults with --assume-defaults.",
		})
	}
	rd.each((*resource).check)
	rd.Diagnostics.Sort()
	rd.Sort()
}
