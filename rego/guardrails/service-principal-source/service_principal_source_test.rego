package tfguard.guardrails.service_principal_source_test

import data.tfguard.guardrails.service_principal_source as guardrail

found(service, condition) := all if all := guardrail.deny with input as {"policies": [{
	"id": "aws_sns_topic_policy.t.policy", "kind": "resource", "address": "aws_sns_topic_policy.t", "source": {"file": "main.tf", "line": 9},
	"document": {"Statement": [{"Sid": "In", "Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sns:Publish"], "Resource": ["*"], "Condition": condition}]},
}]}

test_anybody if {
	found("s3.amazonaws.com", {}) == {{
		"msg": "statement 1 (In) of aws_sns_topic_policy.t.policy allows s3.amazonaws.com on behalf of anybody.",
		"address": "aws_sns_topic_policy.t", "_loc": {"file": "main.tf", "line": 9},
	}}
	count(found("s3.amazonaws.com", {"StringEqualsIfExists": {"aws:SourceAccount": ["111122223333"]}})) == 1
}

test_somebody if {
	count(found("s3.amazonaws.com", {"ArnLike": {"aws:SourceArn": ["arn:aws:s3:::data"]}})) == 0
	count(found("s3.amazonaws.com", {"StringEquals": {"AWS:SourceAccount": ["111122223333"]}})) == 0
	count(found("logdelivery.elasticloadbalancing.amazonaws.com", {})) == 0
}
