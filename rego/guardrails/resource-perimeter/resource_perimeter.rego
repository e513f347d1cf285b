# METADATA
# title: Data stays on the organization's resources
# description: |
#   What restricts where calls lead asks whose resource a call is on: aws:ResourceOrgID,
#   aws:ResourceOrgPaths or aws:ResourceAccount. The policy of a VPC endpoint does so in what it allows
#   or in a Deny; of the service control policies of the input, if there are any, one does in a Deny.
# related_resources:
#   - ref: https://docs.aws.amazon.com/whitepapers/latest/building-a-data-perimeter-on-aws/perimeter-implementation.html
#     description: Building a data perimeter on AWS
# custom:
#   id: resource-perimeter
#   severity: error
#   rationale: |
#     Through an endpoint that leads to every account's buckets, data leaves the network with foreign
#     credentials, and nobody's identity policy is asked. From outside of that network only a service
#     control policy keeps the organization's own identities from writing to other accounts.
#   remediation: |
#     Add StringEquals aws:ResourceOrgID with your organization to the Allow of the endpoint policy, and a
#     statement of its own for the AWS resources that the workload needs. Deny in a service control policy
#     what meets StringNotEqualsIfExists aws:ResourceOrgID, with the same exceptions.
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

# One service control policy that denies is enough, and one that was not read may.
deny contains object.union({"msg": msg}, statements.place({"policy": first})) if {
	scps := {policy.id: policy | some policy in input.policies; policy.kind == "scp"; policy.address != ""}
	every policy in scps {
		policy.document != null
		not denied(policy)
	}
	first := scps[min(object.keys(scps))]
	msg := sprintf("No service control policy of the input (%s) denies calls on resources of other organizations.", [
		concat(", ", sort(object.keys(scps))),
	])
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
