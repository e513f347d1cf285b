package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

func newReport(streams Streams, version Version) *cobra.Command {
	opts := newRendering(streams, version)
	cmd := &cobra.Command{
		Use:   "report [FILE|-]",
		Short: "Renders a saved JSON report in other formats",
		Long: `report reads what check -o json wrote, from FILE or standard input, and renders it in
other formats. The exit code is the one that check would have, with the threshold
that is given here.`,
		Example: `  tfguard check plan.json -o json=report.json
  tfguard report report.json -o markdown`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				if streams.Keyboard {
					return errors.New("name a report, or pipe one in: tfguard check -o json plan.json | tfguard report")
				}
				args = []string{"-"}
			}
			if err := opts.ready(); err != nil {
				return err
			}
			rep, err := saved(streams.In, args[0])
			if err != nil {
				return err
			}
			return opts.finish(rep)
		},
	}
	opts.addTo(cmd)
	return cmd
}

// saved reads a saved report, from in for "-".
func saved(in io.Reader, path string) (*report.Report, error) {
	name := "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in, name = f, path
	}
	rep, err := report.Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rep, nil
}
