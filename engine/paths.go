package engine

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Bucket is what stands behind an S3 access point.
type Bucket struct {
	// Resource is the ARN by which the bucket's policies mean what the request is made
	// on: of the bucket, or of the object in it.
	Resource symbol.Text
	Policies []policy.Attached
}

// throughAccessPoint reports whether the request is made on an S3 access point.
func (e *evaluation) throughAccessPoint() bool {
	return e.prefix == "s3" && strings.HasPrefix(e.resourcePart, "accesspoint/")
}

// behindAccessPoint evaluates the policies of the bucket behind an access point:
// within one account either policy may allow, and anybody else needs both (Amazon
// S3 page "Configuring IAM policies for using access points").
func (e *evaluation) behindAccessPoint() {
	const bucket = "the policy of the bucket behind the access point"
	if e.policies.Bucket == nil {
		if e.sameAccount() != kleene.True {
			e.grant = e.grant.and(kleene.Unknown)
			e.waitFor(bucket)
		}
		e.note(bucket + " is not known: it may deny the request")
		return
	}
	var g grant
	e.onBucket(func() {
		for i := range e.policies.Bucket.Policies {
			doc := &e.policies.Bucket.Policies[i]
			g.add(e.document(doc).and(doc.Sure))
		}
	})
	both, either := e.grant.and(g.any()), e.grant
	either.add(g)
	switch e.sameAccount() {
	case kleene.True:
		e.grant = either
	case kleene.False:
		e.grant = both
	default:
		e.grant = grant{kleene.Join(either.direct, both.direct), kleene.Join(either.role, both.role), kleene.Join(either.account, both.account)}
	}
}

// onBucket does something with the request made on the bucket behind the access point.
func (e *evaluation) onBucket(do func()) {
	onPoint, onBucket := e.req, *e.req
	onBucket.Resource = e.policies.Bucket.Resource
	e.setResource(&onBucket)
	do()
	e.setResource(onPoint)
}

// shared are the services whose resources AWS Resource Access Manager can share with
// other accounts (AWS RAM page "Shareable AWS resources").
var shared = strings.Fields(`acm-pca apigateway app-integrations appmesh aps aws-marketplace backup bedrock
	billing cloudhsm cloudfront codebuild dataexchange datazone ec2 fsx glue imagebuilder license-manager mpa
	network-firewall networkmanager odb outposts payment-cryptography private-networks rds refactor-spaces
	resource-explorer-2 resource-groups route53 route53-recovery-control-config route53profiles route53resolver
	s3-outposts sagemaker securityhub servicecatalog ssm ssm-contacts ssm-incidents vpc-lattice`)

// noteOtherPaths names what could have let the request in beside policies and is not
// part of them.
func (e *evaluation) noteOtherPaths() {
	if slices.ContainsFunc(e.policies.Resource, func(d policy.Attached) bool { return d.Grant }) {
		return
	}
	switch {
	case e.prefix == "kms":
		e.note("a grant of the key would allow it too, and none is among the policies")
	case e.sameAccount() == kleene.True:
	case e.prefix == "s3":
		e.note("an access control list would allow it too, unless the bucket's owner owns all objects, and none is among the policies")
	case slices.Contains(shared, e.prefix):
		e.note("a share of AWS Resource Access Manager would allow it too, and none is among the policies")
	}
}

// governed are the actions on data that Lake Formation governs where it is set up.
var governed = []string{"getdatabase", "getdatabases", "gettable", "gettables", "getpartition", "getpartitions", "batchgetpartition"}

// noteFurtherChecks names what must allow beside policies and is not part of them.
func (e *evaluation) noteFurtherChecks() {
	if e.prefix == "glue" && slices.Contains(governed, strings.ToLower(e.name)) || e.prefix == "lakeformation" && e.named("getdataaccess") {
		e.note("where Lake Formation governs the data, a permission of it is needed too")
	}
}
