package simulate

import (
	"fmt"
	"strings"

	"github.com/tfguard/tfguard/engine"
)

// An Answer is the outcome of a case.
type Answer struct {
	ID       string         `json:"id"`
	Decision engine.Verdict `json:"decision"`
	Because  []Because      `json:"because"`
	Unknown  []string       `json:"unknown"`
	// Pass says whether the case came out as wanted; nil if it wants nothing.
	Pass *bool `json:"pass,omitempty"`
	// Missed says what did not come out as wanted.
	Missed []string `json:"-"`
}

// Because is the part a statement played.
type Because struct {
	Policy    string   `json:"policy"`
	Statement int      `json:"statement"`
	Sid       string   `json:"sid"`
	Effect    string   `json:"effect"`
	Outcome   string   `json:"outcome"`
	Failed    *Failure `json:"failed,omitempty"`
}

// Failure is what kept a statement from applying.
type Failure struct {
	Key      string `json:"key"`
	Operator string `json:"operator"`
	Wanted   string `json:"wanted"`
	Got      string `json:"got"`
}

// Answer decides the request of a case.
func (c *Case) Answer() Answer {
	decision := engine.Evaluate(c.Policies, c.Request)
	out := Answer{ID: c.ID, Decision: decision.Verdict, Because: make([]Because, len(decision.Because)), Unknown: decision.Unknown}
	if out.Unknown == nil {
		out.Unknown = []string{}
	}
	for i := range decision.Because {
		r := &decision.Because[i]
		b := Because{Policy: r.Policy, Statement: r.Statement, Sid: r.Sid, Effect: string(r.Effect), Outcome: string(r.Outcome)}
		if r.Failed != nil {
			b.Failed = (*Failure)(r.Failed)
		}
		out.Because[i] = b
	}
	if c.Want == nil && len(c.Because) == 0 && len(c.Unknown) == 0 {
		return out
	}
	out.Missed = c.missed(&decision)
	pass := len(out.Missed) == 0
	out.Pass = &pass
	return out
}

// missed compares a decision with what the case wants.
func (c *Case) missed(d *engine.Decision) []string {
	var out []string
	if c.Want != nil && *c.Want != d.Verdict {
		out = append(out, fmt.Sprintf("want %s, got %s", *c.Want, d.Verdict))
	}
	for _, e := range c.Because {
		if !given(e, d) {
			out = append(out, fmt.Sprintf("the reason %+v is not given", e))
		}
	}
	for _, want := range c.Unknown {
		if !strings.Contains(strings.Join(d.Unknown, "\n"), want) {
			out = append(out, fmt.Sprintf("it does not hang on %q", want))
		}
	}
	return out
}

func given(e Expected, d *engine.Decision) bool {
	for i := range d.Because {
		r := &d.Because[i]
		failed := engine.Failure{}
		if r.Failed != nil {
			failed = *r.Failed
		}
		if (e.Policy == "" || e.Policy == r.Policy) && (e.Statement == 0 || e.Statement == r.Statement) &&
			(e.Outcome == "" || e.Outcome == r.Outcome) && (e.Failed == "" || strings.EqualFold(e.Failed, failed.Key)) &&
			(e.Got == "" || e.Got == failed.Got) {
			return true
		}
	}
	return false
}
