package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// related reports whether some Allow, of the principal's own policies or of the
// target's, can match the pair for an action. Conditions are ignored and unknown
// parts count as matching: a pair that is not related is denied in every chain.
// theirs are the target's allows that reach it.
func related(own, theirs *allows, p *Principal, t *Target, action string) bool {
	if own.unread || theirs.unread {
		return true
	}
	object := onObject(action) && t.Kind == BucketTarget
	for i := range own.statements {
		if own.statements[i].reaches(t, object) {
			return true
		}
	}
	for i := range theirs.statements {
		if theirs.statements[i].mayName(&p.Caller.Principal) {
			return true
		}
	}
	return false
}

// A serviceGrant is a statement of a target's policies that lets a service in.
type serviceGrant struct {
	service   string
	statement *policy.Statement
}

func serviceGrants(t *Target) []serviceGrant {
	var out []serviceGrant
	for _, doc := range t.Policies {
		for j := range doc.Statements {
			st := &doc.Statements[j]
			if st.Effect != policy.Allow || st.Principals == nil || st.Principals.Not {
				continue
			}
			for _, e := range st.Principals.Entries {
				if s, known := e.Text.Literal(); known && e.Type == policy.Service && !e.Never {
					out = append(out, serviceGrant{service: s, statement: st})
				}
			}
		}
	}
	return out
}

// trusts reports whether a trust policy lets a service assume the role.
func trusts(doc *policy.Document, service string) bool {
	if doc == nil {
		return false
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || st.Principals == nil || st.Principals.Not {
			continue
		}
		for _, e := range st.Principals.Entries {
			if e.Type == policy.Service && e.Text == symbol.Literal(service) {
				return true
			}
		}
	}
	return false
}

// conditionValue returns the first value a statement asks of a key with a
// positive operator; a wildcard in it becomes "example".
func conditionValue(st *policy.Statement, key string) (symbol.Text, bool) {
	for i := range st.Conditions {
		c := &st.Conditions[i]
		if !strings.EqualFold(c.Key, key) || c.Operator.Negated() || len(c.Values) == 0 || c.Operator.Base == condition.Null {
			continue
		}
		v := c.Values[0].Text
		if s, known := v.Literal(); known {
			v = symbol.Literal(strings.ReplaceAll(s, "*", "example"))
		}
		return v, true
	}
	return symbol.Text{}, false
}
