package tfguard.guardrails.resource_perimeter_test

import data.tfguard.guardrails.resource_perimeter as guardrail

found(statements) := all if all := guardrail.deny with input as {"policies": [{
	"id": "aws_vpc_endpoint.s3.policy", "kind": "vpcEndpoint", "address": "aws_vpc_endpoint.s3", "source": {"file": "main.tf", "line": 3},
	"document": {"Version": "2012-10-17", "Statement": statements},
}]}

allow(resource, condition) := {"Effect": "Allow", "Principal": "*", "Action": ["s3:*"], "Resource": [resource], "Condition": condition}

test_open if {
	found([allow("*", {})]) == {{
		"msg": "statement 1 of aws_vpc_endpoint.s3.policy leads to resources of any account.",
		"address": "aws_vpc_endpoint.s3", "_loc": {"file": "main.tf", "line": 3},
	}}
	count(found([allow("arn:aws:s3:::*", {})])) == 1
	count(found([allow("*", {"StringNotEquals": {"aws:ResourceOrgID": ["o-a"]}})])) == 1
}

test_closed if {
	count(found([allow("*", {"StringEquals": {"aws:ResourceOrgID": ["o-a"]}})])) == 0
	count(found([allow("arn:aws:s3:::data/*", {})])) == 0
	deny := {"Effect": "Deny", "Principal": "*", "Action": ["*"], "Resource": ["*"], "Condition": {"StringNotEqualsIfExists": {"aws:ResourceAccount": ["111122223333"]}}}
	count(found([allow("*", {}), deny])) == 0
}

scps(documents) := out if {
	policies := [scp |
		some i, document in documents
		scp := {"id": sprintf("scp-%d", [i]), "kind": "scp", "address": "aws_organizations_policy.p", "source": {"file": "scp.tf", "line": i}, "document": document}
	]
	out := guardrail.deny with input as {"policies": policies}
}

regions := {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}]}

perimeter := {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["s3:*"], "Resource": ["*"], "Condition": {"StringNotEqualsIfExists": {"aws:ResourceOrgID": ["o-a"]}}}]}

test_scps_open if {
	scps([regions, regions]) == {{
		"msg": "No service control policy of the input (scp-0, scp-1) denies calls on resources of other organizations.",
		"address": "aws_organizations_policy.p", "_loc": {"file": "scp.tf", "line": 0},
	}}
}

test_scps_closed if {
	count(scps([regions, perimeter])) == 0
	count(scps([regions, null])) == 0
	count(scps([])) == 0
}
