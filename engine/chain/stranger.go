package chain

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Strangers decides single calls that callers whom no policy means make from the
// Internet, such as no chain of the catalogue makes.
type Strangers struct {
	// Nobody calls without credentials, Outsider administers an account of another
	// organization.
	Nobody, Outsider *Principal

	runner *runner
}

// NewStrangers returns the strangers of a world.
func NewStrangers(w World) *Strangers {
	all := standIns(w.Environment())
	return &Strangers{Nobody: anonymous(), Outsider: all[len(all)-1], runner: newRunner(w)}
}

// Call decides a call of a stranger on a target that a statement of its policies may
// let everybody make: on what the statement names, and with what it asks of the
// request itself. It returns false where policies name the whole Internet, so that
// nobody is outside of their networks.
func (s *Strangers) Call(who *Principal, action string, t *Target, st *policy.Statement) (HopResult, bool) {
	c := call{chain: strangers, action: action, principal: who, target: s.served(t, action), statement: st}
	spec := Hop{Number: 1, Credentials: Caller}
	if who == s.Nobody {
		spec.Credentials = Anonymous
	}
	from := witness(s.runner.networksOf(strangers, who, c.target), s.runner.env.Networks)
	hop, missing := s.runner.hop(&c, &spec, action, from)
	return hop, missing == ""
}

var strangers = &Chain{ID: "stranger", Entry: Internet, Hops: []Hop{{Number: 1, Credentials: Anonymous}}}

// served is the target of a call: the API that a REST API of API Gateway serves has an
// ARN of its own.
func (s *Strangers) served(t *Target, action string) *Target {
	a, ok := arn.Parse(t.ARN)
	if !ok || !strings.HasPrefix(strings.ToLower(action), "execute-api:") {
		return t
	}
	path := a[arn.Resource].SplitN('/', 3) // "/restapis/ID"
	api := *t
	api.ARN = symbol.Concat(s.runner.arn("execute-api", s.runner.region(t), t.Account, ""), path[len(path)-1], symbol.Literal("/example/GET/example"))
	return &api
}

// asked are the keys, beside the headers of S3, whose values are the caller's own
// choice.
var asked = []string{
	"events:detail-type", "events:source", "lambda:functionurlauthtype",
	"s3:authtype", "s3:delimiter", "s3:max-keys", "s3:prefix", "s3:signatureversion", "sns:protocol",
	"sts:externalid", "sts:rolesessionname",
}

// choose sets what a statement asks of the request itself, and of what a caller has at
// will: a stranger sends just that, and has tags as it likes. Whoever stands for all that
// an account has is the user or role that is asked for. A function's URL takes requests
// without credentials if it has no authentication.
func choose(ctx *request.Context, who *Principal, st *policy.Statement) {
	headers(ctx, st)
	nobody := who.Caller.Principal.Kind == request.Anonymous
	for i := range st.Conditions {
		key := st.Conditions[i].Key
		v, ok := conditionValue(st, key)
		name := strings.ToLower(key)
		switch {
		case !ok:
		case nobody && name == "lambda:functionurlauthtype":
			ctx.SetString(key, "NONE")
		case slices.Contains(asked, name), !nobody && strings.HasPrefix(name, "aws:principaltag/"):
			ctx.Set(key, v)
		case who.anyone:
			who.be(ctx, st, name, v)
		}
	}
}

// authenticate gives a code of MFA, which users of other accounts have at will.
func (p *Principal) authenticate(ctx *request.Context) {
	if p.anyone || p.Caller.Principal.Kind == request.IAMUser {
		ctx.SetString("aws:MultiFactorAuthPresent", "true")
		ctx.SetString("aws:MultiFactorAuthAge", "60")
	}
}

// be makes a caller that stands for all that an account has the one of them that a
// statement asks for.
func (p *Principal) be(ctx *request.Context, st *policy.Statement, key string, v symbol.Text) {
	switch key {
	case "aws:multifactorauthpresent":
		ctx.Set("aws:MultiFactorAuthPresent", v)
	case "aws:username":
		ctx.Set("aws:username", v)
		ctx.SetString("aws:PrincipalType", "User")
	case "aws:principaltype":
		if slices.Contains([]string{"Account", "AssumedRole", "FederatedUser", "User"}, v.String()) {
			ctx.Set("aws:PrincipalType", v)
		}
	case "aws:principalarn":
		if name := p.ownName(st); !name.IsZero() {
			ctx.Set("aws:PrincipalArn", name)
		}
	}
}

// ownName is the ARN of a user or role of the caller's account, of a name that a statement
// asks for with a wildcard: one without has a partner of its own, and roles of services
// let nobody else in.
func (p *Principal) ownName(st *policy.Statement) symbol.Text {
	own, ok := arn.Parse(p.Caller.Principal.ARN)
	account := own[arn.Account]
	for i := range st.Conditions {
		c := &st.Conditions[i]
		if !ok || c.Operator.Negated() || !strings.EqualFold(c.Key, "aws:PrincipalArn") {
			continue
		}
		for j := range c.Values {
			pattern, known := c.Values[j].Text.Literal()
			at := strings.LastIndexByte(pattern, ':') + 1
			switch before, resource := pattern[:at], pattern[at:]; {
			case !known || !strings.Contains(resource, "/") || strings.HasPrefix(resource, "role/aws-service-role/"):
			case strings.HasSuffix(before, "*:") || strings.HasSuffix(before, ":"+account.String()+":") && strings.Contains(resource, "*"):
				return symbol.Concat(symbol.Literal("arn:"), own[arn.Partition], symbol.Literal(":iam::"), account, symbol.Literal(":"), withoutWildcards(symbol.Literal(resource)))
			}
		}
	}
	return symbol.Text{}
}
