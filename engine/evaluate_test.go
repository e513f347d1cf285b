package engine_test

import (
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
)

// The words of the verdicts are those of the IAM policy simulator.
const (
	implicit = engine.ImplicitDeny
	explicit = engine.ExplicitDeny
	allowed  = engine.Allowed
	unknown  = engine.Unknown
)

// AWS page "How AWS enforcement code logic evaluates requests to allow or deny
// access": one account, one layer at a time.
func TestEvaluateLayers(t *testing.T) {
	runAll(t, []test{
		{name: "C.2/8d no policy", principal: user, want: implicit, because: []string{}, missing: "identity resource"},
		{name: "C.2/8c identity allows", principal: user, identity: []string{allowS3}, want: allowed, because: []string{"identity[0]:1 Allow applies"}},
		{
			name: "C.2/8c the nearest statement is told", principal: user, want: implicit, missing: "identity resource",
			identity: []string{allowEC2 + `,{"Effect":"Allow","Action":"s3:Get*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`},
			because:  []string{"identity[0]:2 Allow notApplies (aws:SourceVpc StringEquals wanted vpc-1 got absent)"},
		},
		{
			name: "C.2/8c the nearest: resource", principal: user, want: implicit,
			identity: []string{allowEC2 + `,{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::c/*"}`},
			because:  []string{"identity[0]:2 Allow notApplies (Resource wanted arn:aws:s3:::c/* got arn:aws:s3:::b/k)"},
		},
		{
			name: "C.2/8c the nearest: action", principal: user, want: implicit, identity: []string{allowEC2},
			because: []string{"identity[0]:1 Allow notApplies (Action wanted ec2:* got s3:GetObject)"},
		},
		{
			name: "C.2/8c the nearest: principal", principal: user, want: implicit, resources: []string{grantTo("Allow", aws(role))},
			because: []string{"resource[0]:1 Allow notApplies (Principal wanted " + role + " got " + user + ")"},
		},
		{name: "C.2/2 identity denies", principal: user, identity: []string{allowS3, denyS3}, want: explicit, because: []string{"identity[0]:1 Allow applies", "identity[1]:1 Deny applies"}},
		{name: "C.2/2 boundary denies", principal: user, identity: []string{allowS3}, boundary: []string{allowAll + "," + denyS3}, want: explicit, because: []string{"identity[0]:1 Allow applies", "boundary[0]:1 Allow applies", "boundary[0]:2 Deny applies"}},
		{name: "C.2/2 session policy denies", principal: role, identity: []string{allowS3}, session: []string{allowAll, denyS3}, want: explicit},
		{name: "C.2/2 resource policy denies", principal: user, identity: []string{allowS3}, resources: []string{grantTo("Deny", everyone)}, want: explicit},
		{name: "C.2/2 account in a Deny (A11)", principal: role, identity: []string{allowS3}, resources: []string{grantTo("Deny", aws(account))}, want: explicit},
		{name: "C.2/2 role in a Deny", principal: role, identity: []string{allowS3}, resources: []string{grantTo("Deny", aws(role))}, want: explicit},
		{name: "C.2/2 session in a Deny", principal: role, identity: []string{allowS3}, resources: []string{grantTo("Deny", aws(session))}, want: explicit},
		{name: "C.2/2 another in a Deny", principal: role, identity: []string{allowS3}, resources: []string{grantTo("Deny", aws(user))}, want: allowed},
		{name: "C.2/2 SCP denies", principal: user, identity: []string{allowS3}, scp: [][]string{{allowAll, denyS3}}, want: explicit},
		{name: "C.2/2 RCP denies", principal: user, identity: []string{allowS3}, rcp: [][]string{{grantTo("Deny", everyone)}}, want: explicit},
		{name: "C.2/2 endpoint policy denies", principal: user, identity: []string{allowS3}, endpoint: []string{grantTo("Allow", everyone) + "," + grantTo("Deny", everyone)}, want: explicit},
		{name: "C.2/2 all are told", principal: user, identity: []string{denyS3}, boundary: []string{denyS3}, resources: []string{grantTo("Deny", everyone)}, scp: [][]string{{denyS3}}, rcp: [][]string{{grantTo("Deny", everyone)}}, endpoint: []string{grantTo("Deny", everyone)}, want: explicit, because: []string{
			"identity[0]:1 Deny applies", "boundary[0]:1 Deny applies", "resource[0]:1 Deny applies", "scp[0][0]:1 Deny applies", "rcp[0][0]:1 Deny applies", "vpcEndpoint[0]:1 Deny applies",
		}},
		{name: "C.2/8c boundary does not allow", principal: user, identity: []string{allowS3}, boundary: []string{allowEC2}, want: implicit, missing: "boundary", because: []string{"identity[0]:1 Allow applies", "boundary[0]:1 Allow notApplies (Action wanted ec2:* got s3:GetObject)"}},
		{name: "C.2/8c session policy does not allow", principal: role, identity: []string{allowS3}, session: []string{allowEC2}, want: implicit, missing: "session"},
		{name: "C.2/8c both limit", principal: role, identity: []string{allowS3}, boundary: []string{allowEC2}, session: []string{allowEC2}, want: implicit, missing: "boundary session"},
		{name: "C.2/4 SCP and identity are both missing", principal: user, scp: [][]string{{allowEC2}}, want: implicit, missing: "identity resource scp"},
		{name: "C.2/5 endpoint policy does not allow", principal: user, identity: []string{allowS3}, endpoint: []string{grantTo("Allow", aws(other))}, want: implicit, missing: "vpcEndpoint"},
		{name: "C.2/5 endpoint policy allows the account", principal: user, identity: []string{allowS3}, endpoint: []string{grantTo("Allow", aws(account))}, want: allowed},
		{name: "V46 endpoint policy denies hop 1", principal: user, action: "athena:StartQueryExecution", resource: "arn:aws:athena:eu-west-1:111122223333:workgroup/primary", identity: []string{allowAll}, endpoint: []string{grantTo("Deny", everyone)}, want: explicit},
	})
}

// AWS page "AWS JSON policy elements: Principal": how the resource's policy names
// the caller decides which implicit denies still limit it.
func TestEvaluateResourceClasses(t *testing.T) {
	ec2 := []string{allowEC2}
	var tests []test
	for _, c := range []struct {
		name, principal, entry                string
		identity, boundary, session, allThree engine.Verdict // with this layer not allowing
	}{
		{"USER", user, aws(user), allowed, allowed, allowed, allowed},
		{"ROLE", role, aws(role), allowed, implicit, implicit, implicit},
		{"SESSION", role, aws(session), allowed, allowed, allowed, allowed},
		{"FEDSESSION", fed, aws(fedARN), allowed, allowed, allowed, allowed},
		{"USER_OF_SESSION", fed, aws(user), allowed, implicit, implicit, implicit},
		{"WILDCARD", role, everyone, allowed, allowed, allowed, allowed},
		{"WILDCARD under AWS", role, aws("*"), allowed, allowed, allowed, allowed},
		{"ACCOUNT", role, aws(account), implicit, implicit, implicit, implicit},
		{"ACCOUNT by root", user, aws(root), implicit, implicit, implicit, implicit},
	} {
		rbp := []string{grantTo("Allow", c.entry)}
		s3 := []string{allowS3}
		tests = append(tests,
			test{name: "C7 " + c.name + ": identity", principal: c.principal, resources: rbp, session: s3, want: c.identity},
			test{name: "C7 " + c.name + ": boundary", principal: c.principal, identity: s3, resources: rbp, boundary: ec2, session: s3, want: c.boundary},
			test{name: "C7 " + c.name + ": session", principal: c.principal, identity: s3, resources: rbp, session: ec2, want: c.session},
			test{name: "C7 " + c.name + ": all", principal: c.principal, identity: ec2, resources: rbp, boundary: ec2, session: ec2, want: c.allThree},
			test{name: "C7 " + c.name + ": a deny of the boundary", principal: c.principal, identity: s3, resources: rbp, boundary: []string{denyS3}, session: s3, want: explicit},
		)
	}
	tests = append(tests, []test{
		{name: "V30 USER, boundary without s3", principal: user, resources: []string{grantTo("Allow", aws(user))}, boundary: ec2, want: allowed},
		{name: "V31 ROLE, boundary without s3", principal: role, resources: []string{grantTo("Allow", aws(role))}, boundary: ec2, want: implicit, missing: "boundary", because: []string{
			"resource[0]:1 Allow applies", "boundary[0]:1 Allow notApplies (Action wanted ec2:* got s3:GetObject)",
		}},
		{name: "V32 SESSION, boundary without s3", principal: role, resources: []string{grantTo("Allow", aws(session))}, boundary: ec2, want: allowed},
		{name: "V33 WILDCARD with PrincipalArn (C6)", principal: role, boundary: ec2, context: []string{"aws:PrincipalArn=" + role}, want: allowed,
			resources: []string{`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + role + `"}}}`}},
		{name: "V34 ACCOUNT without identity", principal: user, resources: []string{grantTo("Allow", aws(root))}, want: implicit, missing: "identity resource"},
		{name: "V44 federated user without session policy (C4)", principal: fed, identity: []string{allowS3}, want: implicit, missing: "session"},
		{name: "C4 federated user without session policy, USER_OF_SESSION", principal: fed, resources: []string{grantTo("Allow", aws(user))}, want: implicit},
		{name: "C4 federated user without session policy, FEDSESSION", principal: fed, resources: []string{grantTo("Allow", aws(fedARN))}, want: allowed},
		{name: "A12 user names are case-sensitive", principal: user, resources: []string{grantTo("Allow", aws("arn:aws:iam::111122223333:user/Bob"))}, want: implicit},
		{name: "A13 a role ARN without its path", principal: role, resources: []string{grantTo("Allow", aws("arn:aws:iam::111122223333:role/R"))}, want: implicit},
		{name: "A12 another session", principal: role, resources: []string{grantTo("Allow", aws("arn:aws:sts::111122223333:assumed-role/R/t"))}, want: implicit},
		{name: "A14 a unique id", principal: role, identity: []string{allowS3}, resources: []string{grantTo("Deny", aws("AROAEXAMPLE"))}, want: allowed},
		{name: "A9 a partial wildcard matches nobody", principal: role, identity: []string{allowS3}, resources: []string{grantTo("Deny", aws("arn:aws:iam::111122223333:role/*"))}, want: allowed},
		{name: "A8 entries are OR", principal: role, resources: []string{grantTo("Allow", `"Principal":{"Service":"ec2.amazonaws.com","AWS":["`+user+`","`+session+`"]}`)}, want: allowed},
		{name: "A12 SERVICE", principal: trail, resources: []string{grantTo("Allow", `"Principal":{"Service":"cloudtrail.amazonaws.com"}`)}, want: allowed},
		{name: "A12 another SERVICE", principal: trail, resources: []string{grantTo("Allow", `"Principal":{"Service":"config.amazonaws.com"}`)}, want: implicit, missing: "resource"},
		{name: "A12 SERVICE by one of its names", principal: trail, context: []string{"aws:PrincipalServiceNamesList=[cloudtrail.amazonaws.com,cloudtrail.eu-west-1.amazonaws.com]"}, resources: []string{grantTo("Allow", `"Principal":{"Service":"cloudtrail.eu-west-1.amazonaws.com"}`)}, want: allowed},
		{name: "A12 an account is no SERVICE", principal: trail, resources: []string{grantTo("Allow", aws(account))}, want: implicit},
		{name: "A10 WILDCARD and a service", principal: trail, resources: []string{grantTo("Allow", everyone)}, want: allowed},
		{name: "A10 Deny of WILDCARD and a service", principal: trail, resources: []string{grantTo("Allow", everyone) + "," + grantTo("Deny", aws("*"))}, want: explicit},
		{name: "A12 CANONICAL may be the account", principal: foreign, identity: []string{allowS3}, resources: []string{grantTo("Allow", `"Principal":{"CanonicalUser":"79a5"}`)}, want: unknown, unknown: []string{"79a5"}},
		{name: "A12 CANONICAL is not anonymous", principal: "anonymous", resources: []string{grantTo("Allow", `"Principal":{"CanonicalUser":"79a5"}`)}, want: implicit},
		{name: "A12 FEDERATED is no AWS principal", principal: role, action: "sts:AssumeRoleWithWebIdentity", resource: role, identity: []string{allowAll}, resources: []string{`{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:*"}`}, want: implicit},
		{name: "C22 FEDERATED", principal: provider, action: "sts:AssumeRoleWithWebIdentity", resource: role, resources: []string{`{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity"}`}, want: allowed},
		{name: "C22 FEDERATED needs the trust policy", principal: provider, action: "sts:AssumeRoleWithWebIdentity", resource: role, resources: []string{`{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:*"}`}, want: implicit, missing: "resource"},
		{name: "C22 FEDERATED: no SCP, but RCP", principal: provider, action: "sts:AssumeRoleWithWebIdentity", resource: role, scp: [][]string{{denyS3}}, rcp: [][]string{{grantTo("Deny", everyone)}}, resources: []string{`{"Effect":"Allow","Principal":"*","Action":"sts:*"}`}, want: explicit, because: []string{"resource[0]:1 Allow applies", "rcp[0][0]:1 Deny applies"}},
	}...)
	runAll(t, tests)
}

// AWS page "Cross-account policy evaluation logic".
func TestEvaluateAcrossAccounts(t *testing.T) {
	s3 := []string{allowS3}
	runAll(t, []test{
		{name: "C.2/9 both sides", principal: foreign, identity: s3, resources: []string{grantTo("Allow", aws(foreign))}, want: allowed},
		{name: "C.2/9 ACCOUNT is enough on the resource's side", principal: foreign, identity: s3, resources: []string{grantTo("Allow", aws(other))}, want: allowed},
		{name: "C.2/9 WILDCARD", principal: foreign, identity: s3, resources: []string{grantTo("Allow", everyone)}, want: allowed},
		{name: "C.2/9 no resource policy", principal: foreign, identity: s3, want: implicit, missing: "resource"},
		{name: "V35 no identity policy", principal: foreign, resources: []string{grantTo("Allow", aws(foreign))}, want: implicit, missing: "identity"},
		{name: "C6 WILDCARD across accounts needs identity", principal: foreign, resources: []string{grantTo("Allow", everyone)}, want: implicit, missing: "identity"},
		{name: "C.2/9 neither", principal: foreign, want: implicit, missing: "identity resource"},
		{name: "C.2/9 boundary limits even SESSION", principal: foreign, identity: s3, boundary: []string{allowEC2}, resources: []string{grantTo("Allow", aws("arn:aws:sts::444455556666:assumed-role/F/s"))}, want: implicit, missing: "boundary"},
		{name: "C.2/9 session policy limits", principal: foreign, identity: s3, session: []string{allowEC2}, resources: []string{grantTo("Allow", everyone)}, want: implicit, missing: "session"},
		{name: "C.2/9 another account", principal: foreign, identity: s3, resources: []string{grantTo("Allow", aws(account))}, want: implicit, missing: "resource"},
		{name: "C.2/9 root needs the resource's side", principal: "arn:aws:iam::444455556666:root", want: implicit, missing: "resource"},
		{name: "C.2/9 root", principal: "arn:aws:iam::444455556666:root", resources: []string{grantTo("Allow", aws(other))}, want: allowed},
		{name: "C.2/9 federated user without session policy", principal: fed, owner: other, identity: s3, resources: []string{grantTo("Allow", aws(fedARN))}, want: implicit, missing: "session"},
		{name: "the owner is the account of the ARN", principal: user, action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:444455556666:q", owner: other, identity: []string{allowAll}, want: implicit, missing: "resource"},
		// C.2: whether the accounts are one is not known.
		{name: "unknown owner, identity alone", principal: user, owner: "@", identity: s3, want: unknown, unknown: []string{"whether the accounts 111122223333 and ${owner} are one"}},
		{name: "unknown owner, both sides", principal: user, owner: "@", identity: s3, resources: []string{grantTo("Allow", aws(user))}, want: allowed},
		{name: "unknown owner, resource alone", principal: user, owner: "@", resources: []string{grantTo("Allow", aws(user))}, want: unknown, unknown: []string{"are one"}},
		{name: "unknown owner, neither", principal: user, owner: "@", want: implicit},
		{name: "unknown owner, root", principal: root, owner: "@", want: unknown},
	})
}

// AWS Organizations pages "SCP evaluation" and "Resource control policies (RCPs)".
func TestEvaluateOrganizationPolicies(t *testing.T) {
	s3, all := []string{allowS3}, []string{allowAll}
	deny := [][]string{{allowAll, denyS3}}
	denyRCP := [][]string{{grantTo("Deny", everyone)}}
	notOrg := [][]string{{`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}`}}
	mine := []string{"aws:PrincipalOrgID=o-1"}
	public := []string{grantTo("Allow", everyone)}
	runAll(t, []test{
		{name: "C1 every level allows", principal: user, identity: s3, scp: [][]string{all, {allowEC2, allowS3}, all}, want: allowed, because: []string{
			"identity[0]:1 Allow applies", "scp[0][0]:1 Allow applies", "scp[1][1]:1 Allow applies", "scp[2][0]:1 Allow applies",
		}},
		{name: "V39 a level without the action", principal: user, identity: s3, scp: [][]string{all, {allowEC2}, all}, want: implicit, missing: "scp", because: []string{
			"identity[0]:1 Allow applies", "scp[0][0]:1 Allow applies", "scp[2][0]:1 Allow applies", "scp[1][0]:1 Allow notApplies (Action wanted ec2:* got s3:GetObject)",
		}},
		{name: "C1 an empty level allows nothing", principal: user, identity: s3, scp: [][]string{all, {}, all}, want: implicit, missing: "scp"},
		{name: "C1 no level: nothing restricts", principal: user, identity: s3, want: allowed},
		{name: "C1 SCP also limits what the resource's policy grants", principal: user, resources: []string{grantTo("Allow", aws(user))}, scp: [][]string{{allowEC2}}, want: implicit, missing: "scp"},
		{name: "C1 an SCP Allow with NotAction and a condition", principal: user, identity: s3, context: []string{"aws:RequestedRegion=eu-west-1"}, scp: [][]string{{`{"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:s3:::*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}`}}, want: allowed},
		{name: "V40 service-linked role", principal: linked, identity: s3, scp: deny, want: allowed},
		{name: "V40 service principal", principal: trail, resources: public, scp: deny, want: allowed},
		{name: "V40 management account", principal: user, management: true, identity: s3, scp: deny, want: allowed},
		{name: "V40 management account root", principal: root, management: true, scp: deny, want: allowed},
		{name: "V40 member root", principal: root, scp: deny, want: explicit},
		{name: "C14 SCP and anonymous", principal: "anonymous", resources: public, scp: deny, want: allowed},
		{name: "C2 RCP on one level", principal: user, identity: s3, rcp: [][]string{{}, {}, {grantTo("Deny", everyone)}}, want: explicit},
		{name: "C2 RCP allow nothing by themselves", principal: user, rcp: [][]string{{grantTo("Allow", everyone)}}, want: implicit},
		{name: "C2 an RCP level without Allow", principal: user, identity: s3, rcp: [][]string{{}}, want: allowed},
		{name: "V41 service-linked role", principal: linked, identity: s3, rcp: notOrg, context: []string{"aws:PrincipalOrgID=o-2"}, want: allowed},
		{name: "V41 the organization's own", principal: user, identity: s3, rcp: notOrg, context: mine, want: allowed},
		{name: "V41 foreign", principal: foreign, identity: s3, resources: public, rcp: notOrg, context: []string{"aws:PrincipalOrgID=o-2"}, want: explicit},
		{name: "V41 service principal", principal: trail, resources: public, rcp: [][]string{{`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`}}, want: explicit},
		{name: "V41 anonymous", principal: "anonymous", resources: public, rcp: [][]string{{`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`}}, want: explicit},
		{name: "C8 RCP and root", principal: root, rcp: denyRCP, want: explicit},
		{name: "V42 RCP on a service without support (C3)", principal: user, action: "sns:Publish", resource: "arn:aws:sns:eu-west-1:111122223333:t", identity: all, rcp: denyRCP, want: allowed, note: "do not bind sns"},
		{name: "C3 sqs", principal: user, action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-west-1:111122223333:q", identity: all, rcp: denyRCP, want: explicit},
		{name: "C.1 RCP on an action without a resource type", principal: user, action: "s3:ListAllMyBuckets", resource: "*", identity: all, rcp: denyRCP, want: allowed},
		{name: "C.1 RCP and kms:RetireGrant", principal: user, action: "kms:RetireGrant", resource: key, identity: all, rcp: denyRCP, want: allowed},
		{name: "C.1 RCP and other actions of KMS", principal: user, action: "kms:Decrypt", resource: key, identity: all, rcp: denyRCP, want: explicit},
		{name: "C.1 RCP and the assumption of a service-linked role", principal: trail, action: "sts:AssumeRole", resource: linked, resources: []string{`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"sts:AssumeRole"}`}, rcp: denyRCP, want: allowed},
		{name: "C11 resource Deny holds for a service-linked role", principal: linked, identity: s3, resources: []string{grantTo("Deny", everyone)}, want: explicit},
		{name: "C.1 boundary and a service-linked role", principal: linked, identity: s3, boundary: []string{denyS3}, want: allowed},
	})
}

// AWS pages "Root user", STS API Reference, "Requesting temporary security
// credentials" and S3 API Reference "PutBucketPolicy".
func TestEvaluateOutsidePolicies(t *testing.T) {
	all, deny := []string{allowAll}, []string{`{"Effect":"Deny","Action":"*","Resource":"*"}`}
	denyAll := []string{grantTo("Deny", everyone)}
	bucket := "arn:aws:s3:::b"
	runAll(t, []test{
		{name: "C.2/7 root of the owner", principal: root, want: allowed},
		{name: "C8 root and a resource Deny", principal: root, resources: denyAll, want: explicit},
		{name: "C8 root is in its account", principal: root, resources: []string{grantTo("Deny", aws(account))}, want: explicit},
		{name: "C8 root has no boundary", principal: root, boundary: []string{denyS3}, want: allowed},
		{name: "C8 AssumeRoot: the task policy limits", principal: root, session: []string{allowEC2}, want: implicit, missing: "session"},
		{name: "C8 root, own bucket policy", principal: root, action: "s3:PutBucketPolicy", resource: bucket, resources: denyAll, want: allowed, because: []string{}, note: "cannot keep the root user"},
		{name: "C8 root, own bucket policy not read", principal: root, action: "s3:DeleteBucketPolicy", resource: bucket, resources: []string{"!known only after apply"}, want: allowed},
		{name: "C8 root, own bucket policy: SCP", principal: root, action: "s3:GetBucketPolicy", resource: bucket, scp: [][]string{{allowAll, denyS3}}, want: explicit},
		{name: "C8 root, own bucket policy: RCP", principal: root, action: "s3:GetBucketPolicy", resource: bucket, rcp: [][]string{denyAll}, want: explicit},
		{name: "C8 root, own bucket policy: endpoint", principal: root, action: "s3:GetBucketPolicy", resource: bucket, endpoint: denyAll, want: explicit},
		{name: "C8 root, another account's bucket policy", principal: root, owner: other, action: "s3:PutBucketPolicy", resource: bucket, resources: []string{grantTo("Allow", everyone) + "," + grantTo("Deny", everyone)}, want: explicit},
		{name: "C8 user, own bucket policy", principal: user, action: "s3:PutBucketPolicy", resource: bucket, identity: all, resources: denyAll, want: explicit},
		{name: "C8 root cannot assume roles", principal: root, action: "sts:AssumeRole", resource: role, resources: []string{`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`}, want: implicit, note: "root user cannot call"},
		{name: "C21 GetCallerIdentity", principal: user, action: "sts:GetCallerIdentity", resource: "*", identity: deny, scp: [][]string{deny}, want: allowed},
		{name: "C21 GetCallerIdentity of a federated user", principal: fed, action: "STS:getcalleridentity", resource: "*", want: allowed},
		{name: "C21 GetSessionToken", principal: user, action: "sts:GetSessionToken", resource: "*", identity: deny, want: allowed},
		{name: "C21 GetSessionToken with temporary credentials", principal: user, action: "sts:GetSessionToken", resource: "*", identity: all, context: []string{"aws:TokenIssueTime=2026-01-01T00:00:00Z"}, want: implicit},
		{name: "C21 GetSessionToken with unknown credentials", principal: user, action: "sts:GetSessionToken", resource: "*", context: []string{"aws:TokenIssueTime=?x"}, want: unknown, unknown: []string{"aws:TokenIssueTime"}},
		{name: "C21 GetSessionToken of a role", principal: role, action: "sts:GetSessionToken", resource: "*", identity: all, want: implicit},
		{name: "C21 GetFederationToken of a role", principal: role, action: "sts:GetFederationToken", resource: "*", identity: all, want: implicit},
		{name: "C21 GetFederationToken of a user", principal: user, action: "sts:GetFederationToken", resource: "arn:aws:sts::111122223333:federated-user/N", identity: all, want: allowed},
		{name: "C21 iam and a federated user", principal: fed, action: "iam:ListUsers", resource: "*", identity: all, session: all, want: implicit, note: "cannot call IAM"},
		{name: "C21 sts:AssumeRole and a federated user", principal: fed, action: "sts:AssumeRole", resource: role, identity: all, session: all, resources: []string{`{"Effect":"Allow","Principal":"*","Action":"*"}`}, want: implicit},
		{name: "C21 another session may call IAM", principal: role, action: "iam:ListUsers", resource: "*", identity: all, want: allowed},
	})
}

// AWS page "AWS JSON policy elements: NotPrincipal".
func TestEvaluateNotPrincipal(t *testing.T) {
	deny := func(name, principal string, want engine.Verdict, listed string, boundary ...string) test {
		return test{name: "A17 " + name, principal: principal, identity: []string{allowAll}, session: []string{allowAll}, boundary: boundary,
			resources: []string{grantTo("Allow", everyone) + "," + grantTo("Deny", listed)}, want: want}
	}
	runAll(t, []test{
		deny("V43 user and account", user, allowed, notAWS(user, root)),
		deny("user and account id", user, allowed, notAWS(user, account)),
		deny("user without account", user, unknown, notAWS(user)),
		deny("account without user", user, explicit, notAWS(root)),
		deny("another user of the account", "arn:aws:iam::111122223333:user/eve", explicit, notAWS(user, root)),
		deny("role and account", role, allowed, notAWS(role, root)),
		deny("session, role and account", role, allowed, notAWS(session, role, root)),
		deny("role without account", role, unknown, notAWS(role)),
		deny("session without role", role, unknown, notAWS(session, root)),
		deny("session alone", role, unknown, notAWS(session)),
		deny("another session, without role", role, explicit, notAWS("arn:aws:sts::111122223333:assumed-role/R/t", root)),
		deny("service-linked role", linked, allowed, notAWS(linked, root)),
		deny("root by its account", root, allowed, notAWS(account)),
		deny("root not listed", root, explicit, notAWS(user)),
		deny("federated user and account", fed, allowed, notAWS(fedARN, root)),
		deny("federated user without account", fed, unknown, notAWS(fedARN)),
		deny("the user of the federated user", fed, explicit, notAWS(user, root)),
		deny("service", trail, allowed, `"NotPrincipal":{"Service":"cloudtrail.amazonaws.com"}`),
		deny("another service", trail, explicit, `"NotPrincipal":{"Service":"config.amazonaws.com"}`),
		deny("service not listed", trail, explicit, notAWS(user, root)),
		deny("anonymous", "anonymous", explicit, notAWS(user, root)),
		deny("everyone", user, allowed, `"NotPrincipal":"*"`),
		deny("everyone, anonymous", "anonymous", allowed, `"NotPrincipal":{"AWS":"*"}`),
		deny("V43 with boundary", user, explicit, notAWS(user, root), allowAll),
		deny("boundary that may not be attached", user, unknown, notAWS(user, root), "?"+allowAll),
		deny("root has no boundary", root, allowed, notAWS(root), allowAll),
		deny("an unknown may be everyone", root, unknown, notAWS("@p")),
		deny("an unknown may be everyone, anonymous", "anonymous", unknown, notAWS("@p")),
		{name: "A17 Maybe Deny without an Allow (0.1.1)", principal: user, resources: []string{grantTo("Deny", notAWS(user))}, want: implicit, note: "explicit deny if"},
		{name: "A18 Allow to the listed", principal: user, resources: []string{grantTo("Allow", notAWS(user, root))}, want: implicit, because: []string{
			"resource[0]:1 Allow notApplies (NotPrincipal wanted " + user + ", " + root + " got " + user + ")",
		}},
		{name: "A18 Allow to others", principal: "arn:aws:iam::111122223333:role/x", resources: []string{grantTo("Allow", notAWS(user))}, want: allowed},
		{name: "A18 Allow to anonymous", principal: "anonymous", resources: []string{grantTo("Allow", notAWS(user, root))}, want: allowed},
		{name: "A18 Allow to services", principal: trail, resources: []string{grantTo("Allow", notAWS(user, root))}, want: allowed},
	})
}

// AWS page "IAM JSON policy elements: Resource" and its neighbours.
func TestEvaluateActionAndResource(t *testing.T) {
	one := func(name, action, resource string, want engine.Verdict, statement string) test {
		return test{name: name, principal: user, action: action, resource: resource, identity: []string{statement}, want: want}
	}
	allow := func(elements string) string { return `{"Effect":"Allow",` + elements + `}` }
	table := "arn:aws:dynamodb:eu-west-1:111122223333:table/x"
	buckets := func(resource string) string {
		return allow(`"Action":"s3:ListAllMyBuckets","Resource":"` + resource + `"`)
	}
	runAll(t, []test{
		one("A19 case does not count", "S3:getobject", object, allowed, allow(`"Action":"s3:GETObject","Resource":"*"`)),
		one("A19 wildcards", "s3:GetObject", object, allowed, allow(`"Action":"s3:?et*","Resource":"*"`)),
		one("A19 *:*", "s3:GetObject", object, allowed, allow(`"Action":"*:*","Resource":"*"`)),
		one("A19 prefix", "s3-outposts:GetObject", object, implicit, allow(`"Action":"s3:*","Resource":"*"`)),
		one("A20 NotAction", "iam:CreateUser", "*", allowed, allow(`"NotAction":"s3:*","Resource":"*"`)),
		one("A20 NotAction, listed", "s3:GetObject", object, implicit, allow(`"NotAction":["ec2:*","s3:*"],"Resource":"*"`)),
		one("A20 NotAction in a Deny", "ec2:RunInstances", "*", explicit, allowAll+`,{"Effect":"Deny","NotAction":["s3:*"],"Resource":"*"}`),
		one("A25 NotResource", "s3:GetObject", object, allowed, allow(`"Action":"s3:*","NotResource":"arn:aws:s3:::c/*"`)),
		one("A25 NotResource, listed", "s3:GetObject", object, implicit, allow(`"Action":"s3:*","NotResource":["arn:aws:s3:::c/*","arn:aws:s3:::b/*"]`)),
		one("A26 a bucket is none of its objects", "s3:ListBucket", "arn:aws:s3:::b", implicit, allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/*"`)),
		one("A22 the resource part is case-sensitive", "s3:GetObject", object, implicit, allow(`"Action":"s3:*","Resource":"arn:aws:s3:::B/*"`)),
		one("A22 '*' crosses colons in the sixth part", "s3:GetObject", "arn:aws:s3:::b/a:b/c", allowed, allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/*c"`)),
		one("A22 segments", "dynamodb:GetItem", table, allowed, allow(`"Action":"*","Resource":"arn:aws:dynamodb:eu-west-?:*:table/x"`)),
		one("A23 a short ARN", "dynamodb:GetItem", table, allowed, allow(`"Action":"*","Resource":"arn:aws:dynamodb:*"`)),
		{name: "A22 a contested '*'", principal: user, action: "dynamodb:GetItem", resource: table, want: unknown,
			identity: []string{allow(`"Action":"*","Resource":"arn:aws:dynamodb:*:table/x"`)}, unknown: []string{"arn:aws:dynamodb:*:table/x"},
			because: []string{"identity[0]:1 Allow maybe (Resource wanted arn:aws:dynamodb:*:table/x got " + table + ")"}},
		{name: "A22 a contested '*' beside a certain one", principal: user, action: "dynamodb:GetItem", resource: table, want: allowed,
			identity: []string{allow(`"Action":"*","Resource":["arn:aws:dynamodb:*:table/x","` + table + `"]`)}},
		{name: "A22 a contested '*' in a Deny", principal: user, action: "dynamodb:GetItem", resource: table, want: unknown,
			identity: []string{allowAll + `,{"Effect":"Deny","Action":"*","Resource":"arn:aws:dynamodb:*:table/x"}`}},
		{name: "A22 a contested '*' in a NotResource", principal: user, action: "dynamodb:GetItem", resource: table, want: unknown,
			identity: []string{allow(`"Action":"*","NotResource":"arn:aws:dynamodb:*:table/x"`)}},
		one("A24 '*'", "s3:ListAllMyBuckets", "*", allowed, buckets("*")),
		one("A24 all buckets", "s3:ListAllMyBuckets", "*", allowed, buckets("arn:aws:s3:::*")),
		one("A24 any partition", "s3:ListAllMyBuckets", "*", allowed, buckets("arn:*:s3:::*")),
		one("A24 short", "s3:ListAllMyBuckets", "*", allowed, buckets("arn:aws:s3:*")),
		one("A24 another partition", "s3:ListAllMyBuckets", "*", implicit, buckets("arn:aws-cn:s3:::*")),
		one("A24 some buckets", "s3:ListAllMyBuckets", "*", implicit, buckets("arn:aws:s3:::dr-*")),
		one("A24 NotResource", "s3:ListAllMyBuckets", "*", allowed, allow(`"Action":"s3:*","NotResource":"arn:aws:s3:::b"`)),
		one("A24 NotResource of all buckets", "s3:ListAllMyBuckets", "*", implicit, allow(`"Action":"s3:*","NotResource":"arn:aws:s3:::*"`)),
		one("A24 other services want '*'", "ec2:DescribeInstances", "*", implicit, allow(`"Action":"ec2:*","Resource":"arn:aws:ec2:*:*:*"`)),
		one("A24 an unknown ARN is not '*'", "ec2:DescribeInstances", "*", unknown, allow(`"Action":"ec2:*","Resource":"@arn"`)),
		one("A24 an unknown bucket", "s3:ListAllMyBuckets", "*", unknown, buckets("@arn")),
		{name: "A24 the caller's partition", principal: "arn:aws-cn:iam::111122223333:user/bob", action: "s3:ListAllMyBuckets", resource: "*", identity: []string{buckets("arn:aws-cn:s3:::*")}, want: allowed},
		one("A33 a variable without a value", "s3:GetObject", object, implicit, allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"`)),
		{name: "V25 own key", principal: user, resource: "arn:aws:s3:::b/bob/x", context: []string{"aws:username=bob"}, identity: []string{allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"`)}, want: allowed},
		{name: "V25 another's key", principal: user, resource: "arn:aws:s3:::b/eve/x", context: []string{"aws:username=bob"}, identity: []string{allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"`)}, want: implicit},
		{name: "V25 a role has no username", principal: role, resource: "arn:aws:s3:::b/bob/x", identity: []string{allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"`)}, want: implicit},
		{name: "V26 NotResource with a variable without a value", principal: role, identity: []string{allowAll + `,{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/${aws:username}/*"}`}, want: explicit},
		{name: "V27 default of a variable", principal: role, resource: "arn:aws:s3:::b/company-wide/x", identity: []string{allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*"`)}, want: allowed},
		{name: "V27 value of a variable", principal: role, resource: "arn:aws:s3:::b/yellow/x", context: []string{"aws:PrincipalTag/team=yellow"}, identity: []string{allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*"`)}, want: allowed},
		{name: "V28 no Version: variables are text", principal: user, resource: "arn:aws:s3:::b/bob/x", context: []string{"aws:username=bob"}, identity: []string{`{"Version":"2008-10-17","Statement":` + allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"`) + `}`}, want: implicit},
		{name: "A32 a substituted '*' is no wildcard", principal: user, context: []string{"aws:username=*"}, identity: []string{allow(`"Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}"`)}, want: implicit},
	})
}

// AWS KMS page "Key policies" and IAM page "How to use trust policies".
func TestEvaluateDelegation(t *testing.T) {
	all := []string{allowAll}
	kms := func(name, principal string, want engine.Verdict, identity []string, keyPolicy ...string) test {
		return test{name: name, principal: principal, action: "kms:Decrypt", resource: key, identity: identity, resources: keyPolicy, want: want}
	}
	trust := func(principal string) string { return `{"Effect":"Allow",` + principal + `,"Action":"sts:AssumeRole"}` }
	assume := func(name, principal string, want engine.Verdict, identity []string, trusts ...string) test {
		return test{name: name, principal: principal, action: "sts:AssumeRole", resource: role, identity: identity, resources: trusts, want: want}
	}
	runAll(t, []test{
		kms("V36 delegating key policy, identity allows", role, allowed, all, grantTo("Allow", aws(root))),
		kms("V36 delegating key policy alone", role, implicit, nil, grantTo("Allow", aws(root))),
		kms("V37 key policy does not delegate", role, implicit, all, grantTo("Allow", aws(user))),
		kms("C5 identity Deny works all the same", user, explicit, []string{`{"Effect":"Deny","Action":"kms:*","Resource":"*"}`}, grantTo("Allow", aws(user))),
		kms("C5 key policy names the user", user, allowed, nil, grantTo("Allow", aws(user))),
		kms("C5 key policy names everyone", user, allowed, nil, grantTo("Allow", everyone)),
		kms("C.2/7 root and a key policy that does not name it", root, implicit, nil, grantTo("Allow", aws(user))),
		kms("C.2/7 root and a delegating key policy", root, allowed, nil, grantTo("Allow", aws(root))),
		kms("C.2/9 key of another account", foreign, allowed, all, grantTo("Allow", aws(other))),
		{name: "C5 KMS default key policy", principal: role, action: "kms:Decrypt", resource: key, identity: all, want: allowed, note: "default key policy is assumed"},
		{name: "C5 default key policy and another account", principal: foreign, action: "kms:Decrypt", resource: key, identity: all, want: implicit, missing: "resource"},
		{name: "C5 default key policy and root", principal: root, action: "kms:Decrypt", resource: key, want: allowed},
		{name: "C5 actions without a key", principal: role, action: "kms:ListKeys", resource: "*", identity: all, want: allowed},
		{name: "C5 an alias has no policy", principal: role, action: "kms:CreateAlias", resource: "arn:aws:kms:eu-west-1:111122223333:alias/a", identity: all, want: allowed},
		{name: "C5 key policy not read", principal: role, action: "kms:Decrypt", resource: key, identity: all, resources: []string{"!known only after apply"}, want: unknown, unknown: []string{"resource[0]: known only after apply"}},
		{name: "C5 key policy that may not be attached", principal: role, action: "kms:Decrypt", resource: key, identity: all, resources: []string{"?" + grantTo("Allow", aws(user))}, want: unknown},
		{name: "C5 it may be a key", principal: role, action: "kms:Decrypt", resource: "@arn", identity: all, resources: []string{grantTo("Allow", aws(user))}, want: unknown},
		assume("V38 trust names the user, same account", user, allowed, nil, trust(aws(user))),
		{name: "V38 trust names the user, other account", principal: foreign, action: "sts:AssumeRole", resource: role, resources: []string{trust(aws(foreign))}, want: implicit, missing: "identity"},
		assume("C5 trust names the account", user, implicit, nil, trust(aws(root))),
		assume("C5 trust names the account, identity allows", user, allowed, all, trust(aws(root))),
		assume("C5 identity without trust", user, implicit, all, trust(aws(role))),
		assume("C5 trust names a service", trail, allowed, nil, trust(`"Principal":{"Service":"cloudtrail.amazonaws.com"}`)),
		{name: "C5 sts:TagSession is an action of its own", principal: user, action: "sts:TagSession", resource: role, identity: all, resources: []string{trust(aws(root))}, want: implicit},
		{name: "C5 no trust policy", principal: user, action: "sts:AssumeRole", resource: role, identity: all, want: unknown, unknown: []string{"the trust policy of " + role}},
		{name: "C5 no trust policy and an SCP Deny", principal: user, action: "sts:AssumeRole", resource: role, scp: [][]string{{`{"Effect":"Deny","Action":"*","Resource":"*"}`}}, want: explicit},
	})
}

// Rule 0.1.1: what may apply is judged in all possible worlds.
func TestEvaluateUnknown(t *testing.T) {
	s3 := []string{allowS3}
	maybe := func(effect string) string {
		return `{"Effect":"` + effect + `","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`
	}
	ctx := []string{"aws:SourceVpc=?vpc-1"}
	const waits = "(aws:SourceVpc StringEquals wanted vpc-1 got unknown)"
	runAll(t, []test{
		{name: "Maybe Allow", principal: user, context: ctx, identity: []string{maybe("Allow")}, want: unknown, unknown: []string{"aws:SourceVpc (StringEquals vpc-1, got unknown)"}, because: []string{"identity[0]:1 Allow maybe " + waits}},
		{name: "Maybe Allow and Allow", principal: user, context: ctx, identity: []string{maybe("Allow"), allowS3}, want: allowed},
		{name: "Maybe Deny and Allow", principal: user, context: ctx, identity: []string{maybe("Deny"), allowS3}, want: unknown, because: []string{"identity[0]:1 Deny maybe " + waits, "identity[1]:1 Allow applies"}},
		{name: "Maybe Deny and no Allow", principal: user, context: ctx, identity: []string{maybe("Deny")}, want: implicit, note: "explicit deny if"},
		{name: "Maybe Deny and Deny", principal: user, context: ctx, identity: []string{maybe("Deny") + "," + denyS3 + "," + allowS3}, want: explicit},
		{name: "Maybe Allow and Deny", principal: user, context: ctx, identity: []string{maybe("Allow") + "," + denyS3}, want: explicit},
		{name: "Maybe Allow and boundary without", principal: user, context: ctx, identity: []string{maybe("Allow")}, boundary: []string{allowEC2}, want: implicit, missing: "boundary"},
		{name: "a condition that holds either way", principal: user, context: []string{"aws:SourceVpc=?vpc-2"}, want: allowed, identity: []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`}},
		{name: "a condition that fails either way", principal: user, context: []string{"aws:SourceVpc=?vpc-2"}, identity: []string{maybe("Allow")}, want: implicit},
		{name: "identity not read", principal: user, identity: []string{"!known only after apply"}, want: unknown, unknown: []string{"identity[0]: known only after apply"}, because: []string{"identity[0]:0  maybe (policy wanted known only after apply got unknown)"}},
		{name: "identity not read, another allows: it may deny", principal: user, identity: []string{"!x", allowS3}, want: unknown},
		{name: "identity not read, another denies", principal: user, identity: []string{"!x", denyS3}, want: explicit},
		{name: "boundary not read", principal: user, identity: s3, boundary: []string{"!x"}, want: unknown},
		{name: "boundary not read, nothing allows", principal: user, boundary: []string{"!x"}, want: implicit},
		{name: "SCP not read", principal: user, identity: s3, scp: [][]string{{allowAll}, {"!x", allowAll}}, want: unknown},
		{name: "SCP not read and a service principal", principal: trail, resources: []string{grantTo("Allow", everyone)}, scp: [][]string{{"!x"}}, want: allowed},
		{name: "RCP not read", principal: user, identity: s3, rcp: [][]string{{"!x"}}, want: unknown},
		{name: "endpoint policy not read", principal: user, identity: s3, endpoint: []string{"!x"}, want: unknown},
		{name: "resource policy not read, nothing else", principal: trail, resources: []string{"!x"}, want: unknown},
		{name: "attachment unsure: identity", principal: user, identity: []string{"?" + allowS3}, want: unknown, unknown: []string{"whether identity[0] is attached"}, because: []string{"identity[0]:1 Allow maybe (attachment wanted whether identity[0] is attached got unknown)"}},
		{name: "attachment unsure: Deny", principal: user, identity: []string{allowS3, "?" + denyS3}, want: unknown},
		{name: "attachment unsure: boundary that allows", principal: user, identity: s3, boundary: []string{"?" + allowAll}, want: allowed},
		{name: "attachment unsure: boundary that does not", principal: user, identity: s3, boundary: []string{"?" + allowEC2}, want: unknown, unknown: []string{"whether boundary[0] is attached"}},
		{name: "attachment unsure: one of two boundaries", principal: user, identity: s3, boundary: []string{"?" + allowS3, "?" + allowEC2}, want: unknown},
		{name: "attachment unsure: endpoint policy", principal: user, identity: s3, endpoint: []string{"?" + grantTo("Allow", aws(other))}, want: unknown},
		{name: "attachment unsure: SCP on a level that allows", principal: user, identity: s3, scp: [][]string{{allowAll, "?" + allowEC2}}, want: allowed},
		{name: "attachment unsure: SCP Deny", principal: user, identity: s3, scp: [][]string{{allowAll, "?" + denyS3}}, want: unknown},
		{name: "unknown statement", principal: user, identity: []string{`"@s"`}, want: unknown, unknown: []string{"@s"}},
		{name: "unknown statement beside an Allow", principal: user, identity: []string{`"@s"`, allowS3}, want: unknown},
		{name: "unknown effect", principal: user, identity: []string{`{"Effect":"@e","Action":"*","Resource":"*"},` + allowS3}, want: unknown},
		{name: "unknown effect of a statement on something else", principal: user, identity: []string{`{"Effect":"@e","Action":"ec2:*","Resource":"*"},` + allowS3}, want: allowed},
		{name: "unknown action", principal: user, identity: []string{`{"Effect":"Allow","Action":"@a","Resource":"*"}`}, want: unknown, because: []string{"identity[0]:1 Allow maybe (Action wanted ${@a} got s3:GetObject)"}},
		{name: "unknown resource", principal: user, identity: []string{`{"Effect":"Allow","Action":"s3:*","Resource":"@r"}`}, want: unknown, because: []string{"identity[0]:1 Allow maybe (Resource wanted ${@r} got arn:aws:s3:::b/k)"}},
		{name: "unknown condition value", principal: user, context: []string{"aws:SourceVpc=vpc-1"}, identity: []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"@v"}}}`}, want: unknown},
		{name: "unknown principal", principal: user, resources: []string{grantTo("Allow", `"Principal":{"AWS":"@p"}`)}, want: unknown, because: []string{"resource[0]:1 Allow maybe (Principal wanted ${@p} got " + user + ")"}},
		{name: "unknown principal may be everyone: anonymous", principal: "anonymous", resources: []string{grantTo("Allow", `"Principal":{"AWS":"@p"}`)}, want: unknown},
		{name: "unknown principal may be everyone: service", principal: trail, resources: []string{grantTo("Allow", `"Principal":{"AWS":"@p"}`)}, want: unknown},
		{name: "unknown Principal element", principal: "anonymous", resources: []string{grantTo("Allow", `"Principal":"@p"`)}, want: unknown},
		{name: "unknown service", principal: trail, resources: []string{grantTo("Allow", `"Principal":{"Service":"@p"}`)}, want: unknown},
		{name: "unknown service is no user", principal: user, resources: []string{grantTo("Allow", `"Principal":{"Service":"@p"}`)}, want: implicit},
	})
}

// AWS page "AWS JSON policy elements: Principal": an unknown inside an ARN.
func TestEvaluateUnknownAccount(t *testing.T) {
	allow := func(principal string) []string { return []string{grantTo("Allow", aws(principal))} }
	s3 := []string{allowS3}
	runAll(t, []test{
		{name: "the root of an account", principal: user, identity: s3, resources: []string{grantTo("Deny", aws("arn:aws:iam::@a@:root"))}, want: unknown},
		{name: "an account id", principal: user, identity: s3, resources: []string{grantTo("Deny", aws("@%a@"))}, want: unknown},
		{name: "an account id is no user", principal: user, resources: allow("@%a@"), want: implicit},
		{name: "an account across accounts", principal: foreign, identity: s3, resources: allow("arn:aws:iam::@a@:root"), want: unknown},
		{name: "an account and anonymous", principal: "anonymous", resources: allow("arn:aws:iam::@a@:root"), want: implicit},
		{name: "a user of an account", principal: user, resources: allow("arn:aws:iam::@%a@:user/bob"), want: unknown},
		{name: "another user of an account", principal: user, resources: allow("arn:aws:iam::@%a@:user/eve"), want: implicit},
		{name: "something in the account", principal: user, resources: allow("arn:aws:iam::111122223333:@r@"), want: unknown},
		{name: "something in another account", principal: user, resources: allow("arn:aws:iam::444455556666:@r@"), want: implicit},
		{name: "something of the account delegates the key", principal: role, action: "kms:Decrypt", resource: key, identity: []string{allowAll}, resources: allow("arn:aws:iam::111122223333:@r@"), want: unknown},
	})
}

// AWS page "Blocking public access to your Amazon S3 storage".
func TestEvaluateRestrictPublicBuckets(t *testing.T) {
	s3 := []string{allowS3}
	public := grantTo("Allow", everyone) + "," + grantTo("Allow", aws(foreign))
	with := func(condition string) []string {
		return []string{`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":` + condition + `},` + grantTo("Allow", aws(foreign))}
	}
	cut := []string{"identity[0]:1 Allow applies", "resource[0]:1 Allow applies", "resource[0]:2 Allow applies", "S3 Block Public Access:0 Deny applies"}
	tests := []test{
		{name: "V47 same account", principal: user, restrict: kleene.True, resources: []string{public}, want: allowed},
		{name: "V47 across accounts, named by the second statement", principal: foreign, restrict: kleene.True, identity: s3, resources: []string{public}, want: explicit, because: cut},
		{name: "V47 service principal", principal: trail, restrict: kleene.True, resources: []string{public}, want: allowed},
		{name: "C16 anonymous", principal: "anonymous", restrict: kleene.True, resources: []string{public}, want: explicit},
		{name: "C16 not set", principal: foreign, identity: s3, resources: []string{public}, want: allowed},
		{name: "C16 setting not known", principal: foreign, restrict: kleene.Unknown, identity: s3, resources: []string{public}, want: unknown, unknown: []string{"S3 Block Public Access"}},
		{name: "C16 no public policy", principal: foreign, restrict: kleene.True, identity: s3, resources: []string{grantTo("Allow", aws(foreign))}, want: allowed},
		{name: "C16 a Deny is not public", principal: foreign, restrict: kleene.True, identity: s3, resources: []string{grantTo("Allow", aws(foreign)) + `,{"Effect":"Deny","Principal":"*","Action":"s3:Put*","Resource":"*"}`}, want: allowed},
		{name: "C16 owner not known", principal: user, owner: "@", restrict: kleene.True, identity: s3, resources: []string{public}, want: unknown},
		{name: "C16 policy not read", principal: foreign, restrict: kleene.True, identity: s3, resources: []string{"!x"}, want: unknown},
		{name: "C17 Allow with NotPrincipal is public", principal: foreign, restrict: kleene.True, identity: s3, resources: []string{grantTo("Allow", notAWS(user)) + "," + grantTo("Allow", aws(foreign))}, want: explicit},
	}
	for _, c := range []struct {
		condition string
		public    bool
	}{
		{`{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`, false},
		{`{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`, true},
		{`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}`, true},
		{`{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}`, true},
		{`{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}}`, true},
		{`{"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}}`, false},
		{`{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}`, true},
		{`{"StringEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}}`, false},
		{`{"StringLike":{"aws:SourceVpce":["vpce-1","vpce-*"]}}`, true},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`, false},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/R"}}`, true},
		{`{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111122223333:trail/*"}}`, false},
		{`{"Bool":{"aws:PrincipalIsAWSService":"true"}}`, false},
		{`{"Bool":{"aws:PrincipalIsAWSService":"false"}}`, true},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, true},
		{`{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, true},
		{`{"IpAddress":{"aws:SourceIp":"12.0.0.0/7"}}`, true},
		{`{"IpAddress":{"aws:SourceIp":"12.0.0.0/8"}}`, false},
		{`{"IpAddress":{"aws:SourceIp":"2001:db8::/31"}}`, true},
		{`{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}`, false},
		{`{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}}`, true},
		{`{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}`, false},
		{`{"StringLike":{"aws:userid":"AROA*:*"}}`, true},
		{`{"StringLike":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"` + key + `"}}`, false},
		{`{"StringEquals":{"s3:prefix":"x","aws:SourceVpc":"vpc-1"}}`, false},
		{`{"Null":{"aws:SourceVpc":"false"}}`, true},
	} {
		want := allowed
		if c.public {
			want = explicit
		}
		tests = append(tests, test{name: "C17 " + c.condition, principal: foreign, restrict: kleene.True, identity: s3, resources: with(c.condition), want: want})
	}
	runAll(t, tests)
}

// AWS PrivateLink page "Control access to VPC endpoints using endpoint policies".
func TestEvaluateGatewayEndpoint(t *testing.T) {
	own, s3 := grantTo("Allow", aws(account)), []string{allowS3}
	runAll(t, []test{
		{name: "A11 interface endpoint", principal: user, identity: s3, endpoint: []string{own}, want: allowed},
		{name: "A11 gateway endpoint", principal: user, identity: s3, endpoint: []string{own}, gateway: kleene.True, want: implicit, missing: "vpcEndpoint"},
		{name: "A11 gateway endpoint and the root user", principal: root, endpoint: []string{own}, gateway: kleene.True, want: allowed},
		{name: "A11 a Deny for the account", principal: user, identity: s3, endpoint: []string{grantTo("Allow", everyone) + "," + grantTo("Deny", aws(root))}, gateway: kleene.True, want: allowed},
		{name: "A11 a role", principal: role, identity: s3, endpoint: []string{grantTo("Allow", aws(role))}, gateway: kleene.True, want: allowed},
		{name: "A11 a service without gateway endpoints", principal: user, action: "kms:Decrypt", resource: key, identity: []string{allowAll}, endpoint: []string{own}, gateway: kleene.True, want: allowed},
		{name: "A11 the account in other policies", principal: foreign, identity: s3, resources: []string{grantTo("Allow", aws(other))}, endpoint: []string{grantTo("Allow", everyone)}, gateway: kleene.True, want: allowed},
		{name: "A11 not known which", principal: user, identity: s3, endpoint: []string{own}, gateway: kleene.Unknown, want: unknown, unknown: []string{"against " + account, "gateway endpoint"}},
	})
}

// What AWS leaves open is said, and can be assumed.
func TestEvaluateRulings(t *testing.T) {
	yes, no := true, false
	negated := []string{allowS3 + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}`}
	via := []string{"aws:CalledVia=[athena.amazonaws.com]"}
	perhaps := []string{"aws:CalledVia=?athena.amazonaws.com"}
	deny := func(condition string) []string {
		return []string{allowS3 + `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":` + condition + `}`}
	}
	const assumed = "assumed: a negated operator over a key that holds a set is "
	runAll(t, []test{
		{name: "B16", principal: user, identity: negated, context: via, want: unknown, unknown: []string{"AWS does not say what StringNotEquals makes of a key that holds a set"}},
		{name: "B16 assumed to hold", principal: user, identity: negated, context: via, assume: engine.Assumptions{NegatedSet: &yes}, want: explicit, note: assumed + "true"},
		{name: "B16 assumed to fail", principal: user, identity: negated, context: via, assume: engine.Assumptions{NegatedSet: &no}, want: allowed, note: assumed + "false"},
		{name: "B16 assumed to fail, perhaps absent", principal: user, identity: negated, context: perhaps, assume: engine.Assumptions{NegatedSet: &no}, want: unknown},
		{name: "B16 assumed to hold, perhaps absent", principal: user, identity: negated, context: perhaps, assume: engine.Assumptions{NegatedSet: &yes}, want: explicit},
		{name: "B16 absent", principal: user, identity: negated, assume: engine.Assumptions{NegatedSet: &no}, want: explicit},
		{name: "B7", principal: user, identity: deny(`{"ForAnyValue:StringEqualsIfExists":{"aws:CalledVia":"x"}}`), want: unknown, unknown: []string{"AWS does not say whether ForAnyValue:StringEqualsIfExists holds without the key"}},
		{name: "B13 policy value", principal: user, context: []string{"aws:SourceIp=192.0.2.1"}, identity: deny(`{"NotIpAddress":{"aws:SourceIp":"office"}}`), want: unknown, unknown: []string{"what NotIpAddress makes of a malformed value"}},
		{name: "B13 context value", principal: user, context: []string{"x:n=ten"}, identity: deny(`{"NumericNotEquals":{"x:n":"1"}}`), want: unknown, unknown: []string{"what NumericNotEquals makes of a malformed value"}},
		{name: "a value that is not known", principal: user, context: []string{"aws:SourceVpc=vpc-1"}, identity: deny(`{"StringNotEquals":{"aws:SourceVpc":"@v"}}`), want: unknown, unknown: []string{"got vpc-1)"}},
		{name: "A17", principal: user, identity: []string{allowS3}, resources: []string{grantTo("Deny", notAWS(user))}, want: unknown, unknown: []string{user + " against " + user + ": AWS says that NotPrincipal may deny a caller"}},
		{name: "A18", principal: "anonymous", resources: []string{grantTo("Allow", notAWS(user))}, want: allowed, note: "does not support Allow with NotPrincipal"},
		{name: "A22", principal: user, action: "lambda:InvokeFunction", resource: "arn:aws:lambda:eu-west-1:111122223333:function:f", identity: []string{`{"Effect":"Allow","Action":"*","Resource":"arn:aws:lambda:*:function:f"}`}, want: unknown, unknown: []string{"AWS's pages disagree whether a \"*\" before a colon runs on"}},
		{name: "C5 a service that delegates", principal: user, action: "elasticfilesystem:ClientMount", resource: "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", identity: []string{allowAll}, assume: engine.Assumptions{Delegating: []string{"elasticfilesystem"}}, want: implicit, note: "assumed: the resource policies of elasticfilesystem"},
		{name: "C5 it names the account", principal: user, action: "elasticfilesystem:ClientMount", resource: "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", identity: []string{allowAll}, resources: []string{grantTo("Allow", aws(account))}, assume: engine.Assumptions{Delegating: []string{"elasticfilesystem"}}, want: allowed},
		{name: "C5 not assumed", principal: user, action: "elasticfilesystem:ClientMount", resource: "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", identity: []string{allowAll}, want: allowed},
	})
}

// What grants on the resource's side beside its policy.
func TestEvaluateGrants(t *testing.T) {
	acl := func(statements string) []policy.Attached {
		a := doc(t, statements, "acl", policy.Resource)
		a.Grant = true
		return []policy.Attached{a}
	}
	everybodyLists := acl(`{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`)
	toRole := acl(`{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"kms:Decrypt","Resource":"*"}`)
	share := acl(`{"Effect":"Allow","Principal":{"AWS":"` + other + `"},"Action":"glue:GetTable","Resource":"*"}`)
	const bucket, table = "arn:aws:s3:::b", "arn:aws:glue:eu-west-1:111122223333:table/d/t"
	runAll(t, []test{
		{name: "C15 everybody", principal: "anonymous", action: "s3:ListBucket", resource: bucket, grants: everybodyLists, want: allowed, because: []string{"acl:1 Allow applies"}},
		{name: "C15 the list of a bucket does not speak of objects", principal: "anonymous", grants: everybodyLists, want: implicit},
		{name: "C15 no list", principal: "anonymous", action: "s3:ListBucket", resource: bucket, want: implicit, note: "an access control list would allow it too"},
		{name: "C15 no list, same account", principal: user, action: "s3:ListBucket", resource: bucket, want: implicit, noNote: "access control list"},
		{name: "C15 a Deny of the policy", principal: "anonymous", action: "s3:ListBucket", resource: bucket, grants: everybodyLists, resources: []string{grantTo("Deny", everyone)}, want: explicit},
		{name: "C15 across accounts both sides", principal: foreign, action: "s3:ListBucket", resource: bucket, grants: everybodyLists, want: implicit, missing: "identity"},
		{name: "C15 is no public policy", principal: "anonymous", action: "s3:ListBucket", resource: bucket, grants: everybodyLists, restrict: kleene.True, want: allowed},
		{name: "C19 grant of a key", principal: role, action: "kms:Decrypt", resource: key, grants: toRole, want: allowed},
		{name: "C19 no grant", principal: role, action: "kms:Decrypt", resource: key, resources: []string{grantTo("Allow", aws(user))}, want: implicit, note: "a grant of the key would allow it too"},
		{name: "C19 a grant replaces the key policy", principal: role, action: "kms:Decrypt", resource: key, resources: []string{grantTo("Allow", aws(user))}, grants: toRole, want: allowed},
		{name: "C19 and leaves the default one", principal: user, action: "kms:Decrypt", resource: key, identity: []string{allowAll}, grants: toRole, want: allowed, note: "default key policy"},
		{name: "C20 share", principal: foreign, action: "glue:GetTable", resource: table, identity: []string{allowAll}, grants: share, want: allowed, note: "Lake Formation"},
		{name: "C20 no share", principal: foreign, action: "glue:GetTable", resource: table, identity: []string{allowAll}, want: implicit, note: "Resource Access Manager"},
		{name: "C20 Lake Formation governs no writes", principal: user, action: "glue:StartJobRun", resource: table, identity: []string{allowAll}, want: allowed, noNote: "Lake Formation"},
	})
}

// Amazon S3 page "Configuring IAM policies for using access points".
func TestEvaluateAccessPoint(t *testing.T) {
	const point = "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/k"
	s3, all := []string{allowS3}, grantTo("Allow", everyone)
	behind := func(statements ...string) *engine.Bucket {
		return &engine.Bucket{Resource: lit(object), Policies: docs(t, statements, "bucket", policy.Resource)}
	}
	onBucket := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
	onPoint := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/*"}`
	const notKnown = "the policy of the bucket behind the access point"
	runAll(t, []test{
		{name: "C18 same account, the identity allows", principal: user, resource: point, identity: s3, want: allowed, note: notKnown},
		{name: "C18 same account, the bucket allows", principal: user, resource: point, bucket: behind(onBucket), want: allowed, because: []string{"bucket[0]:1 Allow applies"}},
		{name: "C18 same account, the access point allows", principal: user, resource: point, resources: []string{onPoint}, bucket: behind(), want: allowed},
		{name: "C18 a policy on the other ARN", principal: user, resource: point, resources: []string{onBucket}, bucket: behind(onPoint), want: implicit},
		{name: "C18 the bucket denies", principal: user, resource: point, identity: s3, bucket: behind(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/k"}`), want: explicit, because: []string{"identity[0]:1 Allow applies", "bucket[0]:1 Deny applies"}},
		{name: "C18 across accounts both", principal: foreign, resource: point, identity: s3, resources: []string{onPoint}, bucket: behind(onBucket), want: allowed},
		{name: "C18 across accounts the access point alone", principal: foreign, resource: point, identity: s3, resources: []string{onPoint}, bucket: behind(), want: implicit},
		{name: "C18 across accounts the bucket alone", principal: foreign, resource: point, identity: s3, bucket: behind(onBucket), want: implicit},
		{name: "C18 across accounts, bucket not known", principal: foreign, resource: point, identity: s3, resources: []string{onPoint}, want: unknown, unknown: []string{notKnown}},
		{name: "C18 across accounts, nothing allows", principal: foreign, resource: point, identity: s3, want: implicit},
		{name: "C18 anonymous needs both", principal: "anonymous", resource: point, resources: []string{onPoint}, bucket: behind(onBucket), want: allowed},
		{name: "C18 anonymous and one", principal: "anonymous", resource: point, resources: []string{onPoint}, bucket: behind(), want: implicit},
		{name: "C18 owner not known, one allows", principal: user, owner: "@", resource: point, resources: []string{onPoint}, identity: s3, bucket: behind(), want: unknown},
		{name: "C18 owner not known, both allow", principal: user, owner: "@", resource: point, resources: []string{onPoint}, identity: s3, bucket: behind(onBucket), want: allowed},
		{name: "C18 no access point", principal: foreign, identity: s3, resources: []string{all}, want: allowed},
	})
}

// AWS page "Requesting temporary security credentials".
func TestEvaluateUserSession(t *testing.T) {
	all := []string{allowAll}
	const users = "arn:aws:iam::111122223333:user/eve"
	token, perhaps := "aws:TokenIssueTime=2026-01-01T00:00:00Z", "aws:TokenIssueTime=?2026-01-01T00:00:00Z"
	which := []string{"of GetSessionToken, which cannot call"}
	runAll(t, []test{
		{name: "C21 IAM with a long-term key", principal: user, action: "iam:GetUser", resource: users, identity: all, want: allowed},
		{name: "C21 IAM with a session", principal: user, action: "iam:GetUser", resource: users, identity: all, context: []string{token}, want: unknown, unknown: which},
		{name: "C21 IAM with perhaps a session", principal: user, action: "iam:GetUser", resource: users, identity: all, context: []string{perhaps}, want: unknown, unknown: which},
		{name: "C21 IAM with a session and MFA", principal: user, action: "iam:GetUser", resource: users, identity: all, context: []string{token, "aws:MultiFactorAuthPresent=True"}, want: allowed},
		{name: "C21 IAM through a service", principal: user, action: "iam:GetUser", resource: users, identity: all, context: []string{token, "aws:ViaAWSService=true"}, want: allowed},
		{name: "C21 IAM with a session, nothing allows", principal: user, action: "iam:GetUser", resource: users, context: []string{token}, want: implicit},
		{name: "C21 IAM with the session of a role", principal: role, action: "iam:GetUser", resource: users, identity: all, context: []string{token}, want: allowed},
		{name: "C21 STS with a session", principal: user, action: "sts:DecodeAuthorizationMessage", resource: "*", identity: all, context: []string{token, "aws:MultiFactorAuthPresent=true"}, want: unknown, unknown: which},
		{name: "C21 AssumeRole with a session", principal: user, action: "sts:AssumeRole", resource: role, resources: []string{grantTo("Allow", aws(user))}, context: []string{token}, want: allowed},
		{name: "C21 S3 with a session", principal: user, identity: all, context: []string{token}, want: allowed},
	})
}

// C9, C14: callers that have only the resource's policy.
func TestEvaluateWithoutIdentity(t *testing.T) {
	public := []string{grantTo("Allow", everyone)}
	runAll(t, []test{
		{name: "C14 anonymous", principal: "anonymous", resources: public, want: allowed},
		{name: "C14 anonymous, no policy", principal: "anonymous", want: implicit, missing: "resource"},
		{name: "C14 identity policies are nobody's", principal: "anonymous", identity: []string{allowAll}, want: implicit},
		{name: "C9 service principal: identity, boundary and session do not exist", principal: trail, identity: []string{denyS3}, boundary: []string{denyS3}, session: []string{denyS3}, resources: public, want: allowed},
		{name: "C9 service principal, no policy", principal: trail, identity: []string{allowAll}, want: implicit, missing: "resource"},
		{name: "C14 anonymous and the account", principal: "anonymous", resources: []string{grantTo("Allow", aws(account))}, want: implicit},
	})
	if p := (&request.Principal{Kind: request.FederatedIdentity}); p.Entity() {
		t.Error("a federated identity is an AWS identity of some account")
	}
}
