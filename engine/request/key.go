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

// A Key is a condition key as AWS documents it.
type Key struct {
	// Name in AWS's spelling. A name that ends in '/' stands for the family of keys
	// that carry a tag key after it.
	Name string
	Type Type
	// Multivalued keys hold a set of values and need ForAnyValue or ForAllValues.
	Multivalued bool
}

// keys are the global condition keys and the session keys that AWS services add
// (AWS page "AWS global condition context keys", 2026), and service keys that
// hold sets.
var keys = []Key{
	{"aws:PrincipalArn", ARN, false},
	{"aws:PrincipalAccount", String, false},
	{"aws:PrincipalOrgPaths", String, true},
	{"aws:PrincipalOrgID", String, false},
	{"aws:PrincipalTag/", String, false},
	{"aws:PrincipalIsAWSService", Bool, false},
	{"aws:PrincipalServiceName", String, false},
	{"aws:PrincipalServiceNamesList", String, true},
	{"aws:PrincipalType", String, false},
	{"aws:userid", String, false},
	{"aws:username", String, false},
	{"aws:AssumedRoot", Bool, false},
	{"aws:FederatedProvider", String, false},
	{"aws:TokenIssueTime", Date, false},
	{"aws:SignInSessionArn", ARN, false},
	{"aws:MultiFactorAuthAge", Numeric, false},
	{"aws:MultiFactorAuthPresent", Bool, false},
	{"aws:ChatbotSourceArn", ARN, false},
	{"aws:Ec2InstanceSourceVpc", String, false},
	{"aws:Ec2InstanceSourcePrivateIPv4", IP, false},
	{"aws:SourceIdentity", String, false},
	{"ec2:RoleDelivery", Numeric, false},
	{"ec2:SourceInstanceArn", ARN, false},
	{"glue:RoleAssumedBy", String, false},
	{"glue:CredentialIssuingService", String, false},
	{"codebuild:BuildArn", ARN, false},
	{"codebuild:ProjectArn", ARN, false},
	{"lambda:SourceFunctionArn", ARN, false},
	{"ssm:SourceInstanceArn", ARN, false},
	{"identitystore:UserId", String, false},
	{"aws:SourceIp", IP, false},
	{"aws:SourceVpc", String, false},
	{"aws:SourceVpcArn", ARN, false},
	{"aws:SourceVpce", String, false},
	{"aws:VpceAccount", String, false},
	{"aws:VpceOrgID", String, false},
	{"aws:VpceOrgPaths", String, true},
	{"aws:VpcSourceIp", IP, false},
	{"aws:ResourceAccount", String, false},
	{"aws:ResourceOrgPaths", String, true},
	{"aws:ResourceOrgID", String, false},
	{"aws:ResourceTag/", String, false},
	{"aws:CalledVia", String, true},
	{"aws:CalledViaFirst", String, false},
	{"aws:CalledViaLast", String, false},
	{"aws:CalledViaAWSMCP", String, false},
	{"aws:ViaAWSService", Bool, false},
	{"aws:ViaAWSMCPService", Bool, false},
	{"aws:CurrentTime", Date, false},
	{"aws:EpochTime", Date, false},
	{"aws:referer", String, false},
	{"aws:RequestedRegion", String, false},
	{"aws:RequestTag/", String, false},
	{"aws:TagKeys", String, true},
	{"aws:SecureTransport", Bool, false},
	{"aws:SourceAccount", String, false},
	{"aws:SourceArn", ARN, false},
	{"aws:SourceOrgID", String, false},
	{"aws:SourceOrgPaths", String, true},
	{"aws:UserAgent", String, false},
	{"aws:IsMcpServiceAction", Bool, false},
	{"aws:SourceOwner", String, false},
	{"kms:EncryptionContextKeys", String, true},
	{"kms:ViaService", String, false},
	{"kms:CallerAccount", String, false},
	{"kms:GrantIsForAWSResource", Bool, false},
	{"kms:GrantOperations", String, true},
	{"kms:ResourceAliases", String, true},
	{"dynamodb:Attributes", String, true},
	{"dynamodb:LeadingKeys", String, true},
	{"s3:x-amz-acl", String, false},
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
