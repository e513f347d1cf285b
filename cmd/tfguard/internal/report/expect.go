package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/source"
)

// Expected is an expectation with the place it is written at.
type Expected struct {
	Expectation
	Origin source.Origin
	Range  source.Range
}

// addExpectation judges an expectation by its replays, which count from base.
func (r *Report) addExpectation(x *Expected, base, input int) {
	e := x.Expectation
	e.Input, e.Source, e.Failed = input, sourceOf(x.Origin, x.Range), []int{}
	replays := []int{}
	for _, i := range e.Replays {
		replays = append(replays, base+i)
		if !meets(r.Replays[base+i].Verdict, e.Want) {
			e.Failed = append(e.Failed, base+i)
		}
	}
	e.Replays = replays
	e.Pass = len(replays) > 0 && len(e.Failed) == 0
	r.Summary.Expectations.count(e.Pass)
	if len(e.Failed) > 0 {
		e.Reason = r.Replays[e.Failed[0]].reason()
		if len(replays) > 1 {
			e.Reason = fmt.Sprintf("%d of %d replays came out otherwise, first %s", len(e.Failed), len(replays), e.Reason)
		}
	}
	r.Expectations = append(r.Expectations, e)
}

// count counts an expectation.
func (o *Outcomes) count(pass bool) {
	if pass {
		o.Held++
	} else {
		o.Failed++
	}
}

// reason says in one sentence what came of a replay: the hop that decided, and the
// statement, or what an unknown verdict hangs on.
func (r *Replay) reason() string {
	h := r.decidingHop()
	at := ""
	if r.BrokenHop > 0 {
		at = fmt.Sprintf(" at hop %d (%s)", r.BrokenHop, h.Action)
	}
	out := fmt.Sprintf("%s, %s on %s by %s: %s%s", r.Chain, r.Action, cmp.Or(r.ResourceAddress, r.Resource),
		cmp.Or(r.PrincipalAddress, r.Principal), words[r.Verdict.String()], at)
	if r.Verdict == engine.Unknown {
		return out + ", which hangs on " + strings.Join(h.Unknown, "; ")
	}
	b := h.deciding()
	if r.Verdict == engine.ImplicitDeny {
		b = h.nearest()
	}
	switch {
	case b == nil && len(h.Because) > 0:
		return out
	case b == nil:
		return out + ": no statement speaks of this call"
	case b.Outcome == "applies":
		return out + ": " + b.name() + " " + outcomes[b.Outcome][b.Effect]
	case b.Failed.Key == "Action" || b.Failed.Key == "NotAction":
		return out + ": no statement allows this action"
	}
	return fmt.Sprintf("%s: %s came nearest (%s)", out, b.name(), b.Failed)
}

// withExpectations returns the report with failed expectations before its findings,
// as errors, for formats that know findings alone.
func (r *Report) withExpectations() *Report {
	out := *r
	out.Findings = nil
	for i := range r.Expectations {
		if e := &r.Expectations[i]; !e.Pass {
			out.Findings = append(out.Findings, e.finding())
		}
	}
	out.Findings = append(out.Findings, r.Findings...)
	return &out
}

// finding is a failed expectation as a finding, proven by the first replay that came
// out otherwise.
func (e *Expectation) finding() Finding {
	f := Finding{
		Rule: "expectation", Severity: "error", Message: fmt.Sprintf("%q does not hold: %s.", e.Sentence, strings.TrimSuffix(e.Reason, ".")),
		Remediation: "Mend the policies, or the expectation if it asks for something else.",
		Address:     e.Resource, Source: e.Source, Input: e.Input, Fingerprint: fingerprint("expectation", e.Sentence),
	}
	if len(e.Failed) > 0 {
		f.Replay = &e.Failed[0]
	}
	return f
}

// meets reports whether a verdict is the wanted one, or one of the denials.
func meets(v engine.Verdict, want string) bool {
	if want == "denied" {
		return v == engine.ImplicitDeny || v == engine.ExplicitDeny
	}
	return v.String() == want
}

// decidingHop is the hop that decided: the broken one or, of an allowed replay, the
// last one that is needed.
func (r *Replay) decidingHop() *Hop {
	for i := range slices.Backward(r.Hops) {
		h := &r.Hops[i]
		if !h.Optional && h.Verdict == r.Verdict && (r.BrokenHop == 0 || h.Hop == r.BrokenHop) {
			return h
		}
	}
	return &Hop{}
}

// nearest returns the statement that came nearest to allowing a call.
func (h *Hop) nearest() *Because {
	for i := range h.Because {
		if b := &h.Because[i]; b.Outcome == "notApplies" && b.Failed != nil {
			return b
		}
	}
	return nil
}

// expectations says of every expectation whether it holds, and why one does not.
func (t *text) expectations() {
	if len(t.r.Expectations) == 0 {
		return
	}
	t.line("")
	t.line("%s", t.paint(bold, "Expectations"))
	for i := range t.r.Expectations {
		e := &t.r.Expectations[i]
		style, word := green, "holds "
		if !e.Pass {
			style, word = red, "failed"
		}
		for j, l := range wrap(t.r.of(e.Input)+e.Sentence, width-10) {
			if j > 0 {
				word = "      "
			}
			t.line("  %s  %s", t.paint(style, word), l)
		}
		if e.Pass {
			continue
		}
		t.paragraph("      ", "      ", plain, e.Reason)
		t.paragraph("      at ", "      ", plain, where("", e.Source))
		if len(e.Failed) > 0 {
			t.why(&t.r.Replays[e.Failed[0]])
		}
	}
}
