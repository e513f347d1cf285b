package terraform

import (
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/extract"
)

// endpoints lists the VPC endpoints with their policies.
func (b *builder) endpoints() {
	byInstance := map[*instance]*extract.Endpoint{}
	for _, in := range b.byType["aws_vpc_endpoint"] {
		e := &extract.Endpoint{Address: in.address, ID: b.attr(in, "id"), Service: extract.EndpointService(b.serviceName(in))}
		if out, exact := b.wire(in, "vpc_id", want{attr: "id", types: []string{"aws_vpc"}}); exact {
			e.VPC = out.candidates[0].text
		} else if in.isUnknown("vpc_id") {
			e.VPC = unresolvedText(in, "vpc_id")
		}
		family, _ := in.str("ip_address_type")
		e.IPv6 = extract.TakesIPv6(family)
		byInstance[in] = e
		b.Endpoints = append(b.Endpoints, e)
	}
	dedicated := map[*instance]bool{}
	for _, in := range b.byType["aws_vpc_endpoint_policy"] {
		matches, _ := b.targets(in, "vpc_endpoint_id", want{attr: "id", types: []string{"aws_vpc_endpoint"}}, "id")
		for _, c := range b.carried[in] {
			for _, m := range matches {
				e := byInstance[m.Of]
				e.Policies = extract.Attach(e.Policies, c.doc, m.Sure, m.Why)
				dedicated[m.Of] = dedicated[m.Of] || m.Sure == kleene.True
				b.AttachTo(c.doc, m.Of.address)
			}
			if id, ok := in.str("vpc_endpoint_id"); ok && len(matches) == 0 {
				b.AttachTo(c.doc, id)
			}
		}
	}
	for _, in := range b.byType["aws_vpc_endpoint"] {
		for _, c := range b.carried[in] {
			if dedicated[in] && c.computed {
				b.drop(c.doc)
				continue
			}
			byInstance[in].Policies = extract.Attach(byInstance[in].Policies, c.doc, kleene.True, "")
			b.AttachTo(c.doc, in.address)
		}
		for _, doc := range byInstance[in].Policies {
			doc.Gateway = gateway(in)
		}
	}
}

// gateway reports whether an endpoint is a gateway endpoint, which is what the
// provider makes unless told otherwise.
func gateway(in *instance) kleene.Truth {
	typ, ok := in.str("vpc_endpoint_type")
	if !ok && in.isUnknown("vpc_endpoint_type") {
		return kleene.Unknown
	}
	return kleene.Of(typ == "" || typ == "Gateway")
}

// serviceName is the name of an endpoint's service, empty if it is not known.
func (b *builder) serviceName(in *instance) string {
	out, exact := b.wire(in, "service_name", want{attr: "service_name"})
	if !exact {
		return ""
	}
	name, _ := out.candidates[0].text.Literal()
	return name
}
