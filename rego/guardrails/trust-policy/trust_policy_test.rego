package tfguard.guardrails.trust_policy_test

import data.tfguard.guardrails.trust_policy as guardrail

messages(principal, condition) := all if all := {f.msg | some f in guardrail.deny} with input as {"policies": [{
	"id": "aws_iam_role.r.assume_role_policy", "kind": "trust", "address": "aws_iam_role.r", "source": {"file": "main.tf", "line": 2},
	"document": {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole"], "Condition": condition}]},
}]}

github := {"Federated": ["arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"]}

test_everybody if {
	messages("*", {}) == {"statement 1 of aws_iam_role.r.assume_role_policy trusts everybody."}
	messages({"AWS": ["*"]}, {"StringEquals": {"sts:ExternalId": ["x"]}}) == {"statement 1 of aws_iam_role.r.assume_role_policy trusts everybody."}
	messages("*", {"StringEquals": {"aws:PrincipalOrgID": ["o-a"]}}) == set()
}

test_federated if {
	messages(github, {"StringEquals": {"token.actions.githubusercontent.com:aud": ["sts.amazonaws.com"]}}) == {sprintf("statement 1 of aws_iam_role.r.assume_role_policy trusts everybody for whom %s speaks: it does not ask for its sub (of SAML: aud).", [github.Federated[0]])}
	count(messages(github, {"StringLike": {"token.actions.githubusercontent.com:sub": ["*"]}})) == 1
	messages(github, {"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:example/app:*"]}}) == set()
	messages({"Federated": ["cognito-identity.amazonaws.com"]}, {"StringEquals": {"cognito-identity.amazonaws.com:aud": ["eu-west-1:x"]}}) == set()
	messages({"Federated": ["arn:aws:iam::111122223333:saml-provider/idp"]}, {"StringEquals": {"SAML:aud": ["https://signin.aws.amazon.com/saml"]}}) == set()
}

test_service if {
	messages({"Service": ["ec2.amazonaws.com"]}, {"StringEquals": {"aws:PrincipalOrgID": ["o-a"]}}) == {"statement 1 of aws_iam_role.r.assume_role_policy never trusts the service: services belong to no organization."}
	messages({"Service": ["ec2.amazonaws.com"]}, {}) == set()
}

test_named if {
	messages({"AWS": ["arn:aws:iam::111122223333:role/ci"]}, {}) == set()
}
