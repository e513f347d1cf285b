package chain

import (
	"cmp"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// An Other is a world that a run is compared with, such as the same one before a
// change.
type Other struct {
	World World
	// Principal and Target name what both worlds have alike.
	Principal func(*Principal) string
	Target    func(*Target) string
}

// other is another world beside that of a runner.
type other struct {
	*runner
	*Other
	here       *runner
	principals map[string]*Principal
	targets    map[string]*Target
	of         map[any]move
	endpoints  move
	known      map[originsKey][]witnesses
}

// A move says of one side of calls what may make them differ between two worlds.
type move struct {
	// there is set for what the other world has too, changed if its policies are others
	// there, networks if policies of either world name some.
	there, changed, networks bool
}

func newOther(here *runner, with *Other, principals []*Principal, targets []*Target) *other {
	there := newRunner(with.World)
	o := &other{
		runner: there, Other: with, here: here,
		principals: map[string]*Principal{}, targets: map[string]*Target{},
		of: map[any]move{}, known: map[originsKey][]witnesses{},
	}
	for _, p := range slices.Concat(there.world.Principals(), standIns(there.env)) {
		o.principals[with.Principal(p)] = p
	}
	for _, t := range there.targets(true) {
		o.targets[with.Target(t)] = t
	}
	var ours, theirs []policy.Attached
	for _, side := range []struct {
		of   *runner
		docs *[]policy.Attached
	}{{here, &ours}, {there, &theirs}} {
		for _, e := range side.of.world.Endpoints() {
			*side.docs = append(*side.docs, e.Policies...)
		}
	}
	o.endpoints = o.move(ours, theirs)
	for _, p := range principals {
		o.principalMove(p)
	}
	for _, t := range targets {
		o.targetMove(t)
	}
	return o
}

// moves reports whether there may be calls to compare at all.
func (o *other) moves() bool {
	all := o.endpoints
	for _, m := range o.of {
		all.changed, all.networks = all.changed || m.changed, all.networks || m.networks
	}
	return all.changed && all.networks
}

// moved reports whether policies of a call changed and some of them name networks, so
// that the call may come out otherwise from one network and not from the next.
func (o *other) moved(p *Principal, t *Target) bool {
	if o == nil {
		return true
	}
	a, b := o.principalMove(p), o.targetMove(t)
	return a.there && b.there && (a.changed || b.changed || o.endpoints.changed) && (a.networks || b.networks || o.endpoints.networks)
}

// principal is what a principal is in the other world: itself if no input defines it,
// nil if that world lacks it.
func (o *other) principal(p *Principal) *Principal {
	if q := o.principals[o.Principal(p)]; q != nil || p.StandIn == "" {
		return q
	}
	return p
}

// target is what a target is in the other world, as principal is.
func (o *other) target(t *Target) *Target {
	if u := o.targets[o.Target(t)]; u != nil || t.Address != "" {
		return u
	}
	return t
}

func (o *other) principalMove(p *Principal) move {
	m, ok := o.of[p]
	if !ok {
		if q := o.principal(p); q != nil {
			m = o.move(ownDocs(p), ownDocs(q))
		}
		o.of[p] = m
	}
	return m
}

func (o *other) targetMove(t *Target) move {
	m, ok := o.of[t]
	if !ok {
		if u := o.target(t); u != nil {
			m = o.move(o.here.docsOf(t), o.docsOf(u))
		}
		o.of[t] = m
	}
	return m
}

// docsOf are the policies that calls on a target meet there, those of its key among
// them.
func (r *runner) docsOf(t *Target) []policy.Attached {
	docs := theirDocs(t)
	if key := r.byARN[t.Key]; key != nil && key != t {
		docs = append(docs, theirDocs(key)...)
	}
	return docs
}

func (o *other) move(ours, theirs []policy.Attached) move {
	m := move{there: true, changed: o.hash(ours) != o.hash(theirs)}
	for _, d := range ours {
		m.networks = m.networks || !o.here.networksIn(d.Document).nothing()
	}
	for _, d := range theirs {
		m.networks = m.networks || !o.networksIn(d.Document).nothing()
	}
	return m
}

// seed makes the hashes of both worlds comparable.
var seed = maphash.MakeSeed()

func (o *other) hash(docs []policy.Attached) uint64 {
	w := &canonical{}
	w.h.SetSeed(seed)
	w.docs(docs)
	for _, d := range docs {
		for i := range d.Statements {
			if ps := d.Statements[i].Principals; ps != nil {
				for j := range ps.Entries {
					w.literal(ps.Entries[j].Text)
				}
			}
		}
	}
	return w.h.Sum64()
}

// writePrincipal makes what a principal is in the other world part of its class.
func (o *other) writePrincipal(w *canonical, p *Principal) {
	if o == nil {
		return
	}
	var levels []engine.Level
	q := o.principal(p)
	if q != nil {
		w.docs(q.Identity)
		w.docs(q.Boundary)
		levels = q.SCP
	}
	w.levels(levels)
	o.principalMove(p).write(w)
}

// writeTarget makes what a target is in the other world part of its class.
func (o *other) writeTarget(w *canonical, t *Target) {
	if o == nil {
		return
	}
	if u := o.target(t); u != nil {
		w.literal(u.Key)
		w.docs(u.Policies)
		w.levels(u.RCP)
	}
	o.targetMove(t).write(w)
}

func (m move) write(w *canonical) {
	w.flag(m.there)
	w.flag(m.changed)
	w.flag(m.networks)
}

// origins are the networks to replay a chain from: the one that policies tell or, to
// compare it with another world, all that those of both worlds tell apart.
func (s *selection) origins(ch *Chain, c *combination) []witnesses {
	ours := s.networksOf(ch, c.principal, c.target)
	if s.other == nil {
		return []witnesses{witness(ours, s.env.Networks)}
	}
	ours = append(ours, s.networksBehind(c.target)...)
	var theirs []*named
	if p, t := s.other.principal(c.principal), s.other.target(c.target); p != nil && t != nil {
		theirs = append(s.other.networksOf(ch, p, t), s.other.networksBehind(t)...)
	}
	key := originsKey{ch, c.target.service(), hashOf(ours), hashOf(theirs)}
	out, ok := s.other.known[key]
	if !ok {
		out = s.other.origins(ch, c.target.service(), ours, theirs)
		s.other.known[key] = out
	}
	return out
}

// networksBehind reads the networks off the policies of the key that encrypts a target.
func (r *runner) networksBehind(t *Target) []*named {
	var out []*named
	if key := r.byARN[t.Key]; key != nil && key != t {
		for _, d := range theirDocs(key) {
			if n := r.networksIn(d.Document); !n.nothing() {
				out = append(out, n)
			}
		}
	}
	return out
}

// An originsKey is what the networks of a chain depend on.
type originsKey struct {
	chain        *Chain
	service      string
	ours, theirs uint64
}

func hashOf(list []*named) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, n := range list {
		maphash.WriteComparable(&h, n)
	}
	return h.Sum64()
}

// maxOrigins bounds from how many networks a call is replayed.
const maxOrigins = 64

// cutNote says that a call was not replayed from all networks.
const cutNote = "Policies tell more networks apart than calls are compared from: some changes may not be told."

// origins are the networks that the policies of two worlds tell apart, in the same
// order whichever is the other.
func (o *other) origins(ch *Chain, service string, ours, theirs []*named) []witnesses {
	list := []witnesses{witness(nil, o.env.Networks)}
	if ch.fromAddress() {
		list = cross(list, o.addresses(ch, list[0].corporate, ours, theirs), func(w *witnesses, a netip.Addr) {
			w.corporate, w.internet, w.from = a, a, a.String()
		})
	}
	if ch.throughEndpoint() {
		var private []ranges
		for _, n := range slices.Concat(ours, theirs) {
			private = append(private, n.private...)
		}
		addresses := apart([]netip.Addr{list[0].private}, private)
		list = cross(list, addresses, func(w *witnesses, a netip.Addr) { w.private = a })
		list = cross(list, o.places(ch, service, &list[0], slices.Concat(ours, theirs)), func(w *witnesses, p passage) {
			w.endpoint, w.vpc = p.endpoint, p.vpc
			through := p.name
			if len(addresses) > 1 {
				through = w.private.String() + " through " + through
			}
			w.from = strings.TrimPrefix(w.from+" and "+through, " and ")
		})
	}
	if len(list) > maxOrigins {
		o.here.notes[cutNote] = true
		list = list[:maxOrigins]
	}
	return list
}

// cross makes of each network one for each value.
func cross[T any](list []witnesses, values []T, set func(*witnesses, T)) []witnesses {
	var out []witnesses
	for _, w := range list {
		for _, v := range values {
			one := w
			set(&one, v)
			out = append(out, one)
		}
	}
	return out
}

// fromAddress reports whether a public address decides what comes of the chain.
func (c *Chain) fromAddress() bool {
	return slices.Contains([]Credentials{Caller, Federated, Anonymous}, c.subject()) &&
		slices.Contains([]Entry{"", Corporate, Internet}, c.Entry)
}

// outsidersV6 are outsiders with IPv6.
var outsidersV6 = []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2606:4700:4700::1111")}

// addresses are those that the policies of two worlds tell apart: for a chain from the
// corporate network those in ranges that either world names, for its counterpart from
// the Internet the others, for a chain without counterpart all.
func (o *other) addresses(ch *Chain, corporate netip.Addr, ours, theirs []*named) []netip.Addr {
	first := slices.Concat(outsiders, outsidersV6)
	var wanted [][]netip.Prefix
	var conditions, told []ranges
	for i := range o.env.Networks {
		if n := &o.env.Networks[i]; len(n.CIDRs) > 0 {
			conditions = append(conditions, ranges{prefixes: n.CIDRs})
			told = append(told, conditions[len(conditions)-1])
		}
	}
	if told != nil {
		first = append([]netip.Addr{corporate}, first...)
		wanted = append(wanted, wants(told))
	}
	for _, side := range [][]*named{ours, theirs} {
		var all []ranges
		for _, n := range side {
			all = append(all, n.addresses...)
		}
		conditions = append(conditions, all...)
		if told == nil {
			wanted = append(wanted, wants(all))
		}
	}
	list := slices.DeleteFunc(apart(first, conditions), netip.Addr.IsPrivate)
	if !ch.hasCounterpart() {
		return list
	}
	list = slices.DeleteFunc(list, func(a netip.Addr) bool {
		inside := slices.ContainsFunc(wanted, func(ps []netip.Prefix) bool { return !covers(ps, a.Is4()) && within(ps, a) })
		return inside == (ch.Entry == Internet)
	})
	if len(list) == 0 && ch.Entry != Internet {
		return []netip.Addr{corporate}
	}
	return list
}

// hasCounterpart reports whether the catalogue has the same chain from the other of the
// corporate network and the Internet.
func (c *Chain) hasCounterpart() bool {
	return slices.ContainsFunc(catalog, func(other *Chain) bool {
		return other.fromAddress() && (other.Entry == Internet) != (c.Entry == Internet) && &other.Hops[0] == &c.Hops[0]
	})
}

// wants are the ranges that conditions want callers in.
func wants(conditions []ranges) []netip.Prefix {
	var out []netip.Prefix
	for _, r := range conditions {
		if !r.outside {
			out = append(out, r.prefixes...)
		}
	}
	return out
}

func within(ps []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
}

// covers reports whether ranges leave nobody outside.
func covers(ps []netip.Prefix, v4 bool) bool {
	all := outsidersV6
	if v4 {
		all = outsiders
	}
	return !slices.ContainsFunc(all, func(a netip.Addr) bool { return !within(ps, a) })
}

// apart are addresses of which conditions tell any two apart, and no other address
// from all of them: of those that come out alike the first given, or else the lowest.
func apart(first []netip.Addr, conditions []ranges) []netip.Addr {
	var prefixes []netip.Prefix
	for _, r := range conditions {
		for _, p := range r.prefixes {
			prefixes = append(prefixes, p.Masked())
		}
	}
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), a.Bits()-b.Bits())
	})
	prefixes = slices.Compact(prefixes)
	all := slices.Clone(first)
	for i, p := range prefixes {
		a := free(p, prefixes[i+1:], lowestHost(p))
		if !a.IsValid() {
			a = free(p, prefixes[i+1:], p.Addr())
		}
		if a.IsValid() {
			all = append(all, a)
		}
	}
	slices.SortFunc(all[len(first):], netip.Addr.Compare)
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(a netip.Addr) bool {
		met := make([]byte, len(conditions))
		for i, r := range conditions {
			if within(r.prefixes, a) {
				met[i] = 1
			}
		}
		known := seen[string(met)]
		seen[string(met)] = true
		return known
	})
}

// free is the lowest address of a range, from one on, that is in none of those which
// follow it in order; invalid if there is none.
func free(p netip.Prefix, following []netip.Prefix, a netip.Addr) netip.Addr {
	for _, q := range following {
		if !p.Contains(q.Addr()) {
			break
		}
		if q.Contains(a) {
			a = lastAddress(q).Next()
		}
	}
	if !p.Contains(a) {
		return netip.Addr{}
	}
	return a
}

// A passage is a VPC endpoint in its VPC; name is for people.
type passage struct {
	endpoint, vpc symbol.Text
	name          string
}

// places are the endpoints of both worlds that a chain may pass, those that policies
// name, and one that nobody names, each in the VPCs that policies tell apart.
func (o *other) places(ch *Chain, service string, base *witnesses, all []*named) []passage {
	services := []string{}
	for i := range ch.Hops {
		h := &ch.Hops[i]
		if h.Entry != VPCEndpoint && (i > 0 || ch.Entry != VPCEndpoint) {
			continue
		}
		of := service
		if len(h.Actions) > 0 {
			of, _, _ = strings.Cut(h.Actions[0], ":")
		}
		services = append(services, of)
	}
	var out []passage
	known := map[symbol.Text]bool{}
	for _, e := range slices.Concat(o.here.world.Endpoints(), o.world.Endpoints()) {
		if !known[e.ID] && slices.Contains(services, e.Service) {
			out = append(out, passage{e.ID, e.VPC, e.ID.String()})
		}
		known[e.ID] = true
	}
	slices.SortFunc(out, func(a, b passage) int { return cmp.Compare(a.endpoint.String(), b.endpoint.String()) })
	var endpoints, vpcs [][]symbol.Text
	for _, n := range all {
		endpoints, vpcs = append(endpoints, n.endpoints...), append(vpcs, n.vpc...)
	}
	through, in := idsApart([]symbol.Text{base.endpoint, standInEndpoint}, endpoints), idsApart([]symbol.Text{base.vpc, standInVPC}, vpcs)
	several := len(out)+len(through) > 1
	for _, id := range through {
		if known[id] {
			continue
		}
		for _, vpc := range in {
			name := describe(id, standInEndpoint, "VPC endpoint", several)
			if len(in) > 1 {
				name += " in " + describe(vpc, standInVPC, "VPC", true)
			}
			out = append(out, passage{id, vpc, name})
		}
	}
	return out
}

// describe names what an ID stands for.
func describe(id, standIn symbol.Text, what string, several bool) string {
	switch {
	case id != standIn:
		return id.String()
	case several:
		return "another " + what
	}
	return "a " + what
}

// idsApart are IDs of which lists tell any two apart, the ones given first and then
// those that the lists hold.
func idsApart(first []symbol.Text, lists [][]symbol.Text) []symbol.Text {
	named := slices.Concat(lists...)
	slices.SortFunc(named, func(a, b symbol.Text) int { return cmp.Compare(a.String(), b.String()) })
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Concat(first, named), func(id symbol.Text) bool {
		met := make([]byte, len(lists))
		for i, list := range lists {
			for _, one := range list {
				met[i] = max(met[i], byte(symbol.Equal(id, one)))
			}
		}
		known := seen[string(met)]
		seen[string(met)] = true
		return known
	})
}
