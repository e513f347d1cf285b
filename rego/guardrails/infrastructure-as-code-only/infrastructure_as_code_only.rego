# METADATA
# title: Infrastructure is made through CloudFormation alone
# description: |
#   Nobody starts an instance by calling EC2 directly. Other actions come from data:
#   guardrails.infrastructure_as_code_only.actions.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
#     description: Forward access sessions
# custom:
#   id: infrastructure-as-code-only
#   severity: error
#   rationale: |
#     What is made by hand is in no template: nobody reviews it, and nobody finds it again.
#   remediation: |
#     Deny the actions unless aws:CalledViaFirst is cloudformation.amazonaws.com, in a service control policy
#     that exempts the roles that must work without it.
# schemas:
#   - input: schema.report
package tfguard.guardrails.infrastructure_as_code_only

import data.tfguard.lib.replays

default actions := ["ec2:RunInstances"]

actions := data.guardrails.infrastructure_as_code_only.actions

deny contains finding(i, "may") if {
	some i, r in input.replays
	r.verdict == "allowed"
}

warn contains finding(i, "perhaps may") if {
	some i, r in input.replays
	r.verdict == "unknown"
}

finding(i, may) := {"msg": msg, "address": r.principalAddress, "replay": i} if {
	r := input.replays[i]
	r.chain in {"direct-corporate", "direct-vpc-endpoint"}
	r.action in actions
	own(r)
	msg := sprintf("%s %s call %s without CloudFormation (%s).", [replays.caller(r), may, r.action, r.chain])
}

# Administrators of other accounts are governed elsewhere.
own(r) if r.principalAddress != ""

own(r) if r.standIn == "tfguard-standin-admin"
