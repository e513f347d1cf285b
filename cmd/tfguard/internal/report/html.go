package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/tfguard/tfguard/engine"
)

//go:embed page/page.html
var pageTemplate string

//go:embed page/style.css
var pageStyle string

//go:embed page/script.js
var pageScript string

const (
	htmlColumns = 24   // principals of a table
	htmlReplays = 2000 // replays that are listed with their hops
)

// page is the template of the page. Style and script are part of it, each allowed by
// its hash alone, so that nothing in a report can become either.
var page = template.Must(template.New("page").Parse(pageTemplate))

// HTML renders the report as one page that needs nothing else: chains as diagrams,
// tables of verdicts, findings, search and filters. It asks no host for anything.
func HTML(w io.Writer, r *Report, opts Options) error {
	r = r.withExpectations()
	var b strings.Builder
	if err := page.Execute(&b, newPageView(r, opts)); err != nil {
		return err
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

// pageView is what the template shows.
type pageView struct {
	Style    template.CSS
	Script   template.JS
	Policy   string // content security policy
	Title    string
	Grade    string // error, warning or fine
	Answer   string
	Verdicts []countView
	Version  string

	Inputs     []inputView
	Unreadable []string
	Changes    []changeView
	Expected   []expectView
	Findings   []findingView
	Severities []countView
	Tables     []tableView
	Unknowns   []unknownView
	Replays    []replayView
	Left       int // replays that are not listed
	Remarks    []string
}

type countView struct {
	Class, Name string
	Count       string
}

type inputView struct {
	Name, Format, Counts, Recovered string
	Incomplete                      []string
}

type changeView struct {
	Verb, Who, Action, On, Before, After string
	BeforeClass, AfterClass, Ways        string
	By                                   []string
}

type expectView struct{ Class, Word, Sentence, Reason string }

type findingView struct {
	ID                             string
	Severity, Rule, Title, Message string
	Place, Input, Remediation      string
	Further, Also                  []string
	Many                           string // how many further places there are, if they are folded away
	Waived, Why                    string
	Diagram                        *diagramView
}

type tableView struct {
	Input, Address, ARN string
	Others              []string
	Columns             []columnView
	Rows                []rowView
	Services            []serviceView
	Notes               []string
}

type columnView struct{ Name, Address string }

type rowView struct {
	Actions string
	Span    int // how many rows the actions head, 0 for none
	Chain   string
	Cells   []cellView
}

type cellView struct{ Class, Words, Title string }

type serviceView struct {
	Chain, Principal, Actions string
	Cell                      cellView
}

type unknownView struct{ Verdicts, On string }

type replayView struct {
	Class, Verdict, Chain, Action, Who, On string
	Hops                                   []stepView
}

// A stepView is a call of a diagram, or of a replay, in words.
type stepView struct {
	Number                         int
	Class, Action, Who, On, Result string
	Times                          string
}

func newPageView(r *Report, opts Options) *pageView {
	v := &pageView{
		Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Policy: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", hash(pageStyle), hash(pageScript)),
		Title:  r.answer(opts), Answer: r.answer(opts), Grade: "fine", Version: opts.Version, Remarks: r.remarks(),
	}
	switch s := r.Summary.Findings; {
	case s.Error > 0 || r.Summary.Expectations.Failed > 0 || len(r.Unreadable) > 0 || opts.Fails(r):
		v.Grade = "error"
	case s.Warning > 0:
		v.Grade = "warning"
	}
	n := r.Summary.Verdicts
	v.Verdicts = counted([]countView{
		{"allowed", "allowed", thousands(n.Allowed)}, {"implicitDeny", "implicit deny", thousands(n.ImplicitDeny)},
		{"explicitDeny", "explicit deny", thousands(n.ExplicitDeny)}, {"unknown", "unknown", thousands(n.Unknown)},
	})
	f := r.Summary.Findings
	v.Severities = counted([]countView{
		{"error", "errors", thousands(f.Error + r.Summary.Expectations.Failed)}, {"warning", "warnings", thousands(f.Warning)}, {"info", "remarks", thousands(f.Info)}, {"waived", "waived", thousands(r.Summary.Waived)},
	})
	for i := range r.Inputs {
		in := &r.Inputs[i]
		v.Inputs = append(v.Inputs, inputView{Name: inputName(in.Path), Format: in.Format, Counts: in.counts(), Recovered: r.recovered(i), Incomplete: in.Incomplete})
	}
	for _, u := range r.Unreadable {
		v.Unreadable = append(v.Unreadable, u.Message)
	}
	for _, a := range r.accesses() {
		v.Changes = append(v.Changes, changeView{
			Verb: a.verb(), Who: cmp.Or(a.PrincipalAddress, a.Principal), Action: a.Action, On: cmp.Or(a.ResourceAddress, a.Resource),
			Before: words[a.Before.String()], After: words[a.After.String()], BeforeClass: a.Before.String(), AfterClass: a.After.String(),
			Ways: a.through(strings.Clone, strings.Clone), By: statements(a.Because),
		})
	}
	for i := range r.Expectations {
		e := &r.Expectations[i]
		x := expectView{"allowed", "holds", r.of(e.Input) + e.Sentence, e.Reason}
		if !e.Pass {
			x.Class, x.Word = "explicitDeny", "failed"
		}
		v.Expected = append(v.Expected, x)
	}
	for n, i := range r.gravestFirst() {
		v.Findings = append(v.Findings, r.findingView(&r.Findings[i], n+1))
	}
	for _, matrices := range r.matrices(htmlColumns) {
		for _, c := range classify(matrices, true) {
			v.Tables = append(v.Tables, c.view())
		}
	}
	for _, u := range r.unknowns() {
		v.Unknowns = append(v.Unknowns, unknownView{thousands(u.verdicts), u.on})
	}
	for i := range r.Replays[:min(len(r.Replays), htmlReplays)] {
		v.Replays = append(v.Replays, r.Replays[i].view())
	}
	v.Left = len(r.Replays) - len(v.Replays)
	return v
}

// hash is how a content security policy names a style or script.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// counted leaves out what there is none of.
func counted(all []countView) []countView {
	var out []countView
	for _, c := range all {
		if c.Count != "0" {
			out = append(out, c)
		}
	}
	return out
}

func (r *Report) findingView(f *Finding, number int) findingView {
	v := findingView{
		ID: fmt.Sprintf("finding-%d", number), Severity: f.Severity, Rule: f.Rule, Title: f.Rule, Message: f.Message,
		Place: where(f.Address, f.Source), Remediation: f.Remediation, Also: f.Also,
	}
	for _, p := range f.elsewhere() {
		v.Further = append(v.Further, p.name)
	}
	if n := len(v.Further); n > shownPlaces {
		v.Many = thousands(n) + " more places"
	}
	if rule := manual(f.Rule); rule != nil {
		v.Title = rule.Title
	}
	if len(r.Inputs) > 1 {
		v.Input = inputName(r.Inputs[f.Input].Path)
	}
	if f.Waived != nil {
		v.Severity, v.Waived = "waived", f.Waived.String()
	}
	if f.Replay != nil {
		p := &r.Replays[*f.Replay]
		v.Why = strings.Join(r.explainCommand(p), " ")
		v.Diagram = p.diagram(v.ID)
	}
	return v
}

func (c *class) view() tableView {
	m := c.members[0]
	v := tableView{Address: m.address, ARN: m.arn}
	for _, other := range c.members[1:] {
		v.Others = append(v.Others, other.address)
	}
	for _, col := range m.columns {
		name := col.name
		if col.like > 1 {
			name += " and " + number(col.like-1, "more", "more")
		}
		v.Columns = append(v.Columns, columnView{name, col.address})
	}
	for _, actions := range m.sections(m.columns) {
		if len(m.columns) == 0 {
			v.Notes = append(v.Notes, strings.Join(actions, ", "))
			continue
		}
		span := len(m.chains)
		for _, chain := range m.chains {
			row := rowView{Actions: strings.Join(actions, ", "), Span: span, Chain: chain}
			for _, col := range m.columns {
				cell := m.cells[spot{chain, actions[0], col}].view()
				cell.Title = fmt.Sprintf("%s, %s: %s", cmp.Or(col.address, col.name), chain, cell.Words)
				row.Cells = append(row.Cells, cell)
			}
			span = 0
			v.Rows = append(v.Rows, row)
		}
	}
	for _, s := range m.services {
		v.Services = append(v.Services, serviceView{s.chain, s.principal, strings.Join(s.actions, ", "), s.cell.view()})
	}
	if m.like > 1 {
		v.Notes = append(v.Notes, number(m.like-1, "other resource comes", "other resources come")+" out alike.")
	}
	if m.left > 0 {
		v.Notes = append(v.Notes, number(m.left, "more principal is", "more principals are")+" not shown.")
	}
	if m.quiet {
		v.Notes = append(v.Notes, "The stand-ins are allowed on every chain.")
	}
	return v
}

func (c cell) view() cellView {
	if !c.replayed {
		return cellView{Class: "none", Words: "–"}
	}
	return cellView{Class: c.verdict.String(), Words: c.words(false)}
}

func (r *Replay) view() replayView {
	v := replayView{
		Class: r.Verdict.String(), Verdict: words[r.Verdict.String()], Chain: r.Chain, Action: r.Action,
		Who: cmp.Or(r.PrincipalAddress, r.Principal), On: cmp.Or(r.ResourceAddress, r.Resource),
	}
	if r.BrokenHop > 0 {
		v.Verdict += fmt.Sprintf(" at hop %d", r.BrokenHop)
	}
	for i, c := range r.sequence().calls {
		v.Hops = append(v.Hops, c.view(i+1))
	}
	return v
}

func (c call) view(number int) stepView {
	v := stepView{
		Number: number, Class: c.Verdict.String(), Action: c.Action, Who: c.Principal, On: c.Resource,
		Result: words[c.Verdict.String()] + ": " + c.by(),
	}
	if c.times > 1 {
		v.Times = fmt.Sprintf("%d calls", c.times)
	}
	if c.Verdict == engine.Allowed {
		v.Result = "allowed by " + c.by()
	}
	return v
}
