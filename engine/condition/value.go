package condition

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// outcome of comparing one context value with one policy value.
type outcome uint8

const (
	differs outcome = iota
	maybeMatches
	matches
	badPolicyValue
	badContextValue
)

func of(t kleene.Truth) outcome { return outcome(t) }

// A matcher compares context values with one policy value.
type matcher func(v symbol.Text, lookup symbol.Lookup) outcome

// compile prepares one policy value for its operator. The error says what is
// malformed about it; the matcher then answers badPolicyValue.
func compile(op Operator, p symbol.Text, variables bool) (matcher, error) {
	row := operators[op.Base]
	switch row.family {
	case stringFamily:
		return compileString(op.Base, p, variables)
	case arnFamily:
		return compileARN(p, variables)
	case boolFamily:
		return compileBool(p, variables)
	default:
		// The others know no variables, and compare values rather than texts.
	}
	s, ok := p.Literal()
	if !ok {
		return func(symbol.Text, symbol.Lookup) outcome { return maybeMatches }, nil
	}
	switch row.family {
	case ipFamily:
		want, err := ParsePrefix(s)
		return known(err, func(v string) outcome {
			got, err := netip.ParseAddr(v)
			if err != nil || got.Zone() != "" {
				return badContextValue
			}
			return of(kleene.Of(want.Contains(got.Unmap())))
		}), err
	case numericFamily:
		want, err := ParseNumber(s)
		return known(err, func(v string) outcome {
			got, err := ParseNumber(v)
			if err != nil {
				return badContextValue
			}
			return of(kleene.Of(ordered(row.order, got.Cmp(want))))
		}), err
	case dateFamily:
		want, err := ParseDate(s)
		return known(err, func(v string) outcome {
			got, err := ParseDate(v)
			if err != nil {
				return badContextValue
			}
			return of(kleene.Of(ordered(row.order, got.Compare(want))))
		}), err
	default: // binary; Null, which compares no values, does not come here
		want, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			err = fmt.Errorf("%q is not base64", s)
		}
		return known(err, func(v string) outcome {
			got, err := base64.StdEncoding.DecodeString(v)
			if err != nil {
				return badContextValue
			}
			return of(kleene.Of(bytes.Equal(got, want)))
		}), err
	}
}

func malformed(symbol.Text, symbol.Lookup) outcome { return badPolicyValue }

// known lifts a comparison of known context values; err makes the policy value malformed.
func known(err error, compare func(v string) outcome) matcher {
	if err != nil {
		return malformed
	}
	return func(v symbol.Text, _ symbol.Lookup) outcome {
		s, ok := v.Literal()
		if !ok {
			return maybeMatches
		}
		return compare(s)
	}
}

func ordered(order string, cmp int) bool {
	switch order {
	case "<":
		return cmp < 0
	case "<=":
		return cmp <= 0
	case ">":
		return cmp > 0
	case ">=":
		return cmp >= 0
	default:
		return cmp == 0
	}
}

func compileString(base Base, p symbol.Text, variables bool) (matcher, error) {
	syn := symbol.Syntax{Variables: variables}
	switch base {
	case StringLike, StringNotLike:
		syn.Wildcards = true
	case StringEqualsIgnoreCase, StringNotEqualsIgnoreCase:
		syn.Fold = true
	default:
		// StringEquals and StringNotEquals compare byte by byte.
	}
	pat, err := symbol.Compile(p, syn)
	if err != nil {
		return malformed, err
	}
	return func(v symbol.Text, lookup symbol.Lookup) outcome {
		return of(pat.Match(v, lookup))
	}, nil
}

func compileARN(p symbol.Text, variables bool) (matcher, error) {
	pat, err := arn.CompileValue(p, variables)
	if err != nil {
		return malformed, err
	}
	if pat.Certain() && !pat.Full() {
		return malformed, fmt.Errorf("%q is not an ARN of six parts", p)
	}
	return func(v symbol.Text, lookup symbol.Lookup) outcome {
		if _, ok := arn.Parse(v); !ok && v.Known() {
			return badContextValue
		}
		if pat.Certain() || !p.Known() {
			return of(pat.MatchStrict(v, lookup))
		}
		bound, sure := pat.Bind(lookup)
		switch {
		case sure == kleene.False:
			return differs
		case bound.Certain() && !bound.Full():
			return badPolicyValue
		default:
			return of(kleene.And(sure, bound.MatchStrict(v, nil)))
		}
	}, nil
}

// compileBool substitutes policy variables, which one AWS page lists as supported
// for Bool and another does not; [Compile] says so. An unknown is taken to be a boolean.
func compileBool(p symbol.Text, variables bool) (matcher, error) {
	pat, err := symbol.Compile(p, symbol.Syntax{Variables: variables, Fold: true})
	if err != nil {
		return malformed, err
	}
	if s, ok := p.Literal(); ok && len(pat.Variables()) == 0 && !isBool(s) {
		return malformed, fmt.Errorf("%q is not \"true\" or \"false\"", s)
	}
	return func(v symbol.Text, lookup symbol.Lookup) outcome {
		if s, ok := v.Literal(); ok && !isBool(s) {
			return badContextValue
		}
		return of(pat.Match(v, lookup))
	}, nil
}

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

// ParsePrefix reads an IP address or CIDR range as the IpAddress operator does:
// a bare address is a range of one, bits below the mask are ignored, and an
// IPv4-mapped IPv6 address is its IPv4 address.
func ParsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is not an IP address or CIDR range", s)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an IP address or CIDR range", s)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

var number = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

// ParseNumber reads a decimal number exactly.
func ParseNumber(s string) (*big.Rat, error) {
	if len(s) > 400 || !number.MatchString(s) {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	r, _ := new(big.Rat).SetString(s) // the pattern admits what it reads
	return r, nil
}

var (
	epoch = regexp.MustCompile(`^([0-9]{1,17})(?:\.([0-9]+))?$`)
	date  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?$`)
)

// dateLayouts by the parts that a date matched has: month, day, time, seconds.
// [time.Parse] takes a fraction of a second where the layout has seconds.
var dateLayouts = []string{"2006-01", "2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05"}

// ParseDate reads a date of the W3C profile of ISO 8601, or seconds since 1970,
// to the nanosecond. A time without a zone is read as UTC; four digits are seconds
// and no year. (AWS page "IAM JSON policy elements: Condition operators", date
// operators.)
func ParseDate(s string) (time.Time, error) {
	t, _, err := parseDate(s)
	return t, err
}

// parseDate also returns what is doubtful about a date that could be read.
func parseDate(s string) (t time.Time, doubt string, err error) {
	if m := epoch.FindStringSubmatch(s); m != nil {
		if len(s) == len("2006") {
			doubt = fmt.Sprintf("%q may be a year or seconds since 1970; it is read as seconds", s)
		}
		sec, _ := strconv.ParseInt(m[1], 10, 64) // the pattern admits what fits
		nsec, _ := strconv.ParseInt((m[2] + "000000000")[:9], 10, 64)
		return time.Unix(sec, nsec).UTC(), doubt, nil
	}
	m := date.FindStringSubmatch(s)
	if m == nil {
		return t, "", fmt.Errorf("%q is not a date", s)
	}
	layout := dateLayouts[0]
	for i, part := range m[1:4] {
		if part != "" {
			layout = dateLayouts[i+1]
		}
	}
	switch {
	case m[5] != "":
		layout += "Z07:00"
	case m[2] != "":
		doubt = fmt.Sprintf("%q has a time without a zone; it is read as UTC", s)
	}
	if t, err = time.Parse(layout, s); err != nil {
		return t, "", fmt.Errorf("%q is not a date", s)
	}
	return t.UTC(), doubt, nil
}
