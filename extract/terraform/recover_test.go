package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/terraform/policydocument"
	"github.com/tfguard/tfguard/fixtures"
)

// policies renders the policies of an inventory whole: each with where it was
// recovered from, its statements and their places.
func policies(inv *extract.Inventory) []byte {
	var b bytes.Buffer
	for _, p := range inv.Policies {
		if p.Origin.Address == "" {
			continue
		}
		fmt.Fprintf(&b, "%s (%s)", p.ID, p.Kind)
		if r := p.Recovered; r != nil {
			fmt.Fprintf(&b, " %s %s", r.Step, r.From)
		}
		if p.Sensitive {
			b.WriteString(" sensitive")
		}
		b.WriteString("\n")
		if p.Unread != "" {
			fmt.Fprintf(&b, "  unread: %s\n", p.Unread)
		}
		for i := range p.Statements {
			st := &p.Statements[i]
			where := ""
			if st.Range.File != "" {
				where = " " + st.Range.File + ":" + st.Range.Start.String()
			}
			fmt.Fprintf(&b, "  %s%s\n", statementText(st), where)
		}
	}
	return b.Bytes()
}

func statementText(st *policy.Statement) string {
	members := []string{}
	put := func(name string, v any) {
		if list, ok := v.([]string); ok && len(list) > 40 {
			v = fmt.Sprintf("%d values", len(list)) // a copy of a policy of AWS
		}
		text := &strings.Builder{}
		enc := json.NewEncoder(text)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			panic(err)
		}
		members = append(members, fmt.Sprintf("%q: %s", name, strings.TrimSpace(text.String())))
	}
	if st.Sid != "" {
		put("Sid", st.Sid)
	}
	put("Effect", st.Effect)
	not := func(not bool, name string) string {
		if not {
			return "Not" + name
		}
		return name
	}
	if st.Principals != nil {
		var list []string
		for _, e := range st.Principals.Entries {
			list = append(list, string(e.Type)+" "+e.Text.String())
		}
		put(not(st.Principals.Not, "Principal"), list)
	}
	var actions []string
	for _, e := range st.Actions.Entries {
		actions = append(actions, e.Text.String())
	}
	put(not(st.Actions.Not, "Action"), actions)
	if st.Resources != nil {
		var list []string
		for _, e := range st.Resources.Entries {
			list = append(list, e.Text().String())
		}
		put(not(st.Resources.Not, "Resource"), list)
	}
	for _, c := range st.Conditions {
		var list []string
		for _, v := range c.Values {
			list = append(list, v.Text.String())
		}
		put(c.Operator.String()+" "+c.Key, list)
	}
	if len(st.Unknown) > 0 {
		put("unknown", st.Unknown)
	}
	return "{" + strings.Join(members, ", ") + "}"
}

// What each plan shows of its policies, symbols included, from the plan alone.
func TestPoliciesOfThePlanAlone(t *testing.T) {
	for _, name := range []string{"athena-blog", "unknowns", "styles", "modules-nested"} {
		t.Run(name, func(t *testing.T) {
			result, err := Read(context.Background(), bytes.NewReader(fixtures.Read(t, "terraform/"+name+"/plan.json")), name, Options{})
			if err != nil {
				t.Fatal(err)
			}
			fixtures.Golden(t, "terraform/"+name+"/policies.txt", policies(result.Inventory))
		})
	}
}

// The same plans with the source of their configuration: places in files, and what
// the plan does not tell.
func TestPoliciesWithTheSource(t *testing.T) {
	for _, name := range []string{"athena-blog", "unknowns", "styles", "modules-nested"} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(fixtures.Path(t, "terraform/"+name))
			result, err := Read(context.Background(), bytes.NewReader(fixtures.Read(t, "terraform/"+name+"/plan.json")), name, Options{Folder: "."})
			if err != nil {
				t.Fatal(err)
			}
			fixtures.Golden(t, "terraform/"+name+"/policies.source.txt", policies(result.Inventory))
		})
	}
}

// Data sources that were read while planning show both their arguments and what the
// provider made of them: rendering the arguments gives the same document.
func TestDocumentsAreRenderedAsTheProviderDoes(t *testing.T) {
	seen := 0
	for name, text := range fixtures.Files(t, "terraform", ".json") {
		if !strings.HasSuffix(name, "/plan.json") {
			continue
		}
		p := newPlan()
		if err := p.read(context.Background(), bytes.NewReader(text), name); err != nil {
			t.Fatal(err)
		}
		b := newBuilder(p, Options{})
		for _, in := range b.dataSources(policyDocument) {
			want, ok := in.str("json")
			if !ok || marked(in.sensitive) {
				continue
			}
			seen++
			l := &lateData{builder: b, rec: &recovery{}, in: in}
			node, err := policydocument.Render(l.arguments())
			if err != nil {
				t.Fatal(err)
			}
			text, err := node.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := canonicalJSON(string(text)), canonicalJSON(want); got != want {
				t.Errorf("%s %s:\n got %s\nwant %s", name, in.address, got, want)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d documents were compared", seen)
	}
}
