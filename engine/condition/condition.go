package condition

import (
	"fmt"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Value is one policy value of a condition.
type Value struct {
	Text  symbol.Text
	Range source.Range
	match matcher
}

// A Condition is one operator over one key, with its values. All conditions of a
// statement must hold.
type Condition struct {
	Operator Operator
	// Key as written; names are compared without regard to case.
	Key      string
	KeyRange source.Range
	Values   []Value

	key   string // in lower case
	multi bool
	flag  bool // the key is a Boolean one, compared as text
	null  nullTest
	// variables: some value may refer to other keys of the context.
	variables bool
}

type nullTest struct{ wantsNull, wantsValue bool }

// A Problem is something AWS would object to in a condition that can be
// evaluated all the same.
type Problem struct {
	Range source.Range
	Msg   string
	// Fatal problems make a value match nothing.
	Fatal bool
}

// Compile prepares a condition. variables says that policy variables count, as in
// documents of Version 2012-10-17.
func Compile(op Operator, key string, keyRange source.Range, values []Value, variables bool) (Condition, []Problem) {
	c := Condition{Operator: op, Key: key, KeyRange: keyRange, Values: values,
		key: strings.ToLower(key), multi: request.Multivalued(key)}
	family := operators[op.Base].family
	if k, ok := request.Find(key); ok {
		c.flag = k.Type == request.Bool && family == stringFamily
	}
	var problems []Problem
	if op.Base == Null && op.Set != NoSet {
		problems = append(problems, Problem{Range: keyRange, Msg: fmt.Sprintf("%s asks nothing: it is always %v", op, kleene.Of(op.Set == ForAllValues))})
	}
	for i := range c.Values {
		v := &c.Values[i]
		if op.Base == Null {
			switch {
			case strings.EqualFold(v.Text.String(), "true"):
				c.null.wantsNull = true
			case strings.EqualFold(v.Text.String(), "false"):
				c.null.wantsValue = true
			case v.Text.Known():
				problems = append(problems, Problem{Range: v.Range, Fatal: true, Msg: fmt.Sprintf("Null takes \"true\" or \"false\", not %q; the value matches nothing", v.Text)})
			}
			continue
		}
		refers := variables && strings.Contains(v.Text.String(), "${")
		c.variables = c.variables || refers
		var err error
		if v.match, err = compile(op, v.Text, variables); err != nil {
			problems = append(problems, Problem{Range: v.Range, Fatal: true, Msg: err.Error() + "; the value matches nothing"})
		}
		if family == dateFamily && v.Text.Known() {
			if _, doubt, _ := parseDate(v.Text.String()); doubt != "" {
				problems = append(problems, Problem{Range: v.Range, Msg: doubt})
			}
		}
		if refers && (family == stringFamily || family == arnFamily || family == boolFamily) {
			problems = append(problems, variableProblems(v, family)...)
		}
	}
	if len(values) == 0 {
		problems = append(problems, Problem{Range: keyRange, Msg: fmt.Sprintf("the value list of %s is empty", key)})
	}
	if c.multi && op.Set == NoSet && op.Base != Null {
		problems = append(problems, Problem{Range: keyRange, Msg: fmt.Sprintf("%s holds a set of values: %s needs ForAnyValue: or ForAllValues:", key, op.Base)})
	}
	return c, problems
}

func variableProblems(v *Value, family family) []Problem {
	var problems []Problem
	p, _ := symbol.Compile(v.Text, symbol.Syntax{Variables: true}) // an error was reported with the value
	names := p.Variables()
	for _, name := range names {
		if request.Multivalued(name) {
			problems = append(problems, Problem{Range: v.Range, Fatal: true, Msg: fmt.Sprintf("%s holds a set of values and cannot be a policy variable; it counts as absent", name)})
		}
	}
	if family == boolFamily && len(names) > 0 {
		problems = append(problems, Problem{Range: v.Range, Msg: "AWS's pages disagree on policy variables under Bool; tfguard substitutes them"})
	}
	return problems
}

// Name returns the key in lower case, as names of keys are compared.
func (c *Condition) Name() string { return c.key }

// Eval returns the truth of the condition in a request context. A key whose
// presence is unknown makes the answer definite only if it is the same either way.
func (c *Condition) Eval(ctx request.Context) kleene.Truth {
	e := ctx.Get(c.key)
	switch e.Present {
	case kleene.True:
		return c.present(e.Values, ctx)
	case kleene.False:
		return c.absent()
	default:
		return kleene.Join(c.present(e.Values, ctx), c.absent())
	}
}

// absent is the truth of the condition when the request does not carry the key.
func (c *Condition) absent() kleene.Truth {
	op := c.Operator
	switch {
	case op.Base == Null:
		return c.evalNull(true)
	case op.Set == ForAllValues:
		return kleene.True
	case op.Set == ForAnyValue && op.IfExists:
		// The text on IfExists says true, the one on set operators false, and no
		// example of AWS decides.
		return kleene.Unknown
	case op.Set == ForAnyValue:
		return kleene.False
	case op.IfExists:
		return kleene.True
	default:
		return kleene.Of(op.Negated())
	}
}

// present is the truth of the condition over the values the key has, possibly none.
func (c *Condition) present(values []symbol.Text, ctx request.Context) kleene.Truth {
	op := c.Operator
	set := c.multi || op.Set != NoSet
	empty := len(values) == 0 || set && len(values) == 1 && values[0].IsZero()
	switch {
	case op.Base == Null:
		return c.evalNull(len(values) == 0 || c.multi && empty)
	case op.Set == ForAllValues && empty:
		return kleene.True
	case op.Set == ForAnyValue && (len(c.Values) == 0 || len(values) == 0 || c.multi && empty):
		return kleene.False
	case op.Set == NoSet && len(values) == 0:
		return kleene.Of(op.Negated())
	case c.plainOnSet(values):
		// Invalid by the documentation. A positive operator was observed to be
		// false; of a negated one nothing is known, unless there is nothing to differ from.
		if op.Negated() {
			return kleene.Join(kleene.True, kleene.Of(len(c.Values) == 0))
		}
		return kleene.False
	}
	var lookup symbol.Lookup
	if c.variables {
		lookup = ctx.Lookup
	}
	if op.Set == ForAllValues {
		out := kleene.True
		for _, v := range values {
			out = min(out, c.element(v, lookup))
		}
		return out
	}
	out := kleene.False
	for _, v := range values {
		out = max(out, c.element(v, lookup))
	}
	return out
}

// element is the truth of the operator for one context value: any policy value
// matches or, for a negated operator, none does. A malformed policy value matches
// nothing; whether a negated operator then holds AWS does not say.
func (c *Condition) element(v symbol.Text, lookup symbol.Lookup) kleene.Truth {
	if s, known := v.Literal(); c.flag && known && isBool(s) {
		v = v.Lower() // AWS compares Boolean keys as the text "true" or "false"
	}
	match, bad := kleene.False, false
	for i := range c.Values {
		switch o := c.Values[i].match(v, lookup); o {
		case badPolicyValue, badContextValue:
			bad = true
		default:
			match = max(match, kleene.Truth(o))
		}
	}
	if !c.Operator.Negated() {
		return match
	}
	if bad {
		return kleene.And(kleene.Unknown, kleene.Not(match))
	}
	return kleene.Not(match)
}

func (c *Condition) evalNull(null bool) kleene.Truth {
	switch c.Operator.Set {
	case ForAllValues:
		return kleene.True
	case ForAnyValue:
		return kleene.False
	case NoSet:
	}
	if null && c.null.wantsNull || !null && c.null.wantsValue {
		return kleene.True
	}
	for _, v := range c.Values {
		if !v.Text.Known() {
			return kleene.Unknown
		}
	}
	return kleene.False
}

// May reports whether a value of the key can meet the condition, as far as policy
// variables and unknown parts tell.
func (c *Condition) May(v symbol.Text) bool {
	return c.variables || c.element(v, nil) != kleene.False
}

// Wanted renders the policy values for people.
func (c *Condition) Wanted() string {
	words := make([]string, len(c.Values))
	for i, v := range c.Values {
		words[i] = v.Text.String()
	}
	return strings.Join(words, ", ")
}

// Got renders what the request context holds under the condition's key: its
// values, "absent", or "unknown" where the presence is not known.
func (c *Condition) Got(ctx request.Context) string {
	e := ctx.Get(c.key)
	switch {
	case e.Present == kleene.False:
		return "absent"
	case e.Present == kleene.Unknown:
		return "unknown"
	case len(e.Values) == 0:
		return "empty"
	}
	words := make([]string, len(e.Values))
	for i, v := range e.Values {
		words[i] = v.String()
	}
	return strings.Join(words, ", ")
}
