package terraform

import (
	"testing"

	"github.com/tfguard/tfguard/engine/source"
)

// The key that encrypts a resource, however the resource names it.
func TestEncryption(t *testing.T) {
	const key, other = "arn:aws:kms:us-east-1:111122223333:key/k", "arn:aws:kms:us-east-1:111122223333:key/other"
	sse := func(key any) arr {
		return arr{obj{"apply_server_side_encryption_by_default": arr{obj{"sse_algorithm": "aws:kms", "kms_master_key_id": key}}}}
	}
	late := func(key obj) obj {
		return obj{"rule": arr{obj{"apply_server_side_encryption_by_default": arr{obj{"kms_master_key_id": key}}}}}
	}
	p := newTestPlan()
	p.noop("aws_kms_key.known", obj{"arn": key, "key_id": "k", "id": "k"})
	p.noop("aws_kms_alias.known", obj{"name": "alias/app", "target_key_id": "k"})
	p.create("aws_kms_key.new", obj{}, "arn", "key_id", "id")
	p.create("aws_kms_alias.new", obj{"name": "alias/new"}, "arn", "target_key_id", "target_key_arn")
	block(p.root, "aws_kms_key.new", obj{})
	block(p.root, "aws_kms_alias.new", obj{"name": constant("alias/new"), "target_key_id": refs("aws_kms_key.new.key_id")})

	for name, id := range map[string]string{"arn": other, "id": "k", "alias": "alias/app", "aliasarn": "arn:aws:kms:us-east-1:111122223333:alias/app", "managed": "alias/aws/sqs", "none": ""} {
		p.noop("aws_sqs_queue."+name, obj{"name": name, "arn": "arn:aws:sqs:us-east-1:111122223333:" + name, "kms_master_key_id": id})
	}
	p.noop("aws_dynamodb_table.t", obj{"name": "t", "arn": "arn:aws:dynamodb:us-east-1:111122223333:table/t", "server_side_encryption": arr{obj{"enabled": true, "kms_key_arn": key}}})
	p.create("aws_s3_bucket.late", obj{"bucket": "late"}, "arn", "id")
	p.create("aws_s3_bucket.through", obj{"bucket": "through"}, "arn", "id")
	p.noop("aws_s3_bucket.old", obj{"bucket": "old", "arn": "arn:aws:s3:::old", "id": "old", "server_side_encryption_configuration": arr{obj{"rule": sse(key)}}})
	for _, name := range []string{"late", "through"} {
		p.create("aws_s3_bucket_server_side_encryption_configuration."+name, obj{"bucket": name, "rule": sse(nil)}, "rule")
	}
	block(p.root, "aws_s3_bucket.late", obj{})
	block(p.root, "aws_s3_bucket_server_side_encryption_configuration.late", late(refs("aws_kms_key.new.arn")))
	block(p.root, "aws_s3_bucket_server_side_encryption_configuration.through", late(refs("aws_kms_alias.new.arn")))
	p.create("aws_sns_topic.lost", obj{"name": "lost"}, "arn", "kms_master_key_id")
	block(p.root, "aws_sns_topic.lost", obj{"kms_master_key_id": refs("random_pet.x.id")})

	res := p.read(t)
	for address, want := range map[string]string{
		"aws_sqs_queue.arn": other, "aws_sqs_queue.id": "arn:aws:kms:us-east-1:111122223333:key/k",
		"aws_sqs_queue.alias": key, "aws_sqs_queue.aliasarn": key, "aws_sqs_queue.managed": "", "aws_sqs_queue.none": "",
		"aws_dynamodb_table.t": key, "aws_s3_bucket.old": key,
		"aws_s3_bucket.late":    "arn:aws:kms:us-east-1:111122223333:key/${aws_kms_key.new.key_id}",
		"aws_s3_bucket.through": "arn:aws:kms:us-east-1:111122223333:key/${aws_kms_key.new.key_id}",
		"aws_sns_topic.lost":    "${aws_sns_topic.lost.kms_master_key_id}",
	} {
		check(t, address, resource(t, res, address).Key.String(), want)
	}
}

// The default key of the account goes before those that volumes and instances name.
func TestVolumeKey(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111122223333:key/"
	p := newTestPlan()
	check(t, "none", p.read(t).Inventory.VolumeKey.String(), "")
	p.noop("aws_iam_role.r", obj{"name": "r", "arn": "arn:aws:iam::111122223333:role/r"})
	p.noop("aws_instance.i", obj{"root_block_device": arr{obj{"kms_key_id": "i"}}})
	check(t, "an instance's", p.read(t).Inventory.VolumeKey.String(), key+"i")
	p.noop("aws_ebs_volume.v", obj{"kms_key_id": key + "v"})
	check(t, "a volume's", p.read(t).Inventory.VolumeKey.String(), key+"v")
	p.noop("aws_ebs_default_kms_key.d", obj{"key_arn": key + "d"})
	check(t, "the default", p.read(t).Inventory.VolumeKey.String(), key+"d")
}

func TestWorkgroups(t *testing.T) {
	p := newTestPlan()
	p.noop("aws_athena_workgroup.w", obj{"name": "w", "arn": "arn:aws:athena:us-east-1:111122223333:workgroup/w",
		"configuration": arr{obj{"result_configuration": arr{obj{"output_location": "s3://results/w/"}}}}})
	p.noop("aws_athena_workgroup.tip", obj{"name": "tip", "configuration": arr{obj{"identity_center_configuration": arr{obj{"enable_identity_center": true}}}}})
	p.noop("aws_lakeformation_resource.lake", obj{"arn": "arn:aws:s3:::lake"})
	p.noop("aws_athena_workgroup.free", obj{"name": "free", "arn": "arn:aws:athena:us-east-1:111122223333:workgroup/free"})
	res := p.read(t)
	check(t, "free", res.Inventory.Workgroups[0].Results.String(), "")
	check(t, "w", res.Inventory.Workgroups[2].Results.String(), "results/w/")
	remarks := map[string]string{}
	for _, d := range res.Diagnostics {
		if d.Severity == source.Warning {
			remarks[d.Origin.Address] = d.Summary
		}
	}
	check(t, "who reads the lake", remarks["aws_lakeformation_resource.lake"], "Location registered with Lake Formation")
	check(t, "tip", remarks["aws_athena_workgroup.tip"], "Workgroup with trusted identity propagation")
	if len(remarks) != 2 {
		t.Errorf("got the remarks %v", remarks)
	}
}
