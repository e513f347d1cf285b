package chain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

var callerChains = []string{
	"direct-corporate", "direct-internet", "direct-vpc-endpoint",
	"athena-public", "athena-public-outside", "athena-privatelink", "cloudformation",
}

// Which replays there are: chains of callers for every related principal and
// stand-in, each action of a bucket, and EC2 for everybody.
func TestWhichReplays(t *testing.T) {
	w := newWorld(t)
	w.role(t, "reader", "", allow("s3:GetObject", "arn:aws:s3:::data/*"))
	w.role(t, "idle", trustsCFN)
	w.user(t, "named")
	data := w.bucket(t, "data", statement("Allow", `{"AWS":"arn:aws:iam::`+account+`:user/named"}`, "s3:PutObject", "arn:aws:s3:::data/*", ""))
	res := run(w)
	got := replays(t, res)

	want := map[string]bool{}
	instance := &chain.Target{Kind: chain.InstanceTarget}
	standIns := []string{chain.StandInAdmin, chain.StandInOrg, chain.StandInOutside}
	add := func(chains []string, action string, target *chain.Target, principals ...string) {
		for _, c := range chains {
			for _, p := range principals {
				want[key(c, action, p, target)] = true
			}
		}
	}
	for _, action := range []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject"} {
		add(callerChains, action, data, standIns...)
		add([]string{"anonymous"}, action, data, "anonymous")
	}
	add(callerChains, "s3:GetObject", data, "role.reader")
	add(callerChains, "s3:PutObject", data, "user.named")
	notAthena := slices.DeleteFunc(slices.Clone(callerChains), func(c string) bool { return strings.HasPrefix(c, "athena") })
	add(notAthena, "ec2:RunInstances", instance, append(standIns, "role.reader", "role.idle", "user.named")...)
	add([]string{"cloudformation-service-role"}, "ec2:RunInstances", instance, "role.idle")
	for k := range want {
		if got[k] == nil {
			t.Errorf("no replay of %s", k)
		}
	}
	for k := range got {
		if !want[k] {
			t.Errorf("a replay too many: %s", k)
		}
	}
	if res.Unrelated != 3*3-2 {
		t.Errorf("unrelated: got %d, want 7", res.Unrelated)
	}
	if len(res.Groups) > 0 || res.Folded > 0 {
		t.Errorf("below the bound nothing is folded: got %d", res.Folded)
	}
}

// A principal and a target are related if some Allow can match the pair.
func TestRelated(t *testing.T) {
	arn := func(kind string) string { return "arn:aws:iam::" + account + ":" + kind }
	for _, tc := range []struct {
		name, identity, bucket string
		actions                string // of the pair that are replayed
	}{
		{"nothing", "", "", ""},
		{"everything", allow("*", "*"), "", "GetObject ListBucket PutObject"},
		{"objects", allow("s3:*", "arn:aws:s3:::data/*"), "", "GetObject PutObject"},
		{"the bucket", allow("s3:*", "arn:aws:s3:::data"), "", "ListBucket"},
		{"both in one", allow("s3:*", "arn:aws:s3:::data*"), "", "GetObject ListBucket PutObject"},
		{"a prefix", allow("s3:GetObject", "arn:aws:s3:::data/a/*"), "", "GetObject"},
		{"another bucket", allow("s3:*", "arn:aws:s3:::logs/*"), "", ""},
		{"another action", allow("s3:GetBucketAcl", "*"), "", ""},
		{"a condition is ignored", statement("Allow", "", "s3:GetObject", "*", `{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`), "", "GetObject"},
		{"a Deny relates nothing", deny("s3:*", "*"), "", ""},
		{"a variable may be anything", allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/bucket}/*"), "", "GetObject"},
		{"not read", "!known only after apply", "", "GetObject ListBucket PutObject"},
		{"the bucket names everyone", "", statement("Allow", everyone, "s3:GetObject", "*", ""), "GetObject"},
		{"the bucket names the account", "", statement("Allow", `{"AWS":"`+account+`"}`, "s3:GetObject", "*", ""), "GetObject"},
		{"the bucket names the root ARN", "", statement("Allow", `{"AWS":"`+arn("root")+`"}`, "s3:GetObject", "*", ""), "GetObject"},
		{"the bucket names another account", "", statement("Allow", `{"AWS":"444455556666"}`, "s3:GetObject", "*", ""), ""},
		{"the bucket names the role", "", statement("Allow", `{"AWS":"`+arn("role/r")+`"}`, "s3:GetObject", "*", ""), "GetObject"},
		{"the bucket names another role", "", statement("Allow", `{"AWS":"`+arn("role/x")+`"}`, "s3:GetObject", "*", ""), ""},
		{"the bucket names a canonical user", "", statement("Allow", `{"CanonicalUser":"79a5"}`, "s3:GetObject", "*", ""), "GetObject"},
		{"the bucket names a service", "", statement("Allow", service("ec2.amazonaws.com"), "s3:GetObject", "*", ""), ""},
		{"the bucket names all but one", "", `{"Effect":"Allow","NotPrincipal":{"AWS":"` + arn("role/x") + `"},"Action":"s3:GetObject","Resource":"*"}`, "GetObject"},
		{"the bucket's policy reaches another bucket", "", statement("Allow", everyone, "s3:GetObject", "arn:aws:s3:::logs/*", ""), ""},
		{"the bucket's policy was not read", "", "!known only after apply", "GetObject ListBucket PutObject"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			var identity, bucket []string
			if tc.identity != "" {
				identity = append(identity, tc.identity)
			}
			if tc.bucket != "" {
				bucket = append(bucket, tc.bucket)
			}
			w.role(t, "r", "", identity...)
			w.bucket(t, "data", bucket...)
			res := run(w, "direct-corporate")
			var got []string
			for _, r := range res.Replays {
				if r.Principal.StandIn == "" && r.Target.Kind == chain.BucketTarget {
					got = append(got, strings.TrimPrefix(r.Action, "s3:"))
				}
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tc.actions {
				t.Errorf("got %q, want %q", got, tc.actions)
			}
			if res.Unrelated != 3-len(got) {
				t.Errorf("unrelated: got %d, want %d", res.Unrelated, 3-len(got))
			}
		})
	}
}

func TestRelatedByAnUnknownAccount(t *testing.T) {
	w := newWorld(t)
	w.role(t, "r", "", allow("s3:*", "arn:aws:s3:::other/*"))
	b := w.bucket(t, "data", statement("Allow", everyone, "s3:GetObject", "*", ""))
	p := &b.Policies[0].Statements[0].Principals.Entries[0]
	p.Type, p.Text = policy.AWS, symbol.Concat(lit("arn:aws:iam::"), symbol.Symbol{Name: "var.account"}.Text(), lit(":root"))
	verdict(t, find(t, run(w, "direct-corporate"), "direct-corporate", "s3:GetObject", "role.r"), engine.ImplicitDeny, 1)
}

func TestChainsOption(t *testing.T) {
	w := newWorld(t)
	w.role(t, "r", trustsCFN, allow("*", "*"))
	w.bucket(t, "data", statement("Allow", service("cloudtrail.amazonaws.com"), "s3:PutObject", "*", ""))
	all := run(w)
	seen := map[string]int{}
	for _, r := range all.Replays {
		seen[r.Chain.ID]++
	}
	for _, c := range chain.Catalog() {
		got := run(w, c.ID)
		for _, r := range got.Replays {
			if r.Chain.ID != c.ID {
				t.Errorf("--chains %s: got one of %s", c.ID, r.Chain.ID)
			}
		}
		if len(got.Replays) != seen[c.ID] {
			t.Errorf("%s: got %d replays alone, %d among all", c.ID, len(got.Replays), seen[c.ID])
		}
		if found, ok := chain.Find(c.ID); !ok || found != c {
			t.Errorf("Find(%q): got %v, %v", c.ID, found, ok)
		}
	}
	if got := run(w, "direct-corporate", "anonymous"); len(got.Replays) != seen["direct-corporate"]+seen["anonymous"] {
		t.Errorf("two chains: got %d replays", len(got.Replays))
	}
	if _, ok := chain.Find("nothing"); ok {
		t.Error("Find found nothing")
	}
}

func TestDeterminism(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		w.role(t, fmt.Sprint("r", i), trustsCFN, allow("s3:*", fmt.Sprintf("arn:aws:s3:::b%d/*", i%3)))
		w.bucket(t, fmt.Sprint("b", i), statement("Deny", everyone, "*", "*", `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}}`))
	}
	render := func(r chain.Result) string {
		var b strings.Builder
		for _, x := range r.Replays {
			fmt.Fprintln(&b, keyOf(x), x.Verdict, x.BrokenHop, hops(x))
		}
		for _, g := range r.Groups {
			fmt.Fprintln(&b, g.Replays)
			for _, x := range g.Blocks {
				for _, p := range x.Principals {
					fmt.Fprint(&b, principalName(p), " ")
				}
				for _, y := range x.Targets {
					fmt.Fprint(&b, y.Address, " ")
				}
			}
		}
		fmt.Fprintln(&b, r.Unrelated, r.Folded, r.Notes)
		return b.String()
	}
	for _, most := range []int{0, 10} {
		opts := chain.Options{MaxReplays: most}
		if a, b := render(chain.Run(w, opts)), render(chain.Run(w, opts)); a != b {
			t.Errorf("MaxReplays %d: two runs differ", most)
		}
	}
}

// Hops: their order and resources, and which of them decide.
func TestHops(t *testing.T) {
	w := newWorld(t)
	w.role(t, "analyst", "", strings.Join([]string{
		allow("athena:*", "*"), allow("glue:*", "*"), allow("s3:GetObject", "arn:aws:s3:::data/*"), allow("cloudformation:CreateStack", "*"),
	}, ","))
	w.bucket(t, "data")
	r := find(t, run(w), "athena-public", "s3:GetObject", "role.analyst")
	verdict(t, r, engine.Allowed, 0)
	const g, a = "arn:aws:glue:eu-west-1:" + account + ":", "arn:aws:athena:eu-west-1:" + account + ":workgroup/primary"
	const results = "arn:aws:s3:::aws-athena-query-results-" + account + "-eu-west-1/example implicitDeny"
	want := []string{
		"1 caller athena:StartQueryExecution " + a + " allowed",
		"?1 caller athena:GetQueryExecution " + a + " allowed",
		"?1 caller athena:GetQueryResults " + a + " allowed",
		"?1 caller athena:GetWorkGroup " + a + " allowed",
		"2 fas glue:GetDatabase " + g + "catalog allowed",
		"2 fas glue:GetDatabase " + g + "database/default allowed",
		"2 fas glue:GetTable " + g + "catalog allowed",
		"2 fas glue:GetTable " + g + "database/default allowed",
		"2 fas glue:GetTable " + g + "table/default/example allowed",
		"?2 fas glue:GetPartitions " + g + "table/default/example allowed",
		"?2 fas glue:BatchGetPartition " + g + "table/default/example allowed",
		"?2 fas s3:GetBucketLocation arn:aws:s3:::data implicitDeny",
		"?2 fas s3:ListBucket arn:aws:s3:::data implicitDeny",
		"2 fas s3:GetObject arn:aws:s3:::data/example allowed",
		"?2 fas s3:PutObject " + results,
		"?2 fas s3:GetObject " + results,
		"?2 fas s3:AbortMultipartUpload " + results,
		"?2 fas s3:ListMultipartUploadParts " + results,
	}
	if got := hops(r); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for hop, via := range map[int]string{0: "", 4: "athena.amazonaws.com", 13: "athena.amazonaws.com"} {
		if got := value(t, r, hop, "aws:CalledVia"); got != via {
			t.Errorf("hop %d: aws:CalledVia: got %q, want %q", hop, got, via)
		}
	}
	r = find(t, run(w), "cloudformation", "s3:GetObject", "role.analyst")
	verdict(t, r, engine.Allowed, 0)
	if got, want := hops(r), []string{
		"1 caller cloudformation:CreateStack arn:aws:cloudformation:eu-west-1:" + account + ":stack/example/example allowed",
		"2 fas s3:GetObject arn:aws:s3:::data/example allowed",
	}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r = find(t, run(w), "direct-corporate", "ec2:RunInstances", "role.analyst")
	if got, want := hops(r), []string{"1 caller ec2:RunInstances arn:aws:ec2:eu-west-1:" + account + ":instance/* implicitDeny"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := r.Resource().String(); got != "*" {
		t.Errorf("the resource of ec2:RunInstances: got %s, want *", got)
	}
}

// The verdict is that of the first mandatory hop that is certainly denied, else of
// the first unknown one.
func TestChainVerdict(t *testing.T) {
	const athena, glue, data = "athena:*", "glue:*", "s3:GetObject"
	unsure := func(action string) string {
		return statement("Allow", "", action, "*", `{"StringEquals":{"aws:userid":"AROAX:tfguard-session"}}`)
	}
	for _, tc := range []struct {
		name   string
		grants []string
		want   engine.Verdict
		broken int
	}{
		{"all", []string{allow(athena, "*"), allow(glue, "*"), allow(data, "*")}, engine.Allowed, 0},
		{"no entry", []string{allow(glue, "*"), allow(data, "*")}, engine.ImplicitDeny, 1},
		{"no catalog", []string{allow(athena, "*"), allow(data, "*")}, engine.ImplicitDeny, 2},
		{"an optional hop denied", []string{allow(athena, "*"), allow(glue, "*"), allow(data, "*"), deny("s3:GetBucketLocation", "*"), deny("athena:GetQueryResults", "*")}, engine.Allowed, 0},
		{"unknown entry", []string{unsure(athena), allow(glue, "*"), allow(data, "*")}, engine.Unknown, 1},
		{"unknown entry, certain denial after it", []string{unsure(athena), allow(data, "*")}, engine.ImplicitDeny, 2},
		{"unknown entry, explicit denial at the end", []string{unsure(athena), unsure(glue), allow(data, "*"), deny(data, "*")}, engine.ExplicitDeny, 2},
		{"two unknown", []string{allow(athena, "*"), unsure(glue), unsure(data)}, engine.Unknown, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.role(t, "r", "", strings.Join(tc.grants, ","))
			w.bucket(t, "data")
			verdict(t, find(t, run(w, "athena-public"), "athena-public", data, "role.r"), tc.want, tc.broken)
		})
	}
}

// Stand-ins for what a hop needs: the default, or the first that is granted.
func TestStandInResources(t *testing.T) {
	const arn = "arn:aws:athena:eu-west-1:" + account + ":workgroup/"
	for _, tc := range []struct {
		name, grants, want string
	}{
		{"anything", allow("athena:*", "*"), arn + "primary"},
		{"the default is granted", allow("athena:*", "arn:aws:athena:*:*:workgroup/p*"), arn + "primary"},
		{"a name", allow("athena:*", arn+"sales"), arn + "sales"},
		{"the first name", allow("athena:*", arn+"sales") + "," + allow("athena:*", arn+"hr"), arn + "sales"},
		{"a wildcard", allow("athena:*", arn+"team-*"), arn + "team-example"},
		{"a wildcard and later the default", allow("athena:*", arn+"sales") + "," + allow("athena:*", arn+"*"), arn + "primary"},
		{"another type", allow("athena:*", "arn:aws:athena:*:*:datacatalog/x"), arn + "primary"},
		{"another action", allow("athena:GetWorkGroup", arn+"sales"), arn + "primary"},
		{"another region", allow("athena:*", "arn:aws:athena:us-east-1:*:workgroup/sales"), arn + "primary"},
		{"the user's own", allow("athena:*", arn+"${aws:username}"), arn + "bob"},
		{"nothing", allow("glue:*", "*"), arn + "primary"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.user(t, "bob", tc.grants, allow("s3:*", "*"))
			w.bucket(t, "data")
			r := find(t, run(w, "athena-public"), "athena-public", "s3:GetObject", "user.bob")
			if got := r.Hops[0].Request.Resource.String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// The object key is "example", below the first granted prefix if every Allow is
// limited to prefixes.
func TestStandInObject(t *testing.T) {
	for _, tc := range []struct {
		name, identity, bucket, want string
	}{
		{"any object", allow("s3:*", "arn:aws:s3:::data/*"), "", "data/example"},
		{"any resource", allow("s3:*", "*"), "", "data/example"},
		{"a prefix", allow("s3:*", "arn:aws:s3:::data/in/*"), "", "data/in/example"},
		{"the first prefix", allow("s3:*", "arn:aws:s3:::data/in/*") + "," + allow("s3:*", "arn:aws:s3:::data/out/*"), "", "data/in/example"},
		{"a prefix and any object", allow("s3:*", "arn:aws:s3:::data/in/*") + "," + allow("s3:*", "arn:aws:s3:::data/*"), "", "data/example"},
		{"a prefix of another bucket", allow("s3:*", "arn:aws:s3:::logs/in/*") + "," + allow("s3:*", "arn:aws:s3:::data/out/*"), "", "data/out/example"},
		{"a prefix of all buckets", allow("s3:*", "arn:aws:s3:::*/in/*"), "", "data/in/example"},
		{"a prefix of some buckets", allow("s3:*", "arn:aws:s3:::d*/in/?.csv"), "", "data/in/x.csv"},
		{"the user's own prefix", allow("s3:*", "arn:aws:s3:::data/home/${aws:username}/*"), "", "data/home/bob/example"},
		{"the bucket grants a prefix", "", statement("Allow", everyone, "s3:*", "arn:aws:s3:::data/pub/*", ""), "data/pub/example"},
		{"the bucket grants more", allow("s3:*", "arn:aws:s3:::data/in/*"), statement("Allow", everyone, "s3:*", "arn:aws:s3:::data/*", ""), "data/example"},
		{"the bucket grants another", allow("s3:*", "arn:aws:s3:::data/in/*"), statement("Allow", `{"AWS":"444455556666"}`, "s3:*", "arn:aws:s3:::data/*", ""), "data/in/example"},
		{"a Deny limits nothing", allow("s3:*", "arn:aws:s3:::data/*") + "," + deny("s3:*", "arn:aws:s3:::data/in/*"), "", "data/example"},
		{"NotResource", `{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::data/in/*"}`, "", "data/example"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			if tc.identity == "" {
				w.user(t, "bob")
			} else {
				w.user(t, "bob", tc.identity)
			}
			if tc.bucket == "" {
				w.bucket(t, "data")
			} else {
				w.bucket(t, "data", tc.bucket)
			}
			r := find(t, run(w, "direct-corporate"), "direct-corporate", "s3:GetObject", "user.bob")
			if got, want := r.Hops[0].Request.Resource.String(), "arn:aws:s3:::"+tc.want; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// A bucket whose name is known only after apply: prefixes below it are found.
func TestStandInObjectOfAnUnknownBucket(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "data")
	b.ARN = symbol.Concat(lit("arn:aws:s3:::"), symbol.Symbol{Name: "aws_s3_bucket.b.id", Class: symbol.Segment, Unique: true}.Text())
	p := w.user(t, "bob", allow("s3:GetObject", "arn:aws:s3:::placeholder/in/*"))
	setResource(t, p, symbol.Concat(b.ARN, lit("/in/*")))
	r := find(t, run(w, "direct-corporate"), "direct-corporate", "s3:GetObject", "user.bob")
	verdict(t, r, engine.Allowed, 0)
	if got, want := r.Hops[0].Request.Resource.String(), "arn:aws:s3:::${aws_s3_bucket.b.id}/in/example"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What a service's role replays: the trust policy, then the action with the role.
func TestServiceRole(t *testing.T) {
	const elsewhere = `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
	for _, tc := range []struct {
		name, trust string
		there       bool
		want        engine.Verdict
		broken      int
	}{
		{"trusts CloudFormation", trustsCFN, true, engine.Allowed, 0},
		{"trusts it among others", elsewhere + "," + trustsCFN, true, engine.Allowed, 0},
		{"trusts another service", elsewhere, false, 0, 0},
		{"trusts nobody", "", false, 0, 0},
		{"a Deny does not admit", strings.Replace(trustsCFN, "Allow", "Deny", 1), false, 0, 0},
		{"and denies it", trustsCFN + "," + strings.Replace(trustsCFN, "Allow", "Deny", 1), true, engine.ExplicitDeny, 2},
		{"trusts everybody", strings.Replace(trustsCFN, `{"Service":"cloudformation.amazonaws.com"}`, everyone, 1), true, engine.Allowed, 0},
		{"trusts everybody under AWS", strings.Replace(trustsCFN, `{"Service":"cloudformation.amazonaws.com"}`, `{"AWS":"*"}`, 1), true, engine.Allowed, 0},
		{"trusts the account", strings.Replace(trustsCFN, `{"Service":"cloudformation.amazonaws.com"}`, `{"AWS":"`+account+`"}`, 1), false, 0, 0},
		{"asks for the source account", strings.Replace(trustsCFN, "}", `},"Condition":{"StringEquals":{"aws:SourceAccount":"`+account+`"}}`, 1), true, engine.Unknown, 2},
		{"asks for another source account", strings.Replace(trustsCFN, "}", `},"Condition":{"StringEquals":{"aws:SourceAccount":"444455556666"}}`, 1), true, engine.ImplicitDeny, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.role(t, "stack", tc.trust, allow("s3:*", "*"))
			w.bucket(t, "data")
			res := run(w, "cloudformation-service-role")
			if !tc.there {
				if len(res.Replays) > 0 {
					t.Errorf("got %s, want none", keyOf(res.Replays[0]))
				}
				return
			}
			r := find(t, res, "cloudformation-service-role", "s3:PutObject", "role.stack")
			verdict(t, r, tc.want, tc.broken)
		})
	}
	w := newWorld(t)
	w.role(t, "stack", trustsCFN, allow("s3:*", "*"))
	w.bucket(t, "data").Region = lit("us-west-2")
	r := find(t, run(w, "cloudformation-service-role"), "cloudformation-service-role", "s3:PutObject", "role.stack")
	role := "arn:aws:iam::" + account + ":role/stack"
	if got, want := hops(r), []string{
		"?1 caller cloudformation:CreateStack arn:aws:cloudformation:eu-west-1:" + account + ":stack/example/example allowed",
		"?1 caller iam:PassRole " + role + " allowed",
		"2 service-principal sts:AssumeRole " + role + " allowed",
		"3 service-role s3:PutObject arn:aws:s3:::data/example allowed",
	}; !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, want := range []struct {
		hop        int
		key, value string
	}{
		{0, "aws:PrincipalArn", "arn:aws:iam::" + account + ":role/" + chain.StandInAdmin},
		{1, "iam:PassedToService", "cloudformation.amazonaws.com"},
		{1, "aws:RequestedRegion", "us-east-1"}, // IAM is a global service
		{2, "aws:PrincipalServiceName", "cloudformation.amazonaws.com"},
		{2, "aws:SourceAccount", "?" + account},
		{3, "aws:PrincipalArn", role},
		{3, "aws:ViaAWSService", "true"},
		{3, "aws:CalledVia", "cloudformation.amazonaws.com"},
		{3, "aws:RequestedRegion", "us-west-2"},
		{3, "aws:SourceIp", "?${the address CloudFormation passes on}"},
	} {
		if got := value(t, r, want.hop, want.key); got != want.value {
			t.Errorf("hop %d, %s: got %q, want %q", want.hop, want.key, got, want.value)
		}
	}
}

// Services that a policy of a target lets in, each with the actions it is allowed.
func TestServicePrincipals(t *testing.T) {
	const topic = "arn:aws:sns:eu-west-1:" + account + ":t"
	const key = "arn:aws:kms:eu-west-1:" + account + ":key/1"
	for _, tc := range []struct {
		name, target, policy string
		want                 []string // "service action resource verdict"
	}{
		{"a literal action", topic, statement("Allow", service("events.amazonaws.com"), "sns:Publish", topic, ""), []string{"events.amazonaws.com sns:Publish " + topic + " allowed"}},
		{"denied by another statement", topic, statement("Allow", service("events.amazonaws.com"), "sns:Publish", topic, "") + "," + statement("Deny", everyone, "*", "*", ""), []string{"events.amazonaws.com sns:Publish " + topic + " explicitDeny"}},
		{"a wildcard at the end", key, statement("Allow", service("logs.amazonaws.com"), "kms:Decrypt*", "*", ""), []string{"logs.amazonaws.com kms:Decrypt " + key + " allowed"}},
		{"a wildcard on a bucket", "", statement("Allow", service("guardduty.amazonaws.com"), "s3:Put*", "*", ""), []string{"guardduty.amazonaws.com s3:PutObject arn:aws:s3:::data/example allowed"}},
		{"all of S3 on a bucket", "", statement("Allow", service("guardduty.amazonaws.com"), "s3:*", "*", ""), []string{
			"guardduty.amazonaws.com s3:GetObject arn:aws:s3:::data/example allowed", "guardduty.amazonaws.com s3:ListBucket arn:aws:s3:::data allowed", "guardduty.amazonaws.com s3:PutObject arn:aws:s3:::data/example allowed"}},
		{"an action in other case", "", statement("Allow", service("guardduty.amazonaws.com"), "s3:putobject", "arn:aws:s3:::data/*", ""), []string{"guardduty.amazonaws.com s3:putobject arn:aws:s3:::data/example allowed"}},
		{"a prefix", "", statement("Allow", service("inspector2.amazonaws.com"), "s3:PutObject", "arn:aws:s3:::data/AWSLogs/*", ""), []string{"inspector2.amazonaws.com s3:PutObject arn:aws:s3:::data/AWSLogs/example allowed"}},
		{"the bucket itself", "", statement("Allow", service("guardduty.amazonaws.com"), "s3:GetBucketAcl", "arn:aws:s3:::data", ""), []string{"guardduty.amazonaws.com s3:GetBucketAcl arn:aws:s3:::data allowed"}},
		{"what the statement asks for", "", statement("Allow", service("inspector2.amazonaws.com"), "s3:PutObject", "*",
			`{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":"444455556666"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:*:444455556666:*"}}`),
			[]string{"inspector2.amazonaws.com s3:PutObject arn:aws:s3:::data/example allowed"}},
		{"a key and what it asks for", key, statement("Allow", service("cloudtrail.amazonaws.com"), "kms:GenerateDataKey*", "*", `{"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:`+account+`:*"}}`),
			[]string{"cloudtrail.amazonaws.com kms:GenerateDataKey " + key + " allowed"}},
		{"a key and what is not documented", key, statement("Allow", service("sns.amazonaws.com"), "kms:Decrypt", "*", `{"StringEquals":{"kms:CallerAccount":"`+account+`"}}`), []string{"sns.amazonaws.com kms:Decrypt " + key + " unknown"}},
		{"no Deny, no NotAction", "", statement("Deny", service("guardduty.amazonaws.com"), "s3:PutObject", "*", "") + `,{"Effect":"Allow","Principal":{"Service":"guardduty.amazonaws.com"},"NotAction":"s3:*","Resource":"*"}`, nil},
		{"NotAction means the data actions that it does not list", "", `{"Effect":"Allow","Principal":{"Service":"guardduty.amazonaws.com"},"NotAction":["s3:Get*","sns:*"],"Resource":"*"}`, []string{
			"guardduty.amazonaws.com s3:ListBucket arn:aws:s3:::data allowed", "guardduty.amazonaws.com s3:PutObject arn:aws:s3:::data/example allowed"}},
		{"NotAction on a resource without data actions", topic, `{"Effect":"Allow","Principal":{"Service":"guardduty.amazonaws.com"},"NotAction":"s3:*","Resource":"*"}`, nil},
		{"two statements, one replay", topic, statement("Allow", service("events.amazonaws.com"), "sns:Publish", topic, "") + "," + statement("Allow", service("events.amazonaws.com"), "sns:Publish", "*", ""), []string{"events.amazonaws.com sns:Publish " + topic + " allowed"}},
		{"two services", topic, statement("Allow", `{"Service":["events.amazonaws.com","s3.amazonaws.com"]}`, "sns:Publish", topic, ""), []string{"events.amazonaws.com sns:Publish " + topic + " allowed", "s3.amazonaws.com sns:Publish " + topic + " allowed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			if tc.target == "" {
				w.bucket(t, "data", tc.policy)
			} else {
				w.resource(t, tc.target, tc.policy)
			}
			var got []string
			for _, r := range run(w, "service-principal").Replays {
				got = append(got, fmt.Sprint(r.Principal.Name(), " ", r.Action, " ", r.Hops[0].Request.Resource, " ", r.Verdict))
			}
			slices.Sort(got)
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// CloudTrail: where it writes, and on whose behalf.
func TestCloudTrail(t *testing.T) {
	put := func(resource, condition string) string {
		return statement("Allow", service("cloudtrail.amazonaws.com"), "s3:PutObject", "arn:aws:s3:::logs/"+resource, condition)
	}
	acl := statement("Allow", service("cloudtrail.amazonaws.com"), "s3:GetBucketAcl", "arn:aws:s3:::logs", "")
	const trail = "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/t"
	for _, tc := range []struct {
		name, policy, prefix string
		trail                bool
		object, source       string
		want                 engine.Verdict
	}{
		{"no prefix", acl + "," + put("AWSLogs/"+account+"/*", ""), "", false, "AWSLogs/" + account + "/CloudTrail/example", "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/example", engine.Allowed},
		{"a prefix of the policy", acl + "," + put("p/q/AWSLogs/"+account+"/*", ""), "", false, "p/q/AWSLogs/" + account + "/CloudTrail/example", "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/example", engine.Allowed},
		{"a trail of the input", acl + "," + put("p/AWSLogs/"+account+"/*", ""), "p", true, "p/AWSLogs/" + account + "/CloudTrail/example", trail, engine.Allowed},
		{"a trail with another prefix", acl + "," + put("p/AWSLogs/"+account+"/*", ""), "q", true, "q/AWSLogs/" + account + "/CloudTrail/example", trail, engine.ImplicitDeny},
		{"a trail and no policy", "", "", true, "AWSLogs/" + account + "/CloudTrail/example", trail, engine.ImplicitDeny},
		{"the source of the policy", acl + "," + put("*", `{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:444455556666:trail/T","s3:x-amz-acl":"bucket-owner-full-control"}}`), "", false,
			"AWSLogs/444455556666/CloudTrail/example", "arn:aws:cloudtrail:us-east-1:444455556666:trail/T", engine.Allowed},
		{"no GetBucketAcl", put("*", ""), "", false, "AWSLogs/" + account + "/CloudTrail/example", "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/example", engine.ImplicitDeny},
		{"a network perimeter", acl + "," + put("*", "") + "," + statement("Deny", everyone, "s3:*", "*", `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`), "", false,
			"AWSLogs/" + account + "/CloudTrail/example", "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/example", engine.ExplicitDeny},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			b := w.bucket(t, "logs")
			if tc.policy != "" {
				b.Policies = append(b.Policies, parse(t, policy.Resource, b.Address, tc.policy))
			}
			if tc.trail {
				w.trails = append(w.trails, chain.Trail{ARN: lit(trail), Bucket: lit("logs"), Prefix: lit(tc.prefix)})
			}
			r := find(t, run(w, "cloudtrail-s3"), "cloudtrail-s3", "s3:PutObject", "cloudtrail.amazonaws.com")
			if r.Verdict != tc.want {
				t.Errorf("got %v, want %v: %q", r.Verdict, tc.want, hops(r))
			}
			if got, want := r.Hops[1].Request.Resource.String(), "arn:aws:s3:::logs/"+tc.object; got != want {
				t.Errorf("object: got %s, want %s", got, want)
			}
			if got := value(t, r, 1, "aws:SourceArn"); got != tc.source {
				t.Errorf("source: got %s, want %s", got, tc.source)
			}
			if got := value(t, r, 1, "s3:x-amz-acl"); got != "bucket-owner-full-control" {
				t.Errorf("acl: got %q", got)
			}
		})
	}
	w := newWorld(t)
	w.bucket(t, "data", statement("Allow", service("config.amazonaws.com"), "s3:PutObject", "*", ""))
	w.trails = append(w.trails, chain.Trail{ARN: lit(trail), Bucket: lit("logs")})
	if res := run(w, "cloudtrail-s3"); len(res.Replays) > 0 {
		t.Error("CloudTrail is replayed on a bucket that has nothing to do with it")
	}
}

// Networks are read off the policies of a replay.
func TestNetworks(t *testing.T) {
	bucket := func(effect, condition string) string { return statement(effect, everyone, "s3:*", "*", condition) }
	ip := func(op string, ranges ...string) string {
		return `{"` + op + `":{"aws:SourceIp":["` + strings.Join(ranges, `","`) + `"]}}`
	}
	for _, tc := range []struct {
		name                string
		policies            []string
		corporate, internet string // internet empty: left out
	}{
		{"none named", nil, "192.0.2.1", "198.51.100.1"},
		{"Deny+NotIpAddress", []string{bucket("Deny", ip("NotIpAddress", "203.0.113.0/24"))}, "203.0.113.1", "198.51.100.1"},
		{"Deny+NotIpAddressIfExists", []string{bucket("Deny", ip("NotIpAddressIfExists", "203.0.113.0/24"))}, "203.0.113.1", "198.51.100.1"},
		{"Allow+IpAddress", []string{bucket("Allow", ip("IpAddress", "198.51.100.0/24"))}, "198.51.100.1", "192.0.2.1"},
		{"one address", []string{bucket("Allow", ip("IpAddress", "198.51.100.7"))}, "198.51.100.7", "198.51.100.1"},
		{"/31", []string{bucket("Allow", ip("IpAddress", "198.51.100.4/31"))}, "198.51.100.4", "198.51.100.1"},
		{"the lowest of several ranges", []string{bucket("Allow", ip("IpAddress", "203.0.113.0/24", "198.51.100.0/24"))}, "198.51.100.1", "192.0.2.1"},
		{"nested ranges", []string{bucket("Allow", ip("IpAddress", "203.0.0.0/16")), bucket("Deny", ip("NotIpAddress", "203.0.113.0/24"))}, "203.0.113.1", "198.51.100.1"},
		{"most of three", []string{bucket("Allow", ip("IpAddress", "198.51.100.0/24")), bucket("Deny", ip("NotIpAddress", "203.0.113.0/24")), bucket("Deny", ip("NotIpAddress", "203.0.113.128/25"))}, "203.0.113.129", "192.0.2.1"},
		{"Deny+IpAddress inside an Allow", []string{bucket("Allow", ip("IpAddress", "203.0.113.0/24")), bucket("Deny", ip("IpAddress", "203.0.113.0/28"))}, "203.0.113.16", "198.51.100.1"},
		{"Allow+NotIpAddress inside an Allow", []string{bucket("Allow", ip("IpAddress", "203.0.113.0/24")), bucket("Allow", ip("NotIpAddress", "203.0.113.1"))}, "203.0.113.2", "198.51.100.1"},
		{"only shut out", []string{bucket("Deny", ip("IpAddress", "192.0.2.0/24"))}, "198.51.100.1", "203.0.113.1"},
		{"only others shut out", []string{bucket("Deny", ip("IpAddress", "198.51.100.0/24"))}, "192.0.2.1", "203.0.113.1"},
		{"only private ranges", []string{bucket("Allow", ip("IpAddress", "10.0.0.0/8", "192.168.0.0/16"))}, "192.0.2.1", "198.51.100.1"},
		{"a private range beside a public one", []string{bucket("Allow", ip("IpAddress", "10.0.0.0/8", "203.0.113.0/24"))}, "203.0.113.1", "198.51.100.1"},
		{"all outsiders", []string{bucket("Allow", ip("IpAddress", "198.51.100.0/24", "192.0.2.0/24", "203.0.113.0/24"))}, "192.0.2.1", "8.8.8.8"},
		{"everything", []string{bucket("Allow", ip("IpAddress", "0.0.0.0/0"))}, "0.0.0.1", ""},
		{"IPv6", []string{bucket("Allow", ip("IpAddress", "2001:db8::/32"))}, "2001:db8::1", "198.51.100.1"},
		{"both families", []string{bucket("Allow", ip("IpAddress", "2001:db8::/32", "203.0.113.0/24"))}, "203.0.113.1", "198.51.100.1"},
		{"no range in it", []string{bucket("Deny", `{"StringNotEquals":{"aws:SourceIp":"203.0.113.0/24"},"NotIpAddress":{"aws:SourceIp":"office"}}`)}, "192.0.2.1", "198.51.100.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.bucket(t, "data", tc.policies...)
			res := run(w, "direct-corporate", "direct-internet")
			r := find(t, res, "direct-corporate", "s3:GetObject", chain.StandInAdmin)
			if got := value(t, r, 0, "aws:SourceIp"); got != tc.corporate {
				t.Errorf("corporate: got %s, want %s", got, tc.corporate)
			}
			if value(t, r, 0, "aws:SourceVpc")+value(t, r, 0, "aws:SourceVpce")+value(t, r, 0, "aws:VpcSourceIp") != "" {
				t.Error("the corporate network has keys of a VPC")
			}
			if tc.internet == "" {
				if len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "direct-internet is left out") {
					t.Errorf("notes: got %q", res.Notes)
				}
				for _, r := range res.Replays {
					if r.Chain.ID == "direct-internet" && r.Target.Kind == chain.BucketTarget {
						t.Errorf("%s is replayed", keyOf(r))
					}
				}
				return
			}
			if got := value(t, find(t, res, "direct-internet", "s3:GetObject", chain.StandInAdmin), 0, "aws:SourceIp"); got != tc.internet {
				t.Errorf("internet: got %s, want %s", got, tc.internet)
			}
		})
	}
}

// The policies of the principal take part too, and those of others do not.
func TestNetworksOfThePrincipal(t *testing.T) {
	w := newWorld(t)
	from := func(r string) string {
		return statement("Allow", "", "s3:*", "*", `{"IpAddress":{"aws:SourceIp":"`+r+`"}}`)
	}
	w.user(t, "bob", from("203.0.113.0/24"))
	w.user(t, "eve", from("198.51.100.0/24"))
	w.user(t, "ann", allow("s3:*", "*")).Boundary = []policy.Attached{parse(t, policy.Boundary, "b", from("192.0.2.128/25"))}
	w.user(t, "sam", allow("s3:*", "*")).SCP = []engine.Level{{parse(t, policy.SCP, "s", from("192.0.2.64/26"))}}
	w.bucket(t, "data")
	res := run(w, "direct-corporate")
	for who, want := range map[string]string{"bob": "203.0.113.1", "eve": "198.51.100.1", "ann": "192.0.2.129", "sam": "192.0.2.65"} {
		r := find(t, res, "direct-corporate", "s3:GetObject", "user."+who)
		verdict(t, r, engine.Allowed, 0)
		if got := value(t, r, 0, "aws:SourceIp"); got != want {
			t.Errorf("%s: got %s, want %s", who, got, want)
		}
	}
}

// The endpoint: the input's for the service, else the ids that conditions name,
// else a stand-in.
func TestEndpoints(t *testing.T) {
	const named = `{"StringNotEquals":{"aws:SourceVpc":"vpc-named","aws:SourceVpce":["vpce-*","vpce-named"]}}`
	w := newWorld(t)
	w.user(t, "bob", allow("*", "*"))
	b := w.bucket(t, "data")
	direct := func() *chain.Replay {
		return find(t, run(w, "direct-vpc-endpoint"), "direct-vpc-endpoint", "s3:GetObject", "user.bob")
	}
	check := func(r *chain.Replay, vpc, vpce string) {
		t.Helper()
		if got := value(t, r, 0, "aws:SourceVpc") + " " + value(t, r, 0, "aws:SourceVpce"); got != vpc+" "+vpce {
			t.Errorf("got %s, want %s %s", got, vpc, vpce)
		}
		if got := value(t, r, 0, "aws:SourceIp"); got != "" {
			t.Errorf("aws:SourceIp: got %s", got)
		}
	}
	check(direct(), "vpc-0tfguardstandin0", "vpce-0tfguardstandin0")
	b.Policies = append(b.Policies, parse(t, policy.Resource, "p", statement("Deny", everyone, "s3:*", "*", named)))
	check(direct(), "vpc-named", "vpce-named")
	verdict(t, direct(), engine.Allowed, 0)
	w.endpoints = append(w.endpoints, chain.Endpoint{ID: lit("vpce-athena"), VPC: lit("vpc-a"), Service: "athena"})
	check(direct(), "vpc-named", "vpce-named")
	w.endpoints = append(w.endpoints, chain.Endpoint{ID: lit("vpce-s3"), VPC: lit("vpc-b"), Service: "s3",
		Policies: []policy.Attached{parse(t, policy.VPCEndpoint, "e", statement("Allow", everyone, "s3:ListBucket", "*", ""))}})
	check(direct(), "vpc-b", "vpce-s3")
	verdict(t, direct(), engine.ExplicitDeny, 1)

	// V46: the policy of the endpoint holds for the call that enters through it, and
	// neither it nor the keys hold for the calls after it.
	b.Policies = nil
	verdict(t, direct(), engine.ImplicitDeny, 1)
	r := find(t, run(w, "athena-privatelink"), "athena-privatelink", "s3:GetObject", "user.bob")
	verdict(t, r, engine.Allowed, 0)
	check(r, "vpc-a", "vpce-athena")
	last := len(r.Hops) - 1
	if got := value(t, r, last, "aws:SourceVpc") + value(t, r, last, "aws:SourceVpce"); got != "" {
		t.Errorf("the keys of the endpoint are passed on: %s", got)
	}
	if got := value(t, r, last, "aws:SourceIp"); got != "?240.0.0.1" {
		t.Errorf("aws:SourceIp after an endpoint: got %s", got)
	}
	w.endpoints[0].Policies = []policy.Attached{parse(t, policy.VPCEndpoint, "e", statement("Deny", everyone, "*", "*", ""))}
	verdict(t, find(t, run(w, "athena-privatelink"), "athena-privatelink", "s3:GetObject", "user.bob"), engine.ExplicitDeny, 1)

	// The private address is the lowest host of the first range that is named.
	b.Policies = append(b.Policies, parse(t, policy.Resource, "p", statement("Allow", everyone, "s3:*", "*", `{"IpAddress":{"aws:VpcSourceIp":["10.9.0.0/16","10.1.0.0/16"]}}`)))
	if got := value(t, direct(), 0, "aws:VpcSourceIp"); got != "10.9.0.1" {
		t.Errorf("aws:VpcSourceIp: got %s", got)
	}
}

// Stand-ins: an administrator of the account, one of the organization, one outside.
func TestStandIns(t *testing.T) {
	for _, tc := range []struct {
		name, policy        string
		admin, org, outside engine.Verdict
		anonymous           engine.Verdict
	}{
		{"no policy", "", engine.Allowed, engine.ImplicitDeny, engine.ImplicitDeny, engine.ImplicitDeny},
		{"public", statement("Allow", everyone, "s3:*", "*", ""), engine.Allowed, engine.Allowed, engine.Allowed, engine.Allowed},
		{"the organization", statement("Allow", everyone, "s3:*", "*", `{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`), engine.Allowed, engine.Allowed, engine.ImplicitDeny, engine.ImplicitDeny},
		{"not the organization", statement("Allow", everyone, "s3:*", "*", "") + "," + statement("Deny", everyone, "s3:*", "*", `{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}`), engine.Allowed, engine.Allowed, engine.ExplicitDeny, engine.ExplicitDeny},
		{"the account", statement("Allow", `{"AWS":"`+account+`"}`, "s3:*", "*", ""), engine.Allowed, engine.ImplicitDeny, engine.ImplicitDeny, engine.ImplicitDeny},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			b := w.bucket(t, "data")
			if tc.policy != "" {
				b.Policies = append(b.Policies, parse(t, policy.Resource, "p", tc.policy))
			}
			res := run(w, "direct-corporate", "anonymous")
			for who, want := range map[string]engine.Verdict{chain.StandInAdmin: tc.admin, chain.StandInOrg: tc.org, chain.StandInOutside: tc.outside} {
				if r := find(t, res, "direct-corporate", "s3:GetObject", who); r.Verdict != want {
					t.Errorf("%s: got %v, want %v", who, r.Verdict, want)
				}
			}
			r := find(t, res, "anonymous", "s3:GetObject", "anonymous")
			if r.Verdict != tc.anonymous || r.Principal.Name().String() != "anonymous" {
				t.Errorf("%v: got %v, want %v", r.Principal.Name(), r.Verdict, tc.anonymous)
			}
		})
	}
}

// Organization policies: SCP bind callers by their account, RCP the bucket; neither
// binds the management account.
func TestOrganizationPolicies(t *testing.T) {
	denyS3 := []engine.Level{{parse(t, policy.SCP, "scp", allow("*", "*")+","+deny("s3:*", "*"))}}
	w := newWorld(t)
	w.user(t, "bob", allow("*", "*")).SCP = denyS3
	b := w.bucket(t, "data", statement("Allow", everyone, "s3:*", "*", ""))
	w.env.SCP, w.env.OrgSCP = denyS3, nil
	get := func(who string) *chain.Replay {
		return find(t, run(w, "direct-corporate", "anonymous"), map[bool]string{true: "anonymous", false: "direct-corporate"}[who == "anonymous"], "s3:GetObject", who)
	}
	verdict(t, get("user.bob"), engine.ExplicitDeny, 1)
	verdict(t, get(chain.StandInAdmin), engine.ExplicitDeny, 1)
	verdict(t, get(chain.StandInOrg), engine.Allowed, 0)
	verdict(t, get("anonymous"), engine.Allowed, 0)
	b.RCP = []engine.Level{{parse(t, policy.RCP, "rcp", statement("Deny", everyone, "s3:*", "*", ""))}}
	verdict(t, get(chain.StandInOutside), engine.ExplicitDeny, 1)
	verdict(t, get("anonymous"), engine.ExplicitDeny, 1)
	w.env.ManagementAccount = true
	verdict(t, get(chain.StandInAdmin), engine.Allowed, 0)
	verdict(t, get("anonymous"), engine.Allowed, 0)
	b.RestrictPublic = kleene.True
	verdict(t, get("anonymous"), engine.ExplicitDeny, 1)
}

func TestPrincipalName(t *testing.T) {
	p := chain.Principal{Caller: request.Caller{Principal: request.Principal{Kind: request.ServicePrincipal, Service: "x.amazonaws.com"}}}
	if got := p.Name().String(); got != "x.amazonaws.com" {
		t.Errorf("got %s", got)
	}
	r := chain.RoleSession(lit("aws-cn"), lit("1"), lit("role/team/R"), lit("R"))
	if r.ARN.String() != "arn:aws-cn:iam::1:role/team/R" || r.Session.String() != "arn:aws-cn:sts::1:assumed-role/R/tfguard-session" {
		t.Errorf("got %v and %v", r.ARN, r.Session)
	}
}

// BenchmarkRun replays every chain of 300 roles on 300 buckets, each role with one
// bucket of its own and a shared one.
func BenchmarkRun(b *testing.B) {
	for _, most := range []int{5000, 0} {
		b.Run(fmt.Sprintf("max=%d", most), func(b *testing.B) {
			w := newWorld(b)
			for i := range 300 {
				n := fmt.Sprintf("app-%03d", i)
				w.role(b, n, trustsCFN, allow("s3:*", "arn:aws:s3:::"+n+"*")+","+allow("s3:GetObject", "arn:aws:s3:::app-000/*"), allow("athena:*", "*")+","+allow("glue:Get*", "*"))
				w.bucket(b, n, statement("Deny", everyone, "s3:*", "arn:aws:s3:::"+n+"/*", `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`)+","+
					statement("Allow", `{"AWS":"`+account+`"}`, "s3:ListBucket", "arn:aws:s3:::"+n, ""))
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = len(chain.Run(w, chain.Options{MaxReplays: most}).Replays)
			}
			b.ReportMetric(float64(n), "replays")
		})
	}
}
