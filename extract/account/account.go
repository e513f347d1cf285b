// Package account reads what already exists in an AWS account: the users, groups,
// roles and managed policies that `aws iam get-account-authorization-details`
// writes, and single policy documents as a folder of organization policies holds
// them or `aws organizations describe-policy` writes them.
//
// Call [Read] with the details of an account, [ReadPolicy] with a policy, and
// [Sniff] to learn which of the two a file is.
package account

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A Format is what a file looks like from its beginning.
type Format uint8

// The formats that [Sniff] tells apart.
const (
	// Unknown is anything else.
	Unknown Format = iota
	// Details is the output of `aws iam get-account-authorization-details`.
	Details
	// Description is the output of `aws organizations describe-policy`.
	Description
	// Document is a policy document.
	Document
)

// formats tells the format by the first key of the object that a file holds.
var formats = map[string]Format{
	"UserDetailList": Details, "GroupDetailList": Details, "RoleDetailList": Details,
	"Policies": Details, "IsTruncated": Details, "Marker": Details,
	"Policy":  Description,
	"Version": Document, "Id": Document, "Statement": Document,
}

// Sniff tells the format of a JSON file from its first bytes.
func Sniff(head []byte) Format {
	dec := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(head, []byte("\uFEFF"))))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return Unknown
	}
	tok, err := dec.ReadToken()
	if err != nil || tok.Kind() != '"' {
		return Unknown
	}
	return formats[tok.String()]
}

// Options are what [Read] cannot learn from the details of an account.
type Options struct {
	// ManagedPolicy gives the document of an AWS managed policy by its name, such
	// as "AdministratorAccess", and false for one it does not know. It is asked for
	// policies that the details do not hold. May be nil.
	ManagedPolicy func(name string) (*policy.Document, bool)
}

// An InputError says what keeps a file from being read, with its place.
type InputError struct {
	// Name is how the file is called.
	Name string
	// Pos is the place of the trouble.
	Pos source.Pos
	// Msg is one clause without the name.
	Msg string
}

// Error returns the name, the place and the message.
func (e *InputError) Error() string { return fmt.Sprintf("%s:%s: %s", e.Name, e.Pos, e.Msg) }

// parse reads the JSON of a file.
func parse(text []byte, name string) (*source.Node, error) {
	root, err := source.ParseJSON(text)
	if syn, ok := errors.AsType[*source.SyntaxError](err); ok {
		return nil, &InputError{Name: name, Pos: syn.Pos, Msg: "this is not valid JSON: " + syn.Msg}
	}
	return root, err
}

// Read reads the users, groups, roles and managed policies of an account from the
// output of `aws iam get-account-authorization-details`. Policy documents may be
// JSON objects, as the AWS CLI writes them, or URL-encoded text, as the API does.
// name is how messages call the file.
//
// Of a managed policy the default version counts. It returns an [*InputError] for a
// file that is no such output; whatever is wrong with a policy is a diagnostic at
// its place in the file, and the policy is unread.
func Read(text []byte, name string, opts Options) (*extract.Result, error) {
	root, err := parse(text, name)
	if err != nil {
		return nil, err
	}
	inv := &extract.Inventory{}
	r := &reader{file: name, Register: extract.NewRegister(inv, opts.ManagedPolicy), managed: map[string]*policy.Document{}, groups: map[string][]policy.Attached{}}
	r.details(root)
	if r.err != nil {
		return nil, r.err
	}
	r.facts()
	r.Tidy()
	inv.Sort()
	r.Diagnostics.Sort()
	return &extract.Result{Inventory: inv, Diagnostics: r.Diagnostics}, nil
}

// reader reads the details of one account.
type reader struct {
	*extract.Register
	file string
	// err is the first thing that is not as AWS writes it.
	err error

	managed map[string]*policy.Document  // by ARN
	groups  map[string][]policy.Attached // by name
}

func (r *reader) details(root *source.Node) {
	m := r.object(root, "a file of account details")
	if m["UserDetailList"] == nil && m["GroupDetailList"] == nil && m["RoleDetailList"] == nil && m["Policies"] == nil {
		r.refuse(root, "these are no account details: they have a UserDetailList, GroupDetailList, RoleDetailList and Policies, and `aws iam get-account-authorization-details` writes them")
	}
	r.page(m)
	for _, n := range r.list(m, "Policies") {
		r.managedPolicy(r.object(n, "a managed policy"), n)
	}
	for _, n := range r.list(m, "GroupDetailList") {
		g := r.object(n, "a group")
		r.groups[r.text(g, n, "GroupName")] = r.identity(g, r.text(g, n, "Arn"), "GroupPolicyList")
	}
	for _, n := range r.list(m, "UserDetailList") {
		u := r.object(n, "a user")
		p := r.principal(u, n, extract.User, "UserName")
		p.Identity = r.identity(u, p.Address, "UserPolicyList")
		r.memberships(u, p)
	}
	for _, n := range r.list(m, "RoleDetailList") {
		role := r.object(n, "a role")
		p := r.principal(role, n, extract.Role, "RoleName")
		p.Identity = r.identity(role, p.Address, "RolePolicyList")
		if doc, ok := role["AssumeRolePolicyDocument"]; ok {
			p.Trust = r.document(doc, policy.Trust, p.Address, "AssumeRolePolicyDocument")
			r.AttachTo(p.Trust, p.Address)
		} else {
			r.refuse(n, "a role has an AssumeRolePolicyDocument, and this one has none")
		}
	}
}

// page says where the file is one page of several.
func (r *reader) page(m map[string]*source.Node) {
	for _, key := range []string{"IsTruncated", "Marker", "NextToken"} {
		n, ok := m[key]
		if !ok || n.Kind == source.Null || n.Kind == source.Bool && n.Text == symbol.Literal("false") {
			continue
		}
		sentence := fmt.Sprintf("%s: the account details are one page of several (%s), so users, groups, roles and policies are missing. Write all pages with `aws iam get-account-authorization-details` and no --max-items.", r.file, key)
		r.Incomplete = append(r.Incomplete, sentence)
		r.Warn(r.origin("", ""), n.Range, "Account details are incomplete", "%s", sentence)
		return
	}
}

// principal enters a user or role with its permissions boundary.
func (r *reader) principal(m map[string]*source.Node, at *source.Node, kind extract.PrincipalKind, nameKey string) *extract.Principal {
	id := r.text(m, at, "Arn")
	p := &extract.Principal{
		Address: id, Kind: kind, ARN: symbol.Literal(id), Name: symbol.Literal(r.text(m, at, nameKey)), Tags: r.tags(m),
	}
	if a, ok := arn.Parse(p.ARN); !ok || a.Type() != string(kind) {
		r.refuse(m["Arn"], fmt.Sprintf("this is not the ARN of a %s", kind))
	}
	r.Principals = append(r.Principals, p)
	if n, ok := m["PermissionsBoundary"]; ok && n.Kind != source.Null {
		b := r.object(n, "a permissions boundary")
		doc := r.byARN(r.text(b, n, "PermissionsBoundaryArn"), n, r.origin(id, "PermissionsBoundary"))
		p.Boundary = []policy.Attached{r.AsBoundary(policy.Attached{Document: doc, Sure: kleene.True}, id)}
	}
	return p
}

// tags returns the tags of a user or role; nil where the details do not list them.
func (r *reader) tags(m map[string]*source.Node) map[string]symbol.Text {
	if _, ok := m["Tags"]; !ok {
		return nil
	}
	tags := map[string]symbol.Text{}
	for _, n := range r.list(m, "Tags") {
		tag := r.object(n, "a tag")
		value := symbol.Text{}
		if v, ok := tag["Value"]; ok {
			value = v.Text
		}
		tags[r.text(tag, n, "Key")] = value
	}
	return tags
}

// identity reads the inline and managed policies of a user, group or role.
func (r *reader) identity(m map[string]*source.Node, id, inline string) []policy.Attached {
	var out []policy.Attached
	add := func(doc *policy.Document) {
		out = extract.Attach(out, doc, kleene.True, "")
		r.AttachTo(doc, id)
	}
	for _, n := range r.list(m, inline) {
		p := r.object(n, "an inline policy")
		name := r.text(p, n, "PolicyName")
		if doc, ok := p["PolicyDocument"]; ok {
			add(r.document(doc, policy.Identity, id, name))
		} else {
			r.refuse(n, "an inline policy has a PolicyDocument, and this one has none")
		}
	}
	for _, n := range r.list(m, "AttachedManagedPolicies") {
		add(r.byARN(r.text(r.object(n, "an attached policy"), n, "PolicyArn"), n, r.origin(id, "AttachedManagedPolicies")))
	}
	return out
}

// memberships gives a user the policies of its groups.
func (r *reader) memberships(m map[string]*source.Node, p *extract.Principal) {
	for _, n := range r.list(m, "GroupList") {
		name, _ := n.Text.Literal()
		policies, ok := r.groups[name]
		if !ok {
			doc := policy.Unread("the policies of group "+name, policy.Identity, r.origin(p.Address, "GroupList"), "the group is not part of the account details")
			policies = []policy.Attached{{Document: doc, Sure: kleene.True}}
			r.Enter(doc)
			r.Warn(doc.Origin, n.Range, "Group is missing", "%s is in the group %q, which the file does not describe. What depends on the group's policies stays unknown.", p.Address, name)
		}
		for _, a := range policies {
			p.Identity = extract.Attach(p.Identity, a.Document, a.Sure, a.Why)
			r.AttachTo(a.Document, p.Address)
		}
	}
}

// managedPolicy reads the default version of a managed policy.
func (r *reader) managedPolicy(m map[string]*source.Node, at *source.Node) {
	id := r.text(m, at, "Arn")
	origin := r.origin(id, "Document")
	if a, _ := arn.Parse(symbol.Literal(id)); a[arn.Account] == symbol.Literal("aws") {
		origin.Address = "" // not the team's
	}
	doc := policy.Unread(id, policy.Identity, origin, "the account details do not hold its default version")
	if n := r.defaultVersion(m); n != nil {
		doc = r.decode(n, policy.Identity, id, origin)
	} else {
		r.Warn(origin, at.Range, "Policy without its default version", "The file does not hold the default version of %s. What depends on the policy stays unknown.", id)
	}
	r.managed[id] = doc
	r.Enter(doc)
	r.SetARN(doc, symbol.Literal(id))
}

// defaultVersion returns the document of the default version of a managed policy.
func (r *reader) defaultVersion(m map[string]*source.Node) *source.Node {
	for _, n := range r.list(m, "PolicyVersionList") {
		v := r.object(n, "a policy version")
		switch d, ok := v["IsDefaultVersion"]; {
		case ok && d.Text == symbol.Literal("true"):
			return v["Document"]
		case !ok && m["DefaultVersionId"] != nil && v["VersionId"] != nil && v["VersionId"].Text == m["DefaultVersionId"].Text:
			return v["Document"]
		}
	}
	return nil
}

// byARN returns the document of a managed policy: that of the file or, for one of
// AWS, the one that is known by its name.
func (r *reader) byARN(id string, at *source.Node, origin source.Origin) *policy.Document {
	if doc, ok := r.managed[id]; ok {
		return doc
	}
	t := symbol.Literal(id)
	if doc, ok := r.AWSManaged(t, origin, at.Range); ok {
		return doc
	}
	return r.Outside(t, origin, at.Range)
}

// document reads an inline policy or a trust policy.
func (r *reader) document(n *source.Node, kind policy.Kind, holder, name string) *policy.Document {
	doc := r.decode(n, kind, holder+"."+name, r.origin(holder, name))
	r.Enter(doc)
	return doc
}

func (r *reader) origin(address, attribute string) source.Origin {
	return source.Origin{Address: address, Attribute: attribute, File: r.file}
}

// decode reads a policy document: a JSON object, whose places are those in the
// file, or a text, plain or URL-encoded, whose places are inside of it.
func (r *reader) decode(n *source.Node, kind policy.Kind, id string, origin source.Origin) *policy.Document {
	doc, diags := decode(n, kind, id, origin)
	r.Diagnostics = append(r.Diagnostics, diags...)
	return doc
}

func decode(n *source.Node, kind policy.Kind, id string, origin source.Origin) (*policy.Document, source.Diagnostics) {
	if n.Kind != source.String {
		return policy.Decode(n, id, kind, origin)
	}
	text, _ := n.Text.Literal()
	if plain, err := url.PathUnescape(text); err == nil && len(text) > 0 && text[0] == '%' {
		text = plain
	}
	origin.File = ""
	return policy.Parse(text, id, kind, origin)
}

// facts reads account and partition off the ARNs, which are all of one account.
func (r *reader) facts() {
	for _, p := range r.Principals {
		a, _ := arn.Parse(p.ARN)
		r.Account = extract.Fact{Value: a[arn.Account], From: r.file}
		r.Partition = extract.Fact{Value: a[arn.Partition], From: r.file}
		return
	}
}

// refuse notes the first thing that is not as AWS writes it.
func (r *reader) refuse(n *source.Node, msg string) {
	if r.err == nil {
		r.err = &InputError{Name: r.file, Pos: n.Range.Start, Msg: msg}
	}
}

// object returns the members of an object by their names.
func (r *reader) object(n *source.Node, what string) map[string]*source.Node {
	if n.Kind != source.Object {
		r.refuse(n, fmt.Sprintf("%s is written as a JSON object, and this is %s", what, n.Kind.Noun()))
		return nil
	}
	m := make(map[string]*source.Node, len(n.Members))
	for _, member := range n.Members {
		m[member.Name] = member.Value
	}
	return m
}

// list returns the items of a list, none where it is missing.
func (r *reader) list(m map[string]*source.Node, key string) []*source.Node {
	n, ok := m[key]
	switch {
	case !ok || n.Kind == source.Null:
		return nil
	case n.Kind != source.List:
		r.refuse(n, fmt.Sprintf("%s is a list, and this is %s", key, n.Kind.Noun()))
		return nil
	}
	return n.Items
}

// text returns a member that must be a text.
func (r *reader) text(m map[string]*source.Node, at *source.Node, key string) string {
	n, ok := m[key]
	if !ok {
		r.refuse(at, fmt.Sprintf("%s is missing here", key))
		return ""
	}
	s, _ := n.Text.Literal()
	if n.Kind != source.String || s == "" {
		r.refuse(n, fmt.Sprintf("%s is a text, and this is %s", key, n.Kind.Noun()))
	}
	return s
}
