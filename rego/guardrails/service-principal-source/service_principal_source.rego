# METADATA
# title: Services are let in on behalf of somebody
# description: |
#   A resource policy that allows a service principal asks on whose behalf the service calls:
#   aws:SourceArn, aws:SourceAccount, aws:SourceOrgID or aws:SourceOrgPaths.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
#     description: The confused deputy problem
# custom:
#   id: service-principal-source
#   severity: warning
#   rationale: |
#     A service works for every customer of AWS. Without such a condition anybody can make it act on the resource.
#   remediation: |
#     Add StringEquals aws:SourceAccount with your account, or ArnLike aws:SourceArn with what the service works for.
# schemas:
#   - input: schema.report
package tfguard.guardrails.service_principal_source

import data.tfguard.lib.statements

sources := {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "kms:calleraccount"}

# Services that send no source.
silent := {"logdelivery.elasticloadbalancing.amazonaws.com"}

deny contains object.union({"msg": msg}, statements.place(s)) if {
	some s in statements.of("resource")
	s.statement.Effect == "Allow"
	services := statements.principals(s.statement, "Service") - silent
	count(services) > 0
	not statements.asks(s.statement, sources)
	msg := sprintf("%s allows %s on behalf of anybody.", [statements.name(s), concat(", ", sort(services))])
}
