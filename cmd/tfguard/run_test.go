package main

import (
	"bytes"
	"encoding/json"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/cli"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// A run is what a command line brought.
type run struct {
	stdout, stderr string
	code           int
}

// tfguard runs a command line in-process, with an empty environment and no input.
func tfguard(t testing.TB, args ...string) run {
	t.Helper()
	return runOn(t, cli.Streams{}, args...)
}

// runOn runs a command line on streams, those that are missing provided.
func runOn(t testing.TB, streams cli.Streams, args ...string) run {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if streams.In == nil {
		streams.In = strings.NewReader("")
	}
	if streams.Out == nil {
		streams.Out = &stdout
	}
	if streams.Err == nil {
		streams.Err = &stderr
	}
	if streams.Env == nil {
		streams.Env = func(string) (string, bool) { return "", false }
	}
	code := cli.Main(t.Context(), args, streams, cli.Version{})
	return run{stdout.String(), stderr.String(), code}
}

// cases returns the names of the cases in fixtures/terraform.
func cases(t testing.TB) []string {
	t.Helper()
	entries, err := fixtures.FS.ReadDir("terraform")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// plan returns the path of a case's plan from the root of the repository, where
// [atRoot] brings a test.
func plan(name string) string { return path.Join("fixtures", "terraform", name, "plan.json") }

// atRoot makes the root of the repository the working folder of a test, so that the
// paths in reports are those that a user sees.
func atRoot(t *testing.T) {
	t.Helper()
	t.Chdir(fixtures.Path(t, ".."))
}

// reportOf returns the JSON report of a case, as text and decoded, and the exit code.
func reportOf(t *testing.T, name string) (text string, r *report.Report, code int) {
	t.Helper()
	got := tfguard(t, "check", "-o", "json", fixtures.Path(t, path.Join("terraform", name, "plan.json")))
	if got.stderr != "" || got.code == 2 {
		t.Fatalf("%s: exit code %d, stderr %q", name, got.code, got.stderr)
	}
	r = &report.Report{}
	d := json.NewDecoder(strings.NewReader(got.stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("%s: more than one JSON document on stdout", name)
	}
	return got.stdout, r, got.code
}
