package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Policy language versions. (AWS page "IAM JSON policy elements: Version".)
const (
	Version2012 = "2012-10-17"
	Version2008 = "2008-10-17"
)

// Parse reads a policy document from JSON text. If the text is no policy the
// document is returned with Unread set and a diagnostic of severity Error says why.
func Parse[T string | []byte](text T, id string, kind Kind, origin source.Origin) (*Document, source.Diagnostics) {
	parser, _ := parsers.Get().(*source.Parser)
	defer parsers.Put(parser) // a document keeps nothing of its tree but texts
	whole := string(text)
	node, err := parser.Parse(whole)
	if err != nil {
		d := source.Diagnostic{
			Severity: source.Error, Origin: origin, Summary: "Policy is not JSON",
			Detail: fmt.Sprintf("A policy document is a JSON object, and this text is none: %v.", err),
		}
		if syn, ok := errors.AsType[*source.SyntaxError](err); ok {
			d.Range = source.Range{Start: syn.Pos, End: syn.Pos}
			d.Detail = fmt.Sprintf("A policy document is a JSON object, and this text is none: %s.", syn.Msg)
		}
		return Unread(id, kind, origin, "the policy is not valid JSON"), source.Diagnostics{d}
	}
	return decode(node, id, kind, origin, whole)
}

// parsers are for [Parse], which a plan may ask for thousands of small documents.
var parsers = sync.Pool{New: func() any { return new(source.Parser) }}

// Unread returns a document whose content is not known, with the reason.
func Unread(id string, kind Kind, origin source.Origin, reason string) *Document {
	return &Document{ID: id, Kind: kind, Origin: origin, Unread: reason}
}

// Decode reads a policy document from a tree. Spellings that AWS refuses make the
// whole document unread, with a diagnostic of severity Error for each; what AWS
// accepts and ignores, or refuses only for style, is a warning.
func Decode(node *source.Node, id string, kind Kind, origin source.Origin) (*Document, source.Diagnostics) {
	return decode(node, id, kind, origin, "")
}

// decode is [Decode] for a tree that was read from a text, empty for another one.
func decode(node *source.Node, id string, kind Kind, origin source.Origin, text string) (*Document, source.Diagnostics) {
	d := decoder{doc: &Document{ID: id, Kind: kind, Origin: origin, Range: node.Range, Version: Version2008}}
	if kind == VPCEndpoint {
		d.doc.Gateway = kleene.Unknown
	}
	d.document(node)
	d.size(node, text)
	if i := slices.IndexFunc(d.diags, func(d source.Diagnostic) bool { return d.Severity == source.Error }); i >= 0 {
		d.doc.Unread = "the policy is malformed (" + lowerFirst(d.diags[i].Summary) + ")"
		if start := d.diags[i].Range.Start; start.Line > 0 {
			d.doc.Unread = fmt.Sprintf("the policy is malformed (%s at %s)", lowerFirst(d.diags[i].Summary), start)
		}
	}
	if d.doc.Unread != "" {
		d.doc.Statements = nil
	}
	return d.doc, d.diags
}

type decoder struct {
	doc   *Document
	diags source.Diagnostics
	read  int // statements so far
}

func (d *decoder) add(sev source.Severity, rng source.Range, summary, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	d.diags = append(d.diags, source.Diagnostic{Severity: sev, Summary: summary, Detail: detail, Origin: d.doc.Origin, Range: rng})
}

func (d *decoder) err(rng source.Range, summary, detail string, args ...any) {
	d.add(source.Error, rng, summary, detail, args...)
}

func (d *decoder) warn(rng source.Range, summary, detail string, args ...any) {
	d.add(source.Warning, rng, summary, detail, args...)
}

// members are those of an object whose member names are fixed.
type members []source.Member

// named returns the last member of a name.
func (ms members) named(name string) (source.Member, bool) {
	for _, m := range slices.Backward(ms) {
		if m.Name == name {
			return m, true
		}
	}
	return source.Member{}, false
}

// members reports duplicates among the members of an object, wrong case and names that
// do not belong.
func (d *decoder) members(n *source.Node, what string, names []string) members {
	var seen uint // bit i for names[i]
	for _, m := range n.Members {
		i := slices.Index(names, m.Name)
		switch {
		case i >= 0 && seen&(1<<i) != 0:
			d.err(m.Range, "Duplicate element", "%q stands twice in one %s. Keep one.", m.Name, what)
		case i >= 0:
			seen |= 1 << i
		default:
			d.stray(m, what, names)
		}
	}
	return n.Members
}

// stray reports a member that does not belong where it stands.
func (d *decoder) stray(m source.Member, what string, names []string) {
	for _, name := range names {
		if strings.EqualFold(m.Name, name) {
			d.err(m.Range, "Wrong case", "Element names are case-sensitive: write %q instead of %q.", name, m.Name)
			return
		}
	}
	d.err(m.Range, "Unknown element", "%q is no element of a %s. It can have %s.", m.Name, what, strings.Join(names, ", "))
}

func (d *decoder) document(n *source.Node) {
	switch n.Kind {
	case source.Unknown:
		d.doc.Unread = "the policy is known only after apply"
		return
	case source.Object:
	default:
		d.err(n.Range, "Policy is no object", "A policy document is a JSON object with a Statement, and this is %s.", n.Kind.Noun())
		return
	}
	m := d.members(n, "policy document", documentNames)
	if v, ok := m.named("Version"); ok {
		s, known := v.Value.Text.Literal()
		switch {
		case v.Value.Kind == source.Unknown, v.Value.Kind == source.String && !known:
			d.doc.Unread = "the version of the policy is known only after apply"
		case v.Value.Kind == source.String && (s == Version2012 || s == Version2008):
			d.doc.Version = s
		default:
			d.err(v.Value.Range, "Unknown policy version", "Version is %q or, for old documents, %q.", Version2012, Version2008)
		}
	}
	if d.doc.Kind == RCP && d.doc.Version != Version2012 {
		d.warn(n.Range, "Old version of an RCP", "A resource control policy carries Version %q: AWS refuses the document.", Version2012)
	}
	if v, ok := m.named("Id"); ok && !d.doc.Kind.takesPrincipal() {
		d.warn(v.Range, "Id in this kind of policy", "Id belongs to resource-based policies; AWS may refuse it in a policy of kind %s.", d.doc.Kind)
	}
	st, ok := m.named("Statement")
	if !ok {
		d.err(n.Range, "No Statement", "A policy document needs a Statement.")
		return
	}
	sids := map[string]bool{}
	switch st.Value.Kind {
	case source.Object:
		d.statement(st.Value, sids)
	case source.List:
		d.doc.Statements = make([]Statement, 0, len(st.Value.Items))
		for _, item := range st.Value.Items {
			d.statement(item, sids)
		}
	case source.Unknown:
		d.doc.Unread = "the statements of the policy are known only after apply"
	default:
		d.err(st.Value.Range, "Statement is no object", "Statement is an object or an array of objects, and this is %s.", st.Value.Kind.Noun())
	}
}

var documentNames = []string{"Version", "Id", "Statement"}

var statementNames = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}

var sidSyntax = regexp.MustCompile(`^[A-Za-z0-9]*$`)

func (d *decoder) statement(n *source.Node, sids map[string]bool) {
	d.read++
	s := Statement{Index: d.read, Range: n.Range}
	switch n.Kind {
	case source.Object:
		d.elements(n, &s, sids)
	case source.Unknown:
		s.dig(n, source.Range{}, "", "a statement")
		text := unknownText(n, "statement")
		s.Actions = Actions{Entries: []Action{{Text: text, Range: n.Range, all: true}}, Range: n.Range}
		if d.doc.Kind.takesPrincipal() {
			s.Principals = &Principals{Entries: anyone(text, n.Range), Range: n.Range}
		}
	default:
		d.err(n.Range, "Statement is no object", "A statement is an object, and this is %s.", n.Kind.Noun())
	}
	if s.Effect == "" && len(s.Unknown) > 0 {
		// It may be of either effect: stand for both.
		s.Effect = Allow
		d.doc.Statements = append(d.doc.Statements, s)
		s.Effect = Deny
	}
	d.doc.Statements = append(d.doc.Statements, s)
}

// anyone returns an entry of each type for principals that are not known at all.
func anyone(text symbol.Text, rng source.Range) []Principal {
	var entries []Principal
	for _, pt := range []PrincipalType{AWS, Service, Federated, CanonicalUser} {
		entries = append(entries, Principal{Type: pt, Text: text, Range: rng})
	}
	return entries
}

// unknownText returns the text an unknown node will be. One without an identity
// gets a name that no value of a request has, or it would be taken for that value.
func unknownText(n *source.Node, what string) symbol.Text {
	if !n.Text.IsZero() {
		return n.Text
	}
	return symbol.Symbol{Name: "unknown " + what}.Text()
}

// dig makes a hole: an element that is not known at all. what stands in reasons for
// one that has no name.
func (s *Statement) dig(n *source.Node, name source.Range, element, what string) {
	s.holes = append(s.holes, hole{element: element, name: name, text: n.Text, value: n.Range})
	if !n.Text.IsZero() {
		what = n.Text.String()
	}
	s.Unknown = append(s.Unknown, what)
}

func (d *decoder) elements(n *source.Node, s *Statement, sids map[string]bool) {
	m := d.members(n, "statement", statementNames)
	if v, ok := m.named("Sid"); ok && v.Value.Kind == source.String {
		s.Sid = v.Value.Text.String()
		if sids[s.Sid] && s.Sid != "" {
			d.warn(v.Value.Range, "Duplicate Sid", "Two statements have the Sid %q. AWS refuses that in identity-based policies.", s.Sid)
		}
		sids[s.Sid] = true
		if !d.doc.Kind.takesPrincipal() && !sidSyntax.MatchString(s.Sid) {
			d.warn(v.Value.Range, "Sid with other characters", "In this kind of policy a Sid has letters and digits only.")
		}
	} else if ok && v.Value.Kind != source.Null && v.Value.Kind != source.Unknown {
		d.err(v.Value.Range, "Sid is no string", "Sid is a string, and this is %s.", v.Value.Kind.Noun())
	}
	d.effect(n, m, s)
	if v, not, ok := d.either(n, m, "Principal", "NotPrincipal", d.doc.Kind.takesPrincipal()); ok {
		s.Principals = d.principals(v, not)
		if !d.doc.Kind.takesPrincipal() {
			d.warn(v.Range, "Principal in this kind of policy", "A policy of kind %s names no principals: AWS refuses the document. The element is not evaluated.", d.doc.Kind)
			s.Principals = nil
		}
		switch {
		case s.Principals == nil:
		case not && (d.doc.Kind == Trust || d.doc.Kind == RCP):
			d.warn(v.Range, "NotPrincipal in this kind of policy", "AWS refuses NotPrincipal in a policy of kind %s. Use \"Principal\": \"*\" with a condition on aws:PrincipalArn.", d.doc.Kind)
		case not && s.Effect == Allow:
			d.warn(v.Range, "Allow with NotPrincipal", "AWS does not support Allow with NotPrincipal; where such a document exists it lets everybody else in, anonymous callers included.")
		case d.doc.Kind == RCP && slices.ContainsFunc(s.Principals.Entries, func(p Principal) bool { return p.Type != Everyone }):
			d.warn(v.Range, "Principal of an RCP", "A resource control policy has \"Principal\": \"*\" and no other: AWS refuses the document.")
		}
	}
	if v, not, ok := d.either(n, m, "Action", "NotAction", true); ok {
		s.Actions = d.actions(v, not)
		all := slices.ContainsFunc(s.Actions.Entries, func(a Action) bool { return a.all })
		switch {
		case d.doc.Kind != RCP:
		case not:
			d.warn(v.Range, "NotAction in an RCP", "AWS refuses NotAction in a resource control policy.")
		case s.Effect == Allow && !all:
			d.warn(v.Range, "Allow in an RCP", "A resource control policy only denies: AWS refuses Allow, which it grants itself with RCPFullAWSAccess.")
		case s.Effect == Deny && all:
			d.warn(v.Range, "Every action in an RCP", "AWS refuses \"*\" as the action of a resource control policy: name the services, such as \"s3:*\".")
		}
	}
	// Trust policies have no Resource, and services whose resource policies can
	// mean nothing but their own resource do not ask for one.
	required := d.doc.Kind != Trust && d.doc.Kind != Resource
	if v, not, ok := d.either(n, m, "Resource", "NotResource", required); ok {
		s.Resources = d.resources(v, not)
		if d.doc.Kind == Trust {
			d.warn(v.Range, "Resource in a trust policy", "A role's trust policy has no Resource: AWS refuses the document. The element is not evaluated.")
			s.Resources = nil
		}
	}
	if v, ok := m.named("Condition"); ok {
		d.conditions(v.Value, s)
	}
}

func (d *decoder) effect(n *source.Node, m members, s *Statement) {
	v, ok := m.named("Effect")
	if !ok {
		d.err(n.Range, "No Effect", "A statement needs an Effect, \"Allow\" or \"Deny\".")
		return
	}
	effect, known := v.Value.Text.Literal()
	switch {
	case v.Value.Kind == source.Unknown, v.Value.Kind == source.String && !known:
		s.dig(v.Value, v.Range, "Effect", "Effect")
		return
	case v.Value.Kind == source.String && (effect == string(Allow) || effect == string(Deny)):
		s.Effect = Effect(effect)
		return
	}
	d.err(v.Value.Range, "Unknown Effect", "Effect is \"Allow\" or \"Deny\", spelled so.")
}

func (d *decoder) either(n *source.Node, m members, name, notName string, required bool) (source.Member, bool, bool) {
	v, ok := m.named(name)
	w, notOK := m.named(notName)
	switch {
	case ok && notOK:
		d.err(w.Range, "Both "+name+" and "+notName, "A statement has %s or %s. Keep one.", name, notName)
		return v, false, false
	case ok:
		return v, false, true
	case notOK:
		return w, true, true
	case required:
		d.err(n.Range, "No "+name, "A statement of this kind of policy (%s) needs %s or %s.", d.doc.Kind, name, notName)
	}
	return v, false, false
}

// texts reads a string or a list of strings; numbers and booleans are strings too
// where scalars is set. An unknown value becomes a symbol.
func (d *decoder) texts(n *source.Node, what string, scalars bool, yield func(symbol.Text, source.Range)) {
	items := []*source.Node{n}
	if n.Kind == source.List {
		items = n.Items
	}
	for _, item := range items {
		switch {
		case item.Kind == source.String,
			scalars && (item.Kind == source.Number || item.Kind == source.Bool):
			yield(item.Text, item.Range)
		case item.Kind == source.Unknown:
			yield(unknownText(item, what), item.Range)
		default:
			d.err(item.Range, "Value is no string", "%s takes strings, and this is %s.", what, item.Kind.Noun())
		}
	}
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

func (d *decoder) principals(m source.Member, not bool) *Principals {
	p := &Principals{Not: not, Range: m.Range}
	switch m.Value.Kind {
	case source.String:
		if m.Value.Text == symbol.Literal("*") {
			p.Entries = append(p.Entries, Principal{Type: Everyone, Text: m.Value.Text, Range: m.Value.Range})
			return p
		}
		d.err(m.Value.Range, "Principal is no object", "%s is \"*\" or an object such as {\"AWS\": …}, {\"Service\": …}.", m.Name)
	case source.Object:
		types := map[string]bool{}
		for _, t := range m.Value.Members {
			if types[t.Name] {
				d.err(t.Range, "Duplicate element", "%q stands twice in one %s. Put the principals of both into one list.", t.Name, m.Name)
			}
			types[t.Name] = true
			switch pt := PrincipalType(t.Name); pt {
			case AWS, Service, Federated, CanonicalUser:
				d.texts(t.Value, t.Name, false, func(text symbol.Text, rng source.Range) {
					p.Entries = append(p.Entries, d.principal(pt, text, rng))
				})
			case Everyone:
				// Terraform renders type "*" as the bare wildcard; {"*": "*"} is the
				// old spelling that some services accept.
				d.warn(t.Range, "Principal type \"*\"", "Write \"Principal\": \"*\" for everyone.")
				d.texts(t.Value, m.Name, false, func(text symbol.Text, rng source.Range) {
					if text != symbol.Literal("*") {
						d.err(rng, "Unknown principal type", "Only \"*\" can stand under \"*\". Name the type of %q: AWS, Service, Federated or CanonicalUser.", text)
					}
					p.Entries = append(p.Entries, Principal{Type: Everyone, Text: text, Range: rng})
				})
			default:
				d.err(t.Range, "Unknown principal type", "%q is no principal type. There are AWS, Service, Federated and CanonicalUser.", t.Name)
			}
		}
	case source.Unknown:
		p.Entries = anyone(unknownText(m.Value, m.Name), m.Value.Range)
	default:
		d.err(m.Value.Range, "Principal is no object", "%s is \"*\" or an object such as {\"AWS\": …}, and this is %s.", m.Name, m.Value.Kind.Noun())
	}
	return p
}

func (d *decoder) principal(pt PrincipalType, text symbol.Text, rng source.Range) Principal {
	e := Principal{Type: pt, Text: text, Range: rng}
	s, known := text.Literal()
	switch {
	case pt == AWS && s == "*" && known:
		e.Type = Everyone
	case text.Index('*') >= 0 || text.Index('?') >= 0:
		e.Never = true
		d.warn(rng, "Wildcard in a principal", "AWS refuses a principal with a partial wildcard (%q); it matches nobody. Use \"*\" with a condition on aws:PrincipalArn.", text)
	case pt == AWS && isGroup(text):
		e.Never = true
		d.warn(rng, "Group as a principal", "A group is no principal (%q); it matches nobody. Name its users, or their account.", text)
	case !known:
	case pt == AWS && (strings.HasPrefix(s, "AROA") || strings.HasPrefix(s, "AIDA")):
		e.Never = true
		d.warn(rng, "Principal is a unique id", "%q is the id of a deleted role or user; it matches nobody.", s)
	case pt == AWS && !accountID.MatchString(s) && strings.Count(s, ":") < 5:
		e.Never = true
		d.warn(rng, "Principal is no ARN", "%q is neither an ARN nor a 12-digit account id; it matches nobody.", s)
	}
	return e
}

func isGroup(text symbol.Text) bool {
	a, ok := arn.Parse(text)
	return ok && a[arn.Service] == symbol.Literal("iam") && a.Type() == "group"
}

func (d *decoder) actions(m source.Member, not bool) Actions {
	a := Actions{Not: not, Range: m.Range, Entries: make([]Action, 0, max(1, len(m.Value.Items)))}
	d.texts(m.Value, m.Name, false, func(text symbol.Text, rng source.Range) {
		e := Action{Text: text, Range: rng}
		syn := symbol.Syntax{Wildcards: true, Fold: true}
		colon := text.Index(':')
		switch {
		case text == symbol.Literal("*"):
			e.all = true
		case colon >= 0:
			e.prefix, _ = symbol.Compile(text.Slice(0, colon), syn)
			e.name, _ = symbol.Compile(text.Slice(colon+1, text.Len()), syn)
			e.all = e.prefix.IsAny() && e.name.IsAny()
		case text.Known():
			d.warn(rng, "Action without a service", "%q is no action: write service:Name. It matches nothing.", text)
			return
		default:
			whole, _ := symbol.Compile(text, syn)
			e.whole = &whole
		}
		switch {
		case text.Index('$') >= 0:
			d.warn(rng, "Policy variable in an action", "Policy variables do not count in actions; %q matches nothing.", text)
		case e.prefix.Wild() && !e.all:
			d.warn(rng, "Wildcard in a service prefix", "No policy of AWS has a wildcard before the colon of an action (%q); it is matched as one.", text)
		}
		a.Entries = append(a.Entries, e)
	})
	return a
}

func (d *decoder) resources(m source.Member, not bool) *Resources {
	r := &Resources{Not: not, Range: m.Range, Entries: make([]ResourcePattern, 0, max(1, len(m.Value.Items)))}
	d.texts(m.Value, m.Name, false, func(text symbol.Text, rng source.Range) {
		p, err := arn.Compile(text, d.doc.Version == Version2012)
		switch {
		case err != nil:
			d.warn(rng, "Faulty policy variable", "%s. The entry matches nothing.", capital(err.Error()))
		case p.Short():
			d.warn(rng, "Short ARN", "%q has fewer than six parts; AWS takes \"*\" for the missing ones.", text)
		case d.doc.Version == Version2012 && p.Certain() && variableBeforeResource(text):
			d.warn(rng, "Policy variable before the resource part", "Policy variables count after the fifth colon of an ARN only; %q matches nothing.", text)
		case p.IsAny() || p.Full() || !p.Certain():
		case p.RunsOn():
			d.warn(rng, "Resource is no full ARN", "%q has fewer than six parts. AWS's pages disagree whether its \"*\" runs on over colons: whether it matches may be unknown.", text)
		default:
			d.warn(rng, "Resource is no ARN", "%q is no ARN of six parts and matches nothing.", text)
		}
		if p.Certain() && p.WildService() {
			d.warn(rng, "Wildcard in the service of an ARN", "AWS refuses a wildcard in the service part of %q.", text)
		}
		r.variables = r.variables || len(p.Variables()) > 0
		d.multivalued(p.Variables(), rng)
		r.Entries = append(r.Entries, ResourcePattern{Pattern: p, Range: rng})
	})
	return r
}

func variableBeforeResource(text symbol.Text) bool {
	if text.Index('$') < 0 {
		return false
	}
	for i, part := range text.SplitN(':', arn.Resource+1) {
		if at := part.Index('$'); i < arn.Resource && at >= 0 && part.Slice(at, part.Len()).HasPrefix(symbol.Literal("${")) {
			return true
		}
	}
	return false
}

func (d *decoder) multivalued(keys []string, rng source.Range) {
	for _, k := range keys {
		if request.Multivalued(k) {
			d.warn(rng, "Set as a policy variable", "%s holds a set of values and cannot be a policy variable; it counts as absent.", k)
		}
	}
}

// capital begins a sentence, unless with a name that has a spelling of its own.
func capital(s string) string {
	if first, _, _ := strings.Cut(s, " "); strings.Contains(first, ":") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func (d *decoder) conditions(n *source.Node, s *Statement) {
	if n.Kind == source.Unknown {
		s.dig(n, n.Range, "Condition", "Condition")
		return
	}
	if n.Kind != source.Object {
		d.err(n.Range, "Condition is no object", "Condition is an object {operator: {key: value}}, and this is %s.", n.Kind.Noun())
		return
	}
	operators := map[string]bool{}
	for _, om := range n.Members {
		op, err := condition.ParseOperator(om.Name)
		if err != nil {
			d.err(om.Range, "Unknown condition operator", "%s.", capital(err.Error()))
			continue
		}
		if operators[op.String()] {
			d.err(om.Range, "Duplicate element", "%q stands twice in one Condition. Put the keys of both into one.", op)
		}
		operators[op.String()] = true
		if op.String() != om.Name {
			d.warn(om.Range, "Operator in other case", "AWS writes %q.", op)
		}
		if om.Value.Kind == source.Unknown {
			s.dig(om.Value, om.Range, op.String(), "Condition."+op.String())
			continue
		}
		if om.Value.Kind != source.Object {
			d.err(om.Value.Range, "Condition is no object", "%s takes an object {key: value}, and this is %s.", op, om.Value.Kind.Noun())
			continue
		}
		if len(om.Value.Members) == 0 {
			d.warn(om.Range, "Empty condition", "%s names no key: it holds for every request.", op)
		}
		s.Conditions = slices.Grow(s.Conditions, len(om.Value.Members))
		keys := map[string]bool{}
		for _, km := range om.Value.Members {
			key := strings.ToLower(km.Name)
			if keys[key] {
				d.err(km.Range, "Duplicate condition key", "%s stands twice under %s (key names are compared without regard to case).", km.Name, op)
			}
			keys[key] = true
			values := make([]condition.Value, 0, max(1, len(km.Value.Items)))
			before := len(d.diags)
			d.texts(km.Value, km.Name, true, func(text symbol.Text, rng source.Range) {
				values = append(values, condition.Value{Text: text, Range: rng})
			})
			if len(d.diags) > before {
				continue // refused: what is left of the list says nothing
			}
			c, problems := condition.Compile(op, km.Name, km.Range, values, d.doc.Version == Version2012)
			for _, p := range problems {
				d.warn(p.Range, "Questionable condition", "%s.", capital(p.Msg))
			}
			s.Conditions = append(s.Conditions, c)
		}
	}
}
