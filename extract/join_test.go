package extract_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

const (
	reader = "arn:aws:iam::123456789012:policy/reader"
	app    = "arn:aws:iam::123456789012:role/app"
)

// input makes an input of policies, principals and resources.
type input struct {
	*extract.Register
}

func newInput() input { return input{extract.NewRegister(&extract.Inventory{}, nil)} }

func (in input) result() *extract.Result {
	return &extract.Result{Inventory: in.Inventory, Diagnostics: in.Diagnostics}
}

func (in input) managed(id, arn, sid string) *policy.Document {
	doc, _ := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Sid":"`+sid+`","Effect":"Allow","Action":"s3:*","Resource":"*"}}`),
		id, policy.Identity, source.Origin{Address: id})
	in.Enter(doc)
	in.SetARN(doc, symbol.Literal(arn))
	return doc
}

func (in input) principal(address, arn string, docs ...*policy.Document) *extract.Principal {
	p := &extract.Principal{Address: address, Kind: extract.Role, ARN: symbol.Literal(arn)}
	for _, d := range docs {
		p.Identity = append(p.Identity, policy.Attached{Document: d, Sure: kleene.True})
		in.AttachTo(d, address)
	}
	in.Principals = append(in.Principals, p)
	return p
}

// shown lists the policies of an inventory and who holds which.
func shown(inv *extract.Inventory) string {
	var out []string
	name := func(d *policy.Document) string {
		if d.Unread != "" {
			return d.ID + " unread"
		}
		return d.ID + " " + d.Statements[0].Sid
	}
	for _, p := range inv.Policies {
		out = append(out, name(p.Document)+" on "+strings.Join(p.AttachedTo, ","))
	}
	for _, p := range inv.Principals {
		line := []string{p.Address + ":"}
		for _, a := range slices.Concat(p.Identity, p.Boundary) {
			line = append(line, name(a.Document))
		}
		out = append(out, strings.Join(line, " "))
	}
	return strings.Join(out, "\n")
}

func check(t *testing.T, got *extract.Result, want ...string) {
	t.Helper()
	if s := shown(got.Inventory); s != strings.Join(want, "\n") {
		t.Errorf("got  %s\nwant %s", s, strings.Join(want, "\n"))
	}
}

// A policy that the plan attaches and the account defines is that of the account, and
// nobody says any more that it is missing.
func TestJoinDefines(t *testing.T) {
	plan, account := newInput(), newInput()
	plan.principal("aws_iam_role.new", "arn:aws:iam::123456789012:role/new",
		plan.Outside(symbol.Literal(reader), source.Origin{Address: "aws_iam_role_policy_attachment.a"}, source.Range{}))
	account.managed(reader, reader, "Old")
	got := extract.Join(plan.result(), account.result())
	check(t, got, reader+" Old on aws_iam_role.new", "aws_iam_role.new: "+reader+" Old")
	if len(got.Diagnostics) > 0 {
		t.Errorf("diagnostics: %v", got.Diagnostics)
	}
}

// A policy that the plan changes is the changed one for roles of the account, also as
// their boundary.
func TestJoinChangesPolicy(t *testing.T) {
	plan, account := newInput(), newInput()
	plan.managed("aws_iam_policy.reader.policy", reader, "New")
	old := account.managed(reader, reader, "Old")
	p := account.principal(app, app, old)
	p.Boundary = []policy.Attached{account.AsBoundary(policy.Attached{Document: old, Sure: kleene.True}, app)}
	got := extract.Join(plan.result(), account.result())
	check(t, got,
		reader+" (boundary) New on "+app,
		"aws_iam_policy.reader.policy New on "+app,
		app+": aws_iam_policy.reader.policy New "+reader+" (boundary) New")
	if got.Inventory.Principals[0].Boundary[0].Kind != policy.Boundary {
		t.Error("the boundary is of another kind")
	}
}

// The same principal is judged as the plan has it, and that is said.
func TestJoinPrincipalTwice(t *testing.T) {
	plan, account := newInput(), newInput()
	plan.principal("aws_iam_role.app", app, plan.managed("aws_iam_policy.p.policy", "arn:aws:iam::123456789012:policy/p", "New"))
	account.principal(app, app, account.managed("arn:aws:iam::123456789012:policy/q", "arn:aws:iam::123456789012:policy/q", "Old"))
	got := extract.Join(plan.result(), account.result())
	check(t, got,
		"arn:aws:iam::123456789012:policy/q Old on ",
		"aws_iam_policy.p.policy New on aws_iam_role.app",
		"aws_iam_role.app: aws_iam_policy.p.policy New")
	want := "aws_iam_role.app: info: Defined twice: " + app + " is in the account too: it is judged as it will be after the change."
	if len(got.Diagnostics) != 1 || got.Diagnostics[0].String() != want {
		t.Errorf("got  %v\nwant %s", got.Diagnostics, want)
	}
}

// A policy that the plan attaches to a role of the account is that role's.
func TestJoinAttaches(t *testing.T) {
	plan, account := newInput(), newInput()
	doc, _ := policy.Parse(`{"Version":"2012-10-17","Statement":{"Sid":"Inline","Effect":"Allow","Action":"s3:*","Resource":"*"}}`,
		"aws_iam_role_policy.p.policy", policy.Identity, source.Origin{Address: "aws_iam_role_policy.p"})
	plan.Enter(doc)
	plan.AttachTo(doc, app)
	account.principal(app, app)
	check(t, extract.Join(plan.result(), account.result()),
		"aws_iam_role_policy.p.policy Inline on "+app,
		app+": aws_iam_role_policy.p.policy Inline")
}

// Two inputs may use one address: their policies keep apart, and their resources join
// where one names what the other defines.
func TestJoinTwoPlans(t *testing.T) {
	one, two := newInput(), newInput()
	bucket := symbol.Literal("arn:aws:s3:::data")
	for i, in := range []input{one, two} {
		doc, _ := policy.Parse(`{"Version":"2012-10-17","Statement":{"Sid":"S","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`,
			"aws_s3_bucket_policy.p.policy", policy.Resource, source.Origin{Address: "aws_s3_bucket_policy.p"})
		in.Enter(doc)
		r := &extract.Resource{ARN: bucket, Policies: []policy.Attached{{Document: doc, Sure: kleene.True}}}
		if i == 1 {
			r.Address = "aws_s3_bucket.data"
		}
		in.Resources = append(in.Resources, r)
	}
	two.Account = extract.Fact{Value: symbol.Literal("123456789012"), From: "somewhere", Assumed: true}
	got := extract.Join(one.result(), two.result())
	check(t, got, "aws_s3_bucket_policy.p.policy S on ", "aws_s3_bucket_policy.p.policy (2) S on ")
	if rs := got.Inventory.Resources; len(rs) != 1 || rs[0].Address != "aws_s3_bucket.data" || len(rs[0].Policies) != 2 {
		t.Errorf("resources: %+v", rs)
	}
	if a := got.Inventory.Account; a.From != "somewhere" {
		t.Errorf("the account is %+v", a)
	}
}

// A fact that is known goes before one that is assumed, and that before a symbol.
func TestJoinFacts(t *testing.T) {
	facts := []extract.Fact{
		{},
		{Value: symbol.Symbol{Name: "account"}.Text(), From: "nothing"},
		{Value: symbol.Literal("111111111111"), From: "a guess", Assumed: true},
		{Value: symbol.Literal("222222222222"), From: "the account"},
	}
	for i := range facts {
		for j := range facts {
			a, b := newInput(), newInput()
			a.Account, b.Account = facts[i], facts[j]
			if got, want := extract.Join(a.result(), b.result()).Inventory.Account, facts[max(i, j)]; got != want {
				t.Errorf("%+v and %+v give %+v", facts[i], facts[j], got)
			}
		}
	}
}

// What tells nothing of the world before the change is in it as it stays, and the two
// worlds share no attachments.
func TestJoinBefore(t *testing.T) {
	role := func() *extract.Principal {
		return &extract.Principal{Address: "role", ARN: symbol.Literal("arn:aws:iam::111122223333:role/r")}
	}
	attached := func(id string) *extract.Policy {
		return &extract.Policy{Document: &policy.Document{ID: id, Kind: policy.Identity}, AttachedTo: []string{"arn:aws:iam::111122223333:role/r"}}
	}
	plan := &extract.Result{
		Inventory: &extract.Inventory{Policies: []*extract.Policy{attached("after")}},
		Before:    &extract.Inventory{Policies: []*extract.Policy{attached("before")}},
	}
	got := extract.Join(plan, &extract.Result{Inventory: &extract.Inventory{Principals: []*extract.Principal{role()}}})
	for want, inv := range map[string]*extract.Inventory{"before": got.Before, "after": got.Inventory} {
		if inv == nil || len(inv.Principals) != 1 || len(inv.Principals[0].Identity) != 1 || inv.Principals[0].Identity[0].ID != want {
			t.Errorf("%s: %+v", want, inv)
		}
	}
	if got := extract.Join(&extract.Result{Inventory: &extract.Inventory{}}, &extract.Result{Inventory: &extract.Inventory{}}); got.Before != nil {
		t.Error("a world before, of which nothing tells")
	}
}

// Whatever an input tells is in the world that it is joined to.
func TestJoinKeepsEverything(t *testing.T) {
	text := symbol.Literal("x")
	fact := extract.Fact{Value: text}
	in := &extract.Inventory{
		Policies:    []*extract.Policy{{Document: &policy.Document{ID: "p"}}},
		Principals:  []*extract.Principal{{Address: "x", ARN: text}},
		Resources:   []*extract.Resource{{Address: "x", ARN: text}},
		OrgPolicies: []*extract.OrgPolicy{{Document: &policy.Document{ID: "o"}}},
		Endpoints:   []*extract.Endpoint{{}}, Trails: []*extract.Trail{{}}, Workgroups: []*extract.Workgroup{{}}, VolumeKey: text,
		Account: fact, Partition: fact, Region: fact, Organization: fact,
		Parameters: []extract.Parameter{{}}, Secret: map[string]bool{"x": true}, OrgPaths: []string{"x"}, Timestamp: "x", Changes: 1, Incomplete: []string{"x"},
		FullAccessDetached: []extract.OrgTarget{{}},
	}
	for i, inv := range []*extract.Inventory{in, extract.Join(&extract.Result{Inventory: &extract.Inventory{}}, &extract.Result{Inventory: in}).Inventory} {
		v := reflect.ValueOf(*inv)
		for f := range v.NumField() {
			if v.Field(f).IsZero() {
				t.Errorf("%s is empty: %s", v.Type().Field(f).Name, []string{"fill it in above", "the joined world lacks it"}[i])
			}
		}
	}
}
