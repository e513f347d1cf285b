# METADATA
# title: The engine
# description: |
#   What shipped rules ask the engine. Under `opa test`, which does not know tfguard's
#   builtins, mock/engine.rego stands in for this file.
package tfguard.lib.engine

# METADATA
# description: The replay of a chain for one principal and resource; undefined if the input does not define them.
replay(query) := tfguard.replay(query)

# METADATA
# description: The decision of a simulate case.
evaluate(case) := tfguard.evaluate(case)
