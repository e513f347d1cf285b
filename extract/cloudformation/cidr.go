package cloudformation

import (
	"net/netip"
	"strconv"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// cidr evaluates Fn::Cidr: [block, count, bits of a subnet that are its own]. (AWS
// page "Fn::Cidr".)
func (e *evaluator) cidr(n, arg *source.Node) *source.Node {
	args := e.args(arg, 2)
	if args == nil {
		return e.malformed(n)
	}
	late := e.unknown(n, "Fn::Cidr("+render(&source.Node{Kind: source.List, Items: args})+")")
	for _, a := range args {
		if t, ok := scalar(a); !ok || !t.Known() {
			return late
		}
	}
	block, err := netip.ParsePrefix(literal(args[0]))
	count, errCount := strconv.Atoi(literal(args[1]))
	bits := 8
	if block.Addr().Is6() {
		bits = 64
	}
	var errBits error
	if len(args) > 2 {
		bits, errBits = strconv.Atoi(literal(args[2]))
	}
	size := block.Addr().BitLen() - bits
	if err != nil || errCount != nil || errBits != nil || count < 1 || count > 256 || bits < 1 || size < block.Bits() {
		return e.malformed(n)
	}
	out := &source.Node{Kind: source.List, Range: n.Range}
	addr := block.Masked().Addr()
	for range count {
		if !block.Contains(addr) {
			return e.malformed(n)
		}
		out.Items = append(out.Items, stringNode(n, symbol.Literal(netip.PrefixFrom(addr, size).String())))
		addr = step(addr, bits)
	}
	return out
}

// step returns the address 2^bits after another one; it wraps at the end.
func step(a netip.Addr, bits int) netip.Addr {
	raw := a.AsSlice()
	i := len(raw) - 1 - bits/8
	carry := 1 << (bits % 8)
	for ; i >= 0 && carry > 0; i-- {
		carry += int(raw[i])
		raw[i] = byte(carry)
		carry >>= 8
	}
	out, _ := netip.AddrFromSlice(raw)
	return out
}
