package request

import "strings"

// Which services know of the endpoint keys of 2025 (AWS page "AWS global
// condition context keys", as of September 2026).
var (
	sourceVPCARN = set(`acm-pca applicationinsights apprunner athena cloudformation comprehendmedical
		compute-optimizer datasync discovery ebs ecr ecs firehose healthlake iam iotfleetwise iotwireless
		kinesisanalytics kms lambda medical-imaging omics payment-cryptography polly rbin rekognition route53
		s3 scheduler servicediscovery servicequotas ssm-contacts storagegateway textract transcribe transfer`)
	vpceAccount = with(sourceVPCARN, "dynamodb gamelift shield")
	vpceOrgID   = with(vpceAccount, `b2bi cassandra cognito-identity dms ds-data identitystore iottwinmaker
		network-firewall pricing ses sms-voice sqs workmail`)
)

func set(words string) map[string]bool { return with(nil, words) }

func with(base map[string]bool, words string) map[string]bool {
	m := make(map[string]bool)
	for k := range base {
		m[k] = true
	}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// withoutResourceAccount reports whether calls carry none of the keys about the
// account that owns the resource.
func withoutResourceAccount(service, action string) bool {
	return service == "ebs" || noResourceAccount[strings.ToLower(service+":"+action)]
}

// WithoutResourceAccount returns the actions that carry none of the keys about the
// account that owns the resource, with "ebs:*" for all of ebs.
func WithoutResourceAccount() []string {
	return append(strings.Fields(resourceAccountLacking), "ebs:*")
}

// noResourceAccount are the actions that do not support aws:ResourceAccount,
// aws:ResourceOrgID and aws:ResourceOrgPaths, beside all of ebs (AWS page "AWS global
// condition context keys", as of September 2026).
var noResourceAccount = set(strings.ToLower(resourceAccountLacking))

const resourceAccountLacking = `
	auditmanager:UpdateAssessmentFrameworkShare
	detective:AcceptInvitation
	ds:AcceptSharedDirectory
	ec2:AcceptTransitGatewayPeeringAttachment
	ec2:AcceptVpcEndpointConnections
	ec2:AcceptVpcPeeringConnection
	ec2:CreateTransitGatewayPeeringAttachment
	ec2:CreateVpcEndpoint
	ec2:CreateVpcPeeringConnection
	events:PutEvents
	guardduty:AcceptAdministratorInvitation
	macie2:AcceptInvitation
	es:AcceptInboundConnection
	route53:AssociateVpcWithHostedZone
	route53:CreateVPCAssociationAuthorization
	securityhub:AcceptAdministratorInvitation
`

// throughInterface reports whether an action is one of a data plane that is reached
// through network interfaces in a VPC, which tells nothing of VPC endpoints.
func throughInterface(service, action string) bool {
	switch service {
	case "dax", "rds-db", "neptune-db", "kafka-cluster", "s3-outposts":
		return true
	case "elasticfilesystem":
		return hasPrefixFold(action, "Client")
	case "es":
		return hasPrefixFold(action, "ESHttp")
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// global are the services with one endpoint for all regions of a partition.
var global = set("iam organizations route53 route53domains cloudfront support waf globalaccelerator shield health budgets account")

// calledVia are the services that AWS listed, while it published a list, as those
// that aws:CalledVia names (AWS page "AWS global condition context keys", 2024).
var calledVia = principals(`aoss athena backup cloud9 cloudformation databrew dataexchange dynamodb imagebuilder kms mgn
	nimble omics ram robomaker servicecatalog-appregistry sqlworkbench ssm-guiconnect`)

func principals(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w+".amazonaws.com"] = true
	}
	return m
}
