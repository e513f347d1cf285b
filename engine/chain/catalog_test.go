package chain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

const (
	theKey   = "arn:aws:kms:eu-west-1:" + account + ":key/k"
	tableARN = "arn:aws:dynamodb:eu-west-1:" + account + ":table/orders"
	queueARN = "arn:aws:sqs:eu-west-1:" + account + ":jobs"
	topicARN = "arn:aws:sns:eu-west-1:" + account + ":news"
)

// target adds a resource of a kind.
func (w *world) target(t testing.TB, kind chain.TargetKind, arn string, policies ...string) *chain.Target {
	out := w.resource(t, arn, policies...)
	out.Kind, out.Tags = kind, map[string]symbol.Text{}
	return out
}

// key adds a key whose policy lets the identity policies of the account decide.
func (w *world) key(t testing.TB, policies ...string) {
	if len(policies) == 0 {
		policies = []string{statement("Allow", `{"AWS":"`+account+`"}`, "kms:*", "*", "")}
	}
	w.target(t, chain.KeyTarget, theKey, policies...)
}

func join(statements ...string) string { return strings.Join(statements, ",") }

// F5 with the policies of AWS's blog post on calls that services make (V09 to V11):
// the table and its key are open to CloudFormation alone.
func TestCloudFormationDynamoDBKMS(t *testing.T) {
	via := func(op, key, value string) string { return `{"` + op + `":{"` + key + `":` + value + `}}` }
	const cfn, ddb = `"cloudformation.amazonaws.com"`, `"dynamodb.amazonaws.com"`
	first := join(
		allow("cloudformation:CreateStack", "*"),
		statement("Allow", "", "dynamodb:GetItem", "*", via("ForAnyValue:StringEquals", "aws:CalledVia", "["+cfn+"]")),
		statement("Allow", "", "kms:Decrypt", "*", via("ForAnyValue:StringEquals", "aws:CalledVia", "["+ddb+"]")),
	)
	second := join(
		allow("cloudformation:CreateStack", "*"),
		statement("Allow", "", "dynamodb:GetItem", "*", via("StringEquals", "aws:CalledViaFirst", cfn)),
		statement("Allow", "", "kms:Decrypt", "*", via("StringEquals", "aws:CalledViaFirst", cfn)),
	)
	third := strings.Replace(second, `"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:CalledViaFirst":`+cfn+`}}`,
		`"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:CalledViaFirst":`+cfn+`,"aws:CalledViaLast":`+ddb+`}}`, 1)
	for _, tc := range []struct {
		name, identity, chain, action string
		want                          engine.Verdict
		broken                        int
	}{
		{"V09", first, "cloudformation-dynamodb-kms", "dynamodb:GetItem", engine.Allowed, 0},
		{"V09", first, "direct-corporate", "dynamodb:GetItem", engine.ImplicitDeny, 1},
		{"V09", first, "direct-corporate", "kms:Decrypt", engine.ImplicitDeny, 1},
		{"V09", first, "dynamodb-kms", "dynamodb:GetItem", engine.ImplicitDeny, 1},
		{"V10", second, "cloudformation-dynamodb-kms", "dynamodb:GetItem", engine.Allowed, 0},
		{"V10", join(second, allow("dynamodb:GetItem", "*")), "dynamodb-kms", "dynamodb:GetItem", engine.ImplicitDeny, 2},
		{"V09, the key", join(first, allow("dynamodb:GetItem", "*")), "dynamodb-kms", "dynamodb:GetItem", engine.Allowed, 0},
		{"V11", third, "cloudformation-dynamodb-kms", "dynamodb:GetItem", engine.Allowed, 0},
		{"V11", third, "cloudformation", "kms:Decrypt", engine.ImplicitDeny, 2},
	} {
		w := newWorld(t)
		w.role(t, "deployer", "", tc.identity)
		w.target(t, chain.TableTarget, tableARN).Key = lit(theKey)
		w.key(t)
		verdict(t, find(t, run(w), tc.chain, tc.action, "role.deployer"), tc.want, tc.broken)
	}
}

// What follows from encryption: the service asks for the key on the caller's behalf.
func TestEncrypted(t *testing.T) {
	const decrypt = `,{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"SERVICE.eu-west-1.amazonaws.com"}}}`
	for _, tc := range []struct {
		kind         chain.TargetKind
		id, arn      string
		action, asks string
	}{
		{chain.BucketTarget, "s3-kms", "arn:aws:s3:::data", "s3:GetObject", "kms:Decrypt"},
		{chain.BucketTarget, "s3-kms", "arn:aws:s3:::data", "s3:PutObject", "kms:GenerateDataKey"},
		{chain.TableTarget, "dynamodb-kms", tableARN, "dynamodb:PutItem", "kms:Decrypt"},
		{chain.QueueTarget, "sqs-kms", queueARN, "sqs:SendMessage", "kms:GenerateDataKey kms:Decrypt"},
		{chain.QueueTarget, "sqs-kms", queueARN, "sqs:ReceiveMessage", "kms:Decrypt"},
		{chain.TopicTarget, "sns-kms", topicARN, "sns:Publish", "kms:GenerateDataKey kms:Decrypt"},
		{chain.SecretTarget, "secretsmanager-kms", "arn:aws:secretsmanager:eu-west-1:" + account + ":secret:s-abcdef", "secretsmanager:GetSecretValue", "kms:Decrypt"},
	} {
		t.Run(tc.id+" "+tc.action, func(t *testing.T) {
			service := strings.TrimSuffix(tc.id, "-kms")
			w := newWorld(t)
			w.role(t, "may", "", allow(tc.action, "*")+strings.Replace(decrypt, "SERVICE", service, 1))
			w.role(t, "may-not", "", allow(tc.action, "*"))
			w.target(t, tc.kind, tc.arn).Key = lit(theKey)
			w.key(t)
			res := run(w, tc.id)
			r := find(t, res, tc.id, tc.action, "role.may")
			verdict(t, r, engine.Allowed, 0)
			var asked []string
			for i, h := range r.Hops[1:] {
				asked = append(asked, h.Request.Action)
				if got := h.Request.Resource.String(); got != theKey {
					t.Errorf("%s is asked for on %s", h.Request.Action, got)
				}
				if got, want := value(t, r, i+1, "aws:CalledViaLast"), service+".amazonaws.com"; got != want {
					t.Errorf("aws:CalledViaLast: got %s, want %s", got, want)
				}
				if keys := value(t, r, i+1, "kms:EncryptionContextKeys"); keys == "" {
					t.Error("no encryption context")
				}
			}
			if got := strings.Join(asked, " "); got != tc.asks {
				t.Errorf("got %s, want %s", got, tc.asks)
			}
			verdict(t, find(t, res, tc.id, tc.action, "role.may-not"), engine.ImplicitDeny, 2)
		})
	}
	w := newWorld(t)
	w.bucket(t, "plain")
	w.role(t, "r", "", allow("s3:*", "*"))
	if res := run(w, "s3-kms"); len(res.Replays) > 0 {
		t.Errorf("a bucket without a key: got %s", keyOf(res.Replays[0]))
	}
}

// A key that the input does not define has a policy that nobody knows; one that
// denies is found.
func TestKeyPolicies(t *testing.T) {
	for name, tc := range map[string]struct {
		key  func(w *world)
		want engine.Verdict
	}{
		"not defined": {func(*world) {}, engine.Unknown},
		"open":        {func(w *world) { w.key(t) }, engine.Allowed},
		"without the account": {func(w *world) {
			w.key(t, statement("Allow", `{"AWS":"arn:aws:iam::`+account+`:role/other"}`, "kms:*", "*", ""))
		}, engine.ImplicitDeny},
		"not through S3": {func(w *world) {
			w.key(t, statement("Allow", `{"AWS":"`+account+`"}`, "kms:*", "*", "")+","+
				statement("Deny", everyone, "kms:*", "*", `{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`))
		}, engine.ExplicitDeny},
	} {
		w := newWorld(t)
		w.role(t, "r", "", allow("*", "*"))
		w.bucket(t, "data").Key = lit(theKey)
		tc.key(w)
		r := find(t, run(w, "s3-kms"), "s3-kms", "s3:GetObject", "role.r")
		if r.Verdict != tc.want {
			t.Errorf("%s: got %v, want %v: %q", name, r.Verdict, tc.want, hops(r))
		}
		if athena := find(t, run(w, "athena-public"), "athena-public", "s3:GetObject", "role.r"); athena.Verdict != engine.Allowed {
			t.Errorf("%s: an optional hop decides: %q", name, hops(athena))
		} else if last := athena.Hops[len(athena.Hops)-1]; last.Hop != 3 || last.Verdict != tc.want {
			t.Errorf("%s: hop 3 of Athena: got %v at %d", name, last.Verdict, last.Hop)
		}
	}
}

// The chains of roles that services assume, from where each calls.
func TestServiceRoles(t *testing.T) {
	trusting := func(service string) string {
		return strings.Replace(trustsCFN, "cloudformation.amazonaws.com", service, 1)
	}
	const vpcOnly = `{"StringNotEquals":{"aws:SourceVpc":"vpc-a"}}`
	for _, tc := range []struct {
		id, service, action string
		want                engine.Verdict // where the bucket is closed to all but vpc-a
		key, value          string
	}{
		{"glue-vpc", "glue.amazonaws.com", "s3:GetObject", engine.Allowed, "glue:CredentialIssuingService", "glue.amazonaws.com"},
		{"glue-job", "glue.amazonaws.com", "s3:GetObject", engine.ExplicitDeny, "glue:CredentialIssuingService", "glue.amazonaws.com"},
		{"glue-crawler", "glue.amazonaws.com", "s3:GetObject", engine.ExplicitDeny, "glue:RoleAssumedBy", "glue.amazonaws.com"},
		{"lambda-execution", "lambda.amazonaws.com", "s3:PutObject", engine.ExplicitDeny, "lambda:SourceFunctionArn", "${the ARN of the function}"},
		{"lambda-vpc", "lambda.amazonaws.com", "s3:PutObject", engine.Allowed, "lambda:SourceFunctionArn", "${the ARN of the function}"},
		{"s3-replication", "s3.amazonaws.com", "s3:ReplicateObject", engine.ExplicitDeny, "aws:SourceIp", "?240.0.0.1"},
	} {
		t.Run(tc.id, func(t *testing.T) {
			w := newWorld(t)
			w.role(t, "r", trusting(tc.service), allow("s3:*", "*"))
			w.bucket(t, "data", statement("Deny", everyone, "s3:*", "*", vpcOnly))
			r := find(t, run(w), tc.id, tc.action, "role.r")
			broken := 0
			if tc.want != engine.Allowed {
				broken = 3
			}
			verdict(t, r, tc.want, broken)
			i := slices.IndexFunc(r.Hops, func(h chain.HopResult) bool { return h.Credentials == chain.ServiceRole })
			if got := value(t, r, i, tc.key); got != tc.value {
				t.Errorf("%s: got %q, want %q", tc.key, got, tc.value)
			}
			for key, want := range map[string]string{"aws:ViaAWSService": "false", "aws:CalledVia": "", "aws:PrincipalIsAWSService": "false"} {
				if got := value(t, r, i, key); got != want {
					t.Errorf("%s: got %q, want %q", key, got, want)
				}
			}
		})
	}
}

// A role whose trust policy was not read may be CloudFormation's.
func TestUnreadTrust(t *testing.T) {
	w := newWorld(t)
	w.role(t, "r", "!known only after apply", allow("s3:*", "*"))
	w.bucket(t, "data")
	res := run(w)
	r := find(t, res, "cloudformation-service-role", "s3:GetObject", "role.r")
	verdict(t, r, engine.Unknown, 2)
	for _, r := range res.Replays {
		if r.Principal.Address == "role.r" && strings.HasPrefix(r.Chain.ID, "glue") {
			t.Errorf("got %s", keyOf(r))
		}
	}
}

// F27: who assumes roles, and users of identity providers as trust policies ask.
func TestAssumeRole(t *testing.T) {
	const idp = "arn:aws:iam::" + account + ":oidc-provider/token.actions.githubusercontent.com"
	github := `{"Effect":"Allow","Principal":{"Federated":"` + idp + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{` +
		`"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}}`
	trusting := func(arn string) string { return statement2("sts:AssumeRole", `{"AWS":"`+arn+`"}`) }
	w := newWorld(t)
	w.user(t, "bob", allow("sts:AssumeRole", "*"))
	w.user(t, "eve")
	w.role(t, "ours", trusting("arn:aws:iam::"+account+":root"))
	w.role(t, "bobs", trusting("arn:aws:iam::"+account+":user/bob"))
	w.role(t, "deploy", github)
	w.role(t, "service", trustsCFN)
	res := run(w, "assume-role", "assume-role-with-web-identity", "assume-role-with-saml")
	got := map[string]engine.Verdict{}
	for _, r := range res.Replays {
		got[r.Chain.ID+" "+identity(r.Principal)+" "+r.Target.Address] = r.Verdict
	}
	for key, want := range map[string]engine.Verdict{
		"assume-role user.bob role.ours":                        engine.Allowed,
		"assume-role user.eve role.ours":                        engine.ImplicitDeny,
		"assume-role user.bob role.bobs":                        engine.Allowed,
		"assume-role tfguard-standin-outside role.ours":         engine.ImplicitDeny,
		"assume-role tfguard-standin-admin role.ours":           engine.Allowed,
		"assume-role-with-web-identity " + idp + " role.deploy": engine.Allowed,
	} {
		v, ok := got[key]
		if !ok || v != want {
			t.Errorf("%s: got %v, %v; want %v", key, v, ok, want)
		}
	}
	for key := range got {
		if strings.HasSuffix(key, "role.service") || strings.HasPrefix(key, "assume-role-with-saml") {
			t.Errorf("got %s", key)
		}
	}
}

func statement2(action, principal string) string {
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `"}`
}

// What trust policies and paths tell of the sessions of a role.
func TestSetKind(t *testing.T) {
	doc := func(text string) *policy.Document { return parse(t, policy.Trust, "trust", text).Document }
	federated := func(action string) string {
		return statement2(action, `{"Federated":"arn:aws:iam::1:saml-provider/P"}`)
	}
	for _, tc := range []struct {
		name, role, trust string
		session           request.Session
		workload          request.Workload
		kind              request.PrincipalKind
	}{
		{"an account", "r", statement2("sts:AssumeRole", `{"AWS":"111122223333"}`), request.Plain, "", request.RoleSession},
		{"EC2", "r", statement2("sts:AssumeRole", service("ec2.amazonaws.com")), request.Plain, request.EC2Instance, request.RoleSession},
		{"EC2 and an account", "r", statement2("sts:AssumeRole", `{"Service":"ec2.amazonaws.com","AWS":"111122223333"}`), request.Plain, "", request.RoleSession},
		{"two services", "r", statement2("sts:AssumeRole", `{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}`), request.Plain, "", request.RoleSession},
		{"SAML", "r", federated("sts:AssumeRoleWithSAML"), request.SAML, "", request.RoleSession},
		{"OIDC", "r", federated("sts:AssumeRoleWithWebIdentity"), request.OIDC, "", request.RoleSession},
		{"Identity Center", "aws-reserved/sso.amazonaws.com/AWSReservedSSO_P_0", federated("sts:AssumeRoleWithSAML"), request.IdentityCenter, "", request.RoleSession},
		{"service-linked", "aws-service-role/x.amazonaws.com/S", statement2("sts:AssumeRole", service("x.amazonaws.com")), request.Plain, "", request.ServiceLinkedRole},
		{"not read", "r", "!known only after apply", request.Plain, "", request.RoleSession},
	} {
		c := request.Caller{Principal: chain.RoleSession(lit("aws"), lit(account), lit("role/"+tc.role), lit("r")), Tags: map[string]symbol.Text{}}
		chain.SetKind(&c, doc(tc.trust))
		if c.Session != tc.session || c.Workload != tc.workload || c.Principal.Kind != tc.kind {
			t.Errorf("%s: got %v, %q, %v", tc.name, c.Session, c.Workload, c.Principal.Kind)
		}
	}
}

// Quiet chains come with a policy that names their service, for its principal alone.
func TestQuietChains(t *testing.T) {
	w := newWorld(t)
	w.role(t, "admin", "", allow("*", "*"))
	w.role(t, "seller", "", allow("servicecatalog:*", "*")+","+allow("cloudformation:*", "*")+","+allow("s3:*", "*"))
	w.role(t, "keeper", "", allow("backup:DeleteRecoveryPoint", "*")+","+
		statement("Allow", "", "ec2:DeleteSnapshot", "*", `{"ForAnyValue:StringEquals":{"aws:CalledVia":"backup.amazonaws.com"}}`))
	w.bucket(t, "data")
	res := run(w)
	verdict(t, find(t, res, "service-catalog", "s3:GetObject", "role.seller"), engine.Allowed, 0)
	verdict(t, find(t, res, "backup", "ec2:DeleteSnapshot", "role.keeper"), engine.Allowed, 0)
	if got := value(t, find(t, res, "service-catalog", "s3:GetObject", "role.seller"), 2, "aws:CalledViaFirst"); got != "servicecatalog.amazonaws.com" {
		t.Errorf("aws:CalledViaFirst: got %s", got)
	}
	for _, r := range res.Replays {
		if id := r.Chain.ID; r.Principal.Address == "role.admin" && (id == "service-catalog" || id == "backup" || id == "ram") {
			t.Errorf("got %s", keyOf(r))
		}
	}
	w.bucket(t, "signed", statement("Deny", everyone, "s3:*", "*", `{"StringNotEquals":{"s3:authType":"REST-HEADER"}}`))
	for _, r := range run(w, "presigned-url").Replays {
		if r.Target.Address != "bucket.signed" || r.Verdict != engine.ExplicitDeny {
			t.Errorf("got %s: %v", keyOf(r), r.Verdict)
		}
	}
	if len(run(w, "presigned-url").Replays) == 0 {
		t.Error("no presigned URL")
	}
}

// What services deliver, and on whose behalf.
func TestDeliveries(t *testing.T) {
	put := func(service, resource, condition string) string {
		return statement("Allow", `{"Service":"`+service+`"}`, "s3:PutObject", "arn:aws:s3:::logs/"+resource, condition)
	}
	acl := `{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":"` + account + `"}}`
	for _, tc := range []struct {
		id, policy, object string
		want               engine.Verdict
	}{
		{"config-s3", put("config.amazonaws.com", "AWSLogs/"+account+"/Config/*", acl), "AWSLogs/" + account + "/Config/example", engine.Allowed},
		{"config-s3", put("config.amazonaws.com", "in/AWSLogs/"+account+"/Config/*", ""), "in/AWSLogs/" + account + "/Config/example", engine.Allowed},
		{"config-s3", put("config.amazonaws.com", "AWSLogs/*/CloudTrail/*", ""), "AWSLogs/" + account + "/Config/example", engine.ImplicitDeny},
		{"vpc-flow-logs", put("delivery.logs.amazonaws.com", "AWSLogs/"+account+"/*", acl), "AWSLogs/" + account + "/vpcflowlogs/example", engine.Allowed},
		{"elb-logs", put("logdelivery.elasticloadbalancing.amazonaws.com", "AWSLogs/"+account+"/*", ""), "AWSLogs/" + account + "/elasticloadbalancing/example", engine.Allowed},
		{"elb-logs", put("logdelivery.elasticloadbalancing.amazonaws.com", "AWSLogs/"+account+"/*", acl), "AWSLogs/" + account + "/elasticloadbalancing/example", engine.Unknown},
		{"s3-access-logs", put("logging.s3.amazonaws.com", "access/*", ""), "access/example", engine.Allowed},
	} {
		w := newWorld(t)
		w.bucket(t, "logs", tc.policy)
		res := run(w, tc.id, "service-principal")
		if len(res.Replays) != 1 {
			t.Errorf("%s: got %d replays, want its own chain alone", tc.id, len(res.Replays))
			continue
		}
		r := res.Replays[0]
		if r.Verdict != tc.want {
			t.Errorf("%s: got %v, want %v: %q", tc.id, r.Verdict, tc.want, hops(r))
		}
		i := slices.IndexFunc(r.Hops, func(h chain.HopResult) bool { return !h.Optional })
		if got, want := r.Hops[i].Request.Resource.String(), "arn:aws:s3:::logs/"+tc.object; got != want {
			t.Errorf("%s: got %s, want %s", tc.id, got, want)
		}
	}
}

// A service is replayed for each statement that lets it in, and the worst counts.
func TestEveryStatement(t *testing.T) {
	from := func(topic string) string {
		return statement("Allow", service("sns.amazonaws.com"), "sqs:SendMessage", "*", `{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:`+account+`:`+topic+`"}}`)
	}
	w := newWorld(t)
	w.target(t, chain.QueueTarget, queueARN, from("a")+","+from("b")+","+
		statement("Deny", service("sns.amazonaws.com"), "sqs:*", "*", `{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:`+account+`:b"}}`))
	r := find(t, run(w), "sns-sqs", "sqs:SendMessage", "sns.amazonaws.com")
	verdict(t, r, engine.ExplicitDeny, 1)
	if notes := strings.Join(r.Hops[0].Notes, " "); !strings.Contains(notes, "each of 2 statements") || !strings.Contains(notes, ":b decided") {
		t.Errorf("got the notes %q", notes)
	}
}

// The trail of an organization writes below the organization's id.
func TestOrganizationTrail(t *testing.T) {
	w := newWorld(t)
	w.bucket(t, "logs", statement("Allow", service("cloudtrail.amazonaws.com"), "s3:*", "arn:aws:s3:::logs/AWSLogs/o-1/*", "")+","+
		statement("Allow", service("cloudtrail.amazonaws.com"), "s3:GetBucketAcl", "arn:aws:s3:::logs", ""))
	w.trails = []chain.Trail{{ARN: lit("arn:aws:cloudtrail:eu-west-1:" + account + ":trail/all"), Bucket: lit("logs"), Organization: true, Key: lit(theKey)}}
	w.key(t, statement("Allow", service("cloudtrail.amazonaws.com"), "kms:GenerateDataKey*", "*", `{"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:`+account+`:trail/*"}}`))
	r := find(t, run(w), "cloudtrail-s3", "s3:PutObject", "cloudtrail.amazonaws.com")
	verdict(t, r, engine.Allowed, 0)
	if got, want := r.Hops[1].Request.Resource.String(), "arn:aws:s3:::logs/AWSLogs/o-1/"+account+"/CloudTrail/example"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if h := r.Hops[2]; h.Request.Action != "kms:GenerateDataKey" || h.Verdict != engine.Allowed || !h.Optional {
		t.Errorf("got %q", hops(r))
	}
}

// Where a query of Athena writes.
func TestResults(t *testing.T) {
	const mine = "arn:aws:s3:::results/mine/*"
	for _, tc := range []struct{ name, identity, workgroup, want string }{
		{"anywhere", allow("s3:*", "*"), "", "aws-athena-query-results-" + account + "-eu-west-1/example"},
		{"the first that is granted", allow("s3:PutObject", mine), "", "results/mine/example"},
		{"as the workgroup says", allow("s3:PutObject", mine), "results/group", "results/group/example"},
	} {
		w := newWorld(t)
		w.role(t, "r", "", tc.identity+","+allow("s3:GetObject", "arn:aws:s3:::data/*"))
		w.bucket(t, "data")
		w.bucket(t, "results", statement("Deny", everyone, "s3:AbortMultipartUpload", "*", ""))
		if tc.workgroup != "" {
			w.workgroups = []chain.Workgroup{{Results: lit(tc.workgroup)}}
		}
		var r *chain.Replay
		for _, c := range run(w, "athena-public").Replays {
			if c.Principal.Address == "role.r" && c.Action == "s3:GetObject" && c.Target.Address == "bucket.data" {
				r = c
			}
		}
		i := slices.IndexFunc(r.Hops, func(h chain.HopResult) bool { return h.Request.Action == "s3:AbortMultipartUpload" })
		h := r.Hops[i]
		if got := h.Request.Resource.String(); got != "arn:aws:s3:::"+tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
		if denied := strings.HasPrefix(tc.want, "results/"); denied != (h.Verdict == engine.ExplicitDeny) {
			t.Errorf("%s: the policy of the bucket: got %v", tc.name, h.Verdict)
		}
	}
}
