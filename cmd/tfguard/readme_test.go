package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/fixtures"
)

// A command is a command line that a page shows, with the output it shows.
type command struct {
	page   string
	line   int // of the command, counted from 1
	words  string
	output []string // none if the page shows none
}

// ellipsis is the line that stands for any number of lines.
const ellipsis = "…"

// fence opens a block of console input and output.
var fence = regexp.MustCompile("^```console\\s*$")

// commands returns the command lines in the console blocks of a page: lines that
// begin with "$ ", each followed by its output.
func commands(page, text string) []command {
	var out []command
	inside := false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case !inside:
			inside = fence.MatchString(line)
		case strings.HasPrefix(line, "```"):
			inside = false
		case strings.HasPrefix(line, "$ "):
			out = append(out, command{page: page, line: i + 1, words: strings.TrimPrefix(line, "$ ")})
		case len(out) > 0:
			out[len(out)-1].output = append(out[len(out)-1].output, line)
		}
	}
	return out
}

// checkOutput returns how an output differs from what a page shows of it, "" if it
// does not.
func checkOutput(shown, got []string) string {
	if len(shown) == 0 {
		return ""
	}
	at := 0
	for len(shown) > 0 {
		// The lines up to the next ellipsis stand together: here, or later after one.
		n := slices.Index(shown, ellipsis)
		if n == 0 {
			shown = shown[1:]
			if len(shown) == 0 {
				return ""
			}
			if n = slices.Index(shown, ellipsis); n < 0 {
				n = len(shown)
				at = max(at, len(got)-n)
			}
			for at+n <= len(got) && !slices.Equal(shown[:n], got[at:at+n]) {
				at++
			}
		}
		if n < 0 {
			n = len(shown)
		}
		for i, want := range shown[:n] {
			if at+i >= len(got) {
				return fmt.Sprintf("the output does not show %q here", want)
			}
			if got[at+i] != want {
				return fmt.Sprintf("the output is %q\nthe page shows %q", got[at+i], want)
			}
		}
		at += n
		shown = shown[n:]
	}
	if at < len(got) {
		return fmt.Sprintf("the output goes on with %q", got[at])
	}
	return ""
}

// Every command of the pages runs, and shows what the pages show.
func TestPagesShowTheTruth(t *testing.T) {
	atRoot(t)
	folder := t.TempDir()
	var all []command
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, commands(page, string(text))...)
	}
	first := all[:min(2, len(all))]
	if len(first) < 1 || first[0].words != "go run ./cmd/tfguard check fixtures/terraform/athena-blog-literal/plan.json" {
		t.Errorf("the first command of README.md is not the one that a newcomer is promised: %+v", first)
	}
	if !slices.ContainsFunc(all, func(c command) bool { return c.words == "go test ./..." }) {
		t.Error("no page says how to run the tests")
	}
	for _, c := range all {
		t.Run(fmt.Sprintf("%s:%d", c.page, c.line), func(t *testing.T) {
			line, isTfguard := strings.CutPrefix(strings.Replace(c.words, "go run ./cmd/tfguard ", "tfguard ", 1), "tfguard ")
			switch {
			case isTfguard:
				got := tfguard(t, inFolder(folder, strings.Fields(line))...)
				if got.code == 2 {
					t.Errorf("$ %s\nexit code %d: %s", c.words, got.code, got.stderr)
				}
				if diff := checkOutput(trim(c.output), trim(strings.Split(got.stdout+got.stderr, "\n"))); diff != "" {
					t.Errorf("$ %s\n%s", c.words, diff)
				}
			case c.words == "go test ./...":
				if !isInGate(t, c.words) {
					t.Errorf(".ci/run does not run `%s`", c.words)
				}
			default:
				t.Errorf("this test does not know how to run `%s`", c.words)
			}
		})
	}
}

// pages returns the pages of the documentation, README.md first.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"}, docs...)
}

// inFolder moves the reports that a command line writes, and the one that it reads, to
// a folder.
func inFolder(folder string, args []string) []string {
	for i, arg := range args {
		if format, file, ok := strings.Cut(arg, "="); ok && args[max(i-1, 0)] == "-o" {
			args[i] = format + "=" + filepath.Join(folder, file)
		} else if arg == "report.json" {
			args[i] = filepath.Join(folder, arg)
		}
	}
	return args
}

// trim takes away empty lines at the end.
func trim(lines []string) []string {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// isInGate reports whether .ci/run has a command on a line of its own.
func isInGate(t *testing.T, words string) bool {
	t.Helper()
	gate, err := os.ReadFile(filepath.Join(fixtures.Path(t, ".."), ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Contains(strings.Split(string(gate), "\n"), words)
}

func TestCheckOutput(t *testing.T) {
	got := []string{"a", "b", "c", "", "d"}
	for _, c := range []struct {
		shown string
		ok    bool
	}{
		{"a|b|c||d", true},
		{"a|b|c|", false},
		{"a|b|x||d", false},
		{"a|b|c||d|e", false},
		{"…", true},
		{"a|…", true},
		{"b|…", false},
		{"…|d", true},
		{"…|c", false},
		{"…|b|…", true},
		{"…|b|c|…|d", true},
		{"…|b|d|…", false},
		{"a|…|c||d", true},
		{"a|…|…|d", true},
		{"…|x|…", false},
		{"a|b|c|…||d", true},
	} {
		if diff := checkOutput(strings.Split(c.shown, "|"), got); (diff == "") != c.ok {
			t.Errorf("checkOutput(%s) = %q, want ok %v", c.shown, diff, c.ok)
		}
	}
	if diff := checkOutput(nil, got); diff != "" {
		t.Errorf("a command without output: %s", diff)
	}
}

func TestCommands(t *testing.T) {
	page := "# Title\n\n```sh\n$ not this\n```\n\n```console\n$ one -x\nout\n\nput\n$ two\n```\n$ not that\n"
	got := fmt.Sprintf("%#v", commands("p", page))
	want := fmt.Sprintf("%#v", []command{{"p", 8, "one -x", []string{"out", "", "put"}}, {"p", 12, "two", nil}})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
