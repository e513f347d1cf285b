package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract/cloudformation"
)

// The key that encrypts a resource, however the template names it.
func TestEncryption(t *testing.T) {
	const known, key = "arn:aws:kms:eu-west-1:111122223333:key/k", "arn:aws:kms:eu-west-1:111122223333:key/${Key}"
	res := read(t, `
Conditions:
  C: !Equals [!Ref P, x]
Parameters:
  P: {Type: String}
Resources:
  Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: "*", Action: "kms:*", Resource: "*"}]}}}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/app, TargetKeyId: !Ref Key}}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {SSEAlgorithm: "aws:kms", KMSMasterKeyID: !GetAtt Key.Arn}
  Plain: {Type: AWS::S3::Bucket, Properties: {BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}}}
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: t, SSESpecification: {SSEEnabled: true, KMSMasterKeyId: !Ref Key}}}
  Managed: {Type: AWS::DynamoDB::Table, Properties: {TableName: m, SSESpecification: {SSEEnabled: true}}}
  Global: {Type: AWS::DynamoDB::GlobalTable, Properties: {TableName: g, Replicas: [{Region: eu-west-1, SSESpecification: {KMSMasterKeyId: k}}, {Region: us-east-1, SSESpecification: {KMSMasterKeyId: other}}]}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q, KmsMasterKeyId: alias/app}}
  Aws: {Type: AWS::SQS::Queue, Properties: {QueueName: a, KmsMasterKeyId: alias/aws/sqs}}
  Strange: {Type: AWS::SQS::Queue, Properties: {QueueName: s, KmsMasterKeyId: alias/strange}}
  Id: {Type: AWS::SNS::Topic, Properties: {TopicName: i, KmsMasterKeyId: k}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: n, KmsMasterKeyId: !Ref Alias}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: s, KmsKeyId: "`+known+`"}}
  Perhaps: {Type: AWS::SecretsManager::Secret, Properties: {Name: p, KmsKeyId: !If [C, !Ref Key, !Ref AWS::NoValue]}}
  Function: {Type: AWS::Lambda::Function, Properties: {FunctionName: f, KmsKeyArn: !Ref P}}
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: s, StreamEncryption: {EncryptionType: KMS, KeyId: !GetAtt Key.Arn}}}
  Trail: {Type: AWS::CloudTrail::Trail, Properties: {TrailName: t, S3BucketName: !Ref Bucket, KMSKeyId: !Ref Alias}}
`, cloudformation.Options{Parameters: map[string]string{"AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1"}})
	want := map[string]string{
		"Bucket": key, "Plain": "", "Table": key, "Managed": "", "Global": "${Global.Replicas.SSESpecification.KMSMasterKeyId}",
		"Queue": key, "Aws": "", "Strange": "${Strange, alias/strange}", "Id": known, "Topic": key, "Secret": known,
		"Perhaps": "${Perhaps.KmsKeyId}", "Function": "${P}", "Stream": key, "Key": "",
	}
	met := 0
	for _, r := range res.Inventory.Resources {
		if key, ok := want[r.Address]; ok {
			met++
			if got := r.Key.String(); got != key {
				t.Errorf("%s: got %q, want %q", r.Address, got, key)
			}
		}
	}
	if met != len(want) {
		t.Errorf("%d of %d resources are there", met, len(want))
	}
	if got := res.Inventory.Trails[0].Key.String(); got != key {
		t.Errorf("the trail: got %q, want %q", got, key)
	}
	for i, want := range []string{key, ""} { // what !If says one way and the other
		for _, r := range res.Worlds()[i].Resources {
			if r.Address == "Perhaps" && r.Key.String() != want {
				t.Errorf("world %d: got %q, want %q", i, r.Key, want)
			}
		}
	}
}

// New volumes have the key that a volume or an instance names.
func TestVolumeKey(t *testing.T) {
	for volume, want := range map[string]string{
		"{Type: AWS::EC2::Volume, Properties: {AvailabilityZone: a, KmsKeyId: k}}":                                                         "arn:aws:kms:eu-west-1:111122223333:key/k",
		"{Type: AWS::EC2::Volume, Properties: {AvailabilityZone: a, KmsKeyId: alias/aws/ebs}}":                                             "",
		"{Type: AWS::EC2::Instance, Properties: {BlockDeviceMappings: [{DeviceName: a, Ebs: {Encrypted: true}}, {Ebs: {KmsKeyId: k}}]}}":   "arn:aws:kms:eu-west-1:111122223333:key/k",
		"{Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {BlockDeviceMappings: [{DeviceName: a, Ebs: {KmsKeyId: k}}]}}}": "arn:aws:kms:eu-west-1:111122223333:key/k",
	} {
		res := read(t, "Resources:\n  V: "+volume, cloudformation.Options{Parameters: map[string]string{"AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1"}})
		if got := res.Inventory.VolumeKey.String(); got != want {
			t.Errorf("%s: got %q, want %q", volume, got, want)
		}
	}
}

// What is read with credentials of Lake Formation is said.
func TestLakeFormation(t *testing.T) {
	res := read(t, `
Resources:
  Lake: {Type: AWS::LakeFormation::Resource, Properties: {ResourceArn: "arn:aws:s3:::lake", UseServiceLinkedRole: true}}
`, cloudformation.Options{})
	equal(t, "remarks", summaries(res), []string{"Lake 0:0: Location registered with Lake Formation"})
	if d := res.Diagnostics[0]; d.Severity != source.Warning || !strings.Contains(d.Detail, "arn:aws:s3:::lake") {
		t.Errorf("got %+v", d)
	}
}

// A workgroup writes where it says; without a place each query says so itself.
func TestWorkgroups(t *testing.T) {
	res := read(t, `
Resources:
  Results: {Type: AWS::S3::Bucket}
  Free: {Type: AWS::Athena::WorkGroup, Properties: {Name: free}}
  Team:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: team
      WorkGroupConfiguration: {ResultConfiguration: {OutputLocation: !Sub "s3://${Results}/team/"}}
`, cloudformation.Options{Parameters: map[string]string{"AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1"}})
	var got []string
	for _, w := range res.Inventory.Workgroups {
		got = append(got, w.Address+" "+w.ARN.String()+" "+w.Results.String())
	}
	equal(t, "workgroups", got, []string{
		"Free arn:aws:athena:eu-west-1:111122223333:workgroup/free ",
		"Team arn:aws:athena:eu-west-1:111122223333:workgroup/team ${Results}/team/",
	})
}
