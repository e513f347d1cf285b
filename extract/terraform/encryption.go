package terraform

import (
	"strings"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A keyRule says where a resource type names the KMS key that encrypts what a
// resource holds: a path of attributes and of blocks, of which there is one.
type keyRule struct {
	typ  string
	path []string
	// bucket is set for types that speak of the bucket they name.
	bucket bool
}

var keyRules = []keyRule{
	{typ: "aws_s3_bucket", path: []string{"server_side_encryption_configuration", "rule", "apply_server_side_encryption_by_default", "kms_master_key_id"}},
	{typ: "aws_s3_bucket_server_side_encryption_configuration", path: []string{"rule", "apply_server_side_encryption_by_default", "kms_master_key_id"}, bucket: true},
	{typ: "aws_dynamodb_table", path: []string{"server_side_encryption", "kms_key_arn"}},
	{typ: "aws_sqs_queue", path: []string{"kms_master_key_id"}},
	{typ: "aws_sns_topic", path: []string{"kms_master_key_id"}},
	{typ: "aws_secretsmanager_secret", path: []string{"kms_key_id"}},
	{typ: "aws_cloudwatch_log_group", path: []string{"kms_key_id"}},
	{typ: "aws_lambda_function", path: []string{"kms_key_arn"}},
	{typ: "aws_ssm_parameter", path: []string{"key_id"}},
	{typ: "aws_kinesis_stream", path: []string{"kms_key_id"}},
}

// encryption sets the keys and the tags of resources.
func (b *builder) encryption() {
	for in, r := range b.resources {
		r.Tags = b.tags(in)
	}
	for i := range keyRules {
		rule := &keyRules[i]
		for _, in := range b.byType[rule.typ] {
			key := b.encryptionKey(in, rule.path)
			if key.IsZero() {
				continue
			}
			if r := b.resources[in]; !rule.bucket && r != nil {
				r.Key = key
			}
			if rule.bucket {
				matches, _ := b.targets(in, "bucket", want{attr: "id", types: buckets[:1]}, "id", "arn")
				for _, m := range matches {
					if r := b.resources[m.Of]; r != nil {
						r.Key = key
					}
				}
			}
		}
	}
}

// encryptionKey is the ARN of the key at a path of a resource; empty if there is
// none, or one that AWS manages, which every principal of the account may use
// through the service.
func (b *builder) encryptionKey(in *instance, path []string) symbol.Text {
	attr := strings.Join(path, ".")
	if t := single(first(in.values, path)); !t.IsZero() {
		return b.keyARN(in, t, attr)
	}
	e, configured := nested(in, path)
	if !configured || !marked(first(in.unknown, path)) {
		return symbol.Text{}
	}
	out, exact := b.lateExpression(e, in, attr, want{attr: "arn", types: append([]string{"aws_kms_alias"}, kmsKeys...)})
	if !exact {
		return unresolvedText(in, attr)
	}
	switch c := out.candidates[0]; {
	case c.from == nil:
		return b.keyARN(in, c.text, attr)
	case c.from.typ == "aws_kms_alias":
		return b.keyOfAlias(c.from)
	default:
		return b.attr(c.from, "arn")
	}
}

// keyARN is the ARN of the key that an ARN, an id or an alias names.
func (b *builder) keyARN(in *instance, t symbol.Text, attr string) symbol.Text {
	s, known := t.Literal()
	_, alias, isAlias := strings.Cut(s, "alias/")
	switch {
	case !known, strings.HasPrefix(s, "arn:") && !isAlias:
		return t
	case strings.HasPrefix(alias, "aws/"):
		return symbol.Text{}
	case isAlias:
		for _, a := range b.byType["aws_kms_alias"] {
			if name, _ := a.str("name"); name == "alias/"+alias {
				return b.keyOfAlias(a)
			}
		}
		return unresolvedText(in, attr)
	}
	return b.expandName(in, "arn:{partition}:kms:{region}:{account}:key/{key_id}", &t)
}

func (b *builder) keyOfAlias(alias *instance) symbol.Text {
	out, exact := b.wire(alias, "target_key_id", wires["aws_kms_alias.target_key_id"])
	switch {
	case !exact:
		return unresolvedText(alias, "target_key_id")
	case out.candidates[0].from != nil:
		return b.attr(out.candidates[0].from, "arn")
	}
	id := out.candidates[0].text
	for _, m := range b.reached(alias, b.index(kmsKeys, "key_id", "arn").Find(id)) {
		return b.attr(m.Of, "arn")
	}
	return b.keyARN(alias, id, "target_key_id")
}

// first walks down a tree of values along names, into the first item of each list.
func first(v any, path []string) any {
	for _, name := range path {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		v = at(v, name)
	}
	return v
}

// nested is the expression at a path of blocks.
func nested(in *instance, path []string) (expression, bool) {
	if in.config == nil {
		return expression{}, false
	}
	e, ok := in.config.expressions[path[0]]
	for _, name := range path[1:] {
		if !ok || len(e.blocks) == 0 {
			return expression{}, false
		}
		e, ok = e.blocks[0][name]
	}
	return e, ok
}

// volumeKeys are where a key for volumes is named, the account's default first.
var volumeKeys = []keyRule{
	{typ: "aws_ebs_default_kms_key", path: []string{"key_arn"}},
	{typ: "aws_ebs_volume", path: []string{"kms_key_id"}},
	{typ: "aws_instance", path: []string{"root_block_device", "kms_key_id"}},
	{typ: "aws_instance", path: []string{"ebs_block_device", "kms_key_id"}},
	{typ: "aws_launch_template", path: []string{"block_device_mappings", "ebs", "kms_key_id"}},
}

// volumeKey finds the key of new volumes: the account's default, else the first that
// a volume, an instance or a launch template names.
func (b *builder) volumeKey() {
	for i := range volumeKeys {
		rule := &volumeKeys[i]
		for _, in := range b.byType[rule.typ] {
			if b.VolumeKey = b.encryptionKey(in, rule.path); !b.VolumeKey.IsZero() {
				return
			}
		}
	}
}

// workgroups lists the Athena workgroups with the place they write results to.
func (b *builder) workgroups() {
	for _, in := range b.byType["aws_athena_workgroup"] {
		path := []string{"configuration", "result_configuration", "output_location"}
		w := &extract.Workgroup{Address: in.address, ARN: b.attr(in, "arn")}
		if s, ok := first(in.values, path).(string); ok {
			w.Results = symbol.Literal(strings.TrimPrefix(s, "s3://"))
		}
		b.Workgroups = append(b.Workgroups, w)
		if on, _ := first(in.values, []string{"configuration", "identity_center_configuration", "enable_identity_center"}).(bool); on {
			b.IdentityCenter(source.Origin{Address: in.address})
		}
	}
}

// lakeFormation remarks on the places that Lake Formation reads with a role of its own.
func (b *builder) lakeFormation() {
	for _, in := range b.byType["aws_lakeformation_resource"] {
		location, ok := in.str("arn")
		if !ok {
			location = in.address + ".arn"
		}
		b.LakeFormation(source.Origin{Address: in.address, Attribute: "arn"}, symbol.Literal(location))
	}
}
