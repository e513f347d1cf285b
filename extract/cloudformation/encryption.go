package cloudformation

import (
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// keyPaths say where a type names the KMS key that encrypts what a resource holds.
// (The pages of the resource types in the CloudFormation User Guide.)
var keyPaths = map[string]string{
	"AWS::S3::Bucket":             "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.KMSMasterKeyID",
	"AWS::DynamoDB::Table":        "SSESpecification.KMSMasterKeyId",
	"AWS::DynamoDB::GlobalTable":  "Replicas[].SSESpecification.KMSMasterKeyId",
	"AWS::SQS::Queue":             "KmsMasterKeyId",
	"AWS::SNS::Topic":             "KmsMasterKeyId",
	"AWS::SecretsManager::Secret": "KmsKeyId",
	"AWS::Logs::LogGroup":         "KmsKeyId",
	"AWS::Lambda::Function":       "KmsKeyArn",
	"AWS::Kinesis::Stream":        "StreamEncryption.KeyId",
	"AWS::CloudTrail::Trail":      "KMSKeyId",
}

const aliasType = "AWS::KMS::Alias"

var keyTypes = []string{"AWS::KMS::Key", "AWS::KMS::ReplicaKey"}

// key is the ARN of the key that encrypts a resource: empty if there is none, or one
// that AWS manages, which every principal of the account may use through the service.
// Of a key that only some worlds have nothing is known.
func (r *resource) key() symbol.Text {
	path := keyPaths[r.typ]
	if path == "" {
		return symbol.Text{}
	}
	choices := r.choices(path)
	switch {
	case len(choices) == 0 || choices[0].whole:
		return symbol.Text{}
	case len(choices) > 1 || choices[0].sure != kleene.True:
		return named(r.address + "." + strings.ReplaceAll(path, "[]", ""))
	}
	return r.keyARN(choices[0].text)
}

// keyARN is the ARN of the key that an ARN, an id or an alias names.
func (r *resource) keyARN(t symbol.Text) symbol.Text {
	if key := certain(r.index(keyTypes...).Find(t)); key != nil {
		out, _ := key.attr("Arn")
		return out
	}
	if alias := certain(r.index(aliasType).Find(t)); alias != nil {
		return alias.keyARN(alias.text("TargetKeyId"))
	}
	s, known := t.Literal()
	_, name, isAlias := strings.Cut(s, "alias/")
	switch {
	case strings.HasPrefix(name, "aws/"):
		return symbol.Text{}
	case isAlias && known:
		return named(r.address + ", " + s) // what an alias stands for the template does not say
	case !known:
		return t
	}
	return r.fullName(t, keyTypes[0])
}

// certain is the one that a name means for sure; nil if there is none.
func certain(matches []match) *resource {
	for _, m := range matches {
		if m.Sure == kleene.True {
			return m.Of
		}
	}
	return nil
}

// volumeKeys are where a key for volumes is named.
var volumeKeys = []struct{ typ, path string }{
	{"AWS::EC2::Volume", "KmsKeyId"},
	{"AWS::EC2::Instance", "BlockDeviceMappings[].Ebs.KmsKeyId"},
	{"AWS::EC2::LaunchTemplate", "LaunchTemplateData.BlockDeviceMappings[].Ebs.KmsKeyId"},
}

// volumeKey finds the key of new volumes: the first that a resource names for sure.
func (rd *reader) volumeKey() {
	for _, rule := range volumeKeys {
		for _, r := range rd.byType[rule.typ] {
			for _, c := range r.choices(rule.path) {
				if c.sure == kleene.True && !c.whole && rd.VolumeKey.IsZero() {
					rd.VolumeKey = r.keyARN(c.text)
				}
			}
		}
	}
}

// workgroups lists the Athena workgroups with the place they write results to.
func (rd *reader) workgroups() {
	for _, r := range rd.byType["AWS::Athena::WorkGroup"] {
		w := &extract.Workgroup{Address: r.address}
		w.ARN, _ = r.attr("Arn")
		const scheme = "s3://"
		if t := r.text("WorkGroupConfiguration.ResultConfiguration.OutputLocation"); t.HasPrefix(symbol.Literal(scheme)) {
			w.Results = t.Slice(len(scheme), t.Len())
		}
		rd.Workgroups = append(rd.Workgroups, w)
	}
}

// lakeFormation remarks on the places that Lake Formation reads with a role of its own.
func (rd *reader) lakeFormation() {
	for _, r := range rd.byType["AWS::LakeFormation::Resource"] {
		rd.LakeFormation(r.place("ResourceArn"), r.text("ResourceArn"))
	}
}
