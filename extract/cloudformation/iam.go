package cloudformation

import (
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// The types of IAM that policies are attached to and by.
const (
	roleType    = "AWS::IAM::Role"
	userType    = "AWS::IAM::User"
	groupType   = "AWS::IAM::Group"
	managedType = "AWS::IAM::ManagedPolicy"
)

// A holder is a role, user or group with the identity-based policies it holds.
type holder struct {
	principal *extract.Principal // nil for groups
	identity  []policy.Attached
}

// principals lists roles and users with the policies that bear on their calls.
func (rd *reader) principals() {
	holders := map[*resource]*holder{}
	for _, typ := range []string{roleType, userType, groupType} {
		for _, r := range rd.byType[typ] {
			h := &holder{}
			holders[r] = h
			if typ == groupType {
				continue
			}
			h.principal = &extract.Principal{Address: r.address, Kind: extract.User, Tags: r.tags()}
			if typ == roleType {
				h.principal.Kind = extract.Role
			}
			h.principal.ARN, _ = r.attr("Arn")
			h.principal.Name = r.ref()
			rd.Principals = append(rd.Principals, h.principal)
		}
	}
	rd.each(func(r *resource) {
		switch r.typ {
		case roleType, userType, groupType:
			r.ownPolicies(holders[r])
		case "AWS::IAM::Policy", managedType:
			r.attachList(holders, "Roles", roleType)
			r.attachList(holders, "Users", userType)
			r.attachList(holders, "Groups", groupType)
		case "AWS::IAM::RolePolicy":
			r.attachList(holders, "RoleName", roleType)
		case "AWS::IAM::UserPolicy":
			r.attachList(holders, "UserName", userType)
		case "AWS::IAM::GroupPolicy":
			r.attachList(holders, "GroupName", groupType)
		}
	})
	rd.memberships(holders)
	for _, h := range holders {
		if h.principal != nil {
			h.principal.Identity = h.identity
		}
	}
}

// ownPolicies attaches what a role, user or group says itself.
func (r *resource) ownPolicies(h *holder) {
	var trust []carried
	for _, c := range r.carried[r] {
		if c.Kind == policy.Trust {
			trust = append(trust, c)
			r.AttachTo(c.Document, r.address)
			continue
		}
		h.identity = r.attach(h.identity, c, own(r), r.address)
	}
	if len(trust) == 1 && trust[0].sure == kleene.True {
		h.principal.Trust = trust[0].Document
	} else if len(trust) > 0 {
		h.principal.Trust = policy.Unread(r.unique(r.address+".AssumeRolePolicyDocument"), policy.Trust, r.place("AssumeRolePolicyDocument"), "it is one of several: "+trust[0].why)
		r.Enter(h.principal.Trust)
		r.AttachTo(h.principal.Trust, r.address)
	}
	for _, a := range r.managed("ManagedPolicyArns") {
		h.identity = r.attach(h.identity, carried{Document: a.Document, sure: a.Sure, why: a.Why}, own(r), r.address)
	}
	if h.principal != nil {
		for _, a := range r.managed("PermissionsBoundary") {
			h.principal.Boundary = append(h.principal.Boundary, r.AsBoundary(a, r.address))
		}
	}
}

// managed resolves a property with ARNs of managed policies, for a holder.
func (r *resource) managed(path string) []policy.Attached {
	var out []policy.Attached
	place := r.place(path)
	for _, c := range r.choices(path) {
		if c.whole {
			continue
		}
		if doc, ok := r.AWSManaged(c.text, place, c.at); ok {
			out = extract.Attach(out, doc, c.sure, c.why)
			continue
		}
		found := r.index(managedType).Find(c.text)
		if c.late {
			found = nil
		}
		for _, m := range found {
			m.Limit(c.sure, c.why)
			m.Limit(m.Of.given(r))
			for _, doc := range r.carried[m.Of] {
				one := m
				one.Limit(doc.sure, doc.why)
				if one.Sure != kleene.False {
					out = extract.Attach(out, doc.Document, one.Sure, one.Why)
				}
			}
		}
		if !slices.ContainsFunc(found, isCertain) {
			// What may be a policy of the template may be one outside of it too.
			out = extract.Attach(out, r.Outside(c.text, place, c.at), c.sure, c.why)
		}
	}
	return out
}

// attachList gives the policies of a resource to those that a list of it names.
func (r *resource) attachList(holders map[*resource]*holder, path, typ string) {
	matches, others := r.targets(path, typ)
	for _, c := range r.carried[r] {
		for _, m := range matches {
			holders[m.Of].identity = r.attach(holders[m.Of].identity, c, m, m.Of.address)
		}
		for _, o := range others {
			r.AttachTo(c.Document, r.fullName(o.text, typ).String())
		}
	}
}

// memberships gives the policies of groups to their members.
func (rd *reader) memberships(holders map[*resource]*holder) {
	join := func(by *resource, users, groups []match) {
		for _, u := range users {
			for _, g := range groups {
				for _, a := range holders[g.Of].identity {
					c := carried{Document: a.Document, sure: a.Sure, why: a.Why}
					as := u
					as.Limit(g.Sure, g.Why)
					holders[u.Of].identity = by.attach(holders[u.Of].identity, c, as, u.Of.address)
				}
			}
		}
	}
	for _, r := range rd.byType[userType] {
		groups, others := r.targets("Groups", groupType)
		for i := range groups {
			groups[i].Limit(groups[i].Of.given(r))
		}
		join(r, []match{own(r)}, groups)
		r.unseenGroups(holders[r], others)
	}
	for _, r := range rd.byType["AWS::IAM::UserToGroupAddition"] {
		users, _ := r.targets("Users", userType)
		groups, others := r.targets("GroupName", groupType)
		join(r, users, groups)
		for _, u := range users {
			r.unseenGroups(holders[u.Of], others)
		}
	}
}

// unseenGroups says of groups that the input does not define that their policies
// are not known.
func (r *resource) unseenGroups(h *holder, groups []choice) {
	for _, g := range groups {
		if g.whole {
			continue
		}
		full := r.fullName(g.text, groupType)
		doc := r.Outside(full, r.place("Groups"), g.at)
		h.identity = extract.Attach(h.identity, doc, g.sure, g.why)
		r.AttachTo(doc, h.principal.Address)
	}
}

// tags returns the tags of a role or user; nil if it is not known which there are.
func (r *resource) tags() map[string]symbol.Text {
	if r.properties.Kind == source.Unknown {
		return nil
	}
	out := map[string]symbol.Text{}
	n := member(r.properties, "Tags")
	if n == nil {
		return out
	}
	list := r.evaluator().value(n)
	if list == nil {
		return out
	}
	if list.Kind != source.List {
		return nil
	}
	for _, item := range list.Items {
		key := literal(member(item, "Key"))
		value, ok := scalar(member(item, "Value"))
		if key == "" || !ok {
			return nil
		}
		out[key] = value
	}
	return out
}

// permissionSets lists Identity Center permission sets as the roles that they
// become in the accounts they are assigned to. (AWS page "Referencing permission
// sets in resource policies, Amazon EKS Cluster config maps, and AWS KMS key
// policies".)
func (rd *reader) permissionSets() {
	for _, r := range rd.byType["AWS::SSO::PermissionSet"] {
		p := &extract.Principal{Address: r.address, Kind: extract.PermissionSet}
		p.Name, p.ARN = extract.PermissionSetRole(rd.Partition.Value, rd.Account.Value, r.expand("{Name}"), r.expand("{@suffix}"))
		for _, c := range r.carried[r] {
			p.Identity = r.attach(p.Identity, c, own(r), r.address)
		}
		for _, a := range r.managed("ManagedPolicies") {
			p.Identity = r.attach(p.Identity, carried{Document: a.Document, sure: a.Sure, why: a.Why}, own(r), r.address)
		}
		for _, a := range r.managed("PermissionsBoundary.ManagedPolicyArn") {
			p.Boundary = append(p.Boundary, r.AsBoundary(a, r.address))
		}
		for _, a := range r.customerManaged("CustomerManagedPolicyReferences[]") {
			p.Identity = r.attach(p.Identity, carried{Document: a.Document, sure: a.Sure, why: a.Why}, own(r), r.address)
		}
		for _, a := range r.customerManaged("PermissionsBoundary.CustomerManagedPolicyReference") {
			p.Boundary = append(p.Boundary, r.AsBoundary(a, r.address))
		}
		rd.Principals = append(rd.Principals, p)
	}
}

// customerManaged finds the policies that references by name and path mean: those
// of that name in the account the permission set is assigned to.
func (r *resource) customerManaged(path string) []policy.Attached {
	var out []policy.Attached
	for _, p := range r.parts(path) {
		name, ok := scalar(member(p.value, "Name"))
		if !ok {
			name = named(r.address + "." + p.path)
		}
		folder, ok := scalar(member(p.value, "Path"))
		if !ok {
			folder = symbol.Literal("/")
		}
		t := symbol.Concat(symbol.Literal("arn:"), r.Partition.Value, symbol.Literal(":iam::"), r.Account.Value, symbol.Literal(":policy"), folder, name)
		found := r.index(managedType).Find(t)
		for _, m := range found {
			for _, c := range r.carried[m.Of] {
				out = extract.Attach(out, c.Document, min(m.Sure, c.sure), m.Why+c.why)
			}
		}
		if !slices.ContainsFunc(found, isCertain) {
			out = extract.Attach(out, r.Outside(t, r.place(p.path), p.value.Range), kleene.True, "")
		}
	}
	return out
}
