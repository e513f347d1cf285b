package report

import (
	"cmp"
	"slices"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract"
)

// New returns an empty report.
func New() *Report {
	return &Report{
		Schema: Schema, Inputs: []Input{}, Unreadable: []Unreadable{}, Expectations: []Expectation{},
		Findings: []Finding{}, Diagnostics: []Diagnostic{},
		Policies: []Policy{}, Replays: []Replay{}, Groups: []Group{}, Changes: []Change{},
	}
}

// A Check is what one input came to.
type Check struct {
	Path   string
	Format string
	// Config is the .tfguard.hcl that was read with the input, empty if none was.
	Config string
	// Flags are those that the input was read with, as arguments of a command.
	Flags []string
	// Inventory of the input, with policies that it does not define but that took
	// part in a decision in Extra.
	Inventory   *extract.Inventory
	Extra       []*extract.Policy
	Diagnostics source.Diagnostics
	Result      chain.Result
	// Accesses are the calls that the input opens or closes.
	Accesses []Access
	// Uncompared is set where there are too many calls to tell which these are.
	Uncompared bool
	// Expectations about the result; their Replays count in its Replays. Whether they
	// hold is for [Report.Add] to say.
	Expectations []Expected
	// Findings about the result; their Replay counts in its Replays.
	Findings []hazard.Finding
	// Guardrails are findings of the team's own rules; their Replay counts likewise,
	// and Input is left open. Manuals are the rules that ran, whose Inputs are too.
	Guardrails []Finding
	Manuals    []Guardrail
}

// Add adds the outcome of one input to the report.
func (r *Report) Add(c *Check) {
	input := len(r.Inputs)
	inv := c.Inventory
	r.Inputs = append(r.Inputs, Input{
		Path: c.Path, Format: c.Format, Config: c.Config, Flags: list(c.Flags), Changes: inv.Changes,
		Principals: len(inv.Principals), Resources: len(inv.Resources), Policies: len(inv.Policies),
		Facts: facts(inv), Incomplete: list(inv.Incomplete), Uncompared: c.Uncompared, Notes: list(c.Result.Notes),
	})
	r.Policies = slices.Grow(r.Policies, len(inv.Policies)+len(c.Extra))
	for _, p := range slices.Concat(inv.Policies, c.Extra) {
		r.addPolicy(p, input)
		if p.Unread != "" {
			r.Inputs[input].Unread++
			r.Summary.PoliciesUnread++
		}
	}
	for _, p := range inv.Policies {
		if p.Unread == "" && p.Kind != policy.Boundary {
			r.Summary.PoliciesRead++
		}
	}
	for _, d := range c.Diagnostics {
		r.Diagnostics = append(r.Diagnostics, diagnostic(d, input))
	}
	base := len(r.Replays)
	for _, rep := range c.Result.Replays {
		r.addReplay(rep, input)
	}
	for i := range c.Accesses {
		r.Changes = append(r.Changes, c.Accesses[i].change(input))
	}
	for i := range c.Expectations {
		r.addExpectation(&c.Expectations[i], base, input)
	}
	for _, g := range c.Result.Groups {
		r.addGroup(&g, base)
	}
	for _, f := range c.Findings {
		r.addFinding(finding(&f), base, input)
	}
	for _, f := range c.Guardrails {
		r.addFinding(f, base, input)
	}
	for _, g := range c.Manuals {
		r.addGuardrail(g, input)
	}
	r.Summary.Unrelated += c.Result.Unrelated
	r.Summary.Folded += c.Result.Folded
}

func facts(inv *extract.Inventory) []Fact {
	out := []Fact{}
	for _, f := range []struct {
		name string
		fact extract.Fact
	}{{"account", inv.Account}, {"partition", inv.Partition}, {"region", inv.Region}, {"organization", inv.Organization}} {
		if f.fact.From != "" {
			out = append(out, Fact{Name: f.name, Value: f.fact.Value.String(), From: f.fact.From, Assumed: f.fact.Assumed})
		}
	}
	for _, p := range inv.Parameters {
		out = append(out, Fact{Name: "parameter " + p.Name, Value: p.Value.String(), From: p.From, Assumed: p.Assumed})
	}
	return out
}

func diagnostic(d source.Diagnostic, input int) Diagnostic {
	return Diagnostic{
		Severity: d.Severity.String(), Summary: d.Summary, Detail: d.Detail,
		Address: d.Origin.Address, Source: sourceOf(d.Origin, d.Range), Input: input,
	}
}

func (r *Report) addPolicy(p *extract.Policy, input int) {
	out := Policy{
		ID: p.ID, Kind: string(p.Kind), Address: p.Origin.Address, AttachedTo: list(p.AttachedTo),
		Source: sourceOf(p.Origin, placeOf(p.Document)), Unknown: []string{}, Input: input,
		Document: Document{of: p.Document},
	}
	if p.Unread != "" {
		out.Unknown = append(out.Unknown, p.Unread)
	}
	if p.Recovered != nil {
		out.Recovered = &Recovered{Step: string(p.Recovered.Step), From: p.Recovered.From, Assumed: p.Recovered.Assumed}
	}
	for i := range p.Statements {
		unknown := p.Statements[i].Unknown
		if p.Sensitive && len(unknown) > 0 {
			unknown = []string{"(sensitive)"}
		}
		for _, what := range unknown {
			if !slices.Contains(out.Unknown, what) {
				out.Unknown = append(out.Unknown, what)
			}
		}
	}
	r.Policies = append(r.Policies, out)
}

func (r *Report) addReplay(rep *chain.Replay, input int) {
	out := Replay{
		Chain: rep.Chain.ID, Pattern: rep.Chain.Pattern, Action: rep.Action,
		Principal: rep.Principal.Name().String(), PrincipalAddress: rep.Principal.Address,
		Resource: rep.Resource().String(), ResourceAddress: rep.Target.Address,
		Verdict: rep.Verdict, BrokenHop: rep.BrokenHop, StandIn: rep.Principal.StandIn,
		Modes: []Mode{}, Hops: []Hop{}, Input: input,
	}
	for _, m := range rep.Modes {
		out.Modes = append(out.Modes, Mode(m))
	}
	for i := range rep.Hops {
		out.Hops = append(out.Hops, hop(&rep.Hops[i]))
	}
	r.Replays = append(r.Replays, out)
	r.Summary.Replays++
	r.Summary.Verdicts.count(rep.Verdict)
}

// count counts a verdict.
func (v *Verdicts) count(verdict engine.Verdict) {
	switch verdict {
	case engine.Allowed:
		v.Allowed++
	case engine.ImplicitDeny:
		v.ImplicitDeny++
	case engine.ExplicitDeny:
		v.ExplicitDeny++
	case engine.Unknown:
		v.Unknown++
	}
}

func hop(h *chain.HopResult) Hop {
	p := chain.Principal{Caller: request.Caller{Principal: h.Request.Principal}}
	out := Hop{
		Hop: h.Hop, Optional: h.Optional, Credentials: string(h.Credentials),
		Principal: p.Name().String(), Action: h.Request.Action, Resource: h.Request.Resource.String(),
		Context: Context{of: h.Request.Context}, ContextUnknown: list(h.Request.Context.Unsure()),
		Verdict: h.Verdict, Because: []Because{}, Unknown: list(h.Unknown), Notes: h.Notes,
	}
	for i := range h.Because {
		out.Because = append(out.Because, because(&h.Because[i]))
	}
	return out
}

func because(r *engine.Reason) Because {
	out := Because{
		Policy: r.Policy, Statement: r.Statement, Sid: r.Sid, Effect: string(r.Effect),
		Outcome: string(r.Outcome), Source: sourceOf(r.Origin, r.Range),
	}
	if f := r.Failed; f != nil {
		out.Failed = &Failed{Key: f.Key, Operator: f.Operator, Wanted: f.Wanted, Got: f.Got}
	}
	return out
}

func (r *Report) addGroup(g *chain.Group, base int) {
	out := Group{Replays: []int{}, Pairs: []Pairs{}}
	for _, i := range g.Replays {
		out.Replays = append(out.Replays, base+i)
	}
	for _, b := range g.Blocks {
		var pairs Pairs
		for _, p := range b.Principals {
			pairs.Principals = append(pairs.Principals, cmp.Or(p.Address, p.Name().String()))
		}
		for _, t := range b.Targets {
			pairs.Resources = append(pairs.Resources, cmp.Or(t.Address, t.ARN.String()))
		}
		out.Pairs = append(out.Pairs, pairs)
	}
	r.Groups = append(r.Groups, out)
}

func finding(f *hazard.Finding) Finding {
	out := Finding{
		Rule: f.Rule.ID, Severity: f.Severity.String(), Message: f.Message, Remediation: f.Remediation,
		Address: f.Address, Source: sourceOf(f.Origin, f.Range), Also: []string{}, Places: []Place{},
		Fingerprint: fingerprint(f.Identities[0]),
	}
	for _, r := range f.Also {
		out.Also = append(out.Also, r.ID)
	}
	for i, p := range f.Places {
		out.Places = append(out.Places, Place{Address: p.Address, Source: sourceOf(p.Origin, p.Range), Fingerprint: fingerprint(f.Identities[i+1])})
	}
	if f.Replay >= 0 {
		out.Replay = &f.Replay
	}
	return out
}

func (r *Report) addFinding(f Finding, base, input int) {
	f.Input = input
	if f.Fingerprint == "" { // what somebody else's rule says is all that is known of it
		f.Fingerprint = fingerprint(f.Rule, f.Address, f.Source.Attribute, f.Message)
	}
	if f.Replay != nil {
		i := base + *f.Replay
		f.Replay = &i
	}
	r.Findings = append(r.Findings, f)
	r.Summary.count(&f)
}

// count counts a finding.
func (s *Summary) count(f *Finding) {
	switch {
	case f.Waived != nil:
		s.Waived++
	case f.Severity == "error":
		s.Findings.Error++
	case f.Severity == "warning":
		s.Findings.Warning++
	default:
		s.Findings.Info++
	}
}

// placeOf is where a document stands: at the start of its text if nothing tells.
func placeOf(doc *policy.Document) source.Range {
	if doc.Range.Start.Line == 0 {
		return source.Range{Start: source.Pos{Line: 1, Column: 1}}
	}
	return doc.Range
}

// sourceOf renders where something stands; without a file, inside of the attribute.
func sourceOf(o source.Origin, rng source.Range) Source {
	out := Source{File: cmp.Or(rng.File, o.File), Line: rng.Start.Line, Column: rng.Start.Column}
	if out.File == "" {
		out.Attribute = o.Attribute
	}
	return out
}

// list returns a list that JSON shows as [] when it is empty.
func list(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}
