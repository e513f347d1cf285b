package rego

import (
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// schemaSet names the schema of the document schema.report, with the file in it.
func schemaSet(schema []byte) (*ast.SchemaSet, error) {
	set := ast.NewSchemaSet()
	if schema == nil {
		return set, nil
	}
	var report map[string]any
	if err := json.Unmarshal(schema, &report); err != nil {
		return nil, fmt.Errorf("the schema of the report: %w", err)
	}
	if properties, ok := report["properties"].(map[string]any); ok {
		for _, key := range fileKeys {
			properties[key] = map[string]any{}
		}
	}
	set.Put(ast.MustParseRef("schema.report"), report)
	return set, nil
}
