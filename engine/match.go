package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/condition"
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
		rest = min(rest, e.holds(&st.Conditions[i]))
		if rest == kleene.False {
			return match{}
		}
	}
	if len(st.Unknown) > 0 {
		rest = min(rest, kleene.Unknown)
	}
	return match{grant: who.and(rest), contested: contested}
}

// holds is the truth of a condition, with what is assumed of it.
func (e *evaluation) holds(c *condition.Condition) kleene.Truth {
	out := c.Eval(e.req.Context)
	if out != kleene.Unknown || e.policies.Assume.NegatedSet == nil || !c.NegatesSet(e.req.Context) {
		return out
	}
	e.note("assumed: a negated operator over a key that holds a set is " + strconv.FormatBool(*e.policies.Assume.NegatedSet))
	out = kleene.Of(*e.policies.Assume.NegatedSet)
	if e.req.Context.Get(c.Key).Present == kleene.Unknown {
		out = kleene.Join(out, kleene.True) // what holds without the key
	}
	return out
}

func (e *evaluation) matchResources(st *policy.Statement) (kleene.Truth, string) {
	if st.Resources == nil {
		return kleene.True, ""
	}
	if s, known := e.req.Resource.Literal(); known && s == "*" {
		return e.matchNoResource(st.Resources), ""
	}
	var lookup symbol.Lookup
	if st.Resources.Variables() {
		lookup = e.req.Context.Lookup
	}
	return st.Resources.MatchParsed(e.req.Resource, &e.resource, e.isARN, lookup)
}

// matchNoResource matches actions without a resource type: "*" alone does, and
// for s3 any pattern that matches all buckets, since AWS's own policies grant
// s3:ListAllMyBuckets on arn:aws:s3:::*.
func (e *evaluation) matchNoResource(r *policy.Resources) kleene.Truth {
	out := kleene.False
	for i := range r.Entries {
		p := &r.Entries[i]
		switch {
		case p.IsAny():
			out = kleene.True
		case e.prefix == "s3":
			all := symbol.Concat(symbol.Literal("arn:"), e.partition(), symbol.Literal(":s3:::*"))
			m, _ := p.MatchResource(all, e.req.Context.Lookup)
			out = max(out, m, symbol.Equal(p.Text(), symbol.Literal("*")))
		default:
			out = max(out, symbol.Equal(p.Text(), symbol.Literal("*")))
		}
	}
	if r.Not {
		return kleene.Not(out)
	}
	return out
}

// partition returns the partition of the caller, or "aws".
func (e *evaluation) partition() symbol.Text {
	if a, ok := arn.Parse(e.req.Principal.ARN); ok {
		return a[arn.Partition]
	}
	return symbol.Literal("aws")
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
	if e.rootOnly != kleene.False && g.account != kleene.False {
		e.waitFor("whether the VPC endpoint is a gateway endpoint, whose policy means the root user alone where it names an account")
		g.account = min(g.account, kleene.Not(e.rootOnly))
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
			return grant{direct: e.service(entry.Text)}
		}
	case policy.Federated:
		if caller.Kind == request.FederatedIdentity {
			return grant{direct: symbol.Equal(entry.Text, caller.ARN)}
		}
	case policy.CanonicalUser:
		// Whose a canonical user id is stands on no page of the input.
		switch {
		case caller.OriginAccessIdentity():
			return grant{direct: kleene.Unknown}
		case caller.Entity():
			return grant{account: kleene.Unknown}
		}
	case policy.AWS:
		g := grant{direct: entry.Everyone()} // it may turn out to be "*"
		if caller.Entity() {
			g.add(e.awsPrincipal(entry.Text))
		}
		return g
	}
	return grant{}
}

// service matches a service principal, by its name or one of the others it has
// (AWS page "AWS global condition context keys", aws:PrincipalServiceNamesList).
func (e *evaluation) service(text symbol.Text) kleene.Truth {
	out := symbol.Equal(text, symbol.Literal(e.req.Principal.Service))
	names := e.req.Context.Get("aws:PrincipalServiceNamesList")
	for _, name := range names.Values {
		out = max(out, min(names.Present, symbol.Equal(text, name)))
	}
	return out
}

func (e *evaluation) awsPrincipal(text symbol.Text) grant {
	caller := &e.req.Principal
	account, whole := e.namesAccount(text)
	if whole {
		return grant{account: account}
	}
	entity := e.namesEntity(text)
	switch caller.Kind {
	case request.RoleSession, request.ServiceLinkedRole, request.FederatedUser:
		return grant{account: account, role: entity, direct: symbol.Equal(text, caller.Session)}
	default:
		return grant{account: account, direct: entity}
	}
}

// namesEntity reports whether an AWS principal names the caller's user or role. A
// session's ARN does not tell the path of its role: account and name decide then.
func (e *evaluation) namesEntity(text symbol.Text) kleene.Truth {
	caller := &e.req.Principal
	entry, ok := arn.Parse(text)
	if !caller.Pathless || !ok || entry.Type() != "role" {
		return symbol.Equal(text, caller.ARN)
	}
	own, _ := arn.Parse(caller.ARN)
	return min(symbol.Equal(entry[arn.Account], own[arn.Account]), symbol.Equal(entry.Name(), own.Name()))
}

// namesAccount reports whether an AWS principal names the caller's account as a
// whole, by its id or the ARN of its root, and whether it can name nothing but
// some account.
func (e *evaluation) namesAccount(text symbol.Text) (names kleene.Truth, whole bool) {
	account, root := e.req.Principal.Account, symbol.Literal("root")
	hidden := false // a symbol may stand for a whole ARN, or for several of its parts
	for s := range text.Symbols() {
		hidden = hidden || s.Class == symbol.Any
	}
	a, ok := arn.Parse(text)
	switch {
	case text.Index(':') < 0 && !hidden:
		return symbol.Equal(text, account), true
	case ok && a[arn.Resource] == root:
		return symbol.Equal(a[arn.Account], account), true
	case ok:
		return min(symbol.Equal(a[arn.Account], account), symbol.Equal(a[arn.Resource], root)), false
	case !hidden:
		return kleene.False, false
	}
	lit := symbol.Literal
	arn := symbol.Concat(lit("arn:"), e.partition(), lit(":iam::"), account, lit(":root"))
	return max(symbol.Equal(text, account), symbol.Equal(text, arn)), false
}

// notPrincipalDenies: a Deny with NotPrincipal spares a caller only if the caller
// itself and everything above it are listed; if an ancestor is missing AWS says
// that it may deny. It always denies a caller with a permissions boundary. (AWS
// page "AWS JSON policy elements: NotPrincipal".)
func (e *evaluation) notPrincipalDenies(ps *policy.Principals) kleene.Truth {
	caller := &e.req.Principal
	var bounded kleene.Truth
	if e.canBeBounded() {
		for i := range e.policies.Boundary {
			bounded = max(bounded, e.policies.Boundary[i].Sure)
		}
	}
	return max(bounded, e.notSpared(caller, ps))
}

// notSpared reports whether a NotPrincipal element does not spare the caller.
func (e *evaluation) notSpared(caller *request.Principal, ps *policy.Principals) kleene.Truth {
	var leaf, session, account, everyone kleene.Truth
	for i := range ps.Entries {
		g := e.principal(&ps.Entries[i])
		everyone = max(everyone, ps.Entries[i].Everyone())
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
	case request.FederatedUser:
		leaf, spared = session, min(session, account)
	case request.RoleSession, request.ServiceLinkedRole:
		// The role with its account spares all sessions; a session also needs its role.
		spared = min(leaf, account)
		leaf = max(leaf, session)
	default:
		leaf, spared = session, session
	}
	switch {
	case spared == kleene.True || everyone == kleene.True:
		return kleene.False
	case leaf == kleene.False:
		return kleene.Not(everyone)
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
		return &Failure{Key: st.Actions.Element(), Wanted: texts(st.Actions.Entries, actionText), Got: e.req.Action}
	})
	hold(e.matchPrincipals(st).any(), 200, func() *Failure {
		return &Failure{Key: st.Principals.Element(), Wanted: texts(st.Principals.Entries, principalText), Got: e.caller()}
	})
	resource, _ := e.matchResources(st)
	hold(resource, 200, func() *Failure {
		return &Failure{Key: st.Resources.Element(), Wanted: texts(st.Resources.Entries, resourceText), Got: e.req.Resource.String()}
	})
	for i := range st.Conditions {
		c := &st.Conditions[i]
		hold(e.holds(c), 100/len(st.Conditions), func() *Failure {
			return &Failure{Key: c.Key, Operator: c.Operator.String(), Wanted: c.Wanted(), Got: c.Got(e.req.Context)}
		})
	}
	return first, near
}

// texts renders the values of an element, cut where a list is long. A principal that
// is not known stands under every type, and is told once.
func texts[T any](entries []T, text func(T) symbol.Text) string {
	const most = 6
	words := make([]string, 0, most)
	for _, entry := range entries {
		word := text(entry).String()
		switch {
		case slices.Contains(words, word):
			continue
		case len(words) == most:
			return strings.Join(words, ", ") + ", …"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func actionText(a policy.Action) symbol.Text            { return a.Text }
func principalText(p policy.Principal) symbol.Text      { return p.Text }
func resourceText(r policy.ResourcePattern) symbol.Text { return r.Text() }
