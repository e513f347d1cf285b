# METADATA
# title: Data is reached from expected networks alone
# description: |
#   Nobody whom the plan defines, and no administrator of the account, reads or writes data in a
#   bucket from an address outside of every range that policies name.
# related_resources:
#   - ref: https://docs.aws.amazon.com/whitepapers/latest/building-a-data-perimeter-on-aws/perimeter-implementation.html
#     description: Building a data perimeter on AWS
# custom:
#   id: network-perimeter
#   severity: error
#   rationale: |
#     Credentials that leak are used from elsewhere. A network perimeter makes them worthless there.
#   remediation: |
#     Deny the call unless it comes from your networks: in one Deny, NotIpAddressIfExists aws:SourceIp and
#     StringNotEqualsIfExists aws:SourceVpc, with BoolIfExists aws:ViaAWSService and
#     aws:PrincipalIsAWSService "false".
# schemas:
#   - input: schema.report
package tfguard.guardrails.network_perimeter

import data.tfguard.lib.replays

deny contains finding(i, "may") if some i in replays.of("direct-internet", "allowed")

warn contains finding(i, "perhaps may") if some i in replays.of("direct-internet", "unknown")

finding(i, may) := {"msg": msg, "address": r.resourceAddress, "replay": i} if {
	r := input.replays[i]
	startswith(r.action, "s3:")
	msg := sprintf("%s %s call %s on %s from any address.", [replays.caller(r), may, r.action, replays.resource(r)])
}
