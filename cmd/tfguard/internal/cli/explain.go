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
		checkOptions: checkOptions{rendering: rendering{streams: streams}},
		output:       choice{value: "text", words: []string{"text", "json"}},
	}
	cmd := &cobra.Command{
		Use:   "explain --chain ID --principal P --action A --resource R [PLAN|-] | --case ID SUITE",
		Short: "Explains one cell of a report, or one case of a suite",
		Long: `explain replays one chain for one principal, action and resource of a plan and
tells the whole reasoning: the request of every hop, the context that AWS sends with
it, the statements that applied and, for a denial, the one that came nearest.

P and R are resource addresses, ARNs or the names that the report shows: a stand-in
such as tfguard-standin-admin, a service such as cloudtrail.amazonaws.com, anonymous;
"*" for EC2 instances.

With --case it explains one case of a file that simulate reads.`,
		Example: `  tfguard explain --chain athena-public --principal aws_iam_role.biz \
    --action s3:GetObject --resource aws_s3_bucket.data plan.json
  tfguard explain --case athena-1 cases.jsonl`,
		Args: cobra.MaximumNArgs(1),
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
	if _, ok := chain.Find(o.chain); !ok {
		return fmt.Errorf("there is no chain %q: there are %s", o.chain, strings.Join(chainIDs(), ", "))
	}
	if len(args) == 0 {
		if o.streams.Keyboard {
			return errors.New("name a plan, or pipe one in: terraform show -json tfplan | tfguard explain …")
		}
		args = []string{"-"}
	}
	only, principals, resources := single(o.principal, o.action, o.resource)
	o.run = chain.Options{Chains: []string{o.chain}, Only: only}
	c, err := o.check(ctx, args[0])
	if err != nil {
		return err
	}
	rep := report.New()
	rep.Add(c)
	if len(rep.Replays) == 0 {
		return fmt.Errorf("%s has no replay of %s for %s, %s and %s; of this chain it has principals %s and resources %s",
			args[0], o.chain, o.principal, o.action, o.resource, principals, resources)
	}
	return o.show(&rep.Replays[0])
}

// single selects the replays of a call by one principal on one resource, and collects
// the principals and resources there are.
func single(principal, action, resource string) (only func(*chain.Principal, *chain.Target, string) bool, principals, resources *seen) {
	principals, resources = &seen{}, &seen{}
	return func(p *chain.Principal, t *chain.Target, called string) bool {
		rep := chain.Replay{Principal: p, Target: t}
		who := principals.is(p, principal, p.Address, p.StandIn, p.Name().String)
		what := resources.is(t, resource, t.Address, "", rep.Resource().String)
		return who && what && strings.EqualFold(called, action)
	}, principals, resources
}

func (o *explainOptions) show(r *report.Replay) error {
	if o.output.value == "json" {
		return report.ExplainJSON(o.streams.Out, r)
	}
	return report.Explain(o.streams.Out, r, report.Options{Color: o.color()})
}

// explainCase explains one case of a file of cases.
func explainCase(ctx context.Context, o *explainOptions, args []string) error {
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

// seen are the principals, or the resources, of a chain, each with whether it is
// the one that was asked for.
type seen struct {
	asked map[any]bool
	names []string
}

// is reports whether a principal or resource can be asked for by a word: its
// address, its name as a stand-in, its ARN, or the last part of that.
func (s *seen) is(one any, word, address, standIn string, arn func() string) bool {
	asked, ok := s.asked[one]
	if !ok {
		full := arn()
		last := full[strings.LastIndexAny(full, "/:")+1:]
		asked = word == full || word == address || word == standIn || strings.HasPrefix(full, "arn:") && word == last
		if s.asked == nil {
			s.asked = map[any]bool{}
		}
		s.asked[one] = asked
		s.names = append(s.names, cmp.Or(address, full))
	}
	return asked
}

// String lists the first few.
func (s *seen) String() string {
	const most = 8
	switch {
	case len(s.names) == 0:
		return "none"
	case len(s.names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(s.names[:most], ", "), len(s.names)-most)
	}
	return strings.Join(s.names, ", ")
}
