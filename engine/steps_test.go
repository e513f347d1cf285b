package engine_test

import (
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/simulate"
	"github.com/tfguard/tfguard/extract/yaml"
	"github.com/tfguard/tfguard/fixtures"
)

// The conformance suites hold every step of the evaluation logic: with any one of
// them switched off some case comes out otherwise.
func TestEveryStepIsHeld(t *testing.T) {
	var cases []simulate.Case
	for name, text := range fixtures.Files(t, "conformance", ".yaml") {
		node, err := yaml.Parse(text)
		if err != nil {
			t.Fatalf("%s:%v", name, err)
		}
		suite, _ := simulate.DecodeSuite(node)
		cases = append(cases, suite...)
	}
	for step := range engine.Steps {
		t.Run(step, func(t *testing.T) {
			for _, c := range cases {
				if c.Want != nil && engine.DecideWithout(step, c.Policies, c.Request) != *c.Want {
					return
				}
			}
			t.Error("no case needs this step")
		})
	}
}
