package configuration_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract/terraform/configuration"
	"github.com/tfguard/tfguard/fixtures"
)

// emptyPlan tells nothing.
type emptyPlan struct{}

func (emptyPlan) Variable(string) (any, bool) { return nil, false }

func (emptyPlan) Instances(string, string) ([]configuration.Instance, bool) { return nil, false }

func (emptyPlan) CallKeys(string, string) []any { return nil }

// A configuration under review is not to be trusted: whatever it holds, evaluating it
// ends, and makes no program fail.
func FuzzEvaluate(f *testing.F) {
	for _, text := range fixtures.Files(f, "recovery", ".tf") {
		f.Add(string(text))
	}
	for _, text := range fixtures.Files(f, "recovery", ".tf.json") {
		f.Add(string(text))
	}
	for _, text := range []string{
		"resource \"random_id\" \"a\" { count = length(random_id.a) }\nresource \"aws_iam_policy\" \"this\" { policy = random_id.a[0].hex }",
		"module \"m\" {\n source = \"./\"\n for_each = module.m\n}\nresource \"aws_iam_policy\" \"this\" { policy = module.m[\"a\"].x }",
		"locals { a = local.b \n b = local.a }\nresource \"aws_iam_policy\" \"this\" { policy = local.a }",
		"module \"m\" { source = \"./\" }\noutput \"o\" { value = module.m.o }\nresource \"aws_iam_policy\" \"this\" { policy = module.m.o }",
		"resource \"aws_iam_policy\" \"this\" { policy = templatestring(\"%{ for x in [1] }$${x}%{ endfor }\", {}) }",
		"resource \"aws_iam_policy\" \"this\" { policy = jsonencode(setproduct([1,2], toset([random_id.a.hex]), [null])) }",
		"resource \"aws_iam_policy\" \"this\" { policy = { (random_id.a.hex) = [for k, v in aws_x.y : v...] }[random_id.b.id] }",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name := "m-/main.tf"
		if strings.HasPrefix(text, "{") {
			name += ".json"
		}
		src, err := configuration.FromPlanFile(fstest.MapFS{name: {Data: []byte(text)}}, "")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = src.Blocks(src.Modules()[0])
		e := configuration.New(src, emptyPlan{})
		place := configuration.Place{Block: "aws_iam_policy.this"}
		p := e.Policy(place, "", "policy", nil)
		if p.Tree != nil {
			if _, err := p.Tree.MarshalJSON(); err != nil {
				t.Fatal(err)
			}
		}
		e.Policy(place, "inline_policy", "policy", func(int, symbol.Text) bool { return true })
		e.Texts(place, "name")
	})
}
