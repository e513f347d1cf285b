package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/hazard"
)

// A day is a flag that takes a date.
type day time.Time

func (*day) Type() string { return "date" }

func (d *day) String() string {
	if time.Time(*d).IsZero() {
		return ""
	}
	return time.Time(*d).Format(time.DateOnly)
}

func (d *day) Set(word string) error {
	t, err := time.Parse(time.DateOnly, word)
	if err != nil {
		return errors.New("it takes a date, such as 2027-01-31")
	}
	*d = day(t)
	return nil
}

// A waiver waives findings, and remembers whether there were any.
type waiver struct {
	config.Waiver
	// names reports whether it is about a rule.
	names func(rule string) bool
	// covers reports whether it is about a place of a finding.
	covers func(*report.Finding, report.Place) bool
	// source is where it is written, and input the first that it is asked about.
	source report.Source
	input  int
	met    bool
	// wrong says why it can waive nothing, empty if it can.
	wrong string
}

// holds reports whether a waiver holds at a time.
func (w *waiver) holds(now time.Time) bool { return w.wrong == "" && now.Before(w.Expires) }

// naming returns what tells the rules that a word names, by their ids or their codes.
func naming(word string) func(rule string) bool {
	id, code := glob(word), glob(strings.ToUpper(word))
	return func(rule string) bool {
		r, ok := hazard.Lookup(rule)
		return id(rule) || ok && code(cmp.Or(r.Code, r.ID))
	}
}

// about reports whether it is about a finding, by whichever rule, at one of its places.
func (w *waiver) about(f *report.Finding, p report.Place) bool {
	return w.wrong == "" && (w.names(f.Rule) || slices.ContainsFunc(f.Also, w.names)) && w.covers(f, p)
}

// waive takes the findings out of the count that the files of the team and comments in
// the source waive, and adds findings about waivers that have expired or match nothing.
func (o *checkOptions) waive(rep *report.Report) {
	now := time.Time(o.now)
	if now.IsZero() {
		now = time.Now().UTC()
	}
	all := slices.Concat(o.fileWaivers(rep), commentWaivers(rep))
	for _, w := range all {
		w.names = naming(w.Rule)
		if w.wrong == "" && !exists(rep, w) {
			w.wrong = fmt.Sprintf("there is no rule %q; tfguard rules lists them", w.Rule)
		}
	}
	rep.Waive(func(_ int, f *report.Finding) *report.Waiver {
		var holding []*waiver
		places := f.Everywhere()
		for _, p := range places {
			if w := waiving(all, f, p, now); w != nil {
				holding = append(holding, w)
			}
		}
		if len(holding) < len(places) {
			return nil
		}
		w := holding[0]
		return &report.Waiver{Reason: w.Reason, Owner: w.Owner, Expires: w.Expires.Format(time.DateOnly)}
	})
	for _, w := range all {
		if rule, message := w.fault(now); rule != nil && (w.met || w.wrong != "" || o.whole(rep)) {
			rep.Find(rule, strings.Join([]string{w.Rule, w.Reason, w.wrong}, "\x00"), message, w.source, w.input)
		}
	}
}

// waiving returns the first waiver that holds at a place of a finding, nil if none
// does. All that are about it are met.
func waiving(all []*waiver, f *report.Finding, p report.Place, now time.Time) *waiver {
	var first *waiver
	for _, w := range all {
		if !w.about(f, p) {
			continue
		}
		w.met = true
		if first == nil && w.holds(now) {
			first = w
		}
	}
	return first
}

// exists reports whether there is a rule that a waiver names: a hazard, a rule of the
// team, or one of the guardrails, which need not have run.
func exists(rep *report.Report, w *waiver) bool {
	if slices.ContainsFunc(hazard.Rules(), func(r *hazard.Rule) bool { return w.names(r.ID) }) ||
		slices.ContainsFunc(rep.Guardrails, func(g report.Guardrail) bool { return w.names(g.Rule) }) {
		return true
	}
	all, err := catalogue()
	return err != nil || slices.ContainsFunc(all, func(r catalogued) bool { return w.names(r.ID) })
}

// whole reports whether a report holds everything that a waiver could be about.
func (o *checkOptions) whole(rep *report.Report) bool {
	return len(rep.Unreadable) == 0 && len(o.chains.values) == 0
}

// fault is what is wrong with a waiver, nil if nothing is.
func (w *waiver) fault(now time.Time) (*hazard.Rule, string) {
	about := w.Rule + " on " + w.Address
	switch {
	case w.wrong != "":
		return hazard.WaiverUnused, fmt.Sprintf("This waives nothing: %s.", w.wrong)
	case !w.met:
		return hazard.WaiverUnused, fmt.Sprintf("No finding needs the waiver of %s (%s).", about, w.Reason)
	case !w.holds(now):
		return hazard.WaiverExpired, fmt.Sprintf("The waiver of %s expired on %s (%s).", about, w.Expires.Format(time.DateOnly), w.Reason)
	}
	return nil, ""
}

// fileWaivers are the waivers of the files that were read with the inputs, those of
// one file once.
func (o *checkOptions) fileWaivers(rep *report.Report) []*waiver {
	var out []*waiver
	seen := map[string]bool{}
	for i := range rep.Inputs {
		path := rep.Inputs[i].Config
		cfg := o.config.read[path]
		if cfg == nil || seen[path] {
			continue
		}
		seen[path] = true
		for _, w := range cfg.Waivers {
			address := glob(w.Address)
			out = append(out, &waiver{
				Waiver: w, input: i,
				covers: func(f *report.Finding, p report.Place) bool {
					return rep.Inputs[f.Input].Config == path && address(p.Address)
				},
				source: report.Source{File: path, Line: w.Range.Start.Line, Column: w.Range.Start.Column},
			})
		}
	}
	return out
}
