package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/tfguard/tfguard/engine"
)

// A matrix is what is known of one resource: chains down, principals across.
type matrix struct {
	address, arn string
	like         int // resources of its class, where pairs were folded
	columns      []*column
	left         int  // principals that have no column
	quiet        bool // stand-ins have no columns, as all is allowed to them
	chains       []string
	actions      []string
	cells        map[spot]cell
	services     []serviceRow // callers that are principals of no account
}

// A column is a principal, or several that come out alike.
type column struct {
	name, address string
	standIn       bool
	like          int // principals it stands for
}

// A spot is where a cell stands in a matrix.
type spot struct {
	chain, action string
	column        *column
}

// A cell is a verdict with the hop that brought it; the zero cell was not replayed.
type cell struct {
	verdict  engine.Verdict
	hop      int
	replayed bool
}

// A serviceRow is what is known of a caller that is a principal of no account.
type serviceRow struct {
	chain, principal string
	cell             cell
	actions          []string
}

// words renders a cell, shorter if it must be.
func (c cell) words(short bool) string {
	word := ""
	switch {
	case !c.replayed:
		return "–"
	case c.verdict == engine.ImplicitDeny:
		word = "implicit"
	case c.verdict == engine.ExplicitDeny:
		word = "explicit"
	default:
		word = c.verdict.String()
	}
	if !short && (c.verdict == engine.ImplicitDeny || c.verdict == engine.ExplicitDeny) {
		word += " deny"
	}
	if c.hop > 0 {
		word += fmt.Sprintf(" @%d", c.hop)
	}
	return word
}

func (c cell) style() lipgloss.Style {
	switch {
	case !c.replayed:
		return faint
	case c.verdict == engine.Allowed:
		return green
	case c.verdict == engine.ExplicitDeny:
		return red
	case c.verdict == engine.Unknown:
		return yellow
	}
	return plain
}

// matrices gathers the replays of each input by resource, in the order of the report,
// with at most so many principals each.
func (r *Report) matrices(maxColumns int) [][]*matrix {
	out := make([][]*matrix, len(r.Inputs))
	type key struct {
		input         int
		address, name string
	}
	byKey := map[key]*matrix{}
	columns := map[*matrix]map[[3]string]*column{}
	like := r.like()
	for i := range r.Replays {
		p := &r.Replays[i]
		k := key{p.Input, p.ResourceAddress, p.Resource}
		m := byKey[k]
		if m == nil {
			m = newMatrix(p)
			byKey[k] = m
			columns[m] = map[[3]string]*column{}
			out[p.Input] = append(out[p.Input], m)
		}
		m.add(p, columns[m], like[i])
	}
	for m := range columns {
		m.tellApart()
		m.choose(maxColumns)
	}
	return out
}

func newMatrix(r *Replay) *matrix {
	m := &matrix{address: printable(r.ResourceAddress), arn: printable(r.Resource), cells: map[spot]cell{}}
	switch {
	case r.Resource == "*":
		m.address, m.arn = "EC2 instances", ""
	case r.ResourceAddress == "" && strings.Contains(r.Resource, ":s3:::"):
		m.address, m.arn = m.arn, "(named by a policy, not defined here)"
	case r.ResourceAddress == "":
		m.address, m.arn = m.arn, "(not defined here)"
	}
	return m
}

// A fold counts what a replay stands for, itself included: resources, and
// principals for its own resource.
type fold struct{ resources, principals int }

// like says for each replay, by its index, how many it stands for.
func (r *Report) like() map[int]fold {
	out := map[int]fold{}
	for _, g := range r.Groups {
		resources := map[string]bool{}
		for _, p := range g.Pairs {
			for _, name := range p.Resources {
				resources[name] = true
			}
		}
		for _, i := range g.Replays {
			rep := &r.Replays[i]
			principals := 0
			for _, p := range g.Pairs {
				if slices.Contains(p.Resources, cmp.Or(rep.ResourceAddress, rep.Resource)) {
					principals += len(p.Principals)
				}
			}
			out[i] = fold{len(resources), principals}
		}
	}
	return out
}

// add adds a replay; columns are the principals met so far.
func (m *matrix) add(r *Replay, columns map[[3]string]*column, like fold) {
	c := cell{verdict: r.Verdict, hop: r.BrokenHop, replayed: true}
	m.like = max(m.like, like.resources)
	if !strings.Contains(r.Principal, ":") {
		m.addService(r, c)
		return
	}
	chain, action := printable(r.Chain), printable(r.Action)
	key := [3]string{r.PrincipalAddress, r.Principal, r.StandIn}
	col := columns[key]
	if col == nil {
		col = &column{name: columnName(r), address: printable(r.PrincipalAddress), standIn: r.StandIn != ""}
		columns[key] = col
		m.columns = append(m.columns, col)
	}
	col.like = max(col.like, like.principals, 1)
	m.chains = include(m.chains, chain)
	m.actions = include(m.actions, action)
	m.cells[spot{chain, action, col}] = c
}

// tellApart names principals that share a name by their addresses.
func (m *matrix) tellApart() {
	names := map[string]int{}
	for _, c := range m.columns {
		names[c.name]++
	}
	for _, c := range m.columns {
		if names[c.name] > 1 && c.address != "" {
			c.name = c.address
		}
	}
}

// addService adds a caller that is a principal of no account: a service, or anyone.
func (m *matrix) addService(r *Replay, c cell) {
	principal, chain, action := printable(r.Principal), printable(r.Chain), printable(r.Action)
	if principal == chain {
		principal = "anyone"
	}
	for i := range m.services {
		if s := &m.services[i]; s.chain == chain && s.principal == principal && s.cell == c {
			s.actions = append(s.actions, action)
			return
		}
	}
	m.services = append(m.services, serviceRow{chain, principal, c, []string{action}})
}

func include(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// columnName names the principal of a replay: a stand-in by what it stands for,
// others by the last part of their ARN or, if that is not known, their address.
func columnName(r *Replay) string {
	if name, ok := strings.CutPrefix(r.StandIn, "tfguard-standin-"); ok {
		return "stand-in " + name
	}
	parts := strings.SplitN(r.Principal, ":", 6)
	name := parts[len(parts)-1]
	if strings.Contains(name, "${") && r.PrincipalAddress != "" {
		return printable(r.PrincipalAddress)
	}
	return printable(name[strings.LastIndex(name, "/")+1:])
}

// choose keeps the columns that fit, those of the input before stand-ins. Stand-ins
// that nothing keeps from starting an instance need no columns.
func (m *matrix) choose(maxColumns int) {
	var own, stand []*column
	for _, c := range m.columns {
		if c.standIn {
			stand = append(stand, c)
		} else {
			own = append(own, c)
		}
	}
	byName := func(a, b *column) int { return cmp.Compare(a.name, b.name) }
	slices.SortStableFunc(own, byName)
	slices.SortStableFunc(stand, byName)
	if m.arn == "" && len(stand) > 0 && m.allowed(stand) {
		stand, m.quiet = nil, true
	}
	if len(own)+len(stand) > maxColumns {
		own = m.merge(own)
	}
	if most := maxColumns - len(stand); len(own) > most {
		for _, c := range own[most:] {
			m.left += c.like
		}
		own = own[:most]
	}
	m.columns = slices.Concat(own, stand)
}

// outcome returns what is equal for two resources whose tables are but for the names
// of principals, and those names.
func (m *matrix) outcome() (key, names string) {
	var shape, all strings.Builder
	for _, c := range m.columns {
		fmt.Fprint(&shape, c.standIn, c.like, " ")
		all.WriteString(c.name + "\n")
	}
	fmt.Fprint(&shape, m.chains, m.actions, m.key(m.actions, m.columns), m.left, m.quiet, m.services)
	return shape.String(), all.String()
}

// allowed reports whether every cell of the columns is.
func (m *matrix) allowed(columns []*column) bool {
	for p, c := range m.cells {
		if slices.Contains(columns, p.column) && c.verdict != engine.Allowed {
			return false
		}
	}
	return true
}

// merge makes one column of those that come out alike.
func (m *matrix) merge(columns []*column) []*column {
	var out []*column
	alike := map[string]*column{}
	for _, c := range columns {
		key := m.key(m.actions, []*column{c})
		first := alike[key]
		if first == nil {
			alike[key] = c
			out = append(out, c)
			continue
		}
		first.like += c.like
	}
	return out
}

// key is equal for actions and columns that come out alike.
func (m *matrix) key(actions []string, columns []*column) string {
	var b strings.Builder
	for _, a := range actions {
		for _, chain := range m.chains {
			for _, c := range columns {
				b.WriteString(m.cells[spot{chain, a, c}].words(true) + "|")
			}
		}
	}
	return b.String()
}

// sections gathers the actions that come out alike for all principals and chains.
func (m *matrix) sections(columns []*column) [][]string {
	var out [][]string
	at := map[string]int{}
	for _, a := range m.actions {
		key := m.key([]string{a}, columns)
		if i, ok := at[key]; ok {
			out[i] = append(out[i], a)
			continue
		}
		at[key] = len(out)
		out = append(out, []string{a})
	}
	return out
}

func (m *matrix) chainWidth() int {
	w := 0
	for _, c := range m.chains {
		w = max(w, len(c))
	}
	return w
}

// widths returns how wide the columns of a block are: as wide as their cells, and
// names get what is left of the line.
func (m *matrix) widths(columns []*column, short bool) (widths []int, fits bool) {
	left := width - len(indent) - m.chainWidth()
	for _, c := range columns {
		w := min(ansi.StringWidth(c.name), nameWidth)
		for p, cell := range m.cells {
			if p.column == c {
				w = max(w, ansi.StringWidth(cell.words(short)))
			}
		}
		widths = append(widths, w)
		left -= gap + w
	}
	for gave := true; gave && left > 0; {
		gave = false
		for i, c := range columns {
			if left > 0 && widths[i] < ansi.StringWidth(c.name) {
				widths[i]++
				left--
				gave = true
			}
		}
	}
	return widths, left >= 0
}
