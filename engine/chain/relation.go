package chain

import (
	"iter"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
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

// A serviceGrant is a statement of a target's policies that lets a service in. Of a
// sensitive policy nothing is told: those are listed for CloudTrail alone, whose
// chain is replayed whatever else its policies name, and without their statement.
type serviceGrant struct {
	service   string
	statement *policy.Statement // nil for that of a sensitive policy
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
				s, known := e.Text.Literal()
				switch {
				case !known || e.Type != policy.Service || e.Never:
				case !doc.Sensitive:
					out = append(out, serviceGrant{service: s, statement: st})
				case s == cloudtrail && t.Kind == BucketTarget:
					out = append(out, serviceGrant{service: s})
				}
			}
		}
	}
	return out
}

// trusts reports whether a trust policy lets a service assume the role, by its name.
// CloudFormation stands for the services that a policy lets in with everybody, or
// that one which was not read may let in.
func trusts(doc *policy.Document, service string) bool {
	if doc.Unread != "" {
		return service == cloudformation
	}
	for e := range trusted(doc) {
		if e.Type == policy.Service && e.Text == symbol.Literal(service) || service == cloudformation && e.Everyone() == kleene.True {
			return true
		}
	}
	return false
}

// trustsPeople reports whether a trust policy may let in others than services.
func trustsPeople(doc *policy.Document) bool {
	for e := range trusted(doc) {
		if e.Type != policy.Service {
			return true
		}
	}
	return doc.Unread != ""
}

// trusted yields the principals that a trust policy lets in.
func trusted(doc *policy.Document) iter.Seq[*policy.Principal] {
	return func(yield func(*policy.Principal) bool) {
		for i := range doc.Statements {
			st := &doc.Statements[i]
			if st.Effect != policy.Allow || st.Principals == nil || st.Principals.Not {
				continue
			}
			for j := range st.Principals.Entries {
				if !yield(&st.Principals.Entries[j]) {
					return
				}
			}
		}
	}
}

// SetKind sets what the trust policy and the path of a role tell of its sessions:
// that Identity Center, an identity provider or a service begins all of them. doc
// may be nil.
func SetKind(c *request.Caller, doc *policy.Document) {
	s := c.Principal.ARN.String()
	switch {
	case strings.Contains(s, ":role/aws-reserved/sso.amazonaws.com/"):
		c.Session, c.Tags = request.IdentityCenter, nil
		return
	case strings.Contains(s, ":role/aws-service-role/"):
		c.Principal.Kind = request.ServiceLinkedRole
	}
	if doc == nil || doc.Unread != "" {
		return
	}
	entries := slices.Collect(trusted(doc))
	all := func(t policy.PrincipalType) bool {
		return len(entries) > 0 && !slices.ContainsFunc(entries, func(e *policy.Principal) bool { return e.Type != t })
	}
	switch {
	case all(policy.Service):
		service, known := entries[0].Text.Literal()
		if known && !slices.ContainsFunc(entries, func(e *policy.Principal) bool { return e.Text != entries[0].Text }) {
			c.Workload = request.WorkloadOf(service)
		}
	case all(policy.Federated):
		c.Session = request.OIDC
		if doc.Statements[0].Actions.Match("sts", "assumerolewithsaml") == kleene.True {
			c.Session = request.SAML
		}
		if mayTagSessions(doc) {
			c.Tags = nil // the session's may be among them
		}
	}
}

// mayTagSessions reports whether a trust policy may let callers pass session tags.
func mayTagSessions(doc *policy.Document) bool {
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Allow && st.Actions.Match("sts", "tagsession") != kleene.False
	})
}

// conditionValue returns the first value a statement asks of a key with a
// positive operator; a wildcard in it becomes "example".
func conditionValue(st *policy.Statement, key string) (symbol.Text, bool) {
	v, ok := conditionText(st, key)
	return withoutWildcards(v), ok
}

// conditionText is the value of conditionValue as it is written.
func conditionText(st *policy.Statement, key string) (symbol.Text, bool) {
	for i := range st.Conditions {
		c := &st.Conditions[i]
		if !strings.EqualFold(c.Key, key) || c.Operator.Negated() || len(c.Values) == 0 || c.Operator.Base == condition.Null {
			continue
		}
		return c.Values[0].Text, true
	}
	return symbol.Text{}, false
}

func withoutWildcards(t symbol.Text) symbol.Text {
	if s, known := t.Literal(); known {
		return symbol.Literal(strings.ReplaceAll(s, "*", "example"))
	}
	return t
}
