package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/engine/policy"
)

type checkOptions struct {
	rendering
	chains     choices
	maxReplays count
	sources    sources
	guardrails guardrailOptions
	// run selects single replays, for explain.
	run chain.Options
}

func newCheck(streams Streams, version Version) *cobra.Command {
	opts := &checkOptions{
		rendering:  newRendering(streams, version),
		chains:     choices{words: chainIDs(), see: "tfguard chains lists them"},
		maxReplays: 5000,
	}
	cmd := &cobra.Command{
		Use:   "check [PATH|-]...",
		Short: "Checks plans and templates: replays the call chains and reports what breaks",
		Long: `check reads plans, as terraform plan -out writes them or in JSON (terraform show
-json), and CloudFormation templates, change sets and hook inputs; it replays the
call chains against their policies, and reports verdicts and findings. PATH is a
file, or a folder whose plans and templates are all read; - or no PATH at all is
standard input.

A parameter of a template that has no value stays unknown. Where a condition is
not decided, a verdict is definite only if it is the same either way.`,
		Example: `  tfguard check tfplan
  terraform show -json tfplan | tfguard check
  tfguard check template.yaml --parameters prod.json
  tfguard check plan.json -o text -o sarif=tfguard.sarif`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCheck(cmd.Context(), opts, args)
		},
	}
	opts.addTo(cmd)
	f := cmd.Flags()
	f.Var(&opts.chains, "chains", "replay these chains alone (tfguard chains lists them)")
	f.Var(&opts.maxReplays, "max-replays", "above this number, pairs whose policies are equal up to names are replayed once; 0 for no bound")
	opts.sources.flags(f)
	opts.guardrails.flags(cmd)
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
	if err := o.ready(); err != nil {
		return err
	}
	if err := o.guardrails.load(ctx); err != nil {
		return err
	}
	rep, err := o.checkAll(ctx, args)
	if err != nil {
		return err
	}
	if len(rep.Inputs) == 0 && !o.outputs.forAtlantis() {
		return errReported
	}
	return o.finish(rep)
}

// checkAll checks every input that can be read, and says on standard error, as in the
// report, why another cannot. The only error is that of the context.
func (o *checkOptions) checkAll(ctx context.Context, args []string) (*report.Report, error) {
	rep := report.New()
	telling := o.startProgress()
	defer telling.end()
	unreadable := func(path string, err error) {
		telling.clear()
		rep.Unreadable = append(rep.Unreadable, report.Unreadable{Path: path, Message: err.Error()})
		fmt.Fprintf(o.streams.Err, "tfguard: %v\n", err)
	}
	for _, arg := range args {
		paths, err := expand(arg)
		if err != nil {
			unreadable(arg, err)
		}
		for i, path := range paths {
			telling.say(fmt.Sprintf("checking %s, %d of %d", path, i+1, len(paths)))
			c, err := o.check(ctx, path)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("interrupted: %w", ctx.Err())
			}
			if err != nil {
				unreadable(path, err)
				continue
			}
			rep.Add(c)
		}
	}
	return rep, nil
}

// check reads one input, replays the chains against it and runs the guardrails.
func (o *checkOptions) check(ctx context.Context, path string) (*report.Check, error) {
	stdin, again := o.guardrails.keep(o.streams.In, path)
	in, err := read(ctx, &o.sources, stdin, path)
	if err != nil {
		return nil, err
	}
	in.Inventory.AssumeOrganization()
	w := newWorld(in.Inventory)
	c := o.judge(in, w)
	if err := o.guardrails.guard(ctx, c, w, again); err != nil {
		return nil, err
	}
	return c, nil
}

func (o *checkOptions) judge(in *input, w *world) *report.Check {
	run := o.run
	if run.Only == nil {
		run = chain.Options{Chains: o.chains.values, MaxReplays: int(o.maxReplays)}
	}
	c := &report.Check{
		Path: in.path, Format: in.format, Inventory: in.Inventory, Extra: w.extra,
		Diagnostics: in.Diagnostics,
		Result:      chain.Run(w, run),
	}
	settle(in, &c.Result, run)
	c.Result.Notes = append(c.Result.Notes, w.notes...)
	var own []*policy.Document // not AWS's
	for _, p := range in.Inventory.Policies {
		if p.Origin.Address == "" {
			continue
		}
		own = append(own, p.Document)
		if !p.Sensitive {
			c.Diagnostics = append(c.Diagnostics, engine.Lint(p.Document)...)
		}
	}
	c.Findings = hazard.Find(hazard.Input{World: w, Policies: own, Replays: c.Result.Replays})
	c.Diagnostics.Sort()
	return c
}
