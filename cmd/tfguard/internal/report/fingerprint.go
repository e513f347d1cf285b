package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
)

// Fingerprints returns one for each finding, in their order: equal for the same
// finding in two reports although lines moved, and different for any two findings of
// one report.
func (r *Report) Fingerprints() []string {
	seen := map[string]int{}
	out := make([]string, len(r.Findings))
	for i := range r.Findings {
		key := r.identity(&r.Findings[i])
		seen[key]++
		if n := seen[key]; n > 1 {
			key += fmt.Sprintf("\x00%d", n)
		}
		out[i] = fingerprint(key)
	}
	return out
}

func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// identity is what makes two findings the same: the rule, the place without line and
// column, and the call that proves it or, without one, the words.
func (r *Report) identity(f *Finding) string {
	parts := []string{f.Rule, stablePath(r.Inputs[f.Input].Path), f.Address, f.Source.Attribute}
	if f.Replay == nil {
		parts = append(parts, f.Message)
	} else {
		p := &r.Replays[*f.Replay]
		parts = append(parts, p.Chain, p.Action, or(p.PrincipalAddress, p.Principal), or(p.ResourceAddress, p.Resource))
	}
	return strings.Join(parts, "\x00")
}

// stablePath is a path as it is called on every machine: an absolute one, which is
// another in every checkout, gives way to the name of the file.
func stablePath(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Base(path)
	}
	return filepath.ToSlash(filepath.Clean(path))
}
