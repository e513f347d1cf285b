package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/extract"
)

type checkOptions struct {
	rendering
	chains     choices
	maxReplays count
	sources    sources
	guardrails guardrailOptions
	together   bool
	baselines  baselines
	// now is the day by which waivers expire, today if it is zero.
	now    day
	config configuration
	// only, if not nil, selects single replays, for explain.
	only func(p *chain.Principal, t *chain.Target, action string) bool
}

// defaultMaxReplays is the bound above which equal pairs are replayed once.
const defaultMaxReplays = 5000

func newCheck(streams Streams, version Version) *cobra.Command {
	opts := &checkOptions{
		rendering:  newRendering(streams, version),
		config:     configuration{streams: streams},
		maxReplays: defaultMaxReplays,
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
	opts.config.addTo(f)
	f.BoolVar(&opts.together, "together", false, "judge all inputs as one world")
	f.Var(&opts.chains, "chains", "replay these chains alone: those that tfguard chains lists, or that the configuration defines")
	f.Var(&opts.maxReplays, "max-replays", "above this number, pairs whose policies are equal up to names are replayed once; 0 for no bound")
	f.Var(&opts.now, "now", "the day by which waivers expire (default today)")
	opts.baselines.flags(f)
	opts.sources.flags(f)
	opts.guardrails.flags(cmd)
	complete(cmd, "chains", chainIDs())
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
	configs, err := o.settle(args)
	if err != nil {
		return err
	}
	if err := o.ready(); err != nil {
		return err
	}
	if err := o.baselines.load(); err != nil {
		return err
	}
	for _, cfg := range configs {
		if _, err := o.guardrails.load(ctx, cfg); err != nil {
			return err
		}
	}
	rep, err := o.checkAll(ctx, args)
	if err != nil {
		return err
	}
	if len(rep.Inputs) == 0 {
		// Standard error has told people why; what other programs wait for is written.
		o.outputs.forPrograms()
		return o.finish(rep)
	}
	o.waive(rep)
	if err := o.baselines.apply(rep); err != nil {
		return err
	}
	return o.finish(rep)
}

// settle completes the options from the configurations of the arguments, and returns
// these.
func (o *checkOptions) settle(args []string) ([]*config.Config, error) {
	configs, err := o.config.settle(args)
	if err != nil {
		return nil, o.config.tell(err)
	}
	for _, cfg := range configs {
		if err := o.chains.among(knownChains(cfg)); err != nil {
			return nil, err
		}
	}
	return configs, nil
}

// A place is the path of an input and the argument that led there.
type place struct {
	path, arg string
	// twin says of a file of the folder that it is the same plan; "" if there is none.
	twin string
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
		if err = o.config.tell(err); !errors.Is(err, errReported) && ctx.Err() == nil {
			fmt.Fprintf(o.streams.Err, "tfguard: %v\n", err)
		}
	}
	worlds := o.worlds(ctx, args, unreadable)
	for i, world := range worlds {
		telling.say(fmt.Sprintf("checking %s, %d of %d", world[0].path, i+1, len(worlds)))
		c, err := o.check(ctx, world, unreadable)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("interrupted: %w", ctx.Err())
		}
		if err != nil {
			unreadable(world[0].path, err)
			continue
		}
		if c != nil {
			rep.Add(c)
		}
	}
	return rep, nil
}

// worlds returns the inputs that arguments stand for, those of one world together.
func (o *checkOptions) worlds(ctx context.Context, args []string, unreadable func(path string, err error)) [][]place {
	var all []place
	for _, arg := range args {
		places, err := placesIn(ctx, arg)
		if err != nil {
			unreadable(arg, err)
		}
		all = append(all, places...)
	}
	if o.together && len(all) > 0 {
		return [][]place{all}
	}
	return slices.Collect(slices.Chunk(all, 1))
}

// manyPolicies is from how many on memory is freed between the steps of a check: what a
// step was made of is garbage then, and as large as what it leaves.
const manyPolicies = 2000

func freeAfterStep(inv *extract.Inventory) {
	if len(inv.Policies) > manyPolicies {
		runtime.GC()
	}
}

// input reads the inputs of one world with their configuration. Of inputs that cannot
// be read it tells unreadable; it returns nil if none can.
func (o *checkOptions) input(ctx context.Context, stdin io.Reader, world []place, unreadable func(path string, err error)) (*input, *config.Config, error) {
	cfg, err := o.config.of(world[0].path, world[0].arg)
	if err != nil {
		return nil, nil, err
	}
	from := o.sources
	from.account, from.before = cfg.KnownAccount(), o.only == nil
	usual := debug.SetGCPercent(400) // nearly all that reading takes is kept until it is done
	in := readAll(ctx, &from, stdin, world, unreadable)
	debug.SetGCPercent(usual)
	if in == nil {
		return nil, nil, nil
	}
	freeAfterStep(in.Inventory)
	was := in.Before
	in.Before = nil
	if was != nil && was != in.Inventory {
		before := &input{Result: &extract.Result{Inventory: was}}
		apply(cfg, before)
		before.Inventory.AssumeOrganization()
		defer func() { in.Before = before.Inventory }()
	}
	apply(cfg, in)
	in.Inventory.AssumeOrganization()
	return in, cfg, nil
}

// check reads the inputs of one world, replays the chains against it and runs the
// guardrails, which see the first input as it is. Of inputs that cannot be read it
// tells unreadable; it returns nil if none can.
func (o *checkOptions) check(ctx context.Context, inputs []place, unreadable func(path string, err error)) (*report.Check, error) {
	cfg, err := o.config.of(inputs[0].path, inputs[0].arg)
	if err != nil {
		return nil, err
	}
	rules, err := o.guardrails.load(ctx, cfg)
	if err != nil {
		return nil, err
	}
	stdin, again := keep(rules, o.streams.In, inputs[0].path)
	in, cfg, err := o.input(ctx, stdin, inputs, unreadable)
	if in == nil {
		return nil, err
	}
	w := newWorld(in.Inventory, cfg)
	c := o.judge(in, w, cfg)
	for _, p := range inputs {
		if p.twin != "" {
			c.Result.Notes = append(c.Result.Notes, p.twin)
		}
	}
	if err := guard(ctx, rules, c, w, cfg.Chains, again); err != nil {
		return nil, err
	}
	return c, nil
}

func (o *checkOptions) judge(in *input, w *world, cfg *config.Config) *report.Check {
	opts := chain.Options{Chains: o.chains.values, MaxReplays: int(o.maxReplays), Only: o.only, Also: cfg.Chains}
	c := &report.Check{
		Path: in.path, Format: in.format, Config: cfg.Path, Flags: o.readWith(in.Inventory), Inventory: in.Inventory, Extra: w.extra,
		Diagnostics: in.Diagnostics,
		Result:      chain.Run(w, opts),
	}
	freeAfterStep(in.Inventory)
	accesses, whole := compare(in, w, &c.Result, opts, cfg)
	c.Accesses, c.Uncompared = accesses, !whole
	settle(in, &c.Result, opts, cfg)
	c.Accesses = slices.DeleteFunc(c.Accesses, func(a report.Access) bool { return !a.Changes() })
	if o.only == nil {
		c.Expectations = expect(w, cfg, opts, &c.Result)
	}
	c.Result.Notes = append(c.Result.Notes, w.notes...)
	var own []*policy.Document // not AWS's
	var linter engine.Linter
	for _, p := range in.Inventory.Policies {
		if p.Origin.Address == "" {
			continue
		}
		own = append(own, p.Document)
		if !p.Sensitive {
			c.Diagnostics = append(c.Diagnostics, linter.Lint(p.Document)...)
		}
	}
	c.Findings = hazard.Find(hazard.Input{World: w, Policies: own, Replays: c.Result.Replays, Refuted: refuted(c.Expectations, c.Result.Replays)})
	c.Diagnostics.Sort()
	return c
}
