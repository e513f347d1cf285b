package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// expect judges the expectations of a file by replays of a world: every one that is
// meant is replayed, also where nothing relates principal and resource or where the
// user selected other chains. What result does not hold yet is added to it.
func expect(w chain.World, cfg *config.Config, opts chain.Options, result *chain.Result) []report.Expected {
	if len(cfg.Expectations) == 0 {
		return nil
	}
	index := map[string]int{}
	for i, r := range result.Replays {
		index[replayKey(r)] = i
	}
	known := knownChains(cfg)
	var out []report.Expected
	for i := range cfg.Expectations {
		e := &cfg.Expectations[i]
		principals, resources := seen{matches: glob(e.Principal)}, seen{matches: glob(e.Resource)}
		var inLowerCase []string
		for _, action := range e.Actions {
			inLowerCase = append(inLowerCase, strings.ToLower(action))
		}
		actions, chains := anyGlob(inLowerCase), anyGlob(e.Chains)
		opts.Chains = slices.DeleteFunc(slices.Clone(known), func(id string) bool { return !chains(id) })
		opts.Only = func(p *chain.Principal, t *chain.Target, action string) bool {
			who, what := principals.principal(p), resources.target(p, t)
			return who && what && actions(strings.ToLower(action))
		}
		got := report.Expectation{
			Sentence: e.Sentence, Principal: e.Principal, Actions: e.Actions, Resource: e.Resource, Chains: e.Chains,
			Want: e.Verdict, Replays: []int{},
		}
		if len(opts.Chains) > 0 {
			replayed := chain.Run(w, opts)
			for _, r := range replayed.Replays {
				key := replayKey(r)
				if _, ok := index[key]; !ok {
					index[key] = len(result.Replays)
					result.Replays = append(result.Replays, r)
				}
				got.Replays = append(got.Replays, index[key])
			}
			got.Reason = strings.Join(replayed.Notes, " ")
		}
		if len(got.Replays) == 0 {
			got.Reason = strings.TrimSpace(fmt.Sprintf("Nothing matches. Of these chains the input has the principals %s and the resources %s. %s", &principals, &resources, got.Reason))
		}
		out = append(out, report.Expected{Expectation: got, Origin: e.Origin, Range: e.Range})
	}
	return out
}

// refuted are the replays that are allowed although an expectation says that they are
// not.
func refuted(expected []report.Expected, replays []*chain.Replay) []int {
	var out []int
	for i := range expected {
		for _, n := range expected[i].Replays {
			if expected[i].Want != engine.Allowed.String() && replays[n].Verdict == engine.Allowed && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// replayKey is equal for replays of one chain, action, principal and resource.
func replayKey(r *chain.Replay) string {
	return fmt.Sprintf("%s %s %q %q %q %q", r.Chain.ID, r.Action, r.Principal.Address, r.Principal.Name(), r.Target.Address, r.Resource())
}

// glob returns what matches a word in which '*' stands for any text and '?' for one
// character.
func glob(word string) func(string) bool {
	if !strings.ContainsAny(word, "*?") {
		return func(s string) bool { return s == word }
	}
	// Without variables every text is a pattern.
	p, _ := symbol.Compile(symbol.Literal(word), symbol.Syntax{Wildcards: true})
	return func(s string) bool { return p.Match(symbol.Literal(s), nil) == kleene.True }
}

// anyGlob matches what one of several words does.
func anyGlob(words []string) func(string) bool {
	var all []func(string) bool
	for _, w := range words {
		all = append(all, glob(w))
	}
	return func(s string) bool {
		return slices.ContainsFunc(all, func(match func(string) bool) bool { return match(s) })
	}
}
