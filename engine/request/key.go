package request

import "strings"

// A Type is the type of a condition key's values.
type Type string

// The types of AWS page "Condition operators" and the Service Authorization Reference.
const (
	String  Type = "String"
	ARN     Type = "ARN"
	Bool    Type = "Bool"
	Date    Type = "Date"
	Numeric Type = "Numeric"
	IP      Type = "IPAddress"
)

// An Availability says which requests carry a key.
type Availability string

// When keys are there. "Only" does not mean "always": what else a key asks for, such
// as a service that supports it, is in [Derive].
const (
	// Always: every request.
	Always Availability = "every request"
	// Signed: requests with credentials.
	Signed Availability = "requests with credentials"
	// InOrganization: callers whose account is in an organization.
	InOrganization Availability = "only callers in an organization"
	// Tagged: where there is a tag.
	Tagged Availability = "only where there is a tag"
	// ByUser: IAM users.
	ByUser Availability = "only IAM users"
	// ByRoot: sessions of AssumeRoot.
	ByRoot Availability = "only sessions of sts:AssumeRoot"
	// ByService: services that call in their own name.
	ByService Availability = "only services that call in their own name"
	// ByIdentityProvider: sessions that an identity provider or Identity Center began.
	ByIdentityProvider Availability = "only sessions that an identity provider began"
	// ByWorkload: credentials of a role that AWS delivered to an instance, a
	// function, a job or the like.
	ByWorkload Availability = "only role credentials that AWS delivered to a workload"
	// BySignIn: sessions of AWS Sign-In.
	BySignIn Availability = "only sessions of AWS Sign-In"
	// Temporary: temporary credentials.
	Temporary Availability = "only temporary credentials"
	// ByAddress: calls from a public address.
	ByAddress Availability = "only calls from a public address"
	// ThroughEndpoint: calls through a VPC endpoint.
	ThroughEndpoint Availability = "only calls through a VPC endpoint"
	// OnResource: calls on a resource, but for a few actions.
	OnResource Availability = "only calls on a resource"
	// OnBehalf: calls that a service makes on the caller's behalf.
	OnBehalf Availability = "only calls that a service makes on the caller's behalf"
	// ByBrowser: links in a browser.
	ByBrowser Availability = "only links in a browser"
	// ByMCP: calls through a Model Context Protocol server of AWS.
	ByMCP Availability = "only calls through an MCP server of AWS"
	// OfService: keys of single services.
	OfService Availability = "only calls to its service"
)

// A Key is a condition key as AWS documents it.
type Key struct {
	// Name in AWS's spelling. A name that ends in '/' stands for the family of keys
	// that carry a tag key after it.
	Name string
	Type Type
	// Multivalued keys hold a set of values and need ForAnyValue or ForAllValues.
	Multivalued bool
	// Sent says which requests carry the key.
	Sent Availability
}

// keys are the global condition keys and the session keys that AWS services add
// (AWS page "AWS global condition context keys", 2026), and service keys that
// hold sets.
var keys = []Key{
	{"aws:PrincipalArn", ARN, false, Signed},
	{"aws:PrincipalAccount", String, false, Always},
	{"aws:PrincipalOrgPaths", String, true, InOrganization},
	{"aws:PrincipalOrgID", String, false, InOrganization},
	{"aws:PrincipalTag/", String, false, Tagged},
	{"aws:PrincipalIsAWSService", Bool, false, Signed},
	{"aws:PrincipalServiceName", String, false, ByService},
	{"aws:PrincipalServiceNamesList", String, true, ByService},
	{"aws:PrincipalType", String, false, Always},
	{"aws:userid", String, false, Always},
	{"aws:username", String, false, ByUser},
	{"aws:AssumedRoot", Bool, false, ByRoot},
	{"aws:FederatedProvider", String, false, ByIdentityProvider},
	{"aws:TokenIssueTime", Date, false, Temporary},
	{"aws:SignInSessionArn", ARN, false, BySignIn},
	{"aws:MultiFactorAuthAge", Numeric, false, Temporary},
	{"aws:MultiFactorAuthPresent", Bool, false, Temporary},
	{"aws:ChatbotSourceArn", ARN, false, ByWorkload},
	{"aws:Ec2InstanceSourceVpc", String, false, ByWorkload},
	{"aws:Ec2InstanceSourcePrivateIPv4", IP, false, ByWorkload},
	{"aws:SourceIdentity", String, false, Temporary},
	{"ec2:RoleDelivery", Numeric, false, ByWorkload},
	{"ec2:SourceInstanceArn", ARN, false, ByWorkload},
	{"glue:RoleAssumedBy", String, false, ByWorkload},
	{"glue:CredentialIssuingService", String, false, ByWorkload},
	{"codebuild:BuildArn", ARN, false, ByWorkload},
	{"codebuild:ProjectArn", ARN, false, ByWorkload},
	{"lambda:SourceFunctionArn", ARN, false, ByWorkload},
	{"ssm:SourceInstanceArn", ARN, false, ByWorkload},
	{"identitystore:UserId", String, false, ByIdentityProvider},
	{"aws:SourceIp", IP, false, ByAddress},
	{"aws:SourceVpc", String, false, ThroughEndpoint},
	{"aws:SourceVpcArn", ARN, false, ThroughEndpoint},
	{"aws:SourceVpce", String, false, ThroughEndpoint},
	{"aws:VpceAccount", String, false, ThroughEndpoint},
	{"aws:VpceOrgID", String, false, ThroughEndpoint},
	{"aws:VpceOrgPaths", String, true, ThroughEndpoint},
	{"aws:VpcSourceIp", IP, false, ThroughEndpoint},
	{"aws:ResourceAccount", String, false, OnResource},
	{"aws:ResourceOrgPaths", String, true, OnResource},
	{"aws:ResourceOrgID", String, false, OnResource},
	{"aws:ResourceTag/", String, false, Tagged},
	{"aws:CalledVia", String, true, OnBehalf},
	{"aws:CalledViaFirst", String, false, OnBehalf},
	{"aws:CalledViaLast", String, false, OnBehalf},
	{"aws:CalledViaAWSMCP", String, false, ByMCP},
	{"aws:ViaAWSService", Bool, false, Always},
	{"aws:ViaAWSMCPService", Bool, false, ByMCP},
	{"aws:CurrentTime", Date, false, Always},
	{"aws:EpochTime", Date, false, Always},
	{"aws:referer", String, false, ByBrowser},
	{"aws:RequestedRegion", String, false, Always},
	{"aws:RequestTag/", String, false, Tagged},
	{"aws:TagKeys", String, true, Tagged},
	{"aws:SecureTransport", Bool, false, Always},
	{"aws:SourceAccount", String, false, ByService},
	{"aws:SourceArn", ARN, false, ByService},
	{"aws:SourceOrgID", String, false, ByService},
	{"aws:SourceOrgPaths", String, true, ByService},
	{"aws:UserAgent", String, false, Always},
	{"aws:IsMcpServiceAction", Bool, false, ByMCP},
	// Not documented, and in the policy that the console gives every topic.
	{"aws:SourceOwner", String, false, OfService},
	{"kms:EncryptionContextKeys", String, true, OfService},
	{"kms:ViaService", String, false, OfService},
	{"kms:CallerAccount", String, false, OfService},
	{"kms:GrantIsForAWSResource", Bool, false, OfService},
	{"kms:GrantOperations", String, true, OfService},
	{"kms:ResourceAliases", String, true, OfService},
	{"dynamodb:Attributes", String, true, OfService},
	{"dynamodb:LeadingKeys", String, true, OfService},
	{"s3:x-amz-acl", String, false, OfService},
}

var byName = func() map[string]Key {
	m := make(map[string]Key, len(keys))
	for _, k := range keys {
		m[strings.ToLower(k.Name)] = k
	}
	return m
}()

// lowered are the names of keys in AWS's spelling with their lower case.
var lowered = func() map[string]string {
	m := make(map[string]string, len(keys))
	for _, k := range keys {
		m[k.Name] = strings.ToLower(k.Name)
	}
	return m
}()

// lower returns the name of a key in lower case.
func lower(name string) string {
	if l, ok := lowered[name]; ok {
		return l
	}
	return strings.ToLower(name)
}

// Find returns what is known of a condition key, by its name in any case. Tag
// keys are found by their family ("aws:PrincipalTag/team").
func Find(name string) (Key, bool) {
	name = lower(name)
	if k, ok := byName[name]; ok {
		return k, true
	}
	if i := strings.IndexByte(name, '/'); i >= 0 {
		k, ok := byName[name[:i+1]]
		return k, ok
	}
	return Key{}, false
}

// Multivalued reports whether a key holds a set of values.
func Multivalued(name string) bool {
	k, _ := Find(name)
	return k.Multivalued
}
