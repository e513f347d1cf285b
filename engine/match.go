package engine

import (
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// match is how a statement meets a request.
type match struct {
	grant     grant
	contested string // a resource pattern that two readings of AWS's pages decide differently
}

// match evaluates a statement: every element must hold.
func (e *evaluation) match(st *policy.Statement) match {
	rest := st.Actions.Match(e.prefix, e.name)
	if rest == kleene.False {
		return match{}
	}
	resource, contested := e.matchResources(st)
	rest = min(rest, resource)
	if rest == kleene.False {
		return match{}
	}
	who := e.matchPrincipals(st)
	if who.any() == kleene.False {
		return match{}
	}
	for i := range st.Conditions {
		rest = min(rest, st.Conditions[i].Eval(e.req.Context))
		if rest == kleene.False {
			return match{}
		}
	}
	if len(st.Unknown) > 0 {
		rest = min(rest, kleene.Unknown)
	}
	return match{grant: who.and(rest), contested: contested}
}

// everything is what s3 authorises actions without a resource type against,
// besides "*": AWS's own policies grant s3:ListAllMyBuckets on it.
var everything = symbol.Literal("arn:aws:s3:::*")

func (e *evaluation) matchResources(st *policy.Statement) (kleene.Truth, string) {
	if st.Resources == nil {
		return kleene.True, ""
	}
	if s, known := e.req.Resource.Literal(); known && s == "*" {
		return e.matchNoResource(st.Resources), ""
	}
	return st.Resources.Match(e.req.Resource, e.req.Context.Lookup)
}

// matchNoResource matches actions without a resource type: "*" alone does, and
// for s3 any pattern that matches all buckets.
func (e *evaluation) matchNoResource(r *policy.Resources) kleene.Truth {
	out := kleene.False
	for i := range r.Entries {
		p := &r.Entries[i]
		switch {
		case p.IsAny():
			out = kleene.True
		case e.prefix == "s3":
			m, _ := p.MatchResource(everything, e.req.Context.Lookup)
			out = max(out, m)
		case !p.Text().Known():
			out = max(out, kleene.Unknown)
		}
	}
	if r.Not {
		return kleene.Not(out)
	}
	return out
}

// matchPrincipals matches the Principal element; a statement of a policy that
// names none speaks of the caller it is attached to.
func (e *evaluation) matchPrincipals(st *policy.Statement) grant {
	switch {
	case st.Principals == nil:
		return grant{direct: kleene.True}
	case !st.Principals.Not:
		return e.listed(st.Principals)
	case st.Effect == policy.Deny:
		return grant{direct: e.notPrincipalDenies(st.Principals)}
	default:
		// Allow with NotPrincipal is not supported, but an existing document lets
		// everybody else in, anonymous callers included (AWS page "NotPrincipal").
		return grant{direct: kleene.Not(e.listed(st.Principals).any())}
	}
}

func (e *evaluation) listed(ps *policy.Principals) grant {
	var g grant
	for i := range ps.Entries {
		g.add(e.principal(&ps.Entries[i]))
	}
	return g
}

// principal matches one entry with the caller (AWS page "AWS JSON policy
// elements: Principal").
func (e *evaluation) principal(entry *policy.Principal) grant {
	caller := &e.req.Principal
	if entry.Never {
		return grant{}
	}
	switch entry.Type {
	case policy.Everyone:
		return grant{direct: kleene.True}
	case policy.Service:
		if caller.Kind == request.ServicePrincipal {
			return grant{direct: symbol.Equal(entry.Text, symbol.Literal(caller.Service))}
		}
	case policy.Federated:
		if caller.Kind == request.FederatedIdentity {
			return grant{direct: symbol.Equal(entry.Text, caller.ARN)}
		}
	case policy.CanonicalUser:
		// Which account owns a canonical user id is on no page of the input.
		if caller.Entity() {
			return grant{account: kleene.Unknown}
		}
	case policy.AWS:
		if caller.Entity() {
			return e.awsPrincipal(entry.Text)
		}
	}
	return grant{}
}

func (e *evaluation) awsPrincipal(text symbol.Text) grant {
	caller := &e.req.Principal
	if account, ok := accountOf(text); ok {
		return grant{account: symbol.Equal(account, caller.Account)}
	}
	entity := symbol.Equal(text, caller.ARN)
	switch caller.Kind {
	case request.RoleSession, request.ServiceLinkedRole:
		return grant{role: entity, direct: symbol.Equal(text, caller.Session)}
	case request.FederatedUser:
		return grant{role: entity, direct: symbol.Equal(text, caller.Session)}
	default:
		return grant{direct: entity}
	}
}

// accountOf returns the account that an AWS principal names as a whole: an
// account id, or the ARN of its root.
func accountOf(text symbol.Text) (symbol.Text, bool) {
	if text.Index(':') < 0 {
		for s := range text.Symbols() {
			if s.Class == symbol.Any {
				return symbol.Text{}, false // it may be any ARN
			}
		}
		return text, true
	}
	a, ok := arn.Parse(text)
	if ok && a[arn.Resource] == symbol.Literal("root") {
		return a[arn.Account], true
	}
	return symbol.Text{}, false
}

// notPrincipalDenies: a Deny with NotPrincipal spares a caller only if the caller
// itself and everything above it are listed; if an ancestor is missing AWS says
// that it may deny. It always denies a caller with a permissions boundary. (AWS
// page "AWS JSON policy elements: NotPrincipal".)
func (e *evaluation) notPrincipalDenies(ps *policy.Principals) kleene.Truth {
	caller := &e.req.Principal
	if len(e.policies.Boundary) > 0 && caller.Entity() && caller.Kind != request.Root {
		return kleene.True
	}
	var leaf, session, account kleene.Truth
	for i := range ps.Entries {
		g := e.principal(&ps.Entries[i])
		if ps.Entries[i].Type == policy.Everyone {
			return kleene.Not(g.direct)
		}
		account = max(account, g.account)
		session = max(session, g.direct)
		leaf = max(leaf, g.role)
	}
	var spared kleene.Truth // listed with all ancestors
	switch caller.Kind {
	case request.Root:
		leaf, spared = account, account
	case request.IAMUser:
		leaf, spared = session, min(session, account)
	case request.RoleSession, request.ServiceLinkedRole, request.FederatedUser:
		// The role with its account spares all sessions; a session also needs its role.
		spared = min(leaf, account)
		leaf = max(leaf, session)
	default:
		leaf, spared = session, session
	}
	switch {
	case spared == kleene.True:
		return kleene.False
	case leaf == kleene.False:
		return kleene.True
	default:
		return kleene.Unknown
	}
}

// caller renders who calls, for reasons.
func (e *evaluation) caller() string {
	p := &e.req.Principal
	switch {
	case p.Kind == request.Anonymous:
		return "anonymous"
	case p.Service != "":
		return p.Service
	default:
		return p.ARN.String()
	}
}

// failure finds the first element of a statement that the request does not meet,
// and how near the statement came: the more elements hold, the nearer.
func (e *evaluation) failure(st *policy.Statement) (*Failure, int) {
	var first *Failure
	near := 0
	hold := func(t kleene.Truth, weight int, f func() *Failure) {
		switch {
		case t == kleene.True:
			near += weight
		case t == kleene.Unknown:
			near += weight / 2
		case first == nil:
			first = f()
		}
	}
	hold(st.Actions.Match(e.prefix, e.name), 400, func() *Failure {
		return &Failure{Key: elementName(st.Actions.Not, "Action"), Wanted: texts(st.Actions.Entries, actionText), Got: e.req.Action}
	})
	hold(e.matchPrincipals(st).any(), 200, func() *Failure {
		return &Failure{Key: elementName(st.Principals.Not, "Principal"), Wanted: texts(st.Principals.Entries, principalText), Got: e.caller()}
	})
	resource, _ := e.matchResources(st)
	hold(resource, 200, func() *Failure {
		return &Failure{Key: elementName(st.Resources.Not, "Resource"), Wanted: texts(st.Resources.Entries, resourceText), Got: e.req.Resource.String()}
	})
	for i := range st.Conditions {
		c := &st.Conditions[i]
		hold(c.Eval(e.req.Context), 100/len(st.Conditions), func() *Failure {
			return &Failure{Key: c.Key, Operator: c.Operator.String(), Wanted: c.Wanted(), Got: c.Got(e.req.Context)}
		})
	}
	return first, near
}

func elementName(not bool, name string) string {
	if not {
		return "Not" + name
	}
	return name
}

// texts renders the values of an element, cut where a list is long.
func texts[T any](entries []T, text func(T) symbol.Text) string {
	const most = 6
	words := make([]string, 0, most+1)
	for i, entry := range entries {
		if i == most {
			words = append(words, "…")
			break
		}
		words = append(words, text(entry).String())
	}
	return strings.Join(words, ", ")
}

func actionText(a policy.Action) symbol.Text            { return a.Text }
func principalText(p policy.Principal) symbol.Text      { return p.Text }
func resourceText(r policy.ResourcePattern) symbol.Text { return r.Text() }
