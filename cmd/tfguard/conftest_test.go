package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// conftestVersion is the version whose results are recorded.
const conftestVersion = "v0.71.1"

// A ruleSet is a folder of rules in the style of conftest, with the flags that both
// programs take for them.
type ruleSet struct {
	name  string
	flags []string
}

var ruleSets = []ruleSet{
	{"tags", []string{"-d", "tags/data.yaml"}},
	{"changes", []string{"--rego-version", "v0"}},
	{"buckets", nil},
}

// Rules that were written for conftest give the same messages. The recorded ones are
// conftest's own; where conftest is installed they are compared with what it says now:
//
//	go install github.com/open-policy-agent/conftest@v0.71.1
func TestConftestRules(t *testing.T) {
	for _, set := range ruleSets {
		for _, name := range []string{"lifecycle-03-update", "lifecycle-06-delete-some", "modules-nested"} {
			t.Run(set.name+"/"+name, func(t *testing.T) {
				recorded := path.Join("rego/conftest", set.name, name+".txt")
				t.Chdir(fixtures.Path(t, "rego/conftest"))
				args := append([]string{"-p", set.name, "-o", "json"}, set.flags...)
				args = append(args, fixtures.Path(t, path.Join("terraform", name, "plan.json")))
				if want, ok := conftest(t, args); ok {
					fixtures.Golden(t, recorded, want)
				}
				got := tfguard(t, append([]string{"check", "--chains", "anonymous"}, args...)...)
				if got.code == 2 {
					t.Fatal(got.stderr)
				}
				if want := fixtures.Read(t, recorded); !bytes.Equal(messages(t, got.stdout), want) {
					t.Errorf("got\n%s\nwant what conftest says\n%s", messages(t, got.stdout), want)
				}
			})
		}
	}
}

// findConftest returns the path of conftest in the recorded version.
func findConftest() (string, error) {
	program, err := exec.LookPath("conftest")
	if err != nil {
		return "", err
	}
	info, err := buildinfo.ReadFile(program)
	if err == nil && info.Main.Version != conftestVersion {
		err = fmt.Errorf("conftest is of version %s", info.Main.Version)
	}
	return program, err
}

// conftest runs the installed conftest, if it is there in the recorded version.
func conftest(t *testing.T, args []string) (lines []byte, ok bool) {
	t.Helper()
	program, err := findConftest()
	if err != nil {
		t.Logf("compared with what conftest %s is recorded to say: %v", conftestVersion, err)
		return nil, false
	}
	// The exit code says whether there are failures, and so does the output.
	out, _ := exec.Command(program, append([]string{"test"}, args...)...).Output()
	type result struct{ Msg string }
	var files []struct{ Failures, Warnings, Exceptions []result }
	if err := json.Unmarshal(out, &files); err != nil {
		t.Fatalf("conftest: %v: %s", err, out)
	}
	var all []string
	for _, f := range files {
		for _, r := range f.Failures {
			all = append(all, "error "+r.Msg)
		}
		for _, r := range f.Warnings {
			all = append(all, "warning "+r.Msg)
		}
		for _, r := range f.Exceptions {
			_, name, _ := strings.Cut(r.Msg, "== ")
			all = append(all, "excepted "+strings.Trim(name, `"`))
		}
	}
	return sorted(all), true
}

// messages lists what guardrails said in a report.
func messages(t *testing.T, text string) []byte {
	t.Helper()
	var r report.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range r.Findings {
		if strings.HasPrefix(f.Rule, "main.") {
			all = append(all, f.Severity+" "+f.Message)
		}
	}
	for _, note := range r.Inputs[0].Notes {
		var name string
		if _, err := fmt.Sscanf(note, "An exception of the package main turns main.deny_%s off", &name); err == nil {
			all = append(all, "excepted "+name)
		}
	}
	return sorted(all)
}

func sorted(lines []string) []byte {
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n") + "\n")
}
