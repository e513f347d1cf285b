package chain

import (
	"net/netip"
	"slices"
	"strconv"
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

// named is what a policy says of networks, condition by condition.
type named struct {
	addresses      []ranges
	private        []ranges // aws:VpcSourceIp
	endpoints, vpc [][]symbol.Text
}

// nothing reports whether a policy says nothing of networks.
func (n *named) nothing() bool {
	return len(n.addresses)+len(n.private)+len(n.endpoints)+len(n.vpc) == 0
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
			r := ranges{prefixes: prefixes(c), outside: c.Operator.Negated() == (st.Effect == policy.Allow)}
			switch strings.ToLower(c.Key) {
			case "aws:sourceip":
				if len(r.prefixes) > 0 {
					n.addresses = append(n.addresses, r)
				}
			case "aws:vpcsourceip":
				if len(r.prefixes) > 0 {
					n.private = append(n.private, r)
				}
			case "aws:sourcevpce":
				if list := ids(c, "vpce-"); len(list) > 0 {
					n.endpoints = append(n.endpoints, list)
				}
			case "aws:sourcevpc":
				if list := ids(c, "vpc-"); len(list) > 0 {
					n.vpc = append(n.vpc, list)
				}
			}
		}
	}
	return n
}

// Named returns the networks that policies want callers in, as one: nothing of
// sensitive policies.
func Named(docs []*policy.Document) Network {
	var n Network
	for _, doc := range docs {
		s := scanNetworks(doc)
		for _, r := range s.addresses {
			for _, p := range r.prefixes {
				if !r.outside && !slices.Contains(n.CIDRs, p) {
					n.CIDRs = append(n.CIDRs, p)
				}
			}
		}
		n.VPCs, n.Endpoints = union(n.VPCs, slices.Concat(s.vpc...)), union(n.Endpoints, slices.Concat(s.endpoints...))
	}
	return n
}

func union(list, more []symbol.Text) []symbol.Text {
	for _, t := range more {
		if t.Known() && !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
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

// The VPC endpoint where no policy names one.
var (
	standInEndpoint = symbol.Literal("vpce-0tfguardstandin0")
	standInVPC      = symbol.Literal("vpc-0tfguardstandin0")
	standInPrivate  = netip.MustParseAddr("10.0.0.10")
)

// witnesses are the networks that the policies of one replay tell apart.
type witnesses struct {
	corporate netip.Addr
	// internet is invalid if the named ranges cover every outsider.
	internet netip.Addr
	endpoint symbol.Text
	vpc      symbol.Text
	private  netip.Addr
	// from says which of several networks this is, for people. Where it is set the
	// call passes this very endpoint, whatever others the world has.
	from string
}

// witness reads networks off what the policies name: the lowest host address that
// meets most conditions, and one in no named range.
func witness(policies []*named, networks []Network) witnesses {
	w := witnesses{endpoint: standInEndpoint, vpc: standInVPC, private: standInPrivate}
	var all []ranges
	var endpoints, vpcs []symbol.Text
	for _, n := range policies {
		all = append(all, n.addresses...)
		endpoints = append(endpoints, slices.Concat(n.endpoints...)...)
		vpcs = append(vpcs, slices.Concat(n.vpc...)...)
		if len(n.private) > 0 && w.private == standInPrivate {
			w.private = lowestHost(n.private[0].prefixes[0])
		}
	}
	for i := range networks {
		if len(networks[i].CIDRs) > 0 {
			all = append(all, ranges{prefixes: networks[i].CIDRs})
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
	w.override(networks)
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

// enter returns the network that a hop's calls to a service carry, and the policy of
// the endpoint they pass; missing says that there is no such network. A hop on a
// caller's behalf carries that of the call which entered AWS; services that call
// with a role or in their own name do so from AWS's network.
func (r *runner) enter(c *call, h *Hop, service string, w witnesses) (n request.Network, endpointPolicy []policy.Attached, missing string) {
	entry := c.chain.Entry
	switch {
	case h.Credentials == ServicePrincipal, h.Credentials == ServiceRole, h.Credentials == FAS && c.chain.subject() == ServiceRole:
		entry = h.Entry
		if entry == "" {
			return n, nil, ""
		}
	case h.Credentials == FAS:
		// The service of the first call.
		service, _, _ = strings.Cut(c.actions(&c.chain.Hops[0])[0], ":")
	}
	switch entry {
	case Internet:
		n.SourceIP = symbol.Literal(w.internet.String())
		if !w.internet.IsValid() {
			// Nobody is outside. Anonymous callers are replayed all the same.
			n.SourceIP = symbol.Literal(outsiders[0].String())
			if h.Credentials != Anonymous {
				missing = "the ranges that policies name cover the whole Internet: " + c.chain.ID + " is left out where they apply"
			}
		}
		return n, nil, missing
	case VPCEndpoint:
		n = r.endpointNetwork(w.endpoint, w.vpc, w.private)
		for _, e := range r.world.Endpoints() {
			if e.Service == service && (w.from == "" || e.ID == w.endpoint) {
				n.Endpoint, n.VPC = e.ID, e.VPC
				return n, e.Policies, ""
			}
		}
		return n, nil, ""
	case "", Corporate:
		return request.Network{SourceIP: symbol.Literal(w.corporate.String())}, nil, ""
	case Inside:
		return n, nil, ""
	}
	i := slices.IndexFunc(r.env.Networks, func(n Network) bool { return n.Name == string(entry) })
	if i < 0 {
		return n, nil, "the chain " + c.chain.ID + " is left out: there is no network " + strconv.Quote(string(entry))
	}
	n, endpointPolicy = r.namedNetwork(&r.env.Networks[i], w)
	return n, endpointPolicy, ""
}

func (r *runner) endpointNetwork(endpoint, vpc symbol.Text, private netip.Addr) request.Network {
	return request.Network{
		Endpoint: endpoint, VPC: vpc, VPCSourceIP: symbol.Literal(private.String()),
		EndpointAccount: r.env.Account, EndpointOrganization: r.env.Organization,
	}
}

// namedNetwork is the first address of a network or, without addresses, its first
// endpoint with the policy of it.
func (r *runner) namedNetwork(n *Network, w witnesses) (request.Network, []policy.Attached) {
	if len(n.CIDRs) > 0 {
		return request.Network{SourceIP: symbol.Literal(lowestHost(n.CIDRs[0]).String())}, nil
	}
	out := r.endpointNetwork(w.endpoint, w.vpc, w.private)
	if len(n.Endpoints) > 0 {
		out.Endpoint = n.Endpoints[0]
	}
	if len(n.VPCs) > 0 {
		out.VPC = n.VPCs[0]
	}
	for _, e := range r.world.Endpoints() {
		if e.ID == out.Endpoint {
			return out, e.Policies
		}
	}
	return out, nil
}

// override puts the networks of the environment in the place of what the policies
// tell: the corporate address is in the first ranges, nobody from the Internet is in
// any, and the endpoint and the VPC are the first that are named.
func (w *witnesses) override(networks []Network) {
	corporate := netip.Addr{}
	var endpoints, vpcs []symbol.Text
	for i := range networks {
		n := &networks[i]
		if len(n.CIDRs) > 0 && !corporate.IsValid() {
			corporate = lowestHost(n.CIDRs[0])
		}
		endpoints, vpcs = append(endpoints, n.Endpoints...), append(vpcs, n.VPCs...)
	}
	if corporate.IsValid() {
		w.corporate = corporate
	}
	if len(endpoints) > 0 {
		w.endpoint = endpoints[0]
	}
	if len(vpcs) > 0 {
		w.vpc = vpcs[0]
	}
}
