package condition_test

import (
	"testing"

	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/simulate"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract/yaml"
	"github.com/tfguard/tfguard/fixtures"
)

// The conformance suites hold every operator: with any one of them broken some
// case comes out otherwise.
func TestEveryOperatorIsHeld(t *testing.T) {
	var suites []*source.Node
	for name, text := range fixtures.Files(t, "conformance/condition", ".yaml") {
		node, err := yaml.Parse(text)
		if err != nil {
			t.Fatalf("%s:%v", name, err)
		}
		suites = append(suites, node)
	}
	if failed := failures(suites); failed != 0 {
		t.Fatalf("%d cases fail with all operators whole", failed)
	}
	for _, b := range condition.Bases() {
		t.Run(string(b), func(t *testing.T) {
			defer condition.Break(b)()
			if failures(suites) == 0 {
				t.Error("no case needs this operator")
			}
		})
	}
}

// failures counts the cases that do not come out as wanted.
func failures(suites []*source.Node) int {
	n := 0
	for _, s := range suites {
		cases, _ := simulate.DecodeSuite(s)
		for i := range cases {
			if a := cases[i].Answer(); a.Pass != nil && !*a.Pass {
				n++
			}
		}
	}
	return n
}
