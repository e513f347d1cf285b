package hazard

// What tests look at.
var (
	ChainBroken               = chainBroken
	CrossAccount              = crossAccount
	PolicyUnread              = policyUnread
	PublicAccess              = publicAccess
	ServicePrincipalLockedOut = servicePrincipalLockedOut

	Sort = sortFindings
)
