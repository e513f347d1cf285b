package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

type extractOptions struct {
	checkOptions

	output choice
}

func newExtract(streams Streams) *cobra.Command {
	opts := &extractOptions{
		checkOptions: checkOptions{rendering: rendering{streams: streams}, config: configuration{streams: streams}},
		output:       choice{value: "text", words: []string{"text", "json"}},
	}
	cmd := &cobra.Command{
		Use:   "extract [PATH|-]...",
		Short: "Shows the inventory: the principals, resources and policies of an input",
		Long: `extract reads what check reads and shows what it found: users and roles,
resources, and every policy with what of it is not known.`,
		Example: `  tfguard extract tfplan
  tfguard extract -o json plan.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExtract(cmd.Context(), opts, args)
		},
	}
	f := cmd.Flags()
	f.VarP(&opts.output, "output", "o", "format: text, json")
	f.BoolVar(&opts.together, "together", false, "show all inputs as one world")
	f.BoolVar(&opts.noColor, "no-color", false, "no colours, also on a terminal")
	opts.sources.flags(f)
	opts.config.addTo(f)
	complete(cmd, "output", opts.output.words)
	return cmd
}

func runExtract(ctx context.Context, o *extractOptions, args []string) error {
	if len(args) == 0 {
		if o.streams.Keyboard {
			return errors.New("name a plan, or pipe one in: terraform show -json tfplan | tfguard extract")
		}
		args = []string{"-"}
	}
	if _, err := o.settle(args); err != nil {
		return err
	}
	complete := true
	unreadable := func(_ string, err error) {
		complete = false
		if err = o.config.tell(err); !errors.Is(err, errReported) {
			fmt.Fprintf(o.streams.Err, "tfguard: %v\n", err)
		}
	}
	all := []report.Inventory{}
	for _, world := range o.worlds(ctx, args, unreadable) {
		for _, p := range world {
			if p.twin != "" {
				fmt.Fprintf(o.streams.Err, "tfguard: %s\n", p.twin)
			}
		}
		in, _, err := o.input(ctx, o.streams.In, world, unreadable)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %w", ctx.Err())
		}
		if err != nil {
			unreadable(world[0].path, err)
		} else if in != nil {
			all = append(all, report.NewInventory(in.path, in.format, in.Result))
		}
	}
	var err error
	switch {
	case len(all) == 0:
	case o.output.value == "json":
		err = report.InventoryJSON(o.streams.Out, all)
	default:
		err = report.InventoryText(o.streams.Out, all, report.Options{Color: o.color()})
	}
	if err == nil && !complete {
		err = errReported
	}
	return err
}
