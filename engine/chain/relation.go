package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// related reports whether some Allow, of the principal's own policies or of the
// target's, can match the pair for an action. Conditions are ignored and unknown
// parts count as matching: a pair that is not related is denied in every chain.
func related(own, theirs *allows, p *Principal, t *Target, action string) bool {
	object := onObject(action) && t.Kind == BucketTarget
	if own.unread || theirs.unread {
		return true
	}
	for i := range own.statements {
		if own.statements[i].reaches(t, object) {
			return true
		}
	}
	for i := range theirs.statements {
		st := &theirs.statements[i]
		if st.reaches(t, object) && mayName(st.Principals, &p.Caller.Principal) {
			return true
		}
	}
	return false
}

// mayName reports whether a Principal element can mean the caller.
func mayName(ps *policy.Principals, caller *request.Principal) bool {
	if ps == nil || ps.Not {
		return true
	}
	for i := range ps.Entries {
		e := &ps.Entries[i]
		switch {
		case e.Never:
		case e.Type == policy.Everyone:
			return true
		case e.Type == policy.CanonicalUser:
			return caller.Entity()
		case e.Type == policy.AWS && caller.Entity():
			account := e.Text
			if a, ok := arn.Parse(e.Text); ok && a[arn.Resource] == symbol.Literal("root") {
				account = a[arn.Account]
			}
			if max(symbol.Equal(account, caller.Account), symbol.Equal(e.Text, caller.ARN), symbol.Equal(e.Text, caller.Session)) != kleene.False {
				return true
			}
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
