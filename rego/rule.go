package rego

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A Rule is a guardrail with its manual.
type Rule struct {
	// ID is the custom.id of its metadata, or its path, such as main.deny_tags.
	ID string
	// Namespace is its package without "data.", Name that of the rule.
	Namespace, Name string
	Title           string
	// Severity is error, warning or info: custom.severity, else error for deny and
	// violation, warning for warn.
	Severity string
	// Description is what it holds, Rationale (custom.rationale) why, Remediation
	// (custom.remediation) what to do.
	Description, Rationale, Remediation string
	// Related are pages to read.
	Related []Link
	// File and Line are the place of the definition.
	File string
	Line int
}

// A Link is a page about a rule.
type Link struct{ URL, Description string }

// severities are the words of custom.severity, in tfguard's and in other tools' terms.
var severities = map[string]string{
	"error": "error", "critical": "error", "high": "error",
	"warning": "warning", "medium": "warning",
	"info": "info", "low": "info", "note": "info", "unknown": "info",
}

// describe reads the metadata of a rule; what is nearer to the rule counts before
// what its package says.
func describe(m *ast.Module, r *ast.Rule, set *ast.AnnotationSet) (*Rule, error) {
	name := string(r.Head.Name)
	out := &Rule{
		Namespace: namespace(m), Name: name, Severity: "error",
		File: r.Location.File, Line: r.Location.Row,
	}
	if warns.MatchString(name) {
		out.Severity = "warning"
	}
	severity := ""
	for _, ref := range set.Chain(r) {
		a := ref.Annotations
		if a == nil {
			continue
		}
		set := func(field *string, value any) {
			if s, ok := value.(string); ok && *field == "" {
				*field = strings.TrimSpace(s)
			}
		}
		set(&out.Title, a.Title)
		set(&out.Description, a.Description)
		set(&out.ID, a.Custom["id"])
		set(&out.Rationale, a.Custom["rationale"])
		set(&out.Remediation, a.Custom["remediation"])
		set(&severity, a.Custom["severity"])
		if len(out.Related) == 0 {
			for _, l := range a.RelatedResources {
				out.Related = append(out.Related, Link{l.Ref.String(), l.Description})
			}
		}
	}
	if out.ID == "" {
		out.ID = out.Namespace + "." + name
	}
	if severity != "" {
		word, ok := severities[strings.ToLower(severity)]
		if !ok {
			return nil, fmt.Errorf("%s: %q is no severity: there are error, warning and info", place(r.Head.Location), severity)
		}
		out.Severity = word
	}
	return out, nil
}
