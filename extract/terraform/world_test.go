package terraform

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/fixtures"
)

func bucketNames(inv *extract.Inventory) string {
	var out []string
	for _, r := range inv.Resources {
		out = append(out, r.Address+"="+strings.TrimPrefix(r.ARN.String(), "arn:aws:s3:::"))
	}
	return strings.Join(out, " ")
}

func TestWorldAfterTheChange(t *testing.T) {
	before, after := obj{"bucket": "old"}, obj{"bucket": "new"}
	p := newTestPlan()
	p.state("aws_s3_bucket.untouched", obj{"bucket": "untouched"})
	p.state("aws_s3_bucket.deleted", before)
	p.state("aws_s3_bucket.was", before)
	p.state("aws_s3_bucket.forgotten", before)
	p.noop("aws_s3_bucket.same", before)
	p.change("aws_s3_bucket.updated", arr{"update"}, before, after, obj{})
	p.change("aws_s3_bucket.replaced", arr{"delete", "create"}, before, after, obj{})
	p.change("aws_s3_bucket.replaced2", arr{"create", "delete"}, before, after, obj{})
	p.change("aws_s3_bucket.deleted", arr{"delete"}, before, nil, obj{})
	p.change("aws_s3_bucket.forgotten", arr{"forget"}, before, nil, obj{})
	p.change("aws_s3_bucket.replaced", arr{"delete"}, before, nil, obj{})["deposed"] = "ab12cd34"
	p.change("aws_s3_bucket.two", arr{"create", "forget"}, before, after, obj{})
	p.state("aws_s3_bucket.untouched", obj{"bucket": "deposed"})["deposed_key"] = "ef56ab78"
	delete(p.state("aws_s3_bucket.untouched", obj{"bucket": "nameless"}), "address")
	moved := p.change("aws_s3_bucket.is", arr{"no-op"}, before, before, obj{})
	moved["previous_address"] = "aws_s3_bucket.was"
	p.top["resource_drift"] = arr{p.change("aws_s3_bucket.drift", arr{"update"}, before, after, obj{})}
	p.changes = p.changes[:len(p.changes)-1]
	res := p.read(t)
	check(t, "buckets", bucketNames(res.Inventory),
		"=nameless aws_s3_bucket.forgotten=old aws_s3_bucket.is=old aws_s3_bucket.replaced=new aws_s3_bucket.replaced2=new "+
			"aws_s3_bucket.same=old aws_s3_bucket.two=new aws_s3_bucket.two (forgotten)=old aws_s3_bucket.untouched=untouched aws_s3_bucket.updated=new")
	if got := res.Inventory.Changes; got != 7 {
		t.Errorf("got %d changes, want 7", got)
	}
}

// A resource may move to where another moves away, in whatever order the plan says so.
func TestMovesInARow(t *testing.T) {
	p := newTestPlan()
	for _, move := range [][2]string{{"a", "b"}, {"b", "c"}, {"c", "a"}} {
		p.state("aws_s3_bucket."+move[0], obj{"bucket": move[0]})
		moved := p.change("aws_s3_bucket."+move[1], arr{"no-op"}, obj{"bucket": move[0]}, obj{"bucket": move[0]}, obj{})
		moved["previous_address"] = "aws_s3_bucket." + move[0]
	}
	p.state("aws_s3_bucket.d", obj{"bucket": "d"})
	p.change("aws_s3_bucket.d", arr{"delete"}, obj{"bucket": "d"}, nil, obj{})
	p.state("aws_s3_bucket.e", obj{"bucket": "e"})
	p.change("aws_s3_bucket.f", arr{"update"}, obj{"bucket": "e"}, obj{"bucket": "e", "tags": obj{"moved": "yes"}}, obj{})["previous_address"] = "aws_s3_bucket.e"
	check(t, "buckets", bucketNames(p.read(t).Inventory), "aws_s3_bucket.a=c aws_s3_bucket.b=a aws_s3_bucket.c=b aws_s3_bucket.f=e")
}

// The worlds that plans lead from and to, whole: who and what there is, with the
// policies that bear on it.
func TestWorlds(t *testing.T) {
	cases, err := fs.Glob(fixtures.FS, "world/*/plan.json")
	if err != nil || len(cases) < 4 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, name := range cases {
		dir := path.Dir(name)
		t.Run(path.Base(dir), func(t *testing.T) {
			res, err := Read(t.Context(), bytes.NewReader(fixtures.Read(t, name)), name, Options{Before: true})
			if err != nil {
				t.Fatal(err)
			}
			fixtures.Golden(t, dir+"/world.txt", worlds(res))
		})
	}
}

func worlds(res *extract.Result) []byte {
	var b bytes.Buffer
	for _, w := range []struct {
		name string
		inv  *extract.Inventory
	}{{"before", res.Before}, {"after", res.Inventory}} {
		b.WriteString(w.name + "\n")
		for _, line := range judged(w.inv) {
			b.WriteString("  " + line + "\n")
		}
		fmt.Fprintf(&b, "\n%s\n", policies(w.inv))
	}
	for _, d := range res.Diagnostics {
		b.WriteString(d.String() + "\n")
	}
	return b.Bytes()
}

// A data source that is read during apply may read what the plan makes: what the service
// assigns is then one and the same.
func TestLateDataMayBeWhatThePlanMakes(t *testing.T) {
	p := newTestPlan()
	p.create("aws_kms_key.made", obj{}, "arn", "key_id")
	read := p.change("data.aws_kms_key.read", arr{"read"}, nil, obj{}, obj{"arn": true, "key_id": true})
	read["action_reason"] = "read_because_dependency_pending"
	res := newPlan()
	if err := res.read(t.Context(), bytes.NewReader(p.bytes(t)), "plan.json"); err != nil {
		t.Fatal(err)
	}
	b := newBuilder(res, Options{})
	b.facts()
	made, late := b.byType["aws_kms_key"][0], b.blocks[" data.aws_kms_key.read"].instances[0]
	for _, attr := range []string{"arn", "key_id"} {
		if got := symbol.Equal(b.attr(made, attr), b.attr(late, attr)); got != kleene.Unknown {
			t.Errorf("%s %s and %s are equal: %v", attr, b.attr(made, attr), b.attr(late, attr), got)
		}
	}
}

func TestARNs(t *testing.T) {
	tests := []struct {
		address string
		after   obj
		unknown []string
		want    string
	}{
		{"aws_s3_bucket.x", obj{"bucket": "b"}, []string{"arn"}, "arn:aws:s3:::b"},
		{"aws_s3_bucket.x", obj{"bucket_prefix": "b-"}, []string{"arn", "bucket"}, "arn:aws:s3:::b-${aws_s3_bucket.x.bucket}"},
		{"aws_s3_bucket.x", obj{}, []string{"arn", "bucket"}, "arn:aws:s3:::${aws_s3_bucket.x.bucket}"},
		{"aws_s3_bucket.x", obj{"bucket": "b", "arn": "arn:aws:s3:::known"}, nil, "arn:aws:s3:::known"},
		{"aws_kms_key.x", obj{}, []string{"arn", "key_id"}, "arn:aws:kms:us-east-1:${account}:key/${aws_kms_key.x.key_id}"},
		{"aws_kms_key.x", obj{"region": "eu-west-1"}, []string{"arn"}, "arn:aws:kms:eu-west-1:${account}:key/${aws_kms_key.x.key_id}"},
		{"aws_sqs_queue.x", obj{"name": "q"}, []string{"arn"}, "arn:aws:sqs:us-east-1:${account}:q"},
		{"aws_secretsmanager_secret.x", obj{"name": "a/b"}, []string{"arn"}, "arn:aws:secretsmanager:us-east-1:${account}:secret:a/b-${aws_secretsmanager_secret.x.suffix}"},
		{"aws_ssm_parameter.x", obj{"name": "/a/b"}, []string{"arn"}, "arn:aws:ssm:us-east-1:${account}:parameter/a/b"},
		{"aws_dynamodb_table.x[0]", obj{"name": "t"}, []string{"arn"}, "arn:aws:dynamodb:us-east-1:${account}:table/t"},
		{"aws_db_instance.x", obj{"identifier": "DB"}, []string{"arn"}, "arn:aws:rds:us-east-1:${account}:db:db"},
		{"aws_networkfirewall_rule_group.x", obj{}, []string{"arn"}, "${aws_networkfirewall_rule_group.x.arn}"},
	}
	for _, tt := range tests {
		p := newTestPlan()
		p.create(tt.address, tt.after, tt.unknown...)
		check(t, tt.address, resource(t, p.read(t), tt.address).ARN.String(), tt.want)
	}
}

func TestEveryTypeOfTheTableHasItsOwnARN(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range arnTable {
		if seen[rule.typ] {
			t.Errorf("%s stands twice", rule.typ)
		}
		seen[rule.typ] = true
		p := newTestPlan()
		p.create(rule.typ+".x", obj{}, "arn", "id")
		w := &resolver{world: newWorld(parsed(t, p)), keys: map[string][]any{}, locals: map[string]outcome{}}
		arn := w.attr(w.managed[0], "arn")
		if arn.Known() && rule.typ != "aws_iam_service_linked_role" {
			t.Errorf("%s: %s is known though no name is", rule.typ, arn)
		}
	}
}

func parsed(t testing.TB, tp *testPlan) *plan {
	t.Helper()
	p := newPlan()
	if err := p.read(t.Context(), strings.NewReader(string(tp.bytes(t))), "plan.json"); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFacts(t *testing.T) {
	build := map[string]func(p *testPlan){
		"nothing": func(*testPlan) {},
		"caller identity": func(p *testPlan) {
			p.state("data.aws_caller_identity.me", obj{"account_id": "111122223333"})
			p.noop("aws_iam_user.u", obj{"name": "u", "arn": "arn:aws:iam::444455556666:user/u"})
		},
		"state": func(p *testPlan) {
			p.change("aws_iam_user.u", arr{"delete"}, obj{"name": "u", "arn": "arn:aws:iam::444455556666:user/u"}, nil, obj{})
		},
		"named": func(p *testPlan) {
			p.create("aws_iam_policy.p", obj{"name": "P", "policy": allowRead}, "arn")
			p.create("aws_iam_role_policy_attachment.a", obj{"role": "elsewhere", "policy_arn": "arn:aws:iam::777788889999:policy/P"})
			p.create("aws_iam_role_policy_attachment.b", obj{"role": "elsewhere", "policy_arn": "arn:aws:iam::000000000000:policy/Other"})
		},
		"China": func(p *testPlan) {
			p.top["configuration"].(obj)["provider_config"] = obj{"aws": obj{"name": "aws", "expressions": obj{"region": refs("var.region")}}}
			p.top["variables"] = obj{"region": obj{"value": "cn-north-1"}}
		},
		"region of a data source": func(p *testPlan) {
			p.top["configuration"].(obj)["provider_config"] = obj{"aws": obj{"name": "aws"}}
			p.state("data.aws_region.here", obj{"name": "eu-west-3"})
		},
		"no region": func(p *testPlan) {
			p.top["configuration"].(obj)["provider_config"] = obj{"aws": obj{"name": "aws", "expressions": obj{"region": refs("local.r")}}}
		},
		"organization": func(p *testPlan) {
			p.create("aws_organizations_organization.o", obj{}, "id")
		},
	}
	want := map[string]string{
		"nothing":                 "${account} us-east-1 aws ",
		"caller identity":         "111122223333 us-east-1 aws ",
		"state":                   "444455556666 us-east-1 aws ",
		"named":                   "777788889999? us-east-1 aws ",
		"China":                   "${account} cn-north-1 aws-cn ",
		"region of a data source": "${account} eu-west-3 aws ",
		"no region":               "${account} ${region} aws? ",
		"organization":            "${account} us-east-1 aws ${aws_organizations_organization.o.id}",
	}
	for name, f := range build {
		p := newTestPlan()
		f(p)
		inv := p.read(t).Inventory
		show := func(f extract.Fact) string {
			if f.Assumed {
				return f.Value.String() + "?"
			}
			return f.Value.String()
		}
		check(t, name, fmt.Sprintf("%s %s %s %s", show(inv.Account), show(inv.Region), show(inv.Partition), show(inv.Organization)), want[name])
	}
}

func TestProviderAliasHasItsRegion(t *testing.T) {
	p := newTestPlan()
	p.top["configuration"].(obj)["provider_config"].(obj)["aws.log"] = obj{"name": "aws", "alias": "log", "expressions": obj{"region": constant("eu-west-1")}}
	p.top["configuration"].(obj)["provider_config"].(obj)["aws.far"] = obj{"name": "aws", "alias": "far", "expressions": obj{"region": refs("local.far")}}
	for key, want := range map[string]string{"aws.log": "eu-west-1", "module.m:aws": "us-east-1", "aws.far": "${aws.far.region}"} {
		p.root["resources"] = nil
		p.changes = nil
		p.create("aws_sqs_queue.q", obj{"name": "q"}, "arn")
		block(p.root, "aws_sqs_queue.q", obj{})["provider_config_key"] = key
		check(t, key, resource(t, p.read(t), "aws_sqs_queue.q").ARN.String(), "arn:aws:sqs:"+want+":${account}:q")
	}
}

func TestSteps(t *testing.T) {
	for ref, want := range map[string][]step{
		`aws_iam_role.x`:                  {{"aws_iam_role", nil}, {"x", nil}},
		`module.m["a.b"].x[0].arn`:        {{"module", nil}, {"m", "a.b"}, {"x", 0}, {"arn", nil}},
		`aws_iam_role.t["g\"q/é"]`:        {{"aws_iam_role", nil}, {"t", `g"q/é`}},
		`a.b["$${x}"]`:                    {{"a", nil}, {"b", "${x}"}},
		`a.b["unclosed`:                   {{"a", nil}, {"b", nil}},
		`a.b[each.key]`:                   {{"a", nil}, {"b", nil}},
		`data.aws_x.y[1].z[0].w["k"].end`: {{"data", nil}, {"aws_x", nil}, {"y", 1}, {"z", 0}, {"w", "k"}, {"end", nil}},
	} {
		if got := parseSteps(ref); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", ref, got, want)
		}
	}
}

// Providers with credentials of their own lead to accounts of their own.
func TestAccountsOfProviders(t *testing.T) {
	p := newTestPlan()
	p.create("aws_iam_role.here", obj{"name": "here", "path": "/"}, "arn")
	p.create("aws_iam_role.there", obj{"name": "there", "path": "/"}, "arn")
	p.create("aws_iam_role.elsewhere", obj{"name": "elsewhere", "path": "/"}, "arn")
	for name, provider := range map[string]string{"here": "aws.eu", "there": "aws.log", "elsewhere": "aws.shared"} {
		block(p.root, "aws_iam_role."+name, obj{"name": obj{"constant_value": name}})["provider_config_key"] = provider
	}
	providers := p.top["configuration"].(obj)["provider_config"].(obj)
	providers["aws.eu"] = obj{"name": "aws", "alias": "eu", "expressions": obj{"region": obj{"constant_value": "eu-west-1"}}}
	providers["aws.log"] = obj{"name": "aws", "alias": "log", "expressions": obj{"assume_role": arr{obj{"role_arn": obj{"constant_value": "arn:aws:iam::999988887777:role/deploy"}}}}}
	providers["aws.shared"] = obj{"name": "aws", "alias": "shared", "expressions": obj{"profile": obj{"constant_value": "shared"}}}
	// A user of the same name in each account: a policy goes to the one in its own.
	const boundless = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	for name, provider := range map[string]string{"near": "aws", "far": "aws.log"} {
		p.create("aws_iam_user."+name, obj{"name": "same", "path": "/"}, "arn")
		block(p.root, "aws_iam_user."+name, obj{"name": obj{"constant_value": "same"}})["provider_config_key"] = provider
		p.create("aws_iam_user_policy."+name, obj{"user": "same", "name": name, "policy": boundless})
		block(p.root, "aws_iam_user_policy."+name, obj{"user": obj{}, "policy": obj{}})["provider_config_key"] = provider
	}
	res := p.read(t)
	for _, pr := range res.Inventory.Principals {
		if name, ok := strings.CutPrefix(pr.Address, "aws_iam_user."); ok {
			for _, a := range pr.Identity {
				if a.ID != "aws_iam_user_policy."+name+".policy" || a.Sure != kleene.True {
					t.Errorf("%s has %s, %v", pr.Address, a.ID, a.Sure)
				}
			}
		}
	}
	for name, want := range map[string]string{
		"here":      "arn:aws:iam::${account}:role/here",
		"there":     "arn:aws:iam::999988887777:role/there",
		"elsewhere": "arn:aws:iam::${aws.shared.account}:role/elsewhere",
	} {
		for _, pr := range res.Inventory.Principals {
			if pr.Name.String() == name && pr.ARN.String() != want {
				t.Errorf("%s: got %s, want %s", name, pr.ARN, want)
			}
		}
	}
}

// Equal constants are equal credentials; equal references need not be.
func TestCredentialsOfProviders(t *testing.T) {
	for name, tc := range map[string]struct {
		profile obj
		want    string
	}{
		"constants":  {obj{"constant_value": "shared"}, "arn:aws:iam::${account}:role/r"},
		"references": {obj{"references": arr{"var.env"}}, "arn:aws:iam::${aws.log.account}:role/r"},
		"functions":  {obj{}, "arn:aws:iam::${aws.log.account}:role/r"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newTestPlan()
			p.create("aws_iam_role.r", obj{"name": "r", "path": "/"}, "arn")
			block(p.root, "aws_iam_role.r", obj{"name": obj{"constant_value": "r"}})["provider_config_key"] = "aws.log"
			providers := p.top["configuration"].(obj)["provider_config"].(obj)
			providers["aws"].(obj)["expressions"].(obj)["profile"] = tc.profile
			providers["aws.log"] = obj{"name": "aws", "alias": "log", "expressions": obj{"profile": tc.profile}}
			if got := p.read(t).Inventory.Principals[0].ARN.String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// With skip_destroy Terraform lets go of an attachment, and the attachment stays.
func TestSkipDestroy(t *testing.T) {
	p := newTestPlan()
	p.noop("aws_organizations_policy.p", obj{"id": "p-1", "type": "SERVICE_CONTROL_POLICY", "content": denyAll})
	p.change("aws_organizations_policy_attachment.a", arr{"delete"}, obj{"policy_id": "p-1", "target_id": "r-ab12", "skip_destroy": true}, nil, obj{})
	p.change("aws_organizations_policy_attachment.full", arr{"delete"}, obj{"policy_id": "p-FullAWSAccess", "target_id": "r-ab12", "skip_destroy": true}, nil, obj{})
	inv := p.read(t).Inventory
	if len(inv.OrgPolicies) != 1 || len(inv.OrgPolicies[0].Targets) != 1 || len(inv.FullAccessDetached) != 0 {
		t.Errorf("got %+v, detached %+v", inv.OrgPolicies, inv.FullAccessDetached)
	}
}
