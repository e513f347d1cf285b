package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
)

// world draws a request with policies in which things may be unknown.
func world(t *rapid.T) test {
	oneOf := func(label string, s ...string) string { return rapid.SampledFrom(s).Draw(t, label) }
	condition := func() string {
		return oneOf("condition", "", "", "",
			`,"Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`,
			`,"Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`,
			`,"Condition":{"StringEqualsIfExists":{"aws:SourceVpc":["vpc-2","@vpc"]}}`,
			`,"Condition":{"StringNotEquals":{"aws:SourceVpc":"@vpc"}}`,
			`,"Condition":{"Null":{"aws:SourceVpc":"true"}}`,
			`,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:@name"}}`,
			`,"Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"x"},"Bool":{"aws:ViaAWSService":"true"}}`)
	}
	statement := func(principal bool) string {
		effect := oneOf("effect", "Allow", "Allow", "Deny", "@effect")
		action := oneOf("action", `"Action":"*"`, `"Action":"s3:*"`, `"Action":"kms:*"`, `"Action":"sts:*"`, `"NotAction":"s3:*"`, `"Action":"@action"`)
		resource := oneOf("resource", `,"Resource":"*"`, `,"Resource":"arn:aws:s3:::b/*"`, `,"NotResource":"arn:aws:s3:::b/*"`, `,"Resource":"@resource"`,
			`,"Resource":"arn:aws:kms:*:key/1"`, `,"Resource":"arn:aws:s3:::b/${aws:SourceVpc}"`)
		who := ""
		if principal {
			who = oneOf("principal", `"Principal":"*",`, aws(user)+",", aws(role)+",", aws(session)+",", aws(account)+",", aws("@principal")+",", aws(fedARN)+",",
				`"Principal":{"Service":"cloudtrail.amazonaws.com"},`, notAWS(user, root)+",", notAWS(role)+",", notAWS("@principal", root)+",", aws("arn:aws:iam::@account@:root")+",")
		}
		return fmt.Sprintf(`{"Effect":%q,%s%s%s%s}`, effect, who, action, resource, condition())
	}
	docs := func(principal bool, most int) []string {
		var out []string
		for range rapid.IntRange(0, most).Draw(t, "documents") {
			var statements []string
			for range rapid.IntRange(0, 3).Draw(t, "statements") {
				statements = append(statements, statement(principal))
			}
			text := strings.Join(statements, ",")
			switch oneOf("state", "", "", "", "?", "!") {
			case "?":
				text = "?" + text
			case "!":
				text = "!" + text
			}
			out = append(out, text)
		}
		return out
	}
	levels := func(principal bool) [][]string {
		var out [][]string
		for range rapid.IntRange(0, 2).Draw(t, "levels") {
			level := docs(principal, 2)
			if level == nil {
				level = []string{}
			}
			out = append(out, level)
		}
		return out
	}
	w := test{
		principal: oneOf("caller", user, role, root, linked, foreign, fed, trail, "anonymous"),
		identity:  append(docs(false, 2), allowAll),
		resources: docs(true, 2), boundary: docs(false, 2), session: docs(false, 2),
		endpoint: docs(true, 1), scp: levels(false), rcp: levels(true),
		restrict: rapid.SampledFrom([]kleene.Truth{kleene.False, kleene.Unknown, kleene.True}).Draw(t, "restrict"),
		owner:    oneOf("owner", "", other, "@"),
		context:  []string{"aws:PrincipalArn=" + user, "aws:CalledVia=[x]", "aws:ViaAWSService=true", "aws:SourceVpc=" + oneOf("vpc", "vpc-1", "?vpc-1", "?vpc-2")},
	}
	call := rapid.SampledFrom([][2]string{{"s3:GetObject", object}, {"kms:Decrypt", key}, {"sts:AssumeRole", role}, {"s3:ListAllMyBuckets", "*"}}).Draw(t, "call")
	w.action, w.resource = call[0], call[1]
	return w
}

// settle makes everything known, one way or another. The same unknown gets the same
// value everywhere.
func settle(t *rapid.T, w test) test {
	yes := func(label string) bool { return rapid.Bool().Draw(t, label) }
	values := map[string][]string{
		"@vpc": {"vpc-1", "vpc-2", ""}, "@action": {"s3:GetObject", "*", "ec2:*"}, "@effect": {"Allow", "Deny"},
		"@resource": {"*", object, key, "arn:aws:s3:::c", "arn:aws:s3:::*"}, "@name": {"user/bob", "role/x"},
		"@principal": {"*", user, role, session, account, root, foreign, other}, "@account@": {account, other},
	}
	var replace []string
	for _, name := range []string{"@vpc", "@action", "@effect", "@resource", "@name", "@principal", "@account@"} {
		replace = append(replace, name, rapid.SampledFrom(values[name]).Draw(t, name))
	}
	names := strings.NewReplacer(replace...)
	docs := func(in []string) []string {
		var out []string
		for _, text := range in {
			if rest, ok := strings.CutPrefix(text, "?"); ok {
				if !yes("attached") {
					continue
				}
				text = rest
			}
			// What was not read says what it did not show, or anything else.
			if rest, ok := strings.CutPrefix(text, "!"); ok {
				text = rest
			}
			out = append(out, names.Replace(text))
		}
		return out
	}
	levels := func(in [][]string) [][]string {
		out := [][]string{}
		for _, l := range in {
			out = append(out, append([]string{}, docs(l)...))
		}
		return out
	}
	w.identity, w.resources, w.endpoint = docs(w.identity), docs(w.resources), docs(w.endpoint)
	w.boundary, w.session = docs(w.boundary), docs(w.session)
	w.scp, w.rcp = levels(w.scp), levels(w.rcp)
	w.context = slices.Clone(w.context)
	last := len(w.context) - 1
	if k, v, ok := strings.Cut(w.context[last], "?"); ok {
		w.context[last] = k + v
		if !yes("present") {
			w.context = w.context[:last]
		}
	}
	if w.restrict == kleene.Unknown {
		w.restrict = kleene.Of(yes("restrict"))
	}
	if w.owner == "@" {
		w.owner = rapid.SampledFrom([]string{account, other}).Draw(t, "the owner")
	}
	return w
}

// What a definite verdict was given for stays so when the unknown becomes known.
// A denial may turn out to be of the other kind (AWS page "How AWS enforcement code
// logic evaluates requests"; an implicit deny says so).
func TestSoundness(t *testing.T) {
	definite := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := world(rt)
		before := engine.Evaluate(w.policies(t), w.request())
		if before.Verdict == unknown {
			if len(before.Unknown) == 0 {
				rt.Fatalf("an unknown verdict names nothing that it hangs on: %q", reasons(before))
			}
			return
		}
		definite++
		after := settle(rt, w)
		got := engine.Evaluate(after.policies(t), after.request())
		hedged := before.Verdict == implicit && got.Verdict == explicit && slices.Contains(before.Notes, "explicit deny if what may apply does")
		if got.Verdict != before.Verdict && !hedged {
			rt.Fatalf("%v became %v\n%q\n%q\n%+v\n%+v", before.Verdict, got.Verdict, reasons(before), reasons(got), w, after)
		}
		if got.Verdict == unknown {
			rt.Fatal("nothing is unknown and the verdict is")
		}
	})
	if !testing.Short() && definite == 0 {
		t.Error("no definite verdict was drawn")
	}
}

// The order of statements, documents and levels does not count.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world(rt)
		want := engine.Evaluate(w.policies(t), w.request()).Verdict
		p := w.policies(t)
		slices.Reverse(p.Identity)
		slices.Reverse(p.Resource)
		slices.Reverse(p.Boundary)
		slices.Reverse(p.Session)
		slices.Reverse(p.SCP)
		slices.Reverse(p.RCP)
		for _, docs := range [][]engine.Level{p.SCP, p.RCP, {p.Identity, p.Resource, p.Boundary, p.Session, p.VPCEndpoint}} {
			for _, level := range docs {
				slices.Reverse(level)
				for _, d := range level {
					slices.Reverse(d.Statements)
				}
			}
		}
		if got := engine.Evaluate(p, w.request()).Verdict; got != want {
			rt.Fatalf("got %v, want %v: %+v", got, want, w)
		}
	})
}

// openness orders verdicts by what they let through.
func openness(v engine.Verdict) int {
	return map[engine.Verdict]int{explicit: 0, implicit: 0, unknown: 1, allowed: 2}[v]
}

// A further Deny never widens, a further Allow never narrows.
func TestMonotony(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world(rt)
		before := engine.Evaluate(w.policies(t), w.request()).Verdict
		further := world(rt)
		add := func(effect string) engine.Verdict {
			p := w.policies(t)
			more := further.policies(t)
			for i := range more.Identity {
				for j := range more.Identity[i].Statements {
					more.Identity[i].Statements[j].Effect = map[string]policy.Effect{"Allow": "Allow", "Deny": "Deny"}[effect]
				}
				if more.Identity[i].Unread == "" {
					p.Identity = append(p.Identity, more.Identity[i])
				}
			}
			for i := range more.Resource {
				not := slices.ContainsFunc(more.Resource[i].Statements, func(s policy.Statement) bool { return s.Principals.Not })
				for j := range more.Resource[i].Statements {
					more.Resource[i].Statements[j].Effect = map[string]policy.Effect{"Allow": "Allow", "Deny": "Deny"}[effect]
				}
				// A public Allow may cut off other accounts, and the first policy of a
				// key or a role takes the place of the default one.
				if more.Resource[i].Unread == "" && len(p.Resource) > 0 && p.Resource[0].Sure == kleene.True && (effect == "Deny" || w.restrict == kleene.False && !not) {
					p.Resource = append(p.Resource, more.Resource[i])
				}
			}
			return engine.Evaluate(p, w.request()).Verdict
		}
		if got := add("Deny"); openness(got) > openness(before) {
			rt.Fatalf("a Deny widens %v to %v: %+v and %+v", before, got, w, further)
		}
		if got := add("Allow"); openness(got) < openness(before) {
			rt.Fatalf("an Allow narrows %v to %v: %+v and %+v", before, got, w, further)
		}
	})
}
