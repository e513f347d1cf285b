# METADATA
# title: Trust policies name whom they trust
# description: |
#   A trust policy does not trust everybody, asks an identity provider for whom it speaks, and asks
#   no service for an organization.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
#     description: Create a role for OpenID Connect federation
# custom:
#   id: trust-policy
#   severity: error
#   rationale: |
#     Whoever a trust policy lets in has all permissions of the role. A provider such as GitHub speaks for everybody who
#     has an account there.
#   remediation: |
#     Name accounts or roles; for OIDC ask StringEquals for the provider's aud and sub, for SAML for SAML:aud.
# schemas:
#   - input: schema.report
package tfguard.guardrails.trust_policy

import data.tfguard.lib.statements

trusting contains s if {
	some s in statements.of("trust")
	s.statement.Effect == "Allow"
}

# What tells one caller from another.
callers := {"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn"}

deny contains object.union({"msg": msg}, statements.place(s)) if {
	some s in trusting
	statements.everybody(s.statement)
	not statements.asks(s.statement, callers)
	msg := sprintf("%s trusts everybody.", [statements.name(s)])
}

deny contains object.union({"msg": msg}, statements.place(s)) if {
	some s in trusting
	some provider in statements.principals(s.statement, "Federated")
	not speaks(s.statement)
	msg := sprintf("%s trusts everybody for whom %s speaks: it does not ask for its sub (of SAML: aud).", [statements.name(s), provider])
}

deny contains object.union({"msg": msg}, statements.place(s)) if {
	some s in trusting
	count(statements.principals(s.statement, "Service")) > 0
	statements.asks(s.statement, {"aws:principalorgid", "aws:principalorgpaths"})
	msg := sprintf("%s never trusts the service: services belong to no organization.", [statements.name(s)])
}

# OIDC providers say sub, SAML providers aud.
speaks(statement) if {
	some c in statements.conditions(statement)
	regex.match(`:sub$|^saml:`, c.key)
	not statements.lenient(c.operator)
	some value in c.values
	value != "*"
}

# Cognito's identity pools are told apart by aud.
speaks(statement) if {
	some c in statements.conditions(statement)
	c.key == "cognito-identity.amazonaws.com:aud"
	not statements.lenient(c.operator)
}
