package terraform

import (
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
)

// A carrier is an attribute that holds a policy document as a JSON string.
type carrier struct {
	typ string
	// path names the attribute; "[]" stands for the blocks of a list.
	path string
	kind policy.Kind
	// target is the attribute that names the resource the policy stands on, and
	// types are the types it may have. No target: the policy stands on the resource
	// that carries it, if that has an ARN.
	target string
	types  []string
	// arn is the ARN of what the policy stands on where no resource is named.
	arn string
}

// required reports whether a resource always sets the attribute: it exists for the
// policy, or cannot be without one. Others may leave it to the service.
func (c *carrier) required() bool {
	return c.typ != "aws_vpc_endpoint_policy" && (c.target != "" || strings.HasSuffix(c.typ, "_policy") || c.path == "assume_role_policy")
}

// Identity, trust, organization and endpoint policies of IAM, Organizations,
// Identity Center and VPC are attached by code of their own; they are here
// to be found.
var carriers = []carrier{
	{typ: "aws_acmpca_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_acmpca_certificate_authority"}},
	{typ: "aws_api_gateway_domain_name", path: "policy", kind: policy.Resource},
	{typ: "aws_api_gateway_rest_api", path: "policy", kind: policy.Resource},
	{typ: "aws_api_gateway_rest_api_policy", path: "policy", kind: policy.Resource, target: "rest_api_id", types: []string{"aws_api_gateway_rest_api"}},
	{typ: "aws_backup_vault_policy", path: "policy", kind: policy.Resource, target: "backup_vault_name", types: []string{"aws_backup_vault"}},
	{typ: "aws_cloudsearch_domain_service_access_policy", path: "access_policy", kind: policy.Resource, target: "domain_name", types: []string{"aws_cloudsearch_domain"}},
	{typ: "aws_cloudwatch_event_bus_policy", path: "policy", kind: policy.Resource, target: "event_bus_name", types: []string{"aws_cloudwatch_event_bus"}, arn: "arn:{partition}:events:{region}:{account}:event-bus/default"},
	{typ: "aws_cloudwatch_log_delivery_destination_policy", path: "delivery_destination_policy", kind: policy.Resource},
	{typ: "aws_cloudwatch_log_destination_policy", path: "access_policy", kind: policy.Resource, target: "destination_name", types: []string{"aws_cloudwatch_log_destination"}},
	{typ: "aws_cloudwatch_log_resource_policy", path: "policy_document", kind: policy.Resource, arn: "arn:{partition}:logs:{region}:{account}:*"},
	{typ: "aws_codeartifact_domain_permissions_policy", path: "policy_document", kind: policy.Resource, target: "domain", types: []string{"aws_codeartifact_domain"}},
	{typ: "aws_codeartifact_repository_permissions_policy", path: "policy_document", kind: policy.Resource, target: "repository", types: []string{"aws_codeartifact_repository"}},
	{typ: "aws_codebuild_resource_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_codebuild_project"}},
	{typ: "aws_dynamodb_resource_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_dynamodb_table"}},
	{typ: "aws_ecr_registry_policy", path: "policy", kind: policy.Resource, arn: "arn:{partition}:ecr:{region}:{account}:*"},
	{typ: "aws_ecr_repository_creation_template", path: "repository_policy", kind: policy.Resource},
	{typ: "aws_ecr_repository_policy", path: "policy", kind: policy.Resource, target: "repository", types: []string{"aws_ecr_repository"}},
	{typ: "aws_ecrpublic_repository_policy", path: "policy", kind: policy.Resource, target: "repository_name", types: []string{"aws_ecrpublic_repository"}},
	{typ: "aws_efs_file_system_policy", path: "policy", kind: policy.Resource, target: "file_system_id", types: []string{"aws_efs_file_system"}},
	{typ: "aws_elasticsearch_domain", path: "access_policies", kind: policy.Resource},
	{typ: "aws_elasticsearch_domain_policy", path: "access_policies", kind: policy.Resource, target: "domain_name", types: []string{"aws_elasticsearch_domain"}},
	{typ: "aws_fsx_s3_access_point_attachment", path: "s3_access_point[].policy", kind: policy.Resource},
	{typ: "aws_glacier_vault", path: "access_policy", kind: policy.Resource},
	{typ: "aws_glacier_vault_lock", path: "policy", kind: policy.Resource, target: "vault_name", types: []string{"aws_glacier_vault"}},
	{typ: "aws_glue_resource_policy", path: "policy", kind: policy.Resource, arn: "arn:{partition}:glue:{region}:{account}:catalog"},
	{typ: "aws_iam_group_policy", path: "policy", kind: policy.Identity},
	{typ: "aws_iam_policy", path: "policy", kind: policy.Identity},
	{typ: "aws_iam_role", path: "assume_role_policy", kind: policy.Trust},
	{typ: "aws_iam_role", path: "inline_policy[].policy", kind: policy.Identity},
	{typ: "aws_iam_role_policy", path: "policy", kind: policy.Identity},
	{typ: "aws_iam_user_policy", path: "policy", kind: policy.Identity},
	{typ: "aws_kinesis_resource_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_kinesis_stream"}},
	{typ: "aws_kms_external_key", path: "policy", kind: policy.Resource},
	{typ: "aws_kms_key", path: "policy", kind: policy.Resource},
	{typ: "aws_kms_key_policy", path: "policy", kind: policy.Resource, target: "key_id", types: kmsKeys},
	{typ: "aws_kms_replica_external_key", path: "policy", kind: policy.Resource},
	{typ: "aws_kms_replica_key", path: "policy", kind: policy.Resource},
	{typ: "aws_media_store_container_policy", path: "policy", kind: policy.Resource, target: "container_name", types: []string{"aws_media_store_container"}},
	{typ: "aws_msk_cluster_policy", path: "policy", kind: policy.Resource, target: "cluster_arn", types: []string{"aws_msk_cluster"}},
	{typ: "aws_networkfirewall_resource_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_networkfirewall_rule_group", "aws_networkfirewall_firewall_policy"}},
	{typ: "aws_oam_sink_policy", path: "policy", kind: policy.Resource, target: "sink_identifier", types: []string{"aws_oam_sink"}},
	{typ: "aws_odb_network", path: "s3_policy_document", kind: policy.Resource},
	{typ: "aws_opensearch_domain", path: "access_policies", kind: policy.Resource},
	{typ: "aws_opensearch_domain_policy", path: "access_policies", kind: policy.Resource, target: "domain_name", types: []string{"aws_opensearch_domain"}},
	{typ: "aws_organizations_policy", path: "content", kind: policy.SCP},
	{typ: "aws_organizations_resource_policy", path: "content", kind: policy.Resource},
	{typ: "aws_prometheus_resource_policy", path: "policy_document", kind: policy.Resource, target: "workspace_id", types: []string{"aws_prometheus_workspace"}},
	{typ: "aws_redshift_resource_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_redshift_cluster"}},
	{typ: "aws_redshiftserverless_resource_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_redshiftserverless_namespace"}},
	{typ: "aws_rolesanywhere_profile", path: "session_policy", kind: policy.Session},
	{typ: "aws_s3_access_point", path: "policy", kind: policy.Resource},
	{typ: "aws_s3_bucket", path: "policy", kind: policy.Resource},
	{typ: "aws_s3_bucket_policy", path: "policy", kind: policy.Resource, target: "bucket", types: []string{"aws_s3_bucket", "aws_s3_directory_bucket"}},
	{typ: "aws_s3control_access_grants_instance_resource_policy", path: "policy", kind: policy.Resource, arn: "arn:{partition}:s3:{region}:{account}:access-grants/default"},
	{typ: "aws_s3control_access_point_policy", path: "policy", kind: policy.Resource, target: "access_point_arn", types: []string{"aws_s3_access_point"}},
	{typ: "aws_s3control_bucket_policy", path: "policy", kind: policy.Resource},
	{typ: "aws_s3control_multi_region_access_point_policy", path: "details[].policy", kind: policy.Resource},
	{typ: "aws_s3control_object_lambda_access_point_policy", path: "policy", kind: policy.Resource, target: "name", types: []string{"aws_s3control_object_lambda_access_point"}},
	{typ: "aws_s3tables_table_bucket_policy", path: "resource_policy", kind: policy.Resource, target: "table_bucket_arn", types: []string{"aws_s3tables_table_bucket"}},
	{typ: "aws_s3tables_table_policy", path: "resource_policy", kind: policy.Resource},
	{typ: "aws_s3vectors_vector_bucket_policy", path: "policy", kind: policy.Resource, target: "vector_bucket_arn", types: []string{"aws_s3vectors_vector_bucket"}},
	{typ: "aws_sagemaker_model_package_group_policy", path: "resource_policy", kind: policy.Resource, target: "model_package_group_name", types: []string{"aws_sagemaker_model_package_group"}},
	{typ: "aws_schemas_registry_policy", path: "policy", kind: policy.Resource, target: "registry_name", types: []string{"aws_schemas_registry"}},
	{typ: "aws_secretsmanager_secret", path: "policy", kind: policy.Resource},
	{typ: "aws_secretsmanager_secret_policy", path: "policy", kind: policy.Resource, target: "secret_arn", types: []string{"aws_secretsmanager_secret"}},
	{typ: "aws_ses_identity_policy", path: "policy", kind: policy.Resource, target: "identity", types: []string{"aws_ses_domain_identity", "aws_ses_email_identity"}},
	{typ: "aws_sesv2_email_identity_policy", path: "policy", kind: policy.Resource, target: "email_identity", types: []string{"aws_sesv2_email_identity"}},
	{typ: "aws_sns_topic", path: "policy", kind: policy.Resource},
	{typ: "aws_sns_topic_policy", path: "policy", kind: policy.Resource, target: "arn", types: []string{"aws_sns_topic"}},
	{typ: "aws_sqs_queue", path: "policy", kind: policy.Resource},
	{typ: "aws_sqs_queue_policy", path: "policy", kind: policy.Resource, target: "queue_url", types: []string{"aws_sqs_queue"}},
	{typ: "aws_ssoadmin_permission_set_inline_policy", path: "inline_policy", kind: policy.Identity},
	{typ: "aws_transfer_access", path: "policy", kind: policy.Session},
	{typ: "aws_transfer_user", path: "policy", kind: policy.Session},
	{typ: "aws_vpc_endpoint", path: "policy", kind: policy.VPCEndpoint},
	{typ: "aws_vpc_endpoint_policy", path: "policy", kind: policy.VPCEndpoint},
	{typ: "aws_vpclattice_auth_policy", path: "policy", kind: policy.Resource, target: "resource_identifier", types: []string{"aws_vpclattice_service", "aws_vpclattice_service_network"}},
	{typ: "aws_vpclattice_resource_policy", path: "policy", kind: policy.Resource, target: "resource_arn", types: []string{"aws_vpclattice_service", "aws_vpclattice_service_network"}},
	{typ: "aws_xray_resource_policy", path: "policy_document", kind: policy.Resource, arn: "arn:{partition}:xray:{region}:{account}:*"},
}
