package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/comment"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

var (
	// directive is a comment that waives, and nearly one that somebody may take for it.
	directive = regexp.MustCompile(`^tfguard:ignore(?:\s+(.*))?$`)
	nearly    = regexp.MustCompile(`(?i)^tfguard\s*:|\btfguard[\s:=_-]+(?:ignore|skip|disable|suppress|waive)\b`)
	setting   = regexp.MustCompile(`(\w+)=("(?:[^"\\]|\\.)*"|'[^']*'|\S+)`)
	// instanceKey is the key of a resource or module that has several instances.
	instanceKey = regexp.MustCompile(`\[(?:"(?:[^"\\]|\\.)*"|\d+)\]`)
	modulePath  = regexp.MustCompile(`^(?:module\.[^.]+\.)+`)
)

// commentWaivers are the waivers in comments of the source that a report names places
// in, and of the templates among its inputs: of Terraform's all files of a folder, as a
// resource may be in another one than its policy.
func commentWaivers(rep *report.Report) []*waiver {
	inputs := map[string]int{}
	var files []string
	add := func(file string, input int) {
		if _, ok := inputs[file]; !ok && file != "" {
			inputs[file] = input
			files = append(files, file)
		}
	}
	for i := range rep.Inputs {
		if in := &rep.Inputs[i]; in.Format == templateFormat {
			add(in.Path, i)
		}
	}
	for i := range rep.Policies {
		add(rep.Policies[i].Source.File, rep.Policies[i].Input)
	}
	for i := range rep.Findings {
		add(rep.Findings[i].Source.File, rep.Findings[i].Input)
	}
	for _, file := range slices.Clone(files) {
		if !comment.IsHCL(file) {
			continue
		}
		// The only error is a malformed pattern: such a folder has its own file alone.
		beside, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*"+filepath.Ext(file)))
		for _, other := range beside {
			add(other, inputs[file])
		}
	}
	slices.Sort(files)
	var out []*waiver
	for _, file := range files {
		out = append(out, readComments(rep, file, inputs[file])...)
	}
	return out
}

// readComments are the waivers in a file; there are none in one that is not at hand,
// and none in JSON, which has no comments.
func readComments(rep *report.Report, file string, input int) []*waiver {
	if strings.EqualFold(filepath.Ext(file), ".json") {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var out []*waiver
	for _, c := range comment.Read(file, text, "tfguard") {
		w := parseComment(c.Text)
		if w == nil {
			continue
		}
		if w.wrong == "" {
			w.wrong = c.Stray
		}
		w.input, w.source = input, report.Source{File: file, Line: c.Line, Column: c.Column}
		w.Address = fmt.Sprintf("line %d", c.About.First)
		w.covers = func(f *report.Finding, p report.Place) bool {
			at := p.Source.File
			if at == "" {
				at = rep.Inputs[f.Input].Path // of a template that tells no place
			}
			if at == file && c.About.First <= p.Source.Line && p.Source.Line <= c.About.Last {
				return true
			}
			beside := comment.IsHCL(file) && comment.IsHCL(at) && filepath.Dir(at) == filepath.Dir(file)
			return c.About.Resource != "" && resourceName(p.Address) == c.About.Resource && (at == file || beside)
		}
		out = append(out, w)
	}
	return out
}

// parseComment reads a comment, nil for one that does not mean to waive.
func parseComment(text string) *waiver {
	m := directive.FindStringSubmatch(text)
	switch {
	case m == nil && !nearly.MatchString(text):
		return nil
	case m == nil:
		return &waiver{wrong: `it is written tfguard:ignore RULE reason="…" until=YYYY-MM-DD, at the beginning of the comment`}
	}
	w := &waiver{}
	rest := setting.ReplaceAllStringFunc(m[1], func(word string) string {
		key, value, _ := strings.Cut(word, "=")
		value, quoted := unquote(value)
		switch {
		case !quoted && strings.ContainsAny(value, "\"'“”‘’"):
			w.wrong = fmt.Sprintf(`%s takes one word, or several in quotes such as "…"`, key)
		case key == "reason":
			w.Reason = strings.TrimSpace(value)
		case key == "owner":
			w.Owner = value
		case key == "until":
			var err error
			if w.Expires, err = time.Parse(time.DateOnly, value); err != nil {
				w.wrong = fmt.Sprintf("until=%s is no date, such as 2027-01-31", value)
			}
		default:
			w.wrong = fmt.Sprintf("it takes a reason, an owner and until, and no %s", key)
		}
		return ""
	})
	words := strings.Fields(rest)
	switch {
	case w.wrong != "":
	case len(words) == 0:
		w.wrong = "it names no rule"
	case len(words) > 1:
		w.wrong = fmt.Sprintf("it takes one rule and its settings, and there is %q too", strings.Join(words[1:], " "))
	case w.Reason == "":
		w.wrong = `it gives no reason="…"`
	case w.Expires.IsZero():
		w.wrong = "it does not say until=YYYY-MM-DD"
	}
	w.Waiver = config.Waiver{Rule: strings.Join(words, " "), Reason: w.Reason, Owner: w.Owner, Expires: w.Expires}
	return w
}

// unquote returns a value without its quotes, and whether it had any.
func unquote(value string) (string, bool) {
	if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return strings.ReplaceAll(value[1:n-1], `\"`, `"`), true
	}
	return value, false
}

// resourceName is the part of an address that its file tells: without modules and
// without the keys of instances.
func resourceName(address string) string {
	return modulePath.ReplaceAllString(instanceKey.ReplaceAllString(address, ""), "")
}
