package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/rego"
)

type testOptions struct {
	checkOptions
	output    choice
	threshold count
	data      []string
	allow     []string
	version   choice
}

func newTest(streams Streams) *cobra.Command {
	opts := &testOptions{
		checkOptions: checkOptions{
			rendering: rendering{streams: streams}, config: configuration{streams: streams}, maxReplays: defaultMaxReplays,
		},
		output:  choice{"text", []string{"text", "json", "junit"}},
		version: choice{"v1", []string{"v0", "v1"}},
	}
	cmd := &cobra.Command{
		Use:   "test [PATH]...",
		Short: "Runs the unit tests of guardrails, and judges expectations",
		Long: `test runs the rules whose names begin with test_ in files, folders and bundles of
Rego. They compile in OPA's strict mode and must be formatted as opa fmt does it;
--threshold asks for a coverage. tfguard.evaluate answers as in a check; a test
replaces tfguard.replay: with tfguard.replay as {…}.

Of plans and templates, and those in folders, it judges the expectations of their
.tfguard.hcl, and nothing else: those that hold are passed tests. In a folder with
Rego, the file must be in the folder too. No PATH is the working folder.

Exit codes: 1 if a test or an expectation fails, a file is not formatted or the
coverage is below the threshold, 2 if there is neither a test nor an expectation, or
something cannot be read or does not compile.`,
		Example: `  tfguard test policy --threshold 90
  tfguard test plan.json --config expectations.hcl
  tfguard test policy -o junit > tests.xml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTest(cmd.Context(), opts, args)
		},
	}
	f := cmd.Flags()
	opts.config.addTo(f)
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
	if len(paths) == 0 {
		paths = []string{"."}
	}
	policies := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !rego.Holds(path) })
	r := &rego.TestReport{Tests: []rego.TestResult{}, Files: []rego.FileCoverage{}, Unformatted: []string{}}
	if len(policies) > 0 {
		var err error
		if r, err = rego.Test(ctx, rego.Options{
			Policies: policies, Data: o.data, Allow: o.allow, Version0: o.version.value == "v0",
			Timeout: rego.DefaultTestTimeout, Schema: report.JSONSchema,
		}, &asked{}); err != nil {
			return err
		}
	}
	for _, path := range paths {
		if err := o.expectations(ctx, path, slices.Contains(policies, path), r); err != nil {
			return o.config.tell(err)
		}
	}
	if len(r.Tests) == 0 {
		return fmt.Errorf("%s: there is no test: no rule whose name begins with test_, and no input with an expectation in its %s",
			strings.Join(paths, ", "), config.Name)
	}
	var err error
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

// expectations judges those of the inputs that a path stands for, as tests. Of a path
// that holds policies, the inputs with a configuration below it count.
func (o *testOptions) expectations(ctx context.Context, arg string, policies bool, r *rego.TestReport) error {
	if info, err := os.Stat(arg); policies && (err != nil || !info.IsDir()) {
		return nil //nolint:nilerr // only a folder has inputs beside its policies
	}
	places, err := placesIn(ctx, arg)
	if err != nil {
		if policies {
			return nil // and no input
		}
		return err
	}
	for _, p := range places {
		cfg, err := o.config.of(p.path, arg)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(arg, cfg.Path)
		if len(cfg.Expectations) == 0 || policies && o.config.file == "" && (err != nil || !filepath.IsLocal(below)) {
			continue
		}
		var unread error
		c, err := o.check(ctx, []place{p}, func(_ string, err error) { unread = err })
		if err = cmp.Or(err, unread); err != nil {
			return err
		}
		rep := report.New()
		rep.Add(c)
		for i := range rep.Expectations {
			e := &rep.Expectations[i]
			t := rego.TestResult{Name: fmt.Sprintf("%s (%s)", e.Sentence, p.path), File: e.Source.File, Line: e.Source.Line, Outcome: "pass"}
			if !e.Pass {
				t.Outcome, t.Message = "fail", e.Reason
			}
			r.Tests = append(r.Tests, t)
		}
	}
	return nil
}

// problems says what is wrong beside the tests.
func (o *testOptions) problems(r *rego.TestReport) []string {
	var out []string
	for _, file := range r.Unformatted {
		out = append(out, file+" is not formatted: opa fmt -w "+file)
	}
	if len(r.Files) > 0 && r.Coverage < float64(o.threshold) {
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
	b.WriteString(".")
	if len(r.Files) > 0 {
		fmt.Fprintf(&b, " Coverage %s %%.", percent(r.Coverage))
	}
	b.WriteString("\n")
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
