package report

import "strings"

// A diagramView is a sequence drawn as a picture: parties side by side, each with a
// line downwards, and the calls as arrows between the lines.
type diagramView struct {
	ID, Title     string
	Width, Height int
	Bottom        int
	Parties       []partyView
	Arrows        []arrowView
	Steps         []stepView
}

type partyView struct {
	X, Left, Width int
	Name, Below    string
}

type arrowView struct {
	Number         int
	Class          string
	X1, X2, Y      int
	Label          string
	LabelX, LabelY int
	NumberX        int
	Cross          int // where the call breaks off, 0 if it does not
	Self           bool
}

// Sizes of a diagram, in pixels.
const (
	partyWidth = 184
	partyGap   = 60
	headHeight = 58
	rowHeight  = 46
	margin     = 8
)

// diagram draws the calls of a replay, nil if they were not kept.
func (r *Replay) diagram(id string) *diagramView {
	s := r.sequence()
	if len(s.calls) == 0 {
		return nil
	}
	d := &diagramView{
		ID: id, Title: "The chain " + r.Chain, Bottom: headHeight + rowHeight*len(s.calls) + margin,
		Width: 2*margin + len(s.parties)*partyWidth + (len(s.parties)-1)*partyGap,
	}
	d.Height = d.Bottom + margin
	for i, p := range s.parties {
		left := margin + i*(partyWidth+partyGap)
		name, below := splitParty(p)
		d.Parties = append(d.Parties, partyView{X: left + partyWidth/2, Left: left, Width: partyWidth, Name: shorten(name, 24), Below: shorten(below, 27)})
	}
	for i, c := range s.calls {
		a := arrowView{
			Number: i + 1, Class: c.Verdict.String(), X1: d.Parties[c.from].X, X2: d.Parties[c.to].X,
			Y: headHeight + rowHeight*(i+1) - 10, Label: shorten(c.Action, 34), Self: c.from == c.to,
		}
		step := 1
		if a.X2 < a.X1 {
			step = -1
		}
		if a.Self {
			a.X2 = a.X1 + 60
		}
		a.LabelX, a.LabelY = (a.X1+a.X2)/2, a.Y-8
		a.NumberX = a.X1
		if c.broken() {
			a.Cross = a.X2 - step*22
		}
		d.Arrows = append(d.Arrows, a)
		d.Steps = append(d.Steps, c.view(i+1))
	}
	return d
}

// splitParty splits a party into what stands above and below in its box.
func splitParty(p party) (head, below string) {
	if prefix, ok := strings.CutSuffix(p.name, ".amazonaws.com"); ok {
		return service(prefix), p.name
	}
	return p.name, p.holds
}

// shorten keeps the end of a name, which tells more.
func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return "…" + string(r[len(r)-most+1:])
	}
	return s
}
