package engine

import (
	"slices"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
)

func (e *evaluation) reason(doc *policy.Attached, st *policy.Statement, truth kleene.Truth, m match) Reason {
	r := Reason{
		Policy: doc.ID, Kind: doc.Kind, Statement: st.Index, Sid: st.Sid, Effect: st.Effect,
		Outcome: Applies, Origin: doc.Origin, Range: st.Range,
	}
	if truth != kleene.True {
		r.Outcome = Maybe
		r.Failed, r.Ruling = e.waitsFor(doc, st, m)
	}
	if st.Effect == policy.Allow && st.Principals != nil && st.Principals.Not {
		e.note("AWS does not support Allow with NotPrincipal; where such a document exists it is read as letting everybody else in")
	}
	r.withhold(doc.Document)
	return r
}

// withheld stands in reasons for what a sensitive policy says.
const withheld = "(sensitive)"

// withhold takes from a reason what a sensitive policy says: a Sid, the values of an
// element and, because its key and operator are of the policy too, a condition.
func (r *Reason) withhold(doc *policy.Document) {
	if !doc.Sensitive {
		return
	}
	if r.Sid != "" {
		r.Sid = withheld
	}
	r.Ruling = "" // it may name an operator
	if r.Failed == nil || r.Failed.Key == "attachment" {
		return // which hangs on the input and not on the policy
	}
	r.Failed.Wanted = withheld
	switch r.Failed.Key {
	case "statement", "Resource", "NotResource", "Principal", "NotPrincipal", "Action", "NotAction":
	default:
		r.Failed.Key, r.Failed.Operator = "Condition", ""
	}
}

// waitsFor finds the first element of a statement that may hold, and what AWS's
// documentation leaves open about it.
func (e *evaluation) waitsFor(doc *policy.Attached, st *policy.Statement, m match) (f *Failure, ruling string) {
	switch {
	case doc.Sure != kleene.True:
		return &Failure{Key: "attachment", Wanted: doc.Why, Got: "unknown"}, ""
	case len(st.Unknown) > 0:
		return &Failure{Key: "statement", Wanted: st.Unknown[0], Got: "unknown"}, ""
	case m.contested != "":
		return &Failure{Key: "Resource", Wanted: m.contested, Got: e.req.Resource.String()},
			"AWS's pages disagree whether a \"*\" before a colon runs on over it"
	}
	for i := range st.Conditions {
		c := &st.Conditions[i]
		if e.holds(c) == kleene.Unknown {
			return &Failure{Key: c.Key, Operator: c.Operator.String(), Wanted: c.Wanted(), Got: c.Got(e.req.Context)}, c.Undocumented(e.req.Context)
		}
	}
	if r, _ := e.matchResources(st); r == kleene.Unknown {
		return &Failure{Key: st.Resources.Element(), Wanted: texts(st.Resources.Entries, resourceText), Got: e.req.Resource.String()}, ""
	}
	if e.matchPrincipals(st).any() == kleene.Unknown {
		return &Failure{Key: st.Principals.Element(), Wanted: texts(st.Principals.Entries, principalText), Got: e.caller()}, e.partlyListed(st)
	}
	return &Failure{Key: st.Actions.Element(), Wanted: texts(st.Actions.Entries, actionText), Got: e.req.Action}, ""
}

// partlyListed says what is open about a Deny with NotPrincipal that lists the caller
// without all that is above it.
func (e *evaluation) partlyListed(st *policy.Statement) string {
	symbolic := slices.ContainsFunc(st.Principals.Entries, func(p policy.Principal) bool { return !p.Text.Known() })
	if !st.Principals.Not || symbolic {
		return ""
	}
	return "AWS says that NotPrincipal may deny a caller whose account, or whose role, it does not list too"
}

// explainMissing finds which kinds of policies would have had to allow the
// request, and the statement among them that came nearest.
func (e *evaluation) explainMissing() {
	p := e.policies
	var candidates []policy.Attached
	miss := func(kind policy.Kind, docs []policy.Attached) {
		e.decision.Missing = append(e.decision.Missing, kind)
		candidates = append(candidates, docs...)
	}
	if e.scp == kleene.False {
		again := *e
		again.traced = false
		for _, level := range p.SCP {
			if again.layer(level) == kleene.False {
				miss(policy.SCP, level)
			}
		}
	}
	if e.endpoint == kleene.False {
		miss(policy.VPCEndpoint, p.VPCEndpoint)
	}
	if e.permitted == kleene.False {
		e.missingPermission(miss)
	}
	slices.Sort(e.decision.Missing)
	e.decision.Missing = slices.Compact(e.decision.Missing)

	var nearest Reason
	best := e.nearest(candidates, -1, &nearest)
	if e.throughAccessPoint() && p.Bucket != nil && slices.Contains(e.decision.Missing, policy.Resource) {
		e.onBucket(func() { best = e.nearest(p.Bucket.Policies, best, &nearest) })
	}
	if best >= 0 {
		e.decision.Because = append(e.decision.Because, nearest)
	}
}

// nearest finds the Allow that came nearer than best to what is asked for, and how
// near it came.
func (e *evaluation) nearest(docs []policy.Attached, best int, nearest *Reason) int {
	for i := range docs {
		doc := &docs[i]
		e.enter(doc)
		for j := range doc.Statements {
			st := &doc.Statements[j]
			if st.Effect != policy.Allow {
				continue
			}
			failed, near := e.failure(st)
			if failed == nil || near <= best {
				continue
			}
			best = near
			*nearest = Reason{
				Policy: doc.ID, Kind: doc.Kind, Statement: st.Index, Sid: st.Sid, Effect: st.Effect,
				Outcome: NotApplies, Failed: failed, Origin: doc.Origin, Range: st.Range,
			}
			nearest.withhold(doc.Document)
		}
	}
	return best
}

func (e *evaluation) missingPermission(miss func(policy.Kind, []policy.Attached)) {
	p := e.policies
	if !e.req.Principal.Entity() {
		miss(policy.Resource, p.Resource)
		return
	}
	across := e.sameAccount() == kleene.False
	granted := e.identity != kleene.False || !across && e.grant.role != kleene.False
	if !granted {
		miss(policy.Identity, p.Identity)
	}
	if granted || across {
		if e.boundary == kleene.False {
			miss(policy.Boundary, p.Boundary)
		}
		if e.session == kleene.False {
			miss(policy.Session, p.Session)
		}
	}
	// Within an account the resource's policy is the other way to be allowed.
	switch {
	case across && e.grant.any() == kleene.False,
		!across && !granted,
		!across && min(e.identity, e.boundary, e.session) != kleene.False && e.delegated() == kleene.False,
		len(e.decision.Missing) == 0:
		miss(policy.Resource, p.Resource)
	}
}

// explainUnknown names what an unknown verdict hangs on: the policies that were
// not read and the values that statements wait for.
func (e *evaluation) explainUnknown() {
	unknown := e.hangsOn
	for _, r := range e.decision.Because {
		if r.Outcome != Maybe || r.Statement == 0 || r.Failed == nil {
			continue
		}
		what := r.Failed.hanging(r.Policy)
		if r.Ruling != "" {
			what += ": " + r.Ruling
		}
		unknown = append(unknown, what)
	}
	if e.sameAccount() == kleene.Unknown && e.req.Principal.Entity() {
		unknown = append(unknown, "whether the accounts "+e.req.Principal.Account.String()+" and "+e.owner.String()+" are one")
	}
	if e.req.Principal.Entity() && max(e.isKey(), e.assumesRole()) == kleene.Unknown {
		unknown = append(unknown, "whether the policy of "+e.req.Resource.String()+" must name the caller, as those of keys and roles must")
	}
	slices.Sort(unknown)
	e.decision.Unknown = slices.Compact(unknown)
}

// hanging words what a statement of a policy waits for.
func (f *Failure) hanging(policy string) string {
	switch f.Key {
	case "attachment", "statement":
		return f.Wanted
	case "Resource", "NotResource", "Principal", "NotPrincipal", "Action", "NotAction":
		return f.Got + " against " + f.Wanted
	case "Condition":
		return f.Got + " against a condition of " + policy + " " + f.Wanted
	default:
		return f.Key + " (" + f.Operator + " " + f.Wanted + ", got " + f.Got + ")"
	}
}
