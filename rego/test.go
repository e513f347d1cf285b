package rego

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// A TestReport is the outcome of the unit tests of policies.
type TestReport struct {
	Tests []TestResult `json:"tests"`
	// Coverage is the share of lines, in percent, that tests reach; test files do not
	// count.
	Coverage float64        `json:"coverage"`
	Files    []FileCoverage `json:"files"`
	// Unformatted are the files that `opa fmt` would change.
	Unformatted []string `json:"unformatted"`
}

// A TestResult is one test.
type TestResult struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Outcome is pass, fail, error or skip.
	Outcome string `json:"outcome"`
	// Message says what is wrong with a test that does not pass, Output what it
	// printed.
	Message string `json:"message"`
	Output  string `json:"output"`
}

// A FileCoverage says which lines of a file no test reaches.
type FileCoverage struct {
	File       string  `json:"file"`
	Coverage   float64 `json:"coverage"`
	NotCovered []int   `json:"notCovered"`
}

// Failed counts the tests that do not pass.
func (r *TestReport) Failed() int {
	n := 0
	for _, t := range r.Tests {
		if t.Outcome == "fail" || t.Outcome == "error" {
			n++
		}
	}
	return n
}

// Test runs the tests in policies, which compile strictly; a library rule that asks
// the engine for a replay is answered from input.replays.
func Test(ctx context.Context, opts Options, engine Engine) (*TestReport, error) {
	opts.Strict = true
	l, err := load(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := l.mock(); err != nil {
		return nil, err
	}
	coverage := cover.New()
	ctx = context.WithValue(ctx, callsKey{}, &calls{engine: engine})
	run := func(prepare func(*tester.Runner)) ([]*tester.Result, error) {
		c, err := compiler(l, opts)
		if err != nil {
			return nil, err
		}
		modules := map[string]*ast.Module{}
		for name, m := range l.modules {
			modules[name] = m.Copy()
		}
		runner := tester.NewRunner().SetCompiler(c.WithEnablePrintStatements(true)).SetModules(modules).
			SetStore(inmem.NewFromObject(l.data)).SetTimeout(opts.Timeout).AddCustomBuiltins(testBuiltins)
		prepare(runner)
		results, err := runner.RunTests(ctx, nil)
		if err != nil {
			return nil, located(err)
		}
		var out []*tester.Result
		for r := range results {
			out = append(out, r)
		}
		return out, nil
	}
	results, err := run(func(r *tester.Runner) { r.SetCoverageQueryTracer(coverage).SetCoverageRuns(nil) })
	if err != nil {
		return nil, err
	}
	out := &TestReport{Tests: []TestResult{}, Files: []FileCoverage{}, Unformatted: []string{}}
	var failed []string
	for _, r := range results {
		if r.Fail {
			failed = append(failed, "^"+regexp.QuoteMeta(r.Package+"."+r.Name)+"$")
			continue
		}
		out.Tests = append(out.Tests, resultOf(r))
	}
	if len(failed) > 0 {
		// Coverage and a trace, which shows where a test fails, exclude each other.
		results, err := run(func(r *tester.Runner) { r.EnableTracing(true).Filter(strings.Join(failed, "|")) })
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			out.Tests = append(out.Tests, resultOf(r))
		}
	}
	slices.SortFunc(out.Tests, func(a, b TestResult) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Name, b.Name))
	})
	out.cover(coverage, l.modules)
	return out, out.format(l)
}

// testBuiltins are the builtins of tfguard for the runner of tests.
var testBuiltins = []*tester.Builtin{
	{Decl: declarations()[0], Func: opa.Function1(evaluateBuiltin, evaluate)},
	{Decl: declarations()[1], Func: opa.Function1(replayBuiltin, replay)},
}

// mock puts what the tests say in the place of the engine. A library that is itself
// under test takes the place of the shipped one.
func (l *loaded) mock() error {
	under := map[string]bool{}
	for name, m := range l.modules {
		if !strings.HasPrefix(name, shippedPrefix) {
			under[namespace(m)] = true
		}
	}
	mocks, err := readShipped("mock")
	maps.Copy(l.modules, mocks)
	for name, m := range l.modules {
		if strings.HasPrefix(name, shippedPrefix+"engine/") || strings.HasPrefix(name, shippedPrefix) && under[namespace(m)] {
			delete(l.modules, name)
		}
	}
	return err
}

func resultOf(r *tester.Result) TestResult {
	out := TestResult{
		Name: strings.TrimPrefix(r.Package, "data.") + "." + r.Name,
		File: r.Location.File, Line: r.Location.Row, Outcome: "pass", Output: strings.TrimSpace(string(r.Output)),
	}
	switch {
	case r.Error != nil:
		out.Outcome, out.Message = "error", located(r.Error).Error()
	case r.Skip:
		out.Outcome = "skip"
	case r.Fail:
		out.Outcome, out.Message = "fail", "an expression is false or undefined"
		if at := failedAt(r); at != nil {
			out.Message = fmt.Sprintf("line %d is false or undefined: %s", at.Row, strings.TrimSpace(string(at.Text)))
		}
	}
	return out
}

// failedAt returns the place of the expression of a test that failed last.
func failedAt(r *tester.Result) *ast.Location {
	for _, event := range slices.Backward(r.Trace) {
		at := event.Location
		if event.Op == topdown.FailOp && at != nil && at.File == r.Location.File && at.Row >= r.Location.Row {
			return at
		}
	}
	return nil
}

// cover reports coverage of the files that are under test.
func (r *TestReport) cover(coverage *cover.Cover, modules map[string]*ast.Module) {
	under := map[string]*ast.Module{}
	for name, m := range modules {
		if !strings.HasSuffix(name, testSuffix) && !strings.HasPrefix(name, shippedPrefix) {
			under[m.Package.Location.File] = m
		}
	}
	report := coverage.Report(under)
	covered, lines := 0, 0
	for _, name := range slices.Sorted(maps.Keys(under)) {
		f := report.Files[name]
		if f == nil {
			continue
		}
		out := FileCoverage{File: name, Coverage: f.Coverage, NotCovered: []int{}}
		for _, not := range f.NotCovered {
			for row := not.Start.Row; row <= not.End.Row; row++ {
				out.NotCovered = append(out.NotCovered, row)
			}
		}
		covered += f.CoveredLines
		lines += f.CoveredLines + f.NotCoveredLines
		r.Files = append(r.Files, out)
	}
	if lines > 0 {
		r.Coverage = 100 * float64(covered) / float64(lines)
	}
}

// format lists the files that are not formatted; those of bundles are taken as they
// are.
func (r *TestReport) format(l *loaded) error {
	for _, name := range slices.Sorted(maps.Keys(l.modules)) {
		text, err := os.ReadFile(name)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue // shipped, or inside of a bundle
		case err != nil:
			return err
		}
		formatted, err := format.SourceWithOpts(name, text, format.Opts{RegoVersion: l.version()})
		if err != nil {
			return located(err)
		}
		if !bytes.Equal(formatted, text) {
			r.Unformatted = append(r.Unformatted, name)
		}
	}
	return nil
}

// DefaultTestTimeout bounds one test.
const DefaultTestTimeout = 5 * time.Second
