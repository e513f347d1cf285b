package chain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A world of n principals and n targets has n² pairs, and most come out alike: the
// statements of neither side mention the other. So pairs are not looked at one by
// one. Principals, and targets, that meet whatever does not mention them alike have
// one form. A pair of forms is decided once, for all its pairs but those in which
// one side mentions the other; these, and all pairs of what has no form, are
// decided by themselves.

// A cell is a pair of a target and a principal, by their places in the selection.
type cell struct{ target, principal int32 }

func byTarget(a, b cell) int {
	return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.principal, b.principal))
}

// A tile is a set of pairs that come out alike for an action: all of some targets
// and some principals but a few.
type tile struct {
	action              int32 // index into selection.actions
	targets, principals []int32
	except              []cell // in the order of targets
}

// size is the number of pairs.
func (t *tile) size() int { return len(t.targets)*len(t.principals) - len(t.except) }

// first is the first pair in the order of targets.
func (t *tile) first() cell {
	for _, target := range t.targets {
		for _, principal := range t.principals {
			c := cell{target, principal}
			if _, found := slices.BinarySearchFunc(t.except, c, byTarget); !found {
				return c
			}
		}
	}
	panic("a tile without pairs")
}

// blocks are the pairs as sets of pairs: as few as halving finds.
func (t *tile) blocks(s *selection) []Block {
	var out []Block
	emit := func(targets, principals []int32) {
		if len(targets) == 0 || len(principals) == 0 {
			return
		}
		var b Block
		for _, i := range targets {
			b.Targets = append(b.Targets, s.targets[i])
		}
		for _, i := range principals {
			b.Principals = append(b.Principals, s.principals[i])
		}
		out = append(out, b)
	}
	var split func(targets, principals []int32, except []cell)
	split = func(targets, principals []int32, except []cell) {
		switch {
		case len(except) == 0:
			emit(targets, principals)
		case len(targets) == 1:
			emit(targets, without(principals, except, func(c cell) int32 { return c.principal }))
		case len(principals) == 1:
			emit(without(targets, except, func(c cell) int32 { return c.target }), principals)
		case len(targets) >= len(principals):
			half := len(targets) / 2
			before, after := divide(except, func(c cell) bool { return c.target < targets[half] })
			split(targets[:half], principals, before)
			split(targets[half:], principals, after)
		default:
			half := len(principals) / 2
			before, after := divide(except, func(c cell) bool { return c.principal < principals[half] })
			split(targets, principals[:half], before)
			split(targets, principals[half:], after)
		}
	}
	split(t.targets, t.principals, t.except)
	return out
}

func without(list []int32, except []cell, of func(cell) int32) []int32 {
	return slices.DeleteFunc(slices.Clone(list), func(i int32) bool {
		return slices.ContainsFunc(except, func(c cell) bool { return of(c) == i })
	})
}

func divide(cells []cell, first func(cell) bool) (yes, no []cell) {
	for _, c := range cells {
		if first(c) {
			yes = append(yes, c)
		} else {
			no = append(no, c)
		}
	}
	return yes, no
}

// formless is the form of what is decided by itself with every other side.
const formless = -1

// A sorter finds the forms of a selection.
type sorter struct {
	*selection
	// principals and targets give the number of each one's form.
	formOf struct{ principals, targets []int }
	// members of each form, in order.
	members struct{ principals, targets [][]int32 }
	// mentions are the pairs in which one side may mention the other, in order.
	mentions []cell
	// patterns of the principals that many targets meet, in a fixed order.
	wide []*arn.Pattern
	// reached remembers, by text, which targets a resource pattern can match; nil for
	// the patterns that are wide.
	reached map[symbol.Text][]int32
	// encrypted are the targets by the key that encrypts them, foreign the keys that are
	// no targets.
	encrypted map[symbol.Text][]int32
	foreign   []symbol.Text
	// waypoints are the resources that chains name.
	waypoints []symbol.Text
}

// narrow says how many targets a pattern may reach to be taken as mentioning them,
// of so many.
func narrow(targets int) int { return max(few, targets/64) }

// few targets are always mentioned. It is a variable for tests, whose worlds are small.
var few = 8

// Bounds beyond which patterns and conditions are not made part of a form.
const (
	mostWide       = 64
	mostConditions = 64
)

func (s *selection) sort() *sorter {
	s.kinds = make([]targetKind, len(s.targets))
	o := &sorter{selection: s, reached: map[symbol.Text][]int32{}, waypoints: waypointsOf(s.catalog, s.targets)}
	o.formOf.principals, o.formOf.targets = make([]int, len(s.principals)), make([]int, len(s.targets))
	for i, t := range s.targets {
		s.kinds[i] = s.kindOf(t)
		for _, action := range s.kinds[i].actions {
			s.place(action) // in the order of the targets
		}
	}
	if s.opts.Only != nil { // related or not: each pair is asked for
		for i := range o.formOf.principals {
			o.formOf.principals[i] = formless
		}
		return o
	}
	o.principalForms()
	o.targetForms()
	slices.SortFunc(o.mentions, byTarget)
	o.mentions = slices.Compact(o.mentions)
	// A pair of which one side has no form is decided by itself anyway.
	o.mentions = slices.DeleteFunc(o.mentions, func(c cell) bool {
		return o.formOf.targets[c.target] == formless || o.formOf.principals[c.principal] == formless
	})
	return o
}

// entries yields the resource patterns of statements that say something.
func entries(docs []policy.Attached, yield func(*arn.Pattern)) {
	for _, d := range docs {
		for i := range d.Statements {
			r := d.Statements[i].Resources
			if r == nil {
				continue
			}
			for j := range r.Entries {
				if p := &r.Entries[j].Pattern; !p.IsAny() {
					yield(p)
				}
			}
		}
	}
}

// principalForms gives a form to each principal: what its policies are up to its
// name, and which patterns they have that many targets meet.
func (o *sorter) principalForms() {
	index := newTargetIndex(o.targets)
	known := map[symbol.Text]bool{}
	forms := map[uint64]int{}
	for i, p := range o.principals {
		w := &canonical{}
		w.h.SetSeed(o.folder.seed)
		w.number(int(classOf(o.folder.principals, p, o.folder.principalClass))) //nolint:gosec // a hash
		w.text(o.servesOf(p))
		form := 0
		if anything(p.Caller.Principal.ARN) || anything(p.Caller.Principal.Session) {
			form = formless
		}
		entries(ownDocs(p), func(e *arn.Pattern) {
			text := e.Text()
			reached, ok := o.reached[text]
			if !ok {
				reached = index.reached(e)
				if len(reached) > narrow(len(o.targets)) {
					reached = nil
				} else if reached == nil {
					reached = []int32{}
				}
				o.reached[text] = reached
			}
			if reached != nil {
				w.number(0)
				for _, t := range slices.Concat(reached, o.behind(e, reached)) {
					o.mentions = append(o.mentions, cell{t, int32(i)}) //nolint:gosec // an index
				}
				if o.passes(e) {
					form = formless
				}
				return
			}
			if rest, ok := afterUnknown(text); ok {
				// Whatever the unknown is, it matters to all targets alike.
				text = symbol.Literal("~" + rest)
			}
			if !known[text] && len(o.wide) < mostWide && len(e.Variables()) == 0 {
				known[text] = true
				o.wide = append(o.wide, e)
			}
			if !known[text] {
				form = formless
			}
			w.literal(text)
		})
		if form != formless {
			form = number(forms, w.h.Sum64())
		}
		o.formOf.principals[i] = form
		o.members.principals = member(o.members.principals, form, i)
	}
}

// behind returns the targets that a pattern mentions by the key which encrypts them.
func (o *sorter) behind(e *arn.Pattern, reached []int32) []int32 {
	if o.encrypted == nil {
		o.encrypted = map[symbol.Text][]int32{}
		for i, t := range o.targets {
			if !t.Key.IsZero() {
				o.encrypted[t.Key] = append(o.encrypted[t.Key], int32(i)) //nolint:gosec // an index
				if o.byARN[t.Key] == nil && !slices.Contains(o.foreign, t.Key) {
					o.foreign = append(o.foreign, t.Key)
				}
			}
		}
	}
	var out []int32
	for _, t := range reached {
		out = append(out, o.encrypted[o.targets[t].ARN]...)
	}
	for _, key := range o.foreign {
		if m, _ := e.MatchResource(key, anyVariable); m != kleene.False {
			out = append(out, o.encrypted[key]...)
		}
	}
	return out
}

// passes reports whether a pattern mentions a resource that some chain names on its
// way to other targets.
func (o *sorter) passes(e *arn.Pattern) bool {
	return slices.ContainsFunc(o.waypoints, func(resource symbol.Text) bool {
		m, _ := e.MatchResource(resource, anyVariable)
		return m != kleene.False
	})
}

// waypointsOf are the resources that chains name.
func waypointsOf(chains []*selected, targets []*Target) []symbol.Text {
	var out []symbol.Text
	for _, c := range chains {
		for i := range c.Hops {
			name := c.Hops[i].Resource
			if !name.named() {
				continue
			}
			resource := symbol.Literal(string(name))
			if i := slices.IndexFunc(targets, func(t *Target) bool { return t.Address == string(name) }); i >= 0 {
				resource = targets[i].ARN
			}
			out = append(out, resource)
		}
	}
	return out
}

// number gives each hash a number of its own.
func number(forms map[uint64]int, hash uint64) int {
	n, ok := forms[hash]
	if !ok {
		n = len(forms)
		forms[hash] = n
	}
	return n
}

func member(members [][]int32, form, i int) [][]int32 {
	if form == formless {
		return members
	}
	if form == len(members) {
		members = append(members, nil)
	}
	members[form] = append(members[form], int32(i)) //nolint:gosec // an index
	return members
}

// targetForms gives a form to each target: what its policies are up to its name,
// how it meets the patterns that many targets meet, and which principals its
// policies name by more than their ARN. It then takes the principals apart that the
// conditions of targets tell apart.
func (o *sorter) targetForms() {
	callers := newCallerIndex(o.principals)
	forms := map[uint64]int{}
	conditions := map[uint64][]side{}
	var order []uint64
	for i, t := range o.targets {
		w := &canonical{}
		w.h.SetSeed(o.folder.seed)
		form := 0
		if t.standIn() || anything(t.ARN) {
			form = formless
		}
		w.number(int(classOf(o.folder.targets, t, o.folder.targetClass))) //nolint:gosec // a hash
		w.number(int(o.kinds[i].chains))                                  //nolint:gosec // a hash
		rest := func(e *arn.Pattern) {
			text, ok := remainder(e, t)
			if !ok {
				form = formless
			}
			w.text(text)
		}
		for _, e := range o.wide {
			rest(e)
		}
		docs := theirDocs(t)
		if key := o.byARN[t.Key]; key != nil {
			docs = append(docs, theirDocs(key)...) // the chains on the target ask for the key
		}
		if t.Kind == RoleTarget {
			for _, p := range callers.exact[t.ARN] {
				o.mentions = append(o.mentions, cell{int32(i), p}) //nolint:gosec // an index
			}
		}
		entries(docs, rest)
		var telling []side
		for _, d := range docs {
			for j := range d.Statements {
				st := &d.Statements[j]
				s := sideOf(st)
				for k := range s.names {
					n := &s.names[k]
					reached, all, ok := callers.named(n)
					if !ok {
						form = formless
					}
					switch {
					case n.hidden: // perhaps any of them
						w.number(1)
					case all: // of an account
						w.literal(n.entity)
					default:
						w.number(0)
					}
					for _, p := range reached {
						o.mentions = append(o.mentions, cell{int32(i), p}) //nolint:gosec // an index
					}
				}
				if len(s.conditions) > 0 {
					telling = append(telling, s)
				}
			}
		}
		if hash := o.conditionsHash(telling); len(telling) > 0 {
			if conditions[hash] == nil {
				if len(order) == mostConditions {
					form = formless
				} else {
					conditions[hash] = telling
					order = append(order, hash)
				}
			}
			w.number(int(hash)) //nolint:gosec // a hash
		}
		if form != formless {
			form = number(forms, w.h.Sum64())
		}
		o.formOf.targets[i] = form
		o.members.targets = member(o.members.targets, form, i)
	}
	if len(order) > 0 {
		o.tellApart(order, conditions)
	}
}

// conditionsHash hashes the conditions of statements as they are written.
func (o *sorter) conditionsHash(sides []side) uint64 {
	w := &canonical{}
	w.h.SetSeed(o.folder.seed)
	for i := range sides {
		for j := range sides[i].conditions {
			c := &sides[i].conditions[j]
			w.text(c.Operator.String())
			w.text(c.Key)
			w.number(len(c.Values))
			for _, v := range c.Values {
				w.literal(v.Text)
			}
		}
	}
	return w.h.Sum64()
}

// tellApart splits the forms of principals by how they meet the conditions of targets.
func (o *sorter) tellApart(order []uint64, conditions map[uint64][]side) {
	forms := map[uint64]int{}
	o.members.principals = nil
	for i, p := range o.principals {
		form := o.formOf.principals[i]
		if form == formless {
			continue
		}
		w := &canonical{}
		w.h.SetSeed(o.folder.seed)
		w.number(form)
		for _, hash := range order {
			for _, s := range conditions[hash] {
				o.folder.conditions(w, s.conditions, p)
			}
		}
		form = number(forms, w.h.Sum64())
		o.formOf.principals[i] = form
		o.members.principals = member(o.members.principals, form, i)
	}
}

// remainder is what is left of a pattern after the ARN of a target: patterns with
// equal remainders match alike what is in the targets. It is empty for a pattern
// that matches neither the target nor anything in it, and false if it cannot be told.
func remainder(p *arn.Pattern, t *Target) (string, bool) {
	if len(p.Variables()) > 0 {
		return "", false
	}
	if symbol.Diverge(fixed(p), t.ARN) {
		return "", true
	}
	if rest, ok := afterUnknown(p.Text()); ok {
		s, known := t.ARN.Literal()
		if rest == "" || known {
			return "~" + derive("*"+rest, s), true
		}
		return "", false
	}
	if text := p.Text(); text.HasPrefix(t.ARN) {
		rest := text.Slice(t.ARN.Len(), text.Len())
		s, known := rest.Literal()
		return "+" + s, known
	}
	text, known := p.Text().Literal()
	a, ok := arn.Parse(t.ARN)
	if !known || !ok || !p.Full() || !p.Certain() || p.RunsOn() || p.Short() {
		return "", false
	}
	resource, known := a[arn.Resource].Literal()
	a[arn.Resource] = symbol.Symbol{Name: "anything"}.Text()
	switch m, _ := p.MatchResource(a.Text(), nil); {
	case m == kleene.False:
		return "", true
	case !known:
		return "", false
	}
	// The first five parts have to match for certain: with any resource.
	parts := strings.SplitN(text, ":", 6)
	whole, err := arn.Compile(symbol.Literal(strings.Join(parts[:5], ":")+":*"), false)
	if err != nil {
		return "", false
	}
	if m, _ := whole.MatchResource(a.Text(), nil); m != kleene.True {
		return "", false
	}
	return derive(parts[5], resource), true
}

// anything reports whether a text has an unknown in it that may be anything.
func anything(t symbol.Text) bool {
	for s := range t.Symbols() {
		if s.Class == symbol.Any {
			return true
		}
	}
	return false
}

// afterUnknown returns what follows an unknown that a text begins with and that may
// be anything. The unknown is then like '*', but for the answer, which is that the
// text perhaps matches, and but for texts with the very same unknown in them.
func afterUnknown(t symbol.Text) (rest string, ok bool) {
	first := symbol.Text{}
	for s := range t.Symbols() {
		if s.Class == symbol.Any {
			first = s.Text()
		}
		break
	}
	if first.IsZero() || !t.HasPrefix(first) {
		return "", false
	}
	rest, known := t.Slice(first.Len(), t.Len()).Literal()
	return rest, known && !strings.Contains(rest, "$")
}

// derive returns what is left of a glob after a text: all the suffixes of the glob
// that may follow, each once.
func derive(glob, text string) string {
	states := []int{0}
	open := func(states []int) []int { // '*' may match nothing
		for i := 0; i < len(states); i++ {
			if at := states[i]; at < len(glob) && glob[at] == '*' && !slices.Contains(states, at+1) {
				states = append(states, at+1)
			}
		}
		return states
	}
	states = open(states)
	for _, r := range text {
		var next []int
		for _, at := range states {
			switch {
			case at == len(glob):
			case glob[at] == '*':
				next = append(next, at)
			case glob[at] == '?':
				next = append(next, at+1)
			case strings.HasPrefix(glob[at:], string(r)):
				next = append(next, at+len(string(r)))
			}
		}
		slices.Sort(next)
		states = open(slices.Compact(next))
		if len(states) == 0 {
			return ""
		}
	}
	slices.Sort(states)
	var out strings.Builder
	for _, at := range states {
		out.WriteString("+" + glob[at:])
	}
	return out.String()
}

// A targetIndex finds the targets that a pattern can match.
type targetIndex struct {
	targets []*Target
	// sorted are the targets with a known ARN in the order of these, texts.
	sorted []int32
	texts  []string
	exact  map[string][]int32 // by that ARN
	// late are all others, by the beginning of their ARN.
	late map[string][]int32
}

func newTargetIndex(targets []*Target) *targetIndex {
	x := &targetIndex{targets: targets, exact: map[string][]int32{}, late: map[string][]int32{}}
	for i, t := range targets {
		n := int32(i) //nolint:gosec // an index
		if s, known := t.ARN.Literal(); known {
			x.sorted = append(x.sorted, n)
			x.exact[s] = append(x.exact[s], n)
		} else {
			prefix := literalPrefix(t.ARN)
			x.late[prefix] = append(x.late[prefix], n)
		}
	}
	slices.SortStableFunc(x.sorted, func(a, b int32) int {
		return cmp.Compare(targets[a].ARN.String(), targets[b].ARN.String())
	})
	for _, i := range x.sorted {
		x.texts = append(x.texts, targets[i].ARN.String())
	}
	return x
}

// reached returns the targets that a pattern can match, or something in them.
func (x *targetIndex) reached(p *arn.Pattern) []int32 {
	var out []int32
	consider := func(i int32) {
		t := x.targets[i]
		for _, resource := range []symbol.Text{t.ARN, t.someObject} {
			if m, _ := p.MatchResource(resource, anyVariable); m != kleene.False {
				out = append(out, i)
				return
			}
		}
	}
	start := fixed(p)
	prefix := literalPrefix(start)
	from, _ := slices.BinarySearch(x.texts, prefix)
	for i := from; i < len(x.texts) && strings.HasPrefix(x.texts[i], prefix); i++ {
		consider(x.sorted[i])
	}
	// The targets that the prefix goes into.
	for i := range len(prefix) {
		if c := prefix[i]; c == '/' || c == ':' {
			for _, i := range x.exact[prefix[:i]] {
				consider(i)
			}
		}
	}
	for own, late := range x.late {
		if !strings.HasPrefix(own, prefix) && !strings.HasPrefix(prefix, own) {
			continue
		}
		for _, i := range late {
			if !symbol.Diverge(start, x.targets[i].ARN) {
				consider(i)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fixed is what every text that a pattern matches begins with, unknown parts
// included; empty where the parts of the pattern need not be where they are written.
func fixed(p *arn.Pattern) symbol.Text {
	if p.Short() || p.RunsOn() || !p.Certain() {
		return symbol.Text{}
	}
	t := p.Text()
	end := t.Len()
	for _, c := range []byte("*?$") {
		if i := t.Index(c); i >= 0 {
			end = min(end, i)
		}
	}
	return t.Slice(0, end)
}

// literalPrefix is the known text that a text begins with.
func literalPrefix(t symbol.Text) string {
	s := t.String()
	for sym := range t.Symbols() {
		s, _, _ = strings.Cut(s, "${"+sym.Name+"}")
		break
	}
	return s
}

// A callerIndex finds the principals that an entry of a Principal element means.
type callerIndex struct {
	callers []*Principal
	// exact are all by their ARN and by that of their session.
	exact map[symbol.Text][]int32
	// stems are the beginnings of these up to their last unknown, with those who have
	// them: two texts of one stem are equal or certainly not.
	stems    map[symbol.Text][]int32
	accounts []symbol.Text
}

func newCallerIndex(principals []*Principal) *callerIndex {
	x := &callerIndex{callers: principals, exact: map[symbol.Text][]int32{}, stems: map[symbol.Text][]int32{}}
	for i, p := range principals {
		c := &p.Caller.Principal
		n := int32(i) //nolint:gosec // an index
		for _, t := range []symbol.Text{c.ARN, c.Session} {
			x.exact[t] = append(x.exact[t], n)
			s := stem(t)
			x.stems[s] = append(x.stems[s], n)
		}
		if !slices.Contains(x.accounts, c.Account) {
			x.accounts = append(x.accounts, c.Account)
		}
	}
	return x
}

// stem is what a text begins with up to the end of its last unknown.
func stem(t symbol.Text) symbol.Text {
	var out symbol.Text
	for _, class := range []symbol.Class{symbol.Any, symbol.Segment, symbol.Digits} {
		if before, _, _ := t.CutLast(class); before.Len() > out.Len() {
			out = before
		}
	}
	return out
}

// named returns the principals that an entry may mean by their ARNs, and whether it
// may mean an account of theirs; ok is false if that cannot be told.
func (x *callerIndex) named(n *name) (reached []int32, account, ok bool) {
	if n.hidden {
		rest, ok := afterUnknown(n.entity)
		return x.exact[n.entity], true, ok && rest == ""
	}
	reached = slices.Clone(x.exact[n.entity])
	own := stem(n.entity)
	for s, among := range x.stems {
		if s == own || symbol.Diverge(s, n.entity) {
			continue
		}
		for _, i := range among {
			c := &x.callers[i].Caller.Principal
			if symbol.Equal(n.entity, c.ARN) != kleene.False || symbol.Equal(n.entity, c.Session) != kleene.False {
				reached = append(reached, i)
			}
		}
	}
	for _, a := range x.accounts {
		account = account || symbol.Equal(n.account, a) != kleene.False
	}
	return reached, account, true
}

// A pairing is a pair with the place of its action.
type pairing struct {
	cell
	action int32
}

// relate finds the pairs of callers and targets that are related.
func (s *selection) relate() {
	o := s.sort()
	pairs := map[[2]int][]cell{} // mentions, by the forms of their sides
	for _, c := range o.mentions {
		forms := [2]int{o.formOf.targets[c.target], o.formOf.principals[c.principal]}
		pairs[forms] = append(pairs[forms], c)
		s.single(o, c)
	}
	for i, targets := range o.members.targets {
		for j, principals := range o.members.principals {
			for _, action := range o.kinds[targets[0]].actions {
				t := tile{action: s.place(action), targets: targets, principals: principals, except: pairs[[2]int{i, j}]}
				n := t.size()
				if n == 0 {
					break
				}
				c := s.combination(pairing{t.first(), t.action})
				switch {
				case len(c.chains) == 0:
				case s.matters(&c):
					s.tiles = append(s.tiles, t)
					s.count += n * len(c.chains)
				default:
					s.unrelated += n
				}
			}
		}
	}
	for i := range s.targets {
		for j := range s.principals {
			if o.formOf.targets[i] == formless || o.formOf.principals[j] == formless {
				s.single(o, cell{int32(i), int32(j)}) //nolint:gosec // indices
			}
		}
	}
}

// single decides whether one pair is related.
func (s *selection) single(o *sorter, at cell) {
	for _, action := range o.kinds[at.target].actions {
		p := pairing{at, s.place(action)}
		c := s.combination(p)
		switch {
		case len(c.chains) == 0:
		case s.matters(&c):
			s.singles = append(s.singles, p)
			s.count += len(c.chains)
		default:
			s.unrelated++
		}
	}
}

// combination is a pair as it is replayed.
func (s *selection) combination(p pairing) combination {
	out := combination{principal: s.principals[p.principal], target: s.targets[p.target], action: p.action}
	if itself := out.target.Kind == RoleTarget && out.target.ARN == out.principal.Caller.Principal.ARN; !itself {
		out.chains = s.chainsOf(p)
	}
	return out
}

// matters reports whether a pair is replayed.
func (s *selection) matters(c *combination) bool {
	action := s.actions[c.action]
	if !s.other.moved(c.principal, c.target) {
		return false
	}
	if s.opts.Only != nil {
		return s.opts.Only(c.principal, c.target, action)
	}
	if c.principal.StandIn != "" || c.target.standIn() {
		return true
	}
	return related(s.allows(c.principal, nil, action), s.reaching(c.target, action), c.principal, c.target, action)
}
