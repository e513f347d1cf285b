package cloudformation_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/cloudformation"
	"github.com/tfguard/tfguard/fixtures"
)

// What each input comes to stands beside it: facts, principals, resources, the
// policies with where they stand and what they are attached to, and the remarks.
func TestInventories(t *testing.T) {
	for _, name := range []string{
		"cdk/Data.template.json", "change-set/change-set.json", "change-set/with-template.json",
		"change-set/previous.json", "change-set/parameters.json", "change-set/property-values.json",
		"condition/template.yaml", "hook/resource.json", "hook/stack.json", "nested/template.yaml", "sam/template.yaml",
	} {
		t.Run(name, func(t *testing.T) {
			file := path.Join("cloudformation", name)
			dir := fixtures.Path(t, path.Dir(file))
			res, err := cloudformation.Read(context.Background(), bytes.NewReader(fixtures.Read(t, file)), file, cloudformation.Options{
				ManagedPolicy: managed, Before: true,
				ReadFile: func(p string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, filepath.FromSlash(p))) },
			})
			if err != nil {
				t.Fatal(err)
			}
			text := inventory(res)
			if res.Before != nil {
				text += "\nbefore the change\n" + inventory(&extract.Result{Inventory: res.Before})
			}
			fixtures.Golden(t, strings.TrimSuffix(file, path.Ext(file))+".inventory.txt", []byte(text))
		})
	}
}

func inventory(res *extract.Result) string {
	var b strings.Builder
	inv := res.Inventory
	fmt.Fprintf(&b, "%s, %d changes\n", res.Format, inv.Changes)
	for _, f := range []extract.Fact{inv.Account, inv.Partition, inv.Region} {
		fmt.Fprintf(&b, "%s (%s)\n", f.Value, f.From)
	}
	for _, line := range inv.Incomplete {
		fmt.Fprintf(&b, "incomplete: %s\n", line)
	}
	attached := func(what string, list []policy.Attached) {
		for _, a := range list {
			fmt.Fprintf(&b, "  %s %s", what, a.ID)
			if a.Why != "" {
				fmt.Fprintf(&b, " (%s)", a.Why)
			}
			b.WriteString("\n")
		}
	}
	for _, p := range inv.Principals {
		fmt.Fprintf(&b, "%s %s %s\n", p.Kind, p.Address, p.ARN)
		attached("has", p.Identity)
		attached("boundary", p.Boundary)
		if p.Trust != nil {
			fmt.Fprintf(&b, "  trust %s\n", p.Trust.ID)
		}
	}
	for _, r := range inv.Resources {
		fmt.Fprintf(&b, "%s %s %s\n", r.Type, r.Address, r.ARN)
		attached("has", r.Policies)
	}
	for _, p := range inv.Policies {
		if strings.HasPrefix(p.ID, "arn:") && p.Unread == "" {
			continue // AWS's own
		}
		fmt.Fprintf(&b, "policy %s (%s)", p.ID, p.Kind)
		if p.Unread != "" {
			fmt.Fprintf(&b, " unread: %s", p.Unread)
		}
		b.WriteString("\n")
		for i := range p.Statements {
			st := &p.Statements[i]
			fmt.Fprintf(&b, "  %s:%s %s", cmp.Or(st.Range.File, p.Origin.File), st.Range.Start, st.Effect)
			if st.Principals != nil {
				for _, e := range st.Principals.Entries {
					fmt.Fprintf(&b, " %s", e.Text)
				}
			}
			for _, a := range st.Actions.Entries {
				fmt.Fprintf(&b, " %s", a.Text)
			}
			if st.Resources != nil {
				for _, r := range st.Resources.Entries {
					fmt.Fprintf(&b, " %s", r.Text())
				}
			}
			for _, u := range st.Unknown {
				fmt.Fprintf(&b, " (%s)", u)
			}
			b.WriteString("\n")
		}
	}
	for _, d := range res.Diagnostics {
		fmt.Fprintf(&b, "%s\n", d)
	}
	return b.String()
}

// A parameter that caused changes, and of which the input does not say what it was, has
// no value in the world before, whatever the user says that it is now.
func TestPreviousParameters(t *testing.T) {
	text := fixtures.Read(t, "cloudformation/change-set/parameters.json")
	for _, test := range []struct{ member, after, before string }{
		{"PreviousParameters", "0.0.0.0/0", "203.0.113.0/24"},
		{"Previous", "0.0.0.0/0", "${Office}"},
	} {
		res, err := cloudformation.Read(context.Background(), bytes.NewReader(bytes.Replace(text, []byte("PreviousParameters"), []byte(test.member), 1)), "set.json",
			cloudformation.Options{Before: true, Parameters: map[string]string{"Office": test.after}})
		if err != nil {
			t.Fatal(err)
		}
		for inv, want := range map[*extract.Inventory]string{res.Inventory: test.after, res.Before: test.before} {
			for _, p := range inv.Policies {
				if p.ID == "LogsPolicy.PolicyDocument" {
					for _, c := range p.Statements[2].Conditions {
						if c.Key == "aws:SourceIp" && c.Values[0].Text.String() != want {
							t.Errorf("%s: got %s, want %s", test.member, c.Values[0].Text, want)
						}
					}
				}
			}
		}
	}
}
