# METADATA
# title: Statements of policies
# description: |
#   Helpers over policies[] of the report, whose documents have one shape: every
#   Statement, Action, Resource and value is an array.
# schemas:
#   - input: schema.report
package tfguard.lib.statements

# METADATA
# description: The statements of policies of a kind, each with its policy and its number from 1.
of(kind) := {{"policy": policy, "number": i + 1, "statement": statement} |
	some policy in input.policies
	policy.kind == kind
	policy.address != ""
	some i, statement in policy.document.Statement
	is_object(statement)
}

# METADATA
# description: |
#   The statements that allow an action, of policies of some kinds. They are found by their patterns,
#   which a plan repeats, so that many rules may ask about many actions.
allowing(kinds, action) := [s |
	some pattern, those in allows
	glob.match(pattern, null, lower(action))
	some s in those
	s.policy.kind in kinds
	not excluded(s.statement, action)
]

excluded(statement, action) if {
	some pattern in statement.NotAction
	glob.match(lower(pattern), null, lower(action))
}

# The statements that allow something, by the patterns of their actions. NotAction stands for all.
allows := {pattern: those |
	some pattern in patterns
	those := [g.of | some g in grants; g.pattern == pattern]
}

patterns contains g.pattern if some g in grants

grants := [{"pattern": lower(pattern), "of": {"policy": policy, "number": i + 1, "statement": statement}} |
	some policy in input.policies
	policy.address != ""
	some i, statement in policy.document.Statement
	is_object(statement)
	statement.Effect == "Allow"
	some pattern in object.get(statement, "Action", ["*"])
]

# METADATA
# description: The conditions of a statement, with operators and keys in lower case.
conditions(statement) := {{"operator": lower(operator), "key": lower(key), "values": values} |
	some operator, keys in object.get(statement, "Condition", {})
	some key, values in keys
}

# METADATA
# description: |
#   Whether a statement asks for one of some keys (in lower case) so that a request without the
#   key does not meet it: negated operators, IfExists and Null do not ask.
asks(statement, keys) if {
	some c in conditions(statement)
	c.key in keys
	not lenient(c.operator)
}

lenient(operator) if contains(operator, "not")

lenient(operator) if endswith(operator, "ifexists")

lenient(operator) if startswith(operator, "forallvalues:")

lenient("null")

# METADATA
# description: The principals of a type (AWS, Service, Federated) that a statement names.
principals(statement, type) := {p |
	is_object(statement.Principal)
	some p in object.get(statement.Principal, type, [])
}

# METADATA
# description: Whether a statement is about everybody.
everybody(statement) if statement.Principal == "*"

everybody(statement) if "*" in principals(statement, "AWS")

# METADATA
# description: Whether one of the patterns of a statement covers an action.
covers(statement, action) if {
	some pattern in statement.Action
	glob.match(lower(pattern), null, lower(action))
}

covers(statement, action) if {
	statement.NotAction
	every pattern in statement.NotAction {
		not glob.match(lower(pattern), null, lower(action))
	}
}

# METADATA
# description: How messages name a statement.
name(s) := sprintf("statement %d (%s) of %s", [s.number, s.statement.Sid, s.policy.id]) if s.statement.Sid

name(s) := sprintf("statement %d of %s", [s.number, s.policy.id]) if not s.statement.Sid

# METADATA
# description: What a finding about a statement says of its place.
place(s) := {"address": s.policy.address, "_loc": s.policy.source}
