package tfguard.guardrails.infrastructure_as_code_only_test

import data.tfguard.guardrails.infrastructure_as_code_only as guardrail

replay(chain, address, who, verdict) := {
	"chain": chain, "action": "ec2:RunInstances", "verdict": verdict, "principal": "arn", "principalAddress": address,
	"resource": "*", "resourceAddress": "", "standIn": who,
}

test_by_hand if {
	got := guardrail.deny with input as {"replays": [replay("direct-corporate", "aws_iam_user.bob", "", "allowed")]}
	got == {{"msg": "aws_iam_user.bob may call ec2:RunInstances without CloudFormation (direct-corporate).", "address": "aws_iam_user.bob", "replay": 0}}
}

test_by_an_administrator if {
	got := guardrail.warn with input as {"replays": [replay("direct-corporate", "", "tfguard-standin-admin", "unknown")]}
	got == {{"msg": "An administrator of the account perhaps may call ec2:RunInstances without CloudFormation (direct-corporate).", "address": "", "replay": 0}}
}

test_through_cloudformation if {
	all := [
		replay("direct-corporate", "aws_iam_user.bob", "", "explicitDeny"),
		replay("cloudformation", "aws_iam_user.bob", "", "allowed"),
		replay("direct-corporate", "", "tfguard-standin-org", "allowed"),
	]
	guardrail.deny == set() with input as {"replays": all}
	guardrail.warn == set() with input as {"replays": all}
}

test_other_actions if {
	guardrail.deny == set() with input as {"replays": [replay("direct-corporate", "aws_iam_user.bob", "", "allowed")]}
		with data.guardrails.infrastructure_as_code_only.actions as ["lambda:CreateFunction"]
}
