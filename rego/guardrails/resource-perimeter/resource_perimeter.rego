# METADATA
# title: Endpoints lead to the organization's resources alone
# description: |
#   The policy of a VPC endpoint asks whose resource a call is on: aws:ResourceOrgID,
#   aws:ResourceOrgPaths or aws:ResourceAccount, in what it allows or in a Deny.
# related_resources:
#   - ref: https://docs.aws.amazon.com/whitepapers/latest/building-a-data-perimeter-on-aws/perimeter-implementation.html
#     description: Building a data perimeter on AWS
# custom:
#   id: resource-perimeter
#   severity: error
#   rationale: |
#     Through an endpoint that leads to every account's buckets, data leaves the network with foreign
#     credentials, and nobody's identity policy is asked.
#   remediation: |
#     Add StringEquals aws:ResourceOrgID with your organization to the Allow of the endpoint policy, and a
#     statement of its own for the AWS resources that the workload needs.
# schemas:
#   - input: schema.report
package tfguard.guardrails.resource_perimeter

import data.tfguard.lib.statements

owners := {"aws:resourceorgid", "aws:resourceorgpaths", "aws:resourceaccount"}

deny contains object.union({"msg": msg}, statements.place(s)) if {
	some s in statements.of("vpcEndpoint")
	s.statement.Effect == "Allow"
	some pattern in s.statement.Resource
	everywhere(pattern)
	not statements.asks(s.statement, owners)
	not denied(s.policy)
	msg := sprintf("%s leads to resources of any account.", [statements.name(s)])
}

# A pattern that names no bucket leads everywhere.
everywhere("*")

everywhere(pattern) if regex.match(`^arn:[^:]*:[^:]*:[^:]*:[*]?:[*]`, pattern)

# A Deny for what belongs to others guards every Allow of the policy.
denied(policy) if {
	some s in policy.document.Statement
	is_object(s)
	s.Effect == "Deny"
	some c in statements.conditions(s)
	c.key in owners
	contains(c.operator, "not")
}
