package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/request"
)

// answer counts what failed and the findings in a few words.
func (r *Report) answer(opts Options) string {
	s := r.Summary
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{
		{len(r.Unreadable), "input not judged", "inputs not judged"},
		{s.Expectations.Failed, "failed expectation", "failed expectations"},
		{len(r.opened(opts)), "new access that fails the check", "new accesses that fail the check"},
		{len(r.uncompared(opts)), "input whose new access is not known", "inputs whose new access is not known"},
		{s.Findings.Error, "error", "errors"}, {s.Findings.Warning, "warning", "warnings"}, {s.Findings.Info, "remark", "remarks"},
	} {
		if p.n > 0 {
			parts = append(parts, number(p.n, p.one, p.many))
		}
	}
	if len(parts) == 0 {
		parts = []string{"No findings"}
	}
	if s.Waived > 0 {
		parts = append(parts, thousands(s.Waived)+" waived")
	}
	return strings.Join(parts, ", ")
}

// verdicts counts the replays by their verdict, in a sentence.
func (s *Summary) verdicts() string {
	replays := "0 replays"
	if s.Replays > 0 {
		replays = number(s.Replays, "replay", "replays")
	}
	v := s.Verdicts
	return fmt.Sprintf("%s: %s allowed, %s implicit deny, %s explicit deny, %s unknown.",
		replays, thousands(v.Allowed), thousands(v.ImplicitDeny), thousands(v.ExplicitDeny), thousands(v.Unknown))
}

// An unknown is something that is not known, and how many verdicts hang on it.
type unknown struct {
	on       string
	verdicts int
}

// unknowns lists what unknown verdicts hang on, what most do first.
func (r *Report) unknowns() []unknown {
	var out []unknown
	at := map[string]int{}
	for i := range r.Replays {
		for _, on := range hangsOn(&r.Replays[i]) {
			n, ok := at[on]
			if !ok {
				n = len(out)
				at[on] = n
				out = append(out, unknown{on: on})
			}
			out[n].verdicts++
		}
	}
	slices.SortStableFunc(out, func(a, b unknown) int { return b.verdicts - a.verdicts })
	return out
}

// hangsOn lists once each what the deciding hop of an unknown replay hangs on.
func hangsOn(r *Replay) []string {
	var out []string
	for i := range r.Hops {
		h := &r.Hops[i]
		if r.Verdict == engine.Unknown && h.Hop == r.BrokenHop && !h.Optional && h.Verdict == engine.Unknown {
			for _, u := range h.Unknown {
				out = include(out, u)
			}
		}
	}
	return out
}

// remarks are what the verdicts rest on, and what the reader had to say.
func (r *Report) remarks() []string {
	var words []string
	for i := range r.Inputs {
		in := &r.Inputs[i]
		if in.Policies == 0 {
			words = append(words, r.of(i)+"There are no policies here, so nothing but AWS's defaults was judged.")
		}
		for _, f := range in.Facts {
			if f.Assumed {
				words = append(words, fmt.Sprintf("%sAssumed: the %s is %s (%s).", r.of(i), f.Name, f.Value, f.From))
			}
		}
		if n := r.assumed(i); n > 0 {
			words = append(words, fmt.Sprintf("%sAssumed: references are all there is to %s known only after apply. Functions around them, such as replace(), are not in a plan in JSON; the binary plan and --source tell.",
				r.of(i), number(n, "policy", "policies")))
		}
		for _, n := range in.Notes {
			words = append(words, r.of(i)+n)
		}
	}
	words = append(words, r.modes()...)
	if n := r.Summary.Unrelated; n > 0 {
		words = append(words, fmt.Sprintf("Not replayed: %s of principal, resource and action that nothing grants.", number(n, "combination", "combinations")))
	}
	if n := r.Summary.Folded; n > 0 {
		words = append(words, fmt.Sprintf("Folded: %s whose policies are equal to replayed ones up to names (-o json lists them; --max-replays 0 replays all).", number(n, "combination", "combinations")))
	}
	for i := range r.Diagnostics {
		d := &r.Diagnostics[i]
		if d.matters(r.Inputs[d.Input].Incomplete) {
			words = append(words, r.of(d.Input)+d.words())
		}
	}
	return words
}

// matters reports whether people are told: what makes an input incomplete is told where
// the input is named.
func (d *Diagnostic) matters(incomplete []string) bool {
	return d.Severity != "info" && !slices.Contains(incomplete, d.Detail)
}

func (d *Diagnostic) words() string {
	at := where(d.Address, d.Source)
	if at != "" {
		at += ": "
	}
	return fmt.Sprintf("%s%s. %s", at, d.Summary, d.Detail)
}

// assumed counts the policies of an input that are known by their references alone.
func (r *Report) assumed(input int) int {
	n := 0
	for i := range r.Policies {
		if p := &r.Policies[i]; p.Input == input && p.Recovered != nil && p.Recovered.Assumed {
			n++
		}
	}
	return n
}

// of names an input before a remark on it, if there are several.
func (r *Report) of(input int) string {
	if len(r.Inputs) == 1 {
		return ""
	}
	return inputName(r.Inputs[input].Path) + ": "
}

// modes tells how many verdicts would differ under each setting of a switch.
func (r *Report) modes() []string {
	type setting struct{ name, value string }
	counts := map[setting]int{}
	for i := range r.Replays {
		for _, m := range r.Replays[i].Modes {
			counts[setting{m.Switch, m.Setting}]++
		}
	}
	var words []string
	for _, m := range request.Modes() {
		for _, value := range []string{m.Default, m.Other} {
			if n := counts[setting{m.Switch, value}]; n > 0 {
				why := ""
				if value == m.Other {
					why = ": " + m.Title
				}
				words = append(words, fmt.Sprintf("Mode-sensitive: AWS's pages disagree, and with %s=%s %s would differ (-o json says which)%s.",
					m.Switch, value, number(n, "verdict", "verdicts"), why))
			}
		}
	}
	return words
}
