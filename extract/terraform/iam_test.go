package terraform

import (
	"strings"
	"testing"
)

func TestRoleOfAGreenfieldPlan(t *testing.T) {
	p := newTestPlan()
	p.create("aws_iam_role.x", obj{"name": "App", "path": "/team/", "assume_role_policy": trustLambda}, "arn", "id", "inline_policy", "managed_policy_arns")
	p.create("aws_iam_role_policy.x", obj{"policy": allowRead}, "role")
	p.create("aws_iam_policy.x", obj{"policy": allowRead}, "arn", "name")
	p.create("aws_iam_role_policy_attachment.x", obj{"role": "App"}, "policy_arn")
	p.create("aws_iam_role_policy_attachment.admin", obj{"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "role")
	p.create("aws_iam_role_policy_attachment.other", obj{"role": "App", "policy_arn": "arn:aws:iam::aws:policy/job-function/Billing"})
	block(p.root, "aws_iam_role.x", obj{"assume_role_policy": obj{}})
	block(p.root, "aws_iam_policy.x", obj{"policy": obj{}})
	block(p.root, "aws_iam_role_policy.x", obj{"role": refs("aws_iam_role.x.id"), "policy": obj{}})
	block(p.root, "aws_iam_role_policy_attachment.x", obj{"policy_arn": refs("aws_iam_policy.x.arn")})
	block(p.root, "aws_iam_role_policy_attachment.admin", obj{"role": refs("aws_iam_role.x.name")})
	res := p.read(t)

	r := principal(t, res, "aws_iam_role.x")
	check(t, "ARN", r.ARN.String(), "arn:aws:iam::${account}:role/team/App")
	check(t, "identity", attachments(r.Identity),
		"aws_iam_role_policy.x.policy arn:aws:iam::aws:policy/AdministratorAccess arn:aws:iam::aws:policy/job-function/Billing aws_iam_policy.x.policy")
	check(t, "trust", r.Trust.ID, "aws_iam_role.x.assume_role_policy")
	check(t, "unread", entry(t, res, "arn:aws:iam::aws:policy/job-function/Billing").Unread, "the AWS managed policy Billing is not known to this version")
	check(t, "attached to", strings.Join(entry(t, res, "aws_iam_policy.x.policy").AttachedTo, " "), "aws_iam_role.x")
	check(t, "diagnostics", warnings(res), "AWS managed policy not known")
}

func TestReferencesFindTheInstance(t *testing.T) {
	tests := []struct {
		name    string
		key     string // of the attachment
		expr    obj
		forEach obj
		want    string // roles that get the policy
	}{
		{"by each.key", `["b"]`, refs("aws_iam_role.x", "each.key"), nil, "aws_iam_role.x[\"b\"]"},
		{"by a literal key", "", refs(`aws_iam_role.x["a"].name`), nil, "aws_iam_role.x[\"a\"]"},
		{"by each.value of the resource", `["a"]`, refs("each.value.name"), refs("aws_iam_role.x"), "aws_iam_role.x[\"a\"]"},
		{"no key", "", refs("aws_iam_role.x"), nil, "aws_iam_role.x[\"a\"]? aws_iam_role.x[\"b\"]?"},
		{"a key that does not exist", "", refs(`aws_iam_role.x["c"].name`), nil, "aws_iam_role.x[\"a\"]? aws_iam_role.x[\"b\"]?"},
		{"a local value", "", refs("local.role"), nil, "aws_iam_role.x[\"a\"]? aws_iam_role.x[\"b\"]?"},
		{"a condition between a constant and a role", "", refs("var.name", `aws_iam_role.x["a"].name`), nil, "aws_iam_role.x[\"a\"]"},
		{"through an instance profile", "", refs("aws_iam_instance_profile.p.role"), nil, "aws_iam_role.x[\"b\"]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTestPlan()
			p.top["variables"] = obj{"name": obj{"value": "n"}}
			p.create(`aws_iam_role.x["a"]`, obj{"name": "a", "assume_role_policy": trustLambda}, "id")
			p.create(`aws_iam_role.x["b"]`, obj{"name_prefix": "b-", "assume_role_policy": trustLambda}, "id", "name")
			p.create("aws_iam_role_policy.p"+tt.key, obj{"policy": allowRead}, "role")
			block(p.root, "aws_iam_role.x", obj{})
			block(p.root, "aws_iam_instance_profile.p", obj{"role": refs(`aws_iam_role.x["b"].name`)})
			b := block(p.root, "aws_iam_role_policy.p", obj{"role": tt.expr})
			if tt.forEach != nil {
				b["for_each_expression"] = tt.forEach
			}
			res := p.read(t)
			var got []string
			for _, r := range res.Inventory.Principals {
				for _, a := range r.Identity {
					if s := r.Address; a.Sure.String() == "true" {
						got = append(got, s)
					} else {
						got = append(got, s+"?")
					}
				}
			}
			check(t, "roles", strings.Join(got, " "), tt.want)
		})
	}
}

func TestReferencesThroughModules(t *testing.T) {
	p := newTestPlan()
	for _, key := range []string{"a.b", `q"]`} {
		m := joinSteps([]step{{name: "module"}, {name: "role", index: key}})
		p.create(m+".aws_iam_role.this", obj{"name": "n-" + key[:1], "assume_role_policy": trustLambda}, "arn", "id")
		p.create(m+".module.leaf.aws_iam_role_policy.this", obj{"policy": allowRead}, "role")
		p.create(joinSteps([]step{{name: "aws_iam_role_policy_attachment"}, {name: "out", index: key}}), obj{"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "role")
	}
	role := call(p.root, "role", obj{})
	block(role, "aws_iam_role.this", obj{})
	role["outputs"] = obj{"name": obj{"expression": refs("aws_iam_role.this.id")}}
	leaf := call(role, "leaf", obj{"role": refs("aws_iam_role.this.id")})
	block(leaf, "aws_iam_role_policy.this", obj{"role": refs("var.role"), "policy": obj{}})
	block(p.root, "aws_iam_role_policy_attachment.out", obj{"role": refs(`module.role["a.b"].name`)})
	res := p.read(t)

	check(t, "identity", attachments(principal(t, res, `module.role["a.b"].aws_iam_role.this`).Identity),
		`module.role["a.b"].module.leaf.aws_iam_role_policy.this.policy arn:aws:iam::aws:policy/AdministratorAccess`)
	check(t, "identity", attachments(principal(t, res, `module.role["q\"]"].aws_iam_role.this`).Identity),
		`module.role["q\"]"].module.leaf.aws_iam_role_policy.this.policy`)
}

func TestUnconfiguredIsNotUnknown(t *testing.T) {
	tests := []struct {
		name      string
		expr      obj // of policy in the module, nil for none
		arguments obj
		want      int // policies
	}{
		{"not set", nil, obj{}, 0},
		{"null", constant(nil), obj{}, 0},
		{"a variable left to its default", refs("var.policy"), obj{}, 0},
		{"a variable set to null", refs("var.policy"), obj{"policy": constant(nil)}, 0},
		{"a variable set to null through another", refs("var.policy"), obj{"policy": refs("var.top")}, 0},
		{"a condition that takes null", refs("var.create", "var.policy"), obj{"create": constant(true)}, 0},
		{"a document without instances", refs("data.aws_iam_policy_document.none[0].json"), obj{}, 0},
		{"a deferred document", refs("data.aws_iam_policy_document.late.json"), obj{}, 1},
		{"a variable set to an ARN", refs("var.policy"), obj{"policy": refs("aws_sqs_queue.other.arn")}, 1},
		{"a local value", refs("local.policy"), obj{}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTestPlan()
			p.top["variables"] = obj{"top": obj{"value": nil}}
			p.create("aws_sqs_queue.other", obj{"name": "other"}, "arn", "id")
			p.create("module.q.aws_sqs_queue.q", obj{"name": "q"}, "arn", "id", "policy")
			p.change("module.q.data.aws_iam_policy_document.late", arr{"read"}, nil, obj{}, obj{"json": true})
			m := call(p.root, "q", tt.arguments)
			m["variables"] = obj{"policy": obj{"default": nil}, "create": obj{"default": true}}
			expressions := obj{}
			if tt.expr != nil {
				expressions["policy"] = tt.expr
			}
			block(m, "aws_sqs_queue.q", expressions)
			res := p.read(t)
			if got := len(res.Inventory.Policies); got != tt.want {
				t.Fatalf("got %d policies, want %d", got, tt.want)
			}
			if tt.want == 1 && !strings.HasPrefix(res.Inventory.Policies[0].Unread, "known only after apply (") {
				t.Errorf("got reason %q", res.Inventory.Policies[0].Unread)
			}
		})
	}
}

func TestInlinePoliciesPairByIndex(t *testing.T) {
	p := newTestPlan()
	p.change("aws_iam_role.x", arr{"create"}, nil,
		obj{"name": "x", "assume_role_policy": trustLambda, "inline_policy": arr{obj{"name": "a", "policy": allowRead}, obj{"name": "b"}}},
		obj{"inline_policy": arr{obj{}, obj{"policy": true}}})
	block(p.root, "aws_iam_role.x", obj{"inline_policy": arr{obj{"policy": obj{}}, obj{"policy": refs("aws_s3_bucket.b.arn")}}})
	res := p.read(t)
	check(t, "identity", attachments(principal(t, res, "aws_iam_role.x").Identity),
		"aws_iam_role.x.inline_policy[0].policy aws_iam_role.x.inline_policy[1].policy")
	check(t, "first", entry(t, res, "aws_iam_role.x.inline_policy[0].policy").Unread, "")
	if entry(t, res, "aws_iam_role.x.inline_policy[1].policy").Unread == "" {
		t.Error("the second policy is not known")
	}
}

func TestGroupsAndBoundaries(t *testing.T) {
	p := newTestPlan()
	p.create("aws_iam_user.alice", obj{"name": "alice", "permissions_boundary": "arn:aws:iam::aws:policy/AdministratorAccess"})
	p.create("aws_iam_user.bob", obj{"name": "bob"}, "permissions_boundary")
	p.create("aws_iam_group.g", obj{"name": "g"})
	p.create("aws_iam_policy.p", obj{"name": "p", "policy": allowRead}, "arn")
	p.create("aws_iam_group_policy.g", obj{"group": "g", "policy": allowRead})
	p.create("aws_iam_group_policy_attachment.g", obj{"group": "g"}, "policy_arn")
	p.create("aws_iam_group_membership.m", obj{"group": "g", "users": arr{"alice"}})
	p.create("aws_iam_user_group_membership.m", obj{"user": "bob", "groups": arr{"g", "elsewhere"}})
	block(p.root, "aws_iam_group_policy_attachment.g", obj{"policy_arn": refs("aws_iam_policy.p.arn")})
	block(p.root, "aws_iam_user.bob", obj{"permissions_boundary": refs("aws_iam_policy.p.arn")})
	res := p.read(t)
	const ofGroup, outside = "aws_iam_group_policy.g.policy aws_iam_policy.p.policy", "arn:aws:iam::${account}:group/elsewhere"
	check(t, "alice", attachments(principal(t, res, "aws_iam_user.alice").Identity), ofGroup)
	check(t, "bob", attachments(principal(t, res, "aws_iam_user.bob").Identity), ofGroup+" "+outside)
	check(t, "elsewhere", entry(t, res, outside).Unread, "the policy is not part of this input")
	check(t, "boundary", attachments(principal(t, res, "aws_iam_user.alice").Boundary), "arn:aws:iam::aws:policy/AdministratorAccess (boundary)")
	check(t, "boundary", attachments(principal(t, res, "aws_iam_user.bob").Boundary), "aws_iam_policy.p.policy (boundary)")
	check(t, "kind", string(entry(t, res, "aws_iam_policy.p.policy (boundary)").Kind), "boundary")
	check(t, "kind", string(entry(t, res, "aws_iam_policy.p.policy").Kind), "identity")
}

// A policy that may be one of the plan may be another one too.
func TestPerhapsOutside(t *testing.T) {
	p := newTestPlan()
	p.create("aws_iam_user.u", obj{"name": "u"})
	p.create("aws_iam_policy.p", obj{"policy": allowRead}, "arn", "name")
	p.create("aws_iam_user_policy_attachment.a", obj{"user": "u", "policy_arn": "arn:aws:iam::123456789012:policy/ByHand"})
	check(t, "identity", attachments(principal(t, p.read(t), "aws_iam_user.u").Identity), "aws_iam_policy.p.policy? arn:aws:iam::123456789012:policy/ByHand")
}

func TestExclusiveAttachment(t *testing.T) {
	p := newTestPlan()
	p.create("aws_iam_role.a", obj{"name": "a", "assume_role_policy": trustLambda}, "id")
	p.create("aws_iam_role.b", obj{"name": "b", "assume_role_policy": trustLambda}, "id")
	p.create("aws_iam_role.c", obj{"name": "c", "assume_role_policy": trustLambda}, "id")
	p.change("aws_iam_policy_attachment.x", arr{"create"}, nil,
		obj{"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess", "roles": arr{"a", nil}},
		obj{"roles": arr{false, true}})
	block(p.root, "aws_iam_policy_attachment.x", obj{"roles": refs("aws_iam_role.a.id", "aws_iam_role.b.id")})
	res := p.read(t)
	for role, want := range map[string]int{"a": 1, "b": 1, "c": 0} {
		list := principal(t, res, "aws_iam_role."+role).Identity
		if len(list) != want || want == 1 && list[0].Sure.String() != "true" {
			t.Errorf("role %s: got %s", role, attachments(list))
		}
	}
}

// A role shows the policies that other resources set on it, also those that the
// change takes away: they are no policies of their own.
func TestEchoesOnRoles(t *testing.T) {
	role := obj{
		"name": "r", "arn": "arn:aws:iam::123456789012:role/r", "assume_role_policy": trustLambda,
		"inline_policy":       arr{obj{"name": "kept", "policy": allowRead}, obj{"name": "gone", "policy": allowRead}, obj{"name": "drift", "policy": allowAll}},
		"managed_policy_arns": arr{"arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/Billing"},
	}
	p := newTestPlan()
	p.noop("aws_iam_role.r", role)
	p.noop("aws_iam_role_policy.kept", obj{"role": "r", "name": "kept", "policy": allowRead})
	p.change("aws_iam_role_policy.gone", arr{"delete"}, obj{"role": "r", "name": "gone", "policy": allowRead}, nil, obj{})
	p.change("aws_iam_role_policy_attachment.gone", arr{"delete"}, obj{"role": "r", "policy_arn": "arn:aws:iam::aws:policy/Billing"}, nil, obj{})
	block(p.root, "aws_iam_role.r", obj{"assume_role_policy": obj{}})
	block(p.root, "aws_iam_role_policy.kept", obj{"policy": obj{}})
	res := p.read(t)
	check(t, "identity", attachments(principal(t, res, "aws_iam_role.r").Identity),
		"aws_iam_role_policy.kept.policy aws_iam_role.r.inline_policy[2].policy arn:aws:iam::aws:policy/AdministratorAccess")
}

func TestPermissionSets(t *testing.T) {
	p := newTestPlan()
	p.create("aws_ssoadmin_permission_set.s", obj{"name": "Ops"}, "arn", "id")
	p.create("aws_iam_policy.cust", obj{"name": "Cust", "policy": allowRead}, "arn")
	p.create("aws_ssoadmin_permission_set_inline_policy.s", obj{"inline_policy": allowRead}, "permission_set_arn")
	p.create("aws_ssoadmin_managed_policy_attachment.s", obj{"managed_policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "permission_set_arn")
	p.create("aws_ssoadmin_customer_managed_policy_attachment.s", obj{"customer_managed_policy_reference": arr{obj{"name": "Cust", "path": "/"}}}, "permission_set_arn")
	p.create("aws_ssoadmin_permissions_boundary_attachment.s", obj{"permissions_boundary": arr{obj{"managed_policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}}}, "permission_set_arn")
	for _, typ := range []string{"permission_set_inline_policy", "managed_policy_attachment", "customer_managed_policy_attachment", "permissions_boundary_attachment"} {
		block(p.root, "aws_ssoadmin_"+typ+".s", obj{"permission_set_arn": refs("aws_ssoadmin_permission_set.s.arn")})
	}
	s := principal(t, p.read(t), "aws_ssoadmin_permission_set.s")
	check(t, "ARN", s.ARN.String(), "arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_${aws_ssoadmin_permission_set.s.suffix}")
	check(t, "identity", attachments(s.Identity), "aws_ssoadmin_permission_set_inline_policy.s.inline_policy arn:aws:iam::aws:policy/AdministratorAccess aws_iam_policy.cust.policy")
	check(t, "boundary", attachments(s.Boundary), "arn:aws:iam::aws:policy/AdministratorAccess (boundary)")
}

// A resource that owns all policies of a role takes away what somebody else put there,
// and attaches what it lists.
func TestExclusives(t *testing.T) {
	const byHand, listed = "arn:aws:iam::123456789012:policy/ByHand", "arn:aws:iam::aws:policy/AdministratorAccess"
	values := obj{
		"name": "App", "arn": "arn:aws:iam::123456789012:role/App", "assume_role_policy": trustLambda,
		"managed_policy_arns": arr{byHand},
		"inline_policy":       arr{obj{"name": "kept", "policy": allowRead}, obj{"name": "byhand", "policy": allowAll}},
	}
	for _, tt := range []struct {
		name      string
		exclusive func(p *testPlan)
		want      string
	}{
		{"none", func(*testPlan) {}, "aws_iam_role.x.inline_policy[0].policy aws_iam_role.x.inline_policy[1].policy " + byHand},
		{"inline", func(p *testPlan) {
			p.create("aws_iam_role_policies_exclusive.e", obj{"role_name": "App", "policy_names": arr{"kept"}})
		}, "aws_iam_role.x.inline_policy[0].policy " + byHand},
		{"no inline at all", func(p *testPlan) {
			p.create("aws_iam_role_policies_exclusive.e", obj{"role_name": "App", "policy_names": arr{}})
		}, byHand},
		{"managed", func(p *testPlan) {
			p.create("aws_iam_role_policy_attachments_exclusive.e", obj{"role_name": "App", "policy_arns": arr{listed}})
		}, listed + " aws_iam_role.x.inline_policy[0].policy aws_iam_role.x.inline_policy[1].policy"},
		{"a role that is not known yet", func(p *testPlan) {
			p.create("aws_iam_role_policies_exclusive.e", obj{"policy_names": arr{}}, "role_name")
			block(p.root, "aws_iam_role_policies_exclusive.e", obj{"role_name": refs("local.role")})
			p.create("aws_iam_role.y", obj{"name": "Y", "assume_role_policy": trustLambda})
			block(p.root, "aws_iam_role.y", obj{})
		}, "aws_iam_role.x.inline_policy[0].policy aws_iam_role.x.inline_policy[1].policy " + byHand},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newTestPlan()
			p.noop("aws_iam_role.x", values)
			block(p.root, "aws_iam_role.x", obj{"assume_role_policy": obj{}})
			tt.exclusive(p)
			check(t, "identity", attachments(principal(t, p.read(t), "aws_iam_role.x").Identity), tt.want)
		})
	}
	for _, kind := range []string{"user", "group"} {
		p := newTestPlan()
		p.create("aws_iam_user.u", obj{"name": "u", "path": "/"}, "arn")
		if kind == "group" {
			p.create("aws_iam_group.g", obj{"name": "u", "path": "/"}, "arn")
			p.create("aws_iam_user_group_membership.m", obj{"user": "u", "groups": arr{"u"}})
		}
		p.create("aws_iam_"+kind+"_policy_attachments_exclusive.e", obj{kind + "_name": "u", "policy_arns": arr{listed}})
		check(t, kind, attachments(principal(t, p.read(t), "aws_iam_user.u").Identity), listed)
	}
}

// The account that a provider leads to: by the last of its roles, or by what it allows.
func TestAccountOfProvider(t *testing.T) {
	role := func(id string) obj { return obj{"role_arn": constant("arn:aws:iam::" + id + ":role/deploy")} }
	const hub, spoke = "111122223333", "444455556666"
	for _, tt := range []struct {
		name        string
		expressions obj
		want, from  string
	}{
		{"one role", obj{"assume_role": arr{role(spoke)}}, spoke, "provider.aws.assume_role"},
		{"role after role", obj{"assume_role": arr{role(hub), role(spoke)}}, spoke, "provider.aws.assume_role"},
		{"web identity", obj{"assume_role_with_web_identity": arr{role(spoke)}}, spoke, "provider.aws.assume_role_with_web_identity"},
		{"a role after the web identity", obj{"assume_role_with_web_identity": arr{role(hub)}, "assume_role": arr{role(spoke)}}, spoke, "provider.aws.assume_role"},
		{"the one account allowed", obj{"allowed_account_ids": constant(arr{spoke})}, spoke, "provider.aws.allowed_account_ids"},
		{"two accounts allowed", obj{"allowed_account_ids": constant(arr{hub, spoke})}, "${account}", ""},
		{"a role that is not known", obj{"assume_role": arr{obj{"role_arn": refs("var.role")}}}, "${account}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newTestPlan()
			p.top["configuration"].(obj)["provider_config"] = obj{"aws": obj{"name": "aws", "expressions": tt.expressions}}
			p.create("aws_iam_role.x", obj{"name": "App", "path": "/", "assume_role_policy": trustLambda}, "arn")
			block(p.root, "aws_iam_role.x", obj{})
			res := p.read(t)
			check(t, "account", res.Inventory.Account.Value.String(), tt.want)
			check(t, "from", res.Inventory.Account.From, tt.from)
			check(t, "ARN", principal(t, res, "aws_iam_role.x").ARN.String(), "arn:aws:iam::"+tt.want+":role/App")
		})
	}
}
