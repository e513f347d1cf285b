package report

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// The limits of GitHub for an upload, from the page "SARIF support for code
// scanning": what is over them is refused as a whole.
const (
	sarifRuns    = 20
	sarifResults = 25000
	// sarifFlows is how many results tell their chain: no more are shown.
	sarifFlows = 5000
	// sarifLocations is how many locations a result may have.
	sarifLocations = 1000
	// sarifBytes is how large an upload may be, packed by gzip.
	sarifBytes = 10 << 20
)

// The part of SARIF 2.1.0 that is used, named as there.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		AutomationDetails *sarifAutomation  `json:"automationDetails,omitempty"`
		ColumnKind        string            `json:"columnKind"`
		Invocations       []sarifInvocation `json:"invocations"`
		Results           []sarifResult     `json:"results"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string             `json:"id"`
		ShortDescription     sarifMessage       `json:"shortDescription"`
		FullDescription      *sarifMessage      `json:"fullDescription,omitempty"`
		Help                 sarifMessage       `json:"help"`
		DefaultConfiguration sarifConfiguration `json:"defaultConfiguration"`
		Properties           sarifProperties    `json:"properties"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifProperties struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"problem.severity"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifMessage       `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Related      []sarifLocation    `json:"relatedLocations,omitempty"`
		CodeFlows    []sarifCodeFlow    `json:"codeFlows,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifMessage struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifMessage  `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	sarifCodeFlow struct {
		ThreadFlows []sarifThreadFlow `json:"threadFlows"`
	}
	sarifThreadFlow struct {
		Locations []sarifStep `json:"locations"`
	}
	sarifStep struct {
		Location   sarifLocation `json:"location"`
		Importance string        `json:"importance"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

// SARIF renders the findings as SARIF 2.1.0, for code scanning.
//
//   - A run is one input, with a category of its own, so that the plans of several
//     folders do not replace one another; more than GitHub takes are one run.
//   - The location is the statement to blame in its source. Where that is not known,
//     it is the input, and the logical location names the resource and attribute.
//   - Its further places are related locations, as many as GitHub takes.
//   - The chain that proves a finding is its code flow, one location a hop.
//   - A waived finding has a suppression.
//   - Diagnostics, and what a limit keeps out, are notifications of the invocation.
//
// Where not all findings are kept, the gravest are.
func SARIF(w io.Writer, r *Report, opts Options) error {
	doc, err := sarifWithin(sarifBytes, r, opts)
	if err != nil {
		return err
	}
	_, err = w.Write(doc)
	return err
}

// sarifWithin renders as many of the gravest findings as fit into a size when packed.
func sarifWithin(limit int, r *Report, opts Options) ([]byte, error) {
	r = r.withExpectations().withOpened(opts)
	s := &sarif{r: r, version: opts.Version, fingerprints: r.Fingerprints(), most: sarifResults}
	for {
		var doc bytes.Buffer
		if err := writeJSON(&doc, s.log(), " "); err != nil {
			return nil, err
		}
		size := doc.Len()
		if size > limit {
			size = packed(doc.Bytes())
		}
		if size <= limit || s.most == 0 {
			return doc.Bytes(), nil
		}
		// What is not a result takes room, too, so that this may not be enough at once.
		s.most = int(float64(min(s.most, len(r.Findings))) * 0.9 * float64(limit) / float64(size))
	}
}

// packed is the size of a document that gzip packs.
func packed(doc []byte) int {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(doc) // a buffer takes everything
	_ = z.Close()
	return out.Len()
}

// log makes the document.
func (s *sarif) log() sarifLog {
	r, log := s.r, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{},
	}
	if len(r.Inputs) > sarifRuns {
		log.Runs = append(log.Runs, s.run("tfguard/", func(int) bool { return true }))
	} else {
		for i := range r.Inputs {
			log.Runs = append(log.Runs, s.run("tfguard/"+stablePath(r.Inputs[i].Path)+"/", func(input int) bool { return input == i }))
		}
	}
	if len(log.Runs) == 0 {
		log.Runs = append(log.Runs, s.run("tfguard/", func(int) bool { return true }))
	}
	invocation := &log.Runs[0].Invocations[0]
	for _, u := range r.Unreadable {
		invocation.Successful = false
		invocation.Notifications = append(invocation.Notifications, sarifNotification{Level: "error", Message: sarifText(u.Message)})
	}
	return log
}

type sarif struct {
	r            *Report
	version      string
	fingerprints []string
	// most is how many results a run may have.
	most int
}

// run makes the run of the inputs that are chosen.
func (s *sarif) run(category string, chosen func(input int) bool) sarifRun {
	run := sarifRun{
		AutomationDetails: &sarifAutomation{ID: category}, ColumnKind: "unicodeCodePoints",
		Invocations: []sarifInvocation{{Successful: true}}, Results: []sarifResult{},
	}
	rules := &sarifRules{list: []sarifRule{}, index: map[string]int{}}
	left := 0
	for _, i := range s.r.gravestFirst() {
		f := &s.r.Findings[i]
		switch {
		case !chosen(f.Input):
		case len(run.Results) == s.most:
			left++
		default:
			run.Results = append(run.Results, s.result(f, s.fingerprints[i], rules.of(f, s.r.guardrail(f.Rule)), len(run.Results) < sarifFlows))
		}
	}
	run.Tool.Driver = sarifDriver{
		Name: "tfguard", Version: s.version, InformationURI: "https://github.com/tfguard/tfguard", Rules: rules.list,
	}
	run.Invocations[0].Notifications = s.notifications(chosen, left)
	return run
}

// sarifRules are the rules of a run with their manuals.
type sarifRules struct {
	list  []sarifRule
	index map[string]int
}

// of returns the index of a finding's rule, which may be a guardrail.
func (rs *sarifRules) of(f *Finding, g *Guardrail) int {
	if i, ok := rs.index[f.Rule]; ok {
		return i
	}
	rs.index[f.Rule] = len(rs.list)
	rule := sarifRule{
		ID: f.Rule, ShortDescription: sarifMessage{Text: f.Rule}, Help: sarifMessage{Text: f.Remediation},
		DefaultConfiguration: sarifConfiguration{Level: sarifLevel(f.Severity)},
		Properties: sarifProperties{
			Tags:     []string{"aws", "iam", "security"},
			Severity: cmp.Or(map[string]string{"error": "error", "warning": "warning"}[f.Severity], "recommendation"),
		},
	}
	if m := manual(f.Rule); m != nil {
		rule.ShortDescription.Text = m.Title
		rule.FullDescription = &sarifMessage{Text: m.Rationale}
		rule.Help = sarifMessage{Text: m.Rationale + "\n\n" + m.Remediation, Markdown: Manual(m)}
	} else if g != nil {
		rule.ShortDescription.Text = cmp.Or(g.Title, f.Rule)
		if about := cmp.Or(g.Description, g.Rationale); about != "" {
			rule.FullDescription = &sarifMessage{Text: about}
		}
		rule.Help = sarifMessage{Text: g.text(), Markdown: g.markdown()}
	} else if words, ok := demands[f.Rule]; ok {
		rule.ShortDescription.Text = words[0]
		rule.FullDescription = &sarifMessage{Text: words[1]}
		rule.Help.Text = words[1] + "\n\n" + f.Remediation
	}
	rs.list = append(rs.list, rule)
	return rs.index[f.Rule]
}

// demands are the titles and descriptions of what no rule finds but a team asks for.
var demands = map[string][2]string{
	newAccess: {
		"The change opens access",
		"A call is allowed after the change that was not allowed before it. The option --fail-on-new-access makes each such call fail the check.",
	},
	"expectation": {
		"An expectation does not hold",
		"An expectation of the team about who may do what, and who may not, is not what the replays came to.",
	},
}

func sarifLevel(severity string) string {
	if severity == "info" {
		return "note"
	}
	return severity
}

func (s *sarif) result(f *Finding, fingerprint string, rule int, flow bool) sarifResult {
	out := sarifResult{
		RuleID: f.Rule, RuleIndex: rule, Level: sarifLevel(f.Severity),
		Message:   sarifText(f.Message + " " + f.Remediation + f.foundBy()),
		Locations: []sarifLocation{s.location(f.Address, f.Source, f.Input)},
		// GitHub matches results by the first; the second says whose it is.
		Fingerprints: map[string]string{"primaryLocationLineHash": fingerprint + ":1", "tfguard/v1": fingerprint},
	}
	s.relate(&out, f)
	if f.Replay != nil && flow {
		out.CodeFlows = s.flow(f, &s.r.Replays[*f.Replay])
	}
	if f.Waived != nil {
		out.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: printable(f.Waived.String())}}
	}
	return out
}

// relate adds the further places of a finding to its result, and links from its
// message to the first ones: GitHub shows a related location where a message links to
// it.
func (s *sarif) relate(out *sarifResult, f *Finding) {
	places := f.elsewhere()
	for i, p := range places[:min(len(places), sarifLocations-1)] {
		at, name := s.location(p.Address, p.Source, f.Input), sarifText(p.name)
		at.ID, at.Message = i+1, &name
		out.Related = append(out.Related, at)
	}
	n := 0
	out.Message.Text += f.sameAt(func(name string) string {
		n++
		return fmt.Sprintf("[%s](%d)", linkText.Replace(printable(name)), n)
	})
}

// linkText escapes what would end the text of a link in a message.
var linkText = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)

// location is a place in the source or, without one, the input and the name of what
// it is about in it.
func (s *sarif) location(address string, src Source, input int) sarifLocation {
	p := s.r.place(src, input)
	out := sarifLocation{Physical: sarifPhysical{
		Artifact: sarifArtifact{URI: (&url.URL{Path: p.file}).String()},
		Region:   sarifRegion{StartLine: max(p.line, 1), StartColumn: p.column},
	}}
	if filepath.IsAbs(p.file) {
		out.Physical.Artifact.URI = (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(p.file, "/")}).String()
	}
	if address != "" {
		name := Source{Attribute: src.Attribute}
		if src.File == "" {
			name.Line, name.Column = src.Line, src.Column
		}
		out.Logical = []sarifLogical{{Name: printable(where(address, name)), Kind: "resource"}}
	}
	return out
}

// sarifText is a message without the links that the words of a plan could make.
func sarifText(s string) sarifMessage {
	return sarifMessage{Text: strings.ReplaceAll(printable(s), "](", "] (")}
}

// flow tells the hops of a chain that its verdict hangs on, if they were kept.
func (s *sarif) flow(f *Finding, p *Replay) []sarifCodeFlow {
	var steps []sarifStep
	for i := range p.Hops {
		h := &p.Hops[i]
		if h.Optional {
			continue
		}
		at, importance := s.location(f.Address, f.Source, f.Input), "important"
		if b := h.deciding(); b != nil {
			src := b.Source
			src.Attribute = "" // the name of the policy ends with it
			at = s.location(b.Policy, src, f.Input)
		}
		if h.Hop == p.BrokenHop && h.Verdict == p.Verdict {
			importance = "essential"
		}
		message := sarifText(fmt.Sprintf("Hop %d: %s by %s on %s: %s.", h.Hop, h.Action, h.Principal, h.Resource, words[h.Verdict.String()]))
		at.Message = &message
		steps = append(steps, sarifStep{at, importance})
	}
	if len(steps) == 0 {
		return nil
	}
	return []sarifCodeFlow{{ThreadFlows: []sarifThreadFlow{{Locations: steps}}}}
}

// notifications tell the remarks on the inputs that are chosen, and how many findings
// a limit left out.
func (s *sarif) notifications(chosen func(input int) bool, left int) []sarifNotification {
	var out []sarifNotification
	if left > 0 {
		out = append(out, sarifNotification{Level: "warning", Message: sarifMessage{
			Text: number(left, "finding is", "findings are") + " left out, the least grave ones, as GitHub takes no more; -o json lists all.",
		}})
	}
	for i := range s.r.Diagnostics {
		if d := &s.r.Diagnostics[i]; chosen(d.Input) {
			out = append(out, sarifNotification{
				Level: sarifLevel(d.Severity), Message: sarifText(d.Summary + ". " + d.Detail),
				Locations: []sarifLocation{s.location(d.Address, d.Source, d.Input)},
			})
		}
	}
	return out
}
