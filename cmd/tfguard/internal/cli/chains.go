package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/chain"
)

type chainsOptions struct {
	streams Streams
	config  configuration
	output  choice
	caller  choice
	noColor bool
}

func newChains(streams Streams) *cobra.Command {
	opts := &chainsOptions{
		streams: streams,
		config:  configuration{streams: streams},
		output:  choice{"text", []string{"text", "json"}},
		caller:  choice{chain.Callers()[0], chain.Callers()},
	}
	cmd := &cobra.Command{
		Use:   "chains [list | show ID]",
		Short: "Lists the call chains, and shows the context that every hop carries",
		Long: `chains lists the catalogue of call chains that check replays, one a line, with the
access pattern of AWS's data perimeter guide where one applies. A chain is replayed
where the input has its target, its principal or a policy that names its service.
The chains of .tfguard.hcl come after those of the catalogue.`,
		Example: `  tfguard chains
  tfguard chains show athena-privatelink
  tfguard chains show direct-corporate --principal user-mfa -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return listChains(opts) },
	}
	list := &cobra.Command{
		Use: "list", Short: "Lists the call chains", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return listChains(opts) },
	}
	show := &cobra.Command{
		Use:   "show ID",
		Short: "Shows the hops of a chain and the request context that each carries",
		Long: `show tells what each hop of a chain is: who calls, with which credentials, and the
condition keys that AWS sends. A placeholder such as ${principal.arn} stands where the
value depends on the input; a key that is not named is absent. Chains that are
replayed on several kinds of resources are shown for the first of them.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(chainIDs(), cobra.ShellCompDirectiveNoFileComp),
		RunE:              func(_ *cobra.Command, args []string) error { return showChain(opts, args[0]) },
	}
	show.Flags().Var(&opts.caller, "principal", "who calls: "+strings.Join(opts.caller.words, ", "))
	complete(show, "principal", opts.caller.words)
	for _, c := range []*cobra.Command{cmd, list, show} {
		c.Flags().VarP(&opts.output, "output", "o", "format: "+strings.Join(opts.output.words, ", "))
		c.Flags().BoolVar(&opts.noColor, "no-color", false, "no colours, also on a terminal")
		opts.config.addTo(c.Flags())
		complete(c, "output", opts.output.words)
	}
	cmd.AddCommand(list, show)
	return cmd
}

// catalog are the chains of the catalogue and those of the configuration.
func (o *chainsOptions) catalog() ([]*chain.Chain, *config.Config, error) {
	cfg, err := o.config.of("-", "") // no input: the file that is named, or of the working folder
	if err != nil {
		return nil, nil, o.config.tell(err)
	}
	return slices.Concat(chain.Catalog(), cfg.Chains), cfg, nil
}

func listChains(o *chainsOptions) error {
	chains, _, err := o.catalog()
	switch {
	case err != nil:
		return err
	case o.output.value == "json":
		return report.ChainsJSON(o.streams.Out, chains)
	}
	return report.Chains(o.streams.Out, chains, o.options())
}

func showChain(o *chainsOptions, id string) error {
	chains, cfg, err := o.catalog()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(chains, func(c *chain.Chain) bool { return c.ID == id })
	if i < 0 {
		return fmt.Errorf("there is no chain %q: tfguard chains lists them", id)
	}
	shown := report.ShownChain(chains[i], chains[i].Show(o.caller.value, cfg.Networks, cfg.Switches))
	if o.output.value == "json" {
		return report.ChainJSON(o.streams.Out, shown)
	}
	return report.ShowChain(o.streams.Out, shown, o.options())
}

func (o *chainsOptions) options() report.Options {
	r := rendering{streams: o.streams, noColor: o.noColor}
	return report.Options{Color: r.color()}
}
