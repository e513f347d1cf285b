package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/hazard"
	"github.com/tfguard/tfguard/rego"
)

// A catalogued rule is a hazard or a guardrail with its manual.
type catalogued struct {
	ID string `json:"id"`
	// Code is the short form of the ID, empty for a rule that has none.
	Code        string   `json:"code"`
	Kind        string   `json:"kind"`
	Severity    string   `json:"severity"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Rationale   string   `json:"rationale"`
	Remediation string   `json:"remediation"`
	Related     []string `json:"related"`
	// Page is the title of the AWS page that a hazard follows.
	Page string `json:"page,omitempty"`
	// Before is a policy that the rule finds, and After the same policy mended.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func newRules(streams Streams) *cobra.Command {
	output := choice{"text", []string{"text", "json"}}
	cmd := &cobra.Command{
		Use:   "rules [list|show ID]",
		Short: "Lists and explains hazards and guardrails",
		Long: `rules lists what check can find: hazards, which are always looked for, and the
guardrails that come with tfguard, which check --profile chooses.`,
		Example: `  tfguard rules
  tfguard rules show no-direct-access`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return listRules(streams.Out, output.value) },
	}
	cmd.PersistentFlags().VarP(&output, "output", "o", "format: text, json")
	list := &cobra.Command{
		Use: "list", Short: "Lists the rules", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return listRules(streams.Out, output.value) },
	}
	show := &cobra.Command{
		Use: "show ID", Short: "Shows the manual of a rule, by its ID or code", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return showRule(streams.Out, args[0], output.value) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			rules, err := catalogue()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return ids(rules), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.AddCommand(list, show)
	return cmd
}

// catalogue returns the hazards and then the guardrails, each by their IDs.
func catalogue() ([]catalogued, error) {
	var out []catalogued
	for _, r := range hazard.Rules() {
		out = append(out, catalogued{
			ID: r.ID, Code: r.Code, Kind: "hazard", Severity: r.Severity.String(), Title: r.Title,
			Rationale: r.Rationale, Remediation: r.Remediation, Related: []string{},
			Page: r.Page, Before: json.RawMessage(r.Before), After: json.RawMessage(r.After),
		})
	}
	slices.SortStableFunc(out, func(a, b catalogued) int { return strings.Compare(a.ID, b.ID) })
	guardrails, err := rego.Shipped()
	for _, r := range guardrails {
		m := manualOf(r)
		out = append(out, catalogued{
			ID: m.Rule, Kind: "guardrail", Severity: r.Severity, Title: m.Title,
			Description: m.Description, Rationale: m.Rationale, Remediation: m.Remediation, Related: m.Related,
		})
	}
	return out, err
}

// flow joins the lines of a text.
func flow(s string) string { return strings.Join(strings.Fields(s), " ") }

func ids(rules []catalogued) []string {
	var out []string
	for _, r := range rules {
		out = append(out, r.ID)
	}
	return out
}

func listRules(w io.Writer, output string) error {
	rules, err := catalogue()
	if err != nil {
		return err
	}
	if output == "json" {
		return report.WriteJSON(w, rules)
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, r := range rules {
		switch {
		case i == 0:
			fmt.Fprintln(tab, "Hazards, always looked for")
		case r.Kind != rules[i-1].Kind:
			fmt.Fprintln(tab, "\nGuardrails, chosen by check --profile")
		}
		fmt.Fprintf(tab, "  %s\t%s\t%s\n", r.ID, r.Severity, r.Title)
	}
	return tab.Flush()
}

func showRule(w io.Writer, id, output string) error {
	rules, err := catalogue()
	if err != nil {
		return err
	}
	name := id
	if r, ok := hazard.Lookup(id); ok {
		name = r.ID // of its code
	}
	i := slices.IndexFunc(rules, func(r catalogued) bool { return r.ID == name })
	if i < 0 {
		return fmt.Errorf("there is no rule %q: there are %s", id, strings.Join(ids(rules), ", "))
	}
	r := rules[i]
	if output == "json" {
		return report.WriteJSON(w, r)
	}
	var b strings.Builder
	code := ""
	if r.Code != "" {
		code = " (" + r.Code + ")"
	}
	fmt.Fprintf(&b, "%s%s\n%s, %s\n\n%s.\n", r.ID, code, r.Kind, r.Severity, strings.TrimSuffix(r.Title, "."))
	for _, part := range []struct{ title, text string }{
		{"", r.Description}, {"Why", r.Rationale}, {"What to do", r.Remediation}, {"See", strings.Join(r.Related, " ")}, {"AWS documentation", r.Page},
	} {
		if part.text == "" {
			continue
		}
		b.WriteString("\n")
		if part.title != "" {
			fmt.Fprintf(&b, "%s\n", part.title)
		}
		for _, line := range fold(part.text) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	for _, example := range []struct {
		title  string
		policy json.RawMessage
	}{{"Before", r.Before}, {"After", r.After}} {
		if len(example.policy) > 0 {
			fmt.Fprintf(&b, "\n%s\n  %s\n", example.title, strings.ReplaceAll(report.Indented(string(example.policy)), "\n", "\n  "))
		}
	}
	if r.Kind == "guardrail" {
		fmt.Fprintf(&b, "\n  tfguard check --profile %s\n", r.ID)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// fold breaks a text at blanks into lines that are not longer than a terminal.
func fold(text string) []string {
	const width = 96
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = word
			continue
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
