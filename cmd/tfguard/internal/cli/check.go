package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/hazard"
)

type checkOptions struct {
	streams    Streams
	output     choice
	failOn     choice
	chains     choices
	maxReplays count
	noColor    bool
	// run selects single replays, for explain.
	run chain.Options
}

// thresholds of --fail-on, each including the one before.
var thresholds = []string{"never", "error", "unknown", "warning", "info"}

func newCheck(streams Streams) *cobra.Command {
	opts := &checkOptions{
		streams:    streams,
		output:     choice{"text", report.Formats()},
		failOn:     choice{"error", thresholds},
		chains:     choices{words: chainIDs()},
		maxReplays: 5000,
	}
	cmd := &cobra.Command{
		Use:   "check [PATH|-]...",
		Short: "Checks plans: replays the call chains and reports what breaks",
		Long: `check reads plans in JSON (terraform show -json), replays the call chains against
their policies, and reports verdicts and findings. PATH is a file, or a folder
whose plans are all read; - or no PATH at all is standard input.`,
		Example: `  terraform show -json tfplan | tfguard check
  tfguard check plan.json -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCheck(cmd.Context(), opts, args)
		},
	}
	f := cmd.Flags()
	f.VarP(&opts.output, "output", "o", "format of the report: "+strings.Join(opts.output.words, ", "))
	f.Var(&opts.failOn, "fail-on", "least of what makes the exit code 1: "+strings.Join(thresholds, ", "))
	f.Var(&opts.chains, "chains", "replay these chains alone: "+strings.Join(opts.chains.words, ", "))
	f.Var(&opts.maxReplays, "max-replays", "above this number, pairs whose policies are equal up to names are replayed once; 0 for no bound")
	f.BoolVar(&opts.noColor, "no-color", false, "no colours, also on a terminal")
	complete(cmd, "output", opts.output.words)
	complete(cmd, "fail-on", thresholds)
	complete(cmd, "chains", opts.chains.words)
	return cmd
}

func chainIDs() []string {
	var ids []string
	for _, c := range chain.Catalog() {
		ids = append(ids, c.ID)
	}
	return ids
}

func runCheck(ctx context.Context, o *checkOptions, args []string) error {
	if len(args) == 0 {
		if o.streams.Keyboard {
			return errors.New("name a plan, or pipe one in: terraform show -json tfplan | tfguard check")
		}
		args = []string{"-"}
	}
	rep, complete, err := o.checkAll(ctx, args)
	if err != nil {
		return err
	}
	if len(rep.Inputs) > 0 {
		format, err := report.Get(o.output.value)
		if err != nil {
			return err
		}
		if err := format(o.streams.Out, rep, report.Options{Color: o.color()}); err != nil {
			return fmt.Errorf("the report could not be written: %w", err)
		}
	}
	switch {
	case !complete:
		return errReported
	case o.fails(rep):
		return errFindings
	}
	return nil
}

// checkAll checks every input that can be read, and says on standard error why another
// cannot; complete is set if there is none. The only error is that of the context.
func (o *checkOptions) checkAll(ctx context.Context, args []string) (rep *report.Report, complete bool, err error) {
	rep, complete = report.New(), true
	for _, arg := range args {
		paths, err := expand(arg)
		if err != nil {
			complete = false
			fmt.Fprintf(o.streams.Err, "tfguard: %v\n", err)
		}
		for _, path := range paths {
			c, err := o.check(ctx, path)
			if ctx.Err() != nil {
				return nil, false, fmt.Errorf("interrupted: %w", ctx.Err())
			}
			if err != nil {
				complete = false
				fmt.Fprintf(o.streams.Err, "tfguard: %v\n", err)
				continue
			}
			rep.Add(c)
		}
	}
	return rep, complete, nil
}

// color says whether the report has colours: on a terminal, unless the user, the
// variable NO_COLOR or a CI system says otherwise.
func (o *checkOptions) color() bool {
	set := func(name string) bool { v, _ := o.streams.Env(name); return v != "" }
	return o.streams.Terminal && !o.noColor && !set("NO_COLOR") && !set("CI")
}

// fails says whether the report holds something at or above the threshold.
func (o *checkOptions) fails(r *report.Report) bool {
	s := r.Summary
	level := slices.Index(thresholds, o.failOn.value)
	return level >= 1 && s.Findings.Error > 0 ||
		level >= 2 && (s.Verdicts.Unknown > 0 || s.PoliciesUnread > 0) ||
		level >= 3 && s.Findings.Warning > 0 ||
		level >= 4 && s.Findings.Info > 0
}

// check reads one input and replays the chains against it.
func (o *checkOptions) check(ctx context.Context, path string) (*report.Check, error) {
	in, err := read(ctx, o.streams.In, path)
	if err != nil {
		return nil, err
	}
	return o.judge(in), nil
}

func (o *checkOptions) judge(in *input) *report.Check {
	in.Inventory.AssumeOrganization()
	w := newWorld(in.Inventory)
	run := o.run
	if run.Only == nil {
		run = chain.Options{Chains: o.chains.values, MaxReplays: int(o.maxReplays)}
	}
	c := &report.Check{
		Path: in.path, Format: in.format, Inventory: in.Inventory, Extra: w.extra,
		Diagnostics: in.Diagnostics,
		Result:      chain.Run(w, run),
	}
	c.Result.Notes = append(c.Result.Notes, w.notes...)
	c.Findings = hazard.Find(c.Result.Replays)
	for _, p := range in.Inventory.Policies {
		if p.Origin.Address != "" && !p.Sensitive {
			c.Diagnostics = append(c.Diagnostics, engine.Lint(p.Document)...)
		}
		if p.Unread != "" {
			c.Findings = append(c.Findings, hazard.Unread(p.Document))
		}
	}
	hazard.Sort(c.Findings)
	c.Diagnostics.Sort()
	return c
}
