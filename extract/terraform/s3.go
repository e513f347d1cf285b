package terraform

import (
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

var buckets = []string{"aws_s3_bucket", "aws_s3_directory_bucket"}

// publicAccess sets S3 Block Public Access: what a bucket and its account say
// holds together, each setting as strict as the stricter of the two. Without a
// configuration a new bucket has every setting on (AWS page "Blocking public access
// to your Amazon S3 storage", the default since April 2023); what an older one has
// is not known.
func (b *builder) publicAccess() {
	for _, in := range b.byType["aws_s3_bucket_public_access_block"] {
		block := b.accessBlock(in)
		matches, t := b.targets(in, "bucket", want{attr: "id", types: buckets[:1]}, "id", "arn")
		for _, m := range matches {
			if r := b.resources[m.Of]; r != nil {
				r.PublicAccess = r.PublicAccess.Stricter(block, m.Sure)
			}
		}
		if name, ok := t.Literal(); ok && len(matches) == 0 {
			for full, r := range b.strangers {
				if r.Type == "s3/bucket" && full.HasSuffix(":::"+name) {
					r.PublicAccess = r.PublicAccess.Stricter(block, kleene.True)
				}
			}
		}
	}
	for _, in := range b.byType["aws_s3_bucket"] {
		if r := b.resources[in]; r != nil && r.PublicAccess == nil {
			def := kleene.Unknown
			switch {
			case in.before == nil:
				def = kleene.True
			case b.losesAccessBlock(in):
				def = kleene.False
			}
			r.PublicAccess = &extract.PublicAccess{BlockPublicACLs: def, IgnorePublicACLs: def, BlockPublicPolicy: def, RestrictPublicBuckets: def}
		}
	}
	for _, in := range b.byType["aws_s3_account_public_access_block"] {
		block := b.accessBlock(in)
		account := b.accountOf(in)
		if id, ok := in.str("account_id"); ok {
			account = symbol.Literal(id)
		}
		for _, r := range b.Resources {
			if r.Type == "s3/bucket" {
				r.PublicAccess = r.PublicAccess.Stricter(block, symbol.Equal(account, r.Account))
			}
		}
	}
}

// losesAccessBlock reports whether the change deletes the configuration of a bucket.
func (b *builder) losesAccessBlock(bucket *instance) bool {
	name, ok := bucket.str("bucket")
	return ok && slices.ContainsFunc(b.gone, func(in *instance) bool {
		return in.typ == "aws_s3_bucket_public_access_block" && in.values == nil && in.before["bucket"] == name
	})
}

// accessBlock reads the four settings of an instance. What is not set is false.
func (b *builder) accessBlock(in *instance) extract.PublicAccess {
	setting := func(attr string) kleene.Truth {
		if in.isUnknown(attr) && b.configured(in, attr) {
			return kleene.Unknown
		}
		return kleene.Of(in.flag(attr))
	}
	return extract.PublicAccess{
		BlockPublicACLs:       setting("block_public_acls"),
		IgnorePublicACLs:      setting("ignore_public_acls"),
		BlockPublicPolicy:     setting("block_public_policy"),
		RestrictPublicBuckets: setting("restrict_public_buckets"),
	}
}

// trails lists the CloudTrail trails.
func (b *builder) trails() {
	for _, in := range b.byType["aws_cloudtrail"] {
		t := &extract.Trail{
			Address:      in.address,
			ARN:          b.attr(in, "arn"),
			Prefix:       b.value(in, "s3_key_prefix"),
			Organization: in.flag("is_organization_trail"),
		}
		if out, exact := b.wire(in, "s3_bucket_name", want{attr: "id", types: buckets[:1]}); exact {
			t.Bucket = out.candidates[0].text
		} else {
			t.Bucket = unresolvedText(in, "s3_bucket_name")
			b.unresolved(in, "s3_bucket_name", out.missing)
		}
		out, exact := b.wire(in, "kms_key_id", want{attr: "arn", types: kmsKeys})
		switch {
		case exact:
			t.Key = out.candidates[0].text
		case in.isUnknown("kms_key_id") && b.configured(in, "kms_key_id"):
			t.Key = unresolvedText(in, "kms_key_id")
		}
		b.Trails = append(b.Trails, t)
	}
}
