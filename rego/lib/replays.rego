# METADATA
# title: Replays of chains
# description: Helpers over replays[] of the report.
# schemas:
#   - input: schema.report
package tfguard.lib.replays

# METADATA
# description: How messages call who calls.
caller(r) := r.principalAddress if r.principalAddress != ""

caller(r) := callers[r.standIn] if {
	r.principalAddress == ""
	callers[r.standIn]
}

caller(r) := r.principal if {
	r.principalAddress == ""
	not callers[r.standIn]
}

callers := {
	"tfguard-standin-admin": "An administrator of the account",
	"tfguard-standin-org": "An administrator of another account of the organization",
	"tfguard-standin-outside": "An administrator of a foreign account",
}

# METADATA
# description: How messages call what is called upon.
resource(r) := r.resourceAddress if r.resourceAddress != ""

resource(r) := r.resource if r.resourceAddress == ""

# METADATA
# description: The numbers of the replays of a chain that come out with a verdict.
of(chain, verdict) := {i |
	some i, r in input.replays
	r.chain == chain
	r.verdict == verdict
}
