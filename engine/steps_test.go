package engine_test

import (
	"io/fs"
	"path"
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
	err := fs.WalkDir(fixtures.FS, "conformance", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			return err
		}
		node, err := yaml.Parse(text)
		if err != nil {
			return err
		}
		suite, _ := simulate.DecodeSuite(node)
		cases = append(cases, suite...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
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
