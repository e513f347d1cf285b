# METADATA
# title: Every role and user has a permissions boundary
# description: |
#   Roles and users that the input defines have a permissions boundary. Those that data lists in
#   guardrails.boundary_required.exempt, by address, need none.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
#     description: Permissions boundaries for IAM entities
# custom:
#   id: boundary-required
#   severity: error
#   rationale: |
#     Who may create roles may create one with more permissions than their own, unless a boundary holds it.
#   remediation: Set permissions_boundary to the boundary of your organization.
# schemas:
#   - input: schema.report
package tfguard.guardrails.boundary_required

default exempt := []

exempt := data.guardrails.boundary_required.exempt

bounded contains address if {
	some policy in input.policies
	policy.kind == "boundary"
	some address in policy.attachedTo
}

# Every role has a trust policy; users are known by what is attached to them.
principals contains address if {
	some policy in input.policies
	policy.kind == "trust"
	some address in policy.attachedTo
}

principals contains address if {
	some policy in input.policies
	policy.kind == "identity"
	some address in policy.attachedTo
	regex.match(`(^|\.)aws_iam_user\.`, address)
}

deny contains {"msg": sprintf("%s has no permissions boundary.", [address]), "address": address} if {
	some address in (principals - bounded)
	not address in exempt
}
