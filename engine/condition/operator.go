// Package condition evaluates the conditions of policy statements against a
// request context, with a three-valued answer.
//
// The rules are those of the AWS pages "IAM JSON policy elements: Condition
// operators", "Single-valued vs. multivalued context keys" and "Creating a
// condition with multiple keys or values".
package condition

import (
	"fmt"
	"strings"
)

// A Base is a condition operator without its prefix and suffix, in AWS's spelling.
type Base string

// The condition operators.
const (
	StringEquals              Base = "StringEquals"
	StringNotEquals           Base = "StringNotEquals"
	StringEqualsIgnoreCase    Base = "StringEqualsIgnoreCase"
	StringNotEqualsIgnoreCase Base = "StringNotEqualsIgnoreCase"
	StringLike                Base = "StringLike"
	StringNotLike             Base = "StringNotLike"
	NumericEquals             Base = "NumericEquals"
	NumericNotEquals          Base = "NumericNotEquals"
	NumericLessThan           Base = "NumericLessThan"
	NumericLessThanEquals     Base = "NumericLessThanEquals"
	NumericGreaterThan        Base = "NumericGreaterThan"
	NumericGreaterThanEquals  Base = "NumericGreaterThanEquals"
	DateEquals                Base = "DateEquals"
	DateNotEquals             Base = "DateNotEquals"
	DateLessThan              Base = "DateLessThan"
	DateLessThanEquals        Base = "DateLessThanEquals"
	DateGreaterThan           Base = "DateGreaterThan"
	DateGreaterThanEquals     Base = "DateGreaterThanEquals"
	Bool                      Base = "Bool"
	BinaryEquals              Base = "BinaryEquals"
	IPAddress                 Base = "IpAddress"
	NotIPAddress              Base = "NotIpAddress"
	ArnEquals                 Base = "ArnEquals"
	ArnNotEquals              Base = "ArnNotEquals"
	ArnLike                   Base = "ArnLike"
	ArnNotLike                Base = "ArnNotLike"
	Null                      Base = "Null"
)

type family uint8

const (
	stringFamily family = iota
	numericFamily
	dateFamily
	boolFamily
	binaryFamily
	ipFamily
	arnFamily
	nullFamily
)

// operators is the table of AWS page "IAM JSON policy elements: Condition operators".
var operators = map[Base]struct {
	family  family
	negated bool
	order   string // the comparison of ordered values: = < <= > >=
}{
	StringEquals:              {family: stringFamily},
	StringNotEquals:           {family: stringFamily, negated: true},
	StringEqualsIgnoreCase:    {family: stringFamily},
	StringNotEqualsIgnoreCase: {family: stringFamily, negated: true},
	StringLike:                {family: stringFamily},
	StringNotLike:             {family: stringFamily, negated: true},
	NumericEquals:             {numericFamily, false, "="},
	NumericNotEquals:          {numericFamily, true, "="},
	NumericLessThan:           {numericFamily, false, "<"},
	NumericLessThanEquals:     {numericFamily, false, "<="},
	NumericGreaterThan:        {numericFamily, false, ">"},
	NumericGreaterThanEquals:  {numericFamily, false, ">="},
	DateEquals:                {dateFamily, false, "="},
	DateNotEquals:             {dateFamily, true, "="},
	DateLessThan:              {dateFamily, false, "<"},
	DateLessThanEquals:        {dateFamily, false, "<="},
	DateGreaterThan:           {dateFamily, false, ">"},
	DateGreaterThanEquals:     {dateFamily, false, ">="},
	Bool:                      {family: boolFamily},
	BinaryEquals:              {family: binaryFamily},
	IPAddress:                 {family: ipFamily},
	NotIPAddress:              {family: ipFamily, negated: true},
	ArnEquals:                 {family: arnFamily},
	ArnNotEquals:              {family: arnFamily, negated: true},
	ArnLike:                   {family: arnFamily},
	ArnNotLike:                {family: arnFamily, negated: true},
	Null:                      {family: nullFamily},
}

// A Set is the set operator of a condition over a multivalued key.
type Set string

// The set operators; NoSet for a condition without one.
const (
	NoSet        Set = ""
	ForAnyValue  Set = "ForAnyValue"
	ForAllValues Set = "ForAllValues"
)

// An Operator is a condition operator with its set operator and IfExists suffix.
type Operator struct {
	Set      Set
	Base     Base
	IfExists bool
}

// String returns the operator in AWS's spelling.
func (op Operator) String() string {
	s := string(op.Base)
	if op.Set != NoSet {
		s = string(op.Set) + ":" + s
	}
	if op.IfExists {
		s += "IfExists"
	}
	return s
}

// Negated reports whether the operator is a negated one, such as StringNotEquals:
// true when none of its values matches, and when the key is absent.
func (op Operator) Negated() bool { return operators[op.Base].negated }

// Numeric reports whether the operator compares numbers.
func (op Operator) Numeric() bool { return operators[op.Base].family == numericFamily }

var baseByLower = func() map[string]Base {
	m := make(map[string]Base, len(operators))
	for b := range operators {
		m[strings.ToLower(string(b))] = b
	}
	return m
}()

// ParseOperator reads the name of a condition operator, in any case. It returns
// an error for a name that is no operator, and for Null with IfExists, which AWS
// refuses.
func ParseOperator(name string) (Operator, error) {
	var op Operator
	rest := strings.ToLower(name)
	switch {
	case strings.HasPrefix(rest, "foranyvalue:"):
		op.Set, rest = ForAnyValue, rest[len("foranyvalue:"):]
	case strings.HasPrefix(rest, "forallvalues:"):
		op.Set, rest = ForAllValues, rest[len("forallvalues:"):]
	}
	rest, op.IfExists = strings.CutSuffix(rest, "ifexists")
	base, ok := baseByLower[rest]
	if !ok {
		return op, fmt.Errorf("%q is not a condition operator", name)
	}
	op.Base = base
	if op.Base == Null && op.IfExists {
		return op, fmt.Errorf("%q is not a condition operator: Null already asks whether the key exists", name)
	}
	return op, nil
}
