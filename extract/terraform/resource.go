package terraform

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

// notResources are services whose resources are told of elsewhere in the
// inventory, or on which no call is judged.
var notResources = []string{"iam", "organizations", "sso", "ec2"}

// collectResources lists what calls are made on.
func (b *builder) collectResources() {
	for _, in := range b.managed {
		rule := arnRules[in.typ]
		if rule == nil {
			continue
		}
		if service, _, _ := strings.Cut(rule.sar, "/"); slices.Contains(notResources, service) {
			continue
		}
		r := b.newResource(in, rule.sar, b.attr(in, "arn"))
		b.resources[in] = r
		b.Resources = append(b.Resources, r)
	}
}

func (b *builder) newResource(in *instance, sar string, t symbol.Text) *extract.Resource {
	r := &extract.Resource{Address: in.address, Type: sar, ARN: t, Account: b.accountOf(in)}
	a, ok := arn.Parse(t)
	if ok && !a[arn.Account].IsZero() {
		r.Account = a[arn.Account]
	}
	if region := b.regionOf(in); region.Known() {
		r.Region = region
		if ok && a[arn.Service].String() != "s3" {
			r.Region = a[arn.Region]
		}
	}
	return r
}

// stranger returns the resource with an ARN that only policies of the input name.
func (b *builder) stranger(in *instance, sar string, t symbol.Text) *extract.Resource {
	if r := b.strangers[t]; r != nil {
		return r
	}
	r := b.newResource(in, sar, t)
	r.Address = ""
	b.strangers[t] = r
	b.Resources = append(b.Resources, r)
	return r
}

// attachResourcePolicies attaches resource-based policies to their resources:
// first those of resources that exist for nothing else, because what a resource
// shows of its own policy is then an echo of them.
func (b *builder) attachResourcePolicies() {
	dedicated := map[*instance]bool{}
	var own []*instance
	for _, in := range b.managed {
		for _, c := range b.carried[in] {
			switch {
			case c.doc.Kind != policy.Resource:
			case c.carrier.target != "":
				b.attachToTarget(in, c, dedicated)
			case b.resources[in] != nil:
				if !slices.Contains(own, in) {
					own = append(own, in)
				}
			default:
				b.attachToFixed(in, c)
			}
		}
	}
	stale := b.staleTargets()
	for _, in := range own {
		r := b.resources[in]
		for _, c := range b.carried[in] {
			sure := kleene.True
			switch {
			case c.computed && (dedicated[in] || b.isStale(in, stale)):
				b.drop(c.doc)
				continue
			case dedicated[in]:
				sure = kleene.Unknown
				if !b.configKnown {
					break // nobody can tell whether the resource sets one
				}
				b.warn(in, c.carrier.path, "Two policies for one resource",
					"The resource and another one both set this policy, and the last to be applied wins. Keep one of the two.")
			}
			r.Policies = extract.Attach(r.Policies, c.doc, sure, "another resource sets the policy too")
			b.AttachTo(c.doc, in.address)
		}
	}
}

func (b *builder) attachToTarget(in *instance, c carried, dedicated map[*instance]bool) {
	matches, t := b.targets(in, c.carrier.target, want{attr: targetAttr(c.carrier), types: c.carrier.types}, "arn", "id", nameAttr(c.carrier.types[0]))
	for _, m := range matches {
		r := b.resources[m.Of]
		if r == nil {
			continue
		}
		r.Policies = extract.Attach(r.Policies, c.doc, m.Sure, m.Why)
		b.AttachTo(c.doc, m.Of.address)
		dedicated[m.Of] = dedicated[m.Of] || m.Sure == kleene.True
	}
	certain := slices.ContainsFunc(matches, isCertain)
	switch {
	case certain, len(matches) > 0 && !t.Known():
		return
	case t.IsZero():
		b.attachToFixed(in, c)
		return
	}
	rule := arnRules[c.carrier.types[0]]
	full := t
	if !t.HasPrefix(symbol.Literal("arn:")) {
		name := t
		if strings.Contains(t.String(), "/") && c.carrier.target != "destination_name" {
			name = extract.Respell(t, "last") // a queue's URL
		}
		full = b.expandName(in, rule.arn, &name)
	}
	r := b.stranger(in, rule.sar, full)
	r.Policies = extract.Attach(r.Policies, c.doc, kleene.True, "")
	b.AttachTo(c.doc, full.String())
}

// attachToFixed attaches the policy of a registry, catalog or the like, of which
// an account has one in each region.
func (b *builder) attachToFixed(in *instance, c carried) {
	if c.carrier.arn == "" {
		b.AttachTo(c.doc, in.address)
		return
	}
	t := b.expand(in, c.carrier.arn)
	service, _, _ := strings.Cut(strings.TrimPrefix(c.carrier.arn, "arn:{partition}:"), ":")
	_, kind, _ := strings.Cut(c.carrier.arn, "{account}:")
	kind, _, _ = strings.Cut(kind, "/")
	r := b.stranger(in, service+"/"+kind, t)
	r.Policies = extract.Attach(r.Policies, c.doc, kleene.True, "")
	b.AttachTo(c.doc, t.String())
}

// targetAttr is the attribute that a carrier's target takes from its resource.
func targetAttr(c *carrier) string {
	switch {
	case strings.HasSuffix(c.target, "arn"), c.target == "sink_identifier":
		return "arn"
	case c.target == "key_id":
		return "key_id"
	default:
		return "id"
	}
}

func nameAttr(typ string) string {
	if name := arnRules[typ].name; name != "" {
		return name
	}
	return "id"
}

// staleTargets are the values that name the targets of policies before the change:
// the policy those targets show is the one that the change replaces.
func (b *builder) staleTargets() map[string]bool {
	stale := map[string]bool{}
	for _, in := range b.gone {
		for i := range carriers {
			if c := &carriers[i]; c.typ == in.typ && c.target != "" {
				if t := single(in.before[c.target]); !t.IsZero() {
					stale[t.String()] = true
				}
			}
		}
	}
	return stale
}

func (b *builder) isStale(in *instance, stale map[string]bool) bool {
	for _, attr := range []string{"arn", "id", nameAttr(in.typ)} {
		if stale[b.attr(in, attr).String()] {
			return true
		}
	}
	return false
}

// drop takes a policy that turned out to be an echo from the inventory, and what
// there was to say about it.
func (b *builder) drop(doc *policy.Document) {
	b.Remove(doc)
	b.Diagnostics = slices.DeleteFunc(b.Diagnostics, func(d source.Diagnostic) bool { return d.Origin == doc.Origin })
}
