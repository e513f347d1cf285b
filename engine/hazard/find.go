package hazard

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A finder applies the catalogue to one input.
type finder struct {
	Input
	findings []Finding
	// known are the findings about replays by their cause, and whom they were made for.
	known map[string]int
	whom  map[string]bool
	// hops are those that a policy had a part in.
	hops map[string][]hopRef
	// owners are the principals and targets that a policy is attached to.
	owners map[*policy.Document]owner
	// shapes are the ARNs that actions work on, as far as they were asked for.
	shapes map[string][]shape
	// byARN are the principals of the world.
	byARN map[symbol.Text]*chain.Principal
	// ipv6 names what tells of callers on IPv6 by the key of their addresses, as far
	// as it was asked for.
	ipv6 map[string]string
}

type hopRef struct {
	replay int
	hop    *chain.HopResult
}

// An owner is what a policy is attached to.
type owner struct {
	principals []*chain.Principal
	targets    []*chain.Target
}

func newFinder(in Input) *finder {
	f := &finder{
		Input: in, known: map[string]int{}, whom: map[string]bool{},
		hops: map[string][]hopRef{}, owners: map[*policy.Document]owner{}, shapes: map[string][]shape{}, ipv6: map[string]string{}, byARN: map[symbol.Text]*chain.Principal{},
	}
	for i, r := range in.Replays {
		for j := range r.Hops {
			hop := &r.Hops[j]
			for k := range hop.Because {
				id := hop.Because[k].Policy
				refs := f.hops[id]
				if len(refs) == 0 || refs[len(refs)-1].hop != hop {
					f.hops[id] = append(refs, hopRef{i, hop})
				}
			}
		}
	}
	if in.World == nil {
		return f
	}
	for _, p := range slices.Backward(in.World.Principals()) { // the first of an ARN is it
		f.byARN[p.Caller.Principal.ARN] = p
	}
	for _, p := range in.World.Principals() {
		for _, a := range slices.Concat(p.Identity, p.Boundary) {
			o := f.owners[a.Document]
			o.principals = append(o.principals, p)
			f.owners[a.Document] = o
		}
		if p.Trust != nil {
			f.owners[p.Trust] = owner{principals: []*chain.Principal{p}}
		}
	}
	for _, t := range in.World.Targets() {
		for _, a := range t.Policies {
			o := f.owners[a.Document]
			o.targets = append(o.targets, t)
			f.owners[a.Document] = o
		}
	}
	return f
}

// policy applies the rules about patterns to one policy.
func (f *finder) policy(doc *policy.Document) {
	if doc.Unread != "" {
		f.findings = append(f.findings, unread(doc))
		return
	}
	d := f.document(doc)
	var statements []*statement
	for s := range d.statements() {
		if len(s.Unknown) == 0 {
			statements = append(statements, s)
		}
	}
	for _, rule := range catalogue {
		if rule.document != nil {
			rule.document(d, rule)
		}
		if rule.statement == nil {
			continue
		}
		for _, s := range statements {
			s.rule = rule
			rule.statement(s)
		}
	}
}

// document returns a policy as rules see it.
func (f *finder) document(doc *policy.Document) *document {
	return &document{Document: doc, owner: f.owners[doc], finder: f}
}

// A proof says whether a hop of a replay shows what a rule claims of a statement
// that took part in it.
type proof func(r *chain.Replay, hop *chain.HopResult) bool

// A document is a policy as rules see it.
type document struct {
	*policy.Document
	owner
	*finder
}

// A statement is a statement as rules see it.
type statement struct {
	*policy.Statement
	doc *document
	// rule is the one that looks at it.
	rule *Rule
	// keys are those of the conditions, once they were asked for.
	keys []keyName
}

// A keyName is the name of a condition key and that of its family, in lower case.
type keyName struct{ name, family string }

// statements yields those of the policy, with what is not known of them too.
func (d *document) statements() iter.Seq[*statement] {
	return func(yield func(*statement) bool) {
		for i := range d.Statements {
			if !yield(d.statement(i)) {
				return
			}
		}
	}
}

// some reports whether a statement of the policy meets a test.
func (d *document) some(is func(*statement) bool) bool {
	for s := range d.statements() {
		if is(s) {
			return true
		}
	}
	return false
}

// asks reports whether a statement of the policy has a condition over some keys.
func (d *document) asks(keys ...string) bool {
	return d.some(func(s *statement) bool { return len(s.on(keys...)) > 0 })
}

// statement returns one as rules see it.
func (d *document) statement(i int) *statement {
	return &statement{Statement: &d.Statements[i], doc: d}
}

// report reports the statement. A claim that a replay proves is an error. What is to be
// done may be another thing than the rule says: the finding is good until the next one.
func (s *statement) report(severity source.Severity, rng source.Range, shows proof, format string, args ...any) *Finding {
	replay := -1
	if shows != nil {
		if replay = s.doc.prove(shows); replay >= 0 {
			severity = source.Error
		}
	}
	return s.doc.add(s.rule, s.Statement, severity, rng, replay, fmt.Sprintf(format, args...))
}

// prove returns the first replay that the policy had a part in and that shows the
// claim, -1 if none does.
func (d *document) prove(shows proof) int {
	for _, ref := range d.hops[d.ID] {
		if shows(d.Replays[ref.replay], ref.hop) {
			return ref.replay
		}
	}
	return -1
}

// proves reports whether a replay that the policy had a part in shows the claim.
func (d *document) proves(shows proof) bool { return d.prove(shows) >= 0 }

func (d *document) add(rule *Rule, st *policy.Statement, severity source.Severity, rng source.Range, replay int, message string) *Finding {
	if d.Sensitive {
		message = rule.Title
	}
	where := d.ID
	index := 0
	if st != nil {
		index = st.Index
		where = name(st.Index, st.Sid, d.Document)
	}
	d.findings = append(d.findings, Finding{
		Rule: rule, Severity: severity, Remediation: rule.Remediation,
		Message: where + ": " + message + ".", Address: d.Origin.Address, Origin: d.Origin, Range: rng,
		Replay: replay, part: part{resource(d.ID, d.Origin), index}, text: message,
	})
	return &d.findings[len(d.findings)-1]
}

func name(index int, sid string, doc *policy.Document) string {
	if sid != "" && !doc.Sensitive {
		return fmt.Sprintf("statement %d (%s) of %s", index, sid, doc.ID)
	}
	return fmt.Sprintf("statement %d of %s", index, doc.ID)
}

func (s *statement) allows() bool { return s.Effect == policy.Allow }
func (s *statement) denies() bool { return s.Effect == policy.Deny }

// on returns the conditions over some keys, given in lower case; a name that ends in
// '/' or ':' stands for its family.
func (s *statement) on(keys ...string) []*condition.Condition {
	var out []*condition.Condition
	for i := range s.Conditions {
		if s.over(i, keys) {
			out = append(out, &s.Conditions[i])
		}
	}
	return out
}

// over reports whether a condition is over one of some keys.
func (s *statement) over(i int, keys []string) bool {
	if s.keys == nil {
		s.keys = make([]keyName, len(s.Conditions))
		for i := range s.Conditions {
			key := lower(&s.Conditions[i])
			s.keys[i] = keyName{key, familyOf(key)}
		}
	}
	k := s.keys[i]
	if len(k.family) < len(k.name) && slices.Contains(keys, k.family) { // else it is a family of its own
		return true
	}
	return slices.Contains(keys, k.name)
}

func lower(c *condition.Condition) string { return c.Name() }

// family returns the name of a key's family, such as "aws:principaltag/".
func family(c *condition.Condition) string { return familyOf(lower(c)) }

func familyOf(key string) string {
	if i := strings.IndexByte(key, '/'); i >= 0 {
		return key[:i+1]
	}
	if strings.HasPrefix(key, "kms:encryptioncontext:") {
		return "kms:encryptioncontext:"
	}
	return key
}

// first returns the first condition over some keys that meets a test, nil if none does.
func (s *statement) first(is func(*condition.Condition) bool, keys ...string) *condition.Condition {
	for i := range s.Conditions {
		if c := &s.Conditions[i]; s.over(i, keys) && is(c) {
			return c
		}
	}
	return nil
}

func negated(c *condition.Condition) bool { return c.Operator.Negated() }

func positive(c *condition.Condition) bool {
	return !c.Operator.Negated() && c.Operator.Base != condition.Null
}

// carried reports whether only requests that carry the key meet a condition.
func carried(c *condition.Condition) bool {
	return positive(c) && !c.Operator.IfExists && c.Operator.Set != condition.ForAllValues
}

// requires reports whether a condition is met only by requests that carry the key, and
// where it is true if it is one that is true or false.
func requires(c *condition.Condition) bool {
	key, _ := request.Find(c.Key)
	return carried(c) && (key.Type != request.Bool || holds(c, "true") && !holds(c, "false"))
}

// is reports whether a condition has an operator with exactly these parts and holds
// one of the values, in any case.
func is(base condition.Base, ifExists bool, values ...string) func(*condition.Condition) bool {
	return func(c *condition.Condition) bool {
		return c.Operator.Base == base && c.Operator.IfExists == ifExists && (len(values) == 0 || holds(c, values...))
	}
}

// holds reports whether a value of the condition is one of some words.
func holds(c *condition.Condition, words ...string) bool {
	for _, v := range literals(c) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(v, w) }) {
			return true
		}
	}
	return false
}

// literals are the values of a condition that are known.
func literals(c *condition.Condition) []string {
	var out []string
	for i := range c.Values {
		if s, ok := c.Values[i].Text.Literal(); ok {
			out = append(out, s)
		}
	}
	return out
}

// applies is the truth of the conditions over keys other than some in a request
// context.
func (s *statement) applies(ctx request.Context, but ...string) kleene.Truth {
	out := kleene.True
	for i := range s.Conditions {
		if c := &s.Conditions[i]; !slices.Contains(but, lower(c)) {
			out = min(out, c.Eval(ctx))
		}
	}
	return out
}

// everyone reports whether the statement speaks of every caller.
func (s *statement) everyone() bool {
	return s.Principals != nil && !s.Principals.Not &&
		slices.ContainsFunc(s.Principals.Entries, func(p policy.Principal) bool { return p.Everyone() == kleene.True })
}

// principals are the literal entries of a type.
func (s *statement) principals(of policy.PrincipalType) []string {
	var out []string
	if s.Principals == nil || s.Principals.Not {
		return nil
	}
	for i := range s.Principals.Entries {
		p := &s.Principals.Entries[i]
		if text, ok := p.Text.Literal(); ok && p.Type == of {
			out = append(out, text)
		}
	}
	return out
}

// covers reports whether the statement speaks of an action, "prefix:Name".
func (s *statement) covers(action string) bool {
	prefix, name, _ := strings.Cut(action, ":")
	return s.Actions.Match(prefix, name) == kleene.True
}

// speaksOf reports whether the statement speaks of actions of one of some services:
// of a service in general where it leaves actions out or has a wildcard for all.
func (s *statement) speaksOf(services ...string) bool {
	if s.Actions.Not {
		return true
	}
	for i := range s.Actions.Entries {
		text, _ := s.Actions.Entries[i].Text.Literal()
		prefix, _, _ := strings.Cut(strings.ToLower(text), ":")
		if text == "*" || prefix == "*" || slices.Contains(services, prefix) {
			return true
		}
	}
	return false
}

// allActions reports whether the statement speaks of all actions.
func (s *statement) allActions() bool {
	return !s.Actions.Not && slices.ContainsFunc(s.Actions.Entries, func(a policy.Action) bool {
		text, _ := a.Text.Literal()
		return text == "*" || text == "*:*"
	})
}

// allResources reports whether the statement speaks of every resource.
func (s *statement) allResources() bool {
	return s.Resources != nil && !s.Resources.Not &&
		slices.ContainsFunc(s.Resources.Entries, func(p policy.ResourcePattern) bool { return p.IsAny() })
}

// denied is the proof that the statement denies a call that another statement grants,
// made with one of some credentials by a principal that the input knows, in a chain
// that holds up to there and did not begin outside of the networks that are allowed.
func (s *statement) denied(with ...chain.Credentials) proof {
	return func(r *chain.Replay, hop *chain.HopResult) bool {
		return r.Principal.StandIn == "" && r.Chain.Entry != chain.Internet && slices.Contains(with, hop.Credentials) && hop.Hop == r.BrokenHop &&
			s.decided(hop) && grants(hop) != nil
	}
}

// decided reports whether the statement applied to a hop.
func (s *statement) decided(hop *chain.HopResult) bool {
	return slices.ContainsFunc(hop.Because, func(b engine.Reason) bool {
		return b.Policy == s.doc.ID && b.Statement == s.Index && b.Outcome == engine.Applies
	})
}

// put adds a finding about a replay, if there is one. A finding of the same rule about
// the same statement, or, where none is to blame, about the same resource, has the same
// cause, and the place or the principal is a further one of it.
func (f *finder) put(x *Finding) {
	if x == nil {
		return
	}
	who := f.Replays[x.Replay].Principal
	cause := fmt.Sprintf("%s %q %d", x.Rule.ID, x.by.policy, x.by.statement)
	if x.by.policy == "" {
		cause += x.Address
	}
	if x.Rule == servicePrincipalLockedOut {
		cause += who.Name().String() // another service is another fault
	}
	whom := fmt.Sprintf("%s %q %v %s", cause, x.Address, x.Range, who.Address)
	i, known := f.known[cause]
	switch {
	case f.whom[whom] && x.Severity <= f.findings[i].Severity:
	case !known:
		f.known[cause] = len(f.findings)
		f.findings = append(f.findings, *x)
	default:
		first := &f.findings[i]
		if x.Severity > first.Severity { // the graver one stands for all
			*x, *first = *first, *x
			first.Places = x.Places
			who = f.Replays[x.Replay].Principal
		}
		switch place := x.place(); {
		case place != first.place():
			first.Places = append(first.Places, place)
		case who.Address != "":
			first.Places = append(first.Places, Place{Address: who.Address, Origin: source.Origin{Address: who.Address}})
		}
	}
	f.whom[whom] = true
}

func (x *Finding) place() Place { return Place{x.Address, x.Origin, x.Range} }

// A part is a statement of a policy, the same for all instances of one resource.
type part struct {
	policy    string
	statement int
}

// partOf is the statement of a reason.
func partOf(r *engine.Reason) part { return part{resource(r.Policy, r.Origin), r.Statement} }

// instance is the key of an instance in a resource address.
var instance = regexp.MustCompile(`\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]`)

// resource returns the ID of a policy without the keys of the instance of the resource
// that it is one of. Those behind its address tell one policy of a resource from another.
func resource(id string, origin source.Origin) string {
	if rest, ok := strings.CutPrefix(id, origin.Address); ok {
		return instance.ReplaceAllString(origin.Address, "") + rest
	}
	return id
}

// merged returns the findings with those of one cause put together: a pattern that
// says why replays break belongs to the findings about them, and the instances of
// one resource have their faults in common.
func (f *finder) merged() []Finding {
	type blame struct {
		rule *Rule
		part
	}
	type cause struct {
		blame
		text string
	}
	var out []Finding
	blamed := map[blame][]int{}
	first := map[cause]int{}
	void := map[int]bool{}
	for _, x := range f.findings {
		explained := false
		for _, r := range x.Rule.explains {
			if f.opens(&x) && (r == chainBroken || r == servicePrincipalLockedOut) {
				continue // its proof is of a call that is allowed
			}
			for _, i := range blamed[blame{r, x.part}] {
				switch {
				case r != grantVoid:
					out[i].explain(&x)
				case explained:
					void[i] = true
				default: // one of many grants: the pattern says more
					x.Also, x.Places = append(x.Also, r), append([]Place{out[i].place()}, out[i].Places...)
					out[i] = x
				}
				explained = true
			}
		}
		if explained {
			continue
		}
		b := blame{x.Rule, x.part}
		if key := (cause{b, instance.ReplaceAllString(x.text, "")}); x.text != "" {
			if i, ok := first[key]; ok {
				out[i].Places = append(append(out[i].Places, x.place()), x.Places...)
				out[i].Severity = max(out[i].Severity, x.Severity)
				continue
			}
			first[key] = len(out)
		}
		blamed[b] = append(blamed[b], len(out))
		out = append(out, x)
	}
	kept := make([]Finding, 0, len(out))
	for i := range out {
		if !void[i] {
			kept = append(kept, out[i])
		}
	}
	return kept
}

// explain adds a finding about the same cause to one about replays.
func (x *Finding) explain(why *Finding) {
	if !slices.Contains(x.Also, why.Rule) {
		x.Also = append(x.Also, why.Rule)
	}
	x.Severity = max(x.Severity, why.Severity)
	x.Remediation = why.Remediation
}

// opens reports whether the proof of a finding is a call that is allowed.
func (f *finder) opens(x *Finding) bool {
	return x.Replay >= 0 && allowed(f.Replays[x.Replay])
}
