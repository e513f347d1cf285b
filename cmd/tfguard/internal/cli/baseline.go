package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

// baselineSchema names the version of a baseline.
const baselineSchema = "tfguard/baseline/v1"

// A baseline is a file of findings that are known.
type baseline struct {
	Schema   string  `json:"schema"`
	Findings []known `json:"findings"`
}

// known is a finding of a baseline; what stands beside its fingerprint is for people.
type known struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Address     string `json:"address"`
	Message     string `json:"message"`
}

// baselines are the flags about baselines.
type baselines struct {
	read, write string
	known       map[string]bool
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
	var file baseline
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("--baseline %s: this is no baseline: %w", b.read, err)
	}
	if file.Schema != baselineSchema {
		return fmt.Errorf("--baseline %s: this is no baseline that this tfguard reads: its schema is %q, not %s", b.read, file.Schema, baselineSchema)
	}
	b.known = map[string]bool{}
	for _, k := range file.Findings {
		b.known[k.Fingerprint] = true
	}
	return nil
}

// apply takes the findings out of the count that are known, and writes those that are
// or that count.
func (b *baselines) apply(rep *report.Report) error {
	if b.read == "" && b.write == "" {
		return nil
	}
	file := baseline{Schema: baselineSchema, Findings: []known{}}
	fingerprints := rep.Fingerprints()
	rep.Waive(func(i int, f *report.Finding) *report.Waiver {
		switch {
		case b.write != "":
			file.Findings = append(file.Findings, known{fingerprints[i], f.Rule, f.Address, f.Message})
		case !b.known[fingerprints[i]]:
			return nil
		}
		return &report.Waiver{Reason: "in the baseline " + cmp.Or(b.read, b.write)}
	})
	if b.write == "" {
		return nil
	}
	if len(rep.Unreadable) > 0 {
		return fmt.Errorf("--write-baseline %s: not written, as an input could not be judged", b.write)
	}
	return writeFile(b.write, func(w io.Writer) error { return report.WriteJSON(w, file) })
}
