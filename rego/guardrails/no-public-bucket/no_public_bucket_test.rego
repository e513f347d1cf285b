package tfguard.guardrails.no_public_bucket_test

import data.tfguard.guardrails.no_public_bucket as guardrail

replay(chain, verdict) := {
	"chain": chain, "action": "s3:GetObject", "verdict": verdict,
	"resource": "arn:aws:s3:::data", "resourceAddress": "aws_s3_bucket.data",
}

test_public if {
	got := guardrail.deny with input as {"replays": [replay("anonymous", "allowed")]}
	got == {{"msg": "Everybody may call s3:GetObject on aws_s3_bucket.data.", "address": "aws_s3_bucket.data", "replay": 0}}
}

test_perhaps_public if {
	got := guardrail.warn with input as {"replays": [replay("anonymous", "unknown")]}
	got == {{"msg": "Everybody perhaps may call s3:GetObject on aws_s3_bucket.data.", "address": "aws_s3_bucket.data", "replay": 0}}
}

test_private if {
	all := [replay("anonymous", "implicitDeny"), replay("direct-internet", "allowed")]
	guardrail.deny == set() with input as {"replays": all}
	guardrail.warn == set() with input as {"replays": all}
}
