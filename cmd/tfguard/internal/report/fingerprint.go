package report

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Fingerprints returns one for each finding, in their order, for those who take
// findings of several inputs together: equal for the same finding at the same places in
// two reports, as a further place is new, and different for any two findings of one.
func (r *Report) Fingerprints() []string {
	seen := map[string]int{}
	out := make([]string, len(r.Findings))
	for i := range r.Findings {
		f := &r.Findings[i]
		var places []string
		for _, p := range f.Everywhere() {
			places = append(places, p.Fingerprint)
		}
		slices.Sort(places) // which one comes first does not count
		key := fingerprint(append([]string{stablePath(r.Inputs[f.Input].Path)}, places...)...)
		seen[key]++
		out[i] = key
		if n := seen[key]; n > 1 {
			out[i] = fingerprint(key, strconv.Itoa(n))
		}
	}
	return out
}

func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// stablePath is a path as it is called on every machine: an absolute one, which is
// another in every checkout, gives way to the name of the file.
func stablePath(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Base(path)
	}
	return filepath.ToSlash(filepath.Clean(path))
}
