package chain

import "net/netip"

// MentionFewer makes a pattern that reaches more than n targets be no mention of them.
func MentionFewer(n int) (restore func()) {
	old := few
	few = n
	return func() { few = old }
}

// Apart gives the addresses that conditions, each of some ranges, tell apart.
func Apart(first netip.Addr, conditions [][]netip.Prefix) []netip.Addr {
	var all []ranges
	for _, ps := range conditions {
		all = append(all, ranges{prefixes: ps})
	}
	return apart([]netip.Addr{first}, all)
}
