// Package awsref is reference data about AWS, embedded so that decisions need no
// network: services with their actions, resource types and condition keys, service
// principals, and the documents of the AWS managed policies.
//
// [LookupService] opens a service by its prefix and [Service.Action] an action of it;
// [LookupAction], [LookupConditionKey], [LookupServicePrincipal], [RCPService] and
// [ManagedPolicy] take full names.
// Names are looked up without regard to the case of letters, as IAM does for all of
// them but policies, and are returned as AWS spells them.
//
// # What the data cannot say
//
// AWS adds to all of this every week, and publishes no complete list of some of it. A
// name that is not here is unknown, which is not the same as wrong: an action that the
// data does not know may exist, a service principal too, and a managed policy that it
// does not know may permit anything. Of the global condition keys it has only those
// that services list, aws:RequestTag, aws:ResourceTag and aws:TagKeys; all are in
// engine/request.
//
// # Where it comes from
//
// Sources and licences are in data/NOTICE. The files that are embedded are made by
//
//	go generate ./engine/awsref
//
// which fetches the packages named there, in exactly the versions named there. Nothing
// is read before the first question, and a question reads what it asks for and no more.
package awsref

import _ "embed"

//go:generate go run ./_gen

// The dates that the data describes.
const (
	// ServicesDate is that of the services with their actions, resource types and
	// condition keys.
	ServicesDate = "2026-09-26"
	// DependentActionsDate is that of the dependent actions of actions: later versions
	// of the source have none.
	DependentActionsDate = "2025-12-06"
	// ManagedPoliciesDate is the day of the latest change of a managed policy.
	ManagedPoliciesDate = "2026-08-26"
	// RCPServicesDate is that of the list of services that resource control policies
	// apply to.
	RCPServicesDate = "2026-09-26"
	// ServicePrincipalsDate is that of the list of service principals.
	ServicePrincipalsDate = "2026-11-21"
)

var (
	//go:embed data/services.bin
	servicesFile string
	//go:embed data/policies.bin
	policiesFile string
)
