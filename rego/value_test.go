package rego

import (
	"bytes"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/tfguard/tfguard/fixtures"
)

// What is built token by token is what OPA itself makes of the text.
func TestBuilderReadsJSONAsOPA(t *testing.T) {
	texts := [][]byte{
		[]byte(`{"a":[1,2.50,-1e3,true,false,null,"x\n\u00e9\"",{}],"é":"","long":"` + strings.Repeat("y", 100) + `"}`),
		[]byte(`[]`), []byte(`"a\\b"`),
		fixtures.Read(t, "terraform/styles/plan.json"),
	}
	for _, text := range texts {
		got, err := newBuilder(bytes.NewReader(text)).whole(everything)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ast.ValueFromReader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got.Value.Compare(want) != 0 {
			t.Errorf("%.60s: got %.200s, want %.200s", text, got.Value, want)
		}
	}
	for _, text := range []string{``, `{`, `[1,`, `{"a" 1}`, `{} {}`, `"x`} {
		if got, err := newBuilder(strings.NewReader(text)).whole(everything); err == nil {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

// Of an object only what is mentioned is built.
func TestBuilderSkipsWhatIsNotMentioned(t *testing.T) {
	const text = `{"a": {"x": 1, "y": [{"z": 2, "u": 3}]}, "b": [1], "c": {"d": 4}}`
	for mentioned, want := range map[string]string{
		"input":             text,
		"input.a":           `{"a": {"x": 1, "y": [{"z": 2, "u": 3}]}}`,
		"input.a.y":         `{"a": {"y": [{"z": 2, "u": 3}]}}`,
		"input.a.y[_].z":    `{"a": {"y": [{"z": 2, "u": 3}]}}`,
		"input.b input.c":   `{"b": [1], "c": {"d": 4}}`,
		"input.c input.c.d": `{"c": {"d": 4}}`,
		"input.c.e":         `{"c": {}}`,
		"input.nothing":     `{}`,
		"input[_].y":        text,
	} {
		k := &keys{}
		for ref := range strings.FieldsSeq(mentioned) {
			path, _ := ast.ParseRef(ref)
			if path == nil {
				path = ast.Ref{ast.InputRootDocument}
			}
			k.add(path[1:])
		}
		got, err := newBuilder(strings.NewReader(text)).whole(k)
		if err != nil {
			t.Fatal(err)
		}
		if want := ast.MustParseTerm(want); !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", mentioned, got, want)
		}
	}
}
