package rego

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// located turns an error of OPA into plain errors that begin with file:line:column.
func located(err error) error {
	if list, ok := errors.AsType[ast.Errors](err); ok {
		var out []error
		list.Sort()
		said := map[string]bool{}
		for _, e := range list {
			// A definition is compiled again under a name of its own.
			if err := one(e.Location, e.Message, e.Details); !said[err.Error()] {
				said[err.Error()] = true
				out = append(out, err)
			}
		}
		return errors.Join(out...)
	}
	if e, ok := errors.AsType[*ast.Error](err); ok {
		return one(e.Location, e.Message, e.Details)
	}
	if e, ok := errors.AsType[*topdown.Error](err); ok {
		return one(e.Location, e.Message, nil)
	}
	return err
}

// copies are the names of copies of rules, as far as they are not those of the rules.
var copies = regexp.MustCompile(definition + "[0-9]+")

func one(at *ast.Location, message string, details ast.ErrorDetails) error {
	message = copies.ReplaceAllString(message, "")
	if name, ok := strings.CutPrefix(message, "undefined function "); ok {
		if why := refused(name); why != "" {
			message = why
		}
	} else if details != nil {
		lines := []string{message}
		for _, line := range details.Lines() {
			lines = append(lines, "    "+strings.TrimRight(line, " \t"))
		}
		message = strings.Join(lines, "\n")
	}
	if at == nil || at.File == "" {
		return errors.New(message)
	}
	return fmt.Errorf("%s: %s", place(at), message)
}

func place(at *ast.Location) string {
	return fmt.Sprintf("%s:%d:%d", at.File, at.Row, at.Col)
}
