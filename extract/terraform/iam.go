package terraform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A holder is a role, user or group with the identity-based policies it holds.
type holder struct {
	principal *extract.Principal // nil for groups
	identity  []policy.Attached
}

// principals lists roles and users with the policies that bear on their calls.
func (b *builder) principals() {
	holders := map[*instance]*holder{}
	for _, typ := range []string{"aws_iam_role", "aws_iam_user", "aws_iam_group"} {
		for _, in := range b.byType[typ] {
			h := &holder{}
			holders[in] = h
			if typ == "aws_iam_group" {
				continue
			}
			h.principal = &extract.Principal{
				Address: in.address, Kind: extract.User,
				ARN: b.attr(in, "arn"), Name: b.attr(in, "name"), Tags: b.tags(in),
			}
			if typ == "aws_iam_role" {
				h.principal.Kind = extract.Role
			}
			b.Principals = append(b.Principals, h.principal)
		}
	}
	for _, in := range b.byType["aws_iam_policy"] {
		for _, c := range b.carried[in] {
			b.SetARN(c.doc, b.attr(in, "arn"))
		}
	}
	b.inlinePolicies(holders)
	b.attachments(holders)
	b.exclusives(holders)
	for _, in := range b.byType["aws_iam_role"] {
		b.ownPolicies(in, holders[in])
	}
	b.boundaryOf(holders)
	b.memberships(holders)
	for _, h := range holders {
		if h.principal != nil {
			h.principal.Identity = h.identity
		}
	}
}

// tags returns the tags of an instance, those that the provider adds among them;
// nil if the plan does not know which there are.
func (b *builder) tags(in *instance) map[string]symbol.Text {
	attr := "tags_all"
	_, shown := in.values[attr]
	if !shown && (!in.isUnknown(attr) || !b.defaultTags(in)) {
		attr = "tags" // the provider is of before the third version, or adds none
	}
	if at(in.unknown, attr) == true {
		return nil
	}
	if at(in.sensitive, attr) == true || at(in.sensitive, "tags") == true {
		return nil // their keys are sensitive too
	}
	tags := map[string]symbol.Text{}
	values, _ := in.values[attr].(map[string]any)
	for key, v := range values {
		switch t := v.(type) {
		case string, secret:
			// Requests carry tags into every report, so a sensitive one stays unknown.
			if at(in.sensitive, attr, key) == true || at(in.sensitive, "tags", key) == true {
				t = secret{unresolvedText(in, attr+"["+strconv.Quote(key)+"]")}
			}
			tags[key] = single(t)
		default:
		}
	}
	late, _ := at(in.unknown, attr).(map[string]any)
	for key, v := range late {
		if marked(v) {
			tags[key] = unresolvedText(in, attr+"["+strconv.Quote(key)+"]")
		}
	}
	return tags
}

// defaultTags reports whether the provider of an instance may add tags of its own.
func (b *builder) defaultTags(in *instance) bool {
	if in.config == nil {
		return true
	}
	key := in.config.provider
	key = key[strings.LastIndexByte(key, ':')+1:]
	pc, known := b.providers[key]
	_, configured := pc.Expressions["default_tags"]
	return !known || configured
}

func holderWant(attr string) want { return want{attr: "name", types: []string{"aws_iam_" + attr}} }

// holderTargets resolves the role, user or group that an attribute names.
func (b *builder) holderTargets(in *instance, attr, kind string) []match {
	matches, t := b.targets(in, attr, holderWant(kind), "name")
	if len(matches) == 0 && !t.IsZero() && t.Known() {
		return nil // defined elsewhere
	}
	return matches
}

// inlinePolicies attaches aws_iam_role_policy and its likes.
func (b *builder) inlinePolicies(holders map[*instance]*holder) {
	for _, attr := range []string{"role", "user", "group"} {
		for _, in := range b.byType["aws_iam_"+attr+"_policy"] {
			matches := b.holderTargets(in, attr, attr)
			for _, c := range b.carried[in] {
				b.hold(holders, matches, c.doc, kleene.True, "")
				if len(matches) == 0 {
					if s, ok := in.str(attr); ok {
						b.AttachTo(c.doc, b.outsideARN(in, attr, s))
					}
				}
			}
		}
	}
}

// outsideARN is the ARN of a role, user or group that the input does not define,
// as far as its name tells.
func (b *builder) outsideARN(in *instance, kind, name string) string {
	return "arn:" + b.partitionOf(in).String() + ":iam::" + b.accountOf(in).String() + ":" + kind + "/" + name
}

// hold gives a document to all holders that matches name.
func (b *builder) hold(holders map[*instance]*holder, matches []match, doc *policy.Document, sure kleene.Truth, why string) {
	for _, m := range matches {
		h := holders[m.Of]
		if h == nil {
			continue
		}
		reason := why
		if m.Sure != kleene.True {
			reason = m.Why
		}
		h.identity = extract.Attach(h.identity, doc, min(sure, m.Sure), reason)
		b.AttachTo(doc, m.Of.address)
	}
}

// attachments attaches managed policies.
func (b *builder) attachments(holders map[*instance]*holder) {
	for _, attr := range []string{"role", "user", "group"} {
		for _, in := range b.byType["aws_iam_"+attr+"_policy_attachment"] {
			matches := b.holderTargets(in, attr, attr)
			for _, m := range b.managedPolicies(in, "policy_arn") {
				b.hold(holders, matches, m.Document, m.Sure, m.Why)
			}
		}
	}
	for _, in := range b.byType["aws_iam_policy_attachment"] {
		var matches []match
		for _, attr := range []string{"role", "user", "group"} {
			matches = append(matches, b.listTargets(in, attr+"s", holderWant(attr))...)
		}
		for _, m := range b.managedPolicies(in, "policy_arn") {
			b.hold(holders, matches, m.Document, m.Sure, m.Why)
		}
	}
}

// listTargets resolves the holders in a list of names. The plan knows how many
// names are missing: if the references give just as many, each is one of them.
func (b *builder) listTargets(in *instance, attr string, w want) []match {
	ix := b.index(w.types, "name")
	var out []match
	seen := map[*instance]bool{}
	known, missing := b.listItems(in, attr)
	for _, t := range known {
		for _, m := range b.reached(in, ix.Find(t)) {
			seen[m.Of] = true
			out = append(out, m)
		}
	}
	if missing == 0 {
		return out
	}
	late, _ := b.late(in, attr, w)
	var rest []match
	for _, c := range late.candidates {
		for _, m := range b.reached(in, ix.Find(c.text)) {
			if !seen[m.Of] {
				rest = append(rest, m)
			}
		}
	}
	if len(late.missing) > 0 {
		b.unresolved(in, attr, late.missing)
		rest = nil
		for _, one := range ix.All {
			if !seen[one] {
				rest = append(rest, match{Of: one, Sure: kleene.Unknown, Why: in.address + "." + attr + " is known only after apply"})
			}
		}
		return append(out, rest...)
	}
	if missing > 0 && len(rest) != missing {
		for i := range rest {
			rest[i].Sure, rest[i].Why = kleene.Unknown, in.address+"."+attr+" is one of several"
		}
	}
	return append(out, rest...)
}

// listItems returns the known strings of a list attribute and how many are missing:
// -1 if the whole list is known only after apply. The source tells those, too.
func (b *builder) listItems(in *instance, attr string) (known []symbol.Text, missing int) {
	known, missing = b.plannedItems(in, attr)
	if missing != 0 {
		if texts, ok := b.textsFromSource(in, attr); ok {
			return texts, 0
		}
	}
	return known, missing
}

func (b *builder) plannedItems(in *instance, attr string) (known []symbol.Text, missing int) {
	list, _ := in.values[attr].([]any)
	for _, v := range list {
		if t := single(v); !t.IsZero() {
			known = append(known, t)
		}
	}
	switch marks := at(in.unknown, attr).(type) {
	case bool:
		if marks {
			return known, -1
		}
	case []any:
		for _, m := range marks {
			if marked(m) {
				missing++
			}
		}
	}
	return known, missing
}

// ownPolicies attaches what a role says itself: its trust policy, inline policies
// and managed policies.
func (b *builder) ownPolicies(in *instance, h *holder) {
	elsewhere := b.toldElsewhere(in)
	for _, c := range b.carried[in] {
		if c.doc.Kind == policy.Trust {
			h.principal.Trust = c.doc
			b.AttachTo(c.doc, in.address)
			continue
		}
		if c.computed && (elsewhere["inline "+c.name.String()] || !b.stays(in, "inline", c.name)) {
			b.drop(c.doc)
			continue
		}
		h.identity = extract.Attach(h.identity, c.doc, kleene.True, "")
		b.AttachTo(c.doc, in.address)
	}
	const attr = "managed_policy_arns"
	if in.isUnknown(attr) && !b.configured(in, attr) {
		return
	}
	echo := !b.written(in, attr)
	b.managedList(in, attr, func(t symbol.Text) bool {
		return echo && (elsewhere["managed "+t.String()] || !b.stays(in, "managed", t))
	}, func(m policy.Attached) {
		h.identity = extract.Attach(h.identity, m.Document, m.Sure, m.Why)
		b.AttachTo(m.Document, in.address)
	})
}

// managedList gives the managed policies of a list of ARNs, but for those to skip.
func (b *builder) managedList(in *instance, attr string, skip func(symbol.Text) bool, give func(policy.Attached)) {
	known, missing := b.listItems(in, attr)
	for _, t := range known {
		if skip(t) {
			continue
		}
		for _, m := range b.managedByARN(in, attr, t) {
			give(m)
		}
	}
	if missing == 0 {
		return
	}
	late, _ := b.late(in, attr, managedWant)
	if len(late.missing) > 0 {
		b.unresolved(in, attr, late.missing)
		give(policy.Attached{Document: b.unread(in, attr, policy.Identity, b.lateReason(in, attr)), Sure: kleene.True})
	}
	for _, c := range late.candidates {
		sure := kleene.Unknown
		if missing == len(late.candidates) && len(late.missing) == 0 || missing < 0 && len(late.missing) == 0 && len(late.candidates) == 1 {
			sure = kleene.True
		}
		for _, m := range b.managedByARN(in, attr, c.text) {
			m.Sure, m.Why = min(sure, m.Sure), attr+" is known only after apply"
			give(m)
		}
	}
}

// exclusives reads the resources that own all policies of a role, user or group. They
// attach the managed policies they list, and take away what they do not list (AWS
// provider, "aws_iam_role_policies_exclusive", "…_policy_attachments_exclusive").
func (b *builder) exclusives(holders map[*instance]*holder) {
	b.owned = map[*instance]map[string]bool{}
	own := func(matches []match, kind string, in *instance, attr string) {
		known, missing := b.listItems(in, attr)
		for _, m := range matches {
			if missing != 0 || m.Sure != kleene.True {
				continue // what goes is not known
			}
			if b.owned[m.Of] == nil {
				b.owned[m.Of] = map[string]bool{}
			}
			b.owned[m.Of][kind] = true
			for _, t := range known {
				b.owned[m.Of][kind+" "+t.String()] = true
			}
		}
	}
	for _, kind := range []string{"role", "user", "group"} {
		for _, in := range b.byType["aws_iam_"+kind+"_policies_exclusive"] {
			own(b.holderTargets(in, kind+"_name", kind), "inline", in, "policy_names")
		}
		for _, in := range b.byType["aws_iam_"+kind+"_policy_attachments_exclusive"] {
			matches := b.holderTargets(in, kind+"_name", kind)
			own(matches, "managed", in, "policy_arns")
			b.managedList(in, "policy_arns", func(symbol.Text) bool { return false }, func(m policy.Attached) {
				b.hold(holders, matches, m.Document, m.Sure, m.Why)
			})
		}
	}
}

// stays reports whether a policy that a role shows stays where another resource owns
// all policies of the role of that kind.
func (b *builder) stays(role *instance, kind string, name symbol.Text) bool {
	owned := b.owned[role]
	return !owned[kind] || owned[kind+" "+name.String()]
}

// toldElsewhere names the inline and managed policies of a role that resources of
// their own set, or set before the change: what the role itself shows of them is
// an echo that is not up to date.
func (b *builder) toldElsewhere(role *instance) map[string]bool {
	return b.echoes[single(role.values["name"]).String()]
}

// collectEchoes prepares toldElsewhere.
func (b *builder) collectEchoes() {
	b.echoes = map[string]map[string]bool{}
	note := func(role, what any, kind string) {
		r, s := single(role).String(), single(what).String()
		if r == "" || s == "" {
			return
		}
		if b.echoes[r] == nil {
			b.echoes[r] = map[string]bool{}
		}
		b.echoes[r][kind+" "+s] = true
	}
	for _, in := range slices.Concat(b.managed, b.gone) {
		for _, values := range []map[string]any{in.values, in.before} {
			switch in.typ {
			case "aws_iam_role_policy":
				note(values["role"], values["name"], "inline")
			case "aws_iam_role_policy_attachment":
				note(values["role"], values["policy_arn"], "managed")
			case "aws_iam_policy_attachment":
				roles, _ := values["roles"].([]any)
				for _, role := range roles {
					note(role, values["policy_arn"], "managed")
				}
			}
		}
	}
}

// memberships gives the policies of groups to their members.
func (b *builder) memberships(holders map[*instance]*holder) {
	users, groups := holderWant("user"), holderWant("group")
	join := func(user, group match) {
		u, g := holders[user.Of], holders[group.Of]
		if u == nil || g == nil {
			return
		}
		sure := min(user.Sure, group.Sure)
		for _, a := range g.identity {
			why := a.Why
			if sure != kleene.True {
				why = user.Why + group.Why
			}
			u.identity = extract.Attach(u.identity, a.Document, min(sure, a.Sure), why)
			b.AttachTo(a.Document, user.Of.address)
		}
	}
	for _, in := range b.byType["aws_iam_group_membership"] {
		gs, name := b.targets(in, "group", groups, "name")
		us := b.listTargets(in, "users", users)
		for _, u := range us {
			for _, g := range gs {
				join(u, g)
			}
		}
		b.unseenGroup(holders, in, us, "group", name)
	}
	for _, in := range b.byType["aws_iam_user_group_membership"] {
		us, _ := b.targets(in, "user", users, "name")
		for _, g := range b.listTargets(in, "groups", groups) {
			for _, u := range us {
				join(u, g)
			}
		}
		names, _ := b.listItems(in, "groups")
		for _, name := range names {
			b.unseenGroup(holders, in, us, "groups", name)
		}
	}
}

// unseenGroup says of a group that the input does not define that its policies are
// not known.
func (b *builder) unseenGroup(holders map[*instance]*holder, in *instance, users []match, attr string, name symbol.Text) {
	if !name.Known() || name.IsZero() || slices.ContainsFunc(b.index(holderWant("group").types, "name").Find(name), isCertain) {
		return
	}
	arn := symbol.Literal(b.outsideARN(in, "group", name.String()))
	doc := b.Outside(arn, source.Origin{Address: in.address, Attribute: attr}, source.Range{})
	b.hold(holders, users, doc, kleene.True, "")
}
