# METADATA
# title: Key policies keep an administrator in and strangers out
# description: |
#   A key policy lets somebody of the account administer the key, opens it to nobody whom it does
#   not name, and writes kms:ViaService as AWS sends it.
# related_resources:
#   - ref: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
#     description: Key policies in AWS KMS
# custom:
#   id: key-policy-hygiene
#   severity: error
#   rationale: |
#     Nobody can use, change or delete a key whose policy names no administrator, AWS included; a key that is open to
#     everybody encrypts nothing.
#   remediation: |
#     Allow the account's root kms:* (or an administrator role kms:PutKeyPolicy), and give everybody else a condition on
#     kms:CallerAccount, aws:PrincipalAccount or aws:PrincipalOrgID.
# schemas:
#   - input: schema.report
package tfguard.guardrails.key_policy_hygiene

import data.tfguard.lib.statements

# What tells one caller from another.
callers := {
	"kms:calleraccount", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn",
	"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid",
}

keys contains policy if {
	some policy in input.policies
	policy.kind == "resource"
	regex.match(`(^|\.)aws_kms_(external_|replica_|replica_external_)?key(_policy)?\.`, policy.address)
	policy.document
	count(policy.unknown) == 0
}

deny contains {"msg": msg, "address": policy.address, "_loc": policy.source} if {
	some policy in keys
	not administered(policy)
	msg := sprintf("%s lets nobody of the account change it: the key cannot be administered.", [policy.id])
}

deny contains object.union({"msg": msg}, statements.place(s)) if {
	some s in key_statements
	s.statement.Effect == "Allow"
	statements.everybody(s.statement)
	not statements.asks(s.statement, callers)
	msg := sprintf("%s opens the key to everybody.", [statements.name(s)])
}

deny contains object.union({"msg": msg}, statements.place(s)) if {
	some s in key_statements
	some c in statements.conditions(s.statement)
	c.key == "kms:viaservice"
	some value in c.values
	not regex.match(`^[a-z0-9*.-]+\.[a-z0-9*-]+\.amazonaws\.com(\.cn)?$`, value)
	msg := sprintf("%s: kms:ViaService is service.region.amazonaws.com, never %q.", [statements.name(s), value])
}

key_statements contains s if {
	some s in statements.of("resource")
	some policy in keys
	policy.id == s.policy.id
}

administered(policy) if {
	some s in policy.document.Statement
	s.Effect == "Allow"
	statements.covers(s, "kms:PutKeyPolicy")
	count(statements.principals(s, "AWS")) > 0
}

administered(policy) if {
	some s in policy.document.Statement
	s.Effect == "Allow"
	statements.covers(s, "kms:PutKeyPolicy")
	s.Principal == "*"
}
