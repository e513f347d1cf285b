package engine

import (
	"strings"

	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// rcpServices are the prefixes of the services whose resources resource control
// policies bind (AWS Organizations page "Resource control policies (RCPs)", list of
// 26 September 2026).
var rcpServices = func() map[string]bool {
	m := map[string]bool{}
	for s := range strings.FieldsSeq(`
		appstream dsql clouddirectory cloudfront cloudsearch logs networkmonitor cognito-identity
		cognito-idp comprehend comprehendmedical firehose dynamodb dax autoscaling ecr ecr-public
		gamelift inspector-scan kendra kinesisvideo memorydb aoss personalize polly s3 swf sqs textract
		timestream-influxdb transcribe translate workspaces appconfig autoscaling-plans budgets
		servicediscovery cloudtrail-data codeartifact codebuild codecommit codepipeline
		compute-optimizer cost-optimization-hub events fms fis health rolesanywhere kms opensearch
		pricing pca-connector-ad resource-groups secretsmanager sts signin support transfer
		notifications wafv2 xray`) {
		m[s] = true
	}
	return m
}()

// boundByRCP: resource control policies bind every caller but service-linked
// roles, on resources of the services that support them. They bind neither actions
// without a resource type nor the assumption of a service-linked role nor
// kms:RetireGrant (AWS Organizations page "Resource control policies (RCPs)").
func (e *evaluation) boundByRCP() bool {
	if len(e.policies.RCP) == 0 || e.req.Principal.Kind == request.ServiceLinkedRole || e.req.Resource == symbol.Literal("*") {
		return false
	}
	if !rcpServices[e.prefix] {
		e.note("resource control policies do not bind " + e.prefix)
		return false
	}
	if e.prefix == "kms" && e.named("retiregrant") {
		return false
	}
	return !strings.HasPrefix(e.resourcePart, "role/aws-service-role/")
}
