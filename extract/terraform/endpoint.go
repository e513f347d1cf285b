package terraform

import (
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/extract"
)

// endpointServices are the services whose actions have another prefix than the
// name of their VPC endpoint.
var endpointServices = map[string]string{
	"monitoring":        "cloudwatch",
	"email-smtp":        "ses",
	"git-codecommit":    "codecommit",
	"ecs-agent":         "ecs",
	"ecs-telemetry":     "ecs",
	"kinesis-streams":   "kinesis",
	"kinesis-firehose":  "firehose",
	"sagemaker.api":     "sagemaker",
	"sagemaker.runtime": "sagemaker",
	"kms-fips":          "kms",
	"s3-global":         "s3",
	"sync-states":       "states",
	"appmesh-envoy":     "appmesh",
	"dynamodb-fips":     "dynamodb",
	"athena-fips":       "athena",
}

// endpoints lists the VPC endpoints with their policies.
func (b *builder) endpoints() {
	byInstance := map[*instance]*extract.Endpoint{}
	for _, in := range b.byType["aws_vpc_endpoint"] {
		e := &extract.Endpoint{Address: in.address, ID: b.attr(in, "id"), Service: endpointService(b.serviceName(in))}
		if out, exact := b.wire(in, "vpc_id", want{attr: "id", types: []string{"aws_vpc"}}); exact {
			e.VPC = out.candidates[0].text
		} else if in.isUnknown("vpc_id") {
			e.VPC = unresolvedText(in, "vpc_id")
		}
		byInstance[in] = e
		b.inv.Endpoints = append(b.inv.Endpoints, e)
	}
	dedicated := map[*instance]bool{}
	for _, in := range b.byType["aws_vpc_endpoint_policy"] {
		matches, _ := b.targets(in, "vpc_endpoint_id", want{attr: "id", types: []string{"aws_vpc_endpoint"}}, "id")
		for _, c := range b.carried[in] {
			for _, m := range matches {
				e := byInstance[m.in]
				e.Policies = attached(e.Policies, c.doc, m.sure, m.why)
				dedicated[m.in] = dedicated[m.in] || m.sure == kleene.True
				b.attachTo(c.doc, m.in.address)
			}
			if id, ok := in.str("vpc_endpoint_id"); ok && len(matches) == 0 {
				b.attachTo(c.doc, id)
			}
		}
	}
	for _, in := range b.byType["aws_vpc_endpoint"] {
		for _, c := range b.carried[in] {
			if dedicated[in] && c.computed {
				b.drop(c.doc)
				continue
			}
			byInstance[in].Policies = attached(byInstance[in].Policies, c.doc, kleene.True, "")
			b.attachTo(c.doc, in.address)
		}
	}
}

// serviceName is the name of an endpoint's service, empty if it is not known.
func (b *builder) serviceName(in *instance) string {
	out, exact := b.wire(in, "service_name", want{attr: "service_name"})
	if !exact {
		return ""
	}
	name, _ := out.candidates[0].text.Literal()
	return name
}

// endpointService is the prefix of the actions of an endpoint's service, of a name
// such as com.amazonaws.eu-west-1.ecr.api. Endpoints to other people's services
// have none.
func endpointService(name string) string {
	name = strings.TrimPrefix(name, "cn.")
	rest, ok := strings.CutPrefix(name, "com.amazonaws.")
	if !ok {
		if strings.HasPrefix(name, "aws.sagemaker.") {
			return "sagemaker"
		}
		return ""
	}
	_, service, ok := strings.Cut(rest, ".")
	if !ok {
		service = rest // global services have no region
	}
	if strings.HasPrefix(service, "vpce-svc-") || strings.HasPrefix(rest, "vpce.") {
		return ""
	}
	if prefix, ok := endpointServices[service]; ok {
		return prefix
	}
	service, _, _ = strings.Cut(service, ".")
	if prefix, ok := endpointServices[service]; ok {
		return prefix
	}
	return strings.TrimSuffix(service, "-fips")
}
