package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/policy"
)

type initOptions struct {
	checkOptions

	// path is that of the file to write, "-" for standard output.
	path  string
	force bool
}

func newInit(streams Streams) *cobra.Command {
	opts := &initOptions{checkOptions: checkOptions{rendering: rendering{streams: streams}}, path: config.Name}
	cmd := &cobra.Command{
		Use:   "init [PATH|-]...",
		Short: "Writes a commented " + config.Name + " from the input at hand",
		Long: `init reads what check reads, as one world, and writes a first configuration: the
account and the organization as far as the input tells them, the networks that its
policies name, and expectations that hold of it. Without a PATH it writes what there is
to say about any input.`,
		Example: `  tfguard init tfplan
  tfguard init -o - plan.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runInit(cmd.Context(), opts, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&opts.path, "output", "o", opts.path, "the `file` to write, - for standard output")
	f.BoolVar(&opts.force, "force", false, "write over a file that is there")
	opts.sources.flags(f)
	return cmd
}

func runInit(ctx context.Context, o *initOptions, args []string) error {
	if _, err := os.Lstat(o.path); err == nil && o.path != "-" && !o.force {
		return fmt.Errorf("%s is there already; --force writes over it", o.path)
	}
	draft := &config.Draft{}
	if len(args) > 0 {
		if err := o.draft(ctx, args, draft); err != nil {
			return err
		}
	}
	text := draft.Write()
	if o.path == "-" {
		_, err := o.streams.Out.Write(text)
		return err
	}
	if err := os.WriteFile(o.path, text, 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.streams.Out, "%s is written; read it, and run tfguard check.\n", o.path)
	return err
}

// draft fills a draft with what the inputs tell.
func (o *initOptions) draft(ctx context.Context, args []string, d *config.Draft) error {
	var errs []error
	unreadable := func(_ string, err error) { errs = append(errs, err) }
	o.together = true
	worlds := o.worlds(ctx, args, unreadable)
	if len(errs) > 0 {
		return errs[0]
	}
	in := readAll(ctx, &o.sources, o.streams.In, worlds[0], unreadable)
	if len(errs) > 0 {
		return errs[0]
	}
	inv := in.Inventory
	inv.AssumeOrganization()
	d.Inputs = strings.Split(in.path, report.Together)
	if in.path == "-" {
		d.Inputs = []string{"standard input"}
	}
	d.Account, d.Organization = inv.Account, inv.Organization
	var docs []*policy.Document
	for _, p := range inv.Policies {
		if p.Origin.Address != "" {
			docs = append(docs, p.Document)
		}
	}
	d.Network = chain.Named(docs)
	d.Expectations = holding(newWorld(inv, none))
	return nil
}

// mostExpectations is how many expectations a draft has at the most.
const mostExpectations = 6

// holding are expectations that hold of a world and that few teams would want to see
// fail: nobody without credentials, and nobody of another organization, gets at a bucket.
func holding(w *world) []config.Expectation {
	var out []config.Expectation
	run := chain.Run(w, chain.Options{Chains: []string{"anonymous", "direct-internet"}, Only: func(p *chain.Principal, t *chain.Target, _ string) bool {
		return t.Kind == chain.BucketTarget && t.Address != "" && (p.StandIn == "anonymous" || p.StandIn == chain.StandInOutside)
	}})
	type subject struct{ chain, standIn, resource string }
	denied := map[subject]bool{}
	var order []subject
	for _, r := range run.Replays {
		s := subject{r.Chain.ID, r.Principal.StandIn, r.Target.Address}
		if _, met := denied[s]; !met {
			denied[s] = true
			order = append(order, s)
		}
		denied[s] = denied[s] && (r.Verdict == engine.ImplicitDeny || r.Verdict == engine.ExplicitDeny)
	}
	words := map[string]string{"anonymous": "Nobody gets at %s without credentials", chain.StandInOutside: "No other organization gets at %s"}
	for _, s := range order {
		if denied[s] && len(out) < mostExpectations {
			out = append(out, config.Expectation{
				Sentence: fmt.Sprintf(words[s.standIn], s.resource), Principal: s.standIn, Actions: []string{"s3:*"},
				Resource: s.resource, Chains: []string{s.chain}, Verdict: "denied",
			})
		}
	}
	return out
}
