package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/cli"
	"github.com/tfguard/tfguard/fixtures"
)

// maxWidth is how wide the text report is at the most.
const maxWidth = 100

// The text report of every case stands beside its plan.
func TestTextReports(t *testing.T) {
	atRoot(t)
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			got := tfguard(t, "check", plan(name))
			if got.stderr != "" || got.code == 2 {
				t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
			}
			if strings.Contains(got.stdout, "\x1b") {
				t.Error("colours although the output is no terminal")
			}
			checkLines(t, got.stdout)
			fixtures.Golden(t, path.Join("terraform", name, "report.txt"), []byte(got.stdout))
		})
	}
}

// On a terminal the same report has colours, and nothing else.
func TestColouredReport(t *testing.T) {
	atRoot(t)
	const name = "cloudtrail-network-deny"
	got := runOn(t, cli.Streams{Terminal: true}, "check", plan(name))
	if plain := tfguard(t, "check", plan(name)); ansi.Strip(got.stdout) != plain.stdout {
		t.Error("without its colours it is another report")
	}
	checkLines(t, got.stdout)
	fixtures.Golden(t, path.Join("terraform", name, "report.color.txt"), []byte(got.stdout))
}

// answer is the first line of every report.
var answer = regexp.MustCompile(`^(No findings|[1-9][\d,]* (failed expectations?|errors?|warnings?|remarks?)[^.]*)\. [\d,]+ replays?: ` +
	`[\d,]+ allowed, [\d,]+ implicit deny, [\d,]+ explicit deny, [\d,]+ unknown\.$`)

// checkLines holds what is true of every text report.
func checkLines(t *testing.T, text string) {
	t.Helper()
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if w := ansi.StringWidth(line); w > maxWidth {
			t.Errorf("line %d has %d columns: %s", i+1, w, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d ends in blanks: %q", i+1, line)
		}
		if first := ansi.Strip(line); i == 0 && !answer.MatchString(first) {
			t.Errorf("the first line is no answer: %s", first)
		}
	}
}

// The counts on the first line are those of the replays.
func TestFirstLineCounts(t *testing.T) {
	atRoot(t)
	for _, name := range cases(t) {
		_, r, _ := reportOf(t, name)
		verdicts := map[string]int{}
		for i := range r.Replays {
			verdicts[r.Replays[i].Verdict.String()]++
		}
		want := fmt.Sprintf("%d replays: %d allowed, %d implicit deny, %d explicit deny, %d unknown.",
			len(r.Replays), verdicts["allowed"], verdicts["implicitDeny"], verdicts["explicitDeny"], verdicts["unknown"])
		first, _, _ := strings.Cut(tfguard(t, "check", plan(name)).stdout, "\n")
		if !strings.HasSuffix(first, want) {
			t.Errorf("%s: %s\nwant: %s", name, first, want)
		}
	}
}
