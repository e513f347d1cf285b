package tfguard.guardrails.boundary_required_test

import data.tfguard.guardrails.boundary_required as guardrail

policies := [
	{"kind": "trust", "attachedTo": ["aws_iam_role.a"]},
	{"kind": "trust", "attachedTo": ["aws_iam_role.b"]},
	{"kind": "identity", "attachedTo": ["aws_iam_role.a", "aws_iam_user.u", "aws_iam_group.g"]},
	{"kind": "boundary", "attachedTo": ["aws_iam_role.b"]},
]

test_missing if {
	got := guardrail.deny with input as {"policies": policies}
	got == {
		{"msg": "aws_iam_role.a has no permissions boundary.", "address": "aws_iam_role.a"},
		{"msg": "aws_iam_user.u has no permissions boundary.", "address": "aws_iam_user.u"},
	}
}

test_exempt if {
	got := guardrail.deny with input as {"policies": policies}
		with data.guardrails.boundary_required.exempt as ["aws_iam_role.a", "aws_iam_user.u"]
	got == set()
}
