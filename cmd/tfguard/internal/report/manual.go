package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tfguard/tfguard/engine/hazard"
)

// Manual renders the manual of a rule as Markdown, without its title: for the help of
// code scanning and the documentation.
func Manual(rule *hazard.Rule) string {
	var b strings.Builder
	b.WriteString(rule.Rationale + "\n\n**What to do:** " + rule.Remediation + "\n")
	if rule.Before != "" {
		fmt.Fprintf(&b, "\nBefore:\n\n```json\n%s\n```\n", Indented(rule.Before))
	}
	if rule.After != "" {
		fmt.Fprintf(&b, "\nAfter:\n\n```json\n%s\n```\n", Indented(rule.After))
	}
	if rule.Page != "" {
		fmt.Fprintf(&b, "\nAWS documentation: *%s*.\n", rule.Page)
	}
	return b.String()
}

// Indented lays out a policy for people.
func Indented(policy string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(policy), "", "  ") != nil {
		return policy // another grammar
	}
	return strings.TrimSpace(b.String())
}

// manual returns the rule of the catalogue with an ID, nil for another's.
func manual(id string) *hazard.Rule {
	for _, rule := range hazard.Rules() {
		if rule.ID == id {
			return rule
		}
	}
	return nil
}
