# METADATA
# title: No bucket is public
# description: A request without credentials reaches no bucket.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
#     description: Blocking public access to your Amazon S3 storage
# custom:
#   id: no-public-bucket
#   severity: error
#   rationale: What everybody may read, somebody reads; what everybody may write, somebody fills.
#   remediation: |
#     Set S3 Block Public Access for the account and the bucket, and name who may come in the bucket policy.
# schemas:
#   - input: schema.report
package tfguard.guardrails.no_public_bucket

import data.tfguard.lib.replays

deny contains finding(i, "may") if some i in replays.of("anonymous", "allowed")

warn contains finding(i, "perhaps may") if some i in replays.of("anonymous", "unknown")

finding(i, may) := {"msg": msg, "address": r.resourceAddress, "replay": i} if {
	r := input.replays[i]
	msg := sprintf("Everybody %s call %s on %s.", [may, r.action, replays.resource(r)])
}
