package main

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

const (
	schemaFile = "internal/report/schema.json"
	schemaID   = "https://github.com/tfguard/tfguard/schema/report-v1.json"
)

func schema(t *testing.T) (doc map[string]any, compiled *jsonschema.Schema) {
	t.Helper()
	content, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4) // the file must say its draft itself
	if err := c.AddResource(schemaID, doc); err != nil {
		t.Fatal(err)
	}
	compiled, err = c.Compile(schemaID)
	if err != nil {
		t.Fatal(err)
	}
	if compiled.DraftVersion != 2020 || doc["$id"] != schemaID {
		t.Errorf("the schema is of draft %d with $id %v", compiled.DraftVersion, doc["$id"])
	}
	return doc, compiled
}

func TestReportsMeetTheSchema(t *testing.T) {
	_, compiled := schema(t)
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			text, _, _ := reportOf(t, name)
			instance, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(instance); err != nil {
				t.Error(err)
			}
		})
	}
}

// The schema refuses what it must: otherwise the test above shows nothing.
func TestSchemaRefuses(t *testing.T) {
	_, compiled := schema(t)
	text, _, _ := reportOf(t, "cloudtrail-network-deny")
	at := func(v any, path ...any) any {
		for _, p := range path {
			switch p := p.(type) {
			case string:
				v = v.(map[string]any)[p]
			case int:
				v = v.([]any)[p]
			}
		}
		return v
	}
	object := func(r any, path ...any) map[string]any { return at(r, path...).(map[string]any) }
	for name, spoil := range map[string]func(r any){
		"another version":        func(r any) { object(r)["schema"] = "tfguard/report/v2" },
		"no such verdict":        func(r any) { object(r, "replays", 0)["verdict"] = "denied" },
		"verdict in capitals":    func(r any) { object(r, "replays", 0, "hops", 0)["verdict"] = "Allowed" },
		"missing verdict":        func(r any) { delete(object(r, "replays", 0), "verdict") },
		"missing summary":        func(r any) { delete(object(r), "summary") },
		"missing count":          func(r any) { delete(object(r, "summary", "verdicts"), "unknown") },
		"missing source":         func(r any) { delete(object(r, "findings", 0), "source") },
		"negative hop":           func(r any) { object(r, "replays", 0)["brokenHop"] = -1 },
		"line as text":           func(r any) { object(r, "findings", 0, "source")["line"] = "1" },
		"null list":              func(r any) { object(r)["groups"] = nil },
		"unknown field":          func(r any) { object(r, "replays", 0)["color"] = "red" },
		"unknown field, deep":    func(r any) { object(r, "findings", 0, "source")["offset"] = 1 },
		"no such severity":       func(r any) { object(r, "findings", 0)["severity"] = "fatal" },
		"no such kind":           func(r any) { object(r, "policies", 0)["kind"] = "acl" },
		"no such credentials":    func(r any) { object(r, "replays", 0, "hops", 0)["credentials"] = "root" },
		"number as context":      func(r any) { object(r, "replays", 0, "hops", 0, "context")["aws:x"] = 1 },
		"missing outcome":        func(r any) { delete(object(r, "replays", 0, "hops", 0, "because", 0), "outcome") },
		"replay without a place": func(r any) { delete(object(r, "replays", 0), "resourceAddress") },
	} {
		t.Run(name, func(t *testing.T) {
			instance, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			spoil(instance)
			if err := compiled.Validate(instance); err == nil {
				t.Error("the schema takes it")
			}
		})
	}
}

// Every object is closed but a hop's context, everything has a description of one
// sentence, and nothing is described that is not in the report, or the reverse.
func TestSchemaIsWhole(t *testing.T) {
	doc, _ := schema(t)
	defs := doc["$defs"].(map[string]any)
	used := map[string]bool{}
	types := map[reflect.Type]bool{}
	var fields func(name string, node map[string]any, of reflect.Type)
	fields = func(name string, node map[string]any, of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			if of.Kind() == reflect.Slice {
				node = node["items"].(map[string]any)
			}
			of = of.Elem()
		}
		if target, ok := strings.CutPrefix(text(node["$ref"]), "#/$defs/"); ok {
			used[target] = true
			node = defs[target].(map[string]any)
		}
		if of.Implements(reflect.TypeFor[json.Marshaler]()) {
			mark(node, defs, used) // it writes itself
			return
		}
		if of.Kind() != reflect.Struct {
			return
		}
		if types[of] {
			return
		}
		types[of] = true
		if node["additionalProperties"] != false {
			t.Errorf("%s is open", name)
		}
		properties := node["properties"].(map[string]any)
		required, _ := node["required"].([]any)
		for i := range of.NumField() {
			field, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			property, ok := properties[field].(map[string]any)
			if !ok {
				t.Errorf("%s.%s is not in the schema", name, field)
				continue
			}
			if slices.Contains(required, any(field)) == (options == "omitempty") {
				t.Errorf("%s.%s must be required unless it is left out when empty", name, field)
			}
			if d := text(property["description"]); !strings.HasSuffix(d, ".") || strings.Count(d, ". ") > 0 {
				t.Errorf("%s.%s: %q is not one sentence", name, field, d)
			}
			delete(properties, field)
			fields(name+"."+field, property, of.Field(i).Type)
		}
		for field := range properties {
			t.Errorf("%s.%s is in the schema alone", name, field)
		}
	}
	fields("report", doc, reflect.TypeFor[report.Report]())
	for name := range defs {
		if !used[name] {
			t.Errorf("$defs/%s is not used", name)
		}
	}
}

// mark notes which definitions a node of a schema refers to.
func mark(node any, defs map[string]any, used map[string]bool) {
	switch n := node.(type) {
	case map[string]any:
		if target, ok := strings.CutPrefix(text(n["$ref"]), "#/$defs/"); ok && !used[target] {
			used[target] = true
			mark(defs[target], defs, used)
		}
		for _, below := range n {
			mark(below, defs, used)
		}
	case []any:
		for _, below := range n {
			mark(below, defs, used)
		}
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// The same input gives the same bytes.
func TestReportIsDeterministic(t *testing.T) {
	for _, name := range []string{"unknowns", "modules-nested", "styles"} {
		first, _, _ := reportOf(t, name)
		second, _, _ := reportOf(t, name)
		if first != second {
			t.Errorf("%s: two reports differ", name)
		}
	}
}

// Sensitive values appear in no format.
func TestSensitiveValuesStayOut(t *testing.T) {
	const secret = "s3cr3t-external-id"
	const name = "sensitive"
	content, err := os.ReadFile("../../" + plan(name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, []byte(secret)) {
		t.Fatal("the plan does not hold the secret, so this test shows nothing")
	}
	late := fixtures.Path(t, "recovery/sensitive")
	for _, format := range report.Formats() {
		for _, args := range [][]string{
			{"../../" + plan(name)},
			{"--source", fixtures.Path(t, "terraform/"+name), "../../" + plan(name)},
			{fixtures.Path(t, "terraform/"+name+"/tfplan")},
			{"--source", late, late + "/plan.json"},
		} {
			got := tfguard(t, append([]string{"check", "-o", format}, args...)...)
			if strings.Contains(strings.ToLower(got.stdout+got.stderr), secret) {
				t.Errorf("-o %s %q shows the secret", format, args)
			}
		}
	}
}
