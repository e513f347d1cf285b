package chain

// Credentials says with whose credentials a hop is made.
type Credentials string

// The credentials of hops.
const (
	// Caller: the principal calls itself.
	Caller Credentials = "caller"
	// FAS: a service calls with a forward access session of the principal.
	FAS Credentials = "fas"
	// ServiceRole: a service calls with a session of a role.
	ServiceRole Credentials = "service-role"
	// ServicePrincipal: a service calls in its own name.
	ServicePrincipal Credentials = "service-principal"
	// Anonymous: a request without credentials.
	Anonymous Credentials = "anonymous"
)

// entry says from which network a chain enters AWS.
type entry uint8

const (
	corporate entry = iota
	internet
	endpoint
	inside // a service begins the chain
)

// on says which resource a hop is made on.
type on uint8

const (
	onTarget    on = iota // the target, or an object in it, as the action asks
	onBucket              // the target bucket itself
	onWorkgroup           // an Athena workgroup
	onCatalog             // the Glue data catalog
	onDatabase
	onTable
	onStack
	onRole // the service role of the chain
	onLogs // the objects CloudTrail writes
)

// A hopSpec is one call of a chain in the catalogue. An empty action is the
// action of the replay.
type hopSpec struct {
	hop      int
	creds    Credentials
	action   string
	on       on
	via      []string
	optional bool
}

// A Chain is one canonical chain of calls.
type Chain struct {
	// ID is the name of the chain, such as "athena-public".
	ID string
	// Title says in a few words who calls what through whom.
	Title string
	// Pattern is the access pattern of AWS's data perimeter guide, such as "2a",
	// empty where none applies.
	Pattern string

	entry entry
	hops  []hopSpec
	// service is the service principal that begins the chain or assumes its role.
	service string
}

const (
	athena         = "athena.amazonaws.com"
	cloudformation = "cloudformation.amazonaws.com"
	cloudtrail     = "cloudtrail.amazonaws.com"
)

var (
	direct     = []hopSpec{{hop: 1, creds: Caller}}
	throughCFN = []hopSpec{
		{hop: 1, creds: Caller, action: "cloudformation:CreateStack", on: onStack},
		{hop: 2, creds: FAS, via: []string{cloudformation}},
	}
	throughAthena = []hopSpec{
		{hop: 1, creds: Caller, action: "athena:StartQueryExecution", on: onWorkgroup},
		{hop: 1, creds: Caller, action: "athena:GetQueryExecution", on: onWorkgroup, optional: true},
		{hop: 1, creds: Caller, action: "athena:GetQueryResults", on: onWorkgroup, optional: true},
		{hop: 2, creds: FAS, action: "glue:GetDatabase", on: onCatalog, via: []string{athena}},
		{hop: 2, creds: FAS, action: "glue:GetDatabase", on: onDatabase, via: []string{athena}},
		{hop: 2, creds: FAS, action: "glue:GetTable", on: onCatalog, via: []string{athena}},
		{hop: 2, creds: FAS, action: "glue:GetTable", on: onDatabase, via: []string{athena}},
		{hop: 2, creds: FAS, action: "glue:GetTable", on: onTable, via: []string{athena}},
		{hop: 2, creds: FAS, action: "glue:GetPartitions", on: onTable, via: []string{athena}, optional: true},
		{hop: 2, creds: FAS, action: "s3:GetBucketLocation", on: onBucket, via: []string{athena}, optional: true},
		{hop: 2, creds: FAS, action: "s3:ListBucket", on: onBucket, via: []string{athena}, optional: true},
		{hop: 2, creds: FAS, via: []string{athena}},
	}
)

// catalog is ordered as reports show it.
var catalog = []*Chain{
	{ID: "direct-corporate", Title: "a direct call from the corporate network", Pattern: "1", entry: corporate, hops: direct},
	{ID: "direct-internet", Title: "a direct call from an address outside of every allowed range", entry: internet, hops: direct},
	{ID: "direct-vpc-endpoint", Title: "a direct call through a VPC endpoint", entry: endpoint, hops: direct},
	{ID: "athena-public", Title: "an Athena query from the corporate network", Pattern: "2a", entry: corporate, hops: throughAthena, service: athena},
	{ID: "athena-public-outside", Title: "an Athena query from an address outside of every allowed range", entry: internet, hops: throughAthena, service: athena},
	{ID: "athena-privatelink", Title: "an Athena query through a VPC endpoint of Athena", Pattern: "2b", entry: endpoint, hops: throughAthena, service: athena},
	{ID: "cloudformation", Title: "a stack operation on the caller's behalf", entry: corporate, hops: throughCFN, service: cloudformation},
	{ID: "cloudformation-service-role", Title: "a stack operation with a service role", entry: corporate, service: cloudformation, hops: []hopSpec{
		{hop: 1, creds: Caller, action: "cloudformation:CreateStack", on: onStack, optional: true},
		{hop: 1, creds: Caller, action: "iam:PassRole", on: onRole, optional: true},
		{hop: 2, creds: ServicePrincipal, action: "sts:AssumeRole", on: onRole},
		{hop: 3, creds: ServiceRole, via: []string{cloudformation}},
	}},
	{ID: "cloudtrail-s3", Title: "CloudTrail delivers logs to a bucket", Pattern: "4", entry: inside, service: cloudtrail, hops: []hopSpec{
		{hop: 1, creds: ServicePrincipal, action: "s3:GetBucketAcl", on: onBucket},
		{hop: 1, creds: ServicePrincipal, action: "s3:PutObject", on: onLogs},
	}},
	{ID: "service-principal", Title: "a service calls in its own name", entry: inside, hops: []hopSpec{
		{hop: 1, creds: ServicePrincipal},
	}},
	{ID: "anonymous", Title: "a request without credentials from the Internet", entry: internet, hops: []hopSpec{
		{hop: 1, creds: Anonymous},
	}},
}

// Catalog returns the chains in the order reports show them.
func Catalog() []*Chain { return catalog }

// Find returns the chain with an ID.
func Find(id string) (*Chain, bool) {
	for _, c := range catalog {
		if c.ID == id {
			return c, true
		}
	}
	return nil, false
}

// For callers: the chains that every user and role is replayed on.
func (c *Chain) forCallers() bool {
	return c.hops[0].creds == Caller && c.ID != "cloudformation-service-role"
}

// applies reports whether callers of the chain make the calls of the target.
func (c *Chain) applies(t *Target) bool {
	return c.service != athena || t.Kind == BucketTarget
}
