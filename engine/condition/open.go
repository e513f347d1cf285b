package condition

import (
	"fmt"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// NegatesSet reports whether the condition puts a negated operator, such as
// StringNotEquals, without a set operator to a key that holds a set in this request.
// AWS calls that invalid and does not say what comes of it (AWS page "Single-valued
// vs. multivalued context keys").
func (c *Condition) NegatesSet(ctx request.Context) bool {
	e := ctx.Get(c.key)
	return e.Present != kleene.False && c.Operator.Negated() && c.plainOnSet(e.Values) && len(c.Values) > 0
}

// plainOnSet reports whether an operator without a set operator meets a set.
func (c *Condition) plainOnSet(values []symbol.Text) bool {
	return c.Operator.Set == NoSet && c.Operator.Base != Null && len(values) > 0 && (c.multi || len(values) > 1)
}

// Undocumented says what AWS's documentation leaves open about a condition that is
// Unknown in this request; it is empty where a value is not known.
func (c *Condition) Undocumented(ctx request.Context) string {
	e := ctx.Get(c.key)
	switch {
	case e.Present != kleene.True && c.absent() == kleene.Unknown:
		return fmt.Sprintf("AWS does not say whether %s holds without the key", c.Operator)
	case c.NegatesSet(ctx):
		return fmt.Sprintf("AWS does not say what %s makes of a key that holds a set", c.Operator.Base)
	case e.Present != kleene.False && c.Operator.Negated() && c.malformed(e.Values, ctx):
		return fmt.Sprintf("AWS does not say what %s makes of a malformed value", c.Operator.Base)
	}
	return ""
}

// malformed reports whether some policy value, or some value of the request, is
// none of the operator's type.
func (c *Condition) malformed(values []symbol.Text, ctx request.Context) bool {
	for _, v := range values {
		for i := range c.Values {
			if o := c.Values[i].match(v, ctx.Lookup); o == badPolicyValue || o == badContextValue {
				return true
			}
		}
	}
	return false
}
