package engine

import (
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Operations is the table of API operations that are no actions.
var Operations = operations

// Steps are the steps of the evaluation logic, each with what is left when it is
// switched off.
var Steps = map[string]func(e *evaluation){
	"0 outside of policies":        func(e *evaluation) { e.prefix = "none" },
	"2 explicit deny":              nil, // after the statements: see DecideWithout
	"3 resource control policies":  func(e *evaluation) { e.policies.RCP = nil },
	"4 service control policies":   func(e *evaluation) { e.policies.SCP = nil },
	"5 VPC endpoint policy":        func(e *evaluation) { e.policies.VPCEndpoint = nil },
	"6 callers without identity":   nil,
	"7 root":                       nil,
	"8a direct grant":              nil,
	"8b grant to the role":         nil,
	"8c identity-based policies":   func(e *evaluation) { e.policies.Identity = nil },
	"8c permissions boundary":      func(e *evaluation) { e.policies.Boundary = nil },
	"8c session policy":            func(e *evaluation) { e.policies.Session = nil },
	"8c delegation":                nil,
	"9 cross account":              func(e *evaluation) { e.owner = e.req.Principal.Account },
	"9 resource side":              nil,
	"C4 federated-user session":    nil,
	"C9 no SCP for services":       (*evaluation).serviceIsOrdinary,
	"C11 service-linked role":      (*evaluation).linkedIsOrdinary,
	"A18 the other principals":     func(e *evaluation) { e.policies.Resource = withoutNot(e.policies.Resource) },
	"A11 gateway endpoint":         (*evaluation).interfaceEndpoint,
	"A12 origin access identity":   func(e *evaluation) { e.req.Principal.Account = symbol.Literal("999999999999") },
	"A12 canonical user":           func(e *evaluation) { e.policies.Resource = withoutCanonical(e.policies.Resource) },
	"C18 access point":             func(e *evaluation) { e.resourcePart = "" },
	"C5 key without a policy":      nil,
	"C21 sets of temporary tokens": nil,
}

func (e *evaluation) interfaceEndpoint() {
	e.policies.VPCEndpoint = slices.Clone(e.policies.VPCEndpoint)
	for i := range e.policies.VPCEndpoint {
		doc := *e.policies.VPCEndpoint[i].Document
		doc.Gateway = kleene.False
		e.policies.VPCEndpoint[i].Document = &doc
	}
}

func (e *evaluation) serviceIsOrdinary() {
	if e.req.Principal.Kind == request.ServicePrincipal {
		e.req.Principal.Kind = request.RoleSession
	}
}

func (e *evaluation) linkedIsOrdinary() {
	if e.req.Principal.Kind == request.ServiceLinkedRole {
		e.req.Principal.Kind = request.RoleSession
	}
}

// withoutNot takes NotPrincipal for Principal.
func withoutNot(docs []policy.Attached) []policy.Attached {
	return withPrincipals(docs, func(ps *policy.Principals) { ps.Not = false })
}

// withoutCanonical takes no canonical user id for anybody.
func withoutCanonical(docs []policy.Attached) []policy.Attached {
	return withPrincipals(docs, func(ps *policy.Principals) {
		ps.Entries = slices.DeleteFunc(slices.Clone(ps.Entries), func(p policy.Principal) bool { return p.Type == policy.CanonicalUser })
	})
}

// withPrincipals changes a copy of the principals of every statement.
func withPrincipals(docs []policy.Attached, change func(*policy.Principals)) []policy.Attached {
	var out []policy.Attached
	for _, d := range docs {
		doc := *d.Document
		doc.Statements = nil
		for _, st := range d.Statements {
			if st.Principals != nil {
				ps := *st.Principals
				change(&ps)
				st.Principals = &ps
			}
			doc.Statements = append(doc.Statements, st)
		}
		d.Document = &doc
		out = append(out, d)
	}
	return out
}

// DecideWithout decides a request with one step of the evaluation logic switched off.
func DecideWithout(step string, policies *Policies, req *Request) Verdict {
	p, r := *policies, *req
	e := newEvaluation(&p, &r)
	if off := Steps[step]; off != nil {
		off(&e)
		e.decide()
		return e.decision.Verdict
	}
	if step != "C21 sets of temporary tokens" && e.outsidePolicies() {
		return e.decision.Verdict
	}
	e.decision = Decision{}
	if step == "6 callers without identity" && !r.Principal.Entity() {
		r.Principal.Kind = request.IAMUser
	}
	e.evaluateAll()
	switch step {
	case "2 explicit deny":
		e.denied = kleene.False
	case "7 root":
		if r.Principal.Kind == request.Root {
			e.identity = kleene.False
		}
	case "8a direct grant":
		e.grant.direct = kleene.False
	case "8b grant to the role":
		e.grant.role = kleene.False
	case "8c delegation":
		e.prefix = "none"
	case "9 resource side":
		if e.sameAccount() == kleene.False {
			e.grant.direct = kleene.True
		}
	case "C4 federated-user session":
		if r.Principal.Kind == request.FederatedUser {
			e.session = kleene.True
		}
	case "C5 key without a policy":
		if len(p.Resource) == 0 {
			e.grant = grant{}
		}
	}
	denied, allowed := e.denied, e.allowed()
	switch {
	case denied == kleene.True:
		return ExplicitDeny
	case allowed == kleene.False:
		return ImplicitDeny
	case allowed == kleene.True && denied == kleene.False:
		return Allowed
	}
	return Unknown
}
