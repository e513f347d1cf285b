// Package hazard finds what real policies get wrong. A rule looks at a statement,
// or at replays; a finding that claims that a chain breaks or a gate is open carries
// the replay that shows it, and is the graver for it.
//
// [Rules] is the catalogue; [Find] applies it to one input.
package hazard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// A Rule is a kind of finding with its manual.
type Rule struct {
	// ID names the rule, such as "mfa-absent", and Code is its short form, such as
	// "H15"; a rule about replays alone has none.
	ID, Code string
	Title    string
	// Severity of its findings: the gravest, which a pattern without a proof may stay
	// below.
	Severity source.Severity
	// Rationale says why it matters, Remediation what to do.
	Rationale   string
	Remediation string
	// Page is the title of the AWS page that the rule follows.
	Page string
	// Before is a policy that the rule finds and After the same policy mended, both of
	// Kind; empty for rules about more than one policy.
	Before, After string
	Kind          policy.Kind

	// statement looks at one statement, document at a whole policy.
	statement func(*statement)
	document  func(*document, *Rule)
	// explains are the rules, about replays or earlier in the catalogue, whose findings
	// have this one's cause: where both blame one statement, they are one finding.
	explains []*Rule
}

// Rules returns the catalogue: first the rules about replays, then those about
// patterns in the order of their codes.
func Rules() []*Rule { return catalogue }

// Lookup returns a rule by its ID or code.
func Lookup(name string) (*Rule, bool) {
	for _, r := range catalogue {
		if r.ID == name || r.Code != "" && strings.EqualFold(r.Code, name) {
			return r, true
		}
	}
	return nil, false
}

// A Finding is one thing a rule found.
type Finding struct {
	Rule     *Rule
	Severity source.Severity
	Message  string
	// Remediation is that of the rule, or of the rule that explains the finding best.
	Remediation string
	// Address is the resource the finding is about.
	Address string
	// Origin and Range are the place of the statement that is to blame.
	Origin source.Origin
	Range  source.Range
	// Replay is the index of the replay that proves the finding, -1 if none does.
	Replay int
	// Also are further rules that find fault with the same place for the same cause.
	Also []*Rule
	// Places are further places with the same fault, such as the other instances of
	// one resource, or the other principals whose chains one statement breaks.
	Places []Place
	// Identities tell what the finding claims, first at Address and then at each of
	// Places: equal for what is the same in two runs.
	Identities []string

	// part is the statement to blame, whichever the instance, and by that of the instance.
	part
	by part
	// text is what is wrong: findings about one part are one where it is the same.
	text string
}

// A Place is where a statement stands, or whom it concerns.
type Place struct {
	Address string
	Origin  source.Origin
	Range   source.Range
}

// An Input is what rules look at.
type Input struct {
	// World the replays were made against.
	World chain.World
	// Policies to look at, those that could not be read included.
	Policies []*policy.Document
	Replays  []*chain.Replay
	// Refuted are the indices of replays that are allowed although somebody expects
	// that they are not.
	Refuted []int
}

// Find applies the catalogue. What has one cause is one finding: replays that one
// statement breaks for one principal, instances of one resource, and patterns that
// say why a replay breaks.
func Find(in Input) []Finding {
	f := newFinder(in)
	f.replays()
	f.access()
	for _, doc := range in.Policies {
		f.policy(doc)
	}
	out := f.merged()
	f.identify(out)
	sortFindings(out)
	return out
}

// sortFindings orders findings by severity, the gravest first, then rule, address and place.
func sortFindings(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			-cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Rule.ID, b.Rule.ID),
			cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
