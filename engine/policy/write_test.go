package policy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

func written(t interface{ Fatal(...any) }, doc *policy.Document) string {
	text, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWrite(t *testing.T) {
	doc, _ := parse(`{"Statement":{"Resource":"*","Sid":"a","Action":"s3:*","Effect":"Allow","Principal":{"AWS":"*"},
		"Condition":{"stringlike":{"AWS:sourceVpc":"vpc-\u00e4<*"},"Bool":{"aws:SecureTransport":true,"aws:ViaAWSService":["false"]},"Null":{}}},"Id":"x"}`, policy.Resource)
	const want = `{"Version":"2008-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":["s3:*"],"Resource":["*"],` +
		`"Condition":{"StringLike":{"AWS:sourceVpc":["vpc-ä<*"]},"Bool":{"aws:SecureTransport":["true"],"aws:ViaAWSService":["false"]}}}]}`
	if got := written(t, doc); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	doc, _ = parse(in(`"Effect":"Deny","NotPrincipal":{"Service":["a.amazonaws.com"],"AWS":["111122223333","*"]},"NotAction":[],"NotResource":["a","arn:aws:s3:::${aws:username}"]`), policy.Resource)
	const other = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"Service":["a.amazonaws.com"],"AWS":["111122223333","*"]},"NotAction":[],"NotResource":["a","arn:aws:s3:::${aws:username}"]}]}`
	if got := written(t, doc); got != other {
		t.Errorf("got  %s\nwant %s", got, other)
	}
}

// What is not known is shown by its name, and what may not be shown is not.
func TestWriteUnknown(t *testing.T) {
	x := symbol.Symbol{Name: "aws_x.y.arn"}.Text()
	unknown := func(text symbol.Text) *source.Node { return &source.Node{Kind: source.Unknown, Text: text} }
	doc := decode(t, object("Statement", list(unknown(x), unknown(symbol.Text{}),
		object("Effect", unknown(x), "Principal", str("*"), "Action", unknown(x), "Resource", str("*"), "Condition", unknown(symbol.Text{})),
		object("Effect", str("Deny"), "Principal", str("*"), "Action", str("s3:*"), "Resource", unknown(x), "Condition", object("Bool", unknown(x), "StringEquals", object("a:b", x2(x)))))))
	const want = `{"Version":"2008-10-17","Statement":["${aws_x.y.arn}",null,` +
		`{"Effect":"${aws_x.y.arn}","Principal":"*","Action":["${aws_x.y.arn}"],"Resource":["*"],"Condition":null},` +
		`{"Effect":"Deny","Principal":"*","Action":["s3:*"],"Resource":["${aws_x.y.arn}"],"Condition":{"StringEquals":{"a:b":["${aws_x.y.arn}","x${aws_x.y.arn}"]},"Bool":"${aws_x.y.arn}"}}]}`
	if got := written(t, doc); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	doc.Sensitive = true
	malformed, _ := parse("{}", policy.Identity)
	for name, doc := range map[string]*policy.Document{
		"sensitive": doc, "unread": policy.Unread("p", policy.Identity, origin, "why"), "malformed": malformed,
	} {
		if got := written(t, doc); got != "null" {
			t.Errorf("%s: got %s", name, got)
		}
		// Nothing that reads the text takes it for a policy without statements.
		if again, _ := parse(written(t, doc), policy.Identity); again.Unread == "" {
			t.Errorf("%s: the text is read as a policy", name)
		}
		if got, err := json.Marshal(map[string]*policy.Document{"d": doc}); err != nil || string(got) != `{"d":null}` {
			t.Errorf("%s: got %s, error %v", name, got, err)
		}
	}
}

func x2(x symbol.Text) *source.Node {
	return list(&source.Node{Kind: source.Unknown, Text: x}, &source.Node{Kind: source.String, Text: symbol.Concat(lit("x"), x)})
}

// randomPolicy draws a policy in any of the spellings that are read.
func randomPolicy(t *rapid.T, kind policy.Kind, unknowns bool) *source.Node {
	line := 0
	place := func(n *source.Node) *source.Node {
		line++
		n.Range = source.Range{Start: source.Pos{Line: line, Column: 1}, End: source.Pos{Line: line, Column: 2}}
		return n
	}
	yes := func(label string) bool { return rapid.IntRange(0, 3).Draw(t, label) == 0 }
	hole := func(n *source.Node) *source.Node {
		if !unknowns || rapid.IntRange(0, 15).Draw(t, "hole") != 0 {
			return place(n)
		}
		name := rapid.SampledFrom([]string{"", "aws_x.y.arn", "account"}).Draw(t, "name")
		if name == "" {
			return place(&source.Node{Kind: source.Unknown})
		}
		text := symbol.Symbol{Name: name, Class: rapid.SampledFrom([]symbol.Class{symbol.Any, symbol.Digits}).Draw(t, "class")}.Text()
		if n.Kind == source.String && yes("part") {
			return place(&source.Node{Kind: source.String, Text: symbol.Concat(n.Text, text)})
		}
		return place(&source.Node{Kind: source.Unknown, Text: text})
	}
	values := func(label string, of ...string) *source.Node {
		one := func() *source.Node { return hole(str(rapid.SampledFrom(of).Draw(t, label))) }
		if yes("scalar") {
			return one()
		}
		var items []*source.Node
		for range rapid.IntRange(0, 3).Draw(t, "values") {
			items = append(items, one())
		}
		return hole(list(items...))
	}
	put := func(o *source.Node, name string, value *source.Node) {
		m := place(&source.Node{})
		o.Members = append(o.Members, source.Member{Name: name, Range: m.Range, Value: value})
	}
	either := func(label string) string { return rapid.SampledFrom([]string{"", "Not"}).Draw(t, "not") + label }
	statement := func() *source.Node {
		s := object()
		if yes("sid") {
			put(s, "Sid", hole(str(rapid.StringMatching(`[A-Za-z0-9 \"]{0,4}`).Draw(t, "text"))))
		}
		put(s, "Effect", hole(str(rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"))))
		put(s, either("Action"), values("action", "s3:Get*", "*", "ec2:RunInstances", "nonsense", "IAM:*", "s3:${aws:username}"))
		if kind == policy.Resource {
			who := object()
			for _, pt := range rapid.Permutation([]string{"AWS", "Service", "Federated", "CanonicalUser"}).Draw(t, "types")[:rapid.IntRange(0, 4).Draw(t, "number")] {
				put(who, pt, values("principal", "*", "111122223333", "arn:aws:iam::111122223333:role/a/*", "a.amazonaws.com", "AROAX"))
			}
			if who = hole(who); yes("everyone") {
				who = place(str("*"))
			}
			put(s, either("Principal"), who)
		}
		if kind != policy.Resource || yes("resource") {
			put(s, either("Resource"), values("resource", "*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:*", "arn:aws:lambda:*:function:f", "${", "x", "ä\"\\"))
		}
		if !yes("no condition") {
			c := object()
			for _, op := range rapid.Permutation([]string{"StringEquals", "ForAnyValue:stringlike", "NumericLessThanIfExists", "Null", "ArnLike", "DateEquals"}).Draw(t, "operators")[:rapid.IntRange(0, 3).Draw(t, "number")] {
				keys := object()
				for _, key := range rapid.Permutation([]string{"aws:TagKeys", "AWS:sourceip", "x:y/Z"}).Draw(t, "keys")[:rapid.IntRange(0, 3).Draw(t, "number")] {
					put(keys, key, values("value", "*", "", "1", "true", "2026-01-01", "${aws:username, 'x'}", "arn:aws:s3:::b"))
				}
				put(c, op, hole(keys))
			}
			put(s, "Condition", hole(c))
		}
		s.Members = rapid.Permutation(s.Members).Draw(t, "order")
		return hole(s)
	}
	doc := object()
	if !yes("no version") {
		put(doc, "Version", place(str(rapid.SampledFrom([]string{policy.Version2008, policy.Version2012}).Draw(t, "version"))))
	}
	if yes("lone statement") {
		put(doc, "Statement", statement())
		return place(doc)
	}
	var statements []*source.Node
	for range rapid.IntRange(0, 4).Draw(t, "statements") {
		statements = append(statements, statement())
	}
	put(doc, "Statement", place(list(statements...)))
	return place(doc)
}

// contents renders everything a document says, with the places if asked for; the
// order of principals does not count.
func contents(d *policy.Document, places bool) string {
	var b strings.Builder
	say := func(format string, args ...any) {
		for i, a := range args {
			if r, ok := a.(source.Range); ok && !places {
				args[i] = ""
			} else if ok {
				args[i] = fmt.Sprintf("@%v-%v", r.Start, r.End)
			}
		}
		fmt.Fprintf(&b, format, args...)
	}
	say("%s %q %d\n", d.Version, d.Unread, len(d.Statements))
	for i := range d.Statements {
		s := &d.Statements[i]
		say("%d%s %q %s %q\n", s.Index, s.Range, s.Sid, s.Effect, s.Unknown)
		if p := s.Principals; p != nil {
			var entries []string
			for _, e := range p.Entries {
				entries = append(entries, fmt.Sprintf("%s %#v %v %v", e.Type, e.Text, e.Never, places && e.Range.Start.Line > 0))
			}
			slices.Sort(entries)
			say(" %s%s %s\n", p.Element(), p.Range, entries)
		}
		say(" %s%s", s.Actions.Element(), s.Actions.Range)
		for _, a := range s.Actions.Entries {
			say(" %#v%s", a.Text, a.Range)
		}
		if r := s.Resources; r != nil {
			say("\n %s%s %v", r.Element(), r.Range, r.Variables())
			for _, e := range r.Entries {
				say(" %#v%s", e.Text(), e.Range)
			}
		}
		for _, c := range s.Conditions {
			say("\n %s %s%s", c.Operator, c.Key, c.KeyRange)
			for _, v := range c.Values {
				say(" %#v%s", v.Text, v.Range)
			}
		}
		say("\n")
	}
	return b.String()
}

// A document is the same when it is decoded from the tree it gives, places and
// unknowns included.
func TestNodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom([]policy.Kind{policy.Identity, policy.Resource}).Draw(rt, "kind")
		doc, diags := policy.Decode(randomPolicy(rt, kind, true), "p", kind, origin)
		if diags.HasErrors() {
			rt.Fatal(diags)
		}
		if doc.Unread != "" {
			return // all of its statements are one unknown
		}
		again, _ := policy.Decode(doc.Node(), "p", kind, origin)
		if got, want := contents(again, true), contents(doc, true); got != want {
			rt.Fatalf("got\n%s\nwant\n%s", got, want)
		}
		if got, want := written(rt, again), written(rt, doc); got != want {
			rt.Fatalf("got %s\nwant %s", got, want)
		}
	})
}

// A document in which everything is known is the same when its text is read again.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom([]policy.Kind{policy.Identity, policy.Resource}).Draw(rt, "kind")
		doc, diags := policy.Decode(randomPolicy(rt, kind, false), "p", kind, origin)
		if diags.HasErrors() {
			rt.Fatal(diags)
		}
		checkWritten(rt, doc)
	})
}

// checkWritten reads what a document in which everything is known writes.
func checkWritten(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, doc *policy.Document,
) {
	text := written(t, doc)
	again, diags := parse(text, doc.Kind)
	if doc.Unread != "" {
		if text != "null" {
			t.Fatalf("a policy that was not read is written as %s", text)
		}
		return
	}
	if got, want := contents(again, false), contents(doc, false); got != want {
		t.Fatalf("%s\ngot\n%s%v\nwant\n%s", text, got, diags, want)
	}
	if got := written(t, again); got != text {
		t.Fatalf("got %s\nwant %s", got, text)
	}
}
