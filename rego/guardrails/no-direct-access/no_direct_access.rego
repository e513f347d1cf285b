# METADATA
# title: A gate has no way around it
# description: |
#   Where a policy lets a service in on behalf of its caller (aws:CalledVia, aws:CalledViaFirst,
#   aws:CalledViaLast), the same caller cannot make the same call directly.
# related_resources:
#   - ref: https://docs.aws.amazon.com/athena/latest/ug/security-iam-athena-calledvia.html
#     description: Use CalledVia context keys for Athena
# custom:
#   id: no-direct-access
#   severity: error
#   rationale: |
#     A gate such as Athena filters, masks and logs what is read. A call that goes around it does none of that.
#   remediation: |
#     Allow the call with ForAnyValue:StringEquals aws:CalledVia, not ForAllValues, which direct calls meet too,
#     and take away what else allows it.
# schemas:
#   - input: schema.report
package tfguard.guardrails.no_direct_access

import data.tfguard.lib.engine
import data.tfguard.lib.replays
import data.tfguard.lib.statements

gates := {"aws:calledvia", "aws:calledviafirst", "aws:calledvialast"}

deny contains finding(r, "may") if {
	some r in around
	r.verdict == "allowed"
}

warn contains finding(r, "perhaps may") if {
	some r in around
	r.verdict == "unknown"
}

finding(r, may) := {"msg": msg, "address": r.resourceAddress, "replay": r} if {
	msg := sprintf("%s %s call %s on %s directly, around the gate (%s).", [replays.caller(r), may, r.action, replays.resource(r), r.chain])
}

# The ways around a gate: direct calls by those who come through it.
around contains r if {
	some through in input.replays
	through.principalAddress != ""
	not startswith(through.chain, "direct-")
	through.verdict == "allowed"
	gated(through)
	some chain in ["direct-corporate", "direct-internet", "direct-vpc-endpoint"]
	r := engine.replay({"chain": chain, "action": through.action, "principal": through.principalAddress, "resource": replays.resource(through)})
}

# Of replays that stand for many the report keeps no hops.
hops(r) := r.hops if count(r.hops) > 0

hops(r) := again.hops if {
	count(r.hops) == 0
	again := engine.replay({"chain": r.chain, "action": r.action, "principal": r.principalAddress, "resource": replays.resource(r)})
}

# A statement that takes part, of a policy that the input defines, asks for the gate.
gated(r) if {
	some hop in hops(r)
	hop.action == r.action
	some reason in hop.because
	reason.effect == "Allow"
	some policy in input.policies
	policy.id == reason.policy
	some c in statements.conditions(policy.document.Statement[reason.statement - 1])
	c.key in gates
}
