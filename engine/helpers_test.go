package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

const (
	account  = "111122223333"
	other    = "444455556666"
	user     = "arn:aws:iam::111122223333:user/bob"
	role     = "arn:aws:iam::111122223333:role/team/R"
	session  = "arn:aws:sts::111122223333:assumed-role/R/s"
	root     = "arn:aws:iam::111122223333:root"
	linked   = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
	fed      = "federated-user bob"
	fedARN   = "arn:aws:sts::111122223333:federated-user/N"
	foreign  = "arn:aws:iam::444455556666:role/F"
	provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
	trail    = "cloudtrail.amazonaws.com"
	object   = "arn:aws:s3:::b/k"
	key      = "arn:aws:kms:eu-west-1:111122223333:key/1"
)

func lit(s string) symbol.Text { return symbol.Literal(s) }

// caller makes a principal of an ARN, a service's name, "anonymous" or "federated-user bob".
func caller(s string) request.Principal {
	p := request.Principal{}
	switch {
	case s == "anonymous":
		return p
	case s == fed:
		return request.Principal{Kind: request.FederatedUser, ARN: lit(user), Session: lit(fedARN), Account: lit(account)}
	case strings.HasSuffix(s, ".amazonaws.com") && !strings.HasPrefix(s, "arn:"):
		return request.Principal{Kind: request.ServicePrincipal, Service: s}
	case strings.Contains(s, ":oidc-provider/"):
		return request.Principal{Kind: request.FederatedIdentity, ARN: lit(s)}
	}
	parts := strings.Split(s, ":")
	p.ARN, p.Account = lit(s), lit(parts[4])
	name := parts[5][strings.LastIndexByte(parts[5], '/')+1:]
	switch {
	case strings.HasPrefix(parts[5], "role/"):
		p.Kind = request.RoleSession
		if strings.HasPrefix(parts[5], "role/aws-service-role/") {
			p.Kind = request.ServiceLinkedRole
		}
		p.Session = lit("arn:aws:sts::" + parts[4] + ":assumed-role/" + name + "/s")
	case parts[5] == "root":
		p.Kind = request.Root
	default:
		p.Kind = request.IAMUser
	}
	return p
}

// keys makes a context of "key=value" and "key=[a,b]"; "key=?value" is a key of
// which it is not known whether it is present.
func keys(pairs ...string) request.Context {
	var ctx request.Context
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		switch {
		case strings.HasPrefix(v, "?"):
			ctx.SetMaybe(k, lit(v[1:]))
		case v == "[]":
			ctx.Set(k)
		case strings.HasPrefix(v, "["):
			ctx.SetString(k, strings.Split(strings.Trim(v, "[]"), ",")...)
		default:
			ctx.SetString(k, v)
		}
	}
	return ctx
}

// in puts statements, separated by commas, into a document. A text that begins
// with '!' names why a document is not read, one with '?' may not be attached.
func in(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

const (
	allowAll = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	allowS3  = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	allowEC2 = `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`
	denyS3   = `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`
)

// grantTo is a statement of a resource policy: effect, principal element, rest.
func grantTo(effect, principal string) string {
	return fmt.Sprintf(`{"Effect":%q,%s,"Action":"*","Resource":"*"}`, effect, principal)
}

func aws(arns ...string) string {
	return `"Principal":{"AWS":["` + strings.Join(arns, `","`) + `"]}`
}

func notAWS(arns ...string) string {
	return strings.Replace(aws(arns...), "Principal", "NotPrincipal", 1)
}

const everyone = `"Principal":"*"`

// doc decodes statements; strings with '@' become symbols as [partly] has it.
func doc(t testing.TB, text, id string, kind policy.Kind) policy.Attached {
	t.Helper()
	a := policy.Attached{Sure: kleene.True}
	if strings.HasPrefix(text, "?") {
		a.Sure, a.Why, text = kleene.Unknown, "whether "+id+" is attached", text[1:]
	}
	if reason, ok := strings.CutPrefix(text, "!"); ok {
		a.Document = policy.Unread(id, kind, source.Origin{}, reason)
		return a
	}
	if !strings.HasPrefix(text, `{"Version"`) {
		text = in(text)
	}
	node, err := source.ParseJSON(text)
	if err != nil {
		t.Fatalf("%s: %v in %s", id, err, text)
	}
	symbols(node)
	d, diags := policy.Decode(node, id, kind, source.Origin{})
	if diags.HasErrors() {
		t.Fatalf("%s: %v in %s", id, diags, text)
	}
	a.Document = d
	return a
}

// partly makes a text of one in which "@name@", or "@name" as a whole, is a symbol;
// "@%name@" is one of digits.
func partly(s string) symbol.Text {
	var out []symbol.Text
	for i, part := range strings.Split(s, "@") {
		name, digits := strings.CutPrefix(part, "%")
		switch {
		case i%2 == 0:
			out = append(out, lit(part))
		case digits:
			out = append(out, symbol.Symbol{Name: name, Class: symbol.Digits}.Text())
		default:
			out = append(out, symbol.Symbol{Name: "@" + name}.Text())
		}
	}
	return symbol.Concat(out...)
}

func symbols(n *source.Node) {
	if s, ok := n.Text.Literal(); ok && n.Kind == source.String && strings.Contains(s, "@") {
		if strings.Count(s, "@") == 1 {
			n.Kind = source.Unknown
		}
		n.Text = partly(s)
	}
	for _, m := range n.Members {
		symbols(m.Value)
	}
	for _, item := range n.Items {
		symbols(item)
	}
}

func docs(t testing.TB, texts []string, id string, kind policy.Kind) []policy.Attached {
	t.Helper()
	var out []policy.Attached
	for i, text := range texts {
		out = append(out, doc(t, text, fmt.Sprintf("%s[%d]", id, i), kind))
	}
	return out
}

func levels(t testing.TB, texts [][]string, id string, kind policy.Kind) []engine.Level {
	t.Helper()
	var out []engine.Level
	for i, level := range texts {
		out = append(out, docs(t, level, fmt.Sprintf("%s[%d]", id, i), kind))
	}
	return out
}

// A test is a request with policies and what must come of it.
type test struct {
	name                        string
	principal                   string
	action, resource            string // s3:GetObject on an object if empty
	owner                       string // of the resource; account if empty
	context                     []string
	identity, boundary, session []string
	resources                   []string // the resource's own policies
	scp, rcp                    [][]string
	endpoint                    []string
	restrict, gateway           kleene.Truth
	management                  bool
	assume                      engine.Assumptions
	grants                      []policy.Attached // on the resource's side
	bucket                      *engine.Bucket
	want                        engine.Verdict
	because                     []string // all of them, if not nil
	missing                     string
	unknown                     []string // parts of the entries
	note, noNote                string   // parts of some note, and of none
}

func (tc *test) policies(t testing.TB) *engine.Policies {
	t.Helper()
	kind := policy.Resource
	if strings.HasPrefix(tc.action, "sts:") {
		kind = policy.Trust
	}
	return &engine.Policies{
		Identity: docs(t, tc.identity, "identity", policy.Identity),
		Boundary: docs(t, tc.boundary, "boundary", policy.Boundary),
		Session:  docs(t, tc.session, "session", policy.Session),
		Resource: append(docs(t, tc.resources, "resource", kind), tc.grants...), Bucket: tc.bucket,
		SCP: levels(t, tc.scp, "scp", policy.SCP), RCP: levels(t, tc.rcp, "rcp", policy.RCP),
		VPCEndpoint:           tc.endpoints(t),
		RestrictPublicBuckets: tc.restrict, Assume: tc.assume,
	}
}

// endpoints are the policies of a VPC endpoint of a known type.
func (tc *test) endpoints(t testing.TB) []policy.Attached {
	t.Helper()
	out := docs(t, tc.endpoint, "vpcEndpoint", policy.VPCEndpoint)
	for i := range out {
		out[i].Gateway = tc.gateway
	}
	return out
}

func (tc *test) request() *engine.Request {
	req := &engine.Request{Principal: caller(tc.principal), Action: tc.action, Resource: lit(tc.resource), ResourceAccount: lit(tc.owner), Context: keys(tc.context...)}
	req.Principal.ManagementAccount = tc.management
	if tc.action == "" {
		req.Action = "s3:GetObject"
	}
	if tc.resource == "" {
		req.Resource = lit(object)
	}
	if strings.HasPrefix(tc.resource, "@") {
		req.Resource = symbol.Symbol{Name: tc.resource}.Text()
	}
	switch tc.owner {
	case "":
		req.ResourceAccount = lit(account)
	case "@":
		req.ResourceAccount = symbol.Symbol{Name: "owner", Class: symbol.Digits}.Text()
	}
	return req
}

func (tc *test) run(t *testing.T) {
	t.Helper()
	got := engine.Evaluate(tc.policies(t), tc.request())
	if got.Verdict != tc.want {
		t.Errorf("got %v, want %v; because %q, missing %v, unknown %q", got.Verdict, tc.want, reasons(got), got.Missing, got.Unknown)
	}
	if tc.because != nil {
		if g, w := strings.Join(reasons(got), "\n"), strings.Join(tc.because, "\n"); g != w {
			t.Errorf("because: got\n%s\nwant\n%s", g, w)
		}
	}
	if g := fmt.Sprint(got.Missing); tc.missing != "" && g != "["+tc.missing+"]" {
		t.Errorf("missing: got %s, want [%s]", g, tc.missing)
	}
	if got.Verdict == engine.Unknown && len(got.Unknown) == 0 {
		t.Error("an unknown verdict names nothing that it hangs on")
	}
	if len(tc.unknown) > 0 && len(got.Unknown) != len(tc.unknown) {
		t.Errorf("unknown: got %q, want %q", got.Unknown, tc.unknown)
	}
	for i := range min(len(tc.unknown), len(got.Unknown)) {
		if !strings.Contains(got.Unknown[i], tc.unknown[i]) {
			t.Errorf("unknown: got %q, want %q", got.Unknown[i], tc.unknown[i])
		}
	}
	if notes := strings.Join(got.Notes, "\n"); tc.noNote != "" && strings.Contains(notes, tc.noNote) {
		t.Errorf("notes: got %q, want none with %q", got.Notes, tc.noNote)
	}
	if tc.note != "" && !strings.Contains(strings.Join(got.Notes, "\n"), tc.note) {
		t.Errorf("notes: got %q, want one with %q", got.Notes, tc.note)
	}
}

// reasons renders the reasons of a decision: "policy:statement Effect outcome",
// with what failed.
func reasons(d engine.Decision) []string {
	out := []string{}
	for _, r := range d.Because {
		s := fmt.Sprintf("%s:%d %s %s", r.Policy, r.Statement, r.Effect, r.Outcome)
		if f := r.Failed; f != nil {
			s += fmt.Sprintf(" (%s wanted %s got %s)", strings.TrimSpace(f.Key+" "+f.Operator), f.Wanted, f.Got)
		}
		out = append(out, s)
	}
	return out
}

func runAll(t *testing.T, tests []test) {
	t.Helper()
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) { tc.run(t) })
	}
}
