package chain

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A group is a set of combinations that come out alike.
type group struct {
	// first of the combinations, at its place in the order of a run.
	first combination
	at    place
	n     int
	// pairs and tiles are all combinations.
	pairs []combination
	tiles []tile
}

// A place says when a combination comes in a run: by its target, callers before
// services and anonymous requests, by the action, by the caller.
type place [4]int

func (g *group) add(c combination, at place, n int) {
	if g.n == 0 || slices.Compare(at[:], g.at[:]) < 0 {
		g.first, g.at = c, at
	}
	g.n += n
}

// fold gathers the combinations that must come out alike: principals, and
// targets, whose policies are equal up to their own name form a class, and two
// pairs of the same classes are alike if every statement of either side meets the
// calls of both alike. It returns nil where the bound asks for no folding.
func (s *selection) fold() []*group {
	if s.opts.MaxReplays <= 0 || s.count <= s.opts.MaxReplays {
		return nil
	}
	index := map[foldKey]*group{}
	var groups []*group
	of := func(key foldKey) *group {
		g := index[key]
		if g == nil {
			g = &group{}
			index[key] = g
			groups = append(groups, g)
		}
		return g
	}
	keys := map[pairing]foldKey{} // of single pairs
	for _, p := range s.singles {
		c := s.combination(p)
		keys[p] = s.folder.key(&c)
	}
	for _, t := range s.tiles {
		c := s.combination(pairing{t.first(), t.action})
		key := s.folder.key(&c)
		// Pairs that mention each other and yet come out like the others are no exceptions.
		t.except = slices.DeleteFunc(slices.Clone(t.except), func(c cell) bool {
			p := pairing{c, t.action}
			same := keys[p] == key
			if same {
				delete(keys, p)
			}
			return same
		})
		first := pairing{t.first(), t.action}
		g := of(key)
		g.add(s.combination(first), s.placeOf(first), t.size())
		g.tiles = append(g.tiles, t)
	}
	for _, p := range s.singles {
		if key, left := keys[p]; left {
			g := of(key)
			c := s.combination(p)
			g.add(c, s.placeOf(p), 1)
			g.pairs = append(g.pairs, c)
		}
	}
	for _, c := range s.combinations {
		g := of(s.folder.key(&c.combination))
		g.add(c.combination, c.at, 1)
		g.pairs = append(g.pairs, c.combination)
	}
	slices.SortFunc(groups, func(a, b *group) int { return slices.Compare(a.at[:], b.at[:]) })
	return groups
}

// A folder tells what comes out alike.
type folder struct {
	*selection
	seed       maphash.Seed
	principals map[*Principal]uint64
	targets    map[*Target]uint64
	ownSides   map[grantKey][]side
	theirSides map[grantKey][]side
	hops       map[*Chain][]*Hop
}

func newFolder(s *selection) *folder {
	return &folder{
		selection: s, seed: maphash.MakeSeed(),
		principals: map[*Principal]uint64{}, targets: map[*Target]uint64{},
		ownSides: map[grantKey][]side{}, theirSides: map[grantKey][]side{}, hops: map[*Chain][]*Hop{},
	}
}

// A foldKey is equal for combinations that come out alike.
type foldKey struct {
	principal, target, relation uint64
	action                      int32
	chains                      uint64
}

// chainsClass hashes which chains are replayed for a combination.
func (f *folder) chainsClass(c *combination) uint64 {
	var out uint64
	for _, ch := range c.chains {
		out = f.both(out, maphash.Comparable(f.seed, ch))
	}
	return out
}

func (f *folder) key(c *combination) foldKey {
	k := foldKey{
		action:    c.action,
		principal: classOf(f.principals, c.principal, f.principalClass),
		target:    classOf(f.targets, c.target, f.targetClass),
		relation:  f.relation(c, &variant{principal: c.principal}),
		chains:    f.chainsClass(c),
	}
	for _, v := range c.variants {
		k.principal = f.both(k.principal, classOf(f.principals, v.principal, f.principalClass))
		k.relation = f.both(k.relation, f.relation(c, &v))
	}
	return k
}

// both hashes two hashes.
func (f *folder) both(a, b uint64) uint64 {
	return maphash.Comparable(f.seed, [2]uint64{a, b})
}

func classOf[T comparable](known map[T]uint64, of T, class func(T) uint64) uint64 {
	k, ok := known[of]
	if !ok {
		k = class(of)
		known[of] = k
	}
	return k
}

// principalClass hashes what decides for a principal, its own name taken out, and
// how its statements meet what every chain of it meets: itself, and the resources
// beside the target.
func (f *folder) principalClass(p *Principal) uint64 {
	caller := &p.Caller.Principal
	w := &canonical{name: lastName(caller.ARN)}
	w.h.SetSeed(f.seed)
	w.text(p.StandIn)
	w.number(int(caller.Kind))
	w.flag(caller.ManagementAccount)
	w.named(caller.ARN)
	w.named(caller.Session)
	w.literal(caller.Account)
	w.text(caller.Service)
	w.organization(p.Caller.Organization)
	w.literal(p.Caller.Source)
	w.literal(p.Caller.SourceAccount)
	if d := p.delivery; d != nil {
		w.flag(d.trail != nil)
		if d.trail != nil {
			w.literal(d.trail.Key)
		}
	}
	w.tags(p.Caller.Tags)
	w.docs(p.Identity)
	w.docs(p.Boundary)
	w.levels(p.SCP)
	w.flag(p.Trust != nil)
	if p.Trust != nil {
		w.document(p.Trust)
	}
	docs := ownDocs(p)
	for _, d := range docs {
		for i := range d.Statements {
			f.conditions(w, d.Statements[i].Conditions, p)
		}
	}
	if caller.Entity() {
		for _, d := range docs {
			for i := range d.Statements {
				f.beside(w, &d.Statements[i], p)
			}
		}
	}
	f.other.writePrincipal(w, p)
	return w.h.Sum64()
}

// beside hashes how a statement of a principal meets the resources beside the target.
func (f *folder) beside(w *canonical, st *policy.Statement, p *Principal) {
	var own []side
	for i, m := range asides {
		if st.Actions.Match(m.prefix, m.name) == kleene.False {
			continue
		}
		if own == nil {
			own = []side{sideOf(st)}
		}
		if len(own[0].entries) > 0 {
			w.number(i)
			resource, _ := f.resource(&call{principal: p}, &Hop{Resource: m.on}, p, m.action)
			f.meet(w, own, resource, p, nil)
		}
	}
}

// asides are the calls of the catalogue on stand-ins.
var asides = func() []aside {
	var out []aside
	for _, c := range catalog {
		for i := range c.Hops {
			h := &c.Hops[i]
			for _, action := range h.Actions {
				prefix, name, _ := strings.Cut(action, ":")
				if a := (aside{made{action, h.Resource}, prefix, name}); h.Resource.beside() && !slices.Contains(out, a) {
					out = append(out, a)
				}
			}
		}
	}
	return out
}()

// An aside is a call on a stand-in, with the parts of its action.
type aside struct {
	made
	prefix, name string
}

func ownDocs(p *Principal) []policy.Attached {
	docs := slices.Concat(p.Identity, p.Boundary)
	for _, level := range p.SCP {
		docs = append(docs, level...)
	}
	return docs
}

func theirDocs(t *Target) []policy.Attached {
	docs := slices.Clone(t.Policies)
	for _, level := range t.RCP {
		docs = append(docs, level...)
	}
	return docs
}

func (f *folder) targetClass(t *Target) uint64 {
	w := &canonical{name: lastName(t.ARN)}
	w.h.SetSeed(f.seed)
	w.number(int(t.Kind))
	w.truth(t.RestrictPublic)
	w.literal(t.Key)
	w.tags(t.Tags)
	w.text(string(t.standsFor))
	w.named(t.ARN)
	w.literal(t.Account)
	w.literal(t.Region)
	w.organization(t.Organization)
	w.docs(t.Policies)
	w.levels(t.RCP)
	f.other.writeTarget(w, t)
	return w.h.Sum64()
}

func lastName(t symbol.Text) string {
	a, ok := arn.Parse(t)
	if !ok {
		return ""
	}
	return a.Name().String()
}

// A side is a statement that can match an action and that may meet the members of
// a class differently.
type side struct {
	entries []sideEntry
	names   []name
	// conditions are those that tell principals apart.
	conditions []condition.Condition
}

type sideEntry struct {
	allowEntry
	// late: the entry has variables that the principal alone does not decide.
	late bool
}

// sides are the statements of some policies that can match an action.
func sides(docs []policy.Attached, action string) []side {
	prefix, name, _ := strings.Cut(action, ":")
	var out []side
	for _, doc := range docs {
		for i := range doc.Statements {
			st := &doc.Statements[i]
			if st.Actions.Match(prefix, name) == kleene.False {
				continue
			}
			s := sideOf(st)
			if len(s.entries) > 0 || len(s.names) > 0 || len(s.conditions) > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

func sideOf(st *policy.Statement) side {
	var s side
	if st.Principals != nil {
		for _, n := range entryNames(st.Principals) {
			if !n.anyone && !n.anyEntity {
				s.names = append(s.names, n)
			}
		}
	}
	for _, e := range prepared(st).entries {
		late := slices.ContainsFunc(e.pattern.Variables(), func(key string) bool { return !tellsPrincipals(key) })
		s.entries = append(s.entries, sideEntry{allowEntry: e, late: late})
	}
	for j := range st.Conditions {
		if c := &st.Conditions[j]; tellsPrincipals(c.Key) || namesPrincipal(c) {
			s.conditions = append(s.conditions, *c)
		}
	}
	return s
}

// tellsPrincipals reports whether a condition key differs among the principals of
// a class.
func tellsPrincipals(key string) bool {
	return strings.EqualFold(key, "aws:principalarn") || strings.EqualFold(key, "aws:userid") || strings.EqualFold(key, "aws:username") ||
		hasPrefixFold(key, "aws:principaltag/")
}

// namesPrincipal reports whether a value of a condition has a variable that differs
// among the principals of a class.
func namesPrincipal(c *condition.Condition) bool {
	return slices.ContainsFunc(c.Values, func(v condition.Value) bool {
		_, rest, found := strings.Cut(v.Text.String(), "${")
		for ; found; _, rest, found = strings.Cut(rest, "${") {
			if key, _, _ := strings.Cut(rest, "}"); tellsPrincipals(strings.Split(key, ",")[0]) {
				return true
			}
		}
		return false
	})
}

// relation hashes how the statements of each side meet the other in the calls that
// decide.
func (f *folder) relation(c *combination, v *variant) uint64 {
	w := &canonical{}
	w.h.SetSeed(f.seed)
	p := v.principal
	cl := call{action: f.actions[c.action], principal: p, target: c.target, statement: v.statement}
	var seen []made
	for _, cl.chain = range c.chains {
		for _, spec := range f.deciding(cl.chain) {
			who := p
			if spec.Principal != "" {
				who = f.caller(&cl, spec)
			}
			for _, action := range cl.actions(spec) {
				m := made{action, spec.Resource}
				if who == nil || slices.Contains(seen, m) {
					continue
				}
				seen = append(seen, m)
				resource, _ := f.resource(&cl, spec, who, action)
				owner := f.owner(&cl, spec, resource)
				f.meet(w, f.own(who, action), resource, who, owner)
				if owner == nil {
					continue
				}
				theirs := f.theirs(owner, action)
				f.meet(w, theirs, resource, who, owner)
				for i := range theirs {
					f.names(w, theirs[i].names, &who.Caller.Principal)
					f.conditions(w, theirs[i].conditions, who)
				}
			}
		}
	}
	return w.h.Sum64()
}

// deciding are the hops of a chain that its principal and target decide.
func (f *folder) deciding(c *Chain) []*Hop {
	out, ok := f.hops[c]
	if !ok {
		for i := range c.Hops {
			if h := &c.Hops[i]; !h.Resource.beside() && h.Resource != OnRole && !h.Optional {
				out = append(out, h)
			}
		}
		f.hops[c] = out
	}
	return out
}

// A made is a call of a chain.
type made struct {
	action string
	on     Resource
}

// meet hashes how the resources of statements match the resource of a call. t, if
// not nil, is the target the resource is in.
func (f *folder) meet(w *canonical, sides []side, resource symbol.Text, p *Principal, t *Target) {
	if len(sides) == 0 {
		return
	}
	lookup := f.lookup(p)
	for i := range sides {
		for j := range sides[i].entries {
			e := &sides[i].entries[j]
			switch {
			case t != nil && e.bucket != "" && t.name != "" && e.bucket != t.name:
				w.truth(kleene.False)
			case e.late:
				w.literal(resource)
				w.literal(p.Caller.Principal.ARN)
			default:
				m, _ := e.pattern.MatchResource(resource, lookup)
				w.truth(m)
			}
		}
	}
}

// names hashes which of the principals that statements name a caller is.
func (f *folder) names(w *canonical, names []name, caller *request.Principal) {
	for i := range names {
		n := &names[i]
		w.truth(symbol.Equal(n.entity, caller.ARN))
		w.truth(symbol.Equal(n.entity, caller.Session))
		w.truth(n.hasAccount(caller))
	}
}

// conditions hashes how a principal meets those conditions that tell principals
// apart.
func (f *folder) conditions(w *canonical, cs []condition.Condition, p *Principal) {
	for i := range cs {
		switch c := &cs[i]; {
		case tellsPrincipals(c.Key):
			w.truth(c.Eval(f.context(p)))
		case namesPrincipal(c) && sent(c.Key):
			// Its values may hang on the principal and its truth on the call.
			w.literal(p.Caller.Principal.ARN)
		}
	}
}

// sent reports whether a call of the catalogue can carry a key: no other key has a
// value that a variable could be compared with.
func sent(key string) bool {
	key = strings.ToLower(key)
	switch {
	case strings.HasPrefix(key, "aws:requesttag/"), strings.HasPrefix(key, "aws:resourcetag/"), key == "aws:tagkeys":
		return false
	case strings.HasPrefix(key, "s3:"):
		return key != "s3:prefix" && key != "s3:delimiter" && key != "s3:max-keys"
	}
	return true
}

func (f *folder) own(p *Principal, action string) []side {
	key := grantKey{principal: p, action: action}
	out, ok := f.ownSides[key]
	if !ok {
		out = sides(ownDocs(p), action)
		f.ownSides[key] = out
	}
	return out
}

func (f *folder) theirs(t *Target, action string) []side {
	key := grantKey{target: t, action: action}
	out, ok := f.theirSides[key]
	if !ok {
		out = sides(theirDocs(t), action)
		f.theirSides[key] = out
	}
	return out
}

// blocks renders the pairs of a group as sets of pairs: targets with the same
// principals stand together.
func (s *selection) blocks(g *group) []Block {
	var out []Block
	for i := range g.tiles {
		out = append(out, g.tiles[i].blocks(s)...)
	}
	var targets []*Target
	principals := map[*Target][]*Principal{}
	for i := range g.pairs {
		c := &g.pairs[i]
		if principals[c.target] == nil {
			targets = append(targets, c.target)
		}
		principals[c.target] = append(principals[c.target], c.principal)
	}
	var last *Block
	for _, t := range targets {
		if last != nil && slices.Equal(last.Principals, principals[t]) {
			last.Targets = append(last.Targets, t)
			continue
		}
		out = append(out, Block{Principals: principals[t], Targets: []*Target{t}})
		last = &out[len(out)-1]
	}
	return out
}
