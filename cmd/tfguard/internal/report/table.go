package report

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/ansi"
)

const (
	maxColumns = 8  // principals of one resource that a table shows
	perBlock   = 6  // principals side by side
	nameWidth  = 13 // of a principal's column
)

// A matrix is what is known of one resource: chains down, principals across.
type matrix struct {
	title      string
	principals []string // of callers, as columns
	chains     []string
	actions    []string
	cells      map[[3]string]string // chain, action, principal
	others     []other              // services and anonymous callers
	like       int                  // resources of one class, where pairs were folded
}

type other struct{ chain, principal, action, cell string }

// tables writes one table for each class of resources with equal outcomes.
func (t *text) tables() {
	var bodies []string
	titles := map[string][]string{}
	for _, m := range t.matrices() {
		body := t.body(m)
		if len(titles[body]) == 0 {
			bodies = append(bodies, body)
		}
		if m.like > 1 {
			m.title += fmt.Sprintf("  and %s like it", number(m.like-1, "other", "others"))
		}
		titles[body] = append(titles[body], m.title)
	}
	for _, body := range bodies {
		t.line("")
		for i, title := range titles[body] {
			if i == 4 {
				t.line("%s", t.paint(bold, fmt.Sprintf("… and %s", number(len(titles[body])-i, "more like these", "more like these"))))
				break
			}
			t.line("%s", t.paint(bold, ansi.Truncate(title, width, "…")))
		}
		_, _ = t.w.WriteString(body)
	}
	if len(bodies) > 0 {
		t.line("")
		t.wrapped("", t.paint(faint, "implicit: nothing allows the call; explicit: a statement denies it; @n: the hop that decided; –: nothing grants it, not replayed."))
	}
}

// matrices gathers the replays by resource, in the order of the report.
func (t *text) matrices() []*matrix {
	var out []*matrix
	byKey := map[string]*matrix{}
	like := t.like()
	for i, r := range t.r.Replays {
		key := fmt.Sprint(r.Input, " ", r.ResourceAddress, " ", r.Resource)
		m := byKey[key]
		if m == nil {
			m = &matrix{title: title(&r), cells: map[[3]string]string{}}
			byKey[key] = m
			out = append(out, m)
		}
		m.add(&r)
		m.like = max(m.like, like[i])
	}
	return out
}

// like counts for each replay the resources that it stands for.
func (t *text) like() map[int]int {
	out := map[int]int{}
	for _, g := range t.r.Groups {
		resources := map[string]bool{}
		for _, p := range g.Pairs {
			for _, r := range p.Resources {
				resources[r] = true
			}
		}
		for _, i := range g.Replays {
			out[i] = len(resources)
		}
	}
	return out
}

func title(r *Replay) string {
	switch {
	case r.Resource == "*":
		return "EC2 instances (" + r.Action + ")"
	case r.ResourceAddress == "":
		return r.Resource + "  (not in the input)"
	default:
		return r.ResourceAddress + "  " + r.Resource
	}
}

func (m *matrix) add(r *Replay) {
	cell := r.Verdict.String()
	switch cell {
	case "implicitDeny":
		cell = "implicit"
	case "explicitDeny":
		cell = "explicit"
	}
	if r.BrokenHop > 0 {
		cell += fmt.Sprintf(" @%d", r.BrokenHop)
	}
	if !strings.Contains(r.Principal, ":") {
		m.others = append(m.others, other{r.Chain, r.Principal, r.Action, cell})
		return
	}
	p := column(r)
	m.principals = include(m.principals, p)
	m.chains = include(m.chains, r.Chain)
	m.actions = include(m.actions, r.Action)
	m.cells[[3]string{r.Chain, r.Action, p}] = cell
}

func include(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// column names the principal of a replay: a stand-in by what it stands for, others
// by the last part of their ARN.
func column(r *Replay) string {
	if name, ok := strings.CutPrefix(r.StandIn, "tfguard-standin-"); ok {
		return "stand-in " + name
	}
	return r.Principal[strings.LastIndexAny(r.Principal, "/:")+1:]
}

// shown returns the principals that fit: those of the input, then stand-ins.
func (m *matrix) shown() (shown []string, left int) {
	var own, stand []string
	for _, p := range m.principals {
		if strings.HasPrefix(p, "stand-in ") {
			stand = append(stand, p)
		} else {
			own = append(own, p)
		}
	}
	if left = len(m.principals) - maxColumns; left > 0 {
		own = own[:maxColumns-len(stand)]
	}
	return slices.Concat(own, stand), max(left, 0)
}

// body renders the tables of one resource.
func (t *text) body(m *matrix) string {
	var b strings.Builder
	principals, left := m.shown()
	for _, actions := range m.alike(principals) {
		for block := range slices.Chunk(principals, perBlock) {
			b.WriteString(t.block(m, actions, block))
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "  and %s (-o json lists them)\n", number(left, "more principal", "more principals"))
	}
	if len(m.others) > 0 {
		b.WriteString(t.services(m))
	}
	return b.String()
}

// alike gathers the actions that come out alike for all principals and chains.
func (m *matrix) alike(principals []string) [][]string {
	var out [][]string
	at := map[string]int{}
	for _, a := range m.actions {
		var key strings.Builder
		for _, c := range m.chains {
			for _, p := range principals {
				key.WriteString(m.cells[[3]string{c, a, p}] + "|")
			}
		}
		if i, ok := at[key.String()]; ok {
			out[i] = append(out[i], a)
			continue
		}
		at[key.String()] = len(out)
		out = append(out, []string{a})
	}
	return out
}

// block renders one table of chains down and a few principals across.
func (t *text) block(m *matrix, actions, principals []string) string {
	names := header(principals)
	rows := slices.Clone(names)
	for _, c := range m.chains {
		row := []string{c}
		for _, p := range principals {
			cell := m.cells[[3]string{c, actions[0], p}]
			if cell == "" {
				cell = "–"
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	caption := "\n  " + ansi.Truncate(strings.Join(actions, ", "), width-2, "…") + "\n"
	return caption + t.render(rows, len(names))
}

// header breaks the names of principals into lines that fit their columns.
func header(principals []string) [][]string {
	var lines [][]string
	for col, p := range principals {
		for i, part := range strings.Split(ansi.Wrap(p, nameWidth, "-_."), "\n") {
			if i == len(lines) {
				lines = append(lines, make([]string, len(principals)+1))
			}
			lines[i][col+1] = part
		}
	}
	return lines
}

// services renders the callers that are no principals of an account.
func (t *text) services(m *matrix) string {
	var rows [][]string
	for _, o := range m.others {
		n := len(rows) - 1
		if n >= 0 && rows[n][0] == o.chain && rows[n][1] == o.principal && rows[n][3] == o.cell {
			rows[n][2] += ", " + o.action
			continue
		}
		rows = append(rows, []string{o.chain, o.principal, o.action, o.cell})
	}
	return "\n  services and anonymous callers\n" + t.render(rows, 0)
}

// render aligns rows, the first few of which are headers.
func (t *text) render(rows [][]string, headers int) string {
	tab := table.New().Rows(rows...).Wrap(false).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderColumn(false).BorderHeader(false).
		StyleFunc(func(row, col int) lipgloss.Style {
			s := lipgloss.NewStyle().PaddingLeft(2)
			if !t.color {
				return s
			}
			switch {
			case row < headers:
				return s.Faint(true)
			case col == 0:
				return s
			}
			switch cell, _, _ := strings.Cut(rows[row][col], " "); cell {
			case "allowed":
				return s.Inherit(green)
			case "explicit":
				return s.Inherit(red)
			case "unknown":
				return s.Inherit(yellow)
			}
			return s
		})
	var b strings.Builder
	for l := range strings.SplitSeq(tab.String(), "\n") {
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	return b.String()
}
