package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

// baselineSchema names the version of a baseline.
const baselineSchema = "tfguard/baseline/v1"

// A baseline is a file of findings that are known.
type baseline struct {
	Schema string `json:"schema"`
	// Inputs are those that were checked, by their paths from the folder of the file.
	Inputs   []string `json:"inputs"`
	Findings []known  `json:"findings"`
}

// known is a finding of a baseline at one of its places. What tells it is the
// fingerprint and, in a baseline of several inputs, the input; the rest is for people.
type known struct {
	Fingerprint string `json:"fingerprint"`
	Input       string `json:"input"`
	Rule        string `json:"rule"`
	Address     string `json:"address"`
	Message     string `json:"message"`
}

// baselines are the flags about baselines.
type baselines struct {
	read, write string
	file        baseline
}

func (b *baselines) flags(f *pflag.FlagSet) {
	f.StringVar(&b.read, "baseline", "", "`file` with the findings that are known: they do not count")
	f.StringVar(&b.write, "write-baseline", "", "`file` to write the findings to that count, or are known; they do not count then")
}

// load reads the baseline.
func (b *baselines) load() error {
	if b.read == "" {
		return nil
	}
	text, err := os.ReadFile(b.read)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--baseline %s: there is no such file; --write-baseline writes one", b.read)
	} else if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &b.file); err != nil {
		return fmt.Errorf("--baseline %s: this is no baseline: %w", b.read, err)
	}
	if b.file.Schema != baselineSchema {
		return fmt.Errorf("--baseline %s: this is no baseline that this tfguard reads: its schema is %q, not %s", b.read, b.file.Schema, baselineSchema)
	}
	return nil
}

// apply takes the findings out of the count that are known, and writes those that are
// or that count. A finding is known if it is at each of its places, in whatever findings
// of the file these are; of what the file has once, one is.
func (b *baselines) apply(rep *report.Report) error {
	if b.read == "" && b.write == "" {
		return nil
	}
	// One input is the one that was checked then, whatever it is called now.
	alone := len(b.file.Inputs) == 1 && len(rep.Inputs)+len(rep.Unreadable) == 1
	key := func(fingerprint, input string) [2]string {
		if alone {
			input = ""
		}
		return [2]string{fingerprint, input}
	}
	left := map[[2]string]int{}
	for _, k := range b.file.Findings {
		left[key(k.Fingerprint, k.Input)]++
	}
	file := baseline{Schema: baselineSchema, Inputs: inputsFrom(rep, b.write), Findings: []known{}}
	inputs := inputsFrom(rep, b.read)
	reason := "in the baseline " + cmp.Or(b.read, b.write)
	rep.Waive(func(_ int, f *report.Finding) *report.Waiver {
		var fresh []report.Place
		places := f.Everywhere()
		for _, p := range places {
			k := key(p.Fingerprint, inputs[f.Input])
			if left[k]--; left[k] < 0 {
				fresh = append(fresh, p)
			}
			file.Findings = append(file.Findings, known{p.Fingerprint, file.Inputs[f.Input], f.Rule, p.Address, f.Message})
		}
		if len(fresh) == 0 || b.write != "" {
			return &report.Waiver{Reason: reason}
		}
		if len(fresh) < len(places) {
			f.NewAt(fresh, reason)
		}
		return nil
	})
	if b.write == "" {
		return nil
	}
	if len(rep.Unreadable) > 0 {
		return fmt.Errorf("--write-baseline %s: not written, as an input could not be judged", b.write)
	}
	return writeFile(b.write, func(w io.Writer) error { return report.WriteJSON(w, file) })
}

// inputsFrom are the paths of the inputs from the folder of a file, so that they are
// the same wherever the repository is and tfguard is called.
func inputsFrom(rep *report.Report, file string) []string {
	out := []string{}
	for i := range rep.Inputs {
		var paths []string
		for path := range strings.SplitSeq(rep.Inputs[i].Path, report.Together) {
			paths = append(paths, pathFrom(filepath.Dir(file), path))
		}
		out = append(out, strings.Join(paths, report.Together))
	}
	return out
}

func pathFrom(folder, path string) string {
	base, err := filepath.Abs(folder)
	if err != nil || path == "-" {
		return path
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	if rel, err := filepath.Rel(base, full); err == nil {
		full = rel
	}
	return filepath.ToSlash(full)
}
