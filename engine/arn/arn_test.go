package arn_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

const (
	no    = kleene.False
	maybe = kleene.Unknown
	yes   = kleene.True
)

func lit(s string) symbol.Text { return symbol.Literal(s) }

func sym(name string, c symbol.Class) symbol.Text {
	return symbol.Symbol{Name: name, Class: c}.Text()
}

func cat(ts ...symbol.Text) symbol.Text { return symbol.Concat(ts...) }

var (
	account = sym("account", symbol.Digits)
	name    = sym("name/*:", symbol.Segment)
	whole   = sym("aws_s3_bucket.b.arn", symbol.Any)
)

func TestParse(t *testing.T) {
	tests := []struct {
		text symbol.Text
		want []string // nil for no ARN
	}{
		{lit("arn:aws:iam::123456789012:role/team/R"), []string{"arn", "aws", "iam", "", "123456789012", "role/team/R"}},
		{lit("arn:aws:lambda:eu-west-1:1:function:f:1"), []string{"arn", "aws", "lambda", "eu-west-1", "1", "function:f:1"}},
		{lit("arn:aws:s3:::"), []string{"arn", "aws", "s3", "", "", ""}},
		{cat(lit("arn:aws:iam::"), account, lit(":role/"), name), []string{"arn", "aws", "iam", "", "${account}", "role/${name/*:}"}},
		{cat(lit("arn:aws:s3:::"), whole), []string{"arn", "aws", "s3", "", "", "${aws_s3_bucket.b.arn}"}},
		{cat(lit("arn:aws:iam::"), sym("x", symbol.Any), lit(":role/R")), nil},
		{whole, nil},
		{lit("arn:aws:s3:b"), nil},
		{lit("urn:aws:iam::1:role/R"), nil},
		{lit("*"), nil},
		{lit(""), nil},
	}
	for _, tc := range tests {
		a, ok := arn.Parse(tc.text)
		if ok != (tc.want != nil) {
			t.Errorf("%v: got %v", tc.text, ok)
			continue
		}
		if !ok {
			continue
		}
		got := make([]string, 0, len(a))
		for _, part := range a {
			got = append(got, part.String())
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%v: got %q, want %q", tc.text, got, tc.want)
		}
		if a.Text() != tc.text {
			t.Errorf("Text: got %v, want %v", a.Text(), tc.text)
		}
	}
}

func TestNameAndType(t *testing.T) {
	tests := []struct {
		resource  symbol.Text
		name, typ string
	}{
		{lit("role/team/R"), "R", "role"},
		{lit("q"), "q", "q"},
		{lit("bucket/"), "", "bucket"},
		{cat(lit("key/"), name), "${name/*:}", "key"},
		{cat(name, lit("/x")), "x", "${name/*:}"},
	}
	for _, tc := range tests {
		a, ok := arn.Parse(cat(lit("arn:aws:x:::"), tc.resource))
		if !ok {
			t.Fatalf("%v is no ARN", tc.resource)
		}
		if got := a.Name().String(); got != tc.name {
			t.Errorf("Name of %v: got %q, want %q", tc.resource, got, tc.name)
		}
		if got := a.Type(); got != tc.typ {
			t.Errorf("Type of %v: got %q, want %q", tc.resource, got, tc.typ)
		}
	}
}

func compile(t rapid.TB, text symbol.Text) arn.Pattern {
	t.Helper()
	p, err := arn.Compile(text, true)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Rules A22 to A24; AWS page "IAM JSON policy elements: Resource".
func TestMatchResource(t *testing.T) {
	tests := []struct {
		name          string
		pattern, text string
		want          kleene.Truth
		contested     bool
	}{
		{"A22 star alone", "*", "arn:aws:s3:::b", yes, false},
		{"A24 star alone matches the text of actions without a resource", "*", "*", yes, false},
		{"A24 s3 text", "arn:aws:s3:::*", "arn:aws:s3:::*", yes, false},
		{"A24 s3 text of any partition", "arn:*:s3:::*", "arn:aws:s3:::*", yes, false},
		{"A24 s3 text, short", "arn:aws:s3:*", "arn:aws:s3:::*", yes, false},
		{"A24 s3 text, some buckets", "arn:aws:s3:::dr-*", "arn:aws:s3:::*", no, false},
		{"A24 no other pattern matches star", "arn:aws:s3:::*", "*", no, false},
		{"A22 literal", "arn:aws:s3:::b", "arn:aws:s3:::b", yes, false},
		{"A22 case of the resource part", "arn:aws:s3:::B", "arn:aws:s3:::b", no, false},
		{"A22 star takes slashes", "arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y", yes, false},
		{"A22 star takes colons in the resource part", "arn:aws:logs:*:*:log-group:*", "arn:aws:logs:eu-west-1:1:log-group:a:log-stream:b", yes, false},
		{"A22 star within the resource part", "arn:aws:lambda:r:1:function:*:p", "arn:aws:lambda:r:1:function:f:g:p", yes, false},
		{"A22 question mark", "arn:aws:s3:::b?", "arn:aws:s3:::b1", yes, false},
		{"A22 question mark is one character", "arn:aws:s3:::b?", "arn:aws:s3:::b", no, false},
		{"A22 question mark is one code point", "arn:aws:s3:::b?", "arn:aws:s3:::bä", yes, false},
		{"A22 question mark in an account", "arn:aws:iam::12345678901?:role/R", "arn:aws:iam::123456789012:role/R", yes, false},
		{"A22 question mark does not cross a colon", "arn:aws:s3?::b", "arn:aws:s3:::b", no, false},
		{"A22 star inside a part does not cross a colon", "arn:aws:s*3::b", "arn:aws:s:3::b", no, false},
		{"A22 stars of empty parts", "arn:aws:s3:*:*:b", "arn:aws:s3:::b", yes, false},
		{"A22 a star that takes no colon", "arn:aws:sqs:*:1:q", "arn:aws:sqs:eu-west-1:1:q", yes, false},
		{"A22 a star that runs on and still does not match", "arn:aws:sqs:*:1:q", "arn:aws:sqs:eu-west-1:2:q", no, false},
		{"A22 contested: a part is missing", "arn:aws:dynamodb:*:table/x", "arn:aws:dynamodb:eu-west-1:1:table/x", maybe, true},
		{"A22 contested: function instead of the account", "arn:aws:lambda:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f", maybe, true},
		{"A22 contested pattern on another resource", "arn:aws:dynamodb:*:table/x", "arn:aws:dynamodb:eu-west-1:1:table/y", no, false},
		{"A22 contested pattern on another service", "arn:aws:lambda:*:function:f", "arn:aws:sqs:eu-west-1:1:function:f", no, false},
		{"A22 contested: an account in place of the resource", "arn:aws:sqs:*:q", "arn:aws:sqs:eu-west-1:1:q", maybe, true},
		{"A22 contested: two parts in one star", "arn:aws*:1:q", "arn:aws:sqs:eu-west-1:1:q", maybe, true},
		{"A22 contested: the rest after a star ends early", "arn:aws:lambda:*:f", "arn:aws:lambda:r:1:function:f:2", no, false},
		{"A22 contested: stars everywhere", "*:*", "arn:aws:s3:::b", maybe, true},
		{"A22 contested: one part", "a*", "arn:aws:s3:::b", maybe, true},
		{"A22 one part", "b*", "arn:aws:s3:::b", no, false},
		{"A22 run-on star in the middle keeps inner stars in their part", "arn:aws:*:x*y:f", "arn:aws:a:b:x:y:f", no, false},
		{"A22 run-on star before an inner star", "arn:aws:*:x*y:f", "arn:aws:a:b:xzy:f", maybe, true},
		{"A23 service", "arn:aws:s3:*", "arn:aws:s3:::b/x", yes, false},
		{"A23 service and region", "arn:aws:lambda:us-east-1:*", "arn:aws:lambda:us-east-1:1:function:f", yes, false},
		{"A23 another region", "arn:aws:lambda:us-east-1:*", "arn:aws:lambda:us-east-2:1:function:f", no, false},
		{"A23 another service", "arn:aws:s3:*", "arn:aws:sqs:r:1:q", no, false},
		{"A23 partition", "arn:aws:*", "arn:aws:sqs:r:1:q", yes, false},
		{"A23 everything", "arn:*", "arn:aws:sqs:r:1:q", yes, false},
		{"A23 account", "arn:aws:sqs:r:1*", "arn:aws:sqs:r:123:q", yes, false},
		{"A23 contested beyond the missing parts", "arn:aws:lambda*:f:*", "arn:aws:lambda:r:f:g", maybe, true},
		{"A22 short without a star", "arn:aws:s3", "arn:aws:s3:::b", no, false},
		{"A22 no colon", "bucket", "arn:aws:s3:::bucket", no, false},
		{"A22 empty", "", "arn:aws:s3:::b", no, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, contested := compile(t, lit(tc.pattern)).MatchResource(lit(tc.text), nil)
			if got != tc.want || contested != tc.contested {
				t.Errorf("%s against %s: got %v, contested %v; want %v, %v", tc.pattern, tc.text, got, contested, tc.want, tc.contested)
			}
		})
	}
}

// Rule A28: variables count after the fifth colon; AWS page "IAM policy elements:
// Variables and tags".
func TestMatchResourceVariables(t *testing.T) {
	lookup := func(key string) (symbol.Text, kleene.Truth) {
		switch key {
		case "aws:username":
			return lit("bob"), yes
		case "colons":
			return lit("a:b"), yes
		case "account":
			return lit("1"), yes
		}
		return symbol.Text{}, no
	}
	tests := []struct {
		pattern, text string
		want          kleene.Truth
	}{
		{"arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/bob/x", yes},
		{"arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/eve/x", no},
		{"arn:aws:s3:::b/${aws:nobody}/*", "arn:aws:s3:::b//x", no},
		{"arn:aws:s3:::b/${aws:nobody, 'all'}/*", "arn:aws:s3:::b/all/x", yes},
		{"arn:aws:x:::${colons}", "arn:aws:x:::a:b", yes},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", yes},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", no},
		{"arn:aws:iam::${account}:user/u", "arn:aws:iam::1:user/u", no},
		{"${account}", "1", no},
		{"arn:aws:x:*:t/${aws:username}", "arn:aws:x:r:1:t/${aws:username}", maybe}, // no sixth part: literal
	}
	for _, tc := range tests {
		if got, _ := compile(t, lit(tc.pattern)).MatchResource(lit(tc.text), lookup); got != tc.want {
			t.Errorf("%s against %s: got %v, want %v", tc.pattern, tc.text, got, tc.want)
		}
	}
	p, err := arn.Compile(lit("arn:aws:s3:::b/${aws:username}"), false)
	if got, _ := p.MatchResource(lit("arn:aws:s3:::b/${aws:username}"), lookup); got != yes || err != nil {
		t.Errorf("A1: literal in a document of 2008: got %v, %v", got, err)
	}
	if p, err = arn.Compile(lit("arn:aws:s3:::b/${aws:username"), true); err == nil {
		t.Error("A31: no error for a variable without a brace")
	}
	if got, _ := p.MatchResource(lit("arn:aws:s3:::b/${aws:username"), lookup); got != no {
		t.Errorf("A31: got %v, want false", got)
	}
}

func TestMatchResourceUnknown(t *testing.T) {
	region := sym("region", symbol.Segment)
	role := cat(lit("arn:aws:iam::"), account, lit(":role/App"))
	tests := []struct {
		name          string
		pattern, text symbol.Text
		want          kleene.Truth
		contested     bool
	}{
		{"the same account", role, role, yes, false},
		{"a known account", lit("arn:aws:iam::123456789012:role/App"), role, maybe, false},
		{"another role of a known account", lit("arn:aws:iam::123456789012:role/Other"), role, no, false},
		{"digits are no name", lit("arn:aws:iam::aws:role/App"), role, no, false},
		{"a wild account", lit("arn:aws:iam::*:role/App"), role, yes, false},
		{"A23", lit("arn:aws:iam:*"), role, yes, false},
		{"A23 of an unknown region", lit("arn:aws:lambda:us-east-1:*"), cat(lit("arn:aws:lambda:"), region, lit(":1:function:f")), maybe, false},
		{"A22 contested", lit("arn:aws:lambda:*:function:f"), cat(lit("arn:aws:lambda:"), region, lit(":"), account, lit(":function:f")), maybe, true},
		{"A22 contested, other function", lit("arn:aws:lambda:*:function:f"), cat(lit("arn:aws:lambda:"), region, lit(":"), account, lit(":function:g")), no, false},
		{"A22 contested, a resource that may hold colons", lit("arn:aws:x:*:1:f"), cat(lit("arn:aws:x:::"), whole), maybe, true},
		{"A22 contested, service in doubt", lit("arn:aws:y:*:1:f"), cat(lit("arn:aws:x:::"), whole), no, false},
		{"an unknown name", lit("arn:aws:s3:::b/*"), cat(lit("arn:aws:s3:::"), name, lit("/x")), maybe, false},
		{"an unknown name of another service", lit("arn:aws:sqs:::b/*"), cat(lit("arn:aws:s3:::"), name, lit("/x")), no, false},
		{"all of an unknown pattern", whole, lit("arn:aws:s3:::b"), maybe, false},
		{"a segment is no ARN", name, lit("arn:aws:s3:::b"), no, false},
		{"an unknown ARN is itself", whole, whole, yes, false},
		{"an object of an unknown bucket", cat(whole, lit("/*")), cat(whole, lit("/x")), yes, false},
		{"an object whose name has a colon", cat(whole, lit("/*")), cat(whole, lit("/x:y")), yes, false},
		{"the bucket itself is not below it", cat(whole, lit("/*")), whole, maybe, false},
		{"an unknown before the account", cat(lit("arn:aws:"), whole, lit(":role/*")), cat(lit("arn:aws:"), whole, lit(":role/x")), yes, false},
		{"an unknown in another place", cat(lit("arn:aws:"), whole, lit(":role/*")), cat(lit("arn:"), whole, lit(":role/x")), maybe, false},
		{"parts after the unknown", cat(whole, lit(":*:b")), cat(whole, lit(":a:c:b")), maybe, false},
		{"parts after the unknown that may hide colons", cat(whole, lit(":*:b")), cat(whole, lit(":"), sym("x", symbol.Any), lit(":b")), maybe, false},
		{"an end that cannot be", cat(whole, lit("/a")), cat(whole, lit("/b")), no, false},
		{"an end that cannot be, known", cat(whole, lit("/a")), lit("arn:aws:s3:::x/b"), no, false},
		{"an unknown ARN", lit("arn:aws:s3:::b"), whole, maybe, false},
		{"an unknown ARN and everything", lit("*"), whole, yes, false},
		{"an unknown ARN and a service", lit("arn:aws:s3:::*"), whole, maybe, false},
		{"an unknown ARN that ends otherwise", lit("arn:aws:s3:::b/x"), cat(whole, lit("/y")), no, false},
		{"an escape of a pattern against an unknown ARN", lit("arn:aws:s3:::b/${*}"), cat(whole, lit("/*")), maybe, false},
		{"a variable behind an unknown", cat(lit("arn:"), whole, lit(":${aws:username}:x")), lit("arn:aws:s3:::bob:x"), maybe, false},
	}
	lookup := func(string) (symbol.Text, kleene.Truth) { return lit("bob"), yes }
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, contested := compile(t, tc.pattern).MatchResource(tc.text, lookup)
			if got != tc.want || contested != tc.contested {
				t.Errorf("%v against %v: got %v, contested %v; want %v, %v", tc.pattern, tc.text, got, contested, tc.want, tc.contested)
			}
		})
	}
}

// Rule B9; AWS page "IAM JSON policy elements: Condition operators".
func TestMatchStrict(t *testing.T) {
	const value = "arn:aws:svc:us-east-2:999999999999:store/abc:111122223333:finance/doc"
	tests := []struct {
		name          string
		pattern, text symbol.Text
		want          kleene.Truth
	}{
		{"documented example", lit("arn:aws:svc:*:111122223333:finance/*"), lit(value), no},
		{"its own account", lit("arn:aws:svc:*:999999999999:store/*"), lit(value), yes},
		{"never contested", lit("arn:aws:svc:*:store/*"), lit(value), no},
		{"short", lit("arn:aws:svc:*"), lit(value), no},
		{"star", lit("*"), lit(value), no},
		{"stars", lit("*:*:*:*:*:*"), lit(value), yes},
		{"no ARN", lit("arn:aws:s3:::*"), lit("b"), no},
		{"case", lit("arn:aws:s3:::B"), lit("arn:aws:s3:::b"), no},
		{"unknown account", lit("arn:aws:iam::1:role/R"), cat(lit("arn:aws:iam::"), account, lit(":role/R")), maybe},
		{"unknown ARN", lit("arn:aws:iam::1:role/R"), whole, maybe},
		{"unknown ARN against star", lit("*"), whole, no},
		{"unknown ARN is itself", whole, whole, yes},
		{"unknown pattern", whole, lit(value), maybe},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			for _, compile := range []func(symbol.Text, bool) (arn.Pattern, error){arn.Compile, arn.CompileValue} {
				p, err := compile(tc.pattern, true)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.MatchStrict(tc.text, nil); got != tc.want {
					t.Errorf("%v against %v: got %v, want %v", tc.pattern, tc.text, got, tc.want)
				}
			}
		})
	}
}

// In a condition variables count in every part; AWS page "IAM policy elements:
// Variables and tags".
func TestMatchStrictVariables(t *testing.T) {
	values := map[string]string{"aws:PrincipalAccount": "1", "aws:SourceArn": "arn:aws:s3:::b", "star": "*", "aws:username": "bob"}
	lookup := func(key string) (symbol.Text, kleene.Truth) {
		v, ok := values[key]
		return lit(v), kleene.Of(ok)
	}
	tests := []struct {
		pattern, text string
		want          kleene.Truth
	}{
		{"arn:aws:iam::${aws:PrincipalAccount}:role/R", "arn:aws:iam::1:role/R", yes},
		{"arn:aws:iam::${aws:PrincipalAccount}:role/*", "arn:aws:iam::2:role/R", no},
		{"arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/bob", yes},
		{"${aws:SourceArn}", "arn:aws:s3:::b", yes},
		{"${aws:SourceArn}/*", "arn:aws:s3:::b/x", yes},
		{"${aws:SourceArn}", "arn:aws:s3:::c", no},
		{"${star}:aws:s3:::b", "arn:aws:s3:::b", no},
		{"arn:aws:iam::${absent}:role/R", "arn:aws:iam::1:role/R", no},
		{"${absent, 'arn:aws:s3:::b'}", "arn:aws:s3:::b", yes},
	}
	for _, tc := range tests {
		p, err := arn.CompileValue(lit(tc.pattern), true)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.MatchStrict(lit(tc.text), lookup); got != tc.want {
			t.Errorf("%s against %s: got %v, want %v", tc.pattern, tc.text, got, tc.want)
		}
	}
}

func TestPatternQueries(t *testing.T) {
	type queries struct{ isAny, short, full, certain, wildService, runsOn bool }
	tests := []struct {
		pattern symbol.Text
		want    queries
	}{
		{lit("*"), queries{isAny: true, certain: true, runsOn: true}},
		{lit("arn:aws:s3:::b/*"), queries{full: true, certain: true}},
		{lit("arn:aws:s3:*"), queries{short: true, certain: true, runsOn: true}},
		{lit("arn:aws:s3"), queries{certain: true}},
		{lit("arn:aws:s*:::b"), queries{full: true, certain: true, wildService: true, runsOn: true}},
		{lit("arn:aws:?3:::b"), queries{full: true, certain: true, wildService: true}},
		{whole, queries{}},
		{cat(lit("arn:aws:s3:::"), whole), queries{full: true, certain: true}},
	}
	for _, tc := range tests {
		p := compile(t, tc.pattern)
		got := queries{p.IsAny(), p.Short(), p.Full(), p.Certain(), p.WildService(), p.RunsOn()}
		if got != tc.want {
			t.Errorf("%v: got %+v, want %+v", tc.pattern, got, tc.want)
		}
		if p.Text() != tc.pattern {
			t.Errorf("Text: got %v, want %v", p.Text(), tc.pattern)
		}
	}
	if got, want := compile(t, lit("arn:aws:s3:::${a}/${b, 'c'}")).Variables(), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("Variables: got %q, want %q", got, want)
	}
}

func TestResourcePart(t *testing.T) {
	lookup := func(key string) (symbol.Text, kleene.Truth) { return lit("bob"), kleene.Of(key == "aws:username") }
	tests := []struct {
		pattern symbol.Text
		want    string
		ok      bool
	}{
		{lit("arn:aws:s3:::b/*/${aws:username}?"), "b/example/bobx", true},
		{lit("arn:aws:s3:::b"), "b", true},
		{lit("arn:aws:s3:::${absent}"), "", false},
		{lit("arn:aws:s3:*"), "", false},
		{lit("*"), "", false},
		{cat(lit("arn:aws:s3:::"), name), "${name/*:}", true},
		{cat(lit("arn:aws:s3:::"), name, lit("/*")), "${name/*:}/example", true},
	}
	for _, tc := range tests {
		got, ok := compile(t, tc.pattern).ResourcePart(lookup)
		if ok != tc.ok || got.String() != tc.want {
			t.Errorf("%v: got %v, %v; want %q, %v", tc.pattern, got, ok, tc.want, tc.ok)
		}
	}
}

// glob turns a pattern into a regular expression; star says what the '*' of a part
// stands for, by the part and whether it ends it.
func glob(pattern string, star func(part int, ends bool) string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?s)^")
	for i, part := range strings.SplitN(pattern, ":", 6) {
		if i > 0 {
			b.WriteString(":")
		}
		for j, r := range part {
			switch {
			case r == '*':
				b.WriteString(star(i, j == len(part)-1))
			case r == '?' && i < 5:
				b.WriteString("[^:]")
			case r == '?':
				b.WriteString(".")
			default:
				b.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
	}
	return regexp.MustCompile(b.String() + "$")
}

func strictly(part int, _ bool) string {
	if part < 5 {
		return "[^:]*"
	}
	return ".*"
}

func runningOn(part int, ends bool) string {
	if ends {
		return ".*"
	}
	return strictly(part, ends)
}

// Rule A22 for known texts, against regular expressions of both readings; A23 for
// short ARNs.
func TestMatchResourceOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`(arn|\*|arn\*|a)(:[ab*?]{0,2}){0,6}`).Draw(t, "pattern")
		text := rapid.StringMatching(`arn(:[ab]{0,2}){5,7}`).Draw(t, "text")
		strict := len(strings.SplitN(pattern, ":", 6)) == 6 && glob(pattern, strictly).MatchString(text)
		if n := strings.Count(pattern, ":"); 0 < n && n < 5 && strings.HasPrefix(pattern, "arn:") && strings.HasSuffix(pattern, "*") {
			strict = glob(pattern+strings.Repeat(":*", 5-n), strictly).MatchString(text)
		}
		want, contested := kleene.Of(strict || pattern == "*"), false
		if want == no && glob(pattern, runningOn).MatchString(text) {
			want, contested = maybe, true
		}
		got, c := compile(t, lit(pattern)).MatchResource(lit(text), nil)
		if got != want || c != contested {
			t.Fatalf("%s against %s: got %v, contested %v; want %v, %v", pattern, text, got, c, want, contested)
		}
	})
}

// Soundness: what is True or False of unknown texts is so for all their values. An
// unknown at the start of a pattern stands for text with the colons of an ARN.
func TestMatchSound(t *testing.T) {
	symbols := []symbol.Symbol{{Name: "any"}, {Name: "segment", Class: symbol.Segment}, {Name: "digits", Class: symbol.Digits}}
	alphabet := map[symbol.Class]string{symbol.Any: `[ab1:/]{0,6}`, symbol.Segment: `[ab1]{1,2}`, symbol.Digits: `[12]{1,2}`}
	type texts struct {
		text  symbol.Text
		value func(world map[string]string) string
	}
	draw := func(t *rapid.T, parts *rapid.Generator[[]string]) texts {
		pieces := parts.Draw(t, "pieces")
		var out symbol.Text
		fill := func(world map[string]string) string {
			var b strings.Builder
			for _, p := range pieces {
				if v, ok := world[p]; ok {
					p = v
				}
				b.WriteString(p)
			}
			return b.String()
		}
		for _, p := range pieces {
			i := slices.IndexFunc(symbols, func(s symbol.Symbol) bool { return s.Name == p })
			if i >= 0 {
				out = cat(out, symbols[i].Text())
			} else {
				out = cat(out, lit(p))
			}
		}
		return texts{out, fill}
	}
	element := func(extra ...string) *rapid.Generator[[]string] {
		return rapid.Custom(func(t *rapid.T) []string {
			var out []string
			for i := range rapid.IntRange(1, 7).Draw(t, "parts") {
				if i > 0 {
					out = append(out, ":")
				}
				if i == 0 && rapid.IntRange(0, 9).Draw(t, "prefix") > 0 {
					out = append(out, "arn")
					continue
				}
				out = append(out, rapid.SliceOfN(rapid.SampledFrom(append([]string{"a", "b", "any", "segment", "digits"}, extra...)), 0, 2).Draw(t, "part")...)
			}
			return out
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := draw(t, element("*", "*", "?"))
		text := draw(t, element())
		p := compile(t, pattern.text)
		strict := p.MatchStrict(text.text, nil)
		resource, _ := p.MatchResource(text.text, nil)
		for range 6 {
			world := map[string]string{}
			for _, s := range symbols {
				world[s.Name] = rapid.StringMatching(alphabet[s.Class]).Draw(t, s.Name)
			}
			concrete := compile(t, lit(pattern.value(world)))
			value := lit(text.value(world))
			if _, ok := arn.Parse(value); !ok || !p.Certain() && !concrete.Full() {
				continue
			}
			if got := concrete.MatchStrict(value, nil); strict != maybe && strict != got {
				t.Fatalf("strict: %v against %v: got %v, but %v in world %v", pattern.text, text.text, strict, got, world)
			}
			if got, contested := concrete.MatchResource(value, nil); resource != maybe && resource != got && !(contested && strict == yes) {
				t.Fatalf("resource: %v against %v: got %v, but %v in world %v", pattern.text, text.text, resource, got, world)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"arn:aws:lambda:*:function:f", "arn:aws:lambda:r:1:function:f"}, {"arn:aws:s3:*", "arn:aws:s3:::b"},
		{"*", "*"}, {"arn:*:*:*:*:*", "arn:::::"}, {"a*:?:é*", "arn:a:é::x:y:z"}, {"", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 || len(text) > 500 || strings.Count(text, ":") > 60 {
			t.Skip()
		}
		p := lit(pattern)
		c, err := arn.Compile(p, false)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := lit(text).Literal()
		s, _ := p.Literal()
		_, isARN := arn.Parse(lit(text))
		strict := isARN && c.Full() && glob(s, strictly).MatchString(v)
		if got := c.MatchStrict(lit(text), nil); got != kleene.Of(strict) {
			t.Errorf("strict: %q against %q: got %v, want %v", pattern, text, got, strict)
		}
		got, contested := c.MatchResource(lit(text), nil)
		switch runsOn := isARN && glob(s, runningOn).MatchString(v); {
		case contested && (got != maybe || strict || !runsOn),
			got == maybe && !contested,
			got == no && (strict || runsOn),
			got == yes && !strict && !c.IsAny() && !c.Short():
			t.Errorf("resource: %q against %q: got %v, contested %v; strict %v, running on %v", pattern, text, got, contested, strict, runsOn)
		}
	})
}
