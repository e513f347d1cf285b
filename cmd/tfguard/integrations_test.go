package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// script returns the block of shell after a line of a workflow.
func script(t *testing.T, file, after string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), after)
	_, rest, ok2 := strings.Cut(rest, "run: |\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no script after %q", file, after)
	}
	indent := rest[:len(rest)-len(strings.TrimLeft(rest, " "))]
	var out strings.Builder
	for line := range strings.Lines(rest) {
		body, inside := strings.CutPrefix(line, indent)
		if !inside && strings.TrimSpace(line) != "" {
			break
		}
		out.WriteString(body)
	}
	return out.String()
}

// shell runs a script as a workflow does, in a folder of its own, with programs that
// stand in for others. It returns the output and the exit code.
func shell(t *testing.T, folder, script string, programs map[string]string, env ...string) (string, int) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	bin := t.TempDir()
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}, env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// The action hands on what it is given, and names the reports that are there and no
// others.
func TestActionChecks(t *testing.T) {
	atRoot(t)
	check := script(t, "action.yml", "id: check")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test's own program is tfguard when it is called so.
	standIn := "#!/bin/sh\nexec " + filepath.Join(t.TempDir(), "tfguard") + " \"$@\"\n"
	if err := os.Symlink(program, strings.Fields(standIn)[2]); err != nil {
		t.Skip(err)
	}
	good, err := filepath.Abs(plan("cloudtrail-network-deny"))
	if err != nil {
		t.Fatal(err)
	}
	const all = "json=r/report.json\nsarif=r/tfguard.sarif\nmarkdown=r/comment.md\nhtml=r/report.html\n"
	for name, c := range map[string]struct {
		paths, args, folder string
		code                int
		outputs, says       string
	}{
		"findings":                    {paths: good, folder: "r", code: 1, outputs: "exit-code=1\n" + all, says: "tfguard failed: 1 error"},
		"arguments":                   {paths: "\n" + good + "\n", args: "--fail-on\nnever\n", folder: "r", outputs: "exit-code=0\n" + all, says: "tfguard passed: 1 error"},
		"an input that is not read":   {paths: "none.json", folder: "r", code: 2, outputs: "exit-code=2\n" + all, says: "::error title=tfguard%3A not judged::none.json"},
		"wrong usage":                 {paths: good, args: "--wrong", folder: "r", code: 2, outputs: "exit-code=2\n", says: "unknown flag"},
		"a folder with a comma":       {paths: good, folder: "a,b", code: 2, says: "without a comma"},
		"a folder with a line of its": {paths: good, folder: "r\nmarkdown=x", code: 2, says: "must be one line"},
		"no path":                     {paths: " \n", folder: "r", code: 2, says: "names nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			// A report of an earlier run is none of this one.
			if err := os.Mkdir(filepath.Join(folder, "r"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "r", "comment.md"), []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			outputs := filepath.Join(folder, "outputs")
			said, code := shell(t, folder, check, map[string]string{"tfguard": standIn},
				"INPUT_PATHS="+c.paths, "INPUT_ARGS="+c.args, "INPUT_FAIL_ON=error", "FOLDER="+c.folder, "GITHUB_OUTPUT="+outputs)
			got, _ := os.ReadFile(outputs)
			if code != c.code || string(got) != c.outputs || !strings.Contains(said, c.says) {
				t.Errorf("exit code %d, outputs %q:\n%s", code, got, said)
			}
			for line := range strings.Lines(string(got)) {
				_, file, _ := strings.Cut(strings.TrimSpace(line), "=")
				if info, err := os.Stat(filepath.Join(folder, file)); strings.HasPrefix(file, "r/") && (err != nil || info.Size() < 20) {
					t.Errorf("%s: %v", line, err)
				}
			}
		})
	}
}

// The action installs releases, and nothing that begins like one.
func TestActionInstalls(t *testing.T) {
	atRoot(t)
	install := script(t, "action.yml", "Install tfguard")
	gh := "#!/bin/sh\necho gh \"$@\"\nexit 3\n"
	for version, ok := range map[string]bool{"v1.2.3": true, "v1.2.3-rc.1": true, "v1.2.3/../x": false, "v1.2.3 --repo evil/evil": false, "main": false, "v1": false, "": false} {
		folder := t.TempDir()
		said, code := shell(t, folder, install, map[string]string{"gh": gh}, "VERSION="+version, "OS=Linux", "ARCH=X64", "RUNNER_TEMP="+folder)
		if ok && (code != 3 || !strings.Contains(said, "gh release download "+version+" --repo tfguard/tfguard ")) || !ok && (code != 2 || strings.Contains(said, "gh ")) {
			t.Errorf("%q: exit code %d: %s", version, code, said)
		}
	}
}

// What macOS's bash takes for unset is guarded, and actions of others are pinned.
func TestActionFiles(t *testing.T) {
	atRoot(t)
	bare := regexp.MustCompile(`(^|[^+])"\$\{\w+\[@\]\}"`)
	uses := regexp.MustCompile(`uses: ([^@\s]+)@(\S+)`)
	pin := regexp.MustCompile(`^[0-9a-f]{40}$`)
	pinned := 0
	for _, file := range []string{"action.yml", "docs/integrations/github.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m := bare.FindString(string(text)); m != "" {
			t.Errorf("%s: %s is unset for bash 3.2 where it is empty", file, m)
		}
		for _, m := range uses.FindAllStringSubmatch(string(text), -1) {
			switch {
			case m[1] == "tfguard/tfguard":
			case pin.MatchString(m[2]):
				pinned++
			default:
				t.Errorf("%s: %s is not pinned to a commit", file, m[0])
			}
		}
	}
	if pinned != 2 {
		t.Errorf("%d pinned actions", pinned)
	}
}

// The workflow writes into its own comment, which the first line of the report marks,
// and never into another of the same bot.
func TestWorkflowFindsItsComment(t *testing.T) {
	atRoot(t)
	comment := script(t, "docs/integrations/github.yml", "steps.tfguard.outputs.markdown &&")
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("there is no jq")
	}
	// gh, with the comments of a file: lists them by the filter that it is given, and
	// says how else it is called.
	gh := "#!/bin/sh\nif [ \"$3\" = --paginate ]; then exec " + jq + " -r \"$5\" comments.json; fi\necho \"gh $*\"\n"
	for name, c := range map[string]struct{ comments, want string }{
		"none":     {`[]`, "gh pr comment 7 --body-file comment.md\n"},
		"of other": {`[{"id": 1, "user": {"type": "Bot"}, "body": "coverage 80 %"}, {"id": 2, "user": {"type": "User"}, "body": "<!-- tfguard --> quoted"}]`, "gh pr comment 7 --body-file comment.md\n"},
		"its own": {`[{"id": 1, "user": {"type": "Bot"}, "body": "<!-- tfguard -->\n### old"}, {"id": 2, "user": {"type": "Bot"}, "body": "coverage"}]`,
			"gh api --method PATCH repos/o/r/issues/comments/1 -F body=@comment.md --silent\n"},
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "comments.json"), []byte(c.comments), 0o600); err != nil {
			t.Fatal(err)
		}
		said, code := shell(t, folder, comment, map[string]string{"gh": gh}, "GH_REPO=o/r", "PR=7", "COMMENT=comment.md")
		if code != 0 || said != c.want {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
	if got := tfguard(t, "check", "-o", "markdown", plan("cloudtrail-network-deny")); !strings.HasPrefix(got.stdout, "<!-- tfguard -->\n") {
		t.Errorf("the report begins with %.40q", got.stdout)
	}
}

// Each hook looks at the files that it is for, and they are known by the names that the
// example uses.
func TestPreCommitHooks(t *testing.T) {
	atRoot(t)
	text, err := os.ReadFile(".pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	field := func(hook, name string) string {
		_, value, _ := strings.Cut(hook, "\n  "+name+": ")
		value, _, _ = strings.Cut(value, "\n")
		return value
	}
	hooks := map[string]string{}
	for _, hook := range strings.Split(string(text), "\n- id: ")[1:] {
		id, rest, _ := strings.Cut(hook, "\n")
		hooks[id] = "\n" + rest
	}
	for id, files := range map[string]map[string]bool{
		"tfguard-check": {
			"template.yaml": true, "template.yml": true, "template.json": true, "stacks/template.yaml": true, "cdk.out/App.template.json": true, "vpc-template.yml": true,
			"plan.json": true, "live/tfplan.json": true, "contemplate.yaml": false, "templates/page.html": false, "plan.json.md": false, "values.yaml": false, "template.yaml.bak": false,
		},
		"tfguard-test": {"policy/a.rego": true, ".tfguard.hcl": true, "live/.tfguard.hcl": true, "main.hcl": false},
		"tfguard-fmt":  {"policy/a.rego": true, "a.rego.md": false},
	} {
		hook := hooks[id]
		pattern, err := regexp.Compile(field(hook, "files"))
		if err != nil || hook == "" {
			t.Fatalf("%s: %v", id, err)
		}
		for file, want := range files {
			if got := pattern.MatchString(file); got != want {
				t.Errorf("%s looks at %s: %v, want %v", id, file, got, want)
			}
		}
		if line, ok := strings.CutPrefix(field(hook, "entry"), "tfguard "); ok {
			if got := tfguard(t, append(strings.Fields(line), "--help")...); got.code != 0 {
				t.Errorf("%s: %s", id, got.stderr)
			}
		}
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	dependency, ok := strings.CutPrefix(field(hooks["tfguard-fmt"], "additional_dependencies"), `["`)
	if !ok || !strings.Contains(string(module), strings.ReplaceAll(strings.TrimSuffix(dependency, `"]`), "@", " ")+"\n") {
		t.Errorf("%s is not the OPA that tfguard is made with", dependency)
	}
	example, err := os.ReadFile("docs/integrations/pre-commit-config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for id := range hooks {
		if !strings.Contains(string(example), "- id: "+id+"\n") {
			t.Errorf("the example does not show %s", id)
		}
	}
	if len(hooks) != 3 {
		t.Errorf("%d hooks", len(hooks))
	}
}
