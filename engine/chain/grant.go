package chain

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// allows are the Allow statements of some policies that can match one action,
// ready to be asked about many resources.
type allows struct {
	// unread is set if some policy was not read and may allow anything.
	unread     bool
	statements []allow
}

type allow struct {
	*policy.Statement
	// sensitive is set for a statement of a sensitive policy: no example is made of it.
	sensitive bool
	// any is set if the statement can match every resource.
	any     bool
	entries []allowEntry
	names   []name
}

type allowEntry struct {
	pattern *arn.Pattern
	// bucket is the name of the one bucket the pattern can match, if it is fixed.
	bucket string
}

func allowing(docs []policy.Attached, action string) allows {
	prefix, name, _ := strings.Cut(action, ":")
	var out allows
	for _, doc := range docs {
		out.unread = out.unread || doc.Unread != ""
		for i := range doc.Statements {
			st := &doc.Statements[i]
			if st.Effect != policy.Allow || st.Actions.Match(prefix, name) == kleene.False {
				continue
			}
			a := prepared(st)
			a.sensitive = doc.Sensitive
			out.statements = append(out.statements, a)
		}
	}
	return out
}

// prepared makes a statement ready to be asked about many resources and callers.
func prepared(st *policy.Statement) allow {
	a := allow{Statement: st, any: st.Resources == nil || st.Resources.Not, names: namesOf(st.Principals)}
	if st.Resources != nil {
		for i := range st.Resources.Entries {
			p := &st.Resources.Entries[i].Pattern
			if p.IsAny() {
				a.any = true
				continue
			}
			a.entries = append(a.entries, allowEntry{pattern: p, bucket: bucketOf(p)})
		}
	}
	return a
}

// A name is an entry of a Principal element, ready to be compared with callers.
type name struct {
	anyone, anyEntity bool
	// entity is a user, role or session; account one of their accounts.
	entity, account symbol.Text
	// hidden: an unknown in it may be, or hold, an account.
	hidden bool
}

func namesOf(ps *policy.Principals) []name {
	if ps == nil || ps.Not {
		return []name{{anyone: true}}
	}
	return entryNames(ps)
}

// entryNames are the entries of a Principal or NotPrincipal element.
func entryNames(ps *policy.Principals) []name {
	var out []name
	for i := range ps.Entries {
		e := &ps.Entries[i]
		switch {
		case e.Never:
		case e.Type == policy.Everyone:
			out = append(out, name{anyone: true})
		case e.Type == policy.CanonicalUser:
			out = append(out, name{anyEntity: true})
		case e.Type == policy.AWS:
			n := name{entity: e.Text, account: e.Text}
			if a, ok := arn.Parse(e.Text); ok && a[arn.Resource] == symbol.Literal("root") {
				n.account = a[arn.Account]
			}
			for s := range e.Text.Symbols() {
				n.hidden = n.hidden || s.Class == symbol.Any
			}
			out = append(out, n)
		}
	}
	return out
}

// may reports whether the entry can mean a caller.
func (n *name) may(caller *request.Principal) bool {
	if n.anyone || !caller.Entity() {
		return n.anyone
	}
	return n.anyEntity || max(n.hasAccount(caller), symbol.Equal(n.entity, caller.ARN), symbol.Equal(n.entity, caller.Session)) != kleene.False
}

// hasAccount reports whether the entry means the account of a caller.
func (n *name) hasAccount(caller *request.Principal) kleene.Truth {
	if out := symbol.Equal(n.account, caller.Account); out != kleene.False || !n.hidden {
		return out
	}
	root := symbol.Concat(symbol.Literal("arn:aws:iam::"), caller.Account, symbol.Literal(":root"))
	if a, ok := arn.Parse(caller.ARN); ok {
		a[arn.Resource] = symbol.Literal("root")
		a[arn.Service] = symbol.Literal("iam")
		root = a.Text()
	}
	return symbol.Equal(n.entity, root)
}

// mayName reports whether the statement's principals can mean a caller.
func (a *allow) mayName(caller *request.Principal) bool {
	return slices.ContainsFunc(a.names, func(n name) bool { return n.may(caller) })
}

// reaching returns the Allow statements of a target whose resources can match it.
func (r *runner) reaching(t *Target, action string) *allows {
	key := grantKey{target: t, action: action}
	a, ok := r.reach[key]
	if !ok {
		all := r.allows(nil, t, action).reaching(t, action)
		a = &all
		r.reach[key] = a
	}
	return a
}

// reaching keeps the statements whose resources can match a target.
func (a allows) reaching(t *Target, action string) allows {
	object := onObject(action) && t.Kind == BucketTarget
	out := allows{unread: a.unread}
	for i := range a.statements {
		if a.statements[i].reaches(t, object) {
			out.statements = append(out.statements, a.statements[i])
		}
	}
	return out
}

// bucketOf returns the name of the one bucket that a pattern can match, or "".
func bucketOf(p *arn.Pattern) string {
	s, known := p.Text().Literal()
	if !known {
		return ""
	}
	rest, ok := strings.CutPrefix(s, "arn:aws:s3:::")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	if strings.ContainsAny(name, "*?$") {
		return ""
	}
	return name
}

// reaches reports whether a statement's resources can match the target for an
// action: for calls on objects, whether they can match some object. Policy
// variables may be anything.
func (a *allow) reaches(t *Target, object bool) bool {
	if a.any || t.Kind == InstanceTarget {
		return true
	}
	for _, e := range a.entries {
		if e.bucket != "" && t.name != "" && e.bucket != t.name {
			continue
		}
		resource := t.ARN
		if object {
			resource = t.someObject
		}
		if m, _ := e.pattern.MatchResource(resource, anyVariable); m != kleene.False {
			return true
		}
	}
	return false
}

// anyVariable stands for policy variables whose value is not decided yet.
func anyVariable(key string) (symbol.Text, kleene.Truth) {
	return symbol.Symbol{Name: key}.Text(), kleene.Unknown
}

// onObject reports whether an S3 action is made on objects rather than on the bucket.
func onObject(action string) bool {
	if !hasPrefixFold(action, "s3:") || hasPrefixFold(action, "s3:list") {
		return false
	}
	return strings.Contains(action, "Object") || strings.Contains(strings.ToLower(action), "object")
}

// example returns the resource of one type that stands for all: the default if a
// statement can match it, else the first that the statements name, with "example"
// for wildcards, else the default.
func (a *allows) example(def symbol.Text, lookup symbol.Lookup) symbol.Text {
	want, ok := arn.Parse(def)
	if !ok {
		return def
	}
	var first symbol.Text
	for _, st := range a.statements {
		if st.any {
			return def
		}
		for _, e := range st.entries {
			if m, _ := e.pattern.MatchResource(def, lookup); m != kleene.False {
				return def
			}
			if got, ok := filled(e.pattern, want, lookup); ok && first.IsZero() && !st.sensitive {
				first = got
			}
		}
	}
	if first.IsZero() {
		return def
	}
	return first
}

// filled returns the ARN that a pattern of the same service and resource type
// stands for, with "example" in the place of wildcards.
func filled(p *arn.Pattern, want arn.ARN, lookup symbol.Lookup) (symbol.Text, bool) {
	sixth, ok := p.ResourcePart(lookup)
	if !ok {
		return symbol.Text{}, false
	}
	got := want
	got[arn.Resource] = sixth
	if got.Type() != want.Type() || sixth.IsZero() {
		return symbol.Text{}, false
	}
	if m, _ := p.MatchResource(got.Text(), lookup); m == kleene.False {
		return symbol.Text{}, false
	}
	return got.Text(), true
}
