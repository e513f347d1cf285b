package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/rego"
)

type testOptions struct {
	streams   Streams
	output    choice
	threshold count
	data      []string
	allow     []string
	version   choice
}

func newTest(streams Streams) *cobra.Command {
	opts := &testOptions{
		streams: streams,
		output:  choice{"text", []string{"text", "json", "junit"}},
		version: choice{"v1", []string{"v0", "v1"}},
	}
	cmd := &cobra.Command{
		Use:   "test PATH...",
		Short: "Runs the unit tests of guardrails",
		Long: `test runs the rules whose names begin with test_ in files, folders and bundles of
Rego. They compile in OPA's strict mode and must be formatted as opa fmt does it;
--threshold asks for a coverage. tfguard.evaluate answers as in a check; a test
replaces tfguard.replay: with tfguard.replay as {…}.

Exit codes: 1 if a test fails, a file is not formatted or the coverage is below the
threshold, 2 if there is no test or something does not compile.`,
		Example: `  tfguard test policy --threshold 90
  tfguard test policy -o junit > tests.xml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTest(cmd.Context(), opts, args)
		},
	}
	f := cmd.Flags()
	f.VarP(&opts.output, "output", "o", "format: "+strings.Join(opts.output.words, ", "))
	f.Var(&opts.threshold, "threshold", "least coverage in percent")
	f.StringArrayVarP(&opts.data, "data", "d", nil, "a file or folder of JSON and YAML that rules see as data; may be repeated")
	f.StringArrayVar(&opts.allow, "rego-allow", nil, "a builtin that rules may call although it reaches the network, the environment, the clock or chance; may be repeated")
	f.Var(&opts.version, "rego-version", "version of Rego of policies that do not say: v0, v1")
	complete(cmd, "output", opts.output.words)
	complete(cmd, "rego-version", opts.version.words)
	return cmd
}

func runTest(ctx context.Context, o *testOptions, paths []string) error {
	r, err := rego.Test(ctx, rego.Options{
		Policies: paths, Data: o.data, Allow: o.allow, Version0: o.version.value == "v0",
		Timeout: rego.DefaultTestTimeout, Schema: report.JSONSchema,
	}, &asked{})
	if err != nil {
		return err
	}
	problems := o.problems(r)
	switch o.output.value {
	case "json":
		err = report.WriteJSON(o.streams.Out, r)
	case "junit":
		err = report.TestsJUnit(o.streams.Out, testCases(r, problems))
	default:
		err = testText(o.streams.Out, r, problems)
	}
	switch {
	case err != nil:
		return fmt.Errorf("the report could not be written: %w", err)
	case r.Failed() > 0 || len(problems) > 0:
		return errFindings
	}
	return nil
}

// problems says what is wrong beside the tests.
func (o *testOptions) problems(r *rego.TestReport) []string {
	var out []string
	for _, file := range r.Unformatted {
		out = append(out, file+" is not formatted: opa fmt -w "+file)
	}
	if r.Coverage < float64(o.threshold) {
		out = append(out, fmt.Sprintf("the coverage is %s %%, below %d %%", percent(r.Coverage), int(o.threshold)))
	}
	return out
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// testText tells first how the tests came out, then what does not pass.
func testText(w io.Writer, r *rego.TestReport, problems []string) error {
	var b strings.Builder
	counts := map[string]int{}
	for _, t := range r.Tests {
		counts[t.Outcome]++
	}
	fmt.Fprintf(&b, "%d passed, %d failed", counts["pass"], r.Failed())
	if counts["skip"] > 0 {
		fmt.Fprintf(&b, ", %d skipped", counts["skip"])
	}
	fmt.Fprintf(&b, ". Coverage %s %%.\n", percent(r.Coverage))
	for _, t := range r.Tests {
		if t.Outcome == "fail" || t.Outcome == "error" {
			fmt.Fprintf(&b, "\n  %s  %s\n    %s:%d\n    %s\n", t.Outcome, t.Name, t.File, t.Line, indent(t.Message))
			if t.Output != "" {
				fmt.Fprintf(&b, "    %s\n", indent(t.Output))
			}
		}
	}
	for i, p := range problems {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "  %s\n", p)
	}
	header := "\nNot reached by any test\n"
	for _, f := range r.Files {
		if len(f.NotCovered) > 0 {
			fmt.Fprintf(&b, "%s  %s:%s\n", header, f.File, lines(f.NotCovered))
			header = ""
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n    ") }

// lines renders line numbers as ranges.
func lines(numbers []int) string {
	slices.Sort(numbers)
	var out []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] <= numbers[j]+1 {
			j++
		}
		if text := strconv.Itoa(numbers[i]); numbers[j] > numbers[i] {
			out = append(out, text+"-"+strconv.Itoa(numbers[j]))
		} else {
			out = append(out, text)
		}
		i = j + 1
	}
	return strings.Join(out, ",")
}

// testCases are tests and other problems as cases for JUnit.
func testCases(r *rego.TestReport, problems []string) []report.TestCase {
	var out []report.TestCase
	for _, t := range r.Tests {
		c := report.TestCase{Suite: t.File, Name: t.Name, Output: t.Output, Skipped: t.Outcome == "skip"}
		switch t.Outcome {
		case "fail":
			c.Failure = t.Message
		case "error":
			c.Error = t.Message
		}
		out = append(out, c)
	}
	for _, p := range problems {
		out = append(out, report.TestCase{Suite: "format and coverage", Name: p, Failure: p})
	}
	return out
}
