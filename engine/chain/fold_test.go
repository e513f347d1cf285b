package chain_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// expand maps every replay of a folded result, for all pairs it stands for, to its
// verdict.
func expand(t testing.TB, res chain.Result) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(k, v string) {
		if old, ok := out[k]; ok {
			t.Errorf("%s has two replays: %s and %s", k, old, v)
		}
		out[k] = v
	}
	text := func(r *chain.Replay) string { return fmt.Sprintf("%v at %d", r.Verdict, r.BrokenHop) }
	grouped := map[int]bool{}
	pairs := 0
	for _, g := range res.Groups {
		n := 0
		for _, b := range g.Blocks {
			n += len(b.Principals) * len(b.Targets)
		}
		pairs += n - 1
		for _, i := range g.Replays {
			grouped[i] = true
			r := res.Replays[i]
			own := false
			for _, b := range g.Blocks {
				for _, p := range b.Principals {
					for _, t := range b.Targets {
						own = own || p == r.Principal && t == r.Target
						add(key(r.Chain.ID, r.Action, identity(p), t), text(r))
					}
				}
			}
			if !own {
				t.Errorf("%s stands for pairs of which it is none", keyOf(r))
			}
		}
	}
	if pairs != res.Folded {
		t.Errorf("folded: got %d, the groups say %d", res.Folded, pairs)
	}
	for i, r := range res.Replays {
		if !grouped[i] {
			add(key(r.Chain.ID, r.Action, identity(r.Principal), r.Target), text(r))
		}
	}
	return out
}

// identity names a principal; a service's with what it calls for.
func identity(p *chain.Principal) string {
	return principalName(p) + p.Caller.Source.String()
}

// same fails if folding changes a verdict, or which replays there are.
func same(t testing.TB, w *world, fail func(string, ...any)) (folded int) {
	t.Helper()
	plain, short := chain.Run(w, chain.Options{}), chain.Run(w, chain.Options{MaxReplays: 1})
	if len(plain.Groups) > 0 || plain.Folded > 0 {
		fail("without a bound something is folded")
	}
	want, got := expand(t, plain), expand(t, short)
	for k, v := range want {
		if got[k] != v {
			fail("%s: folded %q, alone %q", k, got[k], v)
		}
	}
	for k, v := range got {
		if _, ok := want[k]; !ok {
			fail("%s: folded %q, alone not there", k, v)
		}
	}
	if plain.Unrelated != short.Unrelated || !slices.Equal(plain.Notes, short.Notes) {
		fail("unrelated %d and %d, notes %q and %q", plain.Unrelated, short.Unrelated, plain.Notes, short.Notes)
	}
	return short.Folded
}

// Folding never changes a verdict: names, resources and conditions that could make
// two principals or two buckets look alike.
func TestFoldRandomWorlds(t *testing.T) {
	bound(t)
	total := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := randomWorld(t, rt)
		defer chain.MentionFewer(rapid.SampledFrom([]int{0, 1, 8}).Draw(rt, "few"))()
		total += same(t, w, func(format string, args ...any) { rt.Fatalf(format+"\n"+render(w), append(args, nil)[:len(args)]...) })
	})
	if total == 0 {
		t.Error("nothing was folded in any world")
	}
}

// bound makes fewer random worlds than rapid would, as each is replayed as a whole;
// -rapid.checks goes before it.
func bound(t *testing.T) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	n := "40"
	if testing.Short() {
		n = "20"
	}
	t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
	if err := f.Value.Set(n); err != nil {
		t.Fatal(err)
	}
}

func render(w *world) string {
	var b strings.Builder
	for _, p := range w.principals {
		fmt.Fprintf(&b, "%s", p.Address)
		for _, d := range slices.Concat(p.Identity, p.Boundary) {
			fmt.Fprintf(&b, "\n  %s %v %q %+v", d.Kind, d.Sure, d.Unread, d.Statements)
		}
		b.WriteString("\n")
	}
	for _, x := range w.targets {
		fmt.Fprintf(&b, "%s %v\n", x.Address, x.RestrictPublic)
	}
	return strings.ReplaceAll(b.String(), "%", "%%")
}

func randomWorld(t testing.TB, rt *rapid.T) *world {
	w := newWorld(t)
	oneOf := func(label string, s ...string) string { return rapid.SampledFrom(s).Draw(rt, label) }
	names := []string{"s3", "ec2", "a", "Get", "Put", "example", "default", "eu-west-1", "us-east-1", "cloudformation", "lambda", "app-1", "app-2", "admin-1", "athena", "glue"}
	buckets := []string{"data", "logs", "cloudtrail", "config", "app-1", "app-2", "example"}
	condition := func(n string) string {
		return oneOf("condition", "", "", "", "",
			`{"StringEquals":{"aws:RequestedRegion":"`+n+`"}}`,
			`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin-*"}}`,
			`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:*/app-1"}}`,
			`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:*/`+n+`"}}`,
			`{"StringLike":{"aws:userid":"*:a*"}}`,
			`{"StringEquals":{"aws:PrincipalTag/team":"`+n+`"}}`,
			`{"StringEquals":{"aws:PrincipalTag/team":"${aws:username}"}}`,
			`{"StringLike":{"s3:prefix":"${aws:username}/*"}}`,
			`{"StringEquals":{"aws:RequestedRegion":"${aws:PrincipalTag/team}"}}`,
			`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`,
			`{"StringNotEquals":{"aws:CalledViaFirst":"athena.amazonaws.com"}}`,
			`{"Bool":{"aws:ViaAWSService":"true"}}`,
			`{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`)
	}
	key := func(n string) string {
		b := oneOf("bucket", append(buckets, "*", n, "app-*", "?pp-1", "<<bucket.app-1>>", "<<bucket.NAME>>", "<anything>")...)
		return "arn:aws:s3:::" + b + oneOf("key", "", "/*", "/"+n+"/*", "/${aws:username}/*", "/app-1/*", "/exa*", "*")
	}
	resource := func(n string) string {
		return oneOf("resource", "*", "*", key(n), key(n), key(n), "<r.NAME>", "<r>/*", "<r.NAME>/example",
			"arn:aws:athena:*:*:workgroup/"+n, "arn:aws:athena:*:*:workgroup/a*", "arn:aws:"+n+":eu-west-1:"+account+":*",
			"arn:aws:glue:"+n+":*:*", "arn:aws:glue:*:*:*", "arn:aws:ec2:*:*:instance/*", "arn:aws:cloudformation:*:*:stack/"+n+"/*", "arn:aws:*:*:*:*"+n+"*")
	}
	action := func() string {
		return oneOf("action", "*", "s3:*", "s3:Get*", "s3:PutObject", "s3:ListBucket", "ec2:*", "athena:*", "glue:*", "cloudformation:*")
	}
	own := func(n string) string {
		s := oneOf("shape", "Resource", "Resource", "Resource", "NotResource")
		a := statement(oneOf("effect", "Allow", "Allow", "Allow", "Deny"), "", action(), resource(n), condition(n))
		if n == "s3" || n == "ec2" || n == "Get" || n == "Put" {
			a = strings.Replace(a, `"Action":"*"`, `"Action":"`+strings.TrimSuffix(map[string]string{"s3": "s3:*", "ec2": "ec2:*", "Get": "s3:GetObject", "Put": "s3:PutObject"}[n], "")+`"`, 1)
		}
		return strings.Replace(a, `"Resource"`, `"`+s+`"`, 1)
	}
	// Few policies, for many principals: all with their name in the same places.
	policies := func(label string, n func() string, draw func(string) string) func(string) string {
		var shapes []string
		for range rapid.IntRange(1, 3).Draw(rt, label) {
			var statements []string
			for range rapid.IntRange(1, 3).Draw(rt, "statements") {
				statements = append(statements, draw(n()))
			}
			shapes = append(shapes, oneOf("attached", "", "", "", "", "?")+strings.Join(statements, ","))
		}
		return func(name string) string {
			return strings.ReplaceAll(rapid.SampledFrom(shapes).Draw(rt, "policy"), "NAME", name)
		}
	}
	placeholder := func() string { return oneOf("name in it", "NAME", "NAME", "app-1") }
	identity := policies("identities", placeholder, own)
	boundary := policies("boundaries", placeholder, own)
	var scp []policy.Attached
	if rapid.Bool().Draw(rt, "scp") {
		scp = append(scp, parse(t, policy.SCP, "scp", allow("*", "*")+","+own("app-1")))
	}
	// Most principals are alike but for their name.
	users, bounded := rapid.Bool().Draw(rt, "users"), rapid.Bool().Draw(rt, "bounded")
	trust := oneOf("trust", "", trustsCFN, strings.ReplaceAll(trustsCFN, "cloudformation", "NAME"), strings.ReplaceAll(trustsCFN, "cloudformation", "lambda"))
	stateless := rapid.IntRange(0, 3).Draw(rt, "unknown account") == 0
	tags := oneOf("tags", "none", "own", "team", "unknown")
	for _, n := range rapid.Permutation(names).Draw(rt, "principals")[:rapid.IntRange(3, 8).Draw(rt, "how many")] {
		var p *chain.Principal
		if users {
			p = w.user(t, n, identity(n))
		} else {
			p = w.role(t, n, strings.ReplaceAll(trust, "NAME", n), identity(n))
		}
		if bounded {
			p.Boundary = append(p.Boundary, parse(t, policy.Boundary, "boundary", boundary(n)))
		}
		if scp != nil {
			p.SCP = append(p.SCP, scp)
		}
		if stateless {
			p.Caller.Principal.ARN = symbol.Concat(lit("arn:aws:iam::"), symbol.Symbol{Name: "account", Class: symbol.Segment, Unique: true}.Text(), lit(":role/"+n))
		}
		switch tags {
		case "own":
			p.Caller.Tags["team"] = lit(n)
		case "team":
			p.Caller.Tags["team"] = lit("app-1")
		case "unknown":
			p.Caller.Tags = nil
		}
	}
	entries := func(n string) string {
		arn := func(n string) string { return `"arn:aws:iam::` + account + oneOf("kind", ":user/", ":role/") + n + `"` }
		return oneOf("entry", everyone, everyone, `{"AWS":"`+account+`"}`, `{"AWS":`+arn("app-1")+`}`, `{"AWS":`+arn("NAME")+`}`, `{"AWS":"<p.NAME>"}`, `{"AWS":"arn:aws:iam::<<account>>:role/app-1"}`, `{"AWS":[`+arn("a")+`,`+arn("app-2")+`,"`+account+`"]}`,
			`{"AWS":"arn:aws:sts::`+account+`:assumed-role/app-1/tfguard-session"}`, service("cloudtrail.amazonaws.com"), service(n+".amazonaws.com"), service("config.amazonaws.com"))
	}
	theirs := func(n string) string {
		res := oneOf("resource", "arn:aws:s3:::"+n, "arn:aws:s3:::"+n+"/*", "arn:aws:s3:::"+n+"*", "arn:aws:s3:::"+n+"/app-1/*", "arn:aws:s3:::"+n+"/${aws:username}/*", "arn:aws:s3:::"+n+"/AWSLogs/*", "<t.NAME>", "<t.NAME>/*", "<t>/example", "arn:aws:s3:::<<bucket.NAME>>/*", "arn:aws:s3:::a*/exa*", "*", "arn:aws:s3:::app-1/*")
		s := statement(oneOf("effect", "Allow", "Allow", "Deny"), entries(n), oneOf("action", "s3:*", "s3:GetObject", "s3:PutObject", "s3:List*", "*"), res, condition("app-1"))
		return strings.Replace(s, `"Principal":{"AWS"`, oneOf("not", `"Principal"`, `"Principal"`, `"NotPrincipal"`)+`:{"AWS"`, 1)
	}
	bucketPolicy := policies("bucket policies", func() string { return oneOf("bucket in it", "NAME", "NAME", "NAME", "app-1") }, theirs)
	governed, elsewhere := rapid.IntRange(0, 3).Draw(rt, "governed") > 0, rapid.IntRange(0, 3).Draw(rt, "elsewhere") == 0
	nameless := rapid.IntRange(0, 4).Draw(rt, "unknown names") == 0
	for _, n := range rapid.Permutation(buckets).Draw(rt, "buckets")[:rapid.IntRange(2, 4).Draw(rt, "how many")] {
		b := w.bucket(t, n)
		if governed {
			b.Policies = append(b.Policies, parse(t, policy.Resource, b.Address, bucketPolicy(n)))
		}
		if elsewhere {
			b.Region = lit("us-east-1")
		}
		if nameless && rapid.Bool().Draw(rt, "unknown name") {
			s := symbol.Symbol{Name: "bucket." + n, Class: symbol.Segment, Unique: true}.Text()
			b.ARN = symbol.Concat(lit("arn:aws:s3:::"), s)
		}
	}
	if rapid.Bool().Draw(rt, "trail") {
		w.trails = append(w.trails, chain.Trail{ARN: lit("arn:aws:cloudtrail:eu-west-1:" + account + ":trail/t"), Bucket: lit(buckets[1]), Prefix: lit(oneOf("prefix", "", "p"))})
	}
	return w
}

// What could make two principals or two buckets look alike, one thing at a time.
func TestFoldTellsApart(t *testing.T) {
	const roleARN = "arn:aws:iam::" + account + ":role/"
	for _, tc := range []struct {
		name string
		make func(w *world)
	}{
		{"names that are services", func(w *world) {
			w.role(t, "s3", "", allow("s3:*", "*"))
			w.role(t, "ec2", "", allow("ec2:*", "*"))
			w.bucket(t, "data")
		}},
		{"names that are regions", func(w *world) {
			for _, n := range []string{"eu-west-1", "us-east-1"} {
				w.role(t, n, "", statement("Allow", "", "s3:*", "*", `{"StringEquals":{"aws:RequestedRegion":"`+n+`"}}`))
			}
			w.bucket(t, "data")
		}},
		{"names that a trust policy trusts", func(w *world) {
			for _, n := range []string{"cloudformation", "lambda"} {
				w.role(t, n, strings.ReplaceAll(trustsCFN, "cloudformation", n), allow("*", "*"))
			}
			w.bucket(t, "data")
		}},
		{"a shared guardrail on role names", func(w *world) {
			for _, n := range []string{"admin-1", "dev"} {
				w.role(t, n, "", allow("*", "*")+","+statement("Deny", "", "s3:*", "*", `{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin-*"}}`))
			}
			w.bucket(t, "data")
		}},
		{"an SCP on role names", func(w *world) {
			scp := parse(t, policy.SCP, "scp", allow("*", "*")+","+statement("Deny", "", "s3:*", "*", `{"StringNotLike":{"aws:PrincipalArn":"*admin*"}}`))
			for _, n := range []string{"admin-1", "dev"} {
				w.role(t, n, "", allow("*", "*")).SCP = []engine.Level{{scp}}
			}
			w.bucket(t, "data")
		}},
		{"NotPrincipal", func(w *world) {
			w.role(t, "app-1", "", allow("*", "*"))
			w.role(t, "app-2", "", allow("*", "*"))
			w.bucket(t, "data", `{"Effect":"Deny","NotPrincipal":{"AWS":["`+roleARN+`app-1","`+account+`"]},"Action":"s3:*","Resource":"*"}`)
		}},
		{"a key below the own name", func(w *world) {
			for _, n := range []string{"app-1", "app-2"} {
				w.role(t, n, "", allow("s3:*", "arn:aws:s3:::data/"+n+"/*"))
			}
			w.bucket(t, "data", statement("Deny", everyone, "s3:*", "arn:aws:s3:::data/app-1/*", ""))
		}},
		{"a key below the user's name", func(w *world) {
			for _, n := range []string{"bob", "eve"} {
				w.user(t, n, allow("s3:*", "arn:aws:s3:::data/${aws:username}/*"))
			}
			w.bucket(t, "data", statement("Deny", everyone, "s3:*", "arn:aws:s3:::data/b*", ""))
		}},
		{"a workgroup of the own name", func(w *world) {
			for _, n := range []string{"app-1", "app-2"} {
				w.role(t, n, "", allow("s3:*", "*")+","+allow("glue:*", "*")+","+allow("athena:*", "arn:aws:athena:*:*:workgroup/"+n)+","+deny("*", "arn:aws:athena:*:*:workgroup/*1"))
			}
			w.bucket(t, "data")
		}},
		{"a service in a resource", func(w *world) {
			for _, n := range []string{"athena", "glue"} {
				w.role(t, n, "", allow("s3:*", "*")+","+allow("*", "arn:aws:"+n+":*:*:*"))
			}
			w.bucket(t, "data")
		}},
		{"a tag used as a variable", func(w *world) {
			for _, n := range []string{"eu-west-1", "us-east-1"} {
				w.role(t, n, "", statement("Allow", "", "s3:*", "*", `{"StringEquals":{"aws:RequestedRegion":"${aws:PrincipalTag/r}"}}`)).Caller.Tags["r"] = lit(n)
			}
			w.bucket(t, "data")
		}},
		{"no boundary and an empty one", func(w *world) {
			w.role(t, "a", "", allow("*", "*"))
			w.role(t, "b", "", allow("*", "*")).Boundary = []policy.Attached{}
			w.bucket(t, "data")
		}},
		{"two organizations", func(w *world) {
			w.role(t, "a", "", allow("*", "*"))
			w.role(t, "b", "", allow("*", "*")).Caller.Organization.ID = lit("o-2")
			w.bucket(t, "data", statement("Deny", everyone, "s3:*", "*", `{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}`))
		}},
		{"two organizations of buckets", func(w *world) {
			w.role(t, "a", "", statement("Allow", "", "s3:*", "*", `{"StringEquals":{"aws:ResourceOrgID":"o-1"}}`))
			w.bucket(t, "data")
			w.bucket(t, "logs").Organization.ID = lit("o-2")
		}},
		{"the management account", func(w *world) {
			scp := []policy.Attached{parse(t, policy.SCP, "scp", allow("ec2:*", "*"))}
			for _, n := range []string{"a", "b"} {
				p := w.role(t, n, "", allow("*", "*"))
				p.SCP = append(p.SCP, scp)
				p.Caller.Principal.ManagementAccount = n == "b"
			}
			w.bucket(t, "data")
		}},
		{"names of buckets that are services", func(w *world) {
			for _, n := range []string{"cloudtrail", "config"} {
				w.bucket(t, n, statement("Allow", service(n+".amazonaws.com"), "s3:PutObject", "arn:aws:s3:::"+n+"/*", ""))
			}
		}},
		{"buckets that a pattern tells apart", func(w *world) {
			w.role(t, "a", "", allow("s3:*", "*")+","+deny("s3:*", "arn:aws:s3:::data-*/*"))
			w.bucket(t, "data-1")
			w.bucket(t, "logs")
		}},
		{"a variable of the call", func(w *world) {
			w.role(t, "a", "", allow("s3:*", "arn:aws:s3:::${aws:RequestedRegion}-data*"))
			for _, n := range []string{"us-east-1-data", "logs"} {
				w.bucket(t, n).Region = lit("us-east-1")
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			tc.make(w)
			same(t, w, t.Errorf)
			defer chain.MentionFewer(0)()
			same(t, w, t.Errorf)
		})
	}
}

// Many roles and buckets of their own: neither time nor memory may grow with the
// number of pairs.
func TestFoldManyPairs(t *testing.T) {
	const n = 1000
	w := newWorld(t)
	for i := range n {
		own := fmt.Sprintf("app-%04d", i)
		w.role(t, own, "", allow("s3:*", "arn:aws:s3:::"+own+"/*")+","+deny("s3:*", "arn:aws:s3:::*/secret/*"))
		w.bucket(t, own, statement("Allow", `{"AWS":"arn:aws:iam::`+account+`:role/`+own+`"}`, "s3:ListBucket", "arn:aws:s3:::"+own, ""))
	}
	var res chain.Result
	allocated := testing.AllocsPerRun(1, func() { res = chain.Run(w, chain.Options{MaxReplays: 1}) })
	const actions = 3
	if want := actions * n * (n - 1); res.Unrelated != want {
		t.Errorf("unrelated %d, want %d", res.Unrelated, want)
	}
	if len(res.Replays) > 200 {
		t.Errorf("%d replays", len(res.Replays))
	}
	if allocated > 1000*n {
		t.Errorf("%.0f allocations for %d pairs", allocated, n*n)
	}
	pairs := 0
	for _, g := range res.Groups {
		for _, b := range g.Blocks {
			pairs += len(b.Principals) * len(b.Targets)
		}
		pairs--
	}
	if pairs != res.Folded {
		t.Errorf("folded %d, the groups say %d", res.Folded, pairs)
	}
}

// All pairs but those that belong together: they are listed as sets, not one by one.
func TestFoldAllButOwn(t *testing.T) {
	make := func(n int) *world {
		w := newWorld(t)
		for i := range n {
			own := fmt.Sprintf("app-%04d", i)
			w.role(t, own, "", allow("s3:*", "*"))
			w.bucket(t, own, statement("Deny", `{"AWS":"arn:aws:iam::`+account+`:role/`+own+`"}`, "s3:*", "arn:aws:s3:::"+own+"/*", ""))
		}
		return w
	}
	same(t, make(10), t.Fatalf)
	const n = 300
	listed, pairs := 0, 0
	for _, g := range chain.Run(make(n), chain.Options{MaxReplays: 1}).Groups {
		for _, b := range g.Blocks {
			listed += len(b.Principals) + len(b.Targets)
			pairs += len(b.Principals) * len(b.Targets)
		}
	}
	if pairs < 3*n*n || listed > pairs/4 {
		t.Errorf("%d names for %d pairs", listed, pairs)
	}
}

// Who may use a key tells principals apart on what the key encrypts: roles whose
// policies are equal up to their names, keys that the world has and one that it lacks.
func TestFoldEncrypted(t *testing.T) {
	for _, defined := range []bool{true, false} {
		w := newWorld(t)
		for i := range 12 {
			name := fmt.Sprint("app", i)
			key := "arn:aws:kms:eu-west-1:" + account + ":key/" + name
			w.role(t, name, "", allow("s3:*", "*")+","+allow("kms:*", key))
			w.bucket(t, fmt.Sprint("data", i)).Key = lit("arn:aws:kms:eu-west-1:" + account + ":key/app3")
			if defined {
				w.target(t, chain.KeyTarget, key, statement("Allow", `{"AWS":"`+account+`"}`, "kms:*", "*", "")+","+
					statement("Deny", `{"AWS":"arn:aws:iam::`+account+`:role/app5"}`, "kms:Decrypt", "*", ""))
			}
		}
		if same(t, w, t.Errorf) == 0 {
			t.Error("nothing was folded")
		}
	}
}
