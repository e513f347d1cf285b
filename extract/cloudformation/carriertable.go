package cloudformation

import "github.com/tfguard/tfguard/engine/policy"

// A carrier is a property that holds a policy document, as an object or as a JSON
// string.
type carrier struct {
	typ string
	// path names the property; "[]" stands for the items of a list.
	path string
	kind policy.Kind
	// target is the property that names what the policy stands on ("Queues" may be a
	// list), and on are the types it may have. No target: the policy stands on the
	// resource that carries it.
	target string
	on     []string
	// arn is the ARN of what the policy stands on where no resource is named.
	arn string
}

// Identity, trust, organization and endpoint policies are attached by code of
// their own; they are here to be found. Of what has a grammar of its own (lifecycle
// rules, data protection, Cedar, data access of OpenSearch Serverless, templates of
// RAM permissions) nothing is read. (The CloudFormation resource specification.)
var carriers = []carrier{
	{typ: "AWS::AIOps::InvestigationGroup", path: "InvestigationGroupPolicy", kind: policy.Resource},
	{typ: "AWS::APS::ResourcePolicy", path: "PolicyDocument", kind: policy.Resource, target: "WorkspaceArn", on: []string{"AWS::APS::Workspace"}},
	{typ: "AWS::ApiGateway::DomainNameV2", path: "Policy", kind: policy.Resource},
	{typ: "AWS::ApiGateway::RestApi", path: "Policy", kind: policy.Resource},
	{typ: "AWS::ApiGateway::RestApi", path: "Body.x-amazon-apigateway-policy", kind: policy.Resource},
	{typ: "AWS::Backup::BackupVault", path: "AccessPolicy", kind: policy.Resource},
	{typ: "AWS::Backup::LogicallyAirGappedBackupVault", path: "AccessPolicy", kind: policy.Resource},
	{typ: "AWS::Bedrock::KnowledgeBasePolicy", path: "PolicyDocument", kind: policy.Resource, target: "KnowledgeBaseId", on: []string{"AWS::Bedrock::KnowledgeBase"}},
	{typ: "AWS::Bedrock::ResourcePolicy", path: "PolicyDocument", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::Bedrock::Agent"}},
	{typ: "AWS::BedrockAgentCore::ResourcePolicy", path: "Policy", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::BedrockAgentCore::Runtime", "AWS::BedrockAgentCore::Gateway"}},
	{typ: "AWS::CloudTrail::ResourcePolicy", path: "ResourcePolicy", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::CloudTrail::EventDataStore", "AWS::CloudTrail::Channel"}},
	{typ: "AWS::CodeArtifact::Domain", path: "PermissionsPolicyDocument", kind: policy.Resource},
	{typ: "AWS::CodeArtifact::Repository", path: "PermissionsPolicyDocument", kind: policy.Resource},
	{typ: "AWS::Comprehend::DocumentClassifier", path: "ModelPolicy", kind: policy.Resource},
	{typ: "AWS::Comprehend::EntityRecognizer", path: "ModelPolicy", kind: policy.Resource},
	{typ: "AWS::DSQL::Cluster", path: "PolicyDocument", kind: policy.Resource},
	{typ: "AWS::DynamoDB::GlobalTable", path: "Replicas[].ReplicaStreamSpecification.ResourcePolicy.PolicyDocument", kind: policy.Resource},
	{typ: "AWS::DynamoDB::GlobalTable", path: "Replicas[].ResourcePolicy.PolicyDocument", kind: policy.Resource},
	{typ: "AWS::DynamoDB::Table", path: "ResourcePolicy.PolicyDocument", kind: policy.Resource},
	{typ: "AWS::DynamoDB::Table", path: "StreamSpecification.ResourcePolicy.PolicyDocument", kind: policy.Resource},
	{typ: "AWS::EC2::VPCEndpoint", path: "PolicyDocument", kind: policy.VPCEndpoint},
	{typ: "AWS::ECR::PublicRepository", path: "RepositoryPolicyText", kind: policy.Resource},
	{typ: "AWS::ECR::RegistryPolicy", path: "PolicyText", kind: policy.Resource, arn: "arn:{partition}:ecr:{region}:{account}:*"},
	{typ: "AWS::ECR::Repository", path: "RepositoryPolicyText", kind: policy.Resource},
	{typ: "AWS::ECR::RepositoryCreationTemplate", path: "RepositoryPolicy", kind: policy.Resource},
	{typ: "AWS::EFS::FileSystem", path: "FileSystemPolicy", kind: policy.Resource},
	{typ: "AWS::EKS::PodIdentityAssociation", path: "Policy", kind: policy.Session},
	{typ: "AWS::Elasticsearch::Domain", path: "AccessPolicies", kind: policy.Resource},
	{typ: "AWS::EventSchemas::RegistryPolicy", path: "Policy", kind: policy.Resource, target: "RegistryName", on: []string{"AWS::EventSchemas::Registry"}},
	{typ: "AWS::Events::EventBus", path: "Policy", kind: policy.Resource},
	{typ: "AWS::Events::EventBusPolicy", path: "Statement", kind: policy.Resource, target: "EventBusName", on: []string{"AWS::Events::EventBus"}, arn: "arn:{partition}:events:{region}:{account}:event-bus/default"},
	{typ: "AWS::EventsV2::ResourcePolicy", path: "PolicyDocument", kind: policy.Resource, target: "EventBusArn", on: []string{"AWS::Events::EventBus"}},
	{typ: "AWS::FSx::S3AccessPointAttachment", path: "S3AccessPoint.Policy", kind: policy.Resource},
	{typ: "AWS::IAM::Group", path: "Policies[].PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IAM::GroupPolicy", path: "PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IAM::ManagedPolicy", path: "PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IAM::Policy", path: "PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IAM::Role", path: "AssumeRolePolicyDocument", kind: policy.Trust},
	{typ: "AWS::IAM::Role", path: "Policies[].PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IAM::RolePolicy", path: "PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IAM::User", path: "Policies[].PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IAM::UserPolicy", path: "PolicyDocument", kind: policy.Identity},
	{typ: "AWS::IoT::Policy", path: "PolicyDocument", kind: policy.Identity},
	{typ: "AWS::KMS::Key", path: "KeyPolicy", kind: policy.Resource},
	{typ: "AWS::KMS::ReplicaKey", path: "KeyPolicy", kind: policy.Resource},
	{typ: "AWS::Kinesis::ResourcePolicy", path: "ResourcePolicy", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::Kinesis::Stream"}},
	{typ: "AWS::Lambda::ResourcePolicy", path: "PolicyDocument", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::Lambda::Function"}},
	{typ: "AWS::Lex::ResourcePolicy", path: "Policy", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::Lex::Bot"}},
	{typ: "AWS::Logs::DeliveryDestination", path: "DeliveryDestinationPolicy.DeliveryDestinationPolicy", kind: policy.Resource},
	{typ: "AWS::Logs::Destination", path: "DestinationPolicy", kind: policy.Resource},
	{typ: "AWS::Logs::LogGroup", path: "ResourcePolicyDocument", kind: policy.Resource},
	{typ: "AWS::Logs::ResourcePolicy", path: "PolicyDocument", kind: policy.Resource, arn: "arn:{partition}:logs:{region}:{account}:*"},
	{typ: "AWS::MSK::ClusterPolicy", path: "Policy", kind: policy.Resource, target: "ClusterArn", on: []string{"AWS::MSK::Cluster"}},
	{typ: "AWS::MediaPackageV2::ChannelPolicy", path: "Policy", kind: policy.Resource},
	{typ: "AWS::MediaPackageV2::OriginEndpointPolicy", path: "Policy", kind: policy.Resource},
	{typ: "AWS::MediaStore::Container", path: "Policy", kind: policy.Resource},
	{typ: "AWS::MediaTailor::ChannelPolicy", path: "Policy", kind: policy.Resource},
	{typ: "AWS::ODB::OdbNetwork", path: "KmsPolicyDocument", kind: policy.Resource},
	{typ: "AWS::ODB::OdbNetwork", path: "S3PolicyDocument", kind: policy.Resource},
	{typ: "AWS::ODB::OdbNetwork", path: "StsPolicyDocument", kind: policy.Resource},
	{typ: "AWS::OSIS::Pipeline", path: "ResourcePolicy.Policy", kind: policy.Resource},
	{typ: "AWS::Oam::Sink", path: "Policy", kind: policy.Resource},
	{typ: "AWS::Omics::SequenceStore", path: "S3AccessPolicy", kind: policy.Resource},
	{typ: "AWS::OpenSearchService::Domain", path: "AccessPolicies", kind: policy.Resource},
	{typ: "AWS::Organizations::Policy", path: "Content", kind: policy.SCP},
	{typ: "AWS::Organizations::ResourcePolicy", path: "Content", kind: policy.Resource},
	{typ: "AWS::PaymentCryptography::Key", path: "Policy", kind: policy.Resource},
	{typ: "AWS::RUM::AppMonitor", path: "ResourcePolicy.PolicyDocument", kind: policy.Resource},
	{typ: "AWS::Redshift::Cluster", path: "NamespaceResourcePolicy", kind: policy.Resource},
	{typ: "AWS::RedshiftServerless::Namespace", path: "NamespaceResourcePolicy", kind: policy.Resource},
	{typ: "AWS::RolesAnywhere::Profile", path: "SessionPolicy", kind: policy.Session},
	{typ: "AWS::S3::AccessPoint", path: "Policy", kind: policy.Resource},
	{typ: "AWS::S3::BucketPolicy", path: "PolicyDocument", kind: policy.Resource, target: "Bucket", on: []string{"AWS::S3::Bucket", "AWS::S3Express::DirectoryBucket"}},
	{typ: "AWS::S3::MultiRegionAccessPointPolicy", path: "Policy", kind: policy.Resource},
	{typ: "AWS::S3Express::AccessPoint", path: "Policy", kind: policy.Resource},
	{typ: "AWS::S3Express::BucketPolicy", path: "PolicyDocument", kind: policy.Resource, target: "Bucket", on: []string{"AWS::S3Express::DirectoryBucket"}},
	{typ: "AWS::S3Files::FileSystemPolicy", path: "Policy", kind: policy.Resource, target: "FileSystemId", on: []string{"AWS::S3Files::FileSystem"}},
	{typ: "AWS::S3ObjectLambda::AccessPointPolicy", path: "PolicyDocument", kind: policy.Resource, target: "ObjectLambdaAccessPoint", on: []string{"AWS::S3ObjectLambda::AccessPoint"}},
	{typ: "AWS::S3Outposts::AccessPoint", path: "Policy", kind: policy.Resource},
	{typ: "AWS::S3Outposts::BucketPolicy", path: "PolicyDocument", kind: policy.Resource, target: "Bucket", on: []string{"AWS::S3Outposts::Bucket"}},
	{typ: "AWS::S3Tables::TableBucketPolicy", path: "ResourcePolicy", kind: policy.Resource, target: "TableBucketARN", on: []string{"AWS::S3Tables::TableBucket"}},
	{typ: "AWS::S3Tables::TablePolicy", path: "ResourcePolicy", kind: policy.Resource, target: "TableARN", on: []string{"AWS::S3Tables::Table"}},
	{typ: "AWS::S3Vectors::VectorBucketPolicy", path: "Policy", kind: policy.Resource, target: "VectorBucketArn", on: []string{"AWS::S3Vectors::VectorBucket"}},
	{typ: "AWS::SMSVOICE::ResourcePolicy", path: "PolicyDocument", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::SMSVOICE::PhoneNumber", "AWS::SMSVOICE::Pool"}},
	{typ: "AWS::SNS::TopicInlinePolicy", path: "PolicyDocument", kind: policy.Resource, target: "TopicArn", on: []string{"AWS::SNS::Topic"}},
	{typ: "AWS::SNS::TopicPolicy", path: "PolicyDocument", kind: policy.Resource, target: "Topics", on: []string{"AWS::SNS::Topic"}},
	{typ: "AWS::SQS::QueueInlinePolicy", path: "PolicyDocument", kind: policy.Resource, target: "Queue", on: []string{"AWS::SQS::Queue"}},
	{typ: "AWS::SQS::QueuePolicy", path: "PolicyDocument", kind: policy.Resource, target: "Queues", on: []string{"AWS::SQS::Queue"}},
	{typ: "AWS::SSM::ResourcePolicy", path: "Policy", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::SSM::Parameter"}},
	{typ: "AWS::SSO::PermissionSet", path: "InlinePolicy", kind: policy.Identity},
	{typ: "AWS::SageMaker::ModelPackageGroup", path: "ModelPackageGroupPolicy", kind: policy.Resource},
	{typ: "AWS::SecretsManager::ResourcePolicy", path: "ResourcePolicy", kind: policy.Resource, target: "SecretId", on: []string{"AWS::SecretsManager::Secret"}},
	{typ: "AWS::Transfer::User", path: "Policy", kind: policy.Session},
	{typ: "AWS::VpcLattice::AuthPolicy", path: "Policy", kind: policy.Resource, target: "ResourceIdentifier", on: []string{"AWS::VpcLattice::Service", "AWS::VpcLattice::ServiceNetwork"}},
	{typ: "AWS::VpcLattice::ResourcePolicy", path: "Policy", kind: policy.Resource, target: "ResourceArn", on: []string{"AWS::VpcLattice::Service", "AWS::VpcLattice::ServiceNetwork"}},
	{typ: "AWS::XRay::ResourcePolicy", path: "PolicyDocument", kind: policy.Resource, arn: "arn:{partition}:xray:{region}:{account}:*"},
}

// carriersOf are the carriers by type.
var carriersOf = func() map[string][]*carrier {
	out := make(map[string][]*carrier, len(carriers))
	for i := range carriers {
		out[carriers[i].typ] = append(out[carriers[i].typ], &carriers[i])
	}
	return out
}()
