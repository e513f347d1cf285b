package simulate_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/simulate"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract/yaml"
	"github.com/tfguard/tfguard/fixtures"
)

// A suiteCase is a case of the conformance suites and the file it stands in.
type suiteCase struct {
	simulate.Case
	file string
}

// conformance reads all suites of fixtures/conformance.
func conformance(t testing.TB) []suiteCase {
	t.Helper()
	var out []suiteCase
	for name, text := range fixtures.Files(t, "conformance", ".yaml") {
		out = append(out, suite(t, name, text)...)
	}
	return out
}

func suite(t testing.TB, name string, text []byte) []suiteCase {
	t.Helper()
	node, err := yaml.Parse(text)
	if err != nil {
		t.Fatalf("%s:%v", name, err)
	}
	cases, diags := simulate.DecodeSuite(node)
	for _, d := range diags {
		if d.Severity == source.Error {
			t.Errorf("%s:%s: %s", name, d.Range.Start, d.Detail)
		}
	}
	var out []suiteCase
	for _, c := range cases {
		out = append(out, suiteCase{c, name})
	}
	return out
}

// Every case of the conformance suites comes out as AWS documents it, with the
// reason, and says which page it follows.
func TestConformance(t *testing.T) {
	cases := conformance(t)
	ids := map[string]bool{}
	for _, c := range cases {
		switch {
		case c.ID == "" || ids[c.file+c.ID]:
			t.Errorf("%s: the id %q is missing or stands twice", c.file, c.ID)
		case len(c.Refs) == 0:
			t.Errorf("%s: %s names no page", c.file, c.ID)
		case c.Want == nil:
			t.Errorf("%s: %s wants nothing", c.file, c.ID)
		}
		ids[c.file+c.ID] = true
		for _, missed := range c.Answer().Missed {
			t.Errorf("%s: %s: %s", c.file, c.ID, missed)
		}
	}
	if len(cases) < 600 {
		t.Errorf("got %d cases, want 600 or more", len(cases))
	}
}

// A policy that is written and read again decides as before.
func TestConformanceRewritten(t *testing.T) {
	rewritten := func(docs []policy.Attached) []policy.Attached {
		out := slices.Clone(docs)
		for i := range out {
			text, err := out[i].MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			read, _ := policy.Parse(text, out[i].ID, out[i].Kind, out[i].Origin)
			read.Grant = out[i].Grant // which no text says
			out[i].Document = read
		}
		return out
	}
	for _, c := range conformance(t) {
		p := *c.Policies
		for _, docs := range []*[]policy.Attached{&p.Identity, &p.Boundary, &p.Session, &p.Resource, &p.VPCEndpoint} {
			*docs = rewritten(*docs)
		}
		if p.Bucket != nil {
			p.Bucket = &engine.Bucket{Resource: p.Bucket.Resource, Policies: rewritten(p.Bucket.Policies)}
		}
		for _, levels := range []*[]engine.Level{&p.SCP, &p.RCP} {
			*levels = slices.Clone(*levels)
			for i := range *levels {
				(*levels)[i] = rewritten((*levels)[i])
			}
		}
		c.Policies = &p
		for _, missed := range c.Answer().Missed {
			t.Errorf("%s: %s: %s", c.file, c.ID, missed)
		}
	}
}

// rule is the number of the rule that a case begins with, such as B10.
var rule = regexp.MustCompile(`^([ABC][0-9]+|V[0-9]{2})`)

// A rule counts as held if the reason is asserted too, not the verdict alone.
func TestConformanceAssertsReasons(t *testing.T) {
	reasons := map[string]bool{}
	for _, c := range conformance(t) {
		if number := rule.FindString(strings.ToUpper(c.ID)); number != "" && len(c.Because)+len(c.Unknown) > 0 {
			reasons[number] = true
		}
	}
	if len(reasons) < 60 {
		t.Errorf("the reasons of %d rules are asserted, want 60 or more", len(reasons))
	}
}
