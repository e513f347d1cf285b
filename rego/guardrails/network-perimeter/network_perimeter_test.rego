package tfguard.guardrails.network_perimeter_test

import data.tfguard.guardrails.network_perimeter as guardrail

replay(chain, action, verdict) := {
	"chain": chain, "action": action, "verdict": verdict, "principal": "arn:aws:iam::111122223333:role/app",
	"principalAddress": "aws_iam_role.app", "resource": "arn:aws:s3:::data", "resourceAddress": "aws_s3_bucket.data", "standIn": "",
}

test_open if {
	got := guardrail.deny with input as {"replays": [replay("direct-internet", "s3:GetObject", "allowed")]}
	got == {{"msg": "aws_iam_role.app may call s3:GetObject on aws_s3_bucket.data from any address.", "address": "aws_s3_bucket.data", "replay": 0}}
}

test_perhaps_open if {
	got := guardrail.warn with input as {"replays": [replay("direct-internet", "s3:GetObject", "unknown")]}
	got == {{"msg": "aws_iam_role.app perhaps may call s3:GetObject on aws_s3_bucket.data from any address.", "address": "aws_s3_bucket.data", "replay": 0}}
}

test_closed if {
	all := [
		replay("direct-internet", "s3:GetObject", "explicitDeny"),
		replay("direct-corporate", "s3:GetObject", "allowed"),
		replay("direct-internet", "ec2:RunInstances", "allowed"),
	]
	guardrail.deny == set() with input as {"replays": all}
	guardrail.warn == set() with input as {"replays": all}
}
