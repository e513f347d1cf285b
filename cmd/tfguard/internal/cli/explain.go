package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/simulate"
)

type explainOptions struct {
	checkOptions

	output choice

	chain, principal, action, resource string

	// id is that of a case to explain instead.
	id string
}

func newExplain(streams Streams) *cobra.Command {
	opts := &explainOptions{
		checkOptions: checkOptions{rendering: rendering{streams: streams}, config: configuration{streams: streams}},
		output:       choice{value: "text", words: []string{"text", "json"}},
	}
	cmd := &cobra.Command{
		Use:   "explain --chain ID --principal P --action A --resource R [PLAN|-]... | --case ID SUITE",
		Short: "Explains one cell of a report, or one case of a suite",
		Long: `explain replays one chain for one principal, action and resource of a plan and
tells the whole reasoning: the request of every hop, the context that AWS sends with
it, the statements that applied and, for a denial, the one that came nearest.

P and R are resource addresses, ARNs or the names that the report shows: a stand-in
such as tfguard-standin-admin, a service such as cloudtrail.amazonaws.com, anonymous;
"*" for EC2 instances. Several inputs are judged as one world.

With --case it explains one case of a file that simulate reads.`,
		Example: `  tfguard explain --chain athena-public --principal aws_iam_role.biz \
    --action s3:GetObject --resource aws_s3_bucket.data plan.json
  tfguard explain --case athena-1 cases.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.id != "" {
				return explainCase(cmd.Context(), opts, args)
			}
			return runExplain(cmd.Context(), opts, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.chain, "chain", "", "the ID of the chain")
	f.StringVar(&opts.principal, "principal", "", "who calls")
	f.StringVar(&opts.action, "action", "", "the call, such as s3:GetObject")
	f.StringVar(&opts.resource, "resource", "", "what the call is made on")
	opts.config.addTo(f)
	f.StringVar(&opts.id, "case", "", "the id of a case")
	f.VarP(&opts.output, "output", "o", "format: text, json")
	f.BoolVar(&opts.noColor, "no-color", false, "no colours, also on a terminal")
	opts.sources.flags(f)
	complete(cmd, "chain", chainIDs())
	complete(cmd, "output", opts.output.words)
	return cmd
}

func runExplain(ctx context.Context, o *explainOptions, args []string) error {
	for flag, value := range map[string]string{"chain": o.chain, "principal": o.principal, "action": o.action, "resource": o.resource} {
		if value == "" {
			return fmt.Errorf("explain needs --chain, --principal, --action and --resource; --%s is missing", flag)
		}
	}
	if len(args) == 0 {
		if o.streams.Keyboard {
			return errors.New("name a plan, or pipe one in: terraform show -json tfplan | tfguard explain …")
		}
		args = []string{"-"}
	}
	only, principals, resources := single(o.principal, o.action, o.resource)
	o.chains.values, o.only = []string{o.chain}, only
	if _, err := o.settle(args); err != nil {
		return err
	}
	var inputs []place
	for _, arg := range args {
		inputs = append(inputs, place{path: arg, arg: arg})
	}
	var unread error
	c, err := o.check(ctx, inputs, func(_ string, err error) { unread = cmp.Or(unread, err) })
	if err = cmp.Or(err, unread); err != nil {
		return err
	}
	rep := report.New()
	rep.Add(c)
	if len(rep.Replays) == 0 {
		return fmt.Errorf("%s has no replay of %s for %s, %s and %s; of this chain it has principals %s and resources %s",
			strings.Join(args, ", "), o.chain, o.principal, o.action, o.resource, principals, resources)
	}
	return o.show(&rep.Replays[0])
}

// single selects the replays of a call by one principal on one resource, and collects
// the principals and resources there are.
func single(principal, action, resource string) (only func(*chain.Principal, *chain.Target, string) bool, principals, resources *seen) {
	word := func(w string) func(string) bool { return func(name string) bool { return name == w } }
	principals, resources = &seen{matches: word(principal)}, &seen{matches: word(resource)}
	return func(p *chain.Principal, t *chain.Target, called string) bool {
		who, what := principals.principal(p), resources.target(p, t)
		return who && what && strings.EqualFold(called, action)
	}, principals, resources
}

func (o *explainOptions) show(r *report.Replay) error {
	if o.output.value == "json" {
		return report.WriteJSON(o.streams.Out, r)
	}
	return report.Explain(o.streams.Out, r, report.Options{Color: o.color()})
}

// explainCase explains one case of a file of cases.
func explainCase(ctx context.Context, o *explainOptions, args []string) error {
	if len(args) > 1 {
		return errors.New("explain --case takes one suite")
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	var found *report.Replay
	s := &simulation{err: o.streams.Err, each: func(c *simulate.Case) {
		if c.ID == o.id && found == nil {
			found = report.CaseReplay(c.ID, c.Request, engine.Evaluate(c.Policies, c.Request))
		}
	}}
	if err := s.file(ctx, o.streams, args[0]); err != nil {
		return err
	}
	if found == nil {
		return fmt.Errorf("%s has no case with the id %q that could be read", args[0], o.id)
	}
	return o.show(found)
}
