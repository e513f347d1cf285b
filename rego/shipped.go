package rego

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// shipped are the library and the guardrails that come with tfguard.
//
//go:embed lib engine mock guardrails
var shipped embed.FS

// profiles are names for several guardrails.
var profiles = map[string][]string{
	"data-perimeter": {"identity-perimeter", "network-perimeter", "resource-perimeter"},
	"baseline":       {"key-policy-hygiene", "no-public-bucket", "service-principal-source", "trust-policy"},
}

// Profiles returns the names that [Options.Profiles] can hold: all, the profiles and
// the guardrails.
func Profiles() []string {
	names := append([]string{"all"}, slices.Sorted(maps.Keys(profiles))...)
	return append(names, guardrailNames()...)
}

// guardrailNames returns the names of the shipped guardrails, which are those of their
// folders.
func guardrailNames() []string {
	entries, err := shipped.ReadDir("guardrails")
	if err != nil {
		panic(err) // it is embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// chosen returns the guardrails of profiles.
func chosen(names []string) ([]string, error) {
	all := guardrailNames()
	var out []string
	for _, name := range names {
		switch of, isProfile := profiles[name]; {
		case name == "all":
			out = append(out, all...)
		case isProfile:
			out = append(out, of...)
		case slices.Contains(all, name):
			out = append(out, name)
		default:
			return nil, fmt.Errorf("there is no profile %q: there are %s", name, strings.Join(Profiles(), ", "))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// shippedPrefix begins the names of files that are shipped.
const shippedPrefix = "tfguard:"

// shippedModules reads the library and some guardrails.
func shippedModules(names []string) (map[string]*ast.Module, error) {
	folders := []string{"lib", "engine"}
	for _, name := range names {
		folders = append(folders, path.Join("guardrails", name))
	}
	return readShipped(folders...)
}

// readShipped reads the rules, not the tests, in folders of what is shipped.
func readShipped(folders ...string) (map[string]*ast.Module, error) {
	out := map[string]*ast.Module{}
	for _, folder := range folders {
		err := fs.WalkDir(shipped, folder, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(file, testSuffix) {
				return err
			}
			text, err := shipped.ReadFile(file)
			if err != nil {
				return err
			}
			name := shippedPrefix + file
			out[name], err = ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1})
			return err
		})
		if err != nil {
			return nil, located(err)
		}
	}
	return out, nil
}

// Shipped returns the guardrails that come with tfguard, one rule for each. It loads no
// more of OPA than its parser.
func Shipped() ([]*Rule, error) {
	modules, err := shippedModules(guardrailNames())
	if err != nil {
		return nil, err
	}
	guardrails, err := find(modules, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	var out []*Rule
	for _, g := range guardrails {
		// Its deny, by which the rule is known, comes before its warn.
		if !slices.ContainsFunc(out, func(r *Rule) bool { return r.ID == g.rule.ID }) {
			out = append(out, g.rule)
		}
	}
	slices.SortFunc(out, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}
