package engine

import (
	"strings"

	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// boundByRCP: resource control policies bind every caller but service-linked
// roles, on resources of the services that support them. They bind neither actions
// without a resource type nor the assumption of a service-linked role nor
// kms:RetireGrant (AWS Organizations page "Resource control policies (RCPs)").
func (e *evaluation) boundByRCP() bool {
	if len(e.policies.RCP) == 0 || e.req.Principal.Kind == request.ServiceLinkedRole || e.req.Resource == symbol.Literal("*") {
		return false
	}
	if !awsref.RCPService(e.prefix) {
		e.note("resource control policies do not bind " + e.prefix)
		return false
	}
	if e.prefix == "kms" && e.named("retiregrant") {
		return false
	}
	return !strings.HasPrefix(e.resourcePart, "role/aws-service-role/")
}
