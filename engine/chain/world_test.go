package chain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

const account = "111122223333"

func lit(s string) symbol.Text { return symbol.Literal(s) }

// A world is a small world made in Go.
type world struct {
	env        chain.Environment
	principals []*chain.Principal
	targets    []*chain.Target
	endpoints  []chain.Endpoint
	trails     []chain.Trail
	workgroups []chain.Workgroup
}

func (w *world) Principals() []*chain.Principal { return w.principals }
func (w *world) Targets() []*chain.Target       { return w.targets }
func (w *world) Endpoints() []chain.Endpoint    { return w.endpoints }
func (w *world) Trails() []chain.Trail          { return w.trails }
func (w *world) Workgroups() []chain.Workgroup  { return w.workgroups }
func (w *world) Environment() chain.Environment { return w.env }

var inOrg = request.Organization{Member: kleene.True, ID: lit("o-1")}

// parse reads statements as a policy; a text that begins with '!' is one that was
// not read, with '?' one that may not be attached.
func parse(t testing.TB, kind policy.Kind, id, text string) policy.Attached {
	t.Helper()
	a := policy.Attached{Sure: kleene.True}
	if strings.HasPrefix(text, "?") {
		a.Sure, a.Why, text = kleene.Unknown, "whether "+id+" is attached", text[1:]
	}
	if why, ok := strings.CutPrefix(text, "!"); ok {
		a.Document = policy.Unread(id, kind, source.Origin{Address: id}, why)
		return a
	}
	node, err := source.ParseJSON([]byte(`{"Version":"2012-10-17","Statement":[` + text + `]}`))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	unknowns(node)
	doc, diags := policy.Decode(node, id, kind, source.Origin{Address: id})
	if diags.HasErrors() {
		t.Fatalf("%v in %s", diags, text)
	}
	a.Document = doc
	return a
}

// unknowns makes unknowns of what stands in angle brackets: <x> may be anything, and
// <<x>> is an identifier.
func unknowns(n *source.Node) {
	if s, known := n.Text.Literal(); known && n.Kind == source.String {
		n.Text = late(s)
	}
	for _, m := range n.Members {
		unknowns(m.Value)
	}
	for _, item := range n.Items {
		unknowns(item)
	}
}

func late(s string) symbol.Text {
	before, rest, ok := strings.Cut(s, "<")
	if !ok {
		return lit(s)
	}
	sym := symbol.Symbol{}
	if strings.HasPrefix(rest, "<") {
		sym.Class, sym.Unique, rest = symbol.Segment, true, rest[1:]
	}
	name, rest, _ := strings.Cut(rest, ">")
	sym.Name = name
	return symbol.Concat(lit(before), sym.Text(), late(strings.TrimPrefix(rest, ">")))
}

func newWorld(t testing.TB) *world {
	return &world{env: chain.Environment{
		Account: lit(account), Partition: lit("aws"), Region: lit("eu-west-1"), Organization: inOrg, Time: lit("2026-11-21T12:00:00Z"),
		Administrator: parse(t, policy.Identity, "AdministratorAccess", allow("*", "*")).Document,
	}}
}

func (w *world) user(t testing.TB, name string, identity ...string) *chain.Principal {
	p := &chain.Principal{Address: "user." + name, Caller: request.Caller{Organization: inOrg, Tags: map[string]symbol.Text{},
		Principal: request.Principal{Kind: request.IAMUser, ARN: lit("arn:aws:iam::" + account + ":user/" + name), Account: lit(account)}}}
	for _, text := range identity {
		p.Identity = append(p.Identity, parse(t, policy.Identity, p.Address, text))
	}
	w.principals = append(w.principals, p)
	return p
}

func (w *world) role(t testing.TB, name, trust string, identity ...string) *chain.Principal {
	p := w.user(t, name, identity...)
	p.Address = "role." + name
	p.Caller.Principal = chain.RoleSession(lit("aws"), lit(account), lit("role/"+name), lit(name))
	if trust != "" {
		p.Trust = parse(t, policy.Trust, p.Address+".trust", trust).Document
	}
	return p
}

func (w *world) bucket(t testing.TB, name string, policies ...string) *chain.Target {
	b := &chain.Target{Address: "bucket." + name, Kind: chain.BucketTarget, ARN: lit("arn:aws:s3:::" + name), Account: lit(account), Region: lit("eu-west-1"), Organization: inOrg}
	for _, text := range policies {
		b.Policies = append(b.Policies, parse(t, policy.Resource, b.Address, text))
	}
	w.targets = append(w.targets, b)
	return b
}

func (w *world) resource(t testing.TB, arn string, policies ...string) *chain.Target {
	b := w.bucket(t, "x", policies...)
	b.Kind, b.ARN, b.Address = chain.OtherTarget, lit(arn), arn
	return b
}

func statement(effect, principal, action, resource, condition string) string {
	s := fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q`, effect, action, resource)
	if principal != "" {
		s += `,"Principal":` + principal
	}
	if condition != "" {
		s += `,"Condition":` + condition
	}
	return s + "}"
}

func allow(action, resource string) string { return statement("Allow", "", action, resource, "") }
func deny(action, resource string) string  { return statement("Deny", "", action, resource, "") }

const (
	everyone  = `"*"`
	trustsCFN = `{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}`
)

func service(name string) string { return `{"Service":"` + name + `"}` }

func run(w *world, chains ...string) chain.Result {
	return chain.Run(w, chain.Options{Chains: chains})
}

// key names a replay: chain, action, principal and resource.
func key(chainID, action, principal string, target *chain.Target) string {
	r := chain.Replay{Target: target}
	return strings.Join([]string{chainID, action, principal, r.Resource().String()}, " ")
}

func keyOf(r *chain.Replay) string {
	return key(r.Chain.ID, r.Action, principalName(r.Principal), r.Target)
}

func principalName(p *chain.Principal) string {
	if p.Address != "" {
		return p.Address
	}
	return p.StandIn
}

// replays indexes the replays of a result and fails on two of one key.
func replays(t testing.TB, res chain.Result) map[string]*chain.Replay {
	t.Helper()
	out := map[string]*chain.Replay{}
	for _, r := range res.Replays {
		if out[keyOf(r)] != nil {
			t.Errorf("two replays of %s", keyOf(r))
		}
		out[keyOf(r)] = r
	}
	return out
}

// find returns the only replay of a chain, action and principal.
func find(t testing.TB, res chain.Result, chainID, action, principal string) *chain.Replay {
	t.Helper()
	var found []*chain.Replay
	for _, r := range res.Replays {
		if r.Chain.ID == chainID && r.Action == action && principalName(r.Principal) == principal {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s %s %s: got %d replays, want 1 of %q", chainID, action, principal, len(found), slices.Sorted(func(yield func(string) bool) {
			for _, r := range res.Replays {
				if !yield(keyOf(r)) {
					return
				}
			}
		}))
	}
	return found[0]
}

// hops renders the hops of a replay: "number action resource verdict", '?' for
// optional ones.
func hops(r *chain.Replay) []string {
	var out []string
	for _, h := range r.Hops {
		s := fmt.Sprintf("%d %s %s %s %s", h.Hop, h.Credentials, h.Request.Action, h.Request.Resource, h.Verdict)
		if h.Optional {
			s = "?" + s
		}
		out = append(out, s)
	}
	return out
}

func value(t testing.TB, r *chain.Replay, hop int, key string) string {
	t.Helper()
	e := r.Hops[hop].Request.Context.Get(key)
	s := make([]string, len(e.Values))
	for i, v := range e.Values {
		s[i] = v.String()
	}
	if e.Present == kleene.Unknown {
		return "?" + strings.Join(s, " ")
	}
	return strings.Join(s, " ")
}

func verdict(t testing.TB, r *chain.Replay, want engine.Verdict, broken int) {
	t.Helper()
	if r.Verdict != want || r.BrokenHop != broken {
		t.Errorf("%s: got %v at hop %d, want %v at hop %d:\n%s", keyOf(r), r.Verdict, r.BrokenHop, want, broken, strings.Join(hops(r), "\n"))
	}
}

// setResource puts a text that is partly unknown in place of the resource of a
// principal's first statement.
func setResource(t testing.TB, p *chain.Principal, resource symbol.Text) {
	t.Helper()
	text := func(s symbol.Text) *source.Node { return &source.Node{Kind: source.String, Text: s} }
	st := &source.Node{Kind: source.Object, Members: []source.Member{
		{Name: "Effect", Value: text(lit("Allow"))}, {Name: "Action", Value: text(lit("s3:GetObject"))}, {Name: "Resource", Value: text(resource)},
	}}
	node := &source.Node{Kind: source.Object, Members: []source.Member{{Name: "Version", Value: text(lit("2012-10-17"))}, {Name: "Statement", Value: st}}}
	doc, diags := policy.Decode(node, "symbolic", policy.Identity, source.Origin{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p.Identity[0].Document = doc
}
