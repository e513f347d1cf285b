package hazard

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
)

var (
	// endpointKeys are those that a call through a VPC endpoint carries, and that a
	// service which calls on with the caller's session does not pass on.
	endpointKeys = []string{
		"aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpcsourceip",
		"aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths",
	}
	// namesVPC are the endpoint keys that tell one VPC, or those of one account, from
	// others.
	namesVPC      = append([]string{"aws:ec2instancesourcevpc"}, slices.DeleteFunc(slices.Clone(endpointKeys), func(key string) bool { return key == "aws:vpcsourceip" })...)
	networkKeys   = append([]string{"aws:sourceip"}, endpointKeys...)
	calledViaKeys = []string{"aws:calledvia", "aws:calledviafirst", "aws:calledvialast"}
	// serviceCallKeys say that a service calls with the caller's session.
	serviceCallKeys = slices.Concat(calledViaKeys, []string{"aws:viaawsservice"})
)

var (
	sourceIPDeny = &Rule{
		ID: "source-ip-deny-breaks-service-calls", Code: "H01",
		Title:    "A Deny by source address also meets the calls that services make",
		Severity: source.Error,
		Rationale: "A service that acts for a person calls from where AWS says it does: with a service role from an address of AWS, " +
			"in its own name from none, and through PrivateLink without any. A Deny for every other address breaks those calls.",
		Remediation: `Add "BoolIfExists": {"aws:ViaAWSService": "false"} to the Deny; in a resource-based policy or resource control policy also "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}, and exempt service roles by aws:PrincipalArn.`,
		Page:        "AWS: Denies access to AWS based on the source IP",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24"]}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24"]},"BoolIfExists":{"aws:ViaAWSService":"false"}}}}`,
		explains:    []*Rule{chainBroken, servicePrincipalLockedOut},
		statement: func(s *statement) {
			c := s.first(negated, "aws:sourceip")
			if !s.denies() || c == nil || s.first(negated, endpointKeys...) != nil || s.sparesServiceCalls("aws:sourceip") {
				return
			}
			breaks := s.denied(chain.FAS, chain.ServiceRole, chain.ServicePrincipal)
			if s.scoped() && !s.doc.proves(breaks) {
				return
			}
			s.report(source.Warning, c.KeyRange, breaks,
				"it denies calls from other addresses, those that services make for the caller included")
		},
	}
	endpointDeny = &Rule{
		ID: "endpoint-deny-breaks-service-calls", Code: "H02",
		Title:    "A Deny by VPC endpoint also meets the calls that services make",
		Severity: source.Error,
		Rationale: "The keys of a VPC endpoint are those of the call that came through it. A service that then calls on with the " +
			"caller's session does not pass them on, so a Deny that asks for them breaks every chain.",
		Remediation: `Add "BoolIfExists": {"aws:ViaAWSService": "false"} to the condition of the Deny.`,
		Page:        "Forward access sessions",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"}}}}`,
		explains:    []*Rule{chainBroken},
		statement: func(s *statement) {
			c := s.first(negated, endpointKeys...)
			if !s.denies() || c == nil || s.sparesServiceCalls(networkKeys...) {
				return
			}
			if (s.scoped() || s.onlyOf("execute-api")) && !s.doc.proves(s.denied(chain.FAS)) {
				return
			}
			s.report(source.Warning, c.KeyRange, s.denied(chain.FAS),
				"it asks for %s, which calls that a service makes with the caller's session do not carry", c.Key)
		},
	}
	networkDenyServices = &Rule{
		ID: "network-deny-locks-out-services", Code: "H03",
		Title:    "A Deny by network also meets services that call in their own name",
		Severity: source.Error,
		Rationale: "A service that calls in its own name, as CloudTrail, AWS Config and S3 access logging do, calls from AWS's own network, " +
			"and AWS does not say which. A Deny that asks for the customer's network locks it out.",
		Remediation: `Add "BoolIfExists": {"aws:PrincipalIsAWSService": "false"} to the condition of the Deny.`,
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"},"BoolIfExists":{"aws:ViaAWSService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"},"BoolIfExists":{"aws:ViaAWSService":"false","aws:PrincipalIsAWSService":"false"}}}}`,
		explains:    []*Rule{servicePrincipalLockedOut},
		statement: func(s *statement) {
			c := s.first(negated, networkKeys...)
			if !s.denies() || c == nil || !s.reachesServices() || s.onlyOf("execute-api") || s.applies(inOwnName, networkKeys...) != kleene.True {
				return
			}
			s.report(source.Warning, c.KeyRange, s.denied(chain.ServicePrincipal),
				"it asks for %s, which services that call in their own name do not carry", c.Key)
		},
	}
	callerControlled = &Rule{
		ID: "caller-controlled-key", Code: "H25",
		Title:       "A key that the caller writes decides",
		Severity:    source.Warning,
		Rationale:   "The headers Referer and User-Agent are what the caller says they are: anybody can send the value that a policy asks for.",
		Remediation: "Decide by who calls or from where: aws:PrincipalOrgID, aws:SourceVpce, or a signed URL of CloudFront with origin access control.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringLike":{"aws:Referer":"https://www.example.com/*"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudfront::111122223333:distribution/EXAMPLE"}}}}`,
		statement: func(s *statement) {
			for _, c := range s.on("aws:referer", "aws:useragent") {
				if s.allows() && positive(c) || s.denies() && negated(c) {
					s.report(source.Warning, c.KeyRange, nil, "%s is what the caller sends", c.Key)
				}
			}
		},
	}
	privateSourceIP = &Rule{
		ID: "private-source-ip", Code: "H26",
		Title:       "A private address is asked for where it tells nothing",
		Severity:    source.Warning,
		Rationale:   "aws:SourceIp holds public addresses alone. A call from a VPC without a public address comes through an endpoint, and then the key is absent. The private address, aws:VpcSourceIp, may be that of any VPC, of any account.",
		Remediation: "Use aws:VpcSourceIp for private addresses, together with aws:SourceVpc or aws:SourceVpce, as the ranges of VPCs overlap.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"},"StringEquals":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}}}`,
		statement: func(s *statement) {
			for _, c := range s.on("aws:sourceip") {
				list, at := faulty(c, func(text string) bool {
					p, err := condition.ParsePrefix(text)
					return err == nil && private(p)
				})
				if list != "" {
					s.report(source.Warning, at, nil, "aws:SourceIp is never private, as in %s", list)
				}
			}
			c := s.first(func(c *condition.Condition) bool { return s.allows() && positive(c) || s.denies() && negated(c) }, "aws:vpcsourceip")
			if c != nil && s.doc.Kind != policy.VPCEndpoint && !s.doc.asks(namesVPC...) {
				s.report(source.Warning, c.KeyRange, nil, "any VPC may have the addresses, and no condition says which one").Remediation = "Add aws:SourceVpc or aws:SourceVpce to the condition."
			}
		},
	}
	endpointKeyUnsupported = &Rule{
		ID: "endpoint-key-unsupported", Code: "H28",
		Title:       "A key of a VPC endpoint does not tell what is asked",
		Severity:    source.Error,
		Rationale:   "aws:SourceVpcArn, aws:VpceAccount, aws:VpceOrgID and aws:VpceOrgPaths are sent by a list of services. For all others they are absent, and a Deny by a negated operator then meets every call. The id of a VPC, in aws:SourceVpc, is its own only within its Region.",
		Remediation: "Limit the statement to actions of services that support the key, or use aws:SourceVpc and aws:SourceVpce for the others.",
		Page:        "AWS global condition context keys",
		Kind:        policy.SCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"secretsmanager:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:VpceOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:ViaAWSService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:VpceOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:ViaAWSService":"false"}}}}`,
		statement: func(s *statement) {
			s.vpcOfAnyRegion()
			keys := []string{"aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"}
			if c := s.first(positive, keys...); s.allows() && c != nil && carried(c) {
				if services, all := s.silent(c.Key); all {
					s.report(source.Warning, c.KeyRange, nil, "%s is not sent to %s, so that it never matches", c.Key, strings.Join(services, ", "))
				}
			}
			c := s.first(negated, keys...)
			if !s.denies() || c == nil {
				return
			}
			asked := []string{}
			for _, c := range s.on(networkKeys...) {
				if negated(c) {
					asked = append(asked, c.Key)
				}
			}
			if services, _ := s.silent(asked...); len(services) > 0 {
				denied := s.denied(chain.Caller)
				s.report(source.Warning, c.KeyRange, func(r *chain.Replay, hop *chain.HopResult) bool {
					return absent(hop, c.Key) && !absent(hop, "aws:sourcevpce") && denied(r, hop)
				}, "%s is not sent to %s, so that every such call is denied", c.Key, strings.Join(services, ", "))
			}
		},
	}
	ipRange = &Rule{
		ID: "ip-range", Code: "H33",
		Title:       "An address range is not what it seems",
		Severity:    source.Warning,
		Rationale:   "Bits after the prefix are ignored, so that the range is wider than the address suggests; /0 is everybody; and S3 counts ranges wider than /8 (IPv6: /32) as public. A caller on IPv6, as dual-stack endpoints let in, is in no range of IPv4.",
		Remediation: "Write the network's own address, and no range wider than /8 (IPv4) or /32 (IPv6).",
		Page:        "Blocking public access to your Amazon S3 storage",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7/24"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}}`,
		statement: func(s *statement) {
			for _, c := range s.on("aws:sourceip", "aws:vpcsourceip") {
				for i := range c.Values {
					s.addressRange(&c.Values[i])
				}
				s.withoutIPv6(c)
			}
		},
	}
	noDataPlaneExemption = &Rule{
		ID: "perimeter-without-infrastructure-exemption", Code: "H39",
		Title:       "A network perimeter meets EC2's own calls to KMS",
		Severity:    source.Warning,
		Rationale:   "EC2 decrypts the keys of encrypted volumes and images as the role aws:ec2-infrastructure of the account, from AWS's network and neither as a service nor for one. A network perimeter over KMS without an exemption keeps instances from starting.",
		Remediation: `Add "ArnNotLikeIfExists": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws:ec2-infrastructure"} to the condition of the Deny.`,
		Page:        "Building a data perimeter on AWS",
		Kind:        policy.RCP,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"},"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-0123456789abcdef0"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"},"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-0123456789abcdef0"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"},"ArnNotLikeIfExists":{"aws:PrincipalArn":"arn:aws:iam::*:role/aws:ec2-infrastructure"}}}}`,
		statement: func(s *statement) {
			c := s.first(negated, networkKeys...)
			if i := slices.IndexFunc(dataPlane, s.lists); s.denies() && i >= 0 && s.first(negated, endpointKeys...) != nil {
				s.report(source.Warning, s.Actions.Range, nil, "%s goes to an address in the VPC and carries no key of an endpoint, so that it is always denied", dataPlane[i]).Remediation = "Leave the action out of the Deny."
			}
			s.wholePerimeter()
			if !s.denies() || c == nil || !s.covers("kms:Decrypt") || s.doc.Kind == policy.Identity || s.doc.Kind == policy.Boundary {
				return
			}
			if s.applies(infrastructure, networkKeys...) == kleene.True {
				s.report(source.Warning, c.KeyRange, nil, "it denies what EC2 decrypts for instances as the role aws:ec2-infrastructure")
			}
		},
	}
	noBreakGlass = &Rule{
		ID: "no-break-glass", Code: "H42",
		Title:       "A Deny by network leaves nobody who could lift it",
		Severity:    source.Info,
		Rationale:   "A Deny of every action by network also denies changing the policy itself. If the network is named wrongly, only the root user of the account can remove it.",
		Remediation: "Exempt one administrator's role by aws:PrincipalArn, or leave the actions out that read and change the policy.",
		Page:        "Building a data perimeter on AWS",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"NotIpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"},"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/break-glass"}}}}`,
		statement: func(s *statement) {
			c := s.first(negated, networkKeys...)
			change := s.covers("s3:PutBucketPolicy") && s.covers("s3:DeleteBucketPolicy") || s.covers("kms:PutKeyPolicy")
			if s.denies() && c != nil && change && s.doc.Kind == policy.Resource && s.everyone() &&
				len(s.on("aws:principalarn", "aws:principaltag/", "aws:userid")) == 0 {
				s.report(source.Info, s.Range, nil, "from any other network nobody but the root user can change this policy again")
			}
		},
	}
)

// wholePerimeter looks for a Deny by endpoint of everything, or of all but some
// actions, that leaves calls to addresses in the VPC in.
func (s *statement) wholePerimeter() {
	if !s.denies() || !s.Actions.Not && !s.allActions() || s.Resources == nil || !s.allResources() ||
		s.doc.Kind == policy.Resource || s.doc.Kind == policy.VPCEndpoint || s.first(negated, endpointKeys...) == nil || s.ofWorkload() {
		return
	}
	var met []string
	for _, action := range dataPlane {
		if s.covers(action) {
			met = append(met, action)
		}
	}
	if len(met) > 0 {
		s.report(source.Info, s.Actions.Range, nil, "%s go to an address in the VPC and carry no key of an endpoint, so that they are always denied", strings.Join(met, ", ")).Remediation = "Put them into NotAction, as far as they are used."
	}
}

// ofWorkload reports whether the statement is about one kind of workload, such as
// functions, of which the input does not say what they call.
func (s *statement) ofWorkload() bool {
	return slices.ContainsFunc(s.Conditions, func(c condition.Condition) bool {
		key, _ := request.Find(c.Key)
		return key.Sent == request.ByWorkload
	})
}

// dataPlane are actions of services that are called at an address in the VPC, without
// an endpoint.
var dataPlane = []string{"dax:GetItem", "elasticfilesystem:ClientMount", "kafka-cluster:Connect", "neptune-db:connect", "rds-db:connect"}

// lists reports whether the statement names the service of an action and covers it.
func (s *statement) lists(action string) bool {
	prefix, _, _ := strings.Cut(action, ":")
	return !s.Actions.Not && s.covers(action) && slices.ContainsFunc(s.Actions.Entries, func(a policy.Action) bool {
		text, _ := a.Text.Literal()
		return strings.HasPrefix(strings.ToLower(text), prefix+":")
	})
}

// sparesServiceCalls reports whether a Deny leaves out calls that a service makes
// with the caller's session, or is kept narrow by the service they came through.
// Conditions over the keys but are not looked at.
func (s *statement) sparesServiceCalls(but ...string) bool {
	return len(s.on(calledViaKeys...)) > 0 || len(s.on("aws:principalservicename", "aws:principalservicenameslist")) > 0 ||
		s.applies(throughService, but...) == kleene.False
}

// scoped reports whether the statement is about some callers alone, such as those of
// other accounts, who may not be such that services call for them.
func (s *statement) scoped() bool {
	return len(s.on("aws:principalarn")) > 0 || s.first(negated, "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths") != nil || s.Principals != nil && !s.Principals.Not && !s.everyone()
}

// reachesServices reports whether services that call in their own name meet the
// statement: identity-based and service control policies never apply to them.
func (s *statement) reachesServices() bool {
	if s.doc.Kind != policy.Resource && s.doc.Kind != policy.RCP || s.Principals == nil {
		return false
	}
	return s.Principals.Not || s.everyone() || len(s.principals(policy.Service)) > 0
}

// silent are the services the statement speaks of to which AWS sends none of some keys
// about the network, and whether that is all of them. For all actions AWS STS stands.
func (s *statement) silent(keys ...string) (services []string, all bool) {
	if s.Actions.Not {
		return nil, false
	}
	all = true
	for i := range s.Actions.Entries {
		text, _ := s.Actions.Entries[i].Text.Literal()
		service, _, ok := strings.Cut(strings.ToLower(text), ":")
		name := service
		if text == "*" {
			service, name, ok, all = "sts", "most services, such as sts", true, false
		}
		switch sends := slices.ContainsFunc(keys, func(key string) bool { return request.SendsEndpointKey(service, key) }); {
		case !ok || strings.ContainsAny(service, "*?") || sends:
			all = false
		case !slices.Contains(services, name):
			services = append(services, name)
		}
	}
	return services, all
}

// vpcOfAnyRegion looks for a VPC that an organization's policy, which holds in all
// Regions, tells by its id alone.
func (s *statement) vpcOfAnyRegion() {
	c := s.first(func(c *condition.Condition) bool { return s.allows() && positive(c) || s.denies() && negated(c) }, "aws:sourcevpc")
	if c == nil || s.doc.Kind != policy.SCP && s.doc.Kind != policy.RCP ||
		len(s.on("aws:sourcevpce", "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths")) > 0 ||
		s.doc.some(func(other *statement) bool {
			return len(other.on("aws:sourcevpc")) > 0 && len(other.on("aws:requestedregion")) > 0
		}) ||
		slices.ContainsFunc(c.Values, func(v condition.Value) bool { return strings.Contains(v.Text.String(), "${aws:") }) {
		return
	}
	s.report(source.Info, c.KeyRange, nil, "the id of a VPC is its own only within its Region, and no condition says which one").Remediation = "Ask for aws:RequestedRegion beside the VPC, or for aws:SourceVpcArn where all services of the statement send it."
}

func prefix(v *condition.Value) (netip.Prefix, bool) {
	s, known := v.Text.Literal()
	p, err := condition.ParsePrefix(s)
	return p, known && err == nil
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// private reports whether no address of a range is ever that of a caller on the
// Internet.
func private(p netip.Prefix) bool {
	return p.Addr().IsPrivate() && p.Bits() >= 7 || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() ||
		carrierGrade.Contains(p.Addr()) && p.Bits() >= carrierGrade.Bits()
}

// wide reports whether S3 counts a range as public (Amazon S3 page "Blocking public
// access").
func wide(p netip.Prefix) bool {
	least := 8
	if p.Addr().Is6() {
		least = 32
	}
	return p.Bits() < least && !private(p)
}

func (s *statement) addressRange(v *condition.Value) {
	p, ok := prefix(v)
	if !ok {
		return
	}
	text, _ := v.Text.Literal()
	address, _, _ := strings.Cut(text, "/")
	written, err := netip.ParseAddr(address)
	switch {
	case p.Bits() == 0:
		s.report(source.Warning, v.Range, nil, "%s is every address", p)
	case wide(p):
		s.report(source.Warning, v.Range, nil, "%s is so wide that S3 takes it for public", p)
	case err == nil && written.Unmap() != p.Masked().Addr():
		s.report(source.Warning, v.Range, nil, "%s is the range %s: the bits after the prefix are ignored", text, p.Masked())
	}
}

// withoutIPv6 looks for ranges of IPv4 alone. Where callers on IPv6 then pass, that is
// the fault; where they are kept out it may be meant, unless the input shows that
// there are some.
func (s *statement) withoutIPv6(c *condition.Condition) {
	if c.Operator.Base != condition.IPAddress && c.Operator.Base != condition.NotIPAddress || !ipv4(c) ||
		s.doc.some(func(other *statement) bool {
			return other.Effect == s.Effect && slices.ContainsFunc(other.on(lower(c)), ipv6)
		}) {
		return
	}
	if s.denies() != negated(c) {
		verb := "denied"
		if s.allows() {
			verb = "excepted"
		}
		s.report(source.Warning, c.KeyRange, nil, "callers on IPv6, in whichever network, are not %s: its ranges are of IPv4 alone", verb).Remediation = ipv6Remedy
		return
	}
	if where := s.doc.speaksIPv6(lower(c)); where != "" {
		s.report(source.Info, c.KeyRange, nil, "%s tells of callers on IPv6, and they are in none of its ranges", where).Remediation = ipv6Remedy
	}
}

const ipv6Remedy = "Name the ranges of IPv6 beside those of IPv4."

// speaksIPv6 names what tells that there are callers on IPv6: a policy with such a
// range or, for addresses in a VPC, an endpoint that takes them; "" if nothing does.
func (f *finder) speaksIPv6(key string) string {
	where, ok := f.ipv6[key]
	if !ok {
		where = f.findIPv6(key)
		f.ipv6[key] = where
	}
	return where
}

func (f *finder) findIPv6(key string) string {
	for _, doc := range f.Policies {
		if doc.Sensitive {
			continue
		}
		if f.document(doc).some(func(s *statement) bool { return slices.ContainsFunc(s.on(key), ipv6) }) {
			return doc.ID
		}
	}
	if f.World == nil || key != "aws:vpcsourceip" {
		return ""
	}
	for _, e := range f.World.Endpoints() {
		if e.IPv6 {
			return "the endpoint " + e.Address
		}
	}
	return ""
}

// ipv4 reports whether all ranges of a condition are of IPv4, and ipv6 whether one is
// of IPv6.
func ipv4(c *condition.Condition) bool {
	return len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v condition.Value) bool {
		p, ok := prefix(&v)
		return !ok || !p.Addr().Is4() || p.Bits() == 0
	})
}

func ipv6(c *condition.Condition) bool {
	return slices.ContainsFunc(c.Values, func(v condition.Value) bool {
		p, ok := prefix(&v)
		return ok && p.Addr().Is6()
	})
}
