package chain

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// ranges are what one condition over aws:SourceIp asks of an address.
type ranges struct {
	prefixes []netip.Prefix
	// outside is set where the statement wants addresses outside of the ranges: an
	// Allow with NotIpAddress, a Deny with IpAddress.
	outside bool
}

func (r ranges) met(a netip.Addr) bool {
	in := slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
	return in != r.outside
}

// named is what a policy says of networks.
type named struct {
	addresses      []ranges
	private        []netip.Prefix // aws:VpcSourceIp
	endpoints, vpc []symbol.Text
}

// scanNetworks reads the networks off a policy: none off a sensitive one, since the
// requests of a replay would show them.
func scanNetworks(doc *policy.Document) named {
	var n named
	if doc.Sensitive {
		return n
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		for j := range st.Conditions {
			c := &st.Conditions[j]
			switch strings.ToLower(c.Key) {
			case "aws:sourceip":
				r := ranges{prefixes: prefixes(c)}
				r.outside = c.Operator.Negated() == (st.Effect == policy.Allow)
				if len(r.prefixes) > 0 {
					n.addresses = append(n.addresses, r)
				}
			case "aws:vpcsourceip":
				n.private = append(n.private, prefixes(c)...)
			case "aws:sourcevpce":
				n.endpoints = append(n.endpoints, ids(c, "vpce-")...)
			case "aws:sourcevpc":
				n.vpc = append(n.vpc, ids(c, "vpc-")...)
			}
		}
	}
	return n
}

func prefixes(c *condition.Condition) []netip.Prefix {
	var out []netip.Prefix
	if c.Operator.Base != condition.IPAddress && c.Operator.Base != condition.NotIPAddress {
		return nil
	}
	for _, v := range c.Values {
		if s, ok := v.Text.Literal(); ok {
			if p, err := condition.ParsePrefix(s); err == nil {
				out = append(out, p)
			}
		}
	}
	return out
}

// ids are the identifiers a condition names; a value with a wildcard names none.
func ids(c *condition.Condition, prefix string) []symbol.Text {
	var out []symbol.Text
	for _, v := range c.Values {
		s, known := v.Text.Literal()
		if !known || strings.HasPrefix(s, prefix) && !strings.ContainsAny(s, "*?$") {
			out = append(out, v.Text)
		}
	}
	return out
}

// Addresses that documentation and the wider Internet use, tried in this order
// for a caller from outside.
var outsiders = []netip.Addr{
	netip.MustParseAddr("198.51.100.1"),
	netip.MustParseAddr("192.0.2.1"),
	netip.MustParseAddr("203.0.113.1"),
	netip.MustParseAddr("8.8.8.8"),
}

// defaultCorporate is the corporate address where no policy names a range.
var defaultCorporate = netip.MustParseAddr("192.0.2.1")

// witnesses are the networks that the policies of one replay tell apart.
type witnesses struct {
	corporate netip.Addr
	// internet is invalid if the named ranges cover every outsider.
	internet netip.Addr
	endpoint symbol.Text
	vpc      symbol.Text
	private  netip.Addr
}

// witness reads networks off what the policies name: the lowest host address that
// meets most conditions, and one in no named range.
func witness(policies []named) witnesses {
	w := witnesses{
		endpoint: symbol.Literal("vpce-0tfguardstandin0"),
		vpc:      symbol.Literal("vpc-0tfguardstandin0"),
		private:  netip.MustParseAddr("10.0.0.10"),
	}
	var all []ranges
	var endpoints, vpcs []symbol.Text
	for _, n := range policies {
		all = append(all, n.addresses...)
		endpoints = append(endpoints, n.endpoints...)
		vpcs = append(vpcs, n.vpc...)
		if len(n.private) > 0 && w.private == netip.MustParseAddr("10.0.0.10") {
			w.private = lowestHost(n.private[0])
		}
	}
	w.corporate = mostMet(all)
	strangers := slices.Clone(outsiders)
	for _, r := range all {
		for _, p := range r.prefixes {
			if after := lastAddress(p).Next(); after.IsValid() && after.IsGlobalUnicast() && !after.IsPrivate() {
				strangers = append(strangers, after)
			}
		}
	}
	for _, a := range strangers {
		inside := slices.ContainsFunc(all, func(r ranges) bool {
			return slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
		})
		// With no range named the corporate address is no stranger either.
		if !inside && a != w.corporate {
			w.internet = a
			break
		}
	}
	if len(endpoints) > 0 {
		w.endpoint = endpoints[0]
	}
	if len(vpcs) > 0 {
		w.vpc = vpcs[0]
	}
	return w
}

// mostMet returns the lowest public host address, of the ranges that conditions
// want a caller in, that meets most of the conditions. That is the first host of
// some range or, where ranges are shut out, the first after one of those: ranges
// nest or are disjoint. If no condition wants a range it is an address outside of
// those shut out.
func mostMet(all []ranges) netip.Addr {
	best, most := netip.Addr{}, -1
	consider := func(a netip.Addr) {
		met := 0
		for _, r := range all {
			if r.met(a) {
				met++
			}
		}
		if met > most || met == most && a.Less(best) {
			best, most = a, met
		}
	}
	var wanted []netip.Prefix
	for _, r := range all {
		for _, p := range r.prefixes {
			if a := lowestHost(p); !r.outside && !a.IsPrivate() {
				wanted = append(wanted, p)
				consider(a)
			}
		}
	}
	for _, r := range all {
		for _, p := range r.prefixes {
			after := lastAddress(p).Next()
			in := slices.ContainsFunc(wanted, func(p netip.Prefix) bool { return p.Contains(after) })
			if r.outside && in && !after.IsPrivate() {
				consider(after)
			}
		}
	}
	if most >= 0 {
		return best
	}
	for _, a := range append([]netip.Addr{defaultCorporate}, outsiders...) {
		if !slices.ContainsFunc(all, func(r ranges) bool { return r.outside && !r.met(a) }) {
			return a
		}
	}
	return defaultCorporate
}

// lastAddress returns the last address of a range.
func lastAddress(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b) // it has the length of an address
	return a
}

// lowestHost returns the first host address of a range: the address after the
// network's own, unless the range is too small to have one.
func lowestHost(p netip.Prefix) netip.Addr {
	if p.Bits() >= p.Addr().BitLen()-1 {
		return p.Addr()
	}
	return p.Addr().Next()
}

// enter returns the network of a chain for calls to a service, and the policy of
// the endpoint it passes; false if the policies leave no such network.
func (r *runner) enter(c *Chain, service string, w witnesses) (request.Network, []policy.Attached, bool) {
	switch c.entry {
	case internet:
		if !w.internet.IsValid() {
			// Nobody is outside. Anonymous callers are replayed all the same.
			return request.Network{SourceIP: symbol.Literal(outsiders[0].String())}, nil, c.ID == "anonymous"
		}
		return request.Network{SourceIP: symbol.Literal(w.internet.String())}, nil, true
	case endpoint:
		n := request.Network{
			Endpoint: w.endpoint, VPC: w.vpc, VPCSourceIP: symbol.Literal(w.private.String()),
			EndpointAccount: r.env.Account, EndpointOrganization: r.env.Organization,
		}
		for _, e := range r.world.Endpoints() {
			if e.Service == service {
				n.Endpoint, n.VPC = e.ID, e.VPC
				return n, e.Policies, true
			}
		}
		return n, nil, true
	case corporate:
		return request.Network{SourceIP: symbol.Literal(w.corporate.String())}, nil, true
	default:
		return request.Network{}, nil, true
	}
}
