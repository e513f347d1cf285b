package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tfguard/tfguard/engine/chain"
)

// seen are the principals, or the resources, of some replays, each with whether it
// is one that was asked for.
type seen struct {
	// matches reports whether a name is one that was asked for.
	matches func(name string) bool
	asked   map[any]bool
	names   []string
}

// principal reports whether a principal was asked for.
func (s *seen) principal(p *chain.Principal) bool {
	return s.is(p, p.Address, p.StandIn, p.Name().String)
}

// target reports whether a target was asked for.
func (s *seen) target(p *chain.Principal, t *chain.Target) bool {
	rep := chain.Replay{Principal: p, Target: t}
	return s.is(t, t.Address, "", rep.Resource().String)
}

// is reports whether a principal or resource was asked for by its address, its name
// as a stand-in, its ARN, or the last part of that.
func (s *seen) is(one any, address, standIn string, arn func() string) bool {
	asked, ok := s.asked[one]
	if !ok {
		full := arn()
		last := full[strings.LastIndexAny(full, "/:")+1:]
		asked = s.matches(full) || address != "" && s.matches(address) || standIn != "" && s.matches(standIn) ||
			strings.HasPrefix(full, "arn:") && s.matches(last)
		if s.asked == nil {
			s.asked = map[any]bool{}
		}
		s.asked[one] = asked
		s.names = append(s.names, cmp.Or(address, full))
	}
	return asked
}

// String lists the first few.
func (s *seen) String() string {
	const most = 8
	switch {
	case len(s.names) == 0:
		return "none"
	case len(s.names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(s.names[:most], ", "), len(s.names)-most)
	}
	return strings.Join(s.names, ", ")
}
