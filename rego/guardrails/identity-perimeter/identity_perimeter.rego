# METADATA
# title: Data is reached by the organization's identities alone
# description: An administrator of an account outside of the organization reaches no data in a bucket.
# related_resources:
#   - ref: https://docs.aws.amazon.com/whitepapers/latest/building-a-data-perimeter-on-aws/perimeter-implementation.html
#     description: Building a data perimeter on AWS
# custom:
#   id: identity-perimeter
#   severity: error
#   rationale: |
#     What a policy opens to another account is open to everybody to whom that account gives a role.
#   remediation: |
#     Deny the call unless aws:PrincipalOrgID is yours: StringNotEqualsIfExists aws:PrincipalOrgID with
#     BoolIfExists aws:PrincipalIsAWSService "false", in the bucket policy or a resource control policy.
# schemas:
#   - input: schema.report
package tfguard.guardrails.identity_perimeter

import data.tfguard.lib.replays

deny contains finding(i, "may") if {
	some i, r in input.replays
	r.verdict == "allowed"
}

warn contains finding(i, "perhaps may") if {
	some i, r in input.replays
	r.verdict == "unknown"
}

# Of the networks a foreigner may come from one is enough.
finding(i, may) := {"msg": msg, "address": r.resourceAddress, "replay": i} if {
	r := input.replays[i]
	r.standIn == "tfguard-standin-outside"
	r.chain == "direct-corporate"
	startswith(r.action, "s3:")
	msg := sprintf("%s %s call %s on %s.", [replays.caller(r), may, r.action, replays.resource(r)])
}
