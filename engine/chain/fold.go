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

// A group is a set of combinations that come out alike, the first one first.
type group struct{ members []int32 }

// fold gathers the combinations that must come out alike: principals, and
// targets, whose policies are equal up to their own name form a class, and two
// pairs of the same classes are alike if every statement of one side that names
// the other meets them alike. It returns nil where the bound asks for no folding.
func (s *selection) fold() []group {
	if s.opts.MaxReplays <= 0 || s.count <= s.opts.MaxReplays {
		return nil
	}
	f := &folder{selection: s, seed: maphash.MakeSeed(),
		principals: map[*Principal]uint64{}, targets: map[*Target]uint64{},
		ownSides: map[grantKey][]side{}, theirSides: map[grantKey][]side{}}
	index := map[foldKey]int{}
	var groups []group
	for i := range s.combinations {
		key := f.key(&s.combinations[i])
		g, ok := index[key]
		if !ok {
			g = len(groups)
			index[key] = g
			groups = append(groups, group{})
		}
		groups[g].members = append(groups[g].members, int32(i))
	}
	return groups
}

type folder struct {
	*selection
	seed       maphash.Seed
	principals map[*Principal]uint64
	targets    map[*Target]uint64
	ownSides   map[grantKey][]side
	theirSides map[grantKey][]side
}

// A foldKey is equal for combinations that come out alike.
type foldKey struct {
	principal, target, relation uint64
	action                      int32
	service                     *Chain
}

func (f *folder) key(c *combination) foldKey {
	k := foldKey{
		action:    c.action,
		principal: classOf(f.principals, c.principal, f.principalClass),
		target:    classOf(f.targets, c.target, f.targetClass),
		relation:  f.relation(c),
	}
	if c.chains != nil {
		k.service = c.chains[0]
	}
	return k
}

func classOf[T comparable](known map[T]uint64, of T, class func(T) uint64) uint64 {
	k, ok := known[of]
	if !ok {
		k = class(of)
		known[of] = k
	}
	return k
}

// principalClass hashes what decides for a principal, its own name taken out.
func (f *folder) principalClass(p *Principal) uint64 {
	w := &canonical{name: lastName(p.Caller.Principal.ARN)}
	w.text(p.StandIn)
	w.text(string(rune('0' + p.Caller.Principal.Kind)))
	w.symbol(p.Caller.Principal.ARN)
	w.text(p.Caller.Principal.Service)
	w.symbol(p.Caller.Source)
	w.symbol(p.Caller.SourceAccount)
	w.docs(p.Identity)
	w.docs(p.Boundary)
	for _, level := range p.SCP {
		w.docs(level)
	}
	if p.Trust != nil {
		w.docs([]policy.Attached{{Document: p.Trust, Sure: kleene.True}})
	}
	w.tags(p.Caller.Tags)
	return maphash.String(f.seed, w.b.String())
}

func (f *folder) targetClass(t *Target) uint64 {
	w := &canonical{name: lastName(t.ARN)}
	w.text(string([]rune{'0' + rune(t.Kind), '0' + rune(t.RestrictPublic)}))
	w.symbol(t.ARN)
	w.symbol(t.Account)
	w.symbol(t.Region)
	w.docs(t.Policies)
	for _, level := range t.RCP {
		w.docs(level)
	}
	return maphash.String(f.seed, w.b.String())
}

func lastName(t symbol.Text) string {
	a, ok := arn.Parse(t)
	if !ok {
		return ""
	}
	return a.Name().String()
}

// A side is a statement of one side of a pair that meets members of the other
// side's class differently: a principal's statement on named resources, a
// target's on named principals.
type side struct {
	allow
	conditions []*condition.Condition
}

// sides are the statements of some policies that can match an action.
func sides(docs []policy.Attached, action string, keep func(*side) bool) []side {
	prefix, name, _ := strings.Cut(strings.ToLower(action), ":")
	var out []side
	for _, doc := range docs {
		for i := range doc.Statements {
			st := &doc.Statements[i]
			if st.Actions.Match(prefix, name) == kleene.False {
				continue
			}
			s := side{allow: prepared(st)}
			for j := range st.Conditions {
				if c := &st.Conditions[j]; tellsPrincipals(c.Key) {
					s.conditions = append(s.conditions, c)
				}
			}
			if keep(&s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// tellsPrincipals reports whether a condition key differs among the principals of
// a class.
func tellsPrincipals(key string) bool {
	key = strings.ToLower(key)
	return key == "aws:principalarn" || key == "aws:userid" || key == "aws:username" || strings.HasPrefix(key, "aws:principaltag/")
}

// relation hashes how the statements of each side meet the other.
func (f *folder) relation(c *combination) uint64 {
	action := f.actions[c.action]
	p, t := c.principal, c.target
	var h maphash.Hash
	h.SetSeed(f.seed)
	for _, s := range f.own(p, action) {
		for i := range s.entries {
			e := &s.entries[i]
			if e.bucket != "" && t.name != "" && e.bucket != t.name {
				_ = h.WriteByte(0)
				continue
			}
			m, _ := e.pattern.MatchResource(t.ARN, f.lookup(p))
			o := kleene.False
			if t.Kind == BucketTarget {
				o, _ = e.pattern.MatchResource(t.someObject, anyVariable)
			}
			_ = h.WriteByte(1 + byte(m) + 3*byte(o))
		}
	}
	caller := &p.Caller.Principal
	for _, s := range f.theirs(t, action) {
		for i := range s.names {
			n := &s.names[i]
			if n.anyone || n.anyEntity {
				continue
			}
			_ = h.WriteByte(1 + byte(symbol.Equal(n.entity, caller.ARN)) + 3*byte(symbol.Equal(n.account, caller.Account)))
			_ = h.WriteByte(byte(symbol.Equal(n.entity, caller.Session)))
		}
		for _, c := range s.conditions {
			_ = h.WriteByte(byte(c.Eval(f.contextOf(p))))
		}
	}
	return h.Sum64()
}

func (f *folder) own(p *Principal, action string) []side {
	key := grantKey{principal: p, action: action}
	out, ok := f.ownSides[key]
	if !ok {
		docs := slices.Concat(p.Identity, p.Boundary)
		for _, level := range p.SCP {
			docs = append(docs, level...)
		}
		out = sides(docs, action, func(s *side) bool { return len(s.entries) > 0 })
		f.ownSides[key] = out
	}
	return out
}

func (f *folder) theirs(t *Target, action string) []side {
	key := grantKey{target: t, action: action}
	out, ok := f.theirSides[key]
	if !ok {
		docs := slices.Clone(t.Policies)
		for _, level := range t.RCP {
			docs = append(docs, level...)
		}
		out = sides(docs, action, func(s *side) bool {
			return len(s.conditions) > 0 || slices.ContainsFunc(s.names, func(n name) bool { return !n.anyone && !n.anyEntity })
		})
		f.theirSides[key] = out
	}
	return out
}

// contextOf is the part of the request context that is the principal's own.
func (f *folder) contextOf(p *Principal) request.Context {
	f.lookup(p)
	return f.contexts[p]
}

// blocks renders the pairs of a group as sets of pairs: targets with the same
// principals stand together.
func (s *selection) blocks(g group) []Block {
	var targets []*Target
	principals := map[*Target][]*Principal{}
	for _, i := range g.members {
		c := &s.combinations[i]
		if principals[c.target] == nil {
			targets = append(targets, c.target)
		}
		principals[c.target] = append(principals[c.target], c.principal)
	}
	var out []Block
	for _, t := range targets {
		n := len(out) - 1
		if n >= 0 && slices.Equal(out[n].Principals, principals[t]) {
			out[n].Targets = append(out[n].Targets, t)
			continue
		}
		out = append(out, Block{Principals: principals[t], Targets: []*Target{t}})
	}
	return out
}
