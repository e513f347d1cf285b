package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine/request"
)

// Services that call in the catalogue.
const (
	athena         = "athena.amazonaws.com"
	cloudformation = "cloudformation.amazonaws.com"
	cloudtrail     = "cloudtrail.amazonaws.com"
	config         = "config.amazonaws.com"
	dynamodb       = "dynamodb.amazonaws.com"
	elb            = "logdelivery.elasticloadbalancing.amazonaws.com"
	events         = "events.amazonaws.com"
	glue           = "glue.amazonaws.com"
	lambda         = "lambda.amazonaws.com"
	logDelivery    = "delivery.logs.amazonaws.com"
	s3             = "s3.amazonaws.com"
	serviceCatalog = "servicecatalog.amazonaws.com"
	sns            = "sns.amazonaws.com"
)

// by is the first call, which the caller makes.
func by(on Resource, actions ...string) Hop {
	return Hop{Number: 1, Credentials: Caller, Resource: on, Actions: actions}
}

// through is a call that services make on the caller's behalf.
func through(number int, via []string, on Resource, actions ...string) Hop {
	return Hop{Number: number, Credentials: FAS, Service: via[len(via)-1], Via: via, Resource: on, Actions: actions}
}

// itself is a call that a service makes in its own name.
func itself(service string, on Resource, actions ...string) Hop {
	return Hop{Number: 1, Credentials: ServicePrincipal, Service: service, Resource: on, Actions: actions}
}

func maybe(h Hop) Hop {
	h.Optional = true
	return h
}

// withRole are the hops of a service that assumes a role: first the calls that set
// it up and hand the role over, then the trust policy, then the call that is replayed.
func withRole(service string, role Hop, setup Resource, action string) []Hop {
	role.Number, role.Credentials, role.Service = 3, ServiceRole, service
	return []Hop{
		maybe(by(setup, action)),
		maybe(by(OnRole, "iam:PassRole")),
		{Number: 2, Credentials: ServicePrincipal, Service: service, Resource: OnRole, Actions: []string{"sts:AssumeRole"}},
		role,
	}
}

var (
	direct        = []Hop{by(OnTarget)}
	throughAthena = []Hop{
		by(OnWorkgroup, "athena:StartQueryExecution"),
		maybe(by(OnWorkgroup, "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetWorkGroup")),
		through(2, []string{athena}, OnCatalog, "glue:GetDatabase"),
		through(2, []string{athena}, OnDatabase, "glue:GetDatabase"),
		through(2, []string{athena}, OnCatalog, "glue:GetTable"),
		through(2, []string{athena}, OnDatabase, "glue:GetTable"),
		through(2, []string{athena}, OnTable, "glue:GetTable"),
		maybe(through(2, []string{athena}, OnTable, "glue:GetPartitions", "glue:BatchGetPartition")),
		maybe(through(2, []string{athena}, OnBucket, "s3:GetBucketLocation", "s3:ListBucket")),
		through(2, []string{athena}, OnTarget),
		maybe(through(2, []string{athena}, OnResults, "s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")),
		maybe(through(3, []string{athena, s3}, OnKey)),
	}
	throughCFN = []Hop{
		by(OnStack, "cloudformation:CreateStack"),
		through(2, []string{cloudformation}, OnTarget),
		maybe(through(3, []string{cloudformation, ofTarget}, OnKey)),
	}

	buckets   = []TargetKind{BucketTarget}
	instances = []TargetKind{InstanceTarget}
	roles     = []TargetKind{RoleTarget}
	tables    = []TargetKind{TableTarget}
	queues    = []TargetKind{QueueTarget}
	topics    = []TargetKind{TopicTarget}
	functions = []TargetKind{FunctionTarget}
	secrets   = []TargetKind{SecretTarget}
	// data are the targets of any call.
	data = []TargetKind{BucketTarget, InstanceTarget, TableTarget, QueueTarget, TopicTarget, FunctionTarget, KeyTarget, SecretTarget}
	// stored are the targets of a function's work.
	stored = []TargetKind{BucketTarget, TableTarget, QueueTarget, TopicTarget, FunctionTarget, KeyTarget, SecretTarget}
	// open are the targets that requests without credentials reach.
	open = []TargetKind{BucketTarget, QueueTarget, TopicTarget}
)

// catalog is ordered as reports show it.
var catalog = []*Chain{
	{ID: "direct-corporate", Title: "a direct call from the corporate network", Pattern: "1", Entry: Corporate, Targets: data, Hops: direct},
	{ID: "direct-internet", Title: "a direct call from an address outside of every allowed range", Entry: Internet, Targets: data, Hops: direct},
	{ID: "direct-vpc-endpoint", Title: "a direct call through a VPC endpoint", Entry: VPCEndpoint, Targets: data, Hops: direct},
	{ID: "athena-public", Title: "an Athena query from the corporate network", Pattern: "2a", Entry: Corporate, Targets: buckets, Hops: throughAthena},
	{ID: "athena-public-outside", Title: "an Athena query from an address outside of every allowed range", Entry: Internet, Targets: buckets, Hops: throughAthena},
	{ID: "athena-privatelink", Title: "an Athena query through a VPC endpoint of Athena", Pattern: "2b", Entry: VPCEndpoint, Targets: buckets, Hops: throughAthena},
	{ID: "cloudformation", Title: "a stack operation on the caller's behalf", Entry: Corporate, Targets: data, Hops: throughCFN},
	{
		ID: "cloudformation-dynamodb-kms", Title: "a stack operation on an encrypted table", Entry: Corporate, Targets: tables,
		Actions: []string{"dynamodb:CreateTable", "dynamodb:GetItem", "dynamodb:PutItem"},
		Hops: []Hop{
			by(OnStack, "cloudformation:CreateStack"),
			through(2, []string{cloudformation}, OnTarget),
			through(3, []string{cloudformation, dynamodb}, OnKey, "kms:Decrypt"),
			maybe(through(3, []string{cloudformation, dynamodb}, OnKey, "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant")),
		},
	},
	{
		ID: "cloudformation-service-role", Title: "a stack operation with a service role", Entry: Corporate, Targets: data,
		Hops: append(
			withRole(cloudformation, Hop{Via: []string{cloudformation}}, OnStack, "cloudformation:CreateStack"),
			maybe(through(4, []string{cloudformation, ofTarget}, OnKey)),
		),
	},
	{
		ID: "s3-kms", Title: "a call on an object that a KMS key encrypts", Entry: Corporate, Targets: buckets,
		Actions: []string{"s3:GetObject", "s3:PutObject"}, Hops: []Hop{by(OnTarget), through(2, []string{s3}, OnKey)},
	},
	onEncrypted("dynamodb", "a call on a table that a KMS key encrypts", tables),
	onEncrypted("sqs", "a call on a queue that a KMS key encrypts", queues),
	onEncrypted("sns", "a message to a topic that a KMS key encrypts", topics),
	onEncrypted("secretsmanager", "a secret that a KMS key encrypts", secrets),
	{
		ID: "ebs-kms", Title: "an instance whose volumes a KMS key encrypts", Entry: Corporate, Targets: instances,
		Hops: []Hop{
			by(OnTarget),
			through(2, []string{"ec2.amazonaws.com"}, OnKey, "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"),
			maybe(through(2, []string{"ec2.amazonaws.com"}, OnKey, "kms:DescribeKey")),
		},
	},
	{
		ID: "assume-role", Title: "a principal assumes a role", Entry: Corporate, Targets: roles,
		Hops: []Hop{by(OnTarget, "sts:AssumeRole")},
	},
	{
		ID: "assume-role-with-saml", Title: "the user of a SAML provider assumes a role", Entry: Corporate, Targets: roles,
		Hops: []Hop{{Number: 1, Credentials: Federated, Actions: []string{"sts:AssumeRoleWithSAML"}}},
	},
	{
		ID: "assume-role-with-web-identity", Title: "the user of an OIDC provider assumes a role", Entry: Corporate, Targets: roles,
		Hops: []Hop{{Number: 1, Credentials: Federated, Actions: []string{"sts:AssumeRoleWithWebIdentity"}}},
	},
	{
		ID: "presigned-url", Title: "a presigned URL that is opened outside of every allowed range", Entry: Internet, Targets: buckets,
		quiet: true, signs: "s3:authtype", Hops: []Hop{by(OnTarget, "s3:GetObject")},
	},
	{
		ID: "service-catalog", Title: "a product of Service Catalog without a launch role", Entry: Corporate, Targets: data, quiet: true,
		Hops: []Hop{
			by("product", "servicecatalog:ProvisionProduct"),
			through(2, []string{serviceCatalog}, OnStack, "cloudformation:CreateStack"),
			through(3, []string{serviceCatalog, cloudformation}, OnTarget),
		},
	},
	{
		ID: "elastic-beanstalk", Title: "an environment of Elastic Beanstalk on the caller's behalf", Entry: Corporate,
		Targets: []TargetKind{InstanceTarget, BucketTarget}, quiet: true,
		Hops: []Hop{by("environment", "elasticbeanstalk:CreateEnvironment"), through(2, []string{"elasticbeanstalk.amazonaws.com"}, OnTarget)},
	},
	onBehalf("backup", "Backup deletes a recovery point that is a snapshot", by("recovery-point", "backup:DeleteRecoveryPoint"), "snapshot", "ec2:DeleteSnapshot"),
	onBehalf("ram", "Resource Access Manager shares the Glue data catalog", by("resource-share", "ram:CreateResourceShare"), OnCatalog, "glue:PutResourcePolicy"),
	onBehalf("bedrock-lambda", "an agent of Bedrock invokes a function", by("agent", "bedrock:InvokeAgent"), OnTarget, "lambda:InvokeFunction", functions...),
	onBehalf("bedrock-sagemaker", "Bedrock invokes an endpoint of SageMaker", by("model", "bedrock:InvokeModel"), "endpoint", "sagemaker:InvokeEndpoint"),
	onBehalf("cloud9-ssm", "Cloud9 opens a session on its instance", by("ide", "cloud9:CreateEnvironmentSSM"), "document", "ssm:StartSession"),
	onBehalf("cloudfront-acm", "CloudFront asks for a certificate", by("distribution", "cloudfront:CreateDistribution"), "certificate", "acm:RequestCertificate"),
	onBehalf("databrew-secretsmanager", "DataBrew reads a secret", by("dataset", "databrew:CreateDataset"), OnTarget, "secretsmanager:GetSecretValue", secrets...),
	onBehalf("dataexchange-s3", "Data Exchange exports to a bucket", by("data-set", "dataexchange:CreateJob"), OnTarget, "s3:PutObject", buckets...),
	onBehalf("lakeformation-ram", "Lake Formation shares a table", by(OnCatalog, "lakeformation:GrantPermissions"), "resource-share", "ram:CreateResourceShare"),
	onBehalf("lambda-s3", "Lambda reads the code of a function", by("function", "lambda:CreateFunction"), OnTarget, "s3:GetObject", buckets...),
	onBehalf("redshift-data-serverless", "the Redshift Data API asks for credentials", by("redshift-workgroup", "redshift-data:ExecuteStatement"), "redshift-workgroup", "redshift-serverless:GetCredentials"),
	onBehalf("servicecatalog-appregistry", "AppRegistry tags a stack", by("application", "servicecatalog-appregistry:AssociateResource"), OnStack, "cloudformation:UpdateStack"),
	onBehalf("sns-sms-voice", "SNS sends a text message", by("topic", "sns:Publish"), "phone-number", "sms-voice:SendTextMessage"),
	onBehalf("ssm-ec2", "an automation of Systems Manager starts an instance", by("automation", "ssm:StartAutomationExecution"), OnTarget, "ec2:RunInstances", instances...),
	onBehalf("wafv2-logs", "WAF sends logs to CloudWatch Logs", by("web-acl", "wafv2:PutLoggingConfiguration"), "log-group", "logs:PutResourcePolicy"),
	{
		ID: "glue-vpc", Title: "a Glue job with a connection to a VPC", Pattern: "3a", Entry: Corporate, Targets: buckets,
		Hops: withRole(glue, Hop{Entry: VPCEndpoint, workload: request.GlueJob}, "job", "glue:StartJobRun"),
	},
	{
		ID: "glue-job", Title: "a Glue job outside of every VPC", Entry: Corporate, Targets: buckets,
		Hops: withRole(glue, Hop{workload: request.GlueJob}, "job", "glue:StartJobRun"),
	},
	{
		ID: "glue-crawler", Title: "a Glue crawler outside of every VPC", Entry: Corporate, Targets: buckets,
		Hops: withRole(glue, Hop{}, "crawler", "glue:StartCrawler"),
	},
	{
		ID: "lambda-execution", Title: "a function with its execution role, outside of every VPC", Entry: Corporate, Targets: stored,
		Hops: withRole(lambda, Hop{}, "function", "lambda:CreateFunction"),
	},
	{
		ID: "lambda-vpc", Title: "a function in a VPC with its execution role", Entry: Corporate, Targets: stored,
		Hops: withRole(lambda, Hop{Entry: VPCEndpoint}, "function", "lambda:CreateFunction"),
	},
	{
		ID: "s3-replication", Title: "S3 replicates objects with a role", Pattern: "3b", Entry: Corporate, Targets: buckets,
		Actions: []string{"s3:GetObjectVersionForReplication", "s3:ReplicateObject"},
		Hops: append(
			withRole(s3, Hop{}, OnBucket, "s3:PutReplicationConfiguration"),
			maybe(through(4, []string{s3}, OnKey)),
		),
	},
	{
		ID: "cloudtrail-s3", Title: "CloudTrail delivers logs to a bucket", Pattern: "4", Entry: Inside, Targets: buckets,
		Hops: []Hop{
			itself(cloudtrail, OnBucket, "s3:GetBucketAcl"),
			itself(cloudtrail, OnLogs, "s3:PutObject"),
			maybe(itself(cloudtrail, OnKey, "kms:GenerateDataKey", "kms:DescribeKey")),
		},
	},
	{
		ID: "config-s3", Title: "Config delivers to a bucket", Entry: Inside, Targets: buckets,
		Hops: []Hop{maybe(itself(config, OnBucket, "s3:GetBucketAcl", "s3:ListBucket")), itself(config, OnLogs, "s3:PutObject")},
	},
	{
		ID: "vpc-flow-logs", Title: "CloudWatch Logs delivers VPC flow logs, and its likes, to a bucket", Entry: Inside, Targets: buckets,
		Hops: []Hop{maybe(itself(logDelivery, OnBucket, "s3:GetBucketAcl")), itself(logDelivery, OnLogs, "s3:PutObject")},
	},
	{
		ID: "elb-logs", Title: "a load balancer delivers access logs to a bucket", Entry: Inside, Targets: buckets,
		Hops: []Hop{itself(elb, OnLogs, "s3:PutObject")},
	},
	inOwnName("s3-access-logs", "S3 delivers access logs to a bucket", "logging.s3.amazonaws.com", "s3:PutObject", buckets),
	inOwnName("s3-inventory", "S3 writes an inventory to a bucket", s3, "s3:PutObject", buckets),
	inOwnName("cloudfront-s3", "CloudFront reads objects with origin access control", "cloudfront.amazonaws.com", "s3:GetObject", buckets),
	inOwnName("sns-sqs", "SNS sends a message to a queue", sns, "sqs:SendMessage", queues),
	inOwnName("s3-sqs", "S3 notifies a queue", s3, "sqs:SendMessage", queues),
	inOwnName("eventbridge-sqs", "a rule of EventBridge sends to a queue", events, "sqs:SendMessage", queues),
	inOwnName("s3-sns", "S3 notifies a topic", s3, "sns:Publish", topics),
	inOwnName("eventbridge-sns", "a rule of EventBridge publishes to a topic", events, "sns:Publish", topics),
	inOwnName("sns-lambda", "SNS invokes a function", sns, "lambda:InvokeFunction", functions),
	inOwnName("s3-lambda", "S3 invokes a function", s3, "lambda:InvokeFunction", functions),
	inOwnName("eventbridge-lambda", "a rule of EventBridge invokes a function", events, "lambda:InvokeFunction", functions),
	inOwnName("apigateway-lambda", "API Gateway invokes a function", "apigateway.amazonaws.com", "lambda:InvokeFunction", functions),
	inOwnName("iot-lambda", "a rule of IoT invokes a function", "iot.amazonaws.com", "lambda:InvokeFunction", functions),
	inOwnName("cognito-lambda", "a user pool of Cognito invokes a function", "cognito-idp.amazonaws.com", "lambda:InvokeFunction", functions),
	inOwnName("ses-lambda", "a receipt rule of SES invokes a function", "ses.amazonaws.com", "lambda:InvokeFunction", functions),
	inOwnName("logs-lambda", "a subscription of CloudWatch Logs invokes a function", "logs.amazonaws.com", "lambda:InvokeFunction", functions),
	{ID: "service-principal", Title: "a service calls in its own name", Entry: Inside, Hops: []Hop{{Number: 1, Credentials: ServicePrincipal}}},
	{ID: "anonymous", Title: "a request without credentials from the Internet", Entry: Internet, Targets: open, Hops: []Hop{{Number: 1, Credentials: Anonymous}}},
}

// onEncrypted is a direct call on what a key encrypts: the service asks for the key on
// the caller's behalf.
func onEncrypted(service, title string, targets []TargetKind) *Chain {
	return &Chain{
		ID: service + "-kms", Title: title, Entry: Corporate, Targets: targets,
		Hops: []Hop{by(OnTarget), through(2, []string{service + ".amazonaws.com"}, OnKey)},
	}
}

// onBehalf is a call that makes its service call another one on the caller's behalf.
func onBehalf(id, title string, first Hop, on Resource, action string, targets ...TargetKind) *Chain {
	prefix, _, _ := strings.Cut(first.Actions[0], ":")
	return &Chain{
		ID: id, Title: title, Entry: Corporate, Targets: targets, quiet: true,
		Hops: []Hop{first, through(2, []string{prefix + ".amazonaws.com"}, on, action)},
	}
}

// inOwnName is a service that calls in its own name, and asks for the key of the
// target in its own name too.
func inOwnName(id, title, service, action string, targets []TargetKind) *Chain {
	c := &Chain{ID: id, Title: title, Entry: Inside, Targets: targets, Hops: []Hop{itself(service, OnTarget, action)}}
	if asks := keyActions[action]; asks != nil {
		c.Hops = append(c.Hops, maybe(itself(service, OnKey, asks...)))
	}
	return c
}

// Catalog returns the chains in the order reports show them.
func Catalog() []*Chain { return catalog }

// Find returns the chain of the catalogue with an ID.
func Find(id string) (*Chain, bool) {
	for _, c := range catalog {
		if c.ID == id {
			return c, true
		}
	}
	return nil, false
}
