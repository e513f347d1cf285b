package tfguard.guardrails.no_direct_access_test

import data.tfguard.guardrails.no_direct_access as guardrail

replay(chain, verdict) := {
	"chain": chain, "action": "s3:GetObject", "verdict": verdict, "principal": "arn", "principalAddress": "aws_iam_role.biz",
	"resource": "arn:aws:s3:::data", "resourceAddress": "aws_s3_bucket.data", "standIn": "",
	"hops": [{"action": "s3:GetObject", "because": [{"policy": "p", "statement": 1, "effect": "Allow"}]}],
}

document(condition, all) := {
	"replays": all,
	"policies": [{"id": "p", "document": {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"], "Condition": condition}]}}],
}

gate := {"ForAnyValue:StringEquals": {"aws:CalledVia": ["athena.amazonaws.com"]}}

test_a_way_around if {
	direct := replay("direct-corporate", "allowed")
	got := guardrail.deny with input as document(gate, [replay("athena-public", "allowed"), direct])
	got == {{
		"msg": "aws_iam_role.biz may call s3:GetObject on aws_s3_bucket.data directly, around the gate (direct-corporate).",
		"address": "aws_s3_bucket.data", "replay": direct,
	}}
}

test_perhaps_a_way_around if {
	direct := replay("direct-internet", "unknown")
	got := guardrail.warn with input as document(gate, [replay("athena-public", "allowed"), direct])
	got == {{
		"msg": "aws_iam_role.biz perhaps may call s3:GetObject on aws_s3_bucket.data directly, around the gate (direct-internet).",
		"address": "aws_s3_bucket.data", "replay": direct,
	}}
}

test_no_way_around if {
	closed := [replay("athena-public", "allowed"), replay("direct-corporate", "implicitDeny")]
	guardrail.deny == set() with input as document(gate, closed)
	guardrail.warn == set() with input as document(gate, closed)
}

test_folded if {
	folded := object.union(replay("athena-public", "allowed"), {"hops": []})
	all := [folded, replay("direct-corporate", "allowed")]
	guardrail.deny == set() with input as document(gate, all)
	count(guardrail.deny) == 3 with input as document(gate, all)
		with data.tfguard.lib.engine.replay as again
}

again(query) := replay(query.chain, "allowed")

test_no_gate if {
	both := [replay("athena-public", "allowed"), replay("direct-corporate", "allowed")]
	guardrail.deny == set() with input as document({}, both)
}
