package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/terraform"
)

type checkOptions struct {
	streams    Streams
	output     string
	failOn     string
	chains     []string
	maxReplays int
	noColor    bool
}

// thresholds of --fail-on, each including the one before.
var thresholds = []string{"never", "error", "unknown", "warning", "info"}

func newCheck(streams Streams) *cobra.Command {
	opts := &checkOptions{streams: streams}
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
	f.StringVarP(&opts.output, "output", "o", "text", "format of the report: "+strings.Join(report.Formats(), ", "))
	f.StringVar(&opts.failOn, "fail-on", "error", "least of what makes the exit code 1: "+strings.Join(thresholds, ", "))
	f.StringSliceVar(&opts.chains, "chains", nil, "replay these chains alone, by their IDs")
	f.IntVar(&opts.maxReplays, "max-replays", 5000, "above this number, pairs whose policies are equal up to names are replayed once; 0 for no bound")
	f.BoolVar(&opts.noColor, "no-color", false, "no colours, also on a terminal")
	complete(cmd, "output", report.Formats())
	complete(cmd, "fail-on", thresholds)
	complete(cmd, "chains", chainIDs())
	return cmd
}

func complete(cmd *cobra.Command, flag string, words []string) {
	// The only error is an unknown flag, which the tests would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

func chainIDs() []string {
	var ids []string
	for _, c := range chain.Catalog() {
		ids = append(ids, c.ID)
	}
	return ids
}

func (o *checkOptions) validate() (report.Format, error) {
	format, err := report.Get(o.output)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(thresholds, o.failOn) {
		return nil, fmt.Errorf("--fail-on takes %s, not %q", strings.Join(thresholds, ", "), o.failOn)
	}
	for _, id := range o.chains {
		if _, ok := chain.Find(id); !ok {
			return nil, fmt.Errorf("there is no chain %q: there are %s", id, strings.Join(chainIDs(), ", "))
		}
	}
	if o.maxReplays < 0 {
		return nil, fmt.Errorf("--max-replays takes 0 or more, not %d", o.maxReplays)
	}
	return format, nil
}

func runCheck(ctx context.Context, o *checkOptions, args []string) error {
	format, err := o.validate()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	rep := report.New()
	failed := false
	for _, arg := range args {
		paths, err := expand(arg)
		if err != nil {
			fmt.Fprintf(o.streams.Err, "tfguard: %v\n", err)
			failed = true
		}
		for _, path := range paths {
			c, err := o.check(ctx, path)
			if ctx.Err() != nil {
				return fmt.Errorf("interrupted: %w", ctx.Err())
			}
			if err != nil {
				fmt.Fprintf(o.streams.Err, "tfguard: %v\n", err)
				failed = true
				continue
			}
			rep.Add(c)
		}
	}
	if len(rep.Inputs) > 0 {
		if err := format(o.streams.Out, rep, report.Options{Color: o.color()}); err != nil {
			return err
		}
	}
	switch {
	case failed || len(rep.Inputs) == 0:
		return errReported
	case o.fails(rep):
		return errFindings
	}
	return nil
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
	level := slices.Index(thresholds, o.failOn)
	return level >= 1 && s.Findings.Error > 0 ||
		level >= 2 && (s.Verdicts.Unknown > 0 || s.PoliciesUnread > 0) ||
		level >= 3 && s.Findings.Warning > 0 ||
		level >= 4 && s.Findings.Info > 0
}

// expand returns the files a path stands for: itself, or the plans in a folder.
func expand(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no such file or folder", path)
		}
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var paths []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != path && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && isPlan(p) {
			paths = append(paths, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no plan found in this folder: write one with `terraform show -json tfplan > plan.json`", path)
	}
	return paths, nil
}

// isPlan looks into a file of a folder; one that cannot be opened is kept, so that
// reading it says why.
func isPlan(path string) bool {
	if !strings.HasSuffix(path, ".json") {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	head := make([]byte, terraform.HeadSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	return terraform.Sniff(head[:n]) == terraform.PlanJSON
}

// check reads one input and replays the chains against it.
func (o *checkOptions) check(ctx context.Context, path string) (*report.Check, error) {
	in, name := o.streams.In, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in, name = f, path
	}
	result, err := terraform.Read(ctx, in, name, terraform.Options{ManagedPolicy: managedPolicy})
	if err != nil {
		return nil, err
	}
	return o.judge(path, result), nil
}

func (o *checkOptions) judge(path string, result *extract.Result) *report.Check {
	result.Inventory.AssumeOrganization()
	w := newWorld(result.Inventory)
	c := &report.Check{
		Path: path, Format: "terraform plan", Inventory: result.Inventory, Extra: w.extra,
		Diagnostics: result.Diagnostics,
		Result:      chain.Run(w, chain.Options{Chains: o.chains, MaxReplays: o.maxReplays}),
	}
	c.Findings = hazard.Find(c.Result.Replays)
	for _, p := range result.Inventory.Policies {
		if p.Unread != "" {
			c.Findings = append(c.Findings, hazard.Unread(p.Document))
		}
	}
	hazard.Sort(c.Findings)
	return c
}
