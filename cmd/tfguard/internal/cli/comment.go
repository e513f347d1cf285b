package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

var (
	// directive is a waiver in a comment: tfguard:ignore RULE reason="…" until=DATE.
	directive = regexp.MustCompile(`(?:#|//)\s*tfguard:ignore\b(.*)$`)
	setting   = regexp.MustCompile(`(\w+)=("[^"]*"|\S+)`)
	comment   = regexp.MustCompile(`^\s*(?:#|//)`)
	// block is the head of a resource in HCL.
	block = regexp.MustCompile(`^\s*(?:resource|data)\s+"([^"]+)"\s+"([^"]+)"`)
	// entry is a key of YAML alone on its line, which a logical ID is.
	entry = regexp.MustCompile(`^\s+["']?([A-Za-z0-9]+)["']?\s*:\s*(?:#.*)?$`)
)

// commentWaivers are the waivers in comments of the source that a report names places
// in: of Terraform's all files of a folder, as a resource may be in another one than
// its policy.
func commentWaivers(rep *report.Report) []*waiver {
	inputs := map[string]int{}
	var files []string
	add := func(file string, input int) {
		if _, ok := inputs[file]; !ok && file != "" {
			inputs[file] = input
			files = append(files, file)
		}
	}
	for i := range rep.Policies {
		add(rep.Policies[i].Source.File, rep.Policies[i].Input)
	}
	for i := range rep.Findings {
		add(rep.Findings[i].Source.File, rep.Findings[i].Input)
	}
	for _, file := range slices.Clone(files) {
		if !isHCL(file) {
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
		out = append(out, readComments(file, inputs[file])...)
	}
	return out
}

func isHCL(file string) bool {
	return strings.HasSuffix(file, ".tf") || strings.HasSuffix(file, ".tofu")
}

// readComments are the waivers in a file; there are none in one that is not at hand.
func readComments(file string, input int) []*waiver {
	switch filepath.Ext(file) {
	case ".tf", ".tofu", ".yaml", ".yml", ".template":
	default:
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "tfguard:ignore") {
		return nil
	}
	lines := strings.Split(string(text), "\n")
	var out []*waiver
	for i, line := range lines {
		m := directive.FindStringSubmatchIndex(strings.TrimRight(line, "\r"))
		if m == nil {
			continue
		}
		w := parseComment(strings.TrimRight(line, "\r")[m[2]:m[3]])
		w.input, w.source = input, report.Source{File: file, Line: i + 1, Column: m[0] + 1}
		// A comment alone is about the first line below that is none.
		at := i
		for at < len(lines)-1 && comment.MatchString(lines[at]) {
			at++
		}
		w.Address = fmt.Sprintf("line %d", at+1)
		name, end := named(lines[at], isHCL(file)), extent(lines, at)
		w.covers = func(p report.Place) bool {
			same := p.Source.File == file
			return same && at < p.Source.Line && p.Source.Line <= end ||
				name != "" && resourceName(p.Address) == name && (same || p.Source.File != "" && filepath.Dir(p.Source.File) == filepath.Dir(file))
		}
		out = append(out, w)
	}
	return out
}

// extent returns how many lines of a file there are up to the end of what a line
// begins: what is indented below it. A section of a template, which begins without
// indentation, is its line alone.
func extent(lines []string, at int) int {
	indent := func(s string) int { return len(s) - len(strings.TrimLeft(s, " \t")) }
	end := at + 1
	if strings.HasSuffix(strings.TrimSpace(lines[at]), ":") && indent(lines[at]) == 0 {
		return end
	}
	for i := end; i < len(lines); i++ {
		switch {
		case strings.TrimSpace(lines[i]) == "":
		case indent(lines[i]) > indent(lines[at]):
			end = i + 1
		default:
			return end
		}
	}
	return end
}

// parseComment reads what stands behind tfguard:ignore.
func parseComment(text string) *waiver {
	w := &waiver{}
	rest := strings.TrimSpace(setting.ReplaceAllStringFunc(text, func(word string) string {
		key, value, _ := strings.Cut(word, "=")
		value = strings.Trim(value, `"`)
		switch key {
		case "reason":
			w.Reason = strings.TrimSpace(value)
		case "owner":
			w.Owner = value
		case "until":
			var err error
			if w.Expires, err = time.Parse(time.DateOnly, value); err != nil {
				w.wrong = fmt.Sprintf("until=%s is no date, such as 2027-01-31", value)
			}
		default:
			w.wrong = fmt.Sprintf("it takes a reason, an owner and until, and no %s", key)
		}
		return ""
	}))
	w.Waiver = config.Waiver{Rule: rest, Reason: w.Reason, Owner: w.Owner, Expires: w.Expires}
	switch {
	case w.wrong != "":
	case rest == "" || strings.ContainsAny(rest, " \t"):
		w.wrong = "it names no rule, or several"
	case w.Reason == "":
		w.wrong = `it gives no reason="…"`
	case w.Expires.IsZero():
		w.wrong = "it does not say until=YYYY-MM-DD"
	}
	return w
}

// named is the resource that a line begins: its type and name, or its logical ID.
func named(line string, hcl bool) string {
	line = strings.TrimRight(line, "\r")
	if m := block.FindStringSubmatch(line); hcl && m != nil {
		return m[1] + "." + m[2]
	}
	if m := entry.FindStringSubmatch(line); !hcl && m != nil {
		return m[1]
	}
	return ""
}

// resourceName is the part of an address that its file tells: without modules and
// without the key of an instance.
func resourceName(address string) string {
	name, _, _ := strings.Cut(address, "[")
	if strings.HasPrefix(address, "module.") {
		// A key may hold anything: what counts is behind the last module.
		parts := strings.Split(address, ".")
		if n := len(parts); n >= 2 {
			name = parts[n-2] + "." + parts[n-1]
		}
		name, _, _ = strings.Cut(name, "[")
	}
	return name
}
