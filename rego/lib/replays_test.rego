package tfguard.lib.replays_test

import data.tfguard.lib.replays

test_caller if {
	replays.caller({"principalAddress": "aws_iam_role.a", "standIn": "", "principal": "arn"}) == "aws_iam_role.a"
	replays.caller({"principalAddress": "", "standIn": "tfguard-standin-org", "principal": "arn"}) == "An administrator of another account of the organization"
	replays.caller({"principalAddress": "", "standIn": "", "principal": "anonymous"}) == "anonymous"
}

test_resource if {
	replays.resource({"resourceAddress": "aws_s3_bucket.a", "resource": "arn"}) == "aws_s3_bucket.a"
	replays.resource({"resourceAddress": "", "resource": "arn"}) == "arn"
}

test_of if {
	all := [{"chain": "a", "verdict": "allowed"}, {"chain": "a", "verdict": "unknown"}, {"chain": "b", "verdict": "allowed"}]
	replays.of("a", "allowed") == {0} with input as {"replays": all}
}
