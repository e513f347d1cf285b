package hazard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
)

// The rules about replays.
var (
	servicePrincipalLockedOut = &Rule{
		ID:       "service-principal-locked-out",
		Title:    "A service is allowed by one statement and denied by another",
		Severity: source.Error,
		Rationale: "A service that calls in its own name, such as CloudTrail delivering logs, comes from AWS's network and " +
			"belongs to no account or organization of the customer. A Deny that asks for either locks it out.",
		Remediation: `Add "BoolIfExists": {"aws:PrincipalIsAWSService": "false"} to the condition of the Deny, so that it spares services that call in their own name.`,
		Page:        "AWS global condition context keys",
	}
	chainBroken = &Rule{
		ID:       "chain-broken",
		Title:    "A chain is granted at both ends and refused in between",
		Severity: source.Warning,
		Rationale: "A principal may begin a chain of calls and may make its last call through that chain, and yet some policy " +
			"refuses a hop: the work fails although its permissions look complete.",
		Remediation: "Exempt calls that a service makes on the principal's behalf (aws:ViaAWSService, aws:CalledVia) from the policy that refuses the hop, or take the grant away if the chain is not meant to work.",
		Page:        "Forward access sessions",
	}
	policyUnread = &Rule{
		ID:          "policy-unread",
		Title:       "A policy could not be read",
		Severity:    source.Warning,
		Rationale:   "What a policy says that is not known, or not understood, cannot be judged; verdicts that depend on it are unknown.",
		Remediation: "Verdicts that depend on the policy are unknown. Give it values that are known when the plan is made, or mend it if it is malformed.",
	}
)

// replays applies the rules about replays. Several replays with one cause are one
// finding.
func (f *finder) replays() {
	for i, r := range f.Replays {
		f.put(cmp.Or(f.lockedOut(i, r), f.broken(i, r)))
	}
}

// unread makes the finding about a policy whose content is not known.
func unread(doc *policy.Document) Finding {
	return Finding{
		Rule: policyUnread, Severity: policyUnread.Severity, Remediation: policyUnread.Remediation,
		Replay: -1, Address: doc.Origin.Address, Origin: doc.Origin, part: part{policy: resource(doc.ID, doc.Origin)}, text: doc.Unread,
		Message: fmt.Sprintf("%s was not read: %s.", doc.ID, doc.Unread),
	}
}

// lockedOut: the policy lets a service in by one statement and denies that very
// call by another.
func (f *finder) lockedOut(replay int, r *chain.Replay) *Finding {
	if r.Verdict != engine.ExplicitDeny {
		return nil
	}
	hop := brokenHop(r)
	if hop.Credentials != chain.ServicePrincipal {
		return nil
	}
	allow := grants(hop)
	deny, unsent := f.denial(r, hop)
	if allow == nil || deny == nil {
		return nil
	}
	return blame(servicePrincipalLockedOut, deny, replay, "%s may not call %s on %s%s: %s denies what %s allows.",
		hop.Request.Principal.Service, hop.Request.Action, on(r, hop), without(unsent), reasonName(deny), beside(allow, deny)).hangsOn(unsent)
}

// broken: a principal of the input is granted the entry of a chain and its last
// call through that chain, and some policy refuses a hop. A Deny of the entry itself
// is what it says, and breaks nothing in between; nor is a chain meant to work that
// begins outside of every allowed network.
func (f *finder) broken(replay int, r *chain.Replay) *Finding {
	if r.Principal.StandIn != "" || r.Chain.Entry == chain.Internet || r.Verdict == engine.Allowed || r.Verdict == engine.Unknown {
		return nil
	}
	first, last := &r.Hops[0], lastMandatory(r)
	if first.Hop == last.Hop || grants(first) == nil || grants(last) == nil {
		return nil
	}
	hop := brokenHop(r)
	who := r.Principal.Address
	switch {
	case hop.Verdict == engine.ExplicitDeny && hop.Hop > first.Hop:
		deny, unsent := f.denial(r, hop)
		return blame(chainBroken, deny, replay, "%s is granted %s on %s through %s, and hop %d, %s, is denied%s by %s.",
			who, r.Action, target(r), r.Chain.ID, hop.Hop, hop.Request.Action, without(unsent), reasonName(deny)).hangsOn(unsent)
	case limited(hop) && !closedTo(r.Principal):
		at := &engine.Reason{Origin: source.Origin{Address: who}}
		return blame(chainBroken, at, replay, "%s is granted %s on %s through %s, and hop %d, %s, is outside of its %s.",
			who, r.Action, target(r), r.Chain.ID, hop.Hop, hop.Request.Action, kinds(hop.Missing))
	}
	return nil
}

// limited reports whether an implicit deny misses the Allow of policies that only
// limit, such as a boundary, and of no other.
func limited(hop *chain.HopResult) bool {
	return len(hop.Missing) > 0 && !slices.ContainsFunc(hop.Missing, func(k policy.Kind) bool {
		return k != policy.Boundary && k != policy.Session && k != policy.SCP && k != policy.VPCEndpoint
	})
}

func kinds(ks []policy.Kind) string {
	names := map[policy.Kind]string{
		policy.Boundary: "permissions boundary", policy.Session: "session policy",
		policy.SCP: "service control policies", policy.VPCEndpoint: "VPC endpoint policy",
	}
	var words []string
	for _, k := range ks {
		if n, ok := names[k]; ok {
			words = append(words, n)
		}
	}
	return strings.Join(words, " and ")
}

func brokenHop(r *chain.Replay) *chain.HopResult {
	for i := range r.Hops {
		if h := &r.Hops[i]; !h.Optional && h.Hop == r.BrokenHop && h.Verdict == r.Verdict {
			return h
		}
	}
	return &r.Hops[0]
}

// denial returns the statement that denies a hop. The one that it returns may hang on
// a key that the caller could have sent; one that does not is returned first.
func (f *finder) denial(r *chain.Replay, hop *chain.HopResult) (deny *engine.Reason, unsent string) {
	for i := range hop.Because {
		b := &hop.Because[i]
		if b.Outcome != engine.Applies || b.Effect != policy.Deny {
			continue
		}
		key := ""
		if s := f.find(r, b); s != nil {
			key = s.unsent(hop)
		}
		if deny == nil || key == "" {
			deny, unsent = b, key
		}
		if key == "" {
			break
		}
	}
	return deny, unsent
}

// unsent returns a key without which alone the statement meets a hop, and which is the
// caller's to send, such as a header that asks for encryption: empty if there is none.
func (s *statement) unsent(hop *chain.HopResult) string {
	for i := range s.Conditions {
		c := &s.Conditions[i]
		_, known := request.Find(c.Key)
		if (!known || slices.Contains(ofCaller, family(c))) && hop.Request.Context.Get(c.Key).Present != kleene.True && c.Eval(hop.Request.Context) == kleene.True {
			return c.Key
		}
	}
	return ""
}

// ofCaller are the global keys, and others that are known, whose values are parameters
// of the request.
var ofCaller = []string{"aws:referer", "aws:requesttag/", "aws:tagkeys", "aws:useragent", "kms:encryptioncontextkeys", "kms:grantoperations", "s3:x-amz-acl"}

func without(key string) string {
	if key == "" {
		return ""
	}
	return " without " + key
}

// hangsOn makes a finding that hangs on what the caller sends, which the input does not
// say, a remark.
func (x *Finding) hangsOn(unsent string) *Finding {
	if unsent != "" {
		x.Severity = source.Info
	}
	return x
}

// grants returns the statement that grants a hop. An Allow of a policy that only
// limits, such as a service control policy, grants nothing.
func grants(hop *chain.HopResult) *engine.Reason {
	return grantOf(hop, policy.Identity, policy.Resource, policy.Trust)
}

// grantOf returns the first statement of policies of some kinds that allows a hop.
func grantOf(hop *chain.HopResult, kinds ...policy.Kind) *engine.Reason {
	for i := range hop.Because {
		b := &hop.Because[i]
		if slices.Contains(kinds, b.Kind) && b.Outcome == engine.Applies && b.Effect == policy.Allow {
			return b
		}
	}
	return nil
}

// beside names a statement; not its policy again if that is the other one's too.
func beside(r, other *engine.Reason) string {
	if r.Policy != other.Policy {
		return reasonName(r)
	}
	return strings.TrimSuffix(reasonName(r), " of "+r.Policy)
}

func reasonName(r *engine.Reason) string {
	if r.Statement == 0 {
		return r.Policy
	}
	switch r.Sid {
	case "":
		return fmt.Sprintf("statement %d of %s", r.Statement, r.Policy)
	case "(sensitive)":
		return fmt.Sprintf("statement %d %s of %s", r.Statement, r.Sid, r.Policy)
	}
	return fmt.Sprintf("statement %d (%s) of %s", r.Statement, r.Sid, r.Policy)
}

// on names the resource of a hop: the target, or the role that a service assumes.
func on(r *chain.Replay, hop *chain.HopResult) string {
	if strings.HasPrefix(hop.Request.Action, "sts:") {
		return hop.Request.Resource.String()
	}
	return target(r)
}

func target(r *chain.Replay) string { return cmp.Or(r.Target.Address, r.Resource().String()) }
