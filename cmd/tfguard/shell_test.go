package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/fixtures"
)

// An errand is a command line that a page tells readers to run on files of their own.
type errand struct {
	page, words string
	line        int
}

var (
	shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	anyBlock   = regexp.MustCompile("(?ms)^```.*?^```$")
	inline     = regexp.MustCompile("`((?:tfguard|opa|go|terraform|aws)\\s[^`]+)`")
)

// errands returns the command lines of the sh blocks of a page, and those in its prose.
func errands(page, text string) []errand {
	var out []errand
	at := func(byteAt int) int { return strings.Count(text[:byteAt], "\n") + 1 }
	for _, m := range shellBlock.FindAllStringSubmatchIndex(text, -1) {
		block := strings.ReplaceAll(text[m[2]:m[3]], "\\\n", " ")
		for line := range strings.Lines(block) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out = append(out, errand{page, line, at(m[2])})
			}
		}
	}
	prose := anyBlock.ReplaceAllStringFunc(text, func(block string) string {
		return strings.Map(func(r rune) rune {
			if r == '\n' {
				return r
			}
			return ' '
		}, block)
	})
	for _, m := range inline.FindAllStringSubmatchIndex(prose, -1) {
		out = append(out, errand{page, strings.Join(strings.Fields(prose[m[2]:m[3]]), " "), strings.Count(prose[:m[2]], "\n") + 1})
	}
	return out
}

// Every command line that the pages tell readers to run is one that tfguard takes, on
// files of the names that they use; those of other programs make such files, or name
// packages, tests and folders that there are.
func TestPagesTellWhatRuns(t *testing.T) {
	atRoot(t)
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var all []errand
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, errands(page, string(text))...)
	}
	if len(all) < 20 {
		t.Errorf("only %d commands were found", len(all))
	}
	folder := readersFolder(t)
	t.Chdir(folder)
	for _, e := range all {
		t.Run(fmt.Sprintf("%s:%d", e.page, e.line), func(t *testing.T) {
			if err := e.run(t, root); err != nil {
				t.Errorf("%s: %v", e.words, err)
			}
		})
	}
}

// readersFolder has the files that the pages name.
func readersFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, content []byte) { writeUnder(t, folder, name, content) }
	writeConfiguration(t, filepath.Join(folder, "configured"), ".tfguard.hcl")
	for name, fixture := range map[string]string{
		"tfplan":          "terraform/athena-blog-literal/tfplan",
		"plan.json":       "terraform/athena-blog-literal/plan.json",
		"template.yaml":   "cloudformation/condition/template.yaml",
		"change-set.json": "cloudformation/change-set/change-set.json",
	} {
		content, err := fixtures.FS.ReadFile(fixture)
		if err != nil {
			t.Fatal(err)
		}
		write(name, content)
	}
	whole, err := fixtures.FS.ReadFile("cloudformation/change-set/with-template.json")
	if err != nil {
		t.Fatal(err)
	}
	var set map[string]json.RawMessage
	if err := json.Unmarshal(whole, &set); err != nil {
		t.Fatal(err)
	}
	write("body.json", set["TemplateBody"])
	write("previous.json", set["TemplateBody"])
	write("parameters.json", set["Parameters"])
	write("with-template.json", whole)
	write("change.json", whole)
	write("prod.json", []byte(`[{"ParameterKey": "Stage", "ParameterValue": "prod"}]`))
	write("policy/team.rego", []byte("package main\n\ndeny contains \"no\" if input.no\n\ntest_deny if count(deny) == 1 with input as {\"no\": true}\n"))
	return folder
}

// run does an errand, or looks that what it is about is there.
func (e errand) run(t *testing.T, root string) error {
	t.Helper()
	command, target, writes := strings.Cut(e.words, " > ")
	args := strings.Fields(command)
	switch args[0] {
	case "tfguard":
		return runs(t, args[1:])
	case "jq":
		// Without it, the file is there anyway.
		if _, err := exec.LookPath("jq"); err == nil {
			if out, err := exec.Command("sh", "-c", e.words).CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
		}
		return nil
	case "go":
		return goes(root, args[1:])
	case "opa":
		for _, path := range args[2:] {
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				return err
			}
		}
		return nil
	case "terraform", "aws":
		if i := slices.Index(args, "-out"); i > 0 && i+1 < len(args) {
			target, writes = args[i+1], true
		}
		if !writes {
			return nil
		}
		_, err := os.Stat(target) // what the next line reads
		return err
	}
	return fmt.Errorf("this test does not know %s", args[0])
}

// runs runs tfguard.
func runs(t *testing.T, args []string) error {
	t.Helper()
	if i := slices.Index(args, "ID"); i >= 0 {
		args[i] = "public-access"
	}
	switch strings.Join(args, " ") {
	case "chains show nightly", "test plan.json": // what the reader's configuration holds
		args = append(args, "--config", "configured/.tfguard.hcl")
	}
	if len(args) == 1 {
		args = append(args, "--help") // the name of a command
	}
	if got := tfguard(t, args...); got.code == 2 {
		return fmt.Errorf("exit code 2: %s", got.stderr)
	}
	return nil
}

// goes looks at a command line of Go: its package is there, and what it selects too.
func goes(root string, args []string) error {
	pkg := ""
	for _, arg := range args[1:] {
		if path, ok := strings.CutPrefix(arg, "github.com/tfguard/tfguard/"); ok {
			arg = "./" + strings.TrimSuffix(path, "@latest")
		}
		if strings.HasPrefix(arg, "./") && pkg == "" {
			pkg = arg
		}
	}
	if pkg == "./the/package" || pkg == "./..." {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(root, pkg, "*.go"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s has no code: %w", pkg, err)
	}
	var code bytes.Buffer
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		code.Write(text)
	}
	for flag, kind := range map[string]string{"-run": "Test", "-bench": "Benchmark"} {
		i := slices.Index(args, flag)
		if i < 0 || args[i+1] == "'^$'" {
			continue
		}
		if !regexp.MustCompile(`func ` + kind + `\w*` + args[i+1]).Match(code.Bytes()) {
			return fmt.Errorf("%s has no %s that %s selects", pkg, kind, args[i+1])
		}
	}
	return nil
}

func TestErrands(t *testing.T) {
	page := "# T\n\n```sh\n# not this\ntfguard check \\\n  a\n\nother b\n```\nSay `tfguard\ncheck c` and `not d`.\n```console\n$ tfguard `tfguard e`\n```\n"
	got := fmt.Sprint(errands("p", page))
	if want := "[{p tfguard check    a 4} {p other b 4} {p tfguard check c 10}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for words, fails := range map[string]bool{
		"tfguard check none.json": true, "tfguard chck": true, "tfguard version": false, "go test ./none": true, "go test . -run Nothing": true,
		"terraform plan -out none": true, "make it": true,
	} {
		if err := (errand{words: words}).run(t, "."); (err != nil) != fails {
			t.Errorf("%s: %v", words, err)
		}
	}
}
