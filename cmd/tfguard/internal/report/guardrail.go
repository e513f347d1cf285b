package report

import (
	"fmt"
	"slices"
	"strings"
)

// A Guardrail is a rule of the team's that ran, with its manual where it has one.
type Guardrail struct {
	Rule  string `json:"rule"`
	Title string `json:"title"`
	// Description says what it holds, Rationale why, Remediation what to do.
	Description string `json:"description"`
	Rationale   string `json:"rationale"`
	Remediation string `json:"remediation"`
	// Related are the addresses of pages to read.
	Related []string `json:"related"`
	// Inputs are the indices of those that it ran on.
	Inputs []int `json:"inputs"`
}

// addGuardrail adds a rule that ran on an input. Definitions of one id have a manual in
// common, or none.
func (r *Report) addGuardrail(g Guardrail, input int) {
	have := r.guardrail(g.Rule)
	if have == nil {
		g.Inputs = []int{input}
		r.Guardrails = append(r.Guardrails, g)
		return
	}
	if !slices.Contains(have.Inputs, input) {
		have.Inputs = append(have.Inputs, input)
	}
	if have.Title != g.Title || have.text() != g.text() || !slices.Equal(have.Related, g.Related) {
		*have = Guardrail{Rule: g.Rule, Related: []string{}, Inputs: have.Inputs}
	}
}

// guardrail returns the guardrail with an id, nil for another's.
func (r *Report) guardrail(id string) *Guardrail {
	i := slices.IndexFunc(r.Guardrails, func(g Guardrail) bool { return g.Rule == id })
	if i < 0 {
		return nil
	}
	return &r.Guardrails[i]
}

// text is the manual without its title, a paragraph each.
func (g *Guardrail) text() string {
	return paragraphs(g.Description, g.Rationale, g.Remediation)
}

// markdown is the manual as Markdown, without its title.
func (g *Guardrail) markdown() string {
	todo := ""
	if g.Remediation != "" {
		todo = "**What to do:** " + g.Remediation
	}
	var related strings.Builder
	for _, link := range g.Related {
		fmt.Fprintf(&related, "- <%s>\n", link)
	}
	return paragraphs(g.Description, g.Rationale, todo, related.String())
}

// paragraphs joins texts that are not empty.
func paragraphs(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "\n\n")
}
