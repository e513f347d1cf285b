package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// full is a writer of which nothing can be written.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func noEnv(string) (string, bool) { return "", false }

// Whatever writes to stdout says so when it cannot.
func TestWriteErrors(t *testing.T) {
	path := fixtures.Path(t, "terraform/scp-force-iac/plan.json")
	for _, args := range [][]string{{"check", path}, {"check", "-o", "json", path}, {"version"}} {
		var stderr bytes.Buffer
		code := Main(t.Context(), args, Streams{In: strings.NewReader(""), Out: full{}, Err: &stderr, Env: noEnv}, Version{})
		if code != exitFailed || !strings.HasPrefix(stderr.String(), "tfguard: ") || !strings.HasSuffix(stderr.String(), "no space left\n") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr.String())
		}
	}
}

// An interrupted check writes no report.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, []string{"check", fixtures.Path(t, "terraform/scp-force-iac/plan.json")},
		Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Env: noEnv}, Version{})
	if code != exitFailed || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "tfguard: interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

// Without a plan, a keyboard is asked for nothing.
func TestKeyboard(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := Main(t.Context(), []string{"check"}, Streams{In: nil, Out: &stdout, Err: &stderr, Env: noEnv, Keyboard: true}, Version{})
	if code != exitFailed || stdout.Len() > 0 || !strings.Contains(stderr.String(), "name a plan, or pipe one in") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		flag     bool
		env      map[string]string
		want     bool
	}{
		{"a pipe", false, false, nil, false},
		{"a terminal", true, false, nil, true},
		{"the flag", true, true, nil, false},
		{"NO_COLOR", true, false, map[string]string{"NO_COLOR": "1"}, false},
		{"NO_COLOR, empty", true, false, map[string]string{"NO_COLOR": ""}, true},
		{"a CI system", true, false, map[string]string{"CI": "true"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &checkOptions{noColor: c.flag, streams: Streams{Terminal: c.terminal, Env: func(name string) (string, bool) {
				v, ok := c.env[name]
				return v, ok
			}}}
			if got := o.color(); got != c.want {
				t.Errorf("color() = %v, want %v", got, c.want)
			}
		})
	}
}

// Each threshold includes the one before.
func TestFails(t *testing.T) {
	for name, c := range map[string]struct {
		summary report.Summary
		from    string // the first threshold that fails
	}{
		"nothing":         {report.Summary{}, ""},
		"an error":        {report.Summary{Findings: report.Severity{Error: 1}}, "error"},
		"an unknown":      {report.Summary{Verdicts: report.Verdicts{Unknown: 1}}, "unknown"},
		"an unread":       {report.Summary{PoliciesUnread: 1}, "unknown"},
		"a warning":       {report.Summary{Findings: report.Severity{Warning: 1}}, "warning"},
		"an information":  {report.Summary{Findings: report.Severity{Info: 1}}, "info"},
		"denied verdicts": {report.Summary{Verdicts: report.Verdicts{ExplicitDeny: 1, ImplicitDeny: 1}}, ""},
	} {
		want := false
		for _, level := range thresholds {
			want = want || level == c.from
			o := &checkOptions{failOn: choice{value: level}}
			if got := o.fails(&report.Report{Summary: c.summary}); got != want {
				t.Errorf("%s with --fail-on %s: %v, want %v", name, level, got, want)
			}
		}
	}
}

// A folder that cannot be read, or a file in it, is said and not passed over.
func TestExpand(t *testing.T) {
	folder := t.TempDir()
	plan := fixtures.Read(t, "terraform/scp-force-iac/plan.json")
	for name, content := range map[string][]byte{
		"b.json": plan, "a/plan.json": plan, ".hidden/plan.json": plan, "node_modules/plan.json": plan,
		"plan.txt": plan, "package.json": []byte(`{"name": "x"}`), "empty.json": nil, "short.json": []byte("{"),
	} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := expand(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(folder, "a", "plan.json") + " " + filepath.Join(folder, "b.json")
	if strings.Join(got, " ") != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

// What the linker was told goes before what the toolchain recorded.
func TestVersionIsComplete(t *testing.T) {
	v := Version{Version: "v1.2.3", Commit: "0123456789abcdef", Date: "2026-11-21"}
	if got := v.complete(); got != v {
		t.Errorf("complete() = %+v, want %+v", got, v)
	}
	var stdout bytes.Buffer
	if code := Main(t.Context(), []string{"version"}, Streams{Out: &stdout, Env: noEnv}, v); code != exitOK ||
		!strings.HasPrefix(stdout.String(), "tfguard v1.2.3 (0123456789ab 2026-11-21) go") {
		t.Errorf("exit code %d, %q", code, stdout.String())
	}
}
