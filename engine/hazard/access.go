package hazard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// The rules about what several policies come to together.
var (
	publicAccess = &Rule{
		ID:          "public-access",
		Title:       "Anybody can make a call",
		Severity:    source.Error,
		Rationale:   "A request without credentials, or an administrator of any account of AWS, is allowed: the resource is open to the world.",
		Remediation: "Name the principals that the statement is for, or confine it by aws:PrincipalOrgID, aws:PrincipalAccount or aws:SourceVpce; block public access to buckets that need none.",
		Page:        "Blocking public access to your Amazon S3 storage",
	}
	gateBypassed = &Rule{
		ID:          "gate-bypassed",
		Title:       "A call that is granted through a service is open directly too",
		Severity:    source.Error,
		Rationale:   "A statement lets a principal make a call through a service alone, and another one lets it make the same call itself: the gate stands beside an open door.",
		Remediation: "Add the gate's condition to the other statement, or deny direct calls by a Deny with \"Bool\": {\"aws:ViaAWSService\": \"false\"}.",
		Page:        "Forward access sessions",
	}
	gateDead = &Rule{
		ID:          "gate-dead",
		Title:       "A call is granted through a service that the principal may not use",
		Severity:    source.Warning,
		Rationale:   "A statement lets a principal make a call through a service, and nothing lets it call that service: the grant never takes effect.",
		Remediation: "Grant the entry of the chain, such as athena:StartQueryExecution on the workgroup, or remove the statement.",
		Page:        "Forward access sessions",
	}
	grantVoid = &Rule{
		ID:          "grant-void",
		Title:       "A grant is made void by a boundary or an organization policy",
		Severity:    source.Warning,
		Rationale:   "A policy grants calls that the permissions boundary or the service control policies of the principal refuse on every chain.",
		Remediation: "Remove the grant, or let the boundary and the service control policies permit it.",
		Page:        "Policy evaluation logic",
	}
	statementWithoutEffect = &Rule{
		ID:          "statement-without-effect",
		Title:       "An Allow never has its way",
		Severity:    source.Info,
		Rationale:   "In every replay that the statement has a part in, other statements refuse the call.",
		Remediation: "Remove the statement, or the Deny that overrides it.",
		Page:        "Policy evaluation logic",
	}
	crossAccount = &Rule{
		ID:          "cross-account-access",
		Title:       "A policy lets another account or organization in",
		Severity:    source.Info,
		Rationale:   "What another account does with the access that it is given is its administrators' affair.",
		Remediation: "Check that the account or organization is one that is meant, and name its role rather than the account.",
		Page:        "Cross account resource access in IAM",
		Kind:        policy.Resource,
		statement:   (*statement).crossAccount,
	}
	negatedKeysAsOr = &Rule{
		ID: "negated-keys-read-as-or", Code: "H27",
		Title:       "Several negated keys in one Deny are read as alternatives",
		Severity:    source.Error,
		Rationale:   "Conditions of a statement hold together: a Deny with NotIpAddress and StringNotEquals denies only what fails both. That is right for a list of allowed networks, and wrong where a call must meet both.",
		Remediation: "Write one Deny for each key that a call must meet.",
		Page:        "Conditions with multiple context keys or values",
	}
)

// A combination is a call that a principal makes on a target.
type combination struct {
	principal *chain.Principal
	target    *chain.Target
	action    string
}

// access applies the rules about what policies come to together.
func (f *finder) access() {
	var order []combination
	of := map[combination][]int{}
	for i, r := range f.Replays {
		c := combination{r.Principal, r.Target, r.Action}
		if _, ok := of[c]; !ok {
			order = append(order, c)
		}
		of[c] = append(of[c], i)
	}
	for _, callers := range []func(*chain.Principal) bool{nobody, outsider} {
		for _, c := range order {
			if callers(c.principal) {
				f.put(f.public(of[c]))
			}
		}
	}
	for _, c := range order {
		if c.principal.StandIn == "" {
			f.put(f.bypassed(of[c]))
			f.put(f.void(of[c]))
		}
	}
	for _, x := range f.dead() {
		f.put(x)
	}
	for _, i := range f.Refuted {
		f.put(f.readAsOr(i))
	}
	for _, x := range f.withoutEffect() {
		f.put(x)
	}
	if f.World != nil {
		f.open()
	}
}

// blame makes a finding about the statement of a reason.
func blame(rule *Rule, r *engine.Reason, replay int, format string, args ...any) *Finding {
	message := fmt.Sprintf(format, args...)
	return &Finding{
		Rule: rule, Severity: rule.Severity, Remediation: rule.Remediation, Replay: replay, Message: message, text: message,
		Address: r.Origin.Address, Origin: r.Origin, Range: r.Range, part: partOf(r), by: part{r.Policy, r.Statement},
	}
}

// last is the call that the replay is about; hops that only follow from it may stand
// behind it.
func last(r *chain.Replay) *chain.HopResult {
	for i := range slices.Backward(r.Hops) {
		if h := &r.Hops[i]; !h.Optional && h.Request.Action == r.Action {
			return h
		}
	}
	return lastMandatory(r)
}

// lastMandatory is the last hop that the chain needs.
func lastMandatory(r *chain.Replay) *chain.HopResult {
	for i := range slices.Backward(r.Hops) {
		if h := &r.Hops[i]; !h.Optional {
			return h
		}
	}
	return nil
}

// nobody reports whether a caller is without credentials.
func nobody(p *chain.Principal) bool { return p.Name().String() == "anonymous" }

// outsider reports whether a caller stands for those of any other organization.
func outsider(p *chain.Principal) bool { return p.StandIn == chain.StandInOutside }

// stranger names nobody or an outsider.
func stranger(p *chain.Principal) string {
	if nobody(p) {
		return "anybody, without credentials,"
	}
	return "an administrator of any account of AWS"
}

// public: a request of nobody's, or of a principal of any account, is allowed.
func (f *finder) public(replays []int) *Finding {
	if f.perimeter(replays) {
		return nil
	}
	inside := func(i int) bool { return f.Replays[i].Chain.Entry != chain.Internet }
	fromOutside := slices.DeleteFunc(slices.Clone(replays), inside) // the better proof
	for _, i := range append(fromOutside, replays...) {
		r := f.Replays[i]
		hop := last(r)
		if !allowed(r) || hop == nil {
			continue
		}
		through := ""
		if outsider(r.Principal) && len(r.Hops) > 1 && r.Hops[0].Hop != hop.Hop {
			through = " through " + r.Chain.ID
		}
		if g := grantOf(hop, policy.Resource, policy.Trust); g != nil && (nobody(r.Principal) || !f.confined(r, g)) {
			return blame(publicAccess, g, i, "%s may call %s on %s%s: %s allows it.", stranger(r.Principal), r.Action, target(r), through, reasonName(g))
		}
	}
	return nil
}

// perimeter reports whether a call is denied to strangers from outside of the allowed
// networks, whatever lets them in from inside.
func (f *finder) perimeter(replays []int) bool {
	denied := false
	for _, i := range replays {
		if r := f.Replays[i]; outsider(r.Principal) && r.Chain.Entry == chain.Internet {
			if allowed(r) {
				return false
			}
			denied = denied || r.Verdict == engine.ExplicitDeny
		}
	}
	return denied
}

// confined reports whether a statement lets callers of the customer's network in
// alone, which S3 does not take for public.
func (f *finder) confined(r *chain.Replay, b *engine.Reason) bool {
	s := f.find(r, b)
	return s != nil && s.first(func(c *condition.Condition) bool {
		return requires(c) && !slices.ContainsFunc(c.Values, func(v condition.Value) bool { p, ok := prefix(&v); return ok && wide(p) })
	}, networkKeys...) != nil
}

// gate returns the statement that grants the last call of a chain through a service
// alone, and whether nothing else grants that call.
func (f *finder) gate(r *chain.Replay) (gate *engine.Reason, alone bool) {
	hop := last(r)
	if hop == nil || hop.Credentials != chain.FAS {
		return nil, false
	}
	alone = true
	for i := range hop.Because {
		b := &hop.Because[i]
		if b.Outcome != engine.Applies || b.Effect != policy.Allow || b.Kind != policy.Identity && b.Kind != policy.Resource {
			continue
		}
		switch s := f.find(r, b); {
		case s == nil || !s.gated():
			alone = false
		case b.Kind == policy.Resource && s.everyone():
			// A gate for all, who may have other ways in.
		default:
			gate = b
		}
	}
	return gate, alone
}

// find returns the statement of a reason among the policies of a replay.
func (f *finder) find(r *chain.Replay, b *engine.Reason) *statement {
	levels := slices.Concat(r.Principal.SCP, r.Target.RCP, []engine.Level{r.Principal.Identity, r.Principal.Boundary, r.Target.Policies})
	for _, a := range slices.Concat(levels...) {
		if a.ID == b.Policy && a.Kind == b.Kind && b.Statement > 0 && b.Statement <= len(a.Statements) {
			return f.document(a.Document).statement(b.Statement - 1)
		}
	}
	return nil
}

// gated reports whether the statement asks that a service makes the call.
func (s *statement) gated() bool {
	return s.first(requires, serviceCallKeys...) != nil
}

// bypassed: what a gate grants through a service is allowed directly too.
func (f *finder) bypassed(replays []int) *Finding {
	for _, i := range replays {
		g, _ := f.gate(f.Replays[i])
		if g == nil {
			continue
		}
		for _, j := range replays {
			r := f.Replays[j]
			if !allowed(r) || !strings.HasPrefix(r.Chain.ID, "direct-") {
				continue
			}
			open := ""
			if hop := last(r); hop != nil && grants(hop) != nil {
				open = ": " + reasonName(grants(hop)) + " allows it"
			}
			return blame(gateBypassed, g, j, "%s is meant to let %s call %s on %s through a service, and %s is allowed too%s.",
				reasonName(g), r.Principal.Address, r.Action, target(r), r.Chain.ID, open)
		}
	}
	return nil
}

// dead: a gate's chain cannot be entered, on whichever chain.
func (f *finder) dead() []*Finding {
	type key struct {
		principal *chain.Principal
		policy    string
		statement int
	}
	found := map[key]*Finding{}
	alive := map[key]bool{}
	var order []key
	for i, r := range f.Replays {
		g, alone := f.gate(r)
		if r.Principal.StandIn != "" || g == nil || !alone {
			continue
		}
		k := key{r.Principal, g.Policy, g.Statement}
		entry := &r.Hops[0]
		if entry.Verdict != engine.ImplicitDeny || grants(entry) != nil {
			alive[k] = true
		}
		if found[k] == nil {
			order = append(order, k)
			found[k] = blame(gateDead, g, i, "%s lets %s call %s on %s through a service, and nothing lets it call %s.",
				reasonName(g), r.Principal.Address, r.Action, target(r), entry.Request.Action)
		}
	}
	var out []*Finding
	for _, k := range order {
		if !alive[k] {
			out = append(out, found[k])
		}
	}
	return out
}

// void: a call is granted and, on every chain, refused by what limits the principal.
func (f *finder) void(replays []int) *Finding {
	var out *Finding
	for _, i := range replays {
		r := f.Replays[i]
		if r.Verdict == engine.Allowed || r.Verdict == engine.Unknown {
			return nil
		}
		hop := brokenHop(r)
		g := grants(hop)
		if out != nil || g == nil || !strings.HasPrefix(r.Chain.ID, "direct-") {
			continue
		}
		deny, unsent := f.denial(r, hop)
		switch {
		case deny != nil && (deny.Kind == policy.SCP || deny.Kind == policy.Boundary) && len(deniers(hop)) == 1:
			out = blame(grantVoid, g, i, "%s grants %s %s on %s, and %s denies it%s on every chain.", reasonName(g), r.Principal.Address, r.Action, target(r), reasonName(deny), without(unsent)).hangsOn(unsent)
			out.part, out.by = partOf(deny), part{deny.Policy, deny.Statement}
		case deny == nil && limited(hop) && !closedTo(r.Principal):
			out = blame(grantVoid, g, i, "%s grants %s %s on %s, which is outside of its %s on every chain.", reasonName(g), r.Principal.Address, r.Action, target(r), kinds(hop.Missing))
		}
	}
	return out
}

// deniers are the kinds of policies that deny a hop.
func deniers(hop *chain.HopResult) []policy.Kind {
	var out []policy.Kind
	for i := range hop.Because {
		b := &hop.Because[i]
		if b.Outcome == engine.Applies && b.Effect == policy.Deny && !slices.Contains(out, b.Kind) {
			out = append(out, b.Kind)
		}
	}
	return out
}

// readAsOr: an expectation says that a call is denied, and a Deny does not meet it
// as one of its negated keys is as it should be.
func (f *finder) readAsOr(replay int) *Finding {
	r := f.Replays[replay]
	for _, a := range slices.Concat(r.Principal.Identity, r.Target.Policies) {
		for s := range f.document(a.Document).statements() {
			for j := range r.Hops {
				hop := &r.Hops[j]
				var met, failed int
				for k := range s.Conditions {
					if c := &s.Conditions[k]; negated(c) {
						switch c.Eval(hop.Request.Context) {
						case kleene.True:
							failed++
						case kleene.False:
							met++
						case kleene.Unknown:
						}
					}
				}
				if s.denies() && s.matches(hop) && met > 0 && failed > 0 {
					at := &engine.Reason{Policy: a.ID, Statement: s.Index, Origin: a.Origin, Range: s.Range}
					return blame(negatedKeysAsOr, at, replay, "%s denies only what fails all of its negated keys, and %s on %s fails one of them.", name(s.Index, s.Sid, a.Document), r.Action, target(r))
				}
			}
		}
	}
	return nil
}

// withoutEffect: an Allow that is overridden wherever it applies, by statements that
// no other finding blames for it.
func (f *finder) withoutEffect() []*Finding {
	blamed := map[part]bool{}
	for i := range f.findings {
		blamed[f.findings[i].part] = true
	}
	found := map[part]*Finding{}
	useful := map[part]bool{}
	var order []part
	for i, r := range f.Replays {
		for j := range r.Hops {
			hop := &r.Hops[j]
			for k := range hop.Because {
				b := &hop.Because[k]
				grant := b.Kind == policy.Identity || b.Kind == policy.Resource
				if !grant || b.Effect != policy.Allow || b.Outcome == engine.NotApplies || b.Origin.Address == "" || b.Statement == 0 {
					continue
				}
				id := part{b.Policy, b.Statement}
				if s := f.find(r, b); s == nil || s.allResources() {
					useful[id] = true // further resources than those of the replays
				}
				if found[id] == nil {
					order = append(order, id)
					found[id] = blame(statementWithoutEffect, b, i, "%s allows %s, and other statements deny it in every replay.", reasonName(b), hop.Request.Action)
				}
				deny, _ := f.denial(r, hop)
				useful[id] = useful[id] || hop.Verdict != engine.ExplicitDeny || deny != nil && blamed[partOf(deny)]
			}
		}
	}
	var out []*Finding
	for _, id := range order {
		if !useful[id] {
			out = append(out, found[id])
		}
	}
	return out
}

// crossAccount looks for callers of other accounts and organizations.
func (s *statement) crossAccount() {
	if !s.allows() || s.doc.Kind != policy.Resource && s.doc.Kind != policy.Trust || s.doc.World == nil {
		return
	}
	env := s.doc.World.Environment()
	account, known := env.Account.Literal()
	if !known {
		return
	}
	for _, p := range s.principals(policy.AWS) {
		other := p
		if parts := strings.SplitN(p, ":", 6); len(parts) == 6 {
			other = parts[4]
		}
		if len(other) == 12 && strings.Trim(other, "0123456789") == "" && other != account && !slices.Contains(loadBalancing, other) {
			s.report(source.Info, s.Principals.Range, nil, "it lets account %s in", other)
		}
	}
	org, known := env.Organization.ID.Literal()
	for _, c := range s.on("aws:principalorgid") {
		for _, v := range literals(c) {
			if known && positive(c) && v != org && strings.HasPrefix(v, "o-") && !strings.ContainsAny(v, "*?") {
				s.report(source.Info, c.KeyRange, nil, "it lets organization %s in", v)
			}
		}
	}
}
