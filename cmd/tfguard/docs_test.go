package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/extract/yaml"
	"github.com/tfguard/tfguard/fixtures"
)

// generated holds a page of the documentation against what it is made from.
func generated(t *testing.T, page, want string) {
	t.Helper()
	if fixtures.Update() {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the program says; write it with -update", page)
	}
}

// docs/rules.md is the catalogue of rules.
func TestRulesPage(t *testing.T) {
	atRoot(t)
	var b strings.Builder
	b.WriteString("# Rules\n\nWhat tfguard finds, from its catalogue. Guardrails of your own are [Rego](rego.md).\n\n| rule | | severity | finds |\n| --- | --- | --- | --- |\n")
	for _, r := range hazard.Rules() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", r.ID, r.ID, r.Code, r.Severity, r.Title)
	}
	for _, r := range hazard.Rules() {
		fmt.Fprintf(&b, "\n## %s\n\n**%s.** Severity: %s.\n\n%s", r.ID, strings.TrimSuffix(r.Title, "."), r.Severity, report.Manual(r))
	}
	generated(t, "docs/rules.md", b.String())
}

// docs/chains.md is the catalogue of chains.
func TestChainsPage(t *testing.T) {
	atRoot(t)
	var b strings.Builder
	b.WriteString("# Chains\n\nThe call chains that tfguard replays, hop by hop, from its catalogue. Calls that one service makes share the number of their hop.\n" +
		"A pattern is the access pattern of AWS's data perimeter guide.\n\n| chain | pattern | |\n| --- | --- | --- |\n")
	for _, c := range chain.Catalog() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", c.ID, c.ID, c.Pattern, c.Title)
	}
	for _, c := range chain.Catalog() {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n| hop | credentials | calls | through | needed |\n| --- | --- | --- | --- | --- |\n", c.ID, strings.ToUpper(c.Title[:1])+strings.TrimSuffix(c.Title[1:], "."))
		for i := range c.Hops {
			h := &c.Hops[i]
			calls, needed := "the action that is replayed", "yes"
			if len(h.Actions) > 0 {
				calls = "`" + strings.Join(h.Actions, "`, `") + "`"
			}
			if h.Optional {
				needed = "no"
			}
			fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", h.Number, h.Credentials, calls, strings.Join(h.Via, ", "), needed)
		}
	}
	generated(t, "docs/chains.md", b.String())
}

// The blocks of docs/configuration.md are one file that tfguard takes.
func TestConfigurationPage(t *testing.T) {
	atRoot(t)
	folder := t.TempDir()
	writeConfiguration(t, folder, "whole.hcl")
	if got := tfguard(t, "check", "--quiet", "--config", filepath.Join(folder, "whole.hcl"), plan("athena-blog-literal")); got.code == 2 {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
}

// writeConfiguration writes the blocks of docs/configuration.md as one file, with the
// files that it names.
func writeConfiguration(t *testing.T, folder, name string) {
	t.Helper()
	text, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	for _, part := range strings.Split(string(text), "```hcl\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		file.WriteString(block)
	}
	write := func(name, content string) { writeUnder(t, folder, name, []byte(content)) }
	write(name, file.String())
	write("account.json", `{"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}`)
	const deny = `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}}`
	write("policies/workloads.json", deny)
	write("policies/rego/team.rego", "package main\n\ndeny contains data.team if false\n")
	write("policies/data.json", `{"team": "data"}`)
	write("policies/rcp.json", strings.Replace(deny, `"Action"`, `"Principal": "*", "Action"`, 1))
}

// writeUnder writes a file, and the folders on its way.
func writeUnder(t *testing.T, folder, name string, content []byte) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// link finds the targets of links in Markdown.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Every link to a file of the repository leads to one, and every link to a part of a
// page to a heading.
func TestLinks(t *testing.T) {
	atRoot(t)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, ":") {
				continue
			}
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			content, err := os.ReadFile(target)
			if _, isFolder := os.ReadDir(target); err != nil && isFolder != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
			}
			if anchor != "" && !bytes.Contains(content, []byte("\n## "+anchor+"\n")) {
				t.Errorf("%s: %s names no heading", page, m[1])
			}
		}
	}
}

// invocation finds command lines of tfguard in the files that users copy.
var invocation = regexp.MustCompile(`tfguard (check|report) [^\n'#]*`)

// The files that users copy are well-formed, and their commands are ones that tfguard
// takes.
func TestIntegrations(t *testing.T) {
	atRoot(t)
	files, err := filepath.Glob("docs/integrations/*")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "action.yml", "templates/tfguard/template.yml", ".pre-commit-hooks.yaml", "Dockerfile", "release.Dockerfile")
	absolute := filepath.Join(fixtures.Path(t, ".."), plan("cloudtrail-network-deny"))
	commands := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file, ".y") {
			for doc := range strings.SplitSeq(string(content), "\n---\n") {
				if _, err := yaml.Parse([]byte(doc)); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
		text := strings.ReplaceAll(string(content), "\\\n", " ")
		for _, line := range invocation.FindAllString(text, -1) {
			commands++
			args := arguments(line, absolute)
			if len(args) == 1 || args[len(args)-1] == "--quiet" {
				args = append(args, absolute)
			}
			t.Chdir(t.TempDir())
			if err := os.Mkdir("reports", 0o700); err != nil {
				t.Fatal(err)
			}
			got := tfguard(t, args...)
			atRoot(t)
			wantCode := 1
			if slices.Contains(args, "atlantis") {
				wantCode = 0
			}
			if got.code != wantCode {
				t.Errorf("%s: %s: exit code %d, %s", file, line, got.code, got.stderr)
			}
		}
	}
	if commands < 6 {
		t.Errorf("only %d commands were found", commands)
	}
}

// arguments splits a command line into the arguments of tfguard, with a plan for what
// the system or a variable would give.
func arguments(line, plan string) []string {
	line, _, _ = strings.Cut(line, "||")
	var args []string
	for word := range strings.FieldsSeq(line) {
		word = strings.Trim(word, `"`)
		switch {
		case word == "tfguard", strings.HasPrefix(word, "${arguments"):
			continue
		case word == "$INPUT_FAIL_ON":
			word = "error"
		case strings.Contains(word, `=`) && strings.Contains(word, "$FOLDER/"):
			word = strings.ReplaceAll(strings.ReplaceAll(word, `"`, ""), "$FOLDER/", "reports/")
		case strings.HasPrefix(word, "$"), word == "plan.json", word == "tfplan":
			word = plan
		}
		args = append(args, word)
	}
	return args
}
