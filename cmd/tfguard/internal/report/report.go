// Package report is the report of a check and its formats. The [Report] is the
// contract between the stages: renderers read nothing else, and the JSON of it is
// what guardrails and other programs see.
package report

import (
	"cmp"
	_ "embed" // of the schema
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
)

// Schema names the version of the JSON report.
const Schema = "tfguard/report/v1"

// A Report is the outcome of a check.
type Report struct {
	Schema  string  `json:"schema"`
	Summary Summary `json:"summary"`
	Inputs  []Input `json:"inputs"`
	// Unreadable are the inputs that could not be judged: a report with one never
	// passes.
	Unreadable []Unreadable `json:"unreadable"`
	// Expectations are those of the team, in the order of its file.
	Expectations []Expectation `json:"expectations"`
	Findings     []Finding     `json:"findings"`
	Diagnostics  []Diagnostic  `json:"diagnostics"`
	Policies     []Policy      `json:"policies"`
	Replays      []Replay      `json:"replays"`
	Groups       []Group       `json:"groups"`
	Changes      []Change      `json:"changes"`
	// Guardrails are the team's rules that ran, none where there are none.
	Guardrails []Guardrail `json:"guardrails,omitempty"`
}

// Keys returns the report by the keys of its JSON, for those that read a part of it,
// but for those that it leaves out.
func (r *Report) Keys() map[string]any {
	keys := map[string]any{}
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		name, omit, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if omit == "" || !v.Field(i).IsZero() {
			keys[name] = v.Field(i).Interface()
		}
	}
	return keys
}

// JSONSchema is the schema of the report in JSON.
//
//go:embed schema.json
var JSONSchema []byte

// A Summary counts what the report holds.
type Summary struct {
	Replays  int      `json:"replays"`
	Verdicts Verdicts `json:"verdicts"`
	// Expectations counts those that hold and those that failed.
	Expectations Outcomes `json:"expectations"`
	// Findings counts those that are not waived, Waived the others.
	Findings Severity `json:"findings"`
	Waived   int      `json:"waived"`
	// PoliciesRead and PoliciesUnread count the policies of the inputs; one that is
	// attached as a permissions boundary too counts once.
	PoliciesRead   int `json:"policiesRead"`
	PoliciesUnread int `json:"policiesUnread"`
	// Unrelated counts the combinations of principal, resource and action that
	// nothing grants, Folded those that another combination stands for.
	Unrelated int `json:"unrelated"`
	Folded    int `json:"folded"`
}

// Verdicts counts replays by their verdict.
type Verdicts struct {
	Allowed      int `json:"allowed"`
	ImplicitDeny int `json:"implicitDeny"`
	ExplicitDeny int `json:"explicitDeny"`
	Unknown      int `json:"unknown"`
}

// Outcomes counts expectations by whether they hold.
type Outcomes struct {
	Held   int `json:"held"`
	Failed int `json:"failed"`
}

// Severity counts findings by their severity.
type Severity struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
}

// Together stands between the paths of inputs that are judged as one world.
const Together = " + "

// An Input is one file that was read, or several that are judged as one world.
type Input struct {
	Path   string `json:"path"`
	Format string `json:"format"`
	// Config is the .tfguard.hcl that was read with the input, empty if none was.
	Config string `json:"config"`
	// Flags are those that the input was read with, as arguments of a command: what
	// explains a replay needs them too.
	Flags []string `json:"flags"`
	// Changes counts the resources the input changes.
	Changes    int `json:"changes"`
	Principals int `json:"principals"`
	Resources  int `json:"resources"`
	Policies   int `json:"policies"`
	// Unread counts the policies that were not read.
	Unread int `json:"unread"`
	// Facts are what is believed of the account, with the reason.
	Facts []Fact `json:"facts"`
	// Incomplete says why the input does not tell everything.
	Incomplete []string `json:"incomplete"`
	// Uncompared is set where there are too many calls to tell which the input opens or
	// closes.
	Uncompared bool     `json:"uncompared"`
	Notes      []string `json:"notes"`
}

// Unreadable is an input that could not be judged.
type Unreadable struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// A Fact is a value with the reason it is believed.
type Fact struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	From    string `json:"from"`
	Assumed bool   `json:"assumed"`
}

// A Source is a place: in a file or, with an empty File, inside the policy text
// that an attribute holds.
type Source struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	Attribute string `json:"attribute,omitempty"`
}

// An Expectation is a sentence that a team holds its policies to, with what the
// replays made of it.
type Expectation struct {
	Sentence string `json:"sentence"`
	// Principal, Actions, Resource and Chains select the replays, as the team wrote
	// them; '*' in them stands for any text.
	Principal string   `json:"principal"`
	Actions   []string `json:"actions"`
	Resource  string   `json:"resource"`
	Chains    []string `json:"chains"`
	// Want is the verdict that makes the sentence true; "denied" is either deny.
	Want string `json:"want"`
	// Pass is set if there are such replays and all came out as wanted.
	Pass bool `json:"pass"`
	// Reason says why the expectation failed, empty if it holds.
	Reason string `json:"reason"`
	// Replays are the indices of the replays that it was judged by, and Failed of
	// those among them that came out otherwise.
	Replays []int  `json:"replays"`
	Failed  []int  `json:"failed"`
	Source  Source `json:"source"`
	Input   int    `json:"input"`
}

// A Finding is something to act on.
type Finding struct {
	Rule        string `json:"rule"`
	Severity    string `json:"severity"`
	Message     string `json:"message"`
	Remediation string `json:"remediation"`
	Address     string `json:"address"`
	Source      Source `json:"source"`
	// Replay is the index of the replay that proves the finding, null if none does.
	Replay *int `json:"replay"`
	// Also are further rules that find fault with the same place for the same cause.
	Also []string `json:"also"`
	// Places are further places with the same fault.
	Places []Place `json:"places"`
	// Fingerprint is that of the finding at Address.
	Fingerprint string `json:"fingerprint"`
	Input       int    `json:"input"`
	// Waived says why the finding does not count, nil if it does.
	Waived *Waiver `json:"waived,omitempty"`
}

// Everywhere returns the place of the finding and then its further ones.
func (f *Finding) Everywhere() []Place {
	return append([]Place{{f.Address, f.Source, f.Fingerprint}}, f.Places...)
}

// A Waiver is why a finding does not count, who says so, and the first day on which it
// counts again, as YYYY-MM-DD; empty for what is known from a baseline.
type Waiver struct {
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Expires string `json:"expires"`
}

// String says it in a sentence.
func (w *Waiver) String() string {
	if w.Expires == "" {
		return fmt.Sprintf("Known: %s.", w.Reason)
	}
	by := ""
	if w.Owner != "" {
		by = " by " + w.Owner
	}
	return fmt.Sprintf("Waived%s until %s: %s.", by, w.Expires, strings.TrimSuffix(w.Reason, "."))
}

// A Place is where a statement stands.
type Place struct {
	Address string `json:"address"`
	Source  Source `json:"source"`
	// Fingerprint is equal for the same finding in two reports, whatever its input is
	// called; findings of one report may share one.
	Fingerprint string `json:"fingerprint"`
}

// A Diagnostic is a remark on the input.
type Diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Source   Source `json:"source"`
	Input    int    `json:"input"`
}

// A Policy is a policy of the inputs.
type Policy struct {
	ID         string   `json:"id"`
	Kind       string   `json:"kind"`
	Address    string   `json:"address"`
	AttachedTo []string `json:"attachedTo"`
	Source     Source   `json:"source"`
	// Unknown says what of the policy is not known.
	Unknown []string `json:"unknown"`
	// Recovered says how a policy was found that the input does not hold as a text.
	Recovered *Recovered `json:"recovered,omitempty"`
	// Document is the policy in one shape, however it was written; null for one that
	// was not read or is sensitive.
	Document Document `json:"document"`
	Input    int      `json:"input"`
}

// A Document is the text of a policy. It is written when somebody asks for it.
type Document struct {
	of   *policy.Document
	text json.RawMessage
}

// MarshalJSON returns the text, in the shape that [policy.Document.MarshalJSON] gives.
func (d Document) MarshalJSON() ([]byte, error) {
	switch {
	case d.of != nil:
		return d.of.MarshalJSON()
	case d.text != nil:
		return d.text, nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON keeps the text of a saved report.
func (d *Document) UnmarshalJSON(text []byte) error {
	*d = Document{text: slices.Clone(text)}
	return nil
}

// Recovered says where a policy comes from that is known only after apply.
type Recovered struct {
	// Step is deferred, configuration or source.
	Step string `json:"step"`
	// From is the address of a data source or the place of an expression.
	From string `json:"from"`
	// Assumed is set where only the references of the expression are known, and not
	// what it makes of them.
	Assumed bool `json:"assumed"`
}

// A Replay is one chain replayed for one principal, action and resource.
type Replay struct {
	Chain            string         `json:"chain"`
	Pattern          string         `json:"pattern"`
	Action           string         `json:"action"`
	Principal        string         `json:"principal"`
	PrincipalAddress string         `json:"principalAddress"`
	Resource         string         `json:"resource"`
	ResourceAddress  string         `json:"resourceAddress"`
	Verdict          engine.Verdict `json:"verdict"`
	BrokenHop        int            `json:"brokenHop"`
	StandIn          string         `json:"standIn"`
	Modes            []Mode         `json:"modes"`
	Hops             []Hop          `json:"hops"`
	Input            int            `json:"input"`
}

// A Mode says how a replay comes out under another setting of a switch.
type Mode struct {
	Switch    string         `json:"switch"`
	Setting   string         `json:"setting"`
	Verdict   engine.Verdict `json:"verdict"`
	BrokenHop int            `json:"brokenHop"`
}

// A Hop is one decided request of a replay.
type Hop struct {
	Hop         int    `json:"hop"`
	Optional    bool   `json:"optional,omitempty"`
	Credentials string `json:"credentials"`
	Principal   string `json:"principal"`
	Action      string `json:"action"`
	Resource    string `json:"resource"`
	// Context holds the keys that are certainly present, ContextUnknown names those whose
	// presence is unsure.
	Context        Context        `json:"context"`
	ContextUnknown []string       `json:"contextUnknown"`
	Verdict        engine.Verdict `json:"verdict"`
	Because        []Because      `json:"because"`
	// Unknown names what an unknown verdict hangs on.
	Unknown []string `json:"unknown"`
	Notes   []string `json:"notes,omitempty"`
}

// A Context is the request context of a hop. There are very many, and few are asked for:
// its keys are written out when they are.
type Context struct {
	of   request.Context
	read map[string]any
}

// Keys are those that are certainly present, with their value: a string, or a list for
// keys that hold sets.
func (c Context) Keys() map[string]any {
	if c.read != nil {
		return c.read
	}
	out := map[string]any{}
	for e := range c.of.All() {
		if e.Present != kleene.True {
			continue
		}
		values := make([]string, len(e.Values))
		for i, v := range e.Values {
			values[i] = v.String()
		}
		if request.Multivalued(e.Key) || len(values) != 1 {
			out[e.Key] = values
		} else {
			out[e.Key] = values[0]
		}
	}
	return out
}

// MarshalJSON returns the keys as an object.
func (c Context) MarshalJSON() ([]byte, error) { return json.Marshal(c.Keys()) }

// UnmarshalJSON reads the keys of a saved report.
func (c *Context) UnmarshalJSON(text []byte) error {
	*c = Context{}
	return json.Unmarshal(text, &c.read)
}

// Because is the part a statement played in a decision. Statement 0 stands for the
// whole of a policy: one that was not read, or S3 Block Public Access.
type Because struct {
	Policy    string `json:"policy"`
	Statement int    `json:"statement"`
	Sid       string `json:"sid"`
	Effect    string `json:"effect"`
	Outcome   string `json:"outcome"`
	// Before is set for a statement as it was before the change.
	Before bool    `json:"before,omitempty"`
	Failed *Failed `json:"failed,omitempty"`
	Source Source  `json:"source"`
}

// Failed is the element of a statement that the request did not meet.
type Failed struct {
	Key      string `json:"key"`
	Operator string `json:"operator"`
	Wanted   string `json:"wanted"`
	Got      string `json:"got"`
}

// A Group lists the pairs that replays stand for, those they were made for included.
type Group struct {
	Replays []int   `json:"replays"`
	Pairs   []Pairs `json:"pairs"`
}

// Pairs are all pairs of some principals and some resources, by their addresses
// or, for what the input does not define, their ARNs.
type Pairs struct {
	Principals []string `json:"principals"`
	Resources  []string `json:"resources"`
}

// A Change is a call that the input opens or closes.
type Change struct {
	Chain            string `json:"chain"`
	Action           string `json:"action"`
	Principal        string `json:"principal"`
	PrincipalAddress string `json:"principalAddress"`
	Resource         string `json:"resource"`
	ResourceAddress  string `json:"resourceAddress"`
	// From names the network that the call comes from, where policies that name some
	// have changed.
	From    string         `json:"from,omitempty"`
	Before  engine.Verdict `json:"before"`
	After   engine.Verdict `json:"after"`
	Because []Because      `json:"because"`
	Input   int            `json:"input"`
}

// gravestFirst returns the indexes of the findings: errors, warnings, infos, then the
// waived ones, else in their order.
func (r *Report) gravestFirst() []int {
	out := make([]int, len(r.Findings))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(r.Findings[a].rank(), r.Findings[b].rank()) })
	return out
}

// severities are the words for how grave a finding is, the gravest first.
var severities = []string{"error", "warning", "info"}

// gravity orders severities, the gravest first.
func gravity(severity string) int { return slices.Index(severities, severity) }

// rank orders findings by what they ask for: waived ones come last.
func (f *Finding) rank() int {
	if f.Waived != nil {
		return len(severities)
	}
	return gravity(f.Severity)
}
