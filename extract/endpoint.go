package extract

import "strings"

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

// EndpointService is the prefix of the actions of an endpoint's service, of a name
// such as com.amazonaws.eu-west-1.ecr.api. Endpoints to other people's services
// have none.
func EndpointService(name string) string {
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

// TakesIPv6 reports whether a VPC endpoint of an address family, as AWS names them
// (ipv4, dualstack, ipv6), takes calls from IPv6 addresses.
func TakesIPv6(family string) bool { return family == "dualstack" || family == "ipv6" }
