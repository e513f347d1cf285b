// Package simulate reads cases, a request with the policies that bear on it and
// the verdict one wants, and answers them. A case is one object, in JSON or in any
// text that becomes a [source.Node]; nothing is added to what it says.
package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Case is one request to decide.
type Case struct {
	ID string
	// Note and Refs say what the case shows and which page of the documentation it
	// follows.
	Note string
	Refs []string
	// Request is nil for an object that only sets the policies of what follows.
	Request  *engine.Request
	Policies *engine.Policies
	// Want is the verdict that is expected, nil for none.
	Want *engine.Verdict
	// Because are reasons that the decision must give, Unknown texts that must
	// occur in what an unknown verdict hangs on.
	Because []Expected
	Unknown []string
}

// An Expected reason matches those reasons of a decision that agree with all the
// fields that are set.
type Expected struct {
	Policy    string
	Statement int
	Outcome   engine.Outcome
	// Failed is the key of the failed element, Got what the request held.
	Failed, Got string
}

// Decode reads a case. shared are the policies that earlier objects set; a case's
// own keys override them. A case with diagnostics of severity Error has no meaning.
func Decode(n *source.Node, shared *engine.Policies) (Case, source.Diagnostics) {
	d := decoder{}
	c := Case{Policies: shared}
	if shared == nil {
		c.Policies = &engine.Policies{}
	}
	for name, m := range d.members(n, "case", "id", "note", "refs", "request", "policies", "assume", "want", "because", "unknown") {
		switch name {
		case "id":
			c.ID = d.text(m)
		case "note":
			c.Note = d.text(m)
		case "refs":
			c.Refs = d.texts(m)
		case "request":
			c.Request = d.request(m)
		case "policies":
			c.Policies = d.policies(m, c.Policies)
		case "assume":
			own := *c.Policies
			own.Assume = d.assume(m)
			c.Policies = &own
		case "want":
			c.Want = d.verdict(m)
		case "because":
			c.Because = d.because(m)
		case "unknown":
			c.Unknown = d.texts(m)
		}
	}
	named := func(name string) bool {
		return slices.ContainsFunc(n.Members, func(m source.Member) bool { return m.Name == name })
	}
	if n.Kind == source.Object && !named("request") && (!named("policies") || named("want")) {
		d.err(n, "a case needs a request; without one an object may set policies for what follows, and wants nothing")
	}
	return c, d.diags
}

// IsSuite reports whether a tree is a suite: an object with the key cases.
func IsSuite(n *source.Node) bool {
	return n.Kind == source.Object && slices.ContainsFunc(n.Members, func(m source.Member) bool { return m.Name == "cases" })
}

// DecodeSuite reads the cases of a suite: an object with cases, policies that hold
// for all of them, and perhaps a note and refs. Cases with diagnostics of severity
// Error are left out.
func DecodeSuite(n *source.Node) ([]Case, source.Diagnostics) {
	var d decoder
	var out []Case
	shared := &engine.Policies{}
	for name, m := range d.members(n, "suite", "note", "refs", "policies", "cases") {
		switch name {
		case "note":
			d.text(m)
		case "refs":
			d.texts(m)
		case "policies":
			shared = d.policies(m, shared)
		case "cases":
			if m.Kind != source.List {
				d.err(m, "cases is a list, and this is %s", m.Kind.Noun())
				continue
			}
			for _, item := range m.Items {
				c, diags := Decode(item, shared)
				d.diags = append(d.diags, diags...)
				switch {
				case diags.HasErrors():
				case c.Request == nil:
					shared = c.Policies
				default:
					out = append(out, c)
				}
			}
		}
	}
	return out, d.diags
}

type decoder struct{ diags source.Diagnostics }

func (d *decoder) err(n *source.Node, format string, args ...any) {
	d.diags = append(d.diags, source.Diagnostic{Severity: source.Error, Summary: "Malformed case", Detail: fmt.Sprintf(format, args...), Range: n.Range})
}

func (d *decoder) warn(n *source.Node, summary, format string, args ...any) {
	d.diags = append(d.diags, source.Diagnostic{Severity: source.Warning, Summary: summary, Detail: fmt.Sprintf(format, args...), Range: n.Range})
}

// members yields the members of an object that has only certain names, in the
// order in which the names are given: later ones may depend on earlier ones.
func (d *decoder) members(n *source.Node, what string, names ...string) func(func(string, *source.Node) bool) {
	return func(yield func(string, *source.Node) bool) {
		if n.Kind != source.Object {
			d.err(n, "a %s is an object, and this is %s", what, n.Kind.Noun())
			return
		}
		values := make([]*source.Node, len(names))
	next:
		for _, m := range n.Members {
			for i, name := range names {
				if m.Name == name {
					if values[i] != nil {
						d.err(m.Value, "%q stands twice in one %s", name, what)
					}
					values[i] = m.Value
					continue next
				}
			}
			d.err(m.Value, "%q is no key of a %s: there are %s", m.Name, what, strings.Join(names, ", "))
		}
		for i, v := range values {
			if v != nil && !yield(names[i], v) {
				return
			}
		}
	}
}

func (d *decoder) text(n *source.Node) string {
	if n.Kind != source.String {
		d.err(n, "this is %s where a string is needed", n.Kind.Noun())
		return ""
	}
	return n.Text.String()
}

func (d *decoder) texts(n *source.Node) []string {
	if n.Kind != source.List {
		return []string{d.text(n)}
	}
	out := make([]string, len(n.Items))
	for i, item := range n.Items {
		out[i] = d.text(item)
	}
	return out
}

func (d *decoder) verdict(n *source.Node) *engine.Verdict {
	var v engine.Verdict
	if err := v.UnmarshalText([]byte(d.text(n))); err != nil {
		d.err(n, "%v", err)
		return nil
	}
	return &v
}

func (d *decoder) because(n *source.Node) []Expected {
	if n.Kind != source.List {
		d.err(n, "because is a list of objects, and this is %s", n.Kind.Noun())
		return nil
	}
	var out []Expected
	for _, item := range n.Items {
		var e Expected
		for name, m := range d.members(item, "reason", "policy", "statement", "outcome", "failed", "got") {
			switch name {
			case "policy":
				e.Policy = d.text(m)
			case "statement":
				if _, err := fmt.Sscan(m.Text.String(), &e.Statement); err != nil || m.Kind != source.Number {
					d.err(m, "statement is a number that counts from 1")
				}
			case "outcome":
				e.Outcome = engine.Outcome(d.text(m))
				if e.Outcome != engine.Applies && e.Outcome != engine.Maybe && e.Outcome != engine.NotApplies {
					d.err(m, "outcome is %s, %s or %s", engine.Applies, engine.Maybe, engine.NotApplies)
				}
			case "failed":
				e.Failed = d.text(m)
			case "got":
				e.Got = d.text(m)
			}
		}
		out = append(out, e)
	}
	return out
}

func (d *decoder) request(n *source.Node) *engine.Request {
	r := &engine.Request{}
	var principal *source.Node
	for name, m := range d.members(n, "request", "principal", "action", "resource", "resourceAccount", "context") {
		switch name {
		case "principal":
			principal = m
		case "action":
			r.Action = d.text(m)
			if prefix, action, ok := strings.Cut(r.Action, ":"); !ok || prefix == "" || action == "" {
				d.err(m, "an action is service:Name, and this is %q", r.Action)
			}
		case "resource":
			r.Resource = d.resource(m)
		case "resourceAccount":
			r.ResourceAccount = symbol.Literal(d.text(m))
		case "context":
			d.context(m, &r.Context)
		}
	}
	switch {
	case principal == nil:
		d.err(n, "a request needs a principal")
	case r.Action == "":
		d.err(n, "a request needs an action")
	case r.Resource.IsZero():
		d.err(n, "a request needs a resource")
	default:
		p, err := Principal(d.text(principal), r.Context)
		if err != nil {
			d.err(principal, "%v", err)
		}
		r.Principal = p
		if p.Kind == request.ServiceLinkedRole && p.Pathless {
			d.warn(principal, "Service-linked role by its name", "The ARN of a session does not tell the path of its role: %q is taken for a service-linked role because of its name. Say so with aws:PrincipalArn in the context.", p.ARN)
		}
	}
	return r
}

func (d *decoder) resource(n *source.Node) symbol.Text {
	t := symbol.Literal(d.text(n))
	if _, ok := arn.Parse(t); !ok && t != symbol.Literal("*") {
		d.err(n, "a resource is an ARN or \"*\", and this is %q", t)
	}
	return t
}

func (d *decoder) context(n *source.Node, ctx *request.Context) {
	if n.Kind != source.Object {
		d.err(n, "the context is an object, and this is %s", n.Kind.Noun())
		return
	}
	ctx.Grow(len(n.Members))
	all := make([]symbol.Text, 0, len(n.Members)) // the values of most contexts
	for _, m := range n.Members {
		if e := ctx.Get(m.Name); e.Present != kleene.False && (e.Key == m.Name || !strings.Contains(m.Name, "/")) {
			d.err(m.Value, "the key %s stands twice in the context (names are compared without regard to case)", m.Name)
		}
		items := []*source.Node{m.Value}
		if m.Value.Kind == source.List {
			items = m.Value.Items
		}
		for _, item := range items {
			if item.Kind != source.String && item.Kind != source.Number && item.Kind != source.Bool {
				d.err(item, "a context value is a string, a number, a boolean or a list of these, and this is %s", item.Kind.Noun())
			}
			all = append(all, item.Text)
		}
		ctx.Set(m.Name, slices.Clip(all[len(all)-len(items):])...)
	}
}

func (d *decoder) policies(n *source.Node, shared *engine.Policies) *engine.Policies {
	out := *shared
	for name, m := range d.members(n, "set of policies", "identity", "resource", "boundary", "session", "scp", "rcp", "vpcEndpoint", "grants", "bucket") {
		switch name {
		case "identity":
			out.Identity = d.documents(m, name, policy.Identity)
		case "boundary":
			out.Boundary = d.documents(m, name, policy.Boundary)
		case "session":
			out.Session = d.documents(m, name, policy.Session)
		case "resource":
			out.Resource = append(beside(out.Resource, false), d.document(m, name, policy.Resource))
		case "vpcEndpoint":
			out.VPCEndpoint = []policy.Attached{d.document(m, name, policy.VPCEndpoint)}
		case "scp":
			out.SCP = d.levels(m, name, policy.SCP)
		case "rcp":
			out.RCP = d.levels(m, name, policy.RCP)
		case "grants":
			grants := d.documents(m, name, policy.Resource)
			for i := range grants {
				grants[i].Grant = true
			}
			out.Resource = append(beside(out.Resource, true), grants...)
		case "bucket":
			out.Bucket = d.bucket(m)
		}
	}
	return &out
}

// beside returns what remains of a resource's documents when its policy or, where
// grants is set, what grants beside it is replaced.
func beside(docs []policy.Attached, grants bool) []policy.Attached {
	var out []policy.Attached
	for _, doc := range docs {
		if doc.Grant != grants {
			out = append(out, doc)
		}
	}
	return out
}

// bucket reads what stands behind an access point.
func (d *decoder) bucket(n *source.Node) *engine.Bucket {
	b := &engine.Bucket{}
	for name, m := range d.members(n, "bucket", "resource", "policy") {
		switch name {
		case "resource":
			b.Resource = d.resource(m)
		case "policy":
			b.Policies = []policy.Attached{d.document(m, "bucket", policy.Resource)}
		}
	}
	if n.Kind == source.Object && b.Resource.IsZero() {
		d.err(n, "a bucket behind an access point needs resource: the ARN, below the bucket's own, of what the request is made on")
	}
	return b
}

// assume reads what is to hold where AWS's documentation leaves it open.
func (d *decoder) assume(n *source.Node) engine.Assumptions {
	var a engine.Assumptions
	for name, m := range d.members(n, "set of assumptions", "negatedSet", "delegating") {
		switch name {
		case "negatedSet":
			if m.Kind != source.Bool {
				d.err(m, "negatedSet is true or false, and this is %s", m.Kind.Noun())
				continue
			}
			holds := m.Text == symbol.Literal("true")
			a.NegatedSet = &holds
		case "delegating":
			for _, prefix := range d.texts(m) {
				a.Delegating = append(a.Delegating, strings.ToLower(prefix))
			}
		}
	}
	return a
}

func (d *decoder) document(n *source.Node, id string, kind policy.Kind) policy.Attached {
	doc, diags := policy.Decode(n, id, kind, source.Origin{Attribute: id})
	d.diags = append(d.diags, diags...)
	d.diags = append(d.diags, engine.Lint(doc)...)
	return policy.Attached{Document: doc, Sure: kleene.True}
}

func (d *decoder) documents(n *source.Node, name string, kind policy.Kind) []policy.Attached {
	if n.Kind != source.List {
		d.err(n, "%s is a list of policies, and this is %s", name, n.Kind.Noun())
		return nil
	}
	var out []policy.Attached
	for i, item := range n.Items {
		out = append(out, d.document(item, fmt.Sprintf("%s[%d]", name, i), kind))
	}
	return out
}

func (d *decoder) levels(n *source.Node, name string, kind policy.Kind) []engine.Level {
	if n.Kind != source.List {
		d.err(n, "%s is a list of levels, and this is %s", name, n.Kind.Noun())
		return nil
	}
	var out []engine.Level
	for i, item := range n.Items {
		out = append(out, d.documents(item, fmt.Sprintf("%s[%d]", name, i), kind))
	}
	return out
}

// Principal reads the caller of a request: an ARN, the name of a service, or
// "anonymous". A bare role ARN is a session with a name that no policy mentions.
// The path of a role, which the ARN of a session does not carry, is taken from
// aws:PrincipalArn in the context.
func Principal(s string, ctx request.Context) (request.Principal, error) {
	text := symbol.Literal(s)
	a, isARN := arn.Parse(text)
	switch {
	case s == "anonymous":
		return request.Principal{Kind: request.Anonymous}, nil
	case !isARN && strings.HasSuffix(s, ".amazonaws.com") && !strings.ContainsAny(s, ":/*"):
		return request.Principal{Kind: request.ServicePrincipal, Service: s}, nil
	case !isARN:
		return request.Principal{}, fmt.Errorf("a principal is an ARN, a service such as cloudtrail.amazonaws.com, or anonymous, and this is %q", s)
	}
	p := request.Principal{ARN: text, Account: a[arn.Account]}
	service, _ := a[arn.Service].Literal()
	switch kind := service + ":" + a.Type(); kind {
	case "iam:root":
		p.Kind = request.Root
	case "iam:user":
		p.Kind = request.IAMUser
	case "iam:role":
		p.Kind = request.RoleSession
		p.Session = sessionARN(a, a.Name())
	case "sts:assumed-role":
		p.Kind, p.Session = request.RoleSession, text
		p.ARN, p.Pathless = roleOf(a, ctx)
	case "sts:federated-user":
		p.Kind, p.Session = request.FederatedUser, text
	case "iam:oidc-provider", "iam:saml-provider":
		p.Kind, p.Account = request.FederatedIdentity, symbol.Text{}
	default:
		return request.Principal{}, fmt.Errorf("%q is the ARN of no principal: users, roles, sessions, root users and identity providers are", s)
	}
	// Where the session's ARN is all there is, the prefix of the name must do.
	linked := strings.Contains(p.ARN.String(), ":role/aws-service-role/") || p.Pathless && strings.Contains(p.ARN.String(), ":role/AWSServiceRoleFor")
	if p.Kind == request.RoleSession && linked {
		p.Kind = request.ServiceLinkedRole
	}
	return p, nil
}

func sessionARN(role arn.ARN, name symbol.Text) symbol.Text {
	role[arn.Service] = symbol.Literal("sts")
	role[arn.Resource] = symbol.Concat(symbol.Literal("assumed-role/"), name, symbol.Literal("/tfguard-session"))
	return role.Text()
}

// roleOf returns the role of a session: as aws:PrincipalArn gives it or, without
// its path, as the session's ARN does.
func roleOf(session arn.ARN, ctx request.Context) (role symbol.Text, pathless bool) {
	rest := session[arn.Resource].String()
	name, _, _ := strings.Cut(strings.TrimPrefix(rest, "assumed-role/"), "/")
	if e := ctx.Get("aws:PrincipalArn"); e.Present == kleene.True && len(e.Values) == 1 {
		if a, ok := arn.Parse(e.Values[0]); ok && a.Type() == "role" && a.Name() == symbol.Literal(name) {
			return e.Values[0], false
		}
	}
	session[arn.Service] = symbol.Literal("iam")
	session[arn.Resource] = symbol.Literal("role/" + name)
	return session.Text(), true
}
