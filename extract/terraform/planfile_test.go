package terraform

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/fixtures"
)

// planFiles are the cases that have their plan in both forms.
func planFiles(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(fixtures.FS, "terraform/*/tfplan")
	if err != nil {
		t.Fatal(err)
	}
	others, err := fs.Glob(fixtures.FS, "[rw]*/*/tfplan") // recovery and world
	if err != nil {
		t.Fatal(err)
	}
	var cases []string
	for _, name := range append(files, others...) {
		cases = append(cases, name[:len(name)-len("/tfplan")])
	}
	if len(cases) < 14 {
		t.Fatalf("%d binary plans", len(cases))
	}
	return cases
}

func readPlanFile(t *testing.T, content []byte) (*extract.Result, error) {
	t.Helper()
	return ReadPlanFile(t.Context(), bytes.NewReader(content), int64(len(content)), "tfplan", Options{})
}

// Documents are compared as they are written, with their places, and texts as they are.
var (
	byText = cmp.Transformer("document", func(d *policy.Document) string {
		if d == nil {
			return ""
		}
		text, err := json.Marshal(d)
		var places []source.Range
		for i := range d.Statements {
			st := &d.Statements[i]
			places = append(places, st.Range, st.Actions.Range)
		}
		return fmt.Sprintf("%s (%s, %v, %v, %q, sensitive %v): %s %v %v", d.ID, d.Kind, d.Origin, d.Range, d.Unread, d.Sensitive, text, err, places)
	})
	byValue = cmp.Comparer(func(a, b symbol.Text) bool { return a == b })
)

// A plan comes to the same inventory in both forms.
func TestPlanFileIsThePlan(t *testing.T) {
	for _, name := range planFiles(t) {
		t.Run(name, func(t *testing.T) {
			got, err := readPlanFile(t, fixtures.Read(t, name+"/tfplan"))
			if err != nil {
				t.Fatal(err)
			}
			content := fixtures.Read(t, name+"/tfplan")
			files, _, err := Configuration(t.Context(), bytes.NewReader(content), int64(len(content)), "tfplan")
			if err != nil {
				t.Fatal(err)
			}
			want, err := Read(t.Context(), bytes.NewReader(fixtures.Read(t, name+"/plan.json")), "plan.json", Options{Configuration: files})
			if err != nil {
				t.Fatal(err)
			}
			if len(want.Inventory.Policies) == 0 {
				t.Error("the plan has no policies")
			}
			if diff := cmp.Diff(want.Inventory, got.Inventory, byText, byValue); diff != "" {
				t.Errorf("the inventory differs (-JSON +binary):\n%s", diff)
			}
			if !reflect.DeepEqual(got.Diagnostics, want.Diagnostics) {
				t.Errorf("diagnostics:\n got %v\nwant %v", got.Diagnostics, want.Diagnostics)
			}
		})
	}
}

// The configuration is read into what a plan in JSON says of it.
func TestSnapshotIsTheConfiguration(t *testing.T) {
	for _, name := range planFiles(t) {
		content := fixtures.Read(t, name+"/tfplan")
		got, want := newPlan(), newPlan()
		if _, err := got.readFile(t.Context(), bytes.NewReader(content), int64(len(content))); err != nil {
			t.Fatal(err)
		}
		if err := want.read(t.Context(), bytes.NewReader(fixtures.Read(t, name+"/plan.json")), "plan.json"); err != nil {
			t.Fatal(err)
		}
		sameModule(t, name, got.root, want.root)
		if got, want := sortedKeys(got.providers), sortedKeys(want.providers); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: providers %q, want %q", name, got, want)
		}
	}
}

func sameModule(t *testing.T, where string, got, want *module) {
	t.Helper()
	sameExpressions(t, where+" arguments", got.arguments, want.arguments)
	sameExpressions(t, where+" outputs", got.outputs, want.outputs)
	if !reflect.DeepEqual(got.defaults, want.defaults) || !reflect.DeepEqual(got.sensitive, want.sensitive) {
		t.Errorf("%s: variables %v %v, want %v %v", where, got.defaults, got.sensitive, want.defaults, want.sensitive)
	}
	if got, want := sortedKeys(got.resources), sortedKeys(want.resources); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: resources %q, want %q", where, got, want)
	}
	for name, r := range want.resources {
		if got.resources[name].provider != r.provider {
			t.Errorf("%s %s: provider %q, want %q", where, name, got.resources[name].provider, r.provider)
		}
		sameExpressions(t, where+" "+name, got.resources[name].expressions, r.expressions)
		sameForEach(t, where+" "+name, got.resources[name].forEach, r.forEach)
	}
	if got, want := sortedKeys(got.calls), sortedKeys(want.calls); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: calls %q, want %q", where, got, want)
	}
	for name, child := range want.calls {
		sameForEach(t, where+" "+name, got.calls[name].forEach, child.forEach)
		sameModule(t, where+" "+name, got.calls[name], child)
	}
}

func sameForEach(t *testing.T, where string, got, want *expression) {
	t.Helper()
	if (got == nil) != (want == nil) {
		t.Errorf("%s: for_each %v, want %v", where, got, want)
	} else if got != nil {
		sameExpressions(t, where, map[string]expression{"for_each": *got}, map[string]expression{"for_each": *want})
	}
}

func sameExpressions(t *testing.T, where string, got, want map[string]expression) {
	t.Helper()
	if got, want := sortedKeys(got), sortedKeys(want); !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %q, want %q", where, got, want)
		return
	}
	for name, w := range want {
		g := got[name]
		if g.isConstant != w.isConstant || !reflect.DeepEqual(g.constant, w.constant) || !reflect.DeepEqual(leaves(g.references), leaves(w.references)) || len(g.blocks) != len(w.blocks) {
			t.Errorf("%s %s: %+v, want %+v", where, name, g, w)
			continue
		}
		for i := range w.blocks {
			sameExpressions(t, where+" "+name, g.blocks[i], w.blocks[i])
		}
	}
}

// A configuration that cannot be read is no reason to refuse the plan.
func TestPlanFileWithBadConfiguration(t *testing.T) {
	for name, edit := range map[string]func(name string) (text string, keep bool){
		"HCL":      func(name string) (string, bool) { return "resource {", name != "tfconfig/m-/main.tf" },
		"manifest": func(name string) (string, bool) { return "[", name != "tfconfig/modules.json" },
		"depth": func(name string) (string, bool) {
			return "locals {\n  a = " + string(bytes.Repeat([]byte("("), 100_000)) + "\n}\n", name != "tfconfig/m-/main.tf"
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readPlanFile(t, edited(t, fixtures.Read(t, "terraform/athena-blog-literal/tfplan"), edit))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Inventory.Principals) != 1 || len(got.Inventory.Resources) != 1 {
				t.Errorf("%d principals, %d resources", len(got.Inventory.Principals), len(got.Inventory.Resources))
			}
			if len(got.Diagnostics) == 0 || got.Diagnostics[0].Summary != "Configuration not read" {
				t.Errorf("diagnostics %v", got.Diagnostics)
			}
		})
	}
}

// edited is an archive with other texts in some files.
func edited(t *testing.T, content []byte, edit func(name string) (text string, keep bool)) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range in.File {
		text, keep := edit(f.Name)
		if keep {
			err = w.Copy(f)
		} else if into, e := w.Create(f.Name); e != nil {
			err = e
		} else {
			_, err = into.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPlanFileRefuses(t *testing.T) {
	for name, newer := range map[string]bool{"plan-file-newer": true, "plan-file-truncated": false, "plan-file-damaged": false} {
		_, err := readPlanFile(t, fixtures.Read(t, "invalid/"+name+"/tfplan"))
		var in *InputError
		if !errors.As(err, &in) || in.Format != PlanFile || in.Newer != newer {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	content := fixtures.Read(t, "terraform/styles/tfplan")
	if _, err := ReadPlanFile(ctx, bytes.NewReader(content), int64(len(content)), "tfplan", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
