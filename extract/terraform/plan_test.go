package terraform

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract"
)

type obj = map[string]any

type arr = []any

// A testPlan writes plans as Terraform does, in few words.
type testPlan struct {
	top     obj
	root    obj
	changes arr
	prior   arr
}

func newTestPlan() *testPlan {
	root := obj{}
	return &testPlan{
		root: root,
		top: obj{
			"format_version": "1.2", "terraform_version": "1.11.4",
			"configuration": obj{
				"provider_config": obj{"aws": obj{"name": "aws", "expressions": obj{"region": obj{"constant_value": "us-east-1"}}}},
				"root_module":     root,
			},
		},
	}
}

// split takes an address apart.
func split(address string) (module, mode, typ, name string, index any) {
	steps := parseSteps(address)
	n := 0
	for steps[n].name == "module" {
		n += 2
	}
	module, mode = joinSteps(steps[:n]), "managed"
	if steps[n].name == "data" {
		mode = "data"
		n++
	}
	return module, mode, steps[n].name, steps[n+1].name, steps[n+1].index
}

func (p *testPlan) change(address string, actions arr, before, after, unknown obj) obj {
	module, mode, typ, name, index := split(address)
	rc := obj{
		"address": address, "mode": mode, "type": typ, "name": name, "provider_name": "registry.terraform.io/hashicorp/aws",
		"change": obj{"actions": actions, "before": any(before), "after": any(after), "after_unknown": unknown, "before_sensitive": false, "after_sensitive": obj{}},
	}
	if before == nil {
		rc["change"].(obj)["before"] = nil
	}
	if after == nil {
		rc["change"].(obj)["after"] = nil
	}
	if module != "" {
		rc["module_address"] = module
	}
	if index != nil {
		rc["index"] = index
	}
	p.changes = append(p.changes, rc)
	return rc
}

// create plans a new resource: after holds what is known, unknown names the rest.
func (p *testPlan) create(address string, after obj, unknown ...string) obj {
	marks := obj{}
	for _, attr := range unknown {
		marks[attr] = true
	}
	return p.change(address, arr{"create"}, nil, after, marks)
}

func (p *testPlan) noop(address string, values obj) {
	p.change(address, arr{"no-op"}, values, values, obj{})
}

// state puts a resource or data source into prior_state.
func (p *testPlan) state(address string, values obj) obj {
	_, mode, typ, name, index := split(address)
	sr := obj{"address": address, "mode": mode, "type": typ, "name": name, "values": values}
	if index != nil {
		sr["index"] = index
	}
	p.prior = append(p.prior, sr)
	return sr
}

// call adds a module call and returns the module.
func call(parent obj, name string, arguments obj) obj {
	calls, _ := parent["module_calls"].(obj)
	if calls == nil {
		calls = obj{}
		parent["module_calls"] = calls
	}
	child := obj{}
	calls[name] = obj{"source": "./" + name, "expressions": arguments, "module": child}
	return child
}

// block adds a resource block to a module.
func block(module obj, address string, expressions obj) obj {
	_, mode, typ, name, _ := split(address)
	r := obj{"address": address, "mode": mode, "type": typ, "name": name, "provider_config_key": "aws", "expressions": expressions}
	list, _ := module["resources"].(arr)
	module["resources"] = append(list, r)
	return r
}

// refs is an expression that refers to something, as plans write it: each
// reference is followed by the shorter ones it begins with.
func refs(names ...string) obj {
	var list arr
	for _, name := range names {
		list = append(list, name)
		steps := parseSteps(name)
		least := 2
		if steps[0].name == "data" {
			least = 3
		}
		if steps[0].name == "each" || steps[0].name == "count" || steps[0].name == "var" || steps[0].name == "local" {
			continue
		}
		for n := len(steps) - 1; n >= least; n-- {
			list = append(list, joinSteps(steps[:n]))
		}
	}
	return obj{"references": list}
}

func constant(v any) obj { return obj{"constant_value": v} }

func (p *testPlan) bytes(t testing.TB) []byte {
	t.Helper()
	if p.changes != nil {
		p.top["resource_changes"] = p.changes
	}
	if p.prior != nil {
		p.top["prior_state"] = obj{"format_version": "1.0", "values": obj{"root_module": obj{"resources": p.prior}}}
	}
	text, err := json.Marshal(p.top)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (p *testPlan) read(t testing.TB) *extract.Result {
	t.Helper()
	res, err := Read(context.Background(), strings.NewReader(string(p.bytes(t))), "plan.json", Options{ManagedPolicy: managedForTests})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func managedForTests(name string) (*policy.Document, bool) {
	if name != "AdministratorAccess" {
		return nil, false
	}
	doc, _ := policy.Parse(allowAll, "x", policy.Identity, source.Origin{})
	return doc, true
}

const (
	allowAll    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	allowRead   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`
	trustLambda = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	denyAll     = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`
)

// principal returns the principal with an address.
func principal(t testing.TB, res *extract.Result, address string) *extract.Principal {
	t.Helper()
	for _, p := range res.Inventory.Principals {
		if p.Address == address {
			return p
		}
	}
	t.Fatalf("no principal %s", address)
	return nil
}

func resource(t testing.TB, res *extract.Result, address string) *extract.Resource {
	t.Helper()
	for _, r := range res.Inventory.Resources {
		if r.Address == address {
			return r
		}
	}
	t.Fatalf("no resource %q", address)
	return nil
}

func entry(t testing.TB, res *extract.Result, id string) *extract.Policy {
	t.Helper()
	for _, p := range res.Inventory.Policies {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("no policy %s", id)
	return nil
}

// attachments lists attached documents as "ID" or, if not sure, "ID?".
func attachments(list []policy.Attached) string {
	var out []string
	for _, a := range list {
		s := a.ID
		if a.Sure.String() != "true" {
			s += "?"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func check(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// warnings lists the summaries of a result's diagnostics.
func warnings(res *extract.Result) string {
	var out []string
	for _, d := range res.Diagnostics {
		out = append(out, d.Summary)
	}
	return strings.Join(out, "; ")
}
