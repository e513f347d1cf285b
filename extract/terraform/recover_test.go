package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

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
			if r.Assumed {
				b.WriteString(", assumed")
			}
		}
		if p.Sensitive {
			b.WriteString(" sensitive")
		}
		b.WriteString("\n")
		if p.Unread != "" {
			fmt.Fprintf(&b, "  unread: %s\n", p.Unread)
		}
		if p.Sensitive {
			fmt.Fprintf(&b, "  %d statements\n", len(p.Statements))
			continue
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

func statementTexts(doc *policy.Document) string {
	var b strings.Builder
	for i := range doc.Statements {
		b.WriteString(statementText(&doc.Statements[i]) + "\n")
	}
	return b.String()
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

// Each way of writing a policy, with the document that it comes to.
func TestWaysOfWritingPolicies(t *testing.T) {
	cases, err := fs.Glob(fixtures.FS, "recovery/*/plan.json")
	if err != nil || len(cases) < 20 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, name := range cases {
		dir := path.Dir(name)
		t.Run(path.Base(dir), func(t *testing.T) {
			t.Chdir(fixtures.Path(t, dir))
			result, err := Read(t.Context(), bytes.NewReader(fixtures.Read(t, dir+"/plan.json")), name, Options{Folder: "."})
			if err != nil {
				t.Fatal(err)
			}
			got := policies(result.Inventory)
			for _, d := range result.Diagnostics {
				got = append(got, d.String()+"\n"...)
			}
			if bytes.Contains(bytes.ToLower(got), []byte("s3cr3t")) {
				t.Error("what is sensitive is shown")
			}
			fixtures.Golden(t, dir+"/policies.txt", got)
		})
	}
}

// A plan in JSON does not show what functions do to a document: of its own a policy is
// taken to be the document, and said to be so; where the source is read it decides.
func TestFunctionsAroundDocuments(t *testing.T) {
	const dir = "recovery/document-functions/"
	const assumed = "conditional unread, merged GetObject assumed, plain GetObject assumed, replaced GetObject assumed"
	for folder, want := range map[string]string{
		"":                    assumed,
		t.TempDir():           assumed, // which is no source of this plan
		fixtures.Path(t, dir): "conditional GetObject, merged GetObject, plain GetObject, replaced PutObject",
	} {
		result, err := Read(t.Context(), bytes.NewReader(fixtures.Read(t, dir+"plan.json")), "plan.json", Options{Folder: folder})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range result.Inventory.Policies {
			words := []string{strings.TrimSuffix(strings.TrimPrefix(p.ID, "aws_iam_policy."), ".policy")}
			if p.Unread != "" {
				words = append(words, "unread")
			}
			for _, e := range p.Statements {
				words = append(words, strings.TrimPrefix(e.Actions.Entries[0].Text.String(), "s3:"))
			}
			if p.Recovered != nil && p.Recovered.Assumed {
				words = append(words, "assumed")
			}
			got = append(got, strings.Join(words, " "))
		}
		check(t, folder, strings.Join(got, ", "), want)
	}
}

// Where the source of a module is not at hand, references through it are all there is;
// where it is and does not tell, they are no more asked.
func TestReferencesOrTheSource(t *testing.T) {
	const root = "module \"m\" {\n  source = \"example/m/aws\"\n}\n" +
		"data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    actions = [\"s3:GetObject\"]\n    resources = [\"*\"]\n  }\n}\n"
	for policy, want := range map[string]string{
		`module.m.json`: `s3:PutObject, assumed`,
		`provider::example::sign(data.aws_iam_policy_document.d.json)`: `known only after apply, and the source does not tell it: provider::example::sign()`,
		`data.aws_iam_policy_document.d.json`:                          `s3:GetObject`,
	} {
		p := newTestPlan()
		document := func(address, action string) {
			p.change(address, arr{"read"}, nil, obj{"statement": arr{obj{"actions": arr{action}, "resources": arr{"*"}}}}, obj{"json": true})
		}
		document("data.aws_iam_policy_document.d", "s3:GetObject")
		document("module.m.data.aws_iam_policy_document.d", "s3:PutObject")
		p.create("aws_iam_policy.p", obj{"name": "p"}, "policy")
		m := call(p.root, "m", obj{})
		m["outputs"] = obj{"json": obj{"expression": refs("data.aws_iam_policy_document.d.json")}}
		block(m, "data.aws_iam_policy_document.d", obj{})
		block(p.root, "data.aws_iam_policy_document.d", obj{})
		ref := "data.aws_iam_policy_document.d.json"
		if policy == "module.m.json" {
			ref = policy
		}
		block(p.root, "aws_iam_policy.p", obj{"policy": refs(ref)})
		files := fstest.MapFS{"m-/main.tf": {Data: []byte(root + "resource \"aws_iam_policy\" \"p\" {\n  policy = " + policy + "\n}\n")}}
		res, err := Read(t.Context(), bytes.NewReader(p.bytes(t)), "plan.json", Options{Configuration: files})
		if err != nil {
			t.Fatal(err)
		}
		doc := entry(t, res, "aws_iam_policy.p.policy")
		got := doc.Unread
		if got == "" {
			got = doc.Statements[0].Actions.Entries[0].Text.String()
		}
		if doc.Recovered != nil && doc.Recovered.Assumed {
			got += ", assumed"
		}
		check(t, policy, got, want)
	}
}

// What a policy is attached to is what the source says, too: the reference alone is a
// part of the name.
func TestTargetsFromTheSource(t *testing.T) {
	p := newTestPlan()
	p.create("aws_s3_bucket.data", obj{"bucket": "data"}, "id", "arn")
	p.create("aws_s3_bucket_policy.replica", obj{"policy": denyAll}, "id", "bucket")
	block(p.root, "aws_s3_bucket.data", obj{"bucket": constant("data")})
	block(p.root, "aws_s3_bucket_policy.replica", obj{"bucket": refs("aws_s3_bucket.data.id"), "policy": obj{}})
	res, err := Read(t.Context(), bytes.NewReader(p.bytes(t)), "plan.json", Options{Configuration: fstest.MapFS{"m-/main.tf": {Data: []byte(`
resource "aws_s3_bucket" "data" {
  bucket = "data"
}
resource "aws_s3_bucket_policy" "replica" {
  bucket = "${aws_s3_bucket.data.id}-replica"
  policy = "{}"
}
`)}}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "worlds", strings.Join(judged(res.Inventory), "; "), "arn:aws:s3:::data-replica: aws_s3_bucket_policy.replica.policy; aws_s3_bucket.data:")
}

// What was recovered before the apply is what the apply has made: each symbol stands
// for one value throughout.
func TestRecoveredIsWhatIsApplied(t *testing.T) {
	applied, err := fs.Glob(fixtures.FS, "terraform/*/applied.json")
	if err != nil || len(applied) < 4 {
		t.Fatalf("%d applied plans, %v", len(applied), err)
	}
	recovered := 0
	for _, name := range applied {
		dir := path.Dir(name)
		t.Run(path.Base(dir), func(t *testing.T) {
			inventory := func(file string, opts Options) map[string]*extract.Policy {
				result, err := Read(t.Context(), bytes.NewReader(fixtures.Read(t, dir+"/"+file)), file, opts)
				if err != nil {
					t.Fatal(err)
				}
				out := map[string]*extract.Policy{}
				for _, p := range result.Inventory.Policies {
					out[p.ID] = p
				}
				return out
			}
			before := inventory("plan.json", Options{Folder: fixtures.Path(t, dir)})
			after := inventory("applied.json", Options{})
			values := map[string]string{}
			for _, id := range sortedKeys(before) {
				p := before[id]
				if p.Recovered == nil || p.Unread != "" {
					continue
				}
				recovered++
				got := after[id]
				if got == nil || got.Unread != "" {
					t.Errorf("%s is not there after the apply", id)
					continue
				}
				want, text := statementTexts(got.Document), statementTexts(p.Document)
				if !unify(text, want, values) && !unify(otherOrder.ReplaceAllString(text, `"Resource": ["$2","$1"]`), want, values) {
					t.Errorf("%s:\nrecovered %s  applied %s", id, text, want)
				}
			}
			t.Log(values)
		})
	}
	if recovered < 10 {
		t.Errorf("only %d policies were recovered", recovered)
	}
}

// otherOrder finds sets of two of which one is not known: it may come to stand first.
var otherOrder = regexp.MustCompile(`"Resource": \["([^",]*)","([^",]*\$\{[a-z0-9_]+\.[^",]*)"\]`)

var shownSymbol = regexp.MustCompile(`\$\{[^{}]*\}`)

// unify reports whether a text with symbols, shown as ${name}, becomes another if each
// stands for one value, and adds those values.
func unify(text, other string, values map[string]string) bool {
	var names []string
	var pattern strings.Builder
	at := 0
	for _, m := range shownSymbol.FindAllStringIndex(text, -1) {
		name := text[m[0]:m[1]]
		if strings.Contains(name, ":") {
			continue // a policy variable
		}
		pattern.WriteString(regexp.QuoteMeta(text[at:m[0]]))
		at = m[1]
		if v, ok := values[name]; ok {
			pattern.WriteString(regexp.QuoteMeta(v))
			continue
		}
		names = append(names, name)
		pattern.WriteString("([^:/\"]+)")
	}
	pattern.WriteString(regexp.QuoteMeta(text[at:]))
	found := regexp.MustCompile("^" + pattern.String() + "$").FindStringSubmatch(other)
	if found == nil {
		return false
	}
	for i, name := range names {
		if v, ok := values[name]; ok && v != found[i+1] {
			return false
		}
		values[name] = found[i+1]
	}
	return true
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

// Documents are made once, however often others are made of them, and one that is made
// of itself is not known.
func TestDocumentsMadeOfDocuments(t *testing.T) {
	const each = "source_policy_documents"
	p := newTestPlan()
	document := func(name string, of ...string) {
		address := "data.aws_iam_policy_document." + name
		read := p.change(address, arr{"read"}, nil, obj{}, obj{"json": true, each: true, "override_policy_documents": true})
		read["change"].(obj)["after"] = obj{"statement": arr{}}
		expressions := obj{}
		if len(of) > 0 {
			expressions[each], expressions["override_policy_documents"] = refs(of...), refs(of...)
		}
		block(p.root, address, expressions)
	}
	document("itself")
	document("d0", "data.aws_iam_policy_document.circle.json")
	document("circle", "data.aws_iam_policy_document.d0.json")
	for i := range 40 {
		document(fmt.Sprintf("d%d", i+1), fmt.Sprintf("data.aws_iam_policy_document.d%d.json", i))
	}
	for _, name := range []string{"itself", "d40"} {
		p.create("aws_iam_policy."+name, obj{"name": name}, "policy")
		block(p.root, "aws_iam_policy."+name, obj{"policy": refs("data.aws_iam_policy_document." + name + ".json")})
	}
	made := p.read(t).Inventory.Policies
	if len(made) != 2 {
		t.Fatalf("got %d policies, want 2", len(made))
	}
	for _, doc := range made {
		if len(doc.Statements) == 0 && doc.Unread == "" || len(doc.Statements) > 0 && doc.Statements[0].Unknown == nil {
			t.Errorf("%s is known", doc.ID)
		}
	}
}

// What keeps the source from telling a policy is named: a file, a module.
func TestSourceThatDoesNotTell(t *testing.T) {
	const calls = "module \"m\" {\n  source = \"example/m/aws\"\n}\n"
	for _, tt := range []struct{ address, main, other, want string }{
		{"aws_iam_policy.p", "", "broken", "the syntax of other.tf is not understood (argument or block definition required at other.tf:1:1)"},
		{"module.m.aws_iam_policy.p", calls, "", "the source of module.m"},
	} {
		p := newTestPlan()
		p.create(tt.address, obj{"name": "p"}, "policy")
		in := p.root
		if strings.HasPrefix(tt.address, "module.") {
			in = call(p.root, "m", obj{})
		}
		block(in, "aws_iam_policy.p", obj{"policy": refs("random_id.x.hex")})
		files := fstest.MapFS{"m-/main.tf": {Data: []byte(tt.main)}, "m-/other.tf": {Data: []byte(tt.other)}}
		res, err := Read(t.Context(), bytes.NewReader(p.bytes(t)), "plan.json", Options{Configuration: files})
		if err != nil {
			t.Fatal(err)
		}
		check(t, tt.address, entry(t, res, tt.address+".policy").Unread, "known only after apply, and the source does not tell it: "+tt.want)
	}
}

// What fails inside of try and can fails as a whole, in templates too; elsewhere the part
// that fails is unknown. Nothing of a sensitive path is told.
func TestFailingParts(t *testing.T) {
	for resource, want := range map[string]string{
		`try(templatefile("t.tpl", { x = {} }), "fallback")`:                                   `fallback`,
		`can(templatefile("t.tpl", { x = {} })) ? "yes" : "no"`:                                `no`,
		`try(templatefile("t.tpl", { x = { y = "z" } }), "fallback")`:                          `known-z`,
		`try({ a = var.lacking.b }.a, "fallback")`:                                             `fallback`,
		`try(local.lacking[0], "fallback")`:                                                    `${var.lacking.b`,
		`length({ for b in [random_id.a.hex, random_id.b.hex] : b => 1 }) == 2 ? "yes" : "no"`: `${random_id.a`,
		`file("/${var.secret}")`:                                                               `${file (sensitive), which is not at hand`,
		`templatefile("/${var.secret}.tpl", {})`:                                               `${file (sensitive), which is not at hand`,
	} {
		p := newTestPlan()
		p.top["variables"] = obj{"secret": obj{"value": "s3cr3t"}, "lacking": obj{"value": obj{}}}
		p.create("aws_iam_policy.p", obj{"name": "p"}, "policy")
		block(p.root, "aws_iam_policy.p", obj{"policy": refs("random_id.x.hex")})
		main := "variable \"secret\" {\n  sensitive = true\n}\nvariable \"lacking\" {}\nlocals {\n  lacking = [var.lacking.b]\n}\n" +
			"resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = " + resource + " }] })\n}\n"
		dir := t.TempDir()
		for name, text := range map[string]string{"main.tf": main, "t.tpl": "known-${x.y}"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		res, err := Read(t.Context(), bytes.NewReader(p.bytes(t)), "plan.json", Options{Folder: dir})
		if err != nil {
			t.Fatal(err)
		}
		doc := entry(t, res, "aws_iam_policy.p.policy")
		got := doc.Unread
		if got == "" {
			got = doc.Statements[0].Resources.Entries[0].Text().String()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", resource, got, want)
		}
		if all := got + fmt.Sprint(res.Diagnostics); strings.Contains(all, "s3cr3t") {
			t.Errorf("%s: the secret is told: %s", resource, all)
		}
	}
}
