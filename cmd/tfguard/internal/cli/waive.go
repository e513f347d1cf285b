package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
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
	// covers reports whether it is about what stands at a place.
	covers func(report.Place) bool
	// source is where it is written, and input the first that it is asked about.
	source report.Source
	input  int
	// config is the file that it is in, which not all inputs may have been read with;
	// empty for a comment.
	config string
	met    bool
	// wrong says what is missing in a comment, empty if nothing is.
	wrong string
}

// holds reports whether a waiver holds at a time.
func (w *waiver) holds(now time.Time) bool { return w.wrong == "" && now.Before(w.Expires) }

// waive takes the findings out of the count that the files of the team and comments in
// the source waive, and adds findings about waivers that have expired or match nothing.
func (o *checkOptions) waive(rep *report.Report) {
	now := time.Time(o.now)
	if now.IsZero() {
		now = time.Now().UTC()
	}
	all := slices.Concat(o.fileWaivers(rep), commentWaivers(rep))
	rep.Waive(func(_ int, f *report.Finding) *report.Waiver {
		places := append([]report.Place{{Address: f.Address, Source: f.Source}}, f.Places...)
		var first *waiver
		waived := 0
		for _, p := range places {
			covered := false
			for _, w := range all {
				if w.config != "" && w.config != rep.Inputs[f.Input].Config || !glob(w.Rule)(f.Rule) || !w.covers(p) {
					continue
				}
				w.met = true
				if w.holds(now) {
					first, covered = cmp.Or(first, w), true
				}
			}
			if covered {
				waived++
			}
		}
		if waived < len(places) {
			return nil
		}
		return &report.Waiver{Reason: first.Reason, Owner: first.Owner, Expires: first.Expires.Format(time.DateOnly)}
	})
	for _, w := range all {
		if rule, message := w.fault(now); rule != nil && (w.met || w.wrong != "" || o.whole(rep)) {
			rep.Find(rule, message, w.source, w.input)
		}
	}
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
		return hazard.WaiverUnused, fmt.Sprintf("The comment waives nothing: %s.", w.wrong)
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
				Waiver: w, input: i, config: path,
				covers: func(p report.Place) bool { return address(p.Address) },
				source: report.Source{File: path, Line: w.Range.Start.Line, Column: w.Range.Start.Column},
			})
		}
	}
	return out
}
