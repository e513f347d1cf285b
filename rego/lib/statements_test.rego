package tfguard.lib.statements_test

import data.tfguard.lib.statements

policies := [
	{"id": "p", "kind": "resource", "address": "a", "source": {"file": "main.tf"}, "document": {"Statement": [
		{"Effect": "Allow", "Principal": "*", "Action": ["s3:Get*"]},
		"${unknown}",
		{"Sid": "Second", "Effect": "Deny", "Principal": {"AWS": ["*"]}, "NotAction": ["s3:GetObject"]},
	]}},
	{"id": "unread", "kind": "resource", "address": "b", "document": null},
	{"id": "aws", "kind": "resource", "address": "", "document": {"Statement": [{"Effect": "Allow"}]}},
]

test_of if {
	got := statements.of("resource") with input as {"policies": policies}
	{s.number | some s in got} == {1, 3}
	statements.of("scp") == set() with input as {"policies": policies}
}

test_allowing if {
	names := [statements.name(s) | some s in statements.allowing({"resource"}, "s3:GetObject")] with input as {"policies": policies}
	names == ["statement 1 of p"]
	count(statements.allowing({"resource"}, "s3:PutObject")) == 0 with input as {"policies": policies}
	count(statements.allowing({"identity"}, "s3:GetObject")) == 0 with input as {"policies": policies}
}

test_allowing_all_but if {
	others := [{"id": "p", "kind": "identity", "address": "a", "document": {"Statement": [{"Effect": "Allow", "NotAction": ["iam:*"]}]}}]
	count(statements.allowing({"identity"}, "s3:PutObject")) == 1 with input as {"policies": others}
	count(statements.allowing({"identity"}, "IAM:PassRole")) == 0 with input as {"policies": others}
}

test_asks if {
	ask := {"StringEquals": {"aws:SourceArn": ["x"]}}
	statements.asks({"Condition": ask}, {"aws:sourcearn"})
	not statements.asks({"Condition": ask}, {"aws:sourceaccount"})
	not statements.asks({}, {"aws:sourcearn"})
	every operator in ["StringNotEquals", "StringEqualsIfExists", "Null", "ForAllValues:StringEquals"] {
		not statements.asks({"Condition": {operator: {"aws:SourceArn": ["x"]}}}, {"aws:sourcearn"})
	}
}

test_everybody if {
	statements.everybody({"Principal": "*"})
	statements.everybody({"Principal": {"AWS": ["1", "*"]}})
	not statements.everybody({"Principal": {"AWS": ["1"]}})
	not statements.everybody({"Principal": {"Service": ["*"]}})
}

test_covers if {
	statements.covers({"Action": ["S3:get*"]}, "s3:GetObject")
	not statements.covers({"Action": ["s3:Put*"]}, "s3:GetObject")
	statements.covers({"NotAction": ["iam:*"]}, "s3:GetObject")
	not statements.covers({"NotAction": ["s3:*"]}, "s3:GetObject")
}

test_name if {
	names := {statements.name(s) | some s in statements.of("resource")} with input as {"policies": policies}
	names == {"statement 1 of p", "statement 3 (Second) of p"}
	places := {statements.place(s) | some s in statements.of("resource")} with input as {"policies": policies}
	places == {{"address": "a", "_loc": {"file": "main.tf"}}}
}
