package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Read reads a report that [JSON] wrote. Its error says in a sentence what is wrong
// with one that is malformed or of another version. The findings and verdicts are
// counted anew, so that a summary cannot belie them.
func Read(r io.Reader) (*Report, error) {
	d := json.NewDecoder(r)
	out := New()
	out.Schema = ""
	if err := d.Decode(out); err != nil {
		return nil, fmt.Errorf("this is no JSON report of tfguard (`tfguard check -o json`): %w", err)
	}
	switch {
	case out.Schema == "":
		return nil, errors.New("this is no JSON report of tfguard (`tfguard check -o json`): it names no schema")
	case out.Schema != Schema:
		return nil, fmt.Errorf("this report has the schema %q, and this tfguard reads %s: use the version of tfguard that wrote it", out.Schema, Schema)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the report: one file holds one report")
	}
	if err := out.check(); err != nil {
		return nil, fmt.Errorf("the report contradicts itself: %w", err)
	}
	out.recount()
	return out, nil
}

// check holds the indexes and words of a report that was read.
func (r *Report) check() error {
	var errs []error
	within := func(what, list string, i, n int) {
		if i < 0 || i >= n {
			errs = append(errs, fmt.Errorf("%s names %s[%d], and there are %d", what, list, i, n))
		}
	}
	input := func(what string, i int) { within(what, "inputs", i, len(r.Inputs)) }
	severity := func(what, word string) {
		if gravity(word) < 0 {
			errs = append(errs, fmt.Errorf("%s has the severity %q", what, word))
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		what := fmt.Sprintf("findings[%d]", i)
		input(what, f.Input)
		severity(what, f.Severity)
		if f.Replay != nil {
			within(what, "replays", *f.Replay, len(r.Replays))
		}
	}
	for i := range r.Expectations {
		e := &r.Expectations[i]
		what := fmt.Sprintf("expectations[%d]", i)
		input(what, e.Input)
		for _, n := range slices.Concat(e.Replays, e.Failed) {
			within(what, "replays", n, len(r.Replays))
		}
	}
	for i := range r.Guardrails {
		for _, n := range r.Guardrails[i].Inputs {
			input(fmt.Sprintf("guardrails[%d]", i), n)
		}
	}
	for i, d := range r.Diagnostics {
		input(fmt.Sprintf("diagnostics[%d]", i), d.Input)
		severity(fmt.Sprintf("diagnostics[%d]", i), d.Severity)
	}
	for i := range r.Policies {
		input(fmt.Sprintf("policies[%d]", i), r.Policies[i].Input)
	}
	for i := range r.Replays {
		input(fmt.Sprintf("replays[%d]", i), r.Replays[i].Input)
	}
	for i := range r.Changes {
		input(fmt.Sprintf("changes[%d]", i), r.Changes[i].Input)
	}
	for i, g := range r.Groups {
		for _, n := range g.Replays {
			within(fmt.Sprintf("groups[%d]", i), "replays", n, len(r.Replays))
		}
	}
	if len(errs) > 0 {
		return errs[0] // one sentence is enough
	}
	return nil
}

// recount counts what the summary says of findings, verdicts and policies.
func (r *Report) recount() {
	s := &r.Summary
	s.Replays, s.Verdicts, s.Findings, s.Waived, s.PoliciesUnread = len(r.Replays), Verdicts{}, Severity{}, 0, 0
	for i := range r.Replays {
		s.Verdicts.count(r.Replays[i].Verdict)
	}
	for i := range r.Findings {
		s.count(&r.Findings[i])
	}
	s.Expectations = Outcomes{}
	for i := range r.Expectations {
		s.Expectations.count(r.Expectations[i].Pass)
	}
	for i := range r.Inputs {
		s.PoliciesUnread += r.Inputs[i].Unread
	}
}
