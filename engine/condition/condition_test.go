package condition_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

const (
	no    = kleene.False
	maybe = kleene.Unknown
	yes   = kleene.True
)

func lit(s string) symbol.Text { return symbol.Literal(s) }

func texts(values []string) []symbol.Text {
	out := make([]symbol.Text, len(values))
	for i, v := range values {
		out[i] = lit(v)
	}
	return out
}

func values(ts ...symbol.Text) []condition.Value {
	out := make([]condition.Value, len(ts))
	for i, t := range ts {
		out[i] = condition.Value{Text: t}
	}
	return out
}

func compile(t rapid.TB, operator, key string, vs ...symbol.Text) (condition.Condition, []condition.Problem) {
	t.Helper()
	op, err := condition.ParseOperator(operator)
	if err != nil {
		t.Fatal(err)
	}
	return condition.Compile(op, key, source.Range{}, values(vs...), true)
}

// with returns a context in which the key has the given values; nil is absent.
func with(key string, vs []string) request.Context {
	var ctx request.Context
	if vs != nil {
		ctx.SetString(key, vs...)
	}
	return ctx
}

type list = []string

// Table B.1 and rules B5 to B18; AWS pages "IAM JSON policy elements: Condition
// operators", "Single-valued vs. multivalued context keys", "Creating a condition
// with multiple keys or values".
func TestEval(t *testing.T) {
	const (
		single = "aws:SourceVpc"
		multi  = "aws:TagKeys"
	)
	tests := []struct {
		name     string
		operator string
		key      string
		wanted   list
		got      list // nil: absent
		want     kleene.Truth
	}{
		// Strings.
		{"B.1 equal", "StringEquals", single, list{"vpc-1"}, list{"vpc-1"}, yes},
		{"B.1 case", "StringEquals", single, list{"vpc-1"}, list{"VPC-1"}, no},
		{"B.1 absent", "StringEquals", single, list{"vpc-1"}, nil, no},
		{"B1 one of several", "StringEquals", single, list{"a", "b"}, list{"b"}, yes},
		{"B18 wildcards are literal", "StringEquals", single, list{"vpc-*"}, list{"vpc-1"}, no},
		{"B18 a literal star", "StringEquals", single, list{"vpc-*"}, list{"vpc-*"}, yes},
		{"0.1.3 the empty string", "StringEquals", single, list{""}, list{""}, yes},
		{"0.1.3 the empty string is not absent", "StringEquals", single, list{""}, nil, no},
		{"B.1 not equal", "StringNotEquals", single, list{"a"}, list{"b"}, yes},
		{"B1 none of several", "StringNotEquals", single, list{"a", "b"}, list{"b"}, no},
		{"B.1 not equal, absent", "StringNotEquals", single, list{"a"}, nil, yes},
		{"B.1 ignore case", "StringEqualsIgnoreCase", single, list{"VPC-ä"}, list{"vpc-Ä"}, yes},
		{"B.1 ignore case, no wildcard", "StringEqualsIgnoreCase", single, list{"v*"}, list{"vpc"}, no},
		{"B.1 ignore case, absent", "StringEqualsIgnoreCase", single, list{"a"}, nil, no},
		{"B.1 not ignore case", "StringNotEqualsIgnoreCase", single, list{"VPC"}, list{"vpc"}, no},
		{"B.1 not ignore case, absent", "StringNotEqualsIgnoreCase", single, list{"a"}, nil, yes},
		{"B.1 like", "StringLike", single, list{"vpc-*"}, list{"vpc-1"}, yes},
		{"B.1 like, one character", "StringLike", single, list{"vpc-?"}, list{"vpc-12"}, no},
		{"B.1 like, case", "StringLike", single, list{"VPC-*"}, list{"vpc-1"}, no},
		{"B18 like without wildcards", "StringLike", single, list{"vpc-1"}, list{"vpc-1"}, yes},
		{"B.1 like, absent", "StringLike", single, list{"*"}, nil, no},
		{"B.1 not like", "StringNotLike", single, list{"a*", "v*"}, list{"vpc"}, no},
		{"B.1 not like, absent", "StringNotLike", single, list{"*"}, nil, yes},
		{"B2 key name in other case", "StringEquals", "AWS:sourceVPC", list{"a"}, list{"a"}, yes},
		{"B15 like on an ARN crosses colons", "StringLike", "aws:PrincipalArn", list{"arn:*:role/x"}, list{"arn:aws:iam::1:role/x"}, yes},
		{"B14 string on a Boolean key", "StringEquals", "aws:ViaAWSService", list{"true"}, list{"true"}, yes},
		{"B14 in other case", "StringEquals", "aws:ViaAWSService", list{"True"}, list{"true"}, no},
		{"B14 the request in other case", "StringEquals", "aws:ViaAWSService", list{"true"}, list{"True"}, yes},
		{"B14 other texts stay", "StringEquals", "aws:ViaAWSService", list{"yes"}, list{"YES"}, no},

		// IfExists, rule B4.
		{"B4 absent", "StringEqualsIfExists", single, list{"a"}, nil, yes},
		{"B4 present", "StringEqualsIfExists", single, list{"a"}, list{"b"}, no},
		{"B4 negated, absent", "StringNotEqualsIfExists", single, list{"a"}, nil, yes},
		{"B4 negated, present", "StringNotEqualsIfExists", single, list{"a"}, list{"a"}, no},
		{"B4 numeric", "NumericLessThanIfExists", "aws:MultiFactorAuthAge", list{"1"}, nil, yes},
		{"B4 Bool", "BoolIfExists", "aws:MultiFactorAuthPresent", list{"false"}, nil, yes},
		{"B4 IP", "IpAddressIfExists", "aws:SourceIp", list{"1.2.3.4"}, nil, yes},
		{"B4 ARN", "ArnLikeIfExists", "aws:SourceArn", list{"arn:aws:s3:::b"}, nil, yes},

		// Numbers, rule B12.
		{"B12 equal", "NumericEquals", "x:n", list{"10"}, list{"10.0"}, yes},
		{"B12 exact decimals", "NumericEquals", "x:n", list{"0.1"}, list{"0.10000000000000000001"}, no},
		{"B12 sign", "NumericEquals", "x:n", list{"+5"}, list{"5"}, yes},
		{"B12 exponent of a JSON number", "NumericEquals", "x:n", list{"1e2"}, list{"100"}, yes},
		{"B12 not equal", "NumericNotEquals", "x:n", list{"1", "2"}, list{"2"}, no},
		{"B12 not equal, other", "NumericNotEquals", "x:n", list{"1"}, list{"2"}, yes},
		{"B12 not equal, absent", "NumericNotEquals", "x:n", list{"1"}, nil, yes},
		{"B12 less", "NumericLessThan", "x:n", list{"10"}, list{"9"}, yes},
		{"B12 less, equal", "NumericLessThan", "x:n", list{"10"}, list{"10"}, no},
		{"B12 not by text", "NumericLessThan", "x:n", list{"10"}, list{"9.5"}, yes},
		{"B12 less or equal", "NumericLessThanEquals", "x:n", list{"10"}, list{"10"}, yes},
		{"B12 greater", "NumericGreaterThan", "x:n", list{"-1"}, list{"0"}, yes},
		{"B12 greater, equal", "NumericGreaterThan", "x:n", list{"0"}, list{"0"}, no},
		{"B12 greater or equal", "NumericGreaterThanEquals", "x:n", list{"0"}, list{"0"}, yes},
		{"B12 absent", "NumericLessThan", "x:n", list{"10"}, nil, no},
		{"B13 prefix of a number", "NumericEquals", "x:n", list{"10"}, list{"10abc"}, no},
		{"B13 malformed request, negated", "NumericNotEquals", "x:n", list{"10"}, list{"10abc"}, maybe},
		{"B13 malformed value", "NumericEquals", "x:n", list{"ten"}, list{"10"}, no},
		{"B13 malformed beside a match", "NumericEquals", "x:n", list{"ten", "10"}, list{"10"}, yes},
		{"B13 malformed, negated", "NumericNotEquals", "x:n", list{"ten"}, list{"10"}, maybe},
		{"B13 malformed, negated beside a match", "NumericNotEquals", "x:n", list{"ten", "10"}, list{"10"}, no},
		{"B13 malformed, negated, absent", "NumericNotEquals", "x:n", list{"ten"}, nil, yes},
		{"B13 date under Numeric", "NumericLessThan", "aws:EpochTime", list{"2026-01-01"}, list{"1"}, no},
		{"A29 no variables under Numeric", "NumericEquals", "x:n", list{"${x:n}"}, list{"1"}, no},
		{"B11 epoch time under Numeric", "NumericLessThan", "aws:EpochTime", list{"1700000001"}, list{"1700000000"}, yes},

		// Dates, rule B11.
		{"B11 equal across zones", "DateEquals", "aws:CurrentTime", list{"2026-01-01T01:00:00+01:00"}, list{"2026-01-01T00:00:00Z"}, yes},
		{"B11 equal to epoch", "DateEquals", "aws:EpochTime", list{"2026-01-01T00:00:00Z"}, list{"1767225600"}, yes},
		{"B11 not equal", "DateNotEquals", "aws:CurrentTime", list{"2026-01-01"}, list{"2026-01-02"}, yes},
		{"B11 not equal, absent", "DateNotEquals", "aws:CurrentTime", list{"2026-01-01"}, nil, yes},
		{"B11 less", "DateLessThan", "aws:CurrentTime", list{"2026-01-01"}, list{"2025-12-31T23:59:59.999Z"}, yes},
		{"B11 less, equal", "DateLessThan", "aws:CurrentTime", list{"2026-01-01"}, list{"2026-01-01T00:00Z"}, no},
		{"B11 less or equal", "DateLessThanEquals", "aws:CurrentTime", list{"2026-01-01"}, list{"2026-01-01T00:00Z"}, yes},
		{"B11 greater", "DateGreaterThan", "aws:CurrentTime", list{"2026-01"}, list{"2026-01-01T00:00:01Z"}, yes},
		{"B11 greater or equal", "DateGreaterThanEquals", "aws:TokenIssueTime", list{"2026-01-01T00:00:00.5Z"}, list{"2026-01-01T00:00:00.49Z"}, no},
		{"B11 absent", "DateLessThan", "aws:CurrentTime", list{"2026-01-01"}, nil, no},
		{"B13 malformed date", "DateNotEquals", "aws:CurrentTime", list{"yesterday"}, list{"2026-01-01"}, maybe},
		{"B13 malformed date of the request", "DateLessThan", "aws:CurrentTime", list{"2026-01-01"}, list{"now"}, no},

		// Bool.
		{"Bool", "Bool", "aws:SecureTransport", list{"true"}, list{"true"}, yes},
		{"Bool other", "Bool", "aws:SecureTransport", list{"true"}, list{"false"}, no},
		{"B14 Bool in other case", "Bool", "aws:SecureTransport", list{"True"}, list{"true"}, yes},
		{"Bool absent", "Bool", "aws:SecureTransport", list{"false"}, nil, no},
		{"Bool both", "Bool", "aws:SecureTransport", list{"true", "false"}, list{"false"}, yes},
		{"B13 Bool no boolean", "Bool", "aws:SecureTransport", list{"yes"}, list{"true"}, no},
		{"B13 Bool 1", "Bool", "aws:SecureTransport", list{"true"}, list{"1"}, no},

		// Binary.
		{"Binary", "BinaryEquals", "x:b", list{"QmluYXJ5"}, list{"QmluYXJ5"}, yes},
		{"Binary other", "BinaryEquals", "x:b", list{"QmluYXJ5"}, list{"AAAA"}, no},
		{"Binary absent", "BinaryEquals", "x:b", list{"QmluYXJ5"}, nil, no},
		{"B13 Binary", "BinaryEquals", "x:b", list{"%"}, list{"AAAA"}, no},
		{"B13 Binary of the request", "BinaryEquals", "x:b", list{"AAAA"}, list{"%"}, no},

		// Addresses, rule B10.
		{"B10 range", "IpAddress", "aws:SourceIp", list{"203.0.113.0/24"}, list{"203.0.113.200"}, yes},
		{"B10 host bits", "IpAddress", "aws:SourceIp", list{"203.0.113.7/24"}, list{"203.0.113.200"}, yes},
		{"B10 outside", "IpAddress", "aws:SourceIp", list{"203.0.113.0/24"}, list{"203.0.114.1"}, no},
		{"B10 bare address", "IpAddress", "aws:SourceIp", list{"203.0.113.7"}, list{"203.0.113.7"}, yes},
		{"B10 bare address, other", "IpAddress", "aws:SourceIp", list{"203.0.113.7"}, list{"203.0.113.8"}, no},
		{"B10 mapped request", "IpAddress", "aws:SourceIp", list{"203.0.113.7/24"}, list{"::ffff:203.0.113.5"}, yes},
		{"B10 mapped range", "IpAddress", "aws:SourceIp", list{"::ffff:203.0.113.0/120"}, list{"203.0.113.5"}, yes},
		{"B10 families", "IpAddress", "aws:SourceIp", list{"0.0.0.0/0"}, list{"2001:db8::1"}, no},
		{"B10 families, the other way", "IpAddress", "aws:SourceIp", list{"::/0"}, list{"1.2.3.4"}, no},
		{"B10 everything", "IpAddress", "aws:SourceIp", list{"0.0.0.0/0"}, list{"1.2.3.4"}, yes},
		{"B10 IPv6 upper case", "IpAddress", "aws:SourceIp", list{"2001:DB8::/32"}, list{"2001:db8:0:0::1"}, yes},
		{"B10 IPv6 bare", "IpAddress", "aws:SourceIp", list{"2001:db8::1"}, list{"2001:db8::2"}, no},
		{"B10 absent", "IpAddress", "aws:SourceIp", list{"0.0.0.0/0"}, nil, no},
		{"B10 not", "NotIpAddress", "aws:SourceIp", list{"203.0.113.0/24", "198.51.100.1"}, list{"198.51.100.1"}, no},
		{"B10 not, outside", "NotIpAddress", "aws:SourceIp", list{"203.0.113.0/24"}, list{"198.51.100.1"}, yes},
		{"B10 not, absent", "NotIpAddress", "aws:SourceIp", list{"203.0.113.0/24"}, nil, yes},
		{"B13 wildcard address", "NotIpAddress", "aws:SourceIp", list{"203.0.113.*"}, list{"203.0.113.1"}, maybe},
		{"B13 no address in the request", "IpAddress", "aws:SourceIp", list{"0.0.0.0/0"}, list{"cloudformation.amazonaws.com"}, no},
		{"B13 no address in the request, negated", "NotIpAddress", "aws:SourceIp", list{"0.0.0.0/0"}, list{"cloudformation.amazonaws.com"}, maybe},
		{"B13 zone", "NotIpAddress", "aws:SourceIp", list{"fe80::/10"}, list{"fe80::1%eth0"}, maybe},

		// ARNs, rule B9.
		{"B9 like", "ArnLike", "aws:SourceArn", list{"arn:aws:s3:::b*"}, list{"arn:aws:s3:::bucket"}, yes},
		{"B9 documented example", "ArnLike", "x:a", list{"arn:aws:svc:*:111122223333:finance/*"}, list{"arn:aws:svc:us-east-2:999999999999:store/abc:111122223333:finance/doc"}, no},
		{"B9 documented example as text", "StringLike", "x:a", list{"arn:aws:svc:*:111122223333:finance/*"}, list{"arn:aws:svc:us-east-2:999999999999:store/abc:111122223333:finance/doc"}, yes},
		{"B9 equals is like", "ArnEquals", "aws:SourceArn", list{"arn:aws:s3:::b*"}, list{"arn:aws:s3:::bucket"}, yes},
		{"B9 absent", "ArnLike", "aws:SourceArn", list{"arn:aws:s3:::b*"}, nil, no},
		{"B9 not", "ArnNotLike", "aws:SourceArn", list{"arn:aws:s3:::b*"}, list{"arn:aws:s3:::bucket"}, no},
		{"B9 not equals", "ArnNotEquals", "aws:SourceArn", list{"arn:aws:s3:::b"}, list{"arn:aws:s3:::c"}, yes},
		{"B9 not, absent", "ArnNotEquals", "aws:SourceArn", list{"arn:aws:s3:::b"}, nil, yes},
		{"B13 short pattern", "ArnLike", "aws:SourceArn", list{"arn:aws:s3:*"}, list{"arn:aws:s3:::b"}, no},
		{"B13 star", "ArnLike", "aws:SourceArn", list{"*"}, list{"arn:aws:s3:::b"}, no},
		{"B13 short pattern, negated", "ArnNotLike", "aws:SourceArn", list{"*"}, list{"arn:aws:s3:::b"}, maybe},
		{"B13 short request", "ArnLike", "aws:SourceArn", list{"arn:aws:s3:::*"}, list{"b"}, no},
		{"B13 short request, negated", "ArnNotLike", "aws:SourceArn", list{"arn:aws:s3:::*"}, list{"b"}, maybe},
		{"B13 six parts and no ARN, negated", "ArnNotLike", "aws:SourceArn", list{"arn:aws:s3:::*"}, list{"a:b:c:d:e:f"}, maybe},

		// Null, rule B5.
		{"B5 absent", "Null", single, list{"true"}, nil, yes},
		{"B5 present", "Null", single, list{"true"}, list{"x"}, no},
		{"B5 false, absent", "Null", single, list{"false"}, nil, no},
		{"B5 false, present", "Null", single, list{"false"}, list{"x"}, yes},
		{"B5 both", "Null", single, list{"true", "false"}, nil, yes},
		{"B5 both, present", "Null", single, list{"true", "false"}, list{"x"}, yes},
		{"B5 other case", "Null", single, list{"True"}, nil, yes},
		{"I17 the empty string of a single-valued key", "Null", single, list{"true"}, list{""}, no},
		{"I17 the empty set", "Null", multi, list{"true"}, list{}, yes},
		{"I17 the set of the empty string", "Null", multi, list{"true"}, list{""}, yes},
		{"I17 the set of the empty string, false", "Null", multi, list{"false"}, list{""}, no},
		{"B5 a set", "Null", multi, list{"false"}, list{"a", "b"}, yes},
		{"B5 ForAllValues", "ForAllValues:Null", multi, list{"false"}, nil, yes},
		{"B5 ForAllValues, present", "ForAllValues:Null", multi, list{"true"}, list{"a"}, yes},
		{"B5 ForAnyValue", "ForAnyValue:Null", multi, list{"true"}, nil, no},
		{"B5 ForAnyValue, present", "ForAnyValue:Null", multi, list{"false"}, list{"a"}, no},
		{"B13 Null", "Null", single, list{"yes"}, nil, no},

		// Set operators, rule B6.
		{"B6 all", "ForAllValues:StringEquals", multi, list{"a", "b"}, list{"a"}, yes},
		{"B6 all, one more", "ForAllValues:StringEquals", multi, list{"a", "b"}, list{"a", "c"}, no},
		{"B6 all, absent", "ForAllValues:StringEquals", multi, list{"a"}, nil, yes},
		{"B6 all, empty", "ForAllValues:StringEquals", multi, list{"a"}, list{}, yes},
		{"B6 all, the empty string", "ForAllValues:StringEquals", multi, list{"a"}, list{""}, yes},
		{"B6 none is listed", "ForAllValues:StringNotEquals", multi, list{"a"}, list{"b", "c"}, yes},
		{"B6 one is listed", "ForAllValues:StringNotEquals", multi, list{"a"}, list{"b", "a"}, no},
		{"B6 none is listed, absent", "ForAllValues:StringNotEquals", multi, list{"a"}, nil, yes},
		{"B6 any", "ForAnyValue:StringEquals", multi, list{"a"}, list{"b", "a"}, yes},
		{"B6 any, none", "ForAnyValue:StringEquals", multi, list{"a"}, list{"b"}, no},
		{"B6 any, absent", "ForAnyValue:StringEquals", multi, list{"a"}, nil, no},
		{"B6 any, empty", "ForAnyValue:StringEquals", multi, list{"a"}, list{}, no},
		{"B6 any, the empty string", "ForAnyValue:StringLike", multi, list{"*"}, list{""}, no},
		{"B6 some is not listed", "ForAnyValue:StringNotEquals", multi, list{"a"}, list{"a", "b"}, yes},
		{"B6 all are listed", "ForAnyValue:StringNotEquals", multi, list{"a", "b"}, list{"a", "b"}, no},
		{"B6 some is not listed, absent", "ForAnyValue:StringNotEquals", multi, list{"a"}, nil, no},
		{"B6 some is not listed, empty", "ForAnyValue:StringNotEquals", multi, list{"a"}, list{}, no},
		{"B6 any with wildcards", "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", list{"o-1/*"}, list{"o-1/r-1/"}, yes},
		{"B13 in a set, negated", "ForAllValues:NumericNotEquals", multi, list{"x"}, list{"1"}, maybe},

		// Set operator and IfExists, rule B7.
		{"B7 all, absent", "ForAllValues:StringEqualsIfExists", multi, list{"a"}, nil, yes},
		{"B7 all, present", "ForAllValues:StringEqualsIfExists", multi, list{"a"}, list{"b"}, no},
		{"B7 any, absent", "ForAnyValue:StringEqualsIfExists", multi, list{"a"}, nil, maybe},
		{"B7 any negated, absent", "ForAnyValue:StringNotEqualsIfExists", multi, list{"a"}, nil, maybe},
		{"B7 any, empty", "ForAnyValue:StringEqualsIfExists", multi, list{"a"}, list{}, no},
		{"B7 any, present", "ForAnyValue:StringEqualsIfExists", multi, list{"a"}, list{"a"}, yes},

		// No policy values, rule B8.
		{"B8 positive", "StringEquals", single, list{}, list{"a"}, no},
		{"B8 positive, absent", "StringEquals", single, list{}, nil, no},
		{"B8 negated", "StringNotEquals", single, list{}, list{"a"}, yes},
		{"B8 negated, absent", "StringNotEquals", single, list{}, nil, yes},
		{"B8 IfExists, absent", "StringEqualsIfExists", single, list{}, nil, yes},
		{"B8 IfExists, present", "StringEqualsIfExists", single, list{}, list{"a"}, no},
		{"B8 all", "ForAllValues:StringEquals", multi, list{}, list{"a"}, no},
		{"B8 all, absent", "ForAllValues:StringEquals", multi, list{}, nil, yes},
		{"B8 all, empty", "ForAllValues:StringEquals", multi, list{}, list{}, yes},
		{"B8 any", "ForAnyValue:StringEquals", multi, list{}, list{"a"}, no},
		{"B8 any, absent", "ForAnyValue:StringEquals", multi, list{}, nil, no},
		{"B8 any negated", "ForAnyValue:StringNotEquals", multi, list{}, list{"a"}, no},
		{"B8 all negated", "ForAllValues:StringNotEquals", multi, list{}, list{"a"}, yes},
		{"B8 negated on a set", "StringNotEquals", multi, list{}, list{"a"}, yes},

		// No set operator on a multivalued key, rule B16.
		{"B16 positive", "StringEquals", multi, list{"a"}, list{"a"}, no},
		{"B16 positive, absent", "StringEquals", multi, list{"a"}, nil, no},
		{"B16 negated", "StringNotEquals", multi, list{"a"}, list{"b"}, maybe},
		{"B16 negated, listed", "StringNotEquals", multi, list{"a"}, list{"a"}, maybe},
		{"B16 negated, absent", "StringNotEquals", multi, list{"a"}, nil, yes},
		{"B16 IfExists, absent", "StringEqualsIfExists", multi, list{"a"}, nil, yes},
		{"B16 an unknown key with two values", "StringEquals", "x:set", list{"a"}, list{"a", "b"}, no},
		{"B16 the empty set", "StringEquals", multi, list{"a"}, list{}, no},
		{"B16 the empty set, negated", "StringNotEquals", multi, list{"a"}, list{}, yes},

		// A set operator on a single-valued key, rule B17.
		{"B17 all", "ForAllValues:StringEquals", single, list{"a"}, list{"a"}, yes},
		{"B17 all, absent", "ForAllValues:StringEquals", single, list{"a"}, nil, yes},
		{"B17 any", "ForAnyValue:StringEquals", single, list{"a"}, list{"a"}, yes},
		{"B17 any, absent", "ForAnyValue:StringEquals", single, list{"a"}, nil, no},
		{"B17 any, the empty string", "ForAnyValue:StringEquals", single, list{""}, list{""}, yes},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := compile(t, tc.operator, tc.key, texts(tc.wanted)...)
			ctx := with(tc.key, tc.got)
			if got := c.Eval(ctx); got != tc.want {
				t.Errorf("%s %s %q with %q: got %v, want %v", tc.operator, tc.key, tc.wanted, tc.got, got, tc.want)
			}
		})
	}
}

// Rules A28 to A35; AWS page "IAM policy elements: Variables and tags".
func TestEvalVariables(t *testing.T) {
	var ctx request.Context
	ctx.SetString("aws:username", "bob")
	ctx.SetString("aws:PrincipalAccount", "111122223333")
	ctx.SetString("aws:SourceArn", "arn:aws:s3:::b")
	ctx.SetString("aws:TagKeys", "bob")
	ctx.SetString("aws:PrincipalTag/star", "*")
	ctx.SetString("aws:SecureTransport", "true")
	tests := []struct {
		name     string
		operator string
		key      string
		wanted   list
		got      list
		want     kleene.Truth
	}{
		{"A28", "StringEquals", "x:k", list{"${aws:username}"}, list{"bob"}, yes},
		{"A28 names in other case", "StringEquals", "x:k", list{"${AWS:UserName}"}, list{"bob"}, yes},
		{"A28 ARN", "ArnLike", "x:k", list{"arn:aws:iam::111122223333:user/${aws:username}"}, list{"arn:aws:iam::111122223333:user/bob"}, yes},
		{"A28 ARN, account", "ArnLike", "x:k", list{"arn:aws:iam::${aws:PrincipalAccount}:user/*"}, list{"arn:aws:iam::111122223333:user/bob"}, yes},
		{"A28 whole ARN", "ArnEquals", "x:k", list{"${aws:SourceArn}"}, list{"arn:aws:s3:::b"}, yes},
		{"B13 a variable that is no ARN", "ArnNotEquals", "x:k", list{"${aws:username}"}, list{"arn:aws:s3:::b"}, maybe},
		{"A29 Bool", "Bool", "x:k", list{"${aws:SecureTransport}"}, list{"true"}, yes},
		{"A31 default", "StringEquals", "x:k", list{"${aws:PrincipalTag/team, 'company-wide'}"}, list{"company-wide"}, yes},
		{"A32 wildcards of a value", "StringLike", "x:k", list{"${aws:PrincipalTag/star}"}, list{"bob"}, no},
		{"A33 absent", "StringEquals", "x:k", list{"${aws:PrincipalTag/team}"}, list{"bob"}, no},
		{"A33 absent, negated", "StringNotEquals", "x:k", list{"${aws:PrincipalTag/team}"}, list{"bob"}, yes},
		{"A33 the other values count", "StringNotEquals", "x:k", list{"${aws:PrincipalTag/team}", "x"}, list{"x"}, no},
		{"A33 absent ARN, negated", "ArnNotLike", "x:k", list{"${aws:PrincipalTag/team}"}, list{"arn:aws:s3:::b"}, yes},
		{"A34 a set is no variable", "StringEquals", "x:k", list{"${aws:TagKeys}"}, list{"bob"}, no},
		{"A35 both absent", "StringNotEquals", "x:k", list{"${aws:PrincipalTag/team}"}, nil, yes},
		{"A31 faulty", "StringEquals", "x:k", list{"${aws:username"}, list{"${aws:username"}, no},
		{"B13 faulty, negated", "StringNotEquals", "x:k", list{"${aws:username"}, list{"bob"}, maybe},
		{"B13 faulty ARN, negated", "ArnNotLike", "x:k", list{"arn:aws:s3:::${}"}, list{"arn:aws:s3:::b"}, maybe},
		{"B13 faulty Bool", "Bool", "x:k", list{"${}"}, list{"true"}, no},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ctx := ctx.Clone()
			if tc.got != nil {
				ctx.SetString(tc.key, tc.got...)
			}
			c, _ := compile(t, tc.operator, tc.key, texts(tc.wanted)...)
			if got := c.Eval(ctx); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	op, _ := condition.ParseOperator("StringEquals")
	c, _ := condition.Compile(op, "x:k", source.Range{}, values(lit("${aws:username}")), false)
	ctx.SetString("x:k", "${aws:username}")
	if got := c.Eval(ctx); got != yes {
		t.Errorf("A1: a document of 2008: got %v, want true", got)
	}
}

func TestEvalUnknown(t *testing.T) {
	id := symbol.Symbol{Name: "vpc", Class: symbol.Segment}.Text()
	arn := symbol.Symbol{Name: "arn"}.Text()
	tests := []struct {
		name     string
		operator string
		key      string
		wanted   symbol.Text
		got      symbol.Text
		want     kleene.Truth
	}{
		{"itself", "StringEquals", "x:k", id, id, yes},
		{"itself, negated", "StringNotEquals", "x:k", id, id, no},
		{"may be", "StringEquals", "x:k", lit("vpc-1"), id, maybe},
		{"cannot be", "StringEquals", "x:k", lit("a/b"), id, no},
		{"everything", "StringLike", "x:k", lit("*"), id, yes},
		{"itself in other case", "StringEqualsIgnoreCase", "x:k", id, id, yes},
		{"number", "NumericEquals", "x:k", lit("1"), id, maybe},
		{"unknown number", "NumericNotEquals", "x:k", id, lit("1"), maybe},
		{"date", "DateLessThan", "x:k", id, lit("1"), maybe},
		{"address", "NotIpAddress", "x:k", lit("0.0.0.0/0"), id, maybe},
		{"binary", "BinaryEquals", "x:k", lit("AAAA"), id, maybe},
		{"Bool", "Bool", "x:k", lit("true"), id, maybe},
		{"unknown Bool", "Bool", "x:k", id, lit("true"), maybe},
		{"unknown Bool is itself", "Bool", "x:k", id, id, yes},
		{"Null", "Null", "x:k", id, lit("x"), maybe},
		{"ARN", "ArnLike", "x:k", lit("arn:aws:s3:::*"), arn, maybe},
		{"ARN is itself", "ArnEquals", "x:k", arn, arn, yes},
		{"a name is no ARN", "ArnNotEquals", "x:k", id, lit("arn:aws:s3:::b"), maybe},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := compile(t, tc.operator, tc.key, tc.wanted)
			var ctx request.Context
			ctx.Set(tc.key, tc.got)
			if got := c.Eval(ctx); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestEvalPresenceUnknown(t *testing.T) {
	tests := []struct {
		operator string
		wanted   list
		want     kleene.Truth
	}{
		{"StringEquals", list{"a"}, maybe},
		{"StringEquals", list{"b"}, no},
		{"StringEqualsIfExists", list{"a"}, yes},
		{"StringEqualsIfExists", list{"b"}, maybe},
		{"StringNotEquals", list{"b"}, yes},
		{"StringNotEquals", list{"a"}, maybe},
		{"Null", list{"true"}, maybe},
		{"Null", list{"true", "false"}, yes},
		{"ForAllValues:StringEquals", list{"a"}, yes},
		{"ForAnyValue:StringEquals", list{"b"}, no},
	}
	var ctx request.Context
	ctx.SetMaybe("x:k", lit("a"))
	for _, tc := range tests {
		c, _ := compile(t, tc.operator, "x:k", texts(tc.wanted)...)
		if got := c.Eval(ctx); got != tc.want {
			t.Errorf("%s %q: got %v, want %v", tc.operator, tc.wanted, got, tc.want)
		}
	}
}

var bases = []condition.Base{
	condition.StringEquals, condition.StringNotEquals, condition.StringEqualsIgnoreCase, condition.StringNotEqualsIgnoreCase,
	condition.StringLike, condition.StringNotLike, condition.NumericEquals, condition.NumericNotEquals, condition.NumericLessThan,
	condition.NumericLessThanEquals, condition.NumericGreaterThan, condition.NumericGreaterThanEquals, condition.DateEquals,
	condition.DateNotEquals, condition.DateLessThan, condition.DateLessThanEquals, condition.DateGreaterThan,
	condition.DateGreaterThanEquals, condition.Bool, condition.BinaryEquals, condition.IPAddress, condition.NotIPAddress,
	condition.ArnEquals, condition.ArnNotEquals, condition.ArnLike, condition.ArnNotLike, condition.Null,
}

// A definite answer where presence is unknown is the answer of both worlds, and
// one over unknown values is that of all values.
func TestEvalSound(t *testing.T) {
	words := rapid.SampledFrom([]string{"a", "b", "A", "", "1", "2.0", "true", "False", "2026-01-01", "1.2.3.4", "1.2.0.0/16", "AAAA", "arn:aws:s3:::a", "arn:aws:s3:::*", "*"})
	patterns := rapid.OneOf(words, rapid.SampledFrom([]string{"${x:v}", "arn:aws:s3:::${x:v}", "${x:v, 'a'}", "${"}))
	unknown := symbol.Symbol{Name: "u"}.Text()
	rapid.Check(t, func(t *rapid.T) {
		op := condition.Operator{
			Base:     rapid.SampledFrom(bases).Draw(t, "base"),
			Set:      rapid.SampledFrom([]condition.Set{condition.NoSet, condition.ForAnyValue, condition.ForAllValues}).Draw(t, "set"),
			IfExists: rapid.Bool().Draw(t, "IfExists"),
		}
		key := rapid.SampledFrom([]string{"x:k", "aws:TagKeys"}).Draw(t, "key")
		wanted := texts(rapid.SliceOfN(patterns, 0, 3).Draw(t, "wanted"))
		hidden := rapid.Bool().Draw(t, "a value is unknown") && len(wanted) > 0
		if hidden {
			wanted[0] = unknown
		}
		got := texts(rapid.SliceOfN(words, 0, 3).Draw(t, "got"))
		hiddenGot := rapid.Bool().Draw(t, "a request value is unknown") && len(got) > 0
		if hiddenGot {
			got[0] = unknown
		}
		variable := lit(words.Draw(t, "x:v"))
		truths := rapid.SampledFrom([]kleene.Truth{no, maybe, yes})
		keyPresent, variablePresent := truths.Draw(t, "key present"), truths.Draw(t, "variable present")
		set := func(ctx *request.Context, present kleene.Truth, key string, vs ...symbol.Text) {
			switch present {
			case yes:
				ctx.Set(key, vs...)
			case maybe:
				ctx.SetMaybe(key, vs...)
			}
		}
		var ctx request.Context
		set(&ctx, keyPresent, key, got...)
		set(&ctx, variablePresent, "x:v", variable)
		c, _ := condition.Compile(op, key, source.Range{}, values(wanted...), true)
		abstract := c.Eval(ctx)
		if abstract == maybe {
			return
		}
		resolve := func(name string, present kleene.Truth) kleene.Truth {
			if present == maybe {
				return kleene.Of(rapid.Bool().Draw(t, name))
			}
			return present
		}
		for range 4 {
			var world request.Context
			// An unknown where an ARN or a boolean belongs is taken to be one.
			value := lit(rapid.SampledFrom([]string{"a", "1", "true", "1.2.3.4", "AAAA", "arn:aws:s3:::a"}).Draw(t, "u"))
			switch {
			case strings.HasPrefix(string(op.Base), "Arn"):
				value = lit("arn:aws:s3:::a")
			case op.Base == condition.Bool:
				value = lit("true")
			}
			gotNow, wantedNow := append([]symbol.Text(nil), got...), append([]symbol.Text(nil), wanted...)
			if hidden {
				wantedNow[0] = value
			}
			if hiddenGot {
				gotNow[0] = value
			}
			set(&world, resolve("key", keyPresent), key, gotNow...)
			set(&world, resolve("variable", variablePresent), "x:v", variable)
			c, _ := condition.Compile(op, key, source.Range{}, values(wantedNow...), true)
			if concrete := c.Eval(world); concrete != abstract && concrete != maybe {
				t.Fatalf("%v %s %v with %v: got %v, but %v in a world with u = %v", op, key, wanted, got, abstract, concrete, value)
			}
		}
	})
}

func TestParseOperator(t *testing.T) {
	for _, base := range bases {
		for _, set := range []condition.Set{condition.NoSet, condition.ForAnyValue, condition.ForAllValues} {
			for _, ifExists := range []bool{false, true} {
				want := condition.Operator{Set: set, Base: base, IfExists: ifExists}
				for _, name := range []string{want.String(), strings.ToLower(want.String()), strings.ToUpper(want.String())} {
					got, err := condition.ParseOperator(name)
					if base == condition.Null && ifExists {
						if err == nil {
							t.Errorf("B3 %s: no error", name)
						}
						continue
					}
					if err != nil || got != want {
						t.Errorf("B3 %s: got %v, %v", name, got, err)
					}
				}
			}
		}
	}
	for _, name := range []string{"", "StringEqual", "IfExists", "ForAnyValue:", "ForSomeValues:StringEquals", "ForAnyValue:ForAllValues:StringEquals", "StringEqualsIfExistsIfExists", " StringEquals", "StringEqualsIfexist"} {
		if op, err := condition.ParseOperator(name); err == nil {
			t.Errorf("B3 %q: got %v, want an error", name, op)
		}
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name     string
		operator string
		key      string
		wanted   list
		want     list // the problems, "!" before fatal ones
	}{
		{"none", "StringEquals", "aws:SourceVpc", list{"a"}, nil},
		{"B5 set operator", "ForAnyValue:Null", "aws:TagKeys", list{"true"}, list{"ForAnyValue:Null asks nothing: it is always false"}},
		{"B5 value", "Null", "aws:TagKeys", list{"yes"}, list{`!Null takes "true" or "false", not "yes"; the value matches nothing`}},
		{"B8", "StringEquals", "aws:SourceVpc", list{}, list{"the value list of aws:SourceVpc is empty"}},
		{"B10", "IpAddress", "aws:SourceIp", list{"10.0.0.*"}, list{`!"10.0.0.*" is not an IP address or CIDR range; the value matches nothing`}},
		{"B10 prefix", "IpAddress", "aws:SourceIp", list{"10.0.0.0/33"}, list{`!"10.0.0.0/33" is not an IP address or CIDR range; the value matches nothing`}},
		{"B11", "DateLessThan", "aws:CurrentTime", list{"2026-13-01"}, list{`!"2026-13-01" is not a date; the value matches nothing`}},
		{"B11 no zone", "DateLessThan", "aws:CurrentTime", list{"2026-01-01T00:00:00"}, list{`"2026-01-01T00:00:00" has a time without a zone; it is read as UTC`}},
		{"B11 four digits", "DateLessThan", "aws:CurrentTime", list{"2026"}, list{`"2026" may be a year or seconds since 1970; it is read as seconds`}},
		{"B12", "NumericEquals", "x:n", list{"ten"}, list{`!"ten" is not a number; the value matches nothing`}},
		{"B13 Bool", "Bool", "aws:SecureTransport", list{"1"}, list{`!"1" is not "true" or "false"; the value matches nothing`}},
		{"B13 binary", "BinaryEquals", "x:b", list{"%"}, list{`!"%" is not base64; the value matches nothing`}},
		{"B9", "ArnLike", "aws:SourceArn", list{"arn:aws:s3:*"}, list{`!"arn:aws:s3:*" is not an ARN of six parts; the value matches nothing`}},
		{"B16", "StringEquals", "aws:CalledVia", list{"a"}, list{"aws:CalledVia holds a set of values: StringEquals needs ForAnyValue: or ForAllValues:"}},
		{"A29", "Bool", "x:k", list{"${aws:SecureTransport}"}, list{"AWS's pages disagree on policy variables under Bool; tfguard substitutes them"}},
		{"A29 numeric", "NumericEquals", "x:n", list{"${x:n}"}, list{`!"${x:n}" is not a number; the value matches nothing`}},
		{"A31", "StringEquals", "x:k", list{"${}"}, list{`!a policy variable is empty: "${}"; the value matches nothing`}},
		{"A34", "StringEquals", "x:k", list{"${aws:TagKeys}"}, list{"!aws:TagKeys holds a set of values and cannot be a policy variable; it counts as absent"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := compile(t, tc.operator, tc.key, texts(tc.wanted)...)
			var got list
			for _, p := range problems {
				if p.Fatal {
					p.Msg = "!" + p.Msg
				}
				got = append(got, p.Msg)
			}
			if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	for _, operator := range []string{"Null", "NumericEquals", "ArnLike", "Bool", "DateEquals"} {
		if _, problems := compile(t, operator, "x:k", symbol.Symbol{Name: "true"}.Text()); len(problems) > 0 {
			t.Errorf("%s of an unknown value: got %v", operator, problems)
		}
	}
}

func TestWantedAndGot(t *testing.T) {
	c, _ := compile(t, "StringEquals", "x:k", lit("a"), symbol.Symbol{Name: "b"}.Text())
	if got, want := c.Wanted(), "a, ${b}"; got != want {
		t.Errorf("Wanted: got %q, want %q", got, want)
	}
	var ctx request.Context
	for _, tc := range []struct {
		set  func()
		want string
	}{
		{func() {}, "absent"},
		{func() { ctx.SetMaybe("x:k", lit("a")) }, "unknown"},
		{func() { ctx.Set("x:k") }, "empty"},
		{func() { ctx.SetString("X:K", "a", "b") }, "a, b"},
	} {
		tc.set()
		if got := c.Got(ctx); got != tc.want {
			t.Errorf("Got: got %q, want %q", got, tc.want)
		}
	}
}
