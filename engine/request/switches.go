package request

import (
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

const cloudformation = "cloudformation.amazonaws.com"

// Switches choose between readings where AWS's pages contradict each other. The
// zero value is the newest page's reading; [Modes] lists them all.
type Switches struct {
	// ListedCalledVia: only services of the list that AWS published until 2024 appear
	// in aws:CalledVia, not every service that calls on the caller's behalf.
	ListedCalledVia bool
	// PlainServiceRole: CloudFormation calls with a service role as every service
	// does, without the keys of forward access sessions.
	PlainServiceRole bool
	// ServiceSourceIP: on calls that a service makes on the caller's behalf
	// aws:SourceIp is the service's address, not the caller's.
	ServiceSourceIP bool
	// RoleWithoutMFA: sessions of roles do not carry aws:MultiFactorAuthPresent.
	RoleWithoutMFA bool
	// FederatedMFA: sessions that an identity provider or Identity Center began carry
	// aws:MultiFactorAuthPresent, which is false.
	FederatedMFA bool
}

// A Mode is one switch with its two settings.
type Mode struct {
	// Switch is its name, such as "called_via".
	Switch string
	// Default and Other are the settings, such as "all-fas" and "listed"; Title says in
	// a few words what the other one means.
	Default, Other, Title string
	// Keys are the condition keys that it touches, in lower case.
	Keys []string

	setting func(*Switches) *bool
}

// Modes are all switches.
func Modes() []Mode { return modes }

var modes = []Mode{
	{
		"called_via", "all-fas", "listed", "only the services that AWS listed until 2024 appear in aws:CalledVia",
		[]string{"aws:calledvia", "aws:calledviafirst", "aws:calledvialast"}, func(s *Switches) *bool { return &s.ListedCalledVia },
	},
	{
		"cfn_service_role", "fas", "seed2020", "CloudFormation with a service role sends no aws:CalledVia",
		[]string{"aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:viaawsservice", "aws:sourceip"}, func(s *Switches) *bool { return &s.PlainServiceRole },
	},
	{
		"fas_source_ip", "preserve", "service", "aws:SourceIp is the service's address on calls that it makes for others",
		[]string{"aws:sourceip"}, func(s *Switches) *bool { return &s.ServiceSourceIP },
	},
	{
		"role_mfa", "false", "absent", "sessions of roles carry no aws:MultiFactorAuthPresent",
		[]string{"aws:multifactorauthpresent"}, func(s *Switches) *bool { return &s.RoleWithoutMFA },
	},
	{
		"federated_mfa", "absent", "false", "sessions of identity providers carry aws:MultiFactorAuthPresent, which is false",
		[]string{"aws:multifactorauthpresent"}, func(s *Switches) *bool { return &s.FederatedMFA },
	},
}

// Turn returns switches with this one turned over, and the setting that it then has.
func (m *Mode) Turn(s Switches) (turned Switches, setting string) {
	on := m.setting(&s)
	if *on = !*on; *on {
		return s, m.Other
	}
	return s, m.Default
}

// On reports whether switches have this one's other setting.
func (m *Mode) On(s Switches) bool { return *m.setting(&s) }

// Touches reports whether the switch may change the context of a request.
func (m *Mode) Touches(p *Principal, ctx *Context) bool {
	session := p.Kind == RoleSession || p.Kind == ServiceLinkedRole
	via := ctx.Get("aws:ViaAWSService")
	onBehalf := len(via.Values) == 1 && via.Values[0] == symbol.Literal("true")
	switch s, _ := m.Turn(Switches{}); {
	case s.ListedCalledVia:
		return onBehalf
	case s.PlainServiceRole:
		return session && ctx.Get("aws:SourceIp").Present == kleene.Unknown
	case s.ServiceSourceIP:
		return onBehalf && ctx.Get("aws:SourceIp").Present == kleene.True
	default: // of MFA
		return session
	}
}

// forget drops CloudFormation from the services a service role's calls came through,
// where the switches say that it leaves no trace.
func (h *Hop) forget() {
	if h.Switches.PlainServiceRole && h.stack() {
		h.Via = h.Via[1:]
	}
}
