package terraform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

func TestBucketPolicies(t *testing.T) {
	p := newTestPlan()
	p.create("aws_s3_bucket.known", obj{"bucket": "known"}, "arn", "id", "policy")
	p.create("aws_s3_bucket.late", obj{}, "bucket", "arn", "id", "policy")
	p.create("aws_s3_bucket.block", obj{"bucket": "block"}, "id", "policy")
	p.create("aws_s3_bucket_policy.known", obj{"bucket": "known", "policy": denyAll})
	p.create("aws_s3_bucket_policy.late", obj{"policy": denyAll}, "bucket")
	p.create("aws_s3_bucket_policy.block", obj{"policy": denyAll}, "bucket")
	p.create("aws_s3_bucket_policy.outside", obj{"bucket": "outside", "policy": denyAll})
	block(p.root, "aws_s3_bucket.known", obj{})
	block(p.root, "aws_s3_bucket.late", obj{})
	block(p.root, "aws_s3_bucket.block", obj{})
	block(p.root, "aws_s3_bucket_policy.late", obj{"bucket": refs("aws_s3_bucket.late.id"), "policy": obj{}})
	// The target is what another resource of the same bucket is called after.
	block(p.root, "aws_s3_bucket_public_access_block.block", obj{"bucket": refs("aws_s3_bucket.block.id")})
	block(p.root, "aws_s3_bucket_policy.block", obj{"bucket": refs("aws_s3_bucket_public_access_block.block.id"), "policy": obj{}})
	res := p.read(t)
	for _, name := range []string{"known", "late", "block"} {
		r := resource(t, res, "aws_s3_bucket."+name)
		check(t, name, attachments(r.Policies), "aws_s3_bucket_policy."+name+".policy")
		check(t, "type", r.Type, "s3/bucket")
	}
	outside := resource(t, res, "")
	check(t, "outside", outside.ARN.String()+" "+attachments(outside.Policies), "arn:aws:s3:::outside aws_s3_bucket_policy.outside.policy")
	check(t, "attached to", fmt.Sprint(entry(t, res, "aws_s3_bucket_policy.outside.policy").AttachedTo), "[arn:aws:s3:::outside]")
	check(t, "diagnostics", warnings(res), "")
}

func TestUnresolvedTargetConcernsAll(t *testing.T) {
	p := newTestPlan()
	p.create("aws_s3_bucket.a", obj{"bucket": "a"}, "id")
	p.create("aws_s3_bucket.b", obj{"bucket": "b"}, "id")
	p.create("aws_s3_bucket_policy.x", obj{"policy": denyAll}, "bucket")
	block(p.root, "aws_s3_bucket_policy.x", obj{"bucket": refs("random_pet.x.id"), "policy": obj{}})
	res := p.read(t)
	for _, name := range []string{"a", "b"} {
		check(t, name, attachments(resource(t, res, "aws_s3_bucket."+name).Policies), "aws_s3_bucket_policy.x.policy?")
	}
	check(t, "diagnostics", warnings(res), "Attachment not resolved")
	if d := res.Diagnostics[0]; d.Severity != source.Warning || !strings.Contains(d.Detail, "random_pet.x.id") {
		t.Errorf("got %v", d)
	}
}

// What a bucket shows of its own policy is the echo of the resource that sets it.
func TestDedicatedPolicyWins(t *testing.T) {
	own := func(name string) obj { return obj{"bucket": name, "id": name, "policy": denyAll} }
	p := newTestPlan()
	p.noop("aws_s3_bucket.both", own("both"))
	p.noop("aws_s3_bucket_policy.both", obj{"bucket": "both", "policy": denyAll})
	p.noop("aws_s3_bucket.deleted", own("deleted"))
	p.change("aws_s3_bucket_policy.deleted", arr{"delete"}, obj{"bucket": "deleted", "policy": denyAll}, nil, obj{})
	p.noop("aws_s3_bucket.alone", own("alone"))
	for _, name := range []string{"both", "deleted", "alone"} {
		block(p.root, "aws_s3_bucket."+name, obj{"bucket": obj{}})
	}
	block(p.root, "aws_s3_bucket_policy.both", obj{"bucket": obj{}, "policy": obj{}})
	res := p.read(t)
	check(t, "both", attachments(resource(t, res, "aws_s3_bucket.both").Policies), "aws_s3_bucket_policy.both.policy")
	check(t, "deleted", attachments(resource(t, res, "aws_s3_bucket.deleted").Policies), "")
	check(t, "alone", attachments(resource(t, res, "aws_s3_bucket.alone").Policies), "aws_s3_bucket.alone.policy")
	if got := len(res.Inventory.Policies); got != 2 {
		t.Errorf("got %d policies, want 2", got)
	}
}

func TestPublicAccess(t *testing.T) {
	p := newTestPlan()
	p.create("aws_s3_bucket.a", obj{"bucket": "a"}, "id")
	p.create("aws_s3_bucket.b", obj{"bucket": "b"})
	p.create("aws_s3_bucket_public_access_block.a", obj{"block_public_acls": true, "block_public_policy": false}, "bucket", "ignore_public_acls")
	block(p.root, "aws_s3_bucket_public_access_block.a", obj{"bucket": refs("aws_s3_bucket.a.id"), "ignore_public_acls": refs("local.x")})
	res := p.read(t)
	check(t, "b, new and with the default of S3", fmt.Sprint(*resource(t, res, "aws_s3_bucket.b").PublicAccess), "{true true true true}")
	got := resource(t, res, "aws_s3_bucket.a").PublicAccess
	check(t, "a", fmt.Sprint(*got), "{true unknown false false}")

	p.create("aws_s3_account_public_access_block.all", obj{"block_public_acls": false, "restrict_public_buckets": true})
	res = p.read(t)
	check(t, "a", fmt.Sprint(*resource(t, res, "aws_s3_bucket.a").PublicAccess), "{true unknown false true}")

	p = newTestPlan()
	p.noop("aws_s3_bucket.old", obj{"bucket": "old", "id": "old"})
	res = p.read(t)
	check(t, "an older bucket", fmt.Sprint(*resource(t, res, "aws_s3_bucket.old").PublicAccess), "{unknown unknown unknown unknown}")

	p.change("aws_s3_bucket_public_access_block.old", arr{"delete"}, obj{"bucket": "old", "restrict_public_buckets": true}, nil, obj{})
	res = p.read(t)
	check(t, "an older bucket that loses its block", fmt.Sprint(*resource(t, res, "aws_s3_bucket.old").PublicAccess), "{false false false false}")

	p.create("aws_s3_account_public_access_block.other", obj{"account_id": "999988887777", "restrict_public_buckets": true})
	p.create("aws_iam_role.r", obj{"name": "r", "arn": "arn:aws:iam::111122223333:role/r"})
	res = p.read(t)
	check(t, "the block of another account", fmt.Sprint(*resource(t, res, "aws_s3_bucket.old").PublicAccess), "{false false false false}")
}

func TestAccessControlLists(t *testing.T) {
	public := obj{"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}
	open := obj{"block_public_acls": false, "ignore_public_acls": false, "block_public_policy": false, "restrict_public_buckets": false}
	const read = "* s3:ListBucket,s3:ListBucketVersions,s3:ListBucketMultipartUploads arn:aws:s3:::b"
	for _, c := range []struct {
		name      string
		acl       obj
		ownership string
		block     obj
		old       bool
		want      string
	}{
		{name: "public", acl: obj{"acl": "public-read"}, ownership: "ObjectWriter", block: open, want: read},
		{name: "the default: the owner owns all objects", acl: obj{"acl": "public-read"}, block: open},
		{name: "set so", acl: obj{"acl": "public-read"}, ownership: "BucketOwnerEnforced", block: open, old: true},
		{name: "ignored by the default of S3 Block Public Access", acl: obj{"acl": "public-read"}, ownership: "BucketOwnerPreferred"},
		{name: "ignored", acl: obj{"acl": "public-read-write"}, ownership: "ObjectWriter", block: obj{"ignore_public_acls": true}},
		{name: "not known whether it counts", acl: obj{"acl": "public-read"}, block: open, old: true, want: read + " if ${aws_s3_bucket.b.object_ownership}"},
		{name: "not known whether it is ignored", acl: obj{"acl": "public-read"}, ownership: "ObjectWriter", old: true, want: read + " if ${aws_s3_bucket.b.ignore_public_acls}"},
		{name: "write", acl: obj{"acl": "public-read-write"}, ownership: "ObjectWriter", block: open, want: read + "; * s3:PutObject arn:aws:s3:::b/*"},
		{name: "any account", acl: obj{"acl": "authenticated-read"}, ownership: "ObjectWriter", block: open, want: read + " Null aws:PrincipalArn"},
		{name: "logs are no public", acl: obj{"acl": "log-delivery-write"}, ownership: "ObjectWriter", want: "logging.s3.amazonaws.com s3:PutObject arn:aws:s3:::b/*; logging.s3.amazonaws.com s3:GetBucketAcl arn:aws:s3:::b"},
		{name: "private", acl: obj{"acl": "private"}, ownership: "ObjectWriter", block: open},
		{
			name: "grants", ownership: "ObjectWriter", block: open,
			acl: obj{"access_control_policy": arr{obj{"owner": arr{obj{"id": "abc"}}, "grant": arr{
				obj{"permission": "FULL_CONTROL", "grantee": arr{obj{"type": "CanonicalUser", "id": "abc"}}},
				obj{"permission": "READ_ACP", "grantee": arr{obj{"type": "CanonicalUser", "id": "def"}}},
				obj{"permission": "WRITE_ACP", "grantee": arr{public}},
			}}}},
			want: "def s3:GetBucketAcl arn:aws:s3:::b; * s3:PutBucketAcl arn:aws:s3:::b",
		},
	} {
		p := newTestPlan()
		if c.old {
			p.noop("aws_s3_bucket.b", obj{"bucket": "b", "id": "b", "arn": "arn:aws:s3:::b"})
		} else {
			p.create("aws_s3_bucket.b", obj{"bucket": "b"})
		}
		c.acl["bucket"] = "b"
		p.create("aws_s3_bucket_acl.b", c.acl)
		if c.ownership != "" {
			p.create("aws_s3_bucket_ownership_controls.b", obj{"bucket": "b", "rule": arr{obj{"object_ownership": c.ownership}}})
		}
		if c.block != nil {
			c.block["bucket"] = "b"
			p.create("aws_s3_bucket_public_access_block.b", c.block)
		}
		var got []string
		for _, doc := range resource(t, p.read(t), "aws_s3_bucket.b").Policies {
			if !doc.Grant {
				t.Errorf("%s: an access control list is no policy of the bucket", c.name)
			}
			for _, s := range doc.Statements {
				var actions []string
				for _, a := range s.Actions.Entries {
					actions = append(actions, a.Text.String())
				}
				var words strings.Builder
				fmt.Fprint(&words, s.Principals.Entries[0].Text, " ", strings.Join(actions, ","), " ", s.Resources.Entries[0].Text())
				for _, c := range s.Conditions {
					fmt.Fprint(&words, " ", c.Operator, " ", c.Key)
				}
				for _, u := range s.Unknown {
					words.WriteString(" if " + u)
				}
				got = append(got, words.String())
			}
		}
		check(t, c.name, strings.Join(got, "; "), c.want)
	}
}

// An old way to write the list, and one for which several buckets come into question.
func TestAccessControlListsElsewhere(t *testing.T) {
	off := obj{"ignore_public_acls": false}
	p := newTestPlan()
	for _, name := range []string{"a", "b"} {
		p.create("aws_s3_bucket."+name, obj{"bucket": name})
		p.create("aws_s3_bucket_ownership_controls."+name, obj{"bucket": name, "rule": arr{obj{"object_ownership": "ObjectWriter"}}})
		p.create("aws_s3_bucket_public_access_block."+name, obj{"bucket": name, "ignore_public_acls": false})
	}
	p.create("aws_s3_bucket.old", obj{"bucket": "old", "acl": "public-read"})
	p.create("aws_s3_bucket_ownership_controls.old", obj{"bucket": "old", "rule": arr{obj{"object_ownership": "ObjectWriter"}}})
	off["bucket"] = "old"
	p.create("aws_s3_bucket_public_access_block.old", off)
	p.create("aws_s3_bucket_acl.some", obj{"acl": "public-read"}, "bucket")
	block(p.root, "aws_s3_bucket_acl.some", obj{"bucket": refs("local.x")})
	p.create("aws_s3_bucket_acl.elsewhere", obj{"acl": "public-read", "bucket": "elsewhere"})
	res := p.read(t)
	check(t, "a", attachments(resource(t, res, "aws_s3_bucket.a").Policies), "aws_s3_bucket_acl.some on aws_s3_bucket.a?")
	check(t, "b", attachments(resource(t, res, "aws_s3_bucket.b").Policies), "aws_s3_bucket_acl.some on aws_s3_bucket.b?")
	check(t, "old", attachments(resource(t, res, "aws_s3_bucket.old").Policies), "aws_s3_bucket_acl.some on aws_s3_bucket.old? aws_s3_bucket.old.acl")
	check(t, "elsewhere", attachments(resource(t, res, "").Policies), "aws_s3_bucket_acl.elsewhere")
}

func TestMalformedPolicyStays(t *testing.T) {
	p := newTestPlan()
	p.create("aws_sqs_queue.q", obj{"name": "q", "policy": "{not json"}, "arn")
	rc := p.create("aws_sqs_queue.s", obj{"name": "s", "policy": denyAll}, "arn")
	rc["change"].(obj)["after_sensitive"] = obj{"policy": true}
	block(p.root, "aws_sqs_queue.q", obj{"policy": obj{}})
	block(p.root, "aws_sqs_queue.s", obj{"policy": obj{}})
	res := p.read(t)
	if doc := entry(t, res, "aws_sqs_queue.q.policy"); doc.Unread == "" || doc.Sensitive {
		t.Errorf("got %+v", doc)
	}
	if doc := entry(t, res, "aws_sqs_queue.s.policy"); doc.Unread != "" || !doc.Sensitive {
		t.Errorf("got %+v", doc)
	}
	check(t, "diagnostics", warnings(res), "Policy is not JSON")
	if res.Diagnostics.HasErrors() {
		t.Error("a malformed policy is a warning: the plan was read")
	}
}

func TestLambdaPermission(t *testing.T) {
	p := newTestPlan()
	p.create("aws_lambda_function.f", obj{"function_name": "f"}, "arn", "id")
	p.create("aws_s3_bucket.b", obj{"bucket": "b"}, "arn")
	p.create("aws_lambda_permission.p", obj{
		"statement_id": "AllowBucket", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com",
		"source_account": "111122223333", "principal_org_id": "o-abc",
	}, "function_name", "source_arn")
	block(p.root, "aws_lambda_permission.p", obj{"function_name": refs("aws_lambda_function.f.function_name"), "source_arn": refs("aws_s3_bucket.b.arn")})
	res := p.read(t)
	doc := entry(t, res, "aws_lambda_permission.p")
	check(t, "attached", attachments(resource(t, res, "aws_lambda_function.f").Policies), "aws_lambda_permission.p")
	if doc.Unread != "" || len(doc.Statements) != 1 {
		t.Fatalf("got %+v", doc.Document)
	}
	s := doc.Statements[0]
	check(t, "Sid", s.Sid, "AllowBucket")
	check(t, "principal", fmt.Sprint(s.Principals.Entries[0].Type, " ", s.Principals.Entries[0].Text), "Service s3.amazonaws.com")
	check(t, "resource", s.Resources.Entries[0].Text().String(), "arn:aws:lambda:us-east-1:${account}:function:f")
	var got []string
	for _, c := range s.Conditions {
		got = append(got, fmt.Sprint(c.Operator, " ", c.Key))
	}
	check(t, "conditions", strings.Join(got, ", "), "ArnLike aws:SourceArn, StringEquals aws:SourceAccount, StringEquals aws:PrincipalOrgID")
}

func TestKMSGrant(t *testing.T) {
	p := newTestPlan()
	p.create("aws_kms_key.k", obj{}, "arn", "key_id", "id", "policy")
	p.create("aws_iam_role.r", obj{"name": "r", "assume_role_policy": trustLambda}, "arn")
	p.create("aws_kms_grant.g", obj{"operations": arr{"Decrypt", "GenerateDataKey"}, "constraints": arr{obj{"encryption_context_equals": obj{"dept": "x"}}}}, "key_id", "grantee_principal")
	block(p.root, "aws_kms_key.k", obj{})
	block(p.root, "aws_kms_grant.g", obj{"key_id": refs("aws_kms_key.k.key_id"), "grantee_principal": refs("aws_iam_role.r.arn")})
	res := p.read(t)
	check(t, "attached", attachments(resource(t, res, "aws_kms_key.k").Policies), "aws_kms_grant.g")
	if !entry(t, res, "aws_kms_grant.g").Grant {
		t.Error("the grant is taken for the policy of the key, which then has not the default one")
	}
	s := entry(t, res, "aws_kms_grant.g").Statements[0]
	check(t, "grantee", s.Principals.Entries[0].Text.String(), "arn:aws:iam::${account}:role/r")
	check(t, "actions", s.Actions.Entries[0].Text.String()+" "+s.Actions.Entries[1].Text.String(), "kms:Decrypt kms:GenerateDataKey")
	if len(s.Conditions) != 2 {
		t.Errorf("got %d conditions, want the pair and the set of keys", len(s.Conditions))
	}
	if s.Principals.Entries[0].Text != principal(t, res, "aws_iam_role.r").ARN {
		t.Error("the grantee is the role of this plan")
	}
}

func TestOrganizationPolicies(t *testing.T) {
	p := newTestPlan()
	p.create("aws_organizations_organization.o", obj{}, "id", "roots")
	p.create("aws_organizations_organizational_unit.u", obj{"name": "u"}, "id")
	p.create("aws_organizations_policy.scp", obj{"content": allowAll}, "id")
	p.create("aws_organizations_policy.rcp", obj{"content": denyAll, "type": "RESOURCE_CONTROL_POLICY"}, "id")
	p.create("aws_organizations_policy.tags", obj{"content": `{"tags":{}}`, "type": "TAG_POLICY"}, "id")
	attach := func(name, policy string, target obj, literal string) {
		after := obj{}
		unknown := []string{"policy_id"}
		if literal != "" {
			after["target_id"] = literal
		} else {
			unknown = append(unknown, "target_id")
		}
		p.create("aws_organizations_policy_attachment."+name, after, unknown...)
		block(p.root, "aws_organizations_policy_attachment."+name, obj{"policy_id": refs("aws_organizations_policy." + policy + ".id"), "target_id": target})
	}
	attach("root", "scp", refs("aws_organizations_organization.o.roots[0].id"), "")
	attach("ou", "scp", refs("aws_organizations_organizational_unit.u.id"), "")
	attach("account", "scp", obj{}, "111122223333")
	attach("ou2", "rcp", obj{}, "ou-ab12-12345678")
	attach("what", "rcp", refs("local.target"), "")
	p.change("aws_organizations_policy_attachment.full", arr{"delete"}, obj{"policy_id": "p-FullAWSAccess", "target_id": "r-ab12"}, nil, obj{})
	res := p.read(t)
	var got []string
	for _, o := range res.Inventory.OrgPolicies {
		words := []string{string(o.Kind)}
		for _, target := range o.Targets {
			words = append(words, string(target.Kind)+":"+target.ID.String())
		}
		got = append(got, strings.Join(words, " "))
	}
	check(t, "policies", strings.Join(got, "\n"),
		"rcp ou:ou-ab12-12345678 unknown:${aws_organizations_policy_attachment.what.target_id}\n"+
			"scp account:111122223333 ou:${aws_organizations_organizational_unit.u.id} root:${aws_organizations_organization.o.roots[0].id}")
	check(t, "detached", fmt.Sprint(res.Inventory.FullAccessDetached[0].Kind), "root")
}

func TestEndpointsAndTrails(t *testing.T) {
	p := newTestPlan()
	p.create("aws_vpc.v", obj{}, "id")
	p.create("aws_vpc_endpoint.s3", obj{"service_name": "com.amazonaws.us-east-1.s3"}, "id", "vpc_id", "policy")
	p.create("aws_vpc_endpoint.cw", obj{"service_name": "com.amazonaws.us-east-1.monitoring", "policy": denyAll, "vpc_endpoint_type": "Interface", "ip_address_type": "dualstack"}, "id")
	p.create("aws_vpc_endpoint.theirs", obj{"service_name": "com.amazonaws.vpce.us-east-1.vpce-svc-0123"}, "id")
	p.create("aws_vpc_endpoint_policy.s3", obj{"policy": denyAll}, "vpc_endpoint_id")
	p.create("aws_kms_key.k", obj{}, "arn", "key_id")
	p.create("aws_s3_bucket.logs", obj{"bucket": "logs"}, "id")
	p.create("aws_cloudtrail.t", obj{"name": "t", "s3_key_prefix": "p", "is_organization_trail": true}, "arn", "s3_bucket_name", "kms_key_id")
	block(p.root, "aws_vpc_endpoint.s3", obj{"vpc_id": refs("aws_vpc.v.id")})
	block(p.root, "aws_vpc_endpoint_policy.s3", obj{"vpc_endpoint_id": refs("aws_vpc_endpoint.s3.id"), "policy": obj{}})
	block(p.root, "aws_cloudtrail.t", obj{"s3_bucket_name": refs("aws_s3_bucket.logs.id"), "kms_key_id": refs("aws_kms_key.k.arn")})
	inv := p.read(t).Inventory
	var got []string
	for _, e := range inv.Endpoints {
		got = append(got, e.Address+" "+e.Service+" "+e.VPC.String()+" "+attachments(e.Policies))
		for _, doc := range e.Policies {
			got[len(got)-1] += " gateway " + doc.Gateway.String()
		}
		if e.IPv6 {
			got[len(got)-1] += " IPv6"
		}
	}
	check(t, "endpoints", strings.Join(got, "\n"), "aws_vpc_endpoint.cw cloudwatch  aws_vpc_endpoint.cw.policy gateway false IPv6\n"+
		"aws_vpc_endpoint.s3 s3 ${aws_vpc.v.id} aws_vpc_endpoint_policy.s3.policy gateway true\naws_vpc_endpoint.theirs   ")
	trail := inv.Trails[0]
	check(t, "trail", fmt.Sprint(trail.ARN, " ", trail.Bucket, " ", trail.Prefix, " ", trail.Key, " ", trail.Organization),
		"arn:aws:cloudtrail:us-east-1:${account}:trail/t logs p arn:aws:kms:us-east-1:${account}:key/${aws_kms_key.k.key_id} true")
}

// Every attribute of the table is read as a policy, and by its right kind.
func TestEveryCarrierIsRead(t *testing.T) {
	for _, c := range carriers {
		p := newTestPlan()
		list, leaf, nested := strings.Cut(c.path, "[].")
		after := obj{"name": "n", list: allowAll}
		if nested {
			after[list] = arr{obj{leaf: allowAll}}
		}
		if c.target != "" {
			after[c.target] = "target"
		}
		p.create(c.typ+".x", after)
		block(p.root, c.typ+".x", obj{list: obj{}})
		found := false
		for _, doc := range p.read(t).Inventory.Policies {
			found = found || doc.Kind == c.kind && doc.Origin.Address == c.typ+".x" && strings.HasSuffix(doc.ID, leaf)
		}
		if !found {
			t.Errorf("%s.%s is not read", c.typ, c.path)
		}
	}
}

func TestSame(t *testing.T) {
	p := newTestPlan()
	p.create("aws_s3_bucket.a", obj{"bucket_prefix": "a-"}, "bucket")
	p.create("aws_s3_bucket.b", obj{}, "bucket")
	res := p.read(t)
	a, b := resource(t, res, "aws_s3_bucket.a").ARN, resource(t, res, "aws_s3_bucket.b").ARN
	if symbol.Equal(a, a) != kleene.True || symbol.Equal(a, b) == kleene.True {
		t.Errorf("a bucket is itself and not certainly another: %v %v", symbol.Equal(a, a), symbol.Equal(a, b))
	}
}

// A sensitive name is one symbol wherever it stands, so that what belongs together
// still meets; the account is known all the same.
func TestSensitiveNames(t *testing.T) {
	const secret = "secret-bucket"
	policy := func(name string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::` + name + `/*"}}`
	}
	identity := func(name string) string { return strings.Replace(policy(name), `"Principal":"*",`, "", 1) }
	p := newTestPlan()
	sensitive := func(rc obj, marks obj) {
		change := rc["change"].(obj)
		change["after_sensitive"] = marks
		if change["before"] != nil {
			change["before_sensitive"] = marks
		}
	}
	values := obj{"bucket": secret, "id": secret, "arn": "arn:aws:s3:::" + secret}
	sensitive(p.change("aws_s3_bucket.b", arr{"no-op"}, values, values, obj{}), obj{"bucket": true})
	p.create("aws_s3_bucket.other", obj{"bucket": "other"}, "arn")
	p.create("aws_s3_bucket_policy.b", obj{"bucket": secret, "policy": policy(secret)}, "id")
	sensitive(p.create("aws_s3_bucket_policy.other", obj{"bucket": "other", "policy": policy("other")}, "id"), obj{"bucket": true, "policy": true})
	role := obj{"name": "secret-role", "id": "secret-role", "arn": "arn:aws:iam::111122223333:role/secret-role", "assume_role_policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`,
		"inline_policy": arr{obj{"name": "n", "policy": identity("x")}}}
	sensitive(p.change("aws_iam_role.r", arr{"no-op"}, role, role, obj{}), obj{"name": true, "inline_policy": true})
	sensitive(p.create("aws_iam_role_policy.r", obj{"role": "secret-role", "name": "i", "policy": identity(secret)}, "id"), obj{"role": true})
	for _, name := range []string{"aws_s3_bucket.b", "aws_s3_bucket.other", "aws_s3_bucket_policy.b", "aws_s3_bucket_policy.other", "aws_iam_role.r", "aws_iam_role_policy.r"} {
		block(p.root, name, obj{"policy": obj{}, "inline_policy": obj{}, "assume_role_policy": obj{}})
	}
	res := p.read(t)
	b := resource(t, res, "aws_s3_bucket.b")
	check(t, "ARN", b.ARN.String(), "arn:aws:s3:::${aws_s3_bucket.b.bucket}")
	check(t, "policies", attachments(b.Policies), "aws_s3_bucket_policy.b.policy")
	doc := entry(t, res, "aws_s3_bucket_policy.b.policy")
	check(t, "resource", doc.Statements[0].Resources.Entries[0].Text().String(), "arn:aws:s3:::${aws_s3_bucket.b.bucket}/*")
	if doc.Sensitive {
		t.Error("a policy without its sensitive names is not sensitive")
	}
	// A value that is sensitive somewhere is sensitive everywhere.
	check(t, "other", resource(t, res, "aws_s3_bucket.other").ARN.String(), "arn:aws:s3:::${aws_s3_bucket_policy.other.bucket}")
	check(t, "its policies", attachments(resource(t, res, "aws_s3_bucket.other").Policies), "aws_s3_bucket_policy.other.policy")
	for _, id := range []string{"aws_s3_bucket_policy.other.policy", "aws_iam_role.r.inline_policy[0].policy"} {
		if !entry(t, res, id).Sensitive {
			t.Errorf("%s is not sensitive", id)
		}
	}
	check(t, "role", res.Inventory.Principals[0].ARN.String(), "arn:aws:iam::111122223333:role/${aws_iam_role.r.name}")
	check(t, "its inline policies", attachments(res.Inventory.Principals[0].Identity), "aws_iam_role_policy.r.policy aws_iam_role.r.inline_policy[0].policy")
	check(t, "account", res.Inventory.Account.Value.String(), "111122223333")
	check(t, "diagnostics", warnings(res), "")
}

// Permissions that are written in attributes are policies on what they name.
func TestPermissions(t *testing.T) {
	p := newTestPlan()
	p.create("aws_cloudwatch_event_bus.b", obj{"name": "orders"}, "arn")
	p.create("aws_cloudwatch_event_permission.org", obj{
		"principal": "*", "statement_id": "Org", "event_bus_name": "orders",
		"condition": arr{obj{"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": "o-a1b2c3d4e5"}},
	})
	p.create("aws_cloudwatch_event_permission.one", obj{"principal": "444455556666", "statement_id": "One"})
	p.create("aws_acmpca_permission.ca", obj{
		"certificate_authority_arn": "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/c", "principal": "acm.amazonaws.com",
		"actions": arr{"IssueCertificate", "GetCertificate"}, "source_account": "111122223333",
	})
	inv := p.read(t).Inventory
	want := map[string]string{
		"aws_cloudwatch_event_permission.org": "events:PutEvents on arn:aws:events:us-east-1:${account}:event-bus/orders, 1 condition",
		"aws_cloudwatch_event_permission.one": "events:PutEvents on arn:aws:events:us-east-1:${account}:event-bus/default, 0 condition",
		"aws_acmpca_permission.ca":            "acm-pca:IssueCertificate on arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/c, 1 condition",
	}
	for _, doc := range inv.Policies {
		if doc.Unread != "" {
			t.Errorf("%s: %s", doc.ID, doc.Unread)
			continue
		}
		st := doc.Statements[0]
		got := fmt.Sprintf("%s on %s, %d condition", st.Actions.Entries[0].Text, st.Resources.Entries[0].Text(), len(st.Conditions))
		check(t, doc.ID, got, want[doc.ID])
	}
	if len(inv.Policies) != len(want) {
		t.Errorf("got %d policies, want %d", len(inv.Policies), len(want))
	}
}

// The organizational units of the account are read off the accounts and units that
// the input defines; where its chain of them is complete, all others are apart.
func TestAccountPlacement(t *testing.T) {
	for _, test := range []struct{ name, root, want string }{
		{"whole", "r-ab12", "upper holds, lower holds, other apart, ou-ab12-99999999 apart"},
		{"cut off", "ou-ab12-00000000", "upper holds, lower holds, other unknown, ou-ab12-99999999 unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newTestPlan()
			unit := func(name, parent string) {
				after, unknown := obj{"name": name}, []string{"id"}
				if parent == "" {
					unknown = append(unknown, "parent_id")
				} else {
					after["parent_id"] = parent
				}
				p.create("aws_organizations_organizational_unit."+name, after, unknown...)
			}
			unit("upper", test.root)
			unit("lower", "")
			unit("other", test.root)
			block(p.root, "aws_organizations_organizational_unit.lower", obj{"parent_id": refs("aws_organizations_organizational_unit.upper.id")})
			me := obj{"id": "123456789012", "name": "me"}
			p.change("aws_organizations_account.me", arr{"update"}, me, me, obj{"parent_id": true})
			block(p.root, "aws_organizations_account.me", obj{"parent_id": refs("aws_organizations_organizational_unit.lower.id")})
			p.create("aws_organizations_policy.scp", obj{"content": allowAll}, "id")
			attach := func(name, id string) {
				after, unknown := obj{}, []string{"policy_id"}
				if id == "" {
					unknown = append(unknown, "target_id")
				} else {
					after["target_id"] = id
				}
				p.create("aws_organizations_policy_attachment."+name, after, unknown...)
				block(p.root, "aws_organizations_policy_attachment."+name, obj{
					"policy_id": refs("aws_organizations_policy.scp.id"), "target_id": refs("aws_organizations_organizational_unit." + name + ".id"),
				})
			}
			for _, name := range []string{"upper", "lower", "other"} {
				attach(name, "")
			}
			attach("elsewhere", "ou-ab12-99999999")
			p.create("aws_iam_role.r", obj{"name": "r", "arn": "arn:aws:iam::123456789012:role/r", "assume_role_policy": trustLambda})
			p.state("data.aws_caller_identity.me", obj{"account_id": "123456789012"})
			res := p.read(t)
			got := map[string]string{}
			for _, target := range res.Inventory.OrgPolicies[0].Targets {
				name := strings.TrimPrefix(target.Address, "aws_organizations_organizational_unit.")
				if name == "" {
					name = target.ID.String()
				}
				switch {
				case target.Holds:
					got[name] = "holds"
				case target.Apart:
					got[name] = "apart"
				default:
					got[name] = "unknown"
				}
			}
			var words []string
			for _, name := range []string{"upper", "lower", "other", "ou-ab12-99999999"} {
				words = append(words, name+" "+got[name])
			}
			check(t, "units", strings.Join(words, ", "), test.want)
		})
	}
}
