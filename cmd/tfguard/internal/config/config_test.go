package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/fixtures"
)

var options = config.Options{Flags: []string{"chains", "fail-on", "max-replays"}}

// A mistake is shown with the line it stands on and, for a name, what was meant.
func TestMistakes(t *testing.T) {
	t.Chdir(fixtures.Path(t, "config"))
	files, err := fs.Glob(fixtures.FS, "config/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".hcl")
		if name == "whole" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(name+".hcl", options)
			mistakes, ok := errors.AsType[*config.Error](err)
			if !ok {
				t.Fatalf("got the error %v", err)
			}
			if !strings.HasPrefix(mistakes.Error(), name+".hcl:") {
				t.Errorf("the error %q does not begin with its place", mistakes)
			}
			var got bytes.Buffer
			if err := mistakes.Write(&got, 0, false); err != nil {
				t.Fatal(err)
			}
			fixtures.Golden(t, "config/"+name+".txt", got.Bytes())
		})
	}
}

// What the file says is what one gets.
func TestWhole(t *testing.T) {
	t.Chdir(fixtures.Path(t, ""))
	c, err := config.Load("config/whole.hcl", options)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&got, format+"\n", args...) }
	line("account %s from %s, management %v, details %v", c.KnownAccount().Value, c.KnownAccount().From, c.Management, c.Details())
	line("organization %s %v", c.Organization, c.OrgPaths)
	for _, n := range c.Networks {
		line("network %s %v %v %v", n.Name, n.CIDRs, n.VPCs, n.Endpoints)
	}
	for _, p := range c.OrgPolicies {
		line("%s %s statement %s, attached to %v", p.Kind, p.ID, p.Statements[0].Sid, p.Targets)
	}
	line("detached %v", c.FullAccessDetached)
	for _, ch := range c.Chains {
		line("chain %s %q pattern %s from %s", ch.ID, ch.Title, ch.Pattern, ch.Entry)
		for _, h := range ch.Hops {
			line("  %d %s %v on %q by %q, service %q via %v, optional %v", h.Number, h.Credentials, h.Actions, h.Resource, h.Principal, h.Service, h.Via, h.Optional)
		}
	}
	for _, e := range c.Expectations {
		line("expect %q: %s %v %s %v %s at %s:%s", e.Sentence, e.Principal, e.Actions, e.Resource, e.Chains, e.Verdict, e.Origin, e.Range.Start)
	}
	for _, w := range c.Waivers {
		line("waive %s %s because %q, %s until %s, at %s:%s", w.Rule, w.Address, w.Reason, w.Owner, w.Expires, w.Origin, w.Range.Start)
	}
	line("readings %+v", c.Switches)
	for _, s := range c.Check {
		line("check %s %v", s.Flag, s.Values)
	}
	line("rego %v", c.Rego)
	for _, d := range c.Diagnostics {
		line("%s", d)
	}
	fixtures.Golden(t, "config/whole.txt", []byte(filepath.ToSlash(got.String())))
}

// Details that the file names are read anew for every input, since joining inputs
// changes them.
func TestDetails(t *testing.T) {
	file := filepath.Join(t.TempDir(), config.Name)
	details := fixtures.Path(t, "scenarios/account-details/account.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, "account {\n  authorization_details = %q\n}\n", details), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, second := c.Details(), c.Details()
	if first == second || len(first.Inventory.Principals) != 5 || len(second.Inventory.Principals) != 5 {
		t.Errorf("the details are %p and %p, with %d and %d principals", first, second, len(first.Inventory.Principals), len(second.Inventory.Principals))
	}
	if got := c.KnownAccount(); got.Value.String() != "123456789012" || got.From != details {
		t.Errorf("the account is %+v", got)
	}
}

func TestFind(t *testing.T) {
	if got, want := config.Find("some/folder"), ""; got != want {
		t.Errorf("found %q where there is nothing", got)
	}
	folder := fixtures.Path(t, "scenarios/step-functions")
	if got, want := config.Find(folder), filepath.Join(folder, config.Name); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if _, err := config.Load("missing/"+config.Name, config.Options{}); err == nil || !strings.Contains(err.Error(), "`tfguard init` writes one") {
		t.Errorf("a missing file: %v", err)
	}
}

// Whatever is in the file, it is read or refused.
func FuzzLoad(f *testing.F) {
	for _, text := range fixtures.Files(f, "config", ".hcl") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), config.Name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := config.Load(file, options); (c == nil) == (err == nil) {
			t.Errorf("got %v and the error %v", c, err)
		}
	})
}
