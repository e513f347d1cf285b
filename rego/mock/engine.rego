# METADATA
# title: The engine, for tests
# description: |
#   Answers as the engine would from what a test gives as input: replays[] has the replays, and
#   answers[] the answers to simulate cases by their id.
package tfguard.lib.engine

# METADATA
# description: The replay that input.replays has for a query.
replay(query) := r if {
	some r in input.replays
	r.chain == query.chain
	r.action == query.action
	query.principal in {r.principalAddress, r.standIn, r.principal}
	query.resource in {r.resourceAddress, r.resource}
}

# METADATA
# description: The answer that input.answers has for a case.
evaluate(case) := input.answers[case.id]
