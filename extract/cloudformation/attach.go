package cloudformation

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A choice is a text that a property has, certainly or in some worlds.
type choice struct {
	text symbol.Text
	at   source.Range
	sure kleene.Truth
	why  string
	// late is set where not even the shape is known: it may be a list, or none.
	late bool
	// whole is set where nothing of the resource is known: its policies, which are
	// then unread, say enough.
	whole bool
}

// choices returns the texts at a path, of a scalar or of the items of a list.
func (r *resource) choices(path string) []choice {
	var out []choice
	in := map[symbol.Text][]part{}
	for _, p := range r.parts(path) {
		items := []*source.Node{p.value}
		if p.value.Kind == source.List {
			items = p.value.Items
		}
		for _, item := range items {
			t, ok := scalar(item)
			if !ok || t.IsZero() {
				continue
			}
			if in[t] == nil {
				out = append(out, choice{text: t, at: item.Range, sure: kleene.True, late: item.Kind == source.Unknown, whole: p.path == ""})
			}
			if n := len(in[t]); n == 0 || in[t][n-1].variant != p.variant {
				in[t] = append(in[t], p)
			}
		}
	}
	for i := range out {
		if has := in[out[i].text]; len(has) < len(r.variants) {
			out[i].sure, out[i].why = kleene.Unknown, whether(r.hangsOn(has))
		}
	}
	return out
}

type match = extract.Named[*resource]

func isCertain(m match) bool { return m.Sure == kleene.True }

// index returns the index over the resources of some types, by what Ref gives, by
// their ARNs, and by the names in them.
func (rd *reader) index(types ...string) *extract.Index[*resource] {
	key := strings.Join(types, ",")
	if ix := rd.indexes[key]; ix != nil {
		return ix
	}
	ix := extract.NewIndex(func(r *resource) string { return r.address })
	for _, typ := range types {
		for _, r := range rd.byType[typ] {
			texts := []symbol.Text{r.ref()}
			if t, ok := r.attr("Arn"); ok {
				texts = append(texts, t)
				if a, ok := arn.Parse(t); ok {
					texts = append(texts, a.Name())
				}
			}
			ix.Add(r, !r.named(), texts...)
		}
	}
	rd.indexes[key] = ix
	return ix
}

// targets returns the resources of some types that a property of r names, each as
// surely as it does where the resource exists; others are what may be none of them.
func (r *resource) targets(path string, types ...string) (matches []match, others []choice) {
	ix := r.index(types...)
	for _, c := range r.choices(path) {
		found := ix.Find(c.text)
		sure := slices.ContainsFunc(found, isCertain)
		if c.late && !sure {
			// It may be a list that names any of them.
			found = nil
			for _, o := range ix.All {
				found = append(found, match{Of: o, Sure: kleene.Unknown, Why: "what " + c.text.String() + " is"})
			}
		}
		for _, m := range found {
			m.Limit(c.sure, c.why)
			m.Limit(r.given(m.Of))
			if m.Sure != kleene.False {
				matches = append(matches, m)
			}
		}
		if !sure {
			others = append(others, c)
		}
	}
	return matches, others
}

// attach gives a policy to one of the places that it is attached to.
func (r *resource) attach(list []policy.Attached, c carried, m match, address string) []policy.Attached {
	sure, why := m.Sure, m.Why
	if c.sure < sure {
		sure, why = c.sure, c.why
	}
	r.AttachTo(c.Document, address)
	return extract.Attach(list, c.Document, sure, why)
}

// own is the match of a resource with itself.
func own(r *resource) match { return match{Of: r, Sure: kleene.True} }

// attachResourcePolicies attaches resource-based policies to what they stand on.
func (rd *reader) attachResourcePolicies() {
	rd.each(func(r *resource) {
		for _, c := range rd.carried[r] {
			if c.Kind != policy.Resource {
				continue
			}
			switch {
			case c.carrier.target != "":
				r.attachToTargets(c)
			case c.carrier.arn != "":
				r.attachTo(c, r.expand(c.carrier.arn), own(r))
			case rd.inventory[r] != nil:
				on := rd.inventory[r]
				on.Policies = r.attach(on.Policies, c, own(r), r.address)
			default:
				r.AttachTo(c.Document, r.address)
			}
		}
	})
}

func (r *resource) attachToTargets(c carried) {
	matches, others := r.targets(c.carrier.target, c.carrier.on...)
	for _, m := range matches {
		if on := r.inventory[m.Of]; on != nil {
			on.Policies = r.attach(on.Policies, c, m, m.Of.address)
		}
	}
	sure, why := r.exists()
	for _, o := range others {
		m := match{Of: r, Sure: o.sure, Why: o.why}
		m.Limit(sure, why)
		r.attachTo(c, r.fullName(o.text, c.carrier.on[0]), m)
	}
	if len(matches)+len(others) == 0 && c.carrier.arn != "" {
		r.attachTo(c, r.expand(c.carrier.arn), match{Of: r, Sure: sure, Why: why})
	}
}

// fullName is the ARN of a resource of a type that the input does not define.
func (r *resource) fullName(t symbol.Text, typ string) symbol.Text {
	rule := arnRules[typ]
	if rule == nil || t.HasPrefix(symbol.Literal("arn:")) {
		return t
	}
	if t.HasPrefix(symbol.Literal("https://")) {
		t = extract.Respell(t, "last") // a queue's URL
	}
	stranger := &resource{template: r.template, typ: typ, texts: map[string]text{}, properties: &source.Node{Kind: source.Object}}
	return extract.Expand(rule.arn, func(key string) symbol.Text {
		switch key {
		case "account", "partition", "region", "Path":
			return stranger.expand("{" + key + "}")
		}
		return t
	})
}

// attachTo attaches a policy to something that the input does not define.
func (r *resource) attachTo(c carried, t symbol.Text, m match) {
	r.AttachTo(c.Document, t.String())
	a, ok := arn.Parse(t)
	if !ok {
		return
	}
	on := r.strangers[t]
	if on == nil {
		sar := a[arn.Service].String() + "/" + a.Type()
		if a[arn.Service] == symbol.Literal("s3") {
			sar = "s3/bucket"
		}
		on = &extract.Resource{Type: sar, ARN: t, Account: r.Account.Value}
		if !a[arn.Account].IsZero() {
			on.Account = a[arn.Account]
		}
		r.strangers[t] = on
		r.Resources = append(r.Resources, on)
	}
	on.Policies = r.attach(on.Policies, c, m, t.String())
}

// each calls f for every resource of the templates.
func (rd *reader) each(f func(r *resource)) {
	for _, t := range rd.templates {
		for _, r := range t.resources {
			f(r)
		}
	}
}

// notResources are services whose resources are told of elsewhere in the inventory,
// or on which no call is judged.
var notResources = []string{"iam", "organizations", "sso", "ec2"}

// collectResources lists what calls are made on.
func (rd *reader) collectResources() {
	rd.each(func(r *resource) {
		rule := arnRules[r.typ]
		if rule == nil || rule.sar == "" {
			return
		}
		if service, _, _ := strings.Cut(rule.sar, "/"); slices.Contains(notResources, service) {
			return
		}
		t, _ := r.attr("Arn")
		on := &extract.Resource{Address: r.address, Type: rule.sar, ARN: t, Account: rd.Account.Value, Key: r.key()}
		if rd.Region.Value.Known() {
			on.Region = rd.Region.Value
		}
		if rule.sar == "s3/bucket" {
			on.PublicAccess = r.publicAccess()
		}
		rd.inventory[r] = on
		rd.Resources = append(rd.Resources, on)
	})
}

// publicAccess is the S3 Block Public Access of a bucket. A bucket without a
// configuration has every setting on (AWS page "Blocking public access to your
// Amazon S3 storage"); a setting that a configuration leaves out is off.
func (r *resource) publicAccess() *extract.PublicAccess {
	const path = "PublicAccessBlockConfiguration"
	setting := func(name string) kleene.Truth {
		var out kleene.Truth
		for i, v := range r.variants {
			var one kleene.Truth
			switch block := member(v.value, path); {
			case v.value.Kind == source.Unknown || block != nil && block.Kind == source.Unknown:
				one = kleene.Unknown
			case block == nil || block.Kind == source.Null:
				one = kleene.True
			default:
				one = boolean(member(block, name))
			}
			if i == 0 {
				out = one
			}
			out = kleene.Join(out, one)
		}
		return out
	}
	return &extract.PublicAccess{
		BlockPublicACLs:       setting("BlockPublicAcls"),
		IgnorePublicACLs:      setting("IgnorePublicAcls"),
		BlockPublicPolicy:     setting("BlockPublicPolicy"),
		RestrictPublicBuckets: setting("RestrictPublicBuckets"),
	}
}

// boolean is the truth of a boolean property; one that is not set is false.
func boolean(n *source.Node) kleene.Truth {
	t, ok := scalar(n)
	if !ok {
		return kleene.False
	}
	s, known := t.Literal()
	if !known {
		return kleene.Unknown
	}
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return kleene.True
	default:
		return kleene.False
	}
}
