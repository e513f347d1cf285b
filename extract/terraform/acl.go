package terraform

import (
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// An aclGrant is one grant of an access control list.
type aclGrant struct {
	kind       policy.PrincipalType // Everyone for the predefined groups that are public
	grantee    symbol.Text
	signed     bool // any AWS account, but not anonymous callers
	permission string
}

func (g *aclGrant) public() bool { return g.kind == policy.Everyone }

// The groups that S3 predefines.
const (
	allUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	logDelivery        = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

// cannedACLs are what the predefined lists of buckets grant beyond the owner (AWS page
// "Access control list (ACL) overview"). Those not named grant nothing on a bucket.
var cannedACLs = map[string][]aclGrant{
	"public-read":        {groupGrant(allUsers, "READ")},
	"public-read-write":  {groupGrant(allUsers, "READ"), groupGrant(allUsers, "WRITE")},
	"authenticated-read": {groupGrant(authenticatedUsers, "READ")},
	"log-delivery-write": {groupGrant(logDelivery, "WRITE"), groupGrant(logDelivery, "READ_ACP")},
}

// groupGrant is a grant to a predefined group. For the log delivery group its service
// principal stands.
func groupGrant(uri, permission string) aclGrant {
	g := aclGrant{kind: policy.Everyone, grantee: symbol.Literal("*"), permission: permission}
	switch uri {
	case authenticatedUsers:
		g.signed = true
	case logDelivery:
		g.kind, g.grantee = policy.Service, symbol.Literal("logging.s3.amazonaws.com")
	}
	return g
}

// An aclPermission is what a permission of a bucket's access control list lets do (AWS
// page "Access control list (ACL) overview", the mapping of ACL and access policy
// permissions).
type aclPermission struct{ bucket, objects []string }

var aclPermissions = map[string]aclPermission{
	"READ":      {bucket: []string{"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}},
	"WRITE":     {objects: []string{"s3:PutObject"}},
	"READ_ACP":  {bucket: []string{"s3:GetBucketAcl"}},
	"WRITE_ACP": {bucket: []string{"s3:PutBucketAcl"}},
	"FULL_CONTROL": {
		bucket:  []string{"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketAcl", "s3:PutBucketAcl"},
		objects: []string{"s3:PutObject"},
	},
}

// accessControlLists turns the access control lists of buckets into documents that
// grant beside the bucket policy. They count where the bucket's owner does not own all
// objects anyhow, those to the public unless S3 Block Public Access ignores them.
func (b *builder) accessControlLists() {
	for _, in := range b.byType["aws_s3_bucket_acl"] {
		matches, t := b.targets(in, "bucket", want{attr: "id", types: buckets[:1]}, "id", "arn")
		for _, m := range matches {
			b.accessControlList(in, m)
		}
		if len(matches) == 0 && !t.IsZero() {
			on := b.expandName(in, arnRules["aws_s3_bucket"].arn, &t)
			r := b.stranger(in, "s3/bucket", on)
			b.attachACL(in, r, kleene.Unknown, match{Sure: kleene.True}, on.String())
		}
	}
	for _, in := range b.byType["aws_s3_bucket"] {
		if _, set := in.str("acl"); set {
			b.accessControlList(in, match{Of: in, Sure: kleene.True})
		}
	}
}

// accessControlList attaches the list that an instance writes to a bucket of the input.
func (b *builder) accessControlList(in *instance, m match) {
	if r := b.resources[m.Of]; r != nil {
		b.attachACL(in, r, b.enforcesOwner(m.Of), m, m.Of.address)
	}
}

// attachACL attaches a list to a bucket. enforced says whether the bucket's owner owns
// all objects, which switches lists off.
func (b *builder) attachACL(in *instance, r *extract.Resource, enforced kleene.Truth, m match, where string) {
	ignored := kleene.Unknown
	if r.PublicAccess != nil {
		ignored = r.PublicAccess.IgnorePublicACLs
	}
	var grants []*extract.Grant
	for _, g := range b.aclGrants(in) {
		switch {
		case enforced == kleene.True, g.public() && ignored == kleene.True:
			continue
		case enforced == kleene.Unknown:
			grants = append(grants, g.grants(r.ARN, symbol.Symbol{Name: where + ".object_ownership"}.Text())...)
		case g.public() && ignored == kleene.Unknown:
			grants = append(grants, g.grants(r.ARN, symbol.Symbol{Name: where + ".ignore_public_acls"}.Text())...)
		default:
			grants = append(grants, g.grants(r.ARN, symbol.Text{})...)
		}
	}
	if len(grants) == 0 {
		return
	}
	doc := b.grantDocument(in, grants...)
	doc.Grant = true
	if in.typ == "aws_s3_bucket" {
		doc.ID += ".acl"
	}
	if m.Sure != kleene.True {
		doc.ID += " on " + where // a list for each bucket that it may concern
	}
	r.Policies = extract.Attach(r.Policies, doc, m.Sure, m.Why)
	b.AttachTo(doc, where)
}

// grants are the statements for a grant on a bucket. late is the symbol of what decides
// whether it counts, empty if it does.
func (g *aclGrant) grants(bucket, late symbol.Text) []*extract.Grant {
	var out []*extract.Grant
	add := func(actions []string, on symbol.Text) {
		if len(actions) == 0 {
			return
		}
		st := &extract.Grant{Principal: g.grantee, Resource: on, Late: late}
		if !g.public() {
			st.PrincipalType = g.kind
		}
		for _, a := range actions {
			st.Actions = append(st.Actions, symbol.Literal(a))
		}
		if g.signed {
			st.When("Null", "aws:PrincipalArn", symbol.Literal("false"))
		}
		out = append(out, st)
	}
	p := aclPermissions[g.permission]
	add(p.bucket, bucket)
	add(p.objects, symbol.Concat(bucket, symbol.Literal("/*")))
	return out
}

// aclGrants reads what the list of an instance grants beyond the bucket's owner. What
// is known only after apply may be anything.
func (b *builder) aclGrants(in *instance) []aclGrant {
	const long = "access_control_policy"
	if name, ok := in.str("acl"); ok {
		return cannedACLs[name]
	}
	for _, attr := range []string{"acl", long} {
		if in.isUnknown(attr) && b.configured(in, attr) {
			return []aclGrant{{grantee: unresolvedText(in, attr), permission: "FULL_CONTROL"}}
		}
	}
	var out []aclGrant
	blocks, _ := in.values[long].([]any)
	for _, block := range blocks {
		grants, _ := at(block, "grant").([]any)
		for _, grant := range grants {
			permission, _ := at(grant, "permission").(string)
			uri, _ := first(grant, []string{"grantee", "uri"}).(string)
			id, _ := first(grant, []string{"grantee", "id"}).(string)
			email, _ := first(grant, []string{"grantee", "email_address"}).(string)
			switch {
			case uri != "":
				out = append(out, groupGrant(uri, permission))
			case id != "" && id == first(block, []string{"owner", "id"}):
			default:
				out = append(out, aclGrant{kind: policy.CanonicalUser, grantee: symbol.Literal(id + email), permission: permission})
			}
		}
	}
	return out
}

// enforcesOwner reports whether the owner of a bucket owns all its objects, so that
// access control lists do not count: the default of new buckets (AWS page "Controlling
// ownership of objects and disabling ACLs for your bucket", since April 2023). How an
// older one is set without saying so is not known.
func (b *builder) enforcesOwner(bucket *instance) kleene.Truth {
	out := kleene.Unknown
	if bucket.before == nil {
		out = kleene.True
	}
	for _, in := range b.byType["aws_s3_bucket_ownership_controls"] {
		matches, _ := b.targets(in, "bucket", want{attr: "id", types: buckets[:1]}, "id", "arn")
		for _, m := range matches {
			if m.Of != bucket {
				continue
			}
			says := kleene.Unknown
			if mode, ok := first(in.values, []string{"rule", "object_ownership"}).(string); ok {
				says = kleene.Of(mode == "BucketOwnerEnforced")
			}
			if m.Sure == kleene.True {
				return says
			}
			out = kleene.Join(out, says)
		}
	}
	return out
}
