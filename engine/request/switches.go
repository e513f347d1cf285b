package request

import "strconv"

const cloudformation = "cloudformation.amazonaws.com"

// Switches choose between readings where AWS's pages contradict each other. The
// zero value is the newest page's reading; [Modes] lists the others.
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

// A Mode is one switch in the setting that is not the default.
type Mode struct {
	// Switch and Setting name it, such as "called_via" and "listed"; Default is the
	// setting otherwise.
	Switch, Setting, Default string
	// Title says in a few words what the setting means.
	Title    string
	Switches Switches
}

// Modes are the settings beside the defaults, one switch at a time.
func Modes() []Mode { return modes }

var modes = []Mode{
	{"called_via", "listed", "all-fas", "only the services that AWS listed until 2024 appear in aws:CalledVia", Switches{ListedCalledVia: true}},
	{"cfn_service_role", "seed2020", "fas", "CloudFormation with a service role sends no aws:CalledVia", Switches{PlainServiceRole: true}},
	{"fas_source_ip", "service", "preserve", "aws:SourceIp is the service's address on calls that it makes for others", Switches{ServiceSourceIP: true}},
	{"role_mfa", "absent", strconv.FormatBool(false), "sessions of roles carry no aws:MultiFactorAuthPresent", Switches{RoleWithoutMFA: true}},
	{"federated_mfa", strconv.FormatBool(false), "absent", "sessions of identity providers carry aws:MultiFactorAuthPresent, which is false", Switches{FederatedMFA: true}},
}

// forget drops CloudFormation from the services a service role's calls came through,
// where the switches say that it leaves no trace.
func (h *Hop) forget() {
	if h.Switches.PlainServiceRole && h.stack() {
		h.Via = h.Via[1:]
	}
}
