package tfguard.guardrails.identity_perimeter_test

import data.tfguard.guardrails.identity_perimeter as guardrail

replay(who, verdict) := {
	"chain": "direct-corporate", "action": "s3:GetObject", "verdict": verdict, "principal": "arn", "principalAddress": "",
	"resource": "arn:aws:s3:::data", "resourceAddress": "aws_s3_bucket.data", "standIn": who,
}

test_open if {
	got := guardrail.deny with input as {"replays": [replay("tfguard-standin-outside", "allowed")]}
	got == {{"msg": "An administrator of a foreign account may call s3:GetObject on aws_s3_bucket.data.", "address": "aws_s3_bucket.data", "replay": 0}}
}

test_perhaps_open if {
	got := guardrail.warn with input as {"replays": [replay("tfguard-standin-outside", "unknown")]}
	got == {{"msg": "An administrator of a foreign account perhaps may call s3:GetObject on aws_s3_bucket.data.", "address": "aws_s3_bucket.data", "replay": 0}}
}

test_closed if {
	all := [replay("tfguard-standin-outside", "implicitDeny"), replay("tfguard-standin-org", "allowed"), replay("", "allowed")]
	guardrail.deny == set() with input as {"replays": all}
	guardrail.warn == set() with input as {"replays": all}
}
