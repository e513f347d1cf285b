package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
)

// CaseReplay is a decided request of a suite as the one hop of a replay, with the
// id of its case in the place of a chain.
func CaseReplay(id string, req *engine.Request, d engine.Decision) *Replay {
	h := hop(&chain.HopResult{Hop: 1, Credentials: "as given", Request: *req, Decision: d})
	out := &Replay{
		Chain: id, Action: req.Action, Principal: h.Principal, Resource: h.Resource,
		Verdict: d.Verdict, Modes: []Mode{}, Hops: []Hop{h},
	}
	if d.Verdict != engine.Allowed {
		out.BrokenHop = 1
	}
	return out
}

// Explain renders the reasoning of one replay as a tree: the verdict, then every
// hop with its request, its context and the statements that decided.
func Explain(w io.Writer, r *Replay, opts Options) error {
	t := &text{w: bufio.NewWriter(w), r: New(), color: opts.Color}
	t.line("%s", t.paint(bold, outcome(r.Verdict, r.BrokenHop)))
	t.paragraph("", "  ", plain, fmt.Sprintf("%s, %s on %s, by %s", r.Chain, r.Action, cmp.Or(r.ResourceAddress, r.Resource), cmp.Or(r.PrincipalAddress, r.Principal)))
	for _, m := range r.Modes {
		t.paragraph("", "  ", plain, fmt.Sprintf("AWS's pages disagree: with %s=%s it would be %s.", m.Switch, m.Setting, outcome(m.Verdict, m.BrokenHop)))
	}
	for i := range r.Hops {
		t.line("")
		t.hop(&r.Hops[i])
	}
	return t.w.Flush()
}

func outcome(v engine.Verdict, brokenHop int) string {
	word := words[v.String()]
	if brokenHop > 0 {
		word += fmt.Sprintf(" at hop %d", brokenHop)
	}
	return word
}

// words are the verdicts as people say them.
var words = map[string]string{
	"allowed": "allowed", "implicitDeny": "implicit deny", "explicitDeny": "explicit deny", "unknown": "unknown",
}

func (t *text) hop(h *Hop) {
	verdict := words[h.Verdict.String()]
	if h.Optional {
		verdict += ", not needed"
	}
	t.line("%s  %s", t.paint(bold, fmt.Sprintf("hop %d  %s", h.Hop, printable(h.Action))), verdict)
	t.branch("on", h.Resource)
	t.branch("by", fmt.Sprintf("%s (%s)", h.Principal, h.Credentials))
	name := "context"
	keys := h.Context.Keys()
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		value := keys[k]
		if list, ok := value.([]string); ok {
			value = strings.Join(list, ", ")
		}
		t.branch(name, fmt.Sprintf("%s = %v", k, value))
		name = ""
	}
	if len(h.ContextUnknown) > 0 {
		t.branch("perhaps", strings.Join(h.ContextUnknown, ", "))
	}
	for i := range h.Because {
		t.because(&h.Because[i])
	}
	if len(h.Because) == 0 {
		t.branch("", "no statement speaks of this call")
	}
	for _, u := range h.Unknown {
		t.branch("hangs on", u)
	}
	for _, n := range h.Notes {
		t.branch("note", n)
	}
}

// branch writes one fact of a hop, its further lines below it.
func (t *text) branch(name, fact string) {
	t.paragraph(fmt.Sprintf("  %-8s ", name), strings.Repeat(" ", 11), plain, fact)
}

// outcomes say what a statement did.
var outcomes = map[string]map[string]string{
	"applies":    {"Allow": "allows", "Deny": "denies", "": "applies"},
	"maybe":      {"Allow": "may allow", "Deny": "may deny", "": "is not known"},
	"notApplies": {"Allow": "nearest", "Deny": "nearest", "": "nearest"},
}

func (t *text) because(b *Because) {
	if f := b.Failed; f != nil && b.Outcome == "notApplies" && (f.Key == "Action" || f.Key == "NotAction") {
		t.branch("", "no statement allows this action")
		return
	}
	t.branch(outcomes[b.Outcome][b.Effect], b.name())
	if f := b.Failed; f != nil {
		t.branch("", "└ "+f.String())
	}
}

// String tells what was asked and what the request had.
func (f *Failed) String() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s: got %s", f.Key, f.Operator, f.Wanted, f.Got)), " ")
}

// why writes the command that explains a replay, broken where a shell lets it be
// broken.
func (t *text) why(r *Replay) {
	line := "      why:"
	for _, word := range t.r.explainCommand(r) {
		word = printable(word)
		if len(line)+len(word) > width-3 {
			t.line("%s \\", line)
			line = "          "
		}
		line += " " + word
	}
	t.line("%s", line)
}

// explainCommand returns the parts of the command that explains a replay.
func (r *Report) explainCommand(of *Replay) []string {
	words := []string{
		"tfguard explain", "--chain " + of.Chain, "--principal " + quoted(cmp.Or(of.PrincipalAddress, of.Principal)), "--action " + of.Action,
		"--resource " + quoted(cmp.Or(of.ResourceAddress, of.Resource)),
	}
	in := &r.Inputs[of.Input]
	paths := strings.Split(in.Path, Together)
	if in.Config != "" && !found(in.Config, paths[0]) {
		words = append(words, "--config "+quoted(in.Config))
	}
	for _, flag := range in.Flags {
		words = append(words, quoted(flag))
	}
	for _, path := range paths {
		words = append(words, quoted(path))
	}
	return words
}

// found reports whether a configuration is read with an input without being named:
// it stands beside it, or in the working folder.
func found(config, path string) bool {
	folder, name := filepath.Split(config)
	return name == ".tfguard.hcl" && (folder == "" || filepath.Clean(folder) == filepath.Dir(path))
}

// quoted is a word as a shell takes it.
func quoted(s string) string {
	if s == "" || s[0] == '=' || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/:@=", r)
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
