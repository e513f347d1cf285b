package tfguard.guardrails.key_policy_hygiene_test

import data.tfguard.guardrails.key_policy_hygiene as guardrail

messages(statements) := all if all := {f.msg | some f in guardrail.deny} with input as {"policies": [{
	"id": "aws_kms_key.k.policy", "kind": "resource", "address": "module.a.aws_kms_key.k", "source": {"file": "main.tf", "line": 5}, "unknown": [],
	"document": {"Statement": statements},
}]}

root := {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root"]}, "Action": ["kms:*"], "Resource": ["*"]}

everybody(condition) := {"Effect": "Allow", "Principal": "*", "Action": ["kms:*"], "Resource": ["*"], "Condition": condition}

test_no_administrator if {
	messages([object.union(root, {"Action": ["kms:Decrypt"]})]) == {"aws_kms_key.k.policy lets nobody of the account change it: the key cannot be administered."}
	messages([json.patch(root, [{"op": "replace", "path": "/Principal", "value": {"Service": ["s3.amazonaws.com"]}}])]) == {"aws_kms_key.k.policy lets nobody of the account change it: the key cannot be administered."}
}

test_everybody if {
	messages([root, everybody({})]) == {"statement 2 of aws_kms_key.k.policy opens the key to everybody."}
	messages([everybody({})]) == {"statement 1 of aws_kms_key.k.policy opens the key to everybody."}
}

test_via_service if {
	messages([root, everybody({"StringEquals": {"kms:CallerAccount": ["111122223333"], "kms:ViaService": ["s3.amazonaws.com"]}})]) == {`statement 2 of aws_kms_key.k.policy: kms:ViaService is service.region.amazonaws.com, never "s3.amazonaws.com".`}
}

test_good if {
	messages([root]) == set()
	messages([root, everybody({"StringEquals": {"kms:CallerAccount": ["111122223333"], "kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}})]) == set()
}
